"""When events are played: centre-to-centre delays, and the raster of a spectrometer."""

import re
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nmrqb.errors import InputError
from nmrqb.sample import Coupling, Sample, Spin
from nmrqb.sequence import (
    Delay,
    Pulse,
    Repeat,
    Rotation,
    Sequence,
    TimedAcquisition,
    TimedDelay,
    TimedGradient,
    TimedPulse,
    Timing,
    expand,
    load_sequence,
)

# 90° in 8 us and 20 us
PAIR = Sample(
    "pair",
    (Spin("H", "1H", pulse_90_s=8e-6), Spin("C", "13C", pulse_90_s=20e-6)),
    (Coupling(("H", "C"), 200.0),),
)
STEP = 12.5e-9
RASTER = replace(PAIR, raster_s=STEP)


@pytest.fixture
def load(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def loaded(events, timing="centre-to-centre", spins="{I: 1H, S: 13C}", head="", name="s.yaml"):
        text = f"format: nmrqb-sequence/1\nspins: {spins}\ntiming: {timing}\n{head}\n"
        (tmp_path / name).write_text(f"{text}sequence: [{events}]\n", encoding="utf-8")
        return load_sequence(name)

    return loaded


def pulse(text="90 x", role="I"):
    return f"{{pulse: {{{role}: {text}}}}}"


def clock(timeline):
    """Centres of the pulses (of trains: of their elements) and the end, in s."""
    ends = np.cumsum([getattr(event, "duration", 0.0) for event in timeline.events])
    pairs = zip(ends, timeline.events, strict=True)
    return [t - e.duration / 2 for t, e in pairs if isinstance(e, TimedPulse)], ends[-1]


def delays(timeline):
    return [event.duration for event in timeline.events if isinstance(event, TimedDelay)]


# --------------------------------------------------------------------------- centre to centre
@pytest.mark.parametrize("timing", ["centre-to-centre", "{delays: centre-to-centre}"])
@pytest.mark.parametrize(
    ("first", "second", "taken"),
    [
        ("{I: 90 x}", "{I: 180 x}", (8 + 16) / 2),
        ("{I: 90 x, S: 90 x}", "{I: -90 x}", (20 + 8) / 2),  # the longest of a pulse counts
        ("{I: {angle: 90 deg, duration: 100 us}}", "{I: 90 x}", (100 + 8) / 2),
        ("{I: {angle: 90 deg, composite: Knill}}".replace("90", "180"), "{I: 90 x}", 44),
        ("{I: {angle: 180 deg, composite: short-CORPSE}}", "{S: 90 x}", (420 / 90 * 8 + 20) / 2),
    ],
)
def test_a_delay_loses_half_of_the_pulse_on_either_side(load, timing, first, second, taken):
    sequence = load(f"{{pulse: {first}}}, {{delay: 1 ms}}, {{pulse: {second}}}", timing)
    sequence = replace(
        sequence, roles={"I": "1H"} | ({"S": "13C"} if "S" in first + second else {})
    )
    timeline = expand(sequence, PAIR, pulses="finite")
    assert delays(timeline) == [pytest.approx(1e-3 - taken * 1e-6, rel=1e-12)]


def test_ideal_pulses_take_nothing_but_written_lengths_do(load):
    soft = "{angle: 90 deg, duration: 100 us}"
    events = f"{pulse()}, {{delay: 1 ms}}, {pulse(soft)}, {{delay: 1 ms}}, {pulse('90 x', 'S')}"
    assert delays(expand(load(events), PAIR)) == pytest.approx([950e-6, 950e-6])


def test_edge_to_edge_is_the_default(load):
    events = f"{pulse()}, {{delay: 1 ms}}, {pulse('90 x', 'S')}"
    for timing in ("edge-to-edge", "{}", "{off_raster: round}"):
        assert delays(expand(load(events, timing), PAIR, pulses="finite")) == [1e-3]


def test_nothing_is_lost_beside_gradients_delays_and_ends(load):
    soft = pulse("{angle: 90 deg, duration: 200 us}")
    gradient = "{gradient: {strength: 1 kHz, duration: 1 ms}}"
    events = ["{delay: 1 ms}", soft, "{delay: 2 ms}", "{delay: 3 ms}", soft, gradient,
              "{delay: 4 ms}", soft, "{delay: 5 ms}", "{gradient: crush}", soft,
              "{delay: 6 ms}"]  # fmt: skip
    timeline = expand(load(", ".join(events), spins="{I: 1H}"), PAIR)
    expected = [0.9, 1.9, 2.9, 3.9, 4.9, 5.9]
    np.testing.assert_allclose(delays(timeline), np.array(expected) * 1e-3, rtol=1e-12)
    assert [e.duration for e in timeline.events if isinstance(e, TimedGradient)] == [1e-3, 0]


@pytest.mark.parametrize("between", ["{virtual_z: {I: 90 deg}}", "{acquire: {I: x}}"])
@pytest.mark.parametrize("place", [1, 2])
def test_frames_and_receivers_change_no_timing(load, between, place):
    events = [pulse(), "{delay: 1 ms}", pulse("180 x"), "{delay: 1 ms}"]
    plain = expand(load(", ".join(events), spins="{I: 1H}"), PAIR, pulses="finite")
    events.insert(place, between)
    timeline = expand(load(", ".join(events), spins="{I: 1H}"), PAIR, pulses="finite")
    assert delays(timeline) == delays(plain) == pytest.approx([988e-6, 992e-6])
    assert clock(timeline) == clock(plain)


def test_a_receiver_in_an_echo_opens_at_its_centre(load):
    # CPMG: pulses at odd multiples of 1 ms, the receiver at even ones, whatever the pulses last
    inner = "{delay: 1 ms}, {pulse: {I: 180 y}}, {delay: 1 ms}, {acquire: {I: x}}"
    sequence = load(f"{{repeat: {{times: 5, sequence: [{inner}]}}}}", spins="{I: 1H}")
    timeline = expand(sequence, PAIR, pulses="finite")
    ends = np.cumsum([getattr(event, "duration", 0.0) for event in timeline.events])
    opened = [
        t for t, e in zip(ends, timeline.events, strict=True) if isinstance(e, TimedAcquisition)
    ]
    np.testing.assert_allclose(opened, [2e-3, 4e-3, 6e-3, 8e-3, 10e-3])
    np.testing.assert_allclose(clock(timeline)[0], [1e-3, 3e-3, 5e-3, 7e-3, 9e-3])


def test_delays_cross_the_boundaries_of_repeats(load):
    # τ − 180° − τ − 180° … counted through the loop and through what stands beside it
    inner = "{pulse: {I: 180 x}}, {delay: 1 ms}, {pulse: {S: 180 x}}, {delay: 2 ms}"
    events = f"{pulse()}, {{delay: 1 ms}}, {{repeat: {{times: 3, sequence: [{inner}]}}}}, {pulse()}"
    centres, _ = clock(expand(load(events), PAIR, pulses="finite"))
    steps = [1, 1, 2, 1, 2, 1, 2]
    np.testing.assert_allclose(np.diff(centres), np.array(steps) * 1e-3, rtol=1e-12)


@given(
    st.lists(
        st.tuples(st.floats(50, 900), st.floats(1, 360), st.booleans()), min_size=1, max_size=9
    ),
    st.integers(1, 4),
)
@settings(deadline=None, max_examples=40)
def test_the_length_of_a_cycle_and_all_centres_are_kept(pulses, times):
    # delay, pulse, delay; delay, pulse, delay …: every delay has one pulse at one of its sides
    events = []
    for time, angle, second in pulses:
        role = "S" if second else "I"
        wait = Delay(f"{time!r} us")
        events += [wait, Pulse({role: Rotation(f"{angle!r}")}), wait]
    for role in "IS":  # both roles are played
        events += [Pulse({role: Rotation("0")})]
    sequence = Sequence(
        "made", {"I": "1H", "S": "13C"}, (Repeat(str(times), tuple(events)),),
        timing=Timing(centred=True),
    )  # fmt: skip
    (ideal, finite) = (clock(expand(sequence, PAIR, pulses=p)) for p in ("ideal", "finite"))
    whole = times * sum(2 * time for time, _, _ in pulses) * 1e-6
    assert ideal[1] == pytest.approx(whole, rel=1e-12)
    assert finite[1] == pytest.approx(whole, rel=1e-12)
    np.testing.assert_allclose(finite[0], ideal[0], rtol=1e-12)


@pytest.mark.parametrize(
    ("events", "least", "column"),
    [
        ("{pulse: {I: 90 x}}, {delay: 10 us}, {pulse: {I: 180 x}}", "12 us", 40),
        ("{pulse: {I: 180 x}}, {delay: 10 us}, {pulse: {S: 90 x}}", "18 us", 41),
        ("{delay: 5 us}, {pulse: {I: 180 x}}", "8 us", 20),
    ],
)
def test_too_short_delays_tell_the_least_and_the_least_passes(load, events, least, column):
    spins = "{I: 1H, S: 13C}" if "S" in events else "{I: 1H}"
    message = (
        rf"^s\.yaml:5:{column}: the delay between the centres of its pulses must be at least "
        rf"{least}, half of their lengths, but `(10|5) us` is \1 us"
    )
    with pytest.raises(InputError, match=message):
        expand(load(events, spins=spins), PAIR, pulses="finite")
    allowed = re.sub(r"delay: \d+ us", f"delay: {least}", events)
    timeline = expand(load(allowed, spins=spins), PAIR, pulses="finite")
    assert delays(timeline) == [pytest.approx(0, abs=1e-18)]
    assert min(delays(timeline)) >= 0
    expand(load(events, spins=spins), PAIR)  # ideal pulses leave room


# ---------------------------------------------------------------------------- files in files
def test_each_file_keeps_its_own_timing(load):
    echo = f"{pulse('180 x')}, {{delay: 1 ms}}, {pulse('180 x')}, {{delay: 1 ms}}"
    load(echo, "edge-to-edge", "{I: 1H}", name="edges.yaml")
    load(echo, "centre-to-centre", "{I: 1H}", name="centres.yaml")
    around = f"{{delay: 1 ms}}, {{include: {{}}}}, {{delay: 1 ms}}, {pulse()}"
    for outer, inner, expected in [
        # outside two delays, inside two; the last one inside and the first outside meet no pulse
        ("centre-to-centre", "edges", [992, 1000, 1000, 996]),
        ("edge-to-edge", "centres", [1000, 984, 992, 1000]),
        ("centre-to-centre", "centres", [992, 984, 992, 996]),
    ]:
        sequence = load(around.replace("{}", f"{inner}.yaml"), outer, "{I: 1H}")
        timeline = expand(sequence, PAIR, pulses="finite")
        np.testing.assert_allclose(delays(timeline), np.array(expected) * 1e-6, rtol=1e-12)


def test_blocks_have_the_timing_of_their_file(load):
    head = "blocks: {wait: {sequence: [{delay: 1 ms}]}}"
    events = f"{pulse()}, {{block: wait}}, {pulse()}"
    timeline = expand(load(events, spins="{I: 1H}", head=head), PAIR, pulses="finite")
    assert delays(timeline) == [pytest.approx(992e-6)]


def test_each_file_rounds_or_refuses_for_itself(load):
    load("{delay: 1.001 us}, {pulse: {I: 90 x}}", "{off_raster: round}", "{I: 1H}", name="r.yaml")
    load("{delay: 1.001 us}, {pulse: {I: 90 x}}", "{off_raster: refuse}", "{I: 1H}", name="f.yaml")
    timeline = expand(load("{include: r.yaml}", "{off_raster: refuse}", "{I: 1H}"), RASTER)
    assert delays(timeline) == [pytest.approx(1e-6)]
    with pytest.raises(InputError, match=r"^f\.yaml:5:20: the delay `1\.001 us` is 1\.001 us, off"):
        expand(load("{include: f.yaml}", "{off_raster: round}", "{I: 1H}"), RASTER)


# ------------------------------------------------------------------------------------ raster
def waiting(text, **timing):
    events = (Delay(text), Pulse({"I": Rotation("90")}))
    return Sequence("made", {"I": "1H"}, events, timing=Timing(**timing))


@given(st.integers(1, 10**9), st.sampled_from([12.5e-9, 1e-7, 50e-9, 1e-6 / 3]))
@settings(deadline=None, max_examples=60)
def test_whole_multiples_pass(count, step):
    sample = replace(PAIR, raster_s=step)
    timeline = expand(waiting(f"{count * step!r} s"), sample)
    assert delays(timeline) == [count * step]


@pytest.mark.parametrize(
    "text", ["12.5 ms", "0.0125 s", "12500 us", "12512.5 us", "12.5 ns", "0 s"]
)
def test_times_in_decimal_pass(text):
    # a million steps long, and the first one
    (delay,) = delays(expand(waiting(text), RASTER))
    assert delay / STEP == pytest.approx(round(delay / STEP), abs=1e-6)


def valid(error):
    """The value that a message offers."""
    return re.search(r"the nearest valid value is ([^;]*?)(?:\n|$)", str(error.value)).group(1)


@given(st.floats(1e-9, 20e-3).filter(lambda t: abs(t / STEP - round(t / STEP)) > 1e-3))
@settings(deadline=None, max_examples=60)
def test_the_nearest_valid_value_is_offered_and_passes(time):
    with pytest.raises(InputError, match=r"off the spectrometer's raster of 12\.5 ns") as error:
        expand(waiting(f"{time!r} s"), RASTER)
    (offered,) = delays(expand(waiting(valid(error)), RASTER))
    assert offered >= 0.99 * STEP
    assert abs(offered - time) <= max(STEP / 2 * 1.001, STEP - time)


def test_times_a_million_steps_long_are_still_told_apart():
    with pytest.raises(InputError, match=r"is 12\.50000625 ms, off") as error:
        expand(waiting("12.50000625 ms"), RASTER)
    (offered,) = delays(expand(waiting(valid(error)), RASTER))
    assert offered / STEP == pytest.approx(round(offered / STEP), abs=1e-4)


@given(st.floats(1e-9, 20e-3))
@settings(deadline=None, max_examples=60)
def test_rounding_finds_the_nearest_multiple(time):
    (delay,) = delays(expand(waiting(f"{time!r} s", rounded=True), RASTER))
    count = delay / STEP
    assert count == pytest.approx(round(count), abs=1e-4)
    assert count >= 1 - 1e-9
    assert abs(delay - time) <= max(STEP / 2 * 1.001, STEP - time)


def test_no_raster_takes_any_time():
    assert delays(expand(waiting("1.2345678 us"), PAIR)) == [pytest.approx(1.2345678e-6)]


def test_the_delay_left_between_finite_pulses_is_held_to_the_raster(load):
    # a pulse of 641 steps: half of one is off the raster, two halves are not
    spin = replace(PAIR.spins[0], pulse_90_s=641 * STEP)
    sample = replace(RASTER, spins=(spin,), couplings=())
    events = f"{pulse()}, {{delay: 1 ms}}, {pulse()}"
    timeline = expand(load(events, spins="{I: 1H}"), sample, pulses="finite")
    assert delays(timeline) == [pytest.approx(1e-3 - 641 * STEP)]
    with pytest.raises(InputError, match=r"the delay left of `1 ms` is .*, off the spec"):
        expand(load("{delay: 1 ms}, " + pulse(), spins="{I: 1H}"), sample, pulses="finite")


@pytest.mark.parametrize(
    ("event", "message"),
    [
        ("{pulse: {I: {angle: 9 deg, duration: 1.001 us}}}", "the pulse on `H` is 1.001 us, off"),
        ("{pulse: {I: 45.3 x}}", "the pulse on `H` is 4.0266[67]* us, off"),
        ("{pulse: {I: {angle: 90 deg, composite: CORPSE}}}", "the pulse on `H` is .*, off"),
        ("{gradient: {strength: 1 kHz, duration: 1.001 us}}", "the gradient is 1.001 us, off"),
        ("{gradient: {kind: crush, duration: 1.001 us}}", "the gradient is 1.001 us, off"),
        ("{delay: 90 deg of J}", "the delay `90 deg of J` is 2.5 ms, off"),
        ("{delay: {angle: 90 deg, coupling: J, refocus: all}}", "`90 deg of J` is 1.25 ms, off"),
    ],
)
def test_everything_that_takes_time_is_held_to_the_raster(load, event, message):
    step = 13e-9 if "of J" in message else STEP
    sample = replace(PAIR, raster_s=step)
    spins = "{I: 1H, S: 13C}" if "coupling" in event or "of J" in event else "{I: 1H}"
    with pytest.raises(InputError, match=message):
        expand(load(event + ", " + pulse(), "edge-to-edge", spins), sample, pulses="finite")
    rounded = load(event + ", " + pulse(), "{off_raster: round}", spins)
    for played in expand(rounded, sample, pulses="finite").events:
        lengths = [played.duration]
        if isinstance(played, TimedPulse):
            lengths = [rotation.duration for rotation in played.rotations]
        for length in lengths:
            assert length / step == pytest.approx(round(length / step), abs=1e-4)


def test_rounded_pulses_keep_their_angles(load):
    sequence = load(pulse("45.3 x"), "{off_raster: round}", "{I: 1H}")
    (rotation,) = expand(sequence, RASTER, pulses="finite").events[0].rotations
    assert rotation.angle == pytest.approx(np.deg2rad(45.3))
    assert rotation.duration == pytest.approx(322 * STEP)  # 322.13 steps


def test_pulses_of_a_refocused_delay_are_held_to_the_raster(load):
    three = replace(
        PAIR, spins=(*PAIR.spins, Spin("F", "19F", pulse_90_s=10.003e-6)), raster_s=100e-9
    )
    event = "{delay: {angle: 90 deg, coupling: J, refocus: couplings}}"
    with pytest.raises(InputError, match=r"the pulse on `F` is 20\.006 us, off"):
        expand(load(event, "edge-to-edge"), three, pulses="finite")
