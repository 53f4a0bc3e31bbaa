"""Ensembles over imperfections of the spectrometer: one member is one place of the sample.

Deterministic quadrature comes first; random members are drawn where a grid would be too large.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from nmrqb.arguments import checked
from nmrqb.dynamics.inhomogeneity.distributions import Distribution, Gaussian
from nmrqb.dynamics.segments import Segment, total_duration
from nmrqb.errors import ArgumentError
from nmrqb.operators import Complex, Real, spin_operator
from nmrqb.sample import Coupling, Sample
from nmrqb.sample.hamiltonian import coupling_hamiltonian, internal_hamiltonian
from nmrqb.sample.nuclei import relative_gyromagnetic_ratio
from nmrqb.sequence import TimedEvent, TimedPulse, Timeline

AXES = ("b1", "field_hz", "coupling")
MAX_MEMBERS = 4096


@dataclass(frozen=True, eq=False)
class Ensemble:
    """Members of a sample that see different fields, each with its share of the signal.

    Attributes
    ----------
    b1
        Relative rf amplitude, shape (M,), or (M, channels) in the order of ``sample.nuclei``.
    field_hz
        Shift of the static field in Hz of 1H, shape (M,): H/2π gains (γ_k/γ(1H)) f I_zk.
    coupling
        Relative scale of the scalar couplings, shape (M,), or (M, pairs) in the order of
        ``sample.couplings``.
    weights
        Shares of the members, shape (M,), ≥ 0 with the sum 1.
    error
        Estimated error of an average over the members by absolute value, 0 where nobody asked.
    missing
        Weight that truncated distributions leave out.
    seed
        Seed of random members, None where they are a quadrature rule.

    Raises
    ------
    ArgumentError
        If shapes do not go together, a number is not finite, or the weights are no shares.
    """

    b1: Real
    field_hz: Real
    coupling: Real
    weights: Real
    error: float = 0.0
    missing: float = 0.0
    seed: int | None = None

    def __post_init__(self) -> None:
        for name in (*AXES, "weights"):
            value = np.asarray(getattr(self, name), dtype=float)
            object.__setattr__(self, name, value)
            most = 1 if name in ("field_hz", "weights") else 2
            if not 1 <= value.ndim <= most or len(value) != np.size(self.weights):
                raise ArgumentError(
                    f"Argument `{name}` must have one row for each of the {np.size(self.weights)} "
                    f"weights, but has shape {value.shape}"
                )
            if not np.all(np.isfinite(value)):
                raise ArgumentError(f"Argument `{name}` must be finite, but is not")
        total = float(self.weights.sum())
        if np.any(self.weights < 0) or abs(total - 1) > 1e-9:
            raise ArgumentError(
                f"Argument `weights` must be shares of the sum 1, but is from "
                f"{self.weights.min():g} on with the sum {total:g}"
            )

    @property
    def size(self) -> int:
        """Number of members M."""
        return len(self.weights)

    @property
    def precesses_alike(self) -> bool:
        """Whether all members have the nominal field and couplings."""
        return not np.any(self.field_hz) and bool(np.all(self.coupling == 1))

    def mean(self, values: Complex) -> Complex:
        """Return the weighted mean over the members: (M, ...) → (...)."""
        return np.asarray(np.tensordot(self.weights, values, axes=1))

    def blocks(self, size: int) -> Iterator[tuple[float, Ensemble]]:
        """Yield consecutive parts of at most ``size`` members, each after its share of the whole.

        Members without weight are left out only where a whole part has none.
        """
        for start in range(0, self.size, size):
            part = slice(start, start + size)
            share = float(self.weights[part].sum())
            if share > 0:
                yield share, self.chosen(np.arange(self.size)[part])

    def chosen(self, members: NDArray[np.intp]) -> Ensemble:
        """Return some of the members, their weights scaled to the sum 1 (equal if all are 0)."""
        weights = self.weights[members]
        total = weights.sum()
        shares = weights / total if total > 0 else np.full(len(members), 1 / len(members))
        axes = {name: getattr(self, name)[members] for name in AXES}
        return replace(self, **axes, weights=shares)


def uniform_sample() -> Ensemble:
    """Return the ensemble of one nominal member: nothing is spread."""
    return Ensemble(np.ones(1), np.zeros(1), np.ones(1), np.ones(1))


def gaussian_ensemble(spread: float, *, largest_angle: float = 0.0) -> tuple[Real, Real]:
    """Return relative amplitudes and weights that average over a normal distribution round 1.

    See `nmrqb.dynamics.Gaussian` for the rule.

    Parameters
    ----------
    spread
        Relative standard deviation s, ≥ 0; zero gives the single amplitude 1.
    largest_angle
        Largest angle θ in rad by which a matrix element turns over the whole experiment.

    Returns
    -------
    amplitudes, weights
        Arrays of shape (nodes,); the weights sum to 1.

    Raises
    ------
    ArgumentError
        If the spread is not a number from 0 to 0.5.
    """
    if not 0 <= spread <= 0.5:
        raise ArgumentError(f"Argument `spread` must be from 0 to 0.5, but is {spread}")
    if spread == 0:
        return np.ones(1), np.ones(1)
    normal = Gaussian(spread)
    values, weights = normal.rule(normal.intervals(largest_angle))
    return 1 + values, weights


@checked
def product(
    *,
    b1: Distribution | None = None,
    field_hz: Distribution | None = None,
    coupling: Distribution | None = None,
    angles: Mapping[str, float] | None = None,
    refinement: int | Mapping[str, int] = 1,
    members: int | None = None,
    seed: int | None = None,
    largest: int = MAX_MEMBERS,
) -> Ensemble:
    """Return the ensemble of independent distributions.

    Parameters
    ----------
    b1, field_hz, coupling
        Distributions of the deviations from nominal (relative, in Hz of 1H, relative); None is
        no spread.
    angles
        By name of a distribution: angle in rad by which a matrix element turns at most per unit
        of deviation, which the rules resolve; 0 by default.
    refinement
        How many times finer the rules are, m intervals becoming rm + r − 1 so that rules do not
        share their revivals; of random members there are r times as many.
    members
        Number of random members to draw; by default there is a grid of quadrature rules.
    seed
        Seed of random members, 0 by default.
    largest
        Number of members above which a grid is replaced by as many random members.

    Raises
    ------
    ArgumentError
        If a name, a refinement or a number of members makes no sense.
    """
    given = {"b1": b1, "field_hz": field_hz, "coupling": coupling}
    spread = {name: found for name, found in given.items() if found is not None}
    for name, found in spread.items():
        if not hasattr(found, "intervals"):
            raise ArgumentError(
                f"Argument `{name}` must be a distribution such as Gaussian(0.05), but is {found!r}"
            )
    finer = refinement if isinstance(refinement, Mapping) else dict.fromkeys(AXES, refinement)
    _check_product({**(angles or {}), **finer}, finer, members, largest)
    angles = angles or {}
    sizes = {
        name: _finer(found.intervals(angles.get(name, 0.0)), finer.get(name, 1))
        for name, found in spread.items()
    }
    missing = 1 - math.prod(1 - found.missing for found in spread.values())
    if members is None and math.prod(size + 1 for size in sizes.values()) <= largest:
        return _grid({name: found.rule(sizes[name]) for name, found in spread.items()}, missing)
    count = largest if members is None else members * max(finer.values(), default=1)
    return _drawn(spread, missing, count, 0 if seed is None else seed)


def _check_product(
    named: Mapping[str, object], finer: Mapping[str, int], members: int | None, largest: int
) -> None:
    if unknown := set(named) - set(AXES):
        raise ArgumentError(
            f"Arguments `angles` and `refinement` must name {', '.join(AXES)}, but name "
            f"{', '.join(sorted(unknown))}"
        )
    if any(r < 1 for r in finer.values()):
        raise ArgumentError(f"Argument `refinement` must be at least 1, but is {dict(finer)}")
    if min(largest, largest if members is None else members) < 1:
        raise ArgumentError(
            f"Arguments `members` and `largest` must be at least 1, but are {members}, {largest}"
        )


def _finer(intervals: int, refinement: int) -> int:
    return refinement * intervals + refinement - 1


def _grid(rules: Mapping[str, tuple[Real, Real]], missing: float) -> Ensemble:
    """Return the product of rules, b1 going fastest, then the couplings, then the field."""
    order = ("field_hz", "coupling", "b1")
    single = (np.zeros(1), np.ones(1))
    found = [rules.get(name, single) for name in order]
    grids = np.meshgrid(*(values for values, _ in found), indexing="ij")
    weights = np.einsum("i,j,k->ijk", *(weights for _, weights in found)).ravel()
    field_hz, coupling, b1 = (grid.ravel() for grid in grids)
    return Ensemble(1 + b1, field_hz, 1 + coupling, weights / weights.sum(), missing=missing)


def _drawn(spread: Mapping[str, Distribution], missing: float, count: int, seed: int) -> Ensemble:
    streams = np.random.SeedSequence(seed).spawn(len(AXES))
    b1, field_hz, coupling = (
        spread[name].draw(np.random.default_rng(stream), count)
        if name in spread
        else np.zeros(count)
        for name, stream in zip(AXES, streams, strict=True)
    )
    weights = np.full(count, 1 / count)
    return Ensemble(1 + b1, field_hz, 1 + coupling, weights, missing=missing, seed=seed)


@checked
def along_z(strength_hz: float, slices: int) -> Ensemble:
    """Return equal slices of a sample in a gradient: field shifts strength·z, |z| < ½.

    Parameters
    ----------
    strength_hz
        Difference of the 1H frequency over the sample in Hz.
    slices
        Number of slices M; each stands for its middle.
    """
    if slices < 1:
        raise ArgumentError(f"Argument `slices` must be at least 1, but is {slices}")
    z = (np.arange(slices) + 0.5) / slices - 0.5
    one = np.ones(slices)
    return Ensemble(one, strength_hz * z, one, one / slices)


# ----------------------------------------------------------------------- what the members see
@checked
def drift_of(sample: Sample, ensemble: Ensemble) -> Complex:
    """Return H = H₀ + 2πf Σ_k (γ_k/γ(1H)) I_zk + Σ_pairs (c − 1) H_J of the members.

    Offsets, dipolar couplings and tensors are those of the sample; the static field is much
    larger than its spread, so that the couplings stay secular.

    Parameters
    ----------
    sample
        The spins.
    ensemble
        The M members.

    Returns
    -------
    array of shape (M, d, d), rad/s

    Raises
    ------
    ArgumentError
        If the couplings of the ensemble are not as many as those of the sample.
    """
    n = len(sample.spins)
    ratios = (relative_gyromagnetic_ratio(spin.nucleus) for spin in sample.spins)
    zeeman = 2 * np.pi * sum(g * spin_operator("z", k, n) for k, g in enumerate(ratios))
    drift = internal_hamiltonian(sample) + ensemble.field_hz[:, None, None] * zeeman
    if np.all(ensemble.coupling == 1):
        return np.asarray(drift)
    parts = np.stack([_scalar(sample, c) for c in sample.couplings] or [np.zeros_like(zeeman)])
    scale = ensemble.coupling if ensemble.coupling.ndim == 2 else ensemble.coupling[:, None]
    if scale.shape[1] not in (1, len(parts)):
        raise ArgumentError(
            f"Argument `ensemble` must have a coupling for each of the {len(parts)} pairs of "
            f"sample {sample.name!r}, but has {scale.shape[1]}"
        )
    deviation = np.broadcast_to(scale - 1, (ensemble.size, len(parts)))
    return np.asarray(drift + np.tensordot(deviation, parts, axes=1))


def shared_drift(
    sample: Sample, ensemble: Ensemble | None, segments: Sequence[Segment] | None = None
) -> Complex:
    """Return `drift_of` in rad/s, or one Hamiltonian (d, d) where all members precess alike.

    So they do in ``segments`` that do not last.
    """
    instant = segments is not None and not np.any(total_duration(segments))
    if ensemble is None or ensemble.precesses_alike or instant:
        return internal_hamiltonian(sample)
    return drift_of(sample, ensemble)


def _scalar(sample: Sample, coupling: Coupling) -> Complex:
    alone = Coupling(coupling.between, coupling.J_hz, truncation=coupling.truncation)
    return coupling_hamiltonian(replace(sample, couplings=(alone,)))


def amplitudes_of(sample: Sample, ensemble: Ensemble) -> Real:
    """Return the relative rf amplitude that every spin of every member sees, shape (M, n).

    Raises
    ------
    ArgumentError
        If the amplitudes of the ensemble are not as many as the channels of the sample.
    """
    n = len(sample.spins)
    if ensemble.b1.ndim == 1:
        return np.broadcast_to(ensemble.b1[:, None], (ensemble.size, n))
    nuclei = sample.nuclei
    if ensemble.b1.shape[1] != len(nuclei):
        raise ArgumentError(
            f"Argument `ensemble` must have an rf amplitude for each of the {len(nuclei)} channels "
            f"of sample {sample.name!r}, but has {ensemble.b1.shape[1]}"
        )
    return ensemble.b1[:, [nuclei.index(spin.nucleus) for spin in sample.spins]]


def amplified_pulse(pulse: TimedPulse, sample: Sample, ensemble: Ensemble) -> TimedPulse:
    """Return a pulse whose angles are those of the members: (...) → (M, ...); lengths stay."""
    if np.all(ensemble.b1 == 1):
        return pulse
    seen = amplitudes_of(sample, ensemble)
    rotations = tuple(
        replace(r, angle=seen[:, r.spin].reshape(-1, *[1] * np.ndim(r.angle)) * r.angle)
        for r in pulse.rotations
    )
    return TimedPulse(rotations)


def amplified(timeline: Timeline, sample: Sample, ensemble: Ensemble) -> Timeline:
    """Return a timeline whose pulses are those that the members see, see `amplified_pulse`."""

    def seen(event: TimedEvent) -> TimedEvent:
        if isinstance(event, TimedPulse):
            return amplified_pulse(event, sample, ensemble)
        return event

    return replace(timeline, events=tuple(map(seen, timeline.events)))
