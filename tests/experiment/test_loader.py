"""Experiment files: what they become, and where their faults are told."""

import hashlib
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from nmrqb.errors import ArgumentError, InputError, Position
from nmrqb.experiment import (
    DriveCharge,
    GibbsPreparation,
    ProductPreparation,
    SequenceCharge,
    load_experiment,
    run,
)
from nmrqb.files import find, library
from nmrqb.operators import named_terms
from nmrqb.sample import T1T2, Dephasing, PauliNoise

DRIVEN = """\
format: nmrqb-experiment/1
sample: chloroform
battery: {D: 20 Hz}
prepare: {gibbs: {temperature: 20 Hz}}
charge: {drive: x, rate: 50 Hz, times: {stop: 10 ms, points: 3}}
measure: {readouts: [II, IX, IY, XX], snr: 100}
"""
CYCLED = """\
format: nmrqb-experiment/1
sample: chloroform
battery: {spin: 13C, frequency: 100 Hz}
prepare: {product: {1H: {frequency: 100 Hz, temperature: -50 Hz}}}
charge: {sequence: dm, cycles: {stop: 3}}
measure: {readouts: [II, IX, IY, XX], snr: 100}
"""


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def loaded(text, old="", new="", **overrides):
    assert old in text
    Path("e.yaml").write_text(text.replace(old, new), encoding="utf-8")
    return load_experiment("e.yaml", overrides=overrides)


def faults(text, old, new, **overrides):
    with pytest.raises(InputError, match=r"e\.yaml:|--set ") as caught:
        loaded(text, old, new, **overrides)
    return [(str(fault.at), fault.message) for fault in caught.value.faults]


# ------------------------------------------------------------------------------ what is read
def test_the_shipped_drive():
    experiment = load_experiment("charge_dm_ksea")
    named = named_terms(experiment.battery.hamiltonian_hz)
    wanted = {"DM_z": 20, "KSEA_z": 5, "Delta": 10, "epsilon": 5, "B": 2}
    assert named == pytest.approx({name: wanted.get(name, 0) for name in named}, abs=1e-12)
    assert experiment.prepare == GibbsPreparation(20.0)
    assert isinstance(experiment.charge, DriveCharge)
    assert experiment.charge.rate_hz == 50
    np.testing.assert_allclose(experiment.charge.times_s, np.linspace(0, 10e-3, 41))
    assert not experiment.charge.soft
    assert experiment.noise.relaxation
    assert experiment.noise.pulses == "ideal"
    assert experiment.noise.b1_inhomogeneity == 0
    assert experiment.measure.readouts == ("II", "IX", "IY", "XX")
    assert (experiment.measure.snr, experiment.measure.scans) == (40, 4)
    assert experiment.measure.confidence == pytest.approx(0.95)
    assert experiment.seed == 1


def test_the_shipped_sequence():
    experiment = load_experiment("charger_battery_dm")
    assert experiment.battery.spins == (1,)
    np.testing.assert_allclose(experiment.battery.hamiltonian_hz, np.diag([50, -50]))
    assert isinstance(experiment.prepare, ProductPreparation)
    assert dict(experiment.prepare.spins) == {0: (100, -50), 1: (100, 50)}
    assert isinstance(experiment.charge, SequenceCharge)
    np.testing.assert_array_equal(experiment.charge.cycles, np.arange(33))
    assert experiment.charge.timeline.free_evolution_s == pytest.approx(1 / (8 * 215.13))
    assert [spin.T2_s for spin in experiment.sample.spins] == pytest.approx([20e-3, 10e-3])
    assert [spin.T1_s for spin in experiment.sample.spins] == [10, 10]


def test_hashes_are_those_of_the_shipped_files():
    shipped = {
        "experiment": library("experiment")["charger_battery_dm"],
        "sample chloroform": library("sample")["chloroform"],
        "sequence dm": library("sequence")["dm"],
    }
    expected = {name: hashlib.sha256(f.read_bytes()).hexdigest() for name, f in shipped.items()}
    assert dict(load_experiment("charger_battery_dm").inputs_sha256) == expected


def test_defaults():
    experiment = loaded(DRIVEN)
    assert experiment.name == "e"
    assert experiment.report == ("ergotropy", "anti_ergotropy", "capacity", "coherence_l1")
    assert experiment.seed is None
    assert experiment.measure.estimator == "maximum-likelihood"
    assert experiment.measure.replicas == 400
    assert experiment.measure.points == 2048
    assert experiment.measure.spectral_width_hz is None


def test_one_time_starts_where_it_stops():
    text = DRIVEN.replace("stop: 10 ms, points: 3", "start: 2 ms, stop: 2 ms, points: 1")
    np.testing.assert_allclose(loaded(text).charge.times_s, [2e-3])


def test_everything_that_can_be_said_acts():
    text = DRIVEN.replace("charge: {", "charge: {as: soft, ").replace(
        "snr: 100",
        "snr: 10, scans: 3, estimator: linear-inversion, confidence: 50 %, replicas: 60, "
        "points: 128, spectral_width: 1 kHz, dead_time: 2 ms",
    )
    text += "name: other\ntitle: T\nnotes: N\nreport: [energy, ergotropy, energy]\nseed: 7\n"
    text += "noise: {relaxation: none, pulses: finite, b1_inhomogeneity: 5 %}\n"
    experiment = loaded(text)
    assert experiment.charge.soft
    measure = experiment.measure
    assert (measure.snr, measure.scans, measure.estimator) == (10, 3, "linear-inversion")
    assert (measure.confidence, measure.replicas, measure.points) == (0.5, 60, 128)
    assert (measure.spectral_width_hz, measure.dead_time_s) == (1000, 2e-3)
    assert (experiment.name, experiment.title, experiment.notes) == ("other", "T", "N")
    assert experiment.report == ("energy", "ergotropy")  # each once, in the order given
    assert experiment.seed == 7
    assert not experiment.noise.relaxation
    assert (experiment.noise.pulses, experiment.noise.b1_inhomogeneity) == ("finite", 0.05)


def test_overrides_act_and_are_recorded():
    changes = {"battery.D": "100 Hz", "charge.times.points": "5", "measure.readouts.0": "XI"}
    experiment = loaded(DRIVEN, **changes)
    assert named_terms(experiment.battery.hamiltonian_hz)["DM_z"] == pytest.approx(100)
    assert len(experiment.charge.times_s) == 5
    assert experiment.measure.readouts[0] == "XI"
    assert dict(experiment.overrides) == changes


def test_sample_overrides_act():
    text = CYCLED + "sample_overrides: {13C: {T2: 30 ms, offset: 12 Hz}, 1H: {T1: }}\n"
    proton, carbon = loaded(text).sample.spins
    assert (carbon.T2_s, carbon.offset_hz, carbon.T1_s) == (30e-3, 12, 10)
    assert proton.T1_s == np.inf  # empty, as in a sample file: no relaxation
    assert loaded(CYCLED, **{"sample_overrides.1H.T2": "9 ms"}).sample.spins[0].T2_s == 9e-3


def test_roles_are_bound_by_label():
    experiment = loaded(CYCLED, "cycles", "spins: {I: 13C, S: 1H}, cycles")
    assert dict(experiment.charge.timeline.roles) == {"I": (1,), "S": (0,)}
    assert dict(loaded(CYCLED).charge.timeline.roles) == {"I": (0,), "S": (1,)}


def test_parameters_of_the_sequence():
    experiment = loaded(CYCLED, "cycles", "parameters: {t: 1/(2*J)}, cycles")
    assert experiment.charge.timeline.free_evolution_s == pytest.approx(1 / 215.13)
    later = loaded(CYCLED, "stop: 3", "start: 2, stop: 9, step: 3").charge
    np.testing.assert_array_equal(later.cycles, [2, 5, 8])


def test_files_are_named_from_the_experiment():
    folder = Path("inner")
    folder.mkdir()
    for kind, name in (("sample", "chloroform"), ("sequence", "dm")):
        (folder / f"my_{kind}.yaml").write_bytes(library(kind)[name].read_bytes())
    text = CYCLED.replace("sample: chloroform", "sample: my_sample.yaml")
    text = text.replace("sequence: dm", "sequence: ./my_sequence.yaml")
    (folder / "e.yaml").write_text(text, encoding="utf-8")
    experiment = load_experiment(folder / "e.yaml")
    assert experiment.sample.name == "chloroform"
    assert experiment.charge.timeline.name == "dm"
    # what --set names is relative to where one stands, as all of the command line is
    Path("up.yaml").write_bytes(library("sample")["oriented_pair"].read_bytes())
    one = "{product: {H2: {frequency: 1 Hz, temperature: 1 Hz}}}"
    changes = {"sample": "up.yaml", "battery.spin": "H2", "prepare": one}
    assert load_experiment("inner/e.yaml", overrides=changes).sample.name == "oriented_pair"


# ---------------------------------------------------------------------------- what is refused
NO_SPIN = "sample `chloroform` has no spin `2H`; Valid: 13C, 1H"
REFUSED = {
    "unknown sample": (DRIVEN, "chloroform", "chlorform", "e.yaml:2:9", "did you mean `chlorof"),
    "unknown sequence": (CYCLED, "sequence: dm", "sequence: dmm", "e.yaml:5:20", "mean `dm`"),
    "no battery": (DRIVEN, "D: 20 Hz", "", "e.yaml:3:10", "a term that is not 0: D, G, Delta"),
    "zero battery": (DRIVEN, "20 Hz}\np", "0 Hz}\np", "e.yaml:3:10", "a term that is not 0"),
    "half a spin battery": (CYCLED, ", frequency: 100 Hz}\n", "}\n", "e.yaml:3:10", "needs both"),
    "spin and terms": (CYCLED, "spin: 13C", "D: 1 Hz, spin: 13C", "e.yaml:3:10", "also holds the"),
    "battery spin": (CYCLED, "spin: 13C", "spin: 2H", "e.yaml:3:17", NO_SPIN),
    "no splitting": (CYCLED, "100 Hz}\n", "0 Hz}\n", "e.yaml:3:33", "must not be 0 Hz"),
    "gibbs of one spin": (
        CYCLED, "product: {1H: {frequency: 100 Hz, temperature: -50 Hz}}",
        "gibbs: {temperature: 1 Hz}", "e.yaml:4:18", "tells nothing of 1H",
    ),
    "prepared spin": (CYCLED, "1H", "2H", "e.yaml:4:21", NO_SPIN),
    "zero temperature": (DRIVEN, "e: 20 Hz", "e: 0 Hz", "e.yaml:4:32", "must not be 0"),
    "temperature without unit": (DRIVEN, "e: 20 Hz", "e: 20", "e.yaml:4:32", "write for example"),
    "gibbs and product": (
        DRIVEN, "20 Hz}}", "20 Hz}, product: {1H: {frequency: 1 Hz, temperature: 1 Hz}}}",
        "e.yaml:4:10", "exactly one of gibbs and product",
    ),
    "product of nothing": (
        DRIVEN, "gibbs: {temperature: 20 Hz}", "product: {}", "e.yaml:4:20",
        "`product` must name at least one spin, but names none",
    ),
    "no readouts": (DRIVEN, "[II, IX, IY, XX]", "[]", "e.yaml:6:21", "at least one readout"),
    "readout letter": (DRIVEN, "IY", "IZ", "e.yaml:6:30", "2 letters of I, X, Y"),
    "readout length": (DRIVEN, "IY", "IYX", "e.yaml:6:30", "2 letters of I, X, Y"),
    "too few readouts": (DRIVEN, "[II, IX,", "[IX, IX,", "e.yaml:6:21", "not seen: XZ"),
    "dead time": (DRIVEN, "snr: 100", "snr: 1, dead_time: -1 ms", "e.yaml:6:58", "not be negative"),
    "snr negative": (DRIVEN, "snr: 100", "snr: -1", "e.yaml:6:44", "must be from"),
    "snr zero": (DRIVEN, "snr: 100", "snr: 0", "e.yaml:6:44", "must be from"),
    "snr nan": (DRIVEN, "snr: 100", "snr: nan", "e.yaml:6:44", "is not finite"),
    "snr infinite": (DRIVEN, "snr: 100", "snr: 1e300", "e.yaml:6:44", "must be from"),
    "confidence": (DRIVEN, "r: 100", "r: 1, confidence: 100 %", "e.yaml:6:59", "is `100 %`"),
    "largest confidence": (
        DRIVEN, "r: 100", "r: 1, confidence: 99.99 %", "e.yaml:6:59", "must be at most 99.98 %, as"
    ),
    "replicas": (DRIVEN, "snr: 100", "snr: 1, replicas: 49", "e.yaml:6:57", "from 50 to 10000"),
    "no points": (DRIVEN, "points: 3", "points: 0", "e.yaml:5:62", "from 1 to 100000, but is 0"),
    "half a point": (DRIVEN, "points: 3", "points: 2.5", "e.yaml:5:62", "whole number"),
    "times backward": (DRIVEN, "stop: 10", "start: 11 ms, stop: 10", "e.yaml:5:40", "run forward"),
    "one of two times": (
        DRIVEN, "stop: 10 ms, points: 3", "start: 1 ms, stop: 2 ms, points: 1", "e.yaml:5:48",
        "one point where `start` = `stop`, and only there, but have 1 from 0.001 s to 0.002 s",
    ),
    "one of two times from 0": (
        DRIVEN, "points: 3", "points: 1", "e.yaml:5:40", "but have 1 from 0 s",
    ),
    "one time thrice": (
        DRIVEN, "stop: 10 ms", "start: 10 ms, stop: 10 ms", "e.yaml:5:48", "but have 3 from 0.01 s",
    ),
    "time negative": (DRIVEN, "stop", "start: -1 ms, stop", "e.yaml:5:40", "from 0 or later"),
    "cycles backward": (CYCLED, "stop: 3", "start: 4, stop: 3", "e.yaml:5:32", "must run forward"),
    "drive and sequence": (
        DRIVEN, "drive: x", "drive: x, sequence: dm", "e.yaml:5:9",
        "holds drive, rate, sequence, times"
    ),
    "no charge": (
        DRIVEN, "{drive: x, rate: 50 Hz, times: {stop: 10 ms, points: 3}}", "{}", "e.yaml:5:9",
        "but holds nothing",
    ),
    "no Hamiltonian": (
        DRIVEN, "drive: x", "hamiltonian: D", "e.yaml:5:23", "must be a mapping of `key: value`"
    ),
    "role": (CYCLED, "cycles", "spins: {Q: 1H}, cycles", "e.yaml:5:35", "no role `Q`; Valid: I, S"),
    "role's spin": (CYCLED, "cycles", "spins: {I: 2H}, cycles", "e.yaml:5:35", NO_SPIN),
    "parameter": (
        CYCLED, "cycles", "parameters: {u: 1 ms}, cycles", "e.yaml:5:40",
        "no parameter `u`; Valid: t"
    ),
    "parameter's unit": (
        CYCLED, "cycles", "parameters: {t: 5 kg}, cycles", "e.yaml:5:40", "unknown unit `kg`"
    ),
    "report": (DRIVEN, "sample", "report: [work]\nsample", "e.yaml:2:10", "Valid: anti_ergotropy"),
    "empty report": (DRIVEN, "sample", "report: []\nsample", "e.yaml:2:9", "at least one figure"),
    "seed": (DRIVEN, "sample", "seed: -1\nsample", "e.yaml:2:7", "whole number, 0 or more"),
    "name": (DRIVEN, "sample", "name: ../up\nsample", "e.yaml:2:7", "must be a plain word"),
    "b1": (
        DRIVEN, "sample", "noise: {b1_inhomogeneity: 30 %}\nsample", "e.yaml:2:27",
        "between 0 % and 20 %, but is `30 %`"
    ),
    "unknown key": (DRIVEN, "snr: 100", "snr: 1, scan: 3", "e.yaml:6:47", "did you mean `scans`?"),
    "override of no spin": (
        DRIVEN, "battery", "sample_overrides: {2H: {T1: 1 s}}\nbattery", "e.yaml:3:29",
        "no spin `2H`"
    ),
    "override of no spin with nothing": (
        DRIVEN, "battery", "sample_overrides: {2H: {}}\nbattery", "e.yaml:3:20", NO_SPIN
    ),
    "override's unit": (
        DRIVEN, "battery", "sample_overrides: {1H: {T1: 1 kg}}\nbattery", "e.yaml:3:29", "unit `kg`"
    ),
    "override of T2": (
        DRIVEN, "battery", "sample_overrides: {1H: {T2: 21 s}}\nbattery", "e.yaml:3:29",
        "2 T1 = 20 s"
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_a_fault_is_told_where_it_stands(case):
    text, old, new, at, message = REFUSED[case]
    found = faults(text, old, new)
    assert any(place == at and message in told for place, told in found), found
    assert all(place == at for place, _ in found), found


def test_finite_pulses_need_their_lengths():
    sample = "format: nmrqb-sample/1\nspins:\n  - {label: A, nucleus: 1H, pulse_90: 1 us}\n"
    Path("s.yaml").write_text(sample + "  - {label: B, nucleus: 13C}\n", encoding="utf-8")
    coupled = "couplings: [{between: [A, B], J: 100 Hz}]\n"
    Path("s.yaml").write_text(Path("s.yaml").read_text() + coupled, encoding="utf-8")
    text = DRIVEN.replace("chloroform", "s.yaml") + "noise: {pulses: finite}\n"
    assert faults(text, "", "") == [
        ("e.yaml:7:17", "finite pulses need `pulse_90` of every spin; B has none")
    ]


def test_a_two_spin_battery_needs_two_spins():
    Path("s.yaml").write_text(
        "format: nmrqb-sample/1\nspins: [{label: A, nucleus: 1H}]\n", encoding="utf-8"
    )
    text = DRIVEN.replace("[II, IX, IY, XX]", "[I, X, Y]")
    told = faults(text, "chloroform", "s.yaml")
    assert told == [
        ("e.yaml:3:10", "a two-spin battery needs a sample of two spins; this one has 1")
    ]


def test_a_battery_of_the_only_spin_may_be_in_its_gibbs_state():
    Path("s.yaml").write_text(
        "format: nmrqb-sample/1\nspins: [{label: A, nucleus: 1H}]\n", encoding="utf-8"
    )
    text = DRIVEN.replace("[II, IX, IY, XX]", "[I, X, Y]").replace("chloroform", "s.yaml")
    experiment = loaded(text, "D: 20 Hz", "spin: A, frequency: 10 Hz")
    assert experiment.battery.spins == (0,)


def test_all_faults_are_told_at_once():
    text = CYCLED.replace("chloroform", "water").replace("sequence: dm", "sequence: md")
    found = faults(text + "seed: x\ncolour: red\n", "snr: 100", "snr: 0")
    assert [at for at, _ in found] == [
        "e.yaml:2:9", "e.yaml:5:20", "e.yaml:6:44", "e.yaml:7:7", "e.yaml:8:1"
    ]  # fmt: skip
    across = CYCLED.replace("spin: 13C", "spin: 2H").replace("[II,", "[IZ,")
    found = faults(across, "cycles", "spins: {I: 2H}, cycles")
    assert [at for at, _ in found] == ["e.yaml:3:17", "e.yaml:5:35", "e.yaml:6:22"]


def test_faults_of_a_named_file_stand_in_that_file():
    Path("s.yaml").write_text(
        "format: nmrqb-sample/1\nspins: [{label: A, nucleus: 1Q}]\n", encoding="utf-8"
    )
    with pytest.raises(InputError, match=r"nucleus.*spin 1/2") as caught:
        loaded(DRIVEN, "chloroform", "s.yaml")
    assert caught.value.faults[0].at == Position("s.yaml", 2, 29)


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        ("battery.D", "5 kg", "unknown unit `kg`"),
        ("battery.DD", "5 Hz", "unknown key `DD`; did you mean `D`"),
        ("battery.D.x", "5 Hz", "is not a path into"),
        ("measure.readouts.4", "II", "number of a list item, 0 to 3"),
        ("sample", "water", "there is no sample `water` in the library; Valid: chloroform"),
        ("charge.times.points", "0", "must be from 1 to 100000"),
    ],
)
def test_a_bad_override_is_told_at_itself(path, value, message):
    ((at, told),) = faults(DRIVEN, "", "", **{path: value})
    assert at == f"--set {path}:1:1"
    assert message in told


# ------------------------------------------------------------------------------------- relaxation
LISTED = (
    "noise: {relaxation: [T1T2, {dephasing: {spins: [1H, 13C], rates: [1 /s, 2 /s], "
    "correlation: 50 %}}]}\n"
)


def test_what_relaxes_may_be_a_word_or_a_list():
    pauli = PauliNoise({"13C": (0.5, 0.0, 0.0)})
    assert loaded(DRIVEN).noise.relaxation is True  # all that the sample declares
    said = {
        "sample": True,
        "none": False,
        "T1T2": (T1T2(),),
        "[]": (),
        "[T1T2]": (T1T2(),),
        "[{pauli: {13C: {x: 0.5 /s}}}]": (pauli,),
    }
    for text, relaxation in said.items():
        assert loaded(f"{DRIVEN}noise: {{relaxation: {text}}}\n").noise.relaxation == relaxation
    experiment = loaded(DRIVEN + LISTED)
    correlated = Dephasing(("1H", "13C"), (1.0, 2.0), 0.5)
    assert experiment.noise.relaxation == (T1T2(), correlated)
    assert experiment.noise.mechanisms(experiment.sample) == (T1T2(), correlated)
    changed = {"noise.relaxation": "[T1T2, {pauli: {13C: {x: 0.5 /s}}}]"}
    assert loaded(DRIVEN, **changed).noise.relaxation == (T1T2(), pauli)


def test_an_experiment_takes_what_its_sample_declares_or_leaves_it():
    text = library("sample")["chloroform"].read_text(encoding="utf-8")
    Path("s.yaml").write_text(
        f"{text}\nrelaxation: [pauli: {{13C: {{x: 5 /s}}}}]\n", encoding="utf-8"
    )
    own = DRIVEN.replace("sample: chloroform", "sample: ./s.yaml")
    pauli = PauliNoise({"13C": (5.0, 0.0, 0.0)})
    for text, acting in {"sample": (T1T2(), pauli), "T1T2": (T1T2(),), "none": ()}.items():
        experiment = loaded(f"{own}noise: {{relaxation: {text}}}\n")
        assert experiment.noise.mechanisms(experiment.sample) == acting


@pytest.mark.parametrize(
    ("text", "place", "message"),
    [
        ("T2", "e.yaml:7:21", "`relaxation` must not be 'T2'; did you mean `T1T2`? Valid: T1T2, "),
        ("{pauli: {}}", "e.yaml:7:21", "`relaxation` must not be {'pauli': {}}; Valid: T1T2, none"),
        ("[T2]", "e.yaml:7:22", "`relaxation[0]` must be T1T2, or a mapping such as"),
        ("[{paul: {1H: {x: 1 /s}}}]", "e.yaml:7:23", "unknown key `paul`; did you mean `pauli`?"),
        ("[{pauli: {H: {x: 1 /s}}}]", "e.yaml:7:31", "there is no spin `H`; did you mean `1H`?"),
        ("[{pauli: {1H: {x: 1 Hz}}}]", "e.yaml:7:39", "`x`: `1 Hz` is in cycles, but must be a"),
        ("[T1T2, T1T2]", "e.yaml:7:28", "T1T2 stands twice; say it once"),
        (
            "[{pair_coherences: {between: [1H, 13C], T_ZQ: 1 s, T_DQ: 1 s}}]", "e.yaml:7:22",
            "pair coherences complete T1 and T2 of their spins; list `T1T2` too",
        ),
        (
            "[T1T2, {pair_coherences: {between: [1H, 13C], T_ZQ: 0.1 s, T_DQ: 1 s}}]",
            "e.yaml:7:73", "`T_ZQ` must be from 0.526316 s to 10 s with T1 and T2 of its spins",
        ),
        (
            "[{lindblad: {operator: {XXX: 1}, rate: 1 /s}}]", "e.yaml:7:45",
            "`XXX` must have 2 letters, one for each spin of the sample, but has 3",
        ),
    ],
)  # fmt: skip
def test_faults_of_the_relaxation_are_told_where_they_stand(text, place, message):
    (fault,) = faults(f"{DRIVEN}noise: {{relaxation: {text}}}\n", "", "")
    assert fault[0] == place
    assert fault[1].startswith(message)


def test_a_sample_too_large_to_reconstruct_is_refused_at_its_name():
    spins = "".join(f"  - {{label: s{k}, nucleus: 1H}}\n" for k in range(5))
    Path("big.yaml").write_text(f"format: nmrqb-sample/1\nspins:\n{spins}", encoding="utf-8")
    told = faults(DRIVEN, "sample: chloroform", "sample: ./big.yaml")
    message = (
        "at most 4 spins, but sample `big` has 5; play_sequence and evolve in Python take more"
    )
    assert told == [("e.yaml:2:9", f"an experiment reconstructs the states of {message}")]


# -------------------------------------------------------------- values that only a run would refuse
@pytest.mark.parametrize("rate", ["-1624 Hz", "1624 Hz", "1 GHz"])
def test_a_soft_drive_is_no_stronger_than_hard_pulses(rate):
    # 2·rate turns per second of every spin: 1/(4·77 us) of 13C is 3247 Hz
    soft = {"charge.as": "soft", "charge.rate": rate}
    message = r"charge\.rate:1:1: `rate` must be at most 1623\.38 Hz for a soft drive, as 13C"
    with pytest.raises(InputError, match=message):
        load_experiment("charge_dm_ksea", overrides=soft)
    load_experiment("charge_dm_ksea", overrides={"charge.rate": rate})
    load_experiment("charge_dm_ksea", overrides={**soft, "charge.rate": "1623 Hz"})


@pytest.mark.parametrize(("key", "replicas"), [("confidence", None), ("replicas", 1999)])
def test_too_few_replicas_are_told_in_the_file(key, replicas):
    changes = {"measure.confidence": "99.9 %"}
    changes |= {} if replicas is None else {"measure.replicas": replicas}
    message = rf"^--set measure\.{key}:1:1: `replicas` must be at least 2/\(1 − confidence\) = 2000"
    with pytest.raises(InputError, match=message):
        load_experiment("charge_dm_ksea", overrides=changes)
    load_experiment("charge_dm_ksea", overrides={**changes, "measure.replicas": 2000})


def test_the_largest_confidence_is_possible():
    """What the message names is accepted, with as many replicas as there may be."""
    changes = {"measure.confidence": "99.98 %", "measure.replicas": 10_000}
    load_experiment("charge_dm_ksea", overrides=changes)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("snr: 40", "spectral_width: 3 Hz", "`spectral_width` must be more than 215.13 Hz"),
        ("snr: 40", "integration_window: 1 mHz", "`integration_window` must hold windows within"),
        (
            "pulses: ideal",
            "receiver: {digitiser_bits: 8, full_scale: 2 %}",
            "`full_scale` must hold",
        ),
    ],
)
def test_what_a_run_refuses_is_told_in_the_file(old, new, message):
    text = str(find("experiment", "charge_dm_ksea").read_text(encoding="utf-8"))
    text = text.replace("points: 41", "points: 2").replace(old, f"{old}, {new}")
    Path("e.yaml").write_text(text, encoding="utf-8")
    experiment = load_experiment("e.yaml")
    with pytest.raises(ArgumentError, match=re.escape(message)) as caught:
        run(experiment, seed=1)
    assert isinstance(caught.value, InputError)
    (fault,) = caught.value.faults
    value = new.rstrip("}").rpartition(": ")[2]
    assert text.splitlines()[fault.at.line - 1][fault.at.column - 1 :].startswith(value)
    with pytest.raises(ArgumentError, match=r"^Argument `"):  # without a file
        run(replace(experiment, places={}), seed=1)
