"""Where blocks are computed: in this process, on the cores of this machine, on a Dask cluster."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from functools import partial
from itertools import islice
from multiprocessing import resource_tracker
from typing import Any

from nmrqb.errors import NmrqbError, OutputError
from nmrqb.experiment.sweeps.layout import Block
from nmrqb.experiment.sweeps.points import Job, compute
from nmrqb.operators import Real

Results = Iterator[tuple[int, dict[str, Real]]]
Compute = Callable[[Job, Iterable[Block]], Results]
_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "BLIS_NUM_THREADS")
_AHEAD = 2  # blocks for every worker that are sent before they are asked for
_LOSSES = 3  # times that workers may be lost without a block in between
_PATIENCE_S = 30


def in_process(job: Job, blocks: Iterable[Block]) -> Results:
    """Yield blocks computed here, one after the other."""
    for block in blocks:
        yield block.number, compute(job, block)


# ------------------------------------------------------------------------------------ local cores
def on_cores(job: Job, blocks: Iterable[Block], workers: int) -> Results:
    """Yield blocks computed by processes of this machine, with one BLAS thread each.

    Processes that are lost (killed, or out of memory) are replaced, and their blocks computed
    again.

    Raises
    ------
    NmrqbError
        If they are lost three times without a block in between, or a point cannot be computed.
    """
    waiting, losses = iter(blocks), 0
    again: list[Block] = []
    with _one_thread():
        while (pool := _Pool(workers)) is not None:
            try:
                for block, found in pool.results(job, again, waiting):
                    losses = 0
                    yield block.number, found
                break
            except BrokenProcessPool as error:
                again, losses = pool.open_blocks(), losses + 1
                if losses >= _LOSSES:
                    raise NmrqbError(
                        f"worker processes were lost {losses} times in a row; is there enough "
                        "memory? What is finished is kept"
                    ) from error
            finally:
                pool.close()


class _Pool:
    """Processes, and which block each future is of."""

    def __init__(self, workers: int) -> None:
        context = multiprocessing.get_context("spawn")  # threads of BLAS do not survive a fork
        self.before = set(multiprocessing.active_children())
        self.pool = ProcessPoolExecutor(workers, mp_context=context, initializer=_begin)
        self.most = _AHEAD * workers
        self.open: dict[Future[dict[str, Real]], Block] = {}

    def results(
        self, job: Job, again: Iterable[Block], waiting: Iterator[Block]
    ) -> Iterator[tuple[Block, dict[str, Real]]]:
        for block in again:
            self._send(job, block)
        self._fill(job, waiting)
        while self.open:
            done, _ = wait(self.open, return_when=FIRST_COMPLETED)
            for future in done:
                found = future.result()
                yield self.open.pop(future), found
            self._fill(job, waiting)

    def _fill(self, job: Job, waiting: Iterator[Block]) -> None:
        for block in islice(waiting, max(0, self.most - len(self.open))):
            self._send(job, block)

    def _send(self, job: Job, block: Block) -> None:
        future: Future[dict[str, Real]] = Future()
        future.set_exception(BrokenProcessPool())
        # that it is broken is told when the result is asked for
        with contextlib.suppress(BrokenProcessPool), _uninterrupted():
            future = self.pool.submit(compute, job, block)
        self.open[future] = block

    def open_blocks(self) -> list[Block]:
        return list(self.open.values())

    def close(self) -> None:
        """End the processes, in the middle of a block if somebody has interrupted."""
        busy = bool(self.open)
        self.pool.shutdown(wait=not busy, cancel_futures=True)
        if not busy:
            return
        for process in set(multiprocessing.active_children()) - self.before:
            process.terminate()
        # a process that ends in the middle of its answer leaves the pool's thread waiting for the
        # rest, until no one holds the other end of the pipe
        with contextlib.suppress(AttributeError, OSError):
            self.pool._result_queue._writer.close()  # type: ignore[attr-defined]


def _begin() -> None:
    """Begin a worker process: an interrupt is for its parent, whose end is its own end."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=partial(_follow, parent), daemon=True).start()


def _follow(parent: Any) -> None:  # noqa: ANN401 - a process of multiprocessing
    parent.join()
    os._exit(1)


@contextlib.contextmanager
def _uninterrupted() -> Iterator[None]:
    """Let processes that begin meanwhile know no interrupts, not even before `_begin`.

    They inherit that SIGINT is blocked; one that arrives here meanwhile is told afterwards.
    """
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    resource_tracker.ensure_running()  # it would unblock SIGINT when it begins
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


@contextlib.contextmanager
def _one_thread() -> Iterator[None]:
    """Let processes that begin meanwhile use one BLAS thread each."""
    before = {name: os.environ.get(name) for name in _THREADS}
    os.environ.update(dict.fromkeys(_THREADS, "1"))
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


# -------------------------------------------------------------------------------------------- Dask
def on_cluster(job: Job, blocks: Iterable[Block], address: str) -> Results:
    """Yield blocks computed by the workers of a Dask cluster.

    Dask gives the blocks of a worker that is lost to the others.

    Raises
    ------
    OutputError
        If Dask is not installed, or the scheduler does not answer.
    """
    try:
        import distributed  # noqa: PLC0415 - a second, and an extra
    except ImportError as error:
        raise OutputError("a scheduler needs Dask: pip install 'nmrqb[dask]'") from error
    try:
        client: Any = _untyped(distributed).Client(address, timeout=_PATIENCE_S)
    except (OSError, ValueError) as error:
        raise OutputError(f"no Dask scheduler answers at `{address}`: {error}") from error
    with client:
        waiting = iter(blocks)

        def sent(count: int) -> list[Any]:
            return [_sent(client, job, block) for block in islice(waiting, count)]

        threads = sum(client.nthreads().values())
        arriving = _untyped(distributed).as_completed(
            sent(_AHEAD * max(1, threads)), with_results=True
        )
        for future, found in arriving:
            yield found
            future.release()
            arriving.update(sent(1))


def _untyped(module: Any) -> Any:  # noqa: ANN401 - a module whose functions have no types
    return module


def _sent(client: Any, job: Job, block: Block) -> Any:  # noqa: ANN401 - of distributed
    return client.submit(_numbered, job, block, pure=False)


def _numbered(job: Job, block: Block) -> tuple[int, dict[str, Real]]:
    return block.number, compute(job, block)


def chosen_workers(workers: int | None, scheduler: str | None, most: int) -> Compute:
    """Return where blocks are computed: a cluster, processes (None: one per core), or here (0).

    More processes than ``most`` have nothing to do.
    """
    if scheduler is not None:
        return partial(on_cluster, address=scheduler)
    count = os.cpu_count() or 1 if workers is None else workers
    return partial(on_cores, workers=max(1, min(count, most))) if count else in_process
