"""What a sequence claims to make, and whether it does."""

from __future__ import annotations

import numpy as np

from nmrqb.arguments import checked
from nmrqb.average.effective import effective_hamiltonian
from nmrqb.average.model import TargetCheck
from nmrqb.average.played import Played
from nmrqb.dynamics import exp_hermitian, infidelity
from nmrqb.errors import ArgumentError
from nmrqb.operators import (
    Complex,
    embed,
    from_named,
    named_terms,
    pair_part,
    pauli_basis,
    pauli_coefficients,
)
from nmrqb.sample import Sample
from nmrqb.sequence import Timeline

TARGET_TOLERANCE = 1e-6
_HZ = 2 * np.pi


@checked
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


def check_target(
    timeline: Timeline, sample: Sample, effective: Complex, played: Played
) -> TargetCheck | None:
    """Compare with the claim; ``time: T`` claims exp(−i2πHT) whatever the pass lasts.

    Such a claim is about the unitary.  The logarithm of a pass may be on another branch than the
    claim, and its pulses need not close: then the difference is that of U itself,
    (i/2πT) log[e^{i2πHT} U].
    """
    if not timeline.target_hz:
        return None
    claim = target_hamiltonian(timeline, len(sample.spins))
    duration, time = played.period / played.cycles, timeline.target_time_s
    scale = 1.0 if time is None else time / duration
    closes = played.control.passes is not None
    error = _coefficient_norm(effective / _HZ / scale - claim)
    if time is not None:
        missed = _missed(claim, played.one_pass, time)
        error = min(error, missed) if closes else missed
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
        met=error <= (timeline.target_tolerance or TARGET_TOLERANCE) * size
        and (closes or time is not None),
    )


def _missed(claim: Complex, U: Complex, time: float) -> float:
    """Return ‖(i/2πT) log[e^{i2πHT} U]‖ in Hz, H/2π in Hz, as the 2-norm of coefficients."""
    ratio = exp_hermitian(-_HZ * claim * time) @ U
    ratio = ratio * np.exp(-1j * np.angle(np.trace(ratio)))  # a common phase is no difference
    return _coefficient_norm(
        effective_hamiltonian(ratio, np.eye(len(U), dtype=complex), time) / _HZ
    )


def _coefficient_norm(matrix: Complex) -> float:
    return float(np.linalg.norm(pauli_coefficients(matrix)))
