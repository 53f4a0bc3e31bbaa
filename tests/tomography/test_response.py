"""Readouts and response matrices, against hand-turned Paulis and published condition numbers."""

import numpy as np
import pytest
from scipy.linalg import expm

from nmrqb.dynamics import Ensemble, infidelity, unitary
from nmrqb.errors import ArgumentError
from nmrqb.operators import pauli
from nmrqb.sample import Coupling, Sample, Spin, load_sample
from nmrqb.sample.hamiltonian import internal_hamiltonian
from nmrqb.spectrometer import Receiver, complex_noise
from nmrqb.tomography import (
    acquire,
    check_readout,
    detect,
    estimate_state,
    line_amplitudes,
    measurement_chain,
    noise_for_snr,
    readout_maps,
    readout_segments,
    response_matrix,
)
from nmrqb.tomography.response import amplitude_covariance

CHLOROFORM = load_sample("chloroform")
SET = ("II", "IX", "IY", "XX")
RECEIVER = Receiver(1000.0, 256)
LOCAL = [a + b for a in "IXY" for b in "IXY"]


def ideal_response(readouts, sample=CHLOROFORM):
    chain = measurement_chain(sample, readouts, relaxation=False, receiver=RECEIVER)
    return response_matrix(chain)


def b1_ensemble(amplitudes, weights=None):
    """Return an ensemble of rf amplitudes, of equal weight by default."""
    b1 = np.asarray(amplitudes, dtype=float)
    shares = np.full(b1.size, 1 / b1.size) if weights is None else weights
    return Ensemble(b1, 0 * b1, 0 * b1 + 1, shares)


def pure(psi):
    psi = np.asarray(psi, dtype=complex) / np.linalg.norm(psi)
    return np.outer(psi, psi.conj())


# ----------------------------------------------------------------------------------- readouts
@pytest.mark.parametrize(
    ("readout", "generator"), [("XI", "XI"), ("IX", "IX"), ("YI", "YI"), ("IY", "IY")]
)
def test_readouts_are_ninety_degree_pulses_in_sample_order(readout, generator):
    H = internal_hamiltonian(CHLOROFORM)
    U = unitary(readout_segments(readout, CHLOROFORM, "ideal"), H)
    assert infidelity(U, expm(-1j * np.pi / 4 * pauli(generator))) < 1e-28


def test_no_pulse_is_the_identity():
    np.testing.assert_array_equal(readout_maps(["II"], CHLOROFORM)[0], np.eye(16))


def test_finite_readout_lets_the_coupling_act():
    H = internal_hamiltonian(CHLOROFORM)
    U = unitary(readout_segments("IX", CHLOROFORM, "finite"), H)
    expected = expm(-1j * (np.pi / 4 * pauli("IX") + H * 77e-6))
    assert infidelity(U, expected) < 1e-24


def test_rf_amplitude_turns_readouts_by_their_share():
    maps = readout_maps(["XI"], CHLOROFORM, ensemble=b1_ensemble([0.9, 1.1]))
    turned = (maps[:, 0] @ pauli("ZI").reshape(-1)).reshape(2, 4, 4)
    for scale, operator in zip((0.9, 1.1), turned, strict=True):
        angle = scale * np.pi / 2
        expected = np.cos(angle) * pauli("ZI") - np.sin(angle) * pauli("YI")
        np.testing.assert_allclose(operator, expected, atol=1e-12)


@pytest.mark.parametrize("readout", ["X", "XXX", "XZ", "ix", ""])
def test_readouts_are_one_letter_per_spin(readout):
    with pytest.raises(ArgumentError, match="`readout` must be 2 letters of I, X, Y"):
        check_readout(readout, 2)


# ---------------------------------------------------------------------------- response matrix
def test_unturned_response_is_one_line_per_state_of_the_partner():
    # sum of the doublet ⟨XI⟩, ⟨YI⟩; difference ⟨XZ⟩, ⟨YZ⟩ (lower line: partner down)
    response = ideal_response(["II"])
    column = dict(zip(response.paulis, response.matrix.T, strict=True))
    first_spin, both = np.s_[0:2], np.s_[4:6]  # lines of 1H: real parts, imaginary parts
    np.testing.assert_allclose(column["XI"][first_spin], [0.5, 0.5], atol=1e-9)
    np.testing.assert_allclose(column["XZ"][first_spin], [-0.5, 0.5], atol=1e-9)
    np.testing.assert_allclose(column["YI"][both], [0.5, 0.5], atol=1e-9)
    np.testing.assert_allclose(column["YZ"][both], [-0.5, 0.5], atol=1e-9)


def test_what_one_readout_sees_are_eight_paulis():
    response = ideal_response(["II"])
    seen = {
        p for p, c in zip(response.paulis, response.matrix.T, strict=True) if np.any(abs(c) > 1e-9)
    }
    assert seen == {"XI", "YI", "XZ", "YZ", "IX", "IY", "ZX", "ZY"}


# tomography.md §3, exhaustive search over local {I, X90, Y90}
@pytest.mark.parametrize(
    ("readouts", "condition"),
    [(SET, 2.0), (("II", "IX", "IY", "XI", "YI"), np.sqrt(2)), (LOCAL, np.sqrt(1.5))],
)
def test_complete_sets_have_their_published_condition_numbers(readouts, condition):
    matrix = ideal_response(readouts).matrix
    assert np.linalg.matrix_rank(matrix) == 15
    assert np.linalg.cond(matrix) == pytest.approx(condition, abs=1e-6)


def test_three_spin_set_of_the_literature_is_complete():
    spins = tuple(Spin(s, n) for s, n in zip("ABC", ("1H", "13C", "15N"), strict=True))
    couplings = (
        Coupling(("A", "B"), 140.0),
        Coupling(("A", "C"), -90.0),
        Coupling(("B", "C"), 15.0),
    )
    sample = Sample("abc", spins, couplings)
    matrix = ideal_response(["III", "IIY", "IYY", "YII", "XYX", "XXY", "XXX"], sample).matrix
    assert np.linalg.matrix_rank(matrix) == 63
    assert np.linalg.cond(matrix) == pytest.approx(2.45, abs=0.005)


def test_errors_per_pauli_are_those_of_the_published_set():
    # tomography.md §3: 1.41 to 2.83 in units of a quadrature of a line in I = σ/2, i.e. half that
    # here; XZ, YY, XX, ZI are the worst
    response = ideal_response(SET)
    noise = np.array([0.01, 0.01])
    fids = np.zeros((4, 2, 256), dtype=complex)
    covariance = estimate_state(fids, response, noise, method="linear-inversion").covariance
    sigma = np.sqrt(amplitude_covariance(response, noise)[0, 0])
    errors = dict(zip(response.paulis, np.sqrt(np.diag(covariance)) / sigma, strict=True))
    assert min(errors.values()) == pytest.approx(1.41 / 2, abs=0.01)
    assert max(errors.values()) == pytest.approx(2.83 / 2, abs=0.01)
    assert set(sorted(errors, key=errors.get)[-4:]) == {"XZ", "YY", "XX", "ZI"}


def test_global_pulses_cannot_see_the_exchange_energy():
    # tomography.md §3: null vector (XX + YY + ZZ)/√3 for any collective rotations
    readouts = ["II", "XX", "YY"]
    design = ideal_response(readouts).matrix
    singlet = np.array(
        [1.0 if p in ("XX", "YY", "ZZ") else 0 for p in ideal_response(["II"]).paulis]
    )
    np.testing.assert_allclose(design @ singlet, 0, atol=1e-9)


def test_polarisation_that_builds_up_gives_the_identity_a_signal():
    # a finite 90° pulse on a relaxing spin: the offset is what the maximally mixed state shows
    sample = Sample(
        "one", (Spin("H", "1H", T1_s=1e-3, T2_s=1e-3, pulse_90_s=1e-4, polarization=1.0),)
    )
    chain = measurement_chain(sample, ["X", "Y"], pulses="finite", receiver=RECEIVER)
    response = response_matrix(chain)
    shown = line_amplitudes(acquire(chain, np.eye(2) / 2), chain.fits)
    assert np.abs(response.offset).max() > 0.01
    np.testing.assert_allclose(response.offset, shown, atol=1e-14)


def test_response_predicts_every_state():
    chain = measurement_chain(CHLOROFORM, SET, pulses="finite", receiver=RECEIVER)
    response = response_matrix(chain)
    rho = pure([1, 2j, -0.5, 0.3 + 1j])
    coefficients = [np.trace(pauli(p) @ rho).real for p in response.paulis]
    shown = line_amplitudes(acquire(chain, rho), chain.fits)
    np.testing.assert_allclose(response.offset + response.matrix @ coefficients, shown, atol=1e-12)


def test_ensemble_of_amplitudes_is_the_weighted_mean_of_its_members():
    b1, weights = np.array([0.9, 1.0, 1.1]), np.array([0.25, 0.5, 0.25])
    chain = measurement_chain(CHLOROFORM, SET, receiver=RECEIVER, ensemble=b1_ensemble(b1, weights))
    single = [
        acquire(
            measurement_chain(CHLOROFORM, SET, receiver=RECEIVER, ensemble=b1_ensemble([b])),
            pure([1, 0, 1, 0]),
        )
        for b in b1
    ]
    expected = np.tensordot(weights, single, axes=1)
    np.testing.assert_allclose(acquire(chain, pure([1, 0, 1, 0])), expected, atol=1e-12)


def test_acquisition_of_a_stack_equals_the_loop():
    chain = measurement_chain(CHLOROFORM, SET, receiver=RECEIVER)
    states = np.array([[pure([1, 1j, 0, k]) for k in range(3)] for _ in range(2)])
    looped = [[acquire(chain, rho) for rho in row] for row in states]
    np.testing.assert_allclose(acquire(chain, states), looped, atol=1e-12)


def test_detection_follows_the_readout():
    chain = measurement_chain(CHLOROFORM, SET, receiver=RECEIVER)
    rho = pure([1, 1j, 0.3, 1])
    turned = (chain.maps @ rho.reshape(-1)).reshape(4, 4, 4)
    np.testing.assert_allclose(detect(chain, turned), acquire(chain, rho), atol=1e-12)


# ---------------------------------------------------------------------------------- noise, SNR
def test_covariance_of_amplitudes_agrees_with_monte_carlo():
    # a channel with its own noise, and the correlation of real and imaginary parts
    chain = measurement_chain(CHLOROFORM, ["II", "IX"], receiver=Receiver(500.0, 20))
    response, noise = response_matrix(chain), np.array([0.7, 0.2])
    rng = np.random.default_rng(1)
    draws = noise[:, None] * complex_noise(rng, (20_000, 2, 2, 20))
    amplitudes = line_amplitudes(draws, response.fits)
    expected = amplitude_covariance(response, noise)
    np.testing.assert_allclose(np.cov(amplitudes.T), expected, atol=0.04 * np.diag(expected).max())


@pytest.mark.parametrize("sample", ["chloroform", "oriented_pair"])
@pytest.mark.parametrize("scans", [1, 16])
def test_snr_is_the_largest_line_over_one_quadrature_of_its_fit(sample, scans):
    loaded = load_sample(sample)
    chain = measurement_chain(loaded, ["II"], receiver=Receiver(2000.0, 512))
    (noise, *_), snr = noise_for_snr(chain, loaded, 50.0, scans), 50.0
    draws = noise * complex_noise(np.random.default_rng(2), (4000, 512))
    spread = (draws @ chain.fits[0].T).real.std(axis=0)
    # |0…0⟩ after an ideal 90° pulse on one spin of the channel
    up, plus = np.diag([1.0, 0]), np.full((2, 2), 0.5)
    states = [np.kron(plus, up), np.kron(up, plus)][: 1 if sample == "chloroform" else 2]
    lines = [chain.fits[0] @ acquire(chain, rho)[0, 0] for rho in states]
    ratio = np.abs(lines).max(axis=0) / spread
    assert ratio.max() == pytest.approx(snr * np.sqrt(scans), rel=0.05)


def test_largest_line_of_a_weakly_coupled_pair_is_one():
    # ⟨(σx + iσy)⊗|m⟩⟨m|⟩ ≤ 1, reached by (|0⟩ + |1⟩)|0⟩: σ of a line is 1/SNR on both channels
    chain = measurement_chain(CHLOROFORM, ["II"], relaxation=False, receiver=RECEIVER)
    noise = noise_for_snr(chain, CHLOROFORM, 100.0)
    for sigma, fit in zip(noise, chain.fits, strict=True):
        spread = sigma * np.sqrt(np.sum(np.abs(fit) ** 2, axis=-1))
        np.testing.assert_allclose(spread, 0.01, rtol=1e-2)


@pytest.mark.parametrize(("snr", "scans"), [(0.0, 1), (-3.0, 1), (10.0, 0), (np.nan, 1)])
def test_snr_and_scans_out_of_range_are_refused(snr, scans):
    chain = measurement_chain(CHLOROFORM, ["II"], receiver=RECEIVER)
    with pytest.raises(ArgumentError, match="`snr` and `scans` must be > 0 and ≥ 1"):
        noise_for_snr(chain, CHLOROFORM, snr, scans)


# --------------------------------------------------------------------------------- malformed data
@pytest.mark.parametrize("shape", [(4, 2, 255), (4, 3, 256), (2, 256)])
def test_fids_of_the_wrong_shape_are_refused(shape):
    response = ideal_response(SET)
    with pytest.raises(ArgumentError, match=r"shape \(\.\.\., readouts, 2, 256\), but has shape"):
        line_amplitudes(np.zeros(shape, dtype=complex), response.fits)


def test_fids_that_are_not_finite_are_refused_by_index():
    fids = np.zeros((4, 2, 256), dtype=complex)
    fids[2, 1, 7] = np.nan
    with pytest.raises(ArgumentError, match=r"must be finite, but is not at index \(2, 1, 7\)"):
        line_amplitudes(fids, ideal_response(SET).fits)
