"""Fitted lines: data, fit and residual on a broken axis that runs the NMR way."""

from itertools import pairwise

import numpy as np
import pytest
from matplotlib.figure import Figure

from nmrqb.errors import ArgumentError
from nmrqb.plotting import draw_fit, fit_height
from nmrqb.spectrometer.fitted import FittedSpectrum


def lorentz(axis, place, amplitude=1.0):
    return amplitude / (np.pi * 1.0 + 2j * np.pi * (axis - place))


def made(places=(-100.0, 100.0), noise=1e-3, reference=None, factor=1.0, seed=0):
    """Return a fit with lines of 1 Hz, whose data are the fit and noise."""
    step = 0.5
    axis = np.unique([np.arange(p - 10, p + 10 + step / 2, step) for p in places])
    fine = np.unique([np.linspace(p - 10, p + 10, 321) for p in places])
    model, curve = (factor * sum(lorentz(a, p) for p in places) for a in (axis, fine))
    rng = np.random.default_rng(seed)
    values = model + noise * (rng.normal(size=(len(axis), 2)) @ [1, 1j])
    amplitudes = np.full(len(places), factor, dtype=complex)
    return FittedSpectrum(axis, values, model, fine, curve, np.array(places), amplitudes, step,
                          noise, reference)  # fmt: skip


@pytest.fixture
def ax():
    return Figure(figsize=(5, 2.5)).add_subplot()


def drawn(line):
    """Return the points of a line without the breaks."""
    points = np.stack(line.get_data())
    return points[:, np.isfinite(points[1])]


def names(ax):
    return [float(t.get_text().replace("−", "-")) for t in ax.get_xticklabels()]


def test_data_fit_and_residual(ax):
    shown = made()
    data, fit, rest = draw_fit(ax, shown, title="P0 on 1H", note="J = 200 Hz")
    _, y = drawn(data)
    np.testing.assert_allclose(np.sort(y), np.sort(shown.values.real))
    assert drawn(fit)[1].max() == pytest.approx(shown.curve.real.max())
    times = float(ax.texts[0].get_text().removeprefix("residual × "))
    left = drawn(rest)[1]
    spread = np.sort((shown.values - shown.model).real)
    np.testing.assert_allclose(np.sort(left) - left.mean(), times * (spread - spread.mean()))
    assert left.max() < drawn(data)[1].min()  # below
    assert ax.get_title(loc="left") == "P0 on 1H"
    assert "J = 200 Hz" in [text.get_text() for text in ax.texts]
    assert ax.get_xlabel() == "offset (Hz)"


def test_frequencies_descend_and_windows_do_not_overlap(ax):
    shown = made(factor=1j)  # dispersion: left and right differ
    data, fit, _ = draw_fit(ax, shown)
    x = fit.get_xdata()
    assert np.all(np.diff(x[np.isfinite(x)]) != 0)
    first, second = np.split(x, [np.flatnonzero(np.isnan(x))[0]])
    assert np.nanmax(first) < np.nanmin(second)
    assert len(names(ax)) >= 4
    along = drawn(fit)[:, np.argsort(drawn(fit)[0])]
    for tick, value in zip(ax.get_xticks(), names(ax), strict=True):
        at = np.interp(tick, *along)
        assert at == pytest.approx(np.interp(value, shown.curve_hz, shown.curve.real), abs=2e-3)
    assert len(data.get_xdata()) == 2 * 41 + 2


def test_ppm_where_the_reference_is_known(ax):
    draw_fit(ax, made(places=(400.0,), reference=100e6))
    assert ax.get_xlabel() == "ppm"
    assert all(3.9 < value < 4.1 for value in names(ax))
    assert len(names(ax)) >= 3


def test_a_phase_is_taken_off_all_parts(ax):
    shown = made(factor=np.exp(0.8j))
    data, fit, rest = draw_fit(ax, shown, phase_rad=0.8)
    plain = Figure().add_subplot()
    straight = draw_fit(plain, shown.turned(0.8))
    for one, other in zip((data, fit, rest), straight, strict=True):
        np.testing.assert_allclose(one.get_ydata(), other.get_ydata())
    assert drawn(fit)[1].max() == pytest.approx(1 / np.pi, rel=1e-3)
    assert fit_height(shown, 0.8) == pytest.approx(fit_height(made()), rel=0.02)


def test_enlargements_are_told(ax):
    shown = made()
    draw_fit(ax, shown, tallest=3.1 * fit_height(shown))
    assert "× 3.1" in [text.get_text() for text in ax.texts]
    loud = Figure().add_subplot()
    draw_fit(loud, made(noise=0.2), tallest=1.0)
    assert loud.texts[0].get_text() == "residual"  # never made smaller


@pytest.mark.parametrize("places", [(0.0,), (-5.0, 5.0), (-200.0, 0.0, 100.0, 400.0)])
def test_any_number_of_lines(ax, places):
    shown = made(places=places)
    draw_fit(ax, shown)
    ax.figure.draw_without_rendering()
    assert len(shown.windows_hz) == (1 if len(places) < 3 else 4)
    assert len(ax.get_xticks()) >= len(shown.windows_hz)
    boxes = [label.get_window_extent() for label in ax.get_xticklabels()]
    assert not any(a.overlaps(b) for a, b in pairwise(boxes))


def test_what_is_not_finite_is_refused(ax):
    broken = made()
    broken.values[3] = np.nan
    with pytest.raises(ArgumentError, match="`shown` must hold finite numbers, but 1 are not"):
        draw_fit(ax, broken)
    assert not ax.lines
