"""Files in which no line stands out: held at the place of the others, unbiased, errors true."""

import numpy as np
import pytest

from nmrqb.errors import InputError
from nmrqb.experiment.recorded import load_data
from nmrqb.experiment.recorded.estimate import analyse_recorded
from nmrqb.experiment.recorded.fits import fit_files
from nmrqb.spectrometer.readers import write_fids

STRONG = np.diag([0.7, 0.1, 0.15, 0.05]).astype(complex)
EMPTY = np.eye(4, dtype=complex) / 4
SIGMA, SHIFT = 0.05, 12.3


def empty_files(lab, count):
    """Record a state that shows lines, then empty ones."""
    lab.record(STRONG, "seen", readouts=["XI"], sigma=1e-3, shift=SHIFT)
    for k in range(count):
        lab.record(EMPTY, f"e{k}", readouts=["XI"], sigma=SIGMA, shift=SHIFT)
    own = [f for f in lab.files if f["channel"] == "1H"]
    return load_data(lab.write(own, combine="each"))


def test_amplitudes_of_empty_files_are_unbiased_with_true_errors(lab):
    seen, *empty = fit_files(empty_files(lab, 60))
    assert seen.found
    assert not any(f.found for f in empty)
    values = np.array([f.known.parts for f in empty])
    pulls = values / np.array([np.sqrt(np.diag(f.covariance)) for f in empty])
    many = pulls.size
    assert abs(pulls.mean()) < 4 / np.sqrt(many)
    assert np.mean(pulls**2) == pytest.approx(1, abs=4 * np.sqrt(2 / many))
    for f in empty:
        assert f.multiplet.centre_hz == pytest.approx(SHIFT, abs=0.1)
        assert f.multiplet.widths_hz == pytest.approx(seen.multiplet.widths_hz)
        assert f.coupling_hz is None


def test_a_weak_line_keeps_its_size(lab):
    """Below what is found by itself, but at the place of the others: not biased upwards."""
    lab.record(STRONG, "seen", readouts=["XI"], sigma=1e-3, shift=SHIFT)
    share = 0.06
    weak = share * STRONG + (1 - share) * EMPTY
    for k in range(40):
        lab.record(weak, f"e{k}", readouts=["XI"], sigma=0.1, shift=SHIFT)
    own = [f for f in lab.files if f["channel"] == "1H"]
    seen, *files = fit_files(load_data(lab.write(own, combine="each")))
    rest = [f for f in files if not f.found]
    assert len(rest) > 30
    pulls = np.array(
        [(f.known.parts - share * seen.known.parts) / np.sqrt(np.diag(f.covariance)) for f in rest]
    )
    assert np.abs(pulls.mean(axis=0)).max() < 4 / np.sqrt(len(rest))


def test_it_is_said_where_the_others_do_not_stand_still(lab):
    lab.record(STRONG, "a", readouts=["XI"], sigma=1e-3, shift=0.0)
    lab.record(STRONG, "b", readouts=["XI"], sigma=1e-3, shift=8.0)
    lab.record(EMPTY, "e", readouts=["XI"], sigma=SIGMA)
    own = [f for f in lab.files if f["channel"] == "1H"]
    findings = analyse_recorded(load_data(lab.write(own, combine="each"))).findings
    (text,) = [t for t in findings if "no line stands out" in t]
    assert "e XI on 1H" in text
    assert "which lie 8 Hz apart" in text
    lab.files = []
    steady = analyse_recorded(empty_files(lab, 1)).findings
    assert not [t for t in steady if "no line stands out" in t]


def test_where_nothing_is_found_the_strongest_lines_are_named(lab):
    t = np.arange(lab.receiver.points) / lab.receiver.spectral_width_hz
    rng = np.random.default_rng(3)
    fid = np.exp((2j * np.pi * -321 - 4) * t) + 0.02 * (rng.normal(size=(len(t), 2)) @ [1, 1j])
    write_fids(lab.folder / "x.npz", fid[None, :], lab.receiver, nucleus="1H")
    file = {"file": "x.npz", "channel": "1H", "readout": "XI"}
    with pytest.raises(
        InputError, match=r"no doublet of .* in its 2000 Hz; its only .* −32[01]\.\d"
    ):
        fit_files(load_data(lab.write([file])))
    with pytest.raises(InputError, match=r"near 40 Hz; its only line stands at −32[01]\.\d Hz"):
        fit_files(load_data(lab.write([file | {"near": "40 Hz"}])))
    with pytest.raises(InputError, match=r"`near` = 4000 Hz lies outside the spectrum, −1000\.0"):
        fit_files(load_data(lab.write([file | {"near": "4000 Hz"}])))
