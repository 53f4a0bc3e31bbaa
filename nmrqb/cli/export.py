"""``nmrqb export``: a sequence as files for the spectrometer."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from nmrqb.cli.console import write
from nmrqb.cli.shipped import sample_for
from nmrqb.cli.values import assignments
from nmrqb.errors import ArgumentError
from nmrqb.report import Export, dump, export_document, export_sequence, write_export
from nmrqb.sequence import load_sequence
from nmrqb.spectrometer.topspin import Hardware, parameter_text
from nmrqb.units import quantity

if TYPE_CHECKING:
    from collections.abc import Sequence

FORMATS = ("topspin",)


def export(  # noqa: PLR0913 - one for every option
    name: str,
    *,
    to: str,
    sample: str | None,
    spins: str | None,
    changes: Sequence[str],
    raster: str | None,
    observe: str | None,
    readout: str | None,
    relaxation_delay: str | None,
    gradient_recovery: str | None,
    out: str | None,
    as_json: bool,
) -> None:
    """Write the files of a sequence and say what they are predicted to do."""
    if to not in FORMATS:
        raise ArgumentError(f"Argument `--to` must be one of {', '.join(FORMATS)}, but is {to!r}")
    sequence = load_sequence(name)
    hardware = Hardware() if raster is None else Hardware(raster_s=quantity(raster, "time"))
    if gradient_recovery is not None:
        hardware = replace(hardware, recovery_s=quantity(gradient_recovery, "time"))
    made = export_sequence(
        sequence,
        sample_for(sequence, sample),
        parameters=assignments("--set", changes),
        roles=assignments("--spins", spins.split(",") if spins else []),
        hardware=hardware,
        observe=observe,
        readout=readout,
        relaxation_delay_s=None if relaxation_delay is None else quantity(relaxation_delay, "time"),
    )
    files = write_export(made, out or f"{made.sequence}-topspin")
    write(dump(export_document(made, files)) if as_json else _text(made, files))


def _text(made: Export, files: list[str]) -> str:
    head = made.program.text.split("\n\n")[0].replace(";", "", 1).replace("\n;", "\n  ")
    listed = parameter_text(made.program)
    return f"{head}\n\nSet at the console:\n{listed}\nFiles:\n" + "\n".join(
        f"  {file}" for file in files
    )
