"""Batteries: Hamiltonians, figures of merit, closed forms of the papers."""

from nmrqb.battery.charging_maps import charging_map, open_charging_map
from nmrqb.battery.coherence import (
    coherence_l1,
    coherence_relative_entropy,
    energy_coherence,
    first_order_coherence,
)
from nmrqb.battery.correlations import concurrence, mutual_information, negativity, steering
from nmrqb.battery.daemonic import DaemonicErgotropy, daemonic_ergotropy
from nmrqb.battery.energies import (
    active_energy,
    anti_ergotropy,
    capacity,
    energy,
    energy_spread,
    energy_variance,
    ergotropy,
    passive_energy,
    polarized_capacity,
    spectral_width,
    stored_energy,
)
from nmrqb.battery.entropies import (
    diagonal_entropy,
    fidelity,
    purity,
    renyi2_entropy,
    von_neumann_entropy,
)
from nmrqb.battery.extraction import after_extraction, extracted_work, extraction_unitary
from nmrqb.battery.levels import dephased, energy_basis, is_degenerate
from nmrqb.battery.local_unitaries import LocalUnitaryErgotropy, ergotropy_by_local_unitaries
from nmrqb.battery.model import Battery
from nmrqb.battery.origins import (
    coherent_ergotropy,
    correlation_ergotropy,
    incoherent_ergotropy,
    local_ergotropies,
)
from nmrqb.battery.power import (
    average_power,
    charging_time,
    energy_power,
    ergotropy_power,
    state_derivative,
)
from nmrqb.battery.quantum_discord import Discord, discord, x_state_discord
from nmrqb.battery.speed import SpeedLimit, speed_limit

__all__ = [
    "Battery",
    "DaemonicErgotropy",
    "Discord",
    "LocalUnitaryErgotropy",
    "SpeedLimit",
    "active_energy",
    "after_extraction",
    "anti_ergotropy",
    "average_power",
    "capacity",
    "charging_map",
    "charging_time",
    "coherence_l1",
    "coherence_relative_entropy",
    "coherent_ergotropy",
    "concurrence",
    "correlation_ergotropy",
    "daemonic_ergotropy",
    "dephased",
    "diagonal_entropy",
    "discord",
    "energy",
    "energy_basis",
    "energy_coherence",
    "energy_power",
    "energy_spread",
    "energy_variance",
    "ergotropy",
    "ergotropy_by_local_unitaries",
    "ergotropy_power",
    "extracted_work",
    "extraction_unitary",
    "fidelity",
    "first_order_coherence",
    "incoherent_ergotropy",
    "is_degenerate",
    "local_ergotropies",
    "mutual_information",
    "negativity",
    "open_charging_map",
    "passive_energy",
    "polarized_capacity",
    "purity",
    "renyi2_entropy",
    "spectral_width",
    "speed_limit",
    "state_derivative",
    "steering",
    "stored_energy",
    "von_neumann_entropy",
    "x_state_discord",
]
