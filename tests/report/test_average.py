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
    assert any("width 13C" in line and "77 µs per 90°" in line for line in lines)
    assert "all together" in compile_text(dm)


def lines_with(average, *words):
    return [x for x in compile_text(average).splitlines() if all(word in x for word in words)]


def test_a_target_for_a_time_of_its_own_is_told_over_the_pass():
    sequence = load_sequence("dm_ksea")
    settings = {"D": "20 Hz", "G": "0 Hz", "T": "6.25 ms"}
    average = compile_sequence(sequence, CHLOROFORM, parameters=settings)
    # two delays of 4DT/J
    lasts = 8 * 20 * 6.25e-3 / 215.13
    over = 20 * 6.25e-3 / lasts
    assert over == pytest.approx(215.13 / 8)
    (row,) = lines_with(average, "DM_z  ")
    assert float(row.split()[-1]) == pytest.approx(over, rel=1e-6)  # the target
    assert float(row.split()[-2]) == pytest.approx(over, rel=1e-6)  # the exact one
    (line,) = lines_with(average, "  target: ")
    assert line.startswith(
        "  target: DM_z 20 Hz for 6.25 ms = 26.89125 Hz over this pass of 4.64835"
    )
    # programs get what the file claims
    assert compile_document(average)["target"]["named_hz"] == pytest.approx({"DM_z": 20})
    assert compile_document(average)["target"]["time_s"] == 6.25e-3


def test_a_target_of_several_terms_tells_the_first_and_no_rounding():
    average = compile_sequence(load_sequence("battery_exact"), CHLOROFORM)
    (line,) = lines_with(average, "  target: ")
    assert "DM_z 20 Hz for 10 ms" in line
    assert "the others alike" in line
    assert not lines_with(average, "isotropic  ")  # the claim has 6e-16 Hz of it


def test_a_target_of_the_pass_needs_no_such_line(dm):
    assert not lines_with(dm, "  target: ")


@pytest.mark.parametrize(("name", "size", "J"), [
    ("spin_echo", "53.7825", "215.13"), ("ising_scaled", "26.89125", "107.565"),
])  # fmt: skip
def test_a_bare_coupling_is_named(name, size, J):
    average = compile_sequence(load_sequence(name), CHLOROFORM)
    (line,) = lines_with(average, "bare ZZ")
    assert line.endswith(f"bare ZZ {size} Hz (J = {J} Hz)")
    zz = np.trace(average.exact_hz @ np.diag([1, -1, -1, 1])).real / 4
    assert zz == pytest.approx(float(size))


@pytest.mark.parametrize("name", ["dm", "isotropic", "flip_flop", "xy8"])
def test_what_is_not_a_bare_coupling_is_not_called_one(name):
    assert not lines_with(compile_sequence(load_sequence(name), CHLOROFORM), "bare ZZ")


def test_the_bare_couplings_of_three_spins_stand_by_their_pairs():
    average = compile_sequence(load_sequence("spin_echo"), THREE, roles={"I": "A", "S": "B"})
    lines = lines_with(average, "bare ZZ")
    assert [line.split("(")[1] for line in lines] == ["J = 140 Hz)"]


def test_with_finite_pulses_the_budget_is_said_to_be_that_of_the_ideal_pass(dm):
    finite = compile_sequence(load_sequence("dm"), CHLOROFORM, pulses="finite")
    assert lines_with(finite, "error, alone, on the ideal pass, over one period")
    assert lines_with(dm, "error, alone, over one period")
    # it would read "claim: below 1e-12" under "target NOT met"
    assert lines_with(dm, "claim", "ideal pass against it", "below 1e-12")
    assert not lines_with(finite, "ideal pass against it")
    assert lines_with(finite, "target NOT met", "infidelity of one period 0.00425")
    assert any(r["error"] == "claim" for r in compile_document(finite)["budget"]["rows"])


def test_an_error_has_one_name_in_the_table_and_in_the_picture(dm):
    (row,) = lines_with(dm, "flip-angle", "spread")
    assert row.split()[:4] == ["flip-angle", "5", "%", "spread"]
    assert not lines_with(dm, "rf-inhomogeneity")
    assert "rf-inhomogeneity" in {r["error"] for r in compile_document(dm)["budget"]["rows"]}
    drawn = average_figures(dm)["robustness.png"].legends[0].get_texts()
    names = [text.get_text() for text in drawn]
    assert "flip-angle (5 %)" in names
    assert "offset of all spins (20 Hz)" in names  # the table has one spin in each row
    assert lines_with(dm, "offset 1H")


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
    ax.figure.canvas.draw()
    ticks = ax.get_yticks()
    assert min(abs(ticks[ticks != 0])) == pytest.approx(0.01)  # where the scale turns linear


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
