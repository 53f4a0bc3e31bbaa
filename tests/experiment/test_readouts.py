"""Readouts of experiments beyond letters: steps and sequences, in the file and by --set."""

import hashlib
from pathlib import Path

import numpy as np
import pytest

from nmrqb.errors import InputError
from nmrqb.experiment import ExperimentFormat, load_experiment, run
from nmrqb.files import library
from nmrqb.formats import json_schema
from nmrqb.sequence import PulseErrors
from nmrqb.tomography import (
    Readout,
    acquire,
    analyse,
    measurement_chain,
    response_matrix,
)

TEXT = """\
format: nmrqb-experiment/1
sample: oriented_pair
battery: {D: 20 Hz}
prepare: {gibbs: {temperature: 20 Hz}}
charge: {drive: x, rate: 50 Hz, times: {start: 1 ms, stop: 4 ms, points: 4}}
measure:
  readouts:
    - II
    - XX
    - YY
    - XX - 2 ms - 45 -y
    - "H1: 90 x"
    - readout_XX
  snr: 1e7
  replicas: 50
  points: 256
"""
WORDS = ("II", "XX", "YY", "XX - 2 ms - 45 -y", "H1: 90 x", "readout_XX")
NOISE = """\
noise:
  pulses: finite
  pulse_errors: {amplitude: 3 %, phase: 2 deg, transient: {leading: 1 deg}}
"""


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def loaded(text=TEXT, old="", new="", **overrides):
    assert old in text
    Path("e.yaml").write_text(text.replace(old, new), encoding="utf-8")
    return load_experiment("e.yaml", overrides=overrides)


def faults(*arguments, **overrides):
    with pytest.raises(InputError, match=r"e\.yaml:|--set |\.yaml:") as caught:
        loaded(*arguments, **overrides)
    return [(str(fault.at), fault.message) for fault in caught.value.faults]


# -------------------------------------------------------------------------------- what is read
def test_words_stay_words_and_sequences_are_bound():
    experiment = loaded()
    assert experiment.measure.readout_names == WORDS
    assert experiment.measure.readouts[:5] == WORDS[:5]
    assert isinstance(experiment.measure.readouts[5], Readout)
    shipped = library("sequence")["readout_XX"].read_bytes()
    found = experiment.inputs_sha256["sequence readout_XX"]
    assert found == hashlib.sha256(shipped).hexdigest()


def test_set_takes_the_same_words():
    listed = "[II, XX, YY, XX - 2 ms - 45 -y, 'H1: 90 x', readout_XX]"
    experiment = loaded(TEXT, "", "", **{"measure.readouts": listed})
    assert experiment.measure.readout_names == WORDS
    one = loaded(TEXT, "", "", **{"measure.readouts.3": "90 x - 3 ms - 45 y"})
    assert one.measure.readouts[3] == "90 x - 3 ms - 45 y"


def test_a_sequence_of_ones_own_is_looked_for_beside_the_experiment():
    folder = Path("inner")
    folder.mkdir()
    text = library("sequence")["readout_XX"].read_text(encoding="utf-8")
    (folder / "mine.yaml").write_text(text, encoding="utf-8")
    (folder / "e.yaml").write_text(TEXT.replace("readout_XX", "./mine.yaml"), encoding="utf-8")
    own, shipped = load_experiment("inner/e.yaml"), loaded()
    assert own.measure.readout_names[-1] == "./mine.yaml"
    np.testing.assert_array_equal(
        run(own, seed=1).data["estimated_state"], run(shipped, seed=1).data["estimated_state"]
    )
    # what --set names is beside who calls
    Path("here.yaml").write_text(text, encoding="utf-8")
    changed = load_experiment("inner/e.yaml", overrides={"measure.readouts.5": "here.yaml"})
    assert changed.measure.readout_names[-1] == "here.yaml"


def test_the_schema_says_what_may_be_written():
    definitions = json_schema(ExperimentFormat)["$defs"]["MeasureFormat"]["properties"]
    field = definitions["readouts"]
    assert (field["type"], field["items"]["type"]) == ("array", "string")
    for word in ("letter", "steps", "crush", "sequence"):
        assert word in field["description"]
    for words in field["examples"]:  # the examples of the schema are readouts
        changes = {"measure.readouts": f"[{', '.join(words)}]"}
        if len(words) == 4:
            assert load_experiment("charge_dm_ksea", overrides=changes)


# ------------------------------------------------------------------------------------ the rank
def test_a_delay_shows_what_global_pulses_cannot():
    four = "[II, XX, YY, '45 x', '60 30']"
    ((at, message),) = faults(TEXT, "", "", **{"measure.readouts": four})
    assert at == "--set measure.readouts:1:1"
    assert message.endswith("determine 14 of 15 Paulis; not seen: XX + YY + ZZ; add readouts")
    assert loaded(TEXT, "", "", **{"measure.readouts": "[II, XX, YY, '45 x', XX - 2 ms - 45 -y]"})


def test_the_fewest_that_do_are_enough_for_a_run():
    few = {"measure.readouts": "[II, XX, YY, '45 x', XX - 2 ms - 45 -y]", "measure.snr": "1e6"}
    data = run(loaded(TEXT, "", "", **few), seed=1).data
    np.testing.assert_allclose(data["estimated_state"], data["true_state"], atol=2e-3)
    sample = loaded().sample
    design = analyse(
        response_matrix(measurement_chain(sample, ["II", "XX", "YY", "45 x", WORDS[3]]))
    )
    assert design.rank == 15


# ------------------------------------------------------------- what is played is what is known
@pytest.mark.parametrize("noise", ["", NOISE, "noise: {b1_inhomogeneity: 3 %, relaxation: none}\n"])
def test_the_response_knows_pulses_errors_and_relaxation_of_all_words(noise):
    data = run(loaded(TEXT + noise), seed=1).data
    tolerance = 0.02 if "inhomogeneity" in noise else 1e-4  # which charges unevenly as well
    np.testing.assert_allclose(data["estimated_state"], data["true_state"], atol=tolerance)


def test_the_python_path_sees_the_same_fids():
    experiment = loaded(TEXT + NOISE)
    data = run(experiment, seed=1).data
    rho = data["true_state"].values[int(data["shown"])]
    settings = {"pulses": "finite", "receiver": None}
    errors = PulseErrors(amplitude=0.03, phase=np.deg2rad(2), leading=np.deg2rad(1))
    times = data["acquisition_time"].values
    chain = measurement_chain(experiment.sample, WORDS, errors=errors, **settings)
    short = chain.detectors[..., : len(times), :]
    turned = acquire(chain, rho)[..., : len(times)]
    assert short.shape[-2] == 256
    np.testing.assert_allclose(data["fid"], turned, atol=1e-5)
    # and what the words say matters: without relaxation in the delay the FIDs are others
    still = acquire(
        measurement_chain(experiment.sample, WORDS, errors=errors, relaxation=False, **settings),
        rho,
    )
    assert np.abs(still[3, :, :256] - turned[3]).max() > 1e-3


def test_readouts_of_the_same_meaning_give_the_same_numbers():
    same = "[II, XX, YY, 90 x - 2 ms - 45 -y, '1H: 90 x', 'H1: 90 x']"
    plain = "[II, XX, YY, XX - 2 ms - 45 -y, XX, XI]"
    one, other = (
        run(loaded(TEXT + NOISE, "", "", **{"measure.readouts": w}), seed=2).data
        for w in (same, plain)
    )
    np.testing.assert_allclose(one["estimated_state"], other["estimated_state"], atol=1e-12)
    assert list(one["readout"].values) != list(other["readout"].values)


def test_estimates_from_steps_are_unbiased():
    """Over 320 states the squared residuals are those of χ², and ⟨P⟩ is off by its errors."""
    changes = {"measure.snr": "30", "charge.times.points": "40", "measure.points": "64"}
    squares, z = [], []
    for seed in range(8):
        data = run(loaded(TEXT + NOISE, "", "", **changes), seed=seed).data
        squares.append(data["chi2"].values)
        off = (data["linear_state"] - data["true_state"]).values.real[:, 0, 1]
        z.append(off / data["state_error_real"].values[:, 0, 1])
    freedom, count = data.attrs["degrees_of_freedom"], np.size(squares)
    assert np.mean(squares) == pytest.approx(freedom, abs=4 * np.sqrt(2 * freedom / count))
    assert abs(np.mean(z)) < 4 / np.sqrt(count)
    assert np.std(z) == pytest.approx(1, rel=4 / np.sqrt(2 * count))


# --------------------------------------------------------------------------------- what is refused
@pytest.mark.parametrize(
    ("old", "new", "at", "message"),
    [
        ("2 ms", "2 m", "e.yaml:11:7", "'2 m' of 'XX - 2 m - 45 -y' is none"),
        ("2 ms", "-2 ms", "e.yaml:11:7", "a delay must not be negative"),
        ("H1: 90", "H9: 90", "e.yaml:12:7", "no spin is 'H9'"),
        ('"H1: 90 x"', "H1: 90 x", "e.yaml:12:7", "put it in quotes: 'H1: 90 x'"),
        ("readout_XX", "readout_XZ", "e.yaml:13:7", "did you mean `readout_XX`?"),
        ("readout_XX", "5", "e.yaml:13:7", "must be text, but is 5"),
        ("readout_XX", "no/such.yaml", "no/such.yaml:1:1", "there is no file"),
    ],
)
def test_a_fault_is_told_where_it_stands(old, new, at, message):
    ((place, told),) = faults(TEXT, old, new)
    assert place == at
    assert message in told


def test_all_misspelt_readouts_are_told_at_once():
    text = TEXT.replace("2 ms", "2 m").replace("H1", "H9")
    assert [at for at, _ in faults(text)] == ["e.yaml:11:7", "e.yaml:12:7"]


def test_faults_of_a_sequence_stand_in_its_file():
    Path("mine.yaml").write_text(
        "format: nmrqb-sequence/1\nspins: {I: any}\nsequence:\n  - delay: 5 kg\n", encoding="utf-8"
    )
    ((at, message),) = faults(TEXT, "readout_XX", "mine.yaml")
    assert at == "mine.yaml:4:12"
    assert "kg" in message


OPEN = (
    "format: nmrqb-sequence/1\nspins: {I: 1H, S: 13C}\nsequence:\n  - pulse: {I: 90 x, S: 90 x}\n"
)


@pytest.mark.parametrize(
    ("ending", "message"),
    [
        ("  - acquire: {I: x}\n", "`mine.yaml` does not acquire 13C"),
        ("  - acquire: {I: x, S: x}\n  - delay: 1 ms\n", "must end in its only `acquire`"),
    ],
)
def test_a_sequence_that_is_no_readout_is_told_at_its_name(ending, message):
    Path("mine.yaml").write_text(OPEN + ending, encoding="utf-8")
    with pytest.raises(InputError, match=message) as caught:
        load_experiment("charge_dm_ksea", overrides={"measure.readouts.3": "mine.yaml"})
    (fault,) = caught.value.faults
    assert str(fault.at) == "--set measure.readouts.3:1:1"


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("II,IX", r"must be a list, say \[II, IX\], but is 'II,IX'"),
        ("[]", "must hold at least one readout"),
        ("[II, {1H: 90 x}]", "put it in quotes: '1H: 90 x'"),
    ],
)
def test_lists_that_are_none(value, message):
    with pytest.raises(InputError, match=message):
        load_experiment("charge_dm_ksea", overrides={"measure.readouts": value})
