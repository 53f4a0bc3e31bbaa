"""From a sequence and a sample to an `AverageHamiltonian`."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from nmrqb.average.control import control_of
from nmrqb.average.effective import branch_safe, effective_hamiltonian
from nmrqb.average.magnus import magnus_terms
from nmrqb.average.model import (
    AverageHamiltonian,
    Diagnosis,
    MagnusOrder,
    Sensitivity,
    TargetCheck,
)
from nmrqb.average.symmetry import exchange_symmetric_pairs
from nmrqb.dynamics import (
    Segment,
    exp_hermitian,
    infidelity,
    timeline_segments,
    total_duration,
    unitary,
)
from nmrqb.errors import ArgumentError
from nmrqb.operators import (
    Complex,
    embed,
    from_named,
    named_terms,
    pair_part,
    pauli_basis,
    pauli_coefficients,
    spin_operator,
)
from nmrqb.sample import PulseModel, Sample
from nmrqb.sample.hamiltonian import coupling_hamiltonian, internal_hamiltonian
from nmrqb.sequence import Sequence as PulseSequence
from nmrqb.sequence import Timeline, expand

DEFAULT_ORDER = 2
TARGET_TOLERANCE = 1e-6
_FLIP_ERROR, _OFFSET_HZ, _COUPLING_ERROR = 0.05, 20.0, 0.01
_HZ = 2 * np.pi


@dataclass(frozen=True, eq=False)
class _Played:
    """One pass of a bound sequence: its segments, the drift under them, and its period."""

    segments: Sequence[Segment]
    drift: Complex
    one_pass: Complex
    one_pass_rf: Complex
    passes: int | None

    @property
    def cycles(self) -> int:
        return self.passes or 1

    @property
    def period(self) -> float:
        return self.cycles * float(total_duration(self.segments))

    def over_period(self, U: Complex) -> Complex:
        return np.asarray(np.linalg.matrix_power(U, self.cycles))


def compile_sequence(
    sequence: PulseSequence,
    sample: Sample,
    *,
    pulses: PulseModel = "ideal",
    order: int | None = None,
    parameters: Mapping[str, str] | None = None,
    roles: Mapping[str, str] | None = None,
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
        Expressions that override the sequence's own, as ``{"t": "2 ms"}``.
    roles
        Role to label of a spin; by default roles are bound in sample order.

    Raises
    ------
    InputError
        If the sequence does not fit the sample.
    ArgumentError
        If the sequence takes no time or an argument is out of range.
    """
    timeline = expand(sequence, sample, pulses=pulses, parameters=parameters, roles=roles)
    return compile_timeline(timeline, sample, order=order)


def compile_timeline(
    timeline: Timeline, sample: Sample, *, order: int | None = None
) -> AverageHamiltonian:
    """Return what an expanded sequence makes of a sample; see `compile_sequence`."""
    played = _play(timeline, sample)
    terms = magnus_terms(
        played.segments,
        played.drift,
        order=DEFAULT_ORDER if order is None else order,
        cycles=played.cycles,
    )
    truncated = np.sum(terms, axis=0)
    U = played.over_period(played.one_pass)
    exact = effective_hamiltonian(U, played.over_period(played.one_pass_rf), played.period)
    safe = branch_safe(played.segments, played.drift, cycles=played.cycles, period=played.period)
    trusted = safe and order is None
    effective = exact if trusted else truncated
    return AverageHamiltonian(
        sequence=timeline.name,
        sample=sample.name,
        spins=sample.labels,
        pulses=timeline.pulses,
        duration_s=float(total_duration(played.segments)),
        free_evolution_s=timeline.free_evolution_s,
        cyclic=played.passes == 1,
        cycles_to_close=played.passes,
        orders=tuple(MagnusOrder(k, H / _HZ) for k, H in enumerate(terms)),
        exact_hz=exact / _HZ,
        branch_safe=safe,
        effective_hz=effective / _HZ,
        named_from="exact" if trusted else "series",
        named=named_terms(effective / _HZ) if len(sample.spins) == 2 else None,
        pairs=_pairs(effective / _HZ, sample),
        target=_check_target(timeline, sample, effective, played),
        diagnosis=tuple(_diagnose(played, sample, None if safe else terms)),
        robustness=tuple(_robustness(played, sample)),
    )


def _play(timeline: Timeline, sample: Sample) -> _Played:
    segments = timeline_segments(timeline, sample)
    if not float(total_duration(segments)) > 0:
        raise ArgumentError(
            f"Argument `sequence` must take time, but {timeline.name!r} has only ideal pulses"
        )
    drift = internal_hamiltonian(sample)
    control = control_of(segments, drift)
    one_pass = unitary(control.segments, drift)
    return _Played(control.segments, drift, one_pass, control.U_rf, control.passes)


def _pairs(
    effective_hz: Complex, sample: Sample
) -> tuple[tuple[tuple[str, str], dict[str, float]], ...]:
    indexed = itertools.combinations(enumerate(sample.labels), 2)
    return tuple(
        ((first, second), named_terms(pair_part(effective_hz, i, j)))
        for (i, first), (j, second) in indexed
    )


# -------------------------------------------------------------------------------- the claim
def target_hamiltonian(timeline: Timeline, n: int) -> Complex:
    """Return H_target/2π in Hz on all n spins, in sample order: shape (2ⁿ, 2ⁿ).

    A target is written in role order; its operators are placed on the spins the roles are bound
    to, which turns the sign of DM where the roles stand in the opposite order.
    """
    first, second = _claimed_pair(timeline)
    coefficients = pauli_coefficients(from_named(timeline.target_hz)).reshape(4, 4)
    single = pauli_basis(1)
    total = np.zeros((2**n, 2**n), dtype=complex)
    for a, b in zip(*np.nonzero(coefficients), strict=True):
        total += coefficients[a, b] * embed(single[a], first, n) @ embed(single[b], second, n)
    return total


def _claimed_pair(timeline: Timeline) -> tuple[int, int]:
    if timeline.target_spins is None:
        raise ArgumentError(
            f"Argument `timeline` must claim a target, but {timeline.name!r} claims nothing"
        )
    return timeline.target_spins


def _check_target(
    timeline: Timeline, sample: Sample, effective: Complex, played: _Played
) -> TargetCheck | None:
    """Compare with the claim; ``time: T`` claims exp(−i2πHT) whatever the pass lasts."""
    if not timeline.target_hz:
        return None
    claim = target_hamiltonian(timeline, len(sample.spins))
    duration = played.period / played.cycles
    scale = 1.0 if timeline.target_time_s is None else timeline.target_time_s / duration
    error = _coefficient_norm(effective / _HZ / scale - claim)
    # a claim of zero is held against what there was to average away
    size = _coefficient_norm(claim) or _coefficient_norm(played.drift / _HZ)
    ideal = exp_hermitian(_HZ * claim * scale * played.period)
    first, second = sorted(_claimed_pair(timeline))
    named = named_terms(pair_part(claim, first, second))
    return TargetCheck(
        spins=(sample.labels[first], sample.labels[second]),
        named_hz={name: value for name, value in named.items() if value},
        time_s=timeline.target_time_s,
        error_hz=error,
        infidelity=float(infidelity(ideal, played.over_period(played.one_pass))),
        met=error <= TARGET_TOLERANCE * size and played.passes is not None,
    )


def _coefficient_norm(matrix: Complex) -> float:
    return float(np.linalg.norm(pauli_coefficients(matrix)))


# ---------------------------------------------------------------------------- what to know
def _diagnose(played: _Played, sample: Sample, unsafe: list[Complex] | None) -> list[Diagnosis]:
    found = []
    if played.passes != 1:
        found.append(Diagnosis("not-cyclic", _not_cyclic(played)))
    for i, j in exchange_symmetric_pairs(played.segments, played.drift):
        text = _forbidden(sample.labels[i], sample.labels[j])
        found.append(Diagnosis("dm-forbidden-by-exchange-symmetry", text))
    if unsafe is not None:
        found.append(Diagnosis("branch-unsafe", _wraps(played, unsafe)))
    return found


def _not_cyclic(played: _Played) -> str:
    if played.passes is None:
        return (
            "The pulses of one pass do not multiply to 1, nor do those of up to 24 passes: the "
            "Hamiltonian given is that of one pass, in a frame that the pulses keep turning."
        )
    return (
        f"The pulses of one pass do not multiply to 1; {played.passes} passes do. The Hamiltonian "
        f"given is the average over these {played.passes} passes."
    )


def _forbidden(first: str, second: str) -> str:
    return (
        f"At every instant {first} and {second} feel the same rotation and the same offset, so "
        "controls and drift commute with an exchange of the two. DM changes sign under it and "
        "cannot appear at any order. A pulse on one of them alone lifts this."
    )


def _wraps(played: _Played, terms: list[Complex]) -> str:
    text = (
        f"The period of {played.period:.6g} s is too long for the logarithm of the propagator: a "
        "phase reaches π and may wrap. The named terms are those of the truncated Magnus series."
    )
    norms = [float(np.linalg.norm(term, 2)) for term in terms]
    if max(norms[1:], default=0.0) > norms[0] / 2:
        text += " The series does not converge either: do not trust them, shorten the period."
    return text


# ------------------------------------------------------------------------------ robustness
def _robustness(played: _Played, sample: Sample) -> list[Sensitivity]:
    """Perturb one thing at a time over one pass."""
    segments, drift, reference = played.segments, played.drift, played.one_pass
    turned = unitary([s.scaled(1 + _FLIP_ERROR) for s in segments], drift)
    rows = [("flip-angle", _FLIP_ERROR, turned)]
    n = len(sample.spins)
    for k, label in enumerate(sample.labels):
        shift = _HZ * _OFFSET_HZ * spin_operator("z", k, n)
        rows.append((f"offset {label}", _OFFSET_HZ, unitary(segments, drift + shift)))
    stronger = drift + _COUPLING_ERROR * coupling_hamiltonian(sample)
    rows.append(("coupling", _COUPLING_ERROR, unitary(segments, stronger)))
    return [Sensitivity(error, size, float(infidelity(reference, U))) for error, size, U in rows]
