"""How time and memory grow with spins, passes and members, and where the methods cross."""

from __future__ import annotations

import gc
import itertools
import tracemalloc
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import matplotlib as mpl
import numpy as np
from harness import cpu_seconds
from registers import (
    cycle,
    homonuclear,
    relaxing,
    shaped,
    sparse_homonuclear,
    transverse,
)

from nmrqb.dynamics import evolve, sampled, stroboscopic, unitary
from nmrqb.dynamics.methods import suited_method
from nmrqb.dynamics.relaxing.trajectories import trajectories
from nmrqb.operators import spin_operator

mpl.use("Agg")
from matplotlib import pyplot as plt  # the backend first

FITTED = 3  # points at the end of a curve that an exponent is fitted to
COLOURS = ("#0072b2", "#d55e00", "#009e73")
MARKERS = ("o", "s", "^")
LIMIT_S = 3.0  # a curve ends where a point takes longer
LONG_S = 0.3  # a point that takes longer is measured once
OPEN_TOLERANCE = 1e-6
HEADROOM = 0.4  # of a panel, above its curves, for the legend

Chooser = Callable[[int], str]


@dataclass(frozen=True)
class Curve:
    """Seconds and peak bytes of one way over a range of sizes."""

    label: str
    sizes: list[int]
    seconds: list[float]
    bytes: list[int]


Job = Callable[[int], Callable[[], object]]


def measured(label: str, job: Job, sizes: Sequence[int], *, repeats: int) -> Curve:
    """Return the least CPU time of a few runs and the peak of what one run allocates."""
    curve = Curve(label, [], [], [])
    for size in sizes:
        run = job(size)
        peak = _peak(run)
        seconds = cpu_seconds(run, 0.02 * (repeats > 1))
        for _ in range(repeats - 1 if seconds < LONG_S else 0):
            seconds = min(seconds, cpu_seconds(run, 0.02))
        curve.sizes.append(size)
        curve.seconds.append(seconds)
        curve.bytes.append(peak)
        if seconds > LIMIT_S:
            break
    return curve


def _peak(run: Callable[[], object]) -> int:
    gc.collect()
    tracemalloc.start()
    run()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return max(peak, 1)


def exponent(sizes: Sequence[float], values: Sequence[float]) -> float:
    """Return the slope of log values over log sizes at the large end."""
    x, y = (np.log(np.asarray(v[-FITTED:], dtype=float)) for v in (sizes, values))
    return float(np.polyfit(x, y, 1)[0]) if len(x) > 1 else 0.0


def crossing(first: Curve, second: Curve) -> int | None:
    """Return the first common size from which on the second curve is quicker, None if never."""
    costs = dict(zip(second.sizes, second.seconds, strict=True))
    common = [
        (size, costs[size] < s)
        for size, s in zip(first.sizes, first.seconds, strict=True)
        if size in costs
    ]
    later = list(itertools.takewhile(lambda pair: pair[1], reversed(common)))
    return later[-1][0] if later else None


# ------------------------------------------------------------------------------------- jobs
def _vector(method: str) -> Job:
    def job(n: int) -> Callable[[], object]:
        H, segments = sparse_homonuclear(n, 400), cycle(n, sparse=True)
        return lambda: evolve(segments, H, transverse(n), method=method)

    return job


def _density(method: str) -> Job:
    def job(n: int) -> Callable[[], object]:
        loss, psi, sparse = relaxing(n), transverse(n), method == "trajectories"
        segments = cycle(n, sparse=sparse)
        if sparse:
            H, seen = sparse_homonuclear(n, 60), spin_operator("x", 0, n)
            return lambda: trajectories(
                segments, H, psi, loss, observables=[seen], count=100, steps=1, seed=1
            )
        H, rho = homonuclear(n, 60), np.outer(psi, psi.conj())
        return lambda: evolve(segments, H, rho, loss, method=method, tolerance=OPEN_TOLERANCE)

    return job


def _passes(n: int) -> Job:
    H, segments = homonuclear(n, 400), cycle(n)
    return lambda passes: lambda: stroboscopic(unitary(segments, H), transverse(n), passes)


def _series_passes(n: int) -> Job:
    H, segments = sparse_homonuclear(n, 400), cycle(n, sparse=True)
    return lambda passes: lambda: evolve(segments * passes, H, transverse(n), method="chebyshev")


def _members(members: int) -> Callable[[], object]:
    segments, H = shaped(64, 1e-3), homonuclear(2, 100, members=(members,))
    b1 = np.random.default_rng(2).normal(1, 0.05, members)
    return lambda: unitary([segment.scaled(b1) for segment in segments], H)


def _open_members(members: int) -> Callable[[], object]:
    H, psi, loss = homonuclear(2, 100, members=(members,)), transverse(2), relaxing(2)
    return lambda: sampled(H, np.outer(psi, psi.conj()), 1e-3, 50, loss)


# ----------------------------------------------------------------------------------- curves
def chosen_for_vector(n: int) -> str:
    """Return what ``evolve`` takes by itself for one cycle on a vector."""
    return evolve(cycle(n, sparse=True), sparse_homonuclear(n, 400), transverse(n)).method


def chosen_for_open(n: int) -> str:
    """Return what ``evolve`` takes by itself for an open register."""
    return suited_method(n, open_register=True)


def over_spins(*, quick: bool) -> Iterator[tuple[str, Chooser, list[Curve]]]:
    """Yield title, the automatic choice, and the curves over spins."""
    repeats = 1 if quick else 3
    top = {"unitary": 9, "chebyshev": 12, "superoperator": 4, "splitting": 8, "trajectories": 10}
    for title, chooser, make, methods in (
        (
            "closed: a vector through 8 pulses",
            chosen_for_vector,
            _vector,
            ("unitary", "chebyshev"),
        ),
        (
            "T1 and T2: 8 pulses, splitting to 10⁻⁶, 100 trajectories",
            chosen_for_open,
            _density,
            ("superoperator", "splitting", "trajectories"),
        ),
    ):
        yield (
            title,
            chooser,
            [
                measured(
                    method,
                    make(method),
                    range(1, 1 + (2 if quick else top[method])),
                    repeats=repeats,
                )
                for method in methods
            ],
        )


def over_work(*, quick: bool) -> Iterator[tuple[str, list[Curve]]]:
    """Yield the label of the axis and the curves over passes and over members."""
    repeats = 1 if quick else 3
    decades = (1, 3, 10) if quick else (1, 3, 10, 30, 100, 300, 1000, 3000, 10_000)
    small = 3 if quick else 4
    large = 3 if quick else 8
    few = decades[:2] if quick else decades[:5]
    yield (
        "cycles",
        [
            measured(f"cached, {small} spins", _passes(small), decades, repeats=repeats),
            measured(f"cached, {large} spins", _passes(large), decades, repeats=repeats),
            measured(f"series, {large} spins", _series_passes(large), few, repeats=repeats),
        ],
    )
    yield (
        "members of an ensemble",
        [
            measured("closed, 64 steps, 2 spins", _members, decades, repeats=repeats),
            measured("open, 51 samples, 2 spins", _open_members, decades, repeats=repeats),
        ],
    )


# ------------------------------------------------------------------------------------ plots
def draw(folder: Path, *, quick: bool) -> list[Path]:
    """Measure and save the figures; return their files."""
    folder.mkdir(parents=True, exist_ok=True)
    files = []
    for name, figure in (
        ("spins", spins_figure(list(over_spins(quick=quick)))),
        ("work", work_figure(list(over_work(quick=quick)))),
    ):
        files.append(folder / f"scaling_{name}.png")
        figure.savefig(files[-1], dpi=150)
        plt.close(figure)
    return files


def spins_figure(panels):
    """Draw seconds and memory over spins, with the switch of the automatic choice."""
    figure, axes = plt.subplots(2, 2, figsize=(11, 7.5), layout="constrained")
    for column, (title, chooser, curves) in zip(axes.T, panels, strict=True):
        column[0].set_title(title, fontsize="medium")
        _panel(column, curves, lambda n: 2.0 ** np.asarray(n), "d")
        spins = sorted({n for curve in curves for n in curve.sizes})
        switches = [m for m, n in itertools.pairwise(spins) if chooser(m) != chooser(n)]
        for ax in column:
            ax.set_xlabel("spins")
            ax.set_xticks(spins)
            for k, n in enumerate(switches):
                label = "_" if k else "automatic choice switches"
                ax.axvline(n + 0.5, color="0.4", linestyle="--", label=label)
            _legend(ax)
        found = [crossing(*pair) for pair in itertools.pairwise(curves)]
        for pair, n in zip(itertools.pairwise(curves), found, strict=True):
            _mark_crossing(column[0], pair, n)
    return figure


def _panel(axes, curves, size, symbol):
    """Draw curves of seconds above curves of memory, their exponents in the legends."""
    for ax, attribute, unit, label in zip(
        axes, ("seconds", "bytes"), (1, 2**20), ("CPU time (s)", "peak memory (MiB)"), strict=True
    ):
        for curve, colour, marker in zip(curves, COLOURS, MARKERS, strict=False):
            values = getattr(curve, attribute)
            power = exponent(size(curve.sizes), values)
            ax.semilogy(
                curve.sizes,
                np.asarray(values) / unit,
                marker=marker,
                color=colour,
                label=rf"{curve.label}  $\propto {symbol}^{{{power:.1f}}}$",
            )
        ax.set_ylabel(label)
        ax.grid(alpha=0.3)
        low, high = ax.get_ylim()
        ax.set_ylim(low, high * (high / low) ** HEADROOM)
        _legend(ax)


def _legend(ax):
    ax.legend(
        fontsize="small", loc="upper left", title=f"fit of the last {FITTED} points",
        title_fontsize="x-small", alignment="left",
    )  # fmt: skip


def _mark_crossing(ax, pair, n):
    if n is not None and n > pair[1].sizes[0]:
        seconds = pair[1].seconds[pair[1].sizes.index(n)]
        ax.annotate(
            f"{pair[1].label} quicker\nfrom {n} spins",
            (n, seconds),
            xytext=(14, -38),
            textcoords="offset points",
            fontsize="small",
            arrowprops={"arrowstyle": "->", "color": "0.4"},
        )


def work_figure(panels):
    """Draw seconds and memory over passes and members, with fitted exponents."""
    figure, axes = plt.subplots(2, 2, figsize=(11, 7.5), layout="constrained")
    for column, (label, curves) in zip(axes.T, panels, strict=True):
        _panel(column, curves, np.asarray, "N")
        for ax in column:
            ax.set_xscale("log")
            ax.set_xlabel(f"{label} N")
        if len(curves) > 2:
            _mark_passes(column[0], *curves[1:])
    return figure


def _mark_passes(ax, cached, series):
    """Mark the number of passes from which on a propagator is quicker than a series."""
    n = crossing(series, cached)
    if n is not None:
        ax.axvline(n, color="0.4", linestyle=":", label=f"a propagator is quicker from {n}")
        _legend(ax)
