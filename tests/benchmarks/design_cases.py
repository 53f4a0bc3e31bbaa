"""One exact gradient of GRAPE against that of qutip-qtrl, for two spins."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from harness import Case
from scipy.linalg import expm, expm_frechet

from nmrqb.design.grape import Problem, UnitaryGoal, sample_controls, sample_members
from nmrqb.dynamics import exp_hermitian
from nmrqb.operators import from_named
from nmrqb.sample import load_sample
from nmrqb.sample.hamiltonian import internal_hamiltonian

DURATION = 5e-3


def cases(*, quick: bool) -> Iterator[Case]:
    """Yield the case; without the peer where it is not installed."""
    steps = 20 if quick else 100
    sample = load_sample("chloroform")
    V = exp_hermitian(2 * np.pi * from_named({"DM_z": 20.0}) * DURATION)
    controls = sample_controls(sample, duration_s=DURATION, steps=steps)
    problem = Problem(UnitaryGoal(V), controls, sample_members(sample))
    u = 2 * np.pi * 500 * np.random.default_rng(0).standard_normal((steps, 2, 2))
    drift, operators = internal_hamiltonian(sample), controls.operators.reshape(4, 4, 4)
    exact = reference(drift, operators, V, u.reshape(steps, 4))
    peer = _qtrl(drift, operators, V, u.reshape(steps, 4))

    def errors(mine: Any, theirs: Any) -> tuple[float, float]:
        size = np.abs(exact).max()
        ours = np.abs(mine[1].reshape(steps, 4) - exact).max() / size
        return ours, np.nan if theirs is None else np.abs(theirs - exact).max() / size

    yield Case(
        f"GRAPE gradient, 2 spins, {steps} steps",
        "qutip-qtrl (exact, diagonalisation)",
        lambda: problem.value(u),
        peer,
        errors,
        bound=1e-10,
        target=None if quick else 10,
    )


def reference(drift: Any, operators: Any, V: Any, u: Any) -> Any:
    """Return the derivative of |tr V†U|²/d² by SciPy's Fréchet derivatives of exponentials."""
    step = DURATION / len(u)
    generators = -1j * step * (drift + np.einsum("kc,cij->kij", u, operators))
    maps = [expm(A) for A in generators]
    before = [np.eye(4)]
    for X in maps:
        before.append(X @ before[-1])
    z = np.trace(V.conj().T @ before[-1])
    after, slopes = np.eye(4), np.zeros(u.shape)
    for k in reversed(range(len(u))):
        for c, operator in enumerate(operators):
            change = expm_frechet(generators[k], -1j * step * operator, compute_expm=False)
            dz = np.trace(V.conj().T @ after @ change @ before[k])
            slopes[k, c] = 2 * (np.conj(z) * dz).real / 16
        after = after @ maps[k]
    return slopes


def _qtrl(drift: Any, operators: Any, V: Any, u: Any) -> Any:
    """Return a function that computes the peer's gradient, as that of |tr V†U|²/d²."""
    try:
        import qutip
        from qutip_qtrl import pulseoptim
    except ImportError:
        return None
    dynamics = pulseoptim.create_pulse_optimizer(
        qutip.Qobj(drift),
        [qutip.Qobj(operator) for operator in operators],
        qutip.Qobj(np.eye(4)),
        qutip.Qobj(V),
        len(u),
        DURATION,
        dyn_type="UNIT",
        fid_params={"phase_option": "PSU"},
        alg="GRAPE",
    ).dynamics
    dynamics.initialize_controls(u)
    turn = [0]

    def gradient() -> Any:
        turn[0] += 1  # the peer keeps what it has computed for the same amplitudes
        dynamics.update_ctrl_amps(u * (1 + 1e-15 * turn[0]) + 1e-9 * turn[0])
        overlap = 1 - dynamics.fid_computer.get_fid_err()
        return -2 * overlap * dynamics.fid_computer.get_fid_err_gradient()

    return gradient
