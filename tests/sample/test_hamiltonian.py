"""The rotating-frame Hamiltonian, against Pauli coefficients and an explicit secular average."""

import numpy as np
import pytest
import qutip
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from nmrqb.operators import pauli_coefficients, pauli_strings
from nmrqb.sample import Coupling, Sample, Spin
from nmrqb.sample.hamiltonian import (
    coupling_hamiltonian,
    internal_hamiltonian,
    offset_hamiltonian,
)

HERTZ = st.floats(-500, 500, allow_nan=False)
TENSOR = arrays(float, (3, 3), elements=HERTZ)


def pair(coupling=None, *, nuclei=("1H", "13C"), offsets=(0.0, 0.0)):
    spins = tuple(
        Spin(label, nucleus, offset_hz=nu)
        for label, nucleus, nu in zip("AB", nuclei, offsets, strict=True)
    )
    return Sample("pair", spins, (coupling,) if coupling else ())


def in_hz(hamiltonian):
    """Nonzero Pauli coefficients of H/2π."""
    n = int(np.log2(len(hamiltonian)))
    values = pauli_coefficients(hamiltonian).real / (2 * np.pi)
    return {p: c for p, c in zip(pauli_strings(n), values, strict=True) if abs(c) > 1e-9}


def spin_matrix(axis, spin, n):
    one_spin = {"x": qutip.sigmax, "y": qutip.sigmay, "z": qutip.sigmaz}[axis]() / 2
    factors = [one_spin if k == spin else qutip.qeye(2) for k in range(n)]
    return qutip.tensor(factors).full()


def tensor_coupling(T, i, j, n):
    return sum(
        T[a][b] * spin_matrix("xyz"[a], i, n) @ spin_matrix("xyz"[b], j, n)
        for a in range(3)
        for b in range(3)
    )


def averaged_over_frame(H, rotations):
    """Average of e^{iφF} H e^{−iφF} over 16 angles of every z rotation: the secular part."""
    for F in rotations:
        phases = np.exp(1j * np.outer(2 * np.pi * np.arange(16) / 16, np.diag(F).real * 2))
        H = np.mean([p[:, None] * H * p.conj() for p in phases], axis=0)
    return H


def test_offset_is_half_its_value_on_z():
    sample = pair(offsets=(30.0, -8.0))
    assert in_hz(offset_hamiltonian(sample)) == pytest.approx({"ZI": 15.0, "IZ": -4.0})


def test_heteronuclear_j_is_a_quarter_on_zz():
    sample = pair(Coupling(("A", "B"), J_hz=215.0))
    assert in_hz(coupling_hamiltonian(sample)) == pytest.approx({"ZZ": 215.0 / 4})


def test_homonuclear_j_is_isotropic():
    sample = pair(Coupling(("A", "B"), J_hz=12.0), nuclei=("1H", "1H"))
    assert in_hz(coupling_hamiltonian(sample)) == pytest.approx({"XX": 3, "YY": 3, "ZZ": 3})


def test_homonuclear_dipolar_coupling_is_traceless():
    # d(2 Iz Sz − Ix Sx − Iy Sy), the convention of the sample file
    sample = pair(Coupling(("A", "B"), dipolar_hz=100.0), nuclei=("1H", "1H"))
    assert in_hz(coupling_hamiltonian(sample)) == pytest.approx({"XX": -25, "YY": -25, "ZZ": 50})


def test_heteronuclear_dipolar_coupling_keeps_its_zz_part():
    sample = pair(Coupling(("A", "B"), J_hz=40.0, dipolar_hz=100.0))
    assert in_hz(coupling_hamiltonian(sample)) == pytest.approx({"ZZ": (40 + 200) / 4})


def test_antisymmetric_part_of_the_tensor_survives_between_like_spins():
    tensor = ((0.0, 30.0, 0.0), (10.0, 0.0, 0.0), (0.0, 0.0, 0.0))
    sample = pair(Coupling(("A", "B"), tensor_hz=tensor), nuclei=("1H", "1H"))
    assert in_hz(coupling_hamiltonian(sample)) == pytest.approx({"XY": 2.5, "YX": -2.5})


def test_antisymmetric_part_averages_out_between_unlike_spins():
    tensor = ((0.0, 30.0, 0.0), (10.0, 0.0, 0.0), (0.0, 0.0, 8.0))
    sample = pair(Coupling(("A", "B"), tensor_hz=tensor))
    assert in_hz(coupling_hamiltonian(sample)) == pytest.approx({"ZZ": 2.0})


@given(TENSOR, HERTZ, HERTZ)
@settings(deadline=None, max_examples=25)
def test_like_spins_keep_what_their_common_frame_does_not_average(T, J, d):
    coupling = Coupling(("A", "B"), J, d, tuple(map(tuple, T)))
    full = tensor_coupling(T + J * np.eye(3) + d * np.diag([-1, -1, 2]), 0, 1, 2)
    Fz = spin_matrix("z", 0, 2) + spin_matrix("z", 1, 2)
    got = coupling_hamiltonian(pair(coupling, nuclei=("1H", "1H")))
    np.testing.assert_allclose(got / (2 * np.pi), averaged_over_frame(full, [Fz]), atol=1e-9)


@given(TENSOR, HERTZ, HERTZ)
@settings(deadline=None, max_examples=25)
def test_unlike_spins_keep_what_their_own_frames_do_not_average(T, J, d):
    coupling = Coupling(("A", "B"), J, d, tuple(map(tuple, T)))
    full = tensor_coupling(T + J * np.eye(3) + d * np.diag([-1, -1, 2]), 0, 1, 2)
    frames = [spin_matrix("z", 0, 2), spin_matrix("z", 1, 2)]
    got = coupling_hamiltonian(pair(coupling))
    np.testing.assert_allclose(got / (2 * np.pi), averaged_over_frame(full, frames), atol=1e-9)


def test_a_coupling_written_backwards_transposes_its_tensor():
    tensor = ((1.0, 30.0, 0.0), (10.0, 2.0, 0.0), (0.0, 0.0, 3.0))
    forth = pair(Coupling(("A", "B"), tensor_hz=tensor), nuclei=("1H", "1H"))
    back = pair(
        Coupling(("B", "A"), tensor_hz=tuple(zip(*tensor, strict=True))), nuclei=("1H", "1H")
    )
    np.testing.assert_allclose(coupling_hamiltonian(back), coupling_hamiltonian(forth))


def test_three_spins_of_two_nuclei():
    spins = (Spin("A", "1H", 100.0), Spin("B", "13C", -20.0), Spin("C", "1H", 7.0))
    couplings = (Coupling(("A", "B"), 140.0), Coupling(("C", "A"), 8.0, dipolar_hz=50.0))
    offsets = sum(nu * spin_matrix("z", k, 3) for k, nu in ((0, 100.0), (1, -20.0), (2, 7.0)))
    hetero = 140.0 * spin_matrix("z", 0, 3) @ spin_matrix("z", 1, 3)
    homo = tensor_coupling(8.0 * np.eye(3) + 50.0 * np.diag([-1, -1, 2]), 0, 2, 3)
    got = internal_hamiltonian(Sample("three", spins, couplings))
    np.testing.assert_allclose(got, 2 * np.pi * (offsets + hetero + homo), atol=1e-10)


def test_exchange_of_spins_in_the_sample_reorders_the_tensor_factors():
    spins = (Spin("A", "1H", 100.0), Spin("B", "13C", -20.0))
    coupling = Coupling(("A", "B"), 140.0)
    forth = in_hz(internal_hamiltonian(Sample("s", spins, (coupling,))))
    back = in_hz(internal_hamiltonian(Sample("s", spins[::-1], (coupling,))))
    assert back == pytest.approx({p[::-1]: c for p, c in forth.items()})


@pytest.mark.parametrize("nuclei", [("1H", "13C"), ("1H", "1H")])
def test_what_of_a_coupling_acts_is_told_by_its_truncation(nuclei):
    T, J, d = np.arange(9.0).reshape(3, 3), 7.0, 20.0
    whole = T + J * np.eye(3) + d * np.diag([-1.0, -1.0, 2.0])
    rows = tuple(map(tuple, T))
    weak = Coupling(("A", "B"), J, d, rows, truncation="weak")
    assert in_hz(coupling_hamiltonian(pair(weak, nuclei=nuclei))) == pytest.approx(
        {"ZZ": whole[2, 2] / 4}
    )
    none = Coupling(("A", "B"), J, d, rows, truncation="none")
    expected = 2 * np.pi * tensor_coupling(whole, 0, 1, 2)
    np.testing.assert_allclose(coupling_hamiltonian(pair(none, nuclei=nuclei)), expected, atol=1e-9)


def test_weak_coupling_is_the_limit_of_far_offsets():
    # ν ± J²/4ν: levels of AB against those of AX
    far = {"nuclei": ("1H", "1H"), "offsets": (-5000.0, 5000.0)}
    strong = internal_hamiltonian(pair(Coupling(("A", "B"), 10.0), **far))
    weak = internal_hamiltonian(pair(Coupling(("A", "B"), 10.0, truncation="weak"), **far))
    shift = (np.linalg.eigvalsh(strong) - np.linalg.eigvalsh(weak)) / (2 * np.pi)
    second = 10.0**2 / 4 / 10_000.0
    np.testing.assert_allclose(np.abs(shift), [second, 0, 0, second], atol=1e-8)
