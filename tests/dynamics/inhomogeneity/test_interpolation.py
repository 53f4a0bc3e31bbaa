"""Maps of many members from a few of other fields, against the maps themselves."""

import numpy as np
import pytest

from nmrqb.dynamics import (
    Ensemble,
    Gaussian,
    Lorentzian,
    Segment,
    Tabulated,
    Uniform,
    across_fields,
    drift_of,
    product,
    relaxation_of,
    rotation_generator,
    superoperator,
    unitary,
)
from nmrqb.sample import Coupling, Sample, Spin

PAIR = Sample(
    "pair",
    (Spin("H", "1H", 30.0, T1_s=1.0, T2_s=0.1), Spin("N", "15N", -20.0, T1_s=2.0, T2_s=0.5)),
    (Coupling(("H", "N"), -90.0),),
)
PULSE = Segment(np.asarray(2e-4), rotation_generator(1.2, 0.3, 0, 2))


class Counted:
    """Maps of a pulse between two delays, which count the members that they are made for."""

    def __init__(self, wait):
        nothing = np.zeros((4, 4), dtype=complex)
        self.wait, self.seen = Segment(np.asarray(wait), nothing), 0
        self.duration = 2 * wait + 2e-4

    def __call__(self, part):
        self.seen += part.size
        pulse = PULSE.scaled(part.b1)
        lost = relaxation_of(PAIR).generator
        return superoperator([self.wait, pulse, self.wait], drift_of(PAIR, part), lost)


@pytest.mark.parametrize(("wait", "nodes"), [(1e-5, 20), (5e-4, 36), (0.01, 145)])
def test_fields_between_the_nodes(wait, nodes):
    ensemble = product(field_hz=Lorentzian(1.0), angles={"field_hz": 150.0})
    assert ensemble.size > 900
    maps = Counted(wait)
    found = across_fields(maps, PAIR, ensemble, maps.duration)
    assert maps.seen < nodes
    np.testing.assert_allclose(found, Counted(wait)(ensemble), atol=1e-11)


def test_every_rf_amplitude_and_coupling_has_nodes_of_its_own():
    ensemble = product(
        b1=Uniform(0.1), coupling=Tabulated((-0.1, 0.1), (1.0, 2.0)), field_hz=Gaussian(20.0),
        angles={"field_hz": 3.0},
    )  # fmt: skip
    shuffled = ensemble.chosen(np.random.default_rng(1).permutation(ensemble.size))
    maps = Counted(1e-4)
    found = across_fields(maps, PAIR, shuffled, maps.duration)
    assert maps.seen < ensemble.size / 2
    np.testing.assert_allclose(found, Counted(1e-4)(shuffled), atol=1e-11)


@pytest.mark.parametrize("duration", [1e-3, 10.0])
def test_all_are_computed_where_nothing_is_saved(duration):
    """Random members differ in all; and over long times, every field is one of its own."""
    several = {} if duration > 1 else {"b1": Gaussian(0.05)}
    ensemble = product(field_hz=Gaussian(2.0), members=200, seed=3, **several)
    maps = Counted(duration / 2)
    found = across_fields(maps, PAIR, ensemble, duration)
    assert maps.seen == 200
    np.testing.assert_array_equal(found, Counted(duration / 2)(ensemble))


def test_fields_on_one_side_and_amplitudes_by_channel():
    field = np.linspace(500.0, 900.0, 300)
    b1 = np.tile([[1.0, 0.9], [0.8, 1.1]], (150, 1))
    ensemble = Ensemble(b1, field, np.ones(300), np.full(300, 1 / 300))

    def closed(part):
        turns = [rotation_generator(1.2 * part.b1[:, k], 0.3, k, 2) for k in range(2)]
        return unitary([Segment(np.asarray(2e-4), sum(turns))], drift_of(PAIR, part))

    found = across_fields(closed, PAIR, ensemble, 2e-4)
    np.testing.assert_allclose(found, closed(ensemble), atol=1e-12)
