"""Tomography: readouts, response matrices, estimators, error bars."""

from nmrqb.tomography.estimators import METHODS, Method, StateEstimate, estimate_state, undetermined
from nmrqb.tomography.readouts import check_readout, readout_maps, readout_segments
from nmrqb.tomography.response import (
    Chain,
    Response,
    acquire,
    acquire_members,
    detect,
    line_amplitudes,
    measurement_chain,
    noise_for_snr,
    response_matrix,
)
from nmrqb.tomography.uncertainty import Figure, Interval, bootstrap

__all__ = [
    "METHODS",
    "Chain",
    "Figure",
    "Interval",
    "Method",
    "Response",
    "StateEstimate",
    "acquire",
    "acquire_members",
    "bootstrap",
    "check_readout",
    "detect",
    "estimate_state",
    "line_amplitudes",
    "measurement_chain",
    "noise_for_snr",
    "readout_maps",
    "readout_segments",
    "response_matrix",
    "undetermined",
]
