"""The tutorials run as stored, from top to bottom, in time, and show a picture early.

Numbers of their text are asserted in their own cells, which begin with ``# check``.

The kernel is always the interpreter that runs the tests, whatever kernels are installed.
"""

import ast
import os
import pkgutil
import re
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient
from nbformat import NotebookNode

from nmrqb.docs.kernel import OwnKernel

TUTORIALS = Path(__file__).resolve().parents[1] / "tutorials"
NOTEBOOKS = sorted(TUTORIALS.glob("*.ipynb"))
LARGEST = 300_000  # bytes
CODE_LINES_TO_A_PICTURE = 10
SECONDS = 60  # of processor time, the start of the kernel included
NUMBERS = [f"{k:02d}" for k in range(1, 10)]

every_notebook = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)


@pytest.fixture
def jupyter_of_its_own(tmp_path, monkeypatch):
    """Keep the user's Jupyter and IPython settings out, and the tests' backend too."""
    monkeypatch.setenv("JUPYTER_RUNTIME_DIR", str(tmp_path / "runtime"))
    monkeypatch.setenv("JUPYTER_CONFIG_DIR", str(tmp_path / "config"))
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    monkeypatch.delenv("MPLBACKEND", raising=False)  # as in Jupyter, ipykernel chooses it
    (tmp_path / "work").mkdir()
    return tmp_path / "work"


def read(path: Path) -> NotebookNode:
    notebook = nbformat.read(path, as_version=nbformat.NO_CONVERT)
    nbformat.validate(notebook)
    return notebook


def code_cells(notebook: NotebookNode) -> list[NotebookNode]:
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def code_lines(cell: NotebookNode) -> int:
    lines = map(str.strip, cell.source.splitlines())
    return sum(1 for line in lines if line and not line.startswith("#"))


def lines_to_first_picture(notebook: NotebookNode) -> float:
    """Count the lines of code up to the end of the first cell that shows a PNG."""
    lines = 0
    for cell in code_cells(notebook):
        lines += code_lines(cell)
        if any("image/png" in output.get("data", {}) for output in cell.outputs):
            return lines
    return float("inf")


def prose(notebook: NotebookNode) -> str:
    return "\n\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")


def seconds_of_children() -> float:
    """Return the processor time of child processes that have ended; 0 where nobody counts it."""
    times = os.times()
    return times.children_user + times.children_system


def test_there_are_nine_tutorials():
    assert [path.name[:2] for path in NOTEBOOKS] == NUMBERS


@every_notebook
def test_every_link_leads_somewhere(path):
    """And what the text names of the library is there; it names something."""
    text = prose(read(path))
    links = re.findall(r"\]\((?!https?://)([^)#\s]+)", text)
    assert [link for link in links if not (TUTORIALS / link).exists()] == []
    for name in re.findall(r"`(nmrqb(?:\.\w+)+)`", text):
        pkgutil.resolve_name(name)
    assert re.search(r"`nmrqb\.\w|\.\./nmrqb/|sequences/", text)


@every_notebook
def test_every_step_ends_in_a_number_and_a_box(path):
    notebook = read(path)
    text = prose(notebook)
    checks = [cell for cell in code_cells(notebook) if cell.source.startswith("# check")]
    assert len(checks) >= 3
    assert all("assert " in cell.source for cell in checks)
    assert text.count("**Number.**") >= len(checks)
    assert len(re.findall(r"^> \*\*How this fails", text, re.MULTILINE)) >= len(checks)


@every_notebook
def test_every_check_says_whose_number_it_is(path):
    """Who puts in another sample meets a sentence, not a bare AssertionError."""
    for cell in code_cells(read(path)):
        if cell.source.startswith("# check"):
            found = [node for node in ast.walk(ast.parse(cell.source)) if type(node) is ast.Assert]
            assert all(node.msg is not None for node in found), cell.id


@every_notebook
def test_is_stored_clean(path):
    """No outputs, no counters, one kernel name, stable and speaking cell ids, a small file."""
    notebook = read(path)
    assert (notebook.nbformat, notebook.nbformat_minor) == (4, 5)
    assert path.stat().st_size < LARGEST
    for cell in code_cells(notebook):
        assert cell.outputs == [], cell.id
        assert cell.execution_count is None, cell.id
    assert notebook.metadata.kernelspec.name == "python3"
    assert notebook.metadata.language_info.name == "python"
    ids = [cell.id for cell in notebook.cells]
    assert len(set(ids)) == len(ids)
    assert all(cell.metadata == {} for cell in notebook.cells)


@pytest.mark.slow
@every_notebook
def test_runs_and_shows_a_picture_early(path, jupyter_of_its_own):
    """Runs without error or warning in a minute; a picture comes within ten lines of code.

    What it writes goes into a folder that git leaves alone.
    """
    notebook = read(path)
    client = NotebookClient(notebook, kernel_manager_class=OwnKernel, timeout=300)
    before = seconds_of_children()
    client.execute(cwd=str(jupyter_of_its_own))
    assert seconds_of_children() - before < SECONDS
    said = [
        (cell.id, output.text)
        for cell in code_cells(notebook)
        for output in cell.outputs
        if output.output_type == "stream" and output.name == "stderr"
    ]
    assert said == []
    assert lines_to_first_picture(notebook) <= CODE_LINES_TO_A_PICTURE
    assert {left.name for left in jupyter_of_its_own.iterdir()} <= {"results"}
