"""The symmetries of a sequence's controls and drift, and the named terms that each forbids.

The rules speak of the toggling-frame Hamiltonian H̃(t) = U_rf†(t) H U_rf(t).  The propagator
U_rf†(T) U(T) = e^(−iH_eff T) is its time-ordered exponential, and the Magnus term of order k is
made of nested commutators i^k [H̃, [H̃, …]] with k + 1 factors.  With S unitary, Θ antiunitary:

1. S H̃(t) S† = H̃(t) at all t.  Then S H_eff S† = H_eff: what is odd never appears.
2. Θ H̃(t) Θ⁻¹ = −H̃(t) at all t.  i times a commutator of odd operators is odd, so that
   Θ H_eff Θ⁻¹ = −H_eff: what is even never appears.
3. Θ H̃(t) Θ⁻¹ = H̃(T − t).  Θ turns the propagator into its inverse, so that Θ H_eff Θ⁻¹ = H_eff.
4. S H̃(t) S† = −H̃(T − t).  Likewise S H_eff S† = −H_eff.
5. [O, H̃(t)] = 0 at all t.  As tr(O[A, B]) = tr([O, A]B) = 0, O stands in H⁽⁰⁾ alone, and nowhere
   if it is orthogonal to H̃(t) at all t.
6. O orthogonal to the Lie algebra of H̃ never appears; this includes 1, 2 and 5, not 3 and 4.

Rules 1 to 4 hold for every Magnus term and for the principal logarithm (no phase at π), 5 and 6
for the logarithm where it is branch-safe.  Θ H̃(t) Θ⁻¹ = H̃(t) alone forbids nothing at every order:
it makes H⁽ᵏ⁾ even for even k and odd for odd k.  In a cycle symmetric in time odd orders vanish,
and rule 3 holds.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from nmrqb.average.conserved_axes import axis_groups, conserved, not_conserving, pair_terms
from nmrqb.average.effective import cycles_to_close
from nmrqb.average.lie_algebra import (
    LieAlgebra,
    TogglingPiece,
    collective,
    control_unitary,
    controls_used,
    pauli_vectors,
    pulse_phases,
    toggling_pieces,
    toggling_span,
)
from nmrqb.average.pauli_maps import Equations, PauliMap, Permutation, equations
from nmrqb.average.rule_words import (
    Scope,
    algebra_message,
    axis_message,
    constant_message,
    map_code,
    map_message,
    several_message,
)
from nmrqb.dynamics import Segment, exp_hermitian
from nmrqb.operators import (
    NAMED_TERMS,
    Complex,
    Real,
    dagger,
    spin_count,
    spin_operator,
)

MAX_PERMUTED = 6
MAX_PIECES = 500  # beyond, mirror symmetries of the cycle are not looked for
_ZERO = 1e-7

Pair = tuple[int, int]


@dataclass(frozen=True)
class Symmetry:
    """A reason why named terms of a pair of spins cannot appear at any order.

    Attributes
    ----------
    code
        ``exchange``, ``rotated-exchange``, ``parity``, ``conserved-axis``, ``time-reversal``,
        ``mirrored-reversal``, ``mirrored-inversion``, ``constant-of-motion`` or ``lie-algebra``.
    pair
        Tensor positions of the two spins, i < j.
    forbids
        Names of all terms of the pair that it forbids, in the order of `NAMED_TERMS`.
    scope
        What it holds for: ``controls`` (these controls with any angles, order and delays),
        ``pulses`` (these very pulses with any delays) or ``timing`` (these pulses and delays).
    message
        The reason in words.
    lifted_by
        Codes of the added controls that bring the terms within reach, empty if not computed.
    """

    code: str
    pair: Pair
    forbids: tuple[str, ...]
    scope: Scope
    message: str
    lifted_by: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class _Frame:
    """What the rules look at, as Pauli coefficients in axes turned by ``angle`` about z.

    ``span`` spans H̃, ``fixed`` holds drift and controls, ``first`` and ``last`` the toggling
    frame at the mirrored ends of its pieces.
    """

    span: Real
    fixed: Real
    first: Real
    last: Real
    angle: float
    solved: dict[PauliMap, Equations | None] = field(default_factory=dict)

    def maps(self, kind: PauliMap) -> Equations | None:
        """Return the equations of all maps of a kind that hold, found once; None if none does."""
        if kind.reverses and not len(self.first):
            return None
        if kind not in self.solved:
            before, after = (self.first, self.last) if kind.reverses else (self.span, self.span)
            self.solved[kind] = equations(kind, before, after)
        return self.solved[kind]

    def scope(self, found: PauliMap) -> Scope:
        """Tell whether controls and drift themselves have the symmetry."""
        if found.reverses:
            return "timing"
        return "controls" if found.holds(self.fixed, self.fixed) else "pulses"


@dataclass(frozen=True, eq=False)
class Toggling:
    """A sequence as the selection rules see it.

    Attributes
    ----------
    labels
        Names of the n spins.
    span
        Operators that span the toggling-frame Hamiltonian, shape (m, d, d).
    fixed
        Drift and control generators of unit norm.
    pieces
        The toggling frame over the closing period; empty where it has more than 500 pieces.
    phases
        Angles in rad at which the axes of 180° rotations are tried, 0 first.
    """

    labels: tuple[str, ...]
    span: Complex
    fixed: Complex
    pieces: tuple[TogglingPiece, ...]
    phases: tuple[float, ...]

    @property
    def spins(self) -> int:
        """Return n."""
        return len(self.labels)

    @functools.cached_property
    def axes(self) -> list[tuple[Real, str]]:
        """Return the conserved axes with their names."""
        return list(axis_groups(self.span, self.labels))


def toggling(
    segments: Sequence[Segment], drift: Complex, labels: Sequence[str] | None = None
) -> Toggling:
    """Prepare a sequence for `find_symmetries`."""
    n = spin_count(drift)
    controls = controls_used(segments)
    passes = cycles_to_close(control_unitary(segments)) if segments else 1
    passes = passes or 1
    short = passes * len(segments) <= MAX_PIECES
    pieces = toggling_pieces(segments, drift, passes if short else 1)
    size = max(float(np.linalg.norm(drift)), 1e-300) / float(np.sqrt(len(drift)))
    return Toggling(
        labels=tuple(labels or (str(k + 1) for k in range(n))),
        span=toggling_span(segments, drift, pieces),
        fixed=np.array([drift / size, *controls]),
        pieces=tuple(_merged(pieces)) if short else (),
        phases=_axes(controls),
    )


def find_symmetries(seen: Toggling, algebra: LieAlgebra | None = None) -> list[Symmetry]:
    """Return for each pair the reasons that forbid named terms at every order, simplest first.

    A reason that adds nothing to those before it is left out.

    Parameters
    ----------
    seen
        The sequence.
    algebra
        The Lie algebra of ``seen.span``, up to four spins: what it excludes is forbidden even
        where no symmetry is found.
    """
    frames = [_frame(seen, 0.0)]
    found: list[Symmetry] = []
    for pair in itertools.combinations(range(seen.spins), 2):
        outside = _excluded(pair, seen, algebra)
        known: set[str] = set()
        for reason in _reasons(pair, seen, frames, outside, known):
            if set(reason.forbids) - known:
                found.append(reason)
                known |= set(reason.forbids)
    return found


def _excluded(pair: Pair, seen: Toggling, algebra: LieAlgebra | None) -> tuple[str, ...] | None:
    if algebra is None:
        return None
    terms = _terms(pair, seen.spins)
    return tuple(name for name in NAMED_TERMS if algebra.excludes_vector(terms[name]))


def _reasons(
    pair: Pair,
    seen: Toggling,
    frames: list[_Frame],
    outside: tuple[str, ...] | None,
    known: set[str],
) -> Iterator[Symmetry]:
    """Yield reasons, those that take longer only while terms are left that they may explain."""

    def left() -> set[str]:
        return set(NAMED_TERMS if outside is None else outside) - known

    rules: tuple[Callable[[], Iterator[Symmetry]], ...] = (
        lambda: _by_exchange(pair, seen, frames[0]),
        lambda: _by_axes(pair, seen),
        lambda: _by_maps(pair, seen, frames[0], known, _still(seen.spins)),
        lambda: _by_constant(pair, seen, known),
        lambda: _by_maps(pair, seen, frames[0], known, _instant(pair, seen.spins)),
        lambda: _by_turned_axes(pair, seen, frames, known),
        lambda: _by_several(pair, seen, frames[0], known),
        lambda: _by_algebra(pair, seen, left() if outside is not None else set()),
    )
    for rule in rules:
        if left():
            yield from rule()
    yield from _by_maps(pair, seen, frames[0], known, _mirrored(pair, seen.spins))


# ------------------------------------------------------------------------------- the frame
def _frame(seen: Toggling, angle: float) -> _Frame:
    n = seen.spins
    R = exp_hermitian(angle * collective("z", range(n), n))
    starts, ends = ([getattr(p, at) for p in seen.pieces] for at in ("start", "end"))
    turns = [piece.turn for piece in seen.pieces]
    sizes = [max((float(np.linalg.norm(A)) for A in group), default=0.0) or 1.0
             for group in (starts, turns)]  # fmt: skip
    span, fixed, first, last, turn = (
        pauli_vectors(dagger(R) @ np.reshape(group, (-1, *R.shape)) @ R)
        for group in (seen.span, seen.fixed, starts, ends, turns)
    )
    last, back = last[::-1] / sizes[0], turn[::-1] / sizes[1]
    return _Frame(
        span=span,
        fixed=fixed,
        first=np.concatenate([first / sizes[0], turn / sizes[1]]),
        last=np.concatenate([last, back]),
        angle=angle,
    )


def _merged(pieces: Sequence[TogglingPiece]) -> list[TogglingPiece]:
    """Join delays in the same frame, so that where they are cut does not count."""
    merged: list[TogglingPiece] = []
    for piece in pieces:
        if merged and _same_frame(merged[-1], piece):
            X = merged[-1].start + piece.start
            merged[-1] = TogglingPiece(X, X, piece.turn, X[None])
        else:
            merged.append(piece)
    return merged


def _same_frame(first: TogglingPiece, second: TogglingPiece) -> bool:
    if np.any(first.turn) or np.any(second.turn):
        return False
    A, B = (piece.start / np.linalg.norm(piece.start) for piece in (first, second))
    return bool(np.linalg.norm(A - B) < 1e-12)


def _axes(controls: Sequence[Complex]) -> tuple[float, ...]:
    """Return 0°, 45°, and the phases of the pulses modulo 90° with their bisectors."""
    quarter = np.pi / 2
    phases = [phase % quarter for phase in pulse_phases(controls)]
    tried = [
        0.0,
        quarter / 2,
        *phases[:2],
        *((phase + quarter / 2) % quarter for phase in phases[:2]),
    ]
    kept: list[float] = []
    for angle in tried:
        if all(abs((angle - other + quarter / 2) % quarter - quarter / 2) > 1e-9 for other in kept):
            kept.append(angle)
    return tuple(kept)


@functools.lru_cache(maxsize=64)
def _terms(pair: Pair, n: int, angle: float = 0.0) -> dict[str, Real]:
    """Return the Pauli coefficients of the named operators on a pair: name → shape (4ⁿ,)."""
    first, second = (4 ** (n - 1 - k) for k in pair)
    places = [a * first + b * second for a in range(4) for b in range(4)]
    terms = {}
    for name, coefficients in pair_terms(angle).items():
        terms[name] = np.zeros(4**n)
        terms[name][places] = coefficients
    return terms


# ------------------------------------------------------------------ symmetries of rules 1 to 4
def _permutations(n: int, pair: Pair | None = None) -> list[Permutation]:
    """Return the exchanges of disjoint pairs that hold a pair, fewest first."""
    if pair is None:
        return [tuple(range(n))]
    rest = [k for k in range(n) if k not in pair] if n <= MAX_PERMUTED else []
    found = []
    for others in disjoint_pairs(rest):
        places = list(range(n))
        for i, j in (pair, *others):
            places[i], places[j] = j, i
        found.append(tuple(places))
    return found


def disjoint_pairs(spins: Sequence[int]) -> Iterator[tuple[Pair, ...]]:
    """Yield all sets of disjoint pairs of spins, the empty one first."""
    yield ()
    for position, first in enumerate(spins):
        for second in spins[position + 1 :]:
            left = [k for k in spins[position + 1 :] if k != second]
            for rest in disjoint_pairs(left):
                yield ((first, second), *rest)


def _still(n: int) -> list[PauliMap]:
    return [PauliMap(tuple(range(n)))]


def _by_axes(pair: Pair, seen: Toggling) -> Iterator[Symmetry]:
    for rows, text in seen.axes:
        forbids = not_conserving(rows, pair)
        scope: Scope = "controls" if conserved(rows, seen.fixed) else "pulses"
        yield Symmetry("conserved-axis", pair, forbids, scope, axis_message(text, forbids, scope))


def _instant(pair: Pair, n: int) -> list[PauliMap]:
    moved = _permutations(n, pair)
    reversal = [PauliMap(p, antiunitary=True, sign=-1) for p in (*_permutations(n), *moved)]
    return [*(PauliMap(p) for p in moved), *reversal]


def _mirrored(pair: Pair, n: int) -> list[PauliMap]:
    permutations = (*_permutations(n), *_permutations(n, pair))
    kinds = ((True, 1), (False, -1))
    return [
        PauliMap(p, antiunitary=anti, reverses=True, sign=sign)
        for anti, sign in kinds
        for p in permutations
    ]


def _by_exchange(pair: Pair, seen: Toggling, frame: _Frame) -> Iterator[Symmetry]:
    for permutation in _permutations(seen.spins, pair):
        kind = PauliMap(permutation)
        held = frame.maps(kind)
        if held is not None and held.solved_by(0):
            yield _symmetry(kind, pair, seen, frame)
            return


def _by_maps(
    pair: Pair, seen: Toggling, frame: _Frame, known: set[str], kinds: Iterable[PauliMap]
) -> Iterator[Symmetry]:
    """Yield symmetries of given kinds, rotations about one axis before any other."""
    for kind in kinds:
        held = frame.maps(kind)
        if held is None:
            continue
        flips = _flips(kind, pair, frame.angle)
        for string in _plain_strings(pair, seen.spins):
            if held.solved_by(string) and set(_flipped(flips, string)) - known:
                yield _symmetry(replace(kind, string=string), pair, seen, frame)
        for name, flip in flips.items():
            joined = None if name in known else held.joined(flip)
            if joined is not None:
                yield _symmetry(replace(kind, string=joined.solution()), pair, seen, frame)


@functools.lru_cache(maxsize=256)
def _plain_strings(pair: Pair, n: int) -> tuple[int, ...]:
    """Return the identity, then 180° rotations of all spins, of one spin, and of the pair."""
    groups = (range(n), (pair[0],), (pair[1],), pair)
    turns = (sum(a * 4 ** (n - 1 - k) for k in spins) for spins in groups for a in (3, 1, 2))
    return (0, *turns)


def _flips(kind: PauliMap, pair: Pair, angle: float) -> dict[str, Equations]:
    """Return the equations for M O = −sign·O of every named operator O that can be so."""
    plain = PauliMap(kind.permutation, antiunitary=kind.antiunitary, sign=-kind.sign)
    return _term_equations(plain, pair, angle)


@functools.lru_cache(maxsize=4096)
def _term_equations(kind: PauliMap, pair: Pair, angle: float) -> dict[str, Equations]:
    terms = _terms(pair, len(kind.permutation), angle)
    solved = {name: equations(kind, term[None], term[None]) for name, term in terms.items()}
    return {name: found for name, found in solved.items() if found is not None}


def _flipped(flips: dict[str, Equations], string: int) -> tuple[str, ...]:
    return tuple(name for name, flip in flips.items() if flip.solved_by(string))


def _symmetry(found: PauliMap, pair: Pair, seen: Toggling, frame: _Frame) -> Symmetry:
    forbids = _flipped(_flips(found, pair, frame.angle), found.string)
    scope, labels = frame.scope(found), [seen.labels[k] for k in pair]
    text = map_message(found, labels, seen.labels, frame.angle, scope, forbids)
    return Symmetry(map_code(found), pair, forbids, scope, text)


def _by_turned_axes(
    pair: Pair, seen: Toggling, frames: list[_Frame], known: set[str]
) -> Iterator[Symmetry]:
    for position, angle in enumerate(seen.phases[1:], start=1):
        if position == len(frames):
            frames.append(_frame(seen, angle))
        kinds = [*_still(seen.spins), *_instant(pair, seen.spins)]
        yield from _by_maps(pair, seen, frames[position], known, kinds)


def _by_several(pair: Pair, seen: Toggling, frame: _Frame, known: set[str]) -> Iterator[Symmetry]:
    """Yield terms of which every string is odd under one 180° rotation or another."""
    kind = _still(seen.spins)[0]
    held = frame.maps(kind)
    if held is None:
        return
    forbids, terms = [], _terms(pair, seen.spins)
    numbers = np.arange(4**seen.spins)
    for name in (name for name in NAMED_TERMS if name not in known):
        strings = [np.where(numbers == k, 1.0, 0.0) for k in np.flatnonzero(terms[name])]
        wanted = [equations(replace(kind, sign=-1), row[None], row[None]) for row in strings]
        if all(w is not None and held.joined(w) is not None for w in wanted):
            forbids.append(name)
    if forbids:
        yield Symmetry("parity", pair, tuple(forbids), "pulses", several_message(forbids))


# ------------------------------------------------------------------------- rules 5 and 6
def _by_constant(pair: Pair, seen: Toggling, known: set[str]) -> Iterator[Symmetry]:
    n = seen.spins
    for name in (name for name in NAMED_TERMS if name not in known):
        operator = operator_on(name, pair, n)
        if all(_constant_and_absent(operator, X) for X in seen.span):
            text = constant_message(name, [seen.labels[k] for k in pair])
            yield Symmetry("constant-of-motion", pair, (name,), "pulses", text)


def _constant_and_absent(A: Complex, X: Complex) -> bool:
    size = _ZERO * float(np.linalg.norm(A)) * float(np.sqrt(len(X)))
    commutator = float(np.linalg.norm(A @ X - X @ A))
    return commutator < size and float(abs(np.trace(A @ X))) < size


@functools.lru_cache(maxsize=512)
def operator_on(name: str, pair: Pair, n: int) -> Complex:
    """Return a named operator on two of n spins, read-only."""
    c = pair_terms()[name].reshape(4, 4)
    single = [[np.eye(2**n), *(2 * spin_operator(a, k, n) for a in "xyz")] for k in pair]
    total = np.zeros((2**n, 2**n), dtype=complex)
    for a, b in zip(*np.nonzero(c), strict=True):
        total += c[a, b] * single[0][a] @ single[1][b]
    total.setflags(write=False)
    return total


def _by_algebra(pair: Pair, seen: Toggling, left: set[str]) -> Iterator[Symmetry]:
    forbids = tuple(name for name in NAMED_TERMS if name in left)
    if forbids:
        text = algebra_message(forbids, [seen.labels[k] for k in pair])
        yield Symmetry("lie-algebra", pair, forbids, "pulses", text)
