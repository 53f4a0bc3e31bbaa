"""What `nmrqb compile` prints, writes and draws beyond the Hamiltonian."""

import json
from itertools import pairwise

import numpy as np
import pytest

from nmrqb.average import compile_sequence, compile_timeline
from nmrqb.errors import ArgumentError, OutputError
from nmrqb.plotting import draw_orders
from nmrqb.report import (
    average_figures,
    check_average_folder,
    compile_document,
    compile_text,
    dump,
    write_average,
)
from nmrqb.report.pictures import new_figure
from nmrqb.sample import Coupling, Sample, Spin, load_sample
from nmrqb.sequence import expand, load_sequence

CHLOROFORM = load_sample("chloroform")
THREE = Sample(
    "three",
    (Spin("A", "1H", 20.0, 5, 1), Spin("B", "13C", 0.0, 5, 1), Spin("C", "15N", -8.0, 5, 1)),
    (Coupling(("A", "B"), 140.0), Coupling(("B", "C"), -12.0)),
)


@pytest.fixture(scope="module")
def dm():
    return compile_sequence(load_sequence("dm"), CHLOROFORM)


@pytest.fixture(scope="module")
def three():
    return compile_sequence(load_sequence("dm"), THREE)


# ------------------------------------------------------------------------------------------ text
def test_the_text_tells_whether_the_series_can_be_trusted(dm):
    text = compile_text(dm)
    # J/4 on ZZ for 1/(2J): a quarter of π
    assert "‖H‖T = 0.785 rad" in text
    assert "below π: the series converges" in text


def test_the_text_tells_what_the_controls_can_reach(dm):
    text = compile_text(dm)
    assert "of 15 dimensions, all channels 15" in text
    assert "never at any order, 1H–13C: " in text
    never = [line for line in text.splitlines() if "never at any order" in line]
    assert any("KSEA_z (mirrored-reversal, with these pulses and delays)" in line for line in never)
    assert not any("DM_z" in line for line in never)


def test_the_text_tells_what_relaxation_costs(dm):
    # DM_z = J/8 exchanges the spins at 4D; the decay is ¼Σ(1/T1 + 2/T2) = 0.55 /s
    line = next(x for x in compile_text(dm).splitlines() if "relaxation: DM_z" in x)
    assert "turns at 107.6 Hz and decays at 0.55 /s: 196 turns" in line


def test_the_budget_is_ranked_and_its_sizes_are_written(dm):
    lines = compile_text(dm).splitlines()
    start = next(k for k, line in enumerate(lines) if "error, alone, over one period" in line)
    losses = [line.split()[-1] for line in lines[start + 1 : start + 10]]
    assert losses == sorted(losses, key=float, reverse=True)
    assert any("width 13C" in line and "77 us per 90 deg" in line for line in lines)
    assert "all together" in compile_text(dm)


def test_without_relaxation_nothing_is_said_of_it():
    still = Sample("still", (Spin("I", "1H"), Spin("S", "13C")), (Coupling(("I", "S"), 100.0),))
    average = compile_sequence(load_sequence("dm"), still)
    assert average.analysis.relaxation is None
    assert "relaxation:" not in compile_text(average)


def test_three_spins_have_fields_and_a_rest(three):
    text = compile_text(three)
    assert "field b·σ (Hz)" in text
    assert "three-body and higher terms: " in text


# -------------------------------------------------------------------------------------- document
def test_the_document_holds_the_whole_analysis(dm):
    document = json.loads(dump(compile_document(dm)))
    assert document["symmetry"]["full_dimension"] == 15
    assert document["symmetry"]["target"]["inside"] is True
    assert {c["name"] for c in document["decoupling"]} == {
        "disorder", "interaction", "cross terms", "rotation errors"
    }  # fmt: skip
    assert document["convergence"]["guaranteed"] is True
    assert document["convergence"]["reach"] == pytest.approx(np.pi / 4)
    assert document["relaxation"]["kossakowski_min_per_s"] < 0
    (term,) = [t for t in document["relaxation"]["terms"] if t["term"] == "DM_z"]
    assert term["frequency_hz"] == pytest.approx(4 * 215.13 / 8)
    assert term["turns"] == pytest.approx(term["frequency_hz"] / term["rate_per_s"])
    assert document["budget"]["total"] <= 1
    assert document["other_hz"] == pytest.approx(0)
    widths = {r["error"]: r["infidelity"] for r in document["robustness"]}
    assert widths["width 13C"] == pytest.approx(0.0036, rel=0.02)
    assert widths["width 1H"] == pytest.approx(0.0001, rel=0.05)


def test_fields_stand_by_label(three):
    document = compile_document(three)
    assert set(document["fields_hz"]) == {"A", "B", "C"}
    assert set(document["fields_hz"]["A"]) == {"x", "y", "z"}
    # C is not pulsed: its offset of −8 Hz stays, −4 Hz on σz
    assert document["fields_hz"]["C"]["z"] == pytest.approx(-4)


def test_without_its_analysis_the_document_is_the_contract_alone():
    timeline = expand(load_sequence("dm"), CHLOROFORM)
    average = compile_timeline(timeline, CHLOROFORM, analyse=False)
    document = compile_document(average)
    assert "budget" not in document
    assert document["robustness"] == []
    with pytest.raises(ArgumentError, match="`average` must hold its analysis, but that of 'dm'"):
        average_figures(average)


# -------------------------------------------------------------------------------------- pictures
def test_orders_are_drawn_as_bars(dm):
    ax = new_figure(5, 3).add_subplot()
    bars = draw_orders(ax, dm, ("1H", "13C"))
    assert [container.get_label() for container in bars] == ["H(0)", "H(1)", "H(2)", "exact"]
    names = [tick.get_text() for tick in ax.get_xticklabels()]
    assert names == ["DM_z"]
    assert bars[0][0].get_height() == pytest.approx(215.13 / 8)
    assert bars[1][0].get_height() == pytest.approx(0, abs=1e-9)
    assert bars[3][0].get_height() == pytest.approx(215.13 / 8)


def test_many_terms_have_room_for_their_names():
    average = compile_sequence(load_sequence("literature_dm"), CHLOROFORM, pulses="finite")
    figure = average_figures(average)["orders.png"]
    figure.canvas.draw()
    ax = figure.axes[0]
    assert len(ax.get_xticklabels()) > 6
    boxes = [tick.get_window_extent() for tick in ax.get_xticklabels()]
    assert all(a.x1 <= b.x0 for a, b in pairwise(boxes))


def test_the_legend_of_robustness_hides_no_curve(dm):
    figure = average_figures(dm)["robustness.png"]
    figure.canvas.draw()
    (ax,), (legend,) = figure.axes, figure.legends
    assert legend.get_window_extent().y1 <= ax.get_tightbbox().y0
    assert ax.get_legend() is None


def test_the_folder_holds_pictures_text_and_document(dm, tmp_path):
    files = write_average(dm, tmp_path / "out")
    assert {f.rpartition("/")[2] for f in files} == {
        "average.json", "average.txt", "orders.png", "frames.png", "robustness.png"
    }  # fmt: skip
    assert json.loads((tmp_path / "out" / "average.json").read_text())["sequence"] == "dm"
    write_average(dm, tmp_path / "out")  # it is ours and replaced whole


def test_a_folder_of_somebody_else_is_refused(tmp_path):
    (tmp_path / "notes.txt").write_text("mine", encoding="utf-8")
    with pytest.raises(OutputError, match=r"holds no `average\.json`"):
        check_average_folder(tmp_path)
