"""Features in their frames: what they are, how noise moves them, what their tangents say."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from nmrqb.tomography.uncertainty import Moduli, Spectrum

RNG = np.random.default_rng(3)


def hermitian(count, d=4):
    A = RNG.normal(size=(count, d, d)) + 1j * RNG.normal(size=(count, d, d))
    return (A + A.conj().swapaxes(-1, -2)) / 2


BASIS = np.linalg.eigh(hermitian(1)[0])[1]
KINDS = [Spectrum(), Moduli(BASIS)]


def pooled(values):
    """Pool adjacent violators, one after the other."""
    blocks = []
    for value in values:
        blocks.append([value])
        while len(blocks) > 1 and np.mean(blocks[-2]) > np.mean(blocks[-1]):
            blocks[-2:] = [blocks[-2] + blocks[-1]]
    return np.concatenate([np.full(len(b), np.mean(b)) for b in blocks])


@settings(max_examples=60, deadline=None)
@given(arrays(float, (3, 5), elements=st.floats(-1, 1)))
def test_ascending_order_is_isotonic_regression(values):
    expected = np.array([pooled(row) for row in values])
    np.testing.assert_allclose(Spectrum().ordered(values), expected, atol=1e-12)


def test_moduli_are_not_negative():
    np.testing.assert_array_equal(Moduli(BASIS).ordered(np.array([[-0.1, 0.2]])), [[0.0, 0.2]])


def test_close_eigenvalues_are_joined_in_chains_and_keep_their_sum():
    levels = np.array([[0.0, 0.1, 0.2, 0.5]])
    limit = np.array([[0.15, 0.15, 0.15]])
    np.testing.assert_allclose(Spectrum().closed(levels, limit), [[0.1, 0.1, 0.1, 0.5]])
    np.testing.assert_allclose(Spectrum().closed(levels, 0.05 * limit), levels)


def test_small_moduli_are_set_to_zero():
    found = Moduli(BASIS).closed(np.array([[0.1, 0.3]]), np.array([[0.2, 0.2]]))
    np.testing.assert_array_equal(found, [[0.0, 0.3]])


@pytest.mark.parametrize("kinks", KINDS)
def test_features_with_noise_are_those_of_the_noisy_matrix(kinks):
    rho, noise = hermitian(3), hermitian(5)
    observed, frame = kinks.observe(rho)
    found = kinks.features(observed, kinks.turned(np.broadcast_to(noise, (3, 5, 4, 4)), frame))
    for k in range(3):
        expected, _ = kinks.observe(rho[k] + noise)
        np.testing.assert_allclose(found[k], expected, atol=1e-12)


@pytest.mark.parametrize("kinks", KINDS)
def test_spread_is_the_rms_of_what_opens_gaps(kinks):
    _, frame = kinks.observe(hermitian(2))
    turned = kinks.turned(np.broadcast_to(hermitian(6), (2, 6, 4, 4)), frame)
    noise = np.random.default_rng(0).standard_normal((2, 20_000, 6)) @ turned
    opening = noise[..., [1, 6, 11]] if kinks.key == "spectrum" else noise
    sampled = np.sqrt((np.abs(opening) ** 2).mean(axis=1))
    np.testing.assert_allclose(kinks.spread(turned), sampled, rtol=0.03)


@pytest.mark.parametrize(
    ("kinks", "weights"), [(KINDS[0], [-1.0, 0.2, 0.2, 2.0]), (KINDS[1], [2.0, 0, 1, 3, 1, 2])]
)
def test_tangents_touch_and_stay_below(kinks, weights):
    w = np.array(weights)
    rho, other = hermitian(4), hermitian(50)
    observed, frame = kinks.observe(rho)
    T = kinks.operator(frame, w)
    np.testing.assert_allclose(T, T.conj().swapaxes(-1, -2), atol=1e-12)
    at_rho = np.einsum("nij,nji->n", rho, T).real
    np.testing.assert_allclose(at_rho, observed @ w, atol=1e-12)
    elsewhere = np.einsum("kij,nji->kn", other, T).real
    assert np.all(elsewhere <= (kinks.observe(other)[0] @ w)[:, None] + 1e-12)
    assert np.all(elsewhere < (kinks.observe(other)[0] @ w)[:, None])


def test_only_equal_features_are_shared():
    assert Spectrum().key == Spectrum().key
    assert Moduli(BASIS).key == Moduli(BASIS.copy()).key
    assert Moduli(BASIS).key != Moduli(np.eye(4)).key
