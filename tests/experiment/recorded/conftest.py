"""Data sets that nmrqb's own forward model makes, with the data file that describes them."""

from types import SimpleNamespace

import numpy as np
import pytest
import yaml

from nmrqb.sample import load_sample
from nmrqb.spectrometer import Receiver
from nmrqb.spectrometer.readers import write_fids
from nmrqb.tomography import acquire, measurement_chain

SAMPLE = """
format: nmrqb-sample/1
name: pair
spins:
  - {label: H, nucleus: 1H, T1: 10 s, T2: 0.3 s, pulse_90: 10 us}
  - {label: C, nucleus: 13C, T1: 10 s, T2: 0.2 s, pulse_90: 30 us}
couplings: [{between: [H, C], J: 215.13 Hz}]
"""
READOUTS = ("II", "IX", "IY", "XX")


def random_state(seed=1):
    rng = np.random.default_rng(seed)
    A = rng.normal(size=(4, 4)) + 1j * rng.normal(size=(4, 4))
    rho = A @ A.conj().T
    return rho / np.trace(rho)


class Lab:
    """A folder with a sample, FIDs of states, and the data file."""

    def __init__(self, folder):
        self.folder = folder
        (folder / "sample.yaml").write_text(SAMPLE)
        self.sample = load_sample(folder / "sample.yaml")
        self.receiver = Receiver(2000.0, 4096)
        self.files = []

    def chain(self, readouts=READOUTS, **keywords):
        return measurement_chain(self.sample, readouts, receiver=self.receiver, **keywords)

    def record(
        self,
        rho,
        experiment,
        *,
        readouts=READOUTS,
        sigma=0.01,
        gains=(1, 1),
        shift=0.0,
        turned=False,
        **k,
    ):
        """Write the FIDs of a state, shifted by some Hz, on the spectrometer's axis if turned."""
        chain = self.chain(readouts, **k)
        fids = acquire(chain, rho)
        rng = np.random.default_rng(len(self.files))
        t = np.arange(self.receiver.points) / self.receiver.spectral_width_hz
        fids = fids * np.array(gains)[:, None] * np.exp(2j * np.pi * shift * t)
        fids = fids.conj() if turned else fids
        fids = fids + sigma * (rng.normal(size=(*fids.shape, 2)) @ [1, 1j])
        for r, readout in enumerate(readouts):
            for c, channel in enumerate(chain.channels):
                name = f"{experiment}_{readout}_{channel}.npz"
                write_fids(self.folder / name, fids[r, c], self.receiver, nucleus=channel)
                self.files.append(
                    {"file": name, "channel": channel, "readout": readout, "experiment": experiment}
                )
        return fids

    def write(self, files=None, name="data.yaml", **keys):
        document = {"format": "nmrqb-data/1", "sample": "./sample.yaml"}
        document["files"] = self.files if files is None else files
        path = self.folder / name
        path.write_text(yaml.safe_dump(document | keys, sort_keys=False))
        return path


@pytest.fixture
def lab(tmp_path):
    return Lab(tmp_path)


@pytest.fixture
def make():
    """Return the functions above: tests cannot import this file."""
    return SimpleNamespace(random_state=random_state, readouts=READOUTS)
