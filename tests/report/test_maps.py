"""Summary, document and picture of a map."""

import json

import numpy as np
import pytest

from nmrqb.experiment.sweeps import sweep
from nmrqb.report import dump, map_document, map_figure, map_text, maps, write_map_report
from nmrqb.report.maps import Extremes, map_extremes

OVER = {"battery.D": "0Hz:20Hz:30", "battery.G": "-5Hz:5Hz:50"}


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    return sweep("charge_dm_ksea", OVER, out=tmp_path_factory.mktemp("maps") / "map", block=1)


def test_extremes_over_all_blocks(found):
    assert found.store.layout.blocks > 1
    data = found.data
    extremes = {e.name: e for e in map_extremes(found)}
    assert set(extremes) == set(data.data_vars)
    for name, e in extremes.items():
        values = data[name].values
        assert (e.low, e.high) == (values.min(), values.max())
        assert float(data[name].sel(e.high_at, method="nearest")) == e.high
        assert float(data[name].sel(e.low_at, method="nearest")) == e.low


def test_the_document(found):
    document = json.loads(dump(map_document(found, ["a"])))
    assert document["experiment"] == "charge_dm_ksea"
    assert (document["points"], document["found_points"], document["seed"]) == (1500, 0, 1)
    assert document["dimensions"] == {"D": 30, "G": 50}
    first = document["axes"][0]
    assert first == {"path": "battery.D", "units": "Hz", "points": 30, "first": 0.0, "last": 20.0}
    assert {e["name"] for e in document["arrays"]} >= {"ergotropy_max", "anti_ergotropy_min"}
    assert document["files"] == ["a"]


def test_the_summary(found):
    text = map_text(found)
    assert "map of charge_dm_ksea: 1500 points (grid), seed 1" in text
    assert "battery.D: 30 values from 0.0 Hz to 20.0 Hz" in text
    high = float(found.data.ergotropy_max.max())
    assert f"{high:.6g} Hz (D 20, G " in text


def test_points_lie_between_their_least_and_largest_values(tmp_path):
    cube = sweep("charge_dm_ksea", {"battery.D": "0Hz:20Hz"}, lhs=20, seed=3, out=tmp_path / "a")
    D = cube.plan.axes[0].values
    assert {D[0], D[-1]} != {D.min(), D.max()}
    expected = f"  battery.D: 20 values between {D.min():.4g} Hz and {D.max():.4g} Hz\n"
    assert expected in map_text(cube)
    (tmp_path / "p.csv").write_text("battery.D (Hz)\n2\n7.123456\n-1\n3\n", encoding="utf-8")
    table = sweep("charge_dm_ksea", table=tmp_path / "p.csv", out=tmp_path / "b")
    assert "  battery.D: 4 values between -1 Hz and 7.123 Hz\n" in map_text(table)


def test_rounding_is_zero_in_the_summary_but_not_in_the_document(found, monkeypatch):
    at = {"D": 1.0}
    extremes = [
        Extremes("ergotropy", "Hz", "", 7.1e-15, 66.5, at, at),
        Extremes("coherence_l1", "1", "", 5.551e-16, 6e-16, at, at),
    ]
    monkeypatch.setattr(maps, "map_extremes", lambda _: extremes)
    text = map_text(found)
    assert "from 0 Hz (D 1) to 66.5 Hz (D 1)" in text
    assert "from 0 (D 1) to 0 (D 1)" in text
    arrays = map_document(found, [])["arrays"]
    assert [array["low"] for array in arrays] == [7.1e-15, 5.551e-16]


def test_the_picture_has_the_figures_of_the_paper(found):
    figure = map_figure(found)
    labels = [ax.get_ylabel() for ax in figure.axes]
    assert sum(label.startswith("smallest value over time of the\nanti-") for label in labels) == 1
    assert sum(label.startswith("largest value over time of the") for label in labels) == 3
    meshes = [ax.collections[0] for ax in figure.axes[:4]]
    np.testing.assert_array_equal(meshes[0].get_array(), found.data.ergotropy_max.values.T)


def test_the_folder(found):
    files = write_map_report(found)
    names = {path.name for path in found.store.folder.iterdir()}
    assert names == {"sweep.json", "finished.txt", "map.zarr", "summary.txt", "map.png"}
    assert {file.rpartition("/")[2] for file in files} == {"map.zarr", "summary.txt", "map.png"}
    again = sweep("charge_dm_ksea", OVER, out=found.store.folder)
    assert again.found == 1500
    assert "1500 of them found" in map_text(again)


@pytest.mark.parametrize(
    ("over", "more", "panels"),
    [
        ({**OVER, "battery.B": "0Hz,1Hz"}, {}, None),
        ({"battery.D": "1Hz,2Hz"}, {"reduce": ["none"]}, None),
        ({"battery.D": "1Hz,2Hz"}, {"figures": ["ergotropy"]}, 1),
        ({"battery.D": "1Hz,2Hz"}, {"figures": ["ergotropy"], "reduce": ["argmax"]}, 1),
        ({"battery.D": "1Hz:2Hz"}, {"lhs": 4, "figures": ["ergotropy", "capacity", "energy"]}, 4),
    ],
)
def test_other_maps(tmp_path, over, more, panels):
    over = {path: text.replace(":30", ":3").replace(":50", ":3") for path, text in over.items()}
    found = sweep("charge_dm_ksea", over, out=tmp_path / "map", **more)
    figure = map_figure(found)
    assert (None if figure is None else len(figure.axes)) == panels
    assert "map.png" not in str(write_map_report(found)) if panels is None else True
    assert map_text(found)
