"""`nmrqb study coverage`."""

import pytest


@pytest.fixture
def two_cells(monkeypatch):
    """Leave two cells of the study, and tiny pictures."""
    from nmrqb.experiment import coverage
    from nmrqb.report.pictures import new_figure

    whole = coverage.cells
    monkeypatch.setattr(coverage, "cells", lambda experiment: whole(experiment)[:2])
    monkeypatch.setattr("nmrqb.report.coverage.new_figure", lambda *_: new_figure(7, 6))


def test_the_study_is_printed_and_written(cli, two_cells, tmp_path):
    arguments = "study", "coverage", "--seeds", "1", "--repetitions", "4"
    outcome = cli(*arguments, "--out", tmp_path / "out")
    assert (outcome.status, outcome.err) == (0, "")
    assert "charge_dm_ksea, seeds 1, 4 experiments per cell" in outcome.out
    written = (tmp_path / "out" / "coverage.txt").read_text(encoding="utf-8")
    assert written == outcome.out
    document = cli(*arguments, "--json").document
    assert len(document["rows"]) == 2 * 4
    assert document["files"] == []


def test_unknown_experiments_and_foreign_folders_are_refused(cli, tmp_path):
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "mine.txt").write_text("mine")
    outcome = cli("study", "coverage", "--out", folder)
    assert (outcome.status, outcome.out) == (2, "")
    assert "is not empty" in outcome.err
    assert cli("study", "coverage", "nowhere").status == 2
    assert cli("study", "nothing").status == 2
