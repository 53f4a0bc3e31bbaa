"""Notes on hard pulses that turn like spins apart."""

from dataclasses import replace

import pytest

from nmrqb.experiment import load_experiment
from nmrqb.experiment.selective import selective_notes

PAIR = """\
format: nmrqb-sample/1
spins:
  - {label: A, nucleus: 1H, T1: 1 s, T2: 1 s, pulse_90: 8 us}
  - {label: B, nucleus: NUCLEUS, offset: 20 Hz, T1: 1 s, T2: 1 s, pulse_90: 8 us}
couplings:
  - {between: [A, B], J: 12 Hz}
"""


def loaded(folder, nucleus, **overrides):
    (folder / "pair.yaml").write_text(PAIR.replace("NUCLEUS", nucleus))
    changes = {"sample": str(folder / "pair.yaml")} | overrides
    return load_experiment("charge_dm_ksea", overrides=changes)


def with_readouts(experiment, *readouts):
    return replace(experiment, measure=replace(experiment.measure, readouts=readouts))


@pytest.mark.parametrize(
    ("readouts", "told"),
    [
        (("II", "XX", "YY"), None),
        (("XX - 12 ms - 90 -y", "YY"), None),
        (("II", "IX", "XY", "YY"), "Hard pulses of readout IX, readout XY turn"),
        (("XX - 12 ms - A: 90 -y",), "Hard pulses of readout XX - 12 ms - A: 90 -y turn"),
    ],
)
def test_readouts_of_one_like_spin_are_noted(readouts, told, tmp_path):
    notes = selective_notes(with_readouts(loaded(tmp_path, "1H"), *readouts))
    if told is None:
        assert notes == []
    else:
        assert notes[0].startswith(told)
        assert "like spins (A, B)" in notes[0]


def test_unlike_spins_have_channels_of_their_own(tmp_path):
    assert selective_notes(loaded(tmp_path, "13C")) == []
    assert selective_notes(load_experiment("charge_dm_ksea")) == []
