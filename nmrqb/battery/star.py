"""A star-topology register as a battery: the centre is the cell, the satellites charge it.

This is the spin charger with one cell (M = 1): H/2π = g(S_+I_− + S_−I_+) with I the total spin of
the satellites.  NMR has S_z I_z between unlike spins; turned to x and y for half of the time each
it averages to g = J/4.  S_xI_x and S_yI_y do not commute for two satellites or more, so that pulses
make the exchange in cycles; the error of the state falls as 1/cycles².
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike

from nmrqb.arguments import check_finite
from nmrqb.battery.checks import checked_times
from nmrqb.battery.model import Battery
from nmrqb.dynamics.registers import (
    Blocks,
    StarRegister,
    StarSegment,
    central_state,
    star_apply,
    star_hamiltonian,
    star_product,
    star_unitary,
)
from nmrqb.dynamics.registers.collective import checked_count
from nmrqb.operators import Complex
from nmrqb.sample import PulseModel


@dataclass(frozen=True)
class StarBattery:
    """The central spin as a battery H/2π = ν S_z, charged by n satellites through an exchange.

    Attributes
    ----------
    satellites
        n.
    exchange_hz
        g of H/2π = g(S_+I_− + S_−I_+) in Hz.
    frequency_hz
        ν of the battery in Hz; the energies of `battery` are in this unit.

    Examples
    --------
    >>> import numpy as np
    >>> star = StarBattery(9, exchange_hz=1.0)
    >>> full = 1 / (4 * np.sqrt(9))  # 2πg√n t = π/2
    >>> float(np.round(star.battery.ergotropy(star.charge([full])), 9)[0])
    1.0
    """

    satellites: int
    exchange_hz: float = 1.0
    frequency_hz: float = 1.0

    def __post_init__(self) -> None:
        checked_count(self.satellites)
        for name in ("exchange_hz", "frequency_hz"):
            check_finite(name, getattr(self, name))

    @cached_property
    def battery(self) -> Battery:
        """The battery Hamiltonian of the centre, for states (..., 2, 2)."""
        return Battery(Battery.zeeman(self.frequency_hz, 0).hamiltonian_hz)

    def hamiltonian(self) -> Blocks:
        """Return H in rad/s by the total spins of the satellites."""
        coupling = np.diag([2 * self.exchange_hz, 2 * self.exchange_hz, 0.0])
        return star_hamiltonian(self.satellites, coupling)

    def charge(
        self, times: ArrayLike, *, centre_up: float = 0.0, satellites_up: float = 1.0
    ) -> Complex:
        """Return the state of the centre: (T, 2, 2).

        Parameters
        ----------
        times
            t ≥ 0 in s, shape (T,).
        centre_up, satellites_up
            Probabilities with which the centre and every satellite are up at t = 0, say of a
            Gibbs state; 0 and 1 are the empty battery and full chargers.

        Raises
        ------
        ArgumentError
            If a time is negative or a number is no probability.
        """
        t = np.atleast_1d(checked_times(times))
        return central_state(self.hamiltonian(), self.start(centre_up, satellites_up), t)

    def start(self, centre_up: float = 0.0, satellites_up: float = 1.0) -> Blocks:
        """Return the state before charging, by the total spins of the satellites."""
        centre, satellite = (np.diag([p, 1 - p]) for p in (centre_up, satellites_up))
        return star_product(self.satellites, centre, satellite)


def exchange_segments(
    register: StarRegister, duration: float, cycles: int = 1, pulses: PulseModel = "ideal"
) -> list[StarSegment]:
    """Return pulses and delays that make an exchange of g = J/4 out of J S_z I_z.

    Each cycle sees the coupling along x, y and x for a quarter, half and a quarter of its time.
    For one satellite one cycle is exact.

    Parameters
    ----------
    register
        Star whose centre couples to the satellites by S_z I_z; offsets are not refocused.
    duration
        Free evolution in s, shared among the cycles.
    cycles
        Number of cycles, from 1.
    pulses
        ``ideal``, or ``finite`` at the calibrated 90° times, which add to the duration; both
        kinds of spin are then pulsed one after the other.

    Raises
    ------
    ArgumentError
        If the duration is negative or there is no cycle, or as `StarRegister.pulse`.
    """
    free = duration / checked_count(cycles, "cycles")
    frames = ((-np.pi / 2, 4), (0.0, 2), (-np.pi / 2, 4))  # along −y, x, −y: ZZ seen as XX, YY, XX
    cycle = [
        segment
        for phase, share in frames
        for segment in (
            *_turned(register, phase, pulses),
            StarSegment(free / share),
            *_turned(register, phase + np.pi, pulses),
        )
    ]
    return cycle * cycles


def _turned(register: StarRegister, phase: float, pulses: PulseModel) -> Sequence[StarSegment]:
    """Return 90° pulses of one phase on the centre and on the satellites."""
    return [
        register.pulse("central", np.pi / 2, phase, pulses),
        register.pulse("satellites", np.pi / 2, phase, pulses),
    ]


def pulsed_charge(
    register: StarRegister,
    duration: float,
    cycles: int = 1,
    *,
    centre_up: float = 0.0,
    satellites_up: float = 1.0,
    pulses: PulseModel = "ideal",
) -> Complex:
    """Return the state of the centre after `exchange_segments`, relaxation left out: (2, 2).

    Parameters
    ----------
    register, duration, cycles, pulses
        As for `exchange_segments`.
    centre_up, satellites_up
        As for `StarBattery.charge`.

    Examples
    --------
    >>> import numpy as np
    >>> register = StarRegister(9, J_hz=4.0)  # g = J/4 = 1 Hz
    >>> full = 1 / (4 * np.sqrt(9))
    >>> [round(float(pulsed_charge(register, full, n)[0, 0].real), 4) for n in (1, 2, 8)]
    [0.9539, 0.9985, 1.0]
    """
    segments = exchange_segments(register, duration, cycles, pulses)
    H = register.hamiltonian()
    rho = StarBattery(register.satellites).start(centre_up, satellites_up)
    after = star_apply(star_unitary(segments, H), rho)
    return np.asarray(central_state(H, after, np.zeros(1))[0])
