"""Bruker folders: ``fid`` or ``ser`` beside ``acqus``, the digital filter removed."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from nmrqb.operators import Complex
from nmrqb.spectrometer.readers import guards
from nmrqb.spectrometer.readers.lists import read_times
from nmrqb.spectrometer.readers.model import Recording
from nmrqb.spectrometer.readers.nuclei import nucleus_of
from nmrqb.spectrometer.readers.parameters import Parameters, read_jcamp

FILES = ("fid", "ser")
LISTS = ("vdlist", "vplist", "vclist")
_WIDTHS = {0: 4, 2: 8}  # bytes of a number, by DTYPA
_BLOCK = 1024  # bytes: every FID of a `ser` begins at a multiple
_QUADRATURE = (1, 3)  # AQ_mod: simultaneous, digital
_LONGEST_DELAY = 200.0  # points; no filter delays by more
_MAX_ROWS = 1_000_000


def read(path: Path) -> Recording:
    """Return what a folder, or the ``fid`` or ``ser`` in it, holds.

    Raises
    ------
    InputError
        If parameters are missing, contradict the size of the data, or make no sense.
    """
    folder, data = guards.data_of(path, FILES)
    where = folder / "acqus"
    acqus = read_jcamp(where)
    values = _without_filter(data, _values(data, where, acqus), _group_delay(where, acqus))
    times = guards.first_that_is_there(folder, LISTS) if len(values) > 1 else None
    return Recording(
        values=values if data.name == "ser" else values[0],
        domain="time",
        kind="bruker",
        source=str(path),
        spectral_width_hz=guards.number(where, "SW_h", acqus.get("SW_h"), 1e-3, 1e9),
        carrier_hz=guards.number(where, "SFO1", acqus.get("SFO1"), 0.01, 1e5) * 1e6,
        reference_hz=_reference(where, acqus) * 1e6,
        nucleus=nucleus_of(acqus.get("NUC1", acqus.get("NUCLEUS"))),
        delays_s=() if times is None else read_times(times, microseconds=times.name == "vplist"),
        sha256=guards.hash_of(data),
    )


def _values(path: Path, where: Path, acqus: Parameters) -> Complex:
    """Return the FIDs of a file whose size agrees with its parameters, shape (rows, points)."""
    if acqus.get("AQ_mod", 1.0) not in _QUADRATURE:
        raise guards.refused(where, f"`AQ_mod` must be 1 or 3, but is {acqus['AQ_mod']}")
    if acqus.get("DTYPA", 0.0) not in _WIDTHS:
        raise guards.refused(where, f"`DTYPA` must be 0 or 2, but is {acqus['DTYPA']}")
    width = _WIDTHS[int(float(acqus.get("DTYPA", 0)))]
    numbers = guards.whole(where, "TD", acqus.get("TD"), 4, guards.MAX_DATA_BYTES // 4)
    big = guards.whole(where, "BYTORDA", acqus.get("BYTORDA", 0), 0, 1) == 1
    several = path.name == "ser"
    rows = _rows(path.with_name("acqu2s")) if several else 1
    row = -(-numbers * width // _BLOCK) * _BLOCK if several else numbers * width
    _check_size(path, rows, row)
    with guards.Reading(path, "data of Bruker"):
        nmrglue = guards.vendor("bruker")
        with path.open("rb") as stream:
            raw = np.asarray(nmrglue.get_data(stream, big, width == 8))
        flat = raw[: rows * row // width].reshape(rows, -1)[:, : numbers // 2 * 2]
        guards.check_order(path, flat[:, :4096])
        values = nmrglue.complexify_data(flat.astype(float))
    return np.asarray(values)


def _rows(where: Path) -> int:
    return guards.whole(where, "TD", read_jcamp(where).get("TD"), 1, _MAX_ROWS)


def _check_size(path: Path, rows: int, row: int) -> None:
    size = guards.size_of(path, guards.MAX_DATA_BYTES, "data file")
    promised = f"its parameters promise {rows} × {row} bytes, but it holds {size}"
    if size < rows * row:
        raise guards.refused(path, f"the data file is truncated: {promised}")
    if size >= rows * row + max(row, 2 * _BLOCK):
        raise guards.refused(path, f"the data file belongs to other parameters: {promised}")


def _group_delay(path: Path, acqus: Parameters) -> float:
    """Return by how many points the digital filter delays the FID.

    Old files tell firmware and decimation instead, for which nmrglue has a table.
    """
    given = guards.number(path, "GRPDLY", acqus.get("GRPDLY", -1.0), -1.0, _LONGEST_DELAY)
    firmware, decimation = acqus.get("DSPFVS", 0.0), acqus.get("DECIM", 1.0)
    if given > 0 or 0.0 in {acqus.get("DIGMOD", 1.0), firmware} or decimation == 1:
        return max(given, 0.0)
    delays = guards.vendor("bruker").bruker_dsp_table.get(firmware, {})
    if decimation not in delays:
        raise guards.refused(
            path,
            f"`GRPDLY` is missing, and the delay of the digital filter with DSPFVS {firmware} "
            f"and DECIM {decimation} is not known",
        )
    return float(delays[decimation])


def _without_filter(path: Path, values: Complex, delay: float) -> Complex:
    """Return FIDs that begin where the filter has built up: (rows, points)."""
    if not delay:
        return values
    points = values.shape[-1]
    if points < 2 * delay + 16:
        raise guards.refused(path, f"{points} points are too few for a filter of {delay:g}")
    with guards.Reading(path, "data of Bruker"):
        nmrglue = guards.vendor("bruker")
        values = nmrglue.rm_dig_filter(values, 0, 0, delay, truncate_grpdly=False)
    return np.asarray(values)


def _reference(where: Path, acqus: Parameters) -> float:
    """Return the frequency of 0 ppm in MHz: `SF` of the processed data, else `BF1`."""
    procs = where.parent / "pdata" / "1" / "procs"
    if guards.is_file(procs):
        return guards.number(procs, "SF", read_jcamp(procs).get("SF"), 0.01, 1e5)
    return guards.number(where, "BF1", acqus.get("BF1"), 0.01, 1e5)
