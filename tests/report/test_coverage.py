"""A coverage study as text, document, picture and folder."""

import json
from dataclasses import replace

import numpy as np
import pytest

from nmrqb.errors import OutputError
from nmrqb.experiment import CoverageRow, CoverageStudy
from nmrqb.experiment.coverage import FIGURES_STUDIED
from nmrqb.plotting import draw_coverage
from nmrqb.report import (
    check_coverage_folder,
    coverage_document,
    coverage_figure,
    coverage_text,
    dump,
    write_coverage,
)
from nmrqb.report.pictures import new_figure

ROW = CoverageRow(
    battery="b",
    state="charged",
    snr=30.0,
    figure="ergotropy",
    repetitions=1600,
    truth=1.0,
    gap=5.0,
    error=0.1,
    below=16,
    above=64,
    claims=1600,
    width=0.4,
    raw_bias=0.1,
    value_bias=0.01,
    bound_misses=(80, 40),
    thinned_bias=0.0,
    thinned_error=0.01,
)


def study(**changes):
    def rows(**more):
        one = replace(ROW, **(changes | more))
        other = replace(ROW, state="passive", snr=10.0, gap=1.0)
        return tuple(replace(row, figure=name) for row in (one, other) for name in FIGURES_STUDIED)

    return CoverageStudy("e", (1, 2), 1600, 400, {1: rows(), 2: rows(below=32)})


def test_the_text_holds_a_table_of_every_figure():
    text = coverage_text(study(), seconds=12.3)
    assert text.startswith("Coverage of nominal 95 % intervals: e, seeds 1, 2, 1600 experiments")
    assert "It took 12 s." in text
    assert "All requirements are met." in text
    (line,) = (x for x in text.split("\ncapacity\n")[1].splitlines()[1:3] if "charged" in x)
    words = line.split()
    assert words[:5] == ["b", "charged", "30", "5.0", "1.000"]
    # 1 − (16 + 32 + 2·64)/3200 of both seeds; of the seeds .950 and .940
    assert words[5:8] == ["0.945", "0.004", "0.940-0.950"]
    assert words[8:10] == ["0.015", "0.040"]
    assert words[-3:] == ["1.000", "0.050/0.025", "ok"]
    assert text.count("ok, at a kink or at zero") == 4
    assert max(map(len, text.splitlines())) < 180


def test_the_text_tells_what_falls_short():
    text = coverage_text(study(above=200))
    assert "Falls short 8 times:" in text
    assert "  seed 2: b, charged, SNR 30, capacity covers less than 0.92" in text
    lines = [line for line in text.splitlines() if "0.050/0.025" in line and "charged" in line]
    assert len(lines) == 4
    assert all(line.endswith("covers less than 0.92") for line in lines)


def test_the_document_holds_the_rows_of_every_seed():
    document = json.loads(dump(coverage_document(study(above=200), ["x"])))
    assert (document["seeds"], document["files"]) == ([1, 2], ["x"])
    assert len(document["rows"]) == 2 * 2 * 4
    assert document["rows"][0]["coverage"] == pytest.approx(1 - 216 / 1600)
    assert document["rows"][0]["faults"] == ["covers less than 0.92"]
    assert len(document["faults"]) == 8


def test_the_picture_shows_coverage_with_filled_marks_away_from_kinks():
    rows = [row for row in study().pooled if row.figure == "ergotropy"]
    ax = new_figure(4, 3).add_subplot()
    marks = draw_coverage(ax, rows)
    assert [mark.get_offsets()[0, 1] for mark in marks] == [
        pytest.approx(row.coverage) for row in sorted(rows, key=lambda row: row.snr)
    ]
    open_, filled = (mark.get_facecolor()[0] for mark in marks)
    np.testing.assert_array_equal(open_[:3], 1.0)
    assert np.any(filled[:3] < 1)
    assert [t.get_text() for t in ax.get_xticklabels()] == ["charged", "passive"]
    assert len(coverage_figure(study()).axes) == 4


def test_the_folder_is_replaced_if_it_is_ours(tmp_path, monkeypatch):
    monkeypatch.setattr("nmrqb.report.coverage.new_figure", lambda *_: new_figure(7, 6))
    monkeypatch.setattr("nmrqb.report.pictures.DPI", 20)
    target = tmp_path / "out"
    for _ in range(2):
        check_coverage_folder(target)
        files = write_coverage(study(), coverage_text(study()), target)
    assert files == [str(target / "coverage.txt"), str(target / "coverage.png")]
    assert sorted(path.name for path in target.iterdir()) == ["coverage.png", "coverage.txt"]
    (target / "mine.txt").write_text("mine")
    with pytest.raises(OutputError, match=r"also holds `mine\.txt`"):
        check_coverage_folder(target)
