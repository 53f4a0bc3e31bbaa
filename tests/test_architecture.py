"""The house: a room imports only from floors below it, modules make no circle, files stay short."""

import ast
import graphlib
from pathlib import Path

import pytest

import nmrqb

PACKAGE = Path(nmrqb.__file__).parent
FILES = sorted(PACKAGE.rglob("*.py"))
MAX_LINES = 500

FLOORS = {
    "errors": 1, "arguments": 1.5,
    "operators": 2, "units": 2, "files": 2,
    "formats": 2.5, "sparse_operators": 2.5, "interop": 2.5,
    "sample": 3,
    "sequence": 4,
    "dynamics": 5,
    "average": 6, "spectrometer": 6, "battery": 6,
    "tomography": 7, "design": 7,
    "experiment": 8,
    "plotting": 9,
    "report": 10, "papers": 10,
    "cli": 11, "docs": 11,
    "__main__": 12,
}  # fmt: skip


def module_name(path):
    """Return ``nmrqb.sample.loader`` of a file, ``nmrqb.sample`` of a package."""
    parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {module_name(path): path for path in FILES}


def is_type_checking(node):
    return isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING")


def walk(node):
    """Yield all nodes, inside functions too, but not what only type checkers see."""
    yield node
    children = node.orelse if is_type_checking(node) else ast.iter_child_nodes(node)
    for child in children:
        yield from walk(child)


def imported(source, module):
    """Yield the full names of what a module imports: modules, and names taken from modules."""
    for node in walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:  # relative to the module's package
                package = module.split(".")[: -node.level] or [module]
                base = ".".join([*package, base]).rstrip(".")
            yield from (f"{base}.{alias.name}" for alias in node.names)


def room(name):
    """Return the room of a full name, or the empty text for the root of the package."""
    parts = name.split(".")
    return parts[1] if len(parts) > 1 and parts[1] in FLOORS else ""


def root_uses(source):
    """Yield what a module takes from the root of the package: ``nmrqb.X`` or from nmrqb."""
    for node in walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom) and node.module == "nmrqb":
            yield from (alias.name for alias in node.names if alias.name not in FLOORS)
        if isinstance(node, ast.Attribute) and ast.unparse(node.value) == "nmrqb":
            yield node.attr


def wrong_imports(source, module):
    """Yield the imports of a module that do not come from a floor below its own."""
    here = room(module)
    for name in imported(source, module):
        there = room(name)
        if name.split(".")[0] != "nmrqb" or there in {here, ""}:
            continue
        if FLOORS[there] >= FLOORS[here]:
            yield name


SOURCES = {module: path.read_text(encoding="utf-8") for module, path in MODULES.items()}
ROOMS = {module: source for module, source in SOURCES.items() if module != "nmrqb"}


def offenders(sources, rule):
    """Return module → what a rule finds wrong in it, for all modules where it finds anything."""
    found = {module: list(rule(source, module)) for module, source in sources.items()}
    return {module: wrong for module, wrong in found.items() if wrong}


# ---------------------------------------------------------------------------------- the direction
def test_every_room_has_a_floor():
    rooms = {path.relative_to(PACKAGE).parts[0].removesuffix(".py") for path in FILES}
    assert rooms - {"__init__"} <= set(FLOORS)
    assert len(rooms) > 12


def test_imports_come_from_below():
    assert offenders(ROOMS, wrong_imports) == {}


def test_the_root_is_asked_for_its_version_only():
    assert offenders(ROOMS, lambda source, _: set(root_uses(source)) - {"__version__"}) == {}


def test_the_root_loads_no_room_by_itself():
    assert not [name for name in imported(SOURCES["nmrqb"], "nmrqb") if "nmrqb" in name]


@pytest.mark.parametrize(
    ("module", "source", "wrong"),
    [
        ("nmrqb.sample.loader", "from nmrqb.sequence import expand", ["nmrqb.sequence.expand"]),
        ("nmrqb.sample.loader", "import nmrqb.cli.app as a", ["nmrqb.cli.app"]),
        ("nmrqb.sample.loader", "def f():\n  from nmrqb import cli", ["nmrqb.cli"]),
        ("nmrqb.battery.energies", "from nmrqb.average import x", ["nmrqb.average.x"]),  # sideways
        ("nmrqb.battery.energies", "from ..report import x", ["nmrqb.report.x"]),
        ("nmrqb.units", "import nmrqb.formats", ["nmrqb.formats"]),
        ("nmrqb.battery.energies", "from nmrqb.battery.model import x", []),
        ("nmrqb.battery.energies", "from .model import x", []),
        ("nmrqb.report.text", "import numpy, nmrqb.average", []),
        ("nmrqb.units", "if TYPE_CHECKING:\n  import nmrqb.cli\nelse:\n  import nmrqb.errors", []),
    ],
)
def test_the_rule_itself(module, source, wrong):
    assert list(wrong_imports(source, module)) == wrong


def test_the_rule_of_the_root_itself():
    assert list(root_uses("import nmrqb\nnmrqb.run()\nnmrqb.__version__")) == ["run", "__version__"]
    assert list(root_uses("from nmrqb import run, units")) == ["run"]


# -------------------------------------------------------------------------------------- circles
def module_graph(sources):
    """Return module → modules it imports, a name taken from a package being its module if it is."""
    graph = {}
    for module, source in sources.items():
        targets = set()
        for name in imported(source, module):
            parent = name.rpartition(".")[0]
            targets |= {name if name in sources else parent} & set(sources)
        graph[module] = targets - {module}
    return graph


def test_modules_make_no_circle():
    order = list(graphlib.TopologicalSorter(module_graph(SOURCES)).static_order())
    assert len(order) == len(MODULES)


def test_a_circle_would_be_seen():
    sources = {"nmrqb.a": "from nmrqb import b", "nmrqb.b": "def f():\n  from nmrqb.a import x"}
    sorter = graphlib.TopologicalSorter(module_graph(sources))
    with pytest.raises(graphlib.CycleError, match="cycle"):
        sorter.prepare()


# ----------------------------------------------------------------------------------- every file
def test_files_are_short():
    lengths = {module: len(source.splitlines()) for module, source in SOURCES.items()}
    assert {module: n for module, n in lengths.items() if n > MAX_LINES} == {}


def test_every_module_says_what_it_is():
    assert [module for module in SOURCES if not ast.get_docstring(ast.parse(SOURCES[module]))] == []


def calls(source, *names):
    """Return which of the named builtins a module calls."""
    return {
        node.func.id
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in names
    }


def test_no_text_is_ever_run():
    run = ("eval", "exec", "compile", "__import__")
    assert offenders(SOURCES, lambda source, _: calls(source, *run)) == {}
    # pint's own calculator would hang on 10**8**8
    assert [module for module, source in SOURCES.items() if "parse_expression(" in source] == []


def pyplot(source, module):
    return [name for name in imported(source, module) if "pyplot" in name or "pylab" in name]


def test_pictures_are_made_without_pyplot():
    assert offenders(SOURCES, pyplot) == {}


def test_the_rules_of_files_themselves():
    assert calls("x = [eval('1')]\nexec('2'); f.exec()", "eval", "exec") == {"eval", "exec"}
    assert pyplot("from matplotlib import pyplot", "nmrqb.x") == ["matplotlib.pyplot"]
    assert offenders({"a": "eval('')", "b": ""}, lambda s, _: calls(s, "eval")) == {"a": ["eval"]}
