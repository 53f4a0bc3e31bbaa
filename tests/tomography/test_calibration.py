"""Calibration and integrals: the same state whatever the analysis, gains and phases taken off."""

from dataclasses import replace
from functools import lru_cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import chi2 as chi2_law
from scipy.stats import kstest

from nmrqb.dynamics import thermal_deviation
from nmrqb.errors import ArgumentError
from nmrqb.operators import Complex, pauli
from nmrqb.sample import Coupling, Sample, Spin
from nmrqb.spectrometer import (
    Digitiser,
    FrontEnd,
    Integrals,
    Integrate,
    Receiver,
    Transform,
    ZeroFill,
    complex_noise,
    process,
    record,
)
from nmrqb.tomography import (
    Calibration,
    acquire,
    calibrate,
    check_figure,
    estimate_state,
    leave_out,
    measurement_chain,
    noise_for_snr,
    reference_chain,
    reference_readouts,
    response_matrix,
)
from nmrqb.tomography.estimators import to_coefficients, to_state
from nmrqb.tomography.response import amplitude_covariance, line_amplitudes

SET = ("II", "IX", "IY", "XX")
J = 60.0
T2 = 20 / (np.pi * J)  # J is 20 linewidths
SHARP = Sample(
    "sharp",
    (Spin("H", "1H", 107.5, T2_s=T2), Spin("C", "13C", -60.0, T2_s=T2)),
    (Coupling(("H", "C"), J),),
)
DEAD = Receiver(2000.0, 1024, dead_time_s=500e-6)
ANALYSES = {
    "time-domain": "time-domain",
    "half J": Integrals(),
    "five linewidths": Integrals(linewidths=5),
}
PAIR = Sample(
    "pair",
    (
        Spin("H", "1H", 20.0, T1_s=0.8, T2_s=0.10, pulse_90_s=13e-6, polarization=0.1),
        Spin("C", "13C", -35.0, T1_s=1.5, T2_s=0.07, pulse_90_s=77e-6, polarization=0.02),
    ),
    (Coupling(("H", "C"), 215.0),),
)
RECEIVER = Receiver(1000.0, 128, dead_time_s=1e-4)
CHAIN = measurement_chain(PAIR, SET, pulses="finite", receiver=RECEIVER)
RESPONSE = response_matrix(CHAIN)
REFERENCE = reference_chain(CHAIN)
NOISE = noise_for_snr(CHAIN, PAIR, 100)
THERMAL = (np.eye(4) + 2 * thermal_deviation(PAIR)) / 4
FACTORS = np.array([1.4 * np.exp(0.5j), 0.8 * np.exp(-1.1j)])
SEEDS = st.integers(0, 2**32 - 1)


def random_state(seed, rank=4):
    rng = np.random.default_rng(seed)
    root = rng.normal(size=(4, rank)) + 1j * rng.normal(size=(4, rank))
    rho = root @ root.conj().T
    return rho / np.trace(rho)


RHO = random_state(3)


def noisy(clean: Complex, seed, noise=NOISE, size=()):
    rng = np.random.default_rng(seed)
    return clean + noise[:, None] * complex_noise(rng, (*size, *clean.shape))


def calibrated(seed, factors=FACTORS, noise=NOISE):
    clean = factors[:, None] * acquire(REFERENCE, THERMAL)
    return calibrate(noisy(clean, seed, noise), REFERENCE, THERMAL, noise)


# ------------------------------------------------------------------------- windows and ±J/2
@lru_cache
def sharp_chain(name):
    return measurement_chain(SHARP, SET, receiver=DEAD, analysis=ANALYSES[name])


@pytest.mark.parametrize("name", ANALYSES)
def test_every_analysis_gives_the_same_state(name):
    chain = sharp_chain(name)
    response = response_matrix(chain)
    noise = noise_for_snr(sharp_chain("time-domain"), SHARP, 100)
    clean = acquire(chain, RHO)
    exact = estimate_state(clean, response, noise, method="linear-inversion")
    np.testing.assert_allclose(exact.linear, RHO, atol=1e-9)
    draws = estimate_state(
        noisy(clean, 5, noise, (300,)), response, noise, method="linear-inversion"
    )
    misses = to_coefficients(draws.linear) - to_coefficients(RHO)
    # its own errors are right, all fifteen at once
    distance = np.einsum("ti,ij,tj->t", misses, np.linalg.inv(draws.covariance), misses)
    assert kstest(distance, chi2_law(15).cdf).pvalue > 1e-3
    assert kstest(draws.p_value, "uniform").pvalue > 1e-3


def naive_amplitudes(chain, state, analysis):
    """Return line amplitudes of the first channel as integrals over those of a reference.

    The reference is the thermal state after a 90° pulse, its spectrum phased on its own.
    """
    steps = (ZeroFill(4), Transform(), Integrate(analysis.windows(chain.lines[0], DEAD)))
    areas = process(acquire(chain, state)[:, 0], DEAD, steps).values
    reference = reference_chain(chain)
    known = (np.eye(4) + pauli("ZI")) / 4  # both lines of 1H are 1/2 after the pulse
    own = process(acquire(reference, known)[0, 0], DEAD, steps).values
    return areas / (own.sum() / np.abs(own.sum())) / np.abs(own).mean() / 2


@pytest.mark.parametrize("name", ["half J", "five linewidths"])
def test_naive_integrals_are_wrong_by_tens_of_per_cent(name):
    # one line along x, its neighbour along y: the dispersive tail and the dead time leak
    chain = sharp_chain(name)
    rho = (np.eye(4) + 0.5 * (pauli("XI") + pauli("XZ")) + 0.5 * (pauli("YI") - pauli("YZ"))) / 4
    true = line_amplitudes(acquire(chain, rho), sharp_chain("time-domain").fits)
    lines = true[: len(true) // 2] + 1j * true[len(true) // 2 :]
    lines = lines[:2]  # readout II on 1H
    found = naive_amplitudes(chain, rho, ANALYSES[name])[0]
    error = np.abs(found - lines).max() / np.abs(lines).max()
    assert 0.15 < error < 1
    # the same FIDs and windows, through the response matrix
    estimate = estimate_state(
        acquire(chain, rho), response_matrix(chain), np.ones(2), method="linear-inversion"
    )
    np.testing.assert_allclose(estimate.linear, rho, atol=1e-9)


def test_errors_of_windows_follow_from_the_noise_of_windows():
    # ± J/2 of a doublet with J/linewidth = 20 is ± 10 linewidths: √(20/π) noisier than the fit
    fit, window = (response_matrix(sharp_chain(name)) for name in ("time-domain", "half J"))
    noise = np.ones(2)
    errors = [
        np.sqrt(np.trace(estimate_state(
            acquire(sharp_chain(n), RHO), r, noise, method="linear-inversion").covariance))
        for n, r in (("time-domain", fit), ("half J", window))
    ]  # fmt: skip
    assert errors[1] / errors[0] == pytest.approx(np.sqrt(20 / np.pi), rel=0.15)


def test_least_squares_of_the_fid_sits_at_the_cramer_rao_bound():
    chain = sharp_chain("time-domain")
    estimate = estimate_state(
        acquire(chain, RHO), response_matrix(chain), np.ones(2), method="linear-inversion"
    )
    paulis = np.stack([acquire(chain, to_state(c) - np.eye(4) / 4) for c in np.eye(15)])
    flat = paulis.reshape(15, -1)
    fisher = flat.real @ flat.real.T + flat.imag @ flat.imag.T
    np.testing.assert_allclose(estimate.covariance, np.linalg.inv(fisher), rtol=1e-6, atol=1e-12)


def test_noise_for_a_ratio_does_not_depend_on_the_analysis():
    levels = [noise_for_snr(sharp_chain(name), SHARP, 50) for name in ANALYSES]
    np.testing.assert_allclose(levels[1], levels[0], rtol=1e-12)
    np.testing.assert_allclose(levels[2], levels[0], rtol=1e-12)


def test_strong_coupling_through_windows():
    spins = (Spin("A", "1H", 40.0, T2_s=0.3), Spin("B", "1H", -40.0, T2_s=0.3))
    sample = Sample("ab", spins, (Coupling(("A", "B"), 60.0),))
    chain = measurement_chain(sample, SET, receiver=DEAD, analysis=Integrals(half_width_hz=8.0))
    assert len(chain.lines[0]) == 4
    estimate = estimate_state(
        acquire(chain, RHO), response_matrix(chain), np.ones(1), method="linear-inversion"
    )
    np.testing.assert_allclose(estimate.linear, RHO, atol=1e-8)


def test_unknown_analyses_are_refused():
    with pytest.raises(ArgumentError, match="must be 'time-domain' or `Integrals`, but is 'peaks'"):
        measurement_chain(SHARP, SET, receiver=DEAD, analysis="peaks")


# -------------------------------------------------------------------------------- calibration
def test_reference_readouts_turn_one_channel_after_the_other():
    assert reference_readouts(PAIR) == ("YI", "IY")
    alike = replace(PAIR, spins=tuple(replace(spin, nucleus="1H") for spin in PAIR.spins))
    assert reference_readouts(alike) == ("YY",)


@given(SEEDS)
@settings(deadline=None, max_examples=10)
def test_a_noiseless_calibration_is_exact(seed):
    rng = np.random.default_rng(seed)
    factors = rng.uniform(0.5, 2, 2) * np.exp(1j * rng.uniform(-3, 3, 2))
    clean = factors[:, None] * acquire(REFERENCE, THERMAL)
    calibration = calibrate(clean, REFERENCE, THERMAL, NOISE)
    np.testing.assert_allclose(calibration.factors, factors, rtol=1e-9)
    assert calibration.chi2 < 1e-9
    fids = factors[:, None] * acquire(CHAIN, RHO)
    estimate = estimate_state(
        fids, RESPONSE, NOISE, method="linear-inversion", calibration=calibration
    )
    np.testing.assert_allclose(estimate.rho, RHO, atol=1e-8)


def test_errors_of_gain_and_phase_are_those_of_least_squares():
    found = [calibrated(seed) for seed in range(300)]
    logs = np.array([[*np.log(c.gain), *c.phase_rad] for c in found])
    expected = np.sqrt(np.diag(found[0].covariance))
    np.testing.assert_allclose(logs.std(axis=0), expected, rtol=0.15)
    true = [*np.log(np.abs(FACTORS)), *np.angle(FACTORS)]
    assert np.all(np.abs(logs.mean(axis=0) - true) < 4 * expected / np.sqrt(300))
    # two readouts of two lines on each channel, complex, less gain and phase of both
    assert found[0].degrees_of_freedom == 2 * (2 * 2 * 2) - 4
    assert kstest([chi2_law.sf(c.chi2, 12) for c in found], "uniform").pvalue > 1e-3


def test_a_common_error_is_correlated_over_the_paulis_of_a_nucleus():
    # data less noisy than the reference: the calibration is the larger error
    quiet = NOISE / 5
    rng = np.random.default_rng(9)
    clean = acquire(CHAIN, RHO)
    misses, pulls, plain = [], [], []
    for seed in rng.integers(0, 2**31, 300):
        calibration = calibrated(int(seed), noise=NOISE / 2)
        fids = FACTORS[:, None] * noisy(clean, int(seed) + 1, quiet / np.abs(FACTORS))
        estimate = estimate_state(
            fids, RESPONSE, quiet, method="linear-inversion", calibration=calibration
        )
        assert estimate.covariance.shape == (15, 15)
        miss = to_coefficients(estimate.linear) - to_coefficients(RHO)
        misses.append(miss)
        pulls.append(miss @ np.linalg.solve(estimate.covariance, miss))
        without = estimate_state(
            fids / FACTORS[:, None], RESPONSE, quiet / np.abs(FACTORS), method="linear-inversion"
        )
        plain.append(miss @ np.linalg.solve(without.covariance, miss))
    assert kstest(pulls, chi2_law(15).cdf).pvalue > 1e-3
    assert np.mean(plain) > 2 * 15  # without the rank-one terms the errors are far too small
    # four errors, so that four combinations stand out of the noise
    extra = np.linalg.eigvalsh(np.cov(np.array(misses).T))[::-1]
    assert extra[0] > 5 * extra[5]


def test_covariances_come_one_per_state():
    calibration = calibrated(1)
    states = np.stack([RHO, random_state(4), np.eye(4) / 4])
    estimate = estimate_state(
        FACTORS[:, None] * acquire(CHAIN, states), RESPONSE, NOISE, calibration=calibration
    )
    assert estimate.covariance.shape == (3, 15, 15)
    added = np.trace(estimate.covariance, axis1=1, axis2=2)
    assert added[2] < added[0]  # no signal but what T1 builds up, hardly an error of the gain
    plain = estimate_state(acquire(CHAIN, RHO), RESPONSE, NOISE / calibration.gain)
    terms = estimate.covariance[0] - plain.covariance
    assert np.linalg.matrix_rank(terms, tol=1e-9 * np.abs(terms).max()) == 4


def test_the_misfit_counts_the_errors_of_the_calibration():
    """Data better than their reference: the residual of a right model still follows its law."""
    found = [
        estimate_state(
            noisy(FACTORS[:, None] * acquire(CHAIN, RHO), 5000 + seed, NOISE / 4),
            RESPONSE,
            NOISE / 4,
            calibration=calibrated(seed),
        )
        for seed in range(300)
    ]
    p_values = np.array([float(estimate.p_value) for estimate in found])
    assert kstest(p_values, "uniform").pvalue > 1e-3
    assert found[0].joint_p_value == pytest.approx(p_values[0])
    known = estimate_state(noisy(acquire(CHAIN, RHO), 1, size=(40,)), RESPONSE, NOISE)
    freedom = known.degrees_of_freedom * 40
    assert known.joint_p_value == pytest.approx(chi2_law.sf(known.chi2.sum(), freedom))


def test_scale_error_of_the_reference_is_passed_on():
    clean = acquire(REFERENCE, THERMAL)
    calibration = calibrate(clean, REFERENCE, THERMAL, NOISE, scale_error=0.01)
    estimate = estimate_state(acquire(CHAIN, RHO), RESPONSE, NOISE, calibration=calibration)
    assert estimate.scale_error == 0.01
    assert estimate_state(acquire(CHAIN, RHO), RESPONSE, NOISE).scale_error == 0


def test_a_reference_through_windows():
    chain = measurement_chain(SHARP, SET, receiver=DEAD, analysis=Integrals(linewidths=5))
    reference = reference_chain(chain)
    state = (np.eye(4) + 2 * thermal_deviation(SHARP)) / 4
    noise = noise_for_snr(chain, SHARP, 100)
    clean = FACTORS[:, None] * acquire(reference, state)
    found = calibrate(noisy(clean, 1, noise), reference, state, noise)
    pulls = np.concatenate([
        np.log(found.gain / np.abs(FACTORS)), found.phase_rad - np.angle(FACTORS)
    ]) / np.sqrt(np.diag(found.covariance))  # fmt: skip
    assert np.abs(pulls).max() < 4


# ------------------------------------------------------------------------------ wrong references
def wrong_reference(case):
    fids = noisy(acquire(REFERENCE, THERMAL), 1)
    if case == "swapped readouts":
        return fids[::-1]
    if case == "one line missing":
        lost = acquire(REFERENCE, (pauli("ZI") + pauli("ZZ")) / 8)
        return fids - lost * np.array([[[1], [0]], [[0], [0]]])
    if case == "foreign state":
        return noisy(acquire(REFERENCE, RHO), 1)
    return {
        "no signal": noisy(0 * fids, 1),
        "short": fids[..., :100],
        "one readout": fids[:1],
        "not a number": np.where(np.arange(128) == 5, np.nan, fids),
    }[case]


@pytest.mark.parametrize(
    ("case", "match"),
    [
        ("swapped readouts", "`reference` must show the signal of 1H|must agree with its state"),
        ("one line missing", "must agree with its state, .* readout YI on 1H"),
        ("foreign state", "must agree with its state, .* degrees of freedom"),
        ("no signal", "must show the signal of 1H at least 5 standard errors"),
        ("short", r"must be finite and have shape \(2, 2, 128\), but has shape \(2, 2, 100\)"),
        ("one readout", r"must be finite and have shape \(2, 2, 128\)"),
        ("not a number", "and 4 points that are not finite"),
    ],
)
def test_contradictory_references_are_refused(case, match):
    with pytest.raises(ArgumentError, match=match):
        calibrate(wrong_reference(case), REFERENCE, THERMAL, NOISE)


@pytest.mark.parametrize(
    ("noise", "scale", "match"),
    [
        (NOISE[:1], 0.0, "`noise` must be 2 positive numbers"),
        (NOISE * np.nan, 0.0, "`noise` must be 2 positive numbers"),
        (NOISE, -0.1, "`scale_error` must be in"),
    ],
)
def test_levels_that_make_no_sense_are_refused(noise, scale, match):
    with pytest.raises(ArgumentError, match=match):
        calibrate(acquire(REFERENCE, THERMAL), REFERENCE, THERMAL, noise, scale_error=scale)


def test_calibrations_of_other_channels_are_refused():
    with pytest.raises(ArgumentError, match="`fids` and `noise` must have 1 channels"):
        estimate_state(acquire(CHAIN, RHO), RESPONSE, NOISE, calibration=Calibration.perfect(1))


# -------------------------------------------------------------------------- FIDs that are missing
def test_clipped_fids_are_left_out_and_the_rest_decides():
    chain = measurement_chain(PAIR, (*SET, "YI", "IX"), receiver=RECEIVER)
    response = response_matrix(chain)
    clean = acquire(chain, RHO)
    loud = clean.copy()
    loud[4, 0] *= 30
    ends = [FrontEnd(digitiser=Digitiser(16, 2.0))] * 2
    kept = record(loud, NOISE, np.random.default_rng(1), front_ends=ends)
    assert np.argwhere(kept.clipped).tolist() == [[4, 0]]
    rest = leave_out(response, kept.clipped > 0)
    estimate = estimate_state(kept.fids, rest, NOISE, method="linear-inversion")
    assert estimate.degrees_of_freedom == 2 * 4 * 6 - 4 - 15
    assert estimate.p_value > 1e-3
    whole = estimate_state(kept.fids, response, NOISE, method="linear-inversion")
    assert whole.p_value < 1e-6
    miss = to_coefficients(estimate.linear) - to_coefficients(RHO)
    assert miss @ np.linalg.solve(estimate.covariance, miss) < chi2_law.isf(1e-3, 15)


def test_left_out_fids_may_hold_anything():
    chain = measurement_chain(PAIR, (*SET, "YI", "IX"), receiver=RECEIVER)
    response, fids = response_matrix(chain), acquire(chain, RHO)
    faulty = np.zeros((6, 2), dtype=bool)
    faulty[4] = True
    broken = fids.copy()
    broken[4] = np.nan
    rest = leave_out(response, faulty)
    few = response_matrix(measurement_chain(PAIR, (*SET, "IX"), receiver=RECEIVER))
    np.testing.assert_allclose(rest.matrix, few.matrix, atol=1e-12)
    np.testing.assert_allclose(
        amplitude_covariance(rest, NOISE), amplitude_covariance(few, NOISE), atol=1e-15
    )
    same = estimate_state(fids[[0, 1, 2, 3, 5]], few, NOISE)
    np.testing.assert_allclose(estimate_state(broken, rest, NOISE).rho, same.rho, atol=1e-12)
    np.testing.assert_array_equal(rest.channel_of, few.channel_of)


def test_leaving_out_too_much_names_what_is_lost():
    faulty = np.zeros((4, 2), dtype=bool)
    faulty[3] = True
    with pytest.raises(ArgumentError, match="has rank 14; not seen: "):
        estimate_state(acquire(CHAIN, RHO), leave_out(RESPONSE, faulty), NOISE)


@pytest.mark.parametrize(
    "faulty", [np.zeros((4, 1), bool), np.ones((4, 2), bool), np.zeros((4, 2)), np.zeros(8, bool)]
)
def test_what_to_leave_out_has_the_shape_of_the_fids(faulty):
    with pytest.raises(ArgumentError, match="`faulty` must be booleans of shape"):
        leave_out(RESPONSE, faulty)


# ------------------------------------------------------------------------------ kinds of states
def test_kinds_are_remembered():
    fids = acquire(CHAIN, RHO)
    pseudo = estimate_state(fids, RESPONSE, NOISE, kind="pseudo")
    deviation = estimate_state(fids, RESPONSE, NOISE, kind="deviation", method="linear-inversion")
    assert (pseudo.kind, deviation.kind) == ("pseudo", "deviation")
    assert estimate_state(fids, RESPONSE, NOISE).kind == "full"


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"kind": "deviation"}, "`method` must be 'linear-inversion' for a deviation"),
        ({"kind": "thermal"}, r"`kind` must be one of \('full', 'deviation', 'pseudo'\)"),
    ],
)
def test_kinds_that_make_no_sense_are_refused(options, match):
    with pytest.raises(ArgumentError, match=match):
        estimate_state(acquire(CHAIN, RHO), RESPONSE, NOISE, **options)


@pytest.mark.parametrize("kind", ["deviation", "pseudo"])
def test_figures_that_do_not_scale_are_refused_unless_asked_for(kind):
    check_figure("ergotropy", kind, homogeneous=True)
    check_figure("concurrence", kind, homogeneous=False, as_pseudo=True)
    check_figure("concurrence", "full", homogeneous=False)
    with pytest.raises(ArgumentError, match=f"must be True for concurrence of a {kind} matrix"):
        check_figure("concurrence", kind, homogeneous=False)
