"""Diagnosis: scores are standard normal where nothing is wrong, and name what is."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import binom, chi2, kstest

from nmrqb.dynamics import Ensemble
from nmrqb.errors import ArgumentError
from nmrqb.sample import Coupling, Sample, Spin
from nmrqb.sequence import PulseErrors
from nmrqb.spectrometer import Receiver, complex_noise
from nmrqb.tomography import (
    acquire,
    diagnose,
    estimate_state,
    measurement_chain,
    noise_for_snr,
    noise_level,
    response_matrix,
)

NINE = tuple(a + b for a in "IXY" for b in "IXY")
FOUR = ("II", "IX", "IY", "XX")
PAIR = Sample(
    "pair",
    (
        Spin("H", "1H", 20.0, T1_s=0.8, T2_s=0.10, pulse_90_s=13e-6, polarization=0.1),
        Spin("C", "13C", -35.0, T1_s=1.5, T2_s=0.07, pulse_90_s=77e-6, polarization=0.02),
    ),
    (Coupling(("H", "C"), 215.0),),
)
RECEIVER = Receiver(1000.0, 128, dead_time_s=1e-4)
DRAWS = 100


def chain_of(readouts=NINE, sample=PAIR, **options):
    return measurement_chain(sample, readouts, **{"receiver": RECEIVER, **options})


CHAIN = chain_of()
NOISE = noise_for_snr(CHAIN, PAIR, 60)


def random_state(seed, d=4, rank=2):
    rng = np.random.default_rng(seed)
    root = rng.normal(size=(d, rank)) + 1j * rng.normal(size=(d, rank))
    rho = root @ root.conj().T
    return rho / np.trace(rho)


RHO = random_state(3)


def noisy(clean, seed, noise=NOISE, size=()):
    rng = np.random.default_rng(seed)
    return clean + noise[:, None] * complex_noise(rng, (*size, *clean.shape))


def with_spin(k, **changes):
    spins = list(PAIR.spins)
    spins[k] = replace(spins[k], **changes)
    return replace(PAIR, spins=tuple(spins))


def one_wrong_angle(readout, spin, factor):
    """Return the FIDs of a set one of whose readouts turns one spin too far."""
    nucleus = PAIR.spins[spin].nucleus
    errors = {nucleus: PulseErrors(amplitude=factor - 1)}
    wrong = acquire(chain_of(errors=errors), RHO)
    fids = acquire(CHAIN, RHO).copy()
    fids[NINE.index(readout)] = wrong[NINE.index(readout)]
    return fids


def by_channel(factors):
    return np.asarray(factors)[:, None] * acquire(CHAIN, RHO)


CULPRITS = {
    "pulse angle of H in XY": (0.13, one_wrong_angle("XY", 0, 1.13)),
    "pulse angle of C in all readouts": (
        0.10,
        acquire(chain_of(errors={"13C": PulseErrors(amplitude=0.10)}), RHO),
    ),
    "gain of 13C relative to 1H": (0.16, by_channel([1, 1.16])),
    "phase of 1H": (0.09, by_channel([np.exp(0.09j), 1])),
    "offset of C": (0.3, acquire(chain_of(sample=with_spin(1, offset_hz=-34.7)), RHO)),
    "T2 of H": (0.16, acquire(chain_of(sample=with_spin(0, T2_s=0.116)), RHO)),
    "J of H and C": (
        -0.35,
        acquire(chain_of(sample=replace(PAIR, couplings=(Coupling(("H", "C"), 214.65),))), RHO),
    ),
}


# ------------------------------------------------------------------------------ the right name
@pytest.mark.slow
@pytest.mark.parametrize("name", CULPRITS)
def test_one_error_is_named_and_measured(name):
    size, clean = CULPRITS[name]
    found = [diagnose(noisy(clean, seed), CHAIN, NOISE).findings for seed in range(DRAWS)]
    first = [findings[0] for findings in found if findings]
    right = [finding for finding in first if finding.name == name]
    assert len(right) >= 0.95 * DRAWS
    # a second, false name is as rare as the level says
    assert binom.sf(sum(len(findings) > 1 for findings in found) - 1, DRAWS, 0.05) > 1e-4
    pulls = np.array([(finding.size - size) / finding.error for finding in right])
    assert abs(pulls.mean()) < 5 / np.sqrt(DRAWS)
    assert 0.7 < pulls.std() < 1.3


def test_a_finding_reads_as_a_sentence():
    diagnosis = diagnose(noisy(by_channel([np.exp(0.25j), 1]), 0), CHAIN, NOISE)
    text = str(diagnosis.findings[0])
    assert text.startswith("phase of 1H: +0.2")
    assert " rad (p = " in text
    assert diagnosis.findings[0].unit == "rad"
    assert diagnosis.p_value < 1e-6
    assert diagnosis.p_left > 1e-3


def test_two_errors_are_both_found():
    both = chain_of(sample=with_spin(0, T2_s=0.125))
    clean = np.array([1, 1.25])[:, None] * acquire(both, RHO)
    found = diagnose(noisy(clean, 1), CHAIN, NOISE).findings
    sizes = {finding.name: (finding.size, finding.error) for finding in found}
    assert set(sizes) == {"gain of 13C relative to 1H", "T2 of H"}
    assert abs(sizes["T2 of H"][0] - 0.25) < 4 * sizes["T2 of H"][1]


def test_states_of_many_times_share_one_error():
    # a phase error a third as large as one state shows is found in twenty-five states
    rng = np.random.default_rng(5)
    states = np.stack([random_state(s) for s in rng.integers(0, 1000, 25)])
    fids = np.array([1, np.exp(0.03j)])[:, None] * acquire(CHAIN, states)
    many = diagnose(noisy(fids, 3), CHAIN, NOISE)
    assert [finding.name for finding in many.findings] == ["phase of 13C"]
    assert abs(many.findings[0].size - 0.03) < 4 * many.findings[0].error
    assert (
        dict(many.errors)["phase of 13C"]
        < dict(diagnose(noisy(fids[0], 2), CHAIN, NOISE).errors)["phase of 13C"] / 3
    )


# ---------------------------------------------------------------------------- no false alarms
def test_nothing_wrong_is_found_as_rarely_as_the_level_says():
    draws, clean = 400, acquire(CHAIN, RHO)
    fids = noisy(clean, 11, size=(draws,))
    each = [diagnose(fid, CHAIN, NOISE, level=0.1) for fid in fids]
    alarms = sum(bool(diagnosis.findings) for diagnosis in each)
    assert binom.sf(alarms - 1, draws, 0.1) > 1e-3
    assert alarms > 0  # 2·10⁻¹⁰ for a test that never raises the alarm, at half of the level
    assert kstest([diagnosis.p_value for diagnosis in each], "uniform").pvalue > 1e-3
    degrees = 2 * 9 * 8 - 15  # two lines and their first derivatives on each of two channels
    assert {diagnosis.degrees_of_freedom for diagnosis in each} == {degrees}


def test_a_measured_noise_level_serves_as_well():
    fids = noisy(acquire(CHAIN, RHO), 4)
    level = noise_level(fids, CHAIN)
    assert diagnose(fids, CHAIN, level).findings == ()
    assert diagnose(fids, CHAIN, level.sigma / 2).p_value < 1e-6


@pytest.mark.parametrize(("told", "small"), [(1, False), (1.5, True)])
def test_data_that_fit_better_than_their_noise_allows_are_seen(told, small):
    draws, clean = 30, acquire(CHAIN, RHO)
    found = [diagnose(fids, CHAIN, told * NOISE) for fids in noisy(clean, 12, size=(draws,))]
    assert all(d.p_smaller + d.p_value == pytest.approx(1) for d in found)
    assert (max(d.p_smaller for d in found) < 1e-3) == small
    assert min(d.p_value for d in found) > 1e-3


def test_both_tails_of_all_states_together():
    response = response_matrix(CHAIN)
    fids = noisy(acquire(CHAIN, RHO), 8, size=(20,))
    for factor, tail in ((1, None), (1 / 1.4, "joint_p_value"), (1.4, "joint_p_smaller")):
        estimate = estimate_state(fids, response, factor * NOISE)
        freedom = estimate.degrees_of_freedom * 20
        assert estimate.joint_p_smaller == pytest.approx(chi2.cdf(estimate.chi2.sum(), freedom))
        for name in ("joint_p_value", "joint_p_smaller"):
            assert (getattr(estimate, name) < 3e-5) == (name == tail)
        # of states that share a calibration, the least times their number
        shared = replace(estimate, covariance=np.broadcast_to(estimate.covariance, (20, 15, 15)))
        least = chi2.cdf(estimate.chi2, estimate.degrees_of_freedom).min()
        assert shared.joint_p_smaller == pytest.approx(min(1.0, 20 * least))


def test_global_p_value_of_an_estimate():
    response, clean = response_matrix(CHAIN), acquire(CHAIN, RHO)
    right = estimate_state(noisy(clean, 7, size=(400,)), response, NOISE)
    assert kstest(right.p_value, "uniform").pvalue > 1e-3
    wrong = estimate_state(noisy(by_channel([1, 1.3]), 7), response, NOISE)
    assert wrong.p_value < 1e-6


# ----------------------------------------------------------- what a set of readouts cannot tell
def test_four_readouts_tell_the_gain_four_times_worse_than_nine():
    few = chain_of(FOUR)
    of_four = dict(diagnose(noisy(acquire(few, RHO), 1), few, NOISE).errors)
    of_nine = dict(diagnose(noisy(acquire(CHAIN, RHO), 1), CHAIN, NOISE).errors)
    gain = "gain of 13C relative to 1H"
    assert of_four[gain] > 4 * of_nine[gain]


def test_what_another_state_explains_is_said_to_be_invisible():
    # one readout without a pulse has one number for each Pauli that it sees: nothing is left over
    blind = chain_of(["II"], relaxation=False)
    diagnosis = diagnose(noisy(acquire(blind, RHO), 2), blind, NOISE)
    assert {"gain of 13C relative to 1H", "phase of 1H", "phase of 13C"} <= set(diagnosis.blind)
    assert {"offset of H", "J of H and C"} <= dict(diagnosis.errors).keys()


@pytest.mark.parametrize("readouts", [NINE, FOUR, ("II",)])
def test_a_factor_of_all_gains_is_another_state(readouts):
    chain = chain_of(readouts)
    mixed = np.eye(4) / 4
    farther = mixed + 0.6 * (RHO - mixed)
    np.testing.assert_allclose(acquire(chain, farther), 0.6 * acquire(chain, RHO), atol=1e-12)
    diagnosis = diagnose(noisy(0.6 * acquire(chain, RHO), 2), chain, NOISE)
    assert diagnosis.findings == ()
    assert "gain of all channels" in diagnosis.blind
    assert "gain of all channels" not in dict(diagnosis.errors)


def test_suspects_that_explain_as_well_are_listed():
    # a wrong gain in four readouts at a size that is just seen
    few = chain_of(FOUR)
    clean = np.array([1, 1.7])[:, None] * acquire(few, RHO)
    found = [diagnose(noisy(clean, seed), few, NOISE).findings for seed in range(20)]
    gain = "gain of 13C relative to 1H"
    explained = [f[0].name == gain or gain in f[0].alike for f in found if f]
    assert sum(explained) >= 0.9 * len(explained) > 0
    assert any(f[0].alike for f in found if f)


# --------------------------------------------------------------------- ensembles and refusals
def test_spread_fields_are_diagnosed_with_their_mean():
    offsets = np.array([-1.0, 0.0, 1.0])
    ensemble = Ensemble(1 + 0 * offsets, offsets, 1 + 0 * offsets, np.full(3, 1 / 3))
    chain = chain_of(ensemble=ensemble)
    wrong = chain_of(ensemble=ensemble, sample=with_spin(1, offset_hz=-34.5))
    assert diagnose(noisy(acquire(chain, RHO), 1), chain, NOISE).findings == ()
    found = diagnose(noisy(acquire(wrong, RHO), 1), chain, NOISE).findings
    assert [finding.name for finding in found] == ["offset of C"]


@pytest.mark.parametrize(
    ("change", "match"),
    [
        (lambda f: (f[:4], NOISE, 0.05), "`fids` must be finite and have shape"),
        (lambda f: (f[..., :64], NOISE, 0.05), "`fids` must be finite and have shape"),
        (lambda f: (np.full_like(f, np.nan), NOISE, 0.05), "points that are not finite"),
        (lambda f: (f, NOISE[:1], 0.05), "`noise` must be 2 positive numbers"),
        (lambda f: (f, 0 * NOISE, 0.05), "`noise` must be 2 positive numbers"),
        (lambda f: (f, NOISE, 1.0), "`level` must be between 0 and 1"),
    ],
)
def test_what_makes_no_sense_is_refused(change, match):
    fids, noise, level = change(acquire(CHAIN, RHO))
    with pytest.raises(ArgumentError, match=match):
        diagnose(fids, CHAIN, noise, level=level)


def test_a_chain_put_together_by_hand_is_refused():
    with pytest.raises(ArgumentError, match="must come from `measurement_chain`"):
        diagnose(acquire(CHAIN, RHO), replace(CHAIN, setup=None), NOISE)
