"""The frame matrix: cells are where, as wide and as coloured as the toggled axes are."""

import numpy as np
import pytest
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.text import Text

from nmrqb.average.frames import segment_frames, toggling_frames
from nmrqb.dynamics import Segment
from nmrqb.errors import ArgumentError
from nmrqb.plotting.frames import draw_frames
from nmrqb.sample import load_sample
from nmrqb.sequence import expand, load_sequence

RED, BLUE = (0.40, 0.0, 0.12), (0.02, 0.19, 0.38)


@pytest.fixture
def ax():
    return Figure().add_subplot()


def frames(name, sample, pulses="ideal"):
    bound = load_sample(sample)
    return toggling_frames(expand(load_sequence(name), bound, pulses=pulses), len(bound.spins))


def rows(artists, columns):
    cells = [artist for artist in artists if isinstance(artist, Rectangle)]
    assert len(cells) % columns == 0
    return [cells[k : k + columns] for k in range(0, len(cells), columns)]


def sign(cell):
    """+1, −1 or 0 by the full red, the full blue or no colour of a cell; None in between."""
    color = np.array(cell.get_facecolor()[:3])
    if color.min() > 0.95:
        return 0
    return next((s for s, c in ((1, RED), (-1, BLUE)) if np.allclose(color, c, atol=0.02)), None)


def texts(ax):
    return [text.get_text() for text in ax.texts]


def test_three_intervals_have_their_axes_and_widths(ax):
    # τ at z, then 90x brings z to y, then another to −z: 1, 2 and 1 ms
    x = np.array([[0, 0.5], [0.5, 0]], dtype=complex)
    still = np.zeros_like(x)
    quarter = Segment(np.zeros(()), np.pi / 2 * x)
    waits = [Segment(np.asarray(t), still) for t in (1e-3, 2e-3, 1e-3)]
    artists = draw_frames(ax, segment_frames([waits[0], quarter, waits[1], quarter, waits[2]]), "A")
    drawn = rows(artists, 3)
    assert [[sign(cell) for cell in row] for row in drawn] == [[0, 0, 0], [0, 1, 0], [1, 0, -1]]
    assert [cell.get_width() for cell in drawn[0]] == pytest.approx([1, 2, 1])
    assert [cell.get_x() for cell in drawn[2]] == pytest.approx([0, 1, 3])
    assert ax.get_xlabel() == "time (ms)"
    assert [t.get_text() for t in ax.get_yticklabels()] == ["x", "y", "z"]
    heights = [row[0].get_y() for row in drawn]
    assert heights == sorted(heights, reverse=True)
    assert [cell.get_hatch() for row in drawn for cell in row] == [None] * 9


def test_finite_pulses_are_hatched_and_tell_their_average(ax):
    wahuha = frames("wahuha", "oriented_pair", "finite")
    artists = draw_frames(ax, wahuha, ("H1", "H2"))
    drawn = rows(artists, 9)
    for row in drawn:
        assert [cell.get_hatch() is not None for cell in row] == [False, True] * 4 + [False]
        assert [cell.get_width() for cell in row] == pytest.approx(1e6 * wahuha.durations)
    numbers = [artist.get_text() for artist in artists if isinstance(artist, Text)]
    assert numbers == [f"{2 / np.pi:.2f}"] * 8  # two of the axes in each of the four pulses
    assert all(n.get_bbox_patch() is not None for n in artists if isinstance(n, Text))  # no hatch
    assert "hatched" in ax.get_title(loc="right")
    ideal = Figure().add_subplot()
    draw_frames(ideal, frames("wahuha", "oriented_pair"), ("H1", "H2"))
    assert ideal.get_title(loc="right") == "red +1, blue −1"
    assert ax.get_xlabel() == "time (µs)"


def test_spins_that_are_pulsed_alike_share_rows_and_others_do_not(ax):
    assert len(rows(draw_frames(ax, frames("wahuha", "oriented_pair"), ("H1", "H2")), 5)) == 3
    assert "H1, H2" in texts(ax)
    other = Figure().add_subplot()
    drawn = rows(draw_frames(other, frames("dm", "chloroform"), ("1H", "13C")), 2)
    # ZZ as XY, then as −YX: rows x, y, z of 1H, then of 13C
    signs = [[sign(cell) for cell in row] for row in drawn]
    assert signs == [[1, 0], [0, -1], [0, 0], [0, 1], [1, 0], [0, 0]]
    assert texts(other) == ["1H", "13C"]
    assert drawn[3][0].get_y() < drawn[2][0].get_y() - 1  # a gap between the spins


def test_forty_eight_pulses_fill_the_width_without_numbers(ax):
    cory = frames("cory48", "oriented_pair", "finite")
    artists = draw_frames(ax, cory, ("H1", "H2"))
    drawn = rows(artists, 97)
    assert len(artists) == 3 * 97
    for row in drawn:
        ends = [cell.get_x() + cell.get_width() for cell in row]
        assert ends[:-1] == pytest.approx([cell.get_x() for cell in row[1:]])
        assert (
            ends[-1] == pytest.approx(1e3 * float(cory.duration)) == pytest.approx(ax.get_xlim()[1])
        )
    # every delay has one axis in full colour
    full = [sum(abs(sign(row[k]) or 0) for row in drawn) for k in range(0, 97, 2)]
    assert full == [1] * 49


def test_tilted_axes_are_numbered_with_their_sign(ax):
    artists = draw_frames(ax, frames("ksea_collective", "oriented_pair"), ("H1", "H2"))
    numbers = [artist.get_text() for artist in artists if isinstance(artist, Text)]
    assert sorted(numbers) == ["0.71"] * 4 + ["−0.71"] * 4
    assert len([cell for cell in artists[:27] if sign(cell) is None]) == 8


def test_seconds_are_seconds(ax):
    draw_frames(ax, segment_frames([Segment(np.asarray(2.5), np.zeros((2, 2), complex))]), "A")
    assert ax.get_xlabel() == "time (s)"
    assert ax.get_xlim() == (0, 2.5)


def test_names_must_be_those_of_the_spins(ax):
    with pytest.raises(
        ArgumentError, match=r"its 2 spins, but are of shape \(5, 2, 3\) and 1 name"
    ):
        draw_frames(ax, frames("wahuha", "oriented_pair"), ("H1",))


def test_a_batch_has_no_one_picture(ax):
    batch = segment_frames([Segment(np.array([1.0, 2.0]), np.zeros((2, 2), complex))])
    with pytest.raises(ArgumentError, match="must be of one sequence"):
        draw_frames(ax, batch, "A")
