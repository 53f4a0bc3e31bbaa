"""Batteries: Hamiltonians, figures of merit, closed forms of the papers."""

from nmrqb.battery.extraction import after_extraction, extracted_work, extraction_unitary
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
    "after_extraction",
    "anti_ergotropy",
    "capacity",
    "coherence_l1",
    "energy",
    "energy_basis",
    "ergotropy",
    "extracted_work",
    "extraction_unitary",
    "fidelity",
    "is_degenerate",
    "passive_energy",
    "purity",
]
