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
            GOOD + "series: [{file: 1, measures: T1, near: 1 ppm, spin: 2H}]",
            r"no spin `2H`; Valid: 13C, 1H",
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
