"""Readouts of a two-spin tomography: what each shows, and that the four show everything."""

import numpy as np
import pytest

from nmrqb.dynamics import play
from nmrqb.operators import pauli, pauli_strings
from nmrqb.sample import load_sample
from nmrqb.sequence import expand, load_sequence

CHLOROFORM = load_sample("chloroform")
PAULIS = pauli_strings(2)[1:]
SPINS = ("1H", "13C")
# typed from the rotations 90° x: Z → −Y, Y → Z and 90° y: Z → X, X → −Z; for either spin
# real and imaginary part of the sum of its doublet, then of the difference up minus down
SEEN = {
    "II": (("XI", "YI", "XZ", "YZ"), ("IX", "IY", "ZX", "ZY")),
    "IX": (("XI", "YI", "XY", "YY"), ("IX", "-IZ", "ZX", "-ZZ")),
    "IY": (("XI", "YI", "-XX", "-YX"), ("IZ", "IY", "ZZ", "ZY")),
    "XX": (("XI", "-ZI", "XY", "-ZY"), ("IX", "-IZ", "YX", "-YZ")),
}


def lines(rho, spin):
    """Amplitudes of the lines of a spin with the other one up and down: ⟨(σx + iσy)⊗|m⟩⟨m|⟩."""
    coil = pauli("X") + 1j * pauli("Y")
    levels = (np.diag([1, 0]), np.diag([0, 1]))
    operators = (np.kron(coil, m) if spin == 0 else np.kron(m, coil) for m in levels)
    return [np.trace(rho @ operator) for operator in operators]


def shown(readout, rho):
    """Sum and difference of both doublets, real and imaginary: eight numbers."""
    state = play(expand(load_sequence(f"readout_{readout}"), CHLOROFORM), CHLOROFORM, rho).state
    parts = []
    for spin in range(2):
        up, down = lines(state, spin)
        parts += [(up + down).real, (up + down).imag, (up - down).real, (up - down).imag]
    return np.array(parts)


def row(text):
    wanted, sign = text.lstrip("-"), -1.0 if text.startswith("-") else 1.0
    return [sign * (p == wanted) for p in PAULIS]


def response(readouts, spins=(0, 1)):
    """Line amplitudes of the Pauli operators: real and imaginary parts, one row each."""
    rows = []
    for readout in readouts:
        timeline = expand(load_sequence(f"readout_{readout}"), CHLOROFORM)
        states = [play(timeline, CHLOROFORM, pauli(p) / 4).state for p in PAULIS]
        for spin in spins:
            seen = np.array([lines(state, spin) for state in states]).T
            rows += [*seen.real, *seen.imag]
    return np.array(rows)


@pytest.mark.parametrize("readout", SEEN)
def test_readout_shows_the_paulis_it_says(readout):
    found = np.array([shown(readout, pauli(p) / 4) for p in PAULIS]).T
    expected = [row(text) for spin in SEEN[readout] for text in spin]
    np.testing.assert_allclose(found, expected, atol=1e-12)


@pytest.mark.parametrize("readout", SEEN)
def test_readout_opens_both_receivers_along_x(readout):
    rho = sum((k + 1) / 40 * pauli(p) for k, p in enumerate(PAULIS))
    played = play(expand(load_sequence(f"readout_{readout}"), CHLOROFORM), CHLOROFORM, rho)
    (signal,) = played.signals
    assert tuple(signal) == SPINS
    for spin, label in enumerate(SPINS):
        assert signal[label] == pytest.approx(sum(lines(played.state, spin)))


def test_four_readouts_are_complete_and_well_conditioned():
    matrix = response(SEEN)
    assert np.linalg.matrix_rank(matrix) == 15
    assert np.linalg.cond(matrix) == pytest.approx(2.00, abs=0.005)
    variances = np.diag(np.linalg.inv(matrix.T @ matrix))
    assert 4 * variances.sum() == pytest.approx(68.7, abs=0.05)
    worst = {p for p, v in zip(PAULIS, variances, strict=True) if v > 0.99 * variances.max()}
    assert worst == {"XZ", "YY", "XX", "ZI"}
    assert np.sqrt(variances.max() / variances.min()) == pytest.approx(2.83 / 1.41, abs=0.01)


@pytest.mark.parametrize("left_out", SEEN)
def test_no_readout_can_be_left_out(left_out):
    assert np.linalg.matrix_rank(response([r for r in SEEN if r != left_out])) < 15


@pytest.mark.parametrize("spin", [0, 1])
def test_one_channel_is_not_enough(spin):
    assert np.linalg.matrix_rank(response(SEEN, (spin,))) <= 12


@pytest.mark.parametrize("readout", SEEN)
def test_readout_sees_nothing_of_the_identity(readout):
    np.testing.assert_allclose(shown(readout, np.eye(4) / 4), 0, atol=1e-12)
