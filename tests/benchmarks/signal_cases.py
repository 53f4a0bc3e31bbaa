"""Free induction decays, and a star of 37 spins."""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import cache

import numpy as np
import qutip
from harness import Case
from reference import acted, exponential
from registers import homonuclear, qobj
from scipy.sparse import csr_array

from nmrqb.dynamics.registers import central_signal, star_hamiltonian, star_product
from nmrqb.operators import spin_operator
from nmrqb.spectrometer import Receiver, fid

WIDTH_HZ = 4000.0
SHARES = {4: 1 / 4, 5: 1 / 16, 6: 1 / 64}  # of the points that an integrator does
DIAGONALISED = 4  # spins to which QuTiP can diagonalise the Liouvillian


def cases(*, quick: bool) -> Iterator[Case]:
    """Yield the cases; quick ones have fewer points and spins."""
    for n in (2, 3) if quick else (2, 3, 4, 5, 6):
        yield from _fids(n, points=256 if quick else 16384)
    yield _small_star(3 if quick else 8, times=20 if quick else 200)
    yield _large_star(12 if quick else 36, times=20 if quick else 200)


# ------------------------------------------------------------------------------------ FIDs
def _fids(n: int, points: int) -> Iterator[Case]:
    H = homonuclear(n, 300)
    x, y = (sum(spin_operator(a, k, n) for k in range(n)) for a in "xy")
    rho, coil = x / 2**n, x + 1j * y
    receiver = Receiver(WIDTH_HZ, points)
    given = qobj(H), qobj(rho), qobj(coil)

    @cache
    def reference():
        """Return the signal at 0, 1, 2, 4 … dwell times and the last of them."""
        U, place, signal = exponential(-1j * H / WIDTH_HZ), 1, {0: np.trace(rho @ coil)}
        last, used = np.eye(2**n), 0
        while place < points:
            signal[place] = np.trace(U @ rho @ U.conj().T @ coil)
            if (points - 1) & place:
                last, used = U @ last, used + place
            U, place = U @ U, 2 * place
        signal[used] = np.trace(last @ rho @ last.conj().T @ coil)
        return signal

    def error(signal):
        exact = {k: value for k, value in reference().items() if k < len(signal)}
        off = max(abs(signal[k] - value) for k, value in exact.items())
        return float(off / max(map(abs, exact.values())))

    def solved(options, count):
        h, start, seen = given
        return qutip.mesolve(
            h,
            start,
            receiver.times_s[:count],
            e_ops=[seen],
            options={**options, "progress_bar": ""},
        ).expect[0]

    def case(name, options, share=1.0):
        return Case(
            f"FID of {points} points, {n} spins",
            name,
            lambda: fid(H, rho, coil, receiver),
            lambda: solved(options, round(points * share)),
            lambda mine, theirs: (error(mine), error(theirs)),
            bound=1e-12,
            share=share,
            target=1000 if points == 16384 else None,
        )

    if n <= DIAGONALISED:
        yield case("mesolve by diagonalisation", {"method": "diag"})
    integrator = {"method": "vern9", "rtol": 1e-9, "atol": 1e-11}
    yield case("mesolve, vern9, rtol 1e-9", integrator, SHARES.get(n, 1.0))


# ----------------------------------------------------------------------------------- stars
CENTRE = np.array([[0.5, 0.5], [0.5, 0.5]])


def _small_star(n: int, times: int) -> Case:
    """A star with exchange couplings against all its levels."""
    satellite = np.diag([0.7, 0.3])
    t, middle = np.linspace(0, 0.3, times), times // 2
    coupling = np.array([[5.0, 3.0, 0.0], [-3.0, 5.0, 0.0], [0.0, 0.0, 9.0]])

    def ours():
        H = star_hamiltonian(n, coupling, central_hz=20.0)
        return central_signal(H, star_product(n, CENTRE, satellite), t)

    spins = [[spin_operator(a, k, n + 1) for a in "xyz"] for k in range(n + 1)]
    total = [sum(spins[k][a] for k in range(1, n + 1)) for a in range(3)]
    H = 2 * np.pi * (
        20.0 * spins[0][2]
        + sum(coupling[a, b] * spins[0][a] @ total[b] for a in range(3) for b in range(3))
    )  # fmt: skip
    rho = CENTRE
    for _ in range(n):
        rho = np.kron(rho, satellite)
    seen = 2 * (spins[0][0] + 1j * spins[0][1])

    def peer():
        levels, V = np.linalg.eigh(H)
        phases = np.exp(-1j * t[:, None] * levels)
        weights = (V.conj().T @ rho @ V) * (V.conj().T @ seen @ V).T
        return np.sum((phases @ weights) * phases.conj(), axis=-1)

    @cache
    def reference():
        """Return the signal at one time from one state for every number of satellites up."""
        states = np.array([_with_up(n, up) for up in range(n + 1)]).T
        weights = [math.comb(n, up) * 0.7**up * 0.3 ** (n - up) for up in range(n + 1)]
        evolved = acted(csr_array(-1j * H * t[middle]), states)
        return np.einsum("k,ik,ij,jk->", weights, evolved.conj(), seen, evolved)

    def error(signal):
        return float(abs(signal[middle] - reference()))

    return Case(
        f"star of 1 + {n} spins, {times} samples",
        f"all {2 ** (n + 1)} levels by numpy",
        ours,
        peer,
        lambda mine, theirs: (error(mine), error(theirs)),
        bound=1e-11,
    )


def _with_up(n, up):
    """Return the centre along x and so many of the satellites up."""
    basis = np.zeros(2**n)
    basis[2 ** (n - up) - 1] = 1
    return np.kron([0.5**0.5, 0.5**0.5], basis)


def _large_star(n: int, times: int) -> Case:
    """A star with Ising couplings, whose signal is known: [cos πJt + ip sin πJt]ⁿ."""
    t, J, p = np.linspace(0, 0.3, times), 9.0, 0.4

    def ours():
        H = star_hamiltonian(n, np.diag([0.0, 0.0, J]))
        return central_signal(H, star_product(n, CENTRE, np.diag([(1 + p) / 2, (1 - p) / 2])), t)

    def errors(mine, _):
        angle = np.pi * J * t.astype(np.longdouble)
        return float(np.abs(mine - (np.cos(angle) + 1j * p * np.sin(angle)) ** n).max()), 0.0

    return Case(f"star of 1 + {n} spins, {times} samples", "", ours, None, errors, bound=1e-11)
