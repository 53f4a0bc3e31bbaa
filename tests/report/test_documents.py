"""The JSON documents that programs rely on."""

import json

import numpy as np
import pytest

from nmrqb.average import compile_sequence
from nmrqb.errors import Fault, Position
from nmrqb.experiment import load_experiment, run
from nmrqb.report import check_document, compile_document, dump, result_document
from nmrqb.report.average_document import pauli_document
from nmrqb.sample import load_sample
from nmrqb.sequence import load_sequence

QUICK = {"measure.replicas": "50", "measure.points": "64"}


def compiled(name, **options):
    return compile_sequence(load_sequence(name), load_sample("chloroform"), **options)


@pytest.fixture(scope="module")
def driven():
    overrides = {**QUICK, "charge.times.points": "5"}
    return run(load_experiment("charge_dm_ksea", overrides=overrides))


@pytest.fixture(scope="module")
def cycled():
    overrides = {**QUICK, "charge.cycles.stop": "2"}
    return run(load_experiment("charger_battery_dm", overrides=overrides))


# -------------------------------------------------------------------------------- numbers as JSON
def test_what_is_not_finite_is_null():
    document = {"a": [np.nan, float("inf"), -np.inf, 1.5], "b": {"c": np.float64("nan")}}
    assert json.loads(dump(document)) == {"a": [None, None, None, 1.5], "b": {"c": None}}


def test_numbers_of_numpy_are_plain_and_whole():
    document = {"n": np.int64(3), "ok": np.bool_(True), "x": np.float64(0.1), 5: (1, 2)}
    text = dump(document)
    assert json.loads(text) == {"n": 3, "ok": True, "x": 0.1, "5": [1, 2]}
    third = 1 / 3
    assert json.loads(dump({"x": third}))["x"] == third  # to the last bit
    assert dump({"x": "Δ"}).isascii()


# ------------------------------------------------------------------------------------ compile
CONTRACT = {
    "sequence": str, "sample": str, "spins": list, "duration_s": float, "free_evolution_s": float,
    "cyclic": bool, "cycles_to_close": int, "orders": list, "exact": dict, "named_hz": dict,
    "pairs": list, "target": dict, "diagnosis": list, "robustness": list,
}  # fmt: skip
NAMED = {
    "DM_x", "DM_y", "DM_z", "KSEA_x", "KSEA_y", "KSEA_z", "isotropic", "Delta", "epsilon", "B",
    "other",
}  # fmt: skip


@pytest.mark.parametrize("name", ["dm", "literature_dm", "spin_echo"])
def test_the_contract_of_compile(name):
    document = json.loads(dump(compile_document(compiled(name))))
    kinds = CONTRACT | ({"target": type(None)} if name == "spin_echo" else {})
    assert {key: type(document[key]) for key in CONTRACT} == kinds
    assert set(document["named_hz"]) == NAMED
    assert [order["order"] for order in document["orders"]] == [0, 1, 2]
    for order in document["orders"]:
        assert {"order", "pauli_hz", "norm_hz"} <= set(order)
        assert len(order["pauli_hz"]) == 15
        assert "II" not in order["pauli_hz"]
    assert {"pauli_hz", "branch_safe"} <= set(document["exact"])
    assert document["pairs"][0]["spins"] == ["1H", "13C"]
    assert set(document["pairs"][0]["named_hz"]) == NAMED
    for row in document["robustness"]:
        assert {"error", "size", "infidelity"} <= set(row)
    for item in document["diagnosis"]:
        assert {"code", "message"} <= set(item)
    if document["target"] is not None:
        assert {"named_hz", "met", "error_hz"} <= set(document["target"])


def test_what_never_closes_is_null(tmp_path):
    text = "format: nmrqb-sequence/1\nspins: {I: any, S: any}\nsequence:\n"
    path = tmp_path / "open.yaml"
    path.write_text(text + "  - pulse: {I: 77.7 x, S: 90 y}\n  - delay: 1 ms\n", encoding="utf-8")
    average = compile_sequence(load_sequence(path), load_sample("chloroform"))
    document = json.loads(dump(compile_document(average)))
    assert document["cycles_to_close"] is None
    assert document["cyclic"] is False
    assert document["target"] is None


def test_norms_are_spectral():
    document = compile_document(compiled("dm"))
    # XY − YX has the eigenvalues ±2 and 0
    assert document["orders"][0]["norm_hz"] == pytest.approx(2 * 215.13 / 8)


def test_large_registers_list_only_what_is_there():
    H = np.kron(np.kron(np.diag([1, -1]), np.diag([1, -1])), np.eye(2)).astype(complex)
    assert pauli_document(7 * H) == {"ZZI": 7}


# ---------------------------------------------------------------------------------------- check
def test_the_document_of_check():
    faults = (Fault(Position("inner.yaml", 3, 4), "must be so"),)
    assert check_document({"a.yaml": faults, "b.yaml": ()}) == {
        "files": [
            {
                "file": "a.yaml",
                "ok": False,
                "faults": [{"file": "inner.yaml", "line": 3, "column": 4, "message": "must be so"}],
            },
            {"file": "b.yaml", "ok": True, "faults": []},
        ]
    }


# ------------------------------------------------------------------------------------------- run
def test_the_contract_of_run(driven):
    document = json.loads(dump(result_document(driven, ["x/result.nc"])))
    assert document["experiment"] == "charge_dm_ksea"
    assert document["seed"] == 1
    assert document["files"] == ["x/result.nc"]
    assert set(document["provenance"]) >= {"nmrqb", "inputs_sha256"}
    for point in document["points"]:
        assert {"time_s", "laboratory_time_s", "true", "estimate"} <= set(point)
        wanted = {"ergotropy_hz", "anti_ergotropy_hz", "capacity_hz", "coherence_l1"}
        assert wanted | {"coherence_l1_computational"} <= set(point["true"])
        assert set(point["estimate"]) == wanted | {"fidelity_to_true"}
        for name in wanted:
            found = point["estimate"][name]
            bounds = {"lower_bound", "upper_bound", "significant"}
            assert set(found) == {"value", "low", "high", "raw"} | bounds
            assert found["significant"] == (found["low"] > 0 or found["high"] < 0)


def test_points_are_those_of_the_data(driven):
    data = driven.data
    points = result_document(driven, [])["points"]
    assert [point["time_s"] for point in points] == data["time"].values.tolist()
    for name in ("ergotropy", "capacity", "anti_ergotropy"):
        true = [point["true"][f"{name}_hz"] for point in points]
        assert true == data[f"true_{name}"].values.tolist()
        for part, variable in (("value", name), ("low", f"{name}_low"), ("raw", f"{name}_raw")):
            estimates = [point["estimate"][f"{name}_hz"][part] for point in points]
            assert estimates == data[variable].values.tolist()
    fidelities = [point["estimate"]["fidelity_to_true"] for point in points]
    assert fidelities == data["fidelity_to_true"].values.tolist()


def test_a_drive_has_neither_cycles_nor_model(driven, cycled):
    for point in result_document(driven, [])["points"]:
        assert not {"cycles", "model"} & set(point)
    points = result_document(cycled, [])["points"]
    assert [point["cycles"] for point in points] == [0, 1, 2]
    model = [point["model"]["ergotropy_hz"] for point in points]
    assert model == cycled.data["model_ergotropy"].values.tolist()
    assert set(points[0]["excited_population"]) == {"1H", "13C"}
    assert points[0]["excited_population"]["1H"] > 0.5
    assert points[2]["free_evolution_s"] == pytest.approx(2 / (8 * 215.13))


def test_the_misfit_is_near_its_degrees_of_freedom(driven):
    misfit = result_document(driven, [])["chi2"]
    # 4 readouts × 2 channels × 2 lines × 2 quadratures, less 15 coefficients
    assert misfit["degrees_of_freedom"] == 17
    assert misfit["mean"] == pytest.approx(17, abs=4 * np.sqrt(2 * 17 / 5))


def test_work_measured_directly_stands_beside_its_truth():
    overrides = {**QUICK, "charge.times.points": "3", "measure.direct_work": "true"}
    result = run(load_experiment("charge_dm_ksea", overrides=overrides))
    points = json.loads(dump(result_document(result, [])))["points"]
    for k, point in enumerate(points):
        at = result.data.isel(time=k)
        assert point["true"]["extracted_work_hz"] == float(at["true_extracted_work"])
        work = point["estimate"]["extracted_work_hz"]
        assert set(work) == {"value", "low", "high", "error", "significant"}
        for part, name in (("value", ""), ("low", "_low"), ("high", "_high"), ("error", "_error")):
            assert work[part] == float(at[f"extracted_work{name}"])
        assert work["significant"] == (work["low"] > 0 or work["high"] < 0)
    assert points[1]["estimate"]["extracted_work_hz"]["significant"]


def test_without_direct_work_there_is_none(driven):
    point = result_document(driven, [])["points"][0]
    assert "extracted_work_hz" not in point["true"] | point["estimate"]
