"""What small errors cost: the robustness table and its curves.

Every error is a `Perturbation`; see `nmrqb.average.perturbations` for what each of them is.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike

from nmrqb.arguments import checked
from nmrqb.average.control import Control
from nmrqb.average.effective import effective_hamiltonian
from nmrqb.average.model import Sensitivity, SizeUnit
from nmrqb.average.perturbations import (
    ErrorSizes,
    Perturbation,
    control_errors,
    error_generators,
    quadratic_coefficient,
)
from nmrqb.average.widths import both_models, width_errors
from nmrqb.dynamics import (
    collapse_operators,
    dissipator,
    exp_hermitian,
    gaussian_ensemble,
    infidelity,
    relaxation_of,
    superoperator,
    timeline_segments,
    unitary,
    unitary_superoperator,
)
from nmrqb.errors import ArgumentError
from nmrqb.operators import Complex, Real, named_terms, pair_part
from nmrqb.sample import Sample
from nmrqb.sample.hamiltonian import internal_hamiltonian
from nmrqb.sequence import TimedAcquisition, Timeline
from nmrqb.units import Value, written

_KINDS = (
    "flip-angle", "rf-inhomogeneity", "offset", "width", "phase", "quadrature",
    "transient-antisymmetric", "transient-symmetric", "coupling", "relaxation",
)  # fmt: skip
DRAWN = ("flip-angle", "offset", "width", "transient-antisymmetric", "coupling")
_FACTORS = np.geomspace(0.05, 5, 41)
_HZ = 2 * np.pi
_LEAST_HZ = 1e-6  # smaller changes of a named term are none
_EXACT_SPINS = 3  # superoperators of more spins take too long for a table


@dataclass(frozen=True, eq=False)
class Pass:
    """One pass of a compiled sequence.

    Attributes
    ----------
    timeline, sample
        As compiled; the errors are those of these pulses.
    control
        What of the pass is control, `control_of`: the effective Hamiltonian is counted from it.
    claim_hz
        H_target/2π in Hz, shape (d, d), or None.
    other
        The sequence expanded with the other pulse model, see `widths.both_models`.
    branch_safe
        Whether the logarithm of the period's propagator is the Hamiltonian that acted.
    """

    timeline: Timeline
    sample: Sample
    control: Control
    claim_hz: Complex | None = None
    other: Timeline | None = None
    branch_safe: bool = True

    @property
    def cycles(self) -> int:
        """Passes of the period: those that close, or one."""
        return self.control.passes or 1

    @cached_property
    def drift(self) -> Complex:
        """H in rad/s, shape (d, d)."""
        return internal_hamiltonian(self.sample)

    @cached_property
    def models(self) -> tuple[Timeline, Timeline | None]:
        """The timeline with ideal and, where spins have 90° times, with finite pulses."""
        return both_models(self.timeline, self.sample, self.other)

    def over_period(self, U: Complex) -> Complex:
        """Return U^cycles: (..., d, d) → (..., d, d)."""
        return np.asarray(np.linalg.matrix_power(U, self.cycles))

    def period(self, timeline: Timeline) -> float:
        """Return the time that the passes of a period last in s."""
        return self.cycles * duration_s(timeline)

    def claim(self, timeline: Timeline) -> Complex | None:
        """Return exp(−i2πH_target T) of a period, T that of the timeline unless claimed: (d, d)."""
        if self.claim_hz is None:
            return None
        claimed = timeline.target_time_s
        period = self.period(timeline) if claimed is None else self.cycles * claimed
        return exp_hermitian(_HZ * self.claim_hz * period)


# --------------------------------------------------------------------------------- the table
def robustness_table(subject: Pass, sizes: ErrorSizes | None = None) -> tuple[Sensitivity, ...]:
    """Return the loss of one pass under one error at a time; see `Sensitivity`.

    Parameters
    ----------
    subject
        The pass.
    sizes
        Assumed sizes of the errors; pulse widths and relaxation are those of the sample.

    Returns
    -------
    tuple of Sensitivity
        In a fixed order of kinds.  Widths are there where the pulsed spins have 90° times,
        relaxation where some spin relaxes.
    """
    sizes = sizes or ErrorSizes()
    rows = [
        *_control_rows(subject, sizes),
        *_width_rows(subject),
        *_relaxation_rows(subject),
    ]
    return tuple(sorted(rows, key=lambda row: _KINDS.index(kind_of(row.error))))


def kind_of(error: str) -> str:
    """Return the first word of the name of an error."""
    return error.split(" ", 1)[0]


@dataclass(frozen=True, eq=False)
class _Judge:
    """Holds perturbed passes against an unperturbed one."""

    subject: Pass
    timeline: Timeline
    U: Complex

    def row(self, error: Perturbation, V: Complex, coefficient: float | None) -> Sensitivity:
        return Sensitivity(
            error=error.error,
            size=error.size,
            unit=error.unit,
            infidelity=float(infidelity(self.U, V)),
            claim_infidelity=self.claimed(V),
            coefficient=coefficient,
            leakage=self.leakage(V),
        )

    @cached_property
    def claim(self) -> Complex | None:
        return self.subject.claim(self.timeline)

    def claimed(self, V: Complex, weights: Real | None = None) -> float | None:
        """Return the infidelity to the claim, its mean over a leading axis with weights."""
        if self.claim is None:
            return None
        losses = infidelity(self.claim, self.subject.over_period(V))
        return float(losses if weights is None else weights @ losses)

    def leakage(self, V: Complex) -> tuple[tuple[tuple[str, str], dict[str, float]], ...]:
        """Return the change of the effective Hamiltonian by pair and name, over the same period."""
        if not (self.subject.branch_safe and self.subject.period(self.timeline) > 0):
            return ()
        change_hz = (self._effective(V) - self.effective) / _HZ
        labels = self.subject.sample.labels
        found = []
        for i, j in itertools.combinations(range(len(labels)), 2):
            terms = named_terms(pair_part(change_hz, i, j))
            kept = {name: value for name, value in terms.items() if abs(value) > _LEAST_HZ}
            found += [((labels[i], labels[j]), kept)] if kept else []
        return tuple(found)

    @cached_property
    def effective(self) -> Complex:
        return self._effective(self.U)

    def _effective(self, U: Complex) -> Complex:
        subject = self.subject
        closing, control = subject.over_period(U), subject.over_period(subject.control.U_rf)
        return effective_hamiltonian(closing, control, subject.period(self.timeline))


def _control_rows(subject: Pass, sizes: ErrorSizes) -> list[Sensitivity]:
    errors = control_errors(subject.timeline, subject.sample, sizes)
    segments, drift = errors[0].segments, subject.drift
    judge = _Judge(subject, subject.timeline, unitary(segments, drift))
    K = error_generators(segments, drift, np.array([error.direction for error in errors]))
    coefficients = [quadratic_coefficient(one) for one in K]
    rows = [
        judge.row(error, unitary(error.played(error.size), drift), c)
        for error, c in zip(errors, coefficients, strict=True)
    ]
    return [*rows, _rf_row(judge, errors[0], sizes.rf_spread, coefficients[0])]


def _rf_row(judge: _Judge, flip: Perturbation, spread: float, coefficient: float) -> Sensitivity:
    amplitudes, weights = gaussian_ensemble(spread, largest_angle=turned_angle(flip.direction))
    V = unitary(flip.played(amplitudes - 1), judge.subject.drift)
    loss = float(weights @ np.broadcast_to(infidelity(judge.U, V), weights.shape))
    claimed = judge.claimed(np.broadcast_to(V, (*weights.shape, *judge.U.shape)), weights)
    return Sensitivity("rf-inhomogeneity", spread, loss, "", claimed, coefficient)


def turned_angle(rotations: Complex) -> float:
    """Return the largest angle by which rotations turn a matrix element, one after another."""
    phases = np.linalg.eigvalsh(rotations)
    return float(np.sum(phases[:, -1] - phases[:, 0]))


def _width_rows(subject: Pass) -> list[Sensitivity]:
    ideal, finite = subject.models
    if finite is None:
        return []
    drift, rows = subject.drift, []
    judge = _Judge(subject, ideal, played(ideal, subject))
    for name, (wide, linear) in width_errors(ideal, finite, subject.sample, drift).items():
        error = linear or Perturbation(f"width {name}", longest_90(subject.sample, name), "s",
                                       [], np.zeros((0, *drift.shape)))  # fmt: skip
        rows.append(judge.row(error, played(wide, subject), _coefficient(linear, drift)))
    return rows


def _coefficient(error: Perturbation | None, drift: Complex) -> float | None:
    if error is None:
        return None
    return quadratic_coefficient(error_generators(error.segments, drift, error.direction[None])[0])


def longest_90(sample: Sample, nucleus: str) -> float:
    """Return the longest 90° time of the spins of a nucleus in s, 0 where none has one."""
    return max(s.pulse_90_s or 0.0 for s in sample.spins if s.nucleus == nucleus)


def played(timeline: Timeline, subject: Pass) -> Complex:
    """Return U of one pass of a timeline on the sample: (d, d)."""
    return unitary(timeline_segments(timeline, subject.sample), subject.drift)


def _relaxation_rows(subject: Pass) -> list[Sensitivity]:
    loss = relaxation_cost(subject.timeline, subject.sample)
    if loss == 0:
        return []
    judge = _Judge(subject, subject.timeline, played(subject.timeline, subject))
    bare = judge.claimed(judge.U)
    claimed = None if bare is None else 1 - (1 - bare) * (1 - loss) ** subject.cycles
    shortest = min(min(spin.T2_s, 2 * spin.T1_s) for spin in subject.sample.spins)
    size = shortest if math.isfinite(shortest) else 1 / relaxation_rate(subject.sample)
    return [Sensitivity("relaxation", size, loss, "s", claimed)]


def relaxation_cost(timeline: Timeline, sample: Sample) -> float:
    """Return 1 − tr(S₀†S)/d², the process infidelity that relaxation makes in one pass.

    S is the superoperator with relaxation, S₀ without.  To first order it is, for T1 and T2,
    (T/4) Σ_k (2/T2_k + 1/T1_k) whatever the pulses do, because the trace of a dissipator is the
    same in every frame.  Above three spins, where S takes long, it is `free_relaxation_cost`.
    """
    if len(sample.spins) > _EXACT_SPINS:
        return free_relaxation_cost(duration_s(timeline), sample)
    operators = collapse_operators(sample)
    if not operators:
        return 0.0
    segments, drift = timeline_segments(timeline, sample), internal_hamiltonian(sample)
    d = drift.shape[-1]
    S = superoperator(segments, drift, dissipator(operators, d))
    bare = unitary_superoperator(unitary(segments, drift))
    return float(1 - np.vdot(bare, S).real / d**2)


def free_relaxation_cost(time: float, sample: Sample) -> float:
    """Return 1 − tr(S)/d² of relaxation alone for a time T in s.

    It is 1 − Π_k (1 + 2e^{−T/T2_k} + e^{−T/T1_k})/4 for T1 and T2; where the sample declares more,
    1 − e^{T tr(D)/d²}, which is right to first order in T.
    """
    if sample.relaxation:
        return float(-np.expm1(-time * relaxation_rate(sample)))
    kept = ((1 + 2 * np.exp(-time / s.T2_s) + np.exp(-time / s.T1_s)) / 4 for s in sample.spins)
    return float(1 - math.prod(kept))


def relaxation_rate(sample: Sample) -> float:
    """Return −tr(D)/d² in 1/s of the dissipator D, the rate at which fidelity with 1 is lost.

    −tr(D)/d² = Σ_m [tr(L_m†L_m)/d − |tr L_m|²/d²], on the spins that each L_m touches.
    """
    rate = 0.0
    for part in relaxation_of(sample).parts:
        d = part.operators.shape[-1]
        traces = np.abs(np.trace(part.operators, axis1=-2, axis2=-1)) ** 2
        rate += float(np.sum(np.abs(part.operators) ** 2) / d - traces.sum() / d**2)
    return rate


def duration_s(timeline: Timeline) -> float:
    """Return how long one pass lasts, pulses included, in s."""
    return float(sum(e.duration for e in timeline.events if not isinstance(e, TimedAcquisition)))


# ---------------------------------------------------------------------------------- curves
@dataclass(frozen=True, eq=False)
class RobustnessCurve:
    """Infidelity of one pass against the size of one error.

    Attributes
    ----------
    error, size, unit
        As in `Sensitivity`.
    sizes
        Sizes in ``unit``, shape (points,).
    infidelity
        Against the unperturbed pass, shape (points,).
    coefficient
        c of infidelity = c·size² + O(size³).
    """

    error: str
    size: float
    unit: SizeUnit
    sizes: Real
    infidelity: Real
    coefficient: float


@checked
def robustness_curves(
    subject: Pass,
    sizes: ErrorSizes | None = None,
    factors: ArrayLike = _FACTORS,
    errors: Iterable[str] = DRAWN,
) -> tuple[RobustnessCurve, ...]:
    """Return infidelity against size, all sizes of an error in one batch.

    Parameters
    ----------
    subject
        The pass.
    sizes
        Assumed sizes.
    factors
        What these are multiplied by, shape (points,).  Widths have no curve where a factor is
        negative, nor where hard pulses are played within soft ones.
    errors
        Names of errors, or first words of names where no error has just that name.

    Raises
    ------
    ArgumentError
        If there is no kind of error of that name that has a curve.
    """
    grid = np.asarray(factors, dtype=float)
    found = control_errors(subject.timeline, subject.sample, sizes)
    if np.all(grid >= 0):
        found += _linear_widths(subject)
    return tuple(_curve(error, grid, subject.drift) for error in _chosen(found, tuple(errors)))


def _chosen(found: list[Perturbation], wanted: tuple[str, ...]) -> list[Perturbation]:
    names = {error.error for error in found}
    chosen = {n for n in names for w in wanted if n == w or (w not in names and kind_of(n) == w)}
    curved = [kind for kind in _KINDS if kind not in ("rf-inhomogeneity", "relaxation")]
    if unknown := [w for w in wanted if w not in names and w not in curved]:
        known = ", ".join([*curved, *sorted(names - set(curved))])
        raise ArgumentError(f"Argument `errors` must be of {known}, but holds {unknown[0]!r}")
    return [error for error in found if error.error in chosen]


def _linear_widths(subject: Pass) -> list[Perturbation]:
    ideal, finite = subject.models
    if finite is None:
        return []
    found = width_errors(ideal, finite, subject.sample, subject.drift).values()
    return [linear for _, linear in found if linear is not None]


def _curve(error: Perturbation, factors: Real, drift: Complex) -> RobustnessCurve:
    values = factors * error.size
    U, V = unitary(error.segments, drift), unitary(error.played(values), drift)
    lost = np.broadcast_to(infidelity(U, V), values.shape)
    coefficient = quadratic_coefficient(
        error_generators(error.segments, drift, error.direction[None])[0]
    )
    return RobustnessCurve(error.error, error.size, error.unit, values, lost, coefficient)


_WORDS = {"rf-inhomogeneity": "flip-angle", "offset": "offset of all spins"}


def error_words(error: str) -> str:
    """Return the name of an error for people, the same in texts and pictures.

    A spread of B1 is one of all flip angles, and ``offset`` alone is that of all spins at once.
    """
    return _WORDS.get(error, error)


def size_text(size: float, unit: SizeUnit) -> str:
    """Return the size of an error for people: ``5 %``, ``20 Hz``, ``77 µs``, ``1°``."""
    if unit == "s":
        return written(Value.of(size, "time")).replace(" us", " µs")
    if unit == "Hz":
        return f"{size:g} Hz"
    return f"{np.degrees(size):.3g}°" if unit == "rad" else f"{100 * size:.4g} %"
