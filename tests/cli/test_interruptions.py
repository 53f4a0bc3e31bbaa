"""A run stopped half-way leaves no folder, or the old one whole, and exits with 130."""

import os
import signal
import subprocess
import sys

import pytest

pytestmark = pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")

# the real program, held for a minute at one place of a run
HOLD = """\
import sys, time
from nmrqb.cli import main
import {module} as place

def hold(*_, **__):
    print("held", file=sys.stderr, flush=True)
    time.sleep(60)

place.{function} = hold
main()
"""
SMALL = ("--set", "charge.times.points=3", "--set", "measure.replicas=50",
         "--set", "measure.points=64")  # fmt: skip
OURS = '{"format": "nmrqb-result/1"}'


def default_signals():
    """Take SIGINT as a terminal gives it, also where the tests run in the background."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def halted(folder, module, function, number):
    """Start a run, stop it by a signal at a place, and return its exit status and output."""
    program = HOLD.format(module=module, function=function)
    command = [sys.executable, "-c", program, "run", "charge_dm_ksea", *SMALL, "--out", "out"]
    with subprocess.Popen(
        command,
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=default_signals,  # noqa: PLW1509 - no threads here
    ) as process:
        assert process.stderr.readline() == "held\n"
        seen = {path.name for path in folder.iterdir()}
        process.send_signal(number)
        out, err = process.communicate(timeout=30)
    return process.returncode, out, err, seen


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["SIGINT", "SIGTERM"])
def test_a_run_that_is_stopped_while_computing(tmp_path, number):
    status, out, err, _ = halted(tmp_path, "nmrqb.experiment.runner", "intervals", number)
    assert (status, out) == (130, "")
    assert err == "interrupted; nothing was written\n"
    assert list(tmp_path.iterdir()) == []


def test_a_run_that_is_stopped_while_writing_keeps_the_old_folder(tmp_path):
    old = tmp_path / "out"
    old.mkdir()
    (old / "summary.json").write_text(OURS)
    (old / "result.nc").write_text("old numbers")
    status, out, err, seen = halted(tmp_path, "nmrqb.report.folder", "to_real", signal.SIGINT)
    assert len(seen) == 2  # the new folder was there, under another name
    assert (status, out) == (130, "")
    assert "Traceback" not in err
    assert [path.name for path in tmp_path.iterdir()] == ["out"]
    assert {path.name: path.read_text() for path in old.iterdir()} == {
        "summary.json": OURS,
        "result.nc": "old numbers",
    }


def test_a_program_that_is_stopped_before_it_has_begun(cli, monkeypatch):
    def stopped(**_):
        raise KeyboardInterrupt

    monkeypatch.setattr("nmrqb.cli.app.app", stopped)
    outcome = cli("list")
    assert (outcome.status, outcome.out) == (130, "")
