"""Populations: bars with errors, or a hatched strip that is no zero."""

import numpy as np
import pytest
from matplotlib.figure import Figure

from nmrqb.errors import ArgumentError
from nmrqb.plotting import basis_labels, draw_populations, hatched


@pytest.fixture
def ax():
    return Figure().add_subplot()


@pytest.mark.parametrize("n", [1, 2, 4])
def test_bars_and_errors(ax, n):
    values = np.linspace(-0.5, 0.5, 2**n)
    errors = np.full(2**n, 0.1)
    bars = draw_populations(ax, basis_labels(2**n), values, errors, title="p")
    np.testing.assert_allclose([bar.get_height() for bar in bars], values)
    (lines,) = bars.errorbar.lines[2]
    assert [np.ptp(s[:, 1]) for s in lines.get_segments()] == pytest.approx([0.2] * 2**n)
    first = ax.get_xticklabels()[0].get_text()
    assert first == "|" + "0" * n + "⟩"


def test_what_is_not_determined_has_no_bar(ax):
    assert draw_populations(ax, basis_labels(4), None) is None
    assert not ax.containers
    (strip,) = [patch for patch in ax.patches if patch.get_hatch()]
    assert strip.get_width() > 3.5
    assert [text.get_text() for text in ax.texts] == ["not determined"]
    assert not ax.get_yticks().size


def test_a_strip_reaches_from_top_to_bottom(ax):
    strip = hatched(ax, 1.0, 2.0)
    ax.set_ylim(-5, 7)
    low, high = ax.transAxes.inverted().transform(strip.get_window_extent())[:, 1]
    assert (low, high) == pytest.approx((0, 1))
    assert not ax.texts


@pytest.mark.parametrize(
    ("values", "errors", "message"),
    [
        (np.zeros(3), None, r"`values` must be 4 finite numbers.* shape \(3,\)"),
        (np.array([0, 0, 0, np.inf]), None, "`values` must be 4 finite"),
        (np.zeros(4), np.array([0, 0, -1, 0]), "`errors` must be ≥ 0, but holds -1"),
    ],
)
def test_faults(ax, values, errors, message):
    with pytest.raises(ArgumentError, match=message):
        draw_populations(ax, basis_labels(4), values, errors)
    assert not ax.containers
