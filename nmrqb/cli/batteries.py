"""The battery of a command line: its terms, one spin, or that of an experiment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from nmrqb.battery import Battery
from nmrqb.cli.values import assignments
from nmrqb.errors import Fault, Position, nearest, refuse
from nmrqb.sample import Sample
from nmrqb.units import UnitError, quantity

TERMS = ("D", "G", "Delta", "epsilon", "B")
_ONE_SPIN = ("spin", "frequency")


def battery_of(text: str | None, sample: Sample) -> Battery | None:
    """Return the battery that an option means, None where none is asked for.

    Parameters
    ----------
    text
        Terms ``D=20Hz,G=5Hz``; ``spin=1H,frequency=100Hz`` for the battery H/2π = ν I_z of one
        spin; or an experiment, shipped or a file, whose battery is meant.
    sample
        The spins it must fit.

    Raises
    ------
    InputError
        If a term is unknown or no frequency, the battery does not fit, or the file has faults.
    """
    if text is None:
        return None
    if "=" not in text and text.strip() not in (*TERMS, ""):
        from nmrqb.experiment import load_experiment

        return _fitting(load_experiment(text).battery, sample)
    given = assignments("--battery", text.split(","))
    if set(given) & set(_ONE_SPIN):
        return _of_one_spin(given, sample)
    values = _frequencies(given, TERMS)
    if len(sample.spins) != 2:
        message = f"is of two spins, but sample `{sample.name}` has {len(sample.spins)}"
        refuse([Fault(Position("--battery"), message)])
    return Battery.from_terms(**values)


def _of_one_spin(given: Mapping[str, str], sample: Sample) -> Battery:
    """Return the battery of one spin, which is named by its label."""
    if set(given) != set(_ONE_SPIN):
        message = (
            "must hold `spin` and `frequency` and nothing else for a battery of one spin, but "
            f"holds {', '.join(given)}"
        )
        refuse([Fault(Position("--battery"), message)])
    label = given["spin"].strip()
    if label not in sample.labels:
        message = f"sample `{sample.name}` has no spin `{label}`; {nearest(label, sample.labels)}"
        refuse([Fault(Position("--battery spin"), message)])
    frequency = _frequencies({"frequency": given["frequency"]}, _ONE_SPIN)["frequency"]
    if frequency == 0:
        message = "must not be 0 Hz: such a battery holds no energy"
        refuse([Fault(Position("--battery frequency"), message)])
    return Battery.zeeman(frequency, sample.index(label))


def _frequencies(given: Mapping[str, str], names: Sequence[str]) -> dict[str, float]:
    """Return what is given in Hz; all that is no such name or no frequency is told."""
    faults, values = [], {}
    for name, value in given.items():
        at = Position(f"--battery {name}")
        if name not in names:
            hint = nearest(name, (*names, *_ONE_SPIN))
            faults.append(Fault(at, f"is not a term of a battery; {hint}"))
            continue
        try:
            values[name] = quantity(value, "frequency")
        except UnitError as error:
            faults.append(Fault(at, str(error)))
    refuse(faults)
    return values


def _fitting(battery: Battery, sample: Sample) -> Battery:
    levels, spins = len(battery.hamiltonian_hz), battery.spins
    count = len(sample.spins)
    fits = levels == 2 ** (count if spins is None else len(spins))
    if not fits or max(spins or (0,)) >= count:
        message = f"is of {levels} levels and does not fit sample `{sample.name}` of {count} spins"
        refuse([Fault(Position("--battery"), message)])
    return battery
