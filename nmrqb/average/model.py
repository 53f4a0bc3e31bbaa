"""What compiling a sequence yields."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from nmrqb.operators import Complex

SizeUnit = Literal["", "Hz", "s", "rad"]


@dataclass(frozen=True, eq=False)
class MagnusOrder:
    """One order of the Magnus series.

    Attributes
    ----------
    order
        k of H⁽ᵏ⁾.
    hamiltonian_hz
        H⁽ᵏ⁾/2π in Hz, shape (d, d).
    """

    order: int
    hamiltonian_hz: Complex


@dataclass(frozen=True)
class TargetCheck:
    """A sequence's own claim, held against what it makes.

    Attributes
    ----------
    spins
        Labels of the two spins it is about, in sample order.
    named_hz
        Claimed terms in Hz, in sample order.
    time_s
        Time for which the target claims exp(−i2πHt), or None for the duration of the pass.
    error_hz
        2-norm of the differences of all Pauli coefficients in Hz; of a claim with a time the
        unitary's own, where its pulses do not close or its logarithm is on another branch.
    infidelity
        1 − |tr U†V|²/d² of the realised and the claimed propagator of one period.
    met
        Whether ``error_hz`` is within the tolerance of the sequence, 1e-6 by default, of the
        2-norm of the target's coefficients (of the sample's own, where the target is zero) and,
        unless a time is claimed, the pulses close within 24 passes.
    """

    spins: tuple[str, str]
    named_hz: Mapping[str, float]
    time_s: float | None
    error_hz: float
    infidelity: float
    met: bool


@dataclass(frozen=True)
class Diagnosis:
    """Something a user must know about a sequence: a code for programs, a text for people."""

    code: str
    message: str


@dataclass(frozen=True)
class Sensitivity:
    """Loss of one pass when one thing is off by ``size``, everything else as compiled.

    Attributes
    ----------
    error
        ``flip-angle``, ``flip-angle NUCLEUS``, ``rf-inhomogeneity``, ``offset``,
        ``offset LABEL``, ``width NUCLEUS``, ``phase NUCLEUS``, ``quadrature NUCLEUS``,
        ``transient-antisymmetric NUCLEUS``, ``transient-symmetric NUCLEUS``, ``coupling`` or
        ``relaxation``; `nmrqb.average.perturbations.control_errors` says what each of them is.
    size
        How far it is off, in ``unit``: the 90° time of a width; of relaxation the shortest
        T2, or where T1 and T2 are infinite the time in which the rest loses the fidelity.
    infidelity
        1 − |tr U†V|²/d² against the unperturbed pass; the mean over B1 for rf-inhomogeneity,
        1 − tr(S₀†S)/d² of superoperators for relaxation.  A width is that of the channel alone,
        against the pass with ideal pulses.
    unit
        Unit of ``size``; empty where it is relative.
    claim_infidelity
        Infidelity of the closing period against the sequence's claim, None without a claim.
    coefficient
        c of infidelity = c·size² + O(size³), from the exact derivative; None where there is none.
    leakage
        (labels, named terms) of every pair of which the error changes named terms: the change of
        the effective Hamiltonian, Hz.  Empty where the logarithm cannot be trusted.
    """

    error: str
    size: float
    infidelity: float
    unit: SizeUnit = ""
    claim_infidelity: float | None = None
    coefficient: float | None = None
    leakage: tuple[tuple[tuple[str, str], Mapping[str, float]], ...] = ()


@dataclass(frozen=True)
class BudgetRow:
    """One error of a closing period, alone, on ideal pulses.

    Attributes
    ----------
    error
        ``truncation`` (H⁽⁰⁾ instead of the exact Hamiltonian), ``claim`` (H⁽⁰⁾ against the claim),
        or as in `Sensitivity`.
    assumed
        The assumed size as text, say ``5 %``.
    infidelity
        What it costs alone.
    """

    error: str
    assumed: str
    infidelity: float

    @property
    def assumed_words(self) -> str:
        """The assumed size for people: that of B1 is a spread over the sample."""
        return f"{self.assumed} spread" if self.error == "rf-inhomogeneity" else self.assumed


@dataclass(frozen=True)
class ErrorBudget:
    """What the errors of a sequence cost over one closing period.

    Attributes
    ----------
    reference
        What the total is held against: ``target``, or ``zeroth order`` without a claim.
    rows
        The errors, the largest first.
    sum
        Sum of the rows; near ``total`` where errors neither add up in amplitude nor cancel.
    total
        Infidelity with all of them at once, offsets, transients and couplings of positive sign.
    """

    reference: Literal["target", "zeroth order"]
    rows: tuple[BudgetRow, ...]
    sum: float
    total: float
