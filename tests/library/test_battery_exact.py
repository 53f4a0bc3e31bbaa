"""battery_exact makes one evolution of the whole battery, whatever its constants."""

import numpy as np
import pytest
from scipy.linalg import expm

from nmrqb.average import compile_sequence
from nmrqb.dynamics import infidelity, timeline_segments, unitary
from nmrqb.operators import pauli
from nmrqb.sample import Coupling, Sample, Spin
from nmrqb.sample.hamiltonian import internal_hamiltonian
from nmrqb.sequence import expand, load_sequence

SEQUENCE = load_sequence("battery_exact")


def pair(J):
    return Sample("pair", (Spin("I", "1H"), Spin("S", "13C")), (Coupling(("I", "S"), J),))


def battery(D, G, Delta, epsilon, B):
    """Eq. 12 of dipolar-battery-dm-ksea-nmr, H/2π in Hz."""
    XX, YY, ZZ, XY, YX = (pauli(name) for name in ("XX", "YY", "ZZ", "XY", "YX"))
    exchange = D * (XY - YX) + G * (XY + YX)
    anisotropy = ((Delta - 3 * epsilon) * XX + (Delta + 3 * epsilon) * YY - 2 * Delta * ZZ) / 3
    return exchange - anisotropy + B * (pauli("ZI") + pauli("IZ"))


def overrides(values):
    units = {"T": "s"}
    return {name: f"{value:.17g} {units.get(name, 'Hz')}" for name, value in values.items()}


@pytest.mark.parametrize("seed", range(12))
def test_one_pass_is_the_evolution_of_the_battery(seed):
    rng = np.random.default_rng(seed)
    constants = dict(
        zip(("D", "G", "Delta", "epsilon", "B"), rng.uniform(-30, 30, 5).tolist(), strict=True)
    )
    T, J = float(rng.uniform(1e-3, 3e-2)), float(rng.choice([-140.0, 215.13]))
    sample = pair(J)
    timeline = expand(SEQUENCE, sample, parameters=overrides({**constants, "T": T}))
    U = unitary(timeline_segments(timeline, sample), internal_hamiltonian(sample))
    expected = expm(-2j * np.pi * T * battery(**constants))
    assert infidelity(U, expected) < 1e-20


def test_the_claim_is_met_with_the_field():
    average = compile_sequence(SEQUENCE, pair(215.13))
    assert average.cyclic
    assert average.target.met
    scale = average.duration_s / 10e-3
    named = {name: value * scale for name, value in average.named.items() if abs(value) > 1e-6}
    expected = {"DM_z": 20, "KSEA_z": 5, "Delta": 10, "epsilon": 5, "B": 2}
    assert named == pytest.approx(expected, rel=1e-9)
