"""What people hand over is looked at first: numbers, both quadratures, sizes."""

import numpy as np
import pytest

from nmrqb.errors import ArgumentError
from nmrqb.sample import load_sample
from nmrqb.spectrometer import Receiver, clipped_points
from nmrqb.tomography import (
    acquire,
    calibrate,
    diagnose,
    ergotropy_figure,
    estimate_partially,
    estimate_state,
    intervals,
    leave_out,
    measurement_chain,
    noise_level,
    read_readout,
    reference_chain,
    response_matrix,
)

SAMPLE = load_sample("chloroform")
CHAIN = measurement_chain(SAMPLE, ["II", "IX", "IY", "XX"], receiver=Receiver(1000.0, 64))
RESPONSE, NOISE = response_matrix(CHAIN), np.full(2, 1e-3)
STATE = np.full((4, 4), 0.25)
FIDS = acquire(CHAIN, STATE)
DOORS = {
    "estimate_state": lambda fids, noise=NOISE: estimate_state(fids, RESPONSE, noise),
    "estimate_partially": lambda fids, noise=NOISE: estimate_partially(fids, RESPONSE, noise),
    "diagnose": lambda fids, noise=NOISE: diagnose(fids, CHAIN, noise),
    "noise_level": lambda fids: noise_level(fids, CHAIN),
}


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize(
    ("fids", "message"),
    [
        (FIDS.real, "`fids` must be complex, real part from one quadrature"),
        ("FIDs", "`fids` must be an array of numbers"),
        (np.full_like(FIDS, np.inf), "`fids` must be finite"),
        (np.where(np.arange(64) == 3, np.nan, FIDS), "`fids` must be finite"),
        (FIDS[..., :9], r"`fids` must .*have shape \(..., .* has shape \(4, 2, 9\)"),
        (FIDS[:3], r"`fids` must hold 4 readouts, but holds 3|has shape \(3, 2, 64\)"),
        (FIDS[:, :1], r"must have 2 channels|has shape \(4, 1, 64\)"),
        (FIDS[0, 0], r"shapes? \(64,\)"),
    ],
)
def test_fids_are_refused_by_name_wherever_they_come_in(door, fids, message):
    with pytest.raises(ArgumentError, match=message):
        DOORS[door](fids)


@pytest.mark.parametrize("door", [door for door in DOORS if door != "noise_level"])
@pytest.mark.parametrize("noise", [NOISE[:1], 0.1, -NOISE, 0 * NOISE, NOISE * np.nan, "x", None])
def test_noise_is_refused_by_name(door, noise):
    with pytest.raises(ArgumentError, match="`noise` must"):
        DOORS[door](FIDS, noise)


def test_lists_are_arrays_too():
    given = estimate_state(FIDS.tolist(), RESPONSE, NOISE.tolist())
    np.testing.assert_array_equal(given.rho, estimate_state(FIDS, RESPONSE, NOISE).rho)


@pytest.mark.parametrize("rho", [np.eye(2) / 2, np.full((4, 4), np.nan), np.ones(4)])
def test_states_of_another_register_give_no_fids(rho):
    with pytest.raises(ArgumentError, match=r"`rho` must be finite and have shape \(..., 4, 4\)"):
        acquire(CHAIN, rho)
    reference = reference_chain(CHAIN)
    with pytest.raises(ArgumentError, match=r"`state` must be finite and have shape \(..., 4, 4\)"):
        calibrate(np.ones((2, 2, 64), dtype=complex), reference, rho, NOISE)


def test_figures_of_another_register_have_no_intervals():
    estimate, rng = estimate_state(FIDS, RESPONSE, NOISE), np.random.default_rng(1)
    H = np.diag([1.0, 2.0])
    for figure in (ergotropy_figure(H), ergotropy_figure(H, spins=(7,))):
        with pytest.raises(ArgumentError, match=r"`figures` must be .* out of 0 to 1, but 'mine'"):
            intervals(estimate, {"mine": figure}, rng=rng)


def test_a_text_is_no_list_of_readouts_and_a_number_no_readout():
    with pytest.raises(ArgumentError, match=r"`readouts` must be a list, .* of one it is \['II'\]"):
        measurement_chain(SAMPLE, "II")
    with pytest.raises(ArgumentError, match="`word` must be a text or a Readout, but is 5"):
        read_readout(5, SAMPLE)


def test_what_clipped_fids_leave_is_still_determined():
    """A clipped FID is found and left out; what the others do not show is named."""
    peak = float(np.abs(np.concatenate([FIDS.real, FIDS.imag])).max())
    held = np.clip(FIDS.real, -0.5 * peak, 0.5 * peak) + 1j * FIDS.imag
    clipped = clipped_points(held, 0.5 * peak)
    assert clipped.shape == (4, 2)
    np.testing.assert_array_equal(clipped > 0, np.abs(FIDS.real).max(axis=-1) >= 0.5 * peak)
    assert 0 < np.count_nonzero(clipped) < clipped.size
    assert abs(estimate_state(held, RESPONSE, NOISE).rho - STATE).max() > 0.01
    rest = leave_out(RESPONSE, clipped > 0)
    with pytest.raises(ArgumentError, match=r"must determine all 15 .* not seen: "):
        estimate_state(held, rest, NOISE)
    partial = estimate_partially(held, rest, NOISE)
    assert 0 < len(partial.invisible) < 15
    for combination, value in zip(partial.seen, partial.values, strict=True):
        expected = np.trace(combination.operator @ STATE).real
        assert value == pytest.approx(expected, abs=1e-9)
