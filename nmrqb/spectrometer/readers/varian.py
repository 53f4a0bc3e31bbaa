"""Varian and Agilent folders: ``fid`` beside ``procpar``.

The file holds the conjugate of an FID that turns as e^{+i2πνt}.  Two programs agree in that: the
converter of nmrglue negates the imaginary part and then equals NMRPipe's var2pipe number by number
(its tests/test_convert.py), and ssNake reads ``re − i·im``.  ``conjugate: true`` of a data file
undoes it.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from nmrqb.operators import Complex
from nmrqb.spectrometer.readers import guards
from nmrqb.spectrometer.readers.model import Recording
from nmrqb.spectrometer.readers.nuclei import nucleus_of

_HEADER = struct.Struct(">6i2hi")
_BLOCK_HEADER = 28
_MAX_ROWS = 1_000_000
_TIMES = frozenset({"d1", "d2", "d3", "tau", "bigtau", "pw", "p1"})
_MICROSECONDS = frozenset({"pw", "p1"})

Procpar = Mapping[str, Mapping[str, Any]]


def read(path: Path) -> Recording:
    """Return what a folder, or the ``fid`` in it, holds.

    Raises
    ------
    InputError
        If the header contradicts the size of the data, or parameters are missing.
    """
    folder = path if path.is_dir() else path.parent
    data, where = folder / "fid", folder / "procpar"
    _check_header(data)
    guards.text_of(where, guards.MAX_HEADER_BYTES, "parameter file")
    with guards.Reading(where, "a parameter file of Varian"):
        procpar: Procpar = guards.vendor("varian").read_procpar(str(where))
    values = _values(data)
    carrier = guards.number(where, "sfrq", _first(procpar, "sfrq"), 0.01, 1e5) * 1e6
    return Recording(
        values=values if len(values) > 1 else values[0],
        domain="time",
        kind="varian",
        source=str(path),
        spectral_width_hz=guards.number(where, "sw", _first(procpar, "sw"), 1e-3, 1e9),
        carrier_hz=carrier,
        reference_hz=_reference(where, procpar, carrier),
        nucleus=nucleus_of(_first(procpar, "tn")),
        delays_s=_delays(where, procpar, len(values)),
        sha256=guards.hash_of(data),
    )


def _check_header(path: Path) -> None:
    size = guards.size_of(path, guards.MAX_DATA_BYTES, "data file")
    head = guards.bytes_of(path, guards.MAX_DATA_BYTES, "data file", _HEADER.size)
    if len(head) < _HEADER.size:
        raise guards.refused(path, f"the data file is truncated: {size} bytes hold no header")
    blocks, traces, numbers, width, trace, block, _, _, heads = _HEADER.unpack(head)
    sound = (
        0 < blocks <= _MAX_ROWS
        and 0 < traces <= _MAX_ROWS
        and width in (2, 4)
        and numbers > 0
        and trace == numbers * width
        and 0 <= heads <= 9
        and block == traces * trace + heads * _BLOCK_HEADER
    )
    if not sound:
        raise guards.refused(
            path,
            "this is no data file of Varian, or it is byte-swapped: its header makes no sense, "
            f"with {blocks} blocks of {traces} traces of {numbers} numbers of {width} bytes",
        )
    promised = _HEADER.size + blocks * block
    if size < promised:
        raise guards.refused(
            path,
            f"the data file is truncated: its header promises {promised} bytes, but it holds "
            f"{size}",
        )


def _values(path: Path) -> Complex:
    with guards.Reading(path, "data of Varian"):
        _, raw = guards.vendor("varian").read_fid(str(path), as_2d=True)
    values = np.asarray(raw)
    guards.check_order(path, np.ascontiguousarray(values.real[:, :4096]))
    return np.atleast_2d(values.astype(complex)).conj()


def _first(procpar: Procpar, name: str) -> object:
    values = procpar.get(name, {}).get("values") or [None]
    return values[0]


def _reference(where: Path, procpar: Procpar, carrier: float) -> float:
    """Return the frequency of 0 ppm from ``rfl``, where the reference line is, and ``rfp``.

    The right end of the spectrum is at −rfl from the reference line, which is at rfp, both in Hz.
    """
    if not {"rfl", "rfp"} <= procpar.keys():
        return carrier
    line, shift = (guards.number(where, n, _first(procpar, n), -1e9, 1e9) for n in ("rfl", "rfp"))
    width = guards.number(where, "sw", _first(procpar, "sw"), 1e-3, 1e9)
    return carrier - (width / 2 - line + shift)


def _delays(where: Path, procpar: Procpar, rows: int) -> tuple[float, ...]:
    """Return the arrayed time, if exactly one is arrayed with as many values as there are rows."""
    arrayed = str(_first(procpar, "array") or "")
    if arrayed not in _TIMES:
        return ()
    values = procpar.get(arrayed, {}).get("values", [])
    if len(values) != rows:
        return ()
    factor = 1e-6 if arrayed in _MICROSECONDS else 1.0
    return tuple(factor * guards.number(where, arrayed, value, 0, 1e9) for value in values)
