"""Propagators kept as their structure allows: equal to SciPy's, and made as seldom as possible."""

import math

import numpy as np
import pytest
from scipy.linalg import expm

from nmrqb.dynamics import Segment, unitary
from nmrqb.dynamics.coherent.factors import FactorTable
from nmrqb.operators import bloch_vectors, spin_operator

PHASES = (0.0, math.pi / 2, math.pi, 3 * math.pi / 2, 0.7)


def drift(n, like):
    """Offsets, couplings I_zS_z, and I·S between the spins of every group of like ones."""
    rng = np.random.default_rng(n)
    H = sum(rng.uniform(-2e3, 2e3) * spin_operator("z", k, n) for k in range(n))
    for i in range(n):
        for j in range(i):
            axes = "xyz" if any({i, j} <= set(group) for group in like) else "z"
            J = rng.uniform(-400, 400)
            H = H + J * sum(spin_operator(a, i, n) @ spin_operator(a, j, n) for a in axes)
    return H


def pulse(n, spins, angle, phase, T=1e-5):
    axis = sum(
        math.cos(phase) * spin_operator("x", k, n) + math.sin(phase) * spin_operator("y", k, n)
        for k in spins
    )
    return Segment(np.asarray(T), angle * axis)


def delay(n, T):
    return Segment(np.asarray(T), np.zeros((2**n, 2**n), dtype=complex))


@pytest.fixture
def diagonalised(monkeypatch):
    """The sizes of all matrices that are diagonalised."""
    sizes, eigh = [], np.linalg.eigh

    def counted(matrix):
        sizes.append(matrix.shape)
        return eigh(matrix)

    monkeypatch.setattr(np.linalg, "eigh", counted)
    return sizes


def expected(segments, H):
    U = np.eye(len(H))
    for s in segments:
        U = expm(-1j * (s.rotation + float(s.duration) * H)) @ U
    return U


@pytest.mark.parametrize("n", [5, 6])
@pytest.mark.parametrize("kind", ["weak", "channels", "all"])
def test_multiple_pulse_cycles_are_products_of_exponentials(n, kind):
    like = {"weak": (), "channels": ((0, 1, 2), (3, 4)), "all": (range(n),)}[kind]
    H, everyone = drift(n, like), range(n)
    segments = [
        pulse(n, everyone, math.pi / 2, 0.0), delay(n, 1e-3),
        pulse(n, everyone, math.pi / 2, math.pi / 2), delay(n, 2e-3),
        pulse(n, (0, 1, 2), 1.1, 0.4, 0.0), pulse(n, (0,), 1.1, 0.4, 1e-3), delay(n, 1e-3),
        pulse(n, everyone, math.pi / 2, math.pi), pulse(n, (4,), -2.0, 5.0, 1e-4), delay(n, 0.0),
    ]  # fmt: skip
    np.testing.assert_allclose(unitary(segments, H), expected(segments, H), atol=1e-12)


@pytest.mark.parametrize("n", [5, 6])
def test_pulses_of_all_phases_share_one_core(n, diagonalised):
    table = FactorTable(drift(n, (range(n),)))
    for phase in PHASES:
        segment = pulse(n, range(n), math.pi / 2, phase)
        np.testing.assert_allclose(
            table.of(segment).matrix(), expected([segment], table.drift), atol=1e-12
        )
    assert len(diagonalised) == 1


def test_phases_by_channel_share_one_core_too(diagonalised):
    n = 5
    table = FactorTable(drift(n, ((0, 1, 2), (3, 4))))
    for first in PHASES:
        a, b = pulse(n, (0, 1, 2), 1.2, first), pulse(n, (3, 4), 0.8, 2 * first)
        segment = Segment(a.duration, a.rotation + b.rotation)
        np.testing.assert_allclose(
            table.of(segment).matrix(), expected([segment], table.drift), atol=1e-12
        )
    assert len(diagonalised) == 1


def test_phases_that_the_drift_feels_share_nothing(diagonalised):
    # a pulse on one of two like spins: no frame turns that one alone
    table = FactorTable(drift(5, (range(5),)))
    for phase in PHASES:
        segment = pulse(5, (2,), math.pi / 2, phase, 1e-3)
        np.testing.assert_allclose(
            table.of(segment).matrix(), expected([segment], table.drift), atol=1e-12
        )
    assert len(diagonalised) == len(PHASES)


def test_all_delays_share_one_diagonalisation(diagonalised):
    n = 5
    table = FactorTable(drift(n, (range(n),)))
    for T in (1e-5, 1e-3, 0.4, 1e-3):
        np.testing.assert_allclose(
            table.of(delay(n, T)).matrix(), expm(-1j * T * table.drift), atol=1e-12
        )
    assert sum(math.prod(shape[:-1]) for shape in diagonalised) == 2**n
    assert max(shape[-1] for shape in diagonalised) == math.comb(5, 2)  # one total spin each


def test_z_rotations_within_a_pulse_and_alone():
    n = 5
    table = FactorTable(drift(n, ((0, 1, 2), (3, 4))))
    z = sum((0.3 + k) * spin_operator("z", k, n) for k in range(n))
    for T in (0.0, 2e-3):
        tilted = Segment(np.asarray(T), pulse(n, range(n), 1.0, 0.6).rotation + z)
        for segment in (tilted, Segment(np.asarray(T), z)):
            np.testing.assert_allclose(
                table.of(segment).matrix(), expected([segment], table.drift), atol=1e-12
            )


def test_factors_act_on_columns_as_their_matrices():
    n = 5
    table = FactorTable(drift(n, ((0, 1, 2), (3, 4))))
    rng = np.random.default_rng(0)
    columns = rng.normal(size=(32, 3)) + 1j * rng.normal(size=(32, 3))
    for segment in (delay(n, 1e-3), pulse(n, (0, 1), 1.0, 2.0), delay(n, 0.0)):
        factor = table.of(segment)
        np.testing.assert_allclose(factor.on(columns), factor.matrix() @ columns, atol=1e-13)


@pytest.mark.parametrize("n", [2, 5])
@pytest.mark.parametrize("word", ["flip-flop", "double quantum", "one spin and double quantum",
                                  "z and zz"])  # fmt: skip
def test_a_drive_of_two_spins_is_no_rotation_of_single_ones(n, word):
    x, y, z = ([spin_operator(a, k, n) for k in (0, 1)] for a in "xyz")
    drive = {
        "flip-flop": x[0] @ x[1] + y[0] @ y[1],
        "double quantum": x[0] @ x[1] - y[0] @ y[1],
        "one spin and double quantum": x[0] + x[0] @ x[1] - y[0] @ y[1],
        "z and zz": z[0] + z[0] @ z[1],
    }[word]
    assert bloch_vectors(drive) is None
    segment, H = Segment(np.asarray(1e-3), 1.3 * drive), drift(n, ())
    assert segment.vectors is None
    np.testing.assert_allclose(unitary([segment], H), expected([segment], H), atol=1e-12)


@pytest.mark.parametrize("n", [1, 3, 6])
def test_vectors_of_a_segment_are_those_it_was_made_of(n):
    vectors = np.random.default_rng(n).normal(size=(n, 3))
    rotation = sum(v * spin_operator(a, k, n) for k, row in enumerate(vectors)
                   for a, v in zip("xyz", row, strict=True))  # fmt: skip
    np.testing.assert_allclose(Segment(np.zeros(()), rotation).vectors, vectors, atol=1e-14)
    assert not np.any(Segment(np.zeros(()), 0 * rotation).vectors)
    assert Segment(np.zeros(()), np.stack([rotation, rotation])).vectors is None


@pytest.mark.parametrize("apart", [1e-3, 1e-9, 1e-12])
def test_pulses_that_are_almost_equal_are_not_one(apart):
    n = 5
    table = FactorTable(drift(n, (range(n),)))
    first, then = (pulse(n, range(n), angle, 0.3, 0.0) for angle in (1.2, 1.2 + apart))
    U = table.of(then).matrix() @ table.of(first).matrix().conj().T
    axis = pulse(n, range(n), 1.0, 0.3).rotation
    np.testing.assert_allclose(
        (U - np.eye(32)) / apart, -1j * axis, rtol=0, atol=4e-15 / apart + 2 * apart
    )
