"""Text to steps: user text is cut into tokens here and reaches only a whitelist of syntax nodes.

It never reaches `eval` nor the parser of the unit library.  A unit is read only right after a
number; what a name means is left to each evaluation, so that the steps of a text can be kept.
"""

from __future__ import annotations

import ast
import math
import re
from collections.abc import Mapping
from decimal import Decimal
from functools import lru_cache

from nmrqb.units.functions import FUNCTIONS, bare, check_count
from nmrqb.units.steps import (
    ALLOWED,
    Add,
    Apply,
    Literal,
    Lookup,
    Multiply,
    Negate,
    Step,
    UnknownCall,
    UnknownUnit,
    finite,
    not_an_expression,
)
from nmrqb.units.values import EXPONENTS, UNITS, Dimension, UnitError, Value, factor

MAX_PARENTHESES = 20
MAX_KEPT = 8192  # texts whose steps are kept

COMPARING = "<>=!≤≥≠"  # characters
_TOKEN = re.compile(
    r"""(?P<number>(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?)
        (?:\s*(?P<unit>[^\W\d]\w*|[%°]))?
      | (?P<name>[^\W\d]\w*)
      | (?P<operator>[-+*/(),])""",
    re.VERBOSE,
)
_DEEPER = {"(": 1, ")": -1}
_OPERATORS: Mapping[type[ast.operator], Step] = {
    ast.Add: Add(1),
    ast.Sub: Add(-1),
    ast.Mult: Multiply(1),
    ast.Div: Multiply(-1),
}
_DIMENSIONS: Mapping[str, Dimension] = {
    unit: dimension for dimension, units in UNITS.items() for unit in units
}


@lru_cache(maxsize=MAX_KEPT)
def read(text: str) -> tuple[Step, ...]:
    """Return the steps of an expression, operands before their operators.

    Parameters
    ----------
    text
        With single spaces, and short: the caller has looked.

    Raises
    ------
    UnitError
        If it is wrong whatever its names mean.
    """
    return _Reading(text).steps()


class _Reading:
    """One expression; numbers and names become numbered atoms, so its tree holds no user text."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.atoms: dict[str, Literal | str] = {}
        self.unknown: list[UnknownUnit] = []
        self.read: list[Step] = []

    def steps(self) -> tuple[Step, ...]:
        source = " ".join(self._tokens())
        if self.unknown:
            return (self.unknown[0],)
        if source in self.atoms:  # most delays are one number with its unit
            self._add_atom(self.atoms[source])
        else:
            self._add(self._tree(source))
        return tuple(self.read)

    def _tree(self, source: str) -> ast.expr:
        try:
            return ast.parse(source, mode="eval").body
        except (SyntaxError, RecursionError, MemoryError):
            raise not_an_expression(self.text) from None

    # -------------------------------------------------------------------------------- tokens
    def _tokens(self) -> list[str]:
        tokens, at, depth = [], 0, 0
        while at < len(self.text):
            if self.text[at] == " ":
                at += 1
                continue
            found = _TOKEN.match(self.text, at)
            if found is None:
                raise self._stranger(self.text[at])
            depth += _DEEPER.get(found.group(), 0)
            if depth > MAX_PARENTHESES:
                raise UnitError(f"`{self.text}` has more than {MAX_PARENTHESES} nested parentheses")
            tokens.append(found.group("operator") or self._atom(found))
            at = found.end()
        return tokens

    def _stranger(self, character: str) -> UnitError:
        why = "one value is needed here, not a comparison; " if character in COMPARING else ""
        if re.search(r"\bnp\.\w+\(", self.text):
            why = "this is how numpy prints a number with its type, write float(…) of it; "
        return UnitError(f"`{character}` may not stand in `{self.text}`; {why}{ALLOWED}")

    def _atom(self, found: re.Match[str]) -> str:
        atom = f"_{len(self.atoms)}"
        number, unit, name = found.group("number", "unit", "name")
        self.atoms[atom] = name or self._literal(number, unit)
        return atom

    def _literal(self, number: str, unit: str | None) -> Literal:
        dimension = _DIMENSIONS.get(unit) if unit else "ratio"
        if dimension is None:
            self.unknown.append(UnknownUnit(number, unit or ""))
            return Literal(Value(math.nan))
        try:
            scaled = float(Decimal(number) * (factor(dimension, unit) if unit else 1))
        except ArithmeticError:
            scaled = math.inf
        return Literal(finite(scaled, EXPONENTS[dimension], self.text))

    # --------------------------------------------------------------------------------- nodes
    def _add(self, node: ast.expr) -> None:
        match node:
            case ast.BinOp(left=left, op=op, right=right) if type(op) in _OPERATORS:
                self._add(left)
                self._add(right)
                self.read.append(_OPERATORS[type(op)])
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                self._add(operand)
                self.read.append(Negate())
            case ast.UnaryOp(op=ast.UAdd(), operand=operand):
                self._add(operand)
            case ast.Name(id=atom):
                self._add_atom(self.atoms[atom])
            case ast.Call(func=ast.Name(id=atom), args=arguments, keywords=[]):
                self._add_call(self.atoms[atom], arguments)
            case _:
                raise not_an_expression(self.text)

    def _add_atom(self, atom: Literal | str) -> None:
        if isinstance(atom, Literal):
            self.read.append(atom)
        elif atom.lower() in {"nan", "inf", "infinity"}:
            raise UnitError(f"`{self.text}` is not finite; only finite numbers are read")
        elif atom in FUNCTIONS:
            raise bare(atom, self.text)
        else:
            self.read.append(Lookup(atom))

    def _add_call(self, name: Literal | str, arguments: list[ast.expr]) -> None:
        if isinstance(name, Literal):
            raise not_an_expression(self.text)
        if name in FUNCTIONS:
            check_count(name, len(arguments), self.text)
            for argument in arguments:
                self._add(argument)
            self.read.append(Apply(name, len(arguments)))
        else:
            roles = tuple(role for role in map(self._role, arguments) if role is not None)
            known = roles and len(roles) == len(arguments)
            self.read.append(Lookup(name, roles) if known else UnknownCall(name))

    def _role(self, node: ast.expr) -> str | None:
        atom = self.atoms[node.id] if isinstance(node, ast.Name) else None
        return atom if isinstance(atom, str) else None
