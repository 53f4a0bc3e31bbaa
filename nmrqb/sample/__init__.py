"""The spins, their couplings, and the calibration of the spectrometer."""

from nmrqb.sample.format import SampleFormat
from nmrqb.sample.loader import load_sample
from nmrqb.sample.model import Coupling, Sample, Spin, Tensor

__all__ = ["Coupling", "Sample", "SampleFormat", "Spin", "Tensor", "load_sample"]
