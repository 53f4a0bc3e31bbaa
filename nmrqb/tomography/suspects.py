"""What may be wrong with a measurement, each as a change of its chain, and what it would show."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np

from nmrqb.errors import ArgumentError
from nmrqb.operators import Complex, pauli_basis
from nmrqb.sequence import TimedPulse
from nmrqb.tomography.members import Setup
from nmrqb.tomography.readout_words import Readout
from nmrqb.tomography.response import Chain, chain_of

_STEP = 1e-4  # of angles, of T2, and of a turn of the last point
_NOTHING = 1e-7  # of the largest; the rounding of finite differences is smaller


@dataclass(frozen=True, eq=False)
class World:
    """A measurement as it may really be.

    Attributes
    ----------
    setup
        Its set-up.
    log_gains
        ln G of every channel, complex, shape (channels,).
    """

    setup: Setup
    log_gains: Complex


@dataclass(frozen=True, eq=False)
class Suspect:
    """One thing that may be wrong.

    Attributes
    ----------
    name, unit
        What it is called, and the unit of its size: 1 for relative errors, rad, or Hz.
    step
        Size of the finite difference.
    change
        From a world and a size to the world in which it is wrong by that size.
    """

    name: str
    unit: str
    step: float
    change: Callable[[World, float], World]


def suspects_of(chain: Chain) -> tuple[Suspect, ...]:
    """Return all that may be wrong with a chain.

    They are the angle of the pulses on every spin, in each readout alone and in all of them;
    a factor of all gains, which no data show: it makes of every state another one, farther from
    the maximally mixed one by that factor; the gain of every channel relative to the first and its
    phase; the offset and T2 of every spin; and the coupling of every pair.
    """
    setup = setup_of(chain)
    turn = _STEP / chain.receiver.times_s[-1]
    found = [*_angles(setup), *_channels(setup)]
    for k, spin in enumerate(setup.sample.spins):
        found.append(Suspect(f"offset of {spin.label}", "Hz", turn, _spin_change(k, "offset_hz")))
        if np.isfinite(spin.T2_s):
            found.append(Suspect(f"T2 of {spin.label}", "1", _STEP, _spin_change(k, "T2_s")))
    for k, coupling in enumerate(setup.sample.couplings):
        name = f"J of {' and '.join(coupling.between)}"
        found.append(Suspect(name, "Hz", turn, _coupling_change(k)))
    return tuple(found)


def setup_of(chain: Chain) -> Setup:
    """Return the set-up of a chain.

    Raises
    ------
    ArgumentError
        If the chain was put together by hand.
    """
    if chain.setup is None:
        raise ArgumentError("Argument `chain` must come from `measurement_chain`, but has no setup")
    return chain.setup


def _pulsed(readout: Readout) -> set[int]:
    """Return the spins that a readout has pulses on."""
    events = (event for scan in readout.scans for event in scan.events)
    return {r.spin for event in events if isinstance(event, TimedPulse) for r in event.rotations}


def _angles(setup: Setup) -> Iterator[Suspect]:
    labels = setup.sample.labels
    pulsed = [_pulsed(readout) for readout in setup.readouts]
    for k, label in enumerate(labels):
        own = [r for r, spins in enumerate(pulsed) if k in spins]
        if len(own) > 1:
            change = _angle_change(own, k)
            yield Suspect(f"pulse angle of {label} in all readouts", "1", _STEP, change)
        for r in own:
            name = f"pulse angle of {label} in {setup.readouts[r].name}"
            yield Suspect(name, "1", _STEP, _angle_change([r], k))


def _angle_change(readouts: list[int], spin: int) -> Callable[[World, float], World]:
    def change(world: World, size: float) -> World:
        setup = world.setup
        shape = (len(setup.readouts), len(setup.sample.spins))
        flips = np.ones(shape) if setup.flips is None else np.array(setup.flips)
        flips[readouts, spin] *= 1 + size
        as_tuples = tuple(tuple(map(float, row)) for row in flips)
        return replace(world, setup=replace(setup, flips=as_tuples))

    return change


def _channels(setup: Setup) -> Iterator[Suspect]:
    channels = range(len(setup.channels))
    yield Suspect("gain of all channels", "1", _STEP, _gain_change([*channels], 1))
    for c, nucleus in enumerate(setup.channels):
        if c:
            name = f"gain of {nucleus} relative to {setup.channels[0]}"
            yield Suspect(name, "1", _STEP, _gain_change([c], 1))
        yield Suspect(f"phase of {nucleus}", "rad", _STEP, _gain_change([c], 1j))


def _gain_change(channels: list[int], direction: complex) -> Callable[[World, float], World]:
    def change(world: World, size: float) -> World:
        gains = world.log_gains.copy()
        gains[channels] += direction * (np.log1p(size) if direction == 1 else size)
        return replace(world, log_gains=gains)

    return change


def _spin_change(spin: int, field: str) -> Callable[[World, float], World]:
    def change(world: World, size: float) -> World:
        sample = world.setup.sample
        old = getattr(sample.spins[spin], field)
        new = old * (1 + size) if field == "T2_s" else old + size
        spins = list(sample.spins)
        spins[spin] = replace(spins[spin], **{field: new})
        return replace(world, setup=_with_sample(world.setup, spins=tuple(spins)))

    return change


def _coupling_change(number: int) -> Callable[[World, float], World]:
    def change(world: World, size: float) -> World:
        couplings = list(world.setup.sample.couplings)
        old = couplings[number]
        couplings[number] = replace(old, J_hz=old.J_hz + size)
        return replace(world, setup=_with_sample(world.setup, couplings=tuple(couplings)))

    return change


def _with_sample(setup: Setup, **changes: object) -> Setup:
    return replace(setup, sample=replace(setup.sample, **changes))  # type: ignore[arg-type]


@dataclass(frozen=True, eq=False)
class Scene:
    """FIDs of a chain in few numbers: all that its signals and their first changes reach.

    Attributes
    ----------
    chain, suspects
        The measurement and what may be wrong with it.
    bases
        Orthonormal FIDs of every channel, shape (points, rank) each.
    signals
        What Paulis P/d show in these bases, shape (readouts, ranks of all channels, 4ⁿ).
    slopes
        Derivative of the signals by the size of every suspect, (suspects, readouts, ranks, 4ⁿ).
    """

    chain: Chain
    suspects: tuple[Suspect, ...]
    bases: tuple[Complex, ...]
    signals: Complex
    slopes: Complex

    @property
    def channel_of(self) -> list[int]:
        """Channel of every number."""
        return [c for c, basis in enumerate(self.bases) for _ in range(basis.shape[1])]


def scene_of(chain: Chain) -> Scene:
    """Return the scene of a chain.

    Raises
    ------
    ArgumentError
        If the chain was put together by hand.
    """
    suspects, world = suspects_of(chain), world_of(chain)
    bases = _bases(chain, world, suspects)
    slopes = np.stack([slope(world, suspect, bases) for suspect in suspects])
    return Scene(chain, suspects, bases, signals_of(world, bases), slopes)


def world_of(chain: Chain) -> World:
    """Return the world that a chain takes for granted."""
    setup = setup_of(chain)
    plain = setup.analysis == "time-domain"
    setup = setup if plain else replace(setup, analysis="time-domain")
    return World(setup, np.zeros(len(chain.channels), dtype=complex))


def signals_of(world: World, bases: tuple[Complex, ...]) -> Complex:
    """Return what Paulis P/d show in given bases, shape (readouts, ranks, 4ⁿ)."""
    chain, d = _chain(world.setup), 2 ** len(world.setup.sample.spins)
    paulis = (pauli_basis(d.bit_length() - 1) / d).reshape(d * d, d * d).T
    parts = []
    for c, basis in enumerate(bases):
        seen = basis.conj().T * np.exp(world.log_gains[c])
        if chain.views is None:
            parts.append(seen @ chain.detectors[c] @ chain.maps)
        else:
            parts.append(seen @ chain.views[:, c])
    return np.asarray(np.concatenate(parts, axis=1) @ paulis)


@lru_cache(maxsize=4)
def _chain(setup: Setup) -> Chain:
    """Return the chain of a set-up, which changes of gains leave as it is."""
    return chain_of(setup)


def slope(world: World, suspect: Suspect, bases: tuple[Complex, ...]) -> Complex:
    """Return the derivative of the signals by the size of a suspect, (readouts, ranks, 4ⁿ)."""
    up, down = (signals_of(suspect.change(world, s), bases) for s in (suspect.step, -suspect.step))
    return np.asarray((up - down) / (2 * suspect.step))


def _bases(chain: Chain, world: World, suspects: tuple[Suspect, ...]) -> tuple[Complex, ...]:
    """Return what spans the FIDs of every channel and their changes with the sample."""
    columns = [[seen] for seen in _seen(chain)]
    for suspect in suspects:
        setups = [suspect.change(world, s).setup for s in (suspect.step, -suspect.step)]
        if setups[0].sample is not world.setup.sample:
            each = zip(*(_seen(chain_of(setup)) for setup in setups), strict=True)
            for own, (up, down) in zip(columns, each, strict=True):
                own.append((up - down) / (2 * suspect.step))
    return tuple(_span(own) for own in columns)


def _seen(chain: Chain) -> list[Complex]:
    """Return FIDs of every channel as columns, shape (points, columns)."""
    if chain.views is None:
        return list(chain.detectors)
    points = chain.views.shape[-2]
    return [
        np.moveaxis(chain.views[:, c], 0, 1).reshape(points, -1) for c in range(len(chain.channels))
    ]


def _span(parts: list[Complex]) -> Complex:
    scaled = [part / max(float(np.linalg.norm(part)), 1e-300) for part in parts]
    U, sizes, _ = np.linalg.svd(np.concatenate(scaled, axis=1), full_matrices=False)
    return np.asarray(U[:, sizes > _NOTHING * sizes[0]])
