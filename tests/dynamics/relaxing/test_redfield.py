"""Redfield theory of a tumbling pair, against the rates of the textbooks."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nmrqb.dynamics import relaxation_of
from nmrqb.dynamics.relaxing.redfield import (
    dipolar_constant,
    gyromagnetic_ratio,
    redfield_operators,
    spectral_density,
)
from nmrqb.errors import ArgumentError
from nmrqb.operators import pauli
from nmrqb.sample import DipolarCSA, Sample, ShieldingAnisotropy, Spin

FIELD = 14.1
TUMBLING = (1e-12, 2e-10, 1e-9, 8e-9, 1e-7)


def pair(nuclei=("15N", "1H"), p=(0.0, 0.0), field=FIELD):
    spins = tuple(
        Spin(label, nucleus, polarization=q)
        for label, nucleus, q in zip("IS", nuclei, p, strict=True)
    )
    return Sample("pair", spins, field_tesla=field)


def shielding(**anisotropies):
    """Return shieldings from spin=(anisotropy, angle)."""
    return tuple(ShieldingAnisotropy(spin, *given) for spin, given in anisotropies.items())


def generator(mechanism, sample=None):
    return relaxation_of(sample or pair(), [mechanism]).generator


def rate(D, seen, kept=None):
    """Return −⟨seen|D|kept⟩/⟨seen|seen⟩ of Pauli strings or matrices."""
    A = pauli(seen) if isinstance(seen, str) else seen
    B = A if kept is None else pauli(kept) if isinstance(kept, str) else kept
    return -np.vdot(A, (D @ B.reshape(-1)).reshape(4, 4)).real / np.vdot(A, A).real


class Textbook:
    """d, c and J of Kowalewski and Mäler: J(ω) = (2/5) τ_c/(1 + ω²τ_c²), frequencies signed."""

    def __init__(self, tau, sample=None, r=1.02e-10, anisotropy=0.0):
        first, second = (sample or pair()).spins
        self.d = -dipolar_constant(first, second, r)
        self.c = gyromagnetic_ratio(first) * FIELD * anisotropy / np.sqrt(3)
        self.tau = tau
        self.wI, self.wS = (gyromagnetic_ratio(spin) * FIELD for spin in (first, second))

    def J(self, w):
        return 0.4 * self.tau / (1 + (w * self.tau) ** 2)

    def mixed(self, zero, i, s, minus, plus):
        """Return a combination of J at 0, ω_I, ω_S, ω_I − ω_S and ω_I + ω_S."""
        frequencies = 0, self.wI, self.wS, self.wI - self.wS, self.wI + self.wS
        weights = (zero, i, s, minus, plus)
        return sum(w * self.J(f) for w, f in zip(weights, frequencies, strict=True))


# --------------------------------------------------------------------------- dipolar relaxation
@pytest.mark.parametrize("tau", TUMBLING)
@pytest.mark.parametrize("nuclei", [("15N", "1H"), ("13C", "1H"), ("1H", "19F")])
def test_solomon_rates_of_unlike_spins(tau, nuclei):
    sample = pair(nuclei)
    D = generator(DipolarCSA(("I", "S"), tau, 1.02e-10), sample)
    book = Textbook(tau, sample)
    half = book.d**2 / 4
    assert rate(D, "ZI") == pytest.approx(half * book.mixed(0, 3, 0, 1, 6), rel=1e-10)
    assert rate(D, "IZ") == pytest.approx(half * book.mixed(0, 0, 3, 1, 6), rel=1e-10)
    assert rate(D, "ZI", "IZ") == pytest.approx(half * book.mixed(0, 0, 0, -1, 6), rel=1e-10)
    assert rate(D, "XI") == pytest.approx(half / 2 * book.mixed(4, 3, 6, 1, 6), rel=1e-10)
    assert rate(D, "IY") == pytest.approx(half / 2 * book.mixed(4, 6, 3, 1, 6), rel=1e-10)
    assert rate(D, "ZZ") == pytest.approx(half * book.mixed(0, 3, 3, 0, 0), rel=1e-10)


def test_transition_probabilities_of_a_dipolar_pair():
    tau = 3e-9
    D = generator(DipolarCSA(("I", "S"), tau, 1.02e-10))
    book = Textbook(tau)
    level = [np.diag(np.eye(4)[k]).astype(complex) for k in range(4)]
    b2 = book.d**2 * tau
    W0 = b2 / 10 / (1 + ((book.wI - book.wS) * tau) ** 2)
    W1 = 3 * b2 / 20 / (1 + (book.wI * tau) ** 2)
    W2 = 3 * b2 / 5 / (1 + ((book.wI + book.wS) * tau) ** 2)
    assert -rate(D, level[1], level[2]) == pytest.approx(W0)
    assert -rate(D, level[0], level[2]) == pytest.approx(W1)
    assert -rate(D, level[0], level[3]) == pytest.approx(W2)


@pytest.mark.parametrize("tau", TUMBLING)
def test_like_spins_relax_as_bloembergen_purcell_and_pound_found(tau):
    sample = pair(("1H", "1H"))
    D = generator(DipolarCSA(("I", "S"), tau, 1.8e-10), sample)
    w, d2 = gyromagnetic_ratio(sample.spins[0]) * FIELD, Textbook(tau, sample, 1.8e-10).d ** 2
    J0, J1, J2 = (spectral_density(q * w, tau) for q in (0, 1, 2))
    total = {axis: pauli(f"{axis}I") + pauli(f"I{axis}") for axis in "XYZ"}
    assert rate(D, total["Z"]) == pytest.approx(0.3 * d2 * (J1 + 4 * J2), rel=1e-10)
    for axis in "XY":
        assert rate(D, total[axis]) == pytest.approx(0.15 * d2 * (3 * J0 + 5 * J1 + 2 * J2))


def test_a_dipolar_constant_is_another_way_to_give_the_distance():
    first, second = pair().spins
    hertz = dipolar_constant(first, second, 1.02e-10) / (2 * np.pi)
    assert hertz == pytest.approx(11.47e3, rel=2e-3)  # N–H: γ(15N) is negative
    assert dipolar_constant(*pair(("13C", "1H")).spins, 1.09e-10) / (2 * np.pi) == pytest.approx(
        -23.33e3, rel=1e-3
    )
    by_distance = generator(DipolarCSA(("I", "S"), 1e-9, 1.02e-10))
    by_constant = generator(DipolarCSA(("I", "S"), 1e-9, dipolar_hz=hertz))
    np.testing.assert_allclose(by_distance, by_constant, rtol=1e-12)


# --------------------------------------------------------------------- shielding and interference
@pytest.mark.parametrize("tau", TUMBLING)
def test_shielding_alone(tau):
    D = generator(DipolarCSA(("I", "S"), tau, csa=shielding(I=(-160e-6, 0.3))))
    book = Textbook(tau, anisotropy=-160e-6)
    assert rate(D, "ZI") == pytest.approx(book.c**2 * book.J(book.wI), rel=1e-10)
    assert rate(D, "XI") == pytest.approx(book.c**2 / 6 * book.mixed(4, 3, 0, 0, 0), rel=1e-10)
    assert rate(D, "IX") == pytest.approx(0.0, abs=1e-12)


@pytest.mark.parametrize("tau", TUMBLING)
@pytest.mark.parametrize("angle", [0.0, 0.35, np.pi / 2])
def test_interference_of_dipolar_coupling_and_shielding(tau, angle):
    D = generator(DipolarCSA(("I", "S"), tau, 1.02e-10, csa=shielding(I=(-160e-6, angle))))
    book = Textbook(tau, anisotropy=-160e-6)
    cd = -book.c * book.d * (3 * np.cos(angle) ** 2 - 1) / 2  # b = −d
    eta_xy = np.sqrt(3) / 6 * cd * book.mixed(4, 3, 0, 0, 0)
    assert rate(D, "XI", "XZ") == pytest.approx(eta_xy, rel=1e-9, abs=1e-12)
    assert rate(D, "XZ", "XI") == pytest.approx(eta_xy, rel=1e-9, abs=1e-12)
    eta_z = np.sqrt(3) * cd * book.J(book.wI)
    assert rate(D, "ZI", "ZZ") == pytest.approx(eta_z, rel=1e-9, abs=1e-12)
    auto = book.d**2 / 8 * book.mixed(4, 3, 6, 1, 6) + book.c**2 / 6 * book.mixed(4, 3, 0, 0, 0)
    assert rate(D, "XI") == pytest.approx(auto, rel=1e-9)


def test_the_doublet_of_trosy_differs_by_twice_eta_and_the_narrow_line_has_the_proton_down():
    D = generator(DipolarCSA(("I", "S"), 2e-8, 1.02e-10, csa=shielding(I=(-160e-6, 0.3))))
    up, down = (pauli("XI") + sign * pauli("XZ") for sign in (1, -1))
    eta = rate(D, "XI", "XZ")
    assert rate(D, up) - rate(D, down) == pytest.approx(2 * eta, rel=1e-10)
    assert 0 < rate(D, down) < 0.25 * rate(D, up)  # β of the proton, as in every 15N TROSY


def test_two_shieldings_damp_zero_and_double_quantum_coherences_differently():
    anisotropies = {"I": (-160e-6, 0.0), "S": (10e-6, 0.0)}
    D = generator(DipolarCSA(("I", "S"), 1e-8, csa=shielding(**anisotropies)))
    zero, double = (np.zeros((4, 4), dtype=complex) for _ in range(2))
    zero[1, 2] = double[0, 3] = 1
    cI, cS = (
        gyromagnetic_ratio(spin) * FIELD * anisotropies[spin.label][0] for spin in pair().spins
    )
    # δω = c (2/3) P₂(t) on each spin, variance of P₂ 1/5: cross term 2·(4/9)(1/5) c c′ τ_c
    difference = rate(D, double) - rate(D, zero)
    assert difference == pytest.approx(4 * 4 / 9 / 5 * cI * cS * 1e-8, rel=1e-6)


@pytest.mark.parametrize("between", [None, 0.0, 1.0])
def test_the_angle_between_the_axes_decides_on_their_interference(between):
    """Common for parallel axes, P₂ of the angle otherwise; by default both lie in one plane."""
    csa = shielding(I=(-160e-6, 0.5), S=(10e-6, 0.5))
    D = generator(DipolarCSA(("I", "S"), 1e-8, csa=csa, csa_angle_rad=between))
    parallel = generator(DipolarCSA(("I", "S"), 1e-8, csa=csa, csa_angle_rad=0.0))
    zero, double = (np.zeros((4, 4), dtype=complex) for _ in range(2))
    zero[1, 2] = double[0, 3] = 1
    cross, whole = (rate(X, double) - rate(X, zero) for X in (D, parallel))
    assert cross / whole == pytest.approx((3 * np.cos(between or 0) ** 2 - 1) / 2)


# ----------------------------------------------------------------------------------- equilibrium
def saturated(D):
    """Return ⟨I_z⟩ in its steady state while S is held at 0, of a generator that obeys Solomon."""
    one = np.eye(4, dtype=complex)
    return -rate(D, pauli("ZI"), one) / rate(D, "ZI")


@pytest.mark.parametrize(
    ("nuclei", "tau", "enhancement"),
    [
        (("1H", "1H"), 1e-13, 0.5),
        (("1H", "1H"), 1e-5, -1.0),
        (("13C", "1H"), 1e-13, 26.7522128 / 6.728284 / 2),
        (("15N", "1H"), 1e-13, -26.7522128 / 2.71261804 / 2),
    ],
)
def test_nuclear_overhauser_limits(nuclei, tau, enhancement):
    sample = pair(nuclei)
    p = tuple(
        1e-6 * gyromagnetic_ratio(s) / gyromagnetic_ratio(pair().spins[1]) for s in sample.spins
    )
    D = generator(DipolarCSA(("I", "S"), tau, 1.5e-10), pair(nuclei, p))
    assert saturated(D) / p[0] - 1 == pytest.approx(enhancement, rel=1e-4)


POLARIZATION = st.floats(-1, 1)


@given(POLARIZATION, POLARIZATION, st.sampled_from(TUMBLING), st.floats(0, np.pi))
@settings(deadline=None, max_examples=30)
def test_the_thermal_state_stays(first, second, tau, angle):
    csa = shielding(I=(-160e-6, angle), S=(20e-6, np.pi / 3))
    D = generator(DipolarCSA(("I", "S"), tau, 1.02e-10, csa=csa), pair(p=(first, second)))
    rho = np.kron(*(np.diag([1 + p, 1 - p]) / 2 for p in (first, second)))
    assert np.abs(D @ rho.reshape(-1)).max() < 1e-9 * np.abs(D).max()


@given(POLARIZATION, st.sampled_from(TUMBLING))
@settings(deadline=None, max_examples=30)
def test_the_thermal_state_of_like_spins_stays(p, tau):
    D = generator(DipolarCSA(("I", "S"), tau, 1.8e-10), pair(("1H", "1H"), (p, p)))
    rho = np.kron(*(np.diag([1 + p, 1 - p]) / 2 for _ in range(2)))
    assert np.abs(D @ rho.reshape(-1)).max() < 1e-9 * np.abs(D).max()


def test_polarizations_change_the_rates_only_in_second_order():
    mechanism = DipolarCSA(("I", "S"), 1e-9, 1.02e-10, csa=shielding(I=(-160e-6, 0.3)))
    infinite, thermal = (generator(mechanism, pair(p=p)) for p in ((0.0, 0.0), (1e-4, 1e-3)))
    for seen, kept in (("ZI", "ZI"), ("XI", "XI"), ("ZI", "IZ"), ("XI", "XZ")):
        unchanged = rate(infinite, seen, kept)
        assert rate(thermal, seen, kept) == pytest.approx(unchanged, rel=1e-3)


# ------------------------------------------------------------------------------- frame and order
def test_the_pair_may_be_named_in_either_order():
    forth = DipolarCSA(("I", "S"), 1e-9, 1.02e-10, csa=shielding(I=(-160e-6, 0.3)))
    back = DipolarCSA(("S", "I"), 1e-9, 1.02e-10, csa=shielding(I=(-160e-6, 0.3)))
    np.testing.assert_allclose(generator(forth), generator(back), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("nuclei", [("15N", "1H"), ("1H", "1H")])
def test_the_generator_commutes_with_precession(nuclei):
    """Secular: rotations about z of each unlike spin, or of both like ones, change nothing."""
    csa = shielding(I=(-160e-6, 0.3), S=(10e-6, 1.0))
    D = generator(DipolarCSA(("I", "S"), 1e-9, 1.02e-10, csa=csa), pair(nuclei))
    alone = nuclei[0] != nuclei[1]
    for turn in [pauli("ZI"), pauli("IZ")] if alone else [pauli("ZI") + pauli("IZ")]:
        commutator = np.kron(turn, np.eye(4)) - np.kron(np.eye(4), turn)
        assert np.abs(commutator @ D - D @ commutator).max() < 1e-12 * np.abs(D).max()


def test_all_operators_are_found_and_none_is_zero():
    mechanism = DipolarCSA(("I", "S"), 1e-9, 1.02e-10, csa=shielding(I=(-160e-6, 0.3)))
    operators = redfield_operators(mechanism, pair())
    assert all(L.shape == (4, 4) and np.abs(L).max() > 0 for L in operators)
    assert len(operators) == 2 * (1 + 1 + 1 + 2) + 2  # ZQ, DQ, S: dipolar alone; I and z: both


def test_without_a_field_there_are_no_larmor_frequencies():
    with pytest.raises(ArgumentError, match=r"field for DipolarCSA, but '\w+' has none"):
        redfield_operators(DipolarCSA(("I", "S"), 1e-9, 1e-10), pair(field=None))
    with pytest.raises(ArgumentError, match=r"number 0 \(DipolarCSA\) .* need the `field`"):
        generator(DipolarCSA(("I", "S"), 1e-9, 1e-10), pair(field=None))
