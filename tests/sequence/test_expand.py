"""Sequences bound to samples: flat, numeric timelines."""

# ruff: noqa: E501 (one broken input per line)

import math
import re
import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nmrqb.errors import ArgumentError, InputError
from nmrqb.sample import Coupling, Sample, Spin, load_sample
from nmrqb.sequence import (
    Delay,
    Pulse,
    Repeat,
    Rotation,
    Sequence,
    TimedDelay,
    TimedPulse,
    TimedRotation,
    expand,
    load_sequence,
)

PAIR = Sample(
    "pair",
    (
        Spin("1H", "1H", offset_hz=50.0, T1_s=10.0, T2_s=2.0),
        Spin("13C", "13C", T1_s=20.0, T2_s=0.3),
    ),
    (Coupling(("1H", "13C"), J_hz=200.0),),
)
THREE = Sample(
    "three",
    (Spin("A", "1H"), Spin("B", "13C"), Spin("C", "1H")),
    (Coupling(("A", "B"), 100.0), Coupling(("B", "C"), 10.0)),
)


@pytest.fixture
def load(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def loaded(body, spins="{I: any, S: any}"):
        text = f"format: nmrqb-sequence/1\nspins: {spins}\n{body}\n"
        (tmp_path / "s.yaml").write_text(text, encoding="utf-8")
        return load_sequence("s.yaml")

    return loaded


def python(*events, **fields):
    roles = fields.pop("roles", {"I": "any"})
    return Sequence("made", roles, events, **fields)


def test_dm_block():
    timeline = expand(load_sequence("dm"), load_sample("chloroform"))
    t = 1 / (4 * 215.13)
    assert timeline.free_evolution_s == pytest.approx(2 * t)
    assert timeline.target_hz["DM_z"] == pytest.approx(215.13 / 8)
    assert timeline.events[0] == TimedPulse(
        (TimedRotation(0, math.pi / 2, 1.5 * math.pi), TimedRotation(1, math.pi / 2, 0.0))
    )
    assert timeline.events[1] == TimedDelay(t)
    assert timeline.target_time_s is None


@given(st.floats(0, 60), st.floats(0, 1))
def test_dm_ksea_needs_the_free_evolution_of_the_nuclear_norm(D, part):
    parameters = {"D": f"{D!r} Hz", "G": f"{D * part!r} Hz", "T": "3 ms"}
    timeline = expand(load_sequence("dm_ksea"), load_sample("chloroform"), parameters=parameters)
    assert timeline.free_evolution_s == pytest.approx(8 * D * 3e-3 / 215.13)
    assert timeline.target_time_s == 3e-3


def test_dm_ksea_refuses_what_it_cannot_make():
    with pytest.raises(InputError, match=r"dm_ksea\.yaml:\d+:\d+: a delay must not be negative"):
        expand(load_sequence("dm_ksea"), load_sample("chloroform"), parameters={"G": "J/4"})


@pytest.mark.parametrize(
    ("text", "angle", "phase"),
    [
        ("90 x", 90, 0), ("90 y", 90, 90), ("90 -x", 90, 180), ("90 -y", 90, 270), ("90 45", 90, 45),
        ("180 deg x", 180, 0), ("-45.5 -30", -45.5, -30), ("(90*k) x", 180, 0), ("k x", 2, 0),
        ("90 (45*k)", 90, 90), ("90 45 deg", 90, 45), ("1 rad x", math.degrees(1), 0),
        ("{angle: 90 deg, phase: 30 deg}", 90, 30), ("{angle: 45 deg*k}", 90, 0),
        ("{angle: 1/3 * 1 rad, phase: -y}", math.degrees(1 / 3), 270),
    ],
)  # fmt: skip
def test_angles_and_phases(load, text, angle, phase):
    head = "parameters: {k: 2}\n" if "k" in text else ""
    sequence = load(f"{head}sequence: [{{pulse: {{I: {text}}}}}]", "{I: any}")
    (rotation,) = expand(sequence, PAIR).events[0].rotations
    assert rotation.angle == pytest.approx(math.radians(angle), rel=1e-15)
    assert rotation.phase == pytest.approx(math.radians(phase), rel=1e-15)


def test_values_of_the_sample(load):
    sequence = load(
        "parameters: {a: J, b: 'J(I,S)', c: T1(I), d: T2(S), e: offset(I), f: a*c + pi, n: 3}\n"
        "constraints: [b > 0 Hz, d > 0 s, e > 0 Hz, f > 0]\n"
        "sequence: [{delay: 'n*c'}]"
    )
    values = expand(sequence, PAIR).parameters
    expected = {"a": 200, "b": 200, "c": 10, "d": 0.3, "e": 50, "f": 2000 + math.pi, "n": 3}
    assert dict(values) == pytest.approx(expected)


def test_order_of_parameters_does_not_matter(load):
    sequence = load("parameters: {a: b/2, b: c*2, c: 1/J}\nsequence: [{delay: a}]")
    assert expand(sequence, PAIR).events == (TimedDelay(1 / 200),)


def test_overrides_replace_expressions(load):
    sequence = load("parameters: {a: b/2, b: 1/J}\nsequence: [{delay: a}]")
    timeline = expand(sequence, PAIR, parameters={"b": "4/J + 0 ms"})
    assert timeline.events == (TimedDelay(4 / 200 / 2),)


def test_durations(load):
    sequence = load("sequence: [{pulse: {I: {angle: 90 deg, duration: 10 us}}}]", "{I: any}")
    assert expand(sequence, PAIR).events[0].rotations[0].duration == 10e-6


def test_repeats_nest():
    events = Repeat("3", (Delay("1 s"), Repeat("2", (Pulse({"I": Rotation("90")}),))))
    timeline = expand(python(events), PAIR)
    kinds = [type(event).__name__ for event in timeline.events]
    assert kinds == ["TimedDelay", "TimedPulse", "TimedPulse"] * 3


@given(st.integers(0, 30), st.integers(0, 30))
def test_repeats_multiply(outer, inner):
    pulse = Pulse({"I": Rotation("90")})
    sequence = python(Repeat(str(outer), (Repeat(str(inner), (pulse,)),)))
    assert len(expand(sequence, PAIR).events) == outer * inner


@pytest.mark.parametrize(
    "events",
    [
        (Repeat("1000001", (Pulse({"I": Rotation("90")}),)),),
        (Repeat("1000000", (Repeat("1000000", (Pulse({"I": Rotation("90")}),)),)),),
        (Repeat("600000", (Pulse({"I": Rotation("90")}),)),) * 3,
        (Repeat("1e300", (Pulse({"I": Rotation("90")}),)),),
    ],
)
def test_too_many_events_are_refused_quickly(events):
    start = time.perf_counter()
    with pytest.raises(InputError, match="1000000"):
        expand(python(*events), PAIR)
    assert time.perf_counter() - start < 5


def test_too_deep_repeats_are_refused():
    event = Pulse({"I": Rotation("90")})
    for _ in range(200):
        event = Repeat("1", (event,))
    with pytest.raises(InputError, match="nested deeper than 40 levels"):
        expand(python(event), PAIR)


# -------------------------------------------------------------------------------------- binding
@pytest.mark.parametrize(
    ("spins", "chosen", "bound"),
    [
        ("{I: any, S: any}", {}, [0, 1]),
        ("{I: 13C, S: any}", {}, [1, 0]),
        ("{I: any, S: 13C, K: any}", {}, [0, 1, 2]),
        ("{I: any, S: 1H, K: 1H}", {}, [1, 0, 2]),
        ("{I: any, S: any}", {"I": "C"}, [2, 0]),
        ("{I: 1H, S: any}", {"S": "A"}, [2, 0]),
        ("{I: any, S: any}", {"S": "A", "I": "B"}, [1, 0]),
    ],
)
def test_binding(load, spins, chosen, bound):
    names = [part.split(":")[0].strip("{ ") for part in spins.split(",")]
    pulse = ", ".join(f"{name}: 90 x" for name in names)
    timeline = expand(load(f"sequence: [{{pulse: {{{pulse}}}}}]", spins), THREE, roles=chosen)
    assert [timeline.roles[name] for name in names] == [(spin,) for spin in bound]


@pytest.mark.parametrize(
    ("spins", "chosen", "message"),
    [
        (
            "{I: any, S: any, K: any}",
            {},
            r"^s\.yaml:2:1: `s` needs 3 spins \(I, S, K\), but .* has 2",
        ),
        ("{I: 19F, S: any, K: any}", {}, "needs 3 spins"),
        (
            "{I: 19F}",
            {},
            r"^s\.yaml:2:1: `s` needs 1 free spin\(s\) of nucleus 19F, .* 1H \(1H\), 13C",
        ),
        ("{I: 1H, S: 1H}", {}, r"needs 2 free spin\(s\) of nucleus 1H"),
        ("{I: any}", {"Q": "1H"}, "^--spins Q=1H:1:1: `s` has no role `Q`; Valid: I"),
        ("{I: any}", {"I": "1h"}, "^--spins I=1h:1:1: .* no spin `1h`; did you mean `1H`"),
        ("{I: 1H}", {"I": "13C"}, "^--spins I=13C:1:1: role `I` needs a 1H nucleus, but .* is 13C"),
        ("{I: any, S: any}", {"I": "1H", "S": "1H"}, "^--spins S=1H:1:1: .* already plays another"),
    ],
)
def test_impossible_binding(load, spins, chosen, message):
    names = [part.split(":")[0].strip("{ ") for part in spins.split(",")]
    pulse = ", ".join(f"{name}: 90 x" for name in names)
    with pytest.raises(InputError, match=message):
        expand(load(f"sequence: [{{pulse: {{{pulse}}}}}]", spins), PAIR, roles=chosen)


# --------------------------------------------------------------------------------------- faults
USE = "sequence: [{pulse: {I: 90 x, S: 90 x}}]"
BROKEN = [
    ("sequence: [{delay: 1/J}, {pulse: {I: 90 z}}]", "3:38", "phase must be x, y, -x, -y or degrees, but is `z`"),
    ("sequence: [{delay: 1/J}, {pulse: {Q: 90 x}}]", "3:35", "there is no role `Q`; Valid: I, S"),
    ("sequence: [{delay: 5/J}, {delay: 5}]", "3:34", "`5` has no unit; write for example '5 ms'"),
    ("sequence: [{delay: 5/J}, {delay: 5 kg}]", "3:34", "unknown unit `kg`"),
    ("sequence: [{delay: 5/J}, {delay: J}]", "3:34", "`J` is a frequency, but must be a time"),
    ("sequence: [{delay: 5/J}, {delay: -1/J}]", "3:34", "must not be negative, but `-1/J` is -5 ms"),
    ("sequence: [{delay: 5/J}, {delay: 10**8**8}]", "3:34", "is not an expression"),
    ("sequence: [{delay: 5/J}, {delay: nan}]", "3:34", "is not finite"),
    ("sequence: [{delay: 5/J}, {delay: D/J}]", "3:34", "unknown name `D` in `D/J`; Valid: J, T1, T2, dipolar, gamma, offset, pi, pulse_90"),
    ("sequence: [{delay: 5/J}, {delay: 1/J(I,S)}]", "3:40", "`S\\)` was cut off at a comma; put the expression in quotes"),
    ("sequence: [{delay: 5/J}, {delay: '1/J(I,X)'}]", "3:34", "there is no role `X`; Valid: I, S"),
    ("sequence: [{delay: 5/J}, {delay: '1/J(I,I)'}]", "3:34", "names one spin twice"),
    ("sequence: [{delay: 5/J}, {delay: 1/J(I)}]", "3:34", "needs two roles"),
    ("sequence: [{delay: 5/J}, {pulse: {I: {angle: 90}}}]", "3:46", "`90` has no unit; write for example '90 deg'"),
    ("sequence: [{delay: 5/J}, {pulse: {I: {angle: 9 deg, phase: 9}}}]", "3:60", "`9` has no unit"),
    ("sequence: [{delay: 5/J}, {pulse: {I: pi/2 x}}]", "3:38", "`pi/2` would be read as degrees; write 180 deg"),
    ("sequence: [{delay: 5/J}, {pulse: {I: 9 ms x}}]", "3:38", "`9 ms` is a time, but must be an angle"),
    ("sequence: [{delay: 5/J}, {pulse: {I: {angle: 9 deg, duration: 0 s}}}]", "3:63", "must be positive, but `0 s`"),
    ("sequence: [{delay: 5/J}, {repeat: {times: 1.5, sequence: []}}]", "3:43", "must be a whole number"),
    ("sequence: [{delay: 5/J}, {repeat: {times: 1e9, sequence: [{delay: 1 s}]}}]", "3:43", "at most 1000000"),
    ("parameters: {a: b, b: a}\n" + USE, "3:23", "parameter `a` depends on itself: a → b → a"),
    ("parameters: {a: 1/0}\n" + USE, "3:17", "divides by zero"),
    ("parameters: {a: 5 kg}\nsequence: [{delay: a/J}]", "3:17", "unknown unit `kg`"),
    ("target: {DM_z: 5 ms}\n" + USE, "3:16", "is a time, but must be a frequency"),
    ("target: {DM_z: 5 Hz, time: 0 s}\n" + USE, "3:28", "time of a target must be positive, but `0 s`"),
    ("sequence: [{pulse: {I: 90 x}}]", "2:17", "role `S` is never used; pulse it or leave it out"),
]  # fmt: skip


@pytest.mark.parametrize(("body", "place", "message"), BROKEN)
def test_faults_tell_where_and_what(load, body, place, message):
    with pytest.raises(InputError, match=rf"^s\.yaml:{place}: .*(?:{message})") as caught:
        expand(load(body), PAIR)
    assert len(caught.value.faults) == 1


def test_all_faults_of_a_file_in_one_go(load):
    body = "parameters: {a: 5 kg, b: a}\nsequence: [{delay: b}, {delay: 5}, {pulse: {I: 90 z, S: 9 w}}]"
    with pytest.raises(InputError, match="kg") as caught:
        expand(load(body), PAIR)
    assert [fault.at.column for fault in caught.value.faults] == [17, 32, 48, 57]


def test_unknown_parameter_override(load):
    with pytest.raises(InputError, match=r"^--set tt:1:1: `s` has no parameter `tt`; .*Valid: t"):
        expand(load("parameters: {t: 1/J}\n" + USE), PAIR, parameters={"tt": "1 s"})
    with pytest.raises(InputError, match=r"^--set t:1:1: unknown unit `kg`"):
        expand(load("parameters: {t: 1/J}\n" + USE), PAIR, parameters={"t": "1 kg"})


@pytest.mark.parametrize("count", [3, 3.0, np.float64(3), np.int64(3), np.float32(3), "3"])
def test_a_number_of_a_parameter_means_what_it_means_in_the_file(load, count):
    text = "parameters: {n: 1}\nsequence: [{repeat: {times: n, sequence: [{delay: n * 1 ms}]}}]"
    events = expand(load(text, "{}"), PAIR, parameters={"n": count}).events
    assert [event.duration for event in events] == [3e-3] * 3


@pytest.mark.parametrize("time", [1e-3, np.float64(1e-3), np.array([1e-3, 2e-3]), [1e-3, "2 ms"]])
def test_a_time_needs_its_unit_from_python_too(load, time):
    with pytest.raises(InputError, match=r"^--set t:1:1: (`t` has no unit|all values must be of)"):
        expand(
            load("parameters: {t: 1/J}\n" + USE[:-1] + ", {delay: t}]"),
            PAIR,
            parameters={"t": time},
        )


@pytest.mark.parametrize("value", [None, True, b"1 ms", math.nan, np.inf, [], [[1.0]], [None]])
def test_parameters_are_text_or_finite_numbers(load, value):
    with pytest.raises(ArgumentError, match="Argument `parameters` must give `t` an expression"):
        expand(load("parameters: {t: 1/J}\n" + USE), PAIR, parameters={"t": value})


def test_how_numpy_prints_a_number_is_explained(load):
    with pytest.raises(InputError, match=r"numpy prints a number with its type, write float\(…\)"):
        expand(load("parameters: {t: 1/J}\n" + USE), PAIR, parameters={"t": "np.float64(0.1) s"})


def test_J_needs_two_roles(load):
    with pytest.raises(InputError, match="`J` needs exactly two roles, but there are 1"):
        expand(load("sequence: [{pulse: {I: 90 x}}, {delay: 1/J}]", "{I: any}"), PAIR)
    sequence = load("sequence: [{delay: '1/J(I,S) + 1/J(S,K)'}]", "{I: any, S: any, K: any}")
    assert expand(sequence, THREE).events == (TimedDelay(1 / 100 + 1 / 10),)


def test_pairs_without_coupling_and_spins_without_relaxation(load):
    with pytest.raises(InputError, match="divides by zero"):
        expand(load("sequence: [{delay: 1/J}]", "{I: 1H, S: 1H}"), THREE)
    with pytest.raises(InputError, match=r"`T1\(I\)` has no value: sample `three` gives none"):
        expand(load("sequence: [{delay: T1(I)}]", "{I: any}"), THREE)


def test_long_chains_of_parameters_are_refused(load):
    chain = ", ".join(f"p{n}: p{n + 1}" for n in range(500))
    with pytest.raises(InputError, match="more than 40 in a chain"):
        expand(load(f"parameters: {{{chain}, p500: 1 s}}\n{USE}"), PAIR)


def test_a_target_needs_two_roles(load):
    with pytest.raises(InputError, match=r"3:1: a target needs exactly two roles, but there are 1"):
        expand(load("target: {B: 5 Hz}\nsequence: [{pulse: {I: 90 x}}]", "{I: any}"), PAIR)


def test_a_sequence_made_in_python_has_no_places():
    with pytest.raises(InputError, match=r"^made:1:1: role `S` is never used"):
        expand(python(Pulse({"I": Rotation("90")}), roles={"I": "any", "S": "any"}), PAIR)


# ------------------------------------------------------------------------- roles of several spins
@pytest.mark.parametrize(
    ("spins", "turned"),
    [("{H: all}", (0, 1, 2)), ("{H: all 1H}", (0, 2)), ("{H: all, C: 13C}", (0, 2))],
)
def test_a_pulse_on_all_turns_every_spin_that_is_left(load, spins, turned):
    pulse = "{H: 90 x, C: 90 y}" if "C:" in spins else "{H: 90 x}"
    timeline = expand(load(f"sequence: [{{pulse: {pulse}}}]", spins), THREE)
    rotated = tuple(r.spin for r in timeline.events[0].rotations if r.phase == 0)
    assert timeline.roles["H"] == turned == rotated


@pytest.mark.parametrize(
    ("spins", "body", "message"),
    [
        (
            "{H: all 31P}",
            "sequence: [{pulse: {H: 90 x}}]",
            "s.yaml:2:9: role `H` is all 31P, but sample `three` has no such spin left",
        ),
        (
            "{H: all}",
            "sequence: [{pulse: {H: 90 x}}, {delay: T1(H)}]",
            "s.yaml:3:40: role `H` is 3 spins (A, B, C), but one is needed here; give that one a role",
        ),
        (
            "{H: all}",
            "sequence: [{pulse: {H: 90 x}}, {delay: 1/(4*J)}]",
            "s.yaml:3:40: `J` is the coupling of two roles of one spin, but there is none here, as "
            "`H` (all) may be many spins",
        ),
        (
            "{I: any, H: all}",
            "sequence: [{pulse: {I: 90 x, H: 90 x}}, {delay: 1/dipolar}]",
            "s.yaml:3:49: `dipolar` is the coupling of two roles of one spin, but there is only I "
            "here, as `H` (all) may be many spins; declare two, `spins: {I: any, S: any}`, and "
            "write dipolar(I,S)",
        ),
        (
            "{H: all 2H}",
            "sequence: [{pulse: {H: 90 x}}]",
            "s.yaml:2:12: `H` must be a nucleus of spin 1/2, but 2H has spin 1",
        ),
    ],
)
def test_faults_of_roles_of_several_spins(load, spins, body, message):
    with pytest.raises(InputError, match=re.escape(message)):
        expand(load(body, spins), THREE)


def test_a_role_of_several_spins_takes_no_label(load):
    sequence = load("sequence: [{pulse: {H: 90 x}}]", "{H: all}")
    with pytest.raises(InputError, match="--spins H=A:1:1: role `H` is all and takes no label"):
        expand(sequence, THREE, roles={"H": "A"})


@pytest.mark.parametrize(
    ("body", "place", "name"),
    [
        ("parameters: {t: 1 ms}\n" + USE, "3:14", "t"),
        ("parameters: {t: 1 ms, u: t}\n" + USE[:-1] + ", {delay: t}]", "3:23", "u"),
        ("title: t\nparameters: {t: 1 ms}\n" + USE, "4:14", "t"),
    ],
)
def test_a_parameter_that_nothing_names_is_refused_at_its_key(load, body, place, name):
    sequence = load(body)
    message = rf":{place}: parameter `{name}` is never used; to set it would change nothing"
    with pytest.raises(InputError, match=message):
        expand(sequence, PAIR)
    with pytest.raises(InputError, match=message):
        expand(sequence, PAIR, parameters={name: "2 ms"})


@pytest.mark.parametrize(
    "use",
    [
        "sequence: [{repeat: {times: 2, sequence: [{delay: 2*t}, {pulse: {1H: 9 x, 13C: 9 x}}]}}]",
        "constraints: [t > 0 s]\n" + USE,
        "target: {DM_z: 0.1/t}\n" + USE,
        "target: {DM_z: 1 Hz, time: t}\n" + USE,
        "phase_cycle: {ph: [x, t * 90 deg / 1 ms]}\nsequence: [{pulse: {I: 9 ph, S: 9 x}}]",
        "blocks: {b: {sequence: [{delay: t}]}}\n" + USE,
        "blocks: {b: {parameters: {u: t}, sequence: [{delay: u}]}}\n" + USE,
    ],
)
def test_a_parameter_may_be_used_anywhere(load, use):
    assert expand(load("parameters: {t: 1 ms}\n" + use), PAIR).parameters == {"t": 1e-3}
