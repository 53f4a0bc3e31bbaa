"""Ways to call the command line: in this process, and as a process of its own."""

import contextlib
import io
import json
import os
import signal
import subprocess
import sys
from dataclasses import dataclass
from unittest import mock

import pytest

from nmrqb.cli import main
from nmrqb.report.pictures import new_figure


@dataclass(frozen=True)
class Outcome:
    """What a call left: exit status, standard output, standard error."""

    status: int
    out: str
    err: str

    @property
    def document(self):
        """The one JSON document on standard output."""
        return json.loads(self.out)


def call_main(*arguments, encoding="utf-8"):
    """Run ``nmrqb ARGUMENTS`` in this process, on streams of an encoding."""
    streams = [io.TextIOWrapper(io.BytesIO(), encoding=encoding, newline="") for _ in range(2)]
    before = signal.getsignal(signal.SIGTERM)
    status = 0
    with (
        mock.patch.object(sys, "argv", ["nmrqb", *map(str, arguments)]),
        contextlib.redirect_stdout(streams[0]),
        contextlib.redirect_stderr(streams[1]),
    ):
        try:
            main()
        except SystemExit as leaving:
            status = leaving.code
        finally:
            signal.signal(signal.SIGTERM, before)
    texts = []
    for stream in streams:
        stream.flush()
        texts.append(stream.buffer.getvalue().decode(encoding))
    return Outcome(status, *texts)


@pytest.fixture
def cli(tmp_path, monkeypatch):
    """Return `call_main`, in an empty folder."""
    monkeypatch.chdir(tmp_path)
    return call_main


@pytest.fixture
def no_pictures(monkeypatch):
    """Make result folders quick to write: one tiny picture instead of four."""
    monkeypatch.setattr(
        "nmrqb.report.folder.result_figures", lambda _: {"state.png": new_figure(1, 1)}
    )


@pytest.fixture
def process(tmp_path):
    """Return a function that runs ``python -m nmrqb`` in an empty folder."""

    def run(*arguments, without=(), **variables):
        environment = {k: v for k, v in os.environ.items() if k not in without} | variables
        done = subprocess.run(
            [sys.executable, "-m", "nmrqb", *map(str, arguments)],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            timeout=120,
            check=False,
        )
        encoding = variables.get("PYTHONIOENCODING", "utf-8")
        return Outcome(done.returncode, done.stdout.decode(encoding), done.stderr.decode(encoding))

    return run


@pytest.fixture(scope="session")
def shipped_run(tmp_path_factory):
    """Run a shipped experiment once, pictures and all: (outcome, folder)."""
    here = tmp_path_factory.mktemp("shipped")
    with contextlib.chdir(here):
        outcome = call_main("run", "charge_dm_ksea", "--json")
    return outcome, here / "charge_dm_ksea-results"
