"""What the receiver sees: FIDs, their noise, and the amplitudes of their lines.

The coil of a channel sees s(t) = tr[ρ(t) Σ_k (σ_x + iσ_y)_k] over the spins of its nucleus; a
line of a weakly coupled pair then has the amplitude ⟨(σ_x + iσ_y)⊗|m⟩⟨m|⟩ and a spin at offset ν
turns as e^{+i2πνt}.  Everything here is linear in ρ, so dead time, window and line fit can be
pushed through as matrices.
"""

from __future__ import annotations

import math

import numpy as np

from nmrqb.arguments import check_shape, checked
from nmrqb.dynamics.relaxing.liouvillians import sparse_dissipator
from nmrqb.dynamics.relaxing.relaxation import Relaxation, commutator_superoperator, dissipation_of
from nmrqb.errors import ArgumentError, nearest
from nmrqb.operators import Complex, Real, as_generator, as_matrix, dagger, spin_operator
from nmrqb.sample import Sample
from nmrqb.sample.hamiltonian import internal_hamiltonian
from nmrqb.spectrometer.lines import transition_frequencies
from nmrqb.spectrometer.receiver import Receiver
from nmrqb.spectrometer.sectors import Sectors, rows_on_grid, seen_part

_VISIBLE = 1e-9
_SAME_LINE = 1e-6
_LOSSLESS = 1e-14


@checked
def liouvillian(sample: Sample, *, relaxation: Relaxation, drift: Complex | None = None) -> Complex:
    """Return the generator of free precession, shape (..., d², d²), rad/s.

    Parameters
    ----------
    sample
        The spins.
    relaxation
        True for all that the sample declares, False for none; see `dissipation_of`.
    drift
        H of shape (..., d, d) in rad/s; by default that of the sample.
    """
    H = internal_hamiltonian(sample) if drift is None else drift
    loss = sparse_dissipator(dissipation_of(sample, relaxation))
    return np.asarray(commutator_superoperator(H) + loss.toarray())


@checked
def coil_operator(sample: Sample, nucleus: str) -> Complex:
    """Return C = Σ_k (σ_x + iσ_y)_k of a channel, shape (d, d): its signal is tr(ρC).

    Raises
    ------
    ArgumentError
        If no spin of the sample is of this nucleus.
    """
    if nucleus not in sample.nuclei:
        raise ArgumentError(
            f"Argument `nucleus` must be in the sample, but is {nucleus!r}; "
            f"{nearest(nucleus, sample.nuclei)}"
        )
    n = len(sample.spins)
    coil = sum(
        2 * spin_operator("x", k, n) + 2j * spin_operator("y", k, n)
        for k, spin in enumerate(sample.spins)
        if spin.nucleus == nucleus
    )
    return np.asarray(coil)


@checked
def observable(sample: Sample, nucleus: str) -> Complex:
    """Return `coil_operator` as a row on row-flattened states, shape (d²,).

    Raises
    ------
    ArgumentError
        If no spin of the sample is of this nucleus.
    """
    return coil_operator(sample, nucleus).T.reshape(-1)


@checked
def transitions(generator: Complex, coil: Complex) -> Complex:
    """Return the rates λ of the lines e^{λt} that a coil sees, ascending in frequency.

    They are the eigenvalues of the generator (strong coupling and relaxation included) whose mode
    some state excites and the coil detects; modes that coincide are one line.  Only the elements
    of ρ that the coil sees enter.

    Parameters
    ----------
    generator
        Shape (d², d²), rad/s.
    coil
        Row of shape (d²,), see `observable`.

    Returns
    -------
    array of shape (lines,), complex, 1/s
    """
    check_shape("coil", coil, as_matrix(generator, "generator").shape[-1:])
    nothing = np.zeros(0, dtype=complex), np.zeros(0)
    found = [nothing, *(_modes(sectors, coil) for sectors in seen_part(generator, coil))]
    rates, strength = (np.concatenate(parts) for parts in zip(*found, strict=True))
    seen = rates[strength > _VISIBLE * strength.max(initial=0.0)]
    lines = np.zeros(0, dtype=complex)
    for rate in seen[np.argsort(seen.imag)]:
        if not np.any(np.abs(rate - lines) < _SAME_LINE * max(1.0, abs(rate))):
            lines = np.append(lines, rate)
    return lines


def _modes(sectors: Sectors, coil: Complex) -> tuple[Complex, Real]:
    """Return the rates of all modes of sectors, and how strongly a coil can see each.

    Without loss the generator is i times a Hermitian matrix, whose modes are well conditioned
    wherever its lines stand.
    """
    L = sectors.generator
    if np.abs(L + dagger(L)).max() <= _LOSSLESS * np.abs(L).max():
        frequencies, modes = np.linalg.eigh(-1j * L)
        rates, inverse = 1j * frequencies, dagger(modes)
    else:
        rates, modes = np.linalg.eig(L)
        inverse = np.linalg.inv(modes)
    seen = np.abs((coil[sectors.elements][:, None] @ modes)[:, 0])
    return rates.ravel(), (seen * np.linalg.norm(inverse, axis=-1)).ravel()


@checked
def detection(generator: Complex, coil: Complex, receiver: Receiver) -> Complex:
    """Return the linear map from row-flattened states to FIDs, shape (..., points, d²).

    Row j is e^{iφ} · coil · exp[L(t_dead + j Δt)]; rows are made by doubling in the elements that
    the coil sees, and are zero elsewhere.

    Parameters
    ----------
    generator
        L, shape (..., d², d²), rad/s.
    coil
        Row of shape (d²,), see `observable`.
    receiver
        Points, dead time and phase.
    """
    check_shape("coil", coil, as_matrix(generator, "generator").shape[-1:])
    rows = np.zeros((*generator.shape[:-2], receiver.points, len(coil)), dtype=complex)
    phase = np.exp(1j * receiver.phase_rad)
    for sectors in seen_part(generator, coil):
        own = np.moveaxis(rows_on_grid(sectors, coil, receiver), -3, -2)
        rows[..., sectors.elements.ravel()] = phase * own.reshape(*rows.shape[:-1], -1)
    return rows


@checked
def line_fit(lines: Complex, receiver: Receiver) -> Complex:
    """Return the least-squares map from FIDs to line amplitudes at t = 0, shape (lines, points).

    The model is s_j = e^{iφ} Σ_l a_l e^{λ_l t_j} with known λ, so that dead time and decay during
    the acquisition leave no bias.

    Raises
    ------
    ArgumentError
        If there are fewer points than lines, or a line is not finite.
    """
    if lines.ndim != 1 or not np.all(np.isfinite(lines)):
        raise ArgumentError(
            f"Argument `lines` must be finite and of shape (lines,), but is {lines!r:.80}"
        )
    if receiver.points < len(lines):
        raise ArgumentError(
            f"Argument `points` must be at least the number of lines {len(lines)}, but is "
            f"{receiver.points}"
        )
    model = np.exp(1j * receiver.phase_rad + receiver.times_s[:, None] * lines)
    return np.asarray(np.linalg.pinv(model))


@checked
def default_receiver(sample: Sample, *, points: int = 2048, dead_time_s: float = 0.0) -> Receiver:
    """Return a receiver with a round width, at least 500 Hz and eight times the line offsets."""
    H = internal_hamiltonian(sample)
    seen = [
        transition_frequencies(H, coil_operator(sample, nucleus), visible=_VISIBLE)
        for nucleus in sample.nuclei
    ]
    highest = float(np.abs(np.concatenate(seen)).max()) / (2 * np.pi)
    wanted = max(8 * highest, 500.0)
    decade = 10.0 ** math.floor(math.log10(wanted))
    width = next(decade * s for s in (1, 2, 5, 10) if decade * s >= wanted * (1 - 1e-9))
    return Receiver(width, points, dead_time_s)


def check_points(name: str, fids: Complex) -> None:
    """Refuse FIDs with a point that is not finite.

    Raises
    ------
    ArgumentError
        If there is one; the message tells its index.
    """
    if not np.all(np.isfinite(fids)):
        bad = tuple(np.argwhere(~np.isfinite(fids))[0].tolist())
        raise ArgumentError(f"Argument `{name}` must be finite, but is not at index {bad}")


def check_noise(noise: Real, fids: Complex) -> None:
    """Refuse noise that is not one finite number ≥ 0 for every channel of FIDs.

    Raises
    ------
    ArgumentError
        If it is anything else, or FIDs do not have shape (..., channels, points).
    """
    if fids.ndim < 2:
        raise ArgumentError(
            f"Argument `fids` must have shape (..., channels, points), but has shape {fids.shape}"
        )
    check_shape("noise", noise, fids.shape[-2:-1])
    if not np.all(np.isfinite(noise) & (noise >= 0)):
        raise ArgumentError(f"Argument `noise` must be finite and ≥ 0, but is {noise}")


@checked
def complex_noise(rng: np.random.Generator, shape: tuple[int, ...]) -> Complex:
    """Return white noise of unit variance in each quadrature, drawn point by point."""
    draws = rng.standard_normal((*shape, 2))
    return np.asarray(draws[..., 0] + 1j * draws[..., 1])


@checked
def add_noise(fids: Complex, noise: Real, rng: np.random.Generator) -> Complex:
    """Return FIDs with white receiver noise.

    Parameters
    ----------
    fids
        Shape (..., channels, points).
    noise
        Standard deviation of one quadrature of one point on every channel, shape (channels,).
    rng
        Random generator.

    Raises
    ------
    ArgumentError
        If ``rng`` is not a random generator, or the noise is not one number ≥ 0 per channel.
    """
    check_noise(noise, fids)
    return np.asarray(fids + noise[:, None] * complex_noise(as_generator(rng), fids.shape))


@checked
def spectrum(fid: Complex, spectral_width_hz: float, *, zero_fill: int = 4) -> tuple[Real, Complex]:
    """Return frequencies in Hz and the spectrum of FIDs: (..., points) → (..., zero_fill·points).

    The first point is halved, as the discrete transform of a causal signal asks.

    Raises
    ------
    ArgumentError
        If there are no points, the width is not positive or ``zero_fill`` is not 1 or more.
    """
    if not fid.size:
        raise ArgumentError(f"Argument `fid` must hold points, but has shape {fid.shape}")
    if not (0 < spectral_width_hz < np.inf and zero_fill >= 1):
        raise ArgumentError(
            "Arguments `spectral_width_hz` and `zero_fill` must be > 0 and ≥ 1, but are "
            f"{spectral_width_hz} Hz and {zero_fill}"
        )
    fid = np.atleast_1d(fid)
    points = fid.shape[-1]
    causal = np.concatenate([fid[..., :1] / 2, fid[..., 1:]], axis=-1)
    size = zero_fill * points
    transform = np.fft.fftshift(np.fft.fft(causal, n=size, axis=-1), axes=-1) / spectral_width_hz
    return np.fft.fftshift(np.fft.fftfreq(size, 1 / spectral_width_hz)), transform
