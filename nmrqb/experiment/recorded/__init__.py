"""Recorded data: which file shows what, lines fitted, states and calibrations from them."""

from nmrqb.experiment.recorded.amplitudes import FittedFile, Quadratures
from nmrqb.experiment.recorded.calibrations import Calibrated, calibrate_recorded
from nmrqb.experiment.recorded.estimate import RecordedState, Tomogram, analyse_recorded
from nmrqb.experiment.recorded.fits import fit_files
from nmrqb.experiment.recorded.format import DataFormat
from nmrqb.experiment.recorded.loader import load_data
from nmrqb.experiment.recorded.model import (
    DataFile,
    Integrals,
    ReadoutFile,
    RecordedData,
    Reference,
    Series,
)
from nmrqb.experiment.recorded.sample_files import (
    UpdatedSample,
    calibrated_sample,
    updated_sample,
)
from nmrqb.experiment.recorded.sums import Gain

__all__ = [
    "Calibrated",
    "DataFile",
    "DataFormat",
    "FittedFile",
    "Gain",
    "Integrals",
    "Quadratures",
    "ReadoutFile",
    "RecordedData",
    "RecordedState",
    "Reference",
    "Series",
    "Tomogram",
    "UpdatedSample",
    "analyse_recorded",
    "calibrate_recorded",
    "calibrated_sample",
    "fit_files",
    "load_data",
    "updated_sample",
]
