"""Average Hamiltonians: Magnus orders, exact effective Hamiltonian, targets, symmetry."""

from nmrqb.average.batch import AverageBatch, compile_batch
from nmrqb.average.compile import compile_sequence, compile_timeline
from nmrqb.average.convergence import Convergence
from nmrqb.average.effective import cycles_to_close, effective_hamiltonian
from nmrqb.average.frames import Frames, toggling_frames
from nmrqb.average.lie_algebra import LieAlgebra, lie_algebra
from nmrqb.average.magnus import magnus_terms
from nmrqb.average.model import (
    BudgetRow,
    Diagnosis,
    ErrorBudget,
    MagnusOrder,
    Sensitivity,
    TargetCheck,
)
from nmrqb.average.open_system import OpenAverage, TermCost, average_liouvillian, average_open
from nmrqb.average.result import Analysis, AverageHamiltonian
from nmrqb.average.robustness import RobustnessCurve, error_words, robustness_curves, size_text
from nmrqb.average.selection_rules import Symmetry
from nmrqb.average.symmetry import SymmetryReport, exchange_symmetric_pairs
from nmrqb.average.target import target_hamiltonian

__all__ = [
    "Analysis",
    "AverageBatch",
    "AverageHamiltonian",
    "BudgetRow",
    "Convergence",
    "Diagnosis",
    "ErrorBudget",
    "Frames",
    "LieAlgebra",
    "MagnusOrder",
    "OpenAverage",
    "RobustnessCurve",
    "Sensitivity",
    "Symmetry",
    "SymmetryReport",
    "TargetCheck",
    "TermCost",
    "average_liouvillian",
    "average_open",
    "compile_batch",
    "compile_sequence",
    "compile_timeline",
    "cycles_to_close",
    "effective_hamiltonian",
    "error_words",
    "exchange_symmetric_pairs",
    "lie_algebra",
    "magnus_terms",
    "robustness_curves",
    "size_text",
    "target_hamiltonian",
    "toggling_frames",
]
