"""The figures of merit that an experiment can report: one table for run, JSON, and pictures."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from nmrqb.battery import Battery, coherence_l1
from nmrqb.operators import Complex, Real, partial_trace
from nmrqb.tomography import (
    Figure,
    anti_ergotropy_figure,
    capacity_figure,
    coherence_figure,
    energy_figure,
    ergotropy_figure,
)


@dataclass(frozen=True)
class FigureOfMerit:
    """One reportable figure.

    Attributes
    ----------
    key
        Name in JSON, with its unit.
    symbol, title, units
        For pictures and tables.
    """

    key: str
    symbol: str
    title: str
    units: str


FIGURES: Mapping[str, FigureOfMerit] = {
    "ergotropy": FigureOfMerit("ergotropy_hz", "ξ/h", "ergotropy", "Hz"),
    "anti_ergotropy": FigureOfMerit("anti_ergotropy_hz", "A/h", "anti-ergotropy", "Hz"),
    "capacity": FigureOfMerit("capacity_hz", "Q/h", "capacity", "Hz"),
    "energy": FigureOfMerit("energy_hz", "E/h", "mean energy", "Hz"),
    "coherence_l1": FigureOfMerit("coherence_l1", "C", "l1 coherence in the energy basis", "1"),
    "coherence_l1_computational": FigureOfMerit(
        "coherence_l1_computational", "C_z", "l1 coherence in the product basis", "1"
    ),
}

EXTRACTED_WORK = FigureOfMerit("extracted_work_hz", "W/h", "extracted work", "Hz")
"""Work that the unitary of an estimated state extracts from the true one."""


def battery_state(battery: Battery, rho: Complex) -> Complex:
    """Return the part of the register's states that is the battery: (..., d, d)."""
    return rho if battery.spins is None else partial_trace(rho, battery.spins)


def estimated_figures(battery: Battery) -> dict[str, Figure]:
    """Return the figures of a battery as error bars need them: with their kinks."""
    H, spins = battery.hamiltonian_hz, battery.spins
    return {
        "ergotropy": ergotropy_figure(H, spins=spins),
        "anti_ergotropy": anti_ergotropy_figure(H, spins=spins),
        "capacity": capacity_figure(H, spins=spins),
        "energy": energy_figure(H, spins=spins),
        "coherence_l1": coherence_figure(battery.energy_basis, spins=spins),
        "coherence_l1_computational": coherence_figure(np.eye(len(H), dtype=complex), spins=spins),
    }


def figure_functions(battery: Battery) -> dict[str, Callable[[Complex], Real]]:
    """Return the figures of a battery as functions of the register's states (..., d, d)."""
    of_battery: dict[str, Callable[[Complex], Real]] = {
        "ergotropy": battery.ergotropy,
        "anti_ergotropy": battery.anti_ergotropy,
        "capacity": battery.capacity,
        "energy": battery.energy,
        "coherence_l1": battery.coherence_l1,
        "coherence_l1_computational": coherence_l1,
    }
    return {name: _on_register(battery, figure) for name, figure in of_battery.items()}


def _on_register(battery: Battery, figure: Callable[[Complex], Real]) -> Callable[[Complex], Real]:
    def evaluate(rho: Complex) -> Real:
        return np.asarray(figure(battery_state(battery, rho)))

    return evaluate
