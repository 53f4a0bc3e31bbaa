"""What is written is read back as the same sequence."""

import string
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nmrqb.errors import ArgumentError, OutputError
from nmrqb.files import library
from nmrqb.sequence import (
    Acquisition,
    Block,
    Call,
    CouplingDelay,
    Delay,
    Gradient,
    Pulse,
    Repeat,
    Rotation,
    Sequence,
    Shape,
    Timing,
    VirtualZ,
    load_sequence,
    save_sequence,
    sequence_text,
)
from nmrqb.sequence.composite import COMPOSITES


@pytest.mark.parametrize("name", library("sequence"))
def test_every_shipped_sequence_comes_back(name, tmp_path):
    sequence = load_sequence(name)
    save_sequence(sequence, tmp_path / "again.yaml")
    assert load_sequence(tmp_path / "again.yaml") == sequence


# ---------------------------------------------------------------------------- random sequences
ROLES = st.sampled_from(["I", "S", "1H", "13C"])
TIMES = st.sampled_from(["t", "5 ms", "1/(4*J)", "1e-3 s", "2*t + 10 us", "t/k", "0.50*t"])
ANGLES = st.sampled_from(["90 deg", "theta", "-45 deg", "0.5 rad", "2*theta", "1.50 rad"])
FREQUENCIES = st.sampled_from(["5 kHz", "offset(I)", "-300 Hz", "J/2"])
PHASES = st.sampled_from(["x", "y", "-x", "-y", "ph1", "45 deg", "theta + 90 deg"])
TEXTS = st.text(
    st.characters(codec="utf-8", categories=("L", "N", "P", "S", "Zs")), max_size=40
).map(str.strip)
PROSE = st.one_of(TEXTS, st.lists(TEXTS, min_size=2, max_size=4).map("\n".join).map(str.strip))
NAMES = st.text(string.ascii_letters, min_size=3, max_size=8).filter(
    lambda name: (
        name.lower() not in {"nan", "inf", "infinity", "sin", "cos", "tan", "asin", "acos"}
        and name.lower()
        not in {"atan", "exp", "log", "abs", "min", "max", "sqrt", "dipolar", "offset"}
        and name.lower() not in {"null", "true", "false", "yes"}
    )
)
NUMBERS = st.floats(-2, 2, allow_nan=False).filter(lambda x: abs(x) > 1e-3)

shapes = st.one_of(
    st.sampled_from(["rectangle", "gaussian", "sinc", "sine-squared", "reburp"]).map(Shape),
    st.builds(lambda p, t: Shape("gaussian", p, t), st.integers(1, 500), st.floats(0.001, 0.5)),
    st.builds(lambda n: Shape("sinc", 100, lobes=n), st.integers(1, 20)),
    st.builds(
        lambda c: Shape("fourier", cosine=tuple(c)), st.lists(NUMBERS, min_size=1, max_size=5)
    ),
    st.builds(
        lambda xy: Shape("samples", points=len(xy), samples=tuple(complex(x, y) for x, y in xy)),
        st.lists(st.tuples(NUMBERS, NUMBERS), min_size=1, max_size=6),
    ),
)
hard = st.builds(Rotation, st.sampled_from(["90", "180", "45.5", "(30*k)"]),
                 st.sampled_from(["x", "-y", "45", "ph1"]))  # fmt: skip
soft = st.builds(
    lambda a, p, T, s, o: Rotation(a, p, T, None, s, o, degrees=False),
    ANGLES, PHASES, TIMES, st.none() | shapes, st.none() | FREQUENCIES,
)  # fmt: skip
strong = st.builds(
    lambda T, a, p: Rotation(None, p, T, a, degrees=False), TIMES, FREQUENCIES, PHASES
)
composite = st.builds(
    lambda a, p, c: Rotation(a, p, composite=c, degrees=False),
    ANGLES, PHASES, st.sampled_from(COMPOSITES),
)  # fmt: skip
pulses = st.dictionaries(
    ROLES, st.one_of(hard, soft, strong, composite), min_size=1, max_size=2
).map(Pulse)
simple = st.one_of(
    pulses,
    TIMES.map(Delay),
    st.builds(
        CouplingDelay, ANGLES, st.sampled_from([(), ("I", "S")]),
        st.sampled_from([None, "couplings", "all"]),
    ),
    st.builds(Gradient, st.none(), st.none() | TIMES),
    st.builds(Gradient, FREQUENCIES, TIMES),
    st.dictionaries(ROLES, ANGLES, min_size=1, max_size=2).map(VirtualZ),
    st.dictionaries(ROLES, PHASES, min_size=1, max_size=2).map(Acquisition),
    st.builds(
        lambda p, r: Call("echo", None, r, p),
        st.dictionaries(st.just("tau"), TIMES), st.dictionaries(st.just("I"), st.just("S")),
    ),
    st.builds(
        lambda p: Call("spin_echo", load_sequence("spin_echo"), {}, p),
        st.dictionaries(st.just("t"), TIMES),
    ),
)  # fmt: skip
events = st.recursive(
    simple,
    lambda inner: st.builds(
        Repeat, st.sampled_from(["3", "n", "2*n"]), st.lists(inner, max_size=3).map(tuple),
        st.sampled_from([None, "k"]),
    ),
    max_leaves=6,
)  # fmt: skip
sequences = st.builds(
    Sequence,
    name=NAMES | st.sampled_from(["010", "null", "1e5", "dm 2"]),
    roles=st.just({"I": "1H", "S": "any", "rest": "all 13C"}),
    events=st.lists(events, max_size=6).map(tuple),
    title=TEXTS,
    notes=PROSE,
    reference=TEXTS,
    parameters=st.dictionaries(NAMES, TIMES | ANGLES, max_size=3),
    constraints=st.lists(st.sampled_from(["t > 1 us", "n <= 10", "k == 3"]), max_size=2).map(tuple),
    phase_cycle=st.dictionaries(
        st.sampled_from(["ph1", "ph31"]), st.lists(PHASES, min_size=1, max_size=4).map(tuple)
    ),
    timing=st.builds(Timing, st.booleans(), st.booleans()),
    blocks=st.just({"echo": Block((Delay("tau"),), {"tau": "1 ms"})}) | st.just({}),
    target=st.just({"DM_z": "J/8", "Delta": "5 Hz"}),
    target_time=st.none() | st.just("1/J"),
    target_tolerance=st.none() | st.just("2 %"),
)
unclaiming = sequences.map(lambda s: replace(s, target={}, target_time=None, target_tolerance=None))


@given(sequences | unclaiming)
@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_load_dump_load_is_the_same(tmp_path, sequence):
    path = tmp_path / "s.yaml"
    save_sequence(sequence, path)
    again = load_sequence(path)
    assert again == sequence
    assert sequence_text(again, folder=tmp_path) == path.read_text(encoding="utf-8")


# --------------------------------------------------------------------------------- how it looks
def test_the_text_looks_like_a_shipped_file():
    text = sequence_text(load_sequence("dm"))
    assert "\n- pulse: {I: 90 -y, S: 90 x}\n- delay: t\n" in text
    assert text.startswith("format: nmrqb-sequence/1\nname: dm\n")


def test_numbers_stay_as_they_are_written(tmp_path):
    events = (Delay("1.50 ms"), Repeat("1e1", (Delay("0"),)), Repeat("010", ()))
    sequence = Sequence("s", {"I": "any"}, events)
    save_sequence(sequence, tmp_path / "s.yaml")
    assert load_sequence(tmp_path / "s.yaml").events == events


def test_files_are_named_relative_to_the_new_one(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "lib").mkdir()
    (tmp_path / "lib" / "burp.txt").write_text("1 0\n0.5 90\n", encoding="utf-8")
    (tmp_path / "lib" / "echo.yaml").write_text(
        "format: nmrqb-sequence/1\nspins: {I: any}\nsequence: [{pulse: {I: 180 x}}]\n",
        encoding="utf-8",
    )
    (tmp_path / "lib" / "mine.yaml").write_text(
        "format: nmrqb-sequence/1\nname: mine\nspins: {I: any}\nsequence:\n"
        "  - include: ./echo.yaml\n"
        "  - pulse: {I: {angle: 90 deg, duration: 1 ms, shape: {kind: samples, file: burp.txt}}}\n",
        encoding="utf-8",
    )
    sequence = load_sequence("lib/mine.yaml")
    (tmp_path / "out" / "deep").mkdir(parents=True)
    save_sequence(sequence, "out/deep/again.yaml")
    text = (tmp_path / "out" / "deep" / "again.yaml").read_text(encoding="utf-8")
    assert "include: ../../lib/echo.yaml" in text
    assert "file: ../../lib/burp.txt" in text
    again = load_sequence("out/deep/again.yaml")
    assert (
        again.events[1].rotations["I"].shape.samples
        == sequence.events[1].rotations["I"].shape.samples
    )
    assert again.events[0].sequence == sequence.events[0].sequence


# ------------------------------------------------------------------------------------- refusals
@pytest.mark.parametrize(
    "rotation",
    [
        Rotation("90", duration="5 us"),
        Rotation("90", composite="BB1"),
        Rotation(None, "x"),
        Rotation("90", "x y"),
    ],
)
def test_what_no_file_can_say_is_refused(rotation):
    sequence = Sequence("s", {"I": "any"}, (Pulse({"I": rotation}),))
    with pytest.raises(ArgumentError, match="set degrees=False"):
        sequence_text(sequence)


@pytest.mark.parametrize("settings", [{"target_time": "1 ms"}, {"target_tolerance": "1 %"}])
def test_a_target_without_a_term_is_refused(settings):
    with pytest.raises(ArgumentError, match=r"must name a term of its target, .* has only t"):
        sequence_text(Sequence("s", {"I": "any"}, (), **settings))


def test_a_folder_that_cannot_be_made_is_refused(tmp_path):
    (tmp_path / "file").write_text("mine", encoding="utf-8")
    with pytest.raises(OutputError, match=r"file/s\.yaml` cannot be written: Not a directory"):
        save_sequence(load_sequence("dm"), tmp_path / "file" / "s.yaml")
