"""The spins, their couplings, and the calibration of the spectrometer."""

from nmrqb.sample.calibration import PulseModel, check_pulse_model, pulse_duration
from nmrqb.sample.format import SampleFormat
from nmrqb.sample.loader import load_sample
from nmrqb.sample.model import Coupling, Sample, Spin, Tensor
from nmrqb.sample.relaxation import (
    T1T2,
    Dephasing,
    DipolarCSA,
    LindbladOperator,
    Mechanism,
    PairCoherences,
    PauliNoise,
    ShieldingAnisotropy,
)
from nmrqb.sample.writing import sample_text

__all__ = [
    "T1T2",
    "Coupling",
    "Dephasing",
    "DipolarCSA",
    "LindbladOperator",
    "Mechanism",
    "PairCoherences",
    "PauliNoise",
    "PulseModel",
    "Sample",
    "SampleFormat",
    "ShieldingAnisotropy",
    "Spin",
    "Tensor",
    "check_pulse_model",
    "load_sample",
    "pulse_duration",
    "sample_text",
]
