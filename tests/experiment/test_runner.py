"""Running experiments: published numbers, closed forms, reproducibility, labels."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.linalg import expm

import nmrqb
from nmrqb.battery import Battery, fidelity
from nmrqb.errors import ArgumentError, InputError
from nmrqb.experiment import (
    FIGURES,
    DriveCharge,
    GibbsPreparation,
    figure_functions,
    load_experiment,
    receiving,
    run,
)
from nmrqb.experiment.runner import initial_state, simulate
from nmrqb.operators import pauli
from nmrqb.spectrometer import record
from nmrqb.tomography import METHODS

QUICK = {"charge.times.points": "5", "measure.replicas": "50", "measure.points": "64"}
J = 215.13


def driven(seed=None, **changes):
    """Run the shipped drive, small, with changes by path."""
    overrides = {**QUICK, **{path.replace("__", "."): value for path, value in changes.items()}}
    return run(load_experiment("charge_dm_ksea", overrides=overrides), seed=seed)


def cycled(**changes):
    """Return the shipped charger-battery experiment, small, with changes by path."""
    overrides = {"measure.replicas": "50", "measure.points": "64"}
    return load_experiment("charger_battery_dm", overrides={**overrides, **changes})


# ------------------------------------------------------------- numbers of physics.md, section 6
OMEGA = 50.0  # Hz; the published numbers are in units of it
ROWS = {
    "D1": ({"Delta": 1, "epsilon": 0.1}, 1, (1.271, 0.25, 1.300, 0.578)),
    "D4": ({"Delta": 4, "epsilon": 0.1}, 1, (8.153, 0.25, 8.164, 0.994)),
    "D12": ({"Delta": 12, "epsilon": 0.1}, 1, (24.200, 0.25, 24.200, 1.000)),
    "B": ({"Delta": 1, "epsilon": 0.1, "B": 2}, 0.5, (7.838, 0.5, 7.880, 1.883)),
    "warm": ({"Delta": 1, "epsilon": 0.1}, 4, (0.318, 0.25, 0.330, 0.144)),
    "G": ({"Delta": 1, "epsilon": 0.5, "G": 2}, 0.5, (7.644, 0.5, 8.139, 1.952)),
    "D": ({"Delta": 1, "epsilon": 0.5, "D": 2}, 0.5, (7.890, 0.5, 8.109, 1.819)),
}


@pytest.mark.parametrize("row", ROWS)
def test_published_maxima(row):
    terms, temperature, (ergotropy, at, capacity, coherence) = ROWS[row]
    times = np.linspace(0, 1 / (2 * OMEGA), 401)
    experiment = replace(
        load_experiment("charge_dm_ksea"),
        battery=Battery.from_terms(**{name: OMEGA * value for name, value in terms.items()}),
        prepare=GibbsPreparation(OMEGA * temperature),
        charge=DriveCharge(OMEGA, times),
    )
    states, figures = simulate(experiment).states, figure_functions(experiment.battery)
    work = figures["ergotropy"](states) / OMEGA
    assert work.max() == pytest.approx(ergotropy, abs=6e-4)
    # over one period the curve is symmetric: the maximum at t stands at T - t as well
    peak = times[np.argmax(work)] / times[-1]
    assert min(peak, 1 - peak) == pytest.approx(min(at, 1 - at), abs=2e-3)
    Q = figures["capacity"](states) / OMEGA
    assert Q.mean() == pytest.approx(capacity, abs=6e-4)
    assert np.ptp(Q) < 1e-10 * Q.mean()
    assert figures["coherence_l1"](states).max() == pytest.approx(coherence, abs=6e-4)


def test_estimates_approach_the_truth_without_noise():
    data = driven(measure__snr="1e6", noise__relaxation="none").data
    for name in load_experiment("charge_dm_ksea").report:
        np.testing.assert_allclose(data[name], data[f"true_{name}"], atol=1e-3)
        np.testing.assert_allclose(data[f"{name}_raw"], data[f"true_{name}"], atol=1e-3)
    np.testing.assert_allclose(data["fidelity_to_true"], 1, atol=1e-5)


# ----------------------------------------------------------------- the charger fills the battery
def qubit_ergotropy(frequency, rho):
    """Return ν(r_z + |r|)/2 of one spin with the Bloch vector r."""
    off, z = rho[..., 0, 1], (rho[..., 0, 0] - rho[..., 1, 1]).real
    return frequency * (z + np.sqrt(z**2 + 4 * np.abs(off) ** 2)) / 2


def reduced(rho):
    """Return the state of the second of two spins."""
    return np.einsum("...aiaj->...ij", rho.reshape(*rho.shape[:-2], 2, 2, 2, 2))


@pytest.mark.parametrize(("t", "cycles"), [("1/(4*J)", 2), ("1/(16*J)", 8)])
def test_a_free_evolution_of_1_over_J_exchanges_the_populations(t, cycles):
    experiment = cycled(**{
        "noise.relaxation": "none",
        "charge.parameters.t": t,
        "charge.cycles.stop": str(2 * cycles),
    })  # fmt: skip
    data = run(experiment).data
    assert data["free_evolution"][cycles] == pytest.approx(1 / J)
    hot, cold = 1 / (1 + np.exp(-2)), 1 / (1 + np.exp(2))
    assert hot > 0.5 > cold
    expected = {0: (hot, cold), cycles: (cold, hot), 2 * cycles: (hot, cold)}
    for k, populations in expected.items():
        np.testing.assert_allclose(data["excited_population"][k], populations, atol=1e-12)
    assert data["true_ergotropy"][0] == 0
    assert data["true_ergotropy"][cycles] == pytest.approx(100 * (2 * hot - 1), rel=1e-12)
    np.testing.assert_allclose(data["model_ergotropy"], data["true_ergotropy"], atol=1e-9)


def test_the_ergotropy_is_that_of_the_reduced_battery():
    data = run(
        cycled(**{"charge.cycles.stop": "9", "prepare.product.1H.temperature": "30 Hz"})
    ).data
    states = reduced(data["true_state"].values)
    np.testing.assert_allclose(data["true_ergotropy"], qubit_ergotropy(100.0, states), atol=1e-10)
    np.testing.assert_allclose(data["excited_population"][:, 1], states[:, 0, 0].real, atol=1e-12)


def test_with_relaxation_the_run_differs_from_its_model_and_says_why():
    result = run(cycled(**{"charge.cycles.stop": "8"}))
    gap = np.abs(result.data["true_ergotropy"] - result.data["model_ergotropy"])
    assert gap.max() > 1
    assert any("differs because its pulses turn the spins" in note for note in result.notes)
    calm = run(cycled(**{"charge.cycles.stop": "2", "noise.relaxation": "none"}))
    assert not any("differs" in note for note in calm.notes)


def test_notes_warn_of_what_the_numbers_hide():
    notes = driven().notes
    assert any("effective state" in note for note in notes)
    assert not any("degenerate" in note for note in notes)
    alone = {f"battery__{term}": "0 Hz" for term in ("G", "Delta", "epsilon", "B")}
    assert any("degenerate levels" in note for note in driven(**alone).notes)
    open_frame = run(cycled(**{"charge.sequence": "literature_dm", "charge.cycles.stop": "1"}))
    assert any("does not close" in note for note in open_frame.notes)
    assert not any(name.startswith("model_") for name in open_frame.data)


# -------------------------------------------------------------------------------- measurement
@pytest.mark.parametrize(
    "changes",
    [
        {"measure__dead_time": "5 ms"},
        {"noise__pulses": "finite"},
        {"measure__spectral_width": "700 Hz"},
        {"measure__readouts__0": "YY"},
        {"charge__as": "soft"},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_what_the_instrument_does_is_known_to_the_estimator(changes):
    data = driven(measure__snr="1e6", **changes).data
    np.testing.assert_allclose(data["estimated_state"], data["true_state"], atol=1e-4)


def test_the_fid_is_that_of_precession_under_J():
    data = driven(measure__snr="1e9", noise__relaxation="none", measure__dead_time="3 ms").data
    shown = data["true_state"].values[int(data["shown"])]
    X, Y = np.array([[0, 1], [1, 0]]), np.array([[0, -1j], [1j, 0]])
    Z, one = np.diag([1, -1]), np.eye(2)
    coils = [np.kron(X + 1j * Y, one), np.kron(one, X + 1j * Y)]
    times = data["acquisition_time"].values
    assert times[0] == pytest.approx(3e-3)
    turn = expm(-1j * np.pi / 4 * np.kron(one, X))
    for readout, U in (("II", np.eye(4)), ("IX", turn)):
        for channel, coil in zip(("1H", "13C"), coils, strict=True):
            fid = data["fid"].sel(readout=readout, channel=channel).values
            for k in (0, 17, 63):
                V = expm(-2j * np.pi * J / 4 * times[k] * np.kron(Z, Z)) @ U
                assert fid[k] == pytest.approx(np.trace(V @ shown @ V.conj().T @ coil), abs=1e-6)


def test_linear_inversion_is_not_projected():
    linear = driven(measure__estimator="linear-inversion", measure__snr="5").data
    np.testing.assert_array_equal(linear["estimated_state"], linear["linear_state"])
    assert np.linalg.eigvalsh(linear["estimated_state"].values).min() < -0.01
    likely = driven(measure__snr="5").data
    np.testing.assert_array_equal(likely["linear_state"], linear["linear_state"])
    assert np.linalg.eigvalsh(likely["estimated_state"].values).min() > -1e-12
    assert likely.attrs["estimator"] == "maximum-likelihood"


@pytest.mark.parametrize("estimator", [m for m in METHODS if m != "linear-inversion"])
def test_every_estimator_can_be_asked_for(estimator):
    fewer = {"charge__times__points": "3", "measure__snr": "8"}
    found = driven(measure__estimator=estimator, **fewer).data
    linear = driven(measure__estimator="linear-inversion", **fewer).data
    assert found.attrs["estimator"] == estimator
    assert np.linalg.eigvalsh(found["estimated_state"].values).min() > -1e-12
    for name in ("linear_state", "ergotropy", "ergotropy_low", "ergotropy_high", "chi2"):
        np.testing.assert_array_equal(found[name], linear[name])
    assert np.all(found["ergotropy_raw"] <= linear["ergotropy_raw"])
    assert np.any(found["ergotropy_raw"] < linear["ergotropy_raw"])
    assert ("posterior_r_hat" in found.attrs) == (estimator == "bayesian")


def test_scans_add_up():
    """Four scans are one of twice the signal-to-noise ratio, to the last bit."""
    once = driven(measure__snr="80", measure__scans="1").data
    four = driven(measure__snr="40", measure__scans="4").data
    assert once.identical(four)


def test_confidence_widens_intervals():
    narrow, wide = (driven(measure__confidence=f"{c} %").data for c in (50, 95))
    np.testing.assert_array_equal(narrow["capacity"], wide["capacity"])
    assert np.all(wide["capacity_low"] < narrow["capacity_low"])
    assert np.all(wide["capacity_high"] > narrow["capacity_high"])


def test_b1_inhomogeneity_lowers_the_fidelity():
    even = driven(measure__snr="1e6", noise__relaxation="none").data
    uneven = driven(
        measure__snr="1e6", noise__relaxation="none", noise__b1_inhomogeneity="5 %"
    ).data
    to_ideal = fidelity(uneven["true_state"].values, even["true_state"].values)
    assert to_ideal[0] == pytest.approx(1)
    assert np.all(np.diff(to_ideal) < 0)  # the larger the angle, the larger the spread
    assert to_ideal[-1] < 0.995
    # amplitudes of charging and readout go together, which the estimator cannot know
    assert uneven["fidelity_to_true"].min() < even["fidelity_to_true"].min() - 1e-4
    none = driven(measure__snr="1e6", noise__relaxation="none", noise__b1_inhomogeneity="0 %").data
    assert none.identical(even)


def test_too_few_readouts():
    experiment = load_experiment("charge_dm_ksea", overrides=QUICK)
    few = replace(experiment.measure, readouts=("IX", "IY", "XX"))
    with pytest.raises(ArgumentError, match=r"must determine all 15 .* not seen: XZ"):
        run(replace(experiment, measure=few))


def test_a_width_that_folds_lines_is_refused():
    with pytest.raises(ArgumentError, match=r"`spectral_width` must be more than 215\.13 Hz"):
        driven(measure__spectral_width="215 Hz")


# ---------------------------------------------------------------------------- reproducibility
def test_the_seed_decides_the_numbers():
    assert driven(seed=5).data.identical(driven(seed=5).data)
    one, other = driven(seed=5).data, driven(seed=6).data
    for name in FIGURES:
        np.testing.assert_array_equal(one[f"true_{name}"], other[f"true_{name}"])
    assert np.all(one["capacity"] != other["capacity"])
    assert np.all(one["capacity_low"] != other["capacity_low"])


def test_the_file_fixes_the_seed_unless_one_is_given():
    assert driven().seed == 1
    assert driven().data.identical(driven(seed=1).data)
    assert driven(seed=0).seed == 0


def test_a_seed_is_drawn_and_recorded_where_none_is_given():
    experiment = replace(load_experiment("charge_dm_ksea", overrides=QUICK), seed=None)
    first, second = run(experiment), run(experiment)
    assert first.seed != second.seed
    assert first.provenance["seed"] == first.seed
    assert run(experiment, seed=first.seed).data.identical(first.data)


def test_a_negative_seed():
    with pytest.raises(ArgumentError, match=r"`seed` must be ≥ 0, but is -1"):
        driven(seed=-1)


def test_blocks_of_times_do_not_matter(monkeypatch):
    whole = driven().data
    monkeypatch.setattr("nmrqb.experiment.measuring._BLOCK_VALUES", 2 * 4 * 2 * 64)
    pieces = driven().data
    np.testing.assert_allclose(pieces["estimated_state"], whole["estimated_state"], atol=1e-12)
    np.testing.assert_array_equal(pieces["fid"], whole["fid"])


def test_progress_is_told():
    told = []
    experiment = load_experiment("charge_dm_ksea", overrides=QUICK)
    run(experiment, progress=lambda done, total: told.append((done, total)))
    assert told == [(1, 4), (2, 4), (3, 4), (4, 4)]


# -------------------------------------------------------------------------------------- labels
def test_everything_is_labelled_with_its_unit():
    data = run(cycled(**{"charge.cycles.stop": "2"})).data
    for name, array in {**data.data_vars, **data.coords}.items():
        if array.dtype.kind in "fciu":
            assert array.attrs["long_name"], name
            assert array.attrs["units"], name
    units = {name: data[name].attrs["units"] for name in ("ergotropy", "true_capacity", "time")}
    assert units == {"ergotropy": "Hz", "true_capacity": "Hz", "time": "s"}
    assert data["coherence_l1_high"].attrs["units"] == "1"
    assert list(data["row"].values) == ["00", "01", "10", "11"]
    assert list(data["spin"].values) == ["1H", "13C"]
    assert list(data["cycles"].values) == [0, 1, 2]
    assert data["fid"].dims == ("readout", "channel", "acquisition_time")


def test_only_what_is_reported_is_estimated():
    experiment = load_experiment("charge_dm_ksea", overrides={**QUICK})
    data = run(replace(experiment, report=("energy",))).data
    assert {"energy", "energy_low", "energy_high", "energy_raw", "true_capacity"} <= set(data)
    assert "capacity" not in data


def test_energy_is_the_mean_of_the_hamiltonian():
    experiment = load_experiment("charge_dm_ksea", overrides={**QUICK})
    data = run(experiment).data
    mean = np.einsum("ij,tji->t", experiment.battery.hamiltonian_hz, data["true_state"]).real
    np.testing.assert_allclose(data["true_energy"], mean, atol=1e-10)
    # ergotropy and anti-ergotropy are distances from the passive and the active state
    np.testing.assert_allclose(
        data["true_ergotropy"] - data["true_anti_ergotropy"], data["true_capacity"], atol=1e-10
    )


def test_provenance():
    provenance = driven().provenance
    assert provenance["nmrqb"] == nmrqb.__version__
    assert provenance["numpy"] == np.__version__
    assert provenance["overrides"] == QUICK
    assert set(provenance["inputs_sha256"]) == {"experiment", "sample chloroform"}


def test_three_spins_and_a_battery_among_them(tmp_path):
    (tmp_path / "s.yaml").write_text(
        """\
format: nmrqb-sample/1
spins:
  - {label: H, nucleus: 1H}
  - {label: C, nucleus: 13C}
  - {label: F, nucleus: 19F}
couplings: [{between: [H, C], J: 100 Hz}, {between: [C, F], J: 40 Hz}, {between: [H, F], J: 9 Hz}]
""",
        encoding="utf-8",
    )
    (tmp_path / "e.yaml").write_text(
        """\
format: nmrqb-experiment/1
sample: s.yaml
battery: {spin: C, frequency: 10 Hz}
prepare: {product: {C: {frequency: 10 Hz, temperature: 5 Hz}}}
charge: {drive: x, rate: 50 Hz, times: {stop: 5 ms, points: 3}}
measure:
  readouts: [III, IIX, IIY, IXI, IYI, XXX, YYY, XII, YII, IXX, IYY, XIX, YIY, XXI, YYI, XXY]
  snr: 1e6
  replicas: 50
  points: 128
noise: {relaxation: none}
""",
        encoding="utf-8",
    )
    data = run(load_experiment(tmp_path / "e.yaml"), seed=1).data
    assert data["true_state"].shape == (3, 8, 8)
    # a half turn inverts the populations of the battery; tanh(ν/2T) is its polarisation
    np.testing.assert_allclose(
        data["true_ergotropy"], [0, 5 * np.tanh(1), 10 * np.tanh(1)], atol=1e-9
    )
    np.testing.assert_allclose(data["ergotropy"], data["true_ergotropy"], atol=1e-3)


@pytest.mark.parametrize("snr", ["40", "10"])
def test_intervals_of_the_shipped_experiment_cover_what_they_claim(snr):
    """Nominal 95 % over 41 times and 4 seeds: maximum likelihood alone would cover 79 to 92 %."""
    covered = []
    for seed in range(4):
        experiment = load_experiment("charge_dm_ksea", overrides={"measure.snr": snr})
        data = run(experiment, seed=seed).data
        for name in ("ergotropy", "capacity", "coherence_l1"):
            inside = (data[f"{name}_low"] <= data[f"true_{name}"] + 1e-9) & (
                data[f"true_{name}"] <= data[f"{name}_high"] + 1e-9
            )
            covered.append(float(inside.mean()))
    assert np.mean(covered) > 0.935


def test_a_spread_of_b1_brings_no_revival():
    """Charging by a long drive ends in the average over all turns, and stays there."""
    overrides = {
        "noise.b1_inhomogeneity": "5 %",
        "noise.relaxation": "none",
        "charge.times": "{start: 150 ms, stop: 200 ms, points: 21}",
        "measure.replicas": "50",
    }
    rho = simulate(load_experiment("charge_dm_ksea", overrides=overrides)).states
    X = pauli("XI") + pauli("IX")
    e, V = np.linalg.eigh(X)
    kept = np.abs(e[:, None] - e) < 1e-9  # what does not turn about x survives
    start = initial_state(load_experiment("charge_dm_ksea", overrides=overrides))
    settled = V @ (kept * (V.conj().T @ start @ V)) @ V.conj().T
    np.testing.assert_allclose(rho, np.broadcast_to(settled, rho.shape), atol=2e-5)


def test_a_gain_error_is_drawn_once_and_known_to_the_intervals():
    overrides = {"measure.snr": "1e6", "charge.times": "{stop: 5 ms, points: 3}"}
    exact = run(load_experiment("charge_dm_ksea", overrides=overrides), seed=1).data
    overrides["measure.gain_error"] = "10 %"
    found = [
        run(load_experiment("charge_dm_ksea", overrides=overrides), seed=s).data for s in (1, 2)
    ]
    for data in found:
        ratio = (data["capacity_raw"] / data["true_capacity"]).values
        assert np.ptp(ratio) < 1e-4
        assert 0.001 < abs(float(ratio[0]) - 1) < 0.4
        width = (data["capacity_high"] - data["capacity_low"]) / data["capacity_raw"]
        np.testing.assert_allclose(width, 2 * 1.96 * 0.1, rtol=0.2)
    assert np.all(found[0]["capacity_raw"] != found[1]["capacity_raw"])
    assert np.all(exact["capacity_high"] - exact["capacity_low"] < 1e-3)


def test_a_gain_error_that_is_no_share_is_refused():
    with pytest.raises(InputError, match=r"gain_error.* must be from 0 % to 50 %, but is `-1 %`"):
        load_experiment("charge_dm_ksea", overrides={"measure.gain_error": "-1 %"})


@pytest.mark.parametrize(
    ("factor", "wanted"),
    [(1.0, None), (0.5, "better than their noise allows"), (2.0, "do not fit the calibrated")],
)
def test_notes_tell_noise_that_is_not_what_it_is_said_to_be(monkeypatch, factor, wanted):
    def recorded(fids, noise, rng, **options):
        return record(fids, factor * noise, rng, **options)

    monkeypatch.setattr(receiving, "record", recorded)
    notes = [note for note in driven(seed=3).notes if "χ²" in note]
    assert len(notes) == (wanted is not None)
    assert wanted is None or wanted in notes[0]
