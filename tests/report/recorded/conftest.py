"""Tomograms and calibrations from data that the forward model makes."""

from pathlib import Path

import numpy as np
import pytest
import yaml

from nmrqb.experiment.recorded import analyse_recorded, calibrate_recorded, load_data
from nmrqb.sample import load_sample
from nmrqb.spectrometer import Receiver
from nmrqb.spectrometer.readers import write_fids
from nmrqb.tomography import acquire, measurement_chain

RECEIVER = Receiver(1000.0, 1024)
T = np.arange(RECEIVER.points) / RECEIVER.spectral_width_hz
SERIES_SAMPLE = """
format: nmrqb-sample/1
spins: [{label: A, nucleus: 1H}, {label: C, nucleus: 13C}]
couplings: [{between: [A, C], J: 120 Hz}]
"""


def noise(shape, seed):
    return np.random.default_rng(seed).normal(size=(*shape, 2)) @ [1, 1j]


@pytest.fixture
def tomogram(tmp_path):
    """Return a function that measures states: experiment → ρ, readouts, which files are lost."""

    def measured(states, readouts, *, without=lambda *_: False, sigma=0.02, **keys):
        chain = measurement_chain(load_sample("chloroform"), readouts, receiver=RECEIVER)
        files = []
        for number, (experiment, rho) in enumerate(states.items()):
            fids = acquire(chain, rho)
            fids = fids + sigma * noise(fids.shape, number)
            for r, readout in enumerate(readouts):
                for c, channel in enumerate(chain.channels):
                    if without(experiment, readout, channel):
                        continue
                    name = f"{experiment}_{readout}_{channel}.npz"
                    write_fids(tmp_path / name, fids[r, c], RECEIVER, nucleus=channel)
                    files.append({"file": name, "channel": channel, "readout": readout,
                                  "experiment": experiment})  # fmt: skip
        head = {"format": "nmrqb-data/1", "sample": "chloroform", "kind": "full", "files": files}
        path = tmp_path / "data.yaml"
        path.write_text(yaml.safe_dump(head | keys))
        return analyse_recorded(load_data(path))

    return measured


@pytest.fixture
def calibrations(tmp_path):
    """Return a function that measures some of T1, pulse_90, J and linewidth.

    ``pulse_90 uneven`` is a nutation in an rf field that varies by 8 %.
    """

    def measured(*names):
        delays, pulses = np.array([0.02, 0.2, 0.5, 1, 2, 4, 8.0]), np.arange(2, 50, 4) * 1e-6
        line = np.exp((2j * np.pi * 60 - np.pi * 1.5) * T)
        doublet = line + np.exp((-2j * np.pi * 60 - np.pi * 1.5) * T)
        angles = np.pi / 2 * pulses / 11e-6
        damped = np.sin(angles) * np.exp(-((0.08 * angles) ** 2) / 2)
        rows = {
            "T1": ((1 - 2 * np.exp(-delays / 1.1))[:, None] * line, delays, "60 Hz"),
            "pulse_90": (np.sin(angles)[:, None] * line, pulses, "60 Hz"),
            "pulse_90 uneven": (damped[:, None] * line, pulses, "60 Hz"),
            "J": (doublet[None], np.zeros(1), "0 Hz"),
            "linewidth": (line[None], np.zeros(1), "60 Hz"),
        }
        series = []
        for k, name in enumerate(names):
            values, times, near = rows[name]
            fids = values + 0.01 * noise(values.shape, k)
            write_fids(tmp_path / f"{k}.npz", fids, RECEIVER, nucleus="1H", delays_s=times)
            spins = {"between": ["A", "C"]} if name == "J" else {"spin": "A"}
            series.append({"file": f"{k}.npz", "measures": name.split()[0], "near": near, **spins})
        (Path(tmp_path) / "sample.yaml").write_text(SERIES_SAMPLE)
        document = {"format": "nmrqb-data/1", "sample": "./sample.yaml", "series": series}
        (tmp_path / "data.yaml").write_text(yaml.safe_dump(document))
        return calibrate_recorded(load_data(tmp_path / "data.yaml"))

    return measured
