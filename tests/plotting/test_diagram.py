"""Pulse diagrams: what is drawn for what is written, and that nothing hides anything."""

import itertools

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import FancyArrowPatch, Polygon, Rectangle
from matplotlib.text import Text

from nmrqb.errors import ArgumentError
from nmrqb.files import library
from nmrqb.plotting import (
    Column,
    Mark,
    box,
    diagram_size,
    draw_sequence,
    fid,
    sequence_diagram,
    timeline_columns,
)
from nmrqb.plotting.diagram_layout import LINE_WIDTH, PULSE, diagram_layout
from nmrqb.plotting.lettering import SMALL, text_width
from nmrqb.plotting.sequences import GRADIENT, HALF_SINE
from nmrqb.sample import load_sample
from nmrqb.sequence import default_sample, expand, load_sequence

ROWS = ("1H", "13C")
PULSED = Column(marks={0: Mark(label="x")})
DELAY = Column("delay", text="t")


@pytest.fixture
def ax():
    return Figure().add_subplot()


def full_size(columns, rows, notes=()):
    """Return Axes on which a diagram has its full size, and the artists of the diagram."""
    figure = Figure(figsize=diagram_size(columns, rows, notes))
    FigureCanvasAgg(figure)
    ax = figure.add_axes((0, 0, 1, 1))
    return ax, draw_sequence(ax, columns, rows, notes=notes)


def shipped(name):
    sequence = load_sequence(name)
    return sequence_diagram(sequence, default_sample(sequence))


def draw(diagram):
    return full_size(diagram.columns, diagram.rows, diagram.notes)


def of(kind, artists):
    return [artist for artist in artists if type(artist) is kind]


def texts(artists):
    return [artist.get_text() for artist in of(Text, artists)]


def heights(ax, rows):
    """Return where the names of the rows stand, line by line."""
    return [text.get_position()[1] for text in ax.texts if text.get_text() in rows]


def dashed(patches):
    return [patch for patch in patches if patch.get_linestyle() not in {"-", "solid"}]


def brackets(artists):
    return [line for line in of(Line2D, artists) if len(line.get_xdata()) == 4]


# ---------------------------------------------------------------------------------------- pulses
def test_every_pulse_is_a_bar_in_its_row():
    diagram = shipped("dm")
    ax, artists = draw(diagram)
    bars = of(Rectangle, artists)
    upper, lower = heights(ax, diagram.rows)
    assert [bar.get_y() for bar in bars] == [upper, lower] * 4
    assert upper > lower + PULSE
    assert {to_hex(bar.get_facecolor()) for bar in bars} == {"#000000"}
    assert {(bar.get_width(), bar.get_height()) for bar in bars} == {(5.5, PULSE)}
    assert texts(artists).count("$t$") == 2
    assert not ax.axison


def test_bars_delays_and_arrows_follow_time():
    artists = draw(shipped("dm"))[1]
    bars = [b for b in of(Rectangle, artists) if b.get_y() == of(Rectangle, artists)[0].get_y()]
    ends = [(bar.get_x(), bar.get_x() + bar.get_width()) for bar in bars]
    assert ends == sorted(ends)
    for arrow, text, (before, after) in zip(
        of(FancyArrowPatch, artists),
        (text for text in of(Text, artists) if text.get_text() == "$t$"),
        ((ends[0], ends[1]), (ends[2], ends[3])),
        strict=True,
    ):
        left, right = arrow.get_path().get_extents().intervalx
        assert before[1] < left < before[1] + 2  # it fills the gap
        assert after[0] - 2 < right < after[0]
        assert text.get_position()[0] == pytest.approx((left + right) / 2)


def test_half_turns_are_open_and_wider_and_other_angles_grey():
    columns = [
        Column(marks={0: Mark(look=look, width=width)})
        for look, width in (("filled", 5.5), ("open", 11.0), ("grey", 8.0))
    ]
    ninety, half, other = of(Rectangle, full_size(columns, ROWS)[1])
    assert ninety.get_width() < other.get_width() < half.get_width()
    assert to_hex(half.get_facecolor()) == "#ffffff"
    assert to_hex(other.get_facecolor()) not in {"#ffffff", "#000000"}
    assert {to_hex(bar.get_edgecolor()) for bar in (ninety, half, other)} == {"#000000"}


def test_labels_stand_over_pulses_and_lengths_under_them(ax):
    mark = Mark(label="above", under="below", text="inside", width=40)
    artists = draw_sequence(ax, [Column(marks={0: mark})], ROWS)
    (bar,) = of(Rectangle, artists)
    position = {text.get_text(): text.get_position() for text in of(Text, artists)}
    assert {x for x, _ in position.values()} == {bar.get_x() + 20}
    assert position["above"][1] >= bar.get_y() + bar.get_height()
    assert bar.get_y() < position["inside"][1] < bar.get_y() + bar.get_height()
    assert position["below"][1] < bar.get_y()


def test_shaped_pulses_are_their_envelope(ax):
    outline = (0.1, 1.0, -0.2)
    (shape,) = draw_sequence(ax, [Column(marks={1: Mark(outline=outline, width=30)})], ROWS)
    assert isinstance(shape, Polygon)
    base = heights(ax, ROWS)[1]
    corners = shape.get_xy()
    np.testing.assert_allclose(corners[1:4, 1] - base, PULSE * np.array(outline))
    np.testing.assert_allclose(np.diff(corners[1:4, 0]), 15)
    assert {corners[0, 1], corners[4, 1]} == {base}


def test_gradients_have_the_last_row(ax):
    crush = Mark(look="hatched", outline=HALF_SINE)
    weak = Mark(look="grey", outline=tuple(-0.5 * h for h in HALF_SINE))
    columns = [Column(marks={GRADIENT: crush}), Column(marks={GRADIENT: weak})]
    first, second = of(Polygon, draw_sequence(ax, columns, ROWS))
    (base,) = heights(ax, ["$G_z$"])
    assert base < min(heights(ax, ROWS))
    assert first.get_hatch()
    assert not second.get_hatch()
    assert first.get_xy()[:, 1].max() == pytest.approx(base + PULSE)
    assert second.get_xy()[:, 1].min() == pytest.approx(base - PULSE / 2)


def test_without_gradients_there_is_no_row_for_them(ax):
    draw_sequence(ax, [PULSED], ROWS)
    assert heights(ax, ["$G_z$"]) == []


def test_boxes_fids_and_points(ax):
    point = Mark("point", label="x", width=7)
    columns = [
        Column(marks={0: box("prepare"), 1: box("z 90", look="dashed")}),
        Column(marks={0: point}),
        Column(marks={0: fid("x"), 1: fid()}),
    ]
    artists = draw_sequence(ax, columns, ROWS)
    solid, broken = of(Rectangle, artists)
    upper, lower = heights(ax, ROWS)
    assert solid.get_y() + solid.get_height() / 2 == pytest.approx(upper)  # on the axis
    assert broken.get_y() + broken.get_height() / 2 == pytest.approx(lower)
    assert dashed([solid, broken]) == [broken]
    (triangle,) = of(Polygon, artists)
    assert triangle.get_xy()[:, 1].min() == pytest.approx(upper)
    decays = of(Line2D, artists)
    assert [np.mean(line.get_ydata()) for line in decays] == pytest.approx([upper, lower], abs=1)
    first, last = np.ptp(decays[0].get_ydata()[:100]), np.ptp(decays[0].get_ydata()[-100:])
    assert first > 5 * last
    assert texts(artists) == ["prepare", "z 90", "x", "x"]


def test_blocks_reach_over_their_rows(ax):
    columns = [Column("block", text="all"), Column("block", text="some", rows=(1,))]
    whole, part = of(Rectangle, draw_sequence(ax, columns, (*ROWS, "F")))
    first, second, third = heights(ax, (*ROWS, "F"))
    assert whole.get_y() < third < first < whole.get_y() + whole.get_height()
    assert third < part.get_y() < second < part.get_y() + part.get_height() < first


@pytest.mark.parametrize("where", ["label", "under", "text"])
def test_wide_texts_keep_columns_apart(where):
    columns = [Column(marks={0: Mark(**{where: f"a wide text {k}"})}) for k in range(3)]
    if where == "text":
        columns = [Column(marks={0: box("a wide text")})] * 3
    ax, _ = full_size(columns, ROWS)
    assert overlapping(ax.figure) == []


def test_blocks_keep_lines_apart():
    block = Column("block", text="b")
    ax, artists = full_size([block] * 40, ROWS)
    bottoms = sorted({r.get_y() for r in of(Rectangle, artists)})
    tops = sorted({r.get_y() + r.get_height() for r in of(Rectangle, artists)})
    assert len(bottoms) > 1
    assert tops[0] + 10 < bottoms[1]
    bare = Column(marks={0: Mark()})
    assert diagram_size([block], ROWS)[1] > diagram_size([bare], ROWS)[1]
    assert bottoms[0] > ax.get_ylim()[0]


# ------------------------------------------------------------------------------ brackets and frames
def test_brackets_hold_their_columns_and_outer_ones_are_higher():
    opened, inner, outer = Column("open"), Column("close", text="× 2"), Column("close", text="× n")
    columns = [DELAY, opened, PULSED, opened, DELAY, PULSED, inner, outer, PULSED]
    ax, artists = full_size(columns, ROWS)
    left, right, far_left, far_right = brackets(artists)
    bars = [bar.get_x() for bar in of(Rectangle, artists)]
    x = [line.get_xdata()[1] for line in (far_left, left, right, far_right)]
    assert x == sorted(x)
    assert x[0] < bars[0] < x[1] < bars[1] < x[2] < x[3] < bars[2]
    for line, inwards in ((left, 1), (right, -1), (far_left, 1), (far_right, -1)):
        assert inwards * (line.get_xdata()[0] - line.get_xdata()[1]) > 0
    upper, lower = heights(ax, ROWS)
    for line in (left, far_left):
        assert min(line.get_ydata()) < lower
        assert max(line.get_ydata()) > upper + PULSE
    assert max(far_left.get_ydata()) > max(left.get_ydata())
    assert min(far_left.get_ydata()) < min(left.get_ydata())
    position = {text.get_text(): text.get_position()[0] for text in of(Text, artists)}
    assert x[2] < position["× 2"] < x[3] < position["× n"] < bars[2]


def test_frames_hold_their_columns_and_their_name():
    name = "a name that is longer than its columns"
    columns = [Column("open", text=name, group="frame"), PULSED, Column("close", group="frame")]
    _, artists = full_size([DELAY, *columns, PULSED], ROWS)
    (frame,) = dashed(of(Rectangle, artists))
    inside, outside = (r for r in of(Rectangle, artists) if r is not frame)
    right = frame.get_x() + frame.get_width()
    assert frame.get_x() < inside.get_x() < right < outside.get_x()
    (label,) = (text for text in of(Text, artists) if text.get_text() == name)
    extent = label.get_window_extent().transformed(label.axes.transData.inverted())
    assert frame.get_x() < extent.x0 < extent.x1 < right
    assert extent.y1 < frame.get_y() + frame.get_height()
    assert frame.get_zorder() < inside.get_zorder()


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ([Column("open"), DELAY], "must close what column 0 opens"),
        ([DELAY, Column("close")], "must open what column 1 closes"),
    ],
)
def test_groups_must_be_whole(ax, columns, message):
    with pytest.raises(ArgumentError, match=message):
        draw_sequence(ax, columns, ROWS)


def test_rows_must_be_named(ax):
    with pytest.raises(ArgumentError, match="`rows` must name row 2, but has 2 rows"):
        draw_sequence(ax, [Column(marks={GRADIENT: Mark()}), Column(marks={2: Mark()})], ROWS)


# ------------------------------------------------------------------------------------- long ones
def test_long_sequences_go_on_in_the_next_line():
    diagram = shipped("cory48")
    ax, artists = draw(diagram)
    layout = diagram_layout(diagram.columns, diagram.rows, diagram.notes)
    lines = heights(ax, diagram.rows)
    assert len(lines) == len(layout.lines) == 4
    bars = of(Rectangle, artists)
    assert [sum(bar.get_y() == y for bar in bars) for y in lines] == [12] * 4  # of equal length
    assert {diagram.columns[first].kind for first, _ in layout.lines} == {"delay"}
    assert max(right for _, right in layout.edges) < layout.margin + LINE_WIDTH
    assert np.diff(lines) == pytest.approx(-layout.pitch)


def test_lines_break_outside_of_groups_if_they_can():
    group = [Column("open"), *[DELAY] * 8, Column("close", text="× n")]
    columns = [*[DELAY] * 12, *group, *[DELAY] * 10]
    ((_, first), *_) = diagram_layout(columns, ROWS).lines
    assert first in {12, 22}


def test_groups_that_are_broken_are_drawn_on_both_lines():
    framed = [Column("open", text="long", group="frame"), *[PULSED, DELAY] * 24]
    columns = [Column("open"), *framed, Column("close", group="frame"), Column("close", text="× n")]
    ax, artists = full_size(columns, ROWS)
    frames = dashed(of(Rectangle, artists))
    lines = heights(ax, ROWS)[::2]
    assert len(frames) == len(lines) > 1
    for frame, y in zip(frames, lines, strict=True):
        assert frame.get_y() < y < frame.get_y() + frame.get_height()
    left, right = brackets(artists)
    assert max(left.get_ydata()) > lines[0]
    assert max(right.get_ydata()) < lines[-2]
    assert texts(artists).count("long") == 1


def test_sizes_grow_with_the_content():
    small, long = diagram_size([PULSED], ROWS), diagram_size([PULSED, DELAY] * 100, ROWS)
    assert long[0] > small[0]
    assert long[1] > 5 * small[1]
    assert diagram_size([PULSED], ("1H",))[1] < small[1]
    assert diagram_size([PULSED], ROWS, [["note"]])[1] > small[1]


def test_a_short_diagram_is_no_wider_than_what_it_shows():
    width = 72 * diagram_size([PULSED], ("1H",))[0]
    assert width < 120
    right = diagram_layout([PULSED], ("1H",)).edges[0][1]
    assert right < width < right + 10
    told = 72 * diagram_size([PULSED], ("1H",), [["a note of this length"]])[0]
    assert told == pytest.approx(text_width("a note of this length", SMALL), abs=6)


def test_a_short_diagram_does_not_fill_large_axes():
    ax = Figure(figsize=(10, 10)).add_axes((0, 0, 1, 1))
    draw_sequence(ax, [PULSED], ROWS)
    size = 720 / max(np.ptp(ax.get_xlim()), np.ptp(ax.get_ylim()))  # Axes keep the aspect
    assert size == pytest.approx(1.6)


def test_letters_shrink_with_the_axes(ax):
    columns = timeline_columns(expand(load_sequence("dm"), load_sample("chloroform"))) * 4
    full = texts_of_size(full_size(columns, ROWS)[1])
    small = texts_of_size(draw_sequence(ax, columns, ROWS))
    assert small < full
    wide = Figure(figsize=(100, 100)).add_subplot()
    assert full < texts_of_size(draw_sequence(wide, columns, ROWS)) < 2 * full


def texts_of_size(artists):
    (size,) = {text.get_fontsize() for text in of(Text, artists)}
    return size


def test_an_empty_sequence_draws_its_rows(ax):
    assert draw_sequence(ax, [], ROWS) == []
    assert [text.get_text() for text in ax.texts] == list(ROWS)
    assert draw_sequence(ax, [], []) == []


def test_notes_stand_under_everything():
    ax, artists = full_size([PULSED, Column("block", text="b")], ROWS, [["one", "two"], ["three"]])
    notes = {t.get_text(): t.get_position()[1] for t in ax.texts if t.get_text() not in ROWS}
    assert notes["one two"] > notes["three"] >= ax.get_ylim()[0]
    assert notes["one two"] < min(bar.get_y() for bar in of(Rectangle, artists)) - 5


# ----------------------------------------------------------------------- every shipped sequence
def overlapping(figure):
    """Return the pairs of texts of a figure that cover each other by more than a pixel."""
    figure.canvas.draw()
    boxes = [(t.get_text(), t.get_window_extent()) for t in figure.findobj(Text) if t.get_text()]
    return [
        (first, second)
        for (first, a), (second, b) in itertools.combinations(boxes, 2)
        if min(a.x1, b.x1) - max(a.x0, b.x0) > 1 and min(a.y1, b.y1) - max(a.y0, b.y0) > 1
    ]


def check(diagram):
    ax, artists = draw(diagram)
    assert overlapping(ax.figure) == []
    layout = diagram_layout(diagram.columns, diagram.rows, diagram.notes)
    inside = ax.get_window_extent()
    for artist in artists:
        extent = artist.get_window_extent()
        assert inside.x0 - 1 <= extent.x0 <= extent.x1 <= inside.x1 + 1
        assert inside.y0 - 1 <= extent.y0 <= extent.y1 <= inside.y1 + 1
    axes = sorted(y - k * layout.pitch for y in layout.baselines.values()
                  for k in range(len(layout.lines)))  # fmt: skip
    for bar in (p for p in artists if isinstance(p, Rectangle | Polygon) and p.get_zorder() == 3):
        low, high = bar.get_path().get_extents(bar.get_patch_transform()).intervaly
        assert sum(low - 1e-6 <= y <= high + 1e-6 for y in axes) == 1  # no other row is touched


@pytest.mark.parametrize("name", library("sequence"))
def test_nothing_hides_anything(name):
    """Any warning of the drawing would be an error."""
    sequence = load_sequence(name)
    check(sequence_diagram(sequence, default_sample(sequence)))


EVERYTHING = """
parameters: {t: 1/(4*J), n: 4, G1: 20 kHz, delta: 1 ms}
phase_cycle: {ph1: [x, -x], ph31: [x, -x], ph2: [0 deg, 120 deg, 240 deg]}
timing: centre-to-centre
blocks:
  echo: {parameters: {tau: 1 ms}, sequence: [{delay: tau}, {pulse: {I: 180 x}}, {delay: tau}]}
"""
EVENTS = [
    "pulse: {I: 90 -y, S: 90 ph1}",
    "pulse: {I: {angle: 180 deg, phase: x, composite: SCROFULOUS}}",
    "pulse: {1H: {angle: 90 deg, phase: y, shape: gaussian, duration: 5 ms, offset: offset(I)}}",
    "pulse: {S: {angle: 90 deg, duration: 2 ms, shape: sinc, phase: ph2}, I: 57 x}",
    "delay: {angle: 90 deg, coupling: 'J(I,S)', refocus: couplings}",
    "gradient: {strength: G1, duration: delta}",
    "gradient: {strength: -2*G1, duration: delta}",
    "gradient: crush",
    "gradient: crush",
    "virtual_z: {I: 90 deg, S: 360 deg*n/3}",
    "repeat: {times: n, index: k, sequence: [{repeat: {times: 2, sequence: [{delay: k*t}]}}]}",
    "repeat: {times: 2, sequence: [{pulse: {S: 180 y}}, {block: echo}, {acquire: {I: ph31}}]}",
    "block: {name: echo, parameters: {tau: sin(x1)*cos(x2)*tan(x3)*t}, spins: {I: S}}",
    "include: {sequence: spin_echo, parameters: {t: 2 ms}}",
    "include: cory48",
    "acquire: {I: x, S: ph31}",
]


@pytest.mark.parametrize("shift", range(0, len(EVENTS), 2))
def test_nothing_hides_anything_in_any_order(written, shift):
    events = [*EVENTS[shift:], *EVENTS[:shift]]
    diagram = sequence_diagram(written(events, EVERYTHING), load_sample("chloroform"))
    assert len(diagram.rows) == 3
    check(diagram)


def test_hiding_would_be_seen():
    figure = Figure()
    FigureCanvasAgg(figure)
    figure.text(0.5, 0.5, "one")
    figure.text(0.51, 0.5, "two")
    assert overlapping(figure) == [("one", "two")]
