"""Calibrations as documents and text: values, bounds, and the rf field of a nutation."""

import pytest

from nmrqb.report.recorded import calibration_document, calibration_figures, calibration_text


def test_the_rf_field_stands_in_the_document(calibrations):
    found = calibrations("T1", "pulse_90", "pulse_90 uneven", "J")
    told = [one["b1_inhomogeneity"] for one in calibration_document(found)["measured"]]
    assert told[0] is told[3] is None
    assert (told[1]["value"], told[1]["error"]) == (None, None)
    assert 0 < told[1]["at_most"] < 0.03
    assert told[2]["value"] == pytest.approx(0.08, abs=4 * told[2]["error"])
    assert 0 < told[2]["error"] < 0.004
    assert told[2]["value"] < told[2]["at_most"] < 0.1


def test_the_rf_field_stands_in_text_and_title(calibrations):
    found = calibrations("pulse_90", "pulse_90 uneven")
    percent = f"{100 * found[1].b1_inhomogeneity.value:.3f}"  # 8.056 ± 0.052
    notes = [line for line in calibration_text(found).splitlines() if "Note: pulse_90 A" in line]
    assert notes[0].endswith("%: no damping of the nutation is seen")
    assert f"b1_inhomogeneity {percent}" in notes[1]
    (figure,) = calibration_figures(found).values()
    titles = [ax.get_title() for ax in figure.axes if ax.get_title()]
    assert "B1 spread at most " in titles[0]
    assert f"B1 spread {percent}" in titles[1]
