"""From sequences as written to columns: symbols, looks, brackets, frames, and what is explained."""

import numpy as np
import pytest

from nmrqb.files import library
from nmrqb.plotting import Column, Mark, sequence_columns, sequence_diagram
from nmrqb.plotting.diagram_columns import INLINE, MOST
from nmrqb.plotting.sequences import GRADIENT, NARROW, SHAPED, SOFT, WIDE
from nmrqb.sample import load_sample
from nmrqb.sequence import Shape, default_sample, load_sequence
from nmrqb.sequence.shapes import REBURP, shape_samples


def shipped(name):
    sequence = load_sequence(name)
    return sequence_diagram(sequence, default_sample(sequence))


SIZE = r"$1/(4\,|\,J\,|)$"


def kinds(columns):
    return [column.kind for column in columns]


def delays(columns):
    return [column.text for column in columns if column.kind == "delay"]


def marks(columns, row=0):
    return [column.marks[row] for column in columns if row in column.marks]


def lines(diagram):
    """The notes, but for the one on the colours of the pulses."""
    return [" ".join(note) for note in diagram.notes if note[0] != "Pulses:"]


def colours(diagram):
    return [" ".join(note) for note in diagram.notes if note[0] == "Pulses:"]


# ------------------------------------------------------------------------------------------ rows
def test_roles_are_rows_with_the_spins_of_the_sample():
    assert shipped("dm").rows == ("$I$ ($^{1}$H)", "$S$ ($^{13}$C)")
    assert shipped("wahuha").rows == ("$I$ (H1, H2)",)
    assert shipped("collective_x").rows == ("$I$ ($^{1}$H, $^{13}$C)",)


def test_without_a_sample_roles_keep_their_names():
    assert sequence_diagram(load_sequence("dm")).rows == ("$I$", "$S$")


def test_a_nucleus_has_a_row_beside_or_instead_of_its_roles(written):
    spins = "{I: 1H, S: 13C}"
    both = written(["pulse: {1H: 90 x}", "pulse: {I: 90 x, S: 90 x}"], spins=spins)
    diagram = sequence_diagram(both)
    assert diagram.rows == ("$^{1}$H", "$I$ ($^{1}$H)", "$S$ ($^{13}$C)")
    assert [sorted(column.marks) for column in diagram.columns] == [[0], [1, 2]]
    only = written(["pulse: {1H: 90 x}", "pulse: {S: 90 x}"], spins=spins)
    assert sequence_diagram(only).rows == ("$^{1}$H", "$S$ ($^{13}$C)")


def test_a_nucleus_stands_above_its_first_role(written):
    events = ["pulse: {1H: 90 x}", "pulse: {I: 90 x, S: 90 x}", "pulse: {19F: 90 x}"]
    diagram = sequence_diagram(written(events, spins="{I: 13C, S: 1H}"))
    assert diagram.rows == ("$I$ ($^{13}$C)", "$^{1}$H", "$S$ ($^{1}$H)", "$^{19}$F")


def test_roles_that_only_couple_keep_their_rows():
    assert len(shipped("selective_refocusing").rows) == 2


# ---------------------------------------------------------------------------------------- pulses
def test_columns_of_dm():
    diagram = shipped("dm")
    columns = diagram.columns
    assert diagram.title == "Dzyaloshinskii–Moriya coupling from a scalar coupling"
    assert kinds(columns) == ["marks", "delay", "marks"] * 2
    assert [mark.label for mark in marks(columns, 0)] == ["$-y$", "$y$", "$-x$", "$x$"]
    assert [mark.label for mark in marks(columns, 1)] == ["$x$", "$-x$", "$-y$", "$y$"]
    assert {(mark.look, mark.width) for mark in marks(columns)} == {("filled", NARROW)}
    assert delays(columns) == ["$t$", "$t$"]  # the symbol, not the number
    assert lines(diagram) == [r"$t = 1/(4\,|\,J\,|)$"]
    assert list(columns) == sequence_columns(load_sequence("dm"))


@pytest.mark.parametrize(
    ("pulse", "label", "look", "width"),
    [
        ("90 x", "$x$", "filled", NARROW),
        ("180 -x", "$-x$", "open", WIDE),
        ("180 30", r"$30^{\circ}$", "open", WIDE),
        ("45 y", "$45^{\\circ}$\n$y$", "grey", None),
        ("-90 y", "${-}90^{\\circ}$\n$y$", "filled", NARROW),
        ("beta y", "$\\beta$\n$y$", "grey", None),
        ("{angle: pi/2, phase: y}", "$y$", "filled", NARROW),
        ("{angle: 180 deg, phase: x, amplitude: 5 kHz}", "$5\\,\\mathrm{kHz}$\n$x$", "open", SOFT),
        ("{angle: 90 deg, duration: 1 ms}", "$x$", "filled", SOFT),
        ("{amplitude: a, duration: 1 ms}", "$a$\n$x$", "grey", SOFT),
    ],
)
def test_looks_and_labels_of_pulses(written, pulse, label, look, width):
    (mark,) = marks(sequence_columns(written([f"pulse: {{I: {pulse}}}"])))
    assert (mark.kind, mark.label, mark.look) == ("pulse", label, look)
    assert width is None or mark.width == width
    assert mark.outline == (1.0,)


def test_lengths_stand_under_pulses_and_offsets_over_them(written):
    pulse = "{angle: 90 deg, phase: y, shape: gaussian, duration: delta, offset: offset(I)}"
    (mark,) = marks(sequence_columns(written([f"pulse: {{I: {pulse}}}"])))
    assert mark.label == "$y$\nat $\\nu_{I}$"
    assert mark.under == r"$\delta$"


def test_composites_are_boxes_with_their_name_and_angle(written):
    pulse = "{angle: 180 deg, phase: x, composite: CORPSE}"
    (mark,) = marks(sequence_columns(written([f"pulse: {{I: {pulse}}}"])))
    assert (mark.text, mark.look, mark.outline) == ("CORPSE", "open", (1.0,))
    assert mark.label == "$180^{\\circ}$\n$x$"
    assert mark.width > WIDE


SHAPES = {
    "gaussian": Shape("gaussian"),
    "sinc": Shape("sinc"),
    "sine-squared": Shape("sine-squared"),
    "reburp": Shape("reburp"),
    "{kind: sinc, lobes: 5, points: 64}": Shape("sinc", 64, lobes=5),
    f"{{kind: fourier, cosine: {list(REBURP)}}}": Shape("fourier", cosine=REBURP),
}


@pytest.mark.parametrize("shape", SHAPES)
def test_envelopes_are_those_that_are_played(written, shape):
    pulse = f"{{angle: 90 deg, duration: 1 ms, shape: {shape}}}"
    (mark,) = marks(sequence_columns(written([f"pulse: {{I: {pulse}}}"])))
    samples = shape_samples(SHAPES[shape]).real
    at = np.linspace(0, len(samples) - 1, len(mark.outline))
    expected = np.interp(at, np.arange(len(samples)), samples)
    np.testing.assert_allclose(mark.outline, expected / np.abs(samples).max(), atol=1e-12)
    assert mark.width == SHAPED
    assert (min(mark.outline) < 0) == (shape not in {"gaussian", "sine-squared"})


def test_shapes_that_are_not_real_show_their_amount(written):
    pulse = "{angle: 90 deg, duration: 1 ms, shape: {kind: samples, x: [1, 0, 3], y: [0, 2, 4]}}"
    (mark,) = marks(sequence_columns(written([f"pulse: {{I: {pulse}}}"])))
    np.testing.assert_allclose(mark.outline, [0.2, 0.4, 1.0])


# ---------------------------------------------------------------------------- delays and letters
def test_equal_delays_have_equal_symbols(written):
    events = ["delay: 2*tau", "delay: 2 * tau", "delay: tau*2", "delay: 90 deg of J(I,S)"]
    shown = delays(sequence_columns(written(events)))
    assert shown[0] == shown[1] == r"$2 \tau$"
    assert shown[2] != shown[0]
    assert shown[3] == r"$90^{\circ}$ of $J_{IS}$"


def test_long_expressions_get_letters_and_a_legend():
    diagram = shipped("udd")
    (letter, other) = delays(diagram.columns)
    assert letter == "$b$"  # a is a parameter of the file
    assert other == r"$T\,\sin(a)\,\sin(a)$"
    assert lines(diagram)[0] == r"$b = T\,\sin(a)\,\sin((2 k-1)\,a)$"
    assert lines(diagram)[1] == r"$n = 4$, $T = 8\,\mathrm{ms}$, $a = 90^{\circ}/(n+1)$"


def test_one_long_expression_has_one_letter(written):
    long = "sin(x1)*cos(x2)*tan(x3)*sin(x4)*t"
    columns = sequence_columns(written([f"delay: {long}", f"delay: 2*{long}", f"delay: {long}"]))
    assert delays(columns) == ["$a$", "$b$", "$a$"]


def test_parameters_are_told_if_the_diagram_uses_them(written):
    top = "parameters: {tau: 2*u, u: 1 ms, unused: 3 s, n: 4}"
    diagram = sequence_diagram(written(["delay: tau"], top))
    assert lines(diagram) == [r"$\tau = 2 u$, $u = 1\,\mathrm{ms}$"]


def test_set_values_are_told_but_do_not_replace_symbols():
    sequence = load_sequence("dm")
    diagram = sequence_diagram(sequence, parameters={"t": "2 ms"})
    assert delays(diagram.columns) == ["$t$", "$t$"]
    assert lines(diagram) == [r"$t = 2\,\mathrm{ms}$"]


def test_set_values_are_told_even_if_nothing_shows_them(written):
    sequence = written(["delay: 1 s"], "parameters: {u: 1 s}")
    assert lines(sequence_diagram(sequence)) == []
    assert lines(sequence_diagram(sequence, parameters={"u": "2 s"})) == [r"$u = 2\,\mathrm{s}$"]


@pytest.mark.parametrize(("refocus", "dagger"), [("couplings", "†"), ("all", "‡")])
def test_refocusing_is_a_note(written, refocus, dagger):
    delay = f"delay: {{angle: theta, coupling: 'J(I,S)', refocus: {refocus}}}"
    diagram = sequence_diagram(written([delay]))
    assert delays(diagram.columns) == [rf"$\theta$ of $J_{{IS}}${dagger}"]
    assert [line[0] for line in lines(diagram)] == [dagger]


def test_how_times_count_is_a_note(written):
    centred = sequence_diagram(written(["delay: t"], "timing: centre-to-centre"))
    assert lines(centred) == ["Delays count from centre to centre of the pulses."]
    rounded = sequence_diagram(written(["delay: t"], "timing: {off_raster: round}"))
    assert lines(rounded) == ["Times are rounded to the raster of the spectrometer."]


# ------------------------------------------------------------------------------------ phase cycle
def test_phase_cycles_are_tables_and_the_receiver_has_its_name(written):
    top = "phase_cycle: {ph1: [x, -x], ph31: [x, -x], ph2: [0 deg, 120 deg]}"
    events = ["pulse: {I: 90 ph1, S: 90 ph2}", "acquire: {I: ph31}"]
    diagram = sequence_diagram(written(events, top))
    assert marks(diagram.columns)[0].label == r"$\varphi_{1}$"
    assert marks(diagram.columns)[1].label == r"$\varphi_{\mathrm{rec}}$"
    assert lines(diagram) == [
        r"$\varphi_{1} = x$, $-x$; $\varphi_{\mathrm{rec}} = x$, $-x$; "
        r"$\varphi_{2} = 0^{\circ}$, $120^{\circ}$"
    ]


def test_phases_that_are_pulsed_too_are_no_receiver_phases(written):
    events = ["pulse: {I: 90 ph1}", "acquire: {I: ph1}"]
    diagram = sequence_diagram(written(events, "phase_cycle: {ph1: [x, -x]}"))
    assert [mark.label for mark in marks(diagram.columns)] == [r"$\varphi_{1}$"] * 2


def test_two_receivers_keep_their_numbers(written):
    top = "phase_cycle: {ph30: [x, -x], ph31: [x, y]}"
    (column,) = sequence_columns(written(["acquire: {I: ph30, S: ph31}"], top))
    assert column.marks[0].label == r"$\varphi_{30}$"
    assert column.marks[1].label == r"$\varphi_{31}$"


def test_long_phase_lists_are_cut(written):
    top = f"phase_cycle: {{ph1: [{', '.join(['x'] * 100)}]}}"
    diagram = sequence_diagram(written(["pulse: {I: 90 ph1}"], top))
    assert lines(diagram)[0].endswith("$x$, … (100 in all)")
    assert lines(diagram)[0].count("$x$") == 63


# -------------------------------------------------------------------------- gradients and others
def test_gradients_are_as_high_as_they_are_strong(written):
    events = [
        "gradient: crush",
        "gradient: {strength: G1, duration: delta}",
        "gradient: {strength: -2*G1, duration: delta}",
        "gradient: {kind: crush, duration: 1 ms}",
        "gradient: {strength: 1 Hz, duration: delta}",
        "gradient: {strength: 100*J, duration: delta}",
    ]
    columns = sequence_columns(written(events, "parameters: {G1: 20 kHz, delta: 1 ms}"))
    drawn = marks(columns, GRADIENT)
    peaks = [max(mark.outline, key=abs) for mark in drawn]
    assert peaks == pytest.approx([1, 0.5, -1, 1, 0.25, 0.75])  # weak ones are still seen
    assert [mark.look for mark in drawn] == ["hatched", "grey", "grey", "hatched", "grey", "grey"]
    assert [mark.under for mark in drawn[:4]] == ["", r"$\delta$", r"$\delta$", r"$1\,\mathrm{ms}$"]
    assert drawn[1].label == "$G_{1}$"
    half_sine = np.sin(np.pi * np.linspace(0, 1, len(drawn[0].outline)))
    np.testing.assert_allclose(drawn[0].outline, half_sine, atol=1e-12)


def test_frame_changes_are_dashed_boxes(written):
    (column,) = sequence_columns(written(["virtual_z: {I: 90 deg, S: beta}"]))
    assert [mark.text for mark in column.marks.values()] == [r"$z$ $90^{\circ}$", r"$z$ $\beta$"]
    assert {(mark.kind, mark.look) for mark in column.marks.values()} == {("box", "dashed")}


def test_the_receiver_at_the_end_is_an_fid_elsewhere_a_point(written):
    columns = sequence_columns(written(["acquire: {I: x}", "delay: t", "acquire: {I: -y, S: x}"]))
    assert [mark.kind for mark in marks(columns)] == ["point", "fid"]
    assert [mark.label for mark in marks(columns)] == ["$x$", "rec. $-y$"]
    assert marks(columns, 1)[0].kind == "fid"


# ------------------------------------------------------------------- repeats, blocks and includes
def test_repeats_are_brackets(written):
    inner = "repeat: {times: 2, sequence: [{pulse: {I: 90 x}}, {acquire: {I: x}}]}"
    events = [f"repeat: {{times: n, index: k, sequence: [{{delay: k*t}}, {{{inner}}}]}}"]
    columns = sequence_columns(written(events))
    assert kinds(columns) == ["open", "delay", "open", "marks", "marks", "close", "close"]
    assert {c.group for c in columns if c.kind in {"open", "close"}} == {"repeat"}
    assert [c.text for c in columns if c.kind == "close"] == ["× $2$", "× $n$\n$k$ = 1 … $n$"]
    assert delays(columns) == ["$k t$"]
    assert marks(columns)[1].kind == "point"  # others follow it


BLOCK = "blocks: {echo: {parameters: {tau: 1 ms}, sequence: [{delay: tau}, {pulse: {I: 180 x}}]}}"


def test_short_blocks_are_frames_with_the_values_of_their_parameters(written):
    call = "block: {name: echo, parameters: {tau: 2*t}, spins: {I: S}}"
    diagram = sequence_diagram(written(["block: echo", call], f"parameters: {{t: 3 s}}\n{BLOCK}"))
    columns = diagram.columns
    assert kinds(columns) == ["open", "delay", "marks", "close"] * 2
    assert [c.text for c in columns if c.kind == "open"] == ["echo", "echo"]
    assert {c.group for c in columns if c.kind in {"open", "close"}} == {"frame"}
    assert delays(columns) == [r"$\tau$", "$2 t$"]
    assert [list(c.marks) for c in columns if c.marks] == [[0], [1]]  # I, then played on S
    assert lines(diagram) == [r"$t = 3\,\mathrm{s}$, $\tau = 1\,\mathrm{ms}$"]


def test_a_parameter_of_a_block_that_means_something_else_outside_is_told_by_its_value(written):
    top = f"parameters: {{tau: 3 s}}\n{BLOCK}"
    columns = sequence_columns(written(["delay: tau", "block: echo"], top))
    assert delays(columns) == [r"$\tau$", r"$1\,\mathrm{ms}$"]


def test_the_index_of_a_repeat_hides_a_parameter_of_its_block(written):
    repeat = "repeat: {times: k, index: k, sequence: [{delay: k*t}]}"
    top = f"blocks: {{b: {{parameters: {{k: 2}}, sequence: [{{{repeat}}}]}}}}"
    columns = sequence_columns(written(["block: {name: b, parameters: {k: 5}}"], top))
    assert delays(columns) == ["$k t$"]
    assert columns[-2].text == "× $5$\n$k$ = 1 … $5$"


def test_letters_stand_for_nothing_else(written):
    """Names of parameters, roles, indices and phases, those of included files too."""
    written(["delay: b"], "parameters: {b: 1 s}", name="inner")
    long = "delay: sin(x1)*cos(x2)*tan(x3)*sin(x4)*t"
    events = [f"repeat: {{times: 2, index: c, sequence: [{{{long}}}]}}", "include: inner.yaml"]
    blocks = "blocks: {q: {parameters: {f: 1}, sequence: []}}"
    top = f"parameters: {{d: 1 s}}\nphase_cycle: {{e: [x]}}\n{blocks}"
    columns = sequence_columns(written(events, top, spins="{a: any}"))
    assert delays(columns)[0] == "$g$"


def test_a_receiver_at_the_end_of_a_block_at_the_end_is_an_fid(written):
    top = "blocks: {read: {sequence: [{acquire: {I: x}}]}}"
    columns = sequence_columns(written(["block: read", "block: read"], top))
    assert [mark.kind for mark in marks(columns)] == ["point", "fid"]


@pytest.mark.parametrize(("count", "framed"), [(INLINE, True), (INLINE + 1, False)])
def test_long_blocks_are_one_box(written, count, framed):
    pulses = ", ".join(["{pulse: {S: 90 x}}"] * count)
    top = f"blocks: {{long: {{parameters: {{u: 1 s}}, sequence: [{pulses}]}}}}"
    call = "block: {name: long, parameters: {u: 2*t}}"
    columns = sequence_columns(written(["pulse: {I: 90 x}", call], top))
    if framed:
        assert kinds(columns) == ["marks", "open", *["marks"] * count, "close"]
    else:
        assert columns[1] == Column("block", text="long\n$u$ = $2 t$", rows=(1,))


def test_blocks_that_grow_or_hold_themselves_come_to_an_end(written):
    doubled = [f"b{k}: {{sequence: [{{block: b{k - 1}}}, {{block: b{k - 1}}}]}}"
               for k in range(1, 40)]  # fmt: skip
    top = f"blocks: {{b0: {{sequence: [{{delay: t}}, {{block: b0}}]}}, {', '.join(doubled)}}}"
    columns = sequence_columns(written(["block: b39", "block: b0"], top))
    assert len(columns) < 100
    assert "block" in kinds(columns)


def test_includes_are_frames_in_the_roles_outside(written):
    events = ["include: {sequence: spin_echo, spins: {I: S, S: I}, parameters: {t: 2*u}}"]
    columns = sequence_columns(written(events))
    assert columns[0] == Column("open", text="spin_echo", group="frame")
    assert kinds(columns) == ["open", "delay", "marks", "delay", "close"]
    assert delays(columns) == ["$2 u$"] * 2


def test_an_include_tells_its_own_parameters_apart_from_those_outside(written):
    diagram = sequence_diagram(written(["delay: t", "include: inept"], "parameters: {t: 1 s}"))
    assert delays(diagram.columns) == ["$t$", SIZE, SIZE]
    same = sequence_diagram(
        written(["delay: t", "include: inept"], "parameters: {t: 1/(4*abs(J))}")
    )
    assert delays(same.columns) == ["$t$", "$t$", "$t$"]
    alone = sequence_diagram(written(["include: inept"]))
    assert delays(alone.columns) == ["$t$", "$t$"]
    assert lines(alone) == [r"$t = 1/(4\,|\,J\,|)$"]


def test_an_included_coupling_is_named_where_there_are_more_roles(written):
    spins = "{A: any, B: any, C: any}"
    events = ["include: {sequence: inept, spins: {I: C, S: B}}", "pulse: {A: 90 x}"]
    diagram = sequence_diagram(written(events, spins=spins))
    assert lines(diagram) == [r"$t = 1/(4\,|\,J_{CB}\,|)$"]
    assert [list(c.marks) for c in diagram.columns if c.marks] == [[2], [1, 2], [1, 2], [0]]


def test_phase_cycles_of_includes_are_kept_apart(written, tmp_path):
    written(["pulse: {I: 90 ph1, S: 90 x}"], "phase_cycle: {ph1: [y, -y]}", name="inner")
    events = ["pulse: {I: 90 ph1}", "include: inner.yaml"]
    diagram = sequence_diagram(written(events, "phase_cycle: {ph1: [x, -x]}"))
    labels = [mark.label for mark in marks(diagram.columns)]
    assert labels == [r"$\varphi_{1}$", r"$\varphi_{1}'$"]
    assert lines(diagram) == [r"$\varphi_{1} = x$, $-x$; $\varphi_{1}' = y$, $-y$"]


def test_a_sequence_without_end_is_cut(written):
    columns = sequence_columns(written(["delay: t"] * (MOST + 50)))
    assert len(columns) == MOST + 1
    assert columns[-1].text == "…"


@pytest.mark.parametrize("name", library("sequence"))
def test_every_shipped_sequence_has_columns_of_known_rows(name):
    sequence = load_sequence(name)
    for sample in (None, default_sample(sequence)):
        diagram = sequence_diagram(sequence, sample)
        rows = {row for column in diagram.columns for row in column.marks}
        assert rows <= {GRADIENT, *range(len(diagram.rows))}
        assert diagram.columns
        assert all(isinstance(m, Mark) for c in diagram.columns for m in c.marks.values())


def test_another_sample_names_other_spins():
    sequence = load_sequence("dm")
    assert sequence_diagram(sequence, load_sample("oriented_pair")).rows == ("$I$ (H1)", "$S$ (H2)")


# ------------------------------------------------------------------------- colours and no pulses
@pytest.mark.parametrize(("events", "told"), [
    (["pulse: {I: 90 x, S: 90 y}", "delay: 1 ms"], ["Pulses: black 90°."]),
    (["pulse: {I: 90 x}", "pulse: {S: 180 y}"], ["Pulses: black 90°, white 180°."]),
    (["pulse: {I: 45 x}", "pulse: {S: 180 y}"], ["Pulses: white 180°, grey any other angle."]),
    (["pulse: {I: 45 x}", "gradient: {strength: 4 kHz, duration: 1 ms}"], []),  # it has its angle
    (["gradient: crush", "delay: 1 ms"], []),
    (["pulse: {I: {angle: 180 deg, composite: BB1}}"], []),  # a box with a name
])  # fmt: skip
def test_the_colours_of_pulses_are_explained(written, events, told):
    assert colours(sequence_diagram(written(events))) == told


def test_a_pulse_of_no_angle_is_not_drawn(written):
    events = ["pulse: {I: 90 x, S: 0 x}", "pulse: {I: 0 deg x, S: 0 y}", "delay: 1 ms"]
    diagram = sequence_diagram(written(events))
    assert kinds(diagram.columns) == ["marks", "delay"]
    assert list(diagram.columns[0].marks) == [0]
    assert len(diagram.rows) == 2
