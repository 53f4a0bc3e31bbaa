"""What a sequence makes for many values of its parameters at once."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from nmrqb.arguments import checked
from nmrqb.average.control import control_of
from nmrqb.average.effective import effective_hamiltonian
from nmrqb.average.magnus import magnus_terms
from nmrqb.average.played import check_size
from nmrqb.dynamics import timeline_segments, total_duration, unitary
from nmrqb.errors import ArgumentError
from nmrqb.operators import Complex, Real, named_terms, pair_part
from nmrqb.sample import PulseModel, Sample
from nmrqb.sample.hamiltonian import internal_hamiltonian
from nmrqb.sequence import Sequence, Values, expand

_HZ = 2 * np.pi


@dataclass(frozen=True, eq=False)
class AverageBatch:
    """What a sequence makes of a sample, for N values of its parameters.

    Attributes
    ----------
    duration_s
        Length of one pass in s, shape (N,).
    cycles_to_close
        Passes after which the pulses multiply to 1 for every value, or None.
    orders_hz
        H⁽ᵏ⁾/2π in Hz of the period of these passes, shape (orders, N, d, d).
    exact_hz
        (i/T) log[U_rf†(T) U(T)]/2π in Hz, shape (N, d, d).
    guaranteed
        Where ‖H‖T < π, so that the logarithm cannot have wrapped, shape (N,).
    pairs
        (labels, named terms) of every pair, each an array of shape (N,) in Hz.
    """

    duration_s: Real
    cycles_to_close: int | None
    orders_hz: Complex
    exact_hz: Complex
    guaranteed: Real
    pairs: tuple[tuple[tuple[str, str], Mapping[str, Real]], ...]


@checked
def compile_batch(
    sequence: Sequence,
    sample: Sample,
    parameters: Mapping[str, Values],
    *,
    pulses: PulseModel = "ideal",
    order: int = 0,
    roles: Mapping[str, str] | None = None,
) -> AverageBatch:
    """Return what a sequence makes of a sample for many values of its parameters at once.

    Parameters
    ----------
    sequence, sample
        As loaded.
    parameters
        Parameter to a list of N expressions, ``{"t": ["1 ms", "2 ms"]}``, or to a
        `nmrqb.units.Value` that holds an array of N numbers; an expression alone holds for all N.
    pulses, roles
        As for `nmrqb.average.compile_sequence`.
    order
        Highest Magnus order that is reported.

    Raises
    ------
    InputError
        If the sequence does not fit the sample for any one of the values.
    ArgumentError
        If the sequence takes no time, has gradients, or the sample has more than 6 spins.
    """
    check_size(sample)
    timeline = expand(sequence, sample, pulses=pulses, parameters=parameters, roles=roles)
    drift = internal_hamiltonian(sample)
    control = control_of(timeline_segments(timeline, sample), drift)
    cycles = control.passes or 1
    period = cycles * total_duration(control.segments)
    if not np.all(period > 0):
        raise ArgumentError(
            f"Argument `sequence` must take time, but {sequence.name!r} has only ideal pulses"
        )
    terms = magnus_terms(control.segments, drift, order=order, cycles=cycles)
    U = np.linalg.matrix_power(unitary(control.segments, drift), cycles)
    U_rf = np.linalg.matrix_power(control.U_rf, cycles)
    exact = effective_hamiltonian(U, U_rf, period) / _HZ
    batch = np.broadcast_shapes(exact.shape[:-2], period.shape)
    return AverageBatch(
        duration_s=np.broadcast_to(period / cycles, batch),
        cycles_to_close=control.passes,
        orders_hz=np.array([np.broadcast_to(H, exact.shape) / _HZ for H in terms], dtype=complex),
        exact_hz=exact,
        guaranteed=np.broadcast_to(period * np.linalg.norm(drift, 2) < np.pi, batch),
        pairs=tuple(
            ((first, second), named_terms(pair_part(exact, i, j)))
            for (i, first), (j, second) in itertools.combinations(enumerate(sample.labels), 2)
        ),
    )
