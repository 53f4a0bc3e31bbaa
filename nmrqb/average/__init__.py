"""Average Hamiltonians: Magnus orders, exact effective Hamiltonian, targets, symmetry."""

from nmrqb.average.batch import AverageBatch, compile_batch
from nmrqb.average.compile import compile_sequence, compile_timeline, target_hamiltonian
from nmrqb.average.effective import cycles_to_close, effective_hamiltonian
from nmrqb.average.magnus import magnus_terms
from nmrqb.average.model import (
    AverageHamiltonian,
    Diagnosis,
    MagnusOrder,
    Sensitivity,
    TargetCheck,
)
from nmrqb.average.symmetry import exchange_symmetric_pairs

__all__ = [
    "AverageBatch",
    "AverageHamiltonian",
    "Diagnosis",
    "MagnusOrder",
    "Sensitivity",
    "TargetCheck",
    "compile_batch",
    "compile_sequence",
    "compile_timeline",
    "cycles_to_close",
    "effective_hamiltonian",
    "exchange_symmetric_pairs",
    "magnus_terms",
    "target_hamiltonian",
]
