"""What a transmitter makes of a pulse: wrong amplitudes and phases, transients, finite rise."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace

import numpy as np

from nmrqb.arguments import check_finite, checked, checked_fields
from nmrqb.errors import ArgumentError, nearest
from nmrqb.operators import Complex, Real
from nmrqb.sample import PulseModel, Sample
from nmrqb.sample.calibration import check_pulse_model
from nmrqb.sequence.model import TimedEvent, TimedPulse, TimedRotation, Timeline
from nmrqb.units import is_batch

MAX_STEPS = 20_000
_SETTLED = 8  # rise times of ring-down that are played; e^{-8} of the last amplitude is left
_PER_RISE = 4  # steps of a shaped pulse in one rise time
_GRADED = 12  # steps of a rectangle's rise, the first of them a quarter of a rise time


@checked_fields
@dataclass(frozen=True)
class PulseErrors:
    """Systematic errors of the pulses of one channel.

    Attributes
    ----------
    amplitude
        Relative error ε of the rf amplitude: angles are (1 + ε)θ.
    phase
        Error of the phase in rad.
    imbalance, skew
        Of the quadrature modulator: cos φ is played as (1 + g/2) cos φ along x, sin φ as
        (1 − g/2) sin φ along y turned by the skew in rad.
    leading, trailing
        Phase transients: angles in rad of ideal rotations about the axis 90° ahead of the pulse's,
        before and after every finite pulse.  Their half sum is the symmetric part, a net rotation
        about that axis; half of their difference is the antisymmetric part, which tilts the axis
        of the pulse towards z (Mehring, Principles of High Resolution NMR in Solids, 1983).
    rise_time_s
        Time constant τ in s of the resonator: the envelope follows its steps as 1 − e^{−t/τ}, and
        rings down as e^{−t/τ}.
    ring_down
        Whether the pulse is lengthened by the ring-down, eight rise times, or cut at its nominal
        end, which takes about τ/T of its angle.

    Raises
    ------
    ArgumentError
        If a number is not finite, the amplitude is below −1, or the rise time negative.
    """

    amplitude: float = 0.0
    phase: float = 0.0
    imbalance: float = 0.0
    skew: float = 0.0
    leading: float = 0.0
    trailing: float = 0.0
    rise_time_s: float = 0.0
    ring_down: bool = True

    def __post_init__(self) -> None:
        for field in fields(self):
            check_finite(field.name, getattr(self, field.name))
        if self.amplitude < -1:
            raise ArgumentError(
                f"Argument `amplitude` must be -1 (no rf) or more, but is {self.amplitude}"
            )
        if self.rise_time_s < 0:
            raise ArgumentError(f"Argument `rise_time_s` must be ≥ 0, but is {self.rise_time_s} s")

    @property
    def need_length(self) -> bool:
        """Whether they only make sense for pulses that last: transients and a rise time."""
        return bool(self.leading or self.trailing or self.rise_time_s)


NO_ERRORS = PulseErrors()

Errors = PulseErrors | Mapping[str, PulseErrors]


@checked
def with_errors(timeline: Timeline, errors: Errors, sample: Sample) -> Timeline:
    """Return a timeline whose pulses have the errors of their channels.

    The transmitter comes first: amplitude, phase and quadrature act on what is played, then the
    resonator on the envelope; transients stand at the ends of the pulse, of the longest one where
    several are simultaneous.

    Parameters
    ----------
    timeline
        The expanded sequence.
    errors
        Errors of all channels, or by nucleus; channels that are not named have none.
    sample
        The spins that the timeline is bound to.

    Raises
    ------
    ArgumentError
        If a nucleus is not in the sample, ideal pulses are to have transients or a rise time, or
        the rise time asks for more than 20 000 steps of a shaped pulse.
    """
    channels = channel_errors(errors, sample, timeline.pulses)

    def played(event: TimedEvent) -> list[TimedEvent]:
        return [*pulse_with_errors(event, channels)] if isinstance(event, TimedPulse) else [event]

    return replace(timeline, events=tuple(e for event in timeline.events for e in played(event)))


@checked
def channel_errors(errors: Errors, sample: Sample, pulses: PulseModel) -> tuple[PulseErrors, ...]:
    """Return the errors of the pulses on every spin of a sample.

    Raises
    ------
    ArgumentError
        If a nucleus is not in the sample, or ideal pulses are to have transients or a rise time.
    """
    check_pulse_model(pulses)
    every = (errors,) if isinstance(errors, PulseErrors) else tuple(errors.values())
    lasting = next((found for found in every if found.need_length), None)
    if pulses == "ideal" and lasting is not None:
        raise ArgumentError(
            "Argument `errors` must have no transients and no rise time with ideal pulses, but has "
            f"{lasting.leading:g} and {lasting.trailing:g} rad and {lasting.rise_time_s:g} s; play "
            "finite pulses"
        )
    if isinstance(errors, PulseErrors):
        return (errors,) * len(sample.spins)
    for nucleus in errors:
        if nucleus not in sample.nuclei:
            raise ArgumentError(
                f"Argument `errors` must name nuclei of sample {sample.name!r}, but names "
                f"{nucleus!r}; {nearest(nucleus, sample.nuclei)}"
            )
    return tuple(errors.get(spin.nucleus, NO_ERRORS) for spin in sample.spins)


def pulse_with_errors(pulse: TimedPulse, channels: tuple[PulseErrors, ...]) -> list[TimedPulse]:
    """Return what is played for a pulse: itself with errors, between its transients if any.

    Parameters
    ----------
    pulse
        Simultaneous rotations.
    channels
        Errors by tensor position of a spin, see `channel_errors`.
    """
    rotations = [_modulated(r, channels[r.spin]) for r in pulse.rotations]
    main = TimedPulse(tuple(_resonated(r, channels[r.spin]) for r in rotations))
    before = _transients(rotations, channels, "leading")
    after = _transients(rotations, channels, "trailing")
    return [*before, main, *after]


# ------------------------------------------------------------------------------- the transmitter
def _modulated(rotation: TimedRotation, errors: PulseErrors) -> TimedRotation:
    """Return a rotation with the errors of amplitude, phase and quadrature."""
    changed = rotation
    if errors.imbalance or errors.skew:
        changed = _quadrature(rotation, errors)
    if errors.amplitude:
        changed = replace(changed, angle=changed.angle * (1 + errors.amplitude))
    return replace(changed, phase=changed.phase + errors.phase) if errors.phase else changed


def _quadrature(rotation: TimedRotation, errors: PulseErrors) -> TimedRotation:
    """Play every step w through the modulator, at the phase 0 of the result."""
    carrier = np.exp(1j * np.asarray(rotation.phase))[..., None]
    w = np.asarray(rotation.steps) * carrier
    skewed = 1j * np.exp(1j * errors.skew)
    steps = (1 + errors.imbalance / 2) * w.real + (1 - errors.imbalance / 2) * w.imag * skewed
    return replace(rotation, steps=_as_steps(steps), phase=0.0)


def _as_steps(steps: Complex) -> tuple[complex, ...] | Complex:
    return tuple(steps.tolist()) if steps.ndim == 1 else steps


def _transients(
    rotations: list[TimedRotation], channels: tuple[PulseErrors, ...], side: str
) -> list[TimedPulse]:
    """Return the transients of one side of a pulse as one ideal pulse, if there are any."""
    first = 0 if side == "leading" else -1
    found = [
        TimedRotation(
            r.spin,
            _sign(r) * size,
            r.phase + np.angle(np.asarray(r.steps)[..., first]) + np.pi / 2,
        )
        for r in rotations
        if (size := getattr(channels[r.spin], side))
    ]
    return [TimedPulse(tuple(found))] if found else []


def _sign(rotation: TimedRotation) -> float | Real:
    """Return the sign of the angle; what does not last has no transients."""
    sign = np.sign(rotation.angle) * (np.asarray(rotation.duration) > 0)
    return sign if np.ndim(sign) else float(sign)


# --------------------------------------------------------------------------------- the resonator
def _resonated(rotation: TimedRotation, errors: PulseErrors) -> TimedRotation:
    """Return a rotation whose envelope has gone through the resonator."""
    tau, duration = errors.rise_time_s, np.asarray(rotation.duration, dtype=float)
    if tau == 0 or not np.any(duration > 0):
        return rotation
    total = duration + _SETTLED * tau * (duration > 0) if errors.ring_down else duration
    steps = np.asarray(rotation.steps, dtype=complex)
    size = steps.shape[-1]
    given = np.arange(size + 1) / size if rotation.edges is None else rotation.edges
    edges = _edges_of(size, duration, total, tau)
    length = total if is_batch(rotation.duration) else float(total)
    return replace(
        rotation,
        duration=length,
        steps=_as_steps(resonator_response(steps, duration[..., None] * given, tau, edges)),
        edges=edges / np.where(total > 0, total, 1.0)[..., None],
    )


def _edges_of(size: int, duration: Real, total: Real, tau: float) -> Real:
    """Return where the envelope of a pulse of so many steps is cut, in s: (...) → (..., M + 1).

    That of a rectangle only changes for a while after its two ends; any other is cut throughout.
    """
    if size == 1:
        # steps h ~ e^{t/3τ}: what a step neglects goes with ḃh³, ḃ ~ e^{−t/τ}
        growing = np.arange(_GRADED + 1) / _GRADED * np.expm1(-_SETTLED / 3)
        settled = -3 * np.log1p(growing) / _SETTLED
        rise = np.minimum(_SETTLED * tau, duration)[..., None] * settled
        fall = duration[..., None] + (total - duration)[..., None] * settled
        return np.concatenate([rise, fall], axis=-1)
    longest = float(total.max())
    count = max(math.ceil(_PER_RISE * longest / tau), size)
    if count > MAX_STEPS:
        raise ArgumentError(
            f"Argument `rise_time_s` must be at least {_PER_RISE * longest / MAX_STEPS:g} s for a "
            f"shaped pulse of {longest:g} s, but is {tau} s"
        )
    return np.asarray(total[..., None] * (np.arange(count + 1) / count))


def resonator_response(steps: Complex, given: Real, tau: float, edges: Real) -> Complex:
    """Return the shares of the angle in steps after a resonator of time constant τ.

    The envelope b obeys τḃ = a − b, a the constant steps; every step of the result holds the
    integral of b over it, so that the angle is exact.

    Parameters
    ----------
    steps
        Shares w_j of the angle in N steps of a, shape (..., N).
    given
        Where these begin and end in s, shape (..., N + 1).
    tau
        τ in s.
    edges
        Where the steps of the result begin and end in s, shape (..., M + 1).

    Returns
    -------
    array of shape (..., M)
    """
    lasting = np.diff(given)
    rate = np.divide(
        steps,
        lasting,
        out=np.zeros(np.broadcast_shapes(steps.shape, lasting.shape), dtype=complex),
        where=lasting > 0,
    )
    jumps = np.diff(rate, axis=-1, prepend=0.0, append=0.0)  # a changes by them at the edges
    since = (edges[..., :, None] - given[..., None, :]).clip(min=0)
    integral = since + tau * np.expm1(-since / tau)
    return np.asarray(np.diff(np.einsum("...ij,...j->...i", integral, jumps), axis=-1))
