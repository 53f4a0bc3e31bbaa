"""Terminals, pipes, encodings, and what a start costs."""

import ast
import os
import subprocess
import sys
import unicodedata
from pathlib import Path

import pytest

import nmrqb
from nmrqb.cli.console import degrade

SMALL = ("--set", "charge.times.points=3", "--set", "measure.replicas=50",
         "--set", "measure.points=64")  # fmt: skip


# -------------------------------------------------------------------------------------- encodings
@pytest.mark.parametrize(
    ("text", "encoding", "shown"),
    [
        ("Δ = 10 Hz", "utf-8", "Δ = 10 Hz"),
        ("Δ = 10 Hz, 77 µs", "ascii", "Delta = 10 Hz, 77 us"),
        ("77 µs", "latin-1", "77 µs"),
        ("Δ and µ", "latin-1", "Delta and u"),
        ("ξ/h ≥ 0 · ½", "cp1252", "xi/h >= 0 * 1/2"),
        ("⚛", "ascii", "?"),
        ("0.3 ± 0.1, ¼", "cp1251", "0.3 +- 0.1, 1/4"),
        ("3·10⁻³ s⁻¹, m³, T₂", "ascii", "3*10^-3 s^-1, m^3, T2"),
        ("Müller, Łukasz, Çelik, Gauß", "ascii", "Muller, Lukasz, Celik, Gauss"),
        ("ϕ ≠ Θ, Ω̃", "latin-1", "phi != Theta, Omega"),
        ("Δ", None, "Delta"),
        ("Δ", "no-such-encoding", "Delta"),
    ],
)
def test_what_an_encoding_cannot_hold_is_spelt_out(text, encoding, shown):
    assert degrade(text, encoding) == shown


PACKAGE = Path(nmrqb.__file__).parent
READERS = {PACKAGE / "files" / name for name in ("documents.py", "yaml_text.py")}  # ranges of YAML


def words_of(file):
    """Yield the texts and names of a module, the text of any other file."""
    text = file.read_text(encoding="utf-8")
    if file.suffix != ".py":
        yield text
        return
    for node in ast.walk(ast.parse(text)):
        for value in (getattr(node, key, None) for key in ("value", "id", "arg", "attr", "name")):
            if isinstance(value, str):
                yield value


def test_nothing_that_the_package_says_becomes_a_question_mark():
    files = [f for kind in ("py", "yaml") for f in PACKAGE.rglob(f"*.{kind}") if f not in READERS]
    assert {"cli", "experiment", "tomography", "average", "papers", "spectrometer"} <= {
        file.relative_to(PACKAGE).parts[0] for file in files
    }
    said = {c for file in files for word in words_of(file) for c in word if not c.isascii()}
    said = {c for c in said if unicodedata.category(c)[0] != "C"}  # what no terminal shows
    assert "±" in said
    assert sorted(c for c in said if "?" in degrade(c, "ascii")) == []
    assert all(degrade(c, "ascii").isascii() for c in said)


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "utf-8"])
def test_a_run_prints_on_any_terminal(cli, no_pictures, encoding, tmp_path):
    outcome = cli("run", "charge_dm_ksea", *SMALL, encoding=encoding)
    assert outcome.status == 0
    delta = "Δ = 10 Hz" if encoding == "utf-8" else "Delta = 10 Hz"
    assert delta in outcome.out
    assert "?" not in outcome.out
    written = (tmp_path / "charge_dm_ksea-results" / "summary.txt").read_text(encoding="utf-8")
    assert "Δ = 10 Hz" in written  # files are UTF-8 wherever one is


@pytest.mark.parametrize("encoding", ["ascii", "latin-1"])
def test_every_other_verb_prints_on_any_terminal(cli, encoding):
    for arguments in (["list"], ["show", "dm"], ["compile", "literature_dm"], ["schema", "sample"],
                      ["new", "sample"], ["check", "dm"], ["show", "chloroform"],
                      ["run", "--help"], ["list", "--json"]):  # fmt: skip
        outcome = cli(*arguments, encoding=encoding)
        assert outcome.status in {0, 1}, arguments
        assert outcome.out
        assert "?" not in outcome.out, arguments
    outcome = cli("check", "Δ.yaml", encoding=encoding)
    assert outcome.err.startswith("Delta.yaml:1:1: ")


def test_a_process_obeys_its_encoding(process):
    outcome = process("compile", "literature_dm", PYTHONIOENCODING="ascii")
    assert outcome.status == 1
    assert "1H-13C (Hz)" in outcome.out
    assert outcome.err == ""


# -------------------------------------------------------------------------------- as a process
def test_python_m_nmrqb_is_the_same(process, cli):
    outcome = process("compile", "dm", "--json")
    assert outcome == cli("compile", "dm", "--json")
    assert outcome.document["named_hz"]["DM_z"] == pytest.approx(215.13 / 8)


def test_pictures_need_no_screen(process, tmp_path):
    outcome = process("plot", "dm", without=("DISPLAY", "WAYLAND_DISPLAY", "MPLBACKEND"))
    assert (outcome.status, outcome.err) == (0, "")
    assert (tmp_path / "dm.png").read_bytes().startswith(b"\x89PNG\r\n\x1a\n")


def test_a_fault_of_a_process_is_a_plain_line(process):
    outcome = process("run", "nowhere.yaml", "--json", COLUMNS="20")
    assert (outcome.status, outcome.out) == (2, "")
    assert outcome.err == "nowhere.yaml:1:1: there is no file `nowhere.yaml`\n"


@pytest.mark.skipif(os.name != "posix", reason="pipes of POSIX")
def test_a_reader_that_leaves_early_is_no_fault():
    """As of ``nmrqb show dm | head -1``, but certain to find the pipe closed."""
    reading, writing = os.pipe()
    os.close(reading)
    try:
        done = subprocess.run(
            [sys.executable, "-m", "nmrqb", "show", "dm"],
            stdout=writing,
            stderr=subprocess.PIPE,
            check=False,
        )
    finally:
        os.close(writing)
    assert (done.returncode, done.stderr) == (0, b"")


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="a device of Linux")  # noqa: PTH110
def test_standard_output_that_takes_no_more_is_told():
    with open("/dev/full", "w") as full:  # noqa: PTH123
        done = subprocess.run(
            [sys.executable, "-m", "nmrqb", "list"],
            stdout=full,
            stderr=subprocess.PIPE,
            check=False,
        )
    assert done.returncode == 2
    assert b"No space left on device" in done.stderr
    assert b"Traceback" not in done.stderr
    assert done.stderr.count(b"\n") == 1


# ------------------------------------------------------------------------------- what it costs
def cpu_seconds(*arguments):
    """Return the CPU time of a process of its own."""
    with subprocess.Popen(
        [sys.executable, "-m", "nmrqb", *arguments], stdout=subprocess.DEVNULL
    ) as process:
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0
    return usage.ru_utime + usage.ru_stime


@pytest.mark.skipif(not hasattr(os, "wait4"), reason="asks POSIX for the CPU time of a child")
def test_help_is_quick():
    assert min(cpu_seconds("--help") for _ in range(3)) < 0.6


@pytest.mark.parametrize("program", ["import nmrqb", "import nmrqb.cli.app"])
def test_heavy_libraries_are_loaded_only_where_they_are_used(program):
    heavy = "{'numpy', 'scipy', 'xarray', 'qutip', 'matplotlib', 'pint', 'pandas', 'h5py'}"
    check = f"{program}; import sys; sys.exit(', '.join({heavy} & set(sys.modules)) or 0)"
    done = subprocess.run([sys.executable, "-c", check], capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, b"")
