"""Options that come in groups: the command line shows the fields, the verb gets the group."""

from dataclasses import dataclass
from typing import Annotated

import pytest
import typer
from typer.testing import CliRunner

from nmrqb.cli.options import grouped


@dataclass(frozen=True)
class Size:
    width: Annotated[float, typer.Option(help="How wide.")]
    height: Annotated[float, typer.Option("--tall", min=0)] = 2.0


def called(*words):
    seen = []

    @grouped
    def verb(name: str, size: Size, *, loud: bool = False) -> None:
        """Tell a size."""
        seen.append((name, size, loud))

    app = typer.Typer(rich_markup_mode=None)
    app.command()(verb)
    result = CliRunner().invoke(app, words)
    return result, seen


def test_the_verb_gets_the_group():
    result, seen = called("box", "--width", "3", "--loud")
    assert result.exit_code == 0
    assert seen == [("box", Size(3.0, 2.0), True)]
    assert called("box", "--tall", "1", "--width", "3")[1] == [("box", Size(3.0, 1.0), False)]


def test_fields_stand_in_the_place_of_the_group():
    text = called("--help")[0].output
    assert "Tell a size." in text
    places = [text.index(word) for word in ("--width", "How wide.", "--tall", "--loud")]
    assert places == sorted(places)
    assert "--size" not in text


@pytest.mark.parametrize(
    "words", [["box"], ["box", "--width", "x"], ["box", "--width", "1", "--tall", "-1"]]
)
def test_fields_are_checked_as_options(words):
    result, seen = called(*words)
    assert result.exit_code == 2
    assert not seen
