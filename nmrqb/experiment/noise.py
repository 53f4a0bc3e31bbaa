"""From what a file says of noise to a `Noise`: relaxation, spreads, errors of pulses."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import numpy as np

from nmrqb.dynamics import (
    Distribution,
    Gaussian,
    Lorentzian,
    Tabulated,
    dissipation_of,
    read_profile,
    static_field,
)
from nmrqb.errors import Fault, InputError, Position
from nmrqb.experiment.model import Noise
from nmrqb.experiment.noise_format import NoiseFormat, PulseErrorsFormat
from nmrqb.files import Document
from nmrqb.operators import PAULI, embed
from nmrqb.sample import T1T2, Mechanism, Sample
from nmrqb.sample.relaxation_fit import misfits
from nmrqb.sample.relaxation_format import mechanisms_in, misfit_faults
from nmrqb.sequence import PulseErrors

_ROUNDING = 1e-9


@dataclass(frozen=True)
class Profile:
    """A measured profile of the rf amplitude, if there is one, and the hash of its file."""

    table: Tabulated | None = None
    hashes: dict[str, str] = field(default_factory=dict)


def load_profile(entry: NoiseFormat, document: Document, faults: list[Fault]) -> Profile:
    """Read the measured profile that an entry names, relative to the experiment's own folder."""
    name = entry.b1_profile
    if name is None:
        return Profile()
    at = document.position(("noise", "b1_distribution"))
    path = Path(name)
    if at.file == document.file and not path.is_absolute():
        path = Path(document.file).parent / path
    try:
        table = read_profile(path)
    except InputError as error:
        whole = Position(str(path))
        faults += [Fault(at if f.at == whole else f.at, f.message) for f in error.faults]
        return Profile()
    return Profile(table, {f"profile {path.name}": hashlib.sha256(path.read_bytes()).hexdigest()})


def noise_faults(entry: NoiseFormat, document: Document, sample: Sample) -> Iterator[Fault]:
    """Yield what does not fit the sample: mechanisms of the file's own list, and a T2*."""
    path = ("noise", "relaxation")
    found = mechanisms_in(document, path)
    misfitting = list(misfits(sample, [*found.values()]))
    yield from misfit_faults(document, path, [*found], misfitting)
    dimension, number = entry.b0_inhomogeneity or ("", 0.0)
    if dimension != "time" or misfitting:
        return
    T2 = _echo_time(entry, sample)
    if number > T2 * (1 + _ROUNDING):
        label = sample.spins[0].label
        message = (
            f"a T2* of `{label}` must be at most the {T2:g} s that relaxation leaves its "
            f"coherence, but is {number:g} s"
        )
        yield Fault(document.position(("noise", "b0_inhomogeneity")), message)


def noise_of(entry: NoiseFormat, sample: Sample, profile: Profile) -> Noise:
    """Return the noise of an experiment on a sample."""
    return Noise(
        relaxation=_relaxation(entry),
        pulses=entry.pulses,
        b1_inhomogeneity=entry.b1_inhomogeneity,
        b1_distribution=profile.table or _word(entry),
        b0=_static_field(entry, sample),
        J_spread=entry.J_spread,
        pulse_errors=_pulse_errors(entry.pulse_errors),
        receiver=entry.receiver.errors(),
    )


def _relaxation(entry: NoiseFormat) -> bool | tuple[Mechanism, ...]:
    if isinstance(entry.relaxation, list):
        return tuple(mechanism.mechanism() for mechanism in entry.relaxation)
    return (T1T2(),) if entry.relaxation == "T1T2" else entry.relaxation == "sample"


def _word(entry: NoiseFormat) -> Literal["gaussian", "uniform"]:
    return "uniform" if entry.b1_distribution == "uniform" else "gaussian"


def _static_field(entry: NoiseFormat, sample: Sample) -> Distribution | None:
    """Return the spread of the static field; a T2* is that of the first spin."""
    dimension, number = entry.b0_inhomogeneity or ("frequency", 0.0)
    if dimension == "time":
        T2 = _echo_time(entry, sample)
        uniform = number > T2 * (1 - _ROUNDING)
        return None if uniform else static_field(number, T2, sample.spins[0].nucleus)
    if number == 0:
        return None
    return Lorentzian(number) if entry.b0_distribution == "lorentzian" else Gaussian(number)


def _echo_time(entry: NoiseFormat, sample: Sample) -> float:
    """Return the time in which all relaxation damps the coherence of the first spin.

    It is −1/⟨σ_+, D σ_+⟩ of that spin: its T2 where T1 and T2 are all that acts.
    """
    lost = dissipation_of(sample, Noise(_relaxation(entry)).relaxation).generator
    sigma = embed((PAULI["X"] + 1j * PAULI["Y"]) / 2, 0, len(sample.spins)).ravel()
    rate = -(sigma.conj() @ lost @ sigma).real / (sigma.conj() @ sigma).real
    return float(1 / rate) if rate > 0 else np.inf


def _pulse_errors(entry: PulseErrorsFormat) -> PulseErrors:
    return PulseErrors(
        amplitude=entry.amplitude,
        phase=entry.phase,
        imbalance=entry.quadrature.imbalance,
        skew=entry.quadrature.skew,
        leading=entry.transient.leading,
        trailing=entry.transient.trailing,
        rise_time_s=entry.rise_time,
        ring_down=entry.ring_down == "lengthen",
    )
