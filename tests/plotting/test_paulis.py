"""Pauli bars: heights, errors, names, and what is left out."""

from itertools import pairwise

import numpy as np
import pytest
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure

from nmrqb.errors import ArgumentError
from nmrqb.operators import pauli_strings
from nmrqb.plotting import draw_known_paulis, draw_pauli_bars
from nmrqb.plotting.style import ESTIMATE


@pytest.fixture
def ax():
    return Figure(figsize=(11, 4)).add_subplot()


def numbers(n, seed=0):
    rng = np.random.default_rng(seed)
    size = 4**n - 1
    return rng.uniform(-1, 1, size), rng.uniform(0.01, 0.1, size), rng.uniform(-1, 1, size)


def shown(ax):
    return [text.get_text() for text in ax.get_xticklabels()]


@pytest.mark.parametrize("n", [1, 2, 3])
def test_bars_are_coefficients_with_their_errors(ax, n):
    values, errors, truth = numbers(n)
    estimates, true = draw_pauli_bars(ax, values, errors, truth=truth)
    np.testing.assert_allclose([bar.get_height() for bar in estimates], values)
    np.testing.assert_allclose([bar.get_height() for bar in true], truth)
    (lines,) = estimates.errorbar.lines[2]
    ends = np.array([segment[:, 1] for segment in lines.get_segments()])
    np.testing.assert_allclose(ends, np.stack([values - errors, values + errors], axis=-1))
    assert shown(ax) == list(pauli_strings(n)[1:])
    for left, right in zip(estimates, true, strict=True):  # side by side about the tick
        assert left.get_x() + left.get_width() == pytest.approx(right.get_x())
    middles = [right.get_x() for right in true]
    np.testing.assert_allclose(middles, range(4**n - 1), atol=1e-12)
    assert {bar.get_facecolor()[:3] for bar in estimates} == {to_rgb(ESTIMATE)}
    assert {bar.get_facecolor()[:3] for bar in true} == {(1, 1, 1)}
    assert ax.get_xlabel() == ""
    legend = [text.get_text() for text in ax.get_legend().get_texts()]
    assert legend == ["estimate ± 1 σ", "true"]


def test_without_a_truth_bars_stand_on_their_ticks(ax):
    (bars,) = draw_pauli_bars(ax, numbers(1)[0])
    np.testing.assert_allclose([bar.get_x() + bar.get_width() / 2 for bar in bars], [0, 1, 2])
    assert bars.errorbar is None


def test_of_many_strings_the_largest_are_shown_in_their_order(ax):
    values, errors, truth = numbers(4)
    (estimates, true) = draw_pauli_bars(ax, values, errors, truth=truth)
    sizes = np.maximum(np.abs(values), np.abs(truth))
    order = np.argsort(sizes)
    kept = np.sort(order[-63:])
    assert shown(ax) == [pauli_strings(4)[1:][k] for k in kept]
    np.testing.assert_allclose([bar.get_height() for bar in estimates], values[kept])
    np.testing.assert_allclose([bar.get_height() for bar in true], truth[kept])
    assert "63 largest of 255" in ax.get_xlabel()
    assert f"none is larger than {sizes[order[-64]]:.2g}" in ax.get_xlabel()


@pytest.mark.parametrize("n", [1, 2, 3, 4])
def test_names_do_not_run_into_each_other(ax, n):
    draw_pauli_bars(ax, numbers(n)[0])
    ax.figure.draw_without_rendering()
    boxes = [label.get_window_extent() for label in ax.get_xticklabels()]
    assert not any(a.overlaps(b) for a, b in pairwise(boxes))


@pytest.mark.parametrize(
    ("values", "options", "message"),
    [
        (np.zeros(4), {}, r"`values` must hold 4ⁿ − 1 numbers, but holds 4"),
        (np.zeros(0), {}, r"`values` must hold 4ⁿ − 1 numbers, but holds 0"),
        (np.array([0, np.nan, 0]), {}, r"`values` must be real numbers"),
        (np.array([0, np.inf, 0]), {}, r"`values` must be 3 finite numbers.* 1 that"),
        (np.zeros(3), {"errors": np.zeros(15)}, r"`errors` must be 3 finite .* shape \(15,\)"),
        (np.zeros(3), {"errors": np.array([0, -1, 0])}, r"`errors` must be ≥ 0, but holds -1"),
        (np.zeros(3), {"truth": np.array([0, np.nan, 0])}, r"`truth` must be real numbers"),
    ],
)
def test_what_cannot_be_drawn_is_refused(ax, values, options, message):
    with pytest.raises(ArgumentError, match=message):
        draw_pauli_bars(ax, values, **options)
    assert not ax.patches


# ------------------------------------------------------------------------- what is not determined
def partly(n=2, seed=1):
    """Return values and errors of two thirds of the strings."""
    rng = np.random.default_rng(seed)
    names = pauli_strings(n)[1:]
    known = {name: (float(rng.uniform(-1, 1)), 0.1) for name in names}
    return {name: None if k % 3 == 0 else known[name] for k, name in enumerate(names)}


def test_strings_that_are_not_determined_are_hatched_and_have_no_bar(ax):
    known = partly()
    bars, strips = draw_known_paulis(ax, known)
    drawn = {shown(ax)[round(bar.get_x() + bar.get_width() / 2)]: bar for bar in bars}
    found = {name: pair for name, pair in known.items() if pair}
    assert drawn.keys() == found.keys()
    assert all(drawn[name].get_height() == pair[0] for name, pair in found.items())
    covered = {
        name
        for place, name in enumerate(shown(ax))
        for strip in strips
        if strip.get_x() < place < strip.get_x() + strip.get_width()
    }
    assert covered == known.keys() - found.keys()
    assert all(strip.get_hatch() for strip in strips)
    legend = {text.get_text() for text in ax.get_legend().get_texts()}
    assert legend == {"not determined", "estimate ± 1 σ"}
    colors = {t.get_text(): t.get_color() for t in ax.get_xticklabels()}
    assert colors["IX"] != colors["IY"]


def test_neighbours_share_a_strip_and_a_known_zero_is_no_strip(ax):
    known = dict.fromkeys(pauli_strings(1)[1:]) | {"X": (0.0, 0.0)}
    bars, strips = draw_known_paulis(ax, known)
    assert (len(bars), len(strips)) == (1, 1)
    assert strips[0].get_width() == pytest.approx(1.9)


def test_nothing_or_all_is_determined(ax):
    bars, strips = draw_known_paulis(ax, dict.fromkeys(pauli_strings(2)[1:]))
    assert (len(bars), len(strips)) == (0, 1)
    other = Figure().add_subplot()
    full = dict.fromkeys(pauli_strings(2)[1:], (0.1, 0.1))
    bars, strips = draw_known_paulis(other, full)
    assert (len(bars), len(strips)) == (15, 0)


def test_combinations_stand_to_the_right(ax):
    known = partly()
    draw_known_paulis(ax, known, {"XX + YY": (0.5, 0.1)})
    assert shown(ax) == [*known, "XX + YY"]
    assert any(line.get_xdata()[0] == 14.5 for line in ax.lines)
    long = Figure().add_subplot()
    draw_known_paulis(long, known, {"XX + YY + ZZ − XY": (0.5, 0.1)})
    assert {text.get_rotation() for text in long.get_xticklabels()} == {90.0}


def test_of_many_strings_the_known_and_large_are_shown(ax):
    known = partly(4)
    bars, strips = draw_known_paulis(ax, known)
    found = {name: abs(pair[0]) for name, pair in known.items() if pair}
    largest = sorted(found, key=found.get)[-63:]
    assert set(shown(ax)) == set(largest)
    assert (len(bars), len(strips)) == (63, 0)
    assert "the 63 largest of 255" in ax.get_xlabel()
    assert "85 more are not determined" in ax.get_xlabel()
    rest = max(size for name, size in found.items() if name not in largest)
    assert f"none of 107 others is larger than {rest:.2g}" in ax.get_xlabel()


@pytest.mark.parametrize(
    ("known", "message"),
    [
        ({}, "`known` must hold at least one Pauli string"),
        ({"X": (0.0, -1.0)}, "`known` must hold errors ≥ 0, but holds -1"),
        ({"X": (np.inf, 1.0)}, "`known` must be 2 finite numbers"),
    ],
)
def test_faults_of_what_is_known(ax, known, message):
    with pytest.raises(ArgumentError, match=message):
        draw_known_paulis(ax, known)
    assert not ax.patches
