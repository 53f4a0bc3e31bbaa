"""The FIDs of a run as a data set that `nmrqb tomography` reads as it would a spectrometer's."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from nmrqb.errors import ArgumentError
from nmrqb.experiment import Experiment, Result
from nmrqb.experiment.measuring import receiver_of
from nmrqb.files import yaml_text
from nmrqb.sample import T1T2, Sample, sample_text
from nmrqb.spectrometer.readers import write_fids

RAW_DATA, RAW_SAMPLE = "data.yaml", "sample.yaml"
MAX_CHANNELS = 8
RAW_NAMES = frozenset(
    {RAW_DATA, RAW_SAMPLE, *(f"fids_{k}.npz" for k in range(1, MAX_CHANNELS + 1))}
)


def check_raw(experiment: Experiment) -> None:
    """Refuse to save FIDs that no data file could describe, before any work is done.

    Raises
    ------
    ArgumentError
        If the receiver is calibrated by a reference, or relaxation is more than T1 and T2.
    """
    if experiment.measure.reference_scans:
        raise ArgumentError(
            "Argument `save_raw` needs `measure.reference_scans: 0`, for the reference is not "
            f"saved, but there are {experiment.measure.reference_scans}"
        )
    _as_measured(experiment)


def _as_measured(experiment: Experiment) -> Sample:
    """Return the sample with the relaxation that acts in the experiment."""
    sample = experiment.sample
    mechanisms = experiment.noise.mechanisms(sample)
    others = [mechanism.word for mechanism in mechanisms if mechanism != T1T2()]
    if others:
        raise ArgumentError(
            f"Argument `save_raw` needs a sample that relaxes by T1 and T2, but has {others}"
        )
    spins = sample.spins
    if not mechanisms:
        spins = tuple(replace(spin, T1_s=np.inf, T2_s=np.inf) for spin in spins)
    return replace(sample, spins=spins, relaxation=())


def write_raw(result: Result, folder: Path) -> list[str]:
    """Write FIDs, sample and data file of the most charged state; return their names.

    Each channel is one file whose rows are the readouts.

    Raises
    ------
    ArgumentError
        As `check_raw`.
    """
    experiment, data = result.experiment, result.data
    check_raw(experiment)
    fids, receiver = data["fid"].values, receiver_of(experiment)
    channels = [str(channel) for channel in data["channel"].values]
    names = [f"fids_{k}.npz" for k in range(1, len(channels) + 1)]
    for name, channel, values in zip(names, channels, np.moveaxis(fids, 1, 0), strict=True):
        write_fids(folder / name, values, receiver, nucleus=channel)
    (folder / RAW_SAMPLE).write_text(sample_text(_as_measured(experiment)), encoding="utf-8")
    text = yaml_text(_document(result, channels, names))
    (folder / RAW_DATA).write_text(text, encoding="utf-8")
    return [*names, RAW_SAMPLE, RAW_DATA]


def _document(result: Result, channels: list[str], names: list[str]) -> dict[str, object]:
    experiment, data = result.experiment, result.data
    time_ms = float(data["time"][int(data["shown"])]) * 1e3
    return {
        "format": "nmrqb-data/1",
        "name": f"{experiment.name}_raw",
        "title": f"FIDs of {experiment.name} at {time_ms:.6g} ms, seed {result.seed}",
        "sample": f"./{RAW_SAMPLE}",
        "files": [
            {"file": name, "record": k, "channel": channel, "readout": readout}
            for k, readout in enumerate(experiment.measure.readout_names, 1)
            for name, channel in zip(names, channels, strict=True)
        ],
        "pulses": experiment.noise.pulses,
        "lines": "known",
        "kind": "full",
    }
