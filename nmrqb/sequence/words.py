"""The words of the sequence format: names, roles, phases, and the short forms of events."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema

from nmrqb.errors import nearest
from nmrqb.formats import Expression, shown
from nmrqb.operators import FIELD_TERMS
from nmrqb.sample.nuclei import SPIN_HALF, checked_nucleus
from nmrqb.units import FUNCTIONS, MINUS

MAX_PHASES = 10_000  # of one name of the phase cycle
TARGET_MEANINGS = {
    **{f"DM_{a}": f"D_{a} of D·(σ1×σ2), a frequency such as J/8" for a in "xyz"},
    **{f"KSEA_{a}": f"G_{a} of σ1·Γ·σ2, Γ symmetric, off the diagonal, a frequency" for a in "xyz"},
    "isotropic": "coefficient of σ1·σ2, a frequency",
    "Delta": "Δ of −⅓ σ1·diag(Δ−3ε, Δ+3ε, −2Δ)·σ2, a frequency",
    "epsilon": "ε of −⅓ σ1·diag(Δ−3ε, Δ+3ε, −2Δ)·σ2, a frequency",
    "B": "B of B(ZI + IZ), a frequency",
    **{name: f"coefficient of the Pauli string {name}, a frequency" for name in FIELD_TERMS},
    "time": "T of exp(−i2πHT), a time; by default the duration of one pass",
    "tolerance": "share of the target's 2-norm that may be missed, say 1 %; 1e-6 by default",
}
TARGET_KEYS = tuple(TARGET_MEANINGS)
TARGET_SETTINGS = ("time", "tolerance")
TARGET_TERMS = tuple(key for key in TARGET_KEYS if key not in TARGET_SETTINGS)
SAMPLE_VALUES = ("J", "T1", "T2", "dipolar", "gamma", "offset", "pulse_90")
RESERVED = frozenset({*SAMPLE_VALUES, *FUNCTIONS, "pi", "nan", "inf", "infinity"})
PHASES = {"x": 0.0, "y": 90.0, "-x": 180.0, "-y": 270.0}  # degrees

_NAME = r"^[^\W\d]\w*$"
_COUPLING = re.compile(r"J(?:\(\s*([^\W\d]\w*)\s*,\s*([^\W\d]\w*)\s*\))?")
_ANGLE_OF = re.compile(r"(.*\S)\s+of\s+(\S.*)", re.DOTALL)
_NAMED_PHASE = re.compile(r"(.*\S)\s+([-+]?[^\W\d_]|[^\W\d]\w*)", re.DOTALL)
_NUMBER_PHASE = re.compile(
    r"(.*\S)\s+([-+]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:\s*(?:deg|°|rad|mrad))?|\(.*\))", re.DOTALL
)
_UNIT_END = re.compile(r".*[0-9.]\s*(?:deg|rad|mrad)", re.DOTALL)


def split_rotation(text: str) -> tuple[str, str]:
    """Return angle and phase of the short form of a pulse, ``90 -y``, ``90 ph1``, ``(90*k) 45``.

    Raises
    ------
    ValueError
        If it does not end in a phase.
    """
    text = text.translate(MINUS).strip()
    named = None if _UNIT_END.fullmatch(text) else _NAMED_PHASE.fullmatch(text)
    found = named or _NUMBER_PHASE.fullmatch(text)
    if found is None:
        raise ValueError(f"must be an angle and a phase such as '90 -y', but is {shown(text)}")
    return found.group(1), found.group(2)


def split_delay(text: str) -> tuple[str, str] | None:
    """Return angle and coupling of ``90 deg of J(I,S)``; None for a time."""
    found = _ANGLE_OF.fullmatch(text.strip())
    return (found.group(1), found.group(2)) if found else None


def coupling_roles(text: str) -> tuple[str, ...]:
    """Return the roles of ``J(I,S)``, none for ``J``.

    Raises
    ------
    ValueError
        If it is neither.
    """
    found = _COUPLING.fullmatch(text.strip())
    if found is None:
        raise ValueError(f"must be a scalar coupling, J or J(I,S), but is {shown(text)}")
    return tuple(role for role in found.groups() if role)


def _coupling(value: str) -> str:
    coupling_roles(value)
    return value


def _name(value: str) -> str:
    if not re.fullmatch(_NAME, value):
        wanted = "must be one word of letters and digits that begins with a letter"
        raise ValueError(f"{wanted}, but is {shown(value)}")
    return value


def _parameter(value: str) -> str:
    if _name(value) in RESERVED:
        raise ValueError(f"must not be called {value}, which has a meaning of its own; rename it")
    return value


def _phase_name(value: str) -> str:
    if _parameter(value) in PHASES:
        raise ValueError(f"must not be called {value}, which is a phase already; rename it")
    return value


def _role(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError(f"must be a nucleus such as 1H, any or all, but is {shown(value)}")  # noqa: TRY004
    if value in ("any", "all") or value in SPIN_HALF:
        return value
    if value.lower() in ("any", "all"):
        raise ValueError(
            f"must be a nucleus, any or all, but is {value!r}; {nearest(value, ['any', 'all'])}"
        )
    several, _, nucleus = value.partition(" ")
    return f"all {checked_nucleus(nucleus)}" if several == "all" else checked_nucleus(value)


def sound_role(value: object) -> str:
    """Return who may play a role; any spin where what is written has been refused."""
    try:
        return _role(value)
    except ValueError:
        return "any"


def _comparison(value: object) -> object:
    if not isinstance(value, str):
        raise ValueError(f"must be a comparison such as 't > 10 us', but is {shown(value)}")  # noqa: TRY004
    return value


def _phases(value: object) -> object:
    if not value or not isinstance(value, list):
        raise ValueError(f"must be a list of phases such as [x, -x], but is {shown(value)}")
    if len(value) > MAX_PHASES:
        raise ValueError(f"must hold at most {MAX_PHASES} phases, but holds {len(value)}")
    return value


def _target_key(value: str) -> str:
    if value not in TARGET_KEYS:
        raise ValueError(f"is not a named term; {nearest(value, TARGET_KEYS)}")
    return value


def claiming(target: dict[str, str]) -> dict[str, str]:
    """Return a target that names a term; one that claims nothing is a ValueError."""
    if not set(target) & set(TARGET_TERMS):
        held = f"has only {' and '.join(target)}" if target else "is empty"
        terms = ", ".join(TARGET_TERMS)
        raise ValueError(f"must name a term that the sequence makes, but {held}; valid: {terms}")
    return target


TargetKey = Annotated[str, AfterValidator(_target_key)]
Name = Annotated[str, AfterValidator(_name)]
Parameter = Annotated[str, AfterValidator(_parameter)]
PhaseName = Annotated[str, AfterValidator(_phase_name)]
Coupling = Annotated[str, AfterValidator(_coupling)]
Comparison = Annotated[
    str,
    BeforeValidator(_comparison),
    WithJsonSchema({"type": "string", "examples": ["t > 10 us", "n <= 100"]}),
]
Phases = Annotated[
    list[Expression], Field(min_length=1, max_length=MAX_PHASES), BeforeValidator(_phases)
]
Role = Annotated[
    str,
    BeforeValidator(_role),
    WithJsonSchema(
        {"type": "string", "enum": ["any", "all", *SPIN_HALF, *(f"all {n}" for n in SPIN_HALF)]}
    ),
]
