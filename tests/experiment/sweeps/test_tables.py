"""Points in CSV files, and their faults at line and column."""

import pytest

from nmrqb.errors import InputError
from nmrqb.experiment.sweeps.tables import table_axes


@pytest.fixture
def table(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def read(text, encoding="utf-8"):
        (tmp_path / "points.csv").write_text(text, encoding=encoding)
        return table_axes("points.csv")

    return read


def test_columns_with_units_in_the_head_and_in_the_cells(table):
    D, T = table("battery.D (kHz), prepare.gibbs.temperature\n1, 20 Hz\n\n-0.5,1 kHz\n")
    assert (D.path, D.units, D.values.tolist()) == ("battery.D", "Hz", [1000, -500])
    assert (T.path, T.units, T.values.tolist()) == ("prepare.gibbs.temperature", "Hz", [20, 1000])


@pytest.mark.parametrize(
    ("text", "faults"),
    [
        ("a (Hz),b (s)\n1,x\ny,2\n", ["points.csv:2:3: `x s`", "points.csv:3:1: `y Hz`"]),
        ("a (Hz),b (s)\n1\n", ["points.csv:2:1: 2 values must stand here"]),
        ("a (Hz),b (s)\n1,2,  3\n", ["points.csv:2:7: 2 values must stand here"]),
        ("a\n1 Hz\n2 s\n", ["points.csv:3:1: values must all be of one kind"]),
        ("a (Hz), (s)\n1,2\n", ["points.csv:1:9: must be a path"]),
        (
            "a (Hz)\n",
            ["points.csv:1:1: needs a line of paths and a line for each point, but holds 1"],
        ),
        ("", ["points.csv:1:1: needs a line of paths"]),
    ],
)
def test_faults_stand_at_line_and_column(table, text, faults):
    with pytest.raises(InputError, match=r"points\.csv") as caught:
        table(text)
    told = [str(fault) for fault in caught.value.faults]
    assert len(told) == len(faults)
    for fault, beginning in zip(told, faults, strict=True):
        assert fault.startswith(beginning)


def test_files_that_cannot_be_read(table, tmp_path):
    with pytest.raises(InputError, match=r"there is no file `no\.csv`"):
        table_axes("no.csv")
    with pytest.raises(InputError, match="is a folder, but a table of points is needed"):
        table_axes(tmp_path)
    with pytest.raises(InputError, match=r":2:3: byte 0xe9 is not UTF-8"):
        table("a (Hz)\n1 é\n", encoding="latin-1")
