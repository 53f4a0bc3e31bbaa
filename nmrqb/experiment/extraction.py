"""Extraction of work by the unitary that tomography suggests, and what comes out of it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nmrqb.battery import Battery, extracted_work, extraction_unitary
from nmrqb.experiment.figures import battery_state
from nmrqb.operators import Complex, Real, spin_count, spread
from nmrqb.tomography import DirectWork


@dataclass(frozen=True, eq=False)
class Extraction:
    """Work that was extracted from all states of a run.

    Attributes
    ----------
    applied
        Unitaries that were applied to the register at once, shape (T, d, d), or None where a
        sequence was played.
    true
        Work that it extracts from the simulated states in Hz, shape (T,).
    measured
        The same from FIDs before and after.
    """

    applied: Complex | None
    true: Real
    measured: DirectWork


def register_unitary(battery: Battery, rho: Complex) -> Complex:
    """Return the unitary that makes a battery passive within its register: (..., d, d).

    It acts at once and without error; an experimenter compiles it into pulses.

    Parameters
    ----------
    battery
        The battery, all of the register or some of its spins.
    rho
        Estimated states of the register, shape (..., d, d).
    """
    U = extraction_unitary(battery_state(battery, rho), battery.hamiltonian_hz)
    return U if battery.spins is None else spread(U, battery.spins, spin_count(rho))


def energy_released(battery: Battery, rho: Complex, applied: Complex) -> Real:
    """Return the work in Hz that unitaries or maps of a register extract from a battery: (...).

    Parameters
    ----------
    battery
        The battery, all of the register or some of its spins.
    rho
        States of the register, shape (..., d, d).
    applied
        Unitaries (..., d, d) or superoperators (..., d², d²) of the register.
    """
    H = battery.hamiltonian_hz
    whole = H if battery.spins is None else spread(H, battery.spins, spin_count(rho))
    return extracted_work(rho, whole, applied)


def work_between(battery: Battery, before: Complex, after: Complex) -> Real:
    """Return the energy in Hz by which states of a register, (..., d, d), have less than others."""
    energies = (battery.energy(battery_state(battery, rho)) for rho in (before, after))
    first, last = energies
    return np.asarray(first - last)


def joined(parts: list[Extraction]) -> Extraction | None:
    """Return the extractions of consecutive times as one; None where there was none."""
    if not parts:
        return None
    work = [part.measured for part in parts]
    applied = [part.applied for part in parts if part.applied is not None]
    return Extraction(
        applied=np.concatenate(applied) if applied else None,
        true=np.concatenate([part.true for part in parts]),
        measured=DirectWork(
            value=np.concatenate([w.value for w in work]),
            error=np.concatenate([w.error for w in work]),
            low=np.concatenate([w.low for w in work]),
            high=np.concatenate([w.high for w in work]),
        ),
    )
