"""Matrices as coloured cells: values, and standard deviations."""

import numpy as np
import pytest
from matplotlib.colors import to_hex
from matplotlib.figure import Figure

from nmrqb.errors import ArgumentError
from nmrqb.plotting import basis_labels, draw_element_errors, draw_matrix


@pytest.fixture
def ax():
    return Figure().add_subplot()


def test_names_of_the_basis():
    assert basis_labels(2) == ("0", "1")
    assert basis_labels(4) == ("00", "01", "10", "11")
    assert basis_labels(16)[1::13] == ("0001", "1110")


def test_a_matrix_shows_its_numbers(ax):
    values = np.array([[0.5, -0.25], [-1e-5, 0.12349]])
    image = draw_matrix(ax, values, ["0", "1"], limit=0.5, title="ρ")
    np.testing.assert_array_equal(image.get_array(), values)
    assert image.get_clim() == (-0.5, 0.5)
    cells = {text.get_position(): text.get_text() for text in ax.texts}
    assert cells == {(0, 0): "0.500", (1, 0): "-0.250", (0, 1): "0.000", (1, 1): "0.123"}
    assert [label.get_text() for label in ax.get_xticklabels()] == ["⟨0|", "⟨1|"]
    assert [label.get_text() for label in ax.get_yticklabels()] == ["|0⟩", "|1⟩"]
    assert ax.get_title() == "ρ"


def test_zero_is_white_and_signs_have_colours(ax):
    image = draw_matrix(ax, np.array([[1.0, 0.0], [-1.0, 0.5]]), ["0", "1"], limit=1.0)
    plus, zero, minus = (image.cmap(image.norm(value)) for value in (1.0, 0.0, -1.0))
    assert plus[0] > plus[2]  # red
    assert minus[2] > minus[0]  # blue
    assert min(zero[:3]) > 0.95
    # numbers stay legible on full colour
    colours = {text.get_position(): to_hex(text.get_color()) for text in ax.texts}
    assert colours[0, 0] == colours[0, 1] == "#ffffff"
    assert colours[1, 0] == colours[1, 1] == "#000000"


def test_large_matrices_have_no_room_for_numbers(ax):
    labels = [f"{k:03b}" for k in range(8)]
    image = draw_matrix(ax, np.eye(8), labels, limit=1.0)
    assert image.get_array().shape == (8, 8)
    assert not ax.texts


# ---------------------------------------------------------------------------------------- errors
@pytest.mark.parametrize("n", [1, 2, 3, 4])
def test_errors_of_both_parts_share_one_map(ax, n):
    d = 2**n
    rng = np.random.default_rng(n)
    real, imaginary = rng.uniform(1e-3, 4e-3, (2, d, d))
    image = draw_element_errors(ax, (real, imaginary), basis_labels(d), title="σ")
    power = 1e3  # of the largest, which is between 1e-3 and 1e-2
    for i in range(d):
        for j in range(d):
            expected = power * (real if i >= j else imaginary)[i, j]
            assert image.get_array()[i, j] == pytest.approx(expected)
    assert image.get_clim()[0] == 0  # dark means large, not only larger
    assert "10^{-3}" in ax.get_xlabel()
    assert len(ax.texts) == (d * d if n < 3 else 0)
    assert [text.get_text() for text in ax.get_yticklabels()][-1] == f"|{'1' * n}⟩"


def test_the_line_is_between_real_and_imaginary_parts(ax):
    draw_element_errors(ax, (np.ones((4, 4)), np.zeros((4, 4))), basis_labels(4))
    edge, line = ax.lines
    x, y = line.get_data()
    np.testing.assert_array_equal((x, y), edge.get_data())
    assert (edge.get_color(), line.get_color()) == ("black", "white")  # on light and dark cells
    assert edge.get_linewidth() > line.get_linewidth() + 1
    np.testing.assert_allclose(np.abs(np.diff(x)) + np.abs(np.diff(y)), 1)  # stairs
    for k in range(4):  # a cell of the diagonal has the line above it and to its right
        steps = {tuple(sorted(p)) for p in zip(zip(x, y), zip(x[1:], y[1:]))}  # noqa: B905
        assert ((k - 0.5, k - 0.5), (k + 0.5, k - 0.5)) in steps
        if k < 3:
            assert ((k + 0.5, k - 0.5), (k + 0.5, k + 0.5)) in steps
    assert ax.get_xlim() == (-0.5, 3.5)
    assert ax.get_ylim() == (3.5, -0.5)


def test_no_error_at_all_has_no_unit(ax):
    image = draw_element_errors(ax, (np.zeros((2, 2)), np.zeros((2, 2))), basis_labels(2))
    assert image.get_array().max() == 0
    assert ax.get_xlabel().startswith("unit 1;")


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (np.full((2, 2), np.nan), r"`values` must be real numbers"),
        (np.full((2, 2), np.inf), r"`values` must be finite"),
        (np.eye(2) * 1j, r"`values` must be real numbers"),
        (np.eye(4), r"`values` must have shape \(2, 2\), one row for every label.*\(4, 4\)"),
        (np.ones(2), r"`values` must have shape"),
    ],
)
def test_what_is_no_real_matrix_is_refused(ax, values, message):
    with pytest.raises(ArgumentError, match=message):
        draw_matrix(ax, values, basis_labels(2), limit=1.0)
    with pytest.raises(ArgumentError, match=message.replace("values", "errors")):
        draw_element_errors(ax, (values, values), basis_labels(2))
    assert not ax.images


def test_negative_errors_are_refused(ax):
    with pytest.raises(ArgumentError, match=r"`errors` must be ≥ 0, but holds -0.1"):
        draw_element_errors(ax, (np.eye(2), np.full((2, 2), -0.1)), basis_labels(2))
