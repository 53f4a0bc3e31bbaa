"""Data made by the forward model come back: states, gains, sums, and what is not determined."""

import numpy as np
import pytest

from nmrqb.battery import Battery
from nmrqb.errors import InputError
from nmrqb.experiment.recorded import analyse_recorded, load_data
from nmrqb.operators import pauli_coefficients
from nmrqb.tomography import estimate_state, noise_level, response_matrix

BATTERY = Battery.from_terms(D=20, G=5, B=3)


def analysed(path, **keywords):
    return analyse_recorded(load_data(path), **keywords)


def pulls(state, rho):
    """Return errors of all determined expectation values over their standard deviations."""
    truth = pauli_coefficients(rho)[1:].real * len(rho)
    axes = np.array([c.vector for c in state.estimate.seen])
    return (state.estimate.values - axes @ truth) / state.estimate.errors


def test_known_lines_give_the_estimate_of_a_run(lab, make):
    rho = make.random_state()
    fids = lab.record(rho, "t0")
    (state,) = analysed(lab.write(lines="known", kind="full")).states
    chain = lab.chain()
    run = estimate_state(fids, response_matrix(chain), noise_level(fids, chain))
    assert state.estimate.rho == pytest.approx(run.rho, abs=2e-5)
    assert float(state.estimate.chi2) == pytest.approx(float(run.chi2), rel=1e-6)
    assert state.estimate.design.complete
    assert np.abs(pulls(state, rho)).max() < 4.5


def test_finite_pulses_and_relaxation_belong_to_the_response(lab, make):
    rho = make.random_state()
    fids = lab.record(rho, "t0", pulses="finite", sigma=1e-4)
    (state,) = analysed(lab.write(lines="known", kind="full", pulses="finite")).states
    chain = lab.chain(pulses="finite")
    run = estimate_state(fids, response_matrix(chain), noise_level(fids, chain))
    assert state.estimate.rho == pytest.approx(run.rho, abs=1e-6)
    (wrong,) = analysed(lab.write(lines="known", kind="full")).states
    assert float(wrong.estimate.chi2) > 100 * float(state.estimate.chi2)


def test_fitted_lines_need_no_offset(lab, make):
    rho = make.random_state(2)
    lab.record(rho, "t0", shift=37.3, sigma=0.003)
    tomogram = analysed(lab.write(kind="full"), battery=BATTERY)
    (state,) = tomogram.states
    assert np.mean(pulls(state, rho) ** 2) < 2.5
    assert state.p_value > 1e-3
    assert not tomogram.findings
    for f in tomogram.files:
        assert f.multiplet.centre_hz == pytest.approx(37.3, abs=0.05)
        if f.coupling_hz is not None:
            assert abs(f.coupling_hz[0] - 215.13) < 5 * f.coupling_hz[1]
    found = state.figures["ergotropy"]
    assert found.low <= BATTERY.ergotropy(rho) <= found.high
    assert state.linear[0] == pytest.approx(BATTERY.energy(rho), abs=5 * state.linear[1])


@pytest.mark.parametrize("known", [{"lines": "known"}, {"lines": "fitted"}])
def test_the_axis_of_a_spectrometer_runs_the_other_way(known, lab, make):
    """A positive ν of the rotating frame is a Larmor frequency below the carrier."""
    rho = make.random_state(5)
    lab.record(rho, "t0", turned=True, sigma=0.003)
    axes = {nucleus: {"axis": "spectrometer"} for nucleus in ("1H", "13C")}
    (state,) = analysed(lab.write(kind="full", channels=axes, **known)).states
    assert np.mean(pulls(state, rho) ** 2) < 2.5
    assert state.p_value > 1e-3


def test_gains_and_sums_of_experiments(lab, make):
    """Three experiments add up to a pseudo-pure state; each channel has a gain and a phase."""
    gains = 3 * np.exp(0.4j), 0.7 * np.exp(-2.1j)
    ratio = 6.728284 / 26.7522128
    thermal = np.diag([1 + ratio, 1 - ratio, ratio - 1, -1 - ratio]) / 4
    permuted = [thermal[np.ix_(p, p)] for p in ([0, 1, 2, 3], [0, 3, 1, 2], [0, 2, 3, 1])]
    one = np.eye(4) / 4
    for k, deviation in enumerate([thermal, *permuted]):
        name = f"P{k - 1}" if k else "reference"
        lab.record(one + deviation, name, readouts=["XI", "IX"], gains=gains, sigma=2e-3)
    tomogram = analysed(
        lab.write(calibration={"experiment": "reference", "state": "thermal"}, combine="sum")
    )
    for channel, gain in zip(("1H", "13C"), gains, strict=True):
        assert tomogram.gains[channel].factor == pytest.approx(gain, rel=5e-3)
    (state,) = tomogram.states
    values, covariance = state.populations
    truth = np.array([3, -1, -1, -1]) * (1 + ratio) / 4
    assert values == pytest.approx(truth, abs=5 * np.sqrt(covariance.diagonal().max()))
    assert np.sqrt(covariance.diagonal().max()) < 0.02
    assert dict(state.weights) == {"P0": 1, "P1": 1, "P2": 1}
    assert state.p_value > 1e-3


def test_each_experiment_is_a_state_of_its_own(lab, make):
    for k in range(2):
        lab.record(make.random_state(k), f"t{k}")
    states = analysed(lab.write(combine="each", lines="known", kind="full")).states
    assert [s.name for s in states] == ["t0", "t1"]
    for k, state in enumerate(states):
        assert np.abs(pulls(state, make.random_state(k))).max() < 4.5
    whole = analysed(lab.write(combine={"t0": 1, "t1": -0.5}, lines="known")).states[0]
    mixed = make.random_state(0) - 0.5 * make.random_state(1)
    assert np.abs(pulls(whole, mixed)).max() < 4.5


def test_a_missing_channel_leaves_its_paulis_undetermined(lab, make):
    rho = make.random_state(3)
    lab.record(rho, "t0", readouts=["XI", "IX"])
    own = [f for f in lab.files if f["readout"] == ("XI" if f["channel"] == "1H" else "IX")]
    both = analysed(lab.write(own, lines="known", kind="full"), battery=BATTERY).states[0]
    assert {c.name for c in both.estimate.seen} == {"XI", "ZI", "XZ", "ZZ", "IX", "IZ", "ZX"}
    alone = analysed(lab.write(own[:1], lines="known", kind="full"), battery=BATTERY).states[0]
    assert {c.name for c in alone.estimate.seen} == {"XI", "ZI", "XZ", "ZZ"}
    assert {"IX", "IZ", "ZX"} <= {c.name for c in alone.estimate.invisible}
    assert alone.populations is None
    assert not alone.figures
    verdicts = {v.figure: v for v in alone.verdicts}
    assert not verdicts["ergotropy"].determined
    assert alone.ranges["ergotropy"].low - 1e-6 <= BATTERY.ergotropy(rho)


def test_a_sum_uses_only_what_every_experiment_has(lab, make):
    for k in range(2):
        lab.record(make.random_state(k), f"t{k}", readouts=["XI", "IX"])
    files = [f for f in lab.files if (f["experiment"], f["channel"]) != ("t1", "13C")]
    tomogram = analysed(lab.write(files, lines="known"))
    (state,) = tomogram.states
    assert any("IX on 13C (no file of t1)" in text for text in state.missing)
    assert any("not used" in text for text in tomogram.findings)
    assert "IZ" in {c.name for c in state.estimate.invisible}
    # readouts of the other channel see nothing of it either
    assert "ZI" in {c.name for c in state.estimate.seen}


def test_contradictions_are_found_and_explained(lab, make):
    rho = np.diag([0.7, 0.1, 0.15, 0.05]).astype(complex)
    lab.record(rho, "t0", readouts=["XI", "IX"], sigma=1e-3)
    own = [f for f in lab.files if f["readout"] == ("XI" if f["channel"] == "1H" else "IX")]
    sound = analysed(lab.write(own, kind="full"))
    assert not sound.findings
    turned = [own[0], own[1] | {"phase": "180 deg"}]
    tomogram = analysed(lab.write(turned, kind="full"))
    assert any("contradict each other" in text for text in tomogram.findings)
    assert any("t0 IX on 13C turned by 180°" in text for text in tomogram.findings)


def test_a_mirrored_axis_is_found(lab, make):
    """With a reference its gain takes the sign, and only ZZ tells which line is which."""
    ratio = 6.728284 / 26.7522128
    thermal = np.diag([1 + ratio, 1 - ratio, ratio - 1, -1 - ratio]) / 4
    for name, rho in (("eq", thermal), ("t0", np.diag([0.7, 0.1, 0.15, 0.05]) - np.eye(4) / 4)):
        lab.record(rho + np.eye(4) / 4, name, readouts=["XI", "IX"], sigma=1e-3)
    own = [f for f in lab.files if f["readout"] == ("XI" if f["channel"] == "1H" else "IX")]
    keys = {"calibration": {"experiment": "eq", "state": "thermal"}}
    assert not analysed(lab.write(own, **keys)).findings
    mirrored = analysed(lab.write(own, channels={"13C": {"axis": "spectrometer"}}, **keys))
    assert any("axis of 13C mirrored" in text for text in mirrored.findings)


def test_exchanged_files_are_detected(lab, make):
    lab.record(make.random_state(), "t0", readouts=["XI"])
    swapped = [f | {"file": g["file"]} for f, g in zip(lab.files, lab.files[::-1], strict=True)]
    with pytest.raises(InputError, match=r"header says 13C, but it is given as 1H") as caught:
        analysed(lab.write(swapped))
    assert len(caught.value.faults) == 2


def test_the_same_content_twice_is_refused(lab, make):
    lab.record(make.random_state(), "t0", readouts=["XI"])
    twin = lab.folder / "copy.npz"
    twin.write_bytes((lab.folder / lab.files[0]["file"]).read_bytes())
    again = lab.files[0] | {"file": "copy.npz", "experiment": "t1"}
    with pytest.raises(InputError, match="has the same content as"):
        analysed(lab.write([*lab.files, again]))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"file": "nowhere.npz"}, r"nowhere.npz:1:1: there is no such file"),
        ({"record": 7}, r"data.yaml:\d+:\d+: `record` must be from 1 to 1, but is 7"),
        ({"near": "900 Hz"}, r"no doublet of 215.13 Hz stands 6 times above the noise"),
    ],
)
def test_faults_of_files(change, message, lab, make):
    lab.record(make.random_state(), "t0", readouts=["XI"])
    with pytest.raises(InputError, match=message):
        analysed(lab.write([lab.files[0] | change]))


def test_a_reference_must_show_its_state(lab, make):
    lab.record(make.random_state(), "t0", readouts=["XI", "IX"])
    state = {"experiment": "t0", "state": {"XX": 1.0}}
    with pytest.raises(InputError, match="shows nothing of its known state on 1H"):
        analysed(lab.write(calibration=state))
