"""What was measured in a sample file: means, digits, and what contradicts what."""

from types import SimpleNamespace

import numpy as np
import pytest
import yaml

from nmrqb.errors import InputError
from nmrqb.experiment.recorded import Calibrated, load_data, updated_sample
from nmrqb.experiment.recorded.sample_files import rounded
from nmrqb.files import read_document
from nmrqb.sample import load_sample

SAMPLE = """
format: nmrqb-sample/1
name: pair
spins:
  - {label: A, nucleus: 1H, T1: 5 s, T2: 2 s}
  - {label: C, nucleus: 13C}
couplings: [{between: [A, C], J: -120 Hz}]
"""


@pytest.fixture
def lab(tmp_path):
    """Return the data of a sample, and what makes a sample of measurements."""
    (tmp_path / "sample.yaml").write_text(SAMPLE)
    series = [{"file": "x", "measures": "T1", "spin": "A", "near": "1 Hz"}]
    document = {"format": "nmrqb-data/1", "sample": "./sample.yaml", "series": series}
    path = tmp_path / "data.yaml"

    def updated(*found):
        path.write_text(yaml.safe_dump(document))
        new = updated_sample(load_data(path), found)
        (tmp_path / "new.yaml").write_text(new.text, encoding="utf-8")
        return SimpleNamespace(sample=load_sample(tmp_path / "new.yaml"), notes=new.notes)

    def again():
        (tmp_path / "sample.yaml").write_text((tmp_path / "new.yaml").read_text(encoding="utf-8"))

    return SimpleNamespace(updated=updated, again=again)


def measured(measures, value, error, spins=("A",), sha256="", **keywords):
    unit = "Hz" if measures in {"J", "linewidth"} else "s"
    return Calibrated(
        measures, spins, value, error, unit, None, 1.0, (), "x.npz", sha256 or f"{value}",
        fit=None, **keywords,
    )  # fmt: skip


def test_an_inherited_t2_gives_way_to_a_measured_t1(lab):
    new = lab.updated(measured("T1", 0.871, 0.003))
    spin = new.sample.spins[0]
    assert spin.T1_s == 0.8710
    assert spin.T2_s == pytest.approx(2 * spin.T1_s)  # the dephasing that T1 itself brings
    told = "T2 of A: left out: 2 s in sample pair was not measured, and T2 = 2 s is longer than 2"
    assert new.notes[0].startswith(told)
    assert new.sample.sources["T2_A"].startswith("left out: 2 s in sample pair was not measured")


def test_an_inherited_t1_gives_way_to_a_measured_t2(lab):
    new = lab.updated(measured("T2", 11.0, 0.1))
    assert (new.sample.spins[0].T1_s, new.sample.spins[0].T2_s) == (np.inf, 11.0)
    assert new.notes[0].startswith("T1 of A: left out: 5 s")


def test_two_measured_times_may_not_contradict(lab):
    both = measured("T1", 0.871, 0.003), measured("T2", 1.9, 0.1)
    with pytest.raises(InputError, match=r"T2 = 1\.9 s is longer than 2 T1 = 1\.742 s.*both were"):
        lab.updated(*both)
    lab.updated(both[0])
    lab.again()  # measured one after the other is measured too
    with pytest.raises(InputError, match="both were measured"):
        lab.updated(both[1])


def test_several_measurements_become_their_weighted_mean(lab):
    values, errors = np.array([1.30, 1.33, 1.36]), np.array([0.01, 0.02, 0.01])
    found = [measured("T1", v, e) for v, e in zip(values, errors, strict=True)]
    weights = errors**-2 / np.sum(errors**-2)
    mean = weights @ values
    scatter = np.sum((values - mean) ** 2 / errors**2) / 2
    new = lab.updated(*found)
    assert new.sample.spins[0].T1_s == pytest.approx(mean, abs=1e-3)
    error = np.sqrt(scatter / np.sum(errors**-2))
    for text in (new.notes[0], new.sample.sources["T1_A"]):
        assert f"± {error:.2g} s, weighted mean of 3, error times {np.sqrt(scatter):.2g}" in text
    assert all(f"{v:.8g} ± {e:.2g} s" in new.sample.sources["T1_A"]
               for v, e in zip(values, errors, strict=True))  # fmt: skip


def test_agreeing_measurements_keep_their_error(lab):
    new = lab.updated(measured("T1", 1.3, 0.01), measured("T1", 1.301, 0.01))
    assert "± 0.0071 s, weighted mean of 2" in new.notes[0]
    assert "scatter" not in new.notes[0]


def test_the_same_data_count_once(lab):
    one = measured("T1", 1.3, 0.01, sha256="same")
    assert "weighted mean" not in lab.updated(one, one).sample.sources["T1_A"]


def test_a_coupling_is_one_whichever_spin_is_named_first(lab):
    new = lab.updated(measured("J", 121.0, 0.1, ("A", "C")), measured("J", 121.2, 0.1, ("C", "A")))
    assert new.sample.coupling("A", "C").J_hz == pytest.approx(-121.1, abs=1e-6)


def test_contradictions_are_refused(lab):
    with pytest.raises(InputError, match=r"T1 of A was measured 2 times.*1 ± 0\.01 s, 2 ± 0\.01 s"):
        lab.updated(measured("T1", 1.0, 0.01), measured("T1", 2.0, 0.01))
    lab.updated(measured("T1", 1.0, 0.5), measured("T1", 2.0, 0.5))  # within their errors


def test_doubtful_values_are_named_but_not_written(lab):
    doubtful = measured("T1", 99.0, 1.0, doubts=("do not trust this fit",))
    new = lab.updated(doubtful, measured("T2", 0.5, 0.01))
    assert new.sample.spins[0].T1_s == 5.0
    assert new.notes == (
        "T1 of A from x.npz is not written into the sample: do not trust this fit",
    )
    assert "T1_A" not in new.sample.sources
    with pytest.raises(InputError, match="nothing that was measured can be written"):
        lab.updated(doubtful)


@pytest.mark.parametrize(
    ("value", "error", "text"),
    [
        (0.87823028, 0.086, "0.878"),
        (215.13234, 0.016, "215.132"),
        (-120.96, 3.2, "-121"),
        (11.5123, 0.0123, "11.512"),
        (1.0, 0.0, "1"),
        (1.0, 20.0, "1"),
    ],
)
def test_values_have_two_digits_of_their_error(value, error, text):
    assert rounded(value, error) == text


NOTES = "Tube 7, filled in May.\n\n  Indented: 25 °C\nThe last line, # no comment\n"


@pytest.mark.parametrize("notes", [NOTES, NOTES.strip(), NOTES + "\n", "one\nblank at the end \n"])
def test_notes_of_several_lines_stay_as_they_are(notes, lab, tmp_path):
    path = tmp_path / "sample.yaml"
    path.write_text(SAMPLE + yaml.safe_dump({"notes": notes}), encoding="utf-8")
    lab.updated(measured("T1", 2.0, 0.01))
    text = (tmp_path / "new.yaml").read_text(encoding="utf-8")
    assert yaml.safe_load(text)["notes"] == notes
    assert read_document(tmp_path / "new.yaml").tree["notes"] == notes
    if " \n" not in notes:  # YAML has no literal block with blanks at the end of a line
        assert "\n  Tube 7, filled in May.\n\n    Indented: 25 °C\n  The last" in text
    lab.again()
    lab.updated(measured("T1", 3.0, 0.01))
    assert read_document(tmp_path / "new.yaml").tree["notes"] == notes
