"""The toggling frames that 90° and 180° pulses reach: the rotations of a cube, by channel.

In the toggling frame of a control U, U†(v·σ)U = (Rv)·σ with R a rotation, so that a field b becomes
Rb and a coupling C becomes R_i C R_jᵀ.  Spins that are pulsed alike form a group and share R.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np
from numpy.typing import NDArray

from nmrqb.design.toggling.terms import PairTerms, pairs_of
from nmrqb.errors import ArgumentError
from nmrqb.operators import Real
from nmrqb.sample import Sample

MAX_FRAMES = 20_000_000
_DIGITS = 11

Group = tuple[int, ...]


@lru_cache(maxsize=1)
def cube_rotations() -> Real:
    """Return the 24 rotations that map the axes on axes, the identity first: (24, 3, 3)."""
    found = []
    for order in itertools.permutations(range(3)):
        for signs in itertools.product((1.0, -1.0), repeat=3):
            matrix = np.zeros((3, 3))
            matrix[range(3), order] = signs
            if np.linalg.det(matrix) > 0:
                found.append(matrix)
    return np.array(found)


def channel_groups(sample: Sample, control: str) -> tuple[Group, ...]:
    """Return which spins are pulsed alike.

    Parameters
    ----------
    sample
        The spins.
    control
        ``collective``, all alike; ``channels``, those of a nucleus alike; ``selective``, each by
        itself.

    Raises
    ------
    ArgumentError
        If it is none of these.
    """
    spins = range(len(sample.spins))
    kinds: dict[str, list[object]] = {
        "collective": [None for _ in spins],
        "channels": [spin.nucleus for spin in sample.spins],
        "selective": list(spins),
    }
    if control not in kinds:
        raise ArgumentError(f"Argument `control` must be one of {[*kinds]}, but is {control!r}")
    keys = kinds[control]
    return tuple(tuple(k for k in spins if keys[k] == key) for key in dict.fromkeys(keys))


@dataclass(frozen=True, eq=False)
class FrameSet:
    """All toggling frames of a drift: one class of rotations per group, independently chosen.

    Attributes
    ----------
    drift
        What is toggled.
    groups
        Spins that are pulsed alike.
    classes
        Per group the rotations that differ in their effect, each with all those that do not differ
        from it: lists of arrays (m, 3, 3).
    refocused
        Whether a field along z of every single spin, of unknown strength, is followed as well.
    """

    drift: PairTerms
    groups: tuple[Group, ...]
    classes: tuple[tuple[Real, ...], ...]
    refocused: bool = False

    @property
    def shape(self) -> tuple[int, ...]:
        """Number of classes of each group."""
        return tuple(len(classes) for classes in self.classes)

    @property
    def rows(self) -> int:
        """Number of coefficients of a column."""
        return len(self.drift.vector) + (3 * self.drift.spins if self.refocused else 0)

    @cached_property
    def representatives(self) -> tuple[Real, ...]:
        """One rotation of every class, per group (K, 3, 3)."""
        return tuple(np.array([c[0] for c in classes]) for classes in self.classes)

    def rotations(self, frame: Sequence[int]) -> Real:
        """Return the rotation of every spin in a frame, given by a class per group: (n, 3, 3)."""
        result = np.empty((self.drift.spins, 3, 3))
        for group, k, R in zip(self.groups, frame, self.representatives, strict=True):
            result[list(group)] = R[k]
        return result

    def columns(self, frames: NDArray[np.intp]) -> Real:
        """Return the toggled drift in frames (F, groups), then unknown fields: (F, rows)."""
        R = np.array([self.rotations(frame) for frame in frames])
        i, j = np.array(pairs_of(self.drift.spins), dtype=int).reshape(-1, 2).T
        fields = np.einsum("fiab,ib->fia", R, self.drift.fields)
        couplings = np.einsum("fpab,pbc,fpdc->fpad", R[:, i], self.drift.couplings, R[:, j])
        parts = [fields, couplings] + ([R[..., 2]] if self.refocused else [])
        return np.concatenate([part.reshape(len(frames), -1) for part in parts], axis=1)

    def prices(self, y: Real) -> Real:
        """Return y·column of every frame there is, shape `shape`.

        The sum of what every group, and every pair of groups, contributes.
        """
        n, size = self.drift.spins, len(self.drift.vector)
        y_fields, y_couplings = y[: 3 * n].reshape(n, 3), y[3 * n : size].reshape(-1, 3, 3)
        fields = np.einsum("ia,ib->iab", y_fields, self.drift.fields)
        if self.refocused:
            fields = fields + np.einsum("ia,b->iab", y[size:].reshape(n, 3), [0.0, 0.0, 1.0])
        total = np.zeros(self.shape)
        for g, (group, R) in enumerate(zip(self.groups, self.representatives, strict=True)):
            alone = np.einsum("kab,iab->k", R, fields[list(group)])
            total += _along(alone, (g,), len(self.groups))
        where = {spin: g for g, group in enumerate(self.groups) for spin in group}
        for (i, j), Y, C in zip(pairs_of(n), y_couplings, self.drift.couplings, strict=True):
            if np.any(Y) and np.any(C):
                g, h = where[i], where[j]
                first = np.einsum("ad,kab,bc->kdc", Y, self.representatives[g], C)
                if g == h:
                    both = np.einsum("kdc,kdc->k", first, self.representatives[g])
                    total += _along(both, (g,), len(self.groups))
                else:
                    both = np.einsum("kdc,ldc->kl", first, self.representatives[h])
                    total += _along(both, (g, h), len(self.groups))
        return total


def _along(values: Real, axes: tuple[int, ...], count: int) -> Real:
    """Return values with their axes where they belong among ``count`` axes."""
    if len(axes) == 2 and axes[0] > axes[1]:
        values, axes = values.T, (axes[1], axes[0])
    shape = [1] * count
    for axis, length in zip(axes, values.shape, strict=True):
        shape[axis] = length
    return values.reshape(shape)


def frame_set(drift: PairTerms, groups: tuple[Group, ...], *, refocused: bool = False) -> FrameSet:
    """Return the frames that differ in what they make of a drift.

    Parameters
    ----------
    drift
        What is toggled.
    groups
        Spins that are pulsed alike; every spin in one of them.
    refocused
        Whether fields of unknown strength along z of every spin are followed too.

    Raises
    ------
    ArgumentError
        If the groups are no partition of the spins, or the frames too many to be looked through.
    """
    if sorted(itertools.chain(*groups)) != list(range(drift.spins)):
        raise ArgumentError(
            f"Argument `groups` must hold each of {drift.spins} spins once, but is {groups}"
        )
    classes = tuple(_classes(drift, group, refocused=refocused) for group in groups)
    count = math.prod(len(c) for c in classes)
    if count > MAX_FRAMES:
        raise ArgumentError(
            f"Argument `groups` must leave at most {MAX_FRAMES} frames, but {len(groups)} groups "
            f"make {count}; pulse more spins alike"
        )
    return FrameSet(drift, groups, classes, refocused)


def _classes(drift: PairTerms, group: Group, *, refocused: bool) -> tuple[Real, ...]:
    """Sort the rotations of a group by their effect on the drift."""
    R = cube_rotations()
    effects = [np.einsum("kab,ib->kia", R, drift.fields[list(group)])]
    if refocused:
        effects.append(R[:, :, 2])
    for (i, j), C in zip(pairs_of(drift.spins), drift.couplings, strict=True):
        if i in group and j in group:
            effects.append(np.einsum("kab,bc,kdc->kad", R, C, R))
        elif i in group:
            effects.append(R @ C)
        elif j in group:
            effects.append(R @ C.T)
    flat = np.concatenate([e.reshape(len(R), -1) for e in effects], axis=1)
    size = max(float(np.abs(flat).max()), 1e-300)
    _, first, inverse = np.unique(
        np.round(flat / size, _DIGITS) + 0.0, axis=0, return_index=True, return_inverse=True
    )
    order = np.argsort(first)
    return tuple(R[inverse.ravel() == k] for k in order)
