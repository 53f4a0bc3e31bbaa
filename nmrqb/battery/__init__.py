"""Batteries: Hamiltonians, figures of merit, closed forms of the papers."""

from nmrqb.battery.charging_maps import charging_map, open_charging_map
from nmrqb.battery.merit import (
    active_energy,
    anti_ergotropy,
    capacity,
    coherence_l1,
    energy,
    energy_basis,
    ergotropy,
    fidelity,
    is_degenerate,
    passive_energy,
    purity,
)
from nmrqb.battery.model import Battery

__all__ = [
    "Battery",
    "active_energy",
    "anti_ergotropy",
    "capacity",
    "charging_map",
    "coherence_l1",
    "energy",
    "energy_basis",
    "ergotropy",
    "fidelity",
    "is_degenerate",
    "open_charging_map",
    "passive_energy",
    "purity",
]
