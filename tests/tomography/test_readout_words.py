"""Readouts as words: what is played, and what the receiver makes of it."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.linalg import expm

from nmrqb.dynamics import Ensemble, thermal_deviation
from nmrqb.errors import ArgumentError, InputError
from nmrqb.operators import pauli
from nmrqb.sample import Coupling, Sample, Spin, load_sample
from nmrqb.sample.hamiltonian import internal_hamiltonian
from nmrqb.sequence import load_sequence
from nmrqb.spectrometer import Receiver
from nmrqb.tomography import (
    Readout,
    acquire,
    measurement_chain,
    read_readout,
    readout_maps,
    response_matrix,
    sequence_readout,
)

CHLOROFORM = load_sample("chloroform")
RECEIVER = Receiver(1000.0, 128)
PAIR = Sample(
    "pair",
    (
        Spin("A", "1H", 60.0, T1_s=0.5, T2_s=0.2, pulse_90_s=10e-6),
        Spin("B", "1H", -45.0, T1_s=0.7, T2_s=0.1, pulse_90_s=10e-6),
    ),
    (Coupling(("A", "B"), 12.0),),
)
HEADER = "format: nmrqb-sequence/1\nname: mine\nspins: {I: any, S: any}\n"
ALONE = HEADER.replace(", S: any", "")


def conjugation(U):
    return np.kron(U, U.conj())


def rotation(string, degrees):
    return expm(-0.5j * np.deg2rad(degrees) * pauli(string))


def own_sequence(tmp_path, text, header=HEADER):
    path = tmp_path / "mine.yaml"
    path.write_text(header + text, encoding="utf-8")
    return load_sequence(str(path))


# ------------------------------------------------------------------------------------- the steps
@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("45 -y", rotation("YI", -45) @ rotation("IY", -45)),
        ("90 x", rotation("XI", 90) @ rotation("IX", 90)),
        ("1H: 90 x", rotation("XI", 90)),
        ("13C: 30 y", rotation("IY", 30)),
        ("1 rad x", rotation("XI", 180 / np.pi) @ rotation("IX", 180 / np.pi)),
        ("180 30", np.kron(*[expm(-0.5j * np.pi * (np.cos(np.pi / 6) * pauli("X") + 0.5 * pauli("Y")))] * 2)),  # noqa: E501
        ("XI - IY", rotation("IY", 90) @ rotation("XI", 90)),
        ("II - 1H: 90 x", rotation("XI", 90)),
    ],
)  # fmt: skip
def test_steps_are_what_they_say(word, expected):
    (found,) = readout_maps([word], CHLOROFORM)
    np.testing.assert_allclose(found, conjugation(expected), atol=1e-12)


def test_a_delay_between_pulses_lets_the_drift_act():
    (found,) = readout_maps(["XX - 2 ms - YY"], PAIR)
    wait = expm(-2e-3j * internal_hamiltonian(PAIR))
    XX, YY = (rotation(p + "I", 90) @ rotation("I" + p, 90) for p in "XY")
    np.testing.assert_allclose(found, conjugation(YY @ wait @ XX), atol=1e-12)


def test_labels_and_nuclei_name_spins():
    by_label, by_nucleus, by_all = readout_maps(["B: 90 x", "1H: 90 x", "90 x"], PAIR)
    np.testing.assert_allclose(by_label, conjugation(rotation("IX", 90)), atol=1e-12)
    np.testing.assert_allclose(by_nucleus, by_all, atol=1e-15)


def test_crush_leaves_coherence_order_zero():
    # unlike nuclei: populations only; like ones: the zero-quantum coherences as well
    everything = np.ones((4, 4), dtype=complex)
    for sample, zero_quantum in ((CHLOROFORM, 0), (PAIR, 1)):
        (found,) = readout_maps(["crush"], sample)
        left = (found @ everything.reshape(-1)).reshape(4, 4)
        expected = np.eye(4)
        expected[1, 2] = expected[2, 1] = zero_quantum
        np.testing.assert_allclose(left, expected, atol=1e-12)


def test_finite_pulses_last_and_relax():
    ideal, finite = (
        readout_maps(["90 x"], PAIR, pulses=p, relaxation=True)[0] for p in ("ideal", "finite")
    )
    assert 1e-6 < np.abs(ideal - finite).max() < 0.05
    traces = finite @ np.stack([pauli(p) for p in ("II", "XX")]).reshape(2, 16).T
    np.testing.assert_allclose(
        np.trace(traces.T.reshape(2, 4, 4), axis1=1, axis2=2), [4, 0], atol=1e-12
    )


def test_spins_relax_while_they_wait():
    alone = replace(PAIR, couplings=())
    waited, crushed = readout_maps(["II - 50 ms", "crush - 50 ms"], alone, relaxation=True)
    for found, P, rate in ((waited, "XI", 1 / 0.2), (crushed, "IZ", 1 / 0.7)):
        left = (found @ pauli(P).reshape(-1)).reshape(4, 4)
        assert np.linalg.norm(left) == pytest.approx(2 * np.exp(-0.05 * rate), rel=1e-6)


def test_rf_amplitudes_scale_every_pulse_of_every_kind():
    members = Ensemble(np.array([0.8, 1.0]), np.zeros(2), np.ones(2), np.full(2, 0.5))
    words = ["XX", "45 y - 1 ms - 45 y", "90 x - crush - 90 y"]
    found = readout_maps(words, PAIR, ensemble=members)
    weak = ["72 x", "36 y - 1 ms - 36 y", "72 x - crush - 72 y"]
    np.testing.assert_allclose(found[0], readout_maps(weak, PAIR), atol=1e-12)
    np.testing.assert_allclose(found[1], readout_maps(words, PAIR), atol=1e-12)


def test_flips_scale_the_pulses_of_one_spin():
    (found,) = readout_maps(["90 x"], CHLOROFORM, flips=[[0.5, 1.0]])
    expected = conjugation(rotation("XI", 45) @ rotation("IX", 90))
    np.testing.assert_allclose(found, expected, atol=1e-12)


@pytest.mark.parametrize(
    ("word", "reason"),
    [
        ("XZ", "2 letters of I, X, Y"),
        ("X", "2 letters of I, X, Y"),
        ("", "2 letters of I, X, Y"),
        ("readout_XY", "2 letters of I, X, Y"),
        ("XX - ", "'' of 'XX - ' is none"),
        ("XX - XZ", "'XZ' of 'XX - XZ' is none"),
        ("90", "'90' of '90' is none"),
        ("90 q", "'q' is neither an angle nor a phase"),
        ("nan x", "2 letters of I, X, Y"),
        ("XX - nan x", "'nan' is neither"),
        ("1e99 x", "is neither"),
        ("-2 ms", "must not be negative"),
        ("2 m - XX", "'2 m' of '2 m - XX' is none"),
        ("15N: 90 x", "no spin is '15N'"),
        ("13H: 90 x", "no spin is '13H'; did you mean `1H`? Valid: 13C, 1H"),
    ],
)
def test_words_that_mean_nothing_are_refused_by_name(word, reason):
    with pytest.raises(ArgumentError, match="Argument `readout` must be") as caught:
        read_readout(word, CHLOROFORM)
    assert reason in str(caught.value)


# --------------------------------------------------------------------------------- the sequences
@pytest.mark.parametrize("letters", ["II", "IX", "IY", "XX"])
@pytest.mark.parametrize("pulses", ["ideal", "finite"])
def test_shipped_readouts_are_their_letters(letters, pulses):
    both = [letters, f"readout_{letters}"]
    letter, shipped = readout_maps(both, CHLOROFORM, pulses=pulses, relaxation=True)
    np.testing.assert_allclose(shipped, letter, atol=1e-14)


def test_a_chain_takes_words_and_readouts_alike():
    words = ["II", "readout_IX", "45 x"]
    bound = [read_readout(word, CHLOROFORM) for word in words]
    chains = [measurement_chain(CHLOROFORM, r, receiver=RECEIVER) for r in (words, bound)]
    assert chains[0].readouts == chains[1].readouts == tuple(words)
    np.testing.assert_array_equal(*(response_matrix(chain).matrix for chain in chains))


def test_receiver_phases_turn_the_signal(tmp_path):
    turned = own_sequence(tmp_path, "sequence:\n  - acquire: {I: y, S: 30 deg}\n")
    chain = measurement_chain(
        CHLOROFORM, ["II", sequence_readout(turned, CHLOROFORM)], receiver=RECEIVER
    )
    rho = np.array([[1, 1, 1, 1j]]).T @ np.array([[1, 1, 1, -1j]]) / 4
    plain, phased = acquire(chain, rho)
    factors = np.exp([-0.5j * np.pi, -1j * np.pi / 6])
    np.testing.assert_allclose(phased, factors[:, None] * plain, atol=1e-12)


def test_scans_of_a_phase_cycle_are_averaged(tmp_path):
    # CYCLOPS-like: pulse and receiver go round together, which keeps the signal of the pulse
    # and removes that of what was transverse before it
    text = (
        "phase_cycle: {ph: [x, y, -x, -y]}\n"
        "sequence:\n  - pulse: {I: 90 ph, S: 90 ph}\n  - acquire: {I: ph, S: ph}\n"
    )
    readout = sequence_readout(own_sequence(tmp_path, text), CHLOROFORM)
    assert len(readout.scans) == 4
    chain = measurement_chain(CHLOROFORM, ["XX", readout], receiver=RECEIVER)
    for sign in (1, -1):
        polarised = np.eye(4) / 4 + 0.1 * sign * thermal_deviation(CHLOROFORM)
        single, cycled = acquire(chain, polarised)
        np.testing.assert_allclose(cycled, single, atol=1e-12)
    single, cycled = acquire(chain, np.eye(4) / 4 + 0.1 * pauli("XI"))
    assert np.abs(single).max() > 0.1
    assert np.abs(cycled).max() < 1e-12


def test_virtual_z_before_the_end_counts_as_receiver_phase(tmp_path):
    text = "sequence:\n  - virtual_z: {I: 90 deg, S: 90 deg}\n  - pulse: {I: 90 x, S: 90 x}\n"
    readout = sequence_readout(own_sequence(tmp_path, text), CHLOROFORM)
    (found,) = readout_maps([readout], CHLOROFORM)
    z = rotation("ZI", 90) @ rotation("IZ", 90)
    expected = rotation("XI", 90) @ rotation("IX", 90) @ z
    np.testing.assert_allclose(found, conjugation(expected), atol=1e-12)


def test_a_readout_may_acquire_one_channel(tmp_path):
    one = sequence_readout(
        own_sequence(tmp_path, "sequence:\n  - acquire: {I: x}\n", ALONE), CHLOROFORM
    )
    assert one.channels == ("1H",)
    chain = measurement_chain(CHLOROFORM, ["II", one], receiver=RECEIVER, observed=["1H"])
    rho = np.full((4, 4), 0.25)
    np.testing.assert_allclose(*acquire(chain, rho), atol=1e-14)
    with pytest.raises(ArgumentError, match="'mine' does not acquire 13C"):
        measurement_chain(CHLOROFORM, ["II", one], receiver=RECEIVER)


@pytest.mark.parametrize(
    "text",
    [
        "sequence:\n  - acquire: {I: x}\n  - delay: 1 ms\n",
        "sequence:\n  - acquire: {I: x}\n  - pulse: {I: 90 x}\n  - acquire: {I: x}\n",
    ],
)
def test_a_readout_ends_in_its_only_acquisition(tmp_path, text):
    with pytest.raises(ArgumentError, match="must end in its only `acquire`"):
        sequence_readout(own_sequence(tmp_path, text, ALONE), CHLOROFORM)


def test_one_channel_has_one_phase(tmp_path):
    sequence = own_sequence(tmp_path, "sequence:\n  - acquire: {I: x, S: y}\n")
    sequence_readout(sequence, CHLOROFORM)
    with pytest.raises(ArgumentError, match=r"receiver of 1H one phase, but .* has 0°, 90°"):
        sequence_readout(sequence, PAIR)


def test_faults_of_a_sequence_are_told_as_ever():
    with pytest.raises(InputError, match=r"no/such.yaml"):
        read_readout("no/such.yaml", CHLOROFORM)


# ------------------------------------------------------------------------------------ the channels
def test_one_channel_is_the_rows_of_both_that_are_its_own():
    both, one = (
        response_matrix(measurement_chain(CHLOROFORM, ["II", "IX"], receiver=RECEIVER, observed=o))
        for o in (None, ["13C"])
    )
    rows = both.matrix.reshape(2, 2, 2, 2, 15)[:, :, 1].reshape(-1, 15)
    np.testing.assert_allclose(one.matrix, rows, atol=1e-14)


def test_channels_come_in_the_order_asked_for():
    chain = measurement_chain(CHLOROFORM, ["II"], receiver=RECEIVER, observed=["13C", "1H"])
    plain = measurement_chain(CHLOROFORM, ["II"], receiver=RECEIVER)
    assert chain.channels == ("13C", "1H")
    rho = np.full((4, 4), 0.25)
    np.testing.assert_allclose(acquire(chain, rho)[:, ::-1], acquire(plain, rho), atol=1e-14)


@pytest.mark.parametrize("observed", [[], ["15N"], ["1H", "1H"]])
def test_channels_that_are_not_there_are_refused(observed):
    with pytest.raises(ArgumentError, match="`observed` must hold nuclei of sample 'chloroform'"):
        measurement_chain(CHLOROFORM, ["II"], observed=observed)


def test_no_readouts_are_refused():
    with pytest.raises(ArgumentError, match="`readouts` must hold at least one readout"):
        measurement_chain(CHLOROFORM, [])


def test_a_readout_put_together_by_hand_keeps_its_name():
    bound = read_readout("IX", CHLOROFORM)
    renamed = Readout("mine", bound.scans)
    assert measurement_chain(CHLOROFORM, [renamed], receiver=RECEIVER).readouts == ("mine",)
