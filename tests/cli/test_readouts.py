"""``nmrqb readouts``: what a set sees, and the best set."""

from pathlib import Path

import pytest

from nmrqb.files import library


def test_a_complete_set(cli):
    found = cli("readouts", "chloroform", "--set", "II,IX,IY,XX", "--json").document
    assert found["readouts"] == ["II", "IX", "IY", "XX"]
    assert (found["rank"], found["full_rank"], found["complete"]) == (15, 15, True)
    assert found["condition"] == pytest.approx(2)
    assert found["sum_of_variances"] * 4 == pytest.approx(68.67, abs=0.01)
    assert found["invisible"] == []
    assert found["search"] is None
    assert found["observed"] == ["1H", "13C"]
    assert set(found["errors"]) == {a + b for a in "IXYZ" for b in "IXYZ"} - {"II"}
    assert all(figure["determined"] for figure in found["figures"].values())
    text = cli("readouts", "chloroform", "--set", "II,IX,IY,XX").out
    assert "rank 15 of 15: every state is determined" in text
    assert "condition number 2; sum of variances 17.17" in text
    assert "ergotropy: determined" in text


def test_one_channel(cli):
    options = ("--set", "II,IX,IY,XX", "--channel", "1H", "--battery", "B=3Hz,D=20 Hz")
    found = cli("readouts", "chloroform", *options, "--json").document
    assert (found["rank"], found["complete"], found["condition"]) == (10, False, None)
    assert {c["name"] for c in found["invisible"]} == {"IX", "IY", "IZ", "ZX", "ZZ"}
    assert found["errors"]["ZZ"] is None
    assert found["figures"]["energy"] == {"determined": False, "missing": ["IZ"]}
    text = cli("readouts", "chloroform", *options).out
    assert "rank 10 of 15; not seen: IX, IY, IZ, ZX, ZZ" in text
    assert "too few readouts for a whole state" in text
    assert "energy: not determined, misses IZ" in text


def test_the_battery_of_a_shipped_experiment_by_its_name(cli):
    options = ("readouts", "chloroform", "--set", "II,IX", "--json", "--battery")
    terms = cli(*options, "D=20Hz,G=5Hz,Delta=10Hz,epsilon=5Hz,B=2Hz").document["figures"]
    assert cli(*options, "charge_dm_ksea").document["figures"] == terms


def test_the_battery_of_one_spin(cli):
    """Energy is ⟨IZ⟩ of the second spin: the readout of 13C after 90° sees it, others do not."""
    options = ("readouts", "chloroform", "--battery", "spin=13C,frequency=-100 Hz", "--json")
    found = cli(*options, "--set", "IX").document["figures"]["energy"]
    assert found["determined"]
    found = cli(*options, "--set", "XI").document["figures"]["energy"]
    assert found == {"determined": False, "missing": ["IZ"]}


def test_non_selective_pulses_and_the_exchange(cli):
    found = cli("readouts", "oriented_pair", "--non-selective", "--json").document
    assert found["invisible"] == [
        {"name": "XX + YY + ZZ", "pauli": {"XX": 1.0, "YY": 1.0, "ZZ": 1.0}}
    ]
    terms = found["named"][0]["terms"]
    assert found["named"][0]["spins"] == ["H1", "H2"]
    assert terms["isotropic"] == {"determined": False, "error": None, "missing": "XX + YY + ZZ"}
    assert all(term["determined"] for name, term in terms.items() if name != "isotropic")
    assert "no set of these 5 candidates sees XX + YY + ZZ" in found["search"]["certificate"]
    text = cli("readouts", "oriented_pair", "--non-selective").out
    assert "no set of these 5 candidates sees XX + YY + ZZ: together they have rank 14" in text


@pytest.mark.parametrize(
    ("options", "count", "condition"),
    [
        ((), 4, 2.0),
        (("--best", "5", "--criterion", "condition"), 5, 2**0.5),
        (("--set", "II,IX,IY,XI,YI,XX", "--best", "5"), 5, None),
    ],
)
def test_the_best_set(cli, options, count, condition):
    found = cli("readouts", "chloroform", *options, "--json").document
    assert len(found["readouts"]) == count
    assert found["complete"]
    assert condition is None or found["condition"] == pytest.approx(condition)
    assert found["search"]["proven"] is True
    assert "best of all" in cli("readouts", "chloroform", *options).out


def test_steps_and_sequences(cli):
    steps = "II, XX - 2 ms - 45 y , readout_IX"
    found = cli("readouts", "chloroform", "--set", steps, "--pulses", "finite", "--json").document
    assert found["readouts"] == ["II", "XX - 2 ms - 45 y", "readout_IX"]
    assert found["pulses"] == "finite"


def test_a_sample_and_a_sequence_of_ones_own(cli):
    for kind, name in (("sample", "chloroform"), ("sequence", "readout_XX")):
        text = library(kind)[name].read_text(encoding="utf-8")
        Path(f"{kind}.yaml").write_text(text, encoding="utf-8")
    found = cli("readouts", "sample.yaml", "--set", "II,sequence.yaml", "--json").document
    assert found["readouts"] == ["II", "sequence.yaml"]


@pytest.mark.parametrize(
    ("arguments", "fault"),
    [
        (("--set", "II,IZ"), "--set IZ:1:1: `readout` must be 2 letters of I, X, Y"),
        (("--set", "II,,IX"), "--set :1:1: `readout` must be 2 letters"),
        (("--set", "90 x - 3 q"), "'3 q' of '90 x - 3 q' is none"),
        (("--set", "no/such.yaml"), "no/such.yaml"),
        (("--channel", "15N"), "--channel 15N:1:1: sample `chloroform` has no channel `15N`"),
        (("--best", "10"), "--best:1:1: must be at most the number of candidates 9, but is 10"),
        (("--battery", "Q=2Hz"), "--battery Q:1:1: is not a term of a battery"),
        (("--battery", "spin=A,frequency=1Hz"), "spin:1:1: sample `chloroform` has no spin `A`"),
        (("--battery", "spin=1H,D=1Hz"), "and nothing else for a battery of one spin, but holds"),
        (("--battery", "spin=1H,frequency=1"), "--battery frequency:1:1: `1` has no unit"),
        (("--battery", "spin=1H,frequency=0Hz"), "frequency:1:1: must not be 0 Hz"),
        (("--battery", "D=2"), "--battery D:1:1: `2` has no unit"),
        (("--battery", "D"), "must be NAME=VALUE"),
        (("--battery", "charge_dm"), "there is no experiment `charge_dm` in the library; did you"),
        (("--set", "II", "--non-selective"), "--non-selective:1:1: chooses candidates"),
    ],
)
def test_options_that_make_no_sense(cli, arguments, fault):
    outcome = cli("readouts", "chloroform", *arguments)
    assert (outcome.status, outcome.out) == (2, "")
    assert fault in outcome.err


def test_all_faults_of_a_set_at_once(cli):
    outcome = cli("readouts", "chloroform", "--set", "IZ,II,XYZ")
    assert len(outcome.err.splitlines()) == 2


def test_a_sample_that_is_not_there(cli):
    outcome = cli("readouts", "chlorform")
    assert outcome.status == 2
    assert "did you mean `chloroform`" in outcome.err
