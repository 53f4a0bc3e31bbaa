"""Registers of many equivalent spins: collective spins, stars, relaxation spin by spin."""

from nmrqb.dynamics.registers.collective import (
    Chain,
    coherent_state,
    collective_operator,
    dicke_state,
    exchange_chain,
    ladder,
    levels,
    multiplicity,
    total_spins,
)
from nmrqb.dynamics.registers.register import StarRegister
from nmrqb.dynamics.registers.star import (
    Blocks,
    bloch_vector,
    satellite_count,
    star_deviation,
    star_hamiltonian,
    star_operator,
    star_product,
)
from nmrqb.dynamics.registers.star_dynamics import (
    StarSegment,
    central_signal,
    central_state,
    satellite_signal,
    star_apply,
    star_expectation,
    star_unitary,
)
from nmrqb.dynamics.registers.star_liouville import (
    StarDissipation,
    star_liouvillian,
    symmetric_dissipator,
)
from nmrqb.dynamics.registers.symmetric import (
    SymmetricSpace,
    one_spin_dissipator,
    one_spin_map,
)
from nmrqb.dynamics.registers.symmetric_dynamics import (
    needed,
    symmetric_expectation,
    symmetric_play,
)

__all__ = [
    "Blocks",
    "Chain",
    "StarDissipation",
    "StarRegister",
    "StarSegment",
    "SymmetricSpace",
    "bloch_vector",
    "central_signal",
    "central_state",
    "coherent_state",
    "collective_operator",
    "dicke_state",
    "exchange_chain",
    "ladder",
    "levels",
    "multiplicity",
    "needed",
    "one_spin_dissipator",
    "one_spin_map",
    "satellite_count",
    "satellite_signal",
    "star_apply",
    "star_deviation",
    "star_expectation",
    "star_hamiltonian",
    "star_liouvillian",
    "star_operator",
    "star_product",
    "star_unitary",
    "symmetric_dissipator",
    "symmetric_expectation",
    "symmetric_play",
    "total_spins",
]
