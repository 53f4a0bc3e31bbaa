"""The named terms of an average Hamiltonian, order by order."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.container import BarContainer

from nmrqb.average import AverageHamiltonian
from nmrqb.operators import NAMED_TERMS, named_terms, pair_part

_VISIBLE = 1e-9  # Hz
_LEVEL = 6  # names that have room beside each other


def draw_orders(ax: Axes, average: AverageHamiltonian, pair: tuple[str, str]) -> list[BarContainer]:
    """Draw the named terms of a pair as bars, one group per term, one bar per order and the exact.

    Parameters
    ----------
    ax
        Where to draw; heights in Hz on a scale that is linear near zero and logarithmic beyond.
    average
        The compiled sequence.
    pair
        Labels of the two spins.

    Returns
    -------
    list of BarContainer
        The bars of H⁽⁰⁾, H⁽¹⁾, … and of the exact Hamiltonian.
    """
    i, j = (average.spins.index(label) for label in pair)
    parts = [term.hamiltonian_hz for term in average.orders] + [average.exact_hz]
    named = [named_terms(pair_part(part, i, j)) for part in parts]
    names = [n for n in (*NAMED_TERMS, "other") if any(abs(v[n]) > _VISIBLE for v in named)]
    labels = [f"H({term.order})" for term in average.orders]
    labels.append("exact" if average.branch_safe else "exact (wraps)")
    width = 0.8 / len(parts)
    places = np.arange(len(names))
    bars = [
        ax.bar(
            places + (k - (len(parts) - 1) / 2) * width, [v[n] for n in names], width, label=label
        )
        for k, (v, label) in enumerate(zip(named, labels, strict=True))
    ]
    largest = max((abs(v[n]) for v in named for n in names), default=1.0)
    threshold = 10.0 ** np.floor(np.log10(1e-3 * largest))  # a tick stands there, none nearer to 0
    ax.set_yscale("symlog", linthresh=threshold)
    ax.set_xticks(places, names)
    if len(names) > _LEVEL:
        ax.tick_params(axis="x", rotation=90)
    ax.axhline(0, color="black", linewidth=0.8)
    ax.set_ylabel(f"{pair[0]}–{pair[1]} (Hz)")
    ax.legend(
        fontsize=8,
        ncols=len(parts),
        frameon=False,
        loc="lower right",
        bbox_to_anchor=(1.0, 1.0),
        borderaxespad=0.2,
    )
    return bars
