"""The spread of rf amplitude and of offsets that a pulse is to bear."""

from __future__ import annotations

import itertools

import numpy as np

from nmrqb.design.grape.propagation import Members
from nmrqb.errors import ArgumentError
from nmrqb.operators import Real, spin_operator
from nmrqb.sample import Sample
from nmrqb.sample.hamiltonian import internal_hamiltonian

MAX_MEMBERS = 2_000


def sample_members(
    sample: Sample,
    *,
    b1: float = 0.0,
    offset_hz: float = 0.0,
    points: int = 3,
    apart: bool = True,
) -> Members:
    """Return members on a grid of equal weights over ±b1 and ±offset.

    Parameters
    ----------
    sample
        The spins, with their own offsets and couplings.
    b1
        Half width of the relative amplitude, say 0.05.
    offset_hz
        Half width of the offset of every channel in Hz.
    points
        Points along each axis that has a width.
    apart
        Whether the channels spread independently; otherwise all by the same share.

    Raises
    ------
    ArgumentError
        If a width is negative, or there are too many members.
    """
    for name, value in (("b1", b1), ("offset_hz", offset_hz)):
        if not 0 <= value < np.inf:
            raise ArgumentError(f"Argument `{name}` must be finite and ≥ 0, but is {value}")
    if points < 1:
        raise ArgumentError(f"Argument `points` must be ≥ 1, but is {points}")
    channels = len(sample.nuclei)
    axes = channels if apart else 1
    grid = np.array(
        list(itertools.product(*[_axis(b1, points)] * axes, *[_axis(offset_hz, points)] * axes))
    )
    if len(grid) > MAX_MEMBERS:
        raise ArgumentError(
            f"Argument `points` must make at most {MAX_MEMBERS} members, but {points} make "
            f"{len(grid)}"
        )
    factors = np.broadcast_to(1 + grid[:, :axes], (len(grid), channels))
    offsets = np.broadcast_to(grid[:, axes:], (len(grid), channels))
    n = len(sample.spins)
    turns = np.array(
        [
            sum(spin_operator("z", k, n) for k, s in enumerate(sample.spins) if s.nucleus == x)
            for x in sample.nuclei
        ]
    )
    drifts = internal_hamiltonian(sample) + 2 * np.pi * np.einsum("mc,cij->mij", offsets, turns)
    return Members(drifts, np.array(factors), np.full(len(grid), 1 / len(grid)))


def _axis(width: float, points: int) -> Real:
    return np.linspace(-width, width, points) if width else np.zeros(1)
