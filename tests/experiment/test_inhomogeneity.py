"""Spreads over the sample and errors of pulses: what acts, what is known, what is refused."""

from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest
from scipy.linalg import expm

from nmrqb.dynamics import Ensemble, Gaussian, Lorentzian, Tabulated, product
from nmrqb.errors import InputError
from nmrqb.experiment import DriveCharge, load_experiment, run
from nmrqb.experiment.charging import charged_states
from nmrqb.experiment.inhomogeneity import ensemble_of, spreads
from nmrqb.experiment.runner import initial_state, simulate
from nmrqb.operators import pauli
from nmrqb.sample import load_sample
from nmrqb.sequence import PulseErrors
from nmrqb.spectrometer import Receiver
from nmrqb.tomography import (
    acquire,
    acquire_members,
    estimate_state,
    measurement_chain,
    noise_for_snr,
    response_matrix,
)

QUICK = {"charge.times.points": "4", "measure.replicas": "50", "measure.points": "128"}
CHLOROFORM = load_sample("chloroform")
ETA = 6.728284 / 26.7522128


def driven(seed=None, **changes):
    overrides = {**QUICK, **{path.replace("__", "."): value for path, value in changes.items()}}
    return run(load_experiment("charge_dm_ksea", overrides=overrides), seed=seed)


def loaded(**changes):
    overrides = {path.replace("__", "."): value for path, value in changes.items()}
    return load_experiment("charge_dm_ksea", overrides={**QUICK, **overrides})


# --------------------------------------------------------------------------------- what is read
def test_spreads_in_files():
    noise = loaded(
        noise__b1_inhomogeneity="4 %", noise__b1_distribution="uniform",
        noise__b0_inhomogeneity="3 Hz", noise__J_spread="1 %",
    ).noise  # fmt: skip
    found = spreads(noise)
    assert found["b1"].half_width == pytest.approx(0.04 * np.sqrt(3))
    assert found["field_hz"] == Gaussian(3.0)
    assert found["coupling"] == Gaussian(0.01)
    wide = loaded(noise__b0_inhomogeneity="3 Hz", noise__b0_distribution="lorentzian").noise
    assert wide.b0 == Lorentzian(3.0)
    assert spreads(loaded().noise) == {}
    assert spreads(loaded(noise__b0_inhomogeneity="0 Hz").noise) == {}


def test_T2_star_of_the_first_spin():
    decay = 1 / 0.05 - 1 / CHLOROFORM.spins[0].T2_s
    assert loaded(noise__b0_inhomogeneity="50 ms").noise.b0.half_width == pytest.approx(
        decay / (2 * np.pi)
    )
    alone = loaded(noise__b0_inhomogeneity="50 ms", noise__relaxation="none").noise.b0
    assert alone.half_width == pytest.approx(20 / (2 * np.pi))


def test_T2_star_leaves_room_for_all_that_relaxes():
    """γ_z damps σ_+ with 2γ_z, and γ_x with γ_x: it flips the half of it that is along y."""
    noise = "[T1T2, {dephasing: {spins: [1H, 13C], rates: [2 /s, 1 /s], correlation: 50 %}}"
    noise += ", {pauli: {1H: {x: 3 /s}}}]"
    found = loaded(noise__b0_inhomogeneity="50 ms", noise__relaxation=noise).noise.b0
    left = 20 - 1 / CHLOROFORM.spins[0].T2_s - 2 * 2 - 3
    assert found.half_width == pytest.approx(left / (2 * np.pi))
    with pytest.raises(InputError, match=r"must be at most the 0\.133333 s that relaxation"):
        loaded(noise__b0_inhomogeneity="140 ms", noise__relaxation=noise)
    assert loaded(noise__b0_inhomogeneity="2 s").noise.b0 is None


def test_a_measured_profile(tmp_path):
    shipped = Path("sequences/experiments/charge_dm_ksea.yaml")
    text = (Path(__file__).parents[2] / shipped).read_text(encoding="utf-8")
    noise = "noise: {b1_distribution: b1.csv, relaxation: none}"
    lines = [noise if line.startswith("noise:") else line for line in text.splitlines()]
    (tmp_path / "e.yaml").write_text("\n".join(lines), encoding="utf-8")
    (tmp_path / "b1.csv").write_text("0.9, 1\n1.05, 3\n", encoding="utf-8")
    experiment = load_experiment(tmp_path / "e.yaml", overrides=QUICK)
    profile = experiment.noise.b1_distribution
    assert isinstance(profile, Tabulated)
    truth = simulate(experiment)
    np.testing.assert_allclose(truth.ensemble.b1, [0.9, 1.05])
    np.testing.assert_allclose(truth.weights, [0.25, 0.75])
    assert truth.ensemble.error == 0
    assert any("b1.csv" in name for name in experiment.inputs_sha256)
    (tmp_path / "b1.csv").write_text("0.9, 1\n1.05\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"b1\.csv:2:1: this line must hold two numbers"):
        load_experiment(tmp_path / "e.yaml", overrides=QUICK)
    (tmp_path / "b1.csv").unlink()
    with pytest.raises(InputError, match=r"e\.yaml:\d+:\d+: there is no file"):
        load_experiment(tmp_path / "e.yaml", overrides=QUICK)


def test_errors_of_pulses_in_files():
    path = "noise__pulse_errors__"
    changes = {"amplitude": "1 %", "phase": "2 deg", "rise_time": "1 us", "ring_down": "cut",
               "transient__leading": "-1 deg", "transient__trailing": "1 deg",
               "quadrature__imbalance": "2 %", "quadrature__skew": "3 deg"}  # fmt: skip
    found = loaded(
        noise__pulses="finite", **{path + key: value for key, value in changes.items()}
    ).noise.pulse_errors
    angles = np.deg2rad([2, 3, -1, 1])
    expected = PulseErrors(0.01, angles[0], 0.02, *angles[1:], 1e-6, ring_down=False)
    assert asdict(found) == pytest.approx(asdict(expected))


REFUSED = {
    "J": ({"noise__J_spread": "30 %"}, "`J_spread` must be between 0 % and 20 %"),
    "unit": ({"noise__b0_inhomogeneity": "3 V"}, "must be a spread in Hz of 1H such as '2 Hz' or"),
    "negative": ({"noise__b0_inhomogeneity": "-3 Hz"}, "`b0_inhomogeneity` must be positive"),
    "none": ({"noise__b0_inhomogeneity": "0 s"}, "`b0_inhomogeneity` must be positive"),
    "T2*": ({"noise__b0_inhomogeneity": "3 s"}, "T2[*] of `1H` must be at most the 2 s that rel"),
    "gaussian T2*": (
        {"noise__b0_inhomogeneity": "30 ms", "noise__b0_distribution": "gaussian"},
        "must not have `b0_distribution` gaussian beside a T2",
    ),
    "b0 alone": ({"noise__b0_distribution": "gaussian"}, "`b0_distribution` without b0_inhom"),
    "b1 alone": ({"noise__b1_distribution": "uniform"}, "`b1_distribution` without b1_inhom"),
    "b1 twice": (
        {"noise__b1_distribution": "./p.csv", "noise__b1_inhomogeneity": "1 %"},
        "must not have `b1_inhomogeneity` beside a measured",
    ),
    "transient": (
        {"noise__pulse_errors__transient__leading": "1 deg"},
        "must have `pulses` finite for the transient",
    ),
    "rise": ({"noise__pulse_errors__rise_time": "1 us"}, "must have `pulses` finite for the rise"),
    "amplitude": ({"noise__pulse_errors__amplitude": "60 %"}, "between -50 % and 50 %"),
    "negative rise": ({"noise__pulse_errors__rise_time": "-1 us"}, "must not be negative"),
    "key": ({"noise__radiation_damping": "1 ms"}, "unknown key `radiation_damping`"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_refused(case):
    changes, message = REFUSED[case]
    with pytest.raises(InputError, match=message) as caught:
        loaded(**changes)
    assert all(fault.at.file for fault in caught.value.faults)


# ------------------------------------------------------------------------------------ what acts
def noisy(**noise):
    experiment = loaded(noise__relaxation="none")
    return replace(experiment, noise=replace(experiment.noise, **noise))


def soft(**noise):
    experiment = noisy(**noise)
    return replace(experiment, charge=DriveCharge(50.0, np.array([0.0, 4e-3, 9e-3]), soft=True))


def test_field_and_coupling_act_while_a_soft_drive_charges():
    """Against a loop over a fine grid of Hamiltonians written out by hand."""
    experiment = soft(b0=Gaussian(30.0), J_spread=0.05)
    truth, rho = simulate(experiment), initial_state(experiment)
    x = np.linspace(-6, 6, 41)
    w = np.exp(-(x**2) / 2) / np.exp(-(x**2) / 2).sum()
    t, total = 9e-3, np.zeros((4, 4), dtype=complex)
    for f, wf in zip(30 * x, w, strict=True):
        for c, wc in zip(1 + 0.05 * x, w, strict=True):
            field = f * (pauli("ZI") + ETA * pauli("IZ")) / 2
            H = field + 215.13 * c / 4 * pauli("ZZ") + 50 * (pauli("XI") + pauli("IX"))
            U = expm(-2j * np.pi * t * H)
            total += wf * wc * U @ rho @ U.conj().T
    np.testing.assert_allclose(truth.states[-1], total, atol=1e-6)
    still = simulate(soft()).states[-1]
    assert np.abs(truth.states[-1] - still).max() > 0.01


def test_an_echo_in_the_sequence_refocuses_the_field(tmp_path):
    (tmp_path / "echo.yaml").write_text(
        "format: nmrqb-sequence/1\nspins: {I: any, S: any}\n"
        "sequence: [delay: 5 ms, pulse: {I: 180 x, S: 180 x}, delay: 5 ms, "
        "pulse: {I: 180 x, S: 180 x}]\n",
        encoding="utf-8",
    )
    changes = {
        "charge": f"{{sequence: {tmp_path / 'echo.yaml'}, cycles: {{stop: 2}}}}",
        "noise.relaxation": "none", "measure.points": "64", "measure.replicas": "50",
    }  # fmt: skip
    spread = {**changes, "noise.b0_inhomogeneity": "40 Hz"}
    even, uneven = (
        simulate(load_experiment("charge_dm_ksea", overrides=o)).states for o in (changes, spread)
    )
    np.testing.assert_allclose(uneven, even, atol=1e-9)


def test_errors_of_pulses_charge():
    experiment = noisy(pulse_errors=PulseErrors(amplitude=0.1, phase=0.3))
    rho, t = initial_state(experiment), experiment.charge.times_s[-1]
    along, ahead = pauli("XI") + pauli("IX"), pauli("YI") + pauli("IY")
    axis = np.cos(0.3) * along + np.sin(0.3) * ahead
    U = expm(-2j * np.pi * 50 * 1.1 * t * axis)
    np.testing.assert_allclose(simulate(experiment).states[-1], U @ rho @ U.conj().T, atol=1e-9)


def test_errors_of_pulses_act_in_sequences():
    cycled = load_experiment(
        "charger_battery_dm", overrides={"charge.cycles.stop": "1", "noise.relaxation": "none"}
    )
    wrong = replace(cycled, noise=replace(cycled.noise, pulse_errors=PulseErrors(amplitude=0.1)))
    assert np.abs(simulate(wrong).states - simulate(cycled).states).max() > 0.01
    back = replace(
        wrong, noise=replace(wrong.noise, b1_distribution=Tabulated((1 / 1.1 - 1,), (1.0,)))
    )
    np.testing.assert_allclose(simulate(back).states, simulate(cycled).states, atol=1e-12)


# -------------------------------------------------------------------------- what the receiver sees
CLEAR = {"measure__snr": "1e12"}


@pytest.mark.parametrize(
    "changes",
    [
        {"noise__b0_inhomogeneity": "4 Hz"},
        {"noise__b0_inhomogeneity": "40 ms", "measure__dead_time": "2 ms"},
        {"noise__J_spread": "3 %"},
        {"noise__b0_inhomogeneity": "4 Hz", "noise__J_spread": "1 %"},
        {"noise__pulse_errors__amplitude": "5 %", "noise__pulse_errors__phase": "4 deg"},
        {
            "noise__pulses": "finite",
            "noise__pulse_errors__rise_time": "3 us",
            "noise__pulse_errors__transient__leading": "3 deg",
        },
    ],
    ids=["B0", "T2*", "J", "B0 and J", "pulses", "transients"],
)
def test_the_estimate_of_a_common_state_has_no_bias(changes):
    """A hard drive takes no time: members differ in the acquisition only, which is calibrated."""
    data = driven(**CLEAR, **changes).data
    np.testing.assert_allclose(data["linear_state"], data["true_state"], atol=1e-9)
    np.testing.assert_allclose(data["estimated_state"], data["true_state"], atol=1e-5)


def test_where_charging_dephases_the_estimate_is_biased_and_says_so():
    """What the members saw while charging goes on in the FID, which no estimator can know."""
    result = driven(
        **CLEAR, noise__b0_inhomogeneity="20 Hz", charge__as="soft", noise__relaxation="none"
    )
    gap = np.abs(result.data["linear_state"] - result.data["true_state"]).max(["row", "column"])
    assert gap[0] < 1e-9
    assert 1e-3 < gap[-1] < 0.2
    assert any("spread of B0 without knowing how it charged" in note for note in result.notes)


def test_the_fid_decays_as_the_field_says():
    """The 1H channel of a state that precesses under J and a Gaussian field."""
    sample, s = CHLOROFORM, 8.0
    receiver = Receiver(2000.0, 200)
    ensemble = product(field_hz=Gaussian(s), angles={"field_hz": 2 * np.pi * 0.1})
    options = {"relaxation": False, "receiver": receiver}
    spread = measurement_chain(sample, ["II"], ensemble=ensemble, **options)
    even = measurement_chain(sample, ["II"], **options)
    rho = np.eye(4) / 4 + 0.2 * pauli("XI") + 0.1 * pauli("IY")
    decay = np.exp(-((2 * np.pi * s * np.array([[1], [ETA]]) * receiver.times_s) ** 2) / 2)
    np.testing.assert_allclose(acquire(spread, rho), acquire(even, rho) * decay, atol=1e-7)


def test_members_are_seen_as_the_loop_over_them():
    ensemble = product(
        b1=Tabulated((-0.1, 0.1), (1, 2)), field_hz=Tabulated((-5.0, 3.0, 9.0), (1, 1, 2)),
        coupling=Tabulated((-0.1, 0.2), (1, 3)),
    )  # fmt: skip
    options = {"pulses": "finite", "receiver": Receiver(2000.0, 50)}
    chain = measurement_chain(CHLOROFORM, ["IX", "YI"], ensemble=ensemble, **options)
    rng = np.random.default_rng(2)
    members = rng.standard_normal((ensemble.size, 3, 4, 4)) + 0j
    expected = 0
    for k in range(ensemble.size):
        one = ensemble.chosen(np.array([k]))
        alone = measurement_chain(CHLOROFORM, ["IX", "YI"], ensemble=one, **options)
        expected = expected + ensemble.weights[k] * acquire(alone, members[k])
    np.testing.assert_allclose(acquire_members(chain, members), expected, atol=1e-11)
    # a single member of another field is a sample of other offsets and couplings
    spins = (
        replace(CHLOROFORM.spins[0], offset_hz=9.0),
        replace(CHLOROFORM.spins[1], offset_hz=9.0 * ETA),
    )
    couplings = tuple(replace(c, J_hz=1.2 * c.J_hz) for c in CHLOROFORM.couplings)
    other = replace(CHLOROFORM, spins=spins, couplings=couplings)
    last = ensemble.chosen(np.flatnonzero(
        (ensemble.field_hz == 9) & np.isclose(ensemble.coupling, 1.2) & (ensemble.b1 > 1)
    ))  # fmt: skip
    one = measurement_chain(CHLOROFORM, ["II"], ensemble=last, receiver=Receiver(2000.0, 50))
    same = measurement_chain(other, ["II"], receiver=Receiver(2000.0, 50))
    np.testing.assert_allclose(acquire(one, members[0]), acquire(same, members[0]), atol=1e-9)


def test_amplitudes_and_fields_that_go_together_are_seen_together(monkeypatch):
    """A state that all members share: readout and detection do not average separately."""
    b1, field = np.array([0.8, 1.0, 1.2]), np.array([-10.0, 0.0, 10.0])
    ensemble = Ensemble(b1, field, np.ones(3), np.array([0.2, 0.5, 0.3]))
    chain = measurement_chain(
        CHLOROFORM, ["IX", "YI"], ensemble=ensemble, receiver=Receiver(2000.0, 100)
    )
    rho = np.diag([0.4, 0.3, 0.2, 0.1]) + 0.05 * pauli("XY")
    seen = acquire(chain, rho)
    apart = acquire(replace(chain, views=None), rho)
    assert np.abs(seen - apart).max() > 1e-3
    members = np.broadcast_to(rho, (3, 1, 4, 4))
    np.testing.assert_allclose(acquire_members(chain, members)[0], seen, atol=1e-13)
    monkeypatch.setattr("nmrqb.tomography.members._BLOCK_VALUES", 1)  # member by member
    np.testing.assert_allclose(acquire_members(chain, members)[0], seen, atol=1e-13)


def test_lines_are_fitted_with_their_dephasing():
    """Where lines have decayed, the fit gives late points no weight: less noise than a flat fit."""
    ensemble = product(field_hz=Gaussian(10.0), angles={"field_hz": 2 * np.pi * 0.6})
    options = {"relaxation": False, "receiver": Receiver(1000.0, 512)}
    chain = measurement_chain(CHLOROFORM, ["II", "IX", "IY", "XX"], ensemble=ensemble, **options)
    even = measurement_chain(CHLOROFORM, ["II", "IX", "IY", "XX"], **options)
    flat = replace(chain, fits=even.fits)
    noise, rho = np.full(2, 1e-3), np.diag([0.4, 0.3, 0.2, 0.1]).astype(complex)
    fids = acquire(chain, rho)
    better, worse = (estimate_state(fids, response_matrix(c), noise) for c in (chain, flat))
    np.testing.assert_allclose(better.linear, rho, atol=1e-10)
    np.testing.assert_allclose(worse.linear, rho, atol=1e-10)
    assert np.trace(better.covariance) < 0.5 * np.trace(worse.covariance)
    assert noise_for_snr(chain, CHLOROFORM, 100)[0] < noise_for_snr(even, CHLOROFORM, 100)[0]


# ------------------------------------------------------------------------------ what is recorded
def test_the_ensemble_is_recorded():
    result = driven(noise__b1_inhomogeneity="5 %", noise__J_spread="1 %")
    found = result.provenance["ensemble"]
    assert found["seed"] is None
    assert found["members"] > 100
    assert 0 < found["error"] < 1e-5
    assert found["missing_weight"] == 0
    note = next(note for note in result.notes if note.startswith("Averages"))
    assert f"{found['members']} members of quadrature for the spread of B1 and J" in note
    assert "Radiation damping is left out" in note
    plain = driven()
    assert plain.provenance["ensemble"] == {
        "members": 1, "error": 0.0, "missing_weight": 0.0, "seed": None
    }  # fmt: skip
    assert not any("Averages" in note for note in plain.notes)


def test_a_large_product_is_drawn_by_the_seed_of_the_run(monkeypatch):
    monkeypatch.setattr("nmrqb.experiment.inhomogeneity._STATE_VALUES", 64 * 100)
    changes = {"noise__b1_inhomogeneity": "5 %", "noise__b0_inhomogeneity": "5 Hz"}
    one, same, other = (driven(seed=s, **changes) for s in (3, 3, 4))
    found = one.provenance["ensemble"]
    assert found["members"] == 100
    assert found == same.provenance["ensemble"]
    assert found["seed"] != other.provenance["ensemble"]["seed"]
    assert one.data.identical(same.data)
    assert np.any(one.data["true_state"] != other.data["true_state"])
    note = next(note for note in one.notes if note.startswith("Averages"))
    assert f"100 members drawn with the seed {found['seed']}" in note
    assert "more than the 0.005 aimed at" in note


def test_the_recorded_error_bounds_the_states():
    experiment = soft(b0=Lorentzian(5.0))
    rho = initial_state(experiment)
    ensemble = ensemble_of(experiment, rho, 0.06, seed=0)
    fine = product(field_hz=Lorentzian(5.0, missing=1e-4), angles={"field_hz": 50.0}, refinement=8)
    args = (experiment.charge, experiment.sample, experiment.noise)
    states, exact = (e.mean(charged_states(*args, e, rho)[0]) for e in (ensemble, fine))
    assert np.abs(states - exact).max() <= ensemble.error < 0.02


def test_blocks_of_members_do_not_matter(monkeypatch):
    experiment = soft(b0=Gaussian(20.0))
    whole = simulate(experiment).states
    monkeypatch.setattr("nmrqb.experiment.charging._BLOCK_VALUES", 256 * 3 * 4)
    np.testing.assert_allclose(simulate(experiment).states, whole, atol=1e-13)
