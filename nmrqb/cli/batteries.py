"""The battery of a command line: ``D=20Hz,G=5Hz``, or that of an experiment."""

from __future__ import annotations

from nmrqb.battery import Battery
from nmrqb.cli.values import assignments
from nmrqb.errors import Fault, Position, nearest, refuse
from nmrqb.sample import Sample
from nmrqb.units import UnitError, quantity

TERMS = ("D", "G", "Delta", "epsilon", "B")


def battery_of(text: str | None, sample: Sample) -> Battery | None:
    """Return the battery that an option means, None where none is asked for.

    Parameters
    ----------
    text
        Terms ``D=20Hz,G=5Hz``, or an experiment, shipped or a file, whose battery is meant.
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
    faults, values = [], {}
    for name, value in assignments("--battery", text.split(",")).items():
        at = Position(f"--battery {name}")
        if name not in TERMS:
            faults.append(Fault(at, f"is not a term of a battery; {nearest(name, TERMS)}"))
            continue
        try:
            values[name] = quantity(value, "frequency")
        except UnitError as error:
            faults.append(Fault(at, str(error)))
    if len(sample.spins) != 2:
        message = f"is of two spins, but sample `{sample.name}` has {len(sample.spins)}"
        faults.append(Fault(Position("--battery"), message))
    refuse(faults)
    return Battery.from_terms(**values)


def _fitting(battery: Battery, sample: Sample) -> Battery:
    levels, spins = len(battery.hamiltonian_hz), battery.spins
    count = len(sample.spins)
    fits = levels == 2 ** (count if spins is None else len(spins))
    if not fits or max(spins or (0,)) >= count:
        message = f"is of {levels} levels and does not fit sample `{sample.name}` of {count} spins"
        refuse([Fault(Position("--battery"), message)])
    return battery
