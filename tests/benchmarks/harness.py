"""Speed as a ratio against a peer in the same run: CPU time, one thread, medians, both errors."""

from __future__ import annotations

import gc
import json
import os
import platform
import statistics
import sys
import time
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from importlib.util import find_spec
from typing import Any

MATCHED = 10.0  # times the peer's error that ours may be
PEERS = ("qiskit-experiments", "cvxpy", "scs")  # of the extra ``peers``, where it is installed
ROUNDING = 1e-11  # errors below it need not match: both results are exact


@dataclass(frozen=True)
class Case:
    """Two ways to the same result, and how wrong each is.

    Attributes
    ----------
    name, peer_name
        What is measured, and what it is measured against.
    ours, peer
        Both are called without arguments; no peer is none.
    errors
        Of both results, against a reference that neither has made.
    bound, peer_bound
        Largest errors; a peer beyond it computes something else.
    share
        Part of the work that the peer does, if all of it would take too long: its time is divided
        by this.
    target
        Wanted ratio.
    exact_peer
        Whether the peer may be more accurate than ours; the row is then no match of accuracy.
    missing
        Why there is no peer, where there should be one.
    """

    name: str
    peer_name: str
    ours: Callable[[], Any]
    peer: Callable[[], Any] | None
    errors: Callable[[Any, Any], tuple[float, float]]
    bound: float
    peer_bound: float = 1e-3
    share: float = 1.0
    target: float | None = None
    exact_peer: bool = False
    missing: str = ""


@dataclass(frozen=True)
class Row:
    """Median CPU seconds and errors of both, and how often ours is quicker."""

    name: str
    peer: str
    ours_s: float
    ours_error: float
    bound: float
    peer_s: float | None
    peer_error: float | None
    ratio: float | None
    target: float | None
    wrong: str = ""
    missing: str = ""

    @property
    def met(self) -> bool | None:
        """Whether the target is met; None without one."""
        return None if self.target is None or self.ratio is None else self.ratio >= self.target


def measure(case: Case, repeats: int, least_s: float = 0.05) -> Row:
    """Time both ways in turn, so that a change of the machine's speed meets both."""
    mine = case.ours()
    theirs = case.peer() if case.peer else None
    errors = case.errors(mine, theirs)
    del mine, theirs
    ours, peer = [], []
    for _ in range(repeats):
        ours.append(cpu_seconds(case.ours, least_s))
        if case.peer:
            peer.append(cpu_seconds(case.peer, least_s) / case.share)
    ours_s, wrong = statistics.median(ours), _wrong(case, *errors)
    if not case.peer:
        return Row(
            case.name, "", ours_s, errors[0], case.bound, None, None, None, case.target, wrong,
            case.missing,
        )  # fmt: skip
    peer_s = statistics.median(peer)
    return Row(
        case.name, case.peer_name, ours_s, errors[0], case.bound,
        peer_s, errors[1], peer_s / ours_s, case.target, wrong,
    )  # fmt: skip


def _wrong(case: Case, ours: float, theirs: float) -> str:
    """Return what is wrong with the results, nothing if nothing is."""
    if not ours <= case.bound:
        return f"ERROR ABOVE {case.bound:.0e}"
    if case.peer and not theirs <= case.peer_bound:
        return "PEER DIFFERS"
    if case.peer and not case.exact_peer and ours > max(MATCHED * theirs, ROUNDING):
        return "NOT MATCHED"
    return ""


def cpu_seconds(function: Callable[[], object], least_s: float = 0.05) -> float:
    """Return the CPU time of one call, the mean of as many as fill a while."""
    gc.collect()
    start, calls = time.process_time(), 0
    while calls == 0 or time.process_time() - start < least_s:
        function()
        calls += 1
    return max(time.process_time() - start, 1e-9) / calls


def machine() -> str:
    """Return what the numbers depend on, without a name of the machine."""
    names = [name for name in ("numpy", "scipy", "qutip", *PEERS) if find_spec(_module(name))]
    packages = ", ".join(f"{name} {version(name)}" for name in names)
    day = datetime.now(tz=UTC).date().isoformat()
    cores = f"{os.cpu_count()}-core {platform.machine()}"
    return f"{day}, {cores}, one thread, Python {platform.python_version()}, {packages}"


def _module(package: str) -> str:
    return package.replace("-", "_")


def report(cases: Iterable[Case], *, quick: bool, as_json: bool) -> list[Row]:
    """Measure the cases and print a table as it grows, or one JSON document."""
    rows = []
    if not as_json:
        _print(f"{machine()}\n\n{line(HEADER)}\n{line(['-' * width for width in WIDTHS])}")
    for case in cases:
        rows.append(measure(case, 1 if quick else 5, 0.0 if quick else 0.05))
        if not as_json:
            _print(line(_cells(rows[-1])))
    if as_json:
        table = [{**asdict(row), "met": row.met} for row in rows]
        _print(json.dumps({"machine": machine(), "rows": table}, indent=1))
    return rows


def _print(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


HEADER = ("case", "ms", "error", "against", "its ms", "its error", "ratio", "target")
WIDTHS = (56, 9, 7, 50, 9, 9, 7, 22)
_LEFT = (0, 3, 7)  # columns of words


def line(cells: Iterable[str]) -> str:
    """Return one line of the table, which Markdown reads too."""
    padded = (
        f"{cell:<{width}}" if k in _LEFT else f"{cell:>{width}}"
        for k, (cell, width) in enumerate(zip(cells, WIDTHS, strict=True))
    )
    return f"| {' | '.join(padded)} |"


def _cells(row: Row) -> list[str]:
    target = "" if row.target is None else f"{row.target:g} {'met' if row.met else 'MISSED'}"
    peer = ["", "", ""]
    if row.peer_s is not None and row.peer_error is not None and row.ratio is not None:
        peer = [_ms(row.peer_s), f"{row.peer_error:.0e}", f"{row.ratio:.3g}"]
        peer[2] = f"{row.ratio:.0f}" if row.ratio >= 100 else f"{row.ratio:.2g}"
    return [
        row.name, _ms(row.ours_s), f"{row.ours_error:.0e}", row.peer, *peer,
        row.wrong or row.missing or target,
    ]  # fmt: skip


def _ms(seconds: float) -> str:
    return f"{seconds * 1e3:.3g}" if seconds < 0.1 else f"{seconds * 1e3:.0f}"
