"""What the rooms offer beyond the top level refuses by name what makes no sense."""

import numpy as np
import pytest

import nmrqb as nq
from nmrqb import average, dynamics, operators, sample, sequence, spectrometer, tomography
from nmrqb.arguments import check_shape
from nmrqb.errors import ArgumentError
from nmrqb.sample.nuclei import relative_gyromagnetic_ratio

PAIR = nq.load_sample("chloroform")
DM = nq.load_sequence("dm")
TIMELINE = nq.expand(DM, PAIR)
SEGMENTS = dynamics.timeline_segments(TIMELINE, PAIR)
DRIFT = dynamics.drift_of(PAIR, dynamics.uniform_sample())[0]
LOST = dynamics.dissipation_of(PAIR, relaxation=True).generator
U, STATE, ODD = np.eye(4), np.eye(4) / 4, np.zeros((3, 3))
NAN = np.full((4, 4), np.nan)
RECEIVER = spectrometer.Receiver(1000.0, 64)
FIDS, NOISE = np.zeros((2, 64), dtype=complex), np.array([0.1, 0.1])
RNG = np.random.default_rng(1)
MIXED = tomography.ergotropy_figure(np.diag([1.0, 0, 0, -1.0]))
CHAIN = tomography.measurement_chain(PAIR, ["XI"], receiver=RECEIVER)

CASES = [
    ("`spin` must be one of 0 to 1, but is 2", lambda: operators.embed(np.eye(2), 2, 2)),
    ("`spin` must be one of 0 to 1, but is -1", lambda: operators.spin_operator("x", -1, 2)),
    ("`first` and `second` must differ, but both are 1", lambda: operators.swap(1, 1, 2)),
    (r"`matrix` must be of two spins.* \(3, 3\)", lambda: operators.named_terms(ODD)),
    ("`keep` must be different spins of 0 to 1", lambda: operators.partial_trace(STATE, [0, 0])),
    (r"`keep` must be different spins .* \(0, 9\)", lambda: operators.pair_part(U, 0, 9)),
    ("`terms` must be a mapping, but is 3", lambda: operators.from_named(3)),
    ("`nucleus` must be a nucleus of spin 1/2, but is '2X'",
     lambda: relative_gyromagnetic_ratio("2X")),
    ("`sample` must be a Sample, but is 'chloroform'; load",
     lambda: sample.sample_text("chloroform")),
    ("`pulses` must be 'ideal' or 'finite', but is 'hard'",
     lambda: sequence.channel_errors(sequence.PulseErrors(), PAIR, "hard")),
    ("`sequence` must be a Sequence, but is 'dm'; load", lambda: sequence.sequence_text("dm")),
    ("`b1` must be a distribution such as .* 0.05", lambda: dynamics.product(b1=0.05)),
    ("`nucleus` must be a nucleus of spin 1/2", lambda: dynamics.static_field(0.1, 1.0, "2X")),
    (r"`operators` must have shape \(4, 4\), but has shape \(2, 2\)",
     lambda: dynamics.dissipator([np.eye(2)], 4)),
    (r"`state` must have shape \(4, 4\), but has shape \(3, 3\)",
     lambda: dynamics.stroboscopic(U, ODD, 2)),
    (r"`V` must have shape \(..., 4, 4\)", lambda: dynamics.infidelity(U, ODD)),
    ("`drift` must be an array of numbers", lambda: dynamics.evolver("drift")),
    ("`drift` must be finite, but holds 16 entries",
     lambda: average.magnus_terms(SEGMENTS, NAN, order=0)),
    (r"`drift` must have shape \(..., d, d\), but has shape \(4,\)",
     lambda: average.magnus_terms(SEGMENTS, DRIFT[0], order=0)),
    ("`segments` must have rotations of dimension 3",
     lambda: average.magnus_terms(SEGMENTS, ODD, order=0)),
    ("`drift` must be finite", lambda: average.average_open(SEGMENTS, NAN, LOST)),
    ("`drift` must be finite", lambda: average.exchange_symmetric_pairs(SEGMENTS, NAN)),
    ("`timeline` must be a Timeline", lambda: average.toggling_frames(DM, 2)),
    ("`period` must be a positive time in s, but is 0",
     lambda: average.effective_hamiltonian(U, U, 0)),
    (r"`U` must have shape \(..., 3, 3\)", lambda: average.effective_hamiltonian(U, ODD, 1.0)),
    ("`operators` must have shape", lambda: average.lie_algebra(np.ones(4))),
    (r"`covariance` must have shape \(15, 15\)",
     lambda: tomography.nearest_kink(MIXED, STATE, ODD)),
    (r"`matrix` must be finite and have shape \(amplitudes, 1\)",
     lambda: tomography.undetermined(ODD, ("X",))),
    ("`readouts` must hold a readout", lambda: tomography.readout_maps([], PAIR)),
    (r"`members` must hold the states of the 1 members .* \(1, T, d, d\)",
     lambda: tomography.acquire_members(CHAIN, STATE[None])),
    (r"`parts` must hold estimates of shape \(T, d, d\), but has shapes \[\]",
     lambda: tomography.joined_estimates([])),
    (r"`noise` must have shape \(2,\), but has shape \(1,\)",
     lambda: spectrometer.add_noise(FIDS, NOISE[:1], RNG)),
    ("`noise` must be finite and ≥ 0", lambda: spectrometer.record(FIDS, -NOISE, RNG)),
    (r"`fids` must have shape \(..., channels, points\)",
     lambda: spectrometer.add_noise(FIDS[0], NOISE, RNG)),
    ("`spectral_width_hz` and `zero_fill` must be > 0 and ≥ 1, but are -1",
     lambda: spectrometer.spectrum(FIDS, -1.0)),
    (r"`fid` must hold points, but has shape \(0,\)", lambda: spectrometer.spectrum([], 1.0)),
    (r"`coil` must have shape \(16,\), but has shape \(4, 4\)",
     lambda: spectrometer.transitions(LOST, U)),
    (r"`coil` must have shape \(16,\)", lambda: spectrometer.detection(LOST, U, RECEIVER)),
    (r"`lines` must be finite and of shape \(lines,\)",
     lambda: spectrometer.line_fit([np.nan], RECEIVER)),
    ("`steps` must hold steps such as Phase",
     lambda: spectrometer.process(FIDS, RECEIVER, ["phase"])),
    ("`dead_time_s` must be .* inf s", lambda: spectrometer.Receiver(1000.0, 64, np.inf)),
]  # fmt: skip


@pytest.mark.parametrize(("message", "call"), CASES)
def test_the_argument_is_named(message, call):
    with pytest.raises(ArgumentError, match=message):
        call()


def test_shapes_of_one_and_of_stacks():
    check_shape("x", np.ones((5, 2, 3)), (2, 3), stack=True)
    check_shape("x", np.ones(3), (3,))
    with pytest.raises(ArgumentError, match=r"`x` must have shape \(3,\), but has shape \(1, 3\)"):
        check_shape("x", np.ones((1, 3)), (3,))
    with pytest.raises(ArgumentError, match=r"must have shape \(\.\.\., 3\), but has shape \(\)"):
        check_shape("x", np.ones(()), (3,), stack=True)
