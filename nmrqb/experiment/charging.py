"""Charging protocols as maps on states, batched over times and over the ensemble."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from nmrqb.average import compile_timeline
from nmrqb.dynamics import (
    Ensemble,
    Segment,
    across_fields,
    amplified_pulse,
    apply,
    event_segments,
    exp_hermitian,
    powers,
    shared_drift,
    superoperator,
    timeline_segments,
    total_duration,
    uniform_sample,
)
from nmrqb.experiment.model import Charge, DriveCharge, HamiltonianCharge, Noise, SequenceCharge
from nmrqb.experiment.stages import average_map, lasting, loss, pass_maps, relaxed_average
from nmrqb.operators import Complex, Real, dagger
from nmrqb.sample import Sample, pulse_duration
from nmrqb.sequence import (
    NO_ERRORS,
    TimedPulse,
    TimedRotation,
    Timeline,
    channel_errors,
    pulse_with_errors,
)

_BLOCK_VALUES = 8_000_000  # complex numbers of maps held at once


@dataclass(frozen=True, eq=False, kw_only=True)
class Clock:
    """When a protocol is where.

    Attributes
    ----------
    time_s
        Protocol time, shape (T,).
    laboratory_time_s
        Time that passes on the spectrometer, during which J and relaxation act, shape (T,).
    free_evolution_s
        Summed delays, shape (T,).
    cycles
        Number of passes of the sequence, or None for a drive.
    """

    time_s: Real
    laboratory_time_s: Real
    free_evolution_s: Real
    cycles: NDArray[np.int_] | None = None


@dataclass(frozen=True, eq=False, kw_only=True)
class Charging(Clock):
    """Charging maps and their clock.

    Attributes
    ----------
    maps
        Shape (members, T, d², d²): one map per member of the ensemble and time.
    """

    maps: Complex


def largest_angle(protocol: Charge, spins: int) -> float:
    """Return the largest angle in rad by which charging turns a matrix element of n spins.

    The angles of all spins add up, since elements of ρ turn with the products of all rotations.
    """
    if isinstance(protocol, DriveCharge):
        return float(spins * 4 * np.pi * np.abs(protocol.rate_hz * protocol.times_s).max())
    if isinstance(protocol, HamiltonianCharge):
        return max(map(turned, protocol.timelines))
    return turned(protocol.timeline) * float(protocol.cycles.max())


def turned(timeline: Timeline) -> float:
    """Return the summed angles of all pulses of a timeline in rad."""
    pulses = (event for event in timeline.events if isinstance(event, TimedPulse))
    return float(sum(abs(r.angle) for pulse in pulses for r in pulse.rotations))


def charge(protocol: Charge, sample: Sample, noise: Noise, ensemble: Ensemble) -> Charging:
    """Return the charging maps of a protocol.

    Parameters
    ----------
    protocol
        What is played.
    sample, noise
        The spins and what is not ideal.
    ensemble
        Members of the sample that see different fields.
    """
    if isinstance(protocol, SequenceCharge):
        return _charge_by_sequence(protocol, sample, noise, ensemble)
    if isinstance(protocol, HamiltonianCharge):
        return _charge_by_hamiltonian(protocol, sample, noise, ensemble)
    return _charge_by_drive(protocol, sample, noise, ensemble)


def charged_states(
    protocol: Charge,
    sample: Sample,
    noise: Noise,
    ensemble: Ensemble,
    rho: Complex,
) -> tuple[Complex, Clock]:
    """Return what charging makes of a state, member by member, in blocks of bounded memory.

    Parameters
    ----------
    protocol, sample, noise, ensemble
        As for `charge`.
    rho
        Initial state, shape (d, d), or that of every member, shape (members, d, d).

    Returns
    -------
    array of shape (members, T, d, d), and the clock
    """
    events = len(protocol.timeline.events) if isinstance(protocol, SequenceCharge) else 1
    size = max(1, _BLOCK_VALUES // (max(protocol.points, events) * rho.shape[-1] ** 4))
    members = np.arange(ensemble.size)
    parts = [members[start : start + size] for start in range(0, ensemble.size, size)]
    states = []
    for part in parts:
        charging = charge(protocol, sample, noise, ensemble.chosen(part))
        states.append(apply(charging.maps, rho if rho.ndim == 2 else rho[part][:, None]))
    clock = Clock(
        time_s=charging.time_s,
        laboratory_time_s=charging.laboratory_time_s,
        free_evolution_s=charging.free_evolution_s,
        cycles=charging.cycles,
    )
    return np.concatenate(states), clock


def _charge_by_drive(
    protocol: DriveCharge, sample: Sample, noise: Noise, ensemble: Ensemble
) -> Charging:
    t, lost = protocol.times_s, loss(sample, noise)

    def maps(part: Ensemble) -> Complex:
        segments = drive_segments(protocol, sample, noise, part)
        drift = shared_drift(sample, part, segments)
        found = superoperator(segments, drift if drift.ndim == 2 else drift[:, None], lost)
        return np.broadcast_to(found, (part.size, len(t), *found.shape[-2:]))

    nominal = drive_segments(protocol, sample, noise, uniform_sample())
    laboratory = np.broadcast_to(total_duration(nominal), t.shape)
    return Charging(
        maps=across_fields(maps, sample, ensemble, float(laboratory.max())),
        time_s=t,
        laboratory_time_s=laboratory,
        free_evolution_s=laboratory if protocol.soft else np.zeros_like(t),
    )


def drive_segments(
    protocol: DriveCharge, sample: Sample, noise: Noise, ensemble: Ensemble
) -> list[Segment]:
    """Return the drive as segments batched over members and times: a hard pulse, or a soft one."""
    n, t = len(sample.spins), protocol.times_s
    angles = 4 * np.pi * protocol.rate_hz * t

    def length(spin: int) -> Real:
        return t if protocol.soft else pulse_duration(sample, spin, angles, noise.pulses)

    drive = TimedPulse(tuple(TimedRotation(k, angles, 0.0, length(k)) for k in range(n)))
    played = pulse_with_errors(drive, channel_errors(noise.pulse_errors, sample, noise.pulses))
    seen = (amplified_pulse(pulse, sample, ensemble) for pulse in played)
    return [segment for pulse in seen for segment in event_segments(pulse, n)]


def _charge_by_sequence(
    protocol: SequenceCharge, sample: Sample, noise: Noise, ensemble: Ensemble
) -> Charging:
    members = pass_maps(protocol.timeline, sample, noise, ensemble)
    time = protocol.cycles * lasting(protocol.timeline, sample, noise)
    return Charging(
        maps=np.stack([powers(member, protocol.cycles) for member in members]),
        time_s=time,
        laboratory_time_s=time,
        free_evolution_s=protocol.cycles * protocol.timeline.free_evolution_s,
        cycles=protocol.cycles,
    )


def _charge_by_hamiltonian(
    protocol: HamiltonianCharge, sample: Sample, noise: Noise, ensemble: Ensemble
) -> Charging:
    timelines = protocol.timelines
    maps = [pass_maps(timeline, sample, noise, ensemble) for timeline in timelines]
    return Charging(
        maps=np.stack(maps, axis=1),
        time_s=protocol.times_s,
        laboratory_time_s=np.array([lasting(t, sample, noise) for t in timelines]),
        free_evolution_s=np.array([t.free_evolution_s for t in timelines], dtype=float),
    )


def ideal_states(protocol: Charge, sample: Sample, rho: Complex) -> Complex:
    """Return what a protocol is meant to make of a state: (d, d) → (T, d, d).

    Pulses take no time and have no errors, and nothing relaxes; a soft drive lasts, with the
    couplings that are part of it.
    """
    if isinstance(protocol, HamiltonianCharge):
        H = 2 * np.pi * protocol.hamiltonian_hz
        U = exp_hermitian(H * protocol.times_s[:, None, None])
        return np.asarray(U @ rho @ dagger(U))
    if isinstance(protocol, SequenceCharge) and protocol.ideal is not None:
        protocol = replace(protocol, timeline=protocol.ideal)
    quiet = Noise(relaxation=False)
    states, _ = charged_states(protocol, sample, quiet, uniform_sample(), rho)
    return np.asarray(states[0])


def average_states(protocol: Charge, sample: Sample, noise: Noise, rho: Complex) -> Complex | None:
    """Return the states under the average Hamiltonian of what is played: (d, d) → (T, d, d).

    See `nmrqb.experiment.stages.relaxed_average`, and for a sequence `model_states`.

    Parameters
    ----------
    protocol, sample, noise
        As for `charge`.
    rho
        Initial state, shape (d, d).
    """
    if isinstance(protocol, SequenceCharge):
        return model_states(protocol, sample, noise, rho)
    if isinstance(protocol, HamiltonianCharge):
        maps = np.stack([average_map(t, sample, noise) for t in protocol.timelines])
        return apply(maps, rho)
    perfect = replace(noise, pulse_errors=NO_ERRORS)
    segments = drive_segments(protocol, sample, perfect, uniform_sample())
    found = apply(relaxed_average(segments, sample, noise), rho)
    return np.asarray(found.reshape(protocol.points, *rho.shape))


def model_states(
    protocol: SequenceCharge, sample: Sample, noise: Noise, rho: Complex
) -> Complex | None:
    """Return the states under the average Hamiltonian with relaxation in the laboratory frame.

    ρ̇ = −i[H̄, ρ] + (T1/T2 dissipator), H̄ the exact effective Hamiltonian of the sequence with the
    pulses of the run (ideal or finite), at the laboratory times of the protocol.  Without
    relaxation, spreads and errors of the pulses, which H̄ leaves out, it equals the run.  With
    relaxation the run differs: its pulses turn the spins while they dephase, so that σ_z dephasing
    acts along the toggled axes.

    Parameters
    ----------
    protocol, sample, noise
        As for `charge`.
    rho
        Initial state, shape (d, d).

    Returns
    -------
    array of shape (T, d, d), or None where one pass of the sequence is not cyclic or has no delay
    """
    if protocol.timeline.free_evolution_s == 0:
        return None  # nothing but pulses: ideal ones leave no time for a Hamiltonian to act
    average = compile_timeline(protocol.timeline, sample, analyse=False)
    if not average.cyclic:
        return None
    played = timeline_segments(protocol.timeline, sample)
    coherent = 2 * np.pi * average.exact_hz * average.duration_s
    generator = Segment(total_duration(played), coherent)
    one_pass = superoperator([generator], np.zeros_like(coherent), loss(sample, noise))
    return apply(powers(one_pass, protocol.cycles), rho)


__all__ = [
    "Charging",
    "Clock",
    "average_states",
    "charge",
    "charged_states",
    "drive_segments",
    "ideal_states",
    "largest_angle",
    "loss",
    "model_states",
    "turned",
]
