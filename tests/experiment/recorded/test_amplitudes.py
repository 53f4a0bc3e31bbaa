"""Quadratures: what is seen of complex amplitudes, and how axes and phases change it."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nmrqb.experiment.recorded.amplitudes import (
    FittedFile,
    Quadratures,
    in_rotating_frame,
    real_parts_in_rotating_frame,
    rotation,
    stacked,
)

A = np.array([0.3 - 0.7j, -1.1 + 0.2j])
angles = st.floats(-7, 7)


@given(angles)
def test_one_quadrature_is_a_row_of_the_stack(phase):
    known = Quadratures.along((np.exp(1j * phase) * A).real, phase)
    assert known.seen @ stacked(A) == pytest.approx(known.parts)
    assert known.seen @ known.seen.T == pytest.approx(np.eye(2))
    assert -np.pi / 2 < known.phase_rad <= np.pi / 2 + 1e-12
    assert not known.complete
    assert known.agrees(Quadratures.along(-known.parts, phase + np.pi))
    assert Quadratures.both(A).reduced(known.seen).parts == pytest.approx(known.parts)


def test_what_is_not_known_is_nan():
    real = Quadratures.along(A.real, 0.0).amplitudes
    assert real.real == pytest.approx(A.real)
    assert np.all(np.isnan(real.imag))
    imaginary = Quadratures.along(A.imag, -np.pi / 2).amplitudes
    assert imaginary.imag == pytest.approx(A.imag)
    assert np.all(np.isnan(imaginary.real))
    assert np.all(np.isnan(Quadratures.along(A.real, 0.4).amplitudes))
    assert Quadratures.both(A).amplitudes == pytest.approx(A)
    assert Quadratures.both(A).moduli == pytest.approx(np.abs(A))


@given(st.complex_numbers(max_magnitude=5))
def test_rotation_is_multiplication(factor):
    assert rotation(factor, 2) @ stacked(A) == pytest.approx(stacked(factor * A))
    turned = Quadratures(stacked(A), np.eye(4) @ rotation(np.exp(1j), 2))
    assert turned.upright().amplitudes == pytest.approx(np.exp(-1j) * A)


@given(angles, st.booleans())
def test_files_on_either_axis(phase, ascending):
    """A file holds e^{iφ}a, on a spectrometer's axis e^{iφ}a* of the lines in the other order."""
    on_file = np.exp(1j * phase) * (A if ascending else A.conj()[::-1])
    variances = np.array([1.0, 2.0, 3.0, 4.0])
    both, covariance = in_rotating_frame(on_file, np.diag(variances), phase, ascending=ascending)
    assert both.amplitudes == pytest.approx(A)
    assert np.trace(covariance) == pytest.approx(10)
    half, own = real_parts_in_rotating_frame(
        on_file.real, np.diag(variances[:2]), phase, ascending=ascending
    )
    assert half.seen @ stacked(A) == pytest.approx(half.parts)
    assert np.diag(own) == pytest.approx([1, 2] if ascending else [2, 1])


@given(angles)
def test_a_mirrored_file_is_that_of_the_other_axis(phase):
    on_file = np.exp(1j * phase) * A
    C = np.diag([1.0, 2.0, 3.0, 4.0])
    for function, values, covariance in (
        (in_rotating_frame, on_file, C),
        (real_parts_in_rotating_frame, on_file.real, C[:2, :2]),
    ):
        files = []
        for ascending in (True, False):
            known, own = function(values, covariance, phase, ascending=ascending)
            files.append(FittedFile(file=None, known=known, covariance=own, sha256=""))
        found = files[0].mirrored()
        sign = 1 if found.known.agrees(files[1].known) else -1  # at ±90° rounding decides
        assert sign * found.known.parts == pytest.approx(files[1].known.parts)
        assert found.covariance == pytest.approx(files[1].covariance)


def test_weights_are_those_of_lines():
    file = FittedFile(
        file=None, known=Quadratures.both(A), covariance=np.diag([1.0, 2, 3, 6]), sha256=""
    )
    assert file.weights == pytest.approx([1 / 2, 1 / 4, 1 / 2, 1 / 4])
    half = FittedFile(
        file=None, known=Quadratures.along(A.real, 0), covariance=np.diag([2.0, 4]), sha256=""
    )
    assert half.weights == pytest.approx([1 / 2, 1 / 4])
    assert half.moved(np.array([1.0, 0])).known.parts == pytest.approx([1.3, -1.1])
