"""From a wanted two-spin Hamiltonian to a sequence: exact, cycle by cycle, or for one time."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from nmrqb.arguments import checked
from nmrqb.design.designed import claimed_share, missed_hz
from nmrqb.design.pair.blocks import Block, singular_blocks
from nmrqb.design.pair.cartan import least_time
from nmrqb.design.pair.commentary import seconds, terms_text
from nmrqb.design.pair.drift import Pair, pair_of
from nmrqb.design.pair.events import number
from nmrqb.design.pair.model import NOTES, Design, check_optimise, sequence_of
from nmrqb.design.pair.plan import Optimise, Plan, versions_of
from nmrqb.design.pair.rotations import axis_rotation
from nmrqb.design.pair.steps import Step, free_evolution_s
from nmrqb.design.pair.unitaries import CARTAN, unitary_plan
from nmrqb.design.pair.wanted import Wanted, wanted_hamiltonian
from nmrqb.dynamics import exp_hermitian
from nmrqb.errors import ArgumentError
from nmrqb.operators import Complex, pauli_coefficients
from nmrqb.sample import Sample
from nmrqb.sequence import Sequence

_TOLERANCE = 1e-12  # of the reach: rounding of a target on its edge
_MAX_CYCLES = 1000
_COARSEST = 0.25  # of the target: a splitting that misses more makes something else
_CLAIMED = 1e-7  # of the target: a splitting that misses less needs no tolerance of its own
_SINGULAR = "Singular value decomposition of the coupling matrix, one block for each value"


class UnreachableError(ArgumentError):
    """A wanted Hamiltonian lies outside of what the coupling makes in the time it is given.

    Attributes
    ----------
    largest_scale
        What it would have to be multiplied by to be just within reach.
    """

    def __init__(self, message: str, largest_scale: float) -> None:
        super().__init__(message)
        self.largest_scale = largest_scale


@dataclass(frozen=True)
class _Request:
    """What is asked for, in numbers."""

    pair: Pair
    wanted: Wanted
    time: float
    cycles: int | None
    exact: bool
    fill: bool

    @property
    def scale(self) -> float:
        """What the couplings may be multiplied by."""
        size = self.wanted.nuclear_norm_hz
        return self.pair.strength_hz / size if size else math.inf

    @property
    def whole(self) -> bool:
        """Whether the unitary is made as a whole, for this time alone."""
        wanted = self.wanted
        return self.exact or (self.cycles is None and wanted.has_fields and not wanted.commutes)

    @property
    def splits(self) -> bool:
        """Whether the cycles are right in the limit of many only."""
        return not self.whole and not self.wanted.commutes

    @property
    def unitary(self) -> Complex:
        """exp(−i2πHT), shape (4, 4)."""
        return exp_hermitian(2 * np.pi * self.wanted.hamiltonian_hz * self.time)


@checked
def design_sequence(
    sample: Sample,
    hamiltonian: Any,  # noqa: ANN401 - terms, arrays or Qobj
    *,
    time: float | None = None,
    cycles: int | None = None,
    exact: bool = False,
    fill: bool = False,
    optimise: Optimise = "time",
    sample_name: str | None = None,
) -> Design:
    """Return the sequence that realises exp(−i2πHT) on a pair of spins.

    Couplings alone are made exactly and in the least time, one block for each singular value of
    C: the free evolution is T‖C‖_*/|c|, c = J/4 that of the sample.  No local pulses do it faster
    as a generator, because the average of c u vᵀ over a time T has a nuclear norm ≤ |c|T.  Fields
    that commute with the couplings are changes of frame or pulses after them.  Others are made,
    with ``cycles``, by symmetric splitting (Strang, SIAM J. Numer. Anal. 5, 506 (1968)) with an
    error that the target's tolerance tells, and without by the Cartan decomposition of the
    unitary.  Offsets of the sample are refocused by echoes within the blocks.

    Parameters
    ----------
    sample
        Two spins that couple by I_zS_z; they are pulsed one by one.
    hamiltonian
        Terms to values in Hz, see `wanted.TERMS`; or H/2π in Hz, shape (4, 4).
    time
        T in s; by default 1/(4‖H‖).  At 1/(2‖C‖_*) and above the logarithm of the unitary is no
        longer H, which a remark tells.
    cycles
        In how many equal cycles it is made.
    exact
        The unitary for this time alone, in the least time of any sequence (≤ 3/(2|J|)).
    fill
        With refocused delay, so that it lasts exactly T.
    optimise
        ``time``, ``pulses`` or ``robustness``, see `version_of`.
    sample_name
        What the file calls the sample; its name by default.

    Raises
    ------
    UnreachableError
        If ‖C‖_* > |c|, or ``fill`` leaves no room.
    ArgumentError
        If an argument has no meaning, or the sample does not suit, see `pair_of`.
    """
    request = _request(sample, hamiltonian, time, cycles, exact=exact, fill=fill)
    chosen = check_optimise(optimise)
    plan = _filled(request, _whole(request) if request.whole else _cycles(request))
    make = versions_of(plan)
    sequence = _sequence(request, make(chosen).steps, sample_name)
    return Design(
        sequence=_with_tolerance(request, sequence),
        sample=sample,
        bound_s=_bound(request),
        largest_scale=request.scale,
        optimise=chosen,
        make=make,
        remarks=tuple(_remarks(request)),
        exact=request.exact,
    )


def _request(
    sample: Sample,
    hamiltonian: Any,  # noqa: ANN401 - terms, arrays or Qobj
    time: float | None,
    cycles: int | None,
    *,
    exact: bool,
    fill: bool,
) -> _Request:
    """Return what is asked for; what makes no sense or is out of reach is refused."""
    pair, wanted = pair_of(sample), wanted_hamiltonian(hamiltonian)
    T = 1 / (4 * wanted.norm_hz) if time is None else float(time)
    if not (math.isfinite(T) and T > 0):
        raise ArgumentError(f"Argument `time` must be a positive time in s, but is {time}")
    if cycles is not None and not 1 <= cycles <= _MAX_CYCLES:
        raise ArgumentError(f"Argument `cycles` must be from 1 to {_MAX_CYCLES}, but is {cycles}")
    if exact and cycles is not None:
        raise ArgumentError(
            f"Argument `cycles` must be left out with `exact`, which makes the unitary as a whole, "
            f"but is {cycles}"
        )
    request = _Request(pair, wanted, T, cycles, exact, fill)
    if not exact and request.scale < 1 - _TOLERANCE:
        raise _unreachable(request)
    return request


def _unreachable(request: _Request) -> UnreachableError:
    return UnreachableError(
        f"Argument `hamiltonian` must have couplings of a nuclear norm up to |J|/4 = "
        f"{request.pair.strength_hz:.10g} Hz, the reach of any local pulses, but has "
        f"{request.wanted.nuclear_norm_hz:.10g} Hz; the largest reachable scale is "
        f"{request.scale:.10g} (exact makes the unitary for one time)",
        request.scale,
    )


# ------------------------------------------------------------------------------------- the plans
def _cycles(request: _Request) -> Plan:
    """Return the plan of a cycle: blocks, and fields after them or in halves round them."""
    wanted, times = request.wanted, request.cycles or 1
    share = request.time / times
    plan = Plan(request.pair, _blocks(request, share), times=times)
    if not wanted.has_fields:
        return plan
    if wanted.commutes:
        return replace(plan, after=_fields(wanted, share))
    half = _fields(wanted, share / 2)
    return replace(plan, before=half, after=half)


def _blocks(request: _Request, share: float) -> tuple[Block, ...]:
    C = request.wanted.couplings
    return singular_blocks(C, share, request.pair) if np.any(C) else ()


def _fields(wanted: Wanted, time: float) -> Complex:
    """Return exp(−i2π b·σ t) of both spins, shape (2, 2, 2)."""
    return np.array([axis_rotation(4 * np.pi * b * time) for b in wanted.fields])


def _whole(request: _Request) -> Plan:
    return unitary_plan(request.unitary, request.pair)


def _filled(request: _Request, plan: Plan) -> Plan:
    """Add refocused delay, so that all cycles last exactly T."""
    if not request.fill:
        return plan
    needed = plan.times * math.fsum(block.seconds for block in plan.blocks)
    left = request.time - needed
    if left < -_TOLERANCE * request.time:
        raise UnreachableError(
            f"Argument `fill` must leave room, but the sequence needs {needed:.10g} s of free "
            f"evolution for a time of {request.time:.10g} s",
            request.scale,
        )
    return replace(plan, idle_s=max(left, 0.0) / plan.times)


def _bound(request: _Request) -> float:
    if request.whole:
        return float(least_time(request.unitary, request.pair.coupling_hz))
    return request.time * request.wanted.nuclear_norm_hz / request.pair.strength_hz


# ------------------------------------------------------------------------------------ the sequence
def _sequence(request: _Request, steps: tuple[Step, ...], sample_name: str | None) -> Sequence:
    takes_time = free_evolution_s(steps) > 0
    terms = request.wanted.terms if takes_time else {}
    return sequence_of(
        steps,
        request.pair.sample,
        title=f"{terms_text(request.wanted.terms)} by design, on {request.pair.sample.name}",
        notes=NOTES,
        reference=CARTAN if request.whole else _SINGULAR,
        target={name: f"{number(value)} Hz" for name, value in terms.items()},
        target_time=f"{number(request.time)} s" if takes_time else None,
        sample_name=sample_name,
    )


def _with_tolerance(request: _Request, sequence: Sequence) -> Sequence:
    """Return the sequence with the error that splitting leaves, as the tolerance of its target."""
    if not (request.splits and sequence.target):
        return sequence
    size = float(np.linalg.norm(pauli_coefficients(request.wanted.hamiltonian_hz)))
    share = missed_hz(sequence, request.pair.sample) / size
    if share > _COARSEST:
        raise ArgumentError(
            f"Argument `cycles` must be larger than {request.cycles}, with which the Hamiltonian "
            f"is off by {100 * share:.3g} %"
        )
    if share < _CLAIMED:
        return sequence
    return replace(sequence, target_tolerance=claimed_share(share))


def _remarks(request: _Request) -> Iterator[str]:
    wanted, pair = request.wanted, request.pair
    if request.time * wanted.norm_hz >= 1 / 2:
        yield (
            f"at T = {seconds(request.time)} the phases 2πHT reach π: the claim is about the "
            f"unitary; below 1/(2‖H‖) = {seconds(1 / (2 * wanted.norm_hz))} its logarithm is H"
        )
    if request.splits:
        yield f"{request.cycles} symmetric cycles; the error of H falls with 1/cycles²"
    if request.whole:
        yield "the unitary for this time alone: half the time is not half of it"
    if pair.off_resonance:
        offsets = ", ".join(f"{offset:g} Hz" for offset in pair.offsets_hz)
        yield f"the offsets of the sample ({offsets}) are refocused in every block"
