"""Magnus terms against quadrature, commutator integrals and convergence to the exact logarithm."""

import numpy as np
import pytest
from scipy.integrate import solve_ivp
from scipy.linalg import expm, logm

from nmrqb.average import magnus_terms
from nmrqb.dynamics import Segment
from nmrqb.errors import ArgumentError
from nmrqb.operators import pauli, pauli_coefficients, pauli_strings, spin_operator
from nmrqb.sample import Coupling, Sample, Spin
from nmrqb.sample.hamiltonian import coupling_hamiltonian, internal_hamiltonian

X, Y = 0.0, np.pi / 2
ZERO_TIME = np.zeros(())


def random_drift(rng, n):
    d = 2**n
    H = rng.normal(size=(d, d)) + 1j * rng.normal(size=(d, d))
    H = H + H.conj().T
    H -= np.trace(H) / d * np.eye(d)
    return H / np.linalg.norm(H, 2)


def rotation(n, spins, angle, phase):
    return sum(
        angle
        * (np.cos(phase) * spin_operator("x", k, n) + np.sin(phase) * spin_operator("y", k, n))
        for k in spins
    )


def wait(n, time):
    return Segment(np.asarray(float(time)), np.zeros((2**n, 2**n), dtype=complex))


def pulse(n, spins, angle, phase, time=0.0):
    return Segment(np.asarray(float(time)), rotation(n, spins, angle, phase))


def random_segments(rng, n, *, finite):
    """Five random rotations of random spins between random delays, one time unit in all."""
    segments = []
    for _ in range(5):
        spins = rng.choice(n, size=rng.integers(1, n + 1), replace=False)
        length = rng.uniform(0.02, 0.1) if finite else 0.0
        segments += [wait(n, rng.uniform(0.05, 0.2))]
        segments += [pulse(n, spins, rng.uniform(-3, 3), rng.uniform(0, 6), length)]
    return segments


def faster(segments, scale):
    """Return the same rotations in ``scale`` times the time."""
    return [Segment(scale * s.duration, s.rotation) for s in segments]


def propagator(segments, drift):
    U = np.eye(len(drift), dtype=complex)
    for s in segments:
        U = expm(-1j * (s.rotation + s.duration * drift)) @ U
    return U


def exact(segments, drift):
    """(i/T) log(U_rf† U) by scipy."""
    T = sum(float(s.duration) for s in segments)
    toggled = propagator(segments, 0 * drift).conj().T @ propagator(segments, drift)
    return 1j * logm(toggled) / T


def toggling_integrals(segments, drift):
    """∫Ã dt and ∫[Ã(t), ∫₀ᵗÃ] dt with Ã = U_rf† A U_rf, integrated as one initial-value problem."""
    d = len(drift)
    U, K, M = np.eye(d, dtype=complex), *np.zeros((2, d, d), dtype=complex)
    for s in segments:
        if s.duration == 0:
            U = expm(-1j * s.rotation) @ U
            continue
        control = s.rotation / s.duration

        def slope(_, y, control=control):
            U, K, _ = y.reshape(3, d, d)
            A = U.conj().T @ drift @ U
            return np.array([-1j * control @ U, A, A @ K - K @ A]).ravel()

        y0 = np.array([U, K, M]).ravel()
        end = solve_ivp(slope, (0, float(s.duration)), y0, "DOP853", rtol=1e-11, atol=1e-13)
        U, K, M = end.y[:, -1].reshape(3, d, d)
    return K, M


def coefficients(matrix, digits=12):
    names = pauli_strings(int(np.log2(len(matrix))))
    values = pauli_coefficients(matrix).real.round(digits)
    return {p: float(c) for p, c in zip(names, values, strict=True) if c}


# ----------------------------------------------------------------------------- definitions
@pytest.mark.parametrize("finite", [False, True])
@pytest.mark.parametrize("n", [2, 3])
def test_first_two_orders_are_their_defining_integrals(n, finite):
    rng = np.random.default_rng(n + 10 * finite)
    segments, drift = random_segments(rng, n, finite=finite), random_drift(rng, n)
    T = sum(float(s.duration) for s in segments)
    mean, nested = toggling_integrals(segments, drift)
    zeroth, first = magnus_terms(segments, drift, order=1)
    np.testing.assert_allclose(zeroth, mean / T, atol=1e-9)
    # H⁽¹⁾ = −(i/2T) ∫dt₁∫dt₂ [Ã(t₁), Ã(t₂)], t₂ < t₁
    np.testing.assert_allclose(first, -0.5j / T * nested, atol=1e-9)


@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize("finite", [False, True])
@pytest.mark.parametrize("n", [2, 3])
def test_sum_to_order_k_misses_the_exact_logarithm_by_tau_to_the_k_plus_one(n, finite, seed):
    rng = np.random.default_rng(seed)
    segments, drift = random_segments(rng, n, finite=finite), random_drift(rng, n)
    scales = np.array([0.08, 0.04, 0.02])
    errors = np.zeros((4, len(scales)))
    for column, scale in enumerate(scales):
        quick = faster(segments, scale)
        sums = np.cumsum(magnus_terms(quick, drift, order=3), axis=0)
        errors[:, column] = np.linalg.norm(sums - exact(quick, drift), axis=(1, 2))
    exponents = np.polyfit(np.log(scales), np.log(errors.T), 1)[0]
    np.testing.assert_allclose(exponents, [1, 2, 3, 4], atol=0.1)


def test_orders_have_their_degree_in_the_drift():
    rng = np.random.default_rng(4)
    segments, drift = random_segments(rng, 2, finite=True), random_drift(rng, 2)
    once, twice = (magnus_terms(segments, k * drift, order=3) for k in (1, 2))
    for order in range(4):
        np.testing.assert_allclose(twice[order], 2 ** (order + 1) * once[order], atol=1e-12)


def test_terms_are_hermitian_and_traceless():
    rng = np.random.default_rng(5)
    terms = magnus_terms(random_segments(rng, 2, finite=True), random_drift(rng, 2), order=3)
    for term in terms:
        np.testing.assert_allclose(term, term.conj().T, atol=1e-14)
        assert abs(np.trace(term)) < 1e-13


def test_free_evolution_has_its_drift_and_no_higher_order():
    drift = random_drift(np.random.default_rng(6), 2)
    zeroth, *higher = magnus_terms([wait(2, 0.7)], drift, order=3)
    np.testing.assert_allclose(zeroth, drift, atol=1e-13)
    np.testing.assert_allclose(higher, np.zeros((3, 4, 4)), atol=1e-12)


def test_passes_of_a_period_equal_the_sequence_written_out():
    rng = np.random.default_rng(7)
    segments, drift = random_segments(rng, 2, finite=True), random_drift(rng, 2)
    repeated = magnus_terms(segments, drift, order=3, cycles=3)
    np.testing.assert_allclose(repeated, magnus_terms(segments * 3, drift, order=3), atol=1e-11)


def test_stacks_of_drifts_equal_loops():
    rng = np.random.default_rng(8)
    segments = random_segments(rng, 2, finite=True)
    drifts = np.array([random_drift(rng, 2) for _ in range(3)])
    looped = [magnus_terms(segments, drift, order=2) for drift in drifts]
    batch = np.moveaxis(magnus_terms(segments, drifts, order=2), 0, 1)
    np.testing.assert_allclose(batch, looped, atol=1e-12)


# -------------------------------------------------------------------- conventions and symmetry
@pytest.mark.parametrize(
    ("phase", "letter", "sign"), [(X, "Y", 1), (np.pi, "Y", -1), (Y, "X", -1), (-Y, "X", 1)]
)
def test_toggling_frame_is_u_dagger_a_u(phase, letter, sign):
    # 90x makes z look like +y, 90−x like −y, 90y like −x, 90−y like +x (U†ZU, not UZU†)
    segments = [
        pulse(1, [0], np.pi / 2, phase), wait(1, 1.0), pulse(1, [0], -np.pi / 2, phase)
    ]  # fmt: skip
    (zeroth,) = magnus_terms(segments, pauli("Z"), order=0)
    assert coefficients(zeroth) == {letter: sign}


@pytest.mark.parametrize("finite", [False, True])
def test_odd_orders_of_a_symmetric_cycle_vanish(finite):
    rng = np.random.default_rng(9)
    half, drift = random_segments(rng, 2, finite=finite), random_drift(rng, 2)
    mirrored = [Segment(s.duration, -s.rotation) for s in reversed(half)]
    terms = magnus_terms(half + mirrored, drift, order=4)
    sizes = [np.linalg.norm(term) for term in terms]
    assert max(sizes[1], sizes[3]) < 1e-12
    assert min(sizes[2], sizes[4]) > 1e-5


def wahuha(n):
    """τ X τ −Y 2τ Y τ −X τ on all spins (sequences.md, WHH-4)."""
    t, everyone = 1e-6, range(n)
    turns = [(np.pi / 2, X), (-np.pi / 2, Y), (np.pi / 2, Y), (-np.pi / 2, X)]
    pulses = [pulse(n, everyone, angle, phase) for angle, phase in turns]
    gaps = [wait(n, k * t) for k in (1, 1, 2, 1, 1)]
    return [gaps[0], *(s for pair in zip(pulses, gaps[1:], strict=True) for s in pair)]


SHIFTS, DIPOLES = (310.0, -90.0, 45.0), {(0, 1): 900.0, (0, 2): -350.0, (1, 2): 120.0}


def solid(shifts=SHIFTS, dipoles=DIPOLES):
    spins = tuple(Spin(f"H{k}", "1H", nu) for k, nu in enumerate(shifts))
    couplings = tuple(Coupling((f"H{i}", f"H{j}"), dipolar_hz=d) for (i, j), d in dipoles.items())
    return Sample("solid", spins, couplings)


def test_wahuha_scales_offsets_by_one_over_root_three_along_the_diagonal():
    (zeroth,) = magnus_terms(wahuha(3), internal_hamiltonian(solid()) / (2 * np.pi), order=0)
    got = coefficients(zeroth, digits=9)
    expected = {
        "".join(axis if k == spin else "I" for k in range(3)): SHIFTS[spin] / 2 / 3
        for spin in range(3)
        for axis in "XYZ"
    }
    assert got == pytest.approx(expected)


def test_wahuha_removes_the_dipolar_coupling_at_zeroth_and_first_order():
    drift = coupling_hamiltonian(solid())
    zeroth, first, second = magnus_terms(wahuha(3), drift, order=2)
    assert np.linalg.norm([zeroth, first]) < 1e-9 * np.linalg.norm(drift)
    assert np.linalg.norm(second) > 1e-9 * np.linalg.norm(drift)


def test_wahuha_has_no_first_order_with_offsets_either():
    drift = internal_hamiltonian(solid())
    assert np.linalg.norm(magnus_terms(wahuha(3), drift, order=1)[1]) < 1e-9 * np.linalg.norm(drift)


# --------------------------------------------------------------------------------- refusals
def test_negative_order_is_refused():
    with pytest.raises(ArgumentError, match="`order` must be ≥ 0, but is -1"):
        magnus_terms([wait(1, 1.0)], pauli("Z"), order=-1)


def test_sequence_that_takes_no_time_is_refused():
    with pytest.raises(ArgumentError, match="must last longer than 0 s"):
        magnus_terms([pulse(1, [0], 1.0, X)], pauli("Z"), order=0)
