"""The comments at the head of a sequence of toggling frames: what it makes, how fast, and why."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

from nmrqb.design.pair.commentary import budget_lines, seconds
from nmrqb.operators import Complex, Real, pauli_coefficients, pauli_strings, spin_count

if TYPE_CHECKING:
    from nmrqb.design.toggling.design import FrameDesign

_SHOWN = 8  # terms of a Hamiltonian
_LEAST = 1e-9  # of the drift's largest term
_STAYS = 40  # of a cycle that are listed


def summary_lines(design: FrameDesign) -> list[str]:
    """Return what there is to say about a design, line by line."""
    scale = design.free_evolution_s / design.time_s
    average, target = design.average, design.plan.target
    floor = _LEAST * float(np.abs(design.plan.found_in.drift.vector).max())
    cycles = f"{design.cycles} cycle{'s' if design.cycles > 1 else ''}"
    zeroth = average.orders[0].hamiltonian_hz * scale
    return [
        f"target     {_text(target.vector, target.strings, floor)} for {seconds(design.time_s)}",
        f"makes      {_matrix_text(zeroth, floor)} at zeroth order",
        f"           first order {_size(average.orders[1].hamiltonian_hz * scale)}, second "
        f"{_size(average.orders[2].hamiltonian_hz * scale)}; the exact average differs from the "
        f"target by {design.error_hz:.3g} Hz",
        f"time       free evolution {seconds(design.free_evolution_s)}, the least of all cycles of "
        f"frames {seconds(design.bound_s)}",
        *_reach(design),
        f"pulses     {design.pulses} in {cycles} of {len(design.plan.weights)} frames"
        f"{_fewest(design)}",
        *(f"note       {remark}" for remark in design.remarks),
        *budget_lines(average),
        "",
        *_cycle(design),
        "",
    ]


def _fewest(design: FrameDesign) -> str:
    why = design.plan.unproven
    return f"; fewer frames may do: {why}" if why else ", the fewest in this time"


def _reach(design: FrameDesign) -> list[str]:
    if not np.any(design.plan.target.vector):
        return []
    return [f"reach      the target may be {design.largest_scale:.6g} times as large"]


def _matrix_text(hamiltonian_hz: Complex, floor: float) -> str:
    values = pauli_coefficients(hamiltonian_hz).real
    return _text(values, pauli_strings(spin_count(hamiltonian_hz)), floor)


def _text(values: Real, names: Sequence[str], floor: float) -> str:
    """Return coefficients as text, ``20 XYI, -20 YXI Hz``, the largest terms first."""
    order = [int(k) for k in np.argsort(-np.abs(values), kind="stable") if abs(values[k]) > floor]
    shown = [f"{values[k]:.6g} {names[k]}" for k in order[:_SHOWN]]
    rest = ", …" if len(order) > _SHOWN else ""
    return f"{', '.join(shown)}{rest} Hz" if shown else "nothing"


def _size(hamiltonian_hz: Complex) -> str:
    size = float(np.linalg.norm(hamiltonian_hz, 2))
    return "vanishes" if size < 1e-9 else f"{size:.3g} Hz"


def _cycle(design: FrameDesign) -> Iterator[str]:
    """Yield one cycle: the time of every stay, and the pulses of every group that lead to it."""
    groups = design.plan.found_in.groups
    heads = ["+".join(design.sample.labels[k] for k in group) for group in groups]
    yield f"one cycle: times over T/{design.cycles}, and the axes that z of each spin visits"
    for visit in design.visits[:_STAYS]:
        pulses = "; ".join(
            f"{head}: {' '.join(f'({word})' for word in words)}"
            for head, words in zip(heads, visit.pulses, strict=True)
            if words
        )
        if pulses:
            yield f"  {pulses}"
        if visit.weight:
            axes = " ".join(_axis(R[:, 2]) for R in visit.rotations)
            yield f"  {visit.weight:10.6f}  {axes}"
    if len(design.visits) > _STAYS:
        yield f"  … and {len(design.visits) - _STAYS} more stays"


def _axis(column: Real) -> str:
    k = int(np.argmax(np.abs(column)))
    return ("-" if column[k] < 0 else "+") + "xyz"[k]
