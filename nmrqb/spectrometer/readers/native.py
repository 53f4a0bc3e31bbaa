"""Our own files: FIDs as a NumPy archive (.npz) of one array and one text of JSON."""

from __future__ import annotations

import io
import json
import math
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, Any

import numpy as np

from nmrqb.errors import ArgumentError
from nmrqb.files import write_bytes_atomically
from nmrqb.operators import Complex
from nmrqb.spectrometer.readers import guards
from nmrqb.spectrometer.readers.model import FREQUENCIES_HZ, Recording
from nmrqb.spectrometer.receiver import Receiver

FORMAT = "nmrqb-fid/1"
_NUMBERS = "iufc"  # kinds of arrays that are taken as points
_MEMBERS = {"values.npy", "header.npy"}


def write_fids(
    path: str | Path,
    fids: Complex,
    receiver: Receiver,
    *,
    nucleus: str,
    delays_s: Sequence[float] = (),
    carrier_hz: float | None = None,
    reference_hz: float | None = None,
) -> None:
    """Write FIDs to a file that `read_recording` reads back without loss.

    Parameters
    ----------
    path
        File to write; its name should end in .npz.
    fids
        Shape (..., points), turning as e^{+i2πνt}; the receiver's phase is part of them.
    receiver
        How they were digitised.
    nucleus
        Isotope that was observed.
    delays_s
        Delay or pulse length of every row in s, where they are a series.
    carrier_hz, reference_hz
        Frequencies of the carrier and of 0 ppm in Hz, where known.

    Raises
    ------
    ArgumentError
        If the shape does not fit the receiver, or a number is not finite.
    OutputError
        If the file cannot be written.
    """
    values = np.asarray(fids, dtype=complex)
    if values.shape[-1:] != (receiver.points,) or not np.all(np.isfinite(values)):
        raise ArgumentError(
            f"Argument `fids` must be finite and have shape (..., {receiver.points}), but has "
            f"shape {values.shape}"
        )
    header = {
        "format": FORMAT,
        "nucleus": nucleus,
        "spectral_width_hz": receiver.spectral_width_hz,
        "dead_time_s": receiver.dead_time_s,
        "delays_s": list(map(float, delays_s)),
        "carrier_hz": carrier_hz,
        "reference_hz": reference_hz,
    }
    stream = io.BytesIO()
    np.savez(stream, values=values, header=np.array(json.dumps(header)))
    write_bytes_atomically(path, stream.getvalue())


def is_native(path: Path) -> bool:
    """Tell whether a file is an archive with our two members."""
    try:
        with zipfile.ZipFile(path) as archive:
            return set(archive.namelist()) == _MEMBERS
    except (OSError, ValueError, zipfile.BadZipFile):
        return False


def read(path: Path) -> Recording:
    """Return what a file holds.

    Raises
    ------
    InputError
        If it is none of ours, or truncated.
    """
    guards.size_of(path, guards.MAX_DATA_BYTES, "data file")
    if not is_native(path):
        raise guards.refused(path, f"this is no file of {FORMAT}, or it is truncated")
    with guards.Reading(path, f"a file of {FORMAT}"), zipfile.ZipFile(path) as archive:
        for member in archive.infolist():
            if member.file_size > guards.MAX_DATA_BYTES:
                raise guards.refused(
                    path,
                    f"the data file unpacks to more than the {guards.MAX_DATA_BYTES} bytes that "
                    f"are allowed: {member.file_size}",
                )
            with archive.open(member) as stream:
                _check_size(path, stream, member.file_size)
    with (
        guards.Reading(path, f"a file of {FORMAT}"),
        np.load(path, allow_pickle=False) as archive,
    ):
        values, header = archive["values"], json.loads(str(archive["header"]))
        if values.dtype.kind not in _NUMBERS:
            raise guards.refused(path, f"`values` must be numbers, but is of type {values.dtype}")
        return _recording(path, np.asarray(values, dtype=complex), header)


def _check_size(path: Path, stream: IO[bytes], size: int) -> None:
    """Refuse an array whose header promises another size than the file has."""
    version = np.lib.format.read_magic(stream)
    read_header = (
        np.lib.format.read_array_header_1_0
        if version == (1, 0)
        else np.lib.format.read_array_header_2_0
    )
    shape, _, dtype = read_header(stream)
    promised = math.prod(shape) * dtype.itemsize
    if dtype.hasobject or promised != size - stream.tell():
        raise guards.refused(
            path,
            f"an array of shape {shape} is promised, but its size is another: is it truncated?",
        )


def _recording(path: Path, values: Complex, header: Mapping[str, Any]) -> Recording:
    if header.get("format") != FORMAT:
        raise guards.refused(path, f"the format is {header.get('format')!r}, but must be {FORMAT}")
    width = guards.number(path, "spectral_width_hz", header.get("spectral_width_hz"), 1e-3, 1e12)
    return Recording(
        values=values,
        domain="time",
        kind="nmrqb",
        source=str(path),
        spectral_width_hz=width,
        nucleus=str(header["nucleus"]),
        dead_time_s=guards.number(path, "dead_time_s", header.get("dead_time_s"), -1e3, 1e3),
        delays_s=tuple(map(float, header.get("delays_s", ()))),
        sha256=guards.hash_of(path),
        carrier_hz=_optional(path, "carrier_hz", header),
        reference_hz=_optional(path, "reference_hz", header),
    )


def _optional(path: Path, name: str, header: Mapping[str, Any]) -> float | None:
    value = header.get(name)
    return None if value is None else guards.number(path, name, value, *FREQUENCIES_HZ)
