"""After every gradient the field recovers: within the delay that is there, or in one put in."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from topspin_playing import SAMPLE, offset_sample
from topspin_reader import Reader, console_values

from nmrqb.dynamics import play, thermal_deviation
from nmrqb.errors import ArgumentError
from nmrqb.operators import pauli_coefficients, pauli_strings
from nmrqb.report import export_sequence
from nmrqb.sequence import (
    Delay,
    Gradient,
    Pulse,
    Repeat,
    Rotation,
    Sequence,
    TimedDelay,
    TimedGradient,
    TimedPulse,
    TimedRotation,
    Timeline,
)
from nmrqb.spectrometer.topspin import Hardware, check_program, missing_recovery
from nmrqb.spectrometer.topspin.recovery import recovered

QUARTER = Pulse({"I": Rotation("90", "x")})
BOTH = Pulse({"I": Rotation("90", "x"), "S": Rotation("90", "y")})
SMALL = Gradient("30 Hz", "1 ms")  # so weak that transverse magnetisation outlives it


def of(*events, **more):
    roles = {r: n for r, n in (("I", "1H"), ("S", "13C")) if f"'{r}'" in repr(events)}
    return Sequence("moved", roles, events, sample="chloroform", **more)


def exported(*events, console=(), sample=SAMPLE, hardware=None, **more):
    """Return the export, and what the reader plays of it."""
    export = export_sequence(of(*events, **more), sample, hardware=hardware)
    values = {**console_values(export.program), **dict(console)}
    assert check_program(export.program.text, values) == []
    return export, Reader(export.program.text, values).events()[0]


def lengths(events):
    """Return by kind what is played between pulses."""
    return [(kind, pytest.approx(value)) for kind, value in events if kind != "pulse"]


def test_a_pulse_does_not_follow_a_gradient_at_once():
    export, events = exported(QUARTER, Gradient(), QUARTER)
    assert [kind for kind, _ in events] == ["pulse", "gradient", "delay", "pulse"]
    assert lengths(events) == [("gradient", 1e-3), ("delay", 200e-6)]
    assert export.duration_s == pytest.approx(2 * 13e-6 + 1e-3 + 200e-6)
    assert export.recovery_added_s == (200e-6,)
    assert "recovery 200 us each; added after 1 of them, 200 us in all" in export.program.text
    assert ";d16: recovery of the field after a gradient [200 us]" in export.program.text


def test_the_prediction_waits_too():
    """A weak gradient leaves magnetisation across, which the offset turns while one waits."""
    sample = offset_sample()
    export, _ = exported(QUARTER, SMALL, QUARTER, sample=sample)
    turn = TimedPulse((TimedRotation(0, math.pi / 2, 0.0, 13e-6),))
    by_hand = Timeline(
        "by_hand", (turn, TimedGradient(1e-3, 30.0), TimedDelay(200e-6), turn), "finite"
    )
    rho = play(by_hand, sample, thermal_deviation(sample)).state
    wanted = dict(zip(pauli_strings(2), 2 * pauli_coefficients(rho).real, strict=True))
    assert export.state == pytest.approx({name: wanted[name] for name in export.state}, abs=1e-9)
    without, _ = exported(QUARTER, SMALL, QUARTER, sample=sample, hardware=Hardware(recovery_s=0))
    assert abs(without.state["XI"] - export.state["XI"]) > 0.005


def test_a_delay_that_is_long_enough_is_the_recovery():
    export, events = exported(QUARTER, Gradient(), Delay("1/(4*J)"), BOTH)
    bare, alone = exported(
        QUARTER, Gradient(), Delay("1/(4*J)"), BOTH, hardware=Hardware(recovery_s=0)
    )
    assert export.recovery_added_s == (0.0,)
    assert "all within the delays after them" in export.program.text
    assert '"DEL1=1s*(1/(4*cnst2))-d16"' in export.program.text
    assert export.duration_s == bare.duration_s
    assert export.state == bare.state
    assert "d16" not in bare.program.text
    ((_, wait),) = [item for item in alone if item[0] == "delay"]
    assert lengths(events)[1:] == [("delay", 200e-6), ("delay", wait - 200e-6)]


@pytest.mark.parametrize("recovery", [100e-6, 1e-3])
def test_a_recovery_changed_at_the_console_leaves_the_delay_as_long(recovery):
    _, events = exported(
        QUARTER, Gradient(), Delay("2 ms"), QUARTER, console={"d16": recovery}.items()
    )
    waits = [value for kind, value in events if kind == "delay"]
    assert waits[0] == pytest.approx(recovery)
    assert sum(waits) == pytest.approx(2e-3)


def test_a_short_delay_is_filled_up_and_a_delay_of_that_length_is_it():
    short, events = exported(QUARTER, Gradient(), Delay("50 us"), QUARTER)
    assert lengths(events)[1:] == [("delay", 200e-6)]
    assert short.recovery_added_s == (150e-6,)
    exact, same = exported(QUARTER, Gradient(), Delay("200 us"), QUARTER)
    assert lengths(same) == lengths(events)
    assert exact.recovery_added_s == (0.0,)
    assert "DEL" not in exact.program.text
    nearly, two = exported(QUARTER, Gradient(), Delay("200.025 us"), QUARTER)
    assert lengths(two)[1:] == [("delay", 200.025e-6)]  # 25 ns by themselves are too short
    assert nearly.recovery_added_s == (0.0,)


def test_the_receiver_waits_as_pulses_do():
    _, events = exported(QUARTER, Gradient())
    assert lengths(events) == [("gradient", 1e-3), ("delay", 200e-6)]


def test_a_train_of_gradients_is_a_loop_with_its_recoveries():
    train = Repeat("5", (Gradient("1 kHz", "0.5 ms"), QUARTER))
    export, events = exported(QUARTER, train)
    assert "lo to 3 times l1" in export.program.text
    assert export.program.text.count("  d16") + export.program.text.count("3 d16") == 1
    total = sum(value for kind, value in events if kind != "pulse")
    assert total == pytest.approx(5 * 700e-6)
    assert sum(export.recovery_added_s) == pytest.approx(1e-3)


def test_the_recovery_can_be_chosen():
    _, events = exported(QUARTER, Gradient(), QUARTER, hardware=Hardware(recovery_s=350e-6))
    assert lengths(events)[1:] == [("delay", 350e-6)]


def test_two_delays_that_are_long_enough_together_stay():
    _, events = exported(QUARTER, Gradient(), Delay("150 us"), Delay("100 us"), QUARTER)
    assert lengths(events)[1:] == [("delay", 150e-6), ("delay", 100e-6)]


EVENTS = st.sampled_from(
    [
        TimedGradient(1e-3),
        TimedDelay(50e-6),
        TimedDelay(1e-3),
        TimedPulse((TimedRotation(0, 1.0, 0.0, 1e-5),)),
    ]
)


@given(st.lists(EVENTS, max_size=12))
def test_every_gradient_is_followed_by_its_recovery(events):
    after = recovered(events, 200e-6)
    waits, waiting = [], False
    for event in after:
        if isinstance(event, TimedGradient):
            waits.append(0.0)
            waiting = True
        elif not isinstance(event, TimedDelay):
            waiting = False
        elif waiting:
            waits[-1] += event.duration
    assert all(wait >= 200e-6 * (1 - 1e-9) for wait in waits)
    kept = [e for e in events if not isinstance(e, TimedDelay)]
    assert [e for e in after if not isinstance(e, TimedDelay)] == kept
    longer = sum(getattr(e, "duration", 0) for e in after) - sum(e.duration for e in events)
    assert longer == pytest.approx(sum(missing_recovery(events, 200e-6)), abs=1e-12)
    assert recovered(after, 200e-6) == after
    assert recovered(events, 0.0) == tuple(events)


@pytest.mark.parametrize("value", [-1e-6, 10e-9, math.nan, math.inf])
def test_a_recovery_that_cannot_be_played_is_refused(value):
    with pytest.raises(ArgumentError, match=r"`recovery_s` must be 0 or at least the shortest"):
        Hardware(recovery_s=value)
