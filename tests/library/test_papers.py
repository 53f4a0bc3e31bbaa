"""Sequences and experiments that are there for a publication."""

import numpy as np
import pytest

from nmrqb import load_experiment, load_sample, load_sequence, run
from nmrqb.average import compile_sequence
from nmrqb.battery.dipolar import dephase, pauli_x_dephasing
from nmrqb.dynamics import play_sequence


# ------------------------------------------------------------------------------- Pauli-X dephasing
@pytest.mark.parametrize("offset", ["0 Hz", "37 Hz"])
def test_bracketed_dephasing_is_pauli_x_noise(offset):
    T2, t = 0.02, 0.01
    spin = {"T1": "1e9 s", "T2": f"{T2} s", "offset": offset}
    sample = load_sample("chloroform", {"1H": spin, "13C": spin})
    rng = np.random.default_rng(1)
    A = rng.normal(size=(4, 4)) + 1j * rng.normal(size=(4, 4))
    rho = A @ A.conj().T / np.trace(A @ A.conj().T)
    played = play_sequence(load_sequence("pauli_x_dephasing"), sample, rho, relaxation=True)
    expected = dephase(np.zeros((4, 4)), rho, [t], pauli_x_dephasing(1 / (2 * T2)))[0]
    np.testing.assert_allclose(played.state, expected, atol=1e-8)


def test_bracket_takes_the_coupling_away():
    average = compile_sequence(load_sequence("pauli_x_dephasing"), load_sample("chloroform"))
    assert max(abs(value) for value in average.named.values()) < 1e-9


# ------------------------------------------------------------------------------------- experiments
@pytest.mark.parametrize(
    ("name", "overrides", "xi", "time"),
    [
        ("dipolar_battery_dm", {}, 1.137, None),
        ("dipolar_battery_dm_ksea", {}, 7.890, 0.5),
        ("dipolar_battery_dm_ksea", {"battery.D": "0 Hz", "battery.G": "100 Hz"}, 7.644, 0.5),
        (
            "dipolar_battery_dm_ksea",
            {
                "battery.D": "0 Hz",
                "battery.Delta": "200 Hz",
                "battery.epsilon": "5 Hz",
                "prepare.gibbs.temperature": "50 Hz",
            },
            8.153,
            0.25,
        ),
    ],
    ids=["dm fig 2", "fig 9", "fig 8", "fig 5"],
)
def test_experiments_reach_the_printed_ergotropy(name, overrides, xi, time):
    quick = {"measure.replicas": "50", "charge.times.points": "41", "report": "[ergotropy]"}
    experiment = load_experiment(name, overrides={**quick, **overrides})
    data = run(experiment).data
    true = data["true_ergotropy"].values / 50  # the unit of energy is 50 Hz
    assert true.max() == pytest.approx(xi, abs=1.2e-3)  # 41 times instead of 401
    if time is not None:
        assert data["time"].values[true.argmax()] * 100 == pytest.approx(time)
    estimated = data["ergotropy"].values[true.argmax()]
    assert estimated == pytest.approx(50 * xi, rel=0.1)
