"""The pictures of the most charged state: what stands in them, from one to four spins."""

import numpy as np
import pytest
import xarray as xr
from matplotlib.image import AxesImage
from matplotlib.patches import Rectangle

from nmrqb.experiment import load_experiment, run
from nmrqb.operators import pauli_strings
from nmrqb.plotting import basis_labels
from nmrqb.plotting.city import Tower
from nmrqb.report import city_figure, residual_figure, state_figure
from nmrqb.tomography.estimation.states import to_coefficients

QUICK = {"measure.replicas": "50", "measure.points": "256", "charge.times.points": "5"}


@pytest.fixture(scope="module")
def driven():
    return run(load_experiment("charge_dm_ksea", overrides=QUICK)).data


@pytest.fixture(scope="module")
def unequal():
    """Return a run whose 13C receiver is stronger than anybody knows."""
    overrides = QUICK | {"noise.receiver.gain": "{13C: 20 %}", "measure.snr": "300"}
    return run(load_experiment("charge_dm_ksea", overrides=overrides)).data


def made_up(n, readouts=5):
    """Return data as a run of n spins has them."""
    rng = np.random.default_rng(n)
    d, points = 2**n, 64
    A = rng.normal(size=(2, d, d)) + 1j * rng.normal(size=(2, d, d))
    states = A @ A.conj().swapaxes(-1, -2)
    states = states / np.trace(states, axis1=-2, axis2=-1)[:, None, None]
    residual = rng.normal(size=(2, readouts, n, points))
    state, pauli = ("time", "row", "column"), ("time", "pauli")
    fid = ("readout", "channel", "acquisition_time")
    variables = {
        "true_state": (state, states[:1]),
        "estimated_state": (state, states[1:]),
        "pauli_mean": (pauli, to_coefficients(states[1:])),
        "pauli_error": (pauli, rng.uniform(0.01, 0.02, (1, 4**n - 1))),
        "state_error_real": (state, rng.uniform(0.001, 0.005, (1, d, d))),
        "state_error_imaginary": (state, rng.uniform(0.001, 0.005, (1, d, d))),
        "fidelity_to_true": ("time", [0.9]),
        "chi2": ("time", [20.0]),
        "p_value": ("time", [0.3]),
        "residual": (fid, residual[0] + 1j * residual[1]),
        "residual_chi2": 1000.0,
        "residual_degrees_of_freedom": 990,
        "residual_p_value": 0.4,
        "line_decay": ("channel", np.full(n, 1.0)),
        "line_frequency": (("channel", "line"), np.tile([10.0, np.nan], (n, 1))),
        "shown": 0,
    }
    coordinates = {
        "time": [1e-3],
        "row": list(basis_labels(d)),
        "column": list(basis_labels(d)),
        "pauli": list(pauli_strings(n)[1:]),
        "readout": [f"R{k}" for k in range(readouts)],
        "channel": [f"{k}H" for k in range(1, n + 1)],
        "acquisition_time": np.arange(points) / 1000,
    }
    attributes = {"estimator": "maximum-likelihood", "degrees_of_freedom": 17}
    return xr.Dataset(variables, coordinates, attributes)


def at(data):
    return data.isel(time=int(data["shown"]))


# ------------------------------------------------------------------------------------- variables
def test_a_run_knows_how_sure_its_states_are(driven):
    """Errors of elements and of Paulis agree: 4 ρ_00 = 1 + ⟨IZ⟩ + ⟨ZI⟩ + ⟨ZZ⟩."""
    linear = driven["linear_state"].values
    np.testing.assert_allclose(driven["pauli_mean"], to_coefficients(linear), atol=1e-12)
    errors = driven["pauli_error"]
    assert errors.dims == ("time", "pauli")
    own = np.sqrt(sum(errors.sel(pauli=name) ** 2 for name in ("IZ", "ZI", "ZZ"))) / 4
    ratio = driven["state_error_real"][:, 0, 0].values / own.values
    assert np.all((ratio > 0.5) & (ratio < 1.8))  # they correlate
    off = driven["linear_state"] - driven["true_state"]
    pulls = off.real / driven["state_error_real"]
    assert 0.5 < np.sqrt(np.mean(pulls**2)) < 1.6
    sure = driven["state_error_imaginary"].values[:, range(4), range(4)]
    np.testing.assert_array_equal(sure, 0)  # the diagonal is real


def test_a_run_knows_its_residuals(driven, unequal):
    for data in (driven, unequal):
        values = data["residual"].values
        assert values.shape == data["fid"].shape
        assert float(data["residual_chi2"]) == pytest.approx(np.sum(np.abs(values) ** 2))
        assert int(data["residual_degrees_of_freedom"]) == 2 * values.size - 15
        np.testing.assert_allclose(np.abs(data["line_frequency"]), 215.13 / 2)
    assert float(driven["residual_p_value"]) > 1e-3
    assert float(at(driven)["p_value"]) > 1e-3
    assert float(at(unequal)["p_value"]) < 1e-6


# -------------------------------------------------------------------------------------- pictures
def test_the_state_of_a_run(driven):
    figure = state_figure(driven)
    bars, true, estimated, key, errors = figure.axes
    shown = at(driven)
    heights = [bar.get_height() for bar in bars.containers[1]]
    np.testing.assert_allclose(heights, shown["pauli_mean"])
    assert "linear inversion" in bars.get_legend().get_texts()[0].get_text()
    widest = []
    for ax, name in ((true, "true_state"), (estimated, "estimated_state")):
        squares = [patch for patch in ax.patches if isinstance(patch, Rectangle)]
        areas = np.array([square.get_width() ** 2 for square in squares])
        rho = np.abs(shown[name].values).ravel()
        np.testing.assert_allclose(areas * rho.max(), areas.max() * rho)
        widest.append(areas.max() / rho.max())
    assert widest[0] == pytest.approx(widest[1])  # areas of both can be compared
    assert len(key.patches) > 12
    (image,) = errors.images
    assert image.get_array()[3, 0] == pytest.approx(1e3 * float(shown["state_error_real"][3, 0]))
    assert image.get_array()[0, 3] == pytest.approx(
        1e3 * float(shown["state_error_imaginary"][0, 3])
    )
    title = figure.get_suptitle()
    assert f"fidelity {float(shown['fidelity_to_true']):.5f}" in title
    assert "protocol time 5 ms" in title


def test_the_cities_of_a_run_share_a_scale(driven):
    figure = city_figure(driven)
    titles = [ax.get_title() for ax in figure.axes]
    assert titles == [
        f"{name} ρ, {part} part" for name in ("simulated", "estimated")
        for part in ("real", "imaginary")
    ]  # fmt: skip
    assert len({ax.get_zlim() for ax in figure.axes}) == 1
    towers = [tower for tower in figure.axes[3].collections if isinstance(tower, Tower)]
    rho = at(driven)["estimated_state"].values
    np.testing.assert_allclose([tower.height for tower in towers], rho.imag.ravel())


def test_the_residuals_of_a_run(driven):
    figure = residual_figure(driven)
    assert len(figure.axes) == 4
    assert [text.get_text() for text in figure.axes[0].get_yticklabels()] == [
        "II",
        "IX",
        "IY",
        "XX",
    ]
    title = figure.get_suptitle()
    assert f"{float(at(driven)['chi2']):.1f}/17" in title
    assert f"{float(driven['residual_chi2']):.0f}/{2 * 4 * 2 * 256 - 15}" in title
    assert f"p = {float(driven['residual_p_value']):.2g}" in title
    counts = figure.axes[1].patches[0].get_data().values
    assert counts.sum() == 2 * 4 * 256


def test_a_wrong_gain_stands_out_at_the_lines(driven, unequal):
    def highest(data):
        ax = residual_figure(data).axes[2]  # 13C
        dots = [line for line in ax.lines if line.get_marker() in "os"]
        levels = np.repeat(ax.get_yticks(), 2)
        return max(np.abs(line.get_ydata() - levels).max() for line in dots)

    assert highest(driven) < 4
    assert highest(unequal) > 8


@pytest.mark.parametrize("n", [1, 2, 3, 4])
def test_all_pictures_of_one_to_four_spins(n):
    data = made_up(n)
    figure = state_figure(data)
    named = [text.get_text() for text in figure.axes[1].get_yticklabels()]
    assert named == [f"|{label}⟩" for label in basis_labels(2**n)]
    maps = [ax for ax in figure.axes if any(isinstance(a, AxesImage) for a in ax.images)]
    assert len(maps) == 1
    assert len(figure.axes) == (5 if n < 3 else 6)  # a scale where numbers have no room
    assert len(city_figure(data).axes) == 4
    assert len(residual_figure(data).axes) == 2 * n


def test_of_many_readouts_the_worst_are_shown():
    data = made_up(4, readouts=40)
    data["residual"].values[17, 2] *= 3
    figure = residual_figure(data)
    shown = [text.get_text() for text in figure.axes[0].get_yticklabels()]
    assert len(shown) == 6
    assert "R17" in shown
    assert shown == sorted(shown, key=lambda name: int(name[1:]))
    assert "the 6 of 40 readouts that fit worst" in figure.get_suptitle()
