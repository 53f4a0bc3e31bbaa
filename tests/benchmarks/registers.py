"""Registers, sequences and their QuTiP counterparts for the benchmarks."""

from __future__ import annotations

import itertools

import numpy as np
import qutip
from scipy.sparse import csr_array, kron

from nmrqb.dynamics import Segment, rotation_generator
from nmrqb.dynamics.relaxing.dissipation import Dissipation, Part
from nmrqb.operators import spin_operator
from nmrqb.sparse_operators import pattern_sum, sparse_matrix

TIGHT = {"rtol": 1e-8, "atol": 1e-10, "progress_bar": ""}
PULSE_S, DELAY_S = 10e-6, 20e-6
PHASES = (0, 270, 90, 180, 180, 270, 90, 0)  # degrees
LOWER = np.array([[0, 1], [0, 0]], dtype=complex)


def homonuclear(n, spread_hz, seed=1, members=()):
    """Return H/(rad/s) of offsets and couplings J I·I, shape (*members, 2ⁿ, 2ⁿ)."""
    rng = np.random.default_rng(seed)
    offsets = 2 * np.pi * rng.normal(0, spread_hz, (*members, n))[..., None, None]
    H = sum(offsets[..., k, :, :] * spin_operator("z", k, n) for k in range(n))
    for i, j in itertools.combinations(range(n), 2):
        J = 2 * np.pi * rng.uniform(2, 12, members)[..., None, None]
        H = H + J * sum(spin_operator(a, i, n) @ spin_operator(a, j, n) for a in "xyz")
    return H


def sparse_homonuclear(n, spread_hz, seed=1):
    """Return such an H as a ``csr_array``."""
    rng = np.random.default_rng(seed)
    offsets = 2 * np.pi * rng.normal(0, spread_hz, n)
    terms = [(offsets[k], [("z", k)]) for k in range(n)]
    for i, j in itertools.combinations(range(n), 2):
        J = 2 * np.pi * rng.uniform(2, 12)
        terms += [(J, [(a, i), (a, j)]) for a in "xyz"]
    return sparse_matrix(pattern_sum(terms, n), n)


def cycle(n, *, sparse=False):
    """Return eight 90° pulses of four phases on all spins, with delays of two lengths."""
    segments = []
    for phase, delay in zip(PHASES, (1, 2) * 4, strict=True):
        vectors = [np.pi / 2 * np.cos(np.deg2rad(phase)), np.pi / 2 * np.sin(np.deg2rad(phase))]
        terms = [(v, [(a, k)]) for k in range(n) for a, v in zip("xy", vectors, strict=True)]
        pulse = sparse_matrix(pattern_sum(terms, n), n)
        none = csr_array((2**n, 2**n), dtype=complex)
        controls = [m if sparse else m.toarray() for m in (pulse, none)]
        segments += [
            Segment(np.asarray(PULSE_S), controls[0]),
            Segment(np.asarray(delay * DELAY_S), controls[1]),
        ]
    return segments


def shaped(steps, duration_s):
    """Return a Gaussian pulse with a running phase on two spins, cut into steps."""
    weights = np.exp(-(np.linspace(-2, 2, steps) ** 2))
    weights /= weights.sum()
    return [
        Segment(
            np.asarray(duration_s / steps),
            sum(rotation_generator(np.pi * w, 20 * k / steps, spin, 2) for spin in range(2)),
        )
        for k, w in enumerate(weights)
    ]


def dephasing(n, rate=2.0):
    """Return phase damping of every spin."""
    z = np.sqrt(rate) * np.diag([0.5, -0.5])
    return Dissipation(n, tuple(Part((k,), np.array([z])) for k in range(n)))


def relaxing(n):
    """Return T1 and T2 of every spin, as rates of flips and phase damping."""
    z = np.sqrt(2.0) * np.diag([0.5, -0.5])
    operators = np.array([np.sqrt(0.5) * LOWER, np.sqrt(0.3) * LOWER.T, z])
    return Dissipation(n, tuple(Part((k,), operators) for k in range(n)))


def generator(H, dissipation):
    """Return −i[H, ·] + Σ D[L] on row-flattened ρ as a sparse matrix, summed by hand."""
    d = H.shape[-1]
    one, sparse = csr_array(np.eye(d)), csr_array(H)
    total = -1j * (kron(sparse, one) - kron(one, sparse.T))
    for operator in dissipation.operators():
        L = csr_array(operator)
        rate = L.conj().T @ L
        total = total + kron(L, L.conj()) - (kron(rate, one) + kron(one, rate.T)) / 2
    return csr_array(total)


def transverse(n):
    """Return ψ of all spins along x."""
    return np.full(2**n, 2.0 ** (-n / 2), dtype=complex)


def qobj(matrix):
    """Return an operator as a sparse ``Qobj`` of two-level factors."""
    n = matrix.shape[0].bit_length() - 1
    return qutip.Qobj(csr_array(matrix), dims=[[2] * n] * 2)


def dense_qobj(matrix):
    """Return an operator as a dense ``Qobj``."""
    n = matrix.shape[0].bit_length() - 1
    return qutip.Qobj(matrix, dims=[[2] * n] * 2)


def ket(psi):
    """Return a vector as a ``Qobj``."""
    n = len(psi).bit_length() - 1
    return qutip.Qobj(psi, dims=[[2] * n, [1] * n])
