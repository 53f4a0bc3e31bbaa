"""Estimators: exact without noise, wrong when any link is broken, Gaussian with noise."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize
from scipy.stats import chi2 as chi2_law

from nmrqb.battery import fidelity
from nmrqb.dynamics import gibbs
from nmrqb.errors import ArgumentError
from nmrqb.operators import pauli
from nmrqb.sample import Coupling, Sample, Spin
from nmrqb.sequence import PulseErrors
from nmrqb.spectrometer import Receiver, complex_noise
from nmrqb.tomography import (
    METHODS,
    Bayesian,
    Hedged,
    acquire,
    estimate_state,
    joined_estimates,
    measurement_chain,
    readout_maps,
    response_matrix,
)
from nmrqb.tomography.estimators import to_coefficients, to_state
from nmrqb.tomography.response import amplitude_covariance

SET = ("II", "IX", "IY", "XX")
RECEIVER = Receiver(1000.0, 128, dead_time_s=100e-6, phase_rad=0.3)
PAIR = Sample(
    "pair",
    (
        Spin("H", "1H", 20.0, T1_s=0.8, T2_s=0.10, pulse_90_s=13e-6, polarization=0.1),
        Spin("C", "13C", -35.0, T1_s=1.5, T2_s=0.07, pulse_90_s=77e-6, polarization=0.02),
    ),
    (Coupling(("H", "C"), 215.0),),
)
QUIET = np.array([1e-3, 1e-3])
BATTERY = 0.5 * (pauli("ZI") + 0.8 * pauli("IZ")) + 0.075 * (
    pauli("XX") + pauli("YY") + pauli("ZZ")
)
SEEDS = st.integers(0, 2**32 - 1)


def chain_of(sample=PAIR, receiver=RECEIVER, readouts=SET):
    return measurement_chain(sample, readouts, pulses="finite", receiver=receiver)


CHAIN = chain_of()
RESPONSE = response_matrix(CHAIN)


def random_state(seed, rank=4):
    rng = np.random.default_rng(seed)
    root = rng.normal(size=(4, rank)) + 1j * rng.normal(size=(4, rank))
    rho = root @ root.conj().T
    return rho / np.trace(rho)


def noisy(rho, noise, seed, repetitions):
    clean = acquire(CHAIN, rho)
    rng = np.random.default_rng(seed)
    return clean + noise[:, None] * complex_noise(rng, (repetitions, *clean.shape))


# ------------------------------------------------------------------------------- without noise
@given(SEEDS, st.integers(1, 4))
@settings(deadline=None, max_examples=25)
def test_noiseless_linear_inversion_is_exact(seed, rank):
    # finite pulses, T1/T2 during pulses and acquisition, dead time and receiver phase included
    rho = random_state(seed, rank)
    estimate = estimate_state(acquire(CHAIN, rho), RESPONSE, QUIET, method="linear-inversion")
    np.testing.assert_allclose(estimate.rho, rho, atol=1e-9)
    assert estimate.chi2 < 1e-9


@pytest.mark.parametrize("rank", [1, 2, 4])
def test_noiseless_maximum_likelihood_is_exact(rank):
    rho = random_state(1, rank)
    estimate = estimate_state(acquire(CHAIN, rho), RESPONSE, QUIET)
    np.testing.assert_allclose(estimate.rho, rho, atol=1e-6)


def test_noiseless_three_spins():
    spins = tuple(
        Spin(s, n, T1_s=2.0, T2_s=0.3) for s, n in zip("ABC", ("1H", "13C", "15N"), strict=True)
    )
    couplings = (
        Coupling(("A", "B"), 140.0),
        Coupling(("A", "C"), -90.0),
        Coupling(("B", "C"), 15.0),
    )
    readouts = ["III", "IIY", "IYY", "YII", "XYX", "XXY", "XXX"]
    sample = Sample("abc", spins, couplings)
    chain = measurement_chain(sample, readouts, receiver=Receiver(1000.0, 256))
    root = np.random.default_rng(2).normal(size=(8, 8)) + 0j
    rho = root @ root.T / np.trace(root @ root.T)
    noise = np.full(3, 1e-3)
    estimate = estimate_state(
        acquire(chain, rho), response_matrix(chain), noise, method="linear-inversion"
    )
    np.testing.assert_allclose(estimate.rho, rho, atol=1e-9)


def test_homonuclear_pair_with_selective_readouts_and_strong_coupling():
    spins = (Spin("A", "1H", 60.0, T1_s=2.0, T2_s=0.4), Spin("B", "1H", -60.0, T1_s=2.0, T2_s=0.4))
    sample = Sample("ab", spins, (Coupling(("A", "B"), 40.0),))
    chain = measurement_chain(sample, SET, receiver=Receiver(1000.0, 512))
    rho = random_state(3)
    estimate = estimate_state(
        acquire(chain, rho), response_matrix(chain), QUIET[:1], method="linear-inversion"
    )
    np.testing.assert_allclose(estimate.rho, rho, atol=1e-9)


def test_estimate_follows_the_fids():
    # the FIDs of one state give that state, whatever was estimated before and beside it
    first, second = random_state(4), random_state(5)
    fids = np.stack([acquire(CHAIN, first), acquire(CHAIN, second)])
    there = estimate_state(fids, RESPONSE, QUIET).rho
    swapped = estimate_state(fids[::-1], RESPONSE, QUIET).rho
    np.testing.assert_allclose(there, [first, second], atol=1e-6)
    np.testing.assert_allclose(swapped, [second, first], atol=1e-6)


# -------------------------------------------------------------------------------- broken links
def turned_readouts(degrees):
    """The data's 90° readout pulses with another phase than the response believes."""
    frame = np.deg2rad(degrees) * np.array([1, -1]) / 2
    z = np.exp(-1j * (frame[:, None] + frame[None, :]).reshape(-1))
    shift = np.kron(np.diag(z), np.diag(z.conj()))
    maps = shift @ readout_maps(SET, PAIR, pulses="finite", relaxation=True) @ shift.conj().T
    return replace(CHAIN, maps=maps)


def with_spin(k, **changes):
    spins = [replace(spin, **changes) if j == k else spin for j, spin in enumerate(PAIR.spins)]
    return replace(PAIR, spins=tuple(spins))


STATE = random_state(6, 2)
BROKEN = {
    "readout phase": lambda: acquire(turned_readouts(8.0), STATE),
    "readout angle": lambda: acquire(
        measurement_chain(
            PAIR, SET, pulses="finite", receiver=RECEIVER, errors=PulseErrors(amplitude=-0.05)
        ),
        STATE,
    ),
    "readouts exchanged": lambda: acquire(chain_of(readouts=("II", "IY", "IX", "XX")), STATE),
    "ideal readouts": lambda: acquire(
        measurement_chain(PAIR, SET, pulses="ideal", receiver=RECEIVER), STATE
    ),
    "receiver gain": lambda: 1.05 * acquire(CHAIN, STATE),
    "gain of one channel": lambda: np.array([1.05, 1.0])[:, None] * acquire(CHAIN, STATE),
    "receiver phase": lambda: np.exp(0.05j) * acquire(CHAIN, STATE),
    "dead time": lambda: acquire(chain_of(receiver=replace(RECEIVER, dead_time_s=200e-6)), STATE),
    "window shifted by a point": lambda: np.roll(acquire(CHAIN, STATE), -1, axis=-1),
    "spectral width": lambda: acquire(
        chain_of(receiver=replace(RECEIVER, spectral_width_hz=1010.0)), STATE
    ),
    "conjugated (rotation sense)": lambda: acquire(CHAIN, STATE).conj(),
    "channels exchanged": lambda: acquire(CHAIN, STATE)[:, ::-1],
    "T2": lambda: acquire(chain_of(with_spin(0, T2_s=0.08)), STATE),
    "offset": lambda: acquire(chain_of(with_spin(0, offset_hz=21.0)), STATE),
    "coupling": lambda: acquire(
        chain_of(replace(PAIR, couplings=(Coupling(("H", "C"), 217.0),))), STATE
    ),
    "sign of the coupling": lambda: acquire(
        chain_of(replace(PAIR, couplings=(Coupling(("H", "C"), -215.0),))), STATE
    ),
    "another state": lambda: acquire(CHAIN, random_state(7, 2)),
}


@pytest.mark.parametrize("fids", BROKEN.values(), ids=BROKEN)
@pytest.mark.parametrize("method", ["linear-inversion", "maximum-likelihood"])
def test_any_broken_link_between_state_and_estimate_shows(fids, method):
    intact = estimate_state(acquire(CHAIN, STATE), RESPONSE, QUIET, method=method)
    broken = estimate_state(fids(), RESPONSE, QUIET, method=method)
    assert np.abs(to_coefficients(intact.rho - STATE)).max() < 1e-5
    assert np.abs(to_coefficients(broken.rho - STATE)).max() > 5e-3


@pytest.mark.parametrize("link", ["T2", "offset", "window shifted by a point", "readout angle"])
def test_chi2_tells_a_wrong_model_of_the_spectrometer(link):
    estimate = estimate_state(BROKEN[link](), RESPONSE, QUIET, method="linear-inversion")
    assert chi2_law.sf(estimate.chi2, estimate.degrees_of_freedom) < 1e-6


# ---------------------------------------------------------------------------------- with noise
REPETITIONS = 4000


@pytest.fixture(scope="module")
def cloud():
    """Linear inversions of one state under fresh noise, unequal on the two channels."""
    noise = np.array([0.05, 0.12])
    rho = random_state(8)
    fids = noisy(rho, noise, 9, REPETITIONS)
    return rho, estimate_state(fids, RESPONSE, noise, method="linear-inversion")


def test_linear_inversion_is_unbiased(cloud):
    rho, estimate = cloud
    error = to_coefficients(estimate.linear - rho)
    standard_error = np.sqrt(np.diag(estimate.covariance) / REPETITIONS)
    assert np.abs(error.mean(axis=0) / standard_error).max() < 4.0


def test_linear_inversion_scatters_with_its_predicted_covariance(cloud):
    _, estimate = cloud
    root = np.linalg.inv(np.linalg.cholesky(estimate.covariance))
    whitened = to_coefficients(estimate.linear) @ root.T
    # entries of a sample covariance have a standard error of at most √(2/N) = 0.022
    np.testing.assert_allclose(np.cov(whitened.T), np.eye(15), atol=0.11)


def test_chi2_follows_its_law(cloud):
    _, estimate = cloud
    k = estimate.degrees_of_freedom
    assert k == 4 * 2 * 2 * 2 - 15  # readouts, channels, lines, quadratures less Paulis
    assert estimate.chi2.mean() == pytest.approx(k, abs=5 * np.sqrt(2 * k / REPETITIONS))
    assert estimate.chi2.var() == pytest.approx(2 * k, rel=0.15)


def test_weights_follow_the_noise_of_the_channels():
    # with one channel nearly blind, what it alone shows becomes uncertain and the rest does not
    fids = acquire(CHAIN, STATE)
    fair, blind = (
        np.diag(estimate_state(fids, RESPONSE, np.array([1e-3, s])).covariance) for s in (1e-3, 1.0)
    )
    ratio = dict(zip(RESPONSE.paulis, blind / fair, strict=True))
    assert ratio["IX"] > 1e4
    assert ratio["XI"] < 10


def test_no_unbiased_linear_estimator_scatters_less():
    # Gauss–Markov: plain least squares on the same amplitudes has the larger covariance
    noise = np.array([1e-3, 5e-3])
    plain = np.linalg.pinv(RESPONSE.matrix)
    plain_covariance = plain @ amplitude_covariance(RESPONSE, noise) @ plain.T
    weighted = estimate_state(acquire(CHAIN, STATE), RESPONSE, noise).covariance
    excess = np.linalg.eigvalsh(plain_covariance - weighted)
    assert excess.min() > -1e-12
    assert excess.max() > 0.1 * np.linalg.eigvalsh(weighted).max()


# -------------------------------------------------------------------------- maximum likelihood
COLD = gibbs(BATTERY, 0.2)  # nearly pure: noise makes linear inversions negative
LOUD = np.array([0.15, 0.15])


@pytest.fixture(scope="module")
def cold():
    return estimate_state(noisy(COLD, LOUD, 10, 300), RESPONSE, LOUD)


def test_maximum_likelihood_is_a_state(cold):
    assert np.linalg.eigvalsh(cold.rho).min() > -1e-12
    np.testing.assert_allclose(np.trace(cold.rho, axis1=-2, axis2=-1), 1, atol=1e-12)
    np.testing.assert_allclose(cold.rho, cold.rho.conj().swapaxes(-1, -2), atol=1e-14)


def test_maximum_likelihood_leaves_positive_inversions_alone(cold):
    estimate = estimate_state(noisy(gibbs(BATTERY, 1.0), LOUD / 5, 11, 300), RESPONSE, LOUD / 5)
    positive = np.linalg.eigvalsh(estimate.linear).min(axis=-1) >= 0
    assert positive.sum() > 250
    np.testing.assert_array_equal(estimate.rho[positive], estimate.linear[positive])
    assert np.mean(np.linalg.eigvalsh(cold.linear).min(axis=-1) < 0) > 0.9


def loss(rho, estimate, k):
    """½ (c − ĉ)ᵀ C⁻¹ (c − ĉ), the negative log-likelihood up to a constant."""
    step = to_coefficients(rho - estimate.linear[k])
    return float(step @ np.linalg.solve(estimate.covariance, step)) / 2


def best_of_cholesky(estimate, k):
    """Minimise over ρ = TT†/tr TT† with T lower triangular, from several starts."""
    lower = np.tril_indices(4)
    precision = np.linalg.inv(estimate.covariance)
    centre = to_coefficients(estimate.linear[k])
    paulis = np.array([pauli(p) for p in RESPONSE.paulis])

    def state(x):
        T = np.zeros((4, 4), dtype=complex)
        T[lower] = x[:10] + 1j * x[10:]
        return T @ T.conj().T / np.sum(np.abs(T) ** 2), T

    def objective(x):
        rho, T = state(x)
        step = to_coefficients(rho) - centre
        G = np.tensordot(precision @ step, paulis, axes=1)
        G -= np.trace(G @ rho).real * np.eye(4)
        slope = 2 * (G @ T)[lower] / np.sum(np.abs(T) ** 2)
        return float(step @ precision @ step) / 2, np.concatenate([slope.real, slope.imag])

    starts = np.random.default_rng(k).normal(size=(4, 20))
    options = {"maxiter": 2000, "gtol": 1e-8}
    found = [minimize(objective, x0, jac=True, options=options) for x0 in starts]
    return state(min(found, key=lambda f: f.fun).x)[0]


@pytest.mark.parametrize("k", range(4))
def test_maximum_likelihood_agrees_with_an_independent_optimiser(cold, k):
    rival = best_of_cholesky(cold, k)
    ours = loss(cold.rho[k], cold, k)
    assert ours <= loss(rival, cold, k) + 1e-5
    assert ours == pytest.approx(loss(rival, cold, k), abs=1e-3)
    assert fidelity(cold.rho[k], rival) > 0.9999


def test_gap_bounds_what_is_missing_to_the_maximum(cold):
    # convexity: no state beats the estimate by more than the gap
    assert np.all(cold.gap <= 1e-5)
    rivals = [random_state(seed, rank) for seed in range(20) for rank in (1, 2)]
    for k in range(20):
        mixtures = [0.999 * cold.rho[k] + 0.001 * rival for rival in (*rivals, COLD)]
        best = min(loss(rho, cold, k) for rho in mixtures)
        assert loss(cold.rho[k], cold, k) <= best + cold.gap[k] + 1e-12


def test_misfit_is_what_the_states_of_a_positive_estimate_cost(cold):
    twice = [2 * loss(rho, cold, k) for k, rho in enumerate(cold.rho)]
    np.testing.assert_allclose(cold.misfit, twice, atol=1e-9)
    assert cold.misfit.max() > 1
    inside = estimate_state(noisy(COLD, LOUD, 10, 3), RESPONSE, LOUD, method="linear-inversion")
    np.testing.assert_array_equal(inside.misfit, 0)


# ------------------------------------------------------------------------------- other estimators
def seeded(method, seed=1):
    rng = np.random.default_rng(seed)
    return estimate_state(noisy(COLD, LOUD, 13, 3), RESPONSE, LOUD, method=method, rng=rng)


QUICK_CHAINS = Bayesian(burn_in=50, draws=20, thinning=2)


@pytest.mark.parametrize("method", [m for m in METHODS if m != "linear-inversion"])
def test_all_other_estimates_are_states(method):
    found = seeded(QUICK_CHAINS if method == "bayesian" else method)
    assert found.method == method
    assert found.estimator.name == method
    assert np.linalg.eigvalsh(found.rho).min() > -1e-12
    np.testing.assert_allclose(np.trace(found.rho, axis1=-2, axis2=-1), 1, atol=1e-12)
    np.testing.assert_array_equal(found.linear, seeded("linear-inversion").rho)
    assert found.gap.max() <= 1e-6
    likely = seeded("maximum-likelihood")
    assert np.all(found.misfit >= likely.misfit - 2 * likely.gap)


def test_settings_are_those_of_the_estimator_that_is_given():
    weak, usual = seeded(Hedged(1e-3)), seeded("hedged")
    assert (weak.estimator.strength, usual.estimator.strength) == (1e-3, 0.5)
    lowest = [np.linalg.eigvalsh(found.rho)[:, 0] for found in (weak, usual)]
    assert np.all(lowest[0] < lowest[1])
    assert lowest[0].min() < 1e-2 * lowest[1].min()


def test_a_batch_keeps_its_shape_with_any_estimator():
    fids = noisy(COLD, LOUD, 14, 6).reshape(2, 3, *CHAIN.maps.shape[:1], 2, -1)
    for method in (*METHODS[:-1], QUICK_CHAINS):
        found = estimate_state(fids, RESPONSE, LOUD, method=method, rng=np.random.default_rng(0))
        assert found.rho.shape == (2, 3, 4, 4)
        assert found.gap.shape == found.misfit.shape == found.chi2.shape == (2, 3)
    assert found.posterior.coefficients.shape == (2, 3, 4, 20, 15)
    assert found.posterior.r_hat.shape == found.posterior.effective_size.shape == (2, 3)
    np.testing.assert_allclose(found.posterior.states.mean(axis=2), found.rho, atol=1e-14)


def test_the_generator_is_recorded_and_needed():
    first, again = seeded(QUICK_CHAINS), seeded(QUICK_CHAINS)
    np.testing.assert_array_equal(first.rho, again.rho)
    assert first.posterior.rng_state == np.random.default_rng(1).bit_generator.state
    assert np.abs(seeded(QUICK_CHAINS, 2).rho - first.rho).max() > 1e-3
    with pytest.raises(ArgumentError, match="`rng` must be a random generator"):
        estimate_state(acquire(CHAIN, STATE), RESPONSE, QUIET, method="bayesian")


@pytest.mark.parametrize("method", [m for m in METHODS if m != "linear-inversion"])
def test_deviations_have_no_positive_estimate(method):
    with pytest.raises(ArgumentError, match=f"must be 'linear-inversion' .* but is '{method}'"):
        estimate_state(acquire(CHAIN, STATE), RESPONSE, QUIET, method=method, kind="deviation")


def test_estimates_of_parts_join_to_that_of_the_whole():
    fids = noisy(COLD, LOUD, 15, 5)
    whole = estimate_state(fids, RESPONSE, LOUD)
    parts = [estimate_state(part, RESPONSE, LOUD) for part in (fids[:2], fids[2:])]
    joined = joined_estimates(parts)
    for name in ("rho", "linear", "chi2", "misfit", "gap"):
        np.testing.assert_allclose(getattr(joined, name), getattr(whole, name), atol=1e-9)
    assert joined.covariance.shape == (15, 15)
    rng = np.random.default_rng(3)
    draws = [
        estimate_state(part, RESPONSE, LOUD, method=QUICK_CHAINS, rng=rng)
        for part in (fids[:2], fids[2:])
    ]
    assert joined_estimates(draws).posterior.states.shape == (5, 80, 4, 4)


def test_estimates_of_a_stack_are_those_of_its_members():
    fids = noisy(COLD, LOUD, 12, 6).reshape(2, 3, 4, 2, 128)
    batch = estimate_state(fids, RESPONSE, LOUD)
    single = [[estimate_state(f, RESPONSE, LOUD) for f in row] for row in fids]
    assert batch.rho.shape == (2, 3, 4, 4)
    np.testing.assert_allclose(batch.rho, [[e.rho for e in row] for row in single], atol=1e-5)
    np.testing.assert_allclose(batch.chi2, [[e.chi2 for e in row] for row in single], rtol=1e-9)


def test_coefficients_and_states_are_inverse():
    rho = np.array([random_state(k) for k in range(3)])
    np.testing.assert_allclose(to_state(to_coefficients(rho)), rho, atol=1e-15)
    assert to_coefficients(rho)[0, 0] == pytest.approx(np.trace(pauli("IX") @ rho[0]).real)


# ------------------------------------------------------------------------------------ refusals
def response_to(readouts):
    chain = measurement_chain(PAIR, readouts, relaxation=False, receiver=RECEIVER)
    return response_matrix(chain), acquire(chain, STATE)


def test_non_selective_readouts_are_refused_with_what_they_cannot_see():
    # tomography.md §3: rank 12 of {II, XX, YY}
    response, fids = response_to(["II", "XX", "YY"])
    with pytest.raises(ArgumentError, match=r"has rank 12; not seen: XX, YY, ZZ$"):
        estimate_state(fids, response, QUIET)


@pytest.mark.parametrize("readouts", [["II"], ["II", "XX"], ["II", "IX", "IY"], ["IX", "XI", "YY"]])
def test_fewer_than_four_readouts_never_suffice(readouts):
    response, fids = response_to(readouts)
    with pytest.raises(ArgumentError, match="must determine all 15 Pauli coefficients"):
        estimate_state(fids, response, QUIET)


def test_equivalent_spins_hide_their_singlet():
    spins = (Spin("A", "1H"), Spin("B", "1H"))
    sample = Sample("a2", spins, (Coupling(("A", "B"), 40.0),))
    chain = measurement_chain(sample, SET, receiver=RECEIVER)
    with pytest.raises(ArgumentError, match=r"not seen: XX, XY, XZ, .* IX − IY"):
        estimate_state(acquire(chain, STATE), response_matrix(chain), QUIET[:1])


def test_missing_readouts_are_counted():
    fids = acquire(CHAIN, STATE)[:3]
    with pytest.raises(ArgumentError, match="must hold 4 readouts, but holds 3"):
        estimate_state(fids, RESPONSE, QUIET)


def test_unknown_method_is_refused():
    with pytest.raises(ArgumentError, match=r"`method` must be one of .* did you mean `bayesian`"):
        estimate_state(acquire(CHAIN, STATE), RESPONSE, QUIET, method="bayes")
    with pytest.raises(ArgumentError, match=r"`method` must be one of .* but is None"):
        estimate_state(acquire(CHAIN, STATE), RESPONSE, QUIET, method=None)
