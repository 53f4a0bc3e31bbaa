"""Data files: every fault with its place, and what the entries mean."""

import pytest

from nmrqb.errors import InputError
from nmrqb.experiment.recorded import load_data

HEAD = "format: nmrqb-data/1\nsample: chloroform\n"
GOOD = HEAD + "files:\n  - {file: 1, channel: 1H, readout: XI, experiment: P0, near: 7.26 ppm}\n"


def loaded(text, tmp_path):
    (tmp_path / "data.yaml").write_text(text)
    return load_data(tmp_path / "data.yaml")


def test_what_a_file_means(tmp_path):
    data = loaded(GOOD + "channels: {1H: {frequency: 62.375 MHz}}\nreader: bruker\n", tmp_path)
    (file,) = data.files
    assert file.data.path == tmp_path / "1"
    assert file.data.reader == "bruker"
    assert file.near == (7.26, "ppm")
    assert data.frequency_hz("13C") == pytest.approx(15.6875e6, rel=1e-4)
    assert data.frequency_hz("1H") == 62.375e6
    assert {k: dict(w) for k, w in data.weights.items()} == {"sum": {"P0": 1.0}}
    assert data.name == "data"


def test_the_reference_is_not_part_of_the_sum(tmp_path):
    more = "  - {file: 2, channel: 1H, readout: XI, experiment: eq}\n"
    data = loaded(GOOD + more + "calibration: {experiment: eq, state: thermal}\n", tmp_path)
    assert dict(data.weights["sum"]) == {"P0": 1.0}
    assert data.reference.paulis["ZI"] == 1.0
    assert data.reference.paulis["IZ"] == pytest.approx(0.2515, abs=1e-4)


@pytest.mark.parametrize("name", ["chloroform_00", "chloroform_01"])
def test_shipped_data_files(name):
    data = load_data(name, folder="somewhere")
    assert data.name == name
    assert len(data.files) >= 6
    assert all(str(file.data.path).startswith("somewhere") for file in data.files)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (HEAD, r"1:1: .*must hold `files` for a tomography or `series`"),
        (GOOD.replace("XI", "XQ"), r"4:37: `readout` must be 2 letters of I, X, Y"),
        (GOOD.replace("channel: 1H", "channel: 2H"), r"4:24: .*no channel `2H`; Valid: 13C, 1H"),
        (GOOD.replace("7.26 ppm", "7.26 pm"), r"4:\d+: `near` must be a place in the spectrum"),
        (GOOD.replace("chloroform", "chlorofrom"), r"2:9: there is no sample .*did you mean"),
        (GOOD + "combine: {P9: 1}", r"5:11: no file belongs to experiment `P9`; Valid: P0"),
        (GOOD + "combine: {P0: 0}", r"5:10: all weights are 0"),
        (
            GOOD + "calibration: {experiment: E, state: thermal}",
            r"no file belongs to experiment `E`",
        ),
        (GOOD + "calibration: {experiment: P0, state: {ZQ: 1}}", r"must be a Pauli string of 2"),
        (GOOD + "calibration: {experiment: P0, state: {ZI: 0}}", r"all its numbers are 0"),
        (GOOD + "channels: {13X: {}}", r"5:12: .*no channel `13X`; did you mean `13C`"),
        (GOOD + "reader: brucker", r"5:9: `reader` must be a reader.*did you mean `bruker`"),
        (GOOD + GOOD.splitlines()[3] + "\n", r"5:\d+: this experiment, readout and channel stands"),
        (GOOD + "titel: x", r"5:1: unknown key `titel`; did you mean `title`"),
        (GOOD + "series: [{file: 1, measures: T1, near: 1 ppm}]", r"`spin` must name the spin"),
        (
            GOOD + "series: [{file: 1, measures: J, near: 1 ppm, spin: 1H}]",
            r"`between` must hold two",
        ),
        (
            GOOD + "series: [{file: 1, measures: T1, spin: 1H}]",
            r"`near` must say where the line is",
        ),
        (
            GOOD + "series: [{file: 1, measures: T1, near: 1 ppm, spin: 2H}]",
            r"no spin `2H`; Valid: 13C, 1H",
        ),
        (
            GOOD + "series: [{file: 1, measures: T1, near: 1 ppm, spin: 1H, window: 0 Hz}]",
            r"5:\d+: `window` must be positive, but is 0$",
        ),
        (
            GOOD + "series: [{file: 1, measures: T1, near: 1 ppm, spin: 1H, window: -5 Hz}]",
            r"5:\d+: `window` must be positive, but is -5$",
        ),
    ],
)
def test_faults_have_their_place(text, message, tmp_path):
    with pytest.raises(InputError, match=message):
        loaded(text, tmp_path)


def test_finite_pulses_need_their_lengths(tmp_path):
    (tmp_path / "s.yaml").write_text(
        "format: nmrqb-sample/1\nspins: [{label: A, nucleus: 1H}, {label: C, nucleus: 13C}]\n"
    )
    text = GOOD.replace("sample: chloroform", "sample: ./s.yaml") + "pulses: finite\n"
    with pytest.raises(InputError, match=r"5:9: finite pulses need `pulse_90` of every spin"):
        loaded(text, tmp_path)


# ------------------------------------------------------------------------------ tables of integrals
ROWS = """  - {file: i.txt, record: 1, channel: 1H, readout: XI, experiment: P0}
  - {file: i.txt, record: 2, channel: 1H, readout: II, experiment: P0}
"""
TABLE = HEAD + "channels: {1H: {integrals: {columns: [3, 2], order: descending, error: 2 %}}}\n"
TABLE += "files:\n" + ROWS
SERIES = HEAD + "series:\n  - {file: t.txt, measures: T1, spin: 1H, times: [1 s, 2 s], "
SERIES += "integrals: {columns: [2], error: 0.1}}\n"


def test_what_a_table_means(tmp_path):
    """Columns count from 1 and come to stand in ascending order, errors with them."""
    text = TABLE.replace("error: 2 %", "error: [0.1, 2 %], imaginary: j.txt")
    own = "{columns: [5, 6], order: ascending, noise: [1, 2]}"
    text = text.replace("readout: II", f"readout: II, integrals: {own}")
    first, second = loaded(text, tmp_path).files
    assert first.data.integrals.columns == (1, 2)
    assert first.data.integrals.errors == ((0.02, True), (0.1, False))
    assert first.data.integrals.imaginary == tmp_path / "j.txt"
    assert first.data.row == 0
    assert second.data.integrals.columns == (4, 5)
    assert second.data.integrals.errors == ()
    assert second.data.integrals.noise == (0, 1)
    (series,) = loaded(SERIES, tmp_path).series
    assert series.data.integrals.errors == ((0.1, False),)
    assert series.near is None


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (", error: 2 %", "", r"3:\d+: .*`error` or `noise` must tell how well integrals are known"),
        ("error: 2 %", "error: 2 %, noise: [4]", r"3:\d+: .*`error` or `noise` must tell"),
        ("error: 2 %", "error: 0", r"3:\d+: .*`error` must be a positive number"),
        ("error: 2 %", "error: -1 %", r"3:\d+: .*`error` must be a positive number"),
        ("error: 2 %", "error: 2 Hz", r"3:\d+: .*`error` must be a positive number"),
        ("error: 2 %", "error: {a: 1}", r"3:\d+: .*`error` must be a positive number"),
        ("error: 2 %", "error: [1, 1, 1]", r"`error` must hold one number, or one for each of 2"),
        (", order: descending", "", r"3:\d+: .*`order` must say whether the columns ascend"),
        ("descending", "down", r"3:53: `order` must not be 'down'; Valid: asc"),
        ("[3, 2]", "[3, 3]", r"3:\d+: .*must name different columns"),
        ("[3, 2]", "[3, 0]", r"3:42: .*must be 1 or more, but is 0"),
        ("[3, 2]", "[]", r"3:38: `columns` must have at least 1 entry, but is \[\]"),
        ("[3, 2]", "[3, 2, 4]", r"3:38: must name a column for each of the 2 lines of 1H, .* 3"),
        ("record: 1", "reader: csv", r"5:\d+: `reader` says nothing of a table of integrals"),
        ("record: 1", "near: 7 ppm", r"5:\d+: `near` says nothing of a table of integrals"),
        ("record: 1", "first_point: 3", r"5:\d+: `first_point` says nothing of a table"),
        ("record: 1", "conjugate: true", r"5:\d+: `conjugate` says nothing of a table"),
        ("record: 1", "record: 2", r"6:12: this file stands in line 5 already"),
        ("files:", "lines: known\nfiles:", r"4:8: `lines: known` needs FIDs, but there are tables"),
        (
            "error: 2 %",
            "error: 2 %, imaginery: a",
            r"3:\d+: .*`imaginery`; did you mean `imaginary`",
        ),
    ],
)
def test_faults_of_tables_have_their_place(old, new, message, tmp_path):
    with pytest.raises(InputError, match=message):
        loaded(TABLE.replace(old, new, 1), tmp_path)


def test_tables_beside_spectra_of_a_channel(tmp_path):
    table = "integrals: {columns: [1, 2], order: ascending, error: 1}"
    line = f"  - {{file: i.txt, channel: 1H, readout: II, experiment: P0, {table}}}\n"
    with pytest.raises(InputError, match=r"4:12: other files of 1H are tables of integrals"):
        loaded(GOOD + line, tmp_path)
    assert len(loaded(GOOD + line.replace("1H", "13C"), tmp_path).files) == 2


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("measures: T1", "measures: linewidth", r"4:\d+: integrals do not tell linewidth"),
        ("times: [1 s, 2 s]", "record: 1", r"4:5: missing key `times`"),
        ("times: [1 s, 2 s]", "record: 1", r"4:\d+: `record` says nothing of a series"),
        ("times: [1 s, 2 s]", "near: 1 ppm", r"4:\d+: `near` says nothing of a table"),
        ("times: [1 s, 2 s]", "window: 1 Hz", r"4:\d+: `window` says nothing of a table"),
        ("[2]", "[2, 3], order: ascending", r"4:\d+: must name the one column of the line"),
        ("error: 0.1", "error: 0.1, imaginary: a", r"4:\d+: `imaginary` says nothing of a series"),
    ],
)
def test_faults_of_series_of_integrals(old, new, message, tmp_path):
    with pytest.raises(InputError, match=message):
        loaded(SERIES.replace(old, new, 1), tmp_path)
