"""FIDs, lines and noise, against closed forms of one spin, AX and AB pairs."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.linalg import expm

from nmrqb.errors import ArgumentError
from nmrqb.operators import pauli
from nmrqb.sample import Coupling, Sample, Spin
from nmrqb.spectrometer import (
    Receiver,
    complex_noise,
    default_receiver,
    detection,
    line_fit,
    liouvillian,
    observable,
    spectrum,
    transitions,
)

J, T2 = 215.0, (0.4, 0.25)
PLUS, UP, DOWN = pauli("X") + 1j * pauli("Y"), np.diag([1, 0]), np.diag([0, 1])
SEEDS = st.integers(0, 2**32 - 1)


def ax(offsets=(120.0, -40.0), J=J):
    spins = (
        Spin("H", "1H", offsets[0], T1_s=3.0, T2_s=T2[0]),
        Spin("C", "13C", offsets[1], T1_s=5.0, T2_s=T2[1]),
    )
    return Sample("ax", spins, (Coupling(("H", "C"), J),))


def one_line(offset, T2=0.3):
    return Sample("one", (Spin("H", "1H", offset, T1_s=2.0, T2_s=T2),))


def ab(delta, J, d=0.0):
    spins = (Spin("A", "1H", delta / 2), Spin("B", "1H", -delta / 2))
    return Sample("ab", spins, (Coupling(("A", "B"), J, dipolar_hz=d),))


def random_state(seed, d=4):
    rng = np.random.default_rng(seed)
    root = rng.normal(size=(d, d)) + 1j * rng.normal(size=(d, d))
    rho = root @ root.conj().T
    return rho / np.trace(rho)


def channel(sample, nucleus, *, relaxation=True):
    generator = liouvillian(sample, relaxation=relaxation)
    coil = observable(sample, nucleus)
    return generator, coil, transitions(generator, coil)


def fitted(sample, nucleus, rho, receiver):
    generator, coil, lines = channel(sample, nucleus)
    fid = detection(generator, coil, receiver) @ rho.reshape(-1)
    return line_fit(lines, receiver) @ fid


# ------------------------------------------------------------------------------------- lines
@pytest.mark.parametrize(("nucleus", "offset", "k"), [("1H", 120.0, 0), ("13C", -40.0, 1)])
def test_lines_of_a_pair_stand_at_plus_and_minus_half_j(nucleus, offset, k):
    _, _, lines = channel(ax(), nucleus)
    np.testing.assert_allclose(lines.imag / (2 * np.pi), offset + np.array([-J / 2, J / 2]))


@pytest.mark.parametrize("nucleus", ["1H", "13C"])
def test_lines_are_as_wide_as_t2_and_the_partner_flips_make_them(nucleus):
    # a flip of the partner (T1) moves the coherence to the other line: 1/T2 + 1/(2 T1 partner),
    # exactly so where |J| ≫ 1/T1
    _, _, lines = channel(ax(), nucleus)
    own, partner = (T2[0], 5.0) if nucleus == "1H" else (T2[1], 3.0)
    np.testing.assert_allclose(-lines.real, 1 / own + 1 / (2 * partner), rtol=1e-4)


def test_line_of_one_spin_is_exactly_as_wide_as_t2():
    _, _, lines = channel(one_line(70.0), "1H")
    np.testing.assert_allclose(lines, [-1 / 0.3 + 2j * np.pi * 70.0], rtol=1e-12)


@given(st.floats(0.5, 300), st.integers(-10_000, 10_000).map(lambda k: k / 100))
@settings(deadline=None, max_examples=40)
def test_ab_quartet_has_the_four_textbook_frequencies(delta, J):
    # ±J/2 ± ½√(δ² + J²)
    centre = np.hypot(delta, J) / 2
    expected = np.unique(np.round([s * J / 2 + c * centre for s in (-1, 1) for c in (-1, 1)], 9))
    _, _, lines = channel(ab(delta, J), "1H", relaxation=False)
    got = np.unique(np.round(lines.imag / (2 * np.pi), 9))
    # lines closer than a millionth of their frequency are one
    assert all(np.abs(got - nu).min() < 1e-3 for nu in expected if weight(delta, J, nu) > 1e-6)
    assert all(np.abs(expected - nu).min() < 1e-3 for nu in got)


def weight(delta, J, nu):
    """1 ∓ J/√(δ² + J²): the outer lines of an AB quartet are the weak ones."""
    outer = abs(nu) > np.hypot(delta, J) / 2
    return 1 - abs(J) / np.hypot(delta, J) if outer else 1.0


def test_outer_lines_of_the_ab_quartet_are_the_weak_ones():
    delta, J = 30.0, 12.0
    sample = ab(delta, J)
    after_pulse = (np.eye(4) + 0.1 * (pauli("XI") + pauli("IX"))) / 4
    generator, coil, lines = channel(sample, "1H", relaxation=False)
    receiver = Receiver(1000.0, 4096)
    fid = detection(generator, coil, receiver) @ after_pulse.reshape(-1)
    amplitudes = line_fit(lines, receiver) @ fid
    sine = J / np.hypot(delta, J)
    expected = 0.1 * np.array([1 - sine, 1 + sine, 1 + sine, 1 - sine]) / 2
    np.testing.assert_allclose(amplitudes, expected, atol=1e-9)


def test_equivalent_spins_show_one_line_whatever_their_coupling():
    _, _, lines = channel(ab(0.0, 40.0), "1H", relaxation=False)
    np.testing.assert_allclose(lines, [0], atol=1e-6)


def test_dipolar_coupling_of_equivalent_spins_makes_a_pake_doublet():
    # lines at ±3d/2 for H/2π = d(2IzSz − IxSx − IySy)
    _, _, lines = channel(ab(0.0, 40.0, d=100.0), "1H", relaxation=False)
    np.testing.assert_allclose(lines.imag / (2 * np.pi), [-150.0, 150.0], atol=1e-6)


def test_three_spin_lines_are_a_doublet_of_doublets():
    spins = tuple(Spin(s, n) for s, n in zip("ABC", ("1H", "13C", "15N"), strict=True))
    sample = Sample("abc", spins, (Coupling(("A", "B"), 140.0), Coupling(("A", "C"), -90.0)))
    _, _, lines = channel(sample, "1H", relaxation=False)
    np.testing.assert_allclose(lines.imag / (2 * np.pi), [-115, -25, 25, 115], atol=1e-6)


# --------------------------------------------------------------------------------------- FID
def test_a_spin_at_a_positive_offset_turns_counterclockwise():
    sample = one_line(130.0)
    generator, coil, _ = channel(sample, "1H")
    receiver = Receiver(2000.0, 64)
    fid = detection(generator, coil, receiver) @ ((np.eye(2) + pauli("X")) / 2).reshape(-1)
    t = np.arange(64) / 2000.0
    np.testing.assert_allclose(fid, np.exp((2j * np.pi * 130.0 - 1 / 0.3) * t), atol=1e-10)


@given(SEEDS)
@settings(deadline=None, max_examples=20)
def test_amplitudes_are_the_coherences_of_their_lines(seed):
    # ⟨(σx + iσy)⊗|m⟩⟨m|⟩: the partner up stands at ν + J/2 for J > 0
    rho, receiver = random_state(seed), Receiver(2000.0, 1024)
    by_frequency = [np.trace(rho @ np.kron(PLUS, m)) for m in (DOWN, UP)]
    slow = Sample("still", tuple(Spin(s.label, s.nucleus, s.offset_hz) for s in ax().spins),
                  ax().couplings)  # fmt: skip
    np.testing.assert_allclose(fitted(slow, "1H", rho, receiver), by_frequency, atol=1e-9)
    partner = [np.trace(rho @ np.kron(m, PLUS)) for m in (DOWN, UP)]
    np.testing.assert_allclose(fitted(slow, "13C", rho, receiver), partner, atol=1e-9)


def test_relaxation_mixes_the_two_lines_only_slightly():
    # flips of the partner with 1/T1 ≪ J leave the amplitudes to order 1/(J T1)
    rho = random_state(1)
    expected = [np.trace(rho @ np.kron(PLUS, m)) for m in (DOWN, UP)]
    got = fitted(ax(), "1H", rho, Receiver(2000.0, 1024))
    np.testing.assert_allclose(got, expected, atol=1 / (J * 5.0))


@pytest.mark.parametrize("points", [2, 3, 64, 100, 129])
def test_rows_made_by_doubling_are_those_of_the_exponential(points):
    generator, coil, _ = channel(ax(), "1H")
    receiver = Receiver(1500.0, points, dead_time_s=37e-6, phase_rad=0.4)
    rows = detection(generator, coil, receiver)
    times = 37e-6 + np.arange(points) / 1500.0
    direct = [np.exp(0.4j) * coil @ expm(generator * t) for t in times]
    np.testing.assert_allclose(rows, direct, atol=1e-10)


@pytest.mark.parametrize(("dead", "phase"), [(0.0, 0.0), (500e-6, 0.0), (0.0, 1.0), (2e-3, -2.5)])
def test_dead_time_and_receiver_phase_leave_no_bias(dead, phase):
    rho = random_state(2)
    reference = fitted(ax(), "13C", rho, Receiver(2000.0, 1024))
    got = fitted(ax(), "13C", rho, Receiver(2000.0, 1024, dead, phase))
    np.testing.assert_allclose(got, reference, atol=1e-10)


def test_channels_see_only_their_own_spins():
    coil = observable(ax(), "13C")
    seen = {p: abs(coil @ pauli(p).reshape(-1)) for p in ("XI", "YZ", "IX", "ZY", "IZ", "XX")}
    assert {p for p, value in seen.items() if value > 1e-12} == {"IX"}


def test_one_channel_adds_up_the_spins_of_its_nucleus():
    coil = observable(ab(10.0, 1.0), "1H")
    rho = random_state(3)
    expected = np.trace(rho @ (np.kron(PLUS, np.eye(2)) + np.kron(np.eye(2), PLUS)))
    assert coil @ rho.reshape(-1) == pytest.approx(expected)


# ------------------------------------------------------------------------------------- noise
def test_noise_has_unit_variance_in_two_independent_quadratures():
    noise = complex_noise(np.random.default_rng(1), (200_000,))
    covariance = np.cov(noise.real, noise.imag)
    np.testing.assert_allclose(covariance, np.eye(2), atol=0.02)


def test_noise_of_neighbouring_points_is_independent():
    noise = complex_noise(np.random.default_rng(2), (200_000,))
    assert abs(np.mean(noise[1:] * noise[:-1].conj())) < 0.02


def test_noise_drawn_in_blocks_is_the_noise_drawn_at_once():
    whole = complex_noise(np.random.default_rng(3), (6, 5))
    rng = np.random.default_rng(3)
    np.testing.assert_array_equal([*complex_noise(rng, (2, 5)), *complex_noise(rng, (4, 5))], whole)


def test_covariance_of_fitted_amplitudes_is_that_of_least_squares():
    # (M†M)⁻¹ per complex amplitude and unit quadrature variance ×2, by Monte Carlo
    _, _, lines = channel(ax(), "1H")
    receiver = Receiver(800.0, 64)
    model = np.exp(receiver.times_s[:, None] * lines)
    expected = 2 * np.linalg.inv(model.conj().T @ model)
    noise = complex_noise(np.random.default_rng(4), (40_000, 64))
    amplitudes = noise @ line_fit(lines, receiver).T
    got = amplitudes.T @ amplitudes.conj() / len(amplitudes)
    np.testing.assert_allclose(got, expected, atol=0.03 * np.abs(expected).max())


# ---------------------------------------------------------------------------------- spectrum
def test_line_peaks_at_its_offset_with_height_t2():
    # a e^{(i2πν − 1/T2)t} → absorption a T2/(1 + (2πT2Δν)²)
    fid = np.exp((2j * np.pi * 125.0 - 1 / 0.3) * np.arange(16384) / 1000.0)
    frequencies, values = spectrum(2.0 * fid, 1000.0)
    peak = values.real.argmax()
    assert frequencies[peak] == pytest.approx(125.0, abs=1e-9)
    assert values[peak].real == pytest.approx(2.0 * 0.3, rel=1e-4)


def test_line_is_one_over_pi_t2_wide_at_half_height():
    fid = np.exp((2j * np.pi * 125.0 - 1 / 0.3) * np.arange(16384) / 1000.0)
    frequencies, values = spectrum(fid, 1000.0, zero_fill=16)
    above = frequencies[values.real > values.real.max() / 2]
    assert np.ptp(above) == pytest.approx(1 / (np.pi * 0.3), abs=2 * 1000.0 / len(values))


@given(SEEDS)
@settings(deadline=None, max_examples=20)
def test_area_of_a_causal_spectrum_is_half_the_first_point(seed):
    rng = np.random.default_rng(seed)
    fid = rng.normal(size=(3, 50)) + 1j * rng.normal(size=(3, 50))
    frequencies, values = spectrum(fid, 700.0)
    area = values.sum(axis=-1) * (frequencies[1] - frequencies[0])
    np.testing.assert_allclose(area, fid[:, 0] / 2, atol=1e-12)


def test_halved_first_point_leaves_no_baseline():
    fid = np.exp(-np.arange(4096) / 1000.0 / 0.05)
    frequencies, values = spectrum(fid, 1000.0)
    far = np.abs(frequencies) > 400
    lorentzian = 0.05 / (1 + (2 * np.pi * 0.05 * frequencies[far]) ** 2)
    np.testing.assert_allclose(values.real[far], lorentzian, atol=2e-5)


# ------------------------------------------------------------------------------------ receiver
@pytest.mark.parametrize("offset", [0.0, 900.0, 41_000.0])
def test_default_receiver_holds_all_lines_with_room(offset):
    receiver = default_receiver(ax((offset, 0.0)))
    assert receiver.spectral_width_hz >= max(500.0, 8 * (offset + J / 2)) * (1 - 1e-9)
    assert receiver.spectral_width_hz <= max(1000.0, 8 * 2.5 * (offset + J / 2))


def test_times_start_after_the_dead_time():
    np.testing.assert_allclose(Receiver(1000.0, 3, 20e-6).times_s, [20e-6, 1.02e-3, 2.02e-3])


@pytest.mark.parametrize(
    "arguments",
    [(0.0, 64, 0.0), (-5.0, 64, 0.0), (1e3, 1, 0.0), (1e3, 64, -1e-6), (np.nan, 64, 0.0)],
)
def test_receivers_that_make_no_sense_are_refused(arguments):
    with pytest.raises(ArgumentError, match="must be > 0, ≥ 2, ≥ 0, but are"):
        Receiver(*arguments)


def test_unknown_channel_is_told_the_nearest():
    with pytest.raises(ArgumentError, match="but is '13c'; did you mean `13C`"):
        observable(ax(), "13c")


def test_fewer_points_than_lines_are_refused():
    with pytest.raises(ArgumentError, match="at least the number of lines 3, but is 2"):
        line_fit(np.array([1j, 2j, 3j]), Receiver(1000.0, 2))
