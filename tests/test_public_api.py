"""What is imported as ``nmrqb``, and the snippet of the design."""

import doctest
import importlib
import pkgutil
import subprocess
import sys

import numpy as np
import pytest
import qutip
import xarray as xr

import nmrqb
import nmrqb as nq

MODULES = ["nmrqb", *(found.name for found in pkgutil.walk_packages(nmrqb.__path__, "nmrqb."))]


@pytest.mark.parametrize("name", nmrqb.__all__)
def test_every_public_name_is_there_and_says_what_it_is(name):
    value = getattr(nmrqb, name)
    assert value.__doc__
    assert value.__doc__.strip()
    assert not value.__doc__.startswith(f"{name}(")  # what a dataclass writes by itself
    assert name in dir(nmrqb)


def test_public_names_are_in_order_and_once():
    assert list(nmrqb.__all__) == sorted(set(nmrqb.__all__))
    assert set(nmrqb.__all__) == set(nmrqb._HOMES)


def test_other_names_are_no_attributes():
    with pytest.raises(AttributeError, match=r"module 'nmrqb' has no attribute 'ergotrophy'"):
        _ = nmrqb.ergotrophy


def test_every_room_offers_what_it_lists():
    rooms = [importlib.import_module(name) for name in MODULES]
    listed = [(room, name) for room in rooms for name in getattr(room, "__all__", [])]
    assert len(listed) > 100
    assert [(room.__name__, name) for room, name in listed if not hasattr(room, name)] == []


def test_the_version_is_that_of_the_package():
    from importlib.metadata import version

    assert nmrqb.__version__ == version("nmrqb")


def test_doctests():
    failed = attempted = 0
    for name in MODULES:
        result = doctest.testmod(importlib.import_module(name))
        failed, attempted = failed + result.failed, attempted + result.attempted
    assert attempted >= 3
    assert failed == 0


# --------------------------------------------------------------------- the snippet of design.md
def test_the_average_hamiltonian_of_dm():
    sample = nq.load_sample("chloroform")
    average = nq.compile_sequence(nq.load_sequence("dm"), sample)
    assert isinstance(sample, nq.Sample)
    assert isinstance(average, nq.AverageHamiltonian)
    assert average.named["DM_z"] == pytest.approx(215.13 / 8)


def random_states(rng, batch=()):
    """Return random states, shape (..., 4, 4)."""
    A = rng.standard_normal((*batch, 4, 4)) + 1j * rng.standard_normal((*batch, 4, 4))
    rho = A @ A.conj().swapaxes(-1, -2)
    return rho / np.trace(rho, axis1=-2, axis2=-1)[..., None, None]


def test_a_battery_takes_stacks_arrays_and_qobj():
    battery = nq.Battery.from_terms(D=20, G=5)
    rho = random_states(np.random.default_rng(0), (3, 2))
    stack = battery.ergotropy(rho)
    assert stack.shape == (3, 2)
    one = rho[2, 1]
    assert float(battery.ergotropy(one)) == pytest.approx(stack[2, 1])
    as_qobj = qutip.Qobj(one, dims=[[2, 2], [2, 2]])
    assert float(battery.ergotropy(as_qobj)) == pytest.approx(stack[2, 1])
    assert float(battery.capacity(as_qobj)) == pytest.approx(float(battery.capacity(one)))


def test_the_defaults_of_a_battery_are_zero():
    plain, full = (
        nq.Battery.from_terms(D=20, G=5),
        nq.Battery.from_terms(D=20, G=5, Delta=0, epsilon=0, B=0),
    )
    np.testing.assert_array_equal(plain.hamiltonian_hz, full.hamiltonian_hz)


@pytest.mark.parametrize("d", [2, 3, 5])
def test_ergotropy_of_any_dimension(d):
    """The best unitary permutes: brute force over all orders of the populations."""
    from itertools import permutations

    rng = np.random.default_rng(d)
    energies, populations = np.sort(rng.normal(size=d)), rng.dirichlet(np.ones(d))
    best = max(
        energies @ populations - energies @ np.array(order) for order in permutations(populations)
    )
    found = nq.ergotropy(np.diag(populations), np.diag(energies))
    assert float(found) == pytest.approx(best)


def test_a_run_in_python():
    overrides = {"charge.times.points": "3", "measure.replicas": "50", "measure.points": "64"}
    experiment = nq.load_experiment("charge_dm_ksea", overrides=overrides)
    result = nq.run(experiment, seed=1)
    assert isinstance(experiment, nq.Experiment)
    assert isinstance(result, nq.Result)
    assert isinstance(result.data, xr.Dataset)
    assert result.data["ergotropy"].attrs["units"] == "Hz"
    assert result.data["ergotropy"].attrs["long_name"]


def test_state_estimation_in_python():
    """What a person with FIDs of their own does."""
    from nmrqb.tomography import acquire

    sample = nq.load_sample("chloroform")
    chain = nq.measurement_chain(sample, ["II", "IX", "IY", "XX"])
    rho = nq.gibbs(nq.Battery.from_terms(D=20, G=5).hamiltonian_hz, 20.0)
    fids = acquire(chain, rho)
    estimate = nq.estimate_state(fids, nq.response_matrix(chain), np.array([1e-6, 1e-6]))
    assert isinstance(estimate, nq.StateEstimate)
    assert float(nq.fidelity(estimate.rho, rho)) == pytest.approx(1)
    np.testing.assert_allclose(estimate.rho, rho, atol=1e-8)


def test_a_whole_measurement_in_python():
    """What an experimenter calls, all of it from the root: design, data, error bars, work."""
    sample, H = nq.load_sample("chloroform"), nq.Battery.from_terms(D=20, G=5).hamiltonian_hz
    chain = nq.measurement_chain(sample, nq.optimal_readouts(sample).readouts)
    response = nq.response_matrix(chain)
    assert nq.analyse(response).complete
    sigma, rng = nq.noise_for_snr(chain, sample, 1e4), np.random.default_rng(1)
    turn = nq.extraction_unitary(nq.gibbs(-H, 20.0), H)
    rho = turn @ nq.gibbs(H, 20.0) @ turn.conj().T

    def measured(state):
        clean = nq.acquire(chain, state)
        noise = rng.normal(size=(*clean.shape, 2)) @ [1, 1j]
        return clean + sigma[:, None] * noise

    before = measured(rho)
    level = nq.noise_level(before, chain)
    assert nq.diagnose(before, chain, level).findings == ()
    estimate = nq.estimate_state(before, response, level)
    assert nq.estimate_partially(before, response, level).invisible == ()
    (found,) = nq.intervals(estimate, {"W": nq.ergotropy_figure(H)}, rng=rng).values()
    U = nq.extraction_unitary(estimate.rho, H)
    work = nq.measured_work(before, measured(nq.after_extraction(rho, U)), response, level, H)
    true = float(nq.ergotropy(rho, H))
    assert float(nq.extracted_work(rho, H, U)) == pytest.approx(true, rel=1e-4)
    assert isinstance(work, nq.DirectWork)
    assert float(work.value) == pytest.approx(true, rel=0.01)
    assert isinstance(found, nq.Interval)
    assert float(found.value) == pytest.approx(true, rel=0.01)


def test_recorded_data_in_python(tmp_path):
    """What a person with a spectrometer calls, all of it from the root."""
    from nmrqb.spectrometer import Receiver
    from nmrqb.spectrometer.readers import write_fids

    receiver, rng = Receiver(1000.0, 4096), np.random.default_rng(1)
    chain = nq.measurement_chain(nq.load_sample("chloroform"), ["XX"], receiver=receiver)
    fids = nq.acquire(chain, np.diag([0.5, 0.3, 0.1, 0.1]).astype(complex))[0]
    for channel, fid in zip(chain.channels, fids, strict=True):
        noisy = fid + 0.01 * (rng.normal(size=(*fid.shape, 2)) @ [1, 1j])
        write_fids(tmp_path / f"{channel}.npz", noisy, receiver, nucleus=channel)
    (tmp_path / "data.yaml").write_text(
        "format: nmrqb-data/1\nsample: chloroform\nkind: full\nfiles:\n"
        "  - {file: 1H.npz, channel: 1H, readout: XX}\n"
        "  - {file: 13C.npz, channel: 13C, readout: XX}\n"
        "series: [{file: 13C.npz, measures: linewidth, spin: 13C, near: 107.56 Hz}]\n"
    )
    assert nq.read_recording(tmp_path / "1H.npz").nucleus == "1H"
    data = nq.load_data(tmp_path / "data.yaml")
    found = nq.analyse_recorded(data)
    assert isinstance(data, nq.RecordedData)
    assert isinstance(found, nq.Tomogram)
    assert any(name.endswith("state.png") for name in nq.write_tomography(found, tmp_path / "out"))
    (width,) = nq.calibrate_recorded(data)
    assert isinstance(width, nq.Calibrated)
    assert width.value == pytest.approx(1 / (2 * np.pi), rel=0.1)
    assert "linewidth_13C" in nq.calibrated_sample(data, [width])


def test_a_sequence_in_python():
    sequence = nq.load_sequence("dm")
    assert isinstance(sequence, nq.Sequence)
    timeline = nq.expand(sequence, nq.load_sample("chloroform"), parameters={"t": "2 ms"})
    assert timeline.free_evolution_s == pytest.approx(4e-3)


def test_importing_nmrqb_is_quick():
    program = (
        "import sys; import nmrqb; heavy = {'numpy', 'xarray', 'qutip', 'pydantic', 'yaml'}; "
        "sys.exit(', '.join(heavy & set(sys.modules)) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, b"")
