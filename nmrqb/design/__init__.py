"""From a wanted Hamiltonian, unitary or state to a pulse sequence."""

from nmrqb.design.pair import (
    TERMS,
    Design,
    UnreachableError,
    cartan_decomposition,
    design_sequence,
    extraction_sequence,
    least_time,
    prepare,
    synthesise,
)

__all__ = [
    "TERMS",
    "Design",
    "UnreachableError",
    "cartan_decomposition",
    "design_sequence",
    "extraction_sequence",
    "least_time",
    "prepare",
    "synthesise",
]
