"""Shares of the total spins, against the projections of explicit product states."""

import itertools

import numpy as np
import pytest

from nmrqb.battery.collective_starts import Share, dicke, mixture, one_turned, polarised
from nmrqb.errors import ArgumentError
from nmrqb.operators import PAULI, embed


def explicit_shares(populations):
    """Weights on (J, m) of a diagonal state of n spins, from J² and J_z diagonalised together."""
    n = len(populations).bit_length() - 1
    axes = [sum(embed(PAULI[a] / 2, k, n) for k in range(n)) for a in "XYZ"]
    square = sum(A @ A for A in axes)
    _, V = np.linalg.eigh(square + 1e-3 * axes[2])
    weights = np.einsum("ik,i,ik->k", V.conj(), populations, V).real
    J = (np.sqrt(1 + 4 * np.einsum("ik,ij,jk->k", V.conj(), square, V).real) - 1) / 2
    m = np.einsum("ik,ij,jk->k", V.conj(), axes[2], V).real
    found = {}
    for weight, key in zip(
        weights, zip(np.round(2 * J) / 2, np.round(2 * m) / 2, strict=True), strict=True
    ):
        found[key] = found.get(key, 0.0) + weight
    return {key: weight for key, weight in found.items() if weight > 1e-12}


def as_dict(shares):
    return {(J, m): weight for weight, J, m in shares}


def product(ups):
    """Populations of a product state, one probability of being up per spin."""
    factors = [np.array([p, 1 - p]) for p in ups]
    whole = np.ones(1)
    for factor in factors:
        whole = np.kron(whole, factor)
    return whole


@pytest.mark.parametrize("n", [2, 3, 4])
@pytest.mark.parametrize("up", [True, False])
def test_one_turned_spin(n, up):
    for turned in range(n):
        ups = [float(up) if k == turned else float(not up) for k in range(n)]
        expected = explicit_shares(product(ups))
        assert as_dict(one_turned(n, up=up)) == pytest.approx(expected)


@pytest.mark.parametrize("n", [1, 2, 3, 5])
@pytest.mark.parametrize("up", [0.0, 0.2, 0.5, 0.9, 1.0])
def test_polarised_spins(n, up):
    assert as_dict(polarised(n, up)) == pytest.approx(explicit_shares(product([up] * n)))


@pytest.mark.parametrize("n", [36, 200, 1100])
def test_many_polarised_spins_keep_their_mean(n):
    shares = polarised(n, 0.7) if n < 1000 else polarised(n, 1.0)
    assert sum(share.weight for share in shares) == pytest.approx(1)
    expected = n * 0.2 if n < 1000 else n / 2
    assert sum(share.weight * share.m for share in shares) == pytest.approx(expected)


def test_one_spin_alone():
    assert one_turned(1, up=True) == (Share(1.0, 0.5, 0.5),)
    assert one_turned(1, up=False) == (Share(1.0, 0.5, -0.5),)


def test_a_mixture_adds_up():
    parts = [(0.25, dicke(3, k)) for k in range(4)]
    assert [share.m for share in mixture(parts)] == [-1.5, -0.5, 0.5, 1.5]
    assert mixture([(0.0, dicke(3, 0)), (1.0, dicke(3, 3))]) == dicke(3, 3)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: dicke(3, 4), "`up` must be from 0 to 3, but is 4"),
        (lambda: polarised(3, 1.2), "`up` must be a probability, but is 1.2"),
        (lambda: polarised(3, float("nan")), "`up` must be a probability"),
        (lambda: mixture([(0.5, dicke(1, 0))]), "probabilities that add up to 1"),
        (lambda: mixture([(1.5, dicke(1, 0)), (-0.5, dicke(1, 1))]), "probabilities that add up"),
        (lambda: mixture(itertools.repeat((0.0, dicke(1, 0)), 2)), "probabilities that add up"),
    ],
)
def test_what_is_no_state_is_refused(call, message):
    with pytest.raises(ArgumentError, match=message):
        call()
