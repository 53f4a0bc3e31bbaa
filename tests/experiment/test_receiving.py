"""Receivers of experiments: errors that bias, what mends them, and what the notes say."""

import numpy as np
import pytest

from nmrqb.errors import ArgumentError, InputError
from nmrqb.experiment import load_experiment, run
from nmrqb.experiment.receiving import front_ends, reference_state
from nmrqb.operators import pauli
from nmrqb.sample import load_sample
from nmrqb.tomography import measurement_chain

QUICK = {
    "charge.times.points": "4", "measure.replicas": "50", "measure.points": "128",
    "measure.spectral_width": "1 kHz", "sample_overrides.1H.T2": "100 ms",
    "sample_overrides.13C.T2": "100 ms", "measure.scans": "4", "measure.snr": "1e4",
}  # fmt: skip


def loaded(**changes):
    overrides = {path.replace("__", "."): value for path, value in changes.items()}
    return load_experiment("charge_dm_ksea", overrides={**QUICK, **overrides})


def worst(result):
    return float(np.abs(result.data["estimated_state"] - result.data["true_state"]).max())


GAIN = {"noise__receiver__gain__13C": "20 %"}
PHASE = {"noise__receiver__phase__1H": "20 deg"}
OFFSET = {"noise__receiver__offset": "40 %"}
IMAGES = {"noise__receiver__imbalance": "20 %", "noise__receiver__skew": "10 deg"}
COARSE = {"noise__receiver__digitiser_bits": "4"}


@pytest.mark.parametrize(
    "changes", [GAIN, PHASE, OFFSET, IMAGES, COARSE], ids=lambda c: next(iter(c))
)
def test_every_error_of_the_receiver_acts(changes):
    plain, wrong = run(loaded(), seed=1), run(loaded(**changes), seed=1)
    assert worst(plain) < 1e-3
    assert worst(wrong) > 4e-3
    assert np.mean(wrong.data["chi2"]) > 2 * np.mean(plain.data["chi2"])


@pytest.mark.parametrize("changes", [GAIN, PHASE])
def test_a_reference_takes_gain_and_phase_off(changes):
    mended = run(loaded(measure__reference_scans="16", **changes), seed=1)
    assert worst(mended) < 2e-3
    assert not any("not what it is taken for" in note for note in mended.notes)


@pytest.mark.parametrize("changes", [OFFSET, IMAGES])
def test_the_phase_cycle_takes_offset_and_images_off(changes):
    # images come with an error of gain and phase, which the reference takes off
    cycle = {"measure__phase_cycle": "cyclops", "measure__reference_scans": "16"}
    assert worst(run(loaded(**cycle, **changes), seed=1)) < 2e-3
    assert worst(run(loaded(**changes), seed=1)) > 4e-3


def test_an_offset_contradicts_the_reference():
    with pytest.raises(ArgumentError, match="`reference` must agree with its state"):
        run(loaded(measure__reference_scans="16", **OFFSET), seed=1)


def test_notes_name_the_culprit():
    gain, phase = (run(loaded(measure__snr="100", **c), seed=3) for c in (GAIN, PHASE))
    assert gain.notes[0].startswith(
        "The measurement is not what it is taken for: gain of 13C relative to 1H: +0.2"
    )
    assert "phase of 1H: +0.35" in phase.notes[0] or "phase of 1H: +0.34" in phase.notes[0]
    assert "not what it is taken for" not in run(loaded(measure__snr="100"), seed=3).notes[0]


def test_reference_errors_widen_the_intervals():
    # a reference in four scans beside data in 400: its errors are the larger ones
    options = {"measure__snr": "20", "measure__scans": "400"}
    known = run(loaded(**options), seed=2).data
    measured = run(loaded(measure__reference_scans="4", **options), seed=2).data
    width = [np.mean(data["capacity_high"] - data["capacity_low"]) for data in (known, measured)]
    assert width[1] > 1.5 * width[0]


def test_integrals_give_the_same_state_with_larger_errors():
    fitted, summed = run(loaded(), seed=1), run(loaded(measure__integration_window="20 Hz"), seed=1)
    assert worst(summed) < 3e-3
    difference = np.abs(fitted.data["estimated_state"] - summed.data["estimated_state"]).max()
    assert 0 < difference < 3e-3


def test_many_bits_change_nothing_and_few_scales_clip():
    fine = run(loaded(noise__receiver__digitiser_bits="24"), seed=1)
    assert worst(fine) == pytest.approx(worst(run(loaded(), seed=1)), rel=0.5)
    clipped = loaded(noise__receiver__digitiser_bits="12", noise__receiver__full_scale="5 %")
    with pytest.raises(ArgumentError, match=r"`full_scale` must hold all FIDs, .* are clipped"):
        run(clipped, seed=1)


def test_full_scale_holds_signal_and_noise():
    experiment = loaded(noise__receiver__digitiser_bits="12", noise__receiver__gain__1H="10 %")
    chain = measurement_chain(experiment.sample, ["II"])
    ends = front_ends(experiment, chain, np.array([0.1, 0.2]))
    assert [end.digitiser.full_scale for end in ends] == pytest.approx([1.1 + 0.5, 1 + 1.0])
    assert [end.gain for end in ends] == [1.1, 1.0]


def test_the_reference_is_thermal_equilibrium_of_unit_polarisation():
    state = reference_state(load_sample("chloroform"))
    carbon = 6.728284 / 26.7522128  # γ(13C)/γ(1H), CODATA and IUPAC
    np.testing.assert_allclose(
        state, (np.eye(4) + pauli("ZI") + carbon * pauli("IZ")) / 4, atol=1e-4
    )


@pytest.mark.parametrize(
    ("changes", "match"),
    [
        ({"noise__receiver__gain__15N": "3 %"}, "sample `chloroform` has no nucleus `15N`"),
        ({"noise__receiver__gain__13C": "60 %"}, "between -50 % and 50 %"),
        ({"noise__receiver__digitiser_bits": "40"}, "from 2 to 32"),
        (
            {"noise__receiver__full_scale": "2"},
            "must have `digitiser_bits` for a full_scale of 2 to act",
        ),
        ({"measure__phase_cycle": "exorcycle"}, "phase_cycle"),
        ({"measure__integration_window": "-1 Hz"}, "must be"),
        ({"measure__reference_scans": "-1"}, "must be"),
    ],
)
def test_entries_that_make_no_sense_are_refused(changes, match):
    with pytest.raises(InputError, match=match):
        loaded(**changes)
