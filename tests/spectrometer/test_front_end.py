"""Receivers: rounding, clipping, offsets, images, and the phase cycle that cancels them."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.linalg import expm

from nmrqb.errors import ArgumentError
from nmrqb.operators import pauli
from nmrqb.sample import Coupling, Sample, Spin
from nmrqb.sample.hamiltonian import internal_hamiltonian
from nmrqb.spectrometer import (
    CYCLOPS,
    Digitiser,
    FrontEnd,
    Receiver,
    Transform,
    add_noise,
    clipped_points,
    coil_operator,
    digitise,
    fid,
    process,
    record,
)

RECEIVER = Receiver(1000.0, 500)
SIGNAL = np.exp((2j * np.pi * 100 - 5) * RECEIVER.times_s)[None]
QUIET = np.array([0.0])
SEEDS = st.integers(0, 2**32 - 1)


def recorded(end, *, scans=1, cycle=(0.0,), noise=QUIET, seed=0, signal=SIGNAL):
    rng = np.random.default_rng(seed)
    return record(signal, noise, rng, front_ends=[end], scans=scans, cycle=cycle)


def peak(fids, frequency):
    trace = process(fids[0], RECEIVER, (Transform(),))
    return np.abs(trace.values[np.argmin(np.abs(trace.axis - frequency))])


# ----------------------------------------------------------------------------------- digitiser
@given(SEEDS, st.integers(2, 16))
@settings(deadline=None, max_examples=30)
def test_values_are_rounded_to_the_nearest_step(seed, bits):
    digitiser = Digitiser(bits, 2.0)
    signal = np.random.default_rng(seed).uniform(-1, 1, (3, 40, 2)).view(complex)[..., 0]
    held, clipped = digitise(signal, digitiser)
    steps = np.stack([held.real, held.imag]) / digitiser.step
    np.testing.assert_array_equal(steps, np.rint(steps))
    assert np.abs(held - signal)[~clipped].max() <= digitiser.step / np.sqrt(2) * (1 + 1e-12)
    assert digitiser.step == 4.0 / 2**bits


def test_what_is_beyond_full_scale_is_clipped_and_told():
    signal = np.array([0.5, 1.2, -1.2j, -1.0, 0.999])
    held, clipped = digitise(signal, Digitiser(8, 1.0))
    np.testing.assert_array_equal(clipped, [False, True, True, False, True])  # 127/128 is the top
    np.testing.assert_allclose(held, [0.5, 127 / 128, -1j, -1.0, 127 / 128])


def test_rounding_adds_noise_of_a_twelfth_of_a_squared_step():
    rng = np.random.default_rng(3)
    signal = rng.normal(size=200_000) + 1j * rng.normal(size=200_000)
    digitiser = Digitiser(8, 8.0)
    error = digitise(signal, digitiser)[0] - signal
    assert error.real.std() == pytest.approx(digitiser.step / np.sqrt(12), rel=0.01)


def test_noise_dithers_a_coarse_digitiser():
    # a signal of a third of a step is lost in silence, and found again in the mean of noisy scans
    digitiser = Digitiser(4, 8.0)
    small = np.full((1, 1, 500), digitiser.step / 3 + 0j)
    silent = recorded(FrontEnd(digitiser=digitiser), signal=small)
    assert np.all(silent.fids == 0)
    noise = np.array([digitiser.step])
    noisy = recorded(FrontEnd(digitiser=digitiser), signal=small, scans=64, noise=noise)
    error = digitiser.step / np.sqrt(64 * 500)
    assert noisy.fids.real.mean() == pytest.approx(digitiser.step / 3, abs=5 * error)


def test_clipped_points_are_counted_per_fid():
    fids = np.stack([SIGNAL, 3 * SIGNAL])  # two readouts, one channel
    kept = recorded(FrontEnd(digitiser=Digitiser(12, 1.5)), signal=fids)
    assert kept.clipped.shape == (2, 1)
    assert kept.clipped[0, 0] == 0
    beyond = np.maximum(np.abs(fids[1].real), np.abs(fids[1].imag)) > 1.5
    assert kept.clipped[1, 0] == np.count_nonzero(beyond)


# ------------------------------------------------------------------------- gain, phase, images
def test_gain_and_phase():
    kept = recorded(FrontEnd(gain=1.5, phase_rad=0.4))
    np.testing.assert_allclose(kept.fids, 1.5 * np.exp(0.4j) * SIGNAL, atol=1e-15)


def test_imbalance_and_skew_make_an_image_of_known_size():
    # s' = αs + βs*: for small g and ε, |β| = √(g² + ε²)/2
    g, skew = 0.04, 0.03
    turning = np.exp(2j * np.pi * 100 * RECEIVER.times_s)[None]
    kept = recorded(FrontEnd(imbalance=g, skew=skew), signal=turning)
    # halving the first point leaves 1/1000 of the line everywhere
    ratio = peak(kept.fids, -100) / peak(kept.fids, 100)
    assert ratio == pytest.approx(np.hypot(g, skew) / 2, abs=1.1e-3)


def test_offset_is_a_spike_at_zero():
    kept = recorded(FrontEnd(offset=0.1))
    assert peak(kept.fids - SIGNAL, 0.0) == pytest.approx(0.1 * (500 - 0.5) / 1000)


@pytest.mark.parametrize(
    ("cycle", "image", "offset"), [(CYCLOPS, 0, 0), ((0, np.pi), 1, 0), ((0,), 1, 1)]
)
def test_the_phase_cycle_cancels_what_does_not_follow(cycle, image, offset):
    end = FrontEnd(imbalance=0.1, skew=0.05, offset=0.2)
    kept = recorded(end, scans=4, cycle=cycle)
    left = kept.fids - recorded(end, scans=4, cycle=CYCLOPS).fids
    only_image = recorded(replace(end, offset=0.0)).fids
    only_image = only_image - recorded(replace(end, offset=0.0), scans=4, cycle=CYCLOPS).fids
    np.testing.assert_allclose(left, image * only_image + offset * 0.2, atol=1e-14)
    if cycle == CYCLOPS:
        ratio = kept.fids / SIGNAL
        np.testing.assert_allclose(ratio, ratio[0, 0], atol=1e-12)


@pytest.mark.parametrize("scans", [4, 8])
def test_scans_that_are_digitised_one_by_one_follow_the_cycle(scans):
    end = FrontEnd(imbalance=0.1, skew=0.05, offset=0.2)
    smooth = recorded(end, scans=scans, cycle=CYCLOPS).fids
    digitiser = Digitiser(20, 2.0)
    rounded = recorded(replace(end, digitiser=digitiser), scans=scans, cycle=CYCLOPS).fids
    np.testing.assert_allclose(rounded, smooth, atol=digitiser.step)


def test_a_cycle_that_is_cut_short_leaves_part_of_the_offset():
    # five scans: 0°, 90°, 180°, 270°, 0°
    kept = recorded(FrontEnd(offset=0.2), scans=5, cycle=CYCLOPS)
    np.testing.assert_allclose(kept.fids - SIGNAL, 0.2 / 5, atol=1e-14)


def test_stepping_all_pulses_turns_the_signal():
    # the claim behind `cycle`: a state and a readout pulse that are φ further give e^{iφ}s
    spins = (Spin("A", "1H", 30.0), Spin("B", "1H", -45.0))
    sample = Sample("ab", spins, (Coupling(("A", "B"), 40.0),))
    H, coil = internal_hamiltonian(sample), coil_operator(sample, "1H")
    rng = np.random.default_rng(2)
    root = rng.normal(size=(4, 4)) + 1j * rng.normal(size=(4, 4))
    rho, phi = root @ root.conj().T / 10, 0.7

    def seen(angle):
        turn = expm(-0.5j * angle * (pauli("ZI") + pauli("IZ")))
        axis = turn @ (pauli("XI") + pauli("IX")) @ turn.conj().T
        pulse = expm(-0.25j * np.pi * axis)
        state = pulse @ turn @ rho @ turn.conj().T @ pulse.conj().T
        return fid(H, state, coil, RECEIVER)

    np.testing.assert_allclose(seen(phi), np.exp(1j * phi) * seen(0.0), atol=1e-12)


# -------------------------------------------------------------------------------- noise, scans
def test_a_perfect_receiver_adds_the_same_noise_as_ever():
    signal, noise = np.stack([SIGNAL[0], 2 * SIGNAL[0]]), np.array([0.1, 0.2])
    kept = record(signal, noise, np.random.default_rng(8))
    expected = add_noise(signal, noise, np.random.default_rng(8))
    np.testing.assert_allclose(kept.fids, expected, atol=1e-16)
    assert not kept.clipped.any()


@pytest.mark.parametrize("digitiser", [None, Digitiser(16, 8.0)])
def test_noise_falls_with_the_root_of_the_scans(digitiser):
    end = FrontEnd(digitiser=digitiser)
    kept = recorded(end, scans=16, noise=np.array([0.3]), signal=np.zeros((40, 1, 500)))
    assert kept.fids.imag.std() == pytest.approx(0.3 / 4, rel=0.02)


# ------------------------------------------------------------------------------------ refusals
@pytest.mark.parametrize(("bits", "scale"), [(1, 1.0), (33, 1.0), (12, 0.0), (12, np.nan)])
def test_digitisers_that_make_no_sense_are_refused(bits, scale):
    with pytest.raises(ArgumentError, match="`bits` and `full_scale` must be 2 to 32 and > 0"):
        Digitiser(bits, scale)


@pytest.mark.parametrize("changes", [{"gain": 0.0}, {"offset": np.nan}, {"phase_rad": np.inf}])
def test_front_ends_that_make_no_sense_are_refused(changes):
    with pytest.raises(ArgumentError, match="must be finite, the first > 0"):
        FrontEnd(**changes)


@pytest.mark.parametrize(
    "options", [{"scans": 0}, {"cycle": ()}, {"front_ends": [FrontEnd(), FrontEnd()]}]
)
def test_records_that_make_no_sense_are_refused(options):
    with pytest.raises(ArgumentError, match="`scans`, `front_ends`, `cycle` must be"):
        record(SIGNAL, QUIET, np.random.default_rng(0), **options)


def test_points_at_the_end_of_the_range_are_counted():
    fids = np.array([[0.1 + 0.2j, 1.0 + 0j, -0.3 - 1.0j], [0.5, 0.5j, 0.99]])
    np.testing.assert_array_equal(clipped_points(fids, 1.0), [2, 0])
    np.testing.assert_array_equal(clipped_points(fids[0], 0.1), 3)
    for wrong in (0.0, -1.0, np.nan, np.inf):
        with pytest.raises(ArgumentError, match="`full_scale` must be > 0 and finite"):
            clipped_points(fids, wrong)


def test_what_the_digitiser_clips_is_found_in_its_values():
    fids = np.linspace(-2, 2, 41)[None] * (1 + 0.5j)
    ends = [FrontEnd(digitiser=Digitiser(8, 1.0))]
    kept = record(fids, np.zeros(1), np.random.default_rng(1), front_ends=ends)
    step = ends[0].digitiser.step
    found = clipped_points(kept.fids, 1.0 - step)
    assert found == pytest.approx(kept.clipped, abs=2)
    assert kept.clipped > 15
