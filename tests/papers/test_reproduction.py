"""Rows in and verdicts out: selection, documents, figures, folders."""

import json

import pytest
from matplotlib.figure import Figure

from nmrqb.errors import InputError, OutputError
from nmrqb.papers import (
    PAPERS,
    as_expected,
    document,
    figures,
    load_paper,
    reproduce,
    text,
    write_reproduction,
)
from nmrqb.papers import reproduction as module
from nmrqb.papers.rows import Paper, Row

PAPER = "dipolar-battery-dm"


@pytest.mark.parametrize("selection", ["dipolar-battery", f"{PAPER}/fig 9", f"{PAPER}/x"])
def test_what_is_not_there_is_refused(selection):
    with pytest.raises(InputError, match=r"there is no paper|has no item"):
        reproduce(selection)


def test_foreign_folders_are_refused(tmp_path):
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(OutputError, match="is not empty"):
        write_reproduction([], {}, tmp_path)


@pytest.mark.parametrize(
    ("selection", "count"),
    [("fig 5", 4), ("FIG-5", 4), ("fig5a", 1), ("fig 5a: largest ergotropy from B = 0 to 1", 1)],
)
def test_selections(selection, count):
    assert len(reproduce(f"{PAPER}/{selection}")) == count


def test_all_papers_are_listed_without_a_selection(monkeypatch):
    monkeypatch.setattr(Paper, "compute", lambda self, row: 0.0)
    found = reproduce()
    assert {f.row.paper for f in found} == set(PAPERS)
    assert sum(1 for _ in found) == sum(len(load_paper(name).rows) for name in PAPERS)


def test_progress_is_told():
    seen = []
    rows = reproduce(f"{PAPER}/fig 5", progress=lambda done, total: seen.append((done, total)))
    assert seen == [(k, 4) for k in range(1, 5)]
    assert as_expected(rows)


def test_what_is_missing_is_told():
    row = Row("p", "fig 1", "x", 3.0, "text", "f", "not determined", {}, missing="the start")
    found = module.Reproduced(row, 2.0, row.judge(2.0))
    assert document([found])[0]["note"] == "not printed: the start"
    assert json.dumps(document([found]))


# ----------------------------------------------------------------------------------------- folder
# ---------------------------------------------------------------------------------------- figures
def test_panels_are_those_of_the_papers():
    for name, figure in figures(f"{PAPER}/fig 4"):
        assert name == f"{PAPER}-fig-4.png"
        assert isinstance(figure, Figure)
        titles = [ax.get_title() for ax in figure.axes]
        assert [title[:3] for title in titles] == ["(a)", "(b)", "(c)", "(d)"]
        assert [line.get_label() for line in figure.axes[0].lines] == [
            f"ε = Δ = {value}" for value in (2, 3, 4, 5)
        ]
        assert figure.axes[1].get_ylabel() == "dW/dt (Ω²)"


def test_drawn_ergotropy_has_the_peak_of_its_row():
    _, figure = next(figures("dipolar-battery-dm-ksea-nmr/fig 9"))
    last = figure.axes[0].lines[-1]
    assert last.get_label() == "D/ω = 2"
    assert last.get_ydata().max() == pytest.approx(7.890, abs=5e-4)


def test_maps_have_labelled_axes_and_colour_bars():
    _, figure = next(figures("dipolar-battery-dm-ksea-nmr/fig 11"))
    panels = [ax for ax in figure.axes if ax.get_title()]
    assert {ax.get_xlabel() for ax in panels} == {"D/ω"}
    assert {ax.get_ylabel() for ax in panels} == {"G/ω"}
    bars = [ax.get_ylabel() for ax in figure.axes if not ax.get_title()]
    assert bars == ["ξ_max (ω)", "P_min (ω)", "Q (ω)", "C_max"]


def test_text_of_several_papers_names_each():
    rows = [*reproduce(f"{PAPER}/eq 4"), *reproduce("dipolar-battery-dm-ksea-nmr/eq 19")]
    written = text(rows)
    assert all(load_paper(f.row.paper).reference in written for f in rows)


@pytest.mark.slow
@pytest.mark.parametrize("paper", PAPERS)
def test_every_figure_is_drawn(paper):
    found = dict(figures(paper))
    assert {name.removeprefix(f"{paper}-fig-").removesuffix(".png") for name in found} == {
        item.removeprefix("fig ") for item in load_paper(paper).drawings
    }
