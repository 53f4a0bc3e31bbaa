"""``nmrqb export``: programs for the spectrometer."""

import json
import math
import re

import pytest

from nmrqb.files import library
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


def test_nothing_to_see_is_warned_of_and_a_readout_mends_it(cli, tmp_path):
    bare = cli("export", "dm", "--out", tmp_path / "out").out
    assert "  WARNING: what is acquired on 1H is 0.0193 of" in bare
    found = cli("export", "dm", "--readout", "XI", "--out", tmp_path / "out", "--json").document
    assert found["readout"] == "XI"
    assert found["observed"] == "1H"
    assert found["signal"] > 0.5
    assert found["warnings"] == []
    carbon = cli("export", "dm", "--readout", "90 y", "--observe", "13C", "--out", tmp_path / "out")
    assert "acquired on 13C: " in carbon.out
    assert "WARNING" not in carbon.out


@pytest.mark.parametrize(("raster", "warned"), [("1ms", True), ("25ns", False)])
def test_what_rounding_costs_is_warned_of(cli, raster, warned):
    made = cli("export", "inept", "--set", "t=1ms", "--raster", raster)
    assert made.status == 0
    assert "rounding to the hardware costs " in made.out
    assert ("WARNING: rounding to the hardware costs " in made.out) is warned


def test_the_time_between_scans_is_chosen_and_told(cli, tmp_path):
    document = cli("export", "inversion_recovery", "--out", tmp_path / "out", "--json").document
    assert document["relaxation_delay_s"] == pytest.approx(50)
    assert document["recovered_share"] == {
        "1H": pytest.approx(1 - math.exp(-5)), "13C": pytest.approx(1 - math.exp(-5)),
    }  # fmt: skip
    found = cli(
        "export", "inversion_recovery", "--relaxation-delay", "20 s", "--out", tmp_path / "out"
    ).out
    assert "WARNING: d1 = 20 s is less than 5 T1: all scans but the first saturate" in found
    assert "1H 0.8647 (T1 10 s), 13C 0.8647 (T1 10 s)" in found
    assert re.search(r"^d1 += 20 s ", found, re.MULTILINE)


def test_gradients_recover_and_it_is_told(cli, tmp_path):
    document = cli("export", "spatial_averaging", "--out", tmp_path / "out", "--json").document
    assert document["recovery_added_s"] == [200e-6, 200e-6]
    found = cli(
        "export", "spatial_averaging", "--gradient-recovery", "500 us", "--out", tmp_path / "out"
    ).out
    assert "recovery 500 us each; added after 2 of them, 1000 us in all" in found
    without = cli(
        "export", "spatial_averaging", "--gradient-recovery", "0 s", "--out", tmp_path / "out"
    ).out
    assert "d16" not in without


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["dm", "--to", "vnmrj"], "`--to` must be one of topspin, but is 'vnmrj'"),
        (
            ["temporal_averaging"],
            "1, 11, 21 events; export each from a copy of the file whose phase_cycle has "
            "one value in place of `step: [0, 1, 2]`, the first `step: [0]`",
        ),
        (["cpmg_decay"], "must open the receiver once, at the end, but do at event"),
        (["dm", "--raster", "0 s"], "`raster_s` must be positive, but is 0"),
        (["dm", "--relaxation-delay", "0 s"], "`relaxation_delay_s` must be positive, but is 0"),
        (["dm", "--gradient-recovery", "10 ns"], "`recovery_s` must be 0 or at least the shortest"),
        (["dm", "--readout", "XQ"], "`readout` must be 2 letters of I, X, Y"),
        (["dm_sign", "--readout", "XX"], "must go with a sequence that has no `acquire`"),
        (["dm", "--observe", "19F"], "`observe` must be one of ('1H', '13C'), but is '19F'"),
    ],
)
def test_what_cannot_be_exported_is_one_line(cli, arguments, message):
    found = cli("export", *arguments)
    assert found.status == 2
    assert message in found.err
    assert found.err.count("\n") == 1


@pytest.mark.parametrize("step", [0, 1, 2])
def test_experiments_that_are_added_up_are_exported_one_by_one(cli, tmp_path, step):
    """As the message above says."""
    text = library("sequence")["temporal_averaging"].read_text(encoding="utf-8")
    assert "{step: [0, 1, 2]}" in text
    alone = tmp_path / "alone.yaml"
    alone.write_text(text.replace("[0, 1, 2]", f"[{step}]"), encoding="utf-8")
    assert cli("export", str(alone), "--readout", "1H: 90 y").status == 0
