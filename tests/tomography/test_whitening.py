"""Whitened amplitudes have unit covariance, whichever FIDs are used."""

import numpy as np
import pytest

from nmrqb.sample import Coupling, Sample, Spin
from nmrqb.spectrometer import Receiver
from nmrqb.tomography import leave_out, measurement_chain, response_matrix
from nmrqb.tomography.response import amplitude_covariance
from nmrqb.tomography.whitening import whitened

# channels of eight and four lines, near enough to overlap
SAMPLE = Sample(
    "three",
    tuple(Spin(s, n, T1_s=2.0, T2_s=0.05) for s, n in zip("ABC", ("1H", "1H", "13C"), strict=True)),
    (Coupling(("A", "B"), 12.0), Coupling(("A", "C"), 140.0), Coupling(("B", "C"), 9.0)),
)
CHAIN = measurement_chain(SAMPLE, ["III", "IXY", "YYI"], receiver=Receiver(1000.0, 128))
RESPONSE = response_matrix(CHAIN)
NOISE = np.array([0.01, 0.07])
FAULTY = np.array([[True, False], [True, True], [False, True]])


@pytest.mark.parametrize("part", [False, True])
def test_noise_has_unit_covariance_afterwards(part):
    response = leave_out(RESPONSE, FAULTY) if part else RESPONSE
    C = amplitude_covariance(response, NOISE)
    W = whitened(np.eye(len(C)), response, NOISE).T
    assert np.abs(C - np.diag(np.diag(C))).max() > 0.01 * C.max()  # lines that overlap share noise
    np.testing.assert_allclose(W @ C @ W.T, np.eye(len(C)), atol=1e-9)
    columns = whitened(response.matrix.T, response, NOISE).T
    np.testing.assert_allclose(columns, W @ response.matrix, atol=1e-9 * np.abs(columns).max())


def test_batches_keep_their_shape():
    values = np.random.default_rng(0).normal(size=(2, 3, len(RESPONSE.matrix)))
    found = whitened(values, RESPONSE, NOISE)
    assert found.shape == values.shape
    np.testing.assert_allclose(found[1, 2], whitened(values[1, 2], RESPONSE, NOISE), rtol=1e-12)
