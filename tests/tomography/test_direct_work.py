"""Work measured directly: unbiased, with a true error, a lower bound of the ergotropy."""

import numpy as np
import pytest
from scipy.stats import t as student

from nmrqb.battery import Battery, after_extraction, ergotropy, extracted_work, extraction_unitary
from nmrqb.dynamics import gibbs
from nmrqb.errors import ArgumentError
from nmrqb.operators import PAULI, pauli, spread
from nmrqb.sample import load_sample
from nmrqb.spectrometer import Receiver, add_noise
from nmrqb.tomography import (
    NoiseLevel,
    acquire,
    calibrate,
    estimate_state,
    leave_out,
    measured_work,
    measurement_chain,
    noise_for_snr,
    noise_level,
    reference_chain,
    response_matrix,
)

SAMPLE = load_sample("chloroform")
RECEIVER = Receiver(1000.0, 64)
CHAIN = measurement_chain(SAMPLE, ["II", "IX", "IY", "XX"], receiver=RECEIVER)
RESPONSE = response_matrix(CHAIN)
NOISE = noise_for_snr(CHAIN, SAMPLE, 25.0)
H = Battery.from_terms(D=20, G=5, Delta=10, B=3).hamiltonian_hz
TURN = np.cos(0.4) * np.eye(2) - 1j * np.sin(0.4) * PAULI["X"]
PASSIVE = gibbs(H, 40.0)
CHARGED = np.kron(TURN, TURN) @ PASSIVE @ np.kron(TURN, TURN).conj().T
STATES = {"passive": PASSIVE, "charged": CHARGED, "mixed": np.eye(4) / 4}


def repeated(rng, rho, count, scale=1.0):
    """Return FIDs of many measurements of one state (or one each), shape (count, ...)."""
    clean = np.broadcast_to(acquire(CHAIN, rho), (count, 4, 2, 64))
    return add_noise(scale * clean, NOISE, rng)


def coverage(work, true):
    return float(np.mean((work.low <= true) & (true <= work.high)))


# ------------------------------------------------------------------------------- without noise
def test_without_noise_it_is_the_work_to_the_last_digits():
    U = extraction_unitary(CHARGED, H)
    before, after = acquire(CHAIN, CHARGED), acquire(CHAIN, after_extraction(CHARGED, U))
    work = measured_work(before, after, RESPONSE, 1e-9 * NOISE, H)
    assert float(work.value) == pytest.approx(float(ergotropy(CHARGED, H)), abs=1e-8)
    assert work.significant
    back = measured_work(after, before, RESPONSE, 1e-9 * NOISE, H)
    assert float(back.value) == -float(work.value)


def test_whatever_was_applied_is_measured():
    """Pulses that relax are a map, not a unitary: the energy that left is measured all the same."""
    U = extraction_unitary(CHARGED, H)
    one = np.eye(4).ravel()
    lossy = 0.7 * np.kron(U, U.conj()) + 0.3 * np.outer(one, one) / 4  # depolarises by 30 %
    after = acquire(CHAIN, after_extraction(CHARGED, lossy))
    work = measured_work(acquire(CHAIN, CHARGED), after, RESPONSE, 1e-9 * NOISE, H)
    assert float(work.value) == pytest.approx(float(extracted_work(CHARGED, H, lossy)), abs=1e-8)
    assert float(work.value) < float(ergotropy(CHARGED, H)) - 1


# ---------------------------------------------------------------------------- many repetitions
@pytest.mark.parametrize("name", STATES)
def test_it_is_unbiased_and_covers_what_it_claims_though_the_same_data_chose_the_unitary(name):
    """4000 experiments; tolerances of four standard errors of what is compared."""
    count, rng, rho = 4000, np.random.default_rng(1), STATES[name]
    before = repeated(rng, rho, count)
    estimate = estimate_state(before, RESPONSE, NOISE)
    U = extraction_unitary(estimate.rho, H)
    true = extracted_work(rho, H, U)
    work = measured_work(before, repeated(rng, after_extraction(rho, U), count), RESPONSE, NOISE, H)
    error = float(np.unique(work.error).item())
    apart = work.value - true
    assert abs(apart.mean()) < 4 * error / np.sqrt(count)
    assert apart.std() == pytest.approx(error, rel=4 / np.sqrt(2 * count))
    assert coverage(work, true) == pytest.approx(0.95, abs=4 * np.sqrt(0.95 * 0.05 / count))
    # a lower bound on average, where the plug-in value of the same data is biased upwards
    best = float(ergotropy(rho, H))
    assert np.all(true <= best + 1e-9)
    assert work.value.mean() < best + 4 * error / np.sqrt(count)
    assert float(np.mean(work.low <= best)) > 0.975 - 4 * np.sqrt(0.975 * 0.025 / count)
    assert ergotropy(estimate.rho, H).mean() > best


def test_of_a_passive_state_it_claims_nothing():
    count, rng = 4000, np.random.default_rng(2)
    for rho in (PASSIVE, np.eye(4) / 4):
        before = repeated(rng, rho, count)
        U = extraction_unitary(estimate_state(before, RESPONSE, NOISE).rho, H)
        after = repeated(rng, after_extraction(rho, U), count)
        claimed = float(np.mean(measured_work(before, after, RESPONSE, NOISE, H).low > 0))
        assert claimed < 0.025 + 4 * np.sqrt(0.025 * 0.975 / count)


@pytest.mark.parametrize(("spread_of_gain", "reference_noise"), [(0.05, 0.01), (0.0, 1.0)])
def test_errors_of_gain_and_calibration_are_common_to_both_measurements(
    spread_of_gain, reference_noise
):
    count, rng, U = 250, np.random.default_rng(3), extraction_unitary(CHARGED, H)
    states, true = (CHARGED, after_extraction(CHARGED, U)), float(extracted_work(CHARGED, H, U))
    reference, known = reference_chain(CHAIN), np.eye(4) / 4 + (pauli("ZI") + pauli("IZ")) / 4
    expected, clean = acquire(reference, known), [acquire(CHAIN, rho) for rho in states]
    quiet, poor = NOISE / 50, NOISE * reference_noise
    covered, apart = [], []
    for _ in range(count):
        gain = 1 + spread_of_gain * rng.normal()
        calibration = calibrate(add_noise(expected, poor, rng), reference, known, poor)
        one, other = (add_noise(gain * fids, quiet, rng) for fids in clean)
        options = {"calibration": calibration, "gain_error": spread_of_gain}
        work = measured_work(one, other, RESPONSE, quiet, H, **options)
        covered.append(float(work.low) <= true <= float(work.high))
        apart.append(float(work.value) - true)
    assert np.mean(covered) == pytest.approx(0.95, abs=4 * np.sqrt(0.95 * 0.05 / count))
    plain = measured_work(one, other, RESPONSE, quiet, H)
    assert np.std(apart) > 3 * float(plain.error)  # what would be claimed without


# ------------------------------------------------------------------------------- what it knows
def test_a_noise_level_that_is_measured_widens_the_interval():
    rng = np.random.default_rng(4)
    before, after = repeated(rng, CHARGED, 2)
    level = NoiseLevel(NOISE, 3.0)
    measured, given = (measured_work(before, after, RESPONSE, n, H) for n in (level, NOISE))
    assert float(measured.error) == float(given.error)
    assert float(measured.high - measured.value) == pytest.approx(
        student.ppf(0.975, 3) * float(measured.error)
    )
    found = noise_level(before, CHAIN)
    work = measured_work(before, after, RESPONSE, found, H)
    assert float(work.error) == pytest.approx(float(given.error), rel=0.2)


def test_only_the_energy_needs_to_be_determined():
    """{II, XX} do not see XX, YY, ZZ: the DM battery does not need them, a dipolar one does."""
    few = measurement_chain(SAMPLE, ["II", "XX"], receiver=RECEIVER)
    response = response_matrix(few)
    DM, dipolar = Battery.from_terms(D=20), Battery.from_terms(Delta=20)
    U = extraction_unitary(CHARGED, DM.hamiltonian_hz)
    before, after = (acquire(few, rho) for rho in (CHARGED, after_extraction(CHARGED, U)))
    work = measured_work(before, after, response, NOISE, DM.hamiltonian_hz)
    assert float(work.value) == pytest.approx(float(DM.ergotropy(CHARGED)), abs=1e-8)
    with pytest.raises(ArgumentError, match=r"do not show the part .*XX.*YY.*ZZ of H"):
        measured_work(before, after, response, NOISE, dipolar.hamiltonian_hz)


def test_fids_that_are_left_out_may_hold_anything():
    rng, bad = np.random.default_rng(5), np.zeros((4, 2), dtype=bool)
    bad[1, 0] = True
    before, after = repeated(rng, CHARGED, 2)
    H_z = Battery.from_terms(B=10).hamiltonian_hz
    plain = measured_work(before, after, leave_out(RESPONSE, bad), NOISE, H_z)
    before[1, 0] = np.nan
    work = measured_work(before, after, leave_out(RESPONSE, bad), NOISE, H_z)
    assert float(work.value) == float(plain.value)
    with pytest.raises(ArgumentError, match=r"`before` must be finite, but is not at index \(1, 0"):
        measured_work(before, after, RESPONSE, NOISE, H_z)


@pytest.mark.parametrize("spin", [0, 1])
def test_a_battery_may_be_one_spin_of_the_register(spin):
    one, rng = np.diag([50.0, -50.0]), np.random.default_rng(6)
    before, after = repeated(rng, CHARGED, 2)
    part = measured_work(before, after, RESPONSE, NOISE, one, spins=(spin,))
    whole = measured_work(before, after, RESPONSE, NOISE, spread(one, (spin,), 2))
    assert float(part.value) == float(whole.value)
    assert float(part.error) == float(whole.error)


def test_an_identity_in_H_changes_nothing():
    before, after = repeated(np.random.default_rng(7), CHARGED, 2)
    shifted = measured_work(before, after, RESPONSE, NOISE, H + 1000 * np.eye(4))
    plain = measured_work(before, after, RESPONSE, NOISE, H)
    assert float(shifted.value) == pytest.approx(float(plain.value), abs=1e-9)
    assert float(shifted.error) == pytest.approx(float(plain.error))


FIDS = acquire(CHAIN, CHARGED)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"after": FIDS[:3]}, r"`after` must have the shape of `before`, \(4, 2, 64\)"),
        ({"before": FIDS[..., :9], "after": FIDS[..., :9]}, "`before` must have shape"),
        ({"before": FIDS.real}, "`before` must be complex"),
        ({"after": FIDS * np.nan}, "`after` must be finite"),
        ({"before": FIDS[:, :1]}, "`before` and `noise` must have 2 channels"),
        ({"noise": NOISE[:1]}, "and `noise` must have 2 channels"),
        ({"noise": -NOISE}, "`noise` must be > 0"),
        ({"H": np.eye(2)}, r"`H` must have shape \(4, 4\), but has shape \(2, 2\)"),
        ({"H": np.triu(np.ones((4, 4)))}, "`H` must be Hermitian"),
        ({"H": np.eye(2), "spins": (5,)}, "`spins` must be different numbers from 0 to 1"),
        ({"confidence": 95}, "`confidence` must be in"),
        ({"gain_error": -0.1}, "`gain_error` and"),
    ],
)
def test_what_makes_no_sense_is_refused_by_name(changes, message):
    arguments = {"before": FIDS, "after": FIDS, "response": RESPONSE, "noise": NOISE, "H": H}
    with pytest.raises(ArgumentError, match=message):
        measured_work(**(arguments | changes))
