"""Recorded data for people and programs: documents, text, pictures, folders."""

from nmrqb.report.recorded.calibration_pictures import calibration_figures
from nmrqb.report.recorded.calibrations import calibration_document, calibration_text
from nmrqb.report.recorded.fit_pictures import fit_figures
from nmrqb.report.recorded.folders import (
    check_calibration_folder,
    check_tomography_folder,
    write_calibrations,
    write_tomography,
)
from nmrqb.report.recorded.recording_pictures import recording_figure, recording_lines
from nmrqb.report.recorded.state_pictures import state_figures
from nmrqb.report.recorded.tomography import coupling_of, line_contrast, tomography_document
from nmrqb.report.recorded.tomography_text import tomography_text

__all__ = [
    "calibration_document",
    "calibration_figures",
    "calibration_text",
    "check_calibration_folder",
    "check_tomography_folder",
    "coupling_of",
    "fit_figures",
    "line_contrast",
    "recording_figure",
    "recording_lines",
    "state_figures",
    "tomography_document",
    "tomography_text",
    "write_calibrations",
    "write_tomography",
]
