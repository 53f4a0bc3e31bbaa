"""Small files that would play for ever or fill the machine are refused by name."""

import tracemalloc

import pytest

from nmrqb.dynamics import play_sequence
from nmrqb.errors import ArgumentError, InputError
from nmrqb.sample import load_sample
from nmrqb.sequence import default_sample, expand, load_sequence

HEAD = "format: nmrqb-sequence/1\nsample: chloroform\nspins: {I: any}\n"
MOST_BYTES = 200_000_000


def nested_repeats(depth, times, inner="{delay: 1 us}", index=False):
    text = inner
    for level in range(depth):
        named = f", index: k{level}" if index else ""
        text = f"{{repeat: {{times: {times}{named}, sequence: [{text}]}}}}"
    return HEAD + f"sequence: [{{pulse: {{I: 90 x}}}}, {text}]\n"


def branching_blocks(levels):
    lines = [HEAD, "blocks:\n", "  b0: {sequence: [{pulse: {I: 90 x}}]}\n"]
    for k in range(1, levels + 1):
        lines.append(f"  b{k}: {{sequence: [{{block: b{k - 1}}}, {{block: b{k - 1}}}]}}\n")
    return "".join(lines) + f"sequence: [{{block: b{levels}}}]\n"


def laughs():
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]\n"]
    lines += [f"a{k}: &a{k} [{', '.join([f'*a{k - 1}'] * 9)}]\n" for k in range(1, 12)]
    return HEAD + "".join(lines) + "sequence: *a11\n"


def shaped(points):
    shape = f"{{kind: gaussian, points: {points}}}"
    return f"  - pulse: {{I: {{angle: 90 deg, duration: 1 ms, shape: {shape}}}}}\n"


PULSE = "sequence: [{pulse: {I: {angle: 90 deg, duration: 1 s, "
LONG, OPEN, CLOSE = "1+" * 50_000, "(" * 90, ")" * 90
BOMBS = {
    "three repeats of ten thousand": (nested_repeats(3, 10_000), "at most 1000000 are played"),
    "a step repeated 1e9 times": (nested_repeats(1, "1e9"), "repeat makes 1000000000 × 1 events"),
    "a counted loop of 1e9": (nested_repeats(1, "1e9", index=True), "repeat counts to 1000000000"),
    "counted loops of nothing": (
        nested_repeats(3, 50_000, inner="", index=True), "at most 100000 events with an index",
    ),
    "blocks that double 30 times": (branching_blocks(30), "more than 1000000 events"),
    "a billion laughs": (laughs(), "anchor `&a0` is not supported"),
    "sixty nested repeats": (nested_repeats(60, 1), "nested deeper than"),
    "a long expression": (HEAD + f"sequence: [{{delay: {LONG}1}}]\n", "at most 200 are read"),
    "parentheses": (HEAD + f"sequence: [{{delay: {OPEN}1{CLOSE}}}]\n", "nested"),
    "a power": (HEAD + "sequence: [{delay: 9**9**9**9 s}]\n", "is not an expression"),
    "a shape of 1e9 points": (
        HEAD + PULSE + "shape: {kind: gaussian, points: 1000000000}}}}]\n", "from 1 to 100000",
    ),
    "an offset that turns 1e9 times": (
        HEAD + PULSE + "offset: 1 GHz}}}]\n", "turns the phase 1e.09 times",
    ),
    "a long phase cycle": (
        HEAD + f"phase_cycle: {{p: [{', '.join(['x'] * 20_000)}]}}\n"
        "sequence: [{pulse: {I: 90 p}}]\n", "`p` must hold at most 10000 phases, but holds 20000",
    ),
    "half a million nothings": (
        HEAD + f"sequence: [{','.join('~' * 500_000)}]\n", "holds more than 100000 values by here",
    ),
    "two hundred shapes of many points": (
        HEAD + "sequence:\n" + "".join(map(shaped, range(99_800, 100_000))),
        "the pulses have more than 1000000 steps by here",
    ),
    "six million bytes": (HEAD + "#" * 6_000_000 + "\nsequence: []\n", "at most 5 MB|larger than"),
}  # fmt: skip


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_is_refused_by_name(name, tmp_path):
    text, message = BOMBS[name]
    file = tmp_path / "bomb.yaml"
    file.write_text(text, encoding="utf-8")
    load_sample("chloroform")  # what every first file loads is not the bomb's
    tracemalloc.start()
    try:
        with pytest.raises(InputError, match=message):
            expand(load_sequence(file), load_sample("chloroform"))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < MOST_BYTES


@pytest.mark.parametrize(("event", "most"), [("dely: 1 ms", 100), ("delay: 1 kg", 1000)])
def test_no_more_faults_are_told_than_anybody_reads(event, most, tmp_path):
    file = tmp_path / "faulty.yaml"
    file.write_text(HEAD + "sequence:\n" + f"  - {event}\n" * 3_000, encoding="utf-8")
    with pytest.raises(InputError, match=r"did you mean|unknown unit") as caught:
        expand(load_sequence(file), load_sample("chloroform"))
    assert len(caught.value.faults) == most


def test_files_that_include_each_other_twice_are_refused(tmp_path):
    for k in range(1, 40):
        twice = f"[{{include: ./f{k - 1}.yaml}}, {{include: ./f{k - 1}.yaml}}]"
        (tmp_path / f"f{k}.yaml").write_text(HEAD + f"sequence: {twice}\n", encoding="utf-8")
    (tmp_path / "f0.yaml").write_text(HEAD + "sequence: [{pulse: {I: 90 x}}]\n", encoding="utf-8")
    file = tmp_path / "f20.yaml"
    with pytest.raises(InputError, match="more than 1000000 events"):
        expand(load_sequence(file), load_sample("chloroform"))


def test_the_scans_of_files_that_include_each_other_twice_are_counted_once(tmp_path):
    cycle = "phase_cycle: {p: [x, y, -x]}\n"
    (tmp_path / "f0.yaml").write_text(
        HEAD + cycle + "sequence: [{pulse: {I: 90 p}}]\n", encoding="utf-8"
    )
    for k in range(1, 31):
        twice = f"[{{include: ./f{k - 1}.yaml}}, {{include: ./f{k - 1}.yaml}}]"
        (tmp_path / f"f{k}.yaml").write_text(HEAD + f"sequence: {twice}\n", encoding="utf-8")
    assert load_sequence(tmp_path / "f30.yaml").scans == 3


def test_a_cycle_that_hardly_ever_comes_round_is_not_played(tmp_path):
    lists = ", ".join(f"p{n}: [{', '.join(['x'] * n)}]" for n in (7, 11, 13, 17))
    pulses = ", ".join(f"{{pulse: {{I: 90 p{n}}}}}" for n in (7, 11, 13, 17))
    text = HEAD + f"phase_cycle: {{{lists}}}\nsequence: [{pulses}]\n"
    (tmp_path / "rare.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(ArgumentError, match=r"within 10000 scans, .* need 17017"):
        play_sequence(load_sequence(tmp_path / "rare.yaml"), load_sample("chloroform"))


def test_an_include_cycle_is_told_with_its_way_round(tmp_path):
    for name, other in (("a", "b"), ("b", "c"), ("c", "a")):
        text = HEAD + f"sequence: [{{include: ./{other}.yaml}}]\n"
        (tmp_path / f"{name}.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match="`a` includes itself: a → b → c → a"):
        load_sequence(tmp_path / "a.yaml")


def test_ten_thousand_different_events_are_no_bomb(tmp_path):
    lines = [HEAD, "parameters: {t: 1 ms}\nsequence:\n"]
    for k in range(5000):
        lines.append(f"  - pulse: {{I: {k % 180 + 1} x}}\n  - delay: t + {k} us\n")
    (tmp_path / "long.yaml").write_text("".join(lines), encoding="utf-8")
    sequence = load_sequence(tmp_path / "long.yaml")
    assert len(expand(sequence, default_sample(sequence)).events) == 10_000
