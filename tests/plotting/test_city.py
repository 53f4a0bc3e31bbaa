"""City plots: heights, colours, labels, and that nearer towers hide farther ones."""

import numpy as np
import pytest
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from mpl_toolkits.mplot3d import proj3d

from nmrqb.errors import ArgumentError
from nmrqb.plotting import basis_labels, draw_city
from nmrqb.plotting.style import NEGATIVE, POSITIVE


@pytest.fixture
def ax():
    return Figure(figsize=(6, 6)).add_subplot(projection="3d")


def symmetric(n, seed=0):
    A = np.random.default_rng(seed).normal(size=(2**n, 2**n))
    return A + A.T


@pytest.mark.parametrize("n", [1, 2, 3, 4])
def test_towers_are_as_high_as_the_elements(ax, n):
    A = symmetric(n, n)
    towers = draw_city(ax, A, basis_labels(2**n), title="Re ρ")
    for tower, ((i, j), value) in zip(towers, np.ndenumerate(A), strict=True):
        points = tower.faces.reshape(-1, 3)
        low, high = points.min(axis=0), points.max(axis=0)
        np.testing.assert_allclose((low + high)[:2] / 2, [j, i])  # columns along x, rows along y
        assert np.all((high - low)[:2] < 1)  # streets between them
        assert (low[2], high[2]) == (min(value, 0), max(value, 0))
        roof = tower.colors.max(axis=0)
        np.testing.assert_allclose(roof, to_rgb(POSITIVE if value >= 0 else NEGATIVE))
    assert [t.get_text() for t in ax.get_xticklabels()] == [f"⟨{b}|" for b in basis_labels(2**n)]
    assert [t.get_text() for t in ax.get_yticklabels()] == [f"|{b}⟩" for b in basis_labels(2**n)]
    assert ax.get_zlim() == pytest.approx((A.min(), np.abs(A).max()))
    assert ax.get_title() == "Re ρ"


def test_pictures_can_share_a_scale(ax):
    draw_city(ax, np.diag([0.5, 0.25]), ["0", "1"], limit=0.8, lowest=-0.3)
    assert ax.get_zlim() == pytest.approx((-0.3, 0.8))


def test_what_is_zero_has_no_tower(ax):
    towers = draw_city(ax, np.diag([0.5, 0.0]), ["0", "1"])
    assert [tower.get_visible() for tower in towers] == [True, False, False, False]
    assert ax.get_zlim() == pytest.approx((0, 0.5))


def hides(ax, near, far):
    """Tell whether rays to the eye from the far tower's columns pass through the near one's.

    Brute force over points of the far ground square and distances along the ray.
    """
    azimuth = np.deg2rad(ax.azim)
    toward = np.array([np.cos(azimuth), np.sin(azimuth)])
    # the axis of rows is inverted
    toward = toward * np.array([1, -1]) if ax.yaxis_inverted() else toward
    grid = np.linspace(-0.36, 0.36, 7)
    starts = np.stack(np.meshgrid(far.column + grid, far.row + grid), axis=-1).reshape(-1, 1, 2)
    path = starts + toward * np.linspace(0, 6, 241)[None, :, None]
    inside = np.abs(path - np.array([near.column, near.row])) < 0.36
    return bool(np.any(np.all(inside, axis=-1)))


@pytest.mark.parametrize("azimuth", [-55, -20, 35, 90, 160, 250])
def test_nearer_towers_are_drawn_later(ax, azimuth):
    towers = draw_city(ax, symmetric(2), basis_labels(4))
    ax.view_init(elev=32, azim=azimuth)
    ax.figure.draw_without_rendering()
    pairs = [(a, b) for a in towers for b in towers if a is not b and hides(ax, a, b)]
    assert len(pairs) > 15
    assert all(a.get_zorder() > b.get_zorder() for a, b in pairs)


def test_a_tower_shows_its_near_faces_over_the_far_ones(ax):
    """Of a convex body the faces turned to the eye must come last."""
    towers = draw_city(ax, symmetric(2), basis_labels(4))
    ax.figure.draw_without_rendering()
    for tower in towers:
        depth = proj3d.proj_transform(*tower.faces.reshape(-1, 3).T, ax.M)[2].reshape(6, 4)
        order = np.argsort(-depth.mean(axis=1))
        opposite = {0: 1, 1: 0, 2: 3, 3: 2, 4: 5, 5: 4}
        first = order[:3]
        assert {opposite[k] for k in first} == set(order[3:])


def test_parallel_light_makes_equal_heights_look_equal(ax):
    towers = draw_city(ax, np.full((4, 4), 0.25), basis_labels(4))
    ax.figure.draw_without_rendering()
    seen = []
    for tower in towers:
        top, foot = ([tower.column, tower.row, z] for z in (0.25, 0.0))
        up = [proj3d.proj_transform(*point, ax.M)[1] for point in (top, foot)]
        seen.append(up[0] - up[1])
    np.testing.assert_allclose(seen, seen[0])


@pytest.mark.parametrize("n", [1, 2, 3, 4])
def test_labels_do_not_run_into_each_other(n):
    """At the size of four panels; letters and brackets are as high as a line is apart."""
    figure = Figure(figsize=(11, 9.6), layout="constrained")
    axes = [figure.add_subplot(2, 2, k, projection="3d") for k in range(1, 5)]
    draw_city(axes[0], symmetric(n), basis_labels(2**n))
    both = axes[0].get_xticklabels(), axes[0].get_yticklabels()  # asking moves them
    figure.draw_without_rendering()
    for labels in both:
        turn = np.deg2rad(labels[0].get_rotation())
        places = [label.get_transform().transform(label.get_position()) for label in labels]
        steps = np.diff(places, axis=0)
        across = np.abs(steps @ [-np.sin(turn), np.cos(turn)])
        along = np.abs(steps @ [np.cos(turn), np.sin(turn)])
        for label in labels:
            label.set_rotation(0)
        width = max(label.get_window_extent().width for label in labels)
        height = 1.1 * labels[0].get_fontsize() * figure.dpi / 72
        assert np.all((across > height) | (along > width))


@pytest.mark.parametrize(
    ("values", "options", "message"),
    [
        (np.array([[1, np.nan], [0, 1]]), {}, r"`values` must be real numbers"),
        (np.eye(2) * 1j, {}, r"`values` must be real numbers"),
        (np.eye(4), {}, r"`values` must have shape \(2, 2\)"),
        (np.eye(2), {"limit": 0.5}, r"`limit` must be .* at least the largest modulus 1"),
    ],
)
def test_what_cannot_be_drawn_is_refused(ax, values, options, message):
    with pytest.raises(ArgumentError, match=message):
        draw_city(ax, values, ["0", "1"], **options)
    assert not ax.collections
