"""What a Magnus series guarantees, and what its terms do."""

import numpy as np
import pytest

from nmrqb.average import compile_sequence
from nmrqb.sample import load_sample
from nmrqb.sequence import load_sequence

CHLOROFORM = load_sample("chloroform")
ORIENTED = load_sample("oriented_pair")


def series(name, sample, order=None, **parameters):
    sequence = load_sequence(name)
    return compile_sequence(
        sequence, sample, parameters=parameters, order=order
    ).analysis.convergence


@pytest.mark.parametrize("t", ["0.1 ms", "1 ms", "3 ms"])
def test_reach_is_the_norm_times_the_period(t):
    found = series("dm", CHLOROFORM, t=t)
    T = 2 * float(t.split()[0]) * 1e-3
    assert found.reach == pytest.approx(T * 2 * np.pi * 215.13 / 4)
    assert found.guaranteed == (found.reach < np.pi)


def test_exact_sequences_have_no_remainder_and_no_ratio():
    found = series("dm", CHLOROFORM)
    assert found.ratio == 0
    assert max(found.remainder_hz) < 1e-9
    assert found.trusted


def test_norms_fall_by_the_measured_ratio():
    found = series("wahuha", ORIENTED, order=4, tau="5 us")
    present = [norm for norm in found.norms_hz if norm > 1e-9]
    assert len(present) == 3  # orders 0, 2 and 4 of a symmetric cycle
    falls = np.sqrt(np.divide(present[1:], present[:-1]))
    assert found.ratio == pytest.approx(falls.max())
    assert found.trusted
    assert found.remainder_hz[4] < found.remainder_hz[2] < found.remainder_hz[0]


def test_a_long_period_is_not_trusted():
    found = series("wahuha", ORIENTED, tau="3 ms")
    assert not found.guaranteed
    assert not found.trusted
