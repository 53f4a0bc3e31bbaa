"""What the page of a run tells of its charging sequence: toggling frames, orders, error budget."""

from __future__ import annotations

from collections.abc import Iterator

from nmrqb.average import AverageHamiltonian, compile_timeline
from nmrqb.errors import ArgumentError
from nmrqb.experiment import DriveCharge, Result
from nmrqb.experiment.model import HamiltonianCharge
from nmrqb.report.average_pictures import average_figures
from nmrqb.report.average_text import budget_table, compile_text, loss, pair_rows, target_time
from nmrqb.report.page_parts import Fact, Listing, Picture, Section, Table, brief, places_of
from nmrqb.sequence import Timeline

_DIGITS = 6
_KEY, _SHORT = "average", "Average Hamiltonian"
_TITLE = "Toggling frames, average Hamiltonian and error budget"
_HARD = (
    "Charging is one hard pulse for each time, of angle 4π·rate·t, with the battery's own "
    "Hamiltonian off. There is no train of pulses and delays to average: no toggling frame, no "
    "Magnus series, no error budget of a period."
)
_SOFT = (
    "The drive plays for the time t with all couplings on. Its Hamiltonian is constant in the "
    "rotating frame: there is nothing to average, and no toggling frame."
)


def average_section(result: Result) -> Section:
    """Return what the charging sequence makes, or why there is nothing to average."""
    charge = result.experiment.charge
    if isinstance(charge, DriveCharge):
        return Section(_KEY, _SHORT, _TITLE, paragraphs=(_SOFT if charge.soft else _HARD,))
    timeline, about = _played(result)
    try:
        average = compile_timeline(timeline, result.experiment.sample)
    except ArgumentError as error:  # only ideal pulses, a gradient: the run itself is sound
        why = f"No average Hamiltonian can be given. {error}."
        return Section(_KEY, _SHORT, _TITLE, paragraphs=(about, why))
    return Section(
        _KEY,
        _SHORT,
        _TITLE,
        paragraphs=(about,),
        facts=tuple(_facts(average)),
        pictures=tuple(_pictures(average)),
        tables=tuple(_tables(average)),
        listings=(Listing("All that is known of it, as text", compile_text(average)),),
        notes=tuple(f"{item.code}: {item.message}" for item in average.diagnosis),
    )


def _played(result: Result) -> tuple[Timeline, str]:
    """Return what is averaged, and which part of the run it is."""
    charge, data = result.experiment.charge, result.data
    assert not isinstance(charge, DriveCharge)
    if isinstance(charge, HamiltonianCharge):
        shown = int(data["shown"])
        time = 1e3 * float(data["time"][shown])
        about = (
            "A sequence of its own is played for each time; this is the one of the most charged "
            f"state, at protocol time {time:.4g} ms."
        )
        return charge.timelines[shown], about
    return charge.timeline, "One pass of the charging sequence, as it is played in the run."


def _facts(average: AverageHamiltonian) -> Iterator[Fact]:
    cycles = average.cycles_to_close
    closing = {1: "after one pass", None: "not within 24 passes"}
    yield Fact("sequence", f"{average.sequence}, {average.pulses} pulses")
    yield Fact(
        "one pass",
        f"{average.duration_s * 1e3:.4g} ms, of which {average.free_evolution_s * 1e3:.4g} ms are "
        "free evolution",
    )
    yield Fact("pulses close", closing.get(cycles, f"after {cycles} passes"))
    if average.target is not None:
        verdict = "met" if average.target.met else "not met within its tolerance"
        text = f"{verdict}; infidelity of one period {loss(average.target.infidelity)}"
        yield Fact("target", "; ".join([text, *map(_compared, target_time(average))]))


def _compared(line: str) -> str:
    """Say of a target for a time of its own that its Hamiltonian need not be the exact one."""
    told = line.strip().removeprefix("target: ")
    return f"{told}, which many Hamiltonians make: exact and target need not agree term by term"


def _pictures(average: AverageHamiltonian) -> Iterator[Picture]:
    spins = ", ".join(average.spins)
    told = {
        "frames.png": (
            "Toggling frames",
            "Where the z axis of every spin points in the frame of the pulses, interval by "
            "interval: red +1, blue −1, white 0. The product of two spins' rows is what becomes "
            "of their coupling.",
            f"Toggled z axes of {spins} along x, y and z over one pass.",
        ),
        "orders.png": (
            "Average Hamiltonian, order by order",
            "Named terms in Hz. The zeroth order should be near the exact bar; terms that only "
            "higher orders have are errors of the sequence.",
            "Bars of the named terms of the average Hamiltonian by order and of the exact one; "
            "the same numbers stand in the table.",
        ),
        "robustness.png": (
            "Loss against the size of errors",
            "Each error alone, in units of its assumed size; the dotted line is at that size. "
            "What is highest there is worth mending first.",
            "Infidelity of one pass against the size of each error, on logarithmic axes; the "
            "losses at the assumed sizes stand in the error budget.",
        ),
    }
    figures = average_figures(average)
    for name, (title, caption, alt) in told.items():
        figures[name].suptitle("")
        key = name.removesuffix(".png")
        yield Picture(key, figures[name], title, caption, alt, wide=key == "frames")


def _tables(average: AverageHamiltonian) -> Iterator[Table]:
    for header, rows in pair_rows(average):
        pair = header[0].removesuffix(" (Hz)")
        yield Table(
            f"Named terms of {pair} in Hz, order by order",
            ("term", *header[1:]),
            _rounded(rows),
        )
    if average.analysis is not None:
        budget = average.analysis.budget
        (header, rows), total = budget_table(average, budget)
        note = f"{total.capitalize()}, against the {budget.reference}."
        yield Table("Error budget", tuple(header), tuple(map(tuple, rows)), note=note)


def _rounded(rows: list[list[str]]) -> tuple[tuple[str, ...], ...]:
    """Return rows of frequencies with as many places as the largest needs for six digits."""
    values = [[float(cell) for cell in row[1:]] for row in rows]
    largest = max((abs(value) for row in values for value in row), default=0.0)
    places = places_of(largest, digits=_DIGITS)
    return tuple(
        (row[0], *(brief(value, places) for value in line))
        for row, line in zip(rows, values, strict=True)
    )
