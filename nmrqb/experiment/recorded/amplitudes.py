"""What a file tells of the amplitudes of its lines: both quadratures, or one of them.

A fitted spectrum tells the complex amplitudes a of its lines.  A table of integrals of phased
spectra tells the real parts of e^{iθ}a only.  Both are real numbers y = S [Re a; Im a].
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from nmrqb.experiment.recorded.model import ReadoutFile, RecordedData
from nmrqb.operators import Complex, Real
from nmrqb.sample import Sample
from nmrqb.sample.nuclei import GYROMAGNETIC
from nmrqb.spectrometer import liouvillian, observable, transitions
from nmrqb.spectrometer.fitted import FittedSpectrum
from nmrqb.spectrometer.multiplets import Multiplet

_SAME = 1e-9


def stacked(amplitudes: Complex) -> Real:
    """Return real parts, then imaginary parts, along the first axis: (lines, …) → (2·lines, …)."""
    return np.concatenate([np.real(amplitudes), np.imag(amplitudes)])


def rotation(factor: complex, lines: int) -> Real:
    """Return what multiplication by a complex number does to stacked parts, (2·lines, 2·lines)."""
    one = np.eye(lines)
    return np.block(
        [[factor.real * one, -factor.imag * one], [factor.imag * one, factor.real * one]]
    )


@dataclass(frozen=True, eq=False)
class Quadratures:
    """Real numbers y = S [Re a; Im a] that are known of complex amplitudes a.

    Attributes
    ----------
    parts
        y, shape (rows,).
    seen
        S, shape (rows, 2·lines): the identity where both quadratures are known, else
        [cos θ, −sin θ] times the identity of the lines, −90° < θ ≤ 90°.
    """

    parts: Real
    seen: Real

    @classmethod
    def both(cls, amplitudes: Complex) -> Quadratures:
        """Return those of amplitudes that are known completely, shape (lines,)."""
        return cls(stacked(amplitudes), np.eye(2 * len(amplitudes)))

    @classmethod
    def along(cls, parts: Real, phase: float) -> Quadratures:
        """Return Re(e^{iθ}a) of every line, θ in rad; the other quadrature is not known."""
        c, s = np.cos(phase), np.sin(phase)
        sign = 1.0 if c > _SAME or (abs(c) <= _SAME and s > 0) else -1.0
        one = sign * np.eye(len(parts))
        return cls(sign * np.asarray(parts, dtype=float), np.hstack([c * one, -s * one]))

    @property
    def lines(self) -> int:
        """Number of lines."""
        return len(self.seen.T) // 2

    @property
    def complete(self) -> bool:
        """Whether both quadratures are known."""
        return len(self.parts) == 2 * self.lines

    @property
    def phase_rad(self) -> float:
        """θ of the quadrature that is known; 0 where both are."""
        return float(np.arctan2(-self.seen[0, self.lines], self.seen[0, 0]))

    @property
    def amplitudes(self) -> Complex:
        """Complex amplitudes, shape (lines,): NaN in place of a part that is not known."""
        known = np.diag(self.seen.T @ self.seen) > 1 - _SAME
        parts = np.where(known, self.seen.T @ self.parts, np.nan)
        return _complex(*np.split(parts, 2))

    @property
    def moduli(self) -> Real:
        """Moduli of amplitudes; of the known part where only one is, shape (lines,)."""
        parts = self.parts.reshape(-1, self.lines)
        return np.asarray(np.sqrt(np.sum(parts**2, axis=0)))

    def agrees(self, other: Quadratures) -> bool:
        """Tell whether another file shows the same quadratures."""
        return self.seen.shape == other.seen.shape and np.allclose(
            self.seen, other.seen, atol=_SAME, rtol=0
        )

    def upright(self) -> Quadratures:
        """Return real and imaginary parts themselves, of amplitudes that are known completely."""
        return Quadratures(np.linalg.solve(self.seen, self.parts), np.eye(len(self.parts)))

    def reduced(self, seen: Real) -> Quadratures:
        """Return what another S would have told; both quadratures must be known."""
        return self if len(seen) == len(self.parts) else Quadratures(seen @ self.parts, seen)


def _complex(real: Real, imaginary: Real) -> Complex:
    values = np.empty(len(real), dtype=complex)
    values.real, values.imag = real, imaginary  # 1j * nan would spoil the other part
    return values


@dataclass(frozen=True, eq=False)
class FittedFile:
    """The line amplitudes of one file.

    Attributes
    ----------
    file
        The file and its role.
    known
        What it tells of ⟨(σ_x + iσ_y) ⊗ |m⟩⟨m|⟩ times the gain, in the order of the lines in
        nmrqb's rotating frame, ascending.
    covariance
        Of these real numbers, misfit included, shape (rows, rows).
    multiplet
        The fit, lines in the order of the file's axis; None where lines were known or integrated.
    coupling_hz
        Distance of the two lines of a doublet and its error with the misfit in it, in Hz; None
        where there is no doublet or it is too weak.
    ppm
        Middle of the multiplet, None where 0 ppm is not known.
    edge_noise
        Noise at the edges of the spectrum, where filters cut it; NaN where no spectrum was fitted.
    found
        Whether its own lines told where it stands; else the other files of its channel did.
    sha256
        Hash of the data.
    shown
        Spectrum and fit, their phases those of ``amplitudes``; None of a table of integrals.
    """

    file: ReadoutFile
    known: Quadratures
    covariance: Real
    sha256: str
    multiplet: Multiplet | None = None
    coupling_hz: tuple[float, float] | None = None
    ppm: float | None = None
    edge_noise: float = float("nan")
    found: bool = True
    shown: FittedSpectrum | None = None

    @property
    def amplitudes(self) -> Complex:
        """Complex amplitudes, shape (lines,): NaN in place of a part that is not known."""
        return self.known.amplitudes

    @property
    def weights(self) -> Real:
        """1/σ² of every row, σ² the mean of its line's variances, shape (rows,)."""
        variances = np.diagonal(self.covariance).reshape(-1, self.known.lines).mean(axis=0)
        return np.tile(1 / variances, len(self.covariance) // self.known.lines)

    def moved(self, by: Real) -> FittedFile:
        """Return the file with its real numbers changed by some, shape (rows,)."""
        return replace(self, known=replace(self.known, parts=self.known.parts + by))

    def mirrored(self) -> FittedFile:
        """Return the file as it would be if its axis ran the other way: lines and sense turned."""
        order = np.eye(self.known.lines)[::-1]
        turn = np.kron(np.diag([1.0, -1.0]), order) if self.known.complete else order
        parts = turn @ self.known.parts
        known = (
            replace(self.known, parts=parts)
            if self.known.complete
            else Quadratures.along(parts, -self.known.phase_rad)
        )
        return replace(self, known=known, covariance=turn @ self.covariance @ turn.T)


# ------------------------------------------------------------------------- files and rotating frame
def pattern_hz(sample: Sample, nucleus: str) -> tuple[float, ...]:
    """Return the lines of a channel from their mean in Hz, ascending in the rotating frame."""
    generator = liouvillian(sample, relaxation=False)
    lines = transitions(generator, observable(sample, nucleus)).imag / (2 * np.pi)
    return tuple((lines - lines.mean()).tolist())


def ascends(kind: str, nucleus: str, data: RecordedData) -> bool:
    """Tell whether the axis of a kind of file ascends with the ν of nmrqb's rotating frame.

    A positive ν is a Larmor frequency below the carrier where γ > 0.
    """
    usual = "rotating-frame" if kind == "nmrqb" else "spectrometer"
    axis = data.axes.get(nucleus, usual)
    if axis == "rotating-frame":
        return True
    return (GYROMAGNETIC[nucleus] < 0) == (axis == "spectrometer")


def in_rotating_frame(
    amplitudes: Complex, covariance: Real, phase: float, *, ascending: bool
) -> tuple[Quadratures, Real]:
    """Return amplitudes of a file as the rotating frame has them: its axis may run the other way.

    Parameters
    ----------
    amplitudes
        Complex, on the axis of the file, ascending, shape (lines,).
    covariance
        Of real and then imaginary parts, shape (2·lines, 2·lines).
    phase
        Receiver phase of the file in rad, taken off.
    ascending
        Whether the axis ascends with ν.
    """
    lines = len(amplitudes)
    order = np.arange(lines) if ascending else np.arange(lines)[::-1]
    sign = 1.0 if ascending else -1.0
    c, s = np.cos(phase), sign * np.sin(phase)
    one = np.eye(lines)[order]
    turn = np.block([[c * one, sign * s * one], [-s * one, sign * c * one]])
    parts = turn @ stacked(amplitudes)
    return Quadratures(parts, np.eye(2 * lines)), turn @ covariance @ turn.T


def real_parts_in_rotating_frame(
    parts: Real, covariance: Real, phase: float, *, ascending: bool
) -> tuple[Quadratures, Real]:
    """Return real parts of a file's amplitudes as the rotating frame has them.

    The parameters are those of `in_rotating_frame`, shapes (lines,) and (lines, lines): e^{iφ}a is
    seen where the axis ascends with ν, e^{iφ}a* of the lines in the other order where it does not.
    """
    order = slice(None) if ascending else slice(None, None, -1)
    known = Quadratures.along(parts[order], phase if ascending else -phase)
    return known, covariance[order, order]
