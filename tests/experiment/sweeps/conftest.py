"""Small sweeps, and maps that must hold the same bits."""

import numpy as np
import pytest

from nmrqb.experiment import figure_functions, load_experiment, simulate
from nmrqb.experiment.sweeps import open_map, sweep


@pytest.fixture
def same_bits():
    """Return a function that compares two maps bit by bit, labels included."""
    return assert_same_bits


def assert_same_bits(first, second):
    first, second = open_map(first), open_map(second)
    assert set(first.variables) == set(second.variables)
    for name in first.variables:
        bits = (np.ascontiguousarray(data[name].values).view(np.int64) for data in (first, second))
        assert np.array_equal(*bits), name
        assert first[name].attrs == second[name].attrs
        assert first[name].dims == second[name].dims


@pytest.fixture
def simulated():
    """Return a function for the figures of one point by the simulation that `nmrqb run` uses."""
    return figures_of


def figures_of(experiment, overrides, reduce=np.max):
    loaded = load_experiment(experiment, overrides=overrides)
    states = simulate(loaded).states
    return {name: reduce(f(states)) for name, f in figure_functions(loaded.battery).items()}


@pytest.fixture
def make(tmp_path):
    """Return a function that sweeps into a new folder in this process."""
    count = iter(range(100))

    def run(over=None, experiment="charge_dm_ksea", out=None, **more):
        folder = tmp_path / (out or f"map{next(count)}")
        return sweep(experiment, over, out=folder, **more)

    return run
