"""T1 and T2, against their closed forms."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nmrqb.dynamics import (
    apply,
    collapse_operators,
    commutator_superoperator,
    dissipator,
    superoperator,
)
from nmrqb.dynamics.relaxing.relaxation import spin_rates
from nmrqb.dynamics.segments import Segment
from nmrqb.errors import ArgumentError
from nmrqb.operators import pauli
from nmrqb.sample import Sample, Spin

TIME = st.floats(0.01, 20)
FRACTION = st.floats(0.01, 1)
POLARIZATION = st.floats(-1, 1)


def relaxed(rho, sample, time):
    d = 2 ** len(sample.spins)
    wait = Segment(np.asarray(time), np.zeros((d, d), dtype=complex))
    loss = dissipator(collapse_operators(sample), d)
    return apply(superoperator([wait], np.zeros((d, d), dtype=complex), loss), rho)


def mean(operator, rho):
    return complex(np.trace(pauli(operator) @ rho))


def one_spin(T1, ratio, p=0.0):
    """Return a sample of one spin with T2 = ratio · 2 T1."""
    return Sample("one", (Spin("H", "1H", T1_s=T1, T2_s=ratio * 2 * T1, polarization=p),))


@given(TIME, FRACTION, POLARIZATION, TIME)
@settings(deadline=None, max_examples=50)
def test_polarisation_recovers_with_t1(T1, ratio, p, t):
    rho = relaxed(np.diag([0.1, 0.9]).astype(complex), one_spin(T1, ratio, p), t)
    assert mean("Z", rho).real == pytest.approx(p + (-0.8 - p) * np.exp(-t / T1), abs=1e-10)


@given(TIME, FRACTION, POLARIZATION, TIME)
@settings(deadline=None, max_examples=50)
def test_coherence_decays_with_t2_whatever_the_polarisation(T1, ratio, p, t):
    rho = np.array([[0.5, 0.3 - 0.2j], [0.3 + 0.2j, 0.5]])
    after = relaxed(rho, one_spin(T1, ratio, p), t)
    assert after[0, 1] == pytest.approx((0.3 - 0.2j) * np.exp(-t / (ratio * 2 * T1)), abs=1e-10)


def test_infinite_times_leave_the_state_alone():
    assert collapse_operators(Sample("still", (Spin("H", "1H"), Spin("C", "13C")))) == []


def test_every_spin_relaxes_with_its_own_times():
    sample = Sample(
        "two", (Spin("H", "1H", T1_s=3.0, T2_s=0.5), Spin("C", "13C", T1_s=7.0, T2_s=9.0))
    )
    rho = relaxed((np.eye(4) + pauli("XI") + pauli("IZ")) / 4, sample, 0.4)
    assert mean("XI", rho).real == pytest.approx(np.exp(-0.4 / 0.5))
    assert mean("IZ", rho).real == pytest.approx(np.exp(-0.4 / 7.0))


def test_two_spin_coherence_decays_with_the_sum_of_the_rates():
    sample = Sample(
        "two", (Spin("H", "1H", T1_s=3.0, T2_s=0.5), Spin("C", "13C", T1_s=7.0, T2_s=0.3))
    )
    rho = relaxed((np.eye(4) + pauli("XY")) / 4, sample, 0.2)
    assert mean("XY", rho).real == pytest.approx(np.exp(-0.2 / 0.5 - 0.2 / 0.3))


def test_longest_possible_t2_needs_no_dephasing():
    assert spin_rates(4.0, 8.0)[2] == 0.0


def test_generator_of_a_hamiltonian_is_its_commutator():
    rng = np.random.default_rng(1)
    A, rho = rng.normal(size=(2, 4, 4)) + 1j * rng.normal(size=(2, 4, 4))
    H = A + A.conj().T
    np.testing.assert_allclose(
        apply(commutator_superoperator(H), rho), -1j * (H @ rho - rho @ H), atol=1e-12
    )


def test_dissipator_is_the_lindblad_form_for_any_operator():
    rng = np.random.default_rng(2)
    L, rho = rng.normal(size=(2, 4, 4)) + 1j * rng.normal(size=(2, 4, 4))
    rate = L.conj().T @ L
    expected = L @ rho @ L.conj().T - (rate @ rho + rho @ rate) / 2
    np.testing.assert_allclose(apply(dissipator([L], 4), rho), expected, atol=1e-12)


@pytest.mark.parametrize(("T1", "T2"), [(0.0, 1.0), (1.0, 0.0), (-1.0, 1.0), (np.nan, 1.0)])
def test_times_must_be_positive(T1, T2):
    with pytest.raises(ArgumentError, match="`T1` and `T2` must be positive"):
        spin_rates(T1, T2)


def test_t2_above_twice_t1_is_refused():
    with pytest.raises(ArgumentError, match=r"`T2` must be at most 2 T1 = 2\.0 s, but is 2\.1 s"):
        spin_rates(1.0, 2.1)


@pytest.mark.parametrize("p", [1.5, -1.01])
def test_polarisation_beyond_one_is_refused(p):
    with pytest.raises(ArgumentError, match="`polarization` must be in"):
        spin_rates(1.0, 1.0, p)
