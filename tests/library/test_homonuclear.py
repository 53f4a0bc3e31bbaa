"""Collective multiple-pulse sequences on three like spins with random shifts and couplings.

Expected values are typed from the literature: what is left of the shifts (scale factors), of the
secular dipolar coupling D_z = d(2 I_z S_z − I_x S_x − I_y S_y), and which Magnus terms vanish.
"""

import itertools
from dataclasses import replace

import numpy as np
import pytest

from nmrqb.average import compile_sequence, magnus_terms
from nmrqb.dynamics import timeline_segments
from nmrqb.errors import InputError
from nmrqb.operators import named_terms, spin_operator
from nmrqb.sample import Coupling, Sample, Spin
from nmrqb.sample.hamiltonian import internal_hamiltonian
from nmrqb.sequence import TimedPulse, Timing, expand, load_sequence

WIDTH = 4e-6  # of a finite 90° pulse, s
ZERO, SEEN = 1e-10, 1e-6  # of the norm of the drift
COLLECTIVE = {"wahuha": 6, "mrev8": 12, "br24": 36, "cory48": 72, "yxx24": 24, "yxx48": 48,
              "dq8": 12, "ksea_collective": 12, "wei16": 24, "magic_echo": 6}  # fmt: skip
SUSPENDING = ["cory48", "yxx24", "yxx48"]
# the offset that is left, along x, y and z, and its norm: the scale factor
SHIFTS = {
    "wahuha": ((1 / 3, 1 / 3, 1 / 3), 1 / np.sqrt(3)),
    "mrev8": ((1 / 3, 0, 1 / 3), np.sqrt(2) / 3),
    "br24": ((2 / 9, 2 / 9, 2 / 9), 2 / (3 * np.sqrt(3))),
    "cory48": ((0, 0, 0), 0),
    "yxx24": ((0, 0, 0), 0),
    "yxx48": ((0, 0, 0), 0),
    "dq8": ((0, 0, 0), 0),
    "ksea_collective": ((0, 0, 0), 0),
}
DECOUPLING = ["wahuha", "mrev8", "br24", *SUSPENDING, "blew12", "magic_echo"]


def solid(*, shifts=True, couplings=True, spins=3, seed=7):
    """Like spins with random shifts and dipolar couplings of a few kHz."""
    rng = np.random.default_rng(seed)
    labels = "ABC"[:spins]
    nu, pairs = rng.normal(size=spins) * 1500 * shifts, list(itertools.combinations(labels, 2))
    d = rng.normal(size=len(pairs)) * 1000 * couplings
    return Sample(
        "solid",
        tuple(Spin(s, "1H", float(v), pulse_90_s=WIDTH) for s, v in zip(labels, nu, strict=True)),
        tuple(Coupling(p, dipolar_hz=float(v)) for p, v in zip(pairs, d, strict=True)),
    )


SOLID, SHIFTS_ONLY, DIPOLAR = solid(), solid(couplings=False), solid(shifts=False)


def orders(name, sample, order=1, pulses="ideal", **parameters):
    """Magnus terms of one pass in Hz."""
    timeline = expand(load_sequence(name), sample, parameters=parameters, pulses=pulses)
    segments = timeline_segments(timeline, sample)
    return magnus_terms(segments, internal_hamiltonian(sample) / (2 * np.pi), order=order)


def relative(H, sample):
    return float(np.linalg.norm(H) / np.linalg.norm(internal_hamiltonian(sample) / (2 * np.pi)))


def bilinear(sample, terms):
    """Σ over pairs of d Σ c I_a S_b for terms {"xy": c}."""
    n, total = len(sample.spins), 0
    for coupling in sample.couplings:
        i, j = map(sample.index, coupling.between)
        for (a, b), c in terms.items():
            total = total + c * coupling.dipolar_hz * (
                spin_operator(a, i, n) @ spin_operator(b, j, n)
            )
    return total


def dipolar(sample, axis):
    """D_axis: 2 I_a S_a minus the other two axes."""
    return bilinear(sample, {2 * a: 2 if a == axis else -1 for a in "xyz"})


def shifted(sample, vector):
    """Σ_k ν_k (vector · I_k)."""
    n = len(sample.spins)
    return sum(
        c * spin.offset_hz * spin_operator(a, k, n)
        for k, spin in enumerate(sample.spins)
        for a, c in zip("xyz", vector, strict=True)
    )


# ------------------------------------------------------------------------- offsets that are left
@pytest.mark.parametrize("name", SHIFTS)
def test_offsets_are_left_along_the_published_axis(name):
    vector, scale = SHIFTS[name]
    assert np.linalg.norm(vector) == pytest.approx(scale)
    (zeroth,) = orders(name, SHIFTS_ONLY, 0)
    assert relative(zeroth - shifted(SHIFTS_ONLY, vector), SHIFTS_ONLY) < ZERO


def test_blew12_scales_the_offsets_by_0_4745():
    (zeroth,) = orders("blew12", SHIFTS_ONLY, 0)
    np.testing.assert_allclose(
        zeroth, shifted(SHIFTS_ONLY, (-0.4244, 0, 0.2122)), atol=1e-4 * np.abs(zeroth).max()
    )
    assert relative(zeroth, SHIFTS_ONLY) == pytest.approx(0.4745, abs=1e-4)


def test_magic_echo_keeps_the_offsets_of_its_two_delays():
    # a third of the cycle outside the sandwich; whole turns average the rest
    (zeroth,) = orders("magic_echo", SHIFTS_ONLY, 0)
    assert relative(zeroth - shifted(SHIFTS_ONLY, (0, 0, 1 / 3)), SHIFTS_ONLY) < ZERO


# ------------------------------------------------------------------------------ dipolar decoupling
@pytest.mark.parametrize("name", DECOUPLING)
def test_dipolar_coupling_vanishes_at_zeroth_and_first_order(name):
    for H in orders(name, DIPOLAR):
        assert relative(H, DIPOLAR) < ZERO


@pytest.mark.parametrize("name", ["br24", "cory48"])
def test_dipolar_coupling_vanishes_at_second_order_too(name):
    assert relative(orders(name, DIPOLAR, 2)[2], DIPOLAR) < ZERO


@pytest.mark.parametrize("name", ["wahuha", "mrev8", "yxx24", "yxx48", "blew12", "magic_echo"])
def test_dipolar_coupling_has_a_second_order(name):
    assert relative(orders(name, DIPOLAR, 2)[2], DIPOLAR) > SEEN


@pytest.mark.parametrize("name", ["mrev8", "br24", *SUSPENDING])
def test_finite_pulses_leave_the_dipolar_coupling_zero(name):
    for H in orders(name, DIPOLAR, pulses="finite"):
        assert relative(H, DIPOLAR) < ZERO


def test_finite_pulses_of_wahuha_leave_a_part_of_the_dipolar_coupling():
    assert relative(orders("wahuha", DIPOLAR, 0, pulses="finite")[0], DIPOLAR) > 0.01


@pytest.mark.parametrize("name", ["wahuha", *SUSPENDING])
def test_first_order_vanishes_with_shifts_and_couplings(name):
    assert relative(orders(name, SOLID)[1], SOLID) < ZERO


@pytest.mark.parametrize("name", ["mrev8", "br24"])
def test_first_order_of_the_shifts_alone_remains(name):
    assert relative(orders(name, SHIFTS_ONLY)[1], SHIFTS_ONLY) > 1e-3


@pytest.mark.parametrize("name", SUSPENDING)
def test_time_suspension_leaves_nothing_of_shifts_and_couplings(name):
    for H in orders(name, SOLID):
        assert relative(H, SOLID) < ZERO


def test_magic_echo_sandwich_runs_the_dipolar_coupling_backwards_at_half_speed():
    sequence = load_sequence("magic_echo")
    inside = replace(sequence, events=sequence.events[1:-1])  # without the two outer delays
    segments = timeline_segments(expand(inside, DIPOLAR), DIPOLAR)
    (zeroth,) = magnus_terms(segments, internal_hamiltonian(DIPOLAR) / (2 * np.pi), order=0)
    assert relative(zeroth + dipolar(DIPOLAR, "z") / 2, DIPOLAR) < ZERO


# ------------------------------------------------------------------------- engineered couplings
@pytest.mark.parametrize("pulses", ["ideal", "finite"])
@pytest.mark.parametrize("tau", ["10 us", "30 us"])
def test_dq8_makes_the_double_quantum_coupling_for_any_pulse_width(pulses, tau):
    zeroth, _ = orders("dq8", SOLID, pulses=pulses, tau=tau)
    expected = bilinear(SOLID, {"yy": 1, "xx": -1})
    assert relative(zeroth - expected, SOLID) < ZERO
    np.testing.assert_allclose(expected, (dipolar(SOLID, "y") - dipolar(SOLID, "x")) / 3, atol=1e-9)


@pytest.mark.parametrize("pulses", ["ideal", "finite"])
def test_collective_ksea_is_minus_d_for_any_pulse_width(pulses):
    (zeroth,) = orders("ksea_collective", SOLID, 0, pulses=pulses)
    assert relative(zeroth - bilinear(SOLID, {"xy": -1, "yx": -1}), SOLID) < ZERO


@pytest.mark.parametrize("name", ["dq8", "ksea_collective"])
def test_double_quantum_cycles_have_a_second_but_no_first_order(name):
    _, first, second = orders(name, DIPOLAR, 2)
    assert relative(first, DIPOLAR) < ZERO
    assert relative(second, DIPOLAR) > SEEN


@pytest.mark.parametrize(("name", "term"), [("dq8", "epsilon"), ("ksea_collective", "KSEA_z")])
def test_double_quantum_cycles_are_exact_for_a_pair(name, term):
    pair = solid(shifts=False, spins=2)
    average = compile_sequence(load_sequence(name), pair)
    (d,) = (c.dipolar_hz for c in pair.couplings)
    assert average.branch_safe
    assert named_terms(average.exact_hz) == pytest.approx(
        dict.fromkeys(average.named, 0.0) | {term: -d / 4}, abs=1e-8
    )


def test_edge_to_edge_delays_leave_dq8_other_couplings():
    sequence = replace(load_sequence("dq8"), timing=Timing(centred=False))
    segments = timeline_segments(expand(sequence, DIPOLAR, pulses="finite"), DIPOLAR)
    (zeroth,) = magnus_terms(segments, internal_hamiltonian(DIPOLAR) / (2 * np.pi), order=0)
    assert relative(zeroth - bilinear(DIPOLAR, {"yy": 1, "xx": -1}), DIPOLAR) > 0.01


WEI = [
    (0.0, 0.0, 0.0, 0.0),
    (0.0, 0.0, 0.0, 1.0),
    (0.2, 0.0, 0.0, 0.1),
    (0.0, 0.3, 0.0, -0.2),
    (0.1, 0.2, 0.3, 0.4),
    (-0.2, 0.1, 0.1, 0.5),
]


@pytest.mark.parametrize(("u", "v", "w", "c"), WEI)
def test_wei16_follows_its_formula(u, v, w, c):
    zeroth, first = orders("wei16", SOLID, u=str(u), v=str(v), w=str(w), c=str(c))
    weights = zip("xyz", (u - w, v - u, w - v), strict=True)
    expected = sum(weight / 3 * dipolar(SOLID, axis) for axis, weight in weights)
    assert relative(zeroth - expected - shifted(SOLID, (0, 0, c / 3)), SOLID) < ZERO
    assert relative(first, SOLID) < ZERO


def test_wei16_refuses_parameters_that_need_a_negative_delay():
    with pytest.raises(InputError, match="a delay must not be negative"):
        orders("wei16", SOLID, c="1.2")


# ------------------------------------------------------------------------------------- timing
@pytest.mark.parametrize(("name", "units"), COLLECTIVE.items())
def test_cycle_lasts_its_number_of_delays(name, units):
    average = compile_sequence(load_sequence(name), SOLID, parameters={"tau": "10 us"}, order=0)
    assert average.cyclic
    assert average.duration_s == pytest.approx(units * 10e-6)


@pytest.mark.parametrize("name", [n for n in COLLECTIVE if n != "magic_echo"])
def test_finite_pulses_leave_the_cycle_as_long_as_it_was(name):
    average = compile_sequence(
        load_sequence(name), SOLID, parameters={"tau": "10 us"}, order=0, pulses="finite"
    )
    assert average.duration_s == pytest.approx(COLLECTIVE[name] * 10e-6)


@pytest.mark.parametrize("name", [n for n in COLLECTIVE if n != "magic_echo"])
def test_finite_pulses_stand_where_ideal_ones_do(name):
    centres = []
    for pulses in ("ideal", "finite"):
        timeline = expand(load_sequence(name), SOLID, parameters={"tau": "10 us"}, pulses=pulses)
        ends = np.cumsum([event.duration for event in timeline.events])
        centres.append(
            [
                end - event.duration / 2
                for end, event in zip(ends, timeline.events, strict=True)
                if isinstance(event, TimedPulse)
            ]
        )
    np.testing.assert_allclose(centres[1], centres[0], atol=1e-15)


@pytest.mark.parametrize("name", [n for n in COLLECTIVE if n != "magic_echo"])
def test_delays_too_short_for_the_pulses_are_refused(name):
    with pytest.raises(InputError, match="between the centres of its pulses must be at least"):
        expand(load_sequence(name), SOLID, parameters={"tau": "3 us"}, pulses="finite")


def test_windowless_cycle_is_all_pulse():
    average = compile_sequence(load_sequence("blew12"), SOLID, order=0)
    assert average.cyclic
    assert average.free_evolution_s == 0
    assert average.duration_s == pytest.approx(12 * 5e-6)


@pytest.mark.parametrize("name", [*COLLECTIVE, "blew12"])
def test_scalar_coupling_of_like_spins_is_not_touched(name):
    pair = Sample("pair", (Spin("A", "1H"), Spin("B", "1H")), (Coupling(("A", "B"), J_hz=7.0),))
    average = compile_sequence(load_sequence(name), pair)
    assert average.named["isotropic"] == pytest.approx(7 / 4)
    assert average.named["other"] == pytest.approx(0, abs=1e-9)
