"""Composite pulses: what they make without errors, and the order of what errors leave."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.linalg import expm

from nmrqb.errors import ArgumentError
from nmrqb.operators import PAULI
from nmrqb.sequence.composite import COMPOSITES, composite_frame, composite_pulse

X, Y, Z = (PAULI[axis] / 2 for axis in "XYZ")
GENERAL = [name for name in COMPOSITES if name not in ("SCROFULOUS", "Knill")]


def propagator(elements, amplitude_error=0.0, offset=0.0):
    """Play elements with rf of amplitude 1 + error while the spin precesses at an offset."""
    U = np.eye(2, dtype=complex)
    for flip, phase in elements:
        rf = (1 + amplitude_error) * (X * np.cos(phase) + Y * np.sin(phase))
        U = expm(-1j * flip * (rf + offset * Z)) @ U
    return U


def wanted(name, angle):
    """Return R_z(frame) R_x(angle)."""
    return expm(-1j * composite_frame(name) * Z) @ expm(-1j * angle * X)


def infidelity(U, target):
    """Return 1 − |tr U†V|²/4 as ¼ Σ |tr σ_a U†V|², which does not cancel."""
    deviation = target.conj().T @ U
    return sum(abs(np.trace(PAULI[axis] @ deviation)) ** 2 for axis in "XYZ") / 4


def distance(U, target):
    """Return the largest difference of two unitaries, a global phase aside."""
    overlap = np.trace(target.conj().T @ U)
    return abs(U - overlap / abs(overlap) * target).max()


def degrees(elements):
    return np.round(np.rad2deg(elements), 4).tolist()


def test_names():
    assert set(COMPOSITES) == {"CORPSE", "short-CORPSE", "BB1", "SK1", "SCROFULOUS", "Knill"}


# ------------------------------------------------------------------------------ published numbers
@pytest.mark.parametrize(
    ("name", "angle", "elements"),
    [
        ("CORPSE", 180, [[420, 0], [300, 180], [60, 0]]),
        ("CORPSE", 90, [[384.2952, 0], [318.5904, 180], [24.2952, 0]]),
        ("short-CORPSE", 180, [[60, 0], [300, 180], [60, 0]]),
        ("short-CORPSE", 90, [[24.2952, 0], [318.5904, 180], [24.2952, 0]]),
        ("BB1", 180, [[180, 0], [180, 104.4775], [360, 313.4325], [180, 104.4775]]),
        ("BB1", 90, [[90, 0], [180, 97.1808], [360, 291.5423], [180, 97.1808]]),
        ("SK1", 180, [[180, 0], [360, 255.5225], [360, 104.4775]]),
        ("SK1", 90, [[90, 0], [360, 262.8192], [360, 97.1808]]),
        ("SCROFULOUS", 180, [[180, 60], [180, 300], [180, 60]]),
        ("Knill", 180, [[180, 30], [180, 0], [180, 90], [180, 0], [180, 30]]),
        ("Knill", -180, [[180, 210], [180, 180], [180, 270], [180, 180], [180, 210]]),
    ],
)
def test_published_elements(name, angle, elements):
    got = degrees(composite_pulse(name, np.deg2rad(angle)))
    np.testing.assert_allclose(got, elements, atol=6e-5)


def test_published_elements_of_SCROFULOUS_90_are_rounded_to_a_tenth():
    got = degrees(composite_pulse("SCROFULOUS", np.pi / 2))
    np.testing.assert_allclose(got, [[115.2, 62.0], [180, 280.6], [115.2, 62.0]], atol=0.051)


# ----------------------------------------------------------------------------------- no errors
@given(st.sampled_from(GENERAL), st.floats(1e-6, 2 * np.pi), st.sampled_from([1, -1]))
@settings(deadline=None, max_examples=60)
def test_nominal_rotation(name, angle, sign):
    U = propagator(composite_pulse(name, sign * angle))
    assert distance(U, wanted(name, sign * angle)) < 1e-12


@given(st.floats(1e-6, np.pi), st.sampled_from([1, -1]))
@settings(deadline=None, max_examples=40)
def test_nominal_rotation_of_SCROFULOUS(angle, sign):
    U = propagator(composite_pulse("SCROFULOUS", sign * angle))
    assert distance(U, wanted("SCROFULOUS", sign * angle)) < 1e-12


@pytest.mark.parametrize("sign", [1, -1])
def test_Knill_leaves_a_frame(sign):
    U = propagator(composite_pulse("Knill", sign * np.pi))
    assert np.rad2deg(composite_frame("Knill")) == pytest.approx(-60)
    assert distance(U, wanted("Knill", sign * np.pi)) < 1e-12
    compensated = expm(1j * composite_frame("Knill") * Z) @ U
    assert distance(compensated, expm(-1j * sign * np.pi * X)) < 1e-12
    assert distance(U, expm(-1j * sign * np.pi * X)) > 0.1


def test_all_others_leave_none():
    assert {composite_frame(name) for name in COMPOSITES if name != "Knill"} == {0.0}


@pytest.mark.parametrize("name", COMPOSITES)
def test_negative_angles_shift_all_phases_by_180(name):
    forth, back = (np.array(composite_pulse(name, sign * np.pi)) for sign in (1, -1))
    np.testing.assert_allclose(back[:, 0], forth[:, 0])
    np.testing.assert_allclose(np.exp(1j * back[:, 1]), -np.exp(1j * forth[:, 1]), atol=1e-12)
    assert np.all((back >= 0) & (back[:, 1:] < 2 * np.pi))


def test_an_angle_at_its_limit_may_be_rounded():
    for name in COMPOSITES:
        U = propagator(composite_pulse(name, np.pi * (1 + 1e-12)))
        assert distance(U, wanted(name, np.pi)) < 1e-10


# ------------------------------------------------------------------------------ orders of errors
def order(name, angle, error, sizes=(1e-3, 2e-3)):
    """Return d log infidelity / d log error."""
    elements, target = composite_pulse(name, angle), wanted(name, angle)
    left = [infidelity(propagator(elements, **{error: size}), target) for size in sizes]
    return np.log(left[1] / left[0]) / np.log(sizes[1] / sizes[0])


@pytest.mark.parametrize(
    ("name", "amplitude_order", "offset_order"),
    [
        ("CORPSE", 2, 4),
        ("short-CORPSE", 2, 4),
        ("BB1", 6, 2),
        ("SK1", 4, 2),
        ("SCROFULOUS", 4, 2),
        ("Knill", 4, 4),
    ],
)
def test_orders_for_180_degrees(name, amplitude_order, offset_order):
    assert order(name, np.pi, "amplitude_error") == pytest.approx(amplitude_order, abs=0.05)
    assert order(name, np.pi, "offset") == pytest.approx(offset_order, abs=0.05)


@pytest.mark.parametrize("angle", [30, 90, 150, -90])
@pytest.mark.parametrize(
    ("name", "error", "least"),
    [
        ("CORPSE", "offset", 4),
        ("short-CORPSE", "offset", 4),
        ("BB1", "amplitude_error", 6),
        ("SK1", "amplitude_error", 4),
        ("SCROFULOUS", "amplitude_error", 4),
    ],
)
def test_orders_for_other_angles(name, error, least, angle):
    assert order(name, np.deg2rad(angle), error, sizes=(5e-3, 1e-2)) > least - 0.05


def test_a_plain_pulse_has_neither():
    plain, target = [(np.pi, 0.0)], expm(-1j * np.pi * X)
    for error in ("amplitude_error", "offset"):
        left = [infidelity(propagator(plain, **{error: size}), target) for size in (1e-3, 2e-3)]
        assert np.log2(left[1] / left[0]) == pytest.approx(2, abs=0.01)


# ------------------------------------------------------------------------------------- refusals
def test_unknown_names_are_refused():
    told = r"Argument `name` must be a composite pulse, but is 'corps'; did you mean `CORPSE`\?"
    with pytest.raises(ArgumentError, match=told):
        composite_pulse("corps", np.pi)
    with pytest.raises(ArgumentError, match=told):
        composite_frame("corps")


@pytest.mark.parametrize(
    ("name", "angle", "told"),
    [
        ("BB1", 0, "above 0 deg and at most 360 deg for BB1, either sign, but is 0 deg"),
        ("CORPSE", 361, "above 0 deg and at most 360 deg for CORPSE, either sign, but is 361 deg"),
        ("SK1", np.nan, "above 0 deg and at most 360 deg for SK1, either sign, but is nan deg"),
        ("SCROFULOUS", -181, "above 0 deg and at most 180 deg for .*, either sign, but is -181"),
        ("Knill", 90, "180 deg or −180 deg for Knill, but is 90 deg"),
        ("Knill", 360, "180 deg or −180 deg for Knill, but is 360 deg"),
    ],
)
def test_impossible_angles_are_refused(name, angle, told):
    with pytest.raises(ArgumentError, match=f"Argument `angle` must be {told}"):
        composite_pulse(name, np.deg2rad(angle))
