"""Shapes of selective pulses: closed forms, RE-BURP at work, and files."""

# ruff: noqa: E501 (one broken file per line)

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import erf, sici

from nmrqb.dynamics import exp_hermitian
from nmrqb.errors import ArgumentError, InputError
from nmrqb.operators import PAULI
from nmrqb.sequence.shapes import (
    MAX_POINTS,
    SHAPES,
    Shape,
    read_shape,
    shape_complaint,
    shape_samples,
)

FORMULAS = ("rectangle", "gaussian", "sinc", "sine-squared", "reburp")


def real(shape):
    samples = shape_samples(shape)
    assert samples.imag.tolist() == [0] * len(samples)
    return samples.real


# ---------------------------------------------------------------------------------- closed forms
def test_kinds():
    assert set(SHAPES) == {*FORMULAS, "fourier", "samples"}


@pytest.mark.parametrize("kind", FORMULAS)
@pytest.mark.parametrize("points", [65, 201])
def test_every_formula_is_symmetric_with_peak_1(kind, points):
    values = real(Shape(kind, points))
    assert values.shape == (points,)
    assert np.abs(values).max() == 1
    assert values.max() == 1  # the main lobe is positive
    np.testing.assert_allclose(values, values[::-1], atol=1e-12)


@pytest.mark.parametrize(
    ("shape", "area"),
    [
        (Shape("rectangle", 4001), 1),
        (
            Shape("gaussian", 4001, truncation=0.05),
            np.sqrt(np.pi / np.log(20)) / 2 * erf(np.sqrt(np.log(20))),
        ),
        (Shape("sinc", 4001, lobes=1), sici(np.pi)[0] / np.pi),
        (Shape("sinc", 4001, lobes=4), sici(4 * np.pi)[0] / (4 * np.pi)),
        (Shape("sine-squared", 4001), 1 / 2),
        # the value in the middle is the sum of the series with alternating signs
        (Shape("reburp", 4001), 0.49 / 6.14),
        (Shape("fourier", 4001, cosine=(0.5, -0.5)), 1 / 2),
    ],
)
def test_areas(shape, area):
    assert real(shape).mean() == pytest.approx(area, rel=1e-6)


def test_gaussian_reaches_its_truncation_at_the_edges():
    values = real(Shape("gaussian", 100_000, truncation=0.2))
    assert values[0] == pytest.approx(0.2, rel=1e-4)
    assert values[25_000] == pytest.approx(0.2**0.25, rel=1e-4)


@pytest.mark.parametrize("lobes", [1, 2, 5])
def test_sinc_has_its_zeros_on_each_side(lobes):
    values = real(Shape("sinc", 10_001, lobes=lobes))
    assert np.count_nonzero(np.diff(np.sign(values))) == 2 * (lobes - 1)  # and one at each edge
    assert values[0] == pytest.approx(0, abs=1e-3)
    quarter = real(Shape("sinc", 8 * lobes + 1, lobes=lobes))  # steps of a quarter of a lobe or so
    x = (2 * (np.arange(8 * lobes + 1) + 0.5) / (8 * lobes + 1) - 1) * lobes
    np.testing.assert_allclose(quarter * np.pi * x, np.sin(np.pi * x), atol=1e-12)


def test_values_are_those_in_the_middles_of_the_steps():
    np.testing.assert_allclose(
        real(Shape("sine-squared", 3)), np.sin(np.pi * np.array([1, 3, 5]) / 6) ** 2, atol=1e-15
    )


def test_sine_squared_is_a_fourier_series():
    series = Shape("fourier", 51, cosine=(1, -1))
    np.testing.assert_allclose(real(series), real(Shape("sine-squared", 51)), atol=1e-14)


def test_fourier_adds_cosines_and_sines():
    x = (np.arange(40) + 0.5) / 40
    formula = (
        0.3 + 0.5 * np.cos(4 * np.pi * x) - 0.2 * np.sin(2 * np.pi * x) + np.sin(6 * np.pi * x)
    )
    got = real(Shape("fourier", 40, cosine=(0.3, 0, 0.5), sine=(-0.2, 0, 1)))
    np.testing.assert_allclose(got, formula / np.abs(formula).max(), atol=1e-14)
    sine = real(Shape("fourier", 40, sine=(0, 2)))
    np.testing.assert_allclose(sine, np.sin(4 * np.pi * x) / np.sin(0.45 * np.pi), atol=1e-12)


@pytest.mark.parametrize("kind", FORMULAS[:-1])
def test_an_even_number_of_steps_misses_the_peak(kind):
    """The amplitude is that of the formula, not of the largest step."""
    values, finer = real(Shape(kind, 64)), real(Shape(kind, 192))
    np.testing.assert_allclose(values, finer[1::3], atol=1e-12)


@given(
    st.lists(st.floats(-1e3, 1e3).filter(lambda c: abs(c) > 1e-3), min_size=1, max_size=9),
    st.lists(st.floats(-1e3, 1e3), max_size=9),
)
@settings(deadline=None, max_examples=50)
def test_fourier_mean_is_never_negative_and_peak_is_1(cosine, sine):
    values = real(Shape("fourier", 64, cosine=tuple(cosine), sine=tuple(sine)))
    assert values.mean() > 0
    assert np.abs(values).max() == pytest.approx(1)


def test_fourier_of_enormous_coefficients():
    big = real(Shape("fourier", 51, cosine=(1e300, -1e300)))
    np.testing.assert_allclose(big, real(Shape("sine-squared", 51)), atol=1e-14)


def test_samples_are_scaled_and_keep_their_phases():
    got = shape_samples(Shape("samples", samples=(3j, -4, 0, 3 - 4j)))
    np.testing.assert_allclose(got, [0.6j, -0.8, 0, 0.6 - 0.8j])


def test_samples_cannot_be_changed():
    with pytest.raises(ValueError, match="read-only"):
        shape_samples(Shape("gaussian"))[0] = 1


# --------------------------------------------------------------------------------------- RE-BURP
def refocusing(shape, offsets, angle=np.pi):
    """Return U of a pulse of duration 1 at offsets in units of 1/T: shape (n, 2, 2)."""
    samples = shape_samples(shape)
    steps = samples.real * angle / samples.real.sum()
    detuning = np.pi * np.asarray(offsets)[:, None, None] * PAULI["Z"] / len(samples)
    U = np.eye(2, dtype=complex)
    for step in steps:
        U = exp_hermitian(step * PAULI["X"] / 2 + detuning) @ U
    return U


def turned(U):
    """Return how much of I_+ becomes I_−, and how much of that with the phase of 180° about x."""
    return np.abs(U[:, 0, 1]) ** 2, ((U[:, 0, 1] + U[:, 1, 0]).imag / 2) ** 2


def test_reburp_refocuses_inside_its_band_with_one_phase():
    exchanged, in_phase = turned(refocusing(Shape("reburp", 400), np.linspace(-2, 2, 81)))
    assert exchanged.min() > 0.97
    np.testing.assert_allclose(in_phase, exchanged, atol=1e-12)


def test_reburp_leaves_spins_outside_alone():
    outside = np.linspace(3.25, 12, 141)
    exchanged, _ = turned(refocusing(Shape("reburp", 400), outside))
    assert exchanged.max() < 0.06
    narrow = np.linspace(5, 12, 113)
    assert turned(refocusing(Shape("reburp", 400), narrow))[0].max() < 0.01


def test_reburp_band_is_wider_than_that_of_a_gaussian():
    edge = [2.0]
    assert turned(refocusing(Shape("gaussian"), edge))[0] < 0.3
    assert turned(refocusing(Shape("reburp"), edge))[0] > 0.97


def test_reburp_is_that_of_the_spectrometers():
    # SHAPE_INTEGFAC and first amplitude of Bruker's Reburp.1000, which starts half a step earlier
    values = real(Shape("reburp", 1000))
    assert values.mean() == pytest.approx(7.981016e-02, abs=1e-7)
    assert values[0] == pytest.approx(-7.491619e-02, abs=2e-5)


# ------------------------------------------------------------------------------------- arguments
@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"kind": "gausian"}, r"`kind` must be a shape, but is 'gausian'; did you mean `gaussian`\? Valid: fourier, "),
        ({"kind": "gaussian", "points": 0}, "`points` must be a whole number from 1 to 100000, but is 0"),
        ({"kind": "gaussian", "points": MAX_POINTS + 1}, "`points` must be .* but is 100001"),
        ({"kind": "gaussian", "points": 2.5}, "`points` must be a whole number .* but is 2.5"),
        ({"kind": "gaussian", "points": True}, "`points` must be a whole number .* but is True"),
        ({"kind": "gaussian", "truncation": 0}, "`truncation` must be above 0 and below 1, but is 0"),
        ({"kind": "gaussian", "truncation": 1.0}, "`truncation` must be above 0 and below 1, but is 1.0"),
        ({"kind": "gaussian", "truncation": float("nan")}, "`truncation` must be .* but is nan"),
        ({"kind": "sinc", "lobes": 0}, "`lobes` must be a whole number from 1 to 1000, but is 0"),
        ({"kind": "sinc", "lobes": "3"}, "`lobes` must be a whole number from 1 to 1000, but is '3'"),
        ({"kind": "sinc", "points": 6}, "`points` must be above 6, for fewer steps cannot follow 3 lobes, but is 6"),
        ({"kind": "sinc", "points": 2, "lobes": 1}, "`points` must be above 2, .* follow 1 lobe, but is 2"),
        ({"kind": "reburp", "points": 30}, "`points` must be above 30, .* a Fourier series of order 15, but is 30"),
        ({"kind": "fourier", "sine": (0, 1, 0), "points": 4}, "`points` must be above 4, .* of order 2, but is 4"),
        ({"kind": "fourier"}, "`cosine` must hold a coefficient other than 0, or `sine` must, but there is none"),
        ({"kind": "fourier", "cosine": (0.0,), "sine": (0,)}, "`cosine` must hold a coefficient other than 0"),
        ({"kind": "fourier", "cosine": (1, float("nan"))}, r"`cosine` must be a tuple of .* but is \(1, nan\)"),
        ({"kind": "fourier", "cosine": [1]}, r"`cosine` must be a tuple of at most 1001 numbers up to 1e\+300, but is \[1\]"),
        ({"kind": "fourier", "cosine": (1j,)}, "`cosine` must be a tuple of at most 1001 numbers"),
        ({"kind": "fourier", "sine": (1,) * 1001}, "`sine` must be a tuple of at most 1000 .* but is of 1001 numbers"),
        ({"kind": "gaussian", "cosine": (1,)}, "`cosine` must be left out, for the shape is of kind gaussian"),
        ({"kind": "samples"}, "`samples` must hold a sample other than 0, but there is none"),
        ({"kind": "samples", "samples": (0, 0j)}, "`samples` must hold a sample other than 0"),
        ({"kind": "samples", "samples": (complex(1, float("inf")),)}, "`samples` must be a tuple of at most 100000 numbers"),
        ({"kind": "rectangle", "samples": (1,)}, "`samples` must be left out"),
        ({"kind": "rectangle", "file": "a.shape"}, "`file` must be left out"),
    ],
)  # fmt: skip
def test_refused_arguments(given, told):
    with pytest.raises(ArgumentError, match=f"^Argument {told}"):
        Shape(**given)


def test_complaints_without_a_shape():
    assert shape_complaint("points", 200) == ""
    assert shape_complaint("file", "a.shape") == ""
    assert shape_complaint("lobes", -1) == "must be a whole number from 1 to 1000, but is -1"


def test_few_points_are_enough_for_low_orders():
    assert real(Shape("rectangle", 1)).tolist() == [1]
    assert len(real(Shape("sinc", 7))) == 7
    assert len(real(Shape("reburp", 31))) == 31
    assert len(real(Shape("fourier", 5, cosine=(0, 0, 1, 0, 0)))) == 5


def test_shapes_are_hashable():
    assert len({Shape("reburp"), Shape("reburp", 200), Shape("gaussian")}) == 2


# ----------------------------------------------------------------------------------------- files
@pytest.fixture
def write(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def written(text):
        data = text if isinstance(text, bytes) else text.encode()
        (tmp_path / "p.shape").write_bytes(data)
        return "p.shape"

    return written


def jcamp(samples, end="##END=", peak=100.0):
    rows = [f"{peak * abs(c):.6E}, {np.rad2deg(np.angle(c)) % 360:.6E}" for c in samples]
    head = [
        "##TITLE= test", "##JCAMP-DX= 5.00 Bruker JCAMP library", "##DATA TYPE= Shape Data",
        "##MINX= 0.0", "##MAXX= 1.0E02", "##$SHAPE_USER_DEF= ", "$$ a comment",
        f"##NPOINTS= {len(rows)}", "##XYPOINTS= (XY..XY)",
    ]  # fmt: skip
    return "\n".join([*head, *rows, end, ""])


@pytest.mark.parametrize("end", ["##END=", "##END", " ##end= "])
@pytest.mark.parametrize("peak", [100.0, 37.0])
def test_jcamp_round_trip(write, end, peak):
    samples = shape_samples(Shape("reburp", 64)) * np.exp(0.4j * np.arange(64))
    shape = read_shape(write(jcamp(samples, end, peak)))
    assert (shape.kind, shape.points, shape.file) == ("samples", 64, "p.shape")
    np.testing.assert_allclose(shape_samples(shape), samples, atol=1e-6)
    assert np.abs(shape_samples(shape)).max() == pytest.approx(1, abs=1e-15)
    assert np.abs(shape.samples).max() == pytest.approx(1, abs=1e-15)


@pytest.mark.parametrize("ends", ["\r\n", "\r"])
def test_line_ends_and_byte_order_marks_do_not_matter(write, ends):
    samples = shape_samples(Shape("sine-squared", 5))
    text = "\ufeff" + jcamp(samples).replace("\n", ends)
    np.testing.assert_allclose(shape_samples(read_shape(write(text))), samples, atol=1e-6)


@pytest.mark.parametrize(
    ("text", "samples"),
    [
        ("# amplitude\n0\n5 # the peak\n\n-2.5", [0, 1, -0.5]),
        ("1 0\n2\t90\n.5e0 -180", [0.5, 1j, -0.25]),
        ("1,0\n2 , 45\n", [0.5, np.exp(0.25j * np.pi)]),
        ("+1.\n2E+1", [0.05, 1]),
        ("## my shape\n1\n2", [0.5, 1]),
        ("1e-300", [1]),
        ("\ufeff1\n2", [0.5, 1]),
        ("##XYPOINTS= (XY..XY) $$ two\n50, 90 $$ half\n$$ 3, 0\n100, 0\n##END=", [0.5j, 1]),
    ],
)
def test_columns(write, text, samples):
    got = shape_samples(read_shape(write(text)))
    np.testing.assert_allclose(got, samples, atol=1e-15)


JCAMP = "##TITLE= a\n##XYPOINTS= (XY..XY)\n"


@pytest.mark.parametrize(
    ("text", "place", "told"),
    [
        ("1\nnan\n", "2:1", "the amplitude must be finite, but is `nan`"),
        ("1 0\n1 -inf\n", "2:3", "the phase must be finite, but is `-inf`"),
        ("1\n  1e999\n", "2:3", "the amplitude must be finite, but `1e999` is too large"),
        ("1, 0\n1, 9O\n", "2:4", "the phase must be a number, but is `9O`"),
        ("1\n1_0\n", "2:1", "the amplitude must be a number, but is `1_0`"),
        ("1\n٣\n", "2:1", "the amplitude must be a number, but is `٣`"),
        ("1\n 1 2\n", "2:2", "this line must hold one amplitude as in the lines before, but is `1 2`"),
        ("1 2\n1\n", "2:1", "this line must hold an amplitude and a phase, but is `1`"),
        ("1 2\n1 2 3\n", "2:1", "this line must hold an amplitude and a phase, but is `1 2 3`"),
        ("1 2\n1,,2\n", "2:1", "this line must hold an amplitude and a phase, but is `1,,2`"),
        ("1 2\n1;2\n", "2:1", "this line must hold an amplitude and a phase, but is `1;2`"),
        ("#\n0 1\n0 2\n", "2:1", "all amplitudes are 0; a shape needs one other than 0"),
        ("# none\n", "1:1", "there are no points; a shape needs one other than 0"),
        ("", "1:1", "there are no points; a shape needs one other than 0"),
        (b"1\n# \xe9", "2:3", "byte 0xe9 is not UTF-8; save the file as UTF-8"),
        ("1\n" * (MAX_POINTS + 1), "100001:1", "there are more than 100000 points, too many for a shape"),
        (b" " * 5_000_001, "1:1", "`p.shape` is larger than 5 MB, too large for a shape file"),
        ("##TITLE= a\n##END=\n", "1:1", r"there is no `##XYPOINTS= \(XY..XY\)`, after which"),
        (JCAMP + "1, 2\n", "3:1", "there is no `##END=` after the points: the file is not complete"),
        (JCAMP + "##END=\n", "1:1", "there are no points"),
        (JCAMP + "1\n2\n##NEXT= 1\n", "5:1", "after the points there must be `##END=` and no other label"),
        (JCAMP + "1\n##END=\n\n 5, 0", "6:2", "after `##END=` there must be nothing more"),
        (JCAMP + "1, 2\n3, 4, 5\n##END=\n", "4:1", "this line must hold an amplitude and a phase"),
        ("##TITLE= a\n##XYPOINTS= (XY..XY..)\n1 2\n##END=", "2:1", r"the points must be in the form \(XY..XY\), but are in '\(XY..XY..\)'"),
        ("##NPOINTS= 3\n" + JCAMP + "1, 2\n##END=", "1:1", "`##NPOINTS= 3` must be the number of points, but there are 1"),
    ],
)  # fmt: skip
def test_faults_of_files(write, text, place, told):
    with pytest.raises(InputError, match=rf"^p\.shape:{place}: {told}"):
        read_shape(write(text))


def test_all_faults_are_told_but_not_thousands(write):
    with pytest.raises(
        InputError, match=r"p.shape:1:1: .*\np.shape:1:3: .*\np.shape:3:3: "
    ) as told:
        read_shape(write("a b\n1 2\n3 d"))
    assert len(told.value.faults) == 3
    with pytest.raises(InputError, match="the amplitude must be a number") as told:
        read_shape(write("a\n" * 1000))
    assert len(told.value.faults) == 20


def test_files_that_are_none(write, tmp_path):
    write("1")
    with pytest.raises(InputError, match=r"^q\.shape:1:1: there is no file `q\.shape`"):
        read_shape("q.shape")
    with pytest.raises(InputError, match=r"is a folder, but a shape file is needed"):
        read_shape(tmp_path)
    with pytest.raises(InputError, match="cannot be read: "):
        read_shape("a\0b")
    with pytest.raises(InputError, match=r"cannot be read: Not a directory"):
        read_shape("p.shape/q")
