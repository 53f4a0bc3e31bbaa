"""Coverage of intervals, cell by cell."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes

from nmrqb.experiment import CoverageRow
from nmrqb.plotting.style import CHANNELS, QUIET, quiet_axes

_LEAST, _NOMINAL, _MOST = 0.92, 0.95, 0.98


def draw_coverage(ax: Axes, rows: Sequence[CoverageRow]) -> list[Artist]:
    """Draw the coverage of one figure of merit against battery and state.

    Filled marks are cells without a kink or the boundary within three standard deviations, which
    must lie in the band; open ones must lie above its lower edge.

    Parameters
    ----------
    ax
        Where to draw.
    rows
        Rows of one figure of merit.

    Returns
    -------
    list of Artist
        The marks of every signal-to-noise ratio.
    """
    places = list(dict.fromkeys((row.battery, row.state) for row in rows))
    ratios = sorted({row.snr for row in rows})
    ax.axhspan(_LEAST, _MOST, color="#eeeeee", zorder=0)
    ax.axhline(_NOMINAL, color=QUIET, linewidth=0.8, zorder=1)
    artists: list[Artist] = []
    for k, snr in enumerate(ratios):
        own = [row for row in rows if row.snr == snr]
        x = [
            places.index((row.battery, row.state)) + 0.22 * (k - (len(ratios) - 1) / 2)
            for row in own
        ]
        covers = np.array([row.coverage for row in own])
        errors = [row.coverage_error for row in own]
        color = CHANNELS[k % len(CHANNELS)]
        ax.errorbar(x, covers, yerr=errors, fmt="none", color=color, linewidth=0.9)
        faces = [color if row.inside else "white" for row in own]
        artists.append(ax.scatter(x, covers, c=faces, edgecolors=color, s=18, zorder=3))
        ax.scatter([], [], color=color, s=18, label=f"SNR {snr:g}")
    ax.set_xticks(range(len(places)), [state for _, state in places], rotation=60, fontsize=7)
    for edge in range(1, len(places)):
        if places[edge][0] != places[edge - 1][0]:
            ax.axvline(edge - 0.5, color=QUIET, linewidth=0.6)
    for battery in dict.fromkeys(battery for battery, _ in places):
        middle = np.mean([k for k, place in enumerate(places) if place[0] == battery])
        ax.text(float(middle), 1.004, battery, ha="center", va="bottom", fontsize=7)
    ax.set_ylim(0.9, 1.012)
    quiet_axes(ax, grid=False)
    return artists
