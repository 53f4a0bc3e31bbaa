"""Small errors of a pass as directions in which its generators move, and their exact derivatives.

A pass is a product of exp(−iA_j).  An error of size ε makes them A_j + εB_j (phase errors turn a
part of A_j instead), whatever the error is: a wrong flip angle or phase, an offset, a coupling
off its value, a transient at the edge of a pulse, a pulse that takes time.  With the B_j at hand
one code path gives curves, leakage and the derivative, for ideal, finite and shaped pulses.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike

from nmrqb.average.model import SizeUnit
from nmrqb.dynamics import Segment
from nmrqb.dynamics.segments import event_segments, frame_segments
from nmrqb.operators import Complex, dagger, spin_operator
from nmrqb.sample import Sample
from nmrqb.sample.hamiltonian import coupling_hamiltonian
from nmrqb.sequence import TimedDelay, TimedPulse, TimedRotation, Timeline

_EDGE = 1e-9  # of a pulse: edges nearer than that are one


@dataclass(frozen=True)
class ErrorSizes:
    """Assumed sizes of errors: what a good spectrometer leaves.

    Attributes
    ----------
    flip_angle
        Relative error of all flip angles.
    rf_spread
        Relative standard deviation of B1 over the sample.
    offset_hz
        Offset of one spin from its carrier in Hz.
    phase_rad
        Error of the phase of a channel, and of y against x, in rad.
    transient_rad
        Angle of the quadrature rotation at either edge of a pulse in rad.
    coupling
        Relative error of all couplings.
    """

    flip_angle: float = 0.05
    rf_spread: float = 0.05
    offset_hz: float = 20.0
    phase_rad: float = np.pi / 180
    transient_rad: float = 0.02
    coupling: float = 0.01


@dataclass(frozen=True, eq=False)
class Perturbation:
    """An error of a pass.

    Attributes
    ----------
    error, size, unit
        Its name, its assumed size, and the unit of that.
    segments
        The pass without the error.
    direction
        B_j = dA_j/dε at ε = 0, rad per unit of the error, shape (segments, d, d).
    turned
        The part Θ_j of A_j that a phase error turns about z, A_j + B_j sin ε + Θ_j (cos ε − 1),
        or None where A_j + εB_j is exact.
    """

    error: str
    size: float
    unit: SizeUnit
    segments: Sequence[Segment]
    direction: Complex
    turned: Complex | None = None

    def played(self, sizes: ArrayLike) -> list[Segment]:
        """Return the pass with the error: sizes of shape (...) make batch axes (...)."""
        grid = np.asarray(sizes, dtype=float)[..., None, None]
        if self.turned is None:
            moved = (grid * B for B in self.direction)
        else:
            pairs = zip(self.direction, self.turned, strict=True)
            moved = (np.sin(grid) * B + (np.cos(grid) - 1) * part for B, part in pairs)
        return [
            replace(segment, rotation=segment.rotation + change) if np.any(B) else segment
            for segment, B, change in zip(self.segments, self.direction, moved, strict=True)
        ]


# ------------------------------------------------------------------------- exact derivatives
def error_generators(segments: Sequence[Segment], drift: Complex, directions: Complex) -> Complex:
    """Return K of U(ε) = U exp(−iεK + O(ε²)) for several errors, exactly.

    K = Σ_j U†(t_j) ∫₀¹ e^{isA_j} B_j e^{−isA_j} ds U(t_j), the toggling-frame integral of the
    error; the integral is the Fréchet derivative of the exponential in the eigenbasis of A_j,
    V[(V†BV) ∘ e^{i(λ_a − λ_b)/2} sinc((λ_a − λ_b)/2)]V†.  Nothing is differenced.

    Parameters
    ----------
    segments, drift
        The pass, and H in rad/s, shape (d, d).
    directions
        B_j of every error, shape (errors, segments, d, d), rad per unit.

    Returns
    -------
    array of shape (errors, d, d), Hermitian, rad per unit
    """
    frame = np.eye(drift.shape[-1], dtype=complex)
    total = np.zeros((len(directions), *drift.shape), dtype=complex)
    for j, segment in enumerate(segments):
        phases, V = np.linalg.eigh(segment.rotation + segment.drifted(drift))
        half = np.subtract.outer(phases, phases) / 2
        weights = np.exp(1j * half) * np.sinc(half / np.pi)
        frame = dagger(V) @ frame
        total += dagger(frame) @ (dagger(V) @ directions[:, j] @ V * weights) @ frame
        frame = V @ (np.exp(-1j * phases)[:, None] * frame)
    return (total + dagger(total)) / 2


def quadratic_coefficient(K: Complex) -> float:
    """Return c of the infidelity cε² + O(ε³) that an error makes: tr K²/d − (tr K/d)²."""
    d = K.shape[-1]
    traceless = K - np.trace(K) / d * np.eye(d)
    return float(np.linalg.norm(traceless) ** 2 / d)


# -------------------------------------------------------------------------- the pass, edged
@dataclass(frozen=True)
class Edge:
    """The edge of a pulse: a segment of no length, the spin, the axis's phase, which edge."""

    segment: int
    spin: int
    phase: float
    trailing: bool


def edged_segments(timeline: Timeline, n: int) -> tuple[list[Segment], list[Edge]]:
    """Return one pass with an empty segment at every edge of a pulse, and the edges.

    The axis of an edge is 90° ahead of the pulse as it starts or ends.
    """
    segments: list[Segment] = []
    edges: list[Edge] = []
    for event in timeline.events:
        if isinstance(event, TimedPulse):
            _edge_pulse(event, n, segments, edges)
        elif isinstance(event, TimedDelay):
            segments += event_segments(event, n)
    return [*segments, *frame_segments(timeline, n)], edges


def _edge_pulse(pulse: TimedPulse, n: int, segments: list[Segment], edges: list[Edge]) -> None:
    """Append a pulse; simultaneous rotations are centred, a shorter one has its edges inside."""
    parts = event_segments(pulse, n)
    ends = np.cumsum([float(part.duration) for part in parts]) - pulse.duration / 2
    starts = ends - np.array([float(part.duration) for part in parts])
    near = _EDGE * pulse.duration
    slots: dict[int, list[tuple[TimedRotation, bool]]] = {}
    for rotation in pulse.rotations:
        half = rotation.duration / 2
        first = int(np.flatnonzero(starts >= -half - near)[0])
        last = int(np.flatnonzero(ends <= half + near)[-1])
        slots.setdefault(first, []).append((rotation, False))
        slots.setdefault(last + 1, []).append((rotation, True))
    for k in range(len(parts) + 1):
        if k in slots:
            edges += [_edge(len(segments), rotation, end) for rotation, end in slots[k]]
            segments.append(Segment(np.zeros(()), np.zeros((2**n, 2**n), dtype=complex)))
        segments += parts[k : k + 1]


def _edge(segment: int, rotation: TimedRotation, trailing: bool) -> Edge:
    steps = rotation.steps[-1 if trailing else 0]
    across = np.pi / 2 if rotation.angle >= 0 else -np.pi / 2
    phase = rotation.phase + float(np.angle(steps)) + across
    return Edge(segment, rotation.spin, phase, trailing)


# ------------------------------------------------------------------------------- the errors
def channels(sample: Sample) -> dict[str, list[int]]:
    """Return the tensor positions of the spins of every nucleus: they share a channel."""
    positions: dict[str, list[int]] = {}
    for k, spin in enumerate(sample.spins):
        positions.setdefault(spin.nucleus, []).append(k)
    return positions


def control_errors(
    timeline: Timeline, sample: Sample, sizes: ErrorSizes | None = None
) -> list[Perturbation]:
    """Return the errors of pulses, offsets and couplings of one pass, as compiled otherwise.

    ``flip-angle`` (all channels) and ``flip-angle NUCLEUS`` scale the angles; ``offset`` (all
    spins, by the same frequency) and ``offset LABEL`` add 2πν I_z; ``coupling`` scales all
    couplings; ``phase NUCLEUS`` turns all pulses of a channel about z, which costs nothing where
    preparation and readout are turned as well; ``quadrature NUCLEUS`` turns its y against its x.

    Phase transients (Mehring and Waugh, Rev. Sci. Instrum. 43, 649 (1972); Rhim, Elleman,
    Schreiber and Vaughan, J. Chem. Phys. 60, 4595 (1974); recalled, the equations here are our
    own): the field has a component in quadrature where it rises and falls.  A rotation about φ is
    preceded and followed by instantaneous rotations about φ + 90°: by +ε and +ε in
    ``transient-symmetric NUCLEUS``, by +ε and −ε in ``transient-antisymmetric NUCLEUS``.  To first
    order the symmetric one is a phase error ε cot(θ/2) of an ideal pulse of angle θ, the
    antisymmetric one tilts its axis by ε out of the transverse plane, as an offset does.

    Parameters
    ----------
    timeline, sample
        The pass; gradients do not act.
    sizes
        Assumed sizes.

    Returns
    -------
    list of Perturbation
        All of the same segments; errors of a channel that is not pulsed are left out.
    """
    sizes = sizes or ErrorSizes()
    n = len(sample.spins)
    segments, edges = edged_segments(timeline, n)
    found = _amplitude_errors(segments, sample, sizes)
    found += _drift_errors(segments, sample, sizes)
    found += _phase_errors(segments, sample, sizes)
    found += _transients(segments, edges, sample, sizes)
    always = ("flip-angle", "coupling")
    return [p for p in found if p.error in always or np.any(p.direction)]


def _amplitude_errors(
    segments: list[Segment], sample: Sample, sizes: ErrorSizes
) -> list[Perturbation]:
    parts = {name: _turning(segments, spins) for name, spins in channels(sample).items()}
    total = np.sum([x + y for x, y in parts.values()], axis=0)
    rows = [Perturbation("flip-angle", sizes.flip_angle, "", segments, total)]
    pulsed = {name: x + y for name, (x, y) in parts.items() if np.any(x + y)}
    if len(pulsed) > 1:
        rows += [Perturbation(f"flip-angle {name}", sizes.flip_angle, "", segments, part)
                 for name, part in pulsed.items()]  # fmt: skip
    return rows


def _drift_errors(segments: list[Segment], sample: Sample, sizes: ErrorSizes) -> list[Perturbation]:
    n, times = len(sample.spins), np.array([s.duration for s in segments])[:, None, None]
    shifts = {f"offset {label}": times * 2 * np.pi * spin_operator("z", k, n)
              for k, label in enumerate(sample.labels)}  # fmt: skip
    if n > 1:
        shifts = {"offset": np.sum(list(shifts.values()), axis=0), **shifts}
    rows = [Perturbation(error, sizes.offset_hz, "Hz", segments, B) for error, B in shifts.items()]
    stronger = times * coupling_hamiltonian(sample)
    return [*rows, Perturbation("coupling", sizes.coupling, "", segments, stronger)]


def _phase_errors(segments: list[Segment], sample: Sample, sizes: ErrorSizes) -> list[Perturbation]:
    rows = []
    for name, spins in channels(sample).items():
        x, y = _turning(segments, spins)
        along_y, along_x = _turned(x, y, spins)
        for error, towards, part in (
            (f"phase {name}", along_y - along_x, x + y),
            (f"quadrature {name}", -along_x, y),
        ):
            rows.append(Perturbation(error, sizes.phase_rad, "rad", segments, towards, part))
    return rows


def _transients(
    segments: list[Segment], edges: list[Edge], sample: Sample, sizes: ErrorSizes
) -> list[Perturbation]:
    n, rows = len(sample.spins), []
    for name, spins in channels(sample).items():
        for kind, last in (("antisymmetric", -1.0), ("symmetric", 1.0)):
            direction = np.zeros((len(segments), 2**n, 2**n), dtype=complex)
            for edge in (edge for edge in edges if edge.spin in spins):
                sign = last if edge.trailing else 1.0
                x, y = spin_operator("x", edge.spin, n), spin_operator("y", edge.spin, n)
                axis = np.cos(edge.phase) * x + np.sin(edge.phase) * y
                direction[edge.segment] += sign * axis
            error = f"transient-{kind} {name}"
            rows.append(Perturbation(error, sizes.transient_rad, "rad", segments, direction))
    return rows


def _turning(segments: list[Segment], spins: list[int]) -> tuple[Complex, Complex]:
    """Return the parts of the rf rotations about x and about y of some spins: (segments, d, d)."""
    rotations = np.array([segment.rotation for segment in segments])  # frames turn about z alone
    return _along("x", rotations, spins), _along("y", rotations, spins)


def _along(axis: str, rotations: Complex, spins: list[int]) -> Complex:
    return _carried(rotations, spins, axis, axis)


def _turned(x: Complex, y: Complex, spins: list[int]) -> tuple[Complex, Complex]:
    """Return what stood along x, along y instead, and what stood along y, along x."""
    return _carried(x, spins, "x", "y"), _carried(y, spins, "y", "x")


def _carried(rotations: Complex, spins: list[int], source: str, target: str) -> Complex:
    """Replace Σ_k c_k I_source,k of a rotation, the rest left out, by Σ_k c_k I_target,k."""
    d = rotations.shape[-1]
    n = d.bit_length() - 1
    total = np.zeros_like(rotations)
    for k in spins:
        angles = 4 / d * np.einsum("...ij,ji->...", rotations, spin_operator(source, k, n)).real
        total += angles[:, None, None] * spin_operator(target, k, n)
    return total
