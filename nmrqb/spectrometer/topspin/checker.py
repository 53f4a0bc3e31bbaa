"""A checker of TopSpin pulse programs, for what `program` emits and what people change in it.

Line by line: every word must be one that TopSpin knows or that the program defines, every phase
program and label must exist, decoupling must be off and the power of hard pulses set when they are
needed, and no delay may be negative with the parameters given.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from nmrqb.errors import Fault, Position, nearest

_TIME = re.compile(r"\d+(?:\.\d+)?[numsNUMS]")
_NUMBERED = re.compile(r"(p|d|l|cnst|sp|pl|plw|gp|gpz|ph|spnam)(\d+)")
_LARGEST = {
    "p": 63, "d": 63, "l": 31, "cnst": 63, "sp": 63, "pl": 63, "plw": 63, "gp": 31, "gpz": 31,
    "ph": 31, "spnam": 63,
}  # fmt: skip
_BUILT_IN = {"ze", "zd", "exit", "aq", "dw", "de", "UNBLKGRAD", "BLKGRAD"}
_BY_INCLUDE = {"UNBLKGRAD": "Grad.incl", "BLKGRAD": "Grad.incl"}
_FACTOR = {"n": 1e-9, "u": 1e-6, "m": 1e-3, "s": 1.0}
_PHASE = re.compile(r"ph(\d+)\s*=\s*(\((\d+)\))?\s*([\d\s]*)$")
_RELATION = re.compile(r'"([A-Za-z]\w*)\s*=\s*([^"]+)"$')
_PULSE = re.compile(
    r"\(\s*(?P<length>\w+)(?P<shape>:sp\d+)?\s+ph(?P<phase>\d+)\^?\s*\)\s*:f(?P<channel>\d+)"
)
_MODIFIER = re.compile(r"pl(\d+):f(\d)|(cpds?\d*|cw|do):f(\d)|UNBLKGRAD|BLKGRAD")


@dataclass
class _State:
    """What is known while the lines are read."""

    defined: dict[str, str] = field(default_factory=dict)
    phases: dict[int, int] = field(default_factory=dict)
    used_phases: dict[int, tuple[int, int]] = field(default_factory=dict)
    labels: dict[str, int] = field(default_factory=dict)
    jumps: dict[str, tuple[int, int]] = field(default_factory=dict)
    relations: dict[str, tuple[str, int]] = field(default_factory=dict)
    decoupled: dict[str, int] = field(default_factory=dict)
    hard: dict[str, bool] = field(default_factory=dict)
    ended: int = 0
    zeroed: bool = False
    acquired: bool = False
    includes: set[str] = field(default_factory=set)


def check_program(
    text: str, parameters: Mapping[str, float] | None = None, *, name: str = "program"
) -> list[Fault]:
    """Return what is wrong with a pulse program, in the order of its lines.

    Parameters
    ----------
    text
        The program.
    parameters
        Values of p, d, cnst … in SI units, with which delays must not be negative.
    name
        What messages call the file.

    Returns
    -------
    list of Fault
        Empty for a program without faults.
    """
    checker = _Checker(name, dict(parameters or {}))
    for number, line in enumerate(text.split("\n"), 1):
        checker.line(number, line.split(";")[0].rstrip())
    checker.end()
    return sorted(checker.faults, key=lambda fault: (fault.at.line, fault.at.column))


class _Checker:
    def __init__(self, name: str, parameters: dict[str, float]) -> None:
        self.name, self.parameters, self.state = name, parameters, _State()
        self.faults: list[Fault] = []

    def fault(self, line: int, column: int, message: str) -> None:
        """Add a fault."""
        self.faults.append(Fault(Position(self.name, line, column), message))

    # -------------------------------------------------------------------------------- lines
    def line(self, number: int, text: str) -> None:
        """Read one line, its comment taken off."""
        bare, column = text.strip(), len(text) - len(text.lstrip()) + 1
        if not bare:
            return
        if bare.startswith("#"):
            self._directive(number, column, bare)
        elif bare.startswith('"'):
            self._relation(number, column, bare)
        elif bare.startswith("define "):
            self._definition(number, column, bare)
        elif re.match(r"ph\d+\s*=", bare):
            self._phases(number, column, bare)
        elif self.state.ended:
            self.fault(number, column, f"after `exit` only phase programs may stand, not `{bare}`")
        else:
            self._body(number, column, bare)

    def _directive(self, line: int, column: int, text: str) -> None:
        found = re.fullmatch(r"#include\s+<([^<>]+)>", text)
        if found is None:
            self.fault(line, column, f"`{text}` must be #include <NAME>")
        else:
            self.state.includes.add(found[1])

    def _definition(self, line: int, column: int, text: str) -> None:
        found = re.fullmatch(r"define\s+(delay|pulse|loopcounter)\s+([A-Za-z]\w*)", text)
        if found is None:
            self.fault(line, column, f"`{text}` must be define delay|pulse|loopcounter NAME")
        elif found[2] in self.state.defined or _is_numbered(found[2]):
            self.fault(line, column, f"`{found[2]}` is defined already")
        else:
            self.state.defined[found[2]] = found[1]

    def _relation(self, line: int, column: int, text: str) -> None:
        found = _RELATION.fullmatch(text)
        if found is None:
            self.fault(line, column, f'`{text}` must be "NAME=EXPRESSION" between quotes')
            return
        name, expression = found[1], found[2]
        if not self._known(name):
            self.fault(line, column + 1, f"`{name}` is not defined{self._hint(name)}")
        for match in re.finditer(r"[A-Za-z]\w*", re.sub(_TIME, "0", expression)):
            if not self._known(match[0]) and match[0] not in self.state.relations:
                self.fault(line, column, f"`{match[0]}` is not defined{self._hint(match[0])}")
        self.state.relations[name] = (expression, line)
        value = self._value(expression)
        if value is not None:
            self.parameters[name] = value
            if value < 0:
                self.fault(line, column, f"`{name}` must not be negative, but is {value:.6g}")

    def _phases(self, line: int, column: int, text: str) -> None:
        found = _PHASE.fullmatch(text)
        if found is None or not found[4].split():
            self.fault(line, column, f"`{text}` must be phN = [(TURN)] whole numbers")
            return
        number, turn = int(found[1]), int(found[3] or 4)
        if number in self.state.phases:
            self.fault(line, column, f"ph{number} is defined already")
        if number > _LARGEST["ph"]:
            self.fault(line, column, f"ph{number} must be ph0 to ph31")
        if any(int(value) >= turn for value in found[4].split()):
            self.fault(line, column, f"the phases of ph{number} must be below a turn, {turn}")
        self.state.phases[number] = line

    # ----------------------------------------------------------------------------------- body
    def _body(self, line: int, column: int, text: str) -> None:
        label = re.match(r"(\d+)(?:\s+|$)", text)
        if label and not _TIME.match(text):
            if label[1] in self.state.labels:
                self.fault(line, column, f"label {label[1]} is there already")
            self.state.labels[label[1]] = line
            text, column = text[label.end() :], column + label.end()
            if not text:
                return
        if text.count("(") != text.count(")"):
            self.fault(line, column, f"the parentheses of `{text}` do not match")
            return
        for read in (self._exit, self._go, self._loop, self._mc, self._pulses):
            if read(line, column, text):
                return
        self._words(line, column, text)

    def _exit(self, line: int, _column: int, text: str) -> bool:
        if text != "exit":
            return False
        self.state.ended = line
        for channel, where in self.state.decoupled.items():
            self.fault(where, 1, f"the decoupler of f{channel} is left on; write do:f{channel}")
        return True

    def _go(self, line: int, column: int, text: str) -> bool:
        found = re.fullmatch(r"go=(\d+)\s+ph(\d+)(?:\s+cpd\d*:f\d)?", text)
        if found is None:
            if text.startswith("go"):
                self.fault(line, column, f"`{text}` must be go=LABEL phN")
            return text.startswith("go")
        self._jump(found[1], line, column)
        self._use_phase(int(found[2]), line, column)
        self.state.acquired = True
        if not self.state.zeroed:
            self.fault(line, column, "the memory must be cleared by `ze` before `go`")
        return True

    def _loop(self, line: int, column: int, text: str) -> bool:
        if not text.startswith("lo"):
            return False
        found = re.fullmatch(r"lo\s+to\s+(\d+)\s+times\s+(\w+)", text)
        if found is None:
            self.fault(line, column, f"`{text}` must be lo to LABEL times COUNT")
            return True
        if found[1] not in self.state.labels:
            self.fault(line, column, f"there is no label {found[1]} before to go back to")
        if not (found[2].isdigit() or self._known(found[2])):
            self.fault(line, column, f"`{found[2]}` is no counter{self._hint(found[2])}")
        return True

    def _mc(self, line: int, column: int, text: str) -> bool:
        found = re.search(r"\bmc\b", text)
        if found is None:
            return False
        jump = re.fullmatch(r"(\S+)\s+mc\s+#0\s+to\s+(\d+)\s+F0\(zd\)", text)
        if jump is None:
            self.fault(line, column, f"`{text}` must be DELAY mc #0 to LABEL F0(zd)")
            return True
        self._words(line, column, jump[1])
        self._jump(jump[2], line, column)
        return True

    def _pulses(self, line: int, column: int, text: str) -> bool:
        if not text.startswith("("):
            return False
        group = re.fullmatch(r"\(\s*(center|ralign|lalign)\s+(.*\S)\s*\)", text)
        inner = group[2] if group else text
        rest = _PULSE.sub("", inner).strip()
        if rest:
            self.fault(line, column, f"`{rest}` is no pulse; a pulse is (pN phN):fN")
        for found in _PULSE.finditer(inner):
            self._pulse(line, column, found)
        return True

    def _pulse(self, line: int, column: int, found: re.Match[str]) -> None:
        channel = found["channel"]
        if not self._known(found["length"]):
            self.fault(
                line, column, f"`{found['length']}` is no pulse{self._hint(found['length'])}"
            )
        self._use_phase(int(found["phase"]), line, column)
        if not 1 <= int(channel) <= 8:
            self.fault(line, column, f"there is no channel f{channel}")
        if found["shape"]:
            if int(found["shape"][3:]) > _LARGEST["sp"]:
                self.fault(line, column, f"`{found['shape'][1:]}` must be sp0 to sp63")
            self.state.hard[channel] = False
        elif not self.state.hard.get(channel, False):
            message = f"the power of f{channel} must be set (pl{channel}:f{channel}) before"
            self.fault(line, column, f"{message} a hard pulse")
        if channel in self.state.decoupled:
            self.fault(line, column, f"the decoupler of f{channel} is on during a pulse")

    def _words(self, line: int, column: int, text: str) -> None:
        for found in re.finditer(r"\S+", text):
            self._word(line, column + found.start(), found[0])

    def _word(self, line: int, column: int, word: str) -> None:
        modifier = _MODIFIER.fullmatch(word)
        if modifier:
            self._modify(line, column, word, modifier)
            return
        pointer = re.fullmatch(r"rpp(\d+)", word)
        if pointer:
            self._use_phase(int(pointer[1]), line, column)
            return
        gradient = re.fullmatch(r"(\w+):gp(\d+)", word)
        if gradient:
            if not self._known(gradient[1]) or int(gradient[2]) > _LARGEST["gp"]:
                self.fault(line, column, f"`{word}` is no gradient; write pN:gpN")
            return
        if word == "ze":
            self.state.zeroed = True
        if re.fullmatch(r"\d+(\.\d+)?", word):
            self.fault(line, column, f"`{word}` needs its unit right after it: n, u, m or s")
        elif not (_TIME.fullmatch(word) or self._known(re.sub(r"\*[\d.]+$", "", word))):
            self.fault(line, column, f"`{word}` is not known{self._hint(word)}")

    def _modify(self, line: int, column: int, word: str, found: re.Match[str]) -> None:
        if found[1]:
            if int(found[1]) > _LARGEST["pl"]:
                self.fault(line, column, f"`{word}` must be pl0 to pl63")
            self.state.hard[found[2]] = True
        elif found[3] == "do":
            self.state.decoupled.pop(found[4], None)
        elif found[3]:
            self.state.decoupled[found[4]] = line
            self.state.hard[found[4]] = False
        elif _BY_INCLUDE[word] not in self.state.includes:
            self.fault(line, column, f"`{word}` needs #include <{_BY_INCLUDE[word]}>")

    # ------------------------------------------------------------------------------------- names
    def _known(self, word: str) -> bool:
        return word in self.state.defined or word in _BUILT_IN or _is_numbered(word)

    def _hint(self, word: str) -> str:
        names = [*self.state.defined, *_BUILT_IN]
        close = nearest(word, names) if names else ""
        return f"; {close}" if close.startswith("did") else ""

    def _use_phase(self, number: int, line: int, column: int) -> None:
        self.state.used_phases.setdefault(number, (line, column))

    def _jump(self, label: str, line: int, column: int) -> None:
        self.state.jumps.setdefault(label, (line, column))

    def _value(self, expression: str) -> float | None:
        """Return the value of an expression where all of it is known."""
        text = re.sub(r"(\d+(?:\.\d+)?)([nums])\b", _in_seconds, expression)
        text = re.sub(r"[A-Za-z]\w*", lambda m: repr(self.parameters.get(m[0], "?")), text)
        try:
            return _calculated(ast.parse(text, mode="eval").body)
        except (SyntaxError, ValueError, ZeroDivisionError):
            return None

    def end(self) -> None:
        """Look at what only the whole program shows."""
        state = self.state
        for phase, (line, column) in state.used_phases.items():
            if phase not in state.phases:
                self.fault(line, column, f"ph{phase} is used, but there is no line ph{phase}=…")
        for label, (line, column) in state.jumps.items():
            if label not in state.labels:
                self.fault(line, column, f"there is no label {label}")
        for name in [name for name in state.defined if name not in state.relations]:
            message = f'{state.defined[name]} `{name}` has no value: there is no line "{name}=…"'
            self.fault(1, 1, message)
        for there, message in (
            (state.ended, "there is no `exit`"),
            (state.acquired, "nothing is acquired: there is no `go=LABEL phN`"),
        ):
            if not there:
                self.fault(state.ended or 1, 1, message)


def _is_numbered(word: str) -> bool:
    found = _NUMBERED.fullmatch(word)
    return found is not None and int(found[2]) <= _LARGEST[found[1]]


def _in_seconds(found: re.Match[str]) -> str:
    return repr(float(found[1]) * _FACTOR[found[2]])


def _calculated(node: ast.AST) -> float:
    """Return the value of a tree of numbers, + − * / and signs; nothing else is read."""
    match node:
        case ast.Constant(value=float() | int() as value):
            return float(value)
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return -_calculated(operand)
        case ast.BinOp(left=left, op=op, right=right):
            return _APPLIED[type(op)](_calculated(left), _calculated(right))
    raise ValueError(f"`{ast.dump(node):.40}` cannot be calculated")


_APPLIED: Mapping[type[ast.operator], Callable[[float, float], float]] = {
    ast.Add: lambda a, b: a + b,
    ast.Sub: lambda a, b: a - b,
    ast.Mult: lambda a, b: a * b,
    ast.Div: lambda a, b: a / b,
}
