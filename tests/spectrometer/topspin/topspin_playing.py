"""Plays what the independent reader reads on a sample."""

import re

import numpy as np
from topspin_reader import Reader, console_values, pulse_propagator

import nmrqb as nq
from nmrqb.dynamics import thermal_deviation
from nmrqb.operators import dagger
from nmrqb.sample import Sample, Spin
from nmrqb.sample.hamiltonian import internal_hamiltonian

SAMPLE = nq.load_sample("chloroform")


def offset_sample():
    """Return chloroform off resonance, so that every phase and time matters."""
    first, second = SAMPLE.spins
    spins = (
        Spin("1H", "1H", 37.0, 3.0, 1.0, pulse_90_s=first.pulse_90_s),
        Spin("13C", "13C", -21.0, 5.0, 0.5, pulse_90_s=second.pulse_90_s),
    )
    return Sample("chloroform", spins, SAMPLE.couplings)


def final_state(export, sequence, sample, scan):
    """Return the state that the independent reader makes of the sample's equilibrium."""
    reader = Reader(export.program.text, console_values(export.program), export.shapes)
    events, receiver = reader.events(scan)
    drift = internal_hamiltonian(sample)
    spins = [spin.nucleus for spin in sample.spins]
    nuclei = re.findall(r"f\d channel \((\w+)\), hard", export.program.text)
    gammas = np.array([1.0, 0.2515])
    rho = thermal_deviation(sample)
    for kind, value in events:
        if kind == "pulse":
            U = pulse_propagator(value, nuclei, spins, drift)
        else:
            U = np.diag(np.exp(-1j * np.diag(drift).real * value))
        rho = U @ rho @ dagger(U)
        if kind == "gradient":  # all of the orders that a crusher leaves are in the shipped files
            m = np.array([[0.5, 0.5], [0.5, -0.5], [-0.5, 0.5], [-0.5, -0.5]]) @ gammas
            rho = np.where(np.abs(m[:, None] - m[None, :]) < 1e-6, rho, 0)
    return rho, receiver
