"""Pages of tutorials: text, formulas, links, outputs; a notebook that is run and built in."""

import base64
import re
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest

from nmrqb.docs import build_docs, documented_modules, index_page
from nmrqb.docs.__main__ import main
from nmrqb.errors import InputError, OutputError

nbformat = pytest.importorskip("nbformat", reason="nbformat is not installed (the extra docs)")
pytest.importorskip("latex2mathml", reason="latex2mathml is not installed (the extra docs)")

PNG = base64.b64encode(b"\x89PNG not really").decode()
MODULES = ["nmrqb", "nmrqb.battery"]


class Page(HTMLParser):
    """Reads a page: words by the innermost tag, links, sources; tags must be in balance."""

    def __init__(self, text):
        super().__init__()
        self.open, self.words, self.links, self.sources, self.tags = [], {}, {}, [], []
        self.feed(text)
        assert not self.open

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        values = dict(attrs)
        self.links |= {values["href"]: ""} if tag == "a" else {}
        self.sources += [values["src"]] if "src" in values else []
        if tag not in {"meta", "link", "img", "br", "hr"}:
            self.open.append((tag, values))

    def handle_endtag(self, tag):
        assert self.open.pop()[0] == tag

    def handle_data(self, data):
        tag, values = self.open[-1] if self.open else ("", {})
        self.words[tag] = self.words.get(tag, "") + data
        if tag == "a":
            self.links[values["href"]] += data


def markdown(source):
    return {"cell_type": "markdown", "source": source}


def code(source, *outputs):
    return {"cell_type": "code", "source": source, "outputs": outputs}


def printed(text):
    return {"output_type": "stream", "name": "stdout", "text": text}


def picture(data):
    return {"output_type": "display_data", "data": {"image/png": data, "text/plain": "<Figure>"}}


@pytest.fixture
def page():
    """Return what makes a page of cells, once as text and once read."""
    from pdoc.render_helpers import to_html

    from nmrqb.docs.tutorials import Tutorial, tutorial_page

    def made(*cells, **neighbours):
        near = {key: Tutorial(name, [markdown(f"# {name}")]) for key, name in neighbours.items()}
        tutorial = Tutorial("01_x", [markdown("# A & B"), *cells])
        text = tutorial_page(tutorial, to_html, modules=MODULES, **near)
        return text, Page(text)

    return made


# --------------------------------------------------------------------------------------- the text
def test_text_and_neighbours(page):
    _, read = page(
        markdown("## 1. One\n\nSome *words*.\n\n> **How** this fails"), before="00", after="02"
    )
    assert read.words["h1"] == "A & B"
    assert read.words["title"] == "A & B"
    assert read.words["em"] == "words"
    assert "blockquote" in read.tags
    assert read.links["00.html"] == "← 00"
    assert read.links["02.html"] == "02 →"


def test_formulas_become_mathml_and_code_keeps_its_dollars(page):
    text, read = page(
        markdown("$x_1 < y_2*z*$ and `$HOME` and\n\n$$\\xi = \\frac{a}{b}$$\n\n`a $b$ c`")
    )
    assert text.count("<math") == 2
    assert read.tags.count("mfrac") == 1
    assert read.tags.count("msub") == 2  # no Markdown inside of a formula
    assert "em" not in read.tags
    assert "$HOME" in read.words["code"]
    assert "a $b$ c" in read.words["code"]
    assert "\ue000" not in text


@pytest.mark.parametrize(
    ("link", "target"),
    [
        ("02_calibrate.ipynb", "02_calibrate.html"),
        ("02_calibrate.ipynb#s1", "02_calibrate.html#s1"),
        ("../nmrqb/battery", "../nmrqb/battery.html"),
        ("../nmrqb/battery/star.py", "../nmrqb/battery.html"),
        ("../nmrqb/average", "../nmrqb.html"),
        ("https://example.org/a?b=1&amp;c", "https://example.org/a?b=1&c"),
        ("../sequences/samples/chloroform.yaml", None),
    ],
)
def test_links_lead_to_pages_or_are_taken_out(link, target, page):
    _, read = page(markdown(f"See [`this`]({link}) there."))
    assert set(read.links) - {"../index.html", "../conventions.html", "../nmrqb.html"} == (
        {target} - {None, "../nmrqb.html"}
    )
    assert (target == "../nmrqb.html") == (read.links["../nmrqb.html"] != "Reference")
    assert "this" in read.words["code"]


# ------------------------------------------------------------------------------------ the outputs
def test_outputs_stand_in_their_order(page):
    cell = code(
        "plot(a < b)",
        printed("one\n"),
        printed("\x1b[31mtwo\x1b[0m"),
        picture(PNG),
        printed("three"),
    )
    text, read = page(cell)
    assert "plot(a < b)" in read.words["code"]
    places = [text.index(x) for x in ("plot(a &lt; b)", "one\ntwo", "data:image/png", ">three<")]
    assert places == sorted(places)
    assert read.sources == [f"data:image/png;base64,{PNG}"]
    assert "<Figure>" not in read.words["pre"]


def test_markup_in_what_is_printed_stays_text(page):
    text, read = page(code("x", printed("<script>alert(1)</script>")))
    assert "script" not in read.tags
    assert "&lt;script&gt;" in text


def test_checks_are_folded(page):
    _, read = page(code("# check: the numbers of section 1\nassert True"), code("a = 1"))
    assert read.words["summary"] == "check: the numbers of section 1"
    assert read.tags.count("details") == 1


def test_index_names_tutorials():
    read = Page(index_page([], [], {"01_x": "A & B"}))
    assert read.links["tutorials/01_x.html"] == "A & B"
    assert "Tutorials" not in Page(index_page([], [])).words["h2"]


# ----------------------------------------------------------------------------------------- running
def written(folder, *cells, name="01_tiny"):
    v4 = nbformat.v4
    kinds = {"markdown": v4.new_markdown_cell, "code": v4.new_code_cell}
    notebook = v4.new_notebook(cells=[kinds[c["cell_type"]](c["source"]) for c in cells])
    folder.mkdir(exist_ok=True)
    nbformat.write(notebook, folder / f"{name}.ipynb")
    return folder


PLOT = """%matplotlib inline
import os, sys, matplotlib.pyplot as plt, nmrqb
print(sys.executable, nmrqb.__file__, os.listdir())
plt.plot([1, 2]);"""


def test_a_tutorial_is_run_and_built_into_the_site(tmp_path, monkeypatch):
    import nmrqb

    monkeypatch.delenv("PYTHONPATH", raising=False)
    notebooks = written(tmp_path / "notebooks", markdown("# Tiny\n\n$a^2$"), code(PLOT))
    before = (notebooks / "01_tiny.ipynb").read_bytes()
    index = build_docs(tmp_path / "site", papers=[], modules=["nmrqb.errors"], tutorials=notebooks)
    assert Page((tmp_path / "site" / "index.html").read_text("utf-8")).links[
        "tutorials/01_tiny.html"
    ]
    assert index == str(tmp_path / "site" / "index.html")
    read = Page((tmp_path / "site" / "tutorials" / "01_tiny.html").read_text("utf-8"))
    assert f"{sys.executable} {nmrqb.__file__}" in read.words["pre"]  # the same code
    assert "['.ipython']" in read.words["pre"]  # an empty folder but for the kernel's settings
    (drawn,) = read.sources
    assert base64.b64decode(drawn.partition(",")[2]).startswith(b"\x89PNG")
    assert (notebooks / "01_tiny.ipynb").read_bytes() == before


def test_a_tutorial_that_stops_is_told_and_nothing_is_written(tmp_path):
    notebooks = written(tmp_path / "notebooks", code("1 / 0"))
    with pytest.raises(
        OutputError, match=r"01_tiny\.ipynb` stops with ZeroDivisionError: division"
    ):
        build_docs(tmp_path / "site", papers=[], modules=["nmrqb.errors"], tutorials=notebooks)
    assert [path.name for path in tmp_path.iterdir()] == ["notebooks"]


def test_a_folder_without_notebooks_is_refused(tmp_path):
    with pytest.raises(InputError, match="there is no notebook in this folder"):
        build_docs(tmp_path / "site", papers=[], modules=["nmrqb.errors"], tutorials=tmp_path)


def test_a_missing_tool_is_named(tmp_path, monkeypatch):
    notebooks = written(tmp_path / "notebooks", code("1"))
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None if name == "nbclient" else 1)
    with pytest.raises(OutputError, match=r"with nbclient; install it: pip install nmrqb\[docs\]"):
        build_docs(tmp_path / "site", papers=[], modules=["nmrqb.errors"], tutorials=notebooks)


@pytest.mark.parametrize(
    ("words", "here", "wanted", "said"),
    [
        ([], True, "tutorials", ""),
        (["--no-tutorials"], True, None, ""),
        ([], False, None, "are left out"),
    ],
)
def test_the_command_takes_the_tutorials_of_a_clone(
    words, here, wanted, said, tmp_path, monkeypatch, capsys
):
    asked = []
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(
        "nmrqb.docs.__main__.build_docs", lambda *_, tutorials: asked.append(tutorials) or "x"
    )
    if here:
        (tmp_path / "tutorials").mkdir()
    assert main(words) == 0
    assert [folder and str(folder) for folder in asked] == [wanted]
    assert said in capsys.readouterr().err


TUTORIALS = sorted((Path(__file__).resolve().parents[2] / "tutorials").glob("*.ipynb"))


@pytest.mark.parametrize("path", TUTORIALS, ids=lambda path: path.stem)
def test_all_tutorials_become_pages_whose_links_lead_somewhere(path):
    """As they are stored, without outputs: every formula is one, and every link has its page."""
    from pdoc.render_helpers import to_html

    from nmrqb.docs.tutorials import Tutorial, tutorial_page

    modules = documented_modules()
    cells = nbformat.read(path, as_version=4).cells
    read = Page(tutorial_page(Tutorial(path.stem, cells), to_html, modules=modules))
    known = {f"{other.stem}.html" for other in TUTORIALS}
    known |= {f"../{name.replace('.', '/')}.html" for name in modules}
    assert set(read.links) <= known | {"../index.html", "../conventions.html"}
    prose = "".join(words for tag, words in read.words.items() if tag not in {"code", "style"})
    assert "$" not in prose
    assert "\\" not in prose
    assert read.tags.count("math") == sum(
        len(re.findall(r"\$\$.+?\$\$|\$[^$]+\$", re.sub(r"`[^`]*`", "", cell.source), re.DOTALL))
        for cell in cells
        if cell.cell_type == "markdown"
    )
