"""Intervals and bounds: known biases, coverage, and what must not change their numbers."""

from dataclasses import fields, replace
from functools import cache

import numpy as np
import pytest
from scipy.linalg import expm
from scipy.optimize import brentq
from scipy.stats import norm

from nmrqb.battery import capacity, coherence_l1, ergotropy
from nmrqb.dynamics import gibbs
from nmrqb.errors import ArgumentError
from nmrqb.operators import partial_trace, pauli
from nmrqb.sample import load_sample
from nmrqb.spectrometer import Receiver, complex_noise
from nmrqb.tomography import (
    METHODS,
    Bayesian,
    Interval,
    SmoothFigure,
    StateEstimate,
    acquire,
    anti_ergotropy_figure,
    capacity_figure,
    coherence_figure,
    energy_figure,
    ergotropy_figure,
    estimate_state,
    intervals,
    measurement_chain,
    nearest_kink,
    noise_for_snr,
    response_matrix,
)
from nmrqb.tomography.estimators import to_coefficients, to_state
from nmrqb.tomography.uncertainty import Spectrum
from nmrqb.tomography.uncertainty import error_bars as module

CHLOROFORM = load_sample("chloroform")
CHAIN = measurement_chain(
    CHLOROFORM, ("II", "IX", "IY", "XX"), relaxation=False, receiver=Receiver(1000.0, 128)
)
RESPONSE = response_matrix(CHAIN)
# the battery and states of tomography.md §4
H = 0.5 * (pauli("ZI") + 0.8 * pauli("IZ")) + 0.075 * (pauli("XX") + pauli("YY") + pauli("ZZ"))
PASSIVE = gibbs(H, 1.0)
TURN = expm(-1j * np.deg2rad(60) * (pauli("XI") + pauli("IX")) / 2)
CHARGED = TURN @ PASSIVE @ TURN.conj().T
MIXED = np.eye(4, dtype=complex) / 4
WORK, COST, CAPACITY = ergotropy_figure(H), anti_ergotropy_figure(H), capacity_figure(H)
COHERENCE, ENERGY = coherence_figure(np.eye(4, dtype=complex)), energy_figure(H)
FIGURES = {"work": WORK, "cost": COST, "capacity": CAPACITY, "l1": COHERENCE, "energy": ENERGY}
STATES = {"passive": PASSIVE, "charged": CHARGED, "mixed": MIXED}
CELLS = [("passive", 25), ("charged", 10), ("charged", 100), ("mixed", 10)]
REPETITIONS = 500
PURITY = SmoothFigure(lambda rho: np.einsum("...ij,...ji->...", rho, rho).real, (0.25, 1.0))


def estimates(rho, snr, repetitions, *, method="linear-inversion", seed=1):
    noise = noise_for_snr(CHAIN, CHLOROFORM, snr)
    clean = acquire(CHAIN, rho)
    draws = complex_noise(np.random.default_rng(seed), (repetitions, *clean.shape))
    fids, rng = clean + noise[:, None] * draws, np.random.default_rng(seed + 1)
    chosen = Bayesian(burn_in=200, draws=50, thinning=1) if method == "bayesian" else method
    return estimate_state(fids, RESPONSE, noise, method=chosen, rng=rng)


def one(estimate, figure, *, seed=2, **options):
    options = {"gain_error": 0.0} | options
    return intervals(estimate, {"it": figure}, rng=np.random.default_rng(seed), **options)["it"]


# -------------------------------------------------------------------------------------- bias
@pytest.mark.parametrize(
    ("rho", "snr", "biases"),
    [
        # tomography.md §4: bias of the plug-in ergotropy, capacity and l1 coherence over 4000
        # trials; σ = .02 and .05 of a line whose maximum is .5 are SNR 25 and 10
        (PASSIVE, 25, (0.013, 0.026, 0.189)),
        (PASSIVE, 10, (0.079, 0.157, 0.507)),
        (MIXED, 10, (0.258, 0.516, 0.561)),
    ],
    ids=["passive .02", "passive .05", "mixed .05"],
)
def test_plug_in_values_have_the_published_bias(rho, snr, biases):
    estimate = estimates(rho, snr, 4000)
    functions = (lambda r: ergotropy(r, H), lambda r: capacity(r, H), coherence_l1)
    for figure, bias in zip(functions, biases, strict=True):
        scatter = figure(estimate.linear)
        error = 4 * scatter.std() / np.sqrt(4000) + 0.0006
        assert (scatter - figure(rho)).mean() == pytest.approx(bias, abs=error)


@cache
def repeated(state, snr):
    """Return the error bars of all figures in 500 experiments."""
    estimate = estimates(STATES[state], snr, REPETITIONS)
    return intervals(estimate, FIGURES, rng=np.random.default_rng(3), gain_error=0.0)


def truth_of(name, state):
    return FIGURES[name].permitted(FIGURES[name](STATES[state]))


@pytest.mark.parametrize(
    ("state", "snr", "share"), [("passive", 25, 0.25), ("charged", 10, 0.25), ("mixed", 10, 0.5)]
)
@pytest.mark.parametrize("name", ["work", "cost", "capacity"])
def test_values_keep_a_small_share_of_the_bias(name, state, snr, share):
    found, truth = repeated(state, snr)[name], truth_of(name, state)
    bias, corrected = (abs((v - truth).mean()) for v in (found.raw, found.value))
    assert corrected < share * bias + 3 * found.value.std() / np.sqrt(REPETITIONS)


def test_value_of_a_spin_solves_its_equation():
    """Σ r e of one spin is |c| of its Bloch vector, whose mean with noise has a closed form."""
    sigma, c = 0.1, np.array([0.0, 0.15, 0.2])
    states = to_state(c)[None]
    estimate = StateEstimate(
        rho=states,
        linear=states,
        covariance=sigma**2 * np.eye(3),
        chi2=np.zeros(1),
        degrees_of_freedom=0,
        gap=np.zeros(1),
        method="linear-inversion",
    )

    def mean_length(t):  # of a vector of length t with noise σ on three axes
        x = t / sigma
        return sigma * ((x + 1 / x) * (2 * norm.cdf(x) - 1) + 2 * norm.pdf(x))

    expected = brentq(lambda t: mean_length(t) - 0.25, 1e-6, 1.0)
    found = one(estimate, capacity_figure(pauli("Z") / 2), replicas=20_000)
    assert found.raw == pytest.approx(0.25)
    assert found.value == pytest.approx(expected, abs=0.008)
    assert expected < 0.22


def test_linear_figure_has_no_bias_to_correct():
    estimate = estimates(CHARGED, 25, 5)
    found = one(estimate, ENERGY, replicas=4000)
    # the energy's own standard error, from the covariance of the Pauli coefficients
    weights = np.array([np.trace(H @ pauli(p)).real / 4 for p in RESPONSE.paulis])
    sigma = np.sqrt(weights @ estimate.covariance @ weights)
    np.testing.assert_allclose(found.value, found.raw, atol=5 * sigma / np.sqrt(4000))
    np.testing.assert_allclose(found.high - found.low, 2 * 1.96 * sigma, rtol=0.1)
    np.testing.assert_allclose(found.upper_bound - found.raw, 1.645 * sigma, rtol=1e-3)
    np.testing.assert_allclose(found.raw - found.lower_bound, 1.645 * sigma, rtol=1e-3)
    np.testing.assert_array_equal(found.nearest_kink, np.inf)


# ---------------------------------------------------------------------------------- intervals
@pytest.mark.parametrize("figure", [WORK, COST, CAPACITY])
def test_far_from_kinks_intervals_are_those_of_the_gradient(figure):
    estimate = estimates(CHARGED, 1000, 3)
    found = one(estimate, figure, replicas=4000, gain_error=0.01)
    assert np.all(found.nearest_kink > 10)
    c, steps = to_coefficients(estimate.linear[0]), 1e-5 * np.eye(15)
    gradient = (figure(to_state(c + steps)) - figure(to_state(c - steps))) / 2e-5
    noise = np.sqrt(gradient @ estimate.covariance @ gradient)
    sigma = np.hypot(noise, 0.01 * figure(estimate.linear[0]))
    np.testing.assert_allclose(found.high - found.low, 2 * 1.96 * sigma, rtol=0.1)
    np.testing.assert_allclose(found.value, found.raw, atol=0.15 * sigma)


def test_coherence_far_from_kinks_has_the_interval_of_its_gradient():
    rho = MIXED + 0.02 * (np.ones((4, 4)) - np.eye(4))
    estimate = estimates(rho, 1000, 3)
    found = one(estimate, COHERENCE, replicas=4000)
    assert np.all(found.nearest_kink > 10)
    errors = to_coefficients(estimates(rho, 1000, 2000, seed=5).linear)
    np.testing.assert_allclose(
        (found.high - found.low) / 3.92, COHERENCE(to_state(errors)).std(), rtol=0.1
    )


def covered(found, truth):
    return np.mean((found.low <= truth + 1e-12) & (truth <= found.high + 1e-12))


@pytest.mark.parametrize("name", [*FIGURES])
@pytest.mark.parametrize(("state", "snr"), CELLS)
def test_intervals_cover_their_nominal_share(state, snr, name):
    # 95 % of 500 is 475 ± 4.9
    assert covered(repeated(state, snr)[name], truth_of(name, state)) >= 0.95 - 3.1 * 0.0097


def test_a_bootstrap_round_the_linear_inversion_alone_would_not(monkeypatch):
    monkeypatch.setattr(module, "CLOSE", 0.0)
    monkeypatch.setattr(module, "_STEPS", 0)
    assert covered(one(estimates(MIXED, 30, 50), CAPACITY), 0.0) < 0.75


def test_students_factor_widens_intervals_where_noise_is_hardly_known():
    estimate = estimates(CHARGED, 1000, 20)
    poor = replace(estimate, noise_degrees_of_freedom=4.0)
    known, student = (one(e, ENERGY, replicas=4000) for e in (estimate, poor))
    ratio = (student.high - student.low) / (known.high - known.low)
    assert ratio.mean() == pytest.approx(2.776 / 1.960, rel=0.05)
    ratio = (student.upper_bound - student.raw) / (known.upper_bound - known.raw)
    assert ratio.mean() == pytest.approx(2.132 / 1.645, rel=0.01)


def test_errors_of_the_scale_add_in_quadrature():
    estimate = estimates(CHARGED, 1e6, 1)
    calibrated = replace(estimate, scale_error=0.03)
    for figure in (WORK, COHERENCE, ENERGY):
        found = one(calibrated, figure, gain_error=0.04, replicas=4000)
        width = 2 * 1.96 * 0.05 * np.abs(found.raw)
        np.testing.assert_allclose(found.high - found.low, width, rtol=0.1)
        margin = 1.645 * 0.05 * np.abs(found.raw)
        np.testing.assert_allclose(found.upper_bound - found.raw, margin, rtol=1e-2)
        np.testing.assert_allclose(found.raw - found.lower_bound, margin, rtol=1e-2)


def test_scaled_replicas_of_features_are_features_of_scaled_replicas():
    estimate, shifted = estimates(CHARGED, 10, 5), energy_figure(H + 3 * np.eye(4))
    kinked = one(estimate, shifted, gain_error=0.3)
    smooth = one(estimate, SmoothFigure(shifted.__call__), gain_error=0.3)
    for name in ("low", "value", "high"):
        np.testing.assert_allclose(getattr(kinked, name), getattr(smooth, name), atol=1e-12)


def test_wider_confidence_gives_wider_intervals():
    estimate = estimates(CHARGED, 25, 10)
    narrow, wide = (one(estimate, WORK, confidence=c) for c in (0.5, 0.95))
    assert np.all(wide.low < narrow.low)
    assert np.all(narrow.high < wide.high)
    far = estimates(CHARGED, 1000, 10)
    narrow, wide = (one(far, WORK, confidence=c) for c in (0.5, 0.95))
    ratio = np.mean((wide.high - wide.low) / (narrow.high - narrow.low))
    assert ratio == pytest.approx(1.960 / 0.674, rel=0.1)


# ------------------------------------------------------------------------------------ bounds
@pytest.mark.parametrize("name", [*FIGURES])
@pytest.mark.parametrize(("state", "snr"), CELLS)
def test_bounds_hold_one_by_one(state, snr, name):
    found, truth = repeated(state, snr)[name], truth_of(name, state)
    allowed = 0.05 + 3.1 * 0.0097  # binomial, one in a thousand
    assert np.mean(found.lower_bound > truth + 1e-12) <= allowed
    assert np.mean(found.upper_bound < truth - 1e-12) <= allowed


@pytest.mark.parametrize("name", ["work", "cost", "capacity", "l1"])
@pytest.mark.parametrize(("state", "snr"), CELLS)
def test_thinned_values_are_not_beyond_the_truth_and_unbiased_at_the_mixed_state(state, snr, name):
    thinned = repeated(state, snr)[name].thinned
    error = thinned.std() / np.sqrt(REPETITIONS)
    excess = thinned.mean() - truth_of(name, state)
    assert FIGURES[name].curvature * excess < 3.5 * error
    assert state != "mixed" or abs(excess) < 3.5 * error


def test_smooth_figures_have_no_bounds():
    found = one(estimates(CHARGED, 100, 3), PURITY)
    for name in ("lower_bound", "upper_bound", "thinned"):
        assert np.all(np.isnan(getattr(found, name)))
    np.testing.assert_array_equal(found.nearest_kink, np.inf)


def test_smooth_figures_are_covered_and_corrected():
    estimate = estimates(CHARGED, 30, 400)
    found, truth = one(estimate, PURITY), PURITY(CHARGED)
    assert np.mean((found.low <= truth) & (truth <= found.high)) > 0.915
    bias = np.trace(estimate.covariance) / 4
    assert (found.raw - truth).mean() == pytest.approx(bias, rel=0.3)
    assert abs((found.value - truth).mean()) < 0.3 * bias


# ----------------------------------------------------------------------------------- verdicts
def test_passive_and_mixed_states_are_not_credited_with_work():
    for state, snr in (("passive", 25), ("mixed", 10)):
        found = repeated(state, snr)["work"]
        assert found.raw.mean() > 0.008
        assert np.mean(found.significant) < 0.05 + 3.1 * 0.0097
    charged = repeated("charged", 100)
    assert np.all(charged["work"].significant)
    assert np.all(charged["cost"].significant)


def test_without_noise_rounding_is_not_significant():
    found = one(estimates(PASSIVE, 1e15, 5), WORK)
    np.testing.assert_array_equal(found.low, 0.0)
    assert not np.any(found.significant)


def test_distance_of_kinks_is_that_of_the_spectrum():
    estimate = estimates(CHARGED, 1000, 1)
    gaps = np.diff(np.linalg.eigvalsh(CHARGED))
    sampled = estimates(CHARGED, 1000, 2000, seed=4).linear - CHARGED
    V = np.linalg.eigh(CHARGED)[1]
    turned = V.conj().T @ sampled @ V
    spread = np.sqrt((np.abs(turned[:, [0, 1, 2], [1, 2, 3]]) ** 2).mean(axis=0))
    expected = np.min(gaps / spread)
    assert nearest_kink(WORK, CHARGED, estimate.covariance) == pytest.approx(expected, rel=0.05)
    assert one(estimate, WORK).nearest_kink == pytest.approx(expected, rel=0.1)
    assert nearest_kink(WORK, np.stack([MIXED] * 2), estimate.covariance).shape == (2,)


# ------------------------------------------------------------------------------- construction
@pytest.mark.parametrize("method", ["linear-inversion", "maximum-likelihood"])
@pytest.mark.parametrize("name", [*FIGURES])
def test_intervals_are_ordered_and_keep_their_range(method, name):
    figure = FIGURES[name]
    found = one(estimates(CHARGED, 10, 50, method=method), figure)
    assert np.all(found.low <= found.value)
    assert np.all(found.value <= found.high)
    for values in (found.low, found.high, found.lower_bound, found.upper_bound):
        np.testing.assert_array_equal(values, figure.permitted(values))


@pytest.mark.parametrize("method", [m for m in METHODS if m != "linear-inversion"])
def test_estimator_changes_the_plug_in_value_alone(method):
    estimate = estimates(CHARGED, 10, 30, method=method)
    linear, projected = one(estimates(CHARGED, 10, 30), WORK), one(estimate, WORK)
    assert np.any(linear.raw != projected.raw)
    np.testing.assert_array_equal(projected.raw, WORK(estimate.rho))
    for field in fields(Interval):
        if field.name != "raw":
            np.testing.assert_array_equal(
                getattr(linear, field.name), getattr(projected, field.name)
            )


def test_credible_intervals_of_a_flat_prior_do_not_cover_where_intervals_do():
    # tomography.md §4: central 95 % of the posterior ergotropy of a passive state covered 0 %
    estimate = estimates(PASSIVE, 25, 100, method="bayesian")
    low, _ = estimate.posterior.quantiles(WORK, [0.025, 0.975])
    assert np.mean(low <= 1e-12) == 0  # the true value is zero
    assert np.mean(one(estimate, WORK).low <= 0) > 0.9
    assert WORK(estimate.posterior.states).mean() > 1.5 * WORK(estimate.linear).mean() > 0


def test_basic_interval_turns_the_replicas_round_the_estimate():
    # with q the quantiles of the replicas: [2θ̂ − q_high, 2θ̂ − q_low], 2θ̂ − mean
    estimate, drawn = estimates(CHARGED, 25, 1), []

    def recorded(rho):
        drawn.append(ENERGY(rho))
        return drawn[-1]

    found = one(estimate, SmoothFigure(recorded), replicas=399)
    replicas, raw = next(d for d in drawn if d.size == 399), ENERGY(estimate.rho)
    ordered = np.sort(replicas[0])
    assert found.low == pytest.approx(2 * raw - ordered[389])  # the 390th and the 10th of 399
    assert found.high == pytest.approx(2 * raw - ordered[9])
    assert found.value == pytest.approx(2 * raw - replicas.mean())


def test_freed_centres_have_the_observed_spectrum_on_average():
    rng = np.random.default_rng(0)
    observed = np.array([[0.1, 0.2, 0.28, 0.42]])
    noise = 0.02 * (rng.normal(size=(1, 50, 4, 4)) + 1j * rng.normal(size=(1, 50, 4, 4)))
    noise = ((noise + noise.conj().swapaxes(-1, -2)) / 2).reshape(1, 50, 16)
    _, freed, _ = module._centres(Spectrum(), observed, noise, np.full((1, 3), 0.02))
    assert np.all(np.diff(freed[0]) < np.diff(observed[0]) - 1e-4)
    half = noise[:, : module._PAIRS]
    mean = Spectrum().features(freed, np.concatenate([half, -half], axis=1)).mean(axis=1)
    np.testing.assert_allclose(mean, observed, atol=2e-5)


def test_figures_of_some_spins_are_those_of_their_state():
    H1 = np.diag([1.0, -1.0]).astype(complex)
    estimate = estimates(CHARGED, 100, 4)
    found = one(estimate, ergotropy_figure(H1, spins=(1,)))
    part = partial_trace(estimate.rho, (1,))
    np.testing.assert_allclose(found.raw, ergotropy(part, H1), atol=1e-12)
    rows = [RESPONSE.paulis.index("I" + letter) for letter in "XYZ"]
    alone = replace(
        estimate, rho=part, linear=part, covariance=estimate.covariance[np.ix_(rows, rows)]
    )
    other = one(alone, ergotropy_figure(H1), replicas=4000)
    np.testing.assert_allclose(
        found.low, other.low, atol=0.3 * np.ptp([other.low, other.high], 0).max()
    )
    np.testing.assert_allclose(found.high - found.low, other.high - other.low, rtol=0.2)


def test_same_seed_gives_the_same_interval_and_another_seed_does_not():
    estimate = estimates(CHARGED, 25, 4)
    first, again, other = (one(estimate, WORK, seed=s) for s in (5, 5, 6))
    np.testing.assert_array_equal(first.low, again.low)
    assert np.all(first.low != other.low)


def test_figures_do_not_depend_on_which_others_are_asked_for():
    estimate = estimates(CHARGED, 25, 4)
    together = intervals(estimate, FIGURES, rng=np.random.default_rng(2), gain_error=0.0)
    for name, figure in FIGURES.items():
        alone = one(estimate, figure)
        np.testing.assert_allclose(alone.low, together[name].low, atol=1e-12)
        np.testing.assert_allclose(alone.thinned, together[name].thinned, atol=1e-12)


@pytest.mark.parametrize("block", [1, 6400, 16_000])
def test_size_of_the_blocks_does_not_change_a_number(monkeypatch, block):
    estimate = estimates(CHARGED, 25, 7)
    reference = one(estimate, WORK)
    monkeypatch.setattr(module, "_BLOCK_VALUES", block)
    found = one(estimate, WORK)
    for field in fields(Interval):
        np.testing.assert_allclose(
            getattr(found, field.name), getattr(reference, field.name), atol=1e-12
        )


def test_shapes_of_stacks_are_kept():
    estimate = estimates(CHARGED, 25, 6)
    states = {name: getattr(estimate, name).reshape(2, 3, 4, 4) for name in ("rho", "linear")}
    covariance = np.broadcast_to(estimate.covariance, (2, 3, 15, 15))
    grid, own = replace(estimate, **states), replace(estimate, **states, covariance=covariance)
    flat = one(estimate, WORK)
    for found in (one(grid, WORK), one(own, WORK)):
        for field in fields(Interval):
            values = getattr(found, field.name)
            assert values.shape == (2, 3)
            np.testing.assert_allclose(values.ravel(), getattr(flat, field.name), atol=1e-12)


@pytest.mark.parametrize(
    "options",
    [
        {"replicas": 49},
        {"confidence": 0.0},
        {"confidence": 1.0},
        {"confidence": np.nan},
        {"gain_error": -0.01},
        {"gain_error": np.nan},
    ],
)
def test_settings_out_of_range_are_refused(options):
    estimate = estimates(CHARGED, 25, 1)
    with pytest.raises(ArgumentError, match=r"must be ≥ 50, in \(0, 1\), in \[0, 1\)"):
        one(estimate, WORK, **options)


def test_a_confidence_needs_replicas_enough_for_its_quantiles():
    estimate = estimates(CHARGED, 25, 1)
    with pytest.raises(ArgumentError, match=r"`replicas` must be at least 2/\(1 .* = 2000, .* 400"):
        one(estimate, WORK, confidence=0.999, replicas=400)
    one(estimate, WORK, confidence=0.99, replicas=200)


@pytest.mark.parametrize("rng", [None, 1, np.random])
def test_a_generator_must_be_given(rng):
    estimate = estimates(CHARGED, 25, 1)
    with pytest.raises(ArgumentError, match=r"`rng` must be a random generator such as np\.random"):
        intervals(estimate, {"work": WORK}, rng=rng)
