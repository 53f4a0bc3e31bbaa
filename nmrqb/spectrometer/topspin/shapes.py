"""Shape files in JCAMP-DX as TopSpin reads them, with the integral factor that they need."""

from __future__ import annotations

import math

import numpy as np

from nmrqb.operators import Complex

_HEAD = """\
##TITLE= {title}
##JCAMP-DX= 5.00 Bruker JCAMP library
##DATA TYPE= Shape Data
##ORIGIN= nmrqb
##OWNER= <nmrqb>
##MINX= {low:.12E}
##MAXX= {high:.12E}
##MINY= {first:.12E}
##MAXY= {last:.12E}
##$SHAPE_EXMODE= Universal
##$SHAPE_TOTROT= {rotation:.12E}
##$SHAPE_TYPE= Universal
##$SHAPE_USER_DEF=
##$SHAPE_REPHFAC=
##$SHAPE_BWFAC= 0.0
##$SHAPE_BWFAC50=
##$SHAPE_INTEGFAC= {integral:.12E}
##$SHAPE_MODE= 0
##NPOINTS= {points}
##XYPOINTS= (XY..XY)
"""


def shape_text(title: str, samples: Complex, rotation_deg: float, *, digits: int = 12) -> str:
    """Return a shape file: one amplitude from 0 to 100 and one phase in degrees per step.

    Parameters
    ----------
    title
        Its title, one line.
    samples
        Steps relative to the peak, of largest modulus 1, shape (N,); the argument is the phase.
    rotation_deg
        Flip angle on resonance in degrees.
    digits
        Significant digits.

    Notes
    -----
    The integral factor is |mean of the complex samples|, from which TopSpin computes the power of
    a flip angle.
    """
    amplitudes, phases = written_steps(samples, digits)
    head = _HEAD.format(
        title=title,
        low=float(amplitudes.min()),
        high=float(amplitudes.max()),
        first=float(phases.min()),
        last=float(phases.max()),
        rotation=rotation_deg,
        integral=integral_factor(samples),
        points=len(samples),
    )
    rows = (
        f"{a:.{digits - 1}E}, {p:.{digits - 1}E}" for a, p in zip(amplitudes, phases, strict=True)
    )
    return head + "\n".join(rows) + "\n##END=\n"


def written_steps(samples: Complex, digits: int) -> tuple[Complex, Complex]:
    """Return amplitudes (0 to 100) and phases (degrees, 0 to 360) as the digits say them."""
    amplitudes = 100 * np.abs(samples)
    phases = np.rad2deg(np.angle(samples)) % 360
    phases[amplitudes == 0] = 0
    both = (
        np.array([float(f"{x:.{digits - 1}E}") for x in values]) for values in (amplitudes, phases)
    )
    a, p = both
    return a, np.where(p >= 360, 0.0, p)


def integral_factor(samples: Complex) -> float:
    """Return |mean of the samples|: the flip angle over that of a rectangle of the same peak."""
    return float(abs(np.mean(samples)))


def decibels(nutation_hz: float, hard_hz: float) -> float:
    """Return by how many dB a nutation frequency lies below that of the hard pulse."""
    return -20 * math.log10(nutation_hz / hard_hz)
