"""The verb `nmrqb design`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nmrqb.cli.console import TARGET_NOT_MET, leave, progress_bar, verb, write
from nmrqb.cli.design_options import ControlOf, Optimise, PulseOptions, WantedOptions, WayOptions
from nmrqb.cli.options import JSON, grouped
from nmrqb.errors import OutputError

if TYPE_CHECKING:
    from nmrqb.cli.wanted import Wishes
    from nmrqb.design.designed import Designed
    from nmrqb.sample import Sample


@verb
@grouped
def design(
    sample: Annotated[str, typer.Option(help="Shipped sample or a .yaml file.")],
    wanted: WantedOptions,
    way: WayOptions,
    pulse: PulseOptions,
    out: Annotated[str | None, typer.Option(help="Sequence file (.yaml) to write.")] = None,
    *,
    as_json: Annotated[bool, JSON] = False,
) -> None:
    """Make the sequence that turns a sample's couplings into a wanted Hamiltonian."""
    from nmrqb.cli.wanted import Wishes

    if out is not None:
        _refuse_file(out)
    _tell(_designed(Wishes(sample, wanted, way, pulse)), out, as_json=as_json)


def _refuse_file(out: str) -> None:
    """Refuse a name that is not that of a sequence file, and a file that is not an earlier design.

    Raises
    ------
    OutputError
        If it is one of these.
    """
    from nmrqb.design.designed import is_design

    path = Path(out)
    if path.suffix.lower() not in {".yaml", ".yml"}:
        raise OutputError(f"`{out}` must end in .yaml or .yml, for it is a sequence file", out)
    if path.is_file() and not is_design(path):
        message = f"`{out}` exists already and is no design; give another name or remove it first"
        raise OutputError(message, out)


def _tell(made: Designed, out: str | None, *, as_json: bool) -> None:
    from nmrqb.design.designed import is_met
    from nmrqb.report import design_document, design_text, dump

    made = made.named(Path(out).stem if out else "design")
    if out is not None:
        made.save(out)
    if as_json:
        write(dump(design_document(made, out)))
    else:
        write(made.text.rstrip() if out is None else design_text(made, out))
    if not is_met(made):
        leave(TARGET_NOT_MET)


def _designed(wishes: Wishes) -> Designed:
    """Go the way that the options ask for, or that the sample does."""
    from nmrqb.design.pair import couples_by_zz
    from nmrqb.sample import load_sample

    sample = load_sample(wishes.sample)
    if wishes.pulse.shaped is not None:
        return _pulse(wishes, sample)
    wishes.refuse_search("without --shaped")
    if wishes.way.control or wishes.way.refocus or not couples_by_zz(sample):
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
        cycles=wishes.way.cycles,
        exact=wishes.way.exact,
        fill=wishes.way.fill,
        optimise=(wishes.way.optimise or Optimise.time).value,
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
        control=(wishes.way.control or ControlOf.channels).value,
        refocus=wishes.way.refocus,
        time=T,
        cycles=wishes.way.cycles,
        sample_name=wishes.sample,
    )


def _pulse(wishes: Wishes, sample: Sample) -> Designed:
    from nmrqb.cli.wanted import many_key
    from nmrqb.design.grape import design_pulse

    wishes.refuse_pair("with --shaped")
    wishes.refuse_frames("with --shaped")
    terms, T = wishes.request(many_key(sample))
    limits, rules, temperature, seed = wishes.search()
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
