"""Prepared states: what is played, and that no more of it can be had."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

import nmrqb as nq
from nmrqb.design.pair import OPTIMISE, largest_scale
from nmrqb.design.pair.states import mixing
from nmrqb.dynamics import play_sequence, thermal_deviation
from nmrqb.errors import ArgumentError
from nmrqb.sample import load_sample
from nmrqb.sequence import Gradient, load_sequence

BATTERIES = {
    "DM, KSEA": ({"D": 20, "G": 5}, 20.0),
    "all": ({"D": 20, "G": 5, "Delta": 7, "epsilon": 3, "B": 4}, 5.0),
    "ground": ({"D": 20}, 0.01),
    "inverted": ({"B": 10, "G": 2}, -6.0),
    "hot": ({"Delta": 3, "D": 1}, 500.0),
}


def gibbs_state(name):
    terms, T = BATTERIES[name]
    return nq.gibbs(nq.Battery.from_terms(**terms).hamiltonian_hz, T, inverted=T < 0)


@pytest.mark.parametrize("name", list(BATTERIES))
def test_the_gibbs_state_of_a_battery_is_played(sample, name):
    rho = gibbs_state(name)
    made = nq.prepare(rho, sample)
    found = play_sequence(made.sequence, sample).state
    np.testing.assert_allclose(found, made.scale * (4 * rho - np.eye(4)), rtol=0, atol=1e-11)
    assert made.scale == made.largest_scale > 0
    assert sum(isinstance(event, Gradient) for event in made.sequence.events) == 1


@pytest.mark.parametrize("optimise", OPTIMISE)
def test_every_version_and_any_scale(sample, optimise):
    rho = gibbs_state("all")
    made = nq.prepare(rho, sample, scale=0.06, optimise=optimise)
    found = play_sequence(made.sequence, sample).state
    np.testing.assert_allclose(found, 0.06 * (4 * rho - np.eye(4)), rtol=0, atol=1e-11)
    assert made.scale == 0.06 < made.largest_scale


def test_the_published_limit_of_the_ground_state():
    """No unitaries and gradients get more than 2k(ρ − 1/4) with k = (1 + ratio)/3."""
    sample = load_sample("chloroform")
    ratio = 2 * thermal_deviation(sample)[0, 0].real - 1
    made = nq.prepare(gibbs_state("ground"), sample)
    assert made.scale == pytest.approx((1 + ratio) / 6, rel=1e-6)


def test_the_scale_is_at_least_that_of_the_shipped_sequence():
    """gibbs_two_spin makes 2k(ρ − 1/4) with k = ratio; the design makes more of the same."""
    sample = load_sample("chloroform")
    shipped = play_sequence(load_sequence("gibbs_two_spin"), sample).state
    made = nq.prepare(gibbs_state("DM, KSEA"), sample)
    found = play_sequence(made.sequence, sample).state
    share = np.linalg.norm(found) / np.linalg.norm(shipped)
    np.testing.assert_allclose(found, share * shipped, atol=1e-12)
    assert share > 1.2


def test_a_state_with_the_spectrum_of_equilibrium_needs_no_gradient():
    sample = load_sample("chloroform")
    swap = np.eye(4)[[0, 2, 1, 3]]
    rho = np.eye(4) / 4 + 0.1 * swap @ thermal_deviation(sample) @ swap
    made = nq.prepare(rho, sample)
    assert not any(isinstance(event, Gradient) for event in made.sequence.events)
    found = play_sequence(made.sequence, sample).state
    np.testing.assert_allclose(found, made.scale * (4 * rho - np.eye(4)), rtol=0, atol=1e-12)
    assert made.free_evolution_s <= 1 / 215.13 * (1 + 1e-9)  # iSWAP will do


@settings(deadline=None)
@given(
    st.lists(st.floats(-1, 1), min_size=4, max_size=4),
    st.lists(st.floats(-1, 1), min_size=4, max_size=4),
)
def test_the_largest_scale_is_that_of_doubly_stochastic_matrices(levels, wanted):
    """Birkhoff: populations are in reach if they are a mixture of permutations (linear program)."""
    levels, wanted = (np.round(np.array(v) - np.mean(v), 6) for v in (levels, wanted))
    levels, wanted = levels - levels.mean(), wanted - wanted.mean()
    if min(np.abs(levels).max(), np.abs(wanted).max()) < 1e-3:
        return
    rows = np.zeros((12, 17))
    for i in range(4):
        rows[i, 4 * i : 4 * i + 4] = 1  # rows of the matrix
        rows[4 + i, i:16:4] = 1  # its columns
        rows[8 + i, 4 * i : 4 * i + 4] = levels
        rows[8 + i, 16] = -wanted[i]
    right = np.r_[np.ones(8), np.zeros(4)]
    best = linprog(np.r_[np.zeros(16), -1], A_eq=rows, b_eq=right)
    assert largest_scale(levels, wanted) == pytest.approx(best.x[16], rel=1e-5, abs=1e-6)


@given(st.lists(st.floats(-1, 1), min_size=4, max_size=4), st.integers(0, 10**6))
def test_mixing_makes_any_majorised_populations(levels, seed):
    levels = np.array(levels)
    rng = np.random.default_rng(seed)
    shares = rng.dirichlet(np.ones(6))
    wanted = np.sort(sum(s * rng.permutation(levels) for s in shares))[::-1]
    found = mixing(levels, wanted)
    np.testing.assert_allclose(found.R @ found.R.T, np.eye(4), atol=1e-12)
    made = np.diag(found.R @ np.diag(levels) @ found.R.T)
    np.testing.assert_allclose(made[list(found.holder)], wanted, atol=1e-9)


def test_the_file_of_a_state_is_read_back(tmp_path):
    sample, rho = load_sample("chloroform"), gibbs_state("all")
    made = nq.prepare(rho, sample)
    made.save(tmp_path / "state.yaml")
    text = (tmp_path / "state.yaml").read_text(encoding="utf-8")
    assert f"# scale      the deviation is {made.scale:.6g} (4 rho - 1), the largest" in text
    assert "efficiency 1\n" in text
    found = play_sequence(load_sequence(tmp_path / "state.yaml"), sample).state
    np.testing.assert_allclose(found, made.scale * (4 * rho - np.eye(4)), rtol=0, atol=1e-11)


@pytest.mark.parametrize(
    ("arguments", "match"),
    [
        ({"rho": np.eye(4) / 4}, r"`rho` must differ from 1/4, which is no deviation at all"),
        ({"rho": np.eye(2) / 2}, r"`rho` must be one matrix of two spins"),
        ({"rho": np.eye(4)}, r"`rho` must have trace 1"),
        ({"scale": 2.0}, r"`scale` must be above 0 and up to 0\.3094.*, but is 2"),
        ({"scale": float("nan")}, r"`scale` must be above 0 .* but is nan"),
        ({"optimise": "least"}, r"`optimise` must be one of time, pulses, robustness"),
    ],
)
def test_what_makes_no_sense_is_refused(arguments, match):
    with pytest.raises(ArgumentError, match=match):
        nq.prepare(
            **{"rho": gibbs_state("DM, KSEA"), "sample": load_sample("chloroform"), **arguments}
        )


def test_like_spins_are_refused():
    sample = load_sample("chloroform")
    weak = replace(sample.couplings[0], truncation="weak")
    like = replace(sample, spins=(sample.spins[0], replace(sample.spins[1], nucleus="1H")),
                   couplings=(weak,))  # fmt: skip
    with pytest.raises(ArgumentError, match=r"must have unlike nuclei, but 'chloroform' has two"):
        nq.prepare(gibbs_state("ground"), like)
