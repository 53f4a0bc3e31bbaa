"""Figures that know their kinks give the numbers of `nmrqb.battery`, and know their curvature."""

import numpy as np
import pytest

from nmrqb.battery import (
    anti_ergotropy,
    capacity,
    coherence_l1,
    energy,
    energy_basis,
    ergotropy,
)
from nmrqb.errors import ArgumentError
from nmrqb.tomography import (
    KinkedFigure,
    SmoothFigure,
    anti_ergotropy_figure,
    capacity_figure,
    coherence_figure,
    energy_figure,
    ergotropy_figure,
)
from nmrqb.tomography.uncertainty import Moduli, Spectrum

RNG = np.random.default_rng(5)


def hermitian(*shape):
    A = RNG.normal(size=(*shape, 4, 4)) + 1j * RNG.normal(size=(*shape, 4, 4))
    return (A + A.conj().swapaxes(-1, -2)) / 2


H, RHO = hermitian(), hermitian(2, 3)
BASIS = energy_basis(H)


@pytest.mark.parametrize(
    ("figure", "function"),
    [
        (ergotropy_figure(H), lambda rho: ergotropy(rho, H)),
        (anti_ergotropy_figure(H), lambda rho: anti_ergotropy(rho, H)),
        (capacity_figure(H), lambda rho: capacity(rho, H)),
        (energy_figure(H), lambda rho: energy(rho, H)),
        (coherence_figure(BASIS), lambda rho: coherence_l1(rho, BASIS)),
    ],
)
def test_values_are_those_of_the_battery(figure, function):
    np.testing.assert_allclose(figure(RHO), function(RHO), atol=1e-12)


@pytest.mark.parametrize(
    ("figure", "curvature"),
    [
        (ergotropy_figure(H), 1),
        (anti_ergotropy_figure(H), -1),
        (capacity_figure(H), 1),
        (energy_figure(H), 0),
        (coherence_figure(BASIS), 1),
        (KinkedFigure(H, np.ones(4), Spectrum()), 0),  # the trace
    ],
)
def test_curvature_is_that_of_the_chords(figure, curvature):
    assert figure.curvature == curvature
    first, second = hermitian(200), hermitian(200)
    sag = (figure(first) + figure(second)) / 2 - figure((first + second) / 2)
    assert np.all(curvature * sag >= -1e-12) if curvature else np.abs(sag).max() < 1e-12


@pytest.mark.parametrize(
    ("kinks", "weights"),
    [(Spectrum(), [0.0, 2.0, 1.0, 3.0]), (Moduli(BASIS), [1.0, -1.0, 0, 0, 0, 0])],
)
def test_figures_that_are_neither_convex_nor_concave_are_refused(kinks, weights):
    with pytest.raises(ArgumentError, match="must make the figure convex or concave"):
        KinkedFigure(H, np.array(weights), kinks)


def test_rounding_of_zero_is_zero_and_ranges_are_kept():
    figure = ergotropy_figure(H)
    size = np.abs(H).max()
    found = figure.permitted(np.array([1e-15 * size, -0.3, 0.3]))
    np.testing.assert_array_equal(found, [0.0, 0.0, 0.3])
    smooth = SmoothFigure(lambda rho: rho[..., 0, 0].real, (0.0, 1.0))
    np.testing.assert_array_equal(smooth.permitted(np.array([-1.0, 0.5, 2.0])), [0, 0.5, 1])
