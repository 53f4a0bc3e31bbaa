"""Hinton diagrams: areas, colours, and colours for those who see fewer of them."""

from itertools import pairwise

import numpy as np
import pytest
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure

from nmrqb.errors import ArgumentError
from nmrqb.plotting import basis_labels, draw_hinton, draw_phase_key, phase_colors
from nmrqb.plotting.style import NEGATIVE, POSITIVE


@pytest.fixture
def ax():
    return Figure().add_subplot()


def random_matrix(n, seed=0):
    rng = np.random.default_rng(seed)
    A = rng.normal(size=(2, 2**n, 2**n))
    return A[0] + 1j * A[1]


@pytest.mark.parametrize("n", [1, 2, 3, 4])
def test_areas_are_moduli_and_colours_phases(ax, n):
    A = random_matrix(n, n)
    squares = draw_hinton(ax, A, basis_labels(2**n), title="ρ")
    full = 0.94**2
    areas = np.array([s.get_width() * s.get_height() for s in squares])
    np.testing.assert_allclose(areas, full * np.abs(A).ravel() / np.abs(A).max())
    sides = [(s.get_width(), s.get_height()) for s in squares]
    centres = [s.get_xy() + np.multiply(0.5, side) for s, side in zip(squares, sides, strict=True)]
    columns, rows = np.meshgrid(np.arange(2**n), np.arange(2**n))
    np.testing.assert_allclose(centres, np.stack([columns.ravel(), rows.ravel()], axis=-1))
    colours = [s.get_facecolor() for s in squares]
    np.testing.assert_allclose(colours, phase_colors(np.angle(A).ravel()))
    assert ax.get_xlim() == (-0.5, 2**n - 0.5)
    assert ax.get_ylim() == (2**n - 0.5, -0.5)  # the first row on top
    assert ax.get_xticklabels()[0].get_text() == f"⟨{'0' * n}|"
    assert ax.get_yticklabels()[-1].get_text() == f"|{'1' * n}⟩"
    assert f"{np.abs(A).max():.3g}" in ax.get_xlabel()


def test_real_matrices_have_signs(ax):
    squares = draw_hinton(ax, np.array([[0.5, -0.25], [0.0, 0.125]]), ["0", "1"], limit=1.0)
    colours = [s.get_facecolor()[:3] for s in squares]
    assert colours == [to_rgb(c) for c in (POSITIVE, NEGATIVE, POSITIVE, POSITIVE)]
    areas = [s.get_width() ** 2 / 0.94**2 for s in squares]
    np.testing.assert_allclose(areas, [0.5, 0.25, 0, 0.125])


def test_nothing_at_all_can_be_drawn(ax):
    assert [s.get_width() for s in draw_hinton(ax, np.zeros((2, 2)), ["0", "1"])] == [0] * 4


@pytest.mark.parametrize("n", [1, 2, 3, 4])
def test_labels_do_not_run_into_each_other(n):
    figure = Figure(figsize=(3.4, 3.4))
    ax = figure.add_subplot()
    draw_hinton(ax, random_matrix(n), basis_labels(2**n))
    figure.draw_without_rendering()
    for labels in (ax.get_xticklabels(), ax.get_yticklabels()):
        boxes = [label.get_window_extent() for label in labels]
        assert not any(a.overlaps(b) for a, b in pairwise(boxes))


@pytest.mark.parametrize(
    ("values", "options", "message"),
    [
        (np.array([[1, np.nan], [0, 1]]), {}, r"`values` must be finite.* 1 entries"),
        (np.eye(4), {}, r"`values` must have shape \(2, 2\)"),
        (np.eye(2), {"limit": 0.5}, r"`limit` must be .* at least the largest modulus 1, .* 0.5"),
        (np.eye(2), {"limit": np.nan}, r"`limit` must be > 0 .* nan"),
    ],
)
def test_what_cannot_be_drawn_is_refused(ax, values, options, message):
    with pytest.raises(ArgumentError, match=message):
        draw_hinton(ax, values, ["0", "1"], **options)
    assert not ax.patches


# --------------------------------------------------------------------------------------- colours
def linear(rgb):
    return np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)


def lab(rgb_linear):
    """Return CIELAB of linear sRGB, white point D65."""
    to_xyz = [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]
    xyz = rgb_linear @ np.array(to_xyz).T / np.array([0.9505, 1, 1.089])
    f = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116)
    x, y, z = np.moveaxis(f, -1, 0)
    return np.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], axis=-1)


def seen(colours, missing):
    """Return the colours that people see who lack one cone (Viénot, Brettel and Mollon, 1999)."""
    to_lms = np.array(
        [
            [17.8824, 43.5161, 4.11935],
            [3.45565, 27.1554, 3.86714],
            [0.0299566, 0.184309, 1.46709],
        ]
    )
    lost = np.eye(3)
    if missing == "red":
        lost[0] = [0, 2.02344, -2.52581]
    if missing == "green":
        lost[1] = [0.494207, 0, 1.24827]
    return np.clip(linear(colours) @ (np.linalg.inv(to_lms) @ lost @ to_lms).T, 0, 1)


@pytest.mark.parametrize("missing", ["nothing", "red", "green"])
def test_phases_are_told_apart_by_everyone(missing):
    """Eighths of a turn differ by ten just noticeable differences, opposite phases by forty."""
    colours = lab(seen(phase_colors(np.arange(8) * np.pi / 4)[:, :3], missing))
    apart = np.linalg.norm(colours[:, None] - colours[None], axis=-1)
    assert apart[~np.eye(8, dtype=bool)].min() > 10
    assert min(apart[k, (k + 4) % 8] for k in range(8)) > 40
    signs = lab(seen(np.array([to_rgb(POSITIVE), to_rgb(NEGATIVE)]), missing))
    assert np.linalg.norm(signs[0] - signs[1]) > 40


def test_the_circle_of_phases_is_closed_and_smooth():
    turn = phase_colors(np.linspace(-np.pi, np.pi, 721))[:, :3]
    assert np.abs(np.diff(turn, axis=0)).max() < 0.02
    np.testing.assert_allclose(turn[0], turn[-1], atol=0.02)
    np.testing.assert_allclose(phase_colors(0.3), phase_colors(0.3 + 4 * np.pi))


def test_phases_zero_and_pi_have_the_hues_of_the_signs():
    zero, half = phase_colors(np.array([0.0, np.pi]))[:, :3]
    assert zero[0] > zero[2]  # red
    assert half[2] > half[0]  # blue


def test_the_key_shows_the_colours_where_the_phases_are(ax):
    sectors = draw_phase_key(ax)
    for sector in sectors:
        middle = np.deg2rad((sector.theta1 + sector.theta2 - 0.3) / 2)
        np.testing.assert_allclose(sector.get_facecolor(), phase_colors(middle), atol=1e-9)
    spans = [sector.theta2 - sector.theta1 for sector in sectors]
    assert sum(spans) >= 360  # no gap
    places = {text.get_text(): text.get_position() for text in ax.texts}
    assert places["1"][0] > 1
    assert places["i"][1] > 1
    assert places["−1"][0] < -1
    assert places["−i"][1] < -1
