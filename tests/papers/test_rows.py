"""Every row of every paper: the verdict on record, and `ours` moves when an input moves."""

import inspect
import math
from importlib.resources import files

import pytest

from nmrqb.errors import InputError
from nmrqb.files import parse_document
from nmrqb.papers import PAPERS, load_paper, reproduce
from nmrqb.papers.catalogue import _faults
from nmrqb.papers.rows import Paper, Row

ROWS = [(name, row.name) for name in PAPERS for row in load_paper(name).rows]
IDS = [f"{paper}/{name}" for paper, name in ROWS]
VERDICTS = {"agree", "differs", "not determined"}


@pytest.mark.parametrize("paper", PAPERS)
def test_every_verdict_is_the_one_on_record(paper):
    found = reproduce(paper)
    assert {f.row.name: f.verdict for f in found} == {f.row.name: f.row.verdict for f in found}
    assert all(math.isfinite(f.ours) for f in found)
    assert {f.verdict for f in found} <= VERDICTS


def test_there_are_rows_enough():
    assert len(ROWS) >= 60
    assert all(sum(paper == name for paper, _ in ROWS) >= 8 for name in PAPERS)


def moved(value):
    return value + 0.05 * abs(value) + 0.05


@pytest.mark.parametrize(("paper", "name"), ROWS, ids=IDS)
def test_ours_moves_with_an_input(paper, name):
    loaded = load_paper(paper)
    row = next(row for row in loaded.rows if row.name == name)
    function = loaded.quantities[row.compute]
    inputs = {
        p.name: row.inputs.get(p.name, p.default)
        for p in inspect.signature(function).parameters.values()
    }
    ours = function(**inputs)
    numbers = [key for key, value in inputs.items() if type(value) is float]
    assert numbers, "a row without a number to move is a constant"
    changes = (abs(function(**{**inputs, key: moved(inputs[key])}) - ours) for key in numbers)
    assert any(change > 1e-9 * max(1.0, abs(ours)) for change in changes)


def test_all_quantities_are_used():
    for name in PAPERS:
        paper = load_paper(name)
        assert {row.compute for row in paper.rows} == set(paper.quantities)


def test_every_drawn_figure_has_a_row():
    for name in PAPERS:
        paper = load_paper(name)
        items = " ".join(row.item for row in paper.rows)
        assert [item for item in paper.drawings if item not in items] == []


# --------------------------------------------------------------------------------------- verdicts
def row(**changes):
    given = {
        "paper": "p", "item": "fig 1", "of": "x", "printed": 2.5, "source": "text",
        "compute": "f", "verdict": "agree", "inputs": {}, **changes,
    }  # fmt: skip
    return Row(**given)


@pytest.mark.parametrize(
    ("changes", "ours", "verdict"),
    [
        ({"digits": 1}, 2.549, "agree"),
        ({"digits": 1}, 2.551, "differs"),
        ({"digits": 1}, 2.449, "differs"),
        ({"digits": 0, "printed": 2}, 2.49, "agree"),
        ({"within": 0.2}, 2.7, "agree"),
        ({"within": 0.2}, 2.71, "differs"),
        ({"relation": ">", "bound": 1}, 1.0, "differs"),
        ({"relation": ">=", "bound": 1}, 1.0, "agree"),
        ({"relation": "<", "bound": 1}, 0.9, "agree"),
        ({"relation": "<=", "bound": 1}, 1.1, "differs"),
        ({"missing": "the start"}, 2.5, "not determined"),
        ({"digits": 1}, math.nan, "differs"),
    ],
)
def test_verdict_of_a_number(changes, ours, verdict):
    assert row(**changes).judge(ours) == verdict


# -------------------------------------------------------------------------------------- data files
def test_printed_values_are_in_the_data_files_alone():
    shipped = {entry.name for entry in (files("nmrqb.papers") / "data").iterdir()}
    assert shipped == {f"{name}.yaml" for name in PAPERS}


def test_a_paper_that_is_not_there_is_refused_with_the_nearest_name():
    with pytest.raises(InputError, match="there is no paper `rosen-zener`"):
        load_paper("rosen-zener")


def test_faults_across_rows_are_told_with_their_place():
    document = parse_document(b"rows:\n  - {a: 1}\n  - {a: 2}\n", "x.yaml")
    twice = Paper("x", "", (row(), row(compute="g")), {"f": lambda: 0.0}, {})
    assert [str(fault) for fault in _faults(twice, document)] == [
        "x.yaml:3:5: the row `fig 1: x` stands there twice",
        "x.yaml:3:5: there is no function `g`; Valid: f",
    ]


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("digits: 1, within: 2.0", "exactly one of .* and missing, but holds digits, within"),
        ("verdict: agree", "exactly one of digits, .*, but holds none"),
        ("digits: 1, printed: none", "must print a number for digits .* prints 'none'"),
        ("digits: 1, colour: red", "colour"),
    ],
)
def test_wrong_rows_are_refused(line, complaint):
    from nmrqb import formats
    from nmrqb.papers.format import PaperFormat

    base = {"item": "a", "of": "b", "printed": "1", "source": "text", "compute": "f",
            "verdict": "agree"}  # fmt: skip
    given = dict(part.split(": ") for part in line.split(", "))
    entry = ", ".join(f"{key}: {value}" for key, value in (base | given).items())
    text = f"format: nmrqb-paper/1\nreference: r\nrows:\n  - {{{entry}}}\n"
    with pytest.raises(InputError, match=complaint):
        formats.checked(parse_document(text.encode(), "x.yaml"), PaperFormat)
