"""Magnus terms and batches of average Hamiltonians against other ways to get them."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from functools import cache

import numpy as np
import qutip
from harness import Case
from reference import WIDE, exponential
from scipy.linalg import expm, logm

from nmrqb.average import compile_batch, magnus_terms
from nmrqb.dynamics import timeline_segments
from nmrqb.sample import Coupling, Sample, Spin, load_sample
from nmrqb.sample.hamiltonian import internal_hamiltonian
from nmrqb.sequence import expand, load_sequence
from nmrqb.units import Value

ORDER = 2


def cases(*, quick: bool) -> Iterator[Case]:
    """Yield the cases; quick ones have fewer spins and values."""
    for name, spins in (("wahuha", 3 if quick else 4), ("mrev8", 3 if quick else 6)):
        yield from _magnus_cases(name, spins, slices=24 if quick else 48)
    yield _batch_case(20 if quick else 1000, peer=5 if quick else 50)


# ------------------------------------------------------------------------------ Magnus terms
def _homonuclear(spins: int) -> Sample:
    rng = np.random.default_rng(spins)
    pairs = itertools.combinations(range(spins), 2)
    return Sample(
        "solid",
        tuple(Spin(f"H{k}", "1H", rng.normal(0, 300)) for k in range(spins)),
        tuple(Coupling((f"H{i}", f"H{j}"), dipolar_hz=rng.normal(0, 500)) for i, j in pairs),
    )


def _magnus_cases(name: str, spins: int, slices: int) -> Iterator[Case]:
    sample = _homonuclear(spins)
    segments = timeline_segments(expand(load_sequence(name), sample), sample)
    drift = internal_hamiltonian(sample)

    def ours():
        return np.array(magnus_terms(segments, drift, order=ORDER))

    @cache
    def reference():
        return _nested(_toggled(segments, drift.astype(WIDE), exponential))

    def errors(mine, theirs):
        scale = np.linalg.norm(drift, 2)
        return tuple(float(np.abs(H - reference()).max() / scale) for H in (mine, theirs))

    def peer():
        return _nested(_toggled(segments, drift))

    def by_quadrature():
        return _nested(_sliced(_toggled(segments, drift), slices), midpoint=True)

    label = f"H(0)-H(2) of {name}, {spins} spins"
    yield Case(label, "nested commutators", ours, peer, errors, bound=1e-11)
    yield Case(
        label, f"quadrature, {slices} slices", ours, by_quadrature, errors,
        bound=1e-11, peer_bound=0.5,
    )  # fmt: skip


def _toggled(segments, drift, exp=expm):
    U, pieces = np.eye(len(drift), dtype=complex), []
    for s in segments:
        if s.duration > 0:
            pieces.append((U.conj().T @ drift @ U, float(s.duration)))
        else:
            U = exp(-1j * s.rotation) @ U
    return pieces


def _sliced(pieces, slices):
    T = sum(t for _, t in pieces)
    edges = np.cumsum([t for _, t in pieces])
    times = (np.arange(slices) + 0.5) * T / slices
    return [(pieces[int(np.searchsorted(edges, t))][0], T / slices) for t in times]


def _nested(pieces, *, midpoint=False):
    """Return H⁽⁰⁾, H⁽¹⁾, H⁽²⁾ by sums of nested commutators over intervals."""
    T = sum(t for _, t in pieces)
    H = [np.asarray(A) for A, _ in pieces]
    t = [time for _, time in pieces]
    zeroth = sum(a * b for a, b in zip(H, t, strict=True)) / T
    first, second = np.zeros_like(H[0]), np.zeros_like(H[0])
    for i in range(len(H)):
        for j in range(i + 1):
            C = H[i] @ H[j] - H[j] @ H[i]
            if j < i:
                first = first + t[i] * t[j] * C
            for k in range(j + 1):
                share = {3: 1.0, 2: 0.5, 1: 1 / 6}[len({i, j, k})]
                if midpoint and share < 1:
                    continue
                D = H[j] @ H[k] - H[k] @ H[j]
                nested = H[i] @ D - D @ H[i] - (H[k] @ C - C @ H[k])
                second = second + share * t[i] * t[j] * t[k] * nested
    return np.array([zeroth, -0.5j / T * first, -second / (6 * T)])


# --------------------------------------------------------------------------------- batches
def _batch_case(values: int, peer: int) -> Case:
    sample, sequence = load_sample("chloroform"), load_sequence("dm")
    times = np.linspace(0.2e-3, 2e-3, values)
    some = np.linspace(0, values - 1, peer).astype(int)

    def ours():
        return compile_batch(sequence, sample, {"t": Value.of(times, "time")}).exact_hz

    def loop():
        return np.array([_dm_by_qutip(215.13, t) for t in times[some]])

    @cache
    def reference():
        """Return the mean of both toggled couplings, which commute: no higher order is left."""
        half = [_dm_steps(215.13, 1.0)[k].full() for k in (0, 2, 3)]
        H, U = 215.13 * np.diag([1, -1, -1, 1]) / 4, half[0]
        later = half[2] @ half[1] @ U
        return (U.conj().T @ H @ U + later.conj().T @ H @ later) / 2

    def errors(mine, theirs):
        return tuple(float(np.abs(H - reference()).max()) / 215.13 for H in (mine, theirs))

    return Case(
        f"dm compiled for {values} delays",
        "Qobj.expm and logm of every delay",
        ours,
        loop,
        errors,
        bound=1e-11,
        share=peer / values,
    )


def _dm_by_qutip(J, t):
    """Multiply the propagators of the pulse pairs and delays of dm; return the logarithm."""
    steps = _dm_steps(J, t)
    U = steps[0]
    for step in steps[1:]:
        U = step * U
    return 1j * logm(U.full()) / (2 * t) / (2 * np.pi)


def _dm_steps(J, t):
    one = qutip.qeye(2)
    x, y, z = (op / 2 for op in (qutip.sigmax(), qutip.sigmay(), qutip.sigmaz()))
    H = 2 * np.pi * J * qutip.tensor(z, z)

    def pulse(a, b):
        first = np.cos(np.deg2rad(a)) * x + np.sin(np.deg2rad(a)) * y
        second = np.cos(np.deg2rad(b)) * x + np.sin(np.deg2rad(b)) * y
        axis = qutip.tensor(first, one) + qutip.tensor(one, second)
        return (-1j * np.pi / 2 * axis).expm()

    free = (-1j * H * t).expm()
    return [pulse(270, 0), free, pulse(90, 180), pulse(180, 270), free, pulse(0, 90)]
