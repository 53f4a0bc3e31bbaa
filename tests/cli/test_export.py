"""``nmrqb export``: programs for the spectrometer."""

import json

import pytest

from nmrqb.sequence.shapes import read_shape


def test_a_program_with_its_parameters_and_its_prediction(cli, tmp_path):
    found = cli("export", "dm", "--to", "topspin", "--out", tmp_path / "out").out
    assert "predicted average Hamiltonian H/2pi: " in found
    assert "cnst2 = 215.13" in found
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == [
        "dm", "parameters.txt", "summary.json",
    ]  # fmt: skip
    document = json.loads((tmp_path / "out" / "summary.json").read_text(encoding="utf-8"))
    compiled = cli("compile", "dm", "--pulses", "finite", "--json").document
    assert document["named_hz"] == pytest.approx(compiled["named_hz"], abs=1e-3)
    again = cli("export", "dm", "--out", tmp_path / "out", "--json").document
    assert again == document


def test_a_shaped_pulse_comes_with_its_file(cli, tmp_path):
    file = tmp_path / "soft.yaml"
    file.write_text(
        "format: nmrqb-sequence/1\nspins: {I: 1H, S: 13C}\nsample: chloroform\nsequence:\n"
        "  - pulse: {I: {angle: 90 deg, phase: x, duration: 2 ms, shape: gaussian}}\n"
        "  - delay: 1 ms\n  - pulse: {S: 90 x}\n",
        encoding="utf-8",
    )
    cli("export", file, "--out", tmp_path / "out")
    assert read_shape(tmp_path / "out" / "soft.1").points == 200


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["dm", "--to", "vnmrj"], "`--to` must be one of topspin, but is 'vnmrj'"),
        (["cpmg_decay"], "must open the receiver once, at the end, but do at event"),
        (["dm", "--raster", "0 s"], "`raster_s` must be positive, but is 0"),
        (["dm", "--observe", "19F"], "`observe` must be one of ('1H', '13C'), but is '19F'"),
    ],
)
def test_what_cannot_be_exported_is_one_line(cli, arguments, message):
    found = cli("export", *arguments)
    assert found.status == 2
    assert message in found.err
    assert found.err.count("\n") == 1
