"""What `nmrqb readouts` makes of its options."""

from __future__ import annotations

from collections.abc import Sequence

from nmrqb.cli.batteries import battery_of
from nmrqb.errors import ArgumentError, Fault, Position, nearest, refuse
from nmrqb.report.readouts import ReadoutReport
from nmrqb.sample import PulseModel, Sample
from nmrqb.tomography import Readout, measurement_chain, read_readout, response_matrix
from nmrqb.tomography.design import (
    Choice,
    analyse,
    global_candidates,
    local_candidates,
    optimal_readouts,
)
from nmrqb.tomography.design.sets import Criterion


def readout_report(
    sample: Sample,
    *,
    words: str | None = None,
    best: int | None = None,
    channels: Sequence[str] = (),
    criterion: Criterion = "A",
    non_selective: bool = False,
    pulses: PulseModel = "ideal",
    battery: str | None = None,
) -> ReadoutReport:
    """Return what a set of readouts sees: a given one, or the best out of candidates.

    Raises
    ------
    InputError
        If an option makes no sense on this sample, named by its option.
    """
    observed = _observed(channels, sample)
    wanted = battery_of(battery, sample)
    if words is None or best is not None:
        given = _candidates(words, sample, pulses, non_selective=non_selective)
        choice = _optimal(sample, given, best, observed, criterion, pulses)
        return ReadoutReport(
            sample, choice.readouts, observed, pulses, choice.design, choice, wanted
        )
    if non_selective:
        refuse([Fault(Position("--non-selective"), "chooses candidates, but --set is given")])
    readouts = _read(words, sample, pulses)
    chain = measurement_chain(sample, readouts, relaxation=False, observed=observed)
    design = analyse(response_matrix(chain))
    return ReadoutReport(sample, chain.readouts, observed, pulses, design, None, wanted)


def _optimal(
    sample: Sample,
    candidates: Sequence[str | Readout],
    best: int | None,
    observed: tuple[str, ...],
    criterion: Criterion,
    pulses: PulseModel,
) -> Choice:
    if best is not None and best > len(candidates):
        message = f"must be at most the number of candidates {len(candidates)}, but is {best}"
        refuse([Fault(Position("--best"), message)])
    return optimal_readouts(
        sample, candidates, best, observed=observed, criterion=criterion, pulses=pulses
    )


def _candidates(
    words: str | None, sample: Sample, pulses: PulseModel, *, non_selective: bool
) -> Sequence[str | Readout]:
    n = len(sample.spins)
    if words is not None:
        return _read(words, sample, pulses)
    return global_candidates(n) if non_selective else local_candidates(n)


def _read(words: str, sample: Sample, pulses: PulseModel) -> list[Readout]:
    """Return the readouts of ``II,IX,90 x - 2 ms - 90 y``, all faults told at once."""
    found, faults = [], []
    for word in words.split(","):
        try:
            found.append(read_readout(word.strip(), sample, pulses))
        except ArgumentError as error:
            message = str(error).removeprefix("Argument ")
            faults.append(Fault(Position(f"--set {word.strip()}"), message))
    refuse(faults)
    return found


def _observed(channels: Sequence[str], sample: Sample) -> tuple[str, ...]:
    unknown = [name for name in channels if name not in sample.nuclei]
    refuse(
        Fault(
            Position(f"--channel {name}"),
            f"sample `{sample.name}` has no channel `{name}`; {nearest(name, sample.nuclei)}",
        )
        for name in unknown
    )
    return tuple(dict.fromkeys(channels)) or sample.nuclei
