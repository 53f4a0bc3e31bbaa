"""A sequence as files for the spectrometer, with what they are predicted to do."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

import nmrqb
from nmrqb.average import compile_timeline
from nmrqb.dynamics import play, thermal_deviation, timeline_segments, unitary
from nmrqb.errors import ArgumentError
from nmrqb.files import FolderKind, folder_atomically
from nmrqb.operators import Complex, dagger, pauli_coefficients, pauli_strings
from nmrqb.report.documents import dump
from nmrqb.sample import Sample
from nmrqb.sample.hamiltonian import internal_hamiltonian
from nmrqb.sequence import Sequence, TimedAcquisition, TimedGradient, Timeline, expand
from nmrqb.spectrometer.topspin import (
    Constants,
    Hardware,
    Plan,
    Program,
    check_program,
    delay_expressions,
    make_plan,
    parameter_text,
    rounded,
    shape_name,
    shape_text,
    topspin_program,
)

EXPORT_FORMAT = "nmrqb-export/1"
SUMMARY, PARAMETERS = "summary.json", "parameters.txt"
_SHOWN = 8  # terms of a state
_ZERO = 5e-7  # of a term that is not shown


@dataclass(frozen=True, eq=False)
class Export:
    """A sequence as a spectrometer program.

    Attributes
    ----------
    sequence, sample
        Names of what was exported.
    program
        The program and its parameters.
    shapes
        Shape files by name.
    duration_s
        Length of one scan up to the receiver, in s.
    named_hz
        Named terms of the rounded sequence with finite pulses (two spins); None with gradients.
    state
        Pauli coefficients of the deviation that thermal equilibrium becomes, in units of that of
        1H: the largest ones.
    rounding_loss
        What rounding to the hardware costs: 1 − |tr(U†V)|²/d² of the propagators, with gradients
        1 less the overlap of the states.
    """

    sequence: str
    sample: str
    program: Program
    shapes: Mapping[str, str]
    duration_s: float
    named_hz: Mapping[str, float] | None
    state: Mapping[str, float]
    rounding_loss: float


def export_sequence(
    sequence: Sequence,
    sample: Sample,
    *,
    parameters: Mapping[str, str] | None = None,
    roles: Mapping[str, str] | None = None,
    hardware: Hardware | None = None,
    observe: str | None = None,
) -> Export:
    """Return the TopSpin program of a sequence, checked, with what it is predicted to do.

    Times and phases are rounded to what the hardware plays, and what is predicted is what the
    rounded sequence does with finite pulses.

    Parameters
    ----------
    sequence, sample
        What is exported, and the spins; every nucleus is a channel and needs its 90° time.
    parameters, roles
        As for `nmrqb.sequence.expand`.
    hardware
        Steps of time and phase.
    observe
        Nucleus of the receiver; by default that of the sequence's acquisition, or the first.

    Raises
    ------
    ArgumentError
        If the hardware cannot play it: spins of one nucleus pulsed apart, delays too short, …
    InputError
        If the sequence does not fit the sample.
    """
    steps = hardware or Hardware()
    scans = [
        expand(sequence, sample, pulses="finite", parameters=parameters, roles=roles, scan=k)
        for k in range(sequence.scans)
    ]
    played = [rounded(scan, sample, steps) for scan in scans]
    plan = make_plan(played, sample, steps, observe=observe)
    constants = Constants()
    expressions = list(delay_expressions(sequence, scans[0], sample, constants))
    named, state = _average(played[0], sample), _state(played[0], sample)
    loss = _loss(scans[0], played[0], sample)
    duration = float(sum(float(np.asarray(getattr(e, "duration", 0))) for e in played[0].events))
    program = topspin_program(
        plan,
        header=_header(sequence, sample, duration, named, state, loss),
        expressions=expressions,
        constants=constants,
        nmrqb_version=nmrqb.__version__,
    )
    if faults := check_program(program.text, name=sequence.name):
        raise ArgumentError(f"Argument `sequence` must make a sound program, but: {faults[0]}")
    shapes = dict(_shapes(plan, steps))
    return Export(sequence.name, sample.name, program, shapes, duration, named, state, loss)


def _shapes(plan: Plan, hardware: Hardware) -> Iterator[tuple[str, str]]:
    for number, use in enumerate(plan.shapes, 1):
        name = shape_name(plan.name, number)
        yield name, shape_text(name, use.samples, use.rotation_deg, digits=hardware.digits)


def _moves(timeline: Timeline) -> bool:
    """Return whether a timeline is more than pulses and delays."""
    return any(isinstance(event, TimedGradient) for event in timeline.events)


def _average(timeline: Timeline, sample: Sample) -> Mapping[str, float] | None:
    if _moves(timeline) or len(sample.spins) != 2 or not timeline.free_evolution_s:
        return None
    kept = tuple(e for e in timeline.events if not isinstance(e, TimedAcquisition))
    bare = replace(timeline, events=kept)
    return compile_timeline(bare, sample, analyse=False).named


def _state(timeline: Timeline, sample: Sample) -> dict[str, float]:
    rho = play(timeline, sample, thermal_deviation(sample)).state
    coefficients = pauli_coefficients(rho).real * 2  # of P/2
    found = dict(zip(pauli_strings(len(sample.spins)), coefficients.tolist(), strict=True))
    order = sorted(found, key=lambda name: -abs(found[name]))
    return {name: found[name] for name in order[:_SHOWN] if abs(found[name]) > _ZERO}


def _loss(wanted: Timeline, played: Timeline, sample: Sample) -> float:
    """Return what rounding costs, see `Export`."""
    start = thermal_deviation(sample)
    if _moves(wanted):
        first, second = (play(t, sample, start).state for t in (wanted, played))
        sizes = np.linalg.norm(first) * np.linalg.norm(second)
        return float(1 - np.vdot(first, second).real / sizes) if sizes else 0.0
    U, V = (_propagator(timeline, sample) for timeline in (wanted, played))
    return max(0.0, float(1 - abs(np.trace(dagger(U) @ V)) ** 2 / len(U) ** 2))


def _propagator(timeline: Timeline, sample: Sample) -> Complex:
    return np.asarray(unitary(timeline_segments(timeline, sample), internal_hamiltonian(sample)))


def _header(
    sequence: Sequence,
    sample: Sample,
    duration: float,
    named: Mapping[str, float] | None,
    state: Mapping[str, float],
    loss: float,
) -> Iterator[str]:
    yield sequence.title or sequence.name
    yield f"sample: {sample.title or sample.name}"
    yield f"one pass lasts {duration * 1e3:.9g} ms, finite pulses and rounding included"
    if named is not None:
        terms = [f"{name} {value:+.4f} Hz" for name, value in named.items() if abs(value) > 5e-5]
        yield f"predicted average Hamiltonian H/2pi: {', '.join(terms) or '0'}"
    shown = [f"{value:+.4f} {name}" for name, value in state.items()]
    yield f"predicted deviation from thermal equilibrium (sum of P/2, 1H = 1): {' '.join(shown)}"
    yield f"rounding to the hardware costs {loss:.1e}"


def export_document(export: Export, files: list[str]) -> dict[str, Any]:
    """Return the JSON document of `nmrqb export`."""
    return {
        "format": EXPORT_FORMAT,
        "sequence": export.sequence,
        "sample": export.sample,
        "to": "topspin",
        "duration_s": export.duration_s,
        "named_hz": None if export.named_hz is None else dict(export.named_hz),
        "state": dict(export.state),
        "rounding_loss": export.rounding_loss,
        "parameters": [vars(parameter) for parameter in export.program.parameters],
        "shapes": list(export.shapes),
        "files": files,
    }


def write_export(export: Export, path: str | Path) -> list[str]:
    """Write program, shapes, parameter list and document to a folder; return the files.

    Raises
    ------
    OutputError
        If the folder is not ours or cannot be written; nothing is left behind then.
    """
    contents = {
        export.sequence: export.program.text,
        **export.shapes,
        PARAMETERS: parameter_text(export.program),
    }
    files = [str(Path(path) / name) for name in (*contents, SUMMARY)]
    numbered = {shape_name(export.sequence, k) for k in range(1, 64)}
    kind = FolderKind(
        SUMMARY,
        opening=EXPORT_FORMAT.partition("/")[0],
        names=frozenset({*contents, *numbered, SUMMARY}),
    )
    with folder_atomically(path, kind) as folder:
        for name, text in contents.items():
            (folder / name).write_text(text, encoding="utf-8")
        document = dump(export_document(export, files))
        (folder / SUMMARY).write_text(document + "\n", encoding="utf-8")
    return files
