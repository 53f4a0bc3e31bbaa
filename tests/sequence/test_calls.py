"""Blocks, included sequences, loops with an index, and constraints."""

import math

import numpy as np
import pytest

from nmrqb.errors import InputError
from nmrqb.sample import Coupling, Sample, Spin, load_sample
from nmrqb.sequence import TimedDelay, TimedPulse, expand, load_sequence

# three couplings and three offsets that cannot be mistaken for each other
THREE = Sample(
    "three",
    (
        Spin("A", "1H", 50.0, T1_s=2.0, pulse_90_s=10e-6),
        Spin("B", "13C", 70.0, T1_s=3.0, pulse_90_s=20e-6),
        Spin("C", "1H", 110.0, T1_s=5.0, pulse_90_s=10e-6),
    ),
    (Coupling(("A", "B"), 100.0), Coupling(("B", "C"), 10.0), Coupling(("A", "C"), 8.0)),
)
PULSES = "{pulse: {I: 90 x}}, {pulse: {S: 90 x}}"


@pytest.fixture
def load(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def loaded(events, head="", spins="{I: any, S: any}", name="s.yaml"):
        text = f"format: nmrqb-sequence/1\nspins: {spins}\n{head}\nsequence: [{events}]\n"
        (tmp_path / name).write_text(text, encoding="utf-8")
        return load_sequence(name)

    return loaded


@pytest.fixture
def same(load):
    """Whether two files play the same on the three spins."""

    def check(one, other, **options):
        played = [expand(load(*file), THREE, **options) for file in (one, other)]
        assert len(played[0].events) == len(played[1].events) > 0
        for first, second in zip(*(timeline.events for timeline in played), strict=True):
            assert type(first) is type(second)
            assert numbers(first) == pytest.approx(numbers(second), rel=1e-12)

    return check


def numbers(event):
    if isinstance(event, TimedPulse):
        return [n for r in event.rotations for n in (r.spin, r.angle, r.phase, r.duration)]
    return [event.duration]


def delays(timeline):
    return [event.duration for event in timeline.events if isinstance(event, TimedDelay)]


def expanded(sequence, **options):
    return expand(sequence, THREE, **options)


# -------------------------------------------------------------------------------------- blocks
ECHO = """blocks:
  echo:
    parameters: {tau: 1 ms, angle: 180 deg}
    sequence: [{delay: tau}, {pulse: {I: {angle: angle, phase: y}}}, {delay: 2*tau}]"""


def test_a_block_is_what_it_holds(same):
    events = "{delay: 1 ms}, {pulse: {I: 180 y}}, {delay: 2 ms}"
    same(("{block: echo}, " + PULSES, ECHO), (events + ", " + PULSES,))


def test_parameters_of_a_block(same):
    call = "{block: {name: echo, parameters: {tau: t/2, angle: 90 deg + 30 deg}}}"
    events = "{delay: 3 ms}, {pulse: {I: 120 y}}, {delay: 6 ms}"
    same((f"{call}, {PULSES}", "parameters: {t: 6 ms}\n" + ECHO), (f"{events}, {PULSES}",))


def test_each_use_of_a_block_has_its_own_parameters(load):
    calls = "{block: {name: echo, parameters: {tau: 5 ms}}}, {block: echo}"
    times = delays(expanded(load(f"{calls}, {PULSES}", ECHO)))
    np.testing.assert_allclose(times, [5e-3, 10e-3, 1e-3, 2e-3])


def test_parameters_of_a_block_may_build_on_each_other(load):
    head = "blocks: {b: {parameters: {a: 2*b, b: 3 ms}, sequence: [{delay: a}]}}"
    calls = "{block: b}, {block: {name: b, parameters: {b: 5 ms}}}"
    np.testing.assert_allclose(delays(expanded(load(f"{calls}, {PULSES}", head))), [6e-3, 10e-3])


def test_roles_inside_a_block_are_those_of_the_call(same):
    head = """blocks:
  b: {sequence: [{pulse: {I: 90 x, S: 90 y}}, {delay: '1/J(I,S) + 1/offset(I)'}]}"""
    spins = "{I: any, S: any, K: any}"
    events = "{pulse: {K: 90 x, I: 90 y}}, {delay: '1/J(K,I) + 1/offset(K)'}, {pulse: {S: 90 x}}"
    call = "{block: {name: b, spins: {I: K, S: I}}}, {pulse: {S: 90 x}}"
    same((call, head, spins), (events, "", spins))


def test_J_without_roles_is_that_of_the_roles_inside(load):
    head = "blocks: {b: {sequence: [{delay: 1/(J*T1(I))*1 s}]}}"
    calls = "{block: b}, {block: {name: b, spins: {I: S, S: I}}}"
    times = delays(expanded(load(f"{calls}, {PULSES}", head)))
    np.testing.assert_allclose(times, [1 / (100 * 2), 1 / (100 * 3)])


def test_roles_are_renamed_through_nested_blocks(same):
    head = """blocks:
  inner: {sequence: [{pulse: {I: 90 x}}, {delay: '1/J(I,S)'}]}
  outer: {sequence: [{block: {name: inner, spins: {I: S, S: K}}}]}"""
    spins = "{I: any, S: any, K: any}"
    # outer plays its S = K as inner's I, its K = I as inner's S
    call = "{block: {name: outer, spins: {S: K, K: I, I: S}}}, {pulse: {I: 90 x, S: 90 x}}"
    same(
        (call, head, spins),
        ("{pulse: {K: 90 x}}, {delay: '1/J(K,I)'}, {pulse: {I: 90 x, S: 90 x}}", "", spins),
    )


def test_two_roles_can_be_exchanged(same):
    head = "blocks: {b: {sequence: [{pulse: {I: 90 x}}, {pulse: {S: 90 y}}]}}"
    call = "{block: {name: b, spins: {I: S, S: I}}}"
    same((call, head), ("{pulse: {S: 90 x}}, {pulse: {I: 90 y}}",))


def test_parameters_of_the_file_keep_the_roles_of_the_file(load):
    # t is written outside of the block, where I is A; inside I is C
    head = "parameters: {t: '1/offset(I)'}\nblocks: {b: {sequence: [{delay: t}]}}"
    spins = "{I: any, S: any, K: any}"
    call = "{block: {name: b, spins: {I: K, S: S, K: I}}}, {pulse: {I: 90 x, S: 90 x, K: 90 x}}"
    assert delays(expanded(load(call, head, spins))) == [1 / 50]


def test_expressions_of_a_call_are_read_outside(load):
    head = "blocks: {b: {parameters: {t: 1 s}, sequence: [{delay: t}]}}"
    call = "{block: {name: b, spins: {I: S, S: I}, parameters: {t: 1/offset(I)}}}"
    assert delays(expanded(load(f"{call}, {PULSES}", head))) == [1 / 50]


# a block sees the names of its file, not those of whoever plays it
def test_a_block_does_not_see_the_parameters_of_another(load):
    head = """parameters: {tau: 1 ms}
blocks:
  inner: {sequence: [{delay: tau}]}
  outer: {parameters: {tau: 7 ms}, sequence: [{block: inner}, {delay: tau}]}"""
    times = delays(expanded(load(f"{{block: outer}}, {PULSES}", head)))
    np.testing.assert_allclose(times, [1e-3, 7e-3])
    hidden = head.replace("parameters: {tau: 1 ms}\n", "")
    with pytest.raises(InputError, match="unknown name `tau`"):
        expanded(load(f"{{block: outer}}, {PULSES}", hidden))


def test_a_block_does_not_see_the_index_of_a_loop_round_its_call(load):
    head = "blocks: {b: {sequence: [{delay: k*1 ms}]}}"
    call = "{repeat: {times: 2, index: k, sequence: [{block: b}]}}"
    with pytest.raises(InputError, match=r"^s\.yaml:3:33: unknown name `k`"):
        expanded(load(f"{call}, {PULSES}", head))


def test_a_block_may_count_with_the_name_of_a_loop_round_it(load):
    head = (
        "blocks: {b: {parameters: {n: 1}, sequence: ["
        "{repeat: {times: n, index: k, sequence: [{delay: k*1 ms}]}}]}}"
    )
    call = "{block: {name: b, parameters: {n: k}}}"
    loop = f"{{repeat: {{times: 3, index: k, sequence: [{call}]}}}}"
    times = delays(expanded(load(f"{loop}, {PULSES}", head)))
    np.testing.assert_allclose(times, np.array([1, 1, 2, 1, 2, 3]) * 1e-3)


def test_phases_of_the_cycle_reach_into_blocks(load):
    head = "phase_cycle: {ph1: [x, y]}\nblocks: {b: {sequence: [{pulse: {I: 90 ph1}}]}}"
    sequence = load(f"{{block: b}}, {PULSES}", head)
    assert expanded(sequence, scan=1).events[0].rotations[0].phase == pytest.approx(math.pi / 2)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        ("{block: ecko}", "there is no block `ecko`; did you mean `echo`"),
        ("{block: {name: echo, parameters: {tua: 1 s}}}", "`echo` has no parameter `tua`; did you"),
        ("{block: {name: echo, parameters: {tau: 1 Hz}}}", "is a frequency, but must be a time"),
        ("{block: {name: echo, parameters: {tau: kg}}}", "unknown name `kg`"),
        ("{block: {name: echo, spins: {Q: I}}}", "`echo` has no role `Q`; Valid: I, S"),
        ("{block: {name: echo, spins: {I: Q}}}", "there is no role `Q`; Valid: I, S"),
        ("{block: itself}", "block `itself` plays itself: itself → other → itself"),
    ],
)
def test_faults_of_blocks(load, call, message):
    loop = "\n  itself: {sequence: [{block: other}]}\n  other: {sequence: [{block: itself}]}"
    with pytest.raises(InputError, match=message):
        expanded(load(f"{call}, {PULSES}", ECHO + loop))


def test_a_file_without_blocks_says_so(load):
    with pytest.raises(InputError, match="there is no block `b`; the file has no `blocks`"):
        expanded(load(f"{{block: b}}, {PULSES}"))


# ------------------------------------------------------------------------------------ includes
INNER = "{pulse: {I: 90 x}}, {delay: t}, {pulse: {S: 90 y}}, {delay: u}"
INNER_HEAD = "parameters: {t: 1/(4*J), u: 2*t}"


def test_an_included_file_is_what_it_holds(load, same):
    load(INNER, INNER_HEAD, name="inner.yaml")
    same(("{include: inner.yaml}",), (INNER, INNER_HEAD))


def test_parameters_and_roles_of_an_include(load, same):
    load(INNER, INNER_HEAD, name="inner.yaml")
    call = "{include: {sequence: inner.yaml, spins: {I: K, S: I}, parameters: {t: v + 1 ms}}}"
    spins = "{I: any, S: any, K: any}"
    written = (
        "{pulse: {K: 90 x}}, {delay: 3 ms}, {pulse: {I: 90 y}}, {delay: 6 ms}, {pulse: {S: 9 x}}"
    )
    # u of the file inside follows t, whatever is called u outside
    head = "parameters: {v: 2 ms, u: 1 s}\nconstraints: [u > v]"
    same((f"{call}, {{pulse: {{S: 9 x}}}}", head, spins), (written, "", spins))


def test_names_outside_do_not_reach_into_an_include(load):
    load("{delay: t}, {pulse: {I: 90 x, S: 90 x}}", name="inner.yaml")
    with pytest.raises(InputError, match=r"^inner\.yaml:4:20: unknown name `t`"):
        expanded(load("{include: inner.yaml}", "parameters: {t: 1 ms}"))
    load("{delay: t}, {pulse: {I: 90 x, S: 90 x}}", "parameters: {t: 9 ms}", name="inner.yaml")
    head = "parameters: {t: 1 ms}\nconstraints: [t > 0 s]"
    assert delays(expanded(load("{include: inner.yaml}", head))) == [9e-3]


def test_sample_values_of_an_include_are_those_of_its_roles(load):
    load(INNER, INNER_HEAD, name="inner.yaml")
    call = "{include: {sequence: inner.yaml, spins: {I: S, S: K}}}, {pulse: {I: 90 x}}"
    timeline = expanded(load(call, spins="{I: any, S: any, K: any}"))
    np.testing.assert_allclose(delays(timeline), [1 / 40, 2 / 40])  # J(B,C) = 10 Hz
    assert [e.rotations[0].spin for e in timeline.events if isinstance(e, TimedPulse)] == [1, 2, 0]


def test_includes_nest_beside_their_own_file(load, tmp_path):
    (tmp_path / "deep").mkdir()
    load("{delay: 1 ms}, {pulse: {I: 90 x}}", spins="{I: any}", name="deep/b.yaml")
    load("{include: {sequence: b.yaml, spins: {I: S}}}", spins="{S: any}", name="deep/a.yaml")
    timeline = expanded(load("{include: deep/a.yaml}, {pulse: {I: 90 x}}"))
    assert delays(timeline) == [1e-3]
    assert [e.rotations[0].spin for e in timeline.events if isinstance(e, TimedPulse)] == [1, 0]


def test_a_shipped_sequence_may_be_included(load):
    chloroform = load_sample("chloroform")
    alone = expand(load_sequence("dm"), chloroform)
    included = expand(load("{include: dm}"), chloroform)
    assert included.events == alone.events
    # inside, `J` is that of its own two roles
    swapped = expand(load("{include: {sequence: dm, spins: {I: S, S: I}}}"), chloroform)
    assert [r.spin for e in swapped.events[:1] for r in e.rotations] == [0, 1]
    assert swapped.events[0].rotations[0].phase == alone.events[0].rotations[1].phase


def test_a_role_of_several_spins_goes_to_one_of_several(load):
    load("{pulse: {H: 90 x}}", spins="{H: all 1H}", name="inner.yaml")
    timeline = expanded(load("{include: inner.yaml}", spins="{H: all 1H}"))
    assert [r.spin for r in timeline.events[0].rotations] == [0, 2]


@pytest.mark.parametrize(
    ("call", "spins", "message"),
    [
        ("{include: none.yaml}", "{I: any}", r"^s\.yaml:4:22: .*none\.yaml"),
        ("{include: s.yaml}", "{I: any}", "`s` includes itself: s → s"),
        ("{include: inner.yaml}", "{I: any}", "`.*inner.yaml` needs a role `S`; give it as spins"),
        (
            "{include: {sequence: inner.yaml, spins: {S: H}}}",
            "{I: any, H: all}",
            "role `S` of `.*inner.yaml` is one spin, but 2 are given",
        ),
        (
            "{include: {sequence: inner.yaml, spins: {I: S, S: I}}}",
            "{I: any, S: any}",
            "role `I` of `.*inner.yaml` needs a 1H nucleus, but spin `B` is 13C",
        ),
        (
            "{include: {sequence: inner.yaml, parameters: {v: 1 s}}}",
            "{I: any, S: any}",
            "`.*inner.yaml` has no parameter `v`; .*Valid: t, u",
        ),
    ],
)
def test_faults_of_includes(load, call, spins, message):
    load(INNER, INNER_HEAD, "{I: 1H, S: any}", name="inner.yaml")
    with pytest.raises(InputError, match=message):
        expanded(load(f"{call}, {{pulse: {{I: 9 x}}}}", spins=spins))


# ------------------------------------------------------------------------------ roles are used
@pytest.mark.parametrize(
    "call",
    [
        "{block: {name: b, spins: {I: S, S: I}}}",
        "{include: {sequence: inner.yaml, spins: {I: S}}}",
        "{repeat: {times: 2, index: k, sequence: [{block: {name: b, spins: {I: S, S: I}}}]}}",
        "{block: nested}",
    ],
)
def test_roles_count_as_used_through_calls(load, call):
    load("{pulse: {I: 90 x}}", spins="{I: any}", name="inner.yaml")
    head = """blocks:
  b: {sequence: [{pulse: {I: 90 x}}]}
  nested: {sequence: [{block: {name: b, spins: {I: S, S: I}}}]}"""
    timeline = expanded(load(f"{call}, {{pulse: {{I: 90 y}}}}", head))
    assert timeline.events[0].rotations[0].spin == 1
    with pytest.raises(InputError, match="role `I` is never used; pulse it or leave it out"):
        expanded(load(call, head))


# ---------------------------------------------------------------------------- loops with index
def test_a_loop_is_its_written_out_file(same):
    inner = (
        "{delay: k*k*t}, {pulse: {I: {angle: 10 deg*k, phase: 360 deg/k}, S: (5*k) (7*k)}},"
        " {repeat: {times: k, sequence: [{delay: t}]}},"
        " {repeat: {times: 2, index: m, sequence: [{delay: (k + m/10)*t}]}}"
    )
    out = []
    for k in (1, 2, 3):
        out += [f"{{delay: {k * k} ms}}"]
        long = f"{{angle: {10 * k} deg, phase: {360 / k!r} deg}}"
        out += [f"{{pulse: {{I: {long}, S: {5 * k} {7 * k}}}}}"]
        out += ["{delay: 1 ms}"] * k
        out += [f"{{delay: {k + m / 10} ms}}" for m in (1, 2)]
    same(
        (f"{{repeat: {{times: 3, index: k, sequence: [{inner}]}}}}", "parameters: {t: 1 ms}"),
        (", ".join(out),),
    )


def test_the_index_reaches_parameters_of_blocks_and_includes(load):
    load("{delay: t}", "parameters: {t: 1 s}", spins="{}", name="inner.yaml")
    calls = (
        "{block: {name: b, parameters: {t: k*1 ms}}},"
        " {include: {sequence: inner.yaml, parameters: {t: 100 us*k}}}"
    )
    head = "blocks: {b: {parameters: {t: 1 s}, sequence: [{delay: t}]}}"
    loop = f"{{repeat: {{times: n, index: k, sequence: [{calls}]}}}}, {PULSES}"
    sequence = load(loop, "parameters: {n: 2}\n" + head)
    np.testing.assert_allclose(delays(expanded(sequence)), [1e-3, 1e-4, 2e-3, 2e-4])
    more = expanded(sequence, parameters={"n": "3"})
    np.testing.assert_allclose(delays(more)[4:], [3e-3, 3e-4])


def test_no_turn_at_all(load):
    loop = f"{{repeat: {{times: n, index: k, sequence: [{{delay: k*1 s}}]}}}}, {PULSES}"
    assert delays(expanded(load(loop, "parameters: {n: 0}"))) == []


@pytest.mark.parametrize(
    ("loop", "head", "message"),
    [
        ("{repeat: {times: 2, index: t, sequence: []}}", "parameters: {t: 1 s}", "index `t` has a"),
        (
            "{repeat: {times: 2, index: ph1, sequence: []}}",
            "phase_cycle: {ph1: [x]}",
            "index `ph1`",
        ),
        ("{repeat: {times: 2, index: J, sequence: []}}", "", "must not be called J"),
        (
            "{repeat: {times: 2, index: k, sequence: "
            "[{repeat: {times: 2, index: k, sequence: []}}]}}",
            "",
            "index `k` has a meaning already",
        ),
        ("{repeat: {times: 200000, index: k, sequence: [{delay: 1 s}]}}", "", "at most 100000 ev"),
        ("{repeat: {times: 1 ms, index: k, sequence: []}}", "", "`1 ms` is a time, but must be a"),
        ("{repeat: {times: 2, sequence: [{delay: k*1 s}]}}", "", "unknown name `k`"),
    ],
)
def test_faults_of_loops(load, loop, head, message):
    with pytest.raises(InputError, match=message):
        expanded(load(f"{loop}, {PULSES}", head))


def test_a_fault_in_a_loop_is_told_once(load):
    loop = f"{{repeat: {{times: 9, index: k, sequence: [{{delay: 4 ms - k*1 ms}}]}}}}, {PULSES}"
    with pytest.raises(InputError, match=r"must not be negative, but .* is -1 ms") as caught:
        expanded(load(loop))
    assert len(caught.value.faults) == 1


# --------------------------------------------------------------------------------- constraints
def test_constraints_hold_or_refuse(load):
    head = "parameters: {t: 1/J, n: 4}\nconstraints: [t > 5 ms, n <= 8, 'J(I,S) >= 20 Hz']"
    sequence = load(f"{{repeat: {{times: n, sequence: [{{delay: t}}]}}}}, {PULSES}", head)
    assert delays(expanded(sequence)) == [0.01] * 4
    assert len(delays(expanded(sequence, parameters={"n": "8"}))) == 8
    with pytest.raises(InputError, match=r"^s\.yaml:4:25: must be n <= 8, but 9 is not <= 8"):
        expanded(sequence, parameters={"n": "9"})
    with pytest.raises(InputError, match=r"^s\.yaml:4:15: must be t > 5 ms, but 5 ms is not > 5 m"):
        expanded(sequence, parameters={"t": "5 ms"})
    with pytest.raises(InputError, match=r"must be J\(I,S\) >= 20 Hz, but 10 Hz is not >= 20 Hz"):
        expanded(sequence, roles={"I": "C", "S": "B"})
    with pytest.raises(InputError, match="n <= 8") as caught:
        expanded(sequence, parameters={"n": "9", "t": "1 ms"})
    assert len(caught.value.faults) == 2


@pytest.mark.parametrize(
    ("operator", "held"),
    [("<", "4"), ("<=", "45"), (">", "6"), (">=", "56"), ("==", "5")],
)
def test_comparisons(load, operator, held):
    sequence = load(f"{PULSES}", f"parameters: {{n: 5}}\nconstraints: [n {operator} 5]")
    for n in "456":
        if n in held:
            expanded(sequence, parameters={"n": n})
        else:
            with pytest.raises(InputError, match=f"must be n {operator} 5, but {n} is not"):
                expanded(sequence, parameters={"n": n})


def test_constraints_of_an_include_hold_for_the_values_it_is_given(load):
    head = "parameters: {t: 1 ms}\nconstraints: [t < 1/J]"
    load(f"{{delay: t}}, {PULSES}", head, name="inner.yaml")
    call = "{include: {sequence: inner.yaml, parameters: {t: v}}}"
    sequence = load(call, "parameters: {v: 9 ms}")
    assert delays(expanded(sequence)) == [9e-3]
    with pytest.raises(
        InputError, match=r"^inner\.yaml:4:15: must be t < 1/J, but 11 ms is not < 10"
    ):
        expanded(sequence, parameters={"v": "11 ms"})


@pytest.mark.parametrize(
    ("constraint", "message"),
    [
        ("t > 5 Hz", "time"),
        ("t", "compar"),
        ("1 ms < t < 2 ms", "compar"),
        ("u > 5 ms", "unknown name `u`"),
    ],
)
def test_constraints_that_cannot_be_read(load, constraint, message):
    with pytest.raises(InputError, match=message):
        expanded(load(PULSES, f"parameters: {{t: 1 ms}}\nconstraints: ['{constraint}']"))
