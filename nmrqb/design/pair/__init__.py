"""Two spins: any Hamiltonian, unitary or state out of one coupling, exactly and in least time."""

from nmrqb.design.pair.cartan import (
    Cartan,
    canonical_unitary,
    cartan_coordinates,
    cartan_decomposition,
    least_time,
    local_factors,
)
from nmrqb.design.pair.drift import Pair, couples_by_zz, pair_of, unlike_pair_of
from nmrqb.design.pair.hamiltonians import UnreachableError, design_sequence
from nmrqb.design.pair.model import Design
from nmrqb.design.pair.plan import OPTIMISE, Version
from nmrqb.design.pair.states import largest_scale, prepare
from nmrqb.design.pair.unitaries import extraction_sequence, synthesise
from nmrqb.design.pair.wanted import TERMS

__all__ = [
    "OPTIMISE",
    "TERMS",
    "Cartan",
    "Design",
    "Pair",
    "UnreachableError",
    "Version",
    "canonical_unitary",
    "cartan_coordinates",
    "cartan_decomposition",
    "couples_by_zz",
    "design_sequence",
    "extraction_sequence",
    "largest_scale",
    "least_time",
    "local_factors",
    "pair_of",
    "prepare",
    "synthesise",
    "unlike_pair_of",
]
