"""Whole cycles as pulses: prepared, charged and extracted by designed sequences."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from scipy.linalg import expm

from nmrqb.dynamics import gibbs, play, thermal_deviation
from nmrqb.errors import ArgumentError, InputError
from nmrqb.experiment import cycle_sequence, extraction_stages, load_experiment, run, simulate
from nmrqb.experiment.sweeps import sweep
from nmrqb.operators import from_named
from nmrqb.report import result_document, result_text
from nmrqb.report.pictures import protocol_figure
from nmrqb.sequence import expand

QUICK = {"measure.replicas": "50", "measure.points": "64", "charge.times.points": "5"}
IDEAL = {"noise.pulses": "ideal", "noise.relaxation": "none"}
FINITE = {"noise.relaxation": "none"}
FEW = {"charge.times.points": "3", "charge.times.start": "1 ms"}


@cache
def _loaded(name, items):
    return load_experiment(name, overrides=dict(items))


def cycled(name="full_cycle", **changes):
    """Return the experiment, a path written with __ for its dots."""
    plain = {path.replace("__", "."): value for path, value in changes.items()}
    return _loaded(name, tuple(sorted({**QUICK, **plain}.items())))


def with_changes(*parts, **changes):
    merged = {key.replace(".", "__"): value for part in parts for key, value in part.items()}
    return cycled(**merged, **changes)


def energy(H, rho):
    return np.einsum("ij,...ji->...", H, rho).real


def by_play(experiment, index, **options):
    """Return the effective state after the whole cycle, played as one sequence."""
    timeline = expand(
        cycle_sequence(experiment, index), experiment.sample, pulses=experiment.noise.pulses
    )
    delta = thermal_deviation(experiment.sample)
    state = play(timeline, experiment.sample, delta, **options).state
    return (np.eye(4) + state / experiment.preparation.scale) / 4


# ------------------------------------------------------------------------------------- all ideal
def test_ideal_pulses_without_relaxation_make_the_ideal_experiment():
    experiment = with_changes(IDEAL)
    truth, H = simulate(experiment), experiment.battery.hamiltonian_hz
    start = gibbs(H, 40.0, inverted=True)
    charging = from_named({"DM_z": 10, "XI": 50, "IX": 50})
    np.testing.assert_allclose(truth.prepared, start, atol=1e-9)
    for k, t in enumerate(experiment.charge.times_s):
        U = expm(-2j * np.pi * t * charging)
        np.testing.assert_allclose(truth.states[k], U @ start @ U.conj().T, atol=1e-9)
    work = energy(H, truth.states) - energy(H, truth.extracted.states)
    np.testing.assert_allclose(work, experiment.battery.ergotropy(truth.states), atol=1e-8)
    np.testing.assert_allclose(truth.ideal, truth.states, atol=1e-9)
    np.testing.assert_allclose(truth.model, truth.states, atol=1e-9)
    np.testing.assert_allclose(truth.extracted.model, truth.extracted.states, atol=1e-9)


@pytest.mark.parametrize("temperature", ["10 Hz", "-30 Hz"])
def test_any_temperature_is_prepared(temperature):
    experiment = with_changes(IDEAL, FEW, prepare__gibbs__temperature=temperature)
    H = experiment.battery.hamiltonian_hz
    expected = gibbs(H, experiment.prepare.temperature_hz, inverted=True)
    np.testing.assert_allclose(simulate(experiment).prepared, expected, atol=1e-9)


@pytest.mark.parametrize("terms", ["{G: 5 Hz}", "{B: 7 Hz}", "{Delta: 3 Hz, epsilon: -2 Hz}"])
def test_any_hamiltonian_charges(terms):
    experiment = with_changes(IDEAL, FEW, charge__hamiltonian=terms, extract="false")
    truth = simulate(experiment)
    np.testing.assert_allclose(truth.states, truth.ideal, atol=1e-9)


def test_a_drive_is_the_same_as_a_hamiltonian():
    hard = "{drive: x, rate: 50 Hz, times: {stop: 10 ms, points: 5}}"
    designed = "{hamiltonian: {drive_x: 50 Hz}, times: {stop: 10 ms, points: 5}}"
    first, second = (
        simulate(load_experiment("full_cycle", overrides={**IDEAL, "charge": charge}))
        for charge in (hard, designed)
    )
    np.testing.assert_allclose(first.states, second.states, atol=1e-9)


# ------------------------------------------------------------------------- what pulses really make
@pytest.mark.parametrize("index", [0, 1, 4])
def test_finite_pulses_lose_what_playing_the_whole_list_loses(index):
    experiment = with_changes(FINITE)
    truth = simulate(experiment)
    expected = by_play(experiment, index)
    np.testing.assert_allclose(truth.extracted.states[index], expected, atol=1e-9)
    lost = np.abs(truth.states[index] - truth.ideal[index]).max()
    assert 1e-4 < lost < 0.05


def test_errors_and_spreads_are_those_of_playing_the_whole_list():
    spread = {"noise.b1_inhomogeneity": "5 %", "noise.b0_inhomogeneity": "2 Hz"}
    experiment = with_changes(FINITE, FEW, spread)
    truth = simulate(experiment)
    expected = by_play(experiment, 1, ensemble=truth.ensemble)
    assert truth.ensemble.size > 4
    np.testing.assert_allclose(truth.extracted.states[1], expected, atol=1e-9)


def test_relaxation_leads_back_to_thermal_equilibrium():
    """To first order in ε: the true state of a sample of polarisation ε is played."""
    short = {f"sample_overrides.{label}": "{T1: 40 ms, T2: 30 ms}" for label in ("1H", "13C")}
    experiment = with_changes(FEW, short, prepare__gibbs__temperature="200 Hz")
    truth, epsilon, k = simulate(experiment), 1e-6, experiment.preparation.scale
    delta = thermal_deviation(experiment.sample)
    spins = tuple(
        replace(spin, polarization=float(epsilon * p.real / 2))
        for spin, p in zip(experiment.sample.spins, (delta[0, 0] + delta[1, 1],
                           delta[0, 0] - delta[1, 1]), strict=True)
    )  # fmt: skip
    polarized = replace(experiment.sample, spins=spins)
    timeline = expand(cycle_sequence(experiment, 2), experiment.sample, pulses="finite")
    rho = (np.eye(4) + epsilon * delta) / 4
    after = play(timeline, polarized, rho, relaxation=True).state
    expected = np.eye(4) / 4 + (after - np.eye(4) / 4) / (epsilon * k)
    np.testing.assert_allclose(truth.extracted.states[2], expected, atol=1e-5)
    decayed = by_play(experiment, 2, relaxation=True)  # where T1 leads to nothing
    assert np.abs(decayed - expected).max() > 1e-3


def test_without_relaxation_the_average_hamiltonians_say_all():
    truth = simulate(with_changes(FINITE))
    np.testing.assert_allclose(truth.model, truth.states, atol=1e-9)
    np.testing.assert_allclose(truth.extracted.model, truth.extracted.states, atol=1e-9)


def test_relaxation_takes_work():
    def work(T2):
        times = {f"sample_overrides.{label}.T2": T2 for label in ("1H", "13C")}
        at = {f"charge.times.{end}": "5 ms" for end in ("start", "stop")}
        at["charge.times.points"] = "1"
        experiment = with_changes(times, at)
        truth, H = simulate(experiment), experiment.battery.hamiltonian_hz
        return energy(H, truth.states) - energy(H, truth.extracted.states)

    slow, medium, fast = (float(work(T2)[0]) for T2 in ("2 s", "200 ms", "50 ms"))
    assert slow > medium > fast > 0
    assert slow - fast > 1


# ------------------------------------------------------------------------------- the whole run
@pytest.fixture(scope="module")
def whole():
    return run(load_experiment("full_cycle"))


def test_energy_is_kept_account_of(whole):
    data, battery = whole.data, whole.experiment.battery
    H = battery.hamiltonian_hz
    before, after = (energy(H, data[name].values) for name in ("true_state", "extracted_state"))
    np.testing.assert_allclose(data["true_extracted_work"], before - after, atol=1e-12)
    np.testing.assert_allclose(data["true_energy"], before, atol=1e-12)
    np.testing.assert_allclose(data["ideal_extracted_work"], data["ideal_ergotropy"], atol=1e-9)
    assert np.all(data["true_extracted_work"] <= data["true_ergotropy"])


def test_the_work_is_close_to_the_ergotropy_and_tomography_confirms_it(whole):
    data = whole.data
    assert np.all(data["true_ergotropy"] - data["true_extracted_work"] < 0.3)
    assert float(data["true_ergotropy"].max()) > 40
    for name, true in (("extracted_work", "true_extracted_work"), ("ergotropy", "true_ergotropy")):
        low, high, value = data[f"{name}_low"], data[f"{name}_high"], data[true]
        inside = (low <= value) & (value <= high)
        assert int(inside.sum()) >= data.sizes["time"] - 2
    z = (data["extracted_work"] - data["true_extracted_work"]) / data["extracted_work_error"]
    assert np.all(np.abs(z) < 4)


@pytest.mark.slow
def test_the_intervals_of_the_work_cover_what_they_claim():
    """20 runs of 5 times; a share of four standard errors below 95 %."""
    inside = []
    for seed in range(20):
        data = run(cycled(), seed=seed).data
        true = data["true_extracted_work"]
        inside += [*((data["extracted_work_low"] <= true) & (true <= data["extracted_work_high"]))]
    assert np.mean(inside) > 0.95 - 4 * np.sqrt(0.95 * 0.05 / len(inside))


def test_all_of_it_is_labelled(whole):
    data = whole.data
    for name in ("ideal_extracted_work", "model_extracted_work", "true_extracted_work"):
        assert data[name].dims == ("time",)
        assert data[name].attrs["units"] == "Hz"
        assert "extracted work" in data[name].attrs["long_name"]
    for name in ("preparation_time", "extraction_time", "cycle_time"):
        assert data[name].attrs["units"] == "s"
    laboratory = data["laboratory_time"].values
    np.testing.assert_allclose(
        data["cycle_time"],
        float(data["preparation_time"]) + laboratory + data["extraction_time"].values,
    )
    sequence = expand(cycle_sequence(whole.experiment, 3), whole.experiment.sample, pulses="finite")
    lasts = sum(getattr(event, "duration", 0.0) for event in sequence.events)
    assert float(data["cycle_time"][3]) == pytest.approx(lasts, rel=1e-12)
    assert np.all(laboratory[1:] <= 3 / (2 * 215.13) + 5 * 4 * 77e-6)
    assert float(data["preparation_scale"]) == whole.experiment.preparation.scale


def test_it_is_told_in_one_table_and_in_json(whole):
    text = result_text(whole)
    assert "ergotropy (Hz)  work: ideal  average H    true  measured" in text
    assert "by a sequence of 5.5" in text
    document = result_document(whole, [])
    assert document["preparation"]["scale"] == whole.experiment.preparation.scale
    point = document["points"][5]
    for kind in ("ideal", "model", "true"):
        assert point[kind]["extracted_work_hz"] == pytest.approx(41.5, abs=0.5)
    assert {"value", "low", "high", "error"} <= set(point["estimate"]["extracted_work_hz"])
    assert point["cycle_time_s"] > point["extraction_time_s"] >= 0
    assert any("effective state (1 + δ/k)/4" in note for note in whole.notes)


def test_the_protocol_shows_what_is_played(whole):
    texts = {text.get_text() for text in protocol_figure(whole.experiment).axes[0].texts}
    assert {"crush", "prepare the Gibbs state", "charge, here for 10 ms"} <= texts


def test_without_a_design_nothing_is_added():
    overrides = {"measure.replicas": "50", "measure.points": "64", "charge.times.points": "2"}
    data = run(load_experiment("charge_dm_ksea", overrides=overrides)).data
    assert not [name for name in data if str(name).startswith(("ideal_", "model_", "cycle"))]


# ------------------------------------------------------------------------------ parts of a cycle
def test_a_sequence_that_charges_is_extracted_from():
    overrides = {
        "battery": "{D: 20 Hz}", "extract": "true", "noise.relaxation": "none",
        "noise.pulses": "finite", "charge.cycles.stop": "2",
        "prepare": "{product: {1H: {frequency: 100 Hz, temperature: 50 Hz}}}",
    }  # fmt: skip
    experiment = load_experiment("charger_battery_dm", overrides=overrides)
    truth = simulate(experiment)
    ideal = simulate(
        load_experiment("charger_battery_dm", overrides={**overrides, "noise.pulses": "ideal"})
    )
    np.testing.assert_allclose(truth.ideal, ideal.states, atol=1e-9)
    assert np.abs(truth.states[-1] - ideal.states[-1]).max() > 1e-4
    work = experiment.battery.energy(ideal.states) - experiment.battery.energy(
        ideal.extracted.states
    )
    np.testing.assert_allclose(work, experiment.battery.ergotropy(ideal.states), atol=1e-8)


def test_a_battery_of_one_spin_is_extracted_from_by_pulses_alone():
    overrides = {"extract": "true", **IDEAL, "charge.cycles.stop": "3"}
    experiment = load_experiment("charger_battery_dm", overrides=overrides)
    truth, battery = simulate(experiment), experiment.battery
    reduced = [np.einsum("tiaib->tab", rho.reshape(-1, 2, 2, 2, 2))
               for rho in (truth.states, truth.extracted.states)]  # fmt: skip
    work = battery.energy(reduced[0]) - battery.energy(reduced[1])
    np.testing.assert_allclose(work, battery.ergotropy(reduced[0]), atol=1e-8)
    assert all(stage.timeline.free_evolution_s == 0 for stage in extraction_stages(experiment))


def test_the_cycle_of_a_soft_drive_is_no_list_of_pulses():
    soft = {"charge": "{drive: x, rate: 50 Hz, as: soft, times: {stop: 1 ms, points: 2}}"}
    experiment = load_experiment("full_cycle", overrides=soft)
    with pytest.raises(ArgumentError, match="two spins by a hard drive"):
        cycle_sequence(experiment, 0)
    with pytest.raises(ArgumentError, match="`index` must be from 0 to 1, but is 2"):
        cycle_sequence(experiment, 2)


# -------------------------------------------------------------------------------- what is refused
ONE_SPIN = {
    "battery": "{spin: 13C, frequency: 9 Hz}",
    "extract": "false",
}
POLARIZED = {"sample_overrides.1H.polarization": "0.1"}
HAMILTONIAN = "charge.hamiltonian"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"sample": "chloroform", "measure.direct_work": "true"}, "leave one of them out"),
        ({HAMILTONIAN: "{D: 0 Hz}"}, "must hold a term that is not 0: D, G, Delta, epsilon, B"),
        ({HAMILTONIAN: "{DM: 1 Hz}"}, "unknown key `DM`"),
        ({HAMILTONIAN: "{D: 1}"}, "unit"),
        ({"charge.rate": "1 Hz"}, "or hamiltonian, times, or sequence"),
        ({"charge.times.points": "1002"}, "`points` must be at most 1001"),
        ({"prepare.gibbs.by": "magic"}, "Valid: ideal, sequence"),
        ({"prepare.gibbs.temperature": "1e30 Hz"}, "`rho` must differ from 1/4"),
        ({"extract": "yes"}, "must be true or false"),
        (POLARIZED, "leave the polarization of 1H out"),
        (ONE_SPIN, "the battery is one spin"),
    ],
)
def test_a_cycle_without_sense_is_refused(changes, message):
    with pytest.raises(InputError, match=message) as caught:
        load_experiment("full_cycle", overrides=changes)
    assert len(caught.value.faults) <= 2


def test_maps_of_cycles_need_tomography(tmp_path):
    with pytest.raises(InputError, match="swept with tomography only: add --tomography"):
        sweep("full_cycle", over={"battery.D": "1 Hz:2 Hz:2"}, out=tmp_path / "map")


LIKE = """\
format: nmrqb-sample/1
name: like
field: 1.465 T
spins:
  - {label: A, nucleus: 1H, offset: 0 Hz, T1: 10 s, T2: 2 s, pulse_90: 13 us}
  - {label: B, nucleus: 1H, offset: 500 Hz, T1: 10 s, T2: 2 s, pulse_90: 13 us}
couplings:
  - {between: [A, B], J: 10 Hz, truncation: weak}
"""
CYCLE = """\
format: nmrqb-experiment/1
sample: ./like.yaml
battery: {D: 20 Hz}
prepare: {gibbs: {temperature: 20 Hz, by: sequence}}
charge: {drive: x, rate: 50 Hz, times: {stop: 10 ms, points: 3}}
measure: {readouts: [II, IX, IY, XX], snr: 100}
"""


def test_a_sample_of_like_spins_is_refused_where_it_is_asked_for(tmp_path):
    (tmp_path / "like.yaml").write_text(LIKE, encoding="utf-8")
    (tmp_path / "e.yaml").write_text(CYCLE, encoding="utf-8")
    with pytest.raises(InputError, match="unlike nuclei") as caught:
        load_experiment(tmp_path / "e.yaml")
    places = [(fault.at.line, fault.at.column) for fault in caught.value.faults]
    assert (4, 43) in places


def test_three_spins_are_refused_in_one_message(tmp_path):
    third = "  - {label: C, nucleus: 13C, offset: 0 Hz, T1: 10 s, T2: 2 s}\ncouplings:"
    (tmp_path / "like.yaml").write_text(LIKE.replace("couplings:", third), encoding="utf-8")
    text = CYCLE.replace("{D: 20 Hz}", "{spin: A, frequency: 1 Hz}").replace(
        "{gibbs: {temperature: 20 Hz, by: sequence}}",
        "{product: {A: {frequency: 1 Hz, temperature: 1 Hz}}}",
    )
    (tmp_path / "e.yaml").write_text(text.replace("measure:", "extract: true\nmeasure:"))
    with pytest.raises(InputError, match="must have two spins, but 'like' has 3") as caught:
        load_experiment(tmp_path / "e.yaml")
    assert len([f for f in caught.value.faults if f.at.line == 6]) == 1
