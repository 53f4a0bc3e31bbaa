"""Partial tomography: what is determined, what not, and how far figures of merit can differ."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nmrqb.battery import Battery
from nmrqb.errors import ArgumentError
from nmrqb.operators import from_named, partial_trace
from nmrqb.sample import Coupling, Sample, Spin, load_sample
from nmrqb.spectrometer import Receiver, complex_noise
from nmrqb.tomography import (
    METHODS,
    Bayesian,
    MaximumEntropy,
    acquire,
    estimate_state,
    measurement_chain,
    response_matrix,
)
from nmrqb.tomography.calibration import Calibration
from nmrqb.tomography.design import (
    analyse,
    bounds,
    determines,
    elements,
    estimate_partially,
    named_expectations,
)
from nmrqb.tomography.estimators import to_coefficients

CHLOROFORM = load_sample("chloroform")
SET = ("II", "IX", "IY", "XX")
GLOBAL = ("II", "45 x", "45 y")
LOCAL = tuple(a + b for a in "IXY" for b in "IXY")
RECEIVER = Receiver(1000.0, 128)
NOISE = np.array([0.05, 0.1])
DM = Battery.from_terms(D=20, G=5, B=4)
EXCHANGE = Battery(from_named({"DM_z": 20.0, "isotropic": 10.0, "B": 3.0}))
ONE = Battery.zeeman(10.0, 0)
ALL = {"energy", "populations", "ergotropy", "anti_ergotropy", "capacity", "coherence_l1",
       "coherence_l1_computational", "purity"}  # fmt: skip


def design_of(readouts, sample=CHLOROFORM, **options):
    chain = measurement_chain(sample, readouts, relaxation=False, receiver=RECEIVER, **options)
    return analyse(response_matrix(chain))


FULL, BLIND = design_of(SET), design_of(GLOBAL)
CHANNEL, TWO = design_of(LOCAL, observed=["1H"]), design_of(("II", "IX"))


def random_state(seed, rank=4, d=4):
    rng = np.random.default_rng(seed)
    root = rng.normal(size=(d, rank)) + 1j * rng.normal(size=(d, rank))
    rho = root @ root.conj().T
    return rho / np.trace(rho)


def determined(design, battery):
    return {v.figure for v in determines(design, battery) if v.determined}


# ---------------------------------------------------------------------------------------- verdicts
@pytest.mark.parametrize("battery", [DM, EXCHANGE, ONE])
def test_a_complete_set_determines_everything(battery):
    assert determined(FULL, battery) == ALL


def test_without_the_exchange_only_energies_without_it_are_known():
    assert determined(BLIND, DM) == {"energy"}
    assert determined(BLIND, EXCHANGE) == set()
    assert determined(BLIND, ONE) == ALL - {"coherence_l1_computational"}
    verdicts = {v.figure: v for v in determines(BLIND, EXCHANGE)}
    for name in ALL:
        assert [c.name for c in verdicts[name].missing] == ["XX + YY + ZZ"]
    assert str(verdicts["energy"]) == "energy: not determined: misses XX + YY + ZZ"


def test_one_channel_knows_its_own_spin():
    assert determined(CHANNEL, ONE) == ALL - {"coherence_l1_computational"}
    assert determined(CHANNEL, Battery.zeeman(10.0, 1)) == set()
    (energy, *_) = determines(CHANNEL, Battery.zeeman(10.0, 1))
    assert [c.name for c in energy.missing] == ["IZ"]


def test_a_battery_without_a_width_stores_nothing_whatever_the_state():
    flat = determined(TWO, Battery(3.0 * np.eye(4)))
    assert flat >= {"energy", "ergotropy", "anti_ergotropy", "capacity"}
    assert "purity" not in flat


@given(st.integers(0, 2**32 - 1))
@settings(deadline=None, max_examples=15)
def test_what_is_determined_is_alike_for_states_that_look_alike_and_nothing_else_is(seed):
    rng = np.random.default_rng(seed)
    rho = 0.9 * random_state(seed) + 0.1 * np.eye(4) / 4
    for design in (BLIND, CHANNEL, TWO):
        shift = sum(rng.normal() * c.operator for c in design.invisible)
        other = rho + 0.02 * shift / np.abs(shift).max()
        for battery in (DM, EXCHANGE, ONE):
            known = determined(design, battery)
            for name in ("energy", "ergotropy", "anti_ergotropy", "capacity", "coherence_l1"):
                figure = getattr(battery, name)
                spins = battery.spins or (0, 1)
                values = [float(figure(partial_trace(r, spins))) for r in (rho, other)]
                alike = abs(values[0] - values[1]) < 1e-9
                assert alike or name not in known
                if name == "energy":
                    assert alike == (name in known)


def test_elements_one_by_one():
    # 1H alone: ⟨i|ρ|j⟩ with i, j of different 1H state are seen, the others hold IX, IY, IZ
    found = elements(CHANNEL)
    assert {ij for ij, known in found.items() if known.determined} == {
        (0, 2),
        (0, 3),
        (1, 2),
        (1, 3),
    }
    assert found[0, 1].missing is not None
    energy = elements(BLIND, EXCHANGE.energy_basis)
    assert all(known.determined for known in elements(FULL).values())
    assert any(known.determined for known in energy.values())


def test_the_error_of_an_element_is_that_of_its_worse_part():
    C = FULL.covariance
    place = {p: k for k, p in enumerate(FULL.paulis)}
    # ρ_01 = (⟨IX⟩ + ⟨ZX⟩ − i⟨IY⟩ − i⟨ZY⟩)/4
    sums = [np.eye(15)[place["I" + a]] + np.eye(15)[place["Z" + a]] for a in "XY"]
    worse = max(np.sqrt(v @ C @ v) / 4 for v in sums)
    assert elements(FULL)[0, 1].error == pytest.approx(worse)


def test_named_terms_of_every_pair():
    found = named_expectations(BLIND)[0, 1]
    assert not found["isotropic"].determined
    assert all(known.determined for name, known in found.items() if name != "isotropic")
    spins = tuple(Spin(s, n) for s, n in zip("ABC", ("1H", "13C", "15N"), strict=True))
    three = Sample(
        "abc",
        spins,
        (Coupling(("A", "B"), 140.0), Coupling(("B", "C"), 15.0), Coupling(("A", "C"), 7.0)),
    )
    pairs = named_expectations(design_of(("III", "45 x", "45 y", "90 x", "90 y"), three))
    assert set(pairs) == {(0, 1), (0, 2), (1, 2)}
    assert pairs[0, 2]["isotropic"].missing.name == "XIX + YIY + ZIZ"


@pytest.mark.parametrize(
    "battery", [Battery(np.diag([1.0, 2.0])), Battery.zeeman(1.0, 2), Battery(np.eye(8))]
)
def test_batteries_of_other_registers_are_refused(battery):
    with pytest.raises(ArgumentError, match="`battery` must be of spins of the register of 2"):
        determines(BLIND, battery)


@pytest.mark.parametrize("basis", [np.eye(2), np.ones((4, 4)), 2 * np.eye(4)])
def test_bases_that_are_none_are_refused(basis):
    with pytest.raises(ArgumentError, match="`basis` must be 4 orthonormal columns"):
        elements(BLIND, basis)


# ------------------------------------------------------------------------------- partial estimates
def data_of(rho, readouts, seed=None, repetitions=(), observed=None):
    chain = measurement_chain(CHLOROFORM, readouts, receiver=RECEIVER, observed=observed)
    clean = acquire(chain, rho)
    noise = NOISE[: len(chain.channels)]
    if seed is not None:
        rng = np.random.default_rng(seed)
        clean = clean + noise[:, None] * complex_noise(rng, (*repetitions, *clean.shape))
    return clean, response_matrix(chain), noise


@given(st.integers(0, 2**32 - 1), st.sampled_from([GLOBAL, ("II", "IX"), ("XX",), SET]))
@settings(deadline=None, max_examples=15)
def test_noiseless_data_give_the_determined_combinations(seed, readouts):
    rho = random_state(seed)
    partial = estimate_partially(*data_of(rho, readouts))
    truth = [np.trace(rho @ c.operator).real for c in partial.seen]
    np.testing.assert_allclose(partial.values, truth, atol=1e-9)
    assert len(partial.seen) == partial.design.rank == 15 - len(partial.invisible)
    assert partial.chi2 < 1e-9
    assert np.linalg.eigvalsh(partial.rho)[0] > -1e-9
    shown = [np.trace(partial.rho @ c.operator).real for c in partial.seen]
    np.testing.assert_allclose(shown, truth, atol=1e-4)


def test_what_is_seen_is_named_beside_what_is_not():
    partial = estimate_partially(*data_of(random_state(1), GLOBAL))
    names = [c.name for c in partial.seen]
    assert names[:2] == ["IX", "IY"]
    assert {c.name for c in partial.invisible} == {"XX + YY + ZZ"}
    combined = [c.coefficients for c in partial.seen if len(c.coefficients) > 1]
    assert len(combined) == 2
    assert all(sorted(c.values()) == [-1, 1] and set(c) <= {"XX", "YY", "ZZ"} for c in combined)


def test_values_scatter_with_their_covariance():
    rho = random_state(2)
    partial = estimate_partially(*data_of(rho, GLOBAL, seed=3, repetitions=(3000,)))
    truth = [np.trace(rho @ c.operator).real for c in partial.seen]
    root = np.linalg.inv(np.linalg.cholesky(partial.covariance))
    whitened = (partial.values - truth) @ root.T
    np.testing.assert_allclose(np.cov(whitened.T), np.eye(14), atol=0.13)
    assert np.abs(whitened.mean(axis=0)).max() < 4 / np.sqrt(3000)
    freedom = partial.degrees_of_freedom
    assert freedom == 3 * 2 * 2 * 2 - 14
    assert partial.chi2.mean() == pytest.approx(freedom, abs=5 * np.sqrt(2 * freedom / 3000))
    np.testing.assert_allclose(partial.errors**2, np.diag(partial.covariance))


def test_a_complete_set_gives_what_the_estimator_gives():
    data = data_of(random_state(4), SET, seed=5)
    partial, whole = estimate_partially(*data), estimate_state(*data)
    np.testing.assert_allclose(partial.rho, whole.rho, atol=1e-6)
    linear = to_coefficients(whole.linear)
    np.testing.assert_allclose(partial.values, linear, atol=1e-9)
    np.testing.assert_allclose(partial.covariance, whole.covariance, atol=1e-12)
    assert partial.chi2 == pytest.approx(whole.chi2)
    assert partial.degrees_of_freedom == whole.degrees_of_freedom


def entropy(rho):
    r = np.linalg.eigvalsh(rho).clip(1e-300)
    return float(-(r * np.log(r)).sum())


def test_every_estimator_takes_an_incomplete_set():
    data = data_of(random_state(4, rank=1), GLOBAL, seed=7)
    found = {
        method: estimate_partially(*data, method=chosen, rng=np.random.default_rng(8))
        for method in METHODS
        for chosen in [Bayesian(draws=50, thinning=2) if method == "bayesian" else method]
    }
    likely = found["maximum-likelihood"]
    for method, one in found.items():
        np.testing.assert_array_equal(one.values, likely.values)
        assert (one.posterior is None) == (method != "bayesian")
        if method != "linear-inversion":
            assert np.linalg.eigvalsh(one.rho).min() > -1e-12
            assert one.gap <= 1e-5
    # the most mixed of the states that say the same of what is determined
    same = estimate_partially(*data, method=MaximumEntropy(0.0)).rho
    assert entropy(same) >= entropy(likely.rho) - 1e-3
    assert entropy(found["maximum-entropy"].rho) > entropy(same)
    off = (to_coefficients(same) - to_coefficients(likely.rho)) @ np.array(
        [combination.vector for combination in likely.seen]
    ).T
    assert np.abs(off / likely.errors).max() < 0.05


def test_errors_of_gains_are_in_the_covariance():
    fids, response, noise = data_of(random_state(4), SET, seed=6)
    calibration = Calibration(np.array([1.1, 0.9]), np.array([0.1, -0.2]), 1e-4 * np.eye(4))
    fids = fids * calibration.factors[:, None]
    partial = estimate_partially(fids, response, noise, calibration=calibration)
    whole = estimate_state(
        fids, response, noise, method="linear-inversion", calibration=calibration
    )
    np.testing.assert_allclose(partial.covariance, whole.covariance, atol=1e-12)
    np.testing.assert_allclose(partial.values, to_coefficients(whole.linear), atol=1e-9)


def test_what_T1_builds_up_is_not_taken_for_signal():
    # finite pulses on fast spins: the maximally mixed state shows a signal, and none is estimated
    spins = [
        Spin(s, n, T1_s=1e-3, T2_s=1e-3, pulse_90_s=1e-4, polarization=1.0)
        for s, n in (("H", "1H"), ("C", "13C"))
    ]
    sample = Sample("fast", tuple(spins), (Coupling(("H", "C"), 215.0),))
    chain = measurement_chain(sample, ("II", "XX"), pulses="finite", receiver=RECEIVER)
    fids = acquire(chain, np.eye(4) / 4)
    assert np.abs(fids).max() > 0.01
    partial = estimate_partially(fids, response_matrix(chain), NOISE)
    np.testing.assert_allclose(partial.values, 0, atol=1e-9)


def test_an_expectation_with_its_error_or_a_refusal_that_names_what_is_missing():
    rho = random_state(7)
    partial = estimate_partially(*data_of(rho, GLOBAL))
    H = DM.hamiltonian_hz + 2 * np.eye(4)
    value, error = partial.expectation(H)
    assert value == pytest.approx(np.trace(rho @ H).real, abs=1e-6)
    vector = to_coefficients(H) / 4
    assert error == pytest.approx(np.sqrt(vector @ partial.design.covariance @ vector))
    with pytest.raises(ArgumentError, match=r"do not show its part 10 XX \+ 10 YY \+ 10 ZZ$"):
        partial.expectation(EXCHANGE.hamiltonian_hz)


def test_estimates_of_a_stack_are_those_of_its_members():
    fids, response, noise = data_of(random_state(8), ("II", "IX"), seed=9, repetitions=(2, 3))
    stack = estimate_partially(fids, response, noise)
    single = estimate_partially(fids[1, 2], response, noise)
    assert stack.values.shape == (2, 3, 12)
    np.testing.assert_allclose(stack.values[1, 2], single.values, atol=1e-12)
    np.testing.assert_allclose(stack.rho[1, 2], single.rho, atol=1e-4)


def test_faulty_fids_are_refused():
    fids, response, noise = data_of(random_state(8), ("II", "IX"))
    with pytest.raises(ArgumentError, match="must hold 2 readouts, but holds 1"):
        estimate_partially(fids[:1], response, noise)
    fids[1, 0, 3] = np.nan
    with pytest.raises(ArgumentError, match="`fids` must be finite"):
        estimate_partially(fids, response, noise)


# ------------------------------------------------------------------------------------------ bounds
def line_of(rho, design):
    """Return all positive states that look like ρ where one dimension is not seen."""
    (direction,) = (c.operator for c in design.invisible)
    states = rho + np.linspace(-0.5, 0.5, 20_001)[:, None, None] * direction
    return states[np.linalg.eigvalsh(states)[:, 0] >= -1e-12]


@pytest.mark.parametrize("battery", [DM, EXCHANGE, ONE])
@pytest.mark.parametrize("seed", [0, 1])
def test_bounds_are_reached_where_one_dimension_is_not_seen(battery, seed):
    rho = 0.8 * random_state(seed) + 0.05 * np.eye(4)
    states = partial_trace(line_of(rho, BLIND), battery.spins or (0, 1))
    for name, found in bounds(rho, BLIND, battery).items():
        values = getattr(battery, name)(states)
        size = 1.0 if name == "coherence_l1" else 40.0
        assert found.low == pytest.approx(values.min(), abs=5e-4 * size)
        assert found.high == pytest.approx(values.max(), abs=5e-4 * size)
        assert found.low <= values.min() + 1e-6 * size
        assert found.high >= values.max() - 1e-6 * size


def lookalikes(rho, design, rays, rng):
    """Return positive states that look like ρ: on random rays, up to where one stops positive."""
    axes = np.array([c.operator for c in design.invisible])
    ways = np.tensordot(rng.normal(size=(rays, len(axes))), axes, axes=1)
    r, V = np.linalg.eigh(rho)
    root = (V / np.sqrt(r)) @ V.conj().T
    ends = 1 / np.linalg.eigvalsh(-root @ ways @ root)[:, -1]
    shares = np.linspace(0, 1, 13)[:, None, None, None]
    return (rho + shares * ends[:, None, None] * ways).reshape(-1, 4, 4)


@pytest.mark.parametrize("seed", [0, 1])
def test_bounds_hold_for_all_states_that_look_alike_and_the_lower_ones_are_reached(seed):
    rho = 0.8 * random_state(seed) + 0.05 * np.eye(4)
    states = lookalikes(rho, TWO, 4000, np.random.default_rng(seed))
    for name, found in bounds(rho, TWO, EXCHANGE).items():
        values = getattr(EXCHANGE, name)(states)
        size = 1.0 if name == "coherence_l1" else 40.0
        assert found.low <= values.min() + 1e-5 * size
        assert found.high >= values.max() - 1e-5 * size
        if name == "anti_ergotropy":  # it is concave: the end that is reached is the other one
            assert found.high == pytest.approx(values.max(), abs=0.02 * size)
        else:
            assert found.low == pytest.approx(values.min(), abs=0.02 * size)


def test_a_complete_set_leaves_no_room():
    rho = random_state(12)
    for name, found in bounds(rho, FULL, DM).items():
        value = float(getattr(DM, name)(rho))
        assert found.low == pytest.approx(value, abs=1e-9)
        assert found.high == pytest.approx(value, abs=1e-9)


def test_a_pure_state_leaves_hardly_any():
    rho = random_state(13, rank=1)
    found = bounds(rho, BLIND, EXCHANGE)["energy"]
    value = float(EXCHANGE.energy(rho))
    assert found.low <= value + 1e-4
    assert found.high >= value - 1e-4
    assert found.high - found.low < 0.1


@pytest.mark.parametrize("rho", [np.eye(8) / 8, np.stack([np.eye(4) / 4] * 2)])
def test_bounds_are_of_one_state_of_the_register(rho):
    with pytest.raises(ArgumentError, match=r"`rho` must have shape \(4, 4\) for 2 spins"):
        bounds(rho, BLIND, DM)


def test_bounds_of_no_state_are_refused():
    with pytest.raises(ArgumentError, match="`rho` must be positive"):
        bounds(np.diag([1.5, -0.5, 0, 0]), BLIND, DM)
