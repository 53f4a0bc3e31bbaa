"""The dynamical Lie algebra: what controls and a drift can make together, at any order.

Everything is done on real vectors of Pauli coefficients.  Strings are numbered in base 4 with
I, X, Y, Z = 0, 1, 2, 3, the order of `pauli_strings`; the product of two strings then has the
bitwise XOR of their numbers, and i[P_a, P_b] = s_ab P_(a XOR b) with s_ab = 0 or ±2.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from nmrqb.arguments import checked
from nmrqb.dynamics import Segment, exp_hermitian, unitary
from nmrqb.errors import ArgumentError
from nmrqb.operators import (
    PAULI,
    Complex,
    Real,
    as_matrix,
    dagger,
    from_pauli_coefficients,
    spin_count,
    spin_operator,
)
from nmrqb.sample import Sample

MAX_SPINS = 4  # 255 directions
_RANK = 1e-8  # a direction shorter than this is rounding, see `lie_algebra`
_LARGE = 0.1  # of the longest new direction: taken at once, shorter ones wait
INSIDE = 1e-6
_SAME_RATE = 1e-9
_MAX_PASSES = 24


@dataclass(frozen=True, eq=False)
class LieAlgebra:
    """A real Lie algebra of traceless Hamiltonians (times −i) of n spins.

    Attributes
    ----------
    spins
        n.
    basis
        Orthonormal rows of Pauli coefficients, shape (dimension, 4ⁿ), in the order of
        `pauli_strings`.
    """

    spins: int
    basis: Real

    @property
    def dimension(self) -> int:
        """Number of independent directions, at most 4ⁿ − 1."""
        return len(self.basis)

    @property
    def full_dimension(self) -> int:
        """4ⁿ − 1, the dimension of su(2ⁿ)."""
        return int(4**self.spins - 1)

    def outside(self, H: Complex) -> Complex:
        """Return the traceless part of H that lies outside: shape (d, d), in the unit of H."""
        vector = pauli_vectors(H)
        vector[0] = 0
        return from_pauli_coefficients(vector - (self.basis @ vector) @ self.basis)

    def distance(self, H: Complex) -> float:
        """Return the share ‖outside‖/‖H‖ of a traceless H, between 0 and 1 (0 for H = 0)."""
        return self._share(H, outside=True)

    def contains(self, H: Complex, tolerance: float = INSIDE) -> bool:
        """Tell whether a Hamiltonian lies inside but for a share of ``tolerance``."""
        return self.distance(H) <= tolerance

    def excludes(self, H: Complex, tolerance: float = INSIDE) -> bool:
        """Tell whether all of the algebra is orthogonal to a Hamiltonian: tr(HA) = 0."""
        return self._share(H, outside=False) <= tolerance

    def excludes_vector(self, vector: Real, tolerance: float = INSIDE) -> bool:
        """Tell the same of an operator given by its Pauli coefficients, shape (4ⁿ,)."""
        return float(np.linalg.norm(self.basis @ vector)) <= tolerance * float(
            np.linalg.norm(vector)
        )

    def _share(self, H: Complex, *, outside: bool) -> float:
        vector = pauli_vectors(H)
        vector[0] = 0
        inside = (self.basis @ vector) @ self.basis
        part = vector - inside if outside else inside
        return float(np.linalg.norm(part)) / max(float(np.linalg.norm(vector)), 1e-300)


@checked
def lie_algebra(operators: Sequence[Complex] | Complex) -> LieAlgebra:
    """Return the real Lie algebra that i times the operators generate, traces left out.

    Nested commutators with the generators span it, so that directions are added to an orthonormal
    basis until i[generator, direction] adds none.  Generators and directions have norm 1: their
    commutator, of norm 2 or so, carries a rounding error of 1e-15, and a direction that sticks
    out of the span by s passes on an error of 1e-15/s to its own commutators.  So the longest
    directions are taken first (a short one may turn up longer in another commutator), and one is
    believed down to s = 1e-8, half of the digits, where the error passed on is still below the
    threshold.  A generator, or a difference of two, below 1e-8 of the rest is not seen.

    Parameters
    ----------
    operators
        Hermitian generators in any unit, each of shape (d, d); d ≤ 16.

    Raises
    ------
    ArgumentError
        If there are more than four spins or no operators.
    """
    vectors, n = _checked(operators)
    return LieAlgebra(n, _closed(vectors, vectors, n))


def ideal(operators: Sequence[Complex] | Complex, drift: Complex) -> LieAlgebra:
    """Return what controls can make of a drift in the frame that the controls turn.

    It is the span of all nested commutators that hold the drift, the smallest ideal with it in
    the Lie algebra of controls and drift.  The toggling-frame Hamiltonian U_rf† H U_rf lies in
    it for any pulses built of these controls, so do its Magnus terms of all orders; a pure
    rotation of the controls need not.

    Parameters
    ----------
    operators
        Control generators in any unit, each of shape (d, d).
    drift
        Shape (d, d), any unit; or several, shape (m, d, d), that act in turn.
    """
    drifts = drift.reshape(-1, *drift.shape[-2:])
    start, n = _checked(drifts)
    generators, _ = _checked([*operators, *drifts])
    return LieAlgebra(n, _closed(start, generators, n))


def toggling_algebra(segments: Sequence[Segment], drift: Complex) -> LieAlgebra:
    """Return the Lie algebra of the toggling-frame Hamiltonian of these very pulses.

    It holds every Magnus term, and the exact effective Hamiltonian as long as the logarithm is
    branch-safe, for any number of passes and whatever the delays are.
    """
    return lie_algebra(toggling_span(segments, drift))


# ------------------------------------------------------------------------ physical controls
def controls_used(segments: Sequence[Segment]) -> list[Complex]:
    """Return the rotation generators that occur, of unit norm, each once.

    Ideal pulses that follow each other at once and commute are one simultaneous pulse.

    Returns
    -------
    list of arrays of shape (d, d), tr A²/d = 1
    """
    used: list[Complex] = []
    for ideal_run, run in itertools.groupby(segments, key=lambda s: not np.any(s.duration)):
        rotations = [s.rotation for s in run if np.any(s.rotation)]
        if ideal_run and rotations and _commute(rotations):
            rotations = [np.sum(rotations, axis=0)]
        for A in rotations:
            size = operator_size(A)
            if size > 0 and not any(
                operator_size(A / size - s * B) < 1e-12 for B in used for s in (1, -1)
            ):
                used.append(A / size)
    return used


def channel_controls(sample: Sample, segments: Sequence[Segment] = ()) -> list[Complex]:
    """Return F_x and F_y of every nucleus: what a spectrometer with these channels can turn.

    Where the sequence gives the spins of one nucleus different rotations it has selective pulses,
    and each of these spins counts as a channel.
    """
    n, used = len(sample.spins), controls_used([s for s in segments if s.rf])
    groups: list[list[int]] = []
    for nucleus in sample.nuclei:
        spins = [k for k, spin in enumerate(sample.spins) if spin.nucleus == nucleus]
        alike = all(_turns_alike(A, spins) for A in used)
        groups += [spins] if alike else [[k] for k in spins]
    return [collective(axis, group, n) for group in groups for axis in "xy"]


def collective(axis: str, spins: Sequence[int], n: int) -> Complex:
    """Return F_a = Σ_k I_a,k of some of n spins."""
    return np.asarray(sum(spin_operator(axis, k, n) for k in spins))


def _turns_alike(A: Complex, spins: Sequence[int]) -> bool:
    axes = one_spin_axes(A)[list(spins)]
    return bool(np.abs(axes - axes[0]).max() <= 1e-12 * np.abs(axes).max(initial=1e-300))


def one_spin_axes(A: Complex) -> Real:
    """Return the coefficients of σ_x, σ_y, σ_z of every spin in an operator: shape (n, 3)."""
    n, vector = spin_count(A), pauli_vectors(A)
    return np.array([[vector[a * 4 ** (n - 1 - k)] for a in (1, 2, 3)] for k in range(n)])


def pulse_phases(controls: Sequence[Complex]) -> list[float]:
    """Return the phases in rad at which controls turn spins, each once, in [0, π)."""
    phases: list[float] = []
    for A in controls:
        for x, y, _ in one_spin_axes(A):
            phase = float(np.arctan2(y, x) % np.pi)
            if np.hypot(x, y) > 1e-9 and all(abs(np.sin(phase - p)) > 1e-9 for p in phases):
                phases.append(phase)
    return phases


def _commute(operators: Sequence[Complex]) -> bool:
    return all(
        operator_size(A @ B - B @ A) <= 1e-12 * operator_size(A) * operator_size(B)
        for A, B in itertools.combinations(operators, 2)
    )


def operator_size(A: Complex) -> float:
    """Return √(tr A²/d), the norm of the Pauli coefficients of a Hermitian operator."""
    return float(np.linalg.norm(A)) / float(np.sqrt(A.shape[-1]))


# ------------------------------------------------------------------------- toggling frame
def control_unitary(segments: Sequence[Segment]) -> Complex:
    """Return what the controls alone make of one pass, no evolution besides: shape (d, d)."""
    return unitary(
        [replace(s, evolution=None) for s in segments], np.zeros_like(segments[0].rotation)
    )


@dataclass(frozen=True, eq=False)
class TogglingPiece:
    """A stretch of the toggling frame: X(s) = e^{iΦs} X(0) e^{−iΦs}, s from 0 to 1.

    Attributes
    ----------
    start, end
        X(0) and X(1) = U_rf†(H T + evolution)U_rf in rad, shape (d, d).
    turn
        Φ = U_rf† Θ U_rf in rad, zero for a delay.
    span
        Operators that span X(s) over all s, shape (..., d, d).
    """

    start: Complex
    end: Complex
    turn: Complex
    span: Complex


def toggling_pieces(
    segments: Sequence[Segment], drift: Complex, passes: int = 1
) -> list[TogglingPiece]:
    """Return the toggling frame of some passes, ideal pulses inside the frame."""
    V, pieces = np.eye(drift.shape[-1], dtype=complex), []
    spans: dict[tuple[bytes, bytes], Complex] = {}
    rotations = np.array([segment.rotation for segment in segments], dtype=complex)
    turns = exp_hermitian(rotations.reshape(-1, *drift.shape))
    for _ in range(passes):
        for segment, U in zip(segments, turns, strict=True):
            X, turn = segment.drifted(drift), segment.rotation
            W = U @ V if np.any(turn) else V
            if np.any(X):
                key = _direction(X), _direction(turn)
                if key not in spans:
                    spans[key] = _turning_span(X, turn)
                frames = [
                    dagger(A) @ B @ A for A, B in ((V, X), (W, X), (V, turn), (V, spans[key]))
                ]
                pieces.append(TogglingPiece(*frames))
            V = W
    return pieces


def _direction(A: Complex) -> bytes:
    """Return an operator but for its size and sign, to be looked up: steps of a shape share it."""
    pivot = A.flat[np.argmax(np.abs(A))]
    return bytes(np.round(A / pivot if pivot else A, 13) + 0.0)


def toggling_span(
    segments: Sequence[Segment], drift: Complex, pieces: Sequence[TogglingPiece] | None = None
) -> Complex:
    """Return operators that span the toggling-frame Hamiltonian of any number of passes.

    Parameters
    ----------
    segments, drift
        One pass, and the drift of shape (d, d).
    pieces
        Its `toggling_pieces`, of one or more passes, where they are known already.

    Returns
    -------
    array of shape (m, d, d), real orthonormal in Pauli coefficients
    """
    n = spin_count(drift)
    pieces = toggling_pieces(segments, drift) if pieces is None else pieces
    if not pieces:
        return np.zeros((0, *drift.shape), dtype=complex)
    spans = np.concatenate([piece.span for piece in pieces])
    U_rf = control_unitary(segments)
    rows = _independent(_traceless(_unit(pauli_vectors(spans))))
    for _ in range(_MAX_PASSES * 4**n):
        turned = pauli_vectors(dagger(U_rf) @ _matrices(rows) @ U_rf)
        more = _independent(_residual(turned, rows))
        if not len(more):
            break
        rows = np.concatenate([rows, more])
    return _matrices(rows)


def _turning_span(X: Complex, turn: Complex) -> Complex:
    """Return the parts of X by the rate at which a rotation turns them: they span e^{iΦs}Xe^{−iΦs}.

    Rates are differences of eigenvalues of Φ; the parts of ±ω give two Hermitian operators.
    """
    if not np.any(turn):
        return X[None]
    phases, V = np.linalg.eigh(turn / np.linalg.norm(turn, 2))
    Y = dagger(V) @ X @ V
    rates = phases[:, None] - phases[None, :]
    labels = np.unique(np.round(np.abs(rates) / _SAME_RATE).astype(np.int64))
    parts = []
    for rate in labels[np.concatenate([[True], np.diff(labels) > 2])] * _SAME_RATE:
        part = np.where(np.abs(np.abs(rates) - rate) < 4 * _SAME_RATE, Y, 0)
        parts.append(part)
        if rate > _SAME_RATE:
            parts.append(1j * np.sign(rates) * part)
    kept = [
        V @ part @ dagger(V) for part in parts if np.linalg.norm(part) > 1e-13 * np.linalg.norm(X)
    ]
    return np.asarray(kept).reshape(-1, *X.shape)


# ---------------------------------------------------------------------------- linear algebra
def pauli_vectors(matrices: Complex) -> Real:
    """Return the Pauli coefficients of Hermitian matrices: (..., d, d) → (..., 4ⁿ)."""
    n, batch = spin_count(matrices), matrices.shape[:-2]
    letters = np.array(list(PAULI.values())) / 2
    rest = matrices.reshape(-1, *matrices.shape[-2:])
    for k in range(n):
        half = 2 ** (n - 1 - k)
        split = rest.reshape(-1, 2, half, 2, half)
        rest = np.einsum("pij,bjxiy->bpxy", letters, split).reshape(-1, half, half)
    return np.ascontiguousarray(rest.real.reshape(*batch, 4**n))


def _matrices(vectors: Real) -> Complex:
    """Return the matrices of Pauli coefficients, spin by spin: the inverse of `pauli_vectors`."""
    count, n = len(vectors), (vectors.shape[-1].bit_length() - 1) // 2
    letters = np.array(list(PAULI.values()))
    rest = vectors.reshape(-1, 1, 1).astype(complex)
    for _ in range(n):
        size = rest.shape[-1]
        split = rest.reshape(-1, 4, size, size)
        rest = np.einsum("pij,bpxy->bixjy", letters, split).reshape(-1, 2 * size, 2 * size)
    return np.asarray(rest.reshape(count, 2**n, 2**n))


def _checked(operators: Sequence[Complex] | Complex) -> tuple[Real, int]:
    """Return the traceless generators as unit vectors, zeros left out, and n."""
    if not np.size(operators):
        raise ArgumentError("Argument `operators` must hold at least one operator, but is empty")
    stack = as_matrix(operators, "operators")
    n = spin_count(stack)
    if n > MAX_SPINS:
        raise ArgumentError(
            f"Argument `operators` must act on at most {MAX_SPINS} spins, but acts on {n}"
        )
    return _unit(_traceless(pauli_vectors(stack))), n


def _traceless(vectors: Real) -> Real:
    vectors[..., 0] = 0
    return vectors


def _unit(vectors: Real) -> Real:
    norms = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return np.asarray((vectors / np.where(norms > 0, norms, 1))[norms[..., 0] > 0])


def _closed(start: Real, generators: Real, n: int) -> Real:
    """Return an orthonormal basis of the smallest span that commutators with generators keep."""
    maps = [adjoint(g, n) for g in generators]
    basis = latest = start[:0]
    waiting = start
    while len(basis) < 4**n - 1:
        waiting = _residual(np.concatenate([waiting, *(latest @ ad for ad in maps)]), basis)
        if not len(waiting):
            break
        _, sizes, rows = np.linalg.svd(waiting, full_matrices=False)
        taken = sizes > max(_RANK, _LARGE * sizes[0])
        latest, waiting = rows[taken], (sizes[:, None] * rows)[~taken & (sizes > _RANK)]
        basis = np.concatenate([basis, latest])
    return basis


def _residual(vectors: Real, basis: Real) -> Real:
    """Project a basis out, twice against cancellation, and drop what vanishes."""
    for _ in range(2):
        vectors = vectors - (vectors @ basis.T) @ basis
    return np.asarray(vectors[np.linalg.norm(vectors, axis=-1) > _RANK / 10])


def _independent(vectors: Real) -> Real:
    """Return an orthonormal basis of the span of rows."""
    if not len(vectors):
        return vectors
    _, sizes, rows = np.linalg.svd(vectors, full_matrices=False)
    return np.asarray(rows[sizes > _RANK])


@functools.lru_cache(maxsize=MAX_SPINS)
def _structure(n: int) -> tuple[NDArray[np.intp], Real]:
    """Return c XOR b and s_(c XOR b, b) for all strings b (rows) and c (columns)."""
    phase = np.array(
        [[np.trace(P @ Q @ R) / 2 for Q, R in zip(PAULI.values(), _products(k), strict=True)]
         for k, P in enumerate(PAULI.values())]
    )  # fmt: skip
    phases = functools.reduce(np.kron, [phase] * n)
    number = np.arange(4**n, dtype=np.intp)
    product = np.bitwise_xor(number[:, None], number[None, :])
    signs = (1j * (phases - phases.T)).real
    rows: Real = signs[product, number[:, None]]
    return product, rows


def _products(k: int) -> list[Complex]:
    """Return the string that letter k makes with I, X, Y, Z, but for its phase."""
    letters = list(PAULI.values())
    return [letters[k ^ m] for m in range(4)]


def adjoint(generator: Real, n: int) -> Real:
    """Return the matrix M with v M the Pauli coefficients of i[G, V]: shape (4ⁿ, 4ⁿ)."""
    product, signs = _structure(n)
    return np.asarray(signs * generator[product])
