"""Processes and a Dask cluster give the same bits as one process, and may be lost."""

import json
import multiprocessing
import os
import signal
import subprocess
import sys
import time

import pytest

from nmrqb.errors import NmrqbError, OutputError
from nmrqb.experiment.sweeps import workers

OVER = {"battery.D": "0Hz:20Hz:200", "battery.G": "-5Hz:5Hz:100"}
DASK = [sys.executable, "-m"]
QUIET = ["--no-dashboard", "--scheduler-file"]


@pytest.fixture
def cluster(tmp_path):
    """Return the address of a scheduler, and the processes of its two workers."""
    pytest.importorskip("distributed")
    file = tmp_path / "scheduler.json"
    module, options = "distributed.cli.dask_scheduler", ["--host", "127.0.0.1", "--port", "0"]
    started = [subprocess.Popen([*DASK, module, *options, *QUIET, file], stderr=subprocess.DEVNULL)]
    while not file.exists():
        assert started[0].poll() is None
        time.sleep(0.05)
    module, options = "distributed.cli.dask_worker", ["--no-nanny", "--nthreads", "1"]
    for _ in range(2):
        command = [*DASK, module, *options, *QUIET, file]
        started.append(subprocess.Popen(command, stderr=subprocess.DEVNULL, cwd=tmp_path))
    yield json.loads(file.read_text())["address"], started[1:]
    for process in started[::-1]:
        process.kill()
        process.wait()


def read(found):
    return (found.store.folder / "finished.txt").read_text()


@pytest.mark.slow
def test_processes_give_the_same_bits_and_one_may_be_killed(make, same_bits):
    killed = []

    def kill(done, total):
        if not killed:
            killed.append(multiprocessing.active_children()[0])
            killed[0].kill()

    before = dict(os.environ)
    found = make(OVER, out="two", workers=2, block=1000, progress=kill)
    assert killed
    assert dict(os.environ) == before
    assert not [p for p in multiprocessing.active_children() if p.is_alive()]
    same_bits(make(OVER, out="here").store.folder, found.store.folder)
    numbers = [line.split()[0] for line in read(found).splitlines()]
    assert len(numbers) == len(set(numbers)) == 20


def test_processes_that_always_die_are_given_up(make):
    found = make(OVER, out="here", figures=["ergotropy"])
    blocks = [found.plan.block(found.store.layout, 0)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(workers, "_begin", _die)
        patch.setattr(workers, "_LOSSES", 1)
        with pytest.raises(NmrqbError, match="lost 1 times in a row"):
            list(workers.on_cores(found.plan.job, blocks, 1))


def _die():
    os.kill(os.getpid(), signal.SIGKILL)


@pytest.mark.slow
def test_a_dask_cluster_gives_the_same_bits_and_a_worker_may_be_killed(make, same_bits, cluster):
    address, (first, second) = cluster
    killed = []

    def kill(done, total):
        if done > total // 5 and not killed:
            killed.append(first.kill())

    found = make(OVER, out="dask", scheduler=address, block=500, progress=kill)
    assert second.poll() is None
    assert killed
    same_bits(make(OVER, out="here").store.folder, found.store.folder)
    numbers = [line.split()[0] for line in read(found).splitlines()]
    assert len(numbers) == len(set(numbers)) == 20


def test_a_scheduler_that_does_not_answer(make, monkeypatch):
    pytest.importorskip("distributed")
    monkeypatch.setattr(workers, "_PATIENCE_S", 0.3)
    with pytest.raises(OutputError, match=r"no Dask scheduler answers at `tcp://127\.0\.0\.1:9`"):
        make({"battery.D": "1Hz,2Hz"}, scheduler="tcp://127.0.0.1:9")
    with pytest.raises(OutputError, match="no Dask scheduler answers at `nonsense:1:2`"):
        make({"battery.D": "1Hz,2Hz"}, scheduler="nonsense:1:2")


def test_without_dask_a_scheduler_is_refused(make, monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(OutputError, match=r"pip install 'nmrqb\[dask\]'"):
        make({"battery.D": "1Hz,2Hz"}, scheduler="tcp://127.0.0.1:9")


@pytest.mark.skipif(not hasattr(signal, "pthread_sigmask"), reason="signals of POSIX")
def test_processes_are_born_deaf_to_interrupts():
    pool = workers._Pool(1)
    try:
        pool._send(None, None)  # no work: its fault is not asked for
        blocked = pool.pool.submit(signal.pthread_sigmask, signal.SIG_BLOCK, ()).result()
        handler = pool.pool.submit(signal.getsignal, signal.SIGINT).result()
    finally:
        pool.open.clear()
        pool.close()
    assert signal.SIGINT in blocked
    assert handler is signal.SIG_IGN
    assert signal.SIGINT not in signal.pthread_sigmask(signal.SIG_BLOCK, ())
