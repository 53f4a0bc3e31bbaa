"""From a sequence and a sample to an `AverageHamiltonian`."""

from __future__ import annotations

import itertools
from collections.abc import Mapping

import numpy as np

from nmrqb.arguments import checked
from nmrqb.average.budget import error_budget
from nmrqb.average.control import Control
from nmrqb.average.convergence import Convergence, convergence
from nmrqb.average.decomposition import decompose, second_average
from nmrqb.average.decoupling import decoupling_conditions
from nmrqb.average.diagnosis import diagnose
from nmrqb.average.effective import branch_safe, effective_hamiltonian
from nmrqb.average.frames import is_symmetric, segment_frames, toggling_frames
from nmrqb.average.magnus import magnus_terms
from nmrqb.average.model import MagnusOrder
from nmrqb.average.open_system import OpenAverage, average_open
from nmrqb.average.played import Played, check_size, play_pass
from nmrqb.average.result import Analysis, AverageHamiltonian
from nmrqb.average.robustness import Pass, robustness_table
from nmrqb.average.symmetry import diagnose_symmetry
from nmrqb.average.target import check_target, target_hamiltonian
from nmrqb.dynamics import collapse_operators, dissipator
from nmrqb.errors import ArgumentError, InputError
from nmrqb.operators import Complex, named_terms, pair_part
from nmrqb.sample import PulseModel, Sample
from nmrqb.sequence import Sequence, Timeline, expand
from nmrqb.units import is_batch

DEFAULT_ORDER = 2
MAX_RELAXING = 3  # spins; the superoperators of more take too long for every compile
_HZ = 2 * np.pi


@checked
def compile_sequence(
    sequence: Sequence,
    sample: Sample,
    *,
    pulses: PulseModel = "ideal",
    order: int | None = None,
    parameters: Mapping[str, str | float] | None = None,
    roles: Mapping[str, str] | None = None,
    analyse: bool = True,
) -> AverageHamiltonian:
    """Return what a sequence makes of the couplings of a sample.

    Parameters
    ----------
    sequence, sample
        As loaded.
    pulses
        ``ideal`` (instantaneous) or ``finite`` (the sample's 90° times).
    order
        Highest Magnus order; given, it makes ``named`` the truncation at that order, otherwise
        orders up to 2 are reported and ``named`` is exact.
    parameters
        Expressions that override the sequence's own, as ``{"t": "2 ms"}``; a number means what it
        means in the file, see `nmrqb.sequence.expand`.
    roles
        Role to label of a spin; by default roles are bound in sample order.
    analyse
        Whether robustness and analysis are wanted, which take longer than all the rest.

    Raises
    ------
    InputError
        If the sequence does not fit the sample.
    ArgumentError
        If the sequence takes no time, a parameter has many values, an argument is out of range, or
        the sample has more than 6 spins.
    """
    check_size(sample)
    timeline = expand(sequence, sample, pulses=pulses, parameters=parameters, roles=roles)
    other: PulseModel = "finite" if pulses == "ideal" else "ideal"
    try:
        counterpart = expand(sequence, sample, pulses=other, parameters=parameters, roles=roles)
    except (InputError, ArgumentError):
        counterpart = None  # no 90° times, or delays too short for finite pulses
    return compile_timeline(timeline, sample, order=order, other=counterpart, analyse=analyse)


@checked
def compile_timeline(
    timeline: Timeline,
    sample: Sample,
    *,
    order: int | None = None,
    other: Timeline | None = None,
    analyse: bool = True,
) -> AverageHamiltonian:
    """Return what an expanded sequence makes of a sample; see `compile_sequence`.

    Parameters
    ----------
    timeline, sample, order
        As for `compile_sequence`.
    other
        The same sequence with the other pulse model, for what the widths of the pulses cost; by
        default hard pulses change their lengths and add to the delays.
    analyse
        Whether robustness and analysis are wanted, which take longer than all the rest.

    Raises
    ------
    ArgumentError
        If the timeline takes no time, has gradients, the order is out of range, or the sample has
        more than 6 spins.
    """
    if batches := [name for name, value in timeline.parameters.items() if is_batch(value)]:
        raise ArgumentError(
            f"Argument `parameters` must give `{batches[0]}` one value, but gives many; "
            "`compile_batch` takes many"
        )
    played = play_pass(timeline, sample)
    terms = _terms(played, DEFAULT_ORDER if order is None else order)
    exact = effective_hamiltonian(
        played.over_period(played.one_pass), played.over_period(played.control.U_rf), played.period
    )
    safe = branch_safe(played.segments, played.drift, cycles=played.cycles, period=played.period)
    trusted = safe and order is None
    effective = exact if trusted else np.sum(terms, axis=0)
    series = convergence(terms, exact, played.segments, played.drift, played.cycles)
    subject = _subject(timeline, sample, played.control, other=other, safe=safe)
    return AverageHamiltonian(
        sequence=timeline.name,
        sample=sample.name,
        spins=sample.labels,
        pulses=timeline.pulses,
        duration_s=played.period / played.cycles,
        free_evolution_s=timeline.free_evolution_s,
        cyclic=played.control.passes == 1,
        cycles_to_close=played.control.passes,
        orders=tuple(MagnusOrder(k, H / _HZ) for k, H in enumerate(terms)),
        exact_hz=exact / _HZ,
        branch_safe=safe,
        effective_hz=effective / _HZ,
        named_from="exact" if trusted else "series",
        named=named_terms(effective / _HZ) if len(sample.spins) == 2 else None,
        pairs=_pairs(effective / _HZ, sample),
        target=check_target(timeline, sample, effective, played),
        diagnosis=tuple(diagnose(played, sample, None if safe else series)),
        robustness=robustness_table(subject) if analyse else (),
        analysis=_analysis(subject, played, effective / _HZ, series) if analyse else None,
    )


def _terms(played: Played, order: int) -> list[Complex]:
    return magnus_terms(played.segments, played.drift, order=order, cycles=played.cycles)


def _subject(
    timeline: Timeline, sample: Sample, control: Control, *, other: Timeline | None, safe: bool
) -> Pass:
    claim = target_hamiltonian(timeline, len(sample.spins)) if timeline.target_hz else None
    return Pass(timeline, sample, control, claim_hz=claim, other=other, branch_safe=safe)


def _analysis(
    subject: Pass, played: Played, effective_hz: Complex, series: Convergence
) -> Analysis:
    sample, period = subject.sample, list(played.segments) * played.cycles
    nuclei = [spin.nucleus for spin in sample.spins]
    return Analysis(
        subject=subject,
        parts=decompose(effective_hz),
        second=second_average(effective_hz),
        convergence=series,
        frames=toggling_frames(subject.timeline, len(sample.spins)),
        symmetric=is_symmetric(period, played.drift),
        conditions=decoupling_conditions(
            segment_frames(period), nuclei, sample.labels, scalar=_scalar(sample)
        ),
        symmetry=diagnose_symmetry(played.segments, played.drift, sample, subject.claim_hz),
        relaxation=_relaxation(sample, played),
        budget=error_budget(subject),
    )


def _scalar(sample: Sample) -> list[tuple[int, int]]:
    """Return the pairs that J I·S couples, and nothing else does."""
    alone = [
        coupling.between
        for coupling in sample.couplings
        if coupling.J_hz
        and not coupling.dipolar_hz
        and coupling.tensor_hz is None
        and coupling.truncation == "secular"
    ]
    places = [sorted(sample.labels.index(label) for label in between) for between in alone]
    return [(first, second) for first, second in places]


def _relaxation(sample: Sample, played: Played) -> OpenAverage | None:
    losses = collapse_operators(sample)
    if not losses or len(sample.spins) > MAX_RELAXING:
        return None
    dissipation = dissipator(losses, len(played.drift))
    return average_open(played.segments, played.drift, dissipation, cycles=played.cycles)


def _pairs(
    effective_hz: Complex, sample: Sample
) -> tuple[tuple[tuple[str, str], dict[str, float]], ...]:
    indexed = itertools.combinations(enumerate(sample.labels), 2)
    return tuple(
        ((first, second), named_terms(pair_part(effective_hz, i, j)))
        for (i, first), (j, second) in indexed
    )
