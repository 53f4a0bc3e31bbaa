"""Charging protocols as maps on states, batched over times and over the rf ensemble."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nmrqb.average import compile_timeline
from nmrqb.dynamics import (
    Segment,
    apply,
    collapse_operators,
    dissipator,
    powers,
    pulse_segments,
    rotation_steps,
    superoperator,
    timeline_segments,
    total_duration,
)
from nmrqb.experiment.model import DriveCharge, Noise, SequenceCharge
from nmrqb.operators import Complex, Real
from nmrqb.sample import Sample, pulse_duration
from nmrqb.sample.hamiltonian import internal_hamiltonian
from nmrqb.sequence import TimedPulse


@dataclass(frozen=True, eq=False)
class Charging:
    """Charging maps and their clocks.

    Attributes
    ----------
    maps
        Shape (members, T, d², d²): one map per member of the rf ensemble and time.
    time_s
        Protocol time, shape (T,).
    laboratory_time_s
        Time that passes on the spectrometer, during which J and relaxation act, shape (T,).
    free_evolution_s
        Summed delays, shape (T,).
    cycles
        Number of passes of the sequence, or None for a drive.
    """

    maps: Complex
    time_s: Real
    laboratory_time_s: Real
    free_evolution_s: Real
    cycles: NDArray[np.int_] | None = None


def loss(sample: Sample, noise: Noise) -> Complex:
    """Return the dissipator that acts in an experiment, shape (d², d²), 1/s."""
    operators = collapse_operators(sample) if noise.relaxation else []
    return dissipator(operators, 2 ** len(sample.spins))


def largest_angle(protocol: DriveCharge | SequenceCharge, spins: int) -> float:
    """Return the largest angle in rad by which charging turns a matrix element of n spins.

    The angles of all spins add up, since elements of ρ turn with the products of all rotations.
    """
    if isinstance(protocol, DriveCharge):
        return float(spins * 4 * np.pi * np.abs(protocol.rate_hz * protocol.times_s).max())
    pulses = [e for e in protocol.timeline.events if isinstance(e, TimedPulse)]
    one_pass = sum(abs(r.angle) for pulse in pulses for r in pulse.rotations)
    return float(one_pass * protocol.cycles.max())


def charge(
    protocol: DriveCharge | SequenceCharge, sample: Sample, noise: Noise, b1: Real
) -> Charging:
    """Return the charging maps of a protocol.

    Parameters
    ----------
    protocol
        What is played.
    sample, noise
        The spins and what is not ideal.
    b1
        Relative rf amplitudes of the ensemble, shape (members,).
    """
    if isinstance(protocol, SequenceCharge):
        return _charge_by_sequence(protocol, sample, noise, b1)
    return _charge_by_drive(protocol, sample, noise, b1)


def _charge_by_drive(protocol: DriveCharge, sample: Sample, noise: Noise, b1: Real) -> Charging:
    t = protocol.times_s
    segments = drive_segments(protocol, sample, noise)
    scaled = [s.scaled(b1[:, None]) for s in segments]
    maps = superoperator(scaled, internal_hamiltonian(sample), loss(sample, noise))
    laboratory = np.broadcast_to(total_duration(segments), t.shape)
    free = laboratory if protocol.soft else np.zeros_like(t)
    shape = (len(b1), len(t), *maps.shape[-2:])
    return Charging(np.broadcast_to(maps, shape), t, laboratory, free)


def drive_segments(protocol: DriveCharge, sample: Sample, noise: Noise) -> list[Segment]:
    """Return the drive as segments batched over times: one hard pulse per t, or a soft one."""
    n, t = len(sample.spins), protocol.times_s
    angles = 4 * np.pi * protocol.rate_hz * t
    generators = [rotation_steps(angles, 0.0, k, n) for k in range(n)]
    if protocol.soft:
        return [Segment(t, np.sum(generators, axis=0)[..., 0, :, :])]
    durations = [pulse_duration(sample, k, angles, noise.pulses) for k in range(n)]
    return pulse_segments(generators, durations)


def _charge_by_sequence(
    protocol: SequenceCharge, sample: Sample, noise: Noise, b1: Real
) -> Charging:
    segments = timeline_segments(protocol.timeline, sample)
    scaled = [s.scaled(b1) for s in segments]
    one_pass = superoperator(scaled, internal_hamiltonian(sample), loss(sample, noise))
    members = np.broadcast_to(one_pass, (len(b1), *one_pass.shape[-2:]))
    time = protocol.cycles * float(total_duration(segments))
    return Charging(
        maps=np.stack([powers(member, protocol.cycles) for member in members]),
        time_s=time,
        laboratory_time_s=time,
        free_evolution_s=protocol.cycles * protocol.timeline.free_evolution_s,
        cycles=protocol.cycles,
    )


def model_states(
    protocol: SequenceCharge, sample: Sample, noise: Noise, rho: Complex
) -> Complex | None:
    """Return the states under the average Hamiltonian with relaxation in the laboratory frame.

    ρ̇ = −i[H̄, ρ] + (T1/T2 dissipator), H̄ the exact effective Hamiltonian of the sequence with the
    pulses of the run (ideal or finite), at the laboratory times of the protocol.  Without
    relaxation and B1 spread it equals the run.  With relaxation the run differs: its pulses turn
    the spins while they dephase, so that σ_z dephasing acts along the toggled axes.

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


__all__ = ["Charging", "charge", "drive_segments", "largest_angle", "loss", "model_states"]
