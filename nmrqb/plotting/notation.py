"""Expressions of files as mathematics: ``1/(4*J)`` → 1/(4J), ``tau/2`` → τ/2, ``ph1`` → φ₁.

What is returned is the markup of matplotlib's mathematics without the dollars around it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import accumulate

from nmrqb.sequence.words import PHASES, SAMPLE_VALUES
from nmrqb.units import FUNCTIONS, MAX_PARENTHESES

_GREEK = frozenset(
    [
        "alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta", "theta", "kappa", "lambda",
        "mu", "nu", "xi", "pi", "rho", "sigma", "tau", "phi", "chi", "psi", "omega",
        "Gamma", "Delta", "Theta", "Lambda", "Xi", "Pi", "Sigma", "Phi", "Psi", "Omega",
    ]
)  # fmt: skip
_VARIANTS = {"epsilon": "varepsilon", "phi": "varphi"}
_LETTERS = re.compile(r"([^\W\d_]+?)_?([0-9]+)")
_PHASE_NAME = re.compile(r"ph(?:i|ase)?_?([0-9]*)")
_TOKEN = re.compile(
    r"""(?P<number>(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?)(?:\s*(?P<unit>[^\W\d]\w*|[%°]))?
      | (?P<name>[^\W\d]\w*)
      | (?P<other>[^\s\w])""",
    re.VERBOSE,
)
_UNITS = {"deg": r"^{\circ}", "°": r"^{\circ}", "us": "µs", "%": r"\%"}
_FUNCTIONS = {
    "sin": r"\sin", "cos": r"\cos", "tan": r"\tan", "asin": r"\arcsin", "acos": r"\arccos",
    "atan": r"\arctan", "exp": r"\exp", "log": r"\ln", "min": r"\min", "max": r"\max",
}  # fmt: skip
_SAMPLE = {"J": "J", "dipolar": "d", "T1": "T_{1}", "T2": "T_{2}", "offset": r"\nu",
           "pulse_90": r"t_{90^{\circ}}"}  # fmt: skip
_SIGNS = {"+": "+", "-": "-", "/": "/", ",": r",\,", "(": "(", ")": ")"}


def symbol(name: str) -> str:
    """Return a name as mathematics: ``tau`` as τ, ``t1`` as t₁, ``ph1`` as φ₁, ``a_I``."""
    if found := _PHASE_NAME.fullmatch(name):
        return f"\\varphi_{{{found[1]}}}" if found[1] else r"\varphi"
    if found := _LETTERS.fullmatch(name):
        return f"{_base(found[1])}_{{{found[2]}}}"
    base, _, index = (name.strip("_") or "?").partition("_")
    below = ",".join(_base(part) for part in index.split("_") if part)
    return f"{_base(base)}_{{{below}}}" if below else _base(base)


def _base(letters: str) -> str:
    if letters in _GREEK:
        return f"\\{_VARIANTS.get(letters, letters)}"
    return _upright(letters) if len(letters) > 1 else _known(letters)


def _upright(word: str) -> str:
    return f"\\mathrm{{{_known(word)}}}" if word else ""


def _known(word: str) -> str:
    """Return a word with question marks for what mathematics has no letters for."""
    return re.sub(r"[^\u0000-\uffff]", "?", word).replace("_", r"\_")


def phase(text: str, symbols: Mapping[str, str], *, degrees: bool) -> str:
    """Return a phase as mathematics.

    Parameters
    ----------
    text
        x, y, -x, -y, a name of the phase cycle, or an expression of an angle.
    symbols
        Name of the phase cycle to its symbol.
    degrees
        Whether a number without a unit means degrees.
    """
    text = text.strip()
    if text in PHASES or text in symbols:
        return symbols.get(text, text)
    return angle(text, degrees=degrees)


def angle(text: str, *, degrees: bool) -> str:
    """Return an angle as mathematics; ``degrees`` reads a number without a unit as degrees."""
    bare = degrees and re.fullmatch(r"[-+]?[0-9.]+", text.strip())
    return expression(f"{text.strip()} deg" if bare else text)


# ------------------------------------------------------------------------------------ expressions
@dataclass(frozen=True)
class _Token:
    """A number with its unit, a name, or one other character, and where it stands."""

    kind: str
    text: str
    unit: str
    start: int
    end: int


def _tokens(text: str) -> list[_Token]:
    return [
        _Token(
            "number" if found["number"] else "name" if found["name"] else "other",
            found["number"] or found["name"] or found["other"],
            found["unit"] or "",
            found.start(),
            found.end(),
        )
        for found in _TOKEN.finditer(text)
    ]


def names(text: str) -> set[str]:
    """Return the names that an expression uses, without units."""
    return {token.text for token in _tokens(text) if token.kind == "name"}


def substituted(text: str, values: Mapping[str, str]) -> str:
    """Return an expression with other expressions in the place of names, in parentheses if need be.

    Parameters
    ----------
    text
        The expression.
    values
        Name to expression.
    """
    tokens = _tokens(text)
    parts, at = [], 0
    for k, token in enumerate(tokens):
        if token.kind == "name" and token.text in values:
            value = values[token.text]
            before, after = ("".join(t.text for t in tokens[j : j + 1]) for j in (k - 1, k + 1))
            bound = _binds(value, before if k else "", after)
            parts += [text[at : token.start], f"({value})" if bound else value]
            at = token.end
    return "".join([*parts, text[at:]])


def _binds(value: str, before: str, after: str) -> bool:
    """Return whether an expression needs parentheses between two signs."""
    depth, signs = 0, set()
    for token in _tokens(value):
        depth += {"(": 1, ")": -1}.get(token.text, 0)
        signs |= {token.text} if depth == 0 and token.text in "+-*/" else set()
    if signs & set("+-"):
        return before in {"*", "/", "-"} or after in {"*", "/"}
    return bool(signs) and before == "/"


def expression(text: str) -> str:
    """Return an expression of a file as mathematics; what cannot be one has question marks."""
    tokens = _tokens(text)
    depths = accumulate({"(": 1, ")": -1}.get(token.text, 0) for token in tokens)
    if max(depths, default=0) > MAX_PARENTHESES:
        return r"\ldots"  # no expression has so many, and the recursion must end
    return _joined(tokens)


def _joined(tokens: list[_Token]) -> str:
    parts: list[str] = []
    at = 0
    while at < len(tokens):
        token, following = tokens[at], tokens[at + 1 : at + 2]
        if token.kind == "name" and following and following[0].text == "(":
            end = _closing(tokens, at + 1)
            parts.append(_call(token.text, tokens[at + 2 : end]))
            at = end + 1
            continue
        if _is_square(tokens, at):
            parts.append(f"{_name(token.text)}^{{2}}")
            at += 2
        elif token.text == "*":
            parts.append(_times(tokens, at))
        elif token.kind == "other":
            parts.append(_sign(token.text, parts))
        else:
            parts.append(_number(token) if token.kind == "number" else _name(token.text))
        at += 1
    return "".join(parts)


def _is_square(tokens: list[_Token], at: int) -> bool:
    """Return whether ``x*x`` begins here, but not in a/x*x, and not before a call."""
    name = tokens[at].text
    same = tokens[at].kind == "name" and [t.text for t in tokens[at + 1 : at + 3]] == ["*", name]
    before = tokens[at - 1].text if at else ""
    after = "".join(t.text for t in tokens[at + 3 : at + 4])
    return same and before != "/" and after != "("


def _closing(tokens: list[_Token], at: int) -> int:
    """Return where the parenthesis that opens at ``at`` is closed, or the end."""
    depth = 0
    for k in range(at, len(tokens)):
        depth += {"(": 1, ")": -1}.get(tokens[k].text, 0)
        if depth == 0:
            return k
    return len(tokens)


def _number(token: _Token) -> str:
    mantissa, _, exponent = token.text.lower().partition("e")
    number = mantissa
    if exponent:
        number = ("" if mantissa == "1" else f"{mantissa} \\cdot ") + f"{{10^{{{int(exponent)}}}}}"
    if not token.unit:
        return number
    if token.unit in _UNITS and token.unit != "us":
        return number + _UNITS[token.unit]
    return f"{number}\\,{_upright(_UNITS.get(token.unit, token.unit))}"


def _name(name: str) -> str:
    return _SAMPLE.get(name, symbol(name))


def _sign(character: str, before: list[str]) -> str:
    """Return one character; a minus at the beginning stands close to what follows."""
    if character == "-" and (not before or before[-1] in {"(", _SIGNS[","]}):
        return "{-}"
    return _SIGNS.get(character, "?")  # no expression has another


def _times(tokens: list[_Token], at: int) -> str:
    """Return what stands for ``*``: a dot before a number, else a small space or nothing."""
    before, after = tokens[at - 1 : at], tokens[at + 1 : at + 2]
    if not after or after[0].kind == "number":
        return r"\cdot "
    ends = before and (before[0].unit or before[0].text in ")°%")
    words = any(t.kind == "name" and "mathrm" in _name(t.text) for t in [*before, *after])
    calls = after[0].text in FUNCTIONS
    return r"\," if ends or words or calls else " "


def _call(name: str, inside: list[_Token]) -> str:
    if name in SAMPLE_VALUES:
        return _of_spins(
            _SAMPLE.get(name, symbol(name)), [t.text for t in inside if t.kind == "name"]
        )
    around: Mapping[str, Callable[[str], str]] = {
        "sqrt": lambda text: f"\\sqrt{{{text}}}",
        "abs": lambda text: f"|\\,{text}\\,|",
    }
    if name in around:
        return around[name](_joined(inside) or "?")
    known = _FUNCTIONS.get(name, _upright(name)) if name in FUNCTIONS else symbol(name)
    return f"{known}({_joined(inside)})"


def _of_spins(value: str, roles: list[str]) -> str:
    below = ("" if all(len(role) == 1 for role in roles) else ",").join(map(symbol, roles))
    if value.endswith("}") and "_{" in value:
        return f"{value[:-1]},{below}}}"
    return f"{value}_{{{below}}}"


def math(markup: str) -> str:
    """Return mathematics with the dollars around it, the empty text for nothing."""
    return f"${markup}$" if markup else ""
