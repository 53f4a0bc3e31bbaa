"""Reading the arrays of a result folder again, to draw them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np
import xarray as xr
from matplotlib.figure import Figure

from nmrqb.errors import ArgumentError, InputError, Position, nearest
from nmrqb.report.folder import DATA, FOLDER
from nmrqb.report.state_pictures import STATE_PICTURES

NEEDED: Mapping[str, tuple[str, ...]] = {
    "state": ("true_state", "estimated_state", "pauli_mean", "pauli_error", "state_error_real"),
    "city": ("true_state", "estimated_state"),
    "residuals": ("residual", "residual_chi2", "p_value", "line_decay", "line_frequency"),
}
"""What each of the pictures is drawn from."""

_SPOILT = (OSError, ValueError, LookupError, TypeError, AttributeError, RuntimeError, MemoryError)
"""What a damaged file raises, out of the depths of HDF5 and of xarray."""


def read_result(path: str | Path, wanted: Iterable[str] = ()) -> xr.Dataset:
    """Return the data set of a result folder, as ``Result.data`` was when it was written.

    Parameters
    ----------
    path
        Folder that `write_result` wrote.
    wanted
        Variables that it must hold.

    Raises
    ------
    InputError
        If it is no result folder, its arrays cannot be read, or a variable is missing.
    """
    folder, at = Path(path), Position(str(path))
    if not FOLDER.owns(folder):
        raise InputError.at(at, "is not a result folder of ours")
    if not (folder / DATA).is_file():
        raise InputError.at(at, f"`{DATA}` cannot be read: there is no such file")
    try:
        data = _stored(folder / DATA)
    except _SPOILT as error:
        reason = f"{type(error).__name__}: {' '.join(str(error).split())}"[:160]
        message = f"`{DATA}` cannot be read: it is damaged ({reason}); run it again"
        raise InputError.at(at, message) from None
    missing = sorted({*wanted} - {*map(str, data.data_vars)})
    if missing:
        message = f"`{DATA}` holds no `{missing[0]}`; an older version wrote it: run it again"
        raise InputError.at(at, message)
    return data


def _stored(path: Path) -> xr.Dataset:
    import h5py  # type: ignore[import-untyped]  # noqa: PLC0415 - only where used

    with h5py.File(path, "r") as file:  # h5netcdf, closing what it cannot open, complains
        dict(file.attrs)
    with xr.open_dataset(path, engine="h5netcdf") as stored:
        return to_complex(stored.load())


def to_complex(data: xr.Dataset) -> xr.Dataset:
    """Return a data set whose axis ``part`` (real, imaginary) has become complex numbers."""
    split = [name for name in data.data_vars if "part" in data[name].dims]
    whole = {}
    for name in split:
        parts = data[name].transpose(..., "part")
        values = parts.values[..., 0] + 1j * parts.values[..., 1]
        whole[name] = (parts.dims[:-1], np.asarray(values), parts.attrs)
    return data.drop_dims("part").assign(whole) if split else data


def stored_figure(path: str | Path, picture: str) -> Figure:
    """Return a picture of a result folder.

    Parameters
    ----------
    path
        Folder that `write_result` wrote.
    picture
        ``state``, ``city`` or ``residuals``.

    Raises
    ------
    InputError
        If it is no result folder, or does not hold what the picture shows.
    ArgumentError
        If there is no such picture.
    """
    if picture not in STATE_PICTURES:
        known = nearest(picture, STATE_PICTURES)
        raise ArgumentError(f"Argument `picture` must be a picture, but is {picture!r}; {known}")
    return STATE_PICTURES[picture](read_result(path, NEEDED[picture]))
