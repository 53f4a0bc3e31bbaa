"""The time between scans: five times the longest T1, and what it says where it is not."""

import math
from dataclasses import replace

import numpy as np
import pytest
from scipy.linalg import expm
from topspin_playing import SAMPLE
from topspin_reader import console_values

from nmrqb.dynamics import dissipation_of
from nmrqb.errors import ArgumentError
from nmrqb.report import export_sequence
from nmrqb.sample import LindbladOperator, PauliNoise, Sample, Spin
from nmrqb.sequence import load_sequence
from nmrqb.spectrometer.topspin import relaxation_delay


def sample_of(*times, **more):
    """Return a 1H and a 13C of these T1."""
    spins = [
        Spin(n, n, T1_s=T1, T2_s=min(T1, 1.0), pulse_90_s=10e-6)
        for n, T1 in zip(("1H", "13C"), times, strict=False)
    ]
    return Sample("relaxing", tuple(spins), SAMPLE.couplings, **more)


def test_it_is_five_times_the_longest_t1():
    assert relaxation_delay(SAMPLE).delay_s == pytest.approx(50.0)
    found = relaxation_delay(sample_of(3.0, 7.0))
    assert found.delay_s == pytest.approx(35.0)
    assert found.longest == "13C"
    assert found.meaning == "time between scans: 5 times the longest known T1, 7 s of 13C"
    assert not found.saturates
    assert list(found.warnings()) == []


def test_a_program_says_it_and_why():
    program = export_sequence(load_sequence("dm"), SAMPLE).program
    assert console_values(program)["d1"] == pytest.approx(50.0)
    comment = ";d1: time between scans: 5 times the longest known T1, 10 s of 1H [50 s]"
    assert comment in program.text


def test_a_shorter_one_tells_by_how_much_scans_saturate():
    made = export_sequence(load_sequence("dm"), sample_of(3.0, 7.0), relaxation_delay_s=7.0)
    assert made.relaxation.recovered == {
        "1H": pytest.approx(1 - math.exp(-7 / 3)),
        "13C": pytest.approx(1 - math.exp(-1)),
    }
    assert ";WARNING: d1 = 7 s is less than 5 T1: all scans but the first" in made.program.text
    assert "1H 0.9030 (T1 3 s), 13C 0.6321 (T1 7 s)" in made.program.text
    assert any("saturate" in warning for warning in made.warnings)
    assert not relaxation_delay(sample_of(3.0, 7.0), 35.0).saturates
    assert relaxation_delay(sample_of(3.0, 7.0), 34.9).saturates


def test_a_t1_that_is_not_known_is_said():
    some = relaxation_delay(sample_of(3.0, math.inf))
    assert some.delay_s == pytest.approx(15.0)
    assert some.recovered["13C"] is None
    (warning,) = some.warnings()
    assert warning.startswith("T1 of 13C is not known; d1 = 15 s may be too short")
    none = relaxation_delay(sample_of(math.inf, math.inf))
    assert none.longest is None
    assert none.meaning == "time between scans; no T1 is known"
    (warning,) = none.warnings()
    assert warning.startswith("T1 of 1H, 13C is not known")


@pytest.mark.parametrize(
    "mechanisms",
    [
        (PauliNoise({"13C": (0.2, 0.1, 5.0)}),),
        (LindbladOperator({"+-": 1.0, "XI": 0.5j}, 0.3),),
    ],
)
def test_all_mechanisms_shorten_t1_as_they_make_magnetisation_decay(mechanisms):
    """Against the first derivative of ⟨σ_z⟩ of a state with one spin's magnetisation."""
    sample = sample_of(3.0, 7.0, relaxation=mechanisms)
    found = relaxation_delay(sample).T1_s
    G = expm(dissipation_of(sample, True).generator * 1e-6)
    for k, label in enumerate(sample.labels):
        z = np.diag([1.0, 1, -1, -1] if k == 0 else [1.0, -1, 1, -1]).astype(complex)
        left = (z.ravel() @ G @ z.ravel()).real / 4
        assert found[label] == pytest.approx(1e-6 / (1 - left), rel=1e-4)
    assert found["13C"] < 7.0


@pytest.mark.parametrize("value", [0.0, -1.0, math.nan, math.inf])
def test_what_is_no_time_is_refused(value):
    with pytest.raises(ArgumentError, match=r"`relaxation_delay_s` must be positive, but is"):
        export_sequence(load_sequence("dm"), SAMPLE, relaxation_delay_s=value)


def test_one_spin_is_enough():
    alone = replace(sample_of(2.0), couplings=())
    assert relaxation_delay(alone).delay_s == pytest.approx(10.0)
