"""`nmrqb reproduce`: what it lists, prints and writes, and how it leaves."""

import pytest

from nmrqb.papers.rows import Paper

PAPER = "dipolar-battery-dm"
KEYS = {"paper", "item", "printed", "ours", "verdict", "note"}


def test_json_is_one_list_of_rows(cli):
    outcome = cli("reproduce", f"{PAPER}/fig-2", "--json")
    assert (outcome.status, outcome.err) == (0, "")
    rows = outcome.document
    assert all(set(row) >= KEYS for row in rows)
    assert {row["paper"] for row in rows} == {PAPER}
    assert {row["verdict"] for row in rows} == {"agree", "differs"}
    first = next(row for row in rows if row["item"] == "fig 2a: largest ergotropy, T = 0.5")
    assert (first["printed"], first["verdict"]) == (1.137, "agree")
    assert round(first["ours"], 3) == 1.137


def test_text_has_every_row_and_a_summary(cli):
    outcome = cli("reproduce", f"{PAPER}/eq 23")
    assert outcome.status == 0
    assert "2 rows, 1 agree, 1 differs, 0 not determined; every verdict is" in outcome.out
    assert "solves eq 18" in outcome.out


def test_text_survives_a_narrow_console(cli):
    outcome = cli("reproduce", f"{PAPER}/eq 22", encoding="ascii")
    assert outcome.status == 0
    assert "kappa" in outcome.out


@pytest.mark.parametrize(
    ("selection", "message"),
    [
        ("dipolar-battery", "there is no paper `dipolar-battery`"),
        (f"{PAPER}/fig 9", "has no item `fig 9`"),
        (f"{PAPER}/fig 50", "has no item `fig 50`"),
    ],
)
def test_what_is_not_there_is_refused(cli, selection, message):
    outcome = cli("reproduce", selection, "--json")
    assert (outcome.status, outcome.out) == (2, "")
    assert message in outcome.err


def test_a_verdict_that_is_not_on_record_leaves_with_1(cli, monkeypatch):
    monkeypatch.setattr(Paper, "compute", lambda self, row: 0.0)
    outcome = cli("reproduce", f"{PAPER}/fig 2a")
    assert outcome.status == 1
    assert "not as on record" in outcome.out
    assert f"{PAPER}/fig 2a: largest ergotropy, T = 0.5" in outcome.out
    assert "NOT AS ON RECORD" in outcome.out
    assert cli("reproduce", f"{PAPER}/fig 2a", "--json").status == 1


def test_folder_has_the_table_and_the_figure(cli, tmp_path):
    out = tmp_path / "out"
    outcome = cli("reproduce", f"{PAPER}/fig 6", "--out", out)
    assert outcome.status == 0
    assert {entry.name for entry in out.iterdir()} == {"reproduction.txt", f"{PAPER}-fig-6.png"}
    assert (out / f"{PAPER}-fig-6.png").read_bytes().startswith(b"\x89PNG")
    written = (out / "reproduction.txt").read_text(encoding="utf-8")
    assert outcome.out.startswith(written.rstrip("\n"))
    cli("reproduce", f"{PAPER}/eq 4", "--out", out)  # ours: replaced whole
    assert {entry.name for entry in out.iterdir()} == {"reproduction.txt"}


def test_foreign_folders_are_refused_before_any_work(cli, tmp_path, monkeypatch):
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "mine.txt").write_text("mine")
    monkeypatch.setattr(Paper, "compute", lambda self, row: pytest.fail("worked"))
    outcome = cli("reproduce", "--out", folder)
    assert (outcome.status, outcome.out) == (2, "")
    assert "is not empty" in outcome.err
    assert (folder / "mine.txt").read_text() == "mine"
