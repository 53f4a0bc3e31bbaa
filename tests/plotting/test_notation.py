"""Expressions of files as mathematics."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nmrqb.plotting.lettering import filled, paragraphs, plain, text_height, text_width
from nmrqb.plotting.notation import angle, expression, math, names, phase, substituted, symbol


@pytest.mark.parametrize(
    ("text", "markup"),
    [
        ("tau", r"\tau"), ("Delta", r"\Delta"), ("t1", "t_{1}"), ("alpha_I", r"\alpha_{I}"),
        ("k", "k"), ("spacing", r"\mathrm{spacing}"), ("ph1", r"\varphi_{1}"),
        ("zq_angle", r"\mathrm{zq}_{\mathrm{angle}}"), ("phi", r"\varphi"), ("t_a_b", "t_{a,b}"),
        ("_", r"?"),
    ],
)  # fmt: skip
def test_symbols(text, markup):
    assert symbol(text) == markup


@pytest.mark.parametrize(
    ("text", "markup"),
    [
        ("tau/2", r"\tau/2"),
        ("1/(4*J)", "1/(4 J)"),
        ("1 / (4 * J)", "1/(4 J)"),
        ("1/(4*J(I,S))", "1/(4 J_{IS})"),
        ("J(H1,C)", r"J_{H_{1},C}"),
        ("2*tau", r"2 \tau"),
        ("tau*2", r"\tau\cdot 2"),
        ("n*spacing", r"n\,\mathrm{spacing}"),
        ("(1 + a)*t", r"(1+a)\,t"),
        ("5 ms", r"5\,\mathrm{ms}"),
        ("30 us", r"30\,\mathrm{µs}"),
        ("360 deg*B", r"360^{\circ}\,B"),
        ("5 %", r"5\%"),
        ("2e-3 s", r"2 \cdot {10^{-3}}\,\mathrm{s}"),
        ("1e-9 Hz", r"{10^{-9}}\,\mathrm{Hz}"),
        ("-Delta", r"{-}\Delta"),
        ("a - b", "a-b"),
        ("T1(I)/2", "T_{1,I}/2"),
        ("offset(I)", r"\nu_{I}"),
        ("dipolar(I,S)", "d_{IS}"),
        ("gamma(I)", r"\gamma_{I}"),
        ("pulse_90(I)", r"t_{90^{\circ},I}"),
        ("sqrt(x)", r"\sqrt{x}"),
        ("abs(J)", r"|\,J\,|"),
        ("acos(2*k)", r"\arccos(2 k)"),
        ("log(x)", r"\ln(x)"),
        ("atan2(y, x)", r"\mathrm{atan2}(y,\,x)"),
        ("T*sin(a)*sin((2*k - 1)*a)", r"T\,\sin(a)\,\sin((2 k-1)\,a)"),
        ("D*D + 1", "D^{2}+1"),
        ("a/x*x", "a/x x"),
        ("x*x(I)", "x x(I)"),
    ],
)
def test_expressions(text, markup):
    assert expression(text) == markup


def test_phases_and_angles():
    cycle = {"ph31": r"\varphi_{\mathrm{rec}}"}
    assert [phase(text, cycle, degrees=True) for text in ("x", "-y", "ph31")] == [
        "x", "-y", r"\varphi_{\mathrm{rec}}"
    ]  # fmt: skip
    assert phase("120", cycle, degrees=True) == r"120^{\circ}"
    assert phase("45 deg", cycle, degrees=False) == r"45^{\circ}"
    assert angle("0.5", degrees=False) == "0.5"
    assert angle("theta", degrees=True) == r"\theta"
    assert angle("pi/2", degrees=False) == r"\pi/2"


@pytest.mark.parametrize(
    ("text", "values", "whole"),
    [
        ("t/2", {"t": "a + b"}, "(a + b)/2"),
        ("2*t", {"t": "a*b"}, "2*a*b"),
        ("2/t", {"t": "a*b"}, "2/(a*b)"),
        ("c - t", {"t": "a + b"}, "c - (a + b)"),
        ("t + c", {"t": "a - b"}, "a - b + c"),
        ("t", {"t": "a - b"}, "a - b"),
        ("f(t)", {"t": "a - b"}, "f(a - b)"),
        ("4*t", {"t": "f(a + b)"}, "4*f(a + b)"),
        ("5 t", {"t": "a"}, "5 t"),  # a unit
        ("J(I,S)", {"I": "S", "S": "I"}, "J(S,I)"),
        ("t*t", {"t": "u"}, "u*u"),
    ],
)
def test_names_are_replaced_with_parentheses_where_needed(text, values, whole):
    assert substituted(text, values) == whole


def test_units_are_no_names():
    assert names("5 ms + 2*t/J(I,S)") == {"t", "J", "I", "S"}


_WORDS = ["sqrt(", "abs(", "J(", "I,S", ")", "(", "*", "+", "-", "/", "t", "t*t", "5 ms", "90 deg",
          "1e-3", "ph1", "1e0 deg", "atan2(", "a_", "_", "$", "^", "é", "{"]  # fmt: skip


@settings(deadline=None)
@given(st.one_of(st.text(max_size=12), st.lists(st.sampled_from(_WORDS)).map("".join)))
def test_whatever_is_written_can_be_drawn(text):
    assert text_width(math(expression(text))) >= 0


def test_parentheses_without_end_are_left_out():
    assert expression("sqrt(" * 21) == r"\ldots"
    assert expression("(" * 20 + "t" + ")" * 20) == "(" * 20 + "t" + ")" * 20


# ---------------------------------------------------------------------------------------- letters
def test_widths_grow_with_the_text():
    assert text_width("xx") == pytest.approx(2 * text_width("x"))
    assert text_width("x\nxx") == text_width("xx")
    assert text_width("x", 20) == pytest.approx(2 * text_width("x", 10))
    assert text_width(r"$\tau$") < text_width(r"$\tau/2$")
    assert text_width(plain("$x$")) > text_width("x")  # the dollars are drawn


def test_heights_count_lines():
    assert text_height("") == 0
    assert text_height("a\nb", 10) == pytest.approx(2 * text_height("a", 10))


def test_lines_break_between_pieces():
    pieces = ["aaaa"] * 10
    lines = filled(pieces, text_width("aaaa aaaa aaaa", 8.5) + 0.1)
    assert lines == ["aaaa aaaa aaaa"] * 3 + ["aaaa"]
    assert filled(["wide", "x"], 0.0) == ["wide", "x"]
    assert paragraphs([["a", "b"], ["c"]], 1000.0) == ["a b", "c"]
