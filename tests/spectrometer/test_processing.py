"""Processing: closed forms of Lorentzians, Gaussians, windows; exact matrices; noise."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad

from nmrqb.errors import ArgumentError
from nmrqb.spectrometer import (
    Baseline,
    Exponential,
    Gauss,
    Integrals,
    Integrate,
    Phase,
    Receiver,
    SineBell,
    Skip,
    Transform,
    ZeroFill,
    complex_noise,
    default_steps,
    line_fit,
    lorentzian_share,
    process,
    processing_matrix,
    spectrum,
)

RECEIVER = Receiver(2000.0, 2048)
T2 = 0.1
WIDTH = 1 / (np.pi * T2)  # full width at half height
SPECTRUM = (ZeroFill(4), Transform())
SEEDS = st.integers(0, 2**32 - 1)


def line(nu=0.0, T2=T2, amplitude=1.0, receiver=RECEIVER):
    t = receiver.times_s
    return amplitude * np.exp((2j * np.pi * nu - 1 / T2) * t + 1j * receiver.phase_rad)


def half_width(trace):
    """Return the full width at half height of the real part, by interpolation."""
    y, x = trace.values.real, trace.axis
    k = int(np.argmax(y))
    up = np.interp(y[k] / 2, y[:k], x[:k])
    down = np.interp(-y[k] / 2, -y[k:], x[k:])
    return down - up


# --------------------------------------------------------------------------- lines and windows
def test_a_line_becomes_a_lorentzian():
    trace = process(line(55.0), RECEIVER, (ZeroFill(8), Transform()))
    # the geometric sum of N points z^j, the first one halved
    z = np.exp((-1 / T2 + 2j * np.pi * (55.0 - trace.axis)) / 2000.0)
    np.testing.assert_allclose(
        trace.values, ((1 - z**2048) / (1 - z) - 0.5) / 2000.0, rtol=1e-9, atol=1e-15
    )
    near = np.abs(trace.axis - 55) < 50
    expected = 1 / (1 / T2 + 2j * np.pi * (trace.axis - 55.0))
    np.testing.assert_allclose(trace.values[near], expected[near], atol=1e-3 * T2)
    assert half_width(trace) == pytest.approx(WIDTH, rel=3e-3)


@pytest.mark.parametrize(("k", "share"), [(1, 0.705), (5, 0.937), (10, 0.968), (50, 0.994)])
def test_share_of_a_lorentzian_within_k_linewidths(k, share):
    window = (Integrate(((55 - k * WIDTH, 55 + k * WIDTH),)),)
    area = process(line(55.0), RECEIVER, (*SPECTRUM, *window)).values[0]
    assert 2 * area.real == pytest.approx(share, abs=1e-3)
    assert lorentzian_share(k) == pytest.approx(share, abs=1e-3)
    assert 2 * area.real == pytest.approx(lorentzian_share(k), abs=6e-4)
    assert abs(area.imag) < 1e-3  # dispersion is odd


def test_integral_over_everything_is_the_halved_first_point():
    fid = np.random.default_rng(1).normal(size=2048) + 1j
    edge = RECEIVER.spectral_width_hz / 2
    step = RECEIVER.spectral_width_hz / 8192
    whole = Integrate(((-edge - step / 2, edge - step / 2),))
    area = process(fid, RECEIVER, (*SPECTRUM, whole)).values[0]
    assert area == pytest.approx(fid[0] / 2, rel=1e-12)


def test_dispersion_of_a_window_beside_a_line_is_a_logarithm():
    # ∫ Im 1/(R + i2πx) dx from a to b is −ln[(R² + 4π²b²)/(R² + 4π²a²)]/4π
    R, a, b = 1 / T2, 10.0, 100.0
    area = process(line(), RECEIVER, (*SPECTRUM, Integrate(((a, b),)))).values[0]
    expected = -np.log((R**2 + (2 * np.pi * b) ** 2) / (R**2 + (2 * np.pi * a) ** 2)) / 4 / np.pi
    assert area.imag == pytest.approx(expected, rel=2e-2)


def test_bins_count_by_the_part_inside():
    # the integral grows linearly between bins: windows a fraction of a bin apart
    fid = line(3.0)
    step = RECEIVER.spectral_width_hz / RECEIVER.points
    ends = 40 + step * np.array([0.0, 0.25, 0.5])
    windows = tuple((-40.0, float(end)) for end in ends)
    areas = process(fid, RECEIVER, (Transform(), Integrate(windows))).values
    at = process(fid, RECEIVER, (Transform(),))
    bin_of_end = int(np.argmin(np.abs(at.axis - 40.0)))
    slope = at.values[[bin_of_end, bin_of_end + 1]] * step * 0.25
    assert min(abs(areas[1] - areas[0] - s) for s in slope) < 1e-12


def test_without_halving_the_first_point_the_baseline_is_lifted():
    trace = process(line(), RECEIVER, (Transform(halve_first=False),))
    right = process(line(), RECEIVER, (Transform(),))
    np.testing.assert_allclose(trace.values - right.values, 0.5 / 2000.0, rtol=1e-12)


def test_default_steps_agree_with_the_spectrum_of_pictures():
    fid = line(55.0)
    frequencies, expected = spectrum(fid, 2000.0)
    trace = process(fid, RECEIVER, default_steps(RECEIVER))
    np.testing.assert_allclose(trace.axis, frequencies, atol=1e-9)
    np.testing.assert_allclose(trace.values, expected, atol=1e-15)


# -------------------------------------------------------------------------------- single steps
def test_exponential_broadens_by_its_width():
    trace = process(line(), RECEIVER, (Exponential(5.0), ZeroFill(8), Transform()))
    assert half_width(trace) == pytest.approx(WIDTH + 5.0, rel=1e-3)


def test_gauss_sharpens_the_lorentzian_and_leaves_a_gaussian():
    trace = process(line(), RECEIVER, (Gauss(8.0, WIDTH), ZeroFill(8), Transform()))
    assert half_width(trace) == pytest.approx(8.0, rel=1e-3)
    # area of the envelope is kept: half of the amplitude
    area = trace.values.real.sum() * (trace.axis[1] - trace.axis[0])
    assert area == pytest.approx(0.5, rel=1e-9)


@pytest.mark.parametrize(
    ("step", "first", "middle", "last"),
    [
        (SineBell(), 1.0, np.sqrt(0.5), 0.0),
        (SineBell(0.0, 1.0), 0.0, 1.0, 0.0),
        (SineBell(0.5, 1.0, 2.0), 1.0, 0.5, 0.0),
    ],
)
def test_sine_bells(step, first, middle, last):
    receiver = Receiver(100.0, 101)
    window = process(np.ones(101), receiver, (step,)).values.real
    np.testing.assert_allclose(window[[0, 50, 100]], [first, middle, last], atol=1e-12)


def test_skipped_points_and_dead_time_are_the_same_thing():
    late = Receiver(2000.0, 2045, dead_time_s=3 / 2000.0)
    skipped = process(line(40.0), RECEIVER, (Skip(3), Exponential(2.0), ZeroFill(2), Transform()))
    waited = process(line(40.0, receiver=late), late, (Exponential(2.0), ZeroFill(2), Transform()))
    np.testing.assert_allclose(skipped.values, waited.values, atol=1e-14)
    np.testing.assert_allclose(skipped.axis, waited.axis)


def test_phase_takes_receiver_phase_and_dead_time_off():
    receiver = Receiver(2000.0, 2048, dead_time_s=500e-6, phase_rad=0.7)
    nu = 440 * 2000.0 / 8192  # on a point of the spectrum
    fid = line(nu, receiver=receiver)
    raw = process(fid, receiver, SPECTRUM)
    peak = np.argmin(np.abs(raw.axis - nu))
    assert np.angle(raw.values[peak]) == pytest.approx(0.7 + 2 * np.pi * nu * 500e-6, abs=0.02)
    phased = process(fid, receiver, default_steps(receiver))
    assert np.angle(phased.values[peak]) == pytest.approx(0, abs=0.02)
    pivoted = process(fid, receiver, (*SPECTRUM, Phase(0.7, 500e-6, nu)))
    assert np.angle(pivoted.values[peak]) == pytest.approx(2 * np.pi * nu * 500e-6, abs=0.02)


def test_baseline_takes_off_polynomials_and_keeps_lines():
    regions = ((-950.0, -300.0), (300.0, 950.0))
    steps = (Transform(), Baseline(regions, 8))
    clean = process(line(), RECEIVER, steps)
    # a broken second point is a slow wave in the spectrum
    broken = line()
    broken[1] += 0.2
    before = (
        process(broken, RECEIVER, (Transform(),)).values
        - process(line(), RECEIVER, (Transform(),)).values
    )
    after = process(broken, RECEIVER, steps).values - clean.values
    outside = np.abs(clean.axis) > 300
    assert np.abs(after[outside]).max() < 0.01 * np.abs(before[outside]).max()


@pytest.mark.parametrize("order", [0, 1, 3])
def test_baseline_projects_its_own_polynomials_to_nothing(order):
    axis = process(np.ones(256), Receiver(1000.0, 256), (Transform(),)).axis
    wanted = (1 + 2j) * (axis / 500) ** order
    fid = np.fft.ifft(np.fft.ifftshift(wanted)) * 1000.0
    fid[0] *= 2  # what `Transform` halves
    steps = (Transform(), Baseline(((-400.0, -100.0), (100.0, 400.0)), order))
    left = process(fid, Receiver(1000.0, 256), steps).values
    np.testing.assert_allclose(left, 0, atol=1e-11)


# ------------------------------------------------------------------------------- as one matrix
CHAIN = (
    Skip(2),
    Exponential(3.0),
    Gauss(1.0, 0.5),
    SineBell(),
    ZeroFill(2),
    Transform(),
    Phase(0.3, 1e-3, 10.0),
    Baseline(((-400.0, -200.0), (200.0, 400.0)), 1),
    Integrate(((-50.0, -20.0), (20.0, 50.0), (-90.0, 90.0))),
)


@given(SEEDS)
@settings(deadline=None, max_examples=20)
def test_the_matrix_does_what_the_chain_does(seed):
    receiver = Receiver(1000.0, 128, dead_time_s=1e-4)
    fids = complex_noise(np.random.default_rng(seed), (3, 2, 128))
    F = processing_matrix(receiver, CHAIN)
    assert F.shape == (3, 128)
    done = process(fids, receiver, CHAIN)
    assert done.values.shape == (3, 2, 3)
    np.testing.assert_allclose(done.values, fids @ F.T, atol=1e-13)


def test_the_matrix_is_made_in_blocks():
    receiver = Receiver(2000.0, 2048)
    F = processing_matrix(receiver, (*SPECTRUM, Integrate(((-5.0, 5.0),))))
    fid = line(1.0)
    direct = process(fid, receiver, (*SPECTRUM, Integrate(((-5.0, 5.0),))))
    np.testing.assert_allclose(F @ fid, direct.values, rtol=1e-12)


# -------------------------------------------------------------------------------------- noise
def spread(F):
    """Return the standard deviation of one quadrature of the rows for unit noise."""
    return np.sqrt(np.sum(np.abs(F) ** 2, axis=-1))


@pytest.mark.parametrize("fill", [1, 2, 4])
def test_noise_of_a_window_is_the_root_of_its_width(fill):
    # white noise in bins of their own: σ √(W/width); between them zero-filling shows that the
    # signal is causal, which halves the variance: Σ_j≥0 (W/width)² sinc²(W t_j); the halved first
    # point takes three quarters of (W/width)² away
    edge = 100 + 2000 / 2048 / 2 * (fill == 1)
    F = processing_matrix(RECEIVER, (ZeroFill(fill), Transform(), Integrate(((-edge, edge),))))
    share = edge / 1000
    expected = np.sqrt(share - 0.75 * share**2 if fill == 1 else share / 2 - share**2 / 4)
    assert spread(F)[0] == pytest.approx(expected, rel=0.01)


def test_least_squares_sits_at_the_cramer_rao_bound():
    # variance σ²/Σ e^{−2Rt} of a known line; → 2Rσ²/width for long acquisitions
    rates = np.array([-1 / T2 + 2j * np.pi * 20.0])
    own = spread(line_fit(rates, RECEIVER))[0]
    bound = 1 / np.sqrt(np.sum(np.exp(-2 * RECEIVER.times_s / T2)))
    assert own == pytest.approx(bound, rel=1e-12)
    assert own == pytest.approx(np.sqrt(2 / T2 / 2000), rel=0.01)


@pytest.mark.parametrize("k", [5, 20])
def test_windows_cost_signal_to_noise_against_least_squares(k):
    # 2 √(W/2 width) over √(2R/width) with W = 2k·R/π
    rates = np.array([-1 / T2 + 2j * np.pi * 20.0])
    F = Integrals(linewidths=k).fit(rates, RECEIVER)
    ratio = 2 * spread(F)[0] / spread(line_fit(rates, RECEIVER))[0]
    assert ratio == pytest.approx(np.sqrt(2 * k / np.pi), rel=0.02)


def test_noise_goes_through_the_chain_as_the_matrix_says():
    receiver = Receiver(1000.0, 128)
    F = processing_matrix(receiver, CHAIN)
    draws = process(complex_noise(np.random.default_rng(4), (20_000, 128)), receiver, CHAIN).values
    seen = draws.T @ draws.conj() / len(draws) / 2  # per quadrature
    expected = F @ F.conj().T
    scale = np.sqrt(np.outer(np.diag(expected).real, np.diag(expected).real))
    np.testing.assert_allclose(seen / scale, expected / scale, atol=0.03)


# ----------------------------------------------------------------------------- windows of lines
LINES = 2j * np.pi * np.array([-100.0, 100.0]) - np.array([10.0, 20.0])


@pytest.mark.parametrize(
    ("analysis", "half"),
    [
        (Integrals(), (100.0, 100.0)),
        (Integrals(half_width_hz=7.0), (7.0, 7.0)),
        (Integrals(linewidths=5), (50 / np.pi, 100 / np.pi)),
    ],
)
def test_windows_stand_round_their_lines(analysis, half):
    expected = [(-100 - half[0], -100 + half[0]), (100 - half[1], 100 + half[1])]
    np.testing.assert_allclose(analysis.windows(LINES, RECEIVER), expected)


def test_lines_of_one_frequency_share_a_window():
    lines = 2j * np.pi * np.array([-100.0, -100.0, 100.0]) - np.array([10.0, 20.0, 10.0])
    assert len(Integrals(half_width_hz=5.0).windows(lines, RECEIVER)) == 2


# ------------------------------------------------------------------------------------ refusals
@pytest.mark.parametrize(
    ("steps", "match"),
    [
        ((Transform(), Exponential(1.0)), "Exponential in the time domain"),
        ((Phase(0.1),), "Phase in the frequency domain"),
        ((Transform(), Transform()), "Transform in the time domain"),
        ((Integrate(((-1.0, 1.0),)),), "Integrate in the frequency domain"),
        ((Skip(2048),), "`points` must be ≥ 0 and less than the 2048"),
        ((ZeroFill(0),), "`factor` must be ≥ 1"),
        ((Transform(), Baseline(((0.0, 1.5),), 3)), "less than the 2 points of the regions"),
        ((Transform(), Integrate(((0.0, 0.1),))), "at least 0.976562 Hz wide"),
        ((Transform(), Integrate(((900.0, 1100.0),))), "but holds 900 … 1100 Hz"),
        ((Transform(), Integrate(())), "but holds none"),
    ],
)
def test_steps_that_do_not_fit_are_refused(steps, match):
    with pytest.raises(ArgumentError, match=match):
        process(line(), RECEIVER, steps)


@pytest.mark.parametrize(
    ("fid", "match"),
    [
        (np.ones(100), r"must have shape \(..., 2048\) like the receiver, but has shape \(100,\)"),
        (
            np.where(np.arange(2048) == 7, np.nan, 1.0),
            r"must be finite, but is not at index \(7,\)",
        ),
    ],
)
def test_fids_that_make_no_sense_are_refused(fid, match):
    with pytest.raises(ArgumentError, match=match):
        process(fid, RECEIVER, (Transform(),))


@pytest.mark.parametrize("widths", [(1.0, 2.0), (0.0, None), (None, -1.0), (np.nan, None)])
def test_half_widths_that_make_no_sense_are_refused(widths):
    with pytest.raises(ArgumentError, match="`half_width_hz`, `linewidths` must be given at most"):
        Integrals(*widths)


def test_share_is_the_integral_of_a_lorentzian():
    area, _ = quad(lambda x: 1 / np.pi / (1 + x**2), -6.0, 6.0)  # half width 1: ± 3 full widths
    assert lorentzian_share(3.0) == pytest.approx(area, rel=1e-9)
