"""Figures of merit of many batteries over a charging: maxima over time on maps of parameters.

A state under one generator is a trigonometric polynomial in time, ρ(t) = B₀ + Σ_ω (C_ω cos ωt +
S_ω sin ωt), over the distinct differences ω of the generator's levels; two collective spins have
two of them.  Energies and elements in the energy basis are such polynomials too, so that all times
of all batteries are a few matrix products; spectra do not change, and neither do passive energies.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from nmrqb.arguments import checked
from nmrqb.battery.energy_bases import energy_bases
from nmrqb.battery.reductions import REDUCTIONS, check_names, reduced
from nmrqb.errors import ArgumentError
from nmrqb.operators import Complex, Real, as_complex, as_hermitian, as_real, dagger

MAP_FIGURES = (
    "ergotropy",
    "anti_ergotropy",
    "capacity",
    "energy",
    "coherence_l1",
    "coherence_l1_computational",
)
"""Figures of merit that maps know."""

_USUAL = ("ergotropy", "anti_ergotropy", "capacity", "coherence_l1")
_SAME = 1e-9  # of the spectral width: differences of levels that coincide
_CURVE_VALUES = 2**15  # real numbers of one kind held at once: they stay in the cache
_STATE_VALUES = 2**18  # complex numbers of states held at once


@dataclass(frozen=True, eq=False)
class _Stack:
    """Batteries and start states with one leading axis of members, and what is wanted."""

    levels: Real
    vectors: Complex
    rho: Complex
    times: Real
    figures: tuple[str, ...]
    reductions: tuple[str, ...]
    shape: tuple[int, ...]

    def parts(self, size: int) -> Iterator[_Stack]:
        """Yield consecutive parts of the members."""
        for start in range(0, max(1, len(self.rho)), max(1, size)):
            part = slice(start, start + max(1, size))
            times = self.times if self.times.ndim == 1 else self.times[part]
            yield _Stack(
                self.levels[part], self.vectors[part], self.rho[part], times,
                self.figures, self.reductions, self.shape,
            )  # fmt: skip

    def wants(self, *names: str) -> bool:
        """Tell whether one of these figures is wanted."""
        return bool({*names} & {*self.figures})

    def kept(self, curves: dict[str, Real]) -> dict[str, Real]:
        """Return what is kept of curves (n, T) of a part."""
        return reduced({name: curves[name] for name in self.figures}, self.times, self.reductions)


@checked
def charging_map(
    H: Any,  # noqa: ANN401 - arrays or Qobj
    rho: Any,  # noqa: ANN401 - arrays or Qobj
    generator: Any,  # noqa: ANN401 - arrays or Qobj
    times: Any,  # noqa: ANN401 - array-like
    *,
    figures: Iterable[str] = _USUAL,
    reduce: Iterable[str] = ("max",),
) -> dict[str, Real]:
    """Return figures of merit of batteries that one constant generator charges, reduced over time.

    ρ(t) = e^{−2πiKt} ρ e^{2πiKt}, the batteries' own Hamiltonians being off.

    Parameters
    ----------
    H
        Battery Hamiltonians H/2π in Hz, shape (..., d, d).
    rho
        States at t = 0, shape (..., d, d).
    generator
        K in Hz, shape (d, d): Σ_k r X_k for a collective drive of rate r.
    times
        t in s, shape (T,) or (..., T); batch axes of all broadcast.
    figures
        Names out of `MAP_FIGURES`; energies are in Hz.
    reduce
        Names out of `nmrqb.battery.reductions.REDUCTIONS`; ``none`` keeps the curves.

    Returns
    -------
    dict
        ``ergotropy_max`` … to arrays of shape (...), or (..., T) for ``none``.

    Raises
    ------
    ArgumentError
        If a matrix is not finite, square and Hermitian, sizes or batch axes do not fit, a time is
        not finite, or a name is not known.

    Notes
    -----
    dipolar-battery-dm-ksea-nmr, eqs. 18–22 and figs. 10–12.

    Examples
    --------
    >>> from nmrqb.operators import pauli
    >>> drive = pauli("XI") + pauli("IX")
    >>> up = np.diag([0, 0, 0, 1])  # |11⟩ of B(ZI+IZ) is empty; a half turn fills it
    >>> found = charging_map(pauli("ZI") + pauli("IZ"), up, drive, np.linspace(0, 0.25, 101))
    >>> float(found["ergotropy_max"].round(9))
    4.0
    """
    K = as_hermitian(generator, "generator")
    if K.ndim != 2:
        raise ArgumentError(f"Argument `generator` must be one matrix, but has shape {K.shape}")
    stack = _stack(H, rho, times, figures, reduce, K.shape[-1])
    k, W = np.linalg.eigh(K)
    frequencies, masks = _harmonics(k)
    size = _CURVE_VALUES // max(stack.times.shape[-1], 1)
    return _joined(stack, size, lambda part: _closed(part, W, frequencies, masks))


@checked
def open_charging_map(
    H: Any,  # noqa: ANN401 - arrays or Qobj
    rho: Any,  # noqa: ANN401 - arrays or Qobj
    maps: Any,  # noqa: ANN401 - array-like
    times: Any,  # noqa: ANN401 - array-like
    *,
    figures: Iterable[str] = _USUAL,
    reduce: Iterable[str] = ("max",),
) -> dict[str, Real]:
    """Return figures of merit of batteries under maps of states, reduced over time.

    ρ(t) = S(t)ρ, with the spectrum of every state; S may be the mean over an ensemble, and may
    trace spins out.

    Parameters
    ----------
    H
        Battery Hamiltonians H/2π in Hz, shape (..., b, b).
    rho
        States at t = 0, shape (..., d, d).
    maps
        S, shape (T, b², d²), on states flattened row by row.
    times
        t in s, shape (T,).
    figures, reduce
        As for `charging_map`.

    Raises
    ------
    ArgumentError
        As for `charging_map`, or if the maps do not fit.
    """
    S = as_complex(maps, "maps")
    if S.ndim != 3 or not np.all(np.isfinite(S)):
        raise ArgumentError(
            f"Argument `maps` must be finite, of shape (T, b², d²), but has shape {S.shape}"
        )
    stack = _stack(H, rho, times, figures, reduce, round(S.shape[2] ** 0.5))
    count, b = stack.times.shape[-1], stack.levels.shape[-1]
    if stack.times.ndim != 1 or S.shape != (count, b * b, stack.rho.shape[-1] ** 2):
        raise ArgumentError(
            f"Argument `maps` must have shape ({count}, {b * b}, {stack.rho.shape[-1] ** 2}) for "
            f"times of shape {stack.times.shape}, but has shape {S.shape}"
        )
    flat = np.ascontiguousarray(S.transpose(2, 1, 0)).reshape(S.shape[2], -1)
    return _joined(
        stack, _STATE_VALUES // max(count * b * b, 1), lambda part: _open(part, flat, count)
    )


# ------------------------------------------------------------------------------------ the arguments
def _stack(H: Any, rho: Any, times: Any, figures: Any, reduce: Any, d: int) -> _Stack:  # noqa: ANN401
    """Check what both maps are given, and give it one leading axis."""
    levels, vectors = energy_bases(H)
    state, t = as_hermitian(rho, "rho"), as_real(times, "times")
    if state.shape[-1] != d:
        raise ArgumentError(
            f"Argument `rho` must be of dimension {d} like the charging, but has shape "
            f"{state.shape}"
        )
    if t.ndim == 0 or t.shape[-1] == 0 or not np.all(np.isfinite(t)):
        raise ArgumentError(f"Argument `times` must be finite, of shape (..., T), but is {t!r:.80}")
    try:
        shape = np.broadcast_shapes(levels.shape[:-1], state.shape[:-2], t.shape[:-1])
    except ValueError:
        raise ArgumentError(
            f"Arguments `H`, `rho` and `times` must have batch axes that broadcast, but have "
            f"shapes {vectors.shape}, {state.shape} and {t.shape}"
        ) from None

    def flat(array: Any, inner: int) -> Any:  # noqa: ANN401
        inside = array.shape[array.ndim - inner :]
        return np.broadcast_to(array, (*shape, *inside)).reshape(-1, *inside)

    return _Stack(
        flat(levels, 1), flat(vectors, 2), flat(state, 2), t if t.ndim == 1 else flat(t, 1),
        check_names("figures", figures, MAP_FIGURES),
        check_names("reduce", reduce, REDUCTIONS), shape,
    )  # fmt: skip


def _joined(
    stack: _Stack, size: int, evaluate: Callable[[_Stack], dict[str, Real]]
) -> dict[str, Real]:
    """Evaluate parts one after the other, so that nothing large is held."""
    parts = [part.kept(evaluate(part)) for part in stack.parts(size)]
    joined = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    return {name: a.reshape((*stack.shape, *a.shape[1:])) for name, a in joined.items()}


# -------------------------------------------------------------------------------------- closed maps
def _harmonics(k: Real) -> tuple[Real, Complex]:
    """Return the distinct positive differences of levels, and masks of what goes with each.

    In the basis of the levels ρ(t) = Σ_j f_j(t) M_j∘ρ with f = 1, cos ω₁t, …, sin ω₁t, …: masks
    of shape (1 + 2m, d, d).
    """
    apart = k[:, None] - k[None, :]
    width = max(float(np.ptp(k)), 1e-300)
    found: list[float] = []
    for difference in np.sort(apart[apart > _SAME * width]):
        if not found or difference - found[-1] > _SAME * width:
            found.append(float(difference))
    still = np.abs(apart) <= _SAME * width
    turning = [np.abs(apart - omega) <= 2 * _SAME * width for omega in found]
    masks = [still, *(m | m.T for m in turning), *(-1j * (m * 1.0 - m.T) for m in turning)]
    return np.array(found), np.array(masks, dtype=complex)


def _closed(part: _Stack, W: Complex, frequencies: Real, masks: Complex) -> dict[str, Real]:
    angles = 2 * np.pi * frequencies[:, None] * part.times[..., None, :]
    f = np.concatenate([np.ones((*part.times.shape[:-1], 1, part.times.shape[-1])),
                        np.cos(angles), np.sin(angles)], axis=-2)  # fmt: skip
    turned = masks[:, None] * (dagger(W) @ part.rho @ W)  # (functions, n, d, d)
    curves: dict[str, Real] = {}
    if part.wants("ergotropy", "anti_ergotropy", "capacity", "energy", "coherence_l1"):
        seen = _seen(turned, dagger(part.vectors) @ W)
        populations = np.einsum("jnkk->njk", seen).real
        energy = _polynomial(np.einsum("njk,nk->nj", populations, part.levels), f)
        curves = _energies(part, energy, np.linalg.eigvalsh(part.rho)[:, None])
        if part.wants("coherence_l1"):
            curves["coherence_l1"] = _coherence(seen, f)
    if part.wants("coherence_l1_computational"):
        curves["coherence_l1_computational"] = _coherence(_seen(turned, W), f)
    return curves


def _seen(turned: Complex, basis: Complex) -> Complex:
    """Return U M U† for functions (j, n, d, d) and one U, or one for every member."""
    return np.asarray(basis @ turned @ dagger(basis))


def _polynomial(coefficients: Real, f: Real, out: Real | None = None) -> Real:
    """Return Σ_j c_nj f_j(t): (n, j) with (j, T) or (n, j, T) → (n, T)."""
    if f.ndim == 2:
        return np.asarray(np.matmul(coefficients, f, out=out))
    within = None if out is None else out[:, None]
    return np.asarray(np.matmul(coefficients[:, None], f, out=within)[:, 0])


def _coherence(seen: Complex, f: Real) -> Real:
    """Return 2 Σ_{i < k} |ρ_ik(t)|: (j, n, d, d) → (n, T)."""
    shape = seen.shape[1], f.shape[-1]
    total, real, imaginary = np.zeros(shape), np.empty(shape), np.empty(shape)
    for i, k in zip(*np.triu_indices(seen.shape[-1], 1), strict=True):
        element = seen[:, :, i, k].T
        _polynomial(np.ascontiguousarray(element.real), f, real)
        _polynomial(np.ascontiguousarray(element.imag), f, imaginary)
        total += _modulus(real, imaginary)
    return 2 * total


def _modulus(real: Real, imaginary: Real) -> Real:
    """Return √(x² + y²), in place of x: quicker than the modulus of complex numbers."""
    real *= real
    imaginary *= imaginary
    real += imaginary
    return np.sqrt(real, out=real)


def _energies(part: _Stack, energy: Real, spectra: Real) -> dict[str, Real]:
    """Return the figures that follow from energies (n, T) and ascending spectra (n, T or 1, d)."""
    levels = part.levels[:, None]
    passive = (spectra[..., ::-1] * levels).sum(axis=-1)
    active = (spectra * levels).sum(axis=-1)
    return {
        "energy": energy,
        "ergotropy": np.maximum(energy - passive, 0.0),  # below 0 is rounding
        "anti_ergotropy": np.minimum(energy - active, 0.0),
        "capacity": np.broadcast_to(active - passive, energy.shape),
    }


# ---------------------------------------------------------------------------------------- open maps
def _open(part: _Stack, maps: Complex, count: int) -> dict[str, Real]:
    n, b = part.levels.shape
    states = (part.rho.reshape(n, -1) @ maps).reshape(n, b * b, count)
    curves: dict[str, Real] = {}
    if part.wants("ergotropy", "anti_ergotropy", "capacity", "energy"):
        populations = np.einsum("nak,nbk->nkab", part.vectors.conj(), part.vectors)
        forms = np.einsum("nk,nkab->nab", part.levels, populations).reshape(n, 1, b * b)
        energy = (forms @ states)[:, 0].real
        spectra: Real = np.zeros((n, 1, b))
        if part.figures != ("energy",):
            matrices = np.ascontiguousarray(states.swapaxes(1, 2)).reshape(n, count, b, b)
            spectra = np.linalg.eigvalsh(matrices)
        curves = _energies(part, energy, spectra)
    if part.wants("coherence_l1"):
        i, k = np.triu_indices(b, 1)
        V = part.vectors
        forms = V.conj()[:, :, None, i] * V[:, None, :, k]  # (n, b, b, pairs)
        elements = forms.reshape(n, b * b, -1).swapaxes(1, 2) @ states
        curves["coherence_l1"] = 2 * _moduli(elements)
    if part.wants("coherence_l1_computational"):
        i, k = np.triu_indices(b, 1)
        curves["coherence_l1_computational"] = 2 * _moduli(states[:, i * b + k])
    return curves


def _moduli(elements: Complex) -> Real:
    return np.asarray(_modulus(elements.real.copy(), elements.imag.copy()).sum(axis=1))
