"""The selection rules in words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np

from nmrqb.average.pauli_maps import PauliMap
from nmrqb.operators import Real

Scope = Literal["controls", "pulses", "timing"]

SCOPES = {
    "controls": "whatever the angles and delays of these controls",
    "pulses": "whatever the delays between these pulses",
    "timing": "as long as the pulses and delays stay in this order",
}
_WHERE = {
    "controls": "controls and drift",
    "pulses": "the drift in every frame of these pulses",
    "timing": "the cycle",
}
_ROUNDING = 1e-7


def map_code(found: PauliMap) -> str:
    """Return the code of a symmetry."""
    if found.reverses:
        return "mirrored-reversal" if found.antiunitary else "mirrored-inversion"
    if found.antiunitary:
        return "time-reversal"
    if found.permutation == tuple(range(len(found.permutation))):
        return "parity"
    return "rotated-exchange" if found.string else "exchange"


def map_message(
    found: PauliMap, pair: Sequence[str], labels: Sequence[str], angle: float, scope: Scope,
    forbids: Sequence[str],
) -> str:  # fmt: skip
    """Return why a symmetry forbids terms of a pair, given by its labels."""
    code, never = map_code(found), _never(scope)
    if code == "exchange" and scope == "controls":
        return (
            f"At every instant {pair[0]} and {pair[1]} feel the same rotation and the same offset, "
            f"so that {_deed(found, labels, angle)} changes neither controls nor drift. DM changes "
            f"sign under it and {never}."
        )
    does = {
        "time-reversal": f"inverts {_WHERE[scope]}, and so all that commutators make of it",
        "mirrored-reversal": "turns the cycle into itself read backwards",
        "mirrored-inversion": "turns the cycle into itself read backwards and inverted, and so "
        "inverts the effective Hamiltonian",
    }.get(code, f"leaves {_WHERE[scope]} unchanged")
    one = len(forbids) == 1
    keeps = "does not" if one else "do not"
    changes = "changes sign" if one else "change sign"
    odd = f"{keeps} change sign" if found.sign < 0 else changes
    deed = _deed(found, labels, angle)
    return f"{deed[0].upper()}{deed[1:]} {does}. {listed(forbids)} {odd} under it and {never}."


def axis_message(text: str, forbids: Sequence[str], scope: Scope) -> str:
    """Return why a conserved axis, named by ``text``, forbids terms."""
    verb = "does" if len(forbids) == 1 else "do"
    return (
        f"{text[:1].upper()}{text[1:]} commutes with {_WHERE[scope]}. {listed(forbids)} {verb} not "
        f"conserve it and {_never(scope)}."
    )


def several_message(forbids: Sequence[str]) -> str:
    """Return why parities forbid terms string by string."""
    return (
        f"Different 180° rotations leave {_WHERE['pulses']} unchanged, and each part of "
        f"{listed(forbids)} changes sign under one of them: {pronoun(forbids)} {_never('pulses')}."
    )


def constant_message(name: str, pair: Sequence[str]) -> str:
    """Return why a constant of motion that the drift lacks never appears."""
    return (
        f"{name} of {pair[0]} and {pair[1]} commutes with {_WHERE['pulses']}, so that no "
        f"commutator holds it, and the drift does not hold it either: it {_never('pulses')}."
    )


def algebra_message(forbids: Sequence[str], pair: Sequence[str]) -> str:
    """Return what the Lie algebra says of terms for which no symmetry was found."""
    verb = "is" if len(forbids) == 1 else "are"
    return (
        f"{listed(forbids)} of {pair[0]} and {pair[1]} {verb} orthogonal to {_WHERE['pulses']} and "
        f"to all its nested commutators: {pronoun(forbids)} {_never('pulses')}."
    )


def _never(scope: Scope) -> str:
    return f"cannot appear at any order, {SCOPES[scope]}"


def _deed(found: PauliMap, labels: Sequence[str], angle: float) -> str:
    """Return what the map does, in words."""
    swapped = [(k, m) for k, m in enumerate(found.permutation) if k < m]
    parts = [f"exchanging {labels[k]} and {labels[m]}" for k, m in swapped]
    by_letter = {
        letter: [label for label, own in zip(labels, found.letters, strict=True) if own == letter]
        for letter in "ZXY"
    }
    for letter, spins in by_letter.items():
        if spins:
            who = "all spins" if len(spins) == len(labels) else " and ".join(spins)
            parts.append(f"turning {who} by 180° about {_turned_name(letter, angle)}")
    if found.antiunitary:
        parts.append("reversing time")
    return " and ".join(parts) or "the identity"


def _turned_name(letter: str, angle: float) -> str:
    if letter == "Z" or not angle:
        return letter.lower()
    degrees = np.rad2deg(angle) + (90 if letter == "Y" else 0)
    return f"the axis of phase {degrees:.4g}°"


def axis_name(axis: Real) -> str:
    """Return x, y, z or the components of a unit axis."""
    axis = axis * np.sign(axis[np.argmax(np.abs(axis))])
    if np.abs(axis).max() > 1 - _ROUNDING:
        return "xyz"[int(np.argmax(np.abs(axis)))]
    return "(" + ", ".join(f"{c:.3g}" for c in axis + 0.0) + ")"


def combination(row: Real, labels: Sequence[str]) -> str:
    """Return a sum of spin components, row of shape (n, 3), in symbols."""
    scale = row.flat[np.argmax(np.abs(row))]
    terms = [
        f"{row[k, a] / scale:+.3g}·I_{'xyz'[a]}({label})"
        for k, label in enumerate(labels)
        for a in range(3)
        if abs(row[k, a] / scale) > _ROUNDING
    ]
    return " ".join(terms)


def listed(names: Sequence[str]) -> str:
    """Return names as a list in words."""
    *most, last = names or ("nothing",)
    return f"{', '.join(most)} and {last}" if most else last


def pronoun(names: Sequence[str]) -> str:
    """Return the pronoun that stands for names."""
    return "it" if len(names) == 1 else "they"
