"""Two-spin unitaries as pulses and delays, in the least time."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.linalg import schur

from nmrqb.arguments import checked
from nmrqb.battery import Battery, ergotropy
from nmrqb.design.pair.blocks import cartan_blocks
from nmrqb.design.pair.cartan import (
    Cartan,
    as_unitary,
    cartan_coordinates,
    cartan_decomposition,
    local_factors,
)
from nmrqb.design.pair.drift import Pair, pair_of
from nmrqb.design.pair.events import number
from nmrqb.design.pair.model import NOTES, Design, check_optimise, sequence_of
from nmrqb.design.pair.plan import Optimise, Plan, versions_of
from nmrqb.design.pair.steps import Step, free_evolution_s
from nmrqb.design.pair.wanted import terms_of
from nmrqb.errors import ArgumentError
from nmrqb.operators import Complex, Real, as_hermitian, as_state, dagger
from nmrqb.sample import Sample

CARTAN = "Cartan decomposition; N. Khaneja et al., Phys. Rev. A 63, 032308 (2001)"
_CLAIM = "The target is the logarithm of the unitary over the free evolution.\n"
_GRID, _SHRINK, _ROUNDS = 9, 0.6, 55


@checked
def synthesise(
    U: Any,  # noqa: ANN401 - arrays or Qobj
    sample: Sample,
    *,
    optimise: Optimise = "time",
    sample_name: str | None = None,
) -> Design:
    """Return the sequence that makes a two-spin unitary in the least time of any sequence.

    U = k₁ exp(−iΣ c_a σ_a⊗σ_a) k₂ with c in the Weyl chamber: pulses for k₂, one block for each
    c_a, pulses for k₁; the free evolution is (c₁ + c₂ + |c₃|)/(2π|J|/4), see `least_time`.

    Parameters
    ----------
    U
        Unitary in the basis of the sample, shape (4, 4), made up to its phase; array or Qobj.
    sample, optimise, sample_name
        As for `design_sequence`.

    Raises
    ------
    ArgumentError
        If U is not a unitary of two spins, or the sample does not suit, see `pair_of`.
    """
    pair = pair_of(sample)
    unitary = two_spins(as_unitary(U), "U")
    return unitary_design(unitary, pair, optimise, "A two-spin unitary by design", sample_name)


@checked
def extraction_sequence(
    rho: Any,  # noqa: ANN401 - arrays or Qobj
    battery: Battery | Any,  # noqa: ANN401 - arrays or Qobj
    sample: Sample,
    *,
    optimise: Optimise = "time",
    sample_name: str | None = None,
) -> Design:
    """Return the sequence that extracts the ergotropy of a state of a two-spin battery.

    The best unitary takes the eigenvectors of ρ, populations falling, to those of H, energies
    rising (Allahverdyan, Balian and Nieuwenhuizen, Europhys. Lett. 67, 565 (2004)).  Its four
    phases are free; they are chosen for the least free evolution that a search over them finds.

    Parameters
    ----------
    rho
        The state before, shape (4, 4).
    battery
        The battery, or its H/2π in Hz, shape (4, 4).
    sample, optimise, sample_name
        As for `design_sequence`.

    Raises
    ------
    ArgumentError
        If ρ or H is not one of two spins, or the sample does not suit, see `pair_of`.
    """
    pair = pair_of(sample)
    state = two_spins(as_state(rho, "rho"), "rho")
    given = battery.hamiltonian_hz if isinstance(battery, Battery) else battery
    H = two_spins(as_hermitian(given, "battery"), "battery")
    full, low = np.linalg.eigh(state)[1][:, ::-1], np.linalg.eigh(H)[1]

    def made(phases: Real) -> Complex:
        shown = np.concatenate([np.zeros((*phases.shape[:-1], 1)), phases], axis=-1)
        return (low * np.exp(1j * shown)[..., None, :]) @ dagger(full)

    U = made(quickest(made, 3))
    work = float(ergotropy(state, H))
    title = f"Extraction of the ergotropy {work:.6g} Hz by design"
    return unitary_design(U, pair, optimise, title, sample_name, proven=False)


def unitary_plan(U: Complex, pair: Pair) -> Plan:
    """Return the plan of a unitary, shape (4, 4), by its Cartan decomposition."""
    found: Cartan = cartan_decomposition(U)
    return Plan(
        pair,
        cartan_blocks(found.c, pair),
        before=local_factors(found.k2),
        after=local_factors(found.k1),
    )


def unitary_design(
    U: Complex,
    pair: Pair,
    optimise: Optimise,
    title: str,
    sample_name: str | None,
    *,
    proven: bool = True,
) -> Design:
    """Return the design of a unitary, (4, 4); ``proven`` where no other would do as well."""
    chosen = check_optimise(optimise)
    plan = unitary_plan(U, pair)
    make = versions_of(plan)
    steps = make(chosen).steps
    terms, time = _claim(U, steps)
    return Design(
        sequence=sequence_of(
            steps,
            pair.sample,
            title=f"{title}, on {pair.sample.name}",
            notes=NOTES + _CLAIM,
            reference=CARTAN,
            target=terms,
            target_time=time,
            sample_name=sample_name,
        ),
        sample=pair.sample,
        bound_s=math.fsum(block.seconds for block in plan.blocks) if proven else None,
        largest_scale=float("inf"),
        optimise=chosen,
        make=make,
    )


def _claim(U: Complex, steps: tuple[Step, ...]) -> tuple[dict[str, str], str | None]:
    """Return the terms of (i/2πT) log U and T, the free evolution; nothing where that is zero."""
    time = free_evolution_s(steps)
    terms = terms_of(_logarithm(U) / (2 * np.pi * time)) if time else {}
    if not terms:
        return {}, None
    return {name: f"{number(value)} Hz" for name, value in terms.items()}, f"{number(time)} s"


def _logarithm(U: Complex) -> Complex:
    """Return the traceless Hermitian A with U = exp(−iA) up to its phase."""
    T, Z = schur(U, output="complex")
    A = (Z * -np.angle(np.diag(T))) @ dagger(Z)
    A = (A + dagger(A)) / 2
    return np.asarray(A - np.trace(A) / 4 * np.eye(4))


def quickest(made: Callable[[Real], Complex], count: int) -> Real:
    """Return the free phases in rad, (count,), whose unitary needs the least time found.

    A grid, no phases among it, and then ever smaller ones round the best: the sum of the Cartan
    coordinates has kinks, on which a gradient would stop.
    """
    steps = np.arange(_GRID) * 2 * np.pi / _GRID
    grid = np.stack(np.meshgrid(*[steps] * count, indexing="ij"), axis=-1).reshape(-1, count)
    best, width = _least(made, grid), steps[1]
    near = np.stack(np.meshgrid(*[np.array([0, -1, 1])] * count, indexing="ij"), axis=-1)
    near = near.reshape(-1, count)
    for _ in range(_ROUNDS):
        width *= _SHRINK
        best = _least(made, best + width * near)
    return best


def _least(made: Callable[[Real], Complex], candidates: Real) -> Real:
    sizes = np.abs(cartan_coordinates(made(candidates))).sum(axis=-1)
    return np.asarray(candidates[np.argmin(np.round(sizes, 12))])


def two_spins(matrix: Complex, name: str) -> Complex:
    """Return one matrix of shape (4, 4), anything else refused by its name."""
    if matrix.shape != (4, 4):
        raise ArgumentError(
            f"Argument `{name}` must be one matrix of two spins, (4, 4), but has shape "
            f"{matrix.shape}"
        )
    return matrix
