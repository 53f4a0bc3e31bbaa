"""The pictures of the three papers on chains, collective spins and spin chargers."""

import numpy as np
import pytest

from nmrqb.papers import load_paper
from nmrqb.papers.picture import Curves, Density, draw

PAPERS = ("heisenberg-chain-dm-battery", "rosen-zener-battery", "spin-charger-battery")
FIGURES = [(paper, item) for paper in PAPERS for item in load_paper(paper).drawings]


def panels(paper, item):
    return load_paper(paper).drawings[item]()


@pytest.mark.parametrize(("paper", "item"), FIGURES)
def test_every_figure_is_drawn_from_numbers(paper, item):
    found = panels(paper, item)
    for panel in found:
        if isinstance(panel, Density):
            assert panel.values.shape == (len(panel.y), len(panel.x))
            assert np.all(np.isfinite(panel.values))
        else:
            for values in panel.curves.values():
                assert np.shape(values) == np.shape(panel.x)
                assert np.isfinite(values).any()
                assert not np.isinf(values).any()
        assert panel.xlabel
        assert panel.ylabel
    figure = draw(found, item)
    titles = [ax.get_title() for ax in figure.axes if ax.get_title()]
    assert titles == [panel.title for panel in found]


def test_all_figures_with_curves_are_there():
    assert len(FIGURES) == 6 + 6 + 8


def test_collective_and_parallel_charging_meet_at_full_charge():
    energy, power = panels("heisenberg-chain-dm-battery", "fig 2")
    assert isinstance(energy, Curves)
    np.testing.assert_allclose([curve[-1] for curve in energy.curves.values()], 4)
    early = (power.x > 0) & (power.x < np.pi / 4)
    assert np.all(power.curves["collective"][early] > power.curves["parallel"][early])


def test_the_order_parameter_leaves_the_ground_state_at_half():
    inset = panels("rosen-zener-battery", "fig 6")[1]
    (m,) = inset.curves.values()
    np.testing.assert_allclose(m[inset.x < 0.5], -1)
    assert np.all(m[inset.x > 0.52] > -1)


def test_the_landscape_holds_the_corners_of_each_ratio():
    (landscape,) = panels("spin-charger-battery", "fig 2")
    for ratio in ("N/M = 1", "N/M = 100"):
        shown = np.isfinite(landscape.curves[ratio])
        assert np.count_nonzero(shown) == 10
    first = np.isfinite(landscape.curves["N/M = 1"])
    np.testing.assert_allclose(landscape.x[first][[0, 1, 9]], [1, 2, 9.567], atol=1e-3)
    powers = landscape.curves["N/M = 1"][first]
    np.testing.assert_allclose(powers[[0, 1, 9]], [0.7246, 1.4492, 9.246], atol=2e-3)
