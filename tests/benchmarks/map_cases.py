"""Maps of batteries: maxima over time of four figures of merit on a grid of D and G."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

import numpy as np
import qutip
from harness import Case
from reference import WIDE, exponential
from registers import TIGHT

from nmrqb.battery import charging_map, open_charging_map
from nmrqb.dynamics import commutator_superoperator, dissipator, gibbs
from nmrqb.operators import PAULI, embed, named_operator, pauli

DELTA, EPSILON, TEMPERATURE, RATE = -1.0, 0.5, 1.0, 1.0  # fig. 11 of dipolar-battery-dm-ksea-nmr
WIDEST, STOP_S = 20.0, 0.5
DEPHASING = 0.8
FIGURES = ("ergotropy", "anti_ergotropy", "capacity", "coherence_l1")


def cases(*, quick: bool) -> Iterator[Case]:
    """Yield the cases; quick ones have fewer points and times."""
    points, times, some = (9, 20, 2) if quick else (101, 200, 3)
    drive = RATE * (pauli("XI") + pauli("IX"))
    rng = np.random.default_rng(11)
    square = rng.normal(size=(2, 4, 4))
    arbitrary = square[0] + square[0].T + 1j * (square[1] - square[1].T)
    for name, generator, target, kept in (
        ("collective drive", drive, 1000, False),
        ("collective drive", drive, None, True),
        ("arbitrary generator", arbitrary, 80, False),
    ):
        grid = _Map(points, times, some)
        yield _closed(name, generator, grid, None if quick else target, kept=kept)
    for name, options in (
        ("mesolve by diagonalisation, spectra", {"method": "diag", "progress_bar": ""}),
        ("mesolve rtol 1e-8, spectra", TIGHT),
    ):
        yield _open(name, options, drive, points, times, some, None if quick else 45)


def hamiltonians(D, G):
    """Return H/2π of every pair of constants: (..., 4, 4)."""
    fixed = DELTA * named_operator("Delta") + EPSILON * named_operator("epsilon")
    D, G = np.asarray(D)[..., None, None], np.asarray(G)[..., None, None]
    return fixed + D * named_operator("DM_z") + G * named_operator("KSEA_z")


class _Map:
    """A grid, the points of it that the peer visits, and the times."""

    def __init__(self, points, times, some):
        self.D = np.linspace(-WIDEST, WIDEST, points)
        self.times = np.linspace(0, STOP_S, times)
        self.those = np.linspace(0, points - 1, some).astype(int) % (points - 1) + 1
        self.share = some**2 / points**2

    def grid(self):
        return hamiltonians(self.D[:, None], self.D[None, :])

    def picked(self, found):
        return np.array([found[f"{name}_max"][np.ix_(self.those, self.those)] for name in FIGURES])

    def pairs(self):
        return [(self.D[i], self.D[k]) for i in self.those for k in self.those]

    def case(self, name, peer_name, ours, peer, states, bound, target):
        """Return a case; ``states`` makes (T, 4, 4) of a start in extended precision."""

        @cache
        def reference():
            return np.array([_reference(D, G, states) for D, G in self.pairs()]).T

        def errors(mine, theirs):
            pair = self.picked(mine).reshape(4, -1), np.array(theirs).T
            size = np.abs(reference()).max(axis=1, keepdims=True)
            return tuple(float((np.abs(values - reference()) / size).max()) for values in pair)

        return Case(
            f"map of {self.D.size} x {self.D.size}, {self.times.size} times, {name}",
            peer_name, ours, peer, errors, bound=bound, share=self.share, target=target,
        )  # fmt: skip


def _closed(name, generator, grid, target, *, kept) -> Case:
    charger = qutip.Qobj(2 * np.pi * generator)

    def ours():
        H = grid.grid()
        return charging_map(H, gibbs(H, TEMPERATURE), generator, grid.times)

    def propagators():
        return ((-1j * t * charger).expm() for t in grid.times)

    once = list(propagators()) if kept else None

    def charged(rho):
        for U in once or propagators():
            yield U * rho * U.dag()

    def states(rho):
        U = exponential(-2j * np.pi * generator * grid.times[:, None, None].astype(WIDE))
        return U @ rho @ U.conj().swapaxes(-1, -2)

    def peer():
        return [_loop(D, G, charged) for D, G in grid.pairs()]

    peer_name = f"Qobj loop over points and times{', U kept' if kept else ''}"
    return grid.case(name, peer_name, ours, peer, states, 1e-9, target)


def _open(peer_name, options, generator, points, times, some, target) -> Case:
    grid = _Map(points, times, some)
    losses = [np.sqrt(DEPHASING) * embed(PAULI["Z"], k, 2) for k in range(2)]
    L = commutator_superoperator(2 * np.pi * generator) + dissipator(losses, 4)
    charger, operators = qutip.Qobj(2 * np.pi * generator), [qutip.Qobj(loss) for loss in losses]
    step = grid.times[1]

    def ours():
        H = grid.grid()
        one = np.asarray(exponential(L * step), dtype=complex)
        maps = [np.eye(16, dtype=complex)]
        while len(maps) < grid.times.size:
            maps.append(one @ maps[-1])
        return open_charging_map(H, gibbs(H, TEMPERATURE), np.array(maps), grid.times)

    def charged(rho):
        return qutip.mesolve(charger, rho, grid.times, operators, options=options).states

    def states(rho):
        one, found = exponential(L * WIDE(step)), [rho.reshape(16)]
        while len(found) < grid.times.size:
            found.append(one @ found[-1])
        return np.array(found).reshape(-1, 4, 4)

    def peer():
        return [_loop(D, G, charged) for D, G in grid.pairs()]

    return grid.case("dephasing", peer_name, ours, peer, states, 1e-9, target)


def _loop(D, G, charged):
    """Return the largest figures of one battery as one writes it with Qobj."""
    H = qutip.Qobj(hamiltonians(D, G))
    levels, vectors = H.eigenstates()
    start = (-H / TEMPERATURE).expm().unit()
    basis = np.hstack([vector.full() for vector in vectors])
    found = []
    for rho in charged(start):
        r, energy = rho.eigenenergies(), qutip.expect(H, rho)
        matrix = basis.conj().T @ rho.full() @ basis
        passive, active = r[::-1] @ levels, r @ levels
        l1 = np.abs(matrix).sum() - np.abs(np.diag(matrix)).sum()
        found.append((energy - passive, energy - active, active - passive, l1))
    return np.max(found, axis=0)


def _reference(D, G, states):
    """Return the same from levels and vectors in closed form and states in extended precision."""
    H = hamiltonians(WIDE(D), WIDE(G))
    exchange, double = H[1, 2], H[0, 3]  # both diagonals are equal within each of the two blocks
    e = np.concatenate([_block(H[1, 1].real, exchange), _block(H[0, 0].real, double)])
    V = np.zeros((4, 4), dtype=WIDE)
    for column, sign in ((0, -1), (1, 1)):
        V[1, column], V[2, column] = exchange / abs(exchange), sign
        V[0, column + 2], V[3, column + 2] = double / abs(double), sign
    V /= np.sqrt(WIDE(2))
    weights = np.exp(-e / TEMPERATURE)
    rho = states((V * (weights / weights.sum())) @ V.conj().T)
    energy = np.einsum("tij,ji->t", rho, H).real
    r, levels = _spectra(rho), np.sort(e)
    passive, active = r[:, ::-1] @ levels, r @ levels
    seen = np.abs(V.conj().T @ rho @ V)
    l1 = seen.sum(axis=(1, 2)) - np.einsum("tkk->t", seen)
    return [(energy - passive).max(), (energy - active).max(), (active - passive).max(), l1.max()]


def _block(diagonal, element):
    return np.array([diagonal - abs(element), diagonal + abs(element)])


def _spectra(rho):
    """Return ascending eigenvalues: Rayleigh quotients, whose errors are squares of vectors'."""
    _, V = np.linalg.eigh(rho.astype(complex))
    V = V.astype(WIDE)
    norms = (np.abs(V) ** 2).sum(axis=1)
    return np.sort(np.einsum("tik,tij,tjk->tk", V.conj(), rho, V).real / norms, axis=-1)
