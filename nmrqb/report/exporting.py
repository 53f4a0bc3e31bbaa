"""A sequence as files for the spectrometer, with what they are predicted to do."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path, PurePath
from typing import Any

import numpy as np

import nmrqb
from nmrqb.average import compile_timeline
from nmrqb.dynamics import play, thermal_deviation, timeline_segments, unitary
from nmrqb.errors import ArgumentError, OutputError
from nmrqb.files import FolderKind, folder_atomically
from nmrqb.operators import Complex, dagger, pauli_coefficients, pauli_strings
from nmrqb.report.documents import dump
from nmrqb.report.reading_out import read_out
from nmrqb.sample import Sample
from nmrqb.sample.hamiltonian import internal_hamiltonian
from nmrqb.sequence import (
    Sequence,
    TimedAcquisition,
    TimedGradient,
    Timeline,
    expand,
)
from nmrqb.spectrometer.topspin import (
    Constants,
    Hardware,
    Plan,
    Program,
    RelaxationDelay,
    check_program,
    delay_expressions,
    make_plan,
    missing_recovery,
    parameter_text,
    relaxation_delay,
    rounded,
    shape_name,
    shape_text,
    topspin_program,
    visible_share,
)

EXPORT_FORMAT = "nmrqb-export/1"
SUMMARY, PARAMETERS = "summary.json", "parameters.txt"
_SHOWN = 8  # terms of a state
_ZERO = 5e-7  # of a term that is not shown
_DIGITS = 12  # of a time in s: far below a step
_DIM = 0.1  # of equilibrium after a 90° pulse: a signal that nobody wants
_COSTLY = 1e-3  # infidelity: rounding that costs more is warned of


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
    readout
        What is played after the sequence, before the receiver is opened; None for nothing.
    observed, signal
        Nucleus of the receiver, and what it can see at any time over what it sees of equilibrium
        after a 90° pulse, see `nmrqb.spectrometer.topspin.visible_share`.
    relaxation
        The time between scans.
    recovery_added_s
        What was added after each gradient for the field to recover, in s.
    warnings
        What the user should know before running it.
    state
        Pauli coefficients of the deviation that thermal equilibrium becomes, in units of that of
        1H: the largest ones.
    rounding_loss
        What rounding to the hardware costs: 1 − |tr(U†V)|²/d² of the propagators, with gradients
        and their recovery 1 less the overlap of the states.
    """

    sequence: str
    sample: str
    program: Program
    shapes: Mapping[str, str]
    duration_s: float
    readout: str | None
    observed: str
    signal: float
    relaxation: RelaxationDelay
    recovery_added_s: tuple[float, ...]
    warnings: tuple[str, ...]
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
    readout: str | None = None,
    relaxation_delay_s: float | None = None,
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
    readout
        A word of `nmrqb.tomography.read_readout`, say ``XI`` or ``90 y``, played after the
        sequence: with every scan of it, where it has a phase cycle of its own.
    relaxation_delay_s
        Time between scans in s; by default five times the longest T1 of the sample.

    Raises
    ------
    ArgumentError
        If the hardware cannot play it: spins of one nucleus pulsed apart, delays too short, …
    InputError
        If the sequence does not fit the sample.
    """
    steps = hardware or Hardware()
    alone = _scans(sequence, sample, parameters, roles)
    scans, observe = read_out(alone, readout, sample, observe)
    played = [rounded(scan, sample, steps) for scan in scans]
    plan = make_plan(played, sample, steps, observe=observe)
    shapes = dict(_shapes(plan, steps))
    made = Export(
        sequence=sequence.name,
        sample=sample.name,
        program=Program("", ()),
        shapes=shapes,
        duration_s=_duration(played[0]),
        readout=readout,
        observed=plan.nuclei[0],
        signal=_signal(played, plan, sample),
        relaxation=relaxation_delay(sample, relaxation_delay_s),
        recovery_added_s=_recovery_added(scans[0], sample, steps),
        warnings=(),
        named_hz=_average(rounded(alone[0], sample, steps), sample),
        state=_state(played[0], sample),
        rounding_loss=_loss(scans[0], played[0], sample),
    )
    made = replace(made, warnings=tuple(_warnings(made, acquires=_acquires(alone[0]))))
    written = replace(sequence, parameters={**sequence.parameters, **(parameters or {})})
    constants = Constants()
    program = topspin_program(
        plan,
        header=_header(made, sequence, sample, steps),
        expressions=list(delay_expressions(written, alone[0], sample, constants)),
        constants=constants,
        relaxation=made.relaxation,
        nmrqb_version=nmrqb.__version__,
    )
    if faults := check_program(program.text, name=sequence.name):
        raise ArgumentError(f"Argument `sequence` must make a sound program, but: {faults[0]}")
    return replace(made, program=program)


def _scans(
    sequence: Sequence,
    sample: Sample,
    parameters: Mapping[str, str] | None,
    roles: Mapping[str, str] | None,
) -> list[Timeline]:
    """Return the scans of a sequence with finite pulses, which differ in phases only."""
    alone = [
        expand(sequence, sample, pulses="finite", parameters=parameters, roles=roles, scan=k)
        for k in range(sequence.scans)
    ]
    _refuse_unlike(sequence, alone)
    return alone


def _duration(timeline: Timeline) -> float:
    return float(sum(float(np.asarray(getattr(e, "duration", 0))) for e in timeline.events))


def _acquires(timeline: Timeline) -> bool:
    return any(isinstance(event, TimedAcquisition) for event in timeline.events)


def _recovery_added(scan: Timeline, sample: Sample, hardware: Hardware) -> tuple[float, ...]:
    bare = rounded(scan, sample, replace(hardware, recovery_s=0.0))
    missing = missing_recovery(bare.events, hardware.whole(hardware.recovery_s))
    return tuple(round(time, _DIGITS) for time in missing)


def _refuse_unlike(sequence: Sequence, scans: list[Timeline]) -> None:
    """Refuse a sequence whose scans play different events, which no program goes through."""
    counts = [len(scan.events) for scan in scans]
    if len(set(counts)) == 1:
        return
    by_itself = "change its file so that they do"
    if sequence.phase_cycle:
        cycled = ", ".join(f"{k}: [{', '.join(v)}]" for k, v in sequence.phase_cycle.items())
        first = ", ".join(f"{k}: [{v[0]}]" for k, v in sequence.phase_cycle.items())
        by_itself = (
            f"export each from a copy of the file whose phase_cycle has one value in place of "
            f"`{cycled}`, the first `{first}`, and add up what they record"
        )
    raise ArgumentError(
        "Argument `sequence` must have scans that differ in phases only, as one program plays "
        f"them all, but its scans have {', '.join(map(str, counts))} events; {by_itself}"
    )


def _signal(scans: list[Timeline], plan: Plan, sample: Sample) -> float:
    start = thermal_deviation(sample)
    states = [play(replace(scan, frame={}), sample, start).state for scan in scans]
    phases = [2 * np.pi * step / plan.turn for step in plan.receiver]
    return visible_share(states, phases, start, sample, plan.nuclei[0])


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


def _warnings(export: Export, *, acquires: bool) -> Iterator[str]:
    yield from export.relaxation.warnings()
    if export.rounding_loss > _COSTLY:
        yield (
            f"rounding to the hardware costs {export.rounding_loss:.1e}: what is played is not "
            "the sequence; it takes longer delays, or a finer raster (--raster)"
        )
    if export.signal < _DIM:
        pulse = f"--readout '{export.observed}: 90 y'"
        mend = "a pulse before `acquire`" if acquires else f"a readout pulse, say {pulse}"
        yield (
            f"what is acquired on {export.observed} is {export.signal:.4f} of what equilibrium "
            "gives after a 90 degree pulse: next to nothing is transverse when the receiver opens; "
            f"it takes {mend}, or another nucleus (--observe)"
        )


def _header(
    export: Export, sequence: Sequence, sample: Sample, hardware: Hardware
) -> Iterator[str]:
    yield sequence.title or sequence.name
    yield f"sample: {sample.title or sample.name}"
    yield f"one pass lasts {export.duration_s * 1e3:.9g} ms, finite pulses and rounding included"
    if export.recovery_added_s:
        yield _recovery_line(export.recovery_added_s, hardware)
    if export.readout is not None:
        yield f"readout after the sequence: {' '.join(export.readout.split())}"
    if export.named_hz is not None:
        pairs = export.named_hz.items()
        terms = [f"{name} {value:+.4f} Hz" for name, value in pairs if abs(value) > 5e-5]
        yield f"predicted average Hamiltonian H/2pi: {', '.join(terms) or '0'}"
    shown = [f"{value:+.4f} {name}" for name, value in export.state.items()]
    yield f"predicted deviation from thermal equilibrium (sum of P/2, 1H = 1): {' '.join(shown)}"
    yield f"acquired on {export.observed}: {export.signal:.4f} of equilibrium after 90 degrees"
    yield f"rounding to the hardware costs {export.rounding_loss:.1e}"
    yield from (f"WARNING: {warning}" for warning in export.warnings)


def _recovery_line(added: tuple[float, ...], hardware: Hardware) -> str:
    count, total = sum(time > 0 for time in added), sum(added) * 1e6
    head = f"gradients: {len(added)}, recovery {hardware.recovery_s * 1e6:.6g} us each"
    if not count:
        return f"{head}, all within the delays after them"
    return (
        f"{head}; added after {count} of them, {total:.6g} us in all, as no delay there is so long"
    )


def export_document(export: Export, files: list[str]) -> dict[str, Any]:
    """Return the JSON document of `nmrqb export`."""
    return {
        "format": EXPORT_FORMAT,
        "sequence": export.sequence,
        "sample": export.sample,
        "to": "topspin",
        "duration_s": export.duration_s,
        "readout": export.readout,
        "observed": export.observed,
        "signal": export.signal,
        "relaxation_delay_s": export.relaxation.delay_s,
        "recovered_share": dict(export.relaxation.recovered),
        "recovery_added_s": list(export.recovery_added_s),
        "warnings": list(export.warnings),
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
    if PurePath(export.sequence).name != export.sequence:
        raise OutputError(
            f"the program would be named `{export.sequence}` after its sequence, which is no name "
            "of a file; name the sequence with a plain word"
        )
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
