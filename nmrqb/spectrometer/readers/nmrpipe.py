"""NMRPipe files of one or two dimensions, FIDs or complex spectra.

NMRPipe transforms with a positive exponent and begins at the highest ppm (so says nmrglue's
`fft_positive`, which does the same): its FIDs turn as e^{+i2πνt}.  ``FDF2AQSIGN`` may ask that the
signs of points alternate (1, 2) or that the imaginary part is negated as well (16 to 18).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from nmrqb.errors import InputError
from nmrqb.operators import Complex, Real
from nmrqb.spectrometer.readers import guards
from nmrqb.spectrometer.readers.model import Domain, Recording
from nmrqb.spectrometer.readers.nuclei import nucleus_of

_WORDS = 512  # floats of the header
_MAGIC = 2.345
_MAGIC_PLACE = 2
_ALTERNATING, _NEGATED = frozenset({1, 2, 16, 17, 18}), frozenset({16, 17, 18})


def is_nmrpipe(path: Path) -> bool:
    """Tell whether a file begins as NMRPipe writes it, in either byte order."""
    try:
        head = guards.bytes_of(path, guards.MAX_DATA_BYTES, "file", 4 * _WORDS)
    except InputError:
        return False
    return len(head) == 4 * _WORDS and any(
        math.isclose(float(np.frombuffer(head, order)[_MAGIC_PLACE]), _MAGIC, rel_tol=1e-6)
        for order in ("<f4", ">f4")
    )


def read(path: Path) -> Recording:
    """Return what a file holds.

    Raises
    ------
    InputError
        If its header contradicts its size, or it is not complex.
    """
    size = guards.size_of(path, guards.MAX_DATA_BYTES, "data file")
    if not is_nmrpipe(path):
        raise guards.refused(path, "this is no file of NMRPipe: its header lacks the number 2.345")
    header = _header(path)
    numbers, rows = _shape(path, header)
    wanted = 4 * (_WORDS + rows * numbers)
    if size != wanted:
        problem = "is truncated" if size < wanted else "does not fit its header"
        raise guards.refused(
            path, f"the data file {problem}: it promises {wanted} bytes, but holds {size}"
        )
    with guards.Reading(path, "data of NMRPipe"):
        values = np.asarray(guards.vendor("pipe").read(path)[1]).astype(complex).reshape(rows, -1)
    domain: Domain = "frequency" if header["FDF2FTFLAG"] else "time"
    return _recording(path, header, values, domain)


def _header(path: Path) -> Mapping[str, Any]:
    with guards.Reading(path, "data of NMRPipe"):
        nmrglue = guards.vendor("pipe")
        header: dict[str, Any] = nmrglue.fdata2dic(nmrglue.get_fdata(path))
    return header


def _shape(path: Path, header: Mapping[str, Any]) -> tuple[int, int]:
    """Return numbers of a row, and rows."""
    dimensions = guards.whole(path, "FDDIMCOUNT", header["FDDIMCOUNT"], 1, 4)
    flags = {name: header[name] for name in ("FDF2QUADFLAG", "FDTRANSPOSED")}
    if dimensions > 2 or flags["FDF2QUADFLAG"] == 1 or flags["FDTRANSPOSED"]:
        raise guards.refused(
            path,
            "must hold complex rows of one or two dimensions, untransposed, but has "
            f"{dimensions} dimensions, "
            + " and ".join(f"{name} {value:g}" for name, value in flags.items()),
        )
    points = guards.whole(path, "FDSIZE", header["FDSIZE"], 2, guards.MAX_DATA_BYTES // 8)
    if dimensions == 1:
        return 2 * points, 1
    return 2 * points, guards.whole(path, "FDSPECNUM", header["FDSPECNUM"], 1, 1_000_000)


def _recording(path: Path, header: Mapping[str, Any], values: Complex, domain: Domain) -> Recording:
    width = guards.number(path, "FDF2SW", header["FDF2SW"], 1e-3, 1e9)
    observed = guards.number(path, "FDF2OBS", header["FDF2OBS"], 0.01, 1e5)
    carrier = guards.number(path, "FDF2CAR", header["FDF2CAR"], -1e5, 1e5)
    spectrum = domain == "frequency"
    # a spectrum begins at the highest ppm
    values = values[:, ::-1] if spectrum else _signed(values, header["FDF2AQSIGN"])
    return Recording(
        values=values[0] if len(values) == 1 else values,
        domain=domain,
        kind="nmrpipe",
        source=str(path),
        spectral_width_hz=width,
        carrier_hz=observed * 1e6 + carrier * observed,
        reference_hz=observed * 1e6,
        nucleus=nucleus_of(header["FDF2LABEL"]),
        ppm=_ppm(values.shape[-1], width / observed, carrier) if spectrum else None,
        sha256=guards.hash_of(path),
    )


def _signed(fids: Complex, sign: float) -> Complex:
    """Return FIDs as they are transformed: signs alternated, imaginary part negated if so said."""
    signs = (-1.0) ** np.arange(fids.shape[-1]) if sign in _ALTERNATING else 1.0
    signed = fids * signs
    return np.asarray(signed.conj() if sign in _NEGATED else signed)


def _ppm(points: int, width: float, carrier: float) -> Real:
    """Return an ascending axis whose point N/2 − 1 … of descending order is the carrier."""
    return carrier + width * (np.arange(points) - (points - 1 - points // 2)) / points
