"""What the receiver sees: FIDs, their noise, and the amplitudes of their lines.

The coil of a channel sees s(t) = tr[ρ(t) Σ_k (σ_x + iσ_y)_k] over the spins of its nucleus; a
line of a weakly coupled pair then has the amplitude ⟨(σ_x + iσ_y)⊗|m⟩⟨m|⟩ and a spin at offset ν
turns as e^{+i2πνt}.  Everything here is linear in ρ, so dead time, window and line fit can be
pushed through as matrices.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy.linalg import eig, expm

from nmrqb.dynamics import collapse_operators, commutator_superoperator, dissipator
from nmrqb.errors import ArgumentError, nearest
from nmrqb.operators import Complex, Real, spin_operator
from nmrqb.sample import Sample
from nmrqb.sample.hamiltonian import internal_hamiltonian

_VISIBLE = 1e-9
_SAME_LINE = 1e-6


@dataclass(frozen=True)
class Receiver:
    """How an FID is digitised.

    Attributes
    ----------
    spectral_width_hz
        Rate of complex points in Hz.
    points
        Number of complex points.
    dead_time_s
        Time between the end of the readout pulse and the first point in s.
    phase_rad
        Receiver phase: the signal is multiplied by e^{iφ}.

    Raises
    ------
    ArgumentError
        If the width, the number of points or the dead time makes no sense.
    """

    spectral_width_hz: float
    points: int = 2048
    dead_time_s: float = 0.0
    phase_rad: float = 0.0

    def __post_init__(self) -> None:
        if not (self.spectral_width_hz > 0 and self.points >= 2 and self.dead_time_s >= 0):
            raise ArgumentError(
                "Arguments `spectral_width_hz`, `points`, `dead_time_s` must be > 0, ≥ 2, ≥ 0, but "
                f"are {self.spectral_width_hz} Hz, {self.points}, {self.dead_time_s} s"
            )

    @property
    def times_s(self) -> Real:
        """Times of the points after the readout pulse in s, shape (points,)."""
        return self.dead_time_s + np.arange(self.points) / self.spectral_width_hz


def liouvillian(sample: Sample, *, relaxation: bool) -> Complex:
    """Return the generator of free precession with T1/T2 or without, shape (d², d²), rad/s."""
    H = internal_hamiltonian(sample)
    operators = collapse_operators(sample) if relaxation else []
    return commutator_superoperator(H) + dissipator(operators, H.shape[-1])


def observable(sample: Sample, nucleus: str) -> Complex:
    """Return Σ_k (σ_x + iσ_y)_k of a channel as a row on row-flattened states, shape (d²,).

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
    return np.asarray(coil).T.reshape(-1)


def transitions(generator: Complex, coil: Complex) -> Complex:
    """Return the rates λ of the lines e^{λt} that a coil sees, ascending in frequency.

    They are the eigenvalues of the generator (strong coupling and relaxation included) whose mode
    some state excites and the coil detects; modes that coincide are one line.

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
    rates, modes = eig(generator)
    strength = np.abs(coil @ modes) * np.linalg.norm(np.linalg.inv(modes), axis=-1)
    seen = rates[strength > _VISIBLE * strength.max()]
    lines: list[complex] = []
    for rate in seen[np.argsort(seen.imag)]:
        if not any(abs(rate - line) < _SAME_LINE * max(1.0, abs(rate)) for line in lines):
            lines.append(rate)
    return np.array(lines)


def detection(generator: Complex, coil: Complex, receiver: Receiver) -> Complex:
    """Return the linear map from row-flattened states to FIDs, shape (points, d²).

    Row j is e^{iφ} · coil · exp[L(t_dead + j Δt)]; rows are made by doubling.
    """
    step = expm(generator / receiver.spectral_width_hz)
    rows = (np.exp(1j * receiver.phase_rad) * coil @ expm(generator * receiver.dead_time_s))[None]
    while len(rows) < receiver.points:
        rows = np.concatenate([rows, rows @ step])
        step = step @ step
    return np.asarray(rows[: receiver.points])


def line_fit(lines: Complex, receiver: Receiver) -> Complex:
    """Return the least-squares map from FIDs to line amplitudes at t = 0, shape (lines, points).

    The model is s_j = e^{iφ} Σ_l a_l e^{λ_l t_j} with known λ, so that dead time and decay during
    the acquisition leave no bias.

    Raises
    ------
    ArgumentError
        If there are fewer points than lines.
    """
    if receiver.points < len(lines):
        raise ArgumentError(
            f"Argument `points` must be at least the number of lines {len(lines)}, but is "
            f"{receiver.points}"
        )
    model = np.exp(1j * receiver.phase_rad + receiver.times_s[:, None] * lines)
    return np.asarray(np.linalg.pinv(model))


def default_receiver(sample: Sample, *, points: int = 2048, dead_time_s: float = 0.0) -> Receiver:
    """Return a receiver with a round width, at least 500 Hz and eight times the line offsets."""
    generator = liouvillian(sample, relaxation=False)
    rates = [transitions(generator, observable(sample, nucleus)) for nucleus in sample.nuclei]
    highest = float(np.abs(np.concatenate(rates).imag).max()) / (2 * np.pi)
    wanted = max(8 * highest, 500.0)
    decade = 10.0 ** math.floor(math.log10(wanted))
    width = next(decade * s for s in (1, 2, 5, 10) if decade * s >= wanted * (1 - 1e-9))
    return Receiver(width, points, dead_time_s)


def complex_noise(rng: np.random.Generator, shape: tuple[int, ...]) -> Complex:
    """Return white noise of unit variance in each quadrature, drawn point by point."""
    draws = rng.standard_normal((*shape, 2))
    return np.asarray(draws[..., 0] + 1j * draws[..., 1])


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
    """
    return np.asarray(fids + noise[:, None] * complex_noise(rng, fids.shape))


def spectrum(fid: Complex, spectral_width_hz: float, *, zero_fill: int = 4) -> tuple[Real, Complex]:
    """Return frequencies in Hz and the spectrum of FIDs: (..., points) → (..., zero_fill·points).

    The first point is halved, as the discrete transform of a causal signal asks.
    """
    points = fid.shape[-1]
    causal = np.concatenate([fid[..., :1] / 2, fid[..., 1:]], axis=-1)
    size = zero_fill * points
    transform = np.fft.fftshift(np.fft.fft(causal, n=size, axis=-1), axes=-1) / spectral_width_hz
    return np.fft.fftshift(np.fft.fftfreq(size, 1 / spectral_width_hz)), transform
