"""Composite pulses: rotations made of several, so that errors of the rf cancel to some order.

Elements are (flip angle, phase) pairs in rad in the order of time; an element is the rotation
θ_φ = exp[−iθ(I_x cos φ + I_y sin φ)].
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

from scipy.optimize import brentq

from nmrqb.errors import ArgumentError, nearest

Element = tuple[float, float]

_ROUNDING = 1e-9  # rad; an angle that was computed may miss its limit by so much


def composite_pulse(name: str, angle: float) -> list[Element]:
    """Return the elements of a composite pulse that turns by ``angle`` about x.

    The product of the elements is R_z(α) R_x(angle), R_z last in time and α that of
    `composite_frame`: zero for all but Knill.  A negative angle has every phase shifted by π.

    ============ ====================== ==================================================
    name         0 < |angle| ≤          infidelity for an amplitude error ε, an offset f·Ω
    ============ ====================== ==================================================
    CORPSE       2π                     ε², f⁴
    short-CORPSE 2π                     ε², f⁴
    BB1          2π                     ε⁶, f²
    SK1          2π                     ε⁴, f²
    SCROFULOUS   π                      ε⁴, f²
    Knill        π, no other            ε⁴, f⁴
    ============ ====================== ==================================================

    Parameters
    ----------
    name
        One of `COMPOSITES`.
    angle
        Rotation angle in rad.

    Returns
    -------
    list of (flip angle, phase)
        In rad, flip angles positive, phases in [0, 2π).

    Raises
    ------
    ArgumentError
        If there is no such composite pulse, or it cannot make that angle.
    """
    _check_name(name)
    _check_angle(name, angle)
    reverse = math.pi if angle < 0 else 0.0
    return [(flip, (phase + reverse) % math.tau) for flip, phase in _MAKERS[name](abs(angle))]


def composite_frame(name: str) -> float:
    """Return α in rad: the elements of a composite pulse make R_z(α) R_x(angle), R_z last in time.

    −π/3 for Knill and 0 for all others, whatever the phase of the pulse is.  Who wants R_x alone
    adds R_z(−α) after the elements, as a change of frame that takes no time.

    Raises
    ------
    ArgumentError
        If there is no such composite pulse.
    """
    _check_name(name)
    return -math.pi / 3 if name == "Knill" else 0.0


def _check_name(name: str) -> None:
    if name not in _MAKERS:
        raise ArgumentError(
            f"Argument `name` must be a composite pulse, but is {name!r}; "
            f"{nearest(name, COMPOSITES)}"
        )


def _check_angle(name: str, angle: float) -> None:
    least, most = (_LIMITS[name][0] - _ROUNDING, _LIMITS[name][1] + _ROUNDING)
    if not (angle and least <= abs(angle) <= most):
        raise ArgumentError(
            f"Argument `angle` must be {_wanted(name)}, but is {math.degrees(angle):g} deg"
        )


def _wanted(name: str) -> str:
    least, most = (f"{math.degrees(limit):g} deg" for limit in _LIMITS[name])
    if least == most:
        return f"{most} or −{most} for {name}"
    return f"above {least} and at most {most} for {name}, either sign"


def _corpse(angle: float) -> list[Element]:
    """Return (2π + θ/2 − k)_0 (2π − 2k)_π (θ/2 − k)_0 with sin k = ½ sin θ/2.

    Cummins, Llewellyn and Jones, Phys. Rev. A 67, 042308 (2003), with n₁ = n₂ = 1, n₃ = 0.
    """
    first, *rest = _short_corpse(angle)
    return [(math.tau + first[0], first[1]), *rest]


def _short_corpse(angle: float) -> list[Element]:
    """Return (θ/2 − k)_0 (2π − 2k)_π (θ/2 − k)_0 with sin k = ½ sin θ/2.

    Cummins, Llewellyn and Jones, Phys. Rev. A 67, 042308 (2003), with n₁ = n₃ = 0, n₂ = 1.
    """
    k = math.asin(math.sin(angle / 2) / 2)
    outer = (angle / 2 - k, 0.0)
    return [outer, (math.tau - 2 * k, math.pi), outer]


def _bb1(angle: float) -> list[Element]:
    """Return θ_0 π_φ 2π_3φ π_φ with cos φ = −θ/4π; Wimperis, J. Magn. Reson. A 109, 221 (1994).

    The corrector comes last; the paper has it first, which changes neither product nor order.
    """
    phase = math.acos(-angle / (4 * math.pi))
    outer = (math.pi, phase)
    return [(angle, 0.0), outer, (math.tau, 3 * phase), outer]


def _sk1(angle: float) -> list[Element]:
    """Return θ_0 2π_−φ 2π_φ with cos φ = −θ/4π.

    Brown, Harrow and Chuang, Phys. Rev. A 70, 052318 (2004).
    """
    phase = math.acos(-angle / (4 * math.pi))
    return [(angle, 0.0), (math.tau, -phase), (math.tau, phase)]


def _scrofulous(angle: float) -> list[Element]:
    """Return α_φ1 π_φ2 α_φ1 with sin(α)/α = 2 cos(θ/2)/π, π/2 < α ≤ π.

    cos φ1 = −π cos α/(2α sin θ/2) and φ2 = φ1 − arccos(−π/2α); Cummins, Llewellyn and Jones, Phys.
    Rev. A 67, 042308 (2003), whose table of angles is rounded: the equation is solved instead, for
    δ = α − π/2, in the form π[cos δ − cos(θ/2)] = 2δ cos(θ/2) that keeps small angles exact.
    """
    half, c = angle / 2, math.cos(angle / 2)

    def excess(delta: float) -> float:
        return (
            math.tau * math.sin((half + delta) / 2) * math.sin((half - delta) / 2) - 2 * delta * c
        )

    delta = float(brentq(excess, 0, 2, xtol=1e-300))
    flip = math.pi / 2 + delta
    first = math.acos(math.pi * math.sin(delta) / (2 * flip * math.sin(half)))
    second = first - math.pi + math.asin(math.sqrt(delta * (flip + math.pi / 2)) / flip)
    return [(flip, first), (math.pi, second), (flip, first)]


def _knill(_angle: float) -> list[Element]:
    """Return π_30° π_0° π_90° π_0° π_30° = R_z(−60°) R_x(π).

    Due to E. Knill; Ryan, Hodges and Cory, Phys. Rev. Lett. 105, 200402 (2010).
    """
    return [(math.pi, math.radians(phase)) for phase in (30, 0, 90, 0, 30)]


_MAKERS: Mapping[str, Callable[[float], list[Element]]] = {
    "CORPSE": _corpse,
    "short-CORPSE": _short_corpse,
    "BB1": _bb1,
    "SK1": _sk1,
    "SCROFULOUS": _scrofulous,
    "Knill": _knill,
}
_LIMITS: Mapping[str, tuple[float, float]] = {
    **dict.fromkeys(_MAKERS, (0.0, math.tau)),
    "SCROFULOUS": (0.0, math.pi),
    "Knill": (math.pi, math.pi),
}

COMPOSITES = tuple(_MAKERS)
