"""The documentation: examples that hold, pages that hold every row, links that lead somewhere."""

import ast
import doctest
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest

import nmrqb
from nmrqb.docs import build_docs, documented_modules, index_page, paper_page
from nmrqb.docs.__main__ import main
from nmrqb.docs.pages import conventions_text
from nmrqb.errors import InputError, OutputError
from nmrqb.papers import PAPERS, Reproduced, load_paper

VOID = {"meta", "link", "img", "input", "br", "hr", "wbr"}
PAPER = "heisenberg-chain-dm-battery"


class Outline(HTMLParser):
    """Reads a page: tags in balance, cells of tables, what it links to and what it loads."""

    def __init__(self, text):
        super().__init__()
        self.open, self.cells, self.words = [], [], []
        self.ids, self.links, self.loads = set(), [], []
        self.feed(text)
        assert not self.open

    def handle_starttag(self, tag, attrs):
        values = dict(attrs)
        self.ids |= {values["id"]} if "id" in values else set()
        self.links += [values["href"]] if tag == "a" and "href" in values else []
        self.loads += [values[key] for key in ("src", "data") if key in values]
        self.loads += [values["href"]] if tag == "link" else []
        self.cells += [""] if tag == "td" else []
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.words.append(data)
        if "td" in self.open:
            self.cells[-1] += data


def as_recorded(paper):
    """Return rows as if ours were 0.125 and every verdict the one on record."""
    return [Reproduced(row, 0.125, row.verdict) for row in paper.rows]


# ------------------------------------------------------------------------------------ conventions
def test_examples_of_the_conventions_hold():
    parser = doctest.DocTestParser()
    test = parser.get_doctest(conventions_text(), {}, "conventions", "conventions.md", 0)
    report = []
    result = doctest.DocTestRunner(verbose=False).run(test, out=report.append)
    assert result.failed == 0, "".join(report)
    assert result.attempted > 15


# ----------------------------------------------------------------------------------------- papers
@pytest.mark.parametrize("name", PAPERS)
def test_page_of_a_paper_holds_every_row(name):
    paper = load_paper(name)
    outline = Outline(paper_page(paper, as_recorded(paper)))
    differing = sum(row.verdict == "differs" for row in paper.rows)
    unsaid = sum(row.verdict == "not determined" for row in paper.rows)
    assert len(outline.cells) == 5 * (len(paper.rows) + differing + unsaid)
    assert [cell for cell in outline.cells if cell == "0.125"] != []
    for row in paper.rows:
        assert row.of in outline.cells
        if row.note and row.verdict == "differs":
            assert row.note in outline.cells


def test_what_differs_comes_first_and_the_unexpected_is_flagged():
    paper = load_paper(PAPER)
    rows = as_recorded(paper)
    assert "not as on record" not in paper_page(paper, rows)
    agreeing = next(i for i, found in enumerate(rows) if found.verdict == "agree")
    rows[agreeing] = Reproduced(rows[agreeing].row, 17.25, "differs")
    html = paper_page(paper, rows)
    assert html.count("(not as on record)") == 1
    outline = Outline(html)
    assert outline.cells.count("17.25") == 2  # among what differs, and in its place
    assert html.index("17.25") < html.index("Everything, in the order")


def test_numbers_of_a_paper_are_for_people():
    paper = load_paper(PAPER)
    first, second, third = (row for row in paper.rows[:3])
    rows = [
        Reproduced(first, -4.4e-16, "differs"),
        Reproduced(second, -1.5, "differs"),
        Reproduced(third, 2.0, "agree"),
    ]
    html = paper_page(paper, rows)
    cells = Outline(html).cells
    assert cells.count("0") >= 2  # rounding, among what differs and in its place
    assert cells.count("−1.5") == 2
    assert "e-16" not in html
    assert "1 agrees, 2 differ, 0 not determined" in html


def test_signs_of_html_in_a_row_stay_text():
    paper = load_paper(PAPER)
    html = paper_page(paper, [])
    assert "<table" in html
    assert "What differs" not in html
    assert "&lt;b&gt;" in index_page([type(paper)("<b>", "<b>", (), {}, {})], [])


# ----------------------------------------------------------------------------------------- whole
def test_rooms_are_all_documented():
    modules = documented_modules()
    assert modules[0] == "nmrqb"
    homes = {f"nmrqb.{home}" for home in nmrqb._HOMES.values()}
    assert homes - set(modules) <= {"nmrqb.sample.hamiltonian"}  # a module inside a room
    assert {"nmrqb.operators", "nmrqb.dynamics.registers"} <= set(modules)
    assert not {name for name in modules if "cli" in name or "__main__" in name}


def test_no_docstring_opens_a_tag():
    """Docstrings become Markdown, in which ``i<j`` begins a tag that nothing closes."""
    sources = {path: path.read_text("utf-8") for path in Path(nmrqb.__file__).parent.rglob("*.py")}
    opened = [
        f"{path.name}:{node.body[0].lineno}"
        for path, text in sources.items()
        if re.search(r"<[A-Za-z/!?]", text)  # few have one, and trees take their time
        for node in ast.walk(ast.parse(text))
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef))
        if re.search(r"<[A-Za-z/!?]", re.sub(r"(`+)[^`]*\1", "", ast.get_docstring(node) or ""))
    ]
    assert len(sources) > 300
    assert opened == []


def test_folders_of_others_are_refused_before_any_work(tmp_path, monkeypatch):
    monkeypatch.setattr("nmrqb.docs.site._pdoc_render", lambda: pytest.fail("work was done"))
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(OutputError, match=r"is not empty and holds no `index\.html`"):
        build_docs(tmp_path)
    assert main([str(tmp_path), "--no-tutorials"]) == 2
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_the_missing_tool_is_named(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pdoc.render_helpers", None)
    with pytest.raises(OutputError, match=r"pip install nmrqb\[docs\]"):
        build_docs(tmp_path / "docs")
    assert not list(tmp_path.iterdir())


def test_papers_that_are_not_there_are_refused(tmp_path):
    pytest.importorskip("pdoc", reason="pdoc is not installed (the extra docs)")
    with pytest.raises(InputError, match=f"there is no paper `heisenberg`.*{PAPER}"):
        build_docs(tmp_path / "docs", papers=["heisenberg"])


@pytest.mark.parametrize(
    ("words", "status"),
    [(["--help"], 0), (["a", "b"], 2), (["-x"], 2), (["a", "b", "--no-tutorials"], 2)],
)
def test_usage(words, status, capsys):
    assert main(words) == status
    assert "usage: python -m nmrqb.docs" in capsys.readouterr().err


def test_only_the_command_needs_the_papers():
    code = "import sys, nmrqb; sys.exit('nmrqb.docs' in sys.modules or 'pdoc' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    pytest.importorskip("pdoc", reason="pdoc is not installed (the extra docs)")
    folder = tmp_path_factory.mktemp("docs") / "site"
    modules = ["nmrqb", "nmrqb.battery", "nmrqb.sample"]
    assert build_docs(folder, papers=[PAPER], modules=modules) == str(folder / "index.html")
    return folder


@pytest.mark.slow
def test_the_reference_holds_all_public_names(site):
    outline = Outline((site / "nmrqb.html").read_text(encoding="utf-8"))
    assert set(nmrqb.__all__) <= outline.ids
    battery = Outline((site / "nmrqb" / "battery.html").read_text(encoding="utf-8"))
    assert {"ergotropy", "Battery.capacity"} <= battery.ids
    assert "Raises" in {word.strip(" :") for word in battery.words}


@pytest.mark.slow
def test_links_lead_somewhere_and_nothing_is_loaded_from_elsewhere(site):
    pages = {path: Outline(path.read_text(encoding="utf-8")) for path in site.rglob("*.html")}
    assert len(pages) == 6
    lost, foreign = set(), set()
    for path, outline in pages.items():
        foreign |= {load for load in outline.loads if load.startswith(("http", "//"))}
        for link in outline.links:
            file, _, anchor = link.partition("#")
            if file.startswith("http"):
                continue
            target = (path.parent / file).resolve() if file else path
            if target not in pages or (anchor and anchor not in pages[target].ids):
                lost.add((path.name, link))
    assert foreign == set()
    assert lost == set()


@pytest.mark.slow
def test_the_page_of_a_paper_is_computed_and_illustrated(site):
    html = (site / "papers" / f"{PAPER}.html").read_text(encoding="utf-8")
    assert "not as on record" not in html
    figures = [load for load in Outline(html).loads if load.endswith(".png")]
    assert len(figures) == len(load_paper(PAPER).drawings)
    for name in figures:
        assert (site / "papers" / name).read_bytes().startswith(b"\x89PNG")


@pytest.mark.slow
def test_built_twice(site):
    before = (site / "index.html").read_bytes()
    assert build_docs(site, papers=[], modules=["nmrqb.errors"]).endswith("index.html")
    assert (site / "index.html").read_bytes() != before
    assert Path(site / "nmrqb" / "errors.html").exists()
    assert not Path(site / "papers").exists()
