"""Columns of a sequence as it is played: numbers instead of expressions."""

import numpy as np
import pytest

from nmrqb.plotting import Column, timeline_columns
from nmrqb.plotting.sequences import GRADIENT, NARROW, SHAPED, SOFT, WIDE, envelope
from nmrqb.plotting.style import milliseconds
from nmrqb.sample import load_sample
from nmrqb.sequence import (
    TimedAcquisition,
    TimedDelay,
    TimedGradient,
    TimedPulse,
    TimedRotation,
    Timeline,
    expand,
    load_sequence,
)


def columns_of(*events):
    return timeline_columns(Timeline("x", events))


def pulse(angle, phase=0.0, **more):
    rotation = TimedRotation(0, np.radians(angle), np.radians(phase), **more)
    ((mark),) = columns_of(TimedPulse((rotation,)))[0].marks.values()
    return mark


def test_columns_of_dm():
    columns = timeline_columns(expand(load_sequence("dm"), load_sample("chloroform")))
    assert [column.kind for column in columns] == ["marks", "delay", "marks"] * 2
    assert {row: mark.label for row, mark in columns[0].marks.items()} == {0: "−y", 1: "x"}
    assert {row: mark.label for row, mark in columns[2].marks.items()} == {0: "y", 1: "−x"}
    assert columns[1] == Column("delay", text="1.162 ms")  # 1/(4 · 215.13 Hz)


@pytest.mark.parametrize(
    ("angle", "phase", "label", "look", "width"),
    [
        (90, 270, "−y", "filled", NARROW),
        (180, 0, "x", "open", WIDE),
        (-90, 37.5, "−90°\n37.5°", "filled", NARROW),
        (45, 90.01, "45°\n90.01°", "grey", (NARROW + WIDE) / 2),
        (90, -1e-9, "x", "filled", NARROW),
    ],
)
def test_looks_and_labels_of_pulses(angle, phase, label, look, width):
    mark = pulse(angle, phase)
    assert (mark.label, mark.look, mark.width) == (label, look, width)


def test_long_pulses_are_wide_and_shaped_ones_have_their_envelope():
    assert pulse(90, duration=10e-6).width == NARROW
    assert pulse(90, duration=1e-3).width == SOFT
    shaped = pulse(90, duration=1e-3, steps=(0.25, 0.5, -0.25))
    assert (shaped.width, shaped.outline) == (SHAPED, (0.5, 1.0, -0.5))


def test_a_pulse_of_unequal_steps_is_drawn_by_its_amplitude_in_time():
    edges = np.array([0.0, 0.2, 0.6, 0.6, 1.0])
    outline = pulse(90, duration=1e-3, steps=(0.1, 0.8, 0.0, 0.1), edges=edges).outline
    at = (np.arange(len(outline)) + 0.5) / len(outline)
    np.testing.assert_allclose(outline, np.select([at < 0.2, at < 0.6], [0.25, 1.0], 0.125))


def test_envelopes_of_many_steps_keep_their_form():
    x = np.linspace(0, 1, 5000)
    drawn = np.array(envelope(3 * np.sin(np.pi * x)))
    np.testing.assert_allclose(drawn, np.sin(np.pi * np.linspace(0, 1, len(drawn))), atol=1e-3)
    assert len(drawn) < 200


def test_gradients_have_a_row_of_their_own():
    crush, field = columns_of(TimedGradient(0.0), TimedGradient(1e-3, -2e3))
    assert set(crush.marks) == set(field.marks) == {GRADIENT}
    assert (crush.marks[GRADIENT].look, crush.marks[GRADIENT].under) == ("hatched", "")
    mark = field.marks[GRADIENT]
    assert (mark.label, mark.under, mark.look) == ("−2 kHz", "1 ms", "grey")
    assert min(mark.outline) == -1


def test_the_receiver_at_the_end_is_an_fid_elsewhere_a_point():
    first, last = columns_of(TimedAcquisition({0: 0.0}), TimedAcquisition({1: np.pi / 2}))
    assert (first.marks[0].kind, first.marks[0].label) == ("point", "x")
    assert (last.marks[1].kind, last.marks[1].label) == ("fid", "rec. y")


def test_delays_are_told_with_a_fitting_unit():
    assert milliseconds(77e-6) == "77 µs"
    assert milliseconds(1.16209e-3) == "1.162 ms"
    assert milliseconds(2.5) == "2.5 s"
    assert columns_of(TimedDelay(0.0)) == [Column("delay", text="0 µs")]


@pytest.mark.parametrize("angle", [0.0, 1e-6])  # acos(1) may be off by the rounding of its argument
def test_a_pulse_of_no_angle_is_not_drawn(angle):
    none = TimedRotation(1, np.radians(angle), 0.0)
    both = TimedPulse((TimedRotation(0, np.pi / 2, 0.0), none))
    columns = columns_of(both, TimedPulse((none,)), TimedDelay(1e-3))
    assert [column.kind for column in columns] == ["marks", "delay"]
    assert list(columns[0].marks) == [0]


def test_spatial_averaging_does_not_pulse_carbon_before_its_first_gradient():
    timeline = expand(load_sequence("spatial_averaging"), load_sample("chloroform"))
    columns = timeline_columns(timeline)
    assert len(timeline.events[0].rotations) == 2  # the sequence has it, for other samples
    assert list(columns[0].marks) == [0]
    labels = [mark.label for column in columns for mark in column.marks.values()]
    assert not any(label.startswith("0°") for label in labels)
