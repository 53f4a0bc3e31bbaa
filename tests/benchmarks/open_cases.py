"""Open systems: a sweep of two spins, one register of six, random trajectories."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

import numpy as np
import qutip
from harness import Case
from reference import acted, exponential, largest
from registers import (
    TIGHT,
    dense_qobj,
    dephasing,
    generator,
    homonuclear,
    ket,
    qobj,
    relaxing,
    transverse,
)
from scipy.sparse import csr_array
from scipy.sparse.linalg import expm_multiply

from nmrqb.dynamics import Segment, sampled
from nmrqb.dynamics.relaxing.trajectories import trajectories
from nmrqb.operators import spin_operator

INTERVAL_S = 1e-3


def cases(*, quick: bool) -> Iterator[Case]:
    """Yield the cases; quick ones have fewer members, spins and samples."""
    yield from _sweep(20 if quick else 1000, some=2 if quick else 20, samples=20 if quick else 200)
    yield from _single(4 if quick else 6, samples=20 if quick else 200, target=not quick)
    yield _by_maps(4 if quick else 5, samples=20 if quick else 200)
    yield _random(3 if quick else 5, count=20 if quick else 200)


def _projector(n):
    psi = transverse(n)
    return np.outer(psi, psi.conj())


def _states(result):
    return np.array([state.full() for state in result.states])


# ------------------------------------------------------------------------------- the sweep
def _sweep(members: int, some: int, samples: int) -> Iterator[Case]:
    H, rho, loss = homonuclear(2, 100, members=(members,)), _projector(2), relaxing(2)
    those = np.linspace(0, members - 1, some).astype(int)
    given = [qobj(H[k]) for k in those], qobj(rho), [qobj(L) for L in loss.operators()]
    times = INTERVAL_S * np.arange(samples)

    @cache
    def reference():
        steps = exponential([generator(H[k], loss).toarray() * INTERVAL_S for k in those])
        states = [np.broadcast_to(rho.reshape(-1, 1), (some, 16, 1))]
        for _ in range(samples - 1):
            states.append(steps @ states[-1])
        return np.stack(states, axis=1)[..., 0]

    def errors(mine, theirs):
        flat = (some, samples, 16)
        pair = mine[those].reshape(flat), theirs.reshape(flat)
        return tuple(largest(states, reference()) for states in pair)

    def peer(options):
        drifts, start, losses = given
        return np.array(
            [_states(qutip.mesolve(h, start, times, losses, options=options)) for h in drifts]
        )

    for name, options in (
        ("mesolve by diagonalisation", {"method": "diag", "progress_bar": ""}),
        ("mesolve rtol 1e-8", TIGHT),
    ):
        yield Case(
            f"{members} open systems of 2 spins, {samples} samples",
            name,
            lambda: sampled(H, rho, INTERVAL_S, samples - 1, loss)[0],
            lambda options=options: peer(options),
            errors,
            bound=1e-12,
            share=some / members,
            target=50 if members == 1000 else None,
        )


# ----------------------------------------------------------------------------- one register
def _single(n: int, samples: int, *, target: bool) -> Iterator[Case]:
    H, rho, loss = homonuclear(n, 60), _projector(n), dephasing(n)
    L, start = generator(H, loss), qobj(rho)
    times = INTERVAL_S * np.arange(samples)

    @cache
    def reference():
        states = [rho.reshape(-1, 1)]
        for _ in range(samples - 1):
            states.append(acted(L * INTERVAL_S, states[-1]))
        return np.array(states)[..., 0]

    def errors(mine, theirs):
        return tuple(largest(s.reshape(samples, -1), reference()) for s in (mine, theirs))

    def ours(tolerance):
        return sampled(H, rho, INTERVAL_S, samples - 1, loss, method="splitting",
                       tolerance=tolerance)[0]  # fmt: skip

    def peer(method):
        options = {**TIGHT, "method": method, "store_states": True}
        operators = [qobj(operator) for operator in loss.operators()]
        return _states(qutip.mesolve(qobj(H), start, times, operators, options=options))

    name = f"{n} spins, dephasing, {samples} samples"
    for method in ("lsoda", "adams"):
        yield Case(
            name,
            f"mesolve, {method}, rtol 1e-8",
            lambda: ours(1e-5),
            lambda method=method: peer(method),
            errors,
            bound=1e-7,
            target=3.5 if target else None,
        )
    yield Case(
        f"{name}, tolerance 1e-9",
        "expm_multiply of a Liouvillian",
        lambda: ours(1e-9),
        lambda: _series(L, rho, samples),
        errors,
        bound=1e-9,
        exact_peer=True,
    )


def _series(L, rho, samples):
    stop = (samples - 1) * INTERVAL_S
    return expm_multiply(L, rho.reshape(-1), start=0, stop=stop, num=samples)


def _by_maps(n: int, samples: int) -> Case:
    H, rho, loss = homonuclear(n, 60), _projector(n), relaxing(n)
    L = generator(H, loss)
    few = min(samples, 50)

    @cache
    def reference():
        states = [rho.reshape(-1, 1)]
        for _ in range(few - 1):
            states.append(acted(L * INTERVAL_S, states[-1]))
        return np.array(states)[..., 0]

    def errors(mine, theirs):
        return tuple(largest(s[:few].reshape(few, -1), reference()) for s in (mine, theirs))

    return Case(
        f"{n} spins, T1 and T2, {samples} samples",
        "expm_multiply of a Liouvillian",
        lambda: sampled(H, rho, INTERVAL_S, samples - 1, loss)[0],
        lambda: _series(L, rho, samples),
        errors,
        bound=1e-12,
    )


# ----------------------------------------------------------------------------- trajectories
def _random(n: int, count: int) -> Case:
    H, psi, loss, seen = homonuclear(n, 60), transverse(n), relaxing(n), spin_operator("x", 0, n)
    duration = 20e-3
    wait = [Segment(np.asarray(duration), np.zeros(H.shape, dtype=complex))]
    given = qobj(H), ket(psi), [0, duration], [qobj(L) for L in loss.operators()]

    @cache
    def reference():
        rho = acted(generator(H, loss) * duration, np.outer(psi, psi.conj()).reshape(-1, 1))
        return float(np.trace(rho.reshape(2**n, 2**n) @ seen).real)

    def ours():
        mean = trajectories(
            wait, csr_array(H), psi, loss, observables=[seen], count=count, steps=4, seed=1
        ).mean
        return mean[0]

    def peer():
        result = qutip.mcsolve(
            *given, e_ops=[dense_qobj(seen)], ntraj=count, seeds=1, options={"progress_bar": ""}
        )
        return result.expect[0][-1]

    return Case(
        f"{n} spins, T1 and T2, {count} trajectories",
        f"mcsolve, {count} trajectories",
        ours,
        peer,
        lambda mine, theirs: (abs(mine - reference()), abs(theirs - reference())),
        bound=1.5 / np.sqrt(count),  # three standard errors of a mean of numbers within 1/2
        peer_bound=1.5 / np.sqrt(count),
        exact_peer=True,  # noise of one size, but not of one draw
    )
