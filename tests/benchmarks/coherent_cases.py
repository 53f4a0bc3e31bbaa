"""Multiple-pulse cycles, ensembles, and many spins without propagators."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

import numpy as np
import qutip
from harness import Case
from reference import acted, exponential, largest
from registers import (
    TIGHT,
    cycle,
    dense_qobj,
    homonuclear,
    ket,
    qobj,
    shaped,
    sparse_homonuclear,
    transverse,
)
from scipy.sparse import csc_array
from scipy.sparse.linalg import expm_multiply

from nmrqb.dynamics import evolve, stroboscopic, unitary

WANTED = {2: 250, 6: 120, 8: 30}
WANTED_OF_CACHING = {6: 2}
EXACT = 6  # spins whose propagators the reference makes in extended precision
SOLVER = {**TIGHT, "method": "vern9"}


def cases(*, quick: bool) -> Iterator[Case]:
    """Yield the cases; quick ones have fewer spins, cycles and members."""
    for n in (2, 4) if quick else (2, 6, 8):
        yield from _cycles(n, passes=4 if quick else 100, checked=4 if n <= 6 and quick else 10)
    yield _ensemble(20 if quick else 1000, some=2 if quick else 20)
    for n in (5,) if quick else (10, 12):
        yield _many_spins(n)


# --------------------------------------------------------------------------------- cycles
def _cycles(n: int, passes: int, checked: int) -> Iterator[Case]:
    H, psi, segments, peer = homonuclear(n, 400), transverse(n), cycle(n), _Peer(n)
    reference = cache(lambda: _exact(H, psi, segments, passes if n <= EXACT else checked))

    def errors(mine, theirs):
        found = []
        for states in (mine, theirs):
            both = min(len(states), len(reference()))
            found.append(largest(states[:both], reference()[:both]))
        return tuple(found)

    some = 1 if n > EXACT else min(passes, 4)
    for label, target, share, function in (
        ("sesolve for every segment, vern9 rtol 1e-8", WANTED, some / passes, peer.solved),
        ("SESolver kept for every segment, the same", WANTED, some / passes, peer.by_solvers),
        ("the same caching with Qobj", WANTED_OF_CACHING, 1.0, peer.cached),
    ):
        yield Case(
            f"{passes} cycles of 8 pulses, {n} spins",
            label,
            lambda: stroboscopic(unitary(segments, H), psi, passes),
            lambda function=function, share=share: function(round(passes * share)),
            errors,
            bound=1e-11,
            share=share,
            target=target.get(n) if passes == 100 else None,
        )


def _exact(H, psi, segments, passes):
    """Return the states after all passes; those of many spins go through every segment."""
    exponents = {segment.content: -1j * segment.generator(H) for segment in segments}
    U = {key: exponential(A) for key, A in exponents.items()} if len(psi) <= 2**EXACT else {}
    states = [psi.reshape(-1, 1)]
    for _ in range(passes):
        state = states[-1]
        for segment in segments:
            key = segment.content
            state = U[key] @ state if U else acted(exponents[key], state)
        states.append(state)
    return np.array(states)[..., 0]


class _Peer:
    """The cycles in QuTiP; what does not change from run to run is prepared beforehand."""

    def __init__(self, n):
        H, segments = homonuclear(n, 400), cycle(n)
        self.start = ket(transverse(n))
        self.steps = [(segment.content, float(segment.duration)) for segment in segments]
        exponents = {segment.content: segment.generator(H) for segment in segments}
        self.exponents = {key: dense_qobj(A) for key, A in exponents.items()}
        self.drifts = {key: qobj(exponents[key] / T) for key, T in dict(self.steps).items()}
        options = {**SOLVER, "store_final_state": True}
        self.solvers = {key: qutip.SESolver(H, options=options) for key, H in self.drifts.items()}

    def solved(self, passes):
        def step(key, state, T):
            return qutip.sesolve(self.drifts[key], state, [0, T], options=SOLVER).final_state

        return self._in_steps(step, passes)

    def by_solvers(self, passes):
        def step(key, state, T):
            return self.solvers[key].run(state, [0, T]).final_state

        return self._in_steps(step, passes)

    def _in_steps(self, step, passes):
        states = [self.start]
        for _ in range(passes):
            state = states[-1]
            for key, T in self.steps:
                state = step(key, state, T)
            states.append(state)
        return self._vectors(states)

    def cached(self, passes):
        known = {key: (-1j * A).expm() for key, A in self.exponents.items()}
        U = known[self.steps[0][0]]
        for key, _ in self.steps[1:]:
            U = known[key] * U
        states = [self.start]
        for _ in range(passes):
            states.append(U * states[-1])
        return self._vectors(states)

    @staticmethod
    def _vectors(states):
        return np.array([state.full()[:, 0] for state in states])


# ------------------------------------------------------------------------------- ensembles
def _ensemble(members: int, some: int) -> Case:
    segments, H = shaped(64, 1e-3), homonuclear(2, 100, members=(members,))
    b1 = np.random.default_rng(2).normal(1, 0.05, members)
    those = np.linspace(0, members - 1, some).astype(int)
    step_s = float(segments[0].duration)
    controls = [dense_qobj(segment.rotation) for segment in segments]
    drifts = [dense_qobj(H[k] * step_s) for k in those]

    @cache
    def reference():
        total = np.eye(4)
        for segment in segments:
            scaled = b1[those, None, None] * segment.rotation
            total = exponential(-1j * (scaled + H[those] * step_s)) @ total
        return total

    def ours():
        return unitary([segment.scaled(b1) for segment in segments], H)

    def peer():
        found = []
        for k, drift in zip(those, drifts, strict=True):
            U = qutip.qeye([2, 2])
            for control in controls:
                U = (-1j * (b1[k] * control + drift)).expm() * U
            found.append(U.full())
        return np.array(found)

    def errors(mine, theirs):
        return tuple(largest(U, reference(), axes=(-2, -1)) for U in (mine[those], theirs))

    return Case(
        f"shaped pulse of 64 steps on {members} members, 2 spins",
        "Qobj.expm of every step",
        ours,
        peer,
        errors,
        bound=1e-12,
        share=some / members,
        target=15 if members == 1000 else None,
    )


# ------------------------------------------------------------------------------ many spins
def _many_spins(n: int) -> Case:
    H, psi, segments = sparse_homonuclear(n, 400), transverse(n), cycle(n, sparse=True)
    exponents = [csc_array(-1j * segment.generator(H)) for segment in segments]

    @cache
    def reference():
        state = psi.reshape(-1, 1)
        for exponent in exponents:
            state = acted(exponent, state)
        return state[:, 0]

    def peer():
        state = psi
        for exponent in exponents:
            state = expm_multiply(exponent, state)
        return state

    return Case(
        f"1 cycle of 8 pulses, {n} spins, by series",
        "expm_multiply for every segment",
        lambda: evolve(segments, H, psi, method="chebyshev", tolerance=1e-12).state,
        peer,
        lambda mine, theirs: (largest(mine, reference()), largest(theirs, reference())),
        bound=1e-11,
    )
