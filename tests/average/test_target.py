"""What a sequence claims: fields, a tolerance of its own, and a unitary for one time."""

import numpy as np
import pytest

from nmrqb.average import compile_sequence
from nmrqb.errors import InputError
from nmrqb.sample import load_sample
from nmrqb.sequence import Delay, Pulse, Rotation, Sequence, VirtualZ, expand, load_sequence

CHLOROFORM = load_sample("chloroform")
J = 215.13


def claimed(events, target, *, time=None, tolerance=None):
    roles = {"I": "1H", "S": "13C"}
    sequence = Sequence(
        "made", roles, tuple(events), target=target, target_time=time, target_tolerance=tolerance
    )
    return compile_sequence(sequence, CHLOROFORM).target


def ising(*, field="2 Hz"):
    """Return events that make ZZ and, by a change of frame, a field on I over 4 ms."""
    turn = VirtualZ({"I": f"720 deg*{field}*4 ms", "S": "0 deg"})
    return [Delay("4 ms"), turn]


@pytest.mark.parametrize(
    ("terms", "met"),
    [
        ({"ZI": "2 Hz"}, True),
        ({"B": "1 Hz", "ZI": "1 Hz", "IZ": "-1 Hz"}, True),  # they add up
        ({"ZI": "2.001 Hz"}, False),
        ({"IZ": "2 Hz"}, False),
        ({"XI": "2 Hz"}, False),
    ],
)
def test_fields_may_be_claimed(terms, met):
    """J/4 ZZ is isotropic J/12 and Delta J/4."""
    couplings = {"isotropic": "J/12", "Delta": "J/4"}
    assert claimed(ising(), couplings | terms).met is met


def test_fields_are_in_role_order():
    sequence = Sequence(
        "made", {"S": "13C", "I": "1H"}, tuple(ising()),
        target={"isotropic": "J/12", "Delta": "J/4", "IZ": "2 Hz"},
    )  # fmt: skip
    assert compile_sequence(sequence, CHLOROFORM).target.met


@pytest.mark.parametrize(("tolerance", "met"), [(None, False), ("1 %", False), ("3 %", True)])
def test_a_tolerance_is_a_share_of_the_target(tolerance, met):
    terms = {"isotropic": "J/12", "Delta": "J/4", "ZI": "2 Hz + 0.02*J/4"}
    assert claimed(ising(), terms, tolerance=tolerance).met is met


@pytest.mark.parametrize("tolerance", ["0", "100 %", "-1 %", "3 Hz"])
def test_a_tolerance_is_between_nothing_and_all(tolerance):
    match = r"the tolerance of a target must be between 0 and 1|expected a plain number|must be"
    with pytest.raises(InputError, match=match):
        claimed(ising(), {"ZI": "2 Hz"}, tolerance=tolerance)


def turned(angle):
    """Return a delay and a pulse on I: exp(−iθI_x) exp(−i2πJ I_zS_z·1 ms)."""
    return [Delay("1 ms"), Pulse({"I": Rotation(str(angle), "x")}), VirtualZ({"S": "0 deg"})]


def commuting(angle):
    """Return XZ for 1 ms and then a rotation of I about x: they commute."""
    there, back = Rotation("90", "-y"), Rotation("90", "y")
    return [Pulse({"I": there}), Delay("1 ms"), Pulse({"I": back}),
            Pulse({"I": Rotation(str(angle), "x")}), VirtualZ({"S": "0 deg"})]  # fmt: skip


def test_a_claim_with_a_time_is_about_the_unitary_that_is_played():
    """The pulses never close: without a time nothing can be claimed, with one the unitary can."""
    field = f"{37.3 / 720} /(1 ms)"
    terms = {"DM_y": "-J/8", "KSEA_y": "J/8", "XI": field}  # XZ = (KSEA_y − DM_y)
    assert claimed(commuting(37.3), terms, time="1 ms").met
    assert not claimed(commuting(37.3), terms).met
    assert not claimed(commuting(37.4), terms, time="1 ms").met
    assert not claimed(turned(37.3), terms, time="1 ms").met


def test_the_error_of_such_a_claim_is_in_hertz_of_the_target():
    field = f"{37.3 / 720} /(1 ms)"
    terms = {"DM_y": "-J/8", "KSEA_y": "J/8", "XI": field}
    check = claimed(commuting(40.9), terms, time="1 ms")
    assert check.error_hz == pytest.approx(3.6 / 720 / 1e-3)


def test_a_claim_may_be_on_another_branch():
    """ZZ for 12 ms turns by 2.6 rad; the same unitary is claimed with a whole turn more."""
    short = {"isotropic": "J/12", "Delta": "J/4"}
    longer = {"isotropic": "(J/4 + 1/(12 ms))/3", "Delta": "J/4 + 1/(12 ms)"}
    still = [VirtualZ({"I": "0 deg", "S": "0 deg"})]
    assert claimed([Delay("12 ms"), *still], short, time="12 ms").met
    assert claimed([Delay("12 ms"), *still], longer, time="12 ms").met
    assert not claimed([Delay("12 ms"), *still], longer).met


def test_the_file_keeps_what_is_claimed(tmp_path):
    path = tmp_path / "made.yaml"
    path.write_text(
        "format: nmrqb-sequence/1\nsample: chloroform\nspins: {I: any, S: any}\n"
        "target: {ZI: 2 Hz, time: 1 ms, tolerance: 2 %}\n"
        "sequence: [{virtual_z: {I: 1.44 deg, S: 0 deg}}, {delay: 1 us}]\n",
        encoding="utf-8",
    )
    sequence = load_sequence(path)
    assert (dict(sequence.target), sequence.target_time) == ({"ZI": "2 Hz"}, "1 ms")
    timeline = expand(sequence, CHLOROFORM)
    np.testing.assert_allclose(timeline.target_tolerance, 0.02)
    assert dict(timeline.target_hz) == {"ZI": 2.0}
