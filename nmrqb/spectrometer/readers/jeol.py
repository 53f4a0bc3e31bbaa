"""JEOL files (.jdf) of one or two dimensions.

nmrglue returns ``re − i·im`` and tests it (tests/test_jeol.py) against the same FIDs converted for
NMRPipe: they turn as e^{+i2πνt}.

The delay of the digital filter is left in the FID: give it as ``first_point`` of the data file.
The header tells ``orders`` N_i and ``factors`` m_i of a cascade of FIR filters, each followed by a
decimation, which delays by Σ_i (N_i − 1)/(2 Π_{j≥i} m_j) points; ssNake (src/loadFiles.py) takes
that.  But JEOL's staff advises 19 points (github.com/cheminfo/nmrium/issues/1690 and 2259), and
there a delay from the header is found to be wrong by 7: without a file of a known spectrum nothing
decides between them, so that none is taken off here.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from nmrqb.spectrometer.readers import guards
from nmrqb.spectrometer.readers.model import Recording
from nmrqb.spectrometer.readers.nuclei import nucleus_of

MAGIC = (b"JEOL.NMR", b"RMN.LOEJ")
_MAX_BYTES = 64_000_000  # numbers are read one by one
_HEADER = 1360  # bytes
_DATA_START = 1284  # place of where the data begin
_POINTS = 176  # place of the numbers of points
_MAX_PARAMETERS = 20_000


def read(path: Path) -> Recording:
    """Return what a file holds.

    Raises
    ------
    InputError
        If its header contradicts its size, or it holds no complex FIDs.
    """
    _check_header(path)
    with guards.Reading(path, "data of JEOL"):
        dictionary, raw = guards.vendor("jeol").read(str(path))
        values = np.atleast_2d(np.asarray(raw).squeeze()).astype(complex)
    parameters: Mapping[str, Any] = dictionary["parameters"]
    if not np.iscomplexobj(raw):
        raise guards.refused(path, "must hold complex FIDs, but its numbers are real")
    observed = guards.number(path, "x_freq", parameters.get("x_freq"), 1e4, 1e11)
    offset = guards.number(path, "x_offset", parameters.get("x_offset", 0.0), -1e5, 1e5)
    return Recording(
        values=values[0] if len(values) == 1 else values,
        domain="time",
        kind="jeol",
        source=str(path),
        spectral_width_hz=guards.number(path, "x_sweep", parameters.get("x_sweep"), 1e-3, 1e9),
        carrier_hz=observed * (1 + 1e-6 * offset),
        reference_hz=observed,
        nucleus=nucleus_of(parameters.get("x_domain")),
        sha256=guards.hash_of(path),
    )


def _check_header(path: Path) -> None:
    size = guards.size_of(path, _MAX_BYTES, "data file")
    head = guards.bytes_of(path, _MAX_BYTES, "data file", _HEADER)
    if head[:8] not in MAGIC:
        raise guards.refused(
            path, f"this is no file of JEOL: it begins with {head[:8]!r}, not with JEOL.NMR"
        )
    if len(head) < _HEADER:
        raise guards.refused(path, f"the data file is truncated: {size} bytes hold no header")
    (start,) = struct.unpack_from(">I", head, _DATA_START)
    points = struct.unpack_from(">8I", head, _POINTS)
    values = 1
    for count in points:
        values *= max(count, 1)
    parameters, length = struct.unpack_from(">2I", head, 1212)
    width = 4 if head[14] >> 6 else 8
    if length > 64 * _MAX_PARAMETERS or start + values * width > size or parameters > size:
        raise guards.refused(
            path,
            f"the data file is truncated, byte-swapped, or its header is wrong: it promises "
            f"{values} numbers from byte {start} on, but the file holds {size} bytes",
        )
