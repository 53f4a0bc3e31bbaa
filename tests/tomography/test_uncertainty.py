"""The bootstrap: known biases, coverage, and what must not change its numbers."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.linalg import expm

from nmrqb.battery import capacity, coherence_l1, energy, ergotropy
from nmrqb.dynamics import gibbs
from nmrqb.errors import ArgumentError
from nmrqb.operators import pauli
from nmrqb.sample import load_sample
from nmrqb.spectrometer import Receiver, complex_noise
from nmrqb.tomography import (
    acquire,
    bootstrap,
    estimate_state,
    measurement_chain,
    noise_for_snr,
    response_matrix,
    uncertainty,
)

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
FREE = (-np.inf, np.inf)


def work(rho):
    return ergotropy(rho, H)


def estimates(rho, snr, repetitions, *, method="linear-inversion", seed=1):
    noise = noise_for_snr(CHAIN, CHLOROFORM, snr)
    clean = acquire(CHAIN, rho)
    draws = complex_noise(np.random.default_rng(seed), (repetitions, *clean.shape))
    return estimate_state(clean + noise[:, None] * draws, RESPONSE, noise, method=method)


def intervals(estimate, figure, allowed=FREE, **options):
    rng = np.random.default_rng(options.pop("seed", 2))
    return bootstrap(estimate, {"figure": (figure, allowed)}, rng=rng, **options)["figure"]


# -------------------------------------------------------------------------------------- bias
@pytest.mark.parametrize(
    ("rho", "snr", "biases"),
    [
        # tomography.md §4: bias of the plug-in ergotropy, capacity and l1 coherence over 4000
        # trials; σ = .02 and .05 of a line whose maximum is .5 are SNR 25 and 10
        (PASSIVE, 25, (0.013, 0.026, 0.189)),
        (PASSIVE, 10, (0.079, 0.157, 0.507)),
        (np.eye(4) / 4, 10, (0.258, 0.516, 0.561)),
    ],
    ids=["passive .02", "passive .05", "mixed .05"],
)
def test_plug_in_values_have_the_published_bias(rho, snr, biases):
    estimate = estimates(rho, snr, 4000)
    for figure, bias in zip((work, lambda r: capacity(r, H), coherence_l1), biases, strict=True):
        scatter = figure(estimate.linear)
        error = 4 * scatter.std() / np.sqrt(4000) + 0.0006
        assert (scatter - figure(rho)).mean() == pytest.approx(bias, abs=error)


@pytest.mark.parametrize(("snr", "raw", "corrected"), [(25, 0.0126, -0.0006), (10, 0.079, 0.011)])
def test_bootstrap_removes_the_published_share_of_the_bias(snr, raw, corrected):
    # tomography.md §4, passive state, linear inversion, 400 trials of 400 replicas
    found = intervals(estimates(PASSIVE, snr, 400), work)
    for values, published in ((found.raw, raw), (found.value, corrected)):
        error = 4 * values.std() / np.sqrt(400) + 0.0006
        assert values.mean() == pytest.approx(published, abs=error)


def test_passive_state_is_not_credited_with_work():
    # phantom ergotropy of the raw estimate, cut to less than a third even after clipping at 0
    found = intervals(estimates(PASSIVE, 25, 200, method="maximum-likelihood"), work, (0, np.inf))
    assert found.raw.mean() > 0.008
    assert found.value.mean() < found.raw.mean() / 3
    assert np.mean(found.low == 0) > 0.95


def test_linear_figure_has_no_bias_to_correct():
    estimate = estimates(CHARGED, 25, 5)
    found = intervals(estimate, lambda rho: energy(rho, H), replicas=4000)
    # the energy's own standard error, from the covariance of the Pauli coefficients
    weights = np.array([np.trace(H @ pauli(p)).real / 4 for p in RESPONSE.paulis])
    sigma = np.sqrt(weights @ estimate.covariance @ weights)
    np.testing.assert_allclose(found.value, found.raw, atol=5 * sigma / np.sqrt(4000))
    np.testing.assert_allclose(found.high - found.low, 2 * 1.96 * sigma, rtol=0.1)


# ---------------------------------------------------------------------------------- coverage
def coverage(rho, snr, figure, *, method="maximum-likelihood", allowed=FREE):
    found = intervals(estimates(rho, snr, 200, method=method), figure, allowed)
    truth = figure(rho)
    return np.mean((found.low <= truth + 1e-12) & (truth <= found.high))


def test_intervals_of_a_charged_mixed_state_cover_their_nominal_share():
    # 95 % of 200 is 190 ± 3; the issue asks for at least 0.9
    assert coverage(CHARGED, 100, work, allowed=(0, np.inf)) >= 0.9


def test_intervals_of_a_passive_state_contain_zero():
    # tomography.md §4: basic intervals .99, where percentile intervals cover nothing
    assert coverage(PASSIVE, 25, work, method="linear-inversion", allowed=(0, np.inf)) >= 0.97


def test_intervals_at_low_signal_still_cover_a_charged_state():
    assert coverage(CHARGED, 10, work, method="linear-inversion") >= 0.9


def test_wider_confidence_gives_wider_intervals():
    estimate = estimates(CHARGED, 25, 10)
    narrow, wide = (intervals(estimate, work, confidence=c) for c in (0.5, 0.95))
    assert np.all(wide.low < narrow.low)
    assert np.all(narrow.high < wide.high)
    # of a nearly normal figure the ratio of widths is 1.960/0.674
    ratio = np.mean((wide.high - wide.low) / (narrow.high - narrow.low))
    assert ratio == pytest.approx(1.960 / 0.674, rel=0.1)


# ------------------------------------------------------------------------------ construction
@pytest.mark.parametrize("method", ["linear-inversion", "maximum-likelihood"])
@pytest.mark.parametrize("figure", [work, coherence_l1, lambda rho: -work(rho)])
def test_intervals_are_ordered(method, figure):
    found = intervals(estimates(CHARGED, 20, 50, method=method), figure)
    assert np.all(found.low <= found.value)
    assert np.all(found.value <= found.high)


def test_intervals_stay_in_the_allowed_range():
    found = intervals(estimates(PASSIVE, 10, 50), work, (0.0, 0.05))
    for values in (found.low, found.value, found.high):
        assert values.min() >= 0.0
        assert values.max() <= 0.05
    assert found.raw.max() > 0.05  # the plug-in value is shown as it is


def test_basic_interval_turns_the_replicas_round_the_estimate():
    # with q the quantiles of the replicas: [2θ̂ − q_high, 2θ̂ − q_low], 2θ̂ − mean
    estimate = estimates(CHARGED, 25, 1)
    drawn = []

    def recorded(rho):
        drawn.append(work(rho))
        return drawn[-1]

    found = intervals(estimate, recorded, replicas=300)
    replicas, raw = next(d for d in drawn if d.size == 300), work(estimate.rho)
    low, high = np.quantile(replicas, [0.025, 0.975])
    assert found.low == pytest.approx(2 * raw - high)
    assert found.high == pytest.approx(2 * raw - low)
    assert found.value == pytest.approx(2 * raw - replicas.mean())


def test_replicas_scatter_like_repeated_experiments():
    estimate = estimates(CHARGED, 50, 400)
    one = replace(estimate, rho=estimate.rho[:1], linear=estimate.linear[:1])
    found = intervals(one, work, replicas=4000)
    assert (found.high - found.low)[0] / 3.92 == pytest.approx(
        work(estimate.linear).std(), rel=0.15
    )


def test_same_seed_gives_the_same_interval_and_another_seed_does_not():
    estimate = estimates(CHARGED, 25, 4)
    first, again, other = (intervals(estimate, work, seed=s) for s in (5, 5, 6))
    np.testing.assert_array_equal(first.low, again.low)
    assert np.all(first.low != other.low)


@pytest.mark.parametrize("block", [1, 400, 1000, 1_000_000])
def test_size_of_the_blocks_does_not_change_a_number(monkeypatch, block):
    estimate = estimates(CHARGED, 25, 7)
    reference = intervals(estimate, work)
    monkeypatch.setattr(uncertainty, "_BLOCK", block)
    found = intervals(estimate, work)
    np.testing.assert_allclose(found.low, reference.low, atol=1e-12)
    np.testing.assert_allclose(found.value, reference.value, atol=1e-12)


def test_shapes_of_stacks_are_kept():
    estimate = estimates(CHARGED, 25, 6)
    states = {name: getattr(estimate, name).reshape(2, 3, 4, 4) for name in ("rho", "linear")}
    grid = replace(estimate, **states)
    flat, found = intervals(estimate, work), intervals(grid, work)
    assert found.raw.shape == found.value.shape == found.low.shape == (2, 3)
    np.testing.assert_allclose(found.low.ravel(), flat.low, atol=1e-12)


@pytest.mark.parametrize(
    "options", [{"replicas": 49}, {"confidence": 0.0}, {"confidence": 1.0}, {"confidence": np.nan}]
)
def test_settings_out_of_range_are_refused(options):
    estimate = estimates(CHARGED, 25, 1)
    with pytest.raises(ArgumentError, match=r"must be ≥ 50 and in \(0, 1\)"):
        intervals(estimate, work, **options)
