"""The README keeps its promises: two lines that run, tables that are complete, links that lead."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from nmrqb.average import compile_sequence
from nmrqb.papers import PAPERS, load_paper
from nmrqb.report import compile_text
from nmrqb.report.folder import FOLDER
from nmrqb.sample import load_sample
from nmrqb.sequence import load_sequence

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
PAGES = ["README.md", "CONTRIBUTING.md", "CHANGELOG.md", "sequences/README.md",
         "tests/benchmarks/README.md", "nmrqb/docs/conventions.md"]  # fmt: skip


def fences(language):
    return [body for found, body in FENCE.findall(README) if found == language]


def section(title):
    return README.split(f"\n## {title}\n")[1].split("\n## ")[0]


def test_one_line_runs_and_one_line_tests():
    lines = fences("bash")
    assert len(lines) == 2
    assert all(body.count("\n") == 1 for body in lines)
    run, test = lines
    assert "pip install" in run
    assert "nmrqb run charge_dm_ksea" in run
    assert "pytest" in test
    assert "pytest" not in run


def test_the_other_systems_get_the_same_line():
    (run, _), (windows,), (macos,) = fences("bash"), fences("powershell"), fences("zsh")
    assert macos == run.replace("python3 -m", "python3.11 -m")
    steps = [step.split() for step in run.strip().split(" && ")]
    there = [step.split() for step in windows.strip().split("; ")]
    for ours, theirs in zip(steps, there, strict=True):
        assert [word.replace("\\", "/") for word in theirs[-3:]] == ours[-3:]


def test_every_command_is_in_the_table():
    code = "from nmrqb.cli.app import app; import typer, json; " \
           "print(json.dumps(sorted(typer.main.get_command(app).commands)))"  # fmt: skip
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    table = "\n".join(line for line in section("Commands").splitlines() if line.startswith("|"))
    missing = [
        verb for verb in json.loads(told.stdout) if not re.search(rf"`(nmrqb )?{verb}\b", table)
    ]
    assert missing == []


def test_every_file_of_a_result_is_in_the_table():
    table = "\n".join(line for line in section("Run it").splitlines() if line.startswith("|"))
    first = {re.sub(r"fids_\d", "fids_1", name) for name in FOLDER.names}  # one per channel
    assert [name for name in sorted(first) if f"`{name}`" not in table] == []


def test_every_tutorial_is_in_the_table():
    stored = {path.stem for path in (ROOT / "tutorials").glob("*.ipynb")}
    assert stored == set(re.findall(r"^\| \[`(\d\d_\w+)`", section("Learn it"), re.MULTILINE))


def test_numbers_of_the_papers():
    papers = [load_paper(name) for name in PAPERS]
    rows = sum(len(paper.rows) for paper in papers)
    figures = sum(len(paper.drawings) for paper in papers)
    assert f"sets {rows} printed numbers" in README
    assert f"draws the {figures} figures" in README
    changes = " ".join((ROOT / "CHANGELOG.md").read_text(encoding="utf-8").split())
    assert f"{rows} printed numbers" in changes
    assert f"{figures} figures" in changes


def test_every_room_is_on_the_architecture_page():
    rooms = {path.name for path in (ROOT / "nmrqb").iterdir() if (path / "__init__.py").exists()}
    assert [
        room for room in sorted(rooms) if f"{room}/" not in section("Architecture on one page")
    ] == []


@pytest.mark.parametrize("body", fences("yaml"), ids=lambda body: body.split()[3])
def test_sequences_that_are_shown_compile(body, tmp_path):
    file = tmp_path / "shown.yaml"
    file.write_text(body, encoding="utf-8")
    average = compile_sequence(load_sequence(str(file)), load_sample("chloroform"))
    assert average.target is None or average.target.met


def test_the_output_that_is_shown_is_what_comes_out(tmp_path):
    (body,) = [body for body in fences("yaml") if "my_dm" in body]
    (shown,) = [body for body in fences("") if body.startswith("my_dm on chloroform")]
    file = tmp_path / "my_dm.yaml"
    file.write_text(body, encoding="utf-8")
    text = compile_text(compile_sequence(load_sequence(str(file)), load_sample("chloroform")))
    lines = {line.rstrip() for line in text.splitlines()}
    assert [line for line in shown.splitlines() if line.strip() != "…" and line not in lines] == []


@pytest.mark.slow
def test_python_that_is_shown_runs(capsys):
    names = {}
    for body in fences("python"):  # one goes on where the other ends
        exec(compile(body, "README.md", "exec"), names)
        assert capsys.readouterr().out


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_somewhere(page):
    text = (ROOT / page).read_text(encoding="utf-8")
    titles = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    anchors = {re.sub(r"[^\w -]", "", title).lower().replace(" ", "-") for title in titles}
    lost = []
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        file, _, anchor = target.partition("#")
        if target.startswith("http"):
            continue
        if (file and not ((ROOT / page).parent / file).exists()) or (
            not file and anchor not in anchors
        ):
            lost.append(target)
    assert lost == []
