"""What the receiver can see, and readouts after a sequence that shows nothing by itself."""

import re
from dataclasses import replace

import numpy as np
import pytest
from topspin_playing import SAMPLE, final_state, offset_sample

from nmrqb.dynamics import play, thermal_deviation
from nmrqb.errors import ArgumentError
from nmrqb.operators import pauli
from nmrqb.report import export_sequence
from nmrqb.sequence import (
    Acquisition,
    Delay,
    Gradient,
    Pulse,
    Rotation,
    Sequence,
    VirtualZ,
    expand,
    load_sequence,
)
from nmrqb.spectrometer.topspin import Hardware, rounded, visible_share

THERMAL = thermal_deviation(SAMPLE)
SIZE = 0.25145  # of γ(13C)/γ(1H), to its digits


# ------------------------------------------------------------------ what is visible
@pytest.mark.parametrize(
    ("state", "nucleus", "share"),
    [
        ("XI", "1H", 1.0),
        ("YI", "1H", 1.0),
        ("XZ", "1H", 1.0),  # antiphase: seen later
        ("IX", "1H", 0.0),
        ("IX", "13C", 1 / SIZE),
        ("ZI", "1H", 0.0),
        ("XX", "1H", 0.0),  # zero and double quantum
        ("ZX", "1H", 0.0),
    ],
)
def test_what_a_receiver_can_see(state, nucleus, share):
    found = visible_share([pauli(state) / 2], [0.0], THERMAL, SAMPLE, nucleus)
    assert found == pytest.approx(share, rel=1e-3, abs=1e-12)


def test_scans_add_up_by_the_phase_of_the_receiver():
    """exp(−iφ) with a state that φ has turned about z: σ_x turns into −σ_x and into σ_y."""
    states = [pauli(P) / 2 * sign for P, sign in (("XI", 1), ("YI", 1), ("XI", -1), ("YI", -1))]
    turns = np.arange(4) * np.pi / 2
    assert visible_share(states, turns, THERMAL, SAMPLE, "1H") == pytest.approx(1.0)
    assert visible_share(states, -turns, THERMAL, SAMPLE, "1H") == pytest.approx(0.0)
    assert visible_share(states, 0 * turns, THERMAL, SAMPLE, "1H") == pytest.approx(0.0)


@pytest.mark.parametrize(("angle", "seen"), [("90", 1.0), ("30", 0.5), ("180", 0.0)])
@pytest.mark.parametrize("nucleus", ["1H", "13C"])
def test_the_signal_of_a_pulse_is_the_sine_of_its_angle(angle, seen, nucleus):
    sequence = Sequence("one", {"I": nucleus}, (Pulse({"I": Rotation(angle, "x")}),))
    uncoupled = replace(SAMPLE, couplings=())
    made = export_sequence(sequence, uncoupled, observe=nucleus)
    assert made.signal == pytest.approx(seen, abs=1e-3)
    assert made.observed == nucleus
    assert bool(made.warnings) == (seen < 0.1)


def test_a_receiver_that_follows_the_cycle_sees_it():
    cycle = {"turn": ("x", "y", "-x", "-y")}
    pulse = Pulse({"I": Rotation("90", "turn")})
    follows, stays = (
        export_sequence(
            Sequence("cycle", {"I": "1H"}, (pulse, Acquisition({"I": phase})), phase_cycle=cycle),
            SAMPLE,
        )
        for phase in ("turn", "x")
    )
    assert follows.signal == pytest.approx(1, abs=1e-6)
    assert stays.signal == pytest.approx(0, abs=1e-6)
    (warning,) = stays.warnings
    assert "a pulse before `acquire`" in warning


# ------------------------------------------------------------------ warnings and readouts
def test_an_engineered_coupling_acquired_without_a_pulse_is_warned_of():
    made = export_sequence(load_sequence("dm"), SAMPLE)
    assert made.signal < 0.05
    warning = next(line for line in made.program.text.split("\n") if "WARNING" in line)
    assert "next to nothing is transverse when the receiver opens" in warning
    assert "--readout '1H: 90 y'" in warning
    read = export_sequence(load_sequence("dm"), SAMPLE, readout="1H: 90 y")
    assert read.signal > 0.5
    assert read.warnings == ()
    assert ";readout after the sequence: 1H: 90 y" in read.program.text
    assert read.named_hz == made.named_hz  # of the sequence, not of the readout


def body(export):
    """Return a program without its head."""
    return export.program.text.split("\n\n", 1)[1]


PHASED = {"turn": ("x", "y", "-x"), "other": ("0", "120 deg")}
WITHOUT = (
    Pulse({"I": Rotation("90", "turn"), "S": Rotation("45", "y")}),
    Delay("1/(4*J)"),
    VirtualZ({"I": "90 deg", "S": "30 deg"}),
)


@pytest.mark.parametrize(
    ("word", "events"),
    [
        ("XI", (Pulse({"I": Rotation("90", "x")}),)),
        ("IY", (Pulse({"S": Rotation("90", "y")}),)),
        ("90 y", (Pulse({"I": Rotation("90", "y"), "S": Rotation("90", "y")}),)),
        ("13C: 45 -x", (Pulse({"S": Rotation("45", "-x")}),)),
        (
            "crush - 2 ms - XX",
            (
                Gradient(),
                Delay("2 ms"),
                Pulse({"I": Rotation("90", "x"), "S": Rotation("90", "x")}),
            ),
        ),
    ],
)
@pytest.mark.parametrize("events_before", [WITHOUT, WITHOUT[:2]])
def test_a_readout_is_what_the_same_events_in_the_file_are(word, events, events_before):
    """Phase cycle, virtual z before it, recovery of gradients: program and prediction."""
    sample = offset_sample()

    def made(played, **more):
        sequence = Sequence(
            "read", {"I": "1H", "S": "13C"}, played, phase_cycle={"turn": PHASED["turn"]}
        )
        return export_sequence(sequence, sample, **more)

    read, written = made(events_before, readout=word), made((*events_before, *events))
    assert body(read) == body(written)
    assert read.state == pytest.approx(written.state, abs=1e-12)
    assert read.signal == pytest.approx(written.signal)
    assert read.rounding_loss == pytest.approx(written.rounding_loss, abs=1e-12)
    assert read.recovery_added_s == written.recovery_added_s


def test_the_reader_plays_the_readout():
    sample, sequence = offset_sample(), load_sequence("dm")
    read = export_sequence(sequence, sample, readout="YI")
    rho, _ = final_state(read, sequence, sample, 0)
    bare = rounded(expand(sequence, sample, pulses="finite"), sample, Hardware())
    before = play(bare, sample, thermal_deviation(sample)).state
    pulse = Sequence("y", {"I": "1H"}, (Pulse({"I": Rotation("90", "y")}),))
    turn = rounded(expand(pulse, sample, pulses="finite"), sample, Hardware())
    np.testing.assert_allclose(rho, play(turn, sample, before).state, atol=1e-9)


def test_a_sequence_can_be_the_readout():
    sequence = load_sequence("dm")
    by_name = export_sequence(sequence, SAMPLE, readout="readout_XX")
    letters = export_sequence(sequence, SAMPLE, readout="XX")
    assert by_name.signal == pytest.approx(letters.signal)
    assert by_name.duration_s == letters.duration_s
    lines = [re.sub(r"ph\d+", "ph", line) for line in body(by_name).split("\n")]
    assert [line for line in lines if ":f" in line] == [
        re.sub(r"ph\d+", "ph", line) for line in body(letters).split("\n") if ":f" in line
    ]


def test_every_scan_meets_every_scan_of_the_readout(tmp_path):
    file = tmp_path / "cycled.yaml"
    file.write_text(
        "format: nmrqb-sequence/1\nname: cycled\nspins: {I: 13C}\n"
        "phase_cycle: {step: [x, -x]}\n"
        "sequence:\n  - pulse: {I: 90 step}\n  - acquire: {I: step}\n",
        encoding="utf-8",
    )
    cycle = {"turn": ("x", "y")}
    first = Sequence("two", {"S": "1H"}, (Pulse({"S": Rotation("90", "turn")}),), phase_cycle=cycle)
    made = export_sequence(first, SAMPLE, readout=str(file))
    assert made.observed == "13C"  # what the readout acquires
    assert made.signal == pytest.approx(1, abs=1e-3)
    (receiver,) = re.findall(r"^ph31=(.*)$", made.program.text, re.MULTILINE)
    assert receiver == "0 2 0 2"
    assert "\nph1=0 0 1 1\n" in made.program.text


@pytest.mark.parametrize(
    ("name", "more", "message"),
    [
        ("dm", {"readout": "XQ"}, r"`readout` must be 2 letters of I, X, Y"),
        ("dm", {"readout": "90 q"}, r"`readout` must be steps such as XX"),
        ("dm_sign", {"readout": "XX"}, r"`readout` must go with a sequence that has no `acquire`"),
        ("dm", {"readout": "XX", "observe": "15N"}, r"`observe` must be one of"),
    ],
)
def test_readouts_that_do_not_go_are_refused(name, more, message):
    with pytest.raises(ArgumentError, match=message):
        export_sequence(load_sequence(name), SAMPLE, **more)


def test_a_channel_that_the_readout_does_not_acquire_is_refused(tmp_path):
    file = tmp_path / "carbon.yaml"
    file.write_text(
        "format: nmrqb-sequence/1\nname: carbon\nspins: {I: 13C}\n"
        "sequence:\n  - pulse: {I: 90 x}\n  - acquire: {I: x}\n",
        encoding="utf-8",
    )
    with pytest.raises(ArgumentError, match=r"does not acquire 1H"):
        export_sequence(load_sequence("dm"), SAMPLE, readout=str(file), observe="1H")
