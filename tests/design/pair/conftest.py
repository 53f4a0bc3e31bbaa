"""Pairs of spins, and a player of timelines that shares nothing with the code under test."""

from dataclasses import replace

import numpy as np
import pytest

from nmrqb.sample import load_sample
from nmrqb.sequence import TimedDelay, TimedPulse, expand

X = np.array([[0, 1], [1, 0]])
Y = np.array([[0, -1j], [1j, 0]])
Z = np.diag([1, -1])


def chloroform():
    return load_sample("chloroform")


def negative():
    """Return 1H and 15N with J = −92.5 Hz."""
    sample = chloroform()
    nitrogen = replace(sample.spins[1], nucleus="15N", label="15N")
    coupling = replace(sample.couplings[0], between=("1H", "15N"), J_hz=-92.5)
    return replace(sample, name="amide", spins=(sample.spins[0], nitrogen), couplings=(coupling,))


def off_resonance():
    """Return chloroform with both carriers off resonance."""
    sample = chloroform()
    moved = [replace(s, offset_hz=f) for s, f in zip(sample.spins, (31.0, -77.0), strict=True)]
    return replace(sample, name="off", spins=tuple(moved))


PAIRS = {"chloroform": chloroform, "negative": negative, "off resonance": off_resonance}


@pytest.fixture(params=list(PAIRS))
def sample(request):
    return PAIRS[request.param]()


def rotation(angle, axis):
    """Return exp(−i·angle·n·σ/2)."""
    n = axis[0] * X + axis[1] * Y + axis[2] * Z
    return np.cos(angle / 2) * np.eye(2) - 1j * np.sin(angle / 2) * n


def brute_force(sequence, sample):
    """Return U of a sequence, one event after another."""
    timeline = expand(sequence, sample)
    first, second = (2 * np.pi * s.offset_hz / 2 for s in sample.spins)
    bilinear = 2 * np.pi * sample.couplings[0].J_hz / 4
    signs = np.array([(1, 1), (1, -1), (-1, 1), (-1, -1)])
    levels = bilinear * signs.prod(axis=1) + signs @ [first, second]
    U = np.eye(4)
    for event in timeline.events:
        if isinstance(event, TimedDelay):
            U = np.exp(-1j * levels * event.duration)[:, None] * U
        else:
            assert isinstance(event, TimedPulse)
            turns = [np.eye(2), np.eye(2)]
            for r in event.rotations:
                turns[r.spin] = rotation(r.angle, (np.cos(r.phase), np.sin(r.phase), 0))
            U = np.kron(*turns) @ U
    frames = [rotation(timeline.frame.get(k, 0.0), (0, 0, 1)) for k in (0, 1)]
    return np.kron(*frames) @ U


def apart(U, V):
    """Return ‖U − e^{iα}V‖ (spectral norm) for the best phase α."""
    overlap = np.trace(V.conj().T @ U)
    return np.linalg.norm(U - overlap / abs(overlap) * V, 2)


@pytest.fixture
def play():
    return brute_force


@pytest.fixture
def distance():
    return apart
