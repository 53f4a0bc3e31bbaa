"""Pulse diagrams: what is drawn for what is played."""

import numpy as np
import pytest
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle
from matplotlib.text import Text

from nmrqb.plotting import Column, draw_sequence, timeline_columns
from nmrqb.plotting.style import milliseconds
from nmrqb.sample import load_sample
from nmrqb.sequence import TimedDelay, TimedPulse, TimedRotation, Timeline, expand, load_sequence

ROWS = ("1H", "13C")


@pytest.fixture
def ax():
    return Figure().add_subplot()


def played(name):
    return expand(load_sequence(name), load_sample("chloroform"))


def texts(ax):
    return [text.get_text() for text in ax.texts]


def rectangles(artists):
    return [artist for artist in artists if isinstance(artist, Rectangle)]


def test_columns_of_dm():
    columns = timeline_columns(played("dm"))
    assert [column.kind for column in columns] == ["pulse", "delay", "pulse"] * 2
    assert columns[0].labels == {0: "90\n−y", 1: "90\nx"}
    assert columns[2].labels == {0: "90\ny", 1: "90\n−x"}
    assert columns[1].text == "1.162 ms"  # 1/(4 · 215.13 Hz)
    assert all(column.open == frozenset() for column in columns)


def test_unusual_angles_are_open_and_odd_phases_in_degrees():
    pulse = TimedPulse(
        (TimedRotation(0, np.pi, 0.0), TimedRotation(1, -np.pi / 2, np.radians(37.5)))
    )
    (column,) = timeline_columns(Timeline("x", (pulse,)))
    assert column.open == {0}
    assert column.labels == {0: "180\nx", 1: "-90\n37.5°"}


def test_every_pulse_is_a_bar_in_its_row(ax):
    artists = draw_sequence(ax, timeline_columns(played("dm")), ROWS)
    bars = rectangles(artists)
    assert len(bars) == 8
    assert [bar.get_y() for bar in bars] == [0, -1.6] * 4  # 1H above 13C
    assert {bar.get_facecolor() for bar in bars} == {(0, 0, 0, 1)}
    assert len({bar.get_width() for bar in bars}) == 1
    assert [t.get_text() for t in artists if isinstance(t, Text)] == ["1.162 ms"] * 2
    assert set(ROWS) <= set(texts(ax))
    assert texts(ax).count("90\nx") == 2
    assert not ax.axison


def test_bars_follow_time(ax):
    artists = draw_sequence(ax, timeline_columns(played("dm")), ROWS)
    left = [artist.get_x() for artist in rectangles(artists) if artist.get_y() == 0]
    assert left == sorted(left)
    delays = [artist.get_position()[0] for artist in artists if isinstance(artist, Text)]
    assert left[0] < delays[0] < left[1] < left[2] < delays[1] < left[3]


def test_a_half_turn_is_open_and_wider(ax):
    artists = draw_sequence(ax, timeline_columns(played("spin_echo")), ROWS)
    bars = rectangles(artists)
    assert len(bars) == 2
    assert {bar.get_facecolor() for bar in bars} == {(1, 1, 1, 1)}
    assert {bar.get_edgecolor() for bar in bars} == {(0, 0, 0, 1)}
    both = draw_sequence(ax, [Column("pulse", {0: "a", 1: "b"}, frozenset({0}))], ROWS)
    assert both[0].get_width() > both[1].get_width()


def test_rows_without_a_pulse_stay_empty(ax):
    artists = draw_sequence(ax, [Column("pulse", {1: "90\nx"})], ROWS)
    assert [bar.get_y() for bar in artists] == [-1.6]


def test_the_loop_bracket_holds_its_columns(ax):
    columns = [Column("box", {0: "prepare"}), *timeline_columns(played("dm")), Column("fid")]
    artists = draw_sequence(ax, columns, ROWS, loop=(1, 7, "× 0 … 32"))
    *_, left, right, text = artists
    assert text.get_text() == "× 0 … 32"
    inside = [bar for bar in rectangles(artists) if bar.get_facecolor() == (0, 0, 0, 1)]
    assert len(inside) == 8
    (box,) = (bar for bar in rectangles(artists) if bar not in inside)
    assert box.get_x() + box.get_width() < left.get_xdata()[1] < min(b.get_x() for b in inside)
    assert right.get_xdata()[1] > max(bar.get_x() + bar.get_width() for bar in inside)
    # opens to the inside, and spans both rows
    assert left.get_xdata()[0] > left.get_xdata()[1]
    assert right.get_xdata()[0] < right.get_xdata()[1]
    assert min(left.get_ydata()) < -1.6
    assert max(left.get_ydata()) > 0.55


def test_boxes_and_fids(ax):
    columns = [Column("box", {0: "prepare", 1: "also"}), Column("fid")]
    artists = draw_sequence(ax, columns, ROWS)
    assert [type(artist) for artist in artists] == [Rectangle, Rectangle, Line2D, Line2D]
    assert {"prepare", "also"} <= set(texts(ax))
    upper, lower = (np.mean(line.get_ydata()) for line in artists[2:])
    assert upper - lower == pytest.approx(1.6)


def test_an_empty_sequence_draws_its_rows(ax):
    assert draw_sequence(ax, [], ROWS) == []
    assert texts(ax) == list(ROWS)


def test_delays_are_told_with_a_fitting_unit():
    assert milliseconds(77e-6) == "77 µs"
    assert milliseconds(1.16209e-3) == "1.162 ms"
    assert milliseconds(2.5) == "2.5 s"
    (column,) = timeline_columns(Timeline("x", (TimedDelay(0.0),)))
    assert column.text == "0 µs"
