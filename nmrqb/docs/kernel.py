"""Running notebooks from top to bottom, in the interpreter that runs now."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import nbformat
from jupyter_client.kernelspec import KernelSpec, KernelSpecManager
from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from nbformat import NotebookNode
from traitlets import default

from nmrqb.errors import OutputError

_PACKAGES = Path(__file__).parents[2]
_SECONDS = 300  # for one cell


class OwnInterpreter(KernelSpecManager):
    """Knows one kernel: the running interpreter."""

    def get_kernel_spec(self, kernel_name: str) -> KernelSpec:
        """Return how to start it, whatever the name."""
        argv = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
        return KernelSpec(argv=argv, display_name=kernel_name, language="python")


class OwnKernel(AsyncKernelManager):
    """Starts that kernel; given as a class, so that the client shuts down what it started."""

    @default("kernel_spec_manager")
    def _running_interpreter(self) -> KernelSpecManager:
        return OwnInterpreter()


def run_notebooks(paths: Sequence[Path], at_once: int = 1) -> list[NotebookNode]:
    """Return notebooks with the outputs of all their cells, each run in an empty folder.

    The kernels import the nmrqb that runs now, and have no settings of the user's.

    Parameters
    ----------
    paths
        The files; they stay as they are.
    at_once
        How many run at the same time.

    Raises
    ------
    OutputError
        If a cell raises an exception.
    """
    return asyncio.run(_run_all(paths, at_once))


async def _run_all(paths: Sequence[Path], at_once: int) -> list[NotebookNode]:
    places = asyncio.Semaphore(at_once)

    async def run(path: Path) -> NotebookNode:
        async with places:
            return await _run(path)

    return await asyncio.gather(*map(run, paths))


async def _run(path: Path) -> NotebookNode:
    notebook: NotebookNode = nbformat.read(path, as_version=4)  # type: ignore[no-untyped-call]
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        client = NotebookClient(notebook, kernel_manager_class=OwnKernel, timeout=_SECONDS)
        try:
            await client.async_execute(
                cwd=folder, env=_environment(folder), stderr=subprocess.DEVNULL
            )
        except CellExecutionError as error:
            message = f"`{path}` stops with {error.ename}: {error.evalue}"
            raise OutputError(message) from error
    return notebook


def _environment(folder: str) -> dict[str, Any]:
    """Return that of this process, with nmrqb from here and a backend that Jupyter chooses."""
    own = {name: value for name, value in os.environ.items() if name != "MPLBACKEND"}
    paths = [str(_PACKAGES), *filter(None, [own.get("PYTHONPATH")])]
    settings = str(Path(folder) / ".ipython")
    return own | {"PYTHONPATH": os.pathsep.join(paths), "IPYTHONDIR": settings}
