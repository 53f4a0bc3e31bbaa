"""`nmrqb sweep`: options, one JSON document, resuming, faults, and interrupts."""

import os
import pty
import signal
import subprocess
import sys
import threading
import time

import pytest

from nmrqb.experiment.sweeps import open_map, workers

D, G = "battery.D=0Hz:20Hz:5", "battery.G=-5Hz:5Hz:3"


@pytest.fixture(autouse=True)
def here(monkeypatch):
    """Compute in this process: what processes do is tested where they are."""
    monkeypatch.setattr(workers, "on_cores", lambda job, blocks, workers: workers_in(job, blocks))


def workers_in(job, blocks):
    return workers.in_process(job, blocks)


def test_a_table_for_people_and_a_document_for_programs(cli, tmp_path):
    first = cli("sweep", "charge_dm_ksea", "--over", D, "--over", G)
    assert first.status == 0
    assert first.err == ""
    assert "map of charge_dm_ksea: 15 points (grid), seed 1" in first.out
    assert "charge_dm_ksea-map/map.png" in first.out
    again = cli("sweep", "charge_dm_ksea", "--over", D, "--over", G, "--json")
    assert again.document["found_points"] == again.document["points"] == 15
    assert [axis["path"] for axis in again.document["axes"]] == ["battery.D", "battery.G"]
    assert open_map(tmp_path / "charge_dm_ksea-map").ergotropy_max.shape == (5, 3)


def test_every_option_reaches_the_map(cli, tmp_path):
    (tmp_path / "p.csv").write_text("battery.D (Hz)\n1\n2\n")
    common = ["sweep", "charge_dm_ksea", "--json", "--set", "charge.times.points=5"]
    cube = cli(
        *common, "--over", "battery.D=1Hz:9Hz", "--lhs", 6, "--seed", 4, "--out", "a",
        "--figures", "ergotropy, energy", "--reduce", "max,argmax", "--block", 100,
    ).document  # fmt: skip
    assert (cube["kind"], cube["points"], cube["seed"]) == ("latin hypercube", 6, 4)
    names = {array["name"] for array in cube["arrays"]}
    assert names == {f"{f}_{r}" for f in ("ergotropy", "energy") for r in ("max", "argmax")}
    table = cli(*common, "--list", "p.csv", "--out", "b", "--reduce", "none").document
    assert (table["kind"], table["dimensions"]) == ("table", {"point": 2, "time": 5})
    few = ["--set", "measure.replicas=50", "--set", "measure.points=64", "--figures", "ergotropy"]
    measured = cli(*common, "--list", "p.csv", "--out", "c", "--tomography", *few).document
    assert "ergotropy_max_estimate_low" in {array["name"] for array in measured["arrays"]}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--over", "battery.X=1Hz:2Hz:3"], "--over battery.X:1:1: unknown key `X`"),
        (["--over", "battery.D"], "--over battery.D:1:1: must be NAME=VALUE"),
        (["--over", "battery.D=1Hz:2Hz:x"], "the number of points must be 1 or more"),
        (["--over", D, "--figures", "ergotropi"], "did you mean `ergotropy`"),
        (["--over", D, "--list", "p.csv"], "--list p.csv:1:1: holds all points"),
        (["--list", "p.csv"], "p.csv:1:1: there is no file `p.csv`"),
        (["--over", D, "--out", "."], "current folder"),
        ([], "no parameters to sweep"),
    ],
)
def test_faults_are_one_line_each_and_leave_nothing(cli, tmp_path, arguments, message):
    done = cli("sweep", "charge_dm_ksea", *arguments)
    assert done.status == 2
    assert done.out == ""
    assert message in done.err
    assert done.err.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_an_interrupt_keeps_what_is_finished(cli, tmp_path, monkeypatch):
    def interrupted(job, blocks):
        yield from [next(workers.in_process(job, blocks))]
        raise KeyboardInterrupt

    monkeypatch.setattr(workers, "on_cores", lambda job, blocks, workers: interrupted(job, blocks))
    over = ["--over", "battery.D=0Hz:20Hz:50", "--over", "battery.G=1Hz:2Hz:30", "--block", 1]
    done = cli("sweep", "charge_dm_ksea", *over, "--out", "m")
    assert done.status == 130
    assert "finished blocks are in m, and the same command goes on" in done.err
    part = open_map(tmp_path / "m")
    assert 0 < part.attrs["finished_points"] < 1500


def test_an_interrupt_before_the_first_block_promises_nothing(cli, monkeypatch):
    def interrupted(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(workers, "on_cores", lambda job, blocks, workers: interrupted())
    done = cli("sweep", "charge_dm_ksea", "--over", D, "--out", "m")
    assert (done.status, done.err) == (130, "interrupted; no block was finished\n")
    monkeypatch.setattr("nmrqb.experiment.sweeps.sweep", interrupted)
    done = cli("sweep", "charge_dm_ksea", "--over", D, "--out", "i2")
    assert (done.status, done.err) == (130, "interrupted; no block was finished\n")


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="needs a pseudo-terminal")
def test_a_bar_on_a_terminal_an_interrupt_and_no_bar_in_a_pipe(tmp_path):
    ours, theirs = pty.openpty()
    command = [
        sys.executable, "-m", "nmrqb", "sweep", "charge_dm_ksea", "--workers", "1", "--out", "m",
        "--over", "battery.D=0Hz:20Hz:2000", "--over", "battery.G=1Hz:2Hz:1000", "--block", "1000",
    ]  # fmt: skip
    environment = {**os.environ, "TERM": "xterm", "COLUMNS": "100"}
    with subprocess.Popen(
        command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=theirs, env=environment
    ) as process:
        os.close(theirs)
        late = threading.Timer(150, process.kill)  # rather than wait for ever
        late.start()
        seen = b""
        while not (b"%" in seen and finished(tmp_path / "m") > 3):
            seen += os.read(ours, 4096)
        process.send_signal(signal.SIGINT)
        while True:
            try:
                seen += os.read(ours, 4096)
            except OSError:  # the other end is closed
                break
        assert process.wait() == 130
        late.cancel()
    os.close(ours)
    text = seen.decode(errors="replace")
    assert "sweeping charge_dm_ksea" in text
    assert "0:0" in text  # time left
    assert "Traceback" not in text
    assert "the same command goes on" in text
    small = [*command[:7], "--out", "small", "--over", D]
    done = subprocess.run(small, cwd=tmp_path, capture_output=True, check=True)
    assert done.stderr == b""


def finished(folder):
    path = folder / "finished.txt"
    time.sleep(0.01)
    return path.read_bytes().count(b"\n") if path.exists() else 0
