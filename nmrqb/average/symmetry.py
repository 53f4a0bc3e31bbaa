"""What a sequence can never make, and which control would make it.

The reasons are those of `selection_rules`; here they are put together with the dynamical Lie
algebra, and every suggested control is tried: added, and the algebra computed anew.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from nmrqb.arguments import checked
from nmrqb.average.lie_algebra import (
    INSIDE,
    MAX_SPINS,
    LieAlgebra,
    channel_controls,
    collective,
    ideal,
    lie_algebra,
    one_spin_axes,
    operator_size,
)
from nmrqb.average.rule_words import listed
from nmrqb.average.selection_rules import (
    MAX_PERMUTED,
    Pair,
    Symmetry,
    disjoint_pairs,
    find_symmetries,
    operator_on,
    toggling,
)
from nmrqb.dynamics import Segment, exp_hermitian
from nmrqb.operators import NAMED_TERMS, Complex, as_matrix, spin_count, spin_operator, swap
from nmrqb.sample import Sample

_SYMMETRIC = 1e-12


@dataclass(frozen=True)
class TargetReach:
    """How much of a target lies outside of what can be made, as shares of its norm.

    Attributes
    ----------
    pulses
        Outside of what these very pulses make of the drift, whatever the delays.
    controls
        Outside of what the same controls make with any angles, order and delays.
    channels
        Outside of what all channels of the spectrometer make, see `channel_controls`.
    lifted_by
        The least additions that bring all of it inside, by code.
    message
        All this in words.
    """

    pulses: float
    controls: float
    channels: float
    lifted_by: tuple[str, ...]
    message: str

    @property
    def inside(self) -> bool:
        """Whether the controls used can make it."""
        return self.controls <= INSIDE


@dataclass(frozen=True)
class SymmetryReport:
    """What the symmetries and the Lie algebra say of a sequence.

    Attributes
    ----------
    spins
        Labels in tensor order.
    dimension
        Of the Lie algebra of the controls used and the drift; None above four spins.
    channel_dimension
        The same with all channels of the spectrometer; None above four spins.
    pulse_dimension
        Of the Lie algebra of the toggling-frame Hamiltonian of these very pulses, in which every
        Magnus term lies; None above four spins.
    full_dimension
        4ⁿ − 1.
    symmetries
        The reasons why named terms never appear, pair by pair.
    target
        How far the target is inside, or None without a target or above four spins.
    """

    spins: tuple[str, ...]
    dimension: int | None
    channel_dimension: int | None
    pulse_dimension: int | None
    full_dimension: int
    symmetries: tuple[Symmetry, ...]
    target: TargetReach | None = None

    @property
    def forbidden(self) -> dict[Pair, tuple[str, ...]]:
        """Named terms that never appear, by pair of tensor positions."""
        found: dict[Pair, list[str]] = {}
        for symmetry in self.symmetries:
            found.setdefault(symmetry.pair, []).extend(symmetry.forbids)
        return {
            pair: tuple(name for name in NAMED_TERMS if name in names)
            for pair, names in found.items()
        }


def diagnose_symmetry(
    segments: Sequence[Segment],
    drift: Complex,
    sample: Sample,
    target: Complex | None = None,
) -> SymmetryReport:
    """Return what a sequence can never make of a sample, why, and what would lift it.

    Parameters
    ----------
    segments
        One pass, as told into control and evolution.
    drift
        The sample's Hamiltonian in rad/s, shape (d, d).
    sample
        Gives the names and channels of the spins.
    target
        A Hamiltonian in any unit, shape (d, d), or None.

    Returns
    -------
    SymmetryReport
        Lie algebras, their dimensions and lifts up to four spins; symmetries for any number.
    """
    n = spin_count(drift)
    seen = toggling(segments, drift, sample.labels)
    if n > MAX_SPINS:
        return SymmetryReport(
            sample.labels, None, None, None, 4**n - 1, tuple(find_symmetries(seen))
        )
    used, channels = list(seen.fixed[1:]), channel_controls(sample, segments)
    made = lie_algebra(seen.span) if len(seen.span) else LieAlgebra(n, np.zeros((0, 4**n)))
    drifts = np.array([drift, *_fields(segments)])
    lifts = _Lifts(drifts, sample, used, channels, made)
    return SymmetryReport(
        spins=sample.labels,
        dimension=lie_algebra([*used, *drifts]).dimension,
        channel_dimension=lie_algebra([*channels, *drifts]).dimension,
        pulse_dimension=made.dimension,
        full_dimension=4**n - 1,
        symmetries=tuple(_lifted(find_symmetries(seen, made), lifts)),
        target=None if target is None else _reach(target, lifts),
    )


# ------------------------------------------------------------------------- what would lift it
@dataclass(frozen=True, eq=False)
class _Lifts:
    """Controls that could be added, and what they would make of the drift, found once each."""

    drifts: Complex  # the sample's own, then fields that go on
    sample: Sample
    used: list[Complex]
    channels: list[Complex]
    pulses: LieAlgebra
    known: dict[tuple[str, Pair], LieAlgebra] = field(default_factory=dict)

    def made(self, code: str, pair: Pair) -> LieAlgebra:
        """Return the algebra of what can be made once a control is added for a pair."""
        key = code, pair if code in _OF_A_PAIR else (0, 0)
        if key not in self.known:
            timing = code == "timing"
            self.known[key] = self.pulses if timing else ideal(*self._added(code, pair))
        return self.known[key]

    def codes(self, pair: Pair) -> tuple[str, ...]:
        """Return what may be added for a pair, from little to much."""
        first, second = (self.sample.spins[k].nucleus for k in pair)
        more = ("selective",) if first == second else ("channels", "selective")
        return ("timing", "angles", "phases", "offsets", *more)

    def _added(self, code: str, pair: Pair) -> tuple[list[Complex], Complex]:
        n = spin_count(self.drifts)
        pulses: dict[str, list[Complex]] = {
            "phases": self._phases(),
            "channels": self.channels,
            "every-channel": self.channels,
            "selective": [spin_operator(a, pair[0], n) for a in "xy"],
        }
        drifts = self.drifts
        if code == "offsets":  # any two unequal offsets of the size of the drift
            z = [spin_operator("z", k, n) for k in pair]
            shift = (operator_size(drifts[0]) or 1.0) * (0.83 * z[0] - 0.59 * z[1])
            drifts = np.array([drifts[0] + shift, *drifts[1:]])
        return [*self.used, *pulses.get(code, [])], drifts

    def _phases(self) -> list[Complex]:
        """Return F_x and F_y of every set of spins that one pulse turns together."""
        n = spin_count(self.drifts)
        sizes = [np.abs(one_spin_axes(A)).max(axis=1) for A in self.used]
        sets = {tuple(np.flatnonzero(size > 1e-9).tolist()) for size in sizes}
        return [collective(a, spins, n) for spins in sorted(sets) for a in "xy" if spins]

    def words(self, code: str, pair: Pair) -> str:
        """Return what is added, in words."""
        a, b = (self.sample.labels[k] for k in pair)
        return {
            "timing": "other delays, or another order of the same pulses",
            "angles": "other angles of the same pulses",
            "phases": "other phases, the same spins pulsed together",
            "offsets": f"different offsets of {a} and {b}",
            "channels": f"pulses on {a} and on {b}, each by itself",
            "selective": f"a selective pulse on {a} alone",
        }[code]


_OF_A_PAIR = ("offsets", "selective")
_SMALL = ("timing", "angles", "phases")  # nothing more need be tried where one of these does it


def _lifts(
    pair: Pair, lifts: _Lifts, wanted: Sequence[str | Complex], *, timing: bool
) -> tuple[str, ...]:
    """Return the least additions that bring all of the wanted terms or operators inside."""
    n = spin_count(lifts.drifts)
    operators = [operator_on(A, pair, n) if isinstance(A, str) else A for A in wanted]
    found: list[str] = []
    for code in lifts.codes(pair)[0 if timing else 1 :]:
        if code == "selective" and "channels" in found:
            continue
        if all(lifts.made(code, pair).contains(operator) for operator in operators):
            found.append(code)
        if found and found[0] in _SMALL:
            break
    return tuple(found)


def _lifted(reasons: Sequence[Symmetry], lifts: _Lifts) -> Iterator[Symmetry]:
    """Yield the reasons with what lifts them: what brings back the terms not forbidden already."""
    known: dict[Pair, set[str]] = {}
    for found in reasons:
        before = known.setdefault(found.pair, set())
        names = [name for name in found.forbids if name not in before]
        before |= set(names)
        codes = _lifts(found.pair, lifts, names, timing=found.scope == "timing")
        ways = ", or by ".join(lifts.words(code, found.pair) for code in codes)
        text = (
            f"{listed(names)} would come within reach by {ways}."
            if ways
            else f"No control that was tried brings {listed(names)} within reach."
        )
        yield replace(found, message=f"{found.message} {text}", lifted_by=codes)


def _reach(target: Complex, lifts: _Lifts) -> TargetReach:
    """Hold a target against the algebras, and look for the control that brings it inside."""
    pulses, controls, channels = (
        lifts.made(code, (0, 0)).distance(target) for code in ("timing", "angles", "every-channel")
    )
    codes, text = _suggestion(target, pulses, lifts)
    return TargetReach(pulses, controls, channels, codes, text)


def _suggestion(target: Complex, missed: float, lifts: _Lifts) -> tuple[tuple[str, ...], str]:
    if missed <= INSIDE:
        return (), "Nothing in these pulses keeps the target out of reach."
    pairs = itertools.combinations(range(spin_count(lifts.drifts)), 2)
    tried = ((pair, _lifts(pair, lifts, [target], timing=False)) for pair in pairs)
    pair, codes = next(((pair, codes) for pair, codes in tried if codes), ((0, 0), ()))
    missing = f"{100 * missed:.3g} % of the target (of its norm) is out of reach of these pulses"
    ways = ", or by ".join(lifts.words(code, pair) for code in codes)
    text = (
        f"{missing}; it is brought within reach by {ways}."
        if ways
        else f"{missing}, and of any control that was tried."
    )
    return codes, text


# ------------------------------------------------------------------------ exchange symmetry
@checked
def exchange_symmetric_pairs(segments: Sequence[Segment], drift: Complex) -> list[tuple[int, int]]:
    """Return the pairs of spins whose exchange commutes with every control and with the drift.

    For such a pair every Magnus term, and the exact effective Hamiltonian, is even under the
    exchange P_ij = ½ Σ σ_a⊗σ_a, so the odd D·(σ_i×σ_j) cannot appear at any order.  Up to six
    spins, exchanges of several pairs at once are tried too (AA′XX′).

    Parameters
    ----------
    segments
        One pass of the sequence.
    drift
        The sample's Hamiltonian in rad/s, shape (d, d).

    Returns
    -------
    list of (i, j)
        Tensor positions, i < j.
    """
    drift = as_matrix(drift, "drift")
    n = spin_count(drift)
    operators = [drift, *_fields(segments), *_controls(segments)]
    return [
        pair
        for pair in itertools.combinations(range(n), 2)
        if any(_invariant(exchange, operators, n) for exchange in _exchanges(pair, n))
    ]


def _fields(segments: Sequence[Segment]) -> list[Complex]:
    """Return the evolution that acts besides the drift."""
    return [s.evolution for s in segments if s.evolution is not None and np.any(s.evolution)]


def _controls(segments: Sequence[Segment]) -> list[Complex]:
    """Return generators of finite segments, and the rotations that runs of ideal pulses make."""
    controls: list[Complex] = []
    for instant, run in itertools.groupby(segments, key=lambda s: not np.any(s.duration)):
        if instant:
            rotations = [exp_hermitian(s.rotation) for s in run]
            controls.append(functools.reduce(lambda earlier, later: later @ earlier, rotations))
        else:
            controls += [s.rotation for s in run if np.any(s.rotation)]
    return controls


def _exchanges(pair: Pair, n: int) -> Iterator[tuple[Pair, ...]]:
    """Yield sets of disjoint exchanges that hold a pair: (i j), (i j)(k l) and so on."""
    others = [k for k in range(n) if k not in pair] if n <= MAX_PERMUTED else []
    for rest in disjoint_pairs(others):
        yield (pair, *rest)


def _invariant(exchange: tuple[Pair, ...], operators: Sequence[Complex], n: int) -> bool:
    P = functools.reduce(np.matmul, [swap(i, j, n) for i, j in exchange])
    return all(_commutes(P, A) for A in operators)


def _commutes(P: Complex, A: Complex) -> bool:
    scale = max(float(np.linalg.norm(A)), 1e-300)
    return float(np.linalg.norm(P @ A - A @ P)) <= _SYMMETRIC * scale
