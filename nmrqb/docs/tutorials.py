"""Pages of the tutorials: a notebook with its outputs becomes one file that needs no other.

Pictures are part of the page, formulas are MathML.  Links between notebooks lead from page to page,
links to the code lead to its reference; other files of the repository are named, not linked.
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from latex2mathml.converter import convert

from nmrqb.docs.pages import rendered

Markdown = Callable[[str], str]
_CODE = re.compile(r"(```.*?```|`[^`\n]*`)", re.DOTALL)
_FORMULA = re.compile(r"\$\$(?P<block>.+?)\$\$|\$(?P<inline>[^$]+?)\$", re.DOTALL)
_PLACE = re.compile("\ue000(\\d+)\ue001")  # characters of private use: no Markdown, in no text
_LINK = re.compile(r'<a href="(?P<target>[^"]*)">(?P<text>.*?)</a>', re.DOTALL)
_NOTEBOOK = re.compile(r"(?P<name>\w+)\.ipynb(?P<anchor>#.*)?")
_COLOURS = re.compile("\x1b\\[[0-9;]*m")
_CHECK = re.compile(r"# (check: .*)")


@dataclass(frozen=True)
class Tutorial:
    """A notebook with its outputs.

    Attributes
    ----------
    name
        Of its file, without the suffix.
    cells
        As in a notebook file: ``cell_type``, ``source``, and ``outputs`` of code.
    """

    name: str
    cells: Sequence[Mapping[str, Any]]

    @property
    def title(self) -> str:
        """First heading, or the name."""
        texts = (str(cell["source"]) for cell in self.cells if cell["cell_type"] == "markdown")
        found = re.search(r"^# +(.+)$", "\n\n".join(texts), re.MULTILINE)
        return found[1] if found else self.name


@dataclass(frozen=True)
class Part:
    """One piece of a page: ``html`` as it is, other kinds as text; ``check`` has a heading."""

    kind: Literal["html", "code", "check", "text", "picture"]
    content: str
    heading: str = ""


def tutorial_page(
    tutorial: Tutorial,
    render: Markdown,
    *,
    before: Tutorial | None = None,
    after: Tutorial | None = None,
    modules: Collection[str] = (),
) -> str:
    """Return the page of a tutorial.

    Parameters
    ----------
    tutorial
        The notebook, run.
    render
        Turns Markdown into HTML.
    before, after
        The tutorials that it lies between.
    modules
        Full names of the modules that have a page.
    """
    parts = [part for cell in tutorial.cells for part in _parts(cell, render, modules)]
    names = {"root": "../", "title": tutorial.title, "name": tutorial.name}
    return rendered("tutorial.html", **names, parts=parts, before=before, after=after)


def _parts(cell: Mapping[str, Any], render: Markdown, modules: Collection[str]) -> Iterator[Part]:
    source = str(cell["source"])
    if cell["cell_type"] == "markdown":
        yield Part("html", _linked(_with_formulas(source, render), modules))
    elif cell["cell_type"] == "code":
        check = _CHECK.match(source)
        yield Part("check", source, check[1]) if check else Part("code", source)
        yield from _outputs(cell["outputs"])


# ---------------------------------------------------------------------------------------- the text
def _with_formulas(source: str, render: Markdown) -> str:
    """Return HTML in which formulas between dollars are MathML; code keeps its dollars."""
    formulas: list[str] = []

    def keep(found: re.Match[str]) -> str:
        block = found["block"]
        text = " ".join((block or found["inline"]).split())
        formulas.append(convert(text, display="block" if block else "inline"))
        return f"\ue000{len(formulas) - 1}\ue001"

    pieces = _CODE.split(source)
    pieces[::2] = [_FORMULA.sub(keep, piece) for piece in pieces[::2]]
    return _PLACE.sub(lambda found: formulas[int(found[1])], render("".join(pieces)))


def _linked(page: str, modules: Collection[str]) -> str:
    """Return a page whose links lead somewhere; what has no page keeps its text alone."""

    def link(found: re.Match[str]) -> str:
        target = _target(html.unescape(found["target"]), modules)
        return f'<a href="{html.escape(target)}">{found["text"]}</a>' if target else found["text"]

    return _LINK.sub(link, page)


def _target(link: str, modules: Collection[str]) -> str | None:
    if link.startswith(("http://", "https://", "#")):
        return link
    if found := _NOTEBOOK.fullmatch(link):
        return f"{found['name']}.html{found['anchor'] or ''}"
    name = link.removeprefix("../").removesuffix(".py").strip("/").replace("/", ".")
    while name and name not in modules:
        name = name.rpartition(".")[0]
    return f"../{name.replace('.', '/')}.html" if name else None


# ------------------------------------------------------------------------------------- the outputs
def _outputs(outputs: Sequence[Mapping[str, Any]]) -> Iterator[Part]:
    """Yield what a cell shows; texts that follow each other are one."""
    printed = ""
    for output in outputs:
        data = output.get("data", {})
        if "image/png" in data:
            if printed:
                yield Part("text", printed)
            printed = ""
            yield Part("picture", "".join(str(data["image/png"]).split()))
        else:
            printed += _COLOURS.sub("", str(output.get("text", data.get("text/plain", ""))))
    if printed.strip():
        yield Part("text", printed)
