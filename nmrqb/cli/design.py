"""The verb `nmrqb design`."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nmrqb.cli.console import TARGET_NOT_MET, leave, progress_bar, verb, write

if TYPE_CHECKING:
    from nmrqb.cli.wanted import Wishes
    from nmrqb.design.designed import Designed
    from nmrqb.sample import Sample


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


@verb
def design(  # noqa: PLR0913 - one for every option
    sample: Annotated[str, typer.Option(help="Shipped sample or a .yaml file.")],
    dm: Annotated[str | None, typer.Option("--D", help="DM_z, say 20Hz.")] = None,
    ksea: Annotated[str | None, typer.Option("--G", help="KSEA_z, say 5Hz.")] = None,
    axial: Annotated[str | None, typer.Option("--Delta", help="Axial anisotropy.")] = None,
    rhombic: Annotated[str | None, typer.Option("--epsilon", help="Rhombic anisotropy.")] = None,
    field: Annotated[str | None, typer.Option("--B", help="Zeeman field.")] = None,
    term: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME=VALUE",
            help="Any named term, or XI ... IZ; of more spins DM_z(1,2), DM_z(C1,C2) or a Pauli "
            "string XYI; repeatable.",
        ),
    ] = None,
    time: Annotated[str | None, typer.Option(help="T of exp(-i*2pi*H*T) [1/(4*norm(H))].")] = None,
    exact: Annotated[
        bool, typer.Option("--exact", help="The unitary for T alone, fastest; two spins.")
    ] = False,
    fill: Annotated[
        bool, typer.Option("--fill", help="Pad with refocused delay to T; two spins.")
    ] = False,
    cycles: Annotated[int | None, typer.Option(min=1, help="Number of equal cycles.")] = None,
    optimise: Annotated[
        Optimise | None, typer.Option(help="What is to be least, of two spins [time].")
    ] = None,
    control: Annotated[
        ControlOf | None,
        typer.Option(
            help="Spins that are pulsed alike in cycles of 90 and 180 degree pulses: the way for "
            "three spins and more, and for couplings other than IzSz [channels there]."
        ),
    ] = None,
    refocus: Annotated[
        bool, typer.Option("--refocus", help="Such cycles that remove unknown offsets too.")
    ] = False,
    shaped: Annotated[
        str | None, typer.Option(metavar="TIME", help="One optimised pulse of this length.")
    ] = None,
    steps: Annotated[int | None, typer.Option(min=1, help="Steps of the pulse [100].")] = None,
    amplitude: Annotated[
        str | None,
        typer.Option(metavar="1H=2kHz,13C=2kHz", help="Its largest amplitudes [hard pulses]."),
    ] = None,
    rise: Annotated[
        str | None, typer.Option(metavar="TIME", help="Least time from zero to full amplitude.")
    ] = None,
    smooth: Annotated[
        float | None, typer.Option(min=0, help="Weight of the roughness of the pulse [0].")
    ] = None,
    b1: Annotated[str | None, typer.Option(help="Rf amplitude error it bears, say 5%.")] = None,
    offset: Annotated[str | None, typer.Option(help="Offset it bears, say 20Hz.")] = None,
    ergotropy: Annotated[
        str | None,
        typer.Option(
            metavar="TEMPERATURE",
            help="The pulse charges a battery of these terms, from its Gibbs state (k_B*T/h, Hz).",
        ),
    ] = None,
    shortfall: Annotated[
        float | None, typer.Option(min=0, help="Enough: 1 less the mean fidelity [0.0001].")
    ] = None,
    iterations: Annotated[
        int | None, typer.Option(min=1, help="Most iterations of one start [400].")
    ] = None,
    starts: Annotated[int | None, typer.Option(min=1, help="Most random starts [3].")] = None,
    limit: Annotated[str | None, typer.Option(help="Longest search [300 s].")] = None,
    seed: Annotated[int | None, typer.Option(min=0, help="Of the starts [drawn, written].")] = None,
    out: Annotated[str | None, typer.Option(help="Sequence file (.yaml) to write.")] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON document instead of text.")
    ] = False,
) -> None:
    """Make the sequence that turns a sample's couplings into a wanted Hamiltonian."""
    from nmrqb.cli.wanted import Wishes

    search = {
        "--steps": steps, "--amplitude": amplitude, "--rise": rise, "--smooth": smooth,
        "--b1": b1, "--offset": offset, "--ergotropy": ergotropy, "--shortfall": shortfall,
        "--iterations": iterations, "--starts": starts, "--limit": limit, "--seed": seed,
    }  # fmt: skip
    wishes = Wishes(
        sample=sample,
        short={"D": dm, "G": ksea, "Delta": axial, "epsilon": rhombic, "B": field},
        terms=tuple(term or ()),
        time=time,
        exact=exact,
        fill=fill,
        cycles=cycles,
        optimise=None if optimise is None else optimise.value,
        control=None if control is None else control.value,
        refocus=refocus,
        shaped=shaped,
        search=search,
    )
    made = _designed(wishes)
    _tell(made, out, as_json=as_json)


def _tell(made: Designed, out: str | None, *, as_json: bool) -> None:
    from nmrqb.report import design_document, design_text, dump

    made = made.named(Path(out).stem if out else "design")
    if out is not None:
        made.save(out)
    if as_json:
        write(dump(design_document(made, out)))
    else:
        write(made.text.rstrip() if out is None else design_text(made, out))
    if made.average is not None and made.average.target is not None and not made.average.target.met:
        leave(TARGET_NOT_MET)


def _designed(wishes: Wishes) -> Designed:
    """Go the way that the options ask for, or that the sample does."""
    from nmrqb.design.pair import couples_by_zz
    from nmrqb.sample import load_sample

    sample = load_sample(wishes.sample)
    if wishes.shaped is not None:
        return _pulse(wishes, sample)
    wishes.refuse_search("without --shaped")
    if wishes.control or wishes.refocus or not couples_by_zz(sample):
        return _frames(wishes, sample)
    return _pair(wishes, sample)


def _pair(wishes: Wishes, sample: Sample) -> Designed:
    from nmrqb.cli.wanted import pair_key
    from nmrqb.design import design_sequence

    terms, T = wishes.request(pair_key)
    return design_sequence(
        sample,
        terms,
        time=T,
        cycles=wishes.cycles,
        exact=wishes.exact,
        fill=wishes.fill,
        optimise=wishes.optimise or "time",
        sample_name=wishes.sample,
    )


def _frames(wishes: Wishes, sample: Sample) -> Designed:
    from nmrqb.cli.wanted import many_key
    from nmrqb.design.toggling import design_frames

    wishes.refuse_pair("with cycles of toggling frames")
    terms, T = wishes.request(many_key(sample))
    return design_frames(
        sample,
        terms,
        control=wishes.control or "channels",
        refocus=wishes.refocus,
        time=T,
        cycles=wishes.cycles,
        sample_name=wishes.sample,
    )


def _pulse(wishes: Wishes, sample: Sample) -> Designed:
    from nmrqb.cli.wanted import many_key
    from nmrqb.design.grape import design_pulse

    wishes.refuse_pair("with --shaped")
    wishes.refuse_frames("with --shaped")
    terms, T = wishes.request(many_key(sample))
    limits, rules, temperature, seed = wishes.pulse()
    with progress_bar("optimising") as move:
        return design_pulse(
            sample,
            terms,
            limits,
            seed=seed,
            time=T,
            temperature=temperature,
            rules=rules,
            progress=lambda done, _: move(done, rules.iterations),
            sample_name=wishes.sample,
        )
