"""Spinsolve folders: ``data.1d`` or ``spectrum.1d`` beside ``acqu.par``.

An FID is taken as the conjugate of one that turns as e^{+i2πνt}: ssNake reads ``re − i·im`` of
``data.1d``, and github.com/jjhelmus/nmrglue/issues/146 quotes the makers: the frequencies of
``nmr_fid.dx`` are reflected about the middle.  No file with a known spectrum was at hand;
``conjugate: true`` of a data file undoes it.  ssNake also doubles the first point; that is not done
here, it moves the baseline only.
"""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np

from nmrqb.spectrometer.readers import guards
from nmrqb.spectrometer.readers.model import Recording
from nmrqb.spectrometer.readers.nuclei import nucleus_of
from nmrqb.spectrometer.readers.parameters import read_assignments

FILES = ("data.1d", "fid.1d", "spectrum.1d", "spectrum_processed.1d")
PARAMETERS = "acqu.par"
_HEADER = 32
_POINT = 12  # bytes: place, real, imaginary as floats


def read(path: Path) -> Recording:
    """Return what a folder, or a ``.1d`` file in it, holds.

    Raises
    ------
    InputError
        If the header contradicts the size of the data, or parameters are missing.
    """
    folder, data = guards.data_of(path, FILES)
    where = folder / PARAMETERS
    parameters = read_assignments(where)
    _check_size(data)
    with guards.Reading(data, "data of Spinsolve"):
        found, values = guards.vendor("spinsolve").read(str(folder), specfile=data.name)
        axis = np.asarray(found["spectrum"]["xaxis"], dtype=float)
        guards.check_order(data, np.asarray(values).real.astype("<f4")[:4096])
    spectrum = data.name.startswith("spectrum")
    order = np.argsort(axis, kind="stable") if spectrum else slice(None)
    values = np.asarray(values).astype(complex)[order]
    width = guards.number(where, "bandwidth", parameters.get("bandwidth"), 1e-6, 1e6) * 1e3
    observed = guards.number(where, "b1Freq", parameters.get("b1Freq"), 0.01, 1e5)
    lowest = guards.number(where, "lowestFrequency", parameters.get("lowestFrequency"), -1e9, 1e9)
    return Recording(
        values=values if spectrum else values.conj(),
        domain="frequency" if spectrum else "time",
        kind="spinsolve",
        source=str(path),
        spectral_width_hz=width,
        carrier_hz=observed * 1e6 + lowest + width / 2,
        reference_hz=observed * 1e6,
        nucleus=nucleus_of(parameters.get("rxChannel")),
        ppm=axis[order] if spectrum else None,
        sha256=guards.hash_of(data),
    )


def _check_size(path: Path) -> None:
    size = guards.size_of(path, guards.MAX_DATA_BYTES, "data file")
    head = guards.bytes_of(path, guards.MAX_DATA_BYTES, "data file", _HEADER)
    if len(head) < _HEADER:
        raise guards.refused(path, f"the data file is truncated: {size} bytes hold no header")
    points = struct.unpack_from("<I", head, 16)[0]
    if not 0 < points <= guards.MAX_DATA_BYTES // _POINT:
        raise guards.refused(
            path,
            "this is no data file of Spinsolve, or it is byte-swapped: its header makes no sense, "
            f"with {points} points",
        )
    if size == _HEADER + _POINT * struct.unpack_from(">I", head, 16)[0]:
        raise guards.refused(path, "the data file is byte-swapped: its header is big-endian")
    if size != _HEADER + _POINT * points:
        problem = "is truncated" if size < _HEADER + _POINT * points else "does not fit its header"
        raise guards.refused(
            path,
            f"the data file {problem}: {points} points need {_HEADER + _POINT * points} bytes, but "
            f"it holds {size}",
        )
