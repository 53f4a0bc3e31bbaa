"""Line amplitudes with their own covariance: what they determine, against the FIDs' own route."""

import numpy as np
import pytest

from nmrqb.errors import ArgumentError
from nmrqb.operators import pauli_basis
from nmrqb.sample import load_sample
from nmrqb.tomography import (
    acquire,
    estimate_state,
    line_amplitudes,
    measurement_chain,
    response_matrix,
)
from nmrqb.tomography.from_lines import (
    chi2_probability,
    coefficient,
    estimate_from_lines,
    populations,
    whole_state,
)
from nmrqb.tomography.response import amplitude_covariance

SAMPLE = load_sample("chloroform")
SIGMA = np.array([0.02, 0.05])


def state(seed):
    rng = np.random.default_rng(seed)
    A = rng.normal(size=(4, 4)) + 1j * rng.normal(size=(4, 4))
    rho = A @ A.conj().T
    return rho / np.trace(rho)


def lines(readouts, rho, seed=0, observed=None):
    """Return noisy amplitudes, their covariance, the response, and the FIDs behind them."""
    chain = measurement_chain(SAMPLE, readouts, relaxation=False, observed=observed)
    response = response_matrix(chain)
    noise = SIGMA[: len(chain.channels)]
    rng = np.random.default_rng(seed)
    fids = acquire(chain, rho)
    fids = fids + noise[:, None] * (rng.normal(size=(*fids.shape, 2)) @ [1, 1j])
    return (
        line_amplitudes(fids, response.fits),
        amplitude_covariance(response, noise),
        response,
        fids,
    )


def test_a_complete_set_gives_the_state_of_the_usual_route():
    y, C, response, fids = lines(["II", "IX", "IY", "XX"], state(1))
    partial = estimate_from_lines(y, C, response.matrix, response.paulis)
    usual = estimate_state(fids, response, SIGMA)
    whole = whole_state(partial, "full")
    assert whole.linear == pytest.approx(usual.linear, abs=1e-10)
    assert whole.rho == pytest.approx(usual.rho, abs=1e-5)
    assert whole.covariance == pytest.approx(usual.covariance, rel=1e-6, abs=1e-12)
    assert float(partial.chi2) == pytest.approx(float(usual.chi2))
    assert partial.degrees_of_freedom == usual.degrees_of_freedom
    assert 0 < chi2_probability(partial) < 1


def test_what_is_not_determined_is_not_told():
    rho = state(2)
    y, C, response, _ = lines(["XI"], rho, observed=["1H"])
    partial = estimate_from_lines(y, C, response.matrix, response.paulis)
    seen = {c.name for c in partial.seen}
    assert seen == {"XI", "ZI", "XZ", "ZZ"}
    assert coefficient(partial, "IZ") is None
    assert populations(partial) is None
    value, error = coefficient(partial, "ZZ")
    truth = np.trace(rho @ pauli_basis(2)[15]).real
    assert abs(value - truth) < 4 * error
    with pytest.raises(ArgumentError, match="must determine the whole state"):
        whole_state(partial, "full")


def test_populations_and_their_errors():
    rho = state(3)
    truth = np.diag(rho).real - 0.25
    pulls = []
    for seed in range(40):
        y, C, response, _ = lines(["XI", "IX"], rho, seed)
        partial = estimate_from_lines(y, C, response.matrix, response.paulis, kind="deviation")
        found, covariance = populations(partial)
        assert found.sum() == pytest.approx(0, abs=1e-12)
        pulls.append((found - truth) / np.sqrt(np.diag(covariance)))
    assert np.mean(np.square(pulls)) == pytest.approx(1, abs=0.35)


def test_a_deviation_is_not_made_positive():
    y, C, response, _ = lines(["II", "IX", "IY", "XX"], state(4))
    bent = estimate_from_lines(10 * y, C, response.matrix, response.paulis, kind="deviation")
    straight = estimate_from_lines(10 * y, C, response.matrix, response.paulis)
    assert np.linalg.eigvalsh(bent.rho)[0] < -0.1
    assert np.linalg.eigvalsh(straight.rho)[0] > -1e-9


def test_shapes_and_covariances_are_checked():
    y, C, response, _ = lines(["XI"], state(5))
    with pytest.raises(ArgumentError, match="must have shapes"):
        estimate_from_lines(y[1:], C, response.matrix, response.paulis)
    with pytest.raises(ArgumentError, match=r"`covariance` must be positive, .* eigenvalue -\d"):
        estimate_from_lines(y, -C, response.matrix, response.paulis)
    with pytest.raises(ArgumentError, match=r"`covariance` .* and 8 of its variances are 0"):
        estimate_from_lines(y, C * 0.0, response.matrix, response.paulis)


def test_combinations_without_variance_are_left_out():
    y, C, response, _ = lines(["II", "IX", "IY", "XX"], state(6))
    whole = estimate_from_lines(y, C, response.matrix, response.paulis)
    root = np.eye(len(y)) - np.outer(*2 * [np.eye(len(y))[0]])
    root[0, 1] = 1.0  # the first amplitude repeats the second
    twice = estimate_from_lines(
        root @ y, root @ C @ root.T, root @ response.matrix, response.paulis
    )
    assert twice.degrees_of_freedom == whole.degrees_of_freedom - 1
    assert np.isfinite(twice.values).all()
