"""The options of `nmrqb design`, in groups: what is wanted, how it is made, the search."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated

import typer


class Optimise(StrEnum):
    """What a designed sequence is best in."""

    time = "time"
    pulses = "pulses"
    robustness = "robustness"


class ControlOf(StrEnum):
    """Which spins are pulsed alike."""

    collective = "collective"
    channels = "channels"
    selective = "selective"


@dataclass(frozen=True)
class WantedOptions:
    """The Hamiltonian that is wanted, term by term, and its time."""

    D: Annotated[str | None, typer.Option("--D", help="DM_z, say 20Hz.")] = None
    G: Annotated[str | None, typer.Option("--G", help="KSEA_z, say 5Hz.")] = None
    Delta: Annotated[str | None, typer.Option("--Delta", help="Axial anisotropy.")] = None
    epsilon: Annotated[str | None, typer.Option("--epsilon", help="Rhombic anisotropy.")] = None
    B: Annotated[str | None, typer.Option("--B", help="Zeeman field.")] = None
    term: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME=VALUE",
            help="Any named term, or XI ... IZ; of more spins DM_z(1,2), DM_z(C1,C2) or a Pauli "
            "string XYI; repeatable.",
        ),
    ] = None
    time: Annotated[str | None, typer.Option(help="T of exp(-i*2pi*H*T) [1/(4*norm(H))].")] = None


@dataclass(frozen=True)
class WayOptions:
    """How hard pulses make it: exactly of two spins, or in cycles of toggling frames."""

    exact: Annotated[
        bool, typer.Option("--exact", help="The unitary for T alone, fastest; two spins.")
    ] = False
    fill: Annotated[
        bool, typer.Option("--fill", help="Pad with refocused delay to T; two spins.")
    ] = False
    cycles: Annotated[int | None, typer.Option(min=1, help="Number of equal cycles.")] = None
    optimise: Annotated[
        Optimise | None, typer.Option(help="What is to be least, of two spins [time].")
    ] = None
    control: Annotated[
        ControlOf | None,
        typer.Option(
            help="Spins that are pulsed alike in cycles of 90 and 180 degree pulses: the way for "
            "three spins and more, and for couplings other than IzSz [channels there]."
        ),
    ] = None
    refocus: Annotated[
        bool, typer.Option("--refocus", help="Such cycles that remove unknown offsets too.")
    ] = False


@dataclass(frozen=True)
class PulseOptions:
    """One optimised pulse, and the search for it."""

    shaped: Annotated[
        str | None, typer.Option(metavar="TIME", help="One optimised pulse of this length.")
    ] = None
    steps: Annotated[int | None, typer.Option(min=1, help="Steps of the pulse [100].")] = None
    amplitude: Annotated[
        str | None,
        typer.Option(metavar="1H=2kHz,13C=2kHz", help="Its largest amplitudes [hard pulses]."),
    ] = None
    rise: Annotated[
        str | None, typer.Option(metavar="TIME", help="Least time from zero to full amplitude.")
    ] = None
    smooth: Annotated[
        float | None, typer.Option(min=0, help="Weight of the roughness of the pulse [0].")
    ] = None
    b1: Annotated[str | None, typer.Option(help="Rf amplitude error it bears, say 5%.")] = None
    offset: Annotated[str | None, typer.Option(help="Offset it bears, say 20Hz.")] = None
    ergotropy: Annotated[
        str | None,
        typer.Option(
            metavar="TEMPERATURE",
            help="The pulse charges a battery of these terms, from its Gibbs state (k_B*T/h, Hz).",
        ),
    ] = None
    shortfall: Annotated[
        float | None, typer.Option(min=0, help="Enough: 1 less the mean fidelity [0.0001].")
    ] = None
    iterations: Annotated[
        int | None, typer.Option(min=1, help="Most iterations of one start [400].")
    ] = None
    starts: Annotated[int | None, typer.Option(min=1, help="Most random starts [3].")] = None
    limit: Annotated[str | None, typer.Option(help="Longest search [300 s].")] = None
    seed: Annotated[int | None, typer.Option(min=0, help="Of the starts [drawn, written].")] = None
