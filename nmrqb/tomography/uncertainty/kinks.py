"""Where figures of merit have kinks: equal eigenvalues of ρ, and elements of ρ that vanish.

A figure f(ρ) = tr ρA + Σ_k w_k x_k(ρ) is smooth but where *features* x meet: ascending eigenvalues
that coincide, moduli |ρ_ij| that are zero.  Both are non-smooth in the same way, so that both are
handled by the same four steps: look at ρ in its own *frame* (eigenvectors; phases), turn operators
into it, give the features of a matrix that is near it, and bring features back into their allowed
order.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from nmrqb.operators import Complex, Real, dagger


class Kinks(Protocol):
    """A kind of features, with what must be known of them; N states, d levels, F features."""

    @property
    def key(self) -> Hashable:
        """What is equal where figures share their features."""
        ...

    def observe(self, rho: Complex) -> tuple[Real, Complex]:
        """Return features and frames of states: (N, d, d) → (N, F), (N, ...)."""
        ...

    def turned(self, operators: Complex, frame: Complex) -> Complex:
        """Return operators (P, d, d) as seen from the frames, shape (N, P, S)."""
        ...

    def features(self, centre: Real, noise: Complex) -> Real:
        """Return features of centres (N, F) with noise (N, B, S) added: (N, B, F)."""
        ...

    def gaps(self, features: Real) -> Real:
        """Return what is zero at a kink: (N, F) → (N, K)."""
        ...

    def spread(self, turned: Complex) -> Real:
        """Return the rms noise that opens gaps, of unit errors (N, P, S) as seen: (N, K)."""
        ...

    def ordered(self, features: Real) -> Real:
        """Return the nearest features that a matrix can have: (N, F) → (N, F)."""
        ...

    def closed(self, features: Real, limit: Real) -> Real:
        """Return features (N, F) with all gaps below limits (N, K) closed."""
        ...

    def operator(self, frame: Complex, weights: Real) -> Complex:
        """Return the tangents T with tr ρT = Σ w_k x_k(ρ) for the ρ of the frame: (N, d, d)."""
        ...


@dataclass(frozen=True)
class Spectrum:
    """Eigenvalues in ascending order; their kinks are where two coincide."""

    @property
    def key(self) -> Hashable:
        """All spectra are alike."""
        return "spectrum"

    def observe(self, rho: Complex) -> tuple[Real, Complex]:
        """Return ascending eigenvalues (N, d) and eigenvectors (N, d, d)."""
        r, V = np.linalg.eigh(rho)
        return r, V

    def turned(self, operators: Complex, frame: Complex) -> Complex:
        """Return V†PV, flattened: (N, P, d²)."""
        turned = dagger(frame)[:, None] @ operators @ frame[:, None]
        return turned.reshape(*turned.shape[:2], -1)

    def features(self, centre: Real, noise: Complex) -> Real:
        """Return the eigenvalues of diag(centre) + noise."""
        d = centre.shape[-1]
        matrices = noise.reshape(*noise.shape[:-1], d, d).copy()
        levels = np.arange(d)
        matrices[..., levels, levels] += centre[:, None, :]
        return np.linalg.eigvalsh(matrices)

    def gaps(self, features: Real) -> Real:
        """Return the distances of neighbouring eigenvalues, (N, d − 1)."""
        return np.asarray(np.diff(features, axis=-1))

    def spread(self, turned: Complex) -> Real:
        """Return the rms coupling of neighbouring levels, (N, d − 1): it is what repels them."""
        d = int(np.sqrt(turned.shape[-1]))
        neighbours = np.arange(d - 1) * (d + 1) + 1
        return np.asarray(np.sqrt((np.abs(turned[..., neighbours]) ** 2).sum(axis=-2)))

    def ordered(self, features: Real) -> Real:
        """Return the nearest ascending eigenvalues (isotonic regression), their sum kept.

        The pooled value of level k is max over i ≤ k of min over j ≥ k of the mean of i … j.
        """
        d = features.shape[-1]
        sums = np.concatenate([np.zeros((len(features), 1)), np.cumsum(features, axis=-1)], -1)
        first, last = np.arange(d)[:, None], np.arange(d)
        means = (sums[:, None, 1:] - sums[:, :-1, None]) / np.maximum(last - first + 1, 1)
        means = np.where(last >= first, means, np.inf)
        lowest = np.minimum.accumulate(means[..., ::-1], axis=-1)[..., ::-1]
        lowest = np.where(last >= first, lowest, -np.inf)
        return np.asarray(lowest.max(axis=-2))

    def closed(self, features: Real, limit: Real) -> Real:
        """Return eigenvalues with all chains of gaps below the limit replaced by their means."""
        apart = self.gaps(features) >= limit
        cluster = np.concatenate([np.zeros((len(features), 1), int), np.cumsum(apart, -1)], -1)
        alike = cluster[:, :, None] == cluster[:, None, :]
        return np.asarray((alike @ features[..., None])[..., 0] / alike.sum(axis=-1))

    def operator(self, frame: Complex, weights: Real) -> Complex:
        """Return V diag(w) V†."""
        return np.asarray((frame * weights) @ dagger(frame))


@dataclass(frozen=True, eq=False)
class Moduli:
    """Moduli |ρ_ij|, i < j, in a basis; their kinks are where an element is zero.

    Attributes
    ----------
    basis
        Basis vectors as columns, shape (d, d).
    """

    basis: Complex

    @property
    def key(self) -> Hashable:
        """Moduli of one basis are alike."""
        return "moduli", self.basis.tobytes()

    def _elements(self, matrices: Complex) -> Complex:
        inside = dagger(self.basis) @ matrices @ self.basis
        return np.asarray(inside[(..., *np.triu_indices(len(self.basis), 1))])

    def observe(self, rho: Complex) -> tuple[Real, Complex]:
        """Return |ρ_ij| and its phase factors, both (N, d(d − 1)/2)."""
        elements = self._elements(rho)
        return np.abs(elements), np.exp(1j * np.angle(elements))

    def turned(self, operators: Complex, frame: Complex) -> Complex:
        """Return P_ij e^{−iφ_ij}: (N, P, d(d − 1)/2)."""
        return np.asarray(self._elements(operators) * frame.conj()[:, None, :])

    def features(self, centre: Real, noise: Complex) -> Real:
        """Return |centre + noise|."""
        return np.abs(centre[:, None, :] + noise)

    def gaps(self, features: Real) -> Real:
        """Return the moduli themselves."""
        return features

    def spread(self, turned: Complex) -> Real:
        """Return the rms noise of every element."""
        return np.asarray(np.sqrt((np.abs(turned) ** 2).sum(axis=-2)))

    def ordered(self, features: Real) -> Real:
        """Return moduli that are not negative."""
        return np.maximum(features, 0.0)

    def closed(self, features: Real, limit: Real) -> Real:
        """Return moduli with those below the limit set to zero."""
        return np.where(features < limit, 0.0, features)

    def operator(self, frame: Complex, weights: Real) -> Complex:
        """Return T = Σ_{i < j} w_ij (e^{iφ_ij} |i⟩⟨j| + h.c.)/2."""
        d = len(self.basis)
        inside = np.zeros((len(frame), d, d), dtype=complex)
        inside[(slice(None), *np.triu_indices(d, 1))] = frame * weights / 2
        return np.asarray(self.basis @ (inside + dagger(inside)) @ dagger(self.basis))
