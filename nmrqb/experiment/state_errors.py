"""How sure the estimated states of a run are, and what they leave of the data."""

from __future__ import annotations

import numpy as np

from nmrqb.experiment.result import Variable, variable
from nmrqb.operators import Real, pauli_strings, spin_count
from nmrqb.tomography import Chain, Residuals, StateEstimate, coefficient_errors, element_errors
from nmrqb.tomography.estimation.states import to_coefficients

_STATE = ("time", "row", "column")


def error_variables(estimate: StateEstimate) -> dict[str, Variable]:
    """Return Pauli coefficients and standard deviations of the linear inversions, batch (T,)."""
    linear = estimate.linear
    real, imaginary = (np.broadcast_to(part, linear.shape) for part in element_errors(estimate))
    names = np.array(pauli_strings(spin_count(linear))[1:])
    error = "standard deviation"
    return {
        "pauli": variable(("pauli",), names, "Pauli string"),
        "pauli_mean": variable(("time", "pauli"), to_coefficients(linear), "⟨P⟩, linear inversion"),
        "pauli_error": variable(("time", "pauli"), coefficient_errors(estimate), f"{error} of ⟨P⟩"),
        "p_value": variable(
            ("time",), estimate.p_value, "probability of a larger chi2 where the model is right"
        ),
        "state_error_real": variable(_STATE, real, f"{error} of Re linear_state"),
        "state_error_imaginary": variable(_STATE, imaginary, f"{error} of Im linear_state"),
    }


def residual_variables(left: Residuals, chain: Chain) -> dict[str, Variable]:
    """Return what the best state leaves of the FIDs of one state, with its χ² and lines."""
    decay = np.array([max(0.0, float(-rates.real.mean())) for rates in chain.lines])
    dims, of = ("readout", "channel", "acquisition_time"), "of the state with the largest ergotropy"
    parts: dict[str, tuple[tuple[str, ...], object, str]] = {
        "residual": (dims, left.values, f"FIDs less fit over noise, {of}"),
        "residual_chi2": ((), left.chi2, f"squared residual of all points, {of}"),
        "residual_degrees_of_freedom": ((), left.degrees_of_freedom, "expectation of the same"),
        "residual_p_value": ((), left.p_value, "probability of more where the model is right"),
    }
    return {
        **{name: variable(*part) for name, part in parts.items()},
        "line_frequency": variable(("channel", "line"), _frequencies(chain), "lines", "Hz"),
        "line_decay": variable(("channel",), decay, "mean decay rate of the lines", "1/s"),
    }


def _frequencies(chain: Chain) -> Real:
    """Return the frequencies in Hz of the lines of every channel, NaN where there are fewer."""
    most = max(len(rates) for rates in chain.lines)
    rows = [rates.imag / (2 * np.pi) for rates in chain.lines]
    return np.array([np.pad(row, (0, most - len(row)), constant_values=np.nan) for row in rows])
