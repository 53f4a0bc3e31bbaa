"""Writing the whole documentation into a folder: our pages, and pdoc's of the docstrings."""

from __future__ import annotations

import importlib
import importlib.util
import pkgutil
import warnings
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import ModuleType

from nmrqb.docs.pages import conventions_page, conventions_text, index_page, paper_page
from nmrqb.errors import Fault, InputError, OutputError, Position
from nmrqb.files import FolderKind, check_folder, folder_atomically
from nmrqb.papers import PAPERS, Paper, draw, load_paper, reproduce

INDEX = "index.html"
FOLDER = FolderKind(
    INDEX,
    opening='content="nmrqb ',
    names=frozenset(
        {INDEX, "conventions.html", "papers", "tutorials", "nmrqb", "nmrqb.html", "search.js"}
    ),
)
_BY_HAND = ("__main__", "cli", "docs")  # programs, not parts to build with
_TEMPLATES = Path(__file__).parent / "templates"
_DPI = 110
_AT_ONCE = 2  # kernels of tutorials


def build_docs(
    path: str | Path = "build/docs",
    *,
    papers: Sequence[str] = PAPERS,
    modules: Sequence[str] | None = None,
    tutorials: str | Path | None = None,
) -> str:
    """Write the documentation into a folder and return the page to start from.

    Parameters
    ----------
    path
        The folder; documentation that stands there is replaced whole.
    papers
        Names of the papers that get a page, each reproduced anew.
    modules
        Full names of the modules that get one; all rooms by default.
    tutorials
        Folder of notebooks that are run and get one each, in the order of their names.

    Raises
    ------
    InputError
        If there is no such paper, or no notebook in the folder.
    OutputError
        If a tool is not installed, a notebook stops with an exception, or the folder is not ours
        or cannot be written.
    """
    check_folder(path, FOLDER)
    render = _pdoc_render()
    chosen, names = [load_paper(name) for name in papers], modules or documented_modules()
    notebooks = [] if tutorials is None else _notebooks(Path(tutorials))
    with folder_atomically(path, FOLDER) as folder:
        _write_reference(folder, names)
        _write(folder / "conventions.html", conventions_page(render(conventions_text())))
        for paper in chosen:
            _write_paper(folder / "papers", paper)
        titles = _write_tutorials(folder / "tutorials", notebooks, render, names)
        _write(folder / INDEX, index_page(chosen, names, titles))
    return str(Path(path) / INDEX)


def documented_modules() -> list[str]:
    """Return the full names of all rooms, and of the rooms in them."""
    root = importlib.import_module("nmrqb")
    return [root.__name__, *_rooms(root)]


def _rooms(package: ModuleType) -> Iterator[str]:
    """Yield packages at any depth, and the modules that lie at the root."""
    at_root = "." not in package.__name__
    for found in pkgutil.iter_modules(package.__path__):
        if found.name in _BY_HAND or not (found.ispkg or at_root):
            continue
        name = f"{package.__name__}.{found.name}"
        yield name
        if found.ispkg:
            yield from _rooms(importlib.import_module(name))


def _pdoc_render() -> Callable[[str], str]:
    """Return what turns Markdown into HTML; it comes with pdoc."""
    try:
        from pdoc.render_helpers import to_html  # noqa: PLC0415 - an extra
    except ImportError as error:
        message = "the reference is made with pdoc; install it: pip install nmrqb[docs]"
        raise OutputError(message) from error
    return lambda text: str(to_html(text))


def _write_reference(folder: Path, modules: Sequence[str]) -> None:
    import pdoc  # noqa: PLC0415 - an extra
    import pdoc.render  # noqa: PLC0415

    root = importlib.import_module("nmrqb")
    for name in root.__all__:
        getattr(root, name)  # public names are imported when they are first used
    pdoc.render.configure(
        docformat="numpy", show_source=False, template_directory=_TEMPLATES / "reference"
    )
    with warnings.catch_warnings():  # names that only type checkers see stay as they are written
        warnings.filterwarnings("ignore", message="Error parsing type annotation")
        pdoc.pdoc(*modules, output_directory=folder)


def _write_paper(folder: Path, paper: Paper) -> None:
    pictures = {}
    folder.mkdir(exist_ok=True)
    for item, panels in paper.drawings.items():
        pictures[item] = f"{paper.name}-{item.replace(' ', '-')}.png"
        draw(panels(), f"{paper.name}, {item}").savefig(folder / pictures[item], dpi=_DPI)
    _write(folder / f"{paper.name}.html", paper_page(paper, reproduce(paper.name), pictures))


def _notebooks(folder: Path) -> list[Path]:
    found = sorted(folder.glob("*.ipynb"))
    if not found:
        raise InputError([Fault(Position(str(folder)), "there is no notebook in this folder")])
    for name in ("nbclient", "nbformat", "ipykernel", "latex2mathml"):
        if importlib.util.find_spec(name) is None:
            message = (
                f"tutorials are run and written with {name}; install it: pip install nmrqb[docs]"
            )
            raise OutputError(message)
    return found


def _write_tutorials(
    folder: Path, notebooks: Sequence[Path], render: Callable[[str], str], modules: Sequence[str]
) -> dict[str, str]:
    """Run notebooks, write their pages, and return name to title."""
    if not notebooks:
        return {}
    from nmrqb.docs.kernel import run_notebooks  # noqa: PLC0415 - an extra
    from nmrqb.docs.tutorials import Tutorial, tutorial_page  # noqa: PLC0415

    folder.mkdir()
    ran = run_notebooks(notebooks, _AT_ONCE)
    found = [Tutorial(path.stem, one.cells) for path, one in zip(notebooks, ran, strict=True)]
    for one, before, after in zip(found, [None, *found], [*found[1:], None], strict=False):
        page = tutorial_page(one, render, before=before, after=after, modules=modules)
        _write(folder / f"{one.name}.html", page)
    return {one.name: one.title for one in found}


def _write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")
