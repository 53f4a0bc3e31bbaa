"""What a spread over the sample does to estimates, and intervals that hold it.

The response of the measurement averages over the sample.  Where the same spread also charged, the
states of the members differ, ⟨R_m ρ_m⟩ ≠ ⟨R_m⟩⟨ρ_m⟩, and even FIDs without noise give a state that
is not the average one.  No reconstruction can tell: the size of this shift comes from simulating
the spread, as here.  Its sign and size depend on the model of the spread, so that it is not taken
off but added to the intervals at both ends.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from nmrqb.experiment.figures import FIGURES, battery_state
from nmrqb.experiment.model import Experiment
from nmrqb.experiment.result import Truth, Variable, variable
from nmrqb.operators import Complex, Real
from nmrqb.tomography import Figure, Interval


def figure_shifts(
    experiment: Experiment, truth: Truth, noiseless: Complex | None, figures: Mapping[str, Figure]
) -> dict[str, Real]:
    """Return f(ρ̂₀) − f(ρ) of figures, ρ̂₀ from FIDs without noise; nothing without a spread.

    Parameters
    ----------
    experiment, truth
        What was run, and its true states.
    noiseless
        Linear inversions of the FIDs without noise, shape (T, d, d), or None.
    figures
        Name to figure.
    """
    if noiseless is None:
        return {}
    seen, true = (battery_state(experiment.battery, rho) for rho in (noiseless, truth.states))
    return {name: np.asarray(figure(seen) - figure(true)) for name, figure in figures.items()}


def widened(
    bars: Mapping[str, Interval], shifts: Mapping[str, Real], figures: Mapping[str, Figure]
) -> dict[str, Interval]:
    """Return intervals and bounds moved outwards by the sizes of shifts, as far as permitted.

    Parameters
    ----------
    bars
        Name to the interval of the receiver's noise.
    shifts
        Name to shift, of some or all of them.
    figures
        Name to figure, which knows the values that it can have.
    """
    return {
        name: _widened(bar, np.abs(shifts[name]), figures[name]) if name in shifts else bar
        for name, bar in bars.items()
    }


def _widened(bar: Interval, size: Real, figure: Figure) -> Interval:
    return replace(
        bar,
        low=figure.permitted(bar.low - size),
        high=figure.permitted(bar.high + size),
        lower_bound=bar.lower_bound - size,
        upper_bound=bar.upper_bound + size,
    )


def shift_variables(shifts: Mapping[str, Real]) -> dict[str, Variable]:
    """Return shifts as labelled arrays ``NAME_shift``."""
    text = "shift of an estimate without noise by the spread over the sample"
    return {
        f"{name}_shift": variable(
            ("time",), shift, f"{FIGURES[name].title}, {text}", FIGURES[name].units
        )
        for name, shift in shifts.items()
    }


def shift_notes(shifts: Mapping[str, Real], spread: str) -> list[str]:
    """Return what a reader must know of shifts; nothing where there is no spread.

    Parameters
    ----------
    shifts
        Name to shift.
    spread
        What is spread, in words.
    """
    if not shifts:
        return []
    largest = ", ".join(
        f"{FIGURES[name].title} {_largest(shift):+.2g}{_unit(name)}"
        for name, shift in shifts.items()
    )
    return [
        f"The response averages over the {spread} without knowing how it charged, which shifts "
        f"what noiseless FIDs give by up to: {largest}. Intervals are wider by the size of the "
        "shift at both ends; those of work measured directly are not."
    ]


def _largest(shift: Real) -> float:
    return float(shift[np.argmax(np.abs(shift))])


def _unit(name: str) -> str:
    return "" if FIGURES[name].units == "1" else f" {FIGURES[name].units}"
