"""``nmrqb compile``: what it prints, and how it leaves."""

import json
import re

import pytest

from nmrqb.files import library

J = 215.13


def compiled(cli, *arguments, status=0):
    outcome = cli("compile", *arguments, "--json")
    assert outcome.status == status, outcome.err
    assert outcome.err == ""
    return outcome.document


def others(named, *wanted):
    return [abs(value) for name, value in named.items() if name not in wanted]


def test_dm_makes_an_eighth_of_J(cli):
    document = compiled(cli, "dm", "--sample", "chloroform")
    assert document["named_hz"]["DM_z"] == pytest.approx(26.89125, rel=1e-6)
    assert max(others(document["named_hz"], "DM_z")) < 1e-9
    assert document["cyclic"] is True
    assert document["cycles_to_close"] == 1
    assert document["duration_s"] == document["free_evolution_s"] == pytest.approx(1 / (2 * J))
    assert document["target"]["met"] is True
    assert document["diagnosis"] == []


def test_ksea_makes_an_eighth_of_J(cli):
    document = compiled(cli, "ksea")
    assert document["named_hz"]["KSEA_z"] == pytest.approx(J / 8, rel=1e-6)
    assert max(others(document["named_hz"], "KSEA_z")) < 1e-9


def test_the_literature_sequence_is_told_off(cli):
    document = compiled(cli, "literature_dm", status=1)
    assert document["cyclic"] is False
    assert document["cycles_to_close"] == 3
    codes = {item["code"] for item in document["diagnosis"]}
    assert codes == {"not-cyclic", "dm-forbidden-by-exchange-symmetry"}
    zeroth = document["orders"][0]["pauli_hz"]
    wanted = dict.fromkeys(("XX", "YY", "ZZ"), J / 12)
    assert zeroth == pytest.approx({name: wanted.get(name, 0) for name in zeroth}, abs=1e-9)
    assert document["named_hz"]["isotropic"] == pytest.approx(J / 12, rel=1e-6)
    assert max(others(document["named_hz"], "isotropic")) < 1e-9
    target = document["target"]
    assert target["met"] is False
    # 2-norm of J/12 (XX + YY + ZZ) − J/8 (XY − YX)
    assert target["error_hz"] == pytest.approx(J * (3 / 12**2 + 2 / 8**2) ** 0.5)


def test_finite_pulses_last(cli):
    document = compiled(cli, "dm", "--pulses", "finite", status=1)
    assert document["pulses"] == "finite"
    assert document["free_evolution_s"] == pytest.approx(1 / (2 * J))
    assert document["duration_s"] == pytest.approx(1 / (2 * J) + 4 * 77e-6)
    assert document["named_hz"]["DM_z"] == pytest.approx(J / 8, rel=0.1)
    assert document["named_hz"]["DM_z"] != pytest.approx(J / 8, rel=1e-3)


def test_exchanged_roles_turn_the_sign_of_dm(cli):
    document = compiled(cli, "dm", "--spins", "I=13C,S=1H")
    assert document["spins"] == ["1H", "13C"]
    assert document["named_hz"]["DM_z"] == pytest.approx(-J / 8)
    assert document["target"]["named_hz"]["DM_z"] == pytest.approx(-J / 8)
    assert document["target"]["met"] is True
    symmetric = compiled(cli, "ksea", "--spins", "I=13C, S=1H")
    assert symmetric["named_hz"]["KSEA_z"] == pytest.approx(J / 8)


@pytest.mark.parametrize("order", [0, 3])
def test_the_order_truncates(cli, order):
    document = compiled(cli, "dm", "--order", order)
    assert [term["order"] for term in document["orders"]] == list(range(order + 1))
    assert document["named_from"] == "series"
    assert compiled(cli, "dm")["named_from"] == "exact"


def test_parameters_can_be_set(cli):
    document = compiled(cli, "dm", "--set", "t=0.5 ms")
    assert document["free_evolution_s"] == pytest.approx(1e-3)
    assert document["named_hz"]["DM_z"] == pytest.approx(J / 8)
    weaker = compiled(cli, "dm_ksea", "--set", "D=10Hz", "--set", "G = 5 Hz", "--set", "T=2ms")
    named, scale = weaker["named_hz"], weaker["duration_s"] / 2e-3
    assert named["DM_z"] * scale == pytest.approx(10)
    assert named["KSEA_z"] * scale == pytest.approx(5)


def test_another_sample(cli, tmp_path):
    text = library("sample")["chloroform"].read_text(encoding="utf-8")
    (tmp_path / "mine.yaml").write_text(text.replace("J: 215.13 Hz", "J: 100 Hz"), "utf-8")
    document = compiled(cli, "dm", "--sample", "mine.yaml")
    assert document["named_hz"]["DM_z"] == pytest.approx(100 / 8)


def test_a_sequence_of_ones_own(cli, tmp_path):
    text = library("sequence")["dm"].read_text(encoding="utf-8")
    (tmp_path / "dm.yaml").write_text(text.replace("DM_z: J/8", "DM_z: J/7"), "utf-8")
    assert compiled(cli, "dm.yaml", status=1)["target"]["met"] is False
    assert compiled(cli, "dm")["target"]["met"] is True  # no local file shadows a shipped name


def test_without_any_sample(cli, tmp_path):
    text = library("sequence")["dm"].read_text(encoding="utf-8")
    (tmp_path / "bare.yaml").write_text(text.replace("sample: chloroform\n", ""), "utf-8")
    outcome = cli("compile", "bare.yaml")
    assert outcome.status == 2
    assert outcome.err.startswith("bare.yaml:1:1: ")
    assert "give one with --sample" in outcome.err
    assert cli("compile", "bare.yaml", "--sample", "chloroform").status == 0


def test_the_table_says_the_same(cli):
    outcome = cli("compile", "dm")
    assert outcome.status == 0
    row = next(line.split() for line in outcome.out.splitlines() if "DM_z" in line)
    assert float(row[1]) == pytest.approx(J / 8, rel=1e-5)
    assert cli("compile", "literature_dm").status == 1


def test_every_shipped_sequence_compiles(cli):
    """Only the literature sequence misses its own target; some make no single Hamiltonian."""
    for name in library("sequence"):
        outcome = cli("compile", name, "--json")
        if outcome.status == 2:
            assert re.search("free of gradients|must take time", outcome.err), outcome.err
        else:
            assert outcome.status == (1 if name == "literature_dm" else 0), name
            json.loads(outcome.out)
