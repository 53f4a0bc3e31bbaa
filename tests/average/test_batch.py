"""A batch is the stack of what single compiles give."""

import numpy as np
import pytest

from nmrqb.average import compile_batch, compile_sequence
from nmrqb.average.effective import unitary_logarithm
from nmrqb.dynamics import exp_hermitian
from nmrqb.errors import ArgumentError, InputError
from nmrqb.operators import from_pauli_coefficients, pauli
from nmrqb.sample import load_sample
from nmrqb.sequence import expand, load_sequence
from nmrqb.units import Value

CHLOROFORM = load_sample("chloroform")
ORIENTED = load_sample("oriented_pair")

CASES = [
    ("dm", CHLOROFORM, {"t": ["0.2 ms", "1 ms", "1/(4*J)"]}),
    ("dm_ksea", CHLOROFORM, {"D": ["J/16", "J/20", "10 Hz"], "G": ["J/32", "1 Hz", "-3 Hz"]}),
    ("wei16", ORIENTED, {"u": ["0.2", "0.1"], "c": ["0", "0.2"]}),
    ("battery_trotter", CHLOROFORM, {"B": ["2 Hz", "-3 Hz"], "Delta": ["4 Hz", "-9 Hz"]}),
    ("udd", CHLOROFORM, {"T": ["1 ms", "2 ms"]}),
    ("literature_dm", CHLOROFORM, {"t": ["0.1 ms", "0.4 ms"]}),
]


@pytest.mark.parametrize("pulses", ["ideal", "finite"])
@pytest.mark.parametrize(("name", "sample", "values"), CASES)
def test_a_batch_is_a_stack_of_singles(name, sample, values, pulses):
    sequence = load_sequence(name)
    batch = compile_batch(sequence, sample, values, pulses=pulses, order=1)
    for k in range(len(next(iter(values.values())))):
        one = {parameter: texts[k] for parameter, texts in values.items()}
        single = compile_sequence(sequence, sample, pulses=pulses, parameters=one)
        assert batch.cycles_to_close == single.cycles_to_close
        assert batch.duration_s[k] == pytest.approx(single.duration_s, rel=1e-12)
        np.testing.assert_allclose(batch.exact_hz[k], single.exact_hz, atol=1e-7)
        for order, H in zip(single.orders, batch.orders_hz[:, k], strict=False):
            np.testing.assert_allclose(H, order.hamiltonian_hz, atol=1e-9)
        for (_, named), (_, expected) in zip(batch.pairs, single.pairs, strict=True):
            assert {n: v[k] for n, v in named.items()} == pytest.approx(expected, abs=1e-7)


def test_numbers_in_an_array_are_taken_as_they_are():
    sequence, times = load_sequence("dm"), np.linspace(0.1e-3, 2e-3, 7)
    batch = compile_batch(sequence, CHLOROFORM, {"t": Value.of(times, "time")})
    np.testing.assert_allclose(batch.duration_s, 2 * times)
    ((_, named),) = batch.pairs
    np.testing.assert_allclose(named["DM_z"], 215.13 / 8, rtol=1e-10)
    np.testing.assert_allclose(named["KSEA_z"], 0, atol=1e-9)
    assert batch.guaranteed.all()


def test_one_expression_holds_for_the_whole_batch():
    values = {"D": ["10 Hz", "20 Hz"], "G": "5 Hz", "T": "1/J"}
    timeline = expand(load_sequence("dm_ksea"), CHLOROFORM, parameters=values)
    np.testing.assert_allclose(timeline.events[1].duration, 4 * np.array([15, 25]) / 215.13**2)


def test_where_the_logarithm_may_wrap_is_said():
    batch = compile_batch(load_sequence("dm"), CHLOROFORM, {"t": ["1 ms", "20 ms"]})
    assert batch.guaranteed.tolist() == [True, False]


# ----------------------------------------------------------------------------- stacked logarithms
def test_logarithms_of_a_stack_are_those_of_its_members():
    rng = np.random.default_rng(3)
    A = from_pauli_coefficients(rng.normal(size=(20, 16)))
    A *= np.linspace(0.1, 3.1, 20)[:, None, None] / np.linalg.norm(A, 2, axis=(1, 2))[:, None, None]
    U = exp_hermitian(A)
    np.testing.assert_allclose(unitary_logarithm(U), A, atol=1e-11)


def test_members_near_the_branch_point_are_safe_too():
    near = np.array([np.pi * pauli("Z"), (np.pi - 1e-6) * pauli("X"), 0.3 * pauli("Y")])
    U = exp_hermitian(near)
    logarithms = unitary_logarithm(U)
    np.testing.assert_allclose(exp_hermitian(logarithms), U, atol=1e-12)
    np.testing.assert_allclose(logarithms[2], near[2], atol=1e-13)


# ------------------------------------------------------------------------------------- refusals
@pytest.mark.parametrize(
    ("name", "values", "message"),
    [
        ("dm", {"t": ["1 ms", "-1 ms"]}, "a delay must not be negative, but `t` is -1 ms"),
        ("dm", {"t": ["1 ms", "5 Hz"]}, "--set t.*all values must be of one dimension"),
        ("dm", {"t": ["1 ms", "5 kg"]}, "--set t.*unknown unit `kg`"),
        ("dm", {"tt": ["1 ms"]}, "has no parameter `tt`; did you mean `t`"),
        ("cpmg", {"n": ["2", "4"]}, "must be one whole number"),
        ("wei16", {"u": ["0.1", "3"]}, "must not be negative|at least"),
        ("gibbs_two_spin", {"k": ["0.1", "0.9"]}, "must be k"),
    ],
)
def test_one_bad_value_refuses_the_batch(name, values, message):
    with pytest.raises(InputError, match=message):
        compile_batch(load_sequence(name), CHLOROFORM, values)


def test_a_batch_takes_time():
    with pytest.raises(ArgumentError, match="must take time, but 'collective_x' has only"):
        compile_batch(load_sequence("collective_x"), CHLOROFORM, {"rate": ["1 kHz"]})


def test_one_compile_takes_one_value():
    with pytest.raises(ArgumentError, match="must give `t` one value, but gives many; `compile_ba"):
        compile_sequence(load_sequence("dm"), CHLOROFORM, parameters={"t": ["1 ms", "2 ms"]})
