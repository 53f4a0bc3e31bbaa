"""The best projective measurement of one part of a register, with a bound on what is missed.

A measurement in an orthonormal basis u_k of part A leaves the other part in the unnormalised states
σ_k = ⟨u_k|ρ|u_k⟩.  Discord and daemonic ergotropy are both minima of Σ_k φ(σ_k), φ concave and
φ(cσ) = c φ(σ); projectors of higher rank never do better.

Where A has two levels the bound is proven as follows.  With Bloch vector n the outcomes leave
σ_± = ½(τ_0 ± n·τ), so that g(n) = φ(σ_+) + φ(σ_-) is concave in the ball |n| ≤ 1.  A vector n of
a spherical triangle meets the flat triangle of the same corners v_i at cn, 0 < c ≤ 1, where
g(cn) ≥ min_i g(v_i).  The states at cn are those at n whose outcome has been flipped with the
probability q = (1 − c)/2, and such noise raises g by no more than a known slack(q), which falls
with the distance of the states that two outcomes can leave (`distance`).  So

    g(n) ≥ min_i g(v_i) − slack(q),

with q falling fourfold when a triangle is split.  Triangles are split until their bound comes
within a tolerance of the best value, or there are too many: where g does not depend on n none of
them can be left out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from nmrqb.dynamics import exp_hermitian
from nmrqb.operators import PAULI, Complex, Real

Index = NDArray[np.intp]

_FIRST_SPLITS = 3
_MOST_SPLITS = 10
_MOST_TRIANGLES = 512  # of one state; with more of them left the bound is taken as it is
_FIRST_STEP, _LAST_STEP = 0.3, 1e-8  # rad, of the search from a start downhill
_MOST_STEPS = 100
_ROUNDING = 1e-14  # above the floor: nothing lower is to be found
_NEWTON_STEPS = 20
_STENCIL = 1e-3  # rad, over which slopes and curvatures are taken
_FLAT = 1e-6  # the least curvature that a step divides by
_RANDOM_STARTS, _KEPT_STARTS = 200, 6  # where A has more than two levels
_PURE = 1e-9  # 1 − |r|² of a spin that is taken as pure
_SIGMA = np.array(list(PAULI.values()))
_CHUNK = 2**20  # numbers of the density matrices that are held at once


@dataclass(frozen=True, eq=False)
class Problem:
    """Minimise Σ_k φ(σ_k) over bases of part A, for many states at once.

    Attributes
    ----------
    states
        Shape (N, a, b, a, b).
    phi
        (which states (m,), σ (m, b, b)) → φ (m,).
    slack
        (which states (m,), q (m,)) → by how much outcomes flipped with probability q raise Σ φ.
    floor
        What Σ φ is never below, shape (N,).
    """

    states: Complex
    phi: Callable[[Index, Complex], Real]
    slack: Callable[[Index, Real], Real]
    floor: Real

    def value(self, which: Index, bases: Complex) -> Real:
        """Return Σ_k φ(σ_k) of states in bases, columns of (m, a, a): (m,)."""
        sigma = _conditional(self.states[which], bases)
        m, a, b = sigma.shape[:3]
        values = self.phi(np.repeat(which, a), sigma.reshape(m * a, b, b))
        return np.asarray(values.reshape(m, a).sum(axis=-1))


@dataclass(frozen=True, eq=False)
class Minimum:
    """Minima over bases, each of shape (N,), and the bases, shape (N, a, a).

    Attributes
    ----------
    value
        Reached in the basis.
    bound
        No basis has less.
    basis
        Vectors as columns.
    """

    value: Real
    bound: Real
    basis: Complex


def _conditional(states: Complex, bases: Complex) -> Complex:
    """Return σ_k = ⟨u_k|ρ|u_k⟩: (m, a, b, a, b) and bases (m, a, a) → (m, a, b, b)."""
    m, a, b = states.shape[:3]
    right = states.transpose(0, 1, 2, 4, 3).reshape(m, a * b * b, a) @ bases  # i b c, k
    right = right.reshape(m, a, b * b, a)
    left = (bases.conj()[:, :, None, :] * right).sum(axis=1)  # b c, k
    return np.asarray(left.swapaxes(-1, -2).reshape(m, a, b, b))


def distance(states: Complex) -> Real:
    """Return what ½‖ρ_B|+ − ρ_B|−‖₁ is never above, whatever two outcomes on A: (N,), at most 1.

    With r the Bloch vector of A it is ‖γ‖₁/2p_+p_-, γ = ½ n·(τ − rτ_0), 4p_+p_- = 1 − (n·r)²;
    ‖γ‖₁ is at most √b times its Frobenius norm, and that half the largest singular value of
    τ − rτ_0.  It is 0 for products.
    """
    tau = np.einsum("nibjc,aji->nabc", states, _SIGMA)
    r = np.einsum("nabb->na", tau).real
    centred = tau[:, 1:] - r[:, 1:, None, None] * tau[:, :1]
    gram = np.einsum("nabc,ndbc->nad", centred, centred.conj()).real
    largest = np.sqrt(np.linalg.eigvalsh(gram)[:, -1].clip(0))
    mixed = 1 - (r[:, 1:] ** 2).sum(axis=-1)
    bound = np.sqrt(states.shape[-1]) * largest / np.where(mixed > _PURE, mixed, 1)
    return np.where(mixed > _PURE, np.minimum(bound, 1), 1.0)


def spectra(sigma: Complex) -> Real:
    """Return ascending eigenvalues of many small Hermitian matrices: (m, b, b) → (m, b)."""
    if sigma.shape[-1] != 2:
        return np.linalg.eigvalsh(sigma)
    up, down = sigma[..., 0, 0].real, sigma[..., 1, 1].real
    half = np.hypot((up - down) / 2, np.abs(sigma[..., 0, 1]))
    centre = (up + down) / 2
    return np.stack([centre - half, centre + half], axis=-1)


def minimise(problem: Problem, tolerance: float) -> Minimum:
    """Return the minima of a problem over all bases of part A.

    Parameters
    ----------
    problem
        What to minimise.
    tolerance
        How far below the value the bound may stay, where the number of triangles allows it;
        for parts of more than two levels the bound is the problem's floor.
    """
    N, a, b = problem.states.shape[:3]
    step = max(1, _CHUNK // (64 * (a * b) ** 2))
    search = _two_levels if a == 2 else _many_levels
    found = [
        search(problem, np.arange(k, min(k + step, N)), tolerance) for k in range(0, N, step)
    ] or [search(problem, np.arange(0), tolerance)]
    return Minimum(
        np.concatenate([f.value for f in found]),
        np.concatenate([f.bound for f in found]),
        np.concatenate([f.basis for f in found]),
    )


# ---------------------------------------------------------------------------------- going downhill
def _downhill(problem: Problem, which: Index, bases: Complex) -> tuple[Real, Complex]:
    """Turn bases towards lower values, the step halved where no turn helps."""
    turns = _turns(bases.shape[-1])
    value, step = problem.value(which, bases), np.full(len(which), _FIRST_STEP)
    certain = problem.floor[which] + _ROUNDING
    for _ in range(_MOST_STEPS):
        active = np.flatnonzero((step > _LAST_STEP) & (value > certain))
        if not active.size:
            break
        tried = bases[active, None] @ _rotation(turns, step[active])
        values = _values(problem, which[active], tried)
        best = values.argmin(axis=1)
        lowest = np.take_along_axis(values, best[:, None], axis=1)[:, 0]
        lower = lowest < value[active]
        better = active[lower]
        bases[better], value[better] = tried[lower, best[lower]], lowest[lower]
        step[active] *= np.where(lower, 2, 0.5)
    active = np.flatnonzero(value > certain)
    for _ in range(_NEWTON_STEPS):
        values, tried = _newton(problem, which[active], value[active], bases[active])
        lower = values < value[active] - _ROUNDING
        active = active[lower]
        value[active], bases[active] = values[lower], tried[lower]
        if not active.size:
            break
    return value, bases


def _newton(problem: Problem, which: Index, value: Real, bases: Complex) -> tuple[Real, Complex]:
    """Return values and bases after a step of Newton's method: valleys may be narrow and flat."""
    turns = _turns(bases.shape[-1])
    slope, curvature = _local_model(problem, which, value, bases)
    e, V = np.linalg.eigh(curvature)
    along = V @ ((V.swapaxes(-1, -2) @ slope[..., None]) / np.maximum(np.abs(e), _FLAT)[..., None])
    along *= np.minimum(1, _FIRST_STEP / np.linalg.norm(along, axis=1, keepdims=True).clip(1e-300))
    generator = np.tensordot(along[..., 0], turns[: len(turns) // 2], axes=1)
    tried = bases @ exp_hermitian(-1j * generator)
    return problem.value(which, tried), tried


def _local_model(problem: Problem, which: Index, value: Real, bases: Complex) -> tuple[Real, Real]:
    """Return slopes (m, p) and curvatures (m, p, p) of the value along p turns, by differences."""
    turns = _turns(bases.shape[-1])
    p = len(turns) // 2
    i, j = np.triu_indices(p, 1)
    single = _rotation(turns, np.array([_STENCIL]))[0]
    both = np.concatenate([single[i] @ single[j], single[p + i] @ single[p + j]])
    around = _values(problem, which, bases[:, None] @ np.concatenate([single, both]))
    around -= value[:, None]
    up, down, mixed = around[:, :p], around[:, p : 2 * p], around[:, 2 * p :]
    even = up + down
    curvature = np.zeros((len(which), p, p))
    curvature[:, i, j] = (mixed[:, : len(i)] + mixed[:, len(i) :] - even[:, i] - even[:, j]) / 2
    curvature += curvature.swapaxes(-1, -2)
    curvature[:, range(p), range(p)] = even
    return (up - down) / (2 * _STENCIL), curvature / _STENCIL**2


def _values(problem: Problem, which: Index, bases: Complex) -> Real:
    """Return the values of several bases for each state: (m,), (m, t, a, a) → (m, t)."""
    m, t, a = bases.shape[:3]
    return problem.value(np.repeat(which, t), bases.reshape(m * t, a, a)).reshape(m, t)


@lru_cache(maxsize=16)
def _turns(a: int) -> Complex:
    """Return generators ±(|i⟩⟨j| − |j⟩⟨i|), ±i(|i⟩⟨j| + |j⟩⟨i|), shape (2a(a − 1), a, a)."""
    generators = np.zeros((a * (a - 1), a, a), dtype=complex)
    for k, (i, j) in enumerate(zip(*np.triu_indices(a, 1), strict=True)):
        generators[2 * k, i, j], generators[2 * k, j, i] = 1, -1
        generators[2 * k + 1, i, j] = generators[2 * k + 1, j, i] = 1j
    return np.concatenate([generators, -generators])


def _rotation(generators: Complex, angle: Real) -> Complex:
    """Return exp(θG) = 1 + sin θ G + (1 − cos θ) G², G³ = −G: (t, a, a), (m,) → (m, t, a, a)."""
    s, c = np.sin(angle)[:, None, None, None], np.cos(angle)[:, None, None, None]
    return np.asarray(
        np.eye(generators.shape[-1]) + s * generators + (1 - c) * (generators @ generators)
    )


# -------------------------------------------------------------------------------------- two levels
def _two_levels(problem: Problem, which: Index, tolerance: float) -> Minimum:
    """Start from the best of a net of Bloch vectors, then split its triangles."""
    vertices, corners = _net(_FIRST_SPLITS)
    bases = np.broadcast_to(_bases(vertices), (len(which), len(vertices), 2, 2))
    values = _values(problem, which, bases)
    best, basis = _from_valleys(problem, which, bases, values)
    cover = _Cover(
        np.repeat(np.arange(len(which)), len(corners)),
        np.tile(vertices[corners], (len(which), 1, 1)),
        values[:, corners].reshape(-1, 3),
    )
    bound, lowest, where = _split(problem, which, cover, best, tolerance)
    missed = lowest < best
    again, turned = _downhill(problem, which[missed], _bases(where[missed]))
    best[missed], basis[missed] = again, turned
    return Minimum(best, np.minimum(np.maximum(bound, problem.floor[which]), best), basis)


def _from_valleys(
    problem: Problem, which: Index, bases: Complex, values: Real
) -> tuple[Real, Complex]:
    """Go downhill from the lowest vertices that are not above those around them."""
    around = np.where(_neighbours(), values[:, None, :], np.inf).min(axis=-1)
    order = np.where(values <= around, values, np.inf).argsort(axis=1)[:, :_KEPT_STARTS]
    owner, rank = np.nonzero(np.take_along_axis(values <= around, order, axis=1))
    starts = bases[owner, order[owner, rank]]
    ends, turned = _downhill(problem, which[owner], starts)
    best = np.full(len(which), np.inf)
    np.minimum.at(best, owner, ends)
    winner = np.flatnonzero(ends == best[owner])
    basis = np.empty((len(which), 2, 2), dtype=complex)
    basis[owner[winner]] = turned[winner]
    return best, basis


@lru_cache(maxsize=1)
def _neighbours() -> NDArray[np.bool_]:
    """Return which vertices of the first net lie side by side, n and −n being one: (v, v)."""
    vertices, triangles = _net(_FIRST_SPLITS)
    longest = np.abs((vertices[triangles] * np.roll(vertices[triangles], 1, axis=1)).sum(-1)).min()
    return np.asarray(np.abs(vertices @ vertices.T) > longest - 1e-9)


@dataclass(frozen=True, eq=False)
class _Cover:
    """Spherical triangles: whose they are (m,), their corners (m, 3, 3) and the values there."""

    owner: Index
    corners: Real
    values: Real

    def __getitem__(self, chosen: NDArray[np.bool_]) -> _Cover:
        return _Cover(self.owner[chosen], self.corners[chosen], self.values[chosen])


def _split(
    problem: Problem, which: Index, cover: _Cover, best: Real, tolerance: float
) -> tuple[Real, Real, Real]:
    """Return what no basis goes below, the lowest value on the way, and its Bloch vector.

    Each of the first two has shape (N,), the last (N, 3).
    """
    bound, lowest, where = best.copy(), best.copy(), np.zeros((len(which), 3))
    enough = np.where(best - problem.floor[which] <= tolerance, -np.inf, best - tolerance)
    for split in range(_FIRST_SPLITS, _MOST_SPLITS + 1):
        below = cover.values.min(axis=1) - problem.slack(which[cover.owner], _flips(cover.corners))
        many = np.bincount(cover.owner[below < enough[cover.owner]], minlength=len(which))
        last = (many > _MOST_TRIANGLES) | (split == _MOST_SPLITS)
        going = (below < enough[cover.owner]) & ~last[cover.owner]
        np.minimum.at(bound, cover.owner[~going], below[~going])
        if not np.any(going):
            break
        cover = _quartered(problem, which, cover[going])
        _note(cover, lowest, where)
    return bound, lowest, where


def _quartered(problem: Problem, which: Index, cover: _Cover) -> _Cover:
    """Split each triangle into four at the middles of its sides."""
    middles = cover.corners + np.roll(cover.corners, -1, axis=1)  # of sides 01, 12, 20
    middles /= np.linalg.norm(middles, axis=-1, keepdims=True)
    values = _values(problem, which[cover.owner], _bases(middles))
    return _Cover(
        np.repeat(cover.owner, 4),
        *(_four(x, y) for x, y in ((cover.corners, middles), (cover.values, values))),
    )


def _four(old: Real, new: Real) -> Real:
    """Return what belongs to the corners of the four triangles, (4m, 3, ...)."""
    pieces = [np.stack([old[:, k], new[:, k], new[:, k - 1]], axis=1) for k in range(3)]
    return np.stack([*pieces, new], axis=1).reshape(4 * len(old), *old.shape[1:])


def _note(cover: _Cover, lowest: Real, where: Real) -> None:
    """Take down lower values of a cover's corners, and where they are."""
    corner = cover.values.argmin(axis=1)
    values = cover.values[np.arange(len(corner)), corner]
    np.minimum.at(lowest, cover.owner, values)
    found = np.flatnonzero(values == lowest[cover.owner])
    where[cover.owner[found]] = cover.corners[found, corner[found]]


def _flips(corners: Real) -> Real:
    """Return q = (1 − c)/2 of triangles, c the distance of their planes from the centre: (m,)."""
    normal = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    distance = np.abs((normal * corners[:, 0]).sum(axis=-1)) / np.linalg.norm(normal, axis=-1)
    return np.asarray(np.clip((1 - distance) / 2, 0, 0.5))


def _bases(vectors: Real) -> Complex:
    """Return the eigenvectors of n·σ as columns, that of +1 first: (..., 3) → (..., 2, 2)."""
    x, y, z = np.moveaxis(vectors, -1, 0)
    half, phase = np.arctan2(np.hypot(x, y), z) / 2, np.exp(1j * np.arctan2(y, x))
    up, down = np.cos(half), np.sin(half)
    rows = [[up + 0j, -down / phase], [down * phase, up + 0j]]
    return np.asarray(np.moveaxis(np.array(rows), (0, 1), (-2, -1)))


@lru_cache(maxsize=4)
def _net(splits: int) -> tuple[Real, Index]:
    """Return Bloch vectors (v, 3) and triangles of them (4·4ˢ, 3) that cover half a sphere.

    The other half holds the same measurements.
    """
    x, y, z = np.eye(3)
    triangles = np.array([[z, x, y], [z, y, -x], [z, -x, -y], [z, -y, x]])
    for _ in range(splits):
        middles = triangles + np.roll(triangles, -1, axis=1)
        triangles = _four(triangles, middles / np.linalg.norm(middles, axis=-1, keepdims=True))
    vertices, index = np.unique(triangles.reshape(-1, 3).round(12), axis=0, return_inverse=True)
    return vertices / np.linalg.norm(vertices, axis=-1, keepdims=True), index.reshape(-1, 3)


# ------------------------------------------------------------------------------------- many levels
def _many_levels(problem: Problem, which: Index, tolerance: float) -> Minimum:
    """Go downhill from the best of random bases, always the same ones."""
    a = problem.states.shape[1]
    starts = np.concatenate([np.eye(a, dtype=complex)[None], *_haar(a)])
    values = np.stack(
        [problem.value(which, np.broadcast_to(U, (len(which), a, a))) for U in starts]
    )
    order = values.argsort(axis=0)[:_KEPT_STARTS]
    ends = [_downhill(problem, which, starts[row].copy()) for row in order]
    best = np.argmin([value for value, _ in ends], axis=0)
    value = np.array([value for value, _ in ends])[best, np.arange(len(which))]
    basis = np.array([basis for _, basis in ends])[best, np.arange(len(which))]
    return Minimum(value, np.minimum(problem.floor[which], value), basis)


def _haar(a: int) -> Iterator[Complex]:
    rng = np.random.default_rng(0)
    normal = rng.normal(size=(2, _RANDOM_STARTS, a, a))
    Q, R = np.linalg.qr(normal[0] + 1j * normal[1])
    diagonal = np.einsum("...ii->...i", R)
    yield Q * (diagonal / np.abs(diagonal))[:, None, :]
