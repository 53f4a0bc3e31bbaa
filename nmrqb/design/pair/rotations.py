"""One-spin rotations as pulses with a change of frame: R = R_z(ζ) θ_φ."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from nmrqb.operators import PAULI, Complex, Real

_NOTHING = 1e-13  # rad; a smaller rotation is rounding


@dataclass(frozen=True)
class Turn:
    """A pulse exp[−iθ(I_x cos φ + I_y sin φ)]: angle θ ≥ 0 and phase φ in rad."""

    angle: float
    phase: float

    @property
    def inverse(self) -> Turn:
        """The pulse that undoes it."""
        return Turn(self.angle, self.phase + math.pi)


def turn_matrix(angle: Real | float, phase: float) -> Complex:
    """Return exp[−iθ(I_x cos φ + I_y sin φ)]: angles (...) rad → (..., 2, 2)."""
    axis = math.cos(phase) * PAULI["X"] + math.sin(phase) * PAULI["Y"]
    half = np.asarray(angle)[..., None, None] / 2
    return np.asarray(np.cos(half) * PAULI["I"] - 1j * np.sin(half) * axis)


def z_matrix(angle: float) -> Complex:
    """Return exp(−iζI_z), shape (2, 2)."""
    return np.diag(np.exp([-0.5j * angle, 0.5j * angle]))


def axis_rotation(vector: Real) -> Complex:
    """Return exp(−i v·σ/2), v in rad: (3,) → (2, 2)."""
    angle = float(np.linalg.norm(vector))
    n = np.asarray(vector) / angle if angle else np.zeros(3)
    axis = sum(n[k] * PAULI[a] for k, a in enumerate("XYZ"))
    return np.asarray(math.cos(angle / 2) * PAULI["I"] - 1j * math.sin(angle / 2) * axis)


def as_turn(R: Complex) -> tuple[Turn | None, float]:
    """Return the pulse θ_φ, or None for none, and ζ with R = R_z(ζ) θ_φ up to sign.

    Parameters
    ----------
    R
        Rotation of determinant 1, shape (2, 2).

    Returns
    -------
    tuple
        The pulse, 0 ≤ θ ≤ π, and ζ in (−2π, 2π] rad.
    """
    kept, flipped = R[0, 0], R[1, 0]
    angle = 2 * math.atan2(abs(flipped), abs(kept))
    frame = -2 * float(np.angle(kept)) if math.pi - angle > _NOTHING else 0.0
    if angle < _NOTHING:
        return None, frame
    return Turn(angle, float(np.angle(flipped)) + math.pi / 2 - frame / 2), frame


def tilt(axis: Real) -> Turn:
    """Return the pulse P after which z is seen along a unit vector: P†I_zP = a·I."""
    across = math.hypot(axis[0], axis[1])
    phase = math.atan2(axis[1], axis[0]) - math.pi / 2 if across > _NOTHING else 0.0
    return Turn(math.atan2(across, axis[2]), phase)
