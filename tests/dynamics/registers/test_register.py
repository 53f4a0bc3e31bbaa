"""The star register, against the explicit sample that it stands for."""

import numpy as np
import pytest
from scipy.linalg import expm

from nmrqb.dynamics import commutator_superoperator, relaxation_of, thermal_deviation
from nmrqb.dynamics.registers import (
    StarRegister,
    central_state,
    star_apply,
    star_expectation,
    star_operator,
    star_product,
    star_unitary,
    symmetric_expectation,
)
from nmrqb.errors import ArgumentError
from nmrqb.operators import PAULI, embed, kron
from nmrqb.sample import Spin
from nmrqb.sample.hamiltonian import internal_hamiltonian

CENTRE = Spin("P", "31P", 12.0, T1_s=0.6, T2_s=0.3, polarization=0.4)
PROTON = Spin("H", "1H", -5.0, T1_s=0.9, T2_s=0.5, pulse_90_s=8e-6, polarization=-0.2)
DM = ((1.0, 4.0, 0.0), (-4.0, 2.0, 0.0), (0.0, 0.0, 3.0))
TIMES = np.array([0.0, 0.02, 0.1])
HETERO = StarRegister(3, 11.0, 2.0, satellite_J_hz=6.0, central=CENTRE, satellite=PROTON)
HOMO = StarRegister(
    2, 11.0, 2.0, DM, 6.0, 1.5, Spin("A", "1H", 12.0, 0.6, 0.3), PROTON,
    (0.1, 0.2, 0.3), (0.5, 0.0, 0.7), (0.4, 0.9),
)  # fmt: skip
PLUS, TILTED = np.full((2, 2), 0.5), np.array([[0.7, 0.2j], [-0.2j, 0.3]])


@pytest.mark.parametrize("register", [HETERO, HOMO])
def test_the_explicit_sample_evolves_alike(register):
    n, H = register.satellites, internal_hamiltonian(register.sample())
    assert H.shape[0] == 2 ** (n + 1)
    rho = star_product(n, PLUS, TILTED)
    found = central_state(register.hamiltonian(), rho, TIMES)
    start = kron([PLUS, *[TILTED] * n])
    for t, state in zip(TIMES, found, strict=True):
        U = expm(-1j * H * t)
        whole = (U @ start @ U.conj().T).reshape(2, 2**n, 2, 2**n)
        np.testing.assert_allclose(state, np.einsum("iaja->ij", whole), atol=1e-12)


@pytest.mark.parametrize("register", [HETERO, HOMO])
def test_the_explicit_sample_relaxes_alike(register):
    n, sample = register.satellites, register.sample()
    G = commutator_superoperator(internal_hamiltonian(sample)) + relaxation_of(sample).generator
    space = register.space
    w = np.array([space.functional(PAULI["Y"]), space.functional(None, PAULI["X"])])
    start = space.product(TILTED, PLUS)
    found = symmetric_expectation(register.liouvillian(), start, w, TIMES)
    seen = [embed(PAULI["Y"], 0, n + 1), sum(embed(PAULI["X"], k, n + 1) for k in range(1, n + 1))]
    whole = kron([PLUS, *[TILTED] * n])
    for t, values in zip(TIMES, found, strict=True):
        rho = (expm(G * t) @ whole.ravel()).reshape(whole.shape)
        np.testing.assert_allclose(values, [np.trace(rho @ A) for A in seen], atol=1e-11)


def test_its_dissipation_is_that_of_the_sample():
    """Whatever the Lindblad operators are, their generators agree."""
    explicit = HOMO.dissipation().dissipation(HOMO.satellites).generator
    np.testing.assert_allclose(explicit, relaxation_of(HOMO.sample()).generator, atol=1e-12)


def test_equilibrium_does_not_change():
    centre, satellite = HETERO.equilibrium()
    space = HETERO.space
    start = space.product(satellite, centre)
    np.testing.assert_allclose(HETERO.liouvillian() @ start, 0, atol=1e-12)
    assert space.functional(PAULI["Z"]) @ start == pytest.approx(0.4)
    assert space.functional(None, PAULI["Z"]) @ start == pytest.approx(-0.6)


def test_thermal_equilibrium_is_that_of_the_sample():
    deviation, sample = HETERO.thermal_deviation(), thermal_deviation(HETERO.sample())
    H = HETERO.hamiltonian()
    for axis in (None, "z"):
        operator = star_operator(3, PAULI["Z"] if axis is None else None, axis)
        explicit = (
            embed(PAULI["Z"], 0, 4)
            if axis is None
            else sum(embed(PAULI["Z"] / 2, k, 4) for k in range(1, 4))
        )
        found = star_expectation(H, deviation, operator, np.zeros(1))[0]
        assert found == pytest.approx(np.trace(explicit @ sample) / 16)


def test_pulses_turn_the_spins_they_are_for():
    pulses = [
        HETERO.pulse("central", np.pi / 2, np.pi / 2),  # y: z goes to x
        HETERO.pulse("satellites", np.pi),
    ]
    up = np.diag([1.0, 0.0])
    H = HETERO.hamiltonian()
    rho = star_apply(star_unitary(pulses, H), star_product(3, up, up))
    zero = np.zeros(1)
    assert star_expectation(H, rho, star_operator(3, PAULI["X"]), zero)[0] == pytest.approx(1)
    total = star_expectation(H, rho, star_operator(3, satellites="z"), zero)[0]
    assert total == pytest.approx(-1.5)


def test_finite_pulses_last_as_calibrated():
    pulse = HETERO.pulse("satellites", -np.pi, pulses="finite")
    assert pulse.duration_s == pytest.approx(16e-6)
    assert pulse.satellites == pytest.approx((-np.pi, 0, 0))
    with pytest.raises(ArgumentError, match="'P' of sample 'pair' has no `pulse_90`"):
        HETERO.pulse("central", 1.0, pulses="finite")


def test_unlike_nuclei_couple_along_z_only():
    np.testing.assert_array_equal(HETERO.coupling_hz, np.diag([0, 0, 15.0]))
    np.testing.assert_array_equal(HOMO.coupling_hz[:2, :2], [[10.5, 4.0], [-4.0, 10.5]])


def test_registers_are_values():
    assert StarRegister(4, 3.0) == StarRegister(4, 3.0)
    assert hash(StarRegister(4, 3.0)) != hash(StarRegister(5, 3.0))


# --------------------------------------------------------------------------------------- refusals
@pytest.mark.parametrize(
    ("arguments", "match"),
    [
        ({"satellites": 0}, "`satellites` must be a whole number ≥ 1, but is 0"),
        ({"satellites": 3.0}, "`satellites` must be a whole number"),
        ({"satellites": 500}, "`satellites` must be at most 200, but is 500"),
        ({"J_hz": np.nan}, "`J_hz` must be finite, but is nan"),
        ({"satellite_dipolar_hz": np.inf}, "`satellite_dipolar_hz` must be finite"),
        ({"tensor_hz": ((np.nan,) * 3,) * 3}, "`tensor_hz` must be a finite 3 × 3 tensor"),
        ({"tensor_hz": ((1.0, 2.0),)}, "`tensor_hz` must be a finite 3 × 3 tensor"),
        ({"central": Spin("S", "2H")}, "`central`: must be a nucleus of spin 1/2, but 2H"),
        ({"satellite": Spin("I", "1H", T1_s=-1)}, "`satellite`: Arguments `T1` and `T2` must be"),
        ({"satellite": Spin("I", "1H", T1_s=1, T2_s=3)}, "`satellite`: Argument `T2` must be at"),
        ({"satellite": Spin("I", "1H", polarization=2)}, "`satellite`: Argument `polarization`"),
        ({"central": Spin("S", "13C", np.inf)}, "`central` must have a finite offset"),
        ({"satellite": Spin("S", "1H")}, "`satellite` must have another label"),
        ({"central_noise_per_s": (1, 2)}, "`central_noise_per_s` must be 3 rates"),
        ({"satellite_noise_per_s": (1, 2, -1)}, "`satellite_noise_per_s` must be 3 rates"),
        ({"common_dephasing_per_s": (np.nan, 0)}, "`common_dephasing_per_s` must be 2 rates"),
    ],
)
def test_refusals(arguments, match):
    with pytest.raises(ArgumentError, match=match):
        StarRegister(**{"satellites": 2, **arguments})


def test_other_refusals():
    with pytest.raises(ArgumentError, match="`satellites` must be at most 9 for an explicit"):
        StarRegister(10).sample()
    with pytest.raises(ArgumentError, match="`target` must be 'central' or 'satellites'"):
        StarRegister(2).pulse("both", 1.0)
