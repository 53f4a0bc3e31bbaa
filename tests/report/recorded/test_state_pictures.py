"""Recorded states: all that is known with its errors, what is not known marked as such."""

import numpy as np
import pytest
from matplotlib.patches import Rectangle

from nmrqb.operators import pauli_coefficients, pauli_strings
from nmrqb.report.recorded import state_figures
from nmrqb.tomography.estimation.states import to_state

RHO = to_state(np.array([0.0, 0.1, 0.2, 0.3, 0, 0.1, -0.2, 0.1, 0, 0.15, 0, 0.4, 0.1, 0, 0.2]))
ALL = ("II", "IX", "IY", "XX")


def hatches(ax):
    return [patch for patch in ax.patches if patch.get_hatch()]


def heights(ax):
    """Return the bars of a picture by their names."""
    names = [text.get_text() for text in ax.get_xticklabels()]
    return {names[round(bar.get_x() + bar.get_width() / 2)]: bar.get_height()
            for bar in ax.containers[-1]}  # fmt: skip


def test_a_whole_state(tomogram):
    (figure,) = state_figures(tomogram({"rho": RHO}, ALL)).values()
    bars, shares, hinton, key, errors = figure.axes
    assert not hatches(bars)
    truth = dict(zip(pauli_strings(2)[1:], 4 * pauli_coefficients(RHO)[1:].real, strict=True))
    found = heights(bars)
    assert found.keys() == truth.keys()
    assert all(abs(found[name] - truth[name]) < 0.05 for name in truth)
    assert list(heights(shares).values()) == pytest.approx(np.diag(RHO).real, abs=0.02)
    assert sum(isinstance(patch, Rectangle) for patch in hinton.patches) == 16
    assert hinton.get_title() == "estimated ρ"
    assert len(key.patches) > 12
    assert errors.images
    assert "χ²" in bars.get_title(loc="left")


def test_what_is_missing_is_hatched_and_never_a_zero(tomogram):
    found = tomogram({"rho": RHO}, ALL, without=lambda e, r, c: c == "13C")
    (figure,) = state_figures(found).values()
    bars, shares = figure.axes
    (state,) = found.states
    lost = {c.name for c in state.estimate.invisible}
    assert heights(bars).keys() == set(state.estimate.design.paulis) - lost
    assert {"IZ", "ZZ"} <= lost
    places = [text.get_text() for text in bars.get_xticklabels()]
    for name in lost:
        k = places.index(name)
        assert any(s.get_x() < k < s.get_x() + s.get_width() for s in hatches(bars))
    assert len(hatches(shares)) == 1
    assert not shares.containers


def test_a_deviation_says_its_scale_and_has_populations_less_their_mean(tomogram):
    thermal = to_state(np.eye(15)[11] + np.eye(15)[2] * 0.25)
    found = tomogram(
        {"P0": thermal, "P1": RHO}, ("IX", "XI"),
        kind="deviation", calibration={"experiment": "P0", "state": "thermal"},
    )  # fmt: skip
    (figure,) = state_figures(found).values()
    assert "deviation matrix, in the unit of the reference" in figure.get_suptitle()
    assert sum(heights(figure.axes[1]).values()) == pytest.approx(0, abs=1e-9)
    assert figure.axes[1].get_ylabel() == "population less mean"


def test_a_sum_of_several_and_one_file(tomogram):
    one = tomogram({"rho": RHO}, ("XX",), without=lambda e, r, c: c == "13C")
    (figure,) = state_figures(one).values()
    assert len(heights(figure.axes[0])) == 4
    assert "no datum is left" in figure.axes[0].get_title(loc="left")
    many = tomogram({f"t{k}": RHO for k in range(8)}, ("IX",))
    (figure,) = state_figures(many).values()
    assert "of 8 experiments" in figure.axes[0].get_title(loc="left")


def test_findings_stand_below(tomogram):
    lost = tomogram({"P0": RHO, "P1": RHO}, ("IX",), without=lambda *f: f == ("P1", "IX", "13C"))
    (figure,) = state_figures(lost).values()
    assert "IX on 13C (no file of P1): not used" in figure.get_supxlabel()
    whole = tomogram({"P0": RHO}, ("IX",))
    assert next(iter(state_figures(whole).values())).get_supxlabel() == ""


def test_every_state_of_a_series_is_drawn(tomogram):
    found = tomogram({f"t{k}": RHO for k in range(5)}, ("IX",), combine="each")
    figures = state_figures(found)
    assert list(figures) == ["state.png", "state_2.png"]
    bars = [ax.get_title(loc="left") for figure in figures.values() for ax in figure.axes[::2]]
    assert [title.split()[0] for title in bars] == [f"t{k}" for k in range(5)]
