"""What compiling a sequence yields, as a whole."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from nmrqb.average.convergence import Convergence
from nmrqb.average.decomposition import Decomposition, SecondAverage
from nmrqb.average.decoupling import Condition
from nmrqb.average.frames import Frames
from nmrqb.average.model import Diagnosis, ErrorBudget, MagnusOrder, Sensitivity, TargetCheck
from nmrqb.average.open_system import OpenAverage
from nmrqb.average.robustness import Pass
from nmrqb.average.symmetry import SymmetryReport
from nmrqb.operators import Complex


@dataclass(frozen=True, eq=False)
class Analysis:
    """What can be said of a compiled sequence beyond its Hamiltonian.

    Attributes
    ----------
    subject
        The pass that was compiled, for further questions such as `robustness_curves`.
    parts
        Fields, pairs and many-body terms of the effective Hamiltonian, Hz.
    second
        What its own fields leave of it in the tilted frame, Hz.
    convergence
        Whether the Magnus series can be trusted.
    frames
        The toggled z axes of one pass.
    symmetric
        Whether the period is its own mirror image, so that odd orders vanish.
    conditions
        The four conditions of decoupling, over the period.
    symmetry
        What can never appear, why, and what would lift it.
    relaxation
        What T1 and T2 make of it, or None without relaxation or for too many spins.
    budget
        What assumed errors cost, alone and together.
    """

    subject: Pass
    parts: Decomposition
    second: SecondAverage
    convergence: Convergence
    frames: Frames
    symmetric: bool
    conditions: tuple[Condition, ...]
    symmetry: SymmetryReport
    relaxation: OpenAverage | None
    budget: ErrorBudget


@dataclass(frozen=True, eq=False)
class AverageHamiltonian:
    """What a sequence makes of a sample.

    All Hamiltonians are H/2π in Hz, of shape (d, d), in the tensor order of the sample, and
    belong to the closing period of ``cycles_to_close`` passes (one pass if that is None).

    Attributes
    ----------
    sequence, sample, spins, pulses
        Names of the inputs, labels of the spins, ``ideal`` or ``finite``.
    duration_s, free_evolution_s
        Length of one pass with its pulses, and its delays alone, in s.
    cyclic, cycles_to_close
        Whether one pass of the pulses multiplies to 1; how many passes do (None above 24).
    orders
        The Magnus series.
    exact_hz
        (i/T) log[U_rf†(T) U(T)]/2π.
    branch_safe
        Whether the logarithm can be trusted; if not, ``named`` is the truncated series.
    effective_hz
        The Hamiltonian that ``named`` and ``pairs`` describe.
    named_from
        Whether that is the exact one or the truncated Magnus series.
    named
        Named terms in Hz (two spins; None otherwise), ``other`` included.
    pairs
        (labels, named terms) of every pair.
    target
        The check of the sequence's claim, or None.
    diagnosis
        What to know, by code.
    robustness
        Loss under small errors.
    analysis
        Everything else that is known of it, or None where it was not asked for.
    """

    sequence: str
    sample: str
    spins: tuple[str, ...]
    pulses: str
    duration_s: float
    free_evolution_s: float
    cyclic: bool
    cycles_to_close: int | None
    orders: tuple[MagnusOrder, ...]
    exact_hz: Complex
    branch_safe: bool
    effective_hz: Complex
    named_from: Literal["exact", "series"]
    named: Mapping[str, float] | None
    pairs: tuple[tuple[tuple[str, str], Mapping[str, float]], ...]
    target: TargetCheck | None
    diagnosis: tuple[Diagnosis, ...]
    robustness: tuple[Sensitivity, ...]
    analysis: Analysis | None = None
