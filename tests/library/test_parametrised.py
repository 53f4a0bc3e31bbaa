"""Sequences of any number of pulses, spins or cycles: UDD, CPMG, refocusing, the whole battery."""

import itertools
from dataclasses import replace

import numpy as np
import pytest
from scipy.linalg import expm

from nmrqb.average import compile_sequence, magnus_terms
from nmrqb.dynamics import infidelity, play, timeline_segments, unitary
from nmrqb.errors import InputError
from nmrqb.operators import pauli, spin_operator
from nmrqb.sample import Coupling, Sample, Spin, load_sample
from nmrqb.sample.hamiltonian import internal_hamiltonian
from nmrqb.sequence import TimedPulse, expand, load_sequence

CHLOROFORM = load_sample("chloroform")
J = 215.13  # Hz
ONE = Sample("one", (Spin("A", "1H", pulse_90_s=10e-6),))


# ------------------------------------------------------------------------------- UDD and CPMG
def centres(name, pulses, **parameters):
    """Times of the middles of the pulses and the whole length in s."""
    timeline = expand(load_sequence(name), ONE, parameters=parameters, pulses=pulses)
    ends = np.cumsum([event.duration for event in timeline.events])
    found = [
        end - event.duration / 2
        for end, event in zip(ends, timeline.events, strict=True)
        if isinstance(event, TimedPulse)
    ]
    return np.array(found), ends[-1]


def uhrig(n):
    return [np.sin(k * np.pi / (2 * n + 2)) ** 2 for k in range(1, n + 1)]


def equal(n):
    return [(k - 0.5) / n for k in range(1, n + 1)]


@pytest.mark.parametrize("pulses", ["ideal", "finite"])
@pytest.mark.parametrize("n", [1, 2, 3, 4, 5, 7, 12, 30])
@pytest.mark.parametrize(("name", "published"), [("udd", uhrig), ("cpmg", equal)])
def test_pulses_stand_at_their_times_whatever_their_number_and_length(name, published, n, pulses):
    found, whole = centres(name, pulses, n=str(n), T="20 ms")
    assert whole == pytest.approx(20e-3)
    np.testing.assert_allclose(found / 20e-3, published(n), atol=1e-12)


def test_two_pulses_of_udd_are_cpmg():
    np.testing.assert_allclose(centres("udd", "ideal", n="2", T="1 ms")[0], [0.25e-3, 0.75e-3])
    np.testing.assert_allclose(centres("cpmg", "ideal", n="2", T="1 ms")[0], [0.25e-3, 0.75e-3])


@pytest.mark.parametrize("n", range(1, 9))
def test_udd_filter_has_as_many_zero_derivatives_as_pulses(n):
    t = centres("udd", "ideal", n=str(n), T="1 s")[0]
    signs = (-1.0) ** np.arange(1, n + 1)
    moments = [(m == 0) + (-1) ** (n + 1) + 2 * np.sum(signs * t**m) for m in range(n + 2)]
    assert np.max(np.abs(moments[:-1])) < 1e-12
    assert abs(moments[-1]) > 1e-6


@pytest.mark.parametrize("name", ["udd", "cpmg"])
def test_no_pulse_at_all_is_refused(name):
    with pytest.raises(InputError, match="must be n >= 1, but 0 is not >= 1"):
        expand(load_sequence(name), ONE, parameters={"n": "0"})


def test_udd_refuses_a_first_delay_shorter_than_half_a_pulse():
    # T sin²(90°/31) = 0.0026 T; half of a 180° pulse is 10 us
    given = {"n": "30", "T": "3 ms"}
    with pytest.raises(InputError, match="between the centres of its pulses must be at least"):
        expand(load_sequence("udd"), ONE, parameters=given, pulses="finite")
    expand(load_sequence("udd"), ONE, parameters=given)


# ------------------------------------------------------------------- selective refocusing
def network(spins, *, sign=1.0):
    """Unlike spins with offsets and couplings of all pairs, J(A,B) = ±120 Hz."""
    rng = np.random.default_rng(3)
    nuclei = ("1H", "13C", "19F", "15N", "31P")
    labels = "ABCDE"[:spins]
    pairs = list(itertools.combinations(labels, 2))
    values = {pair: float(rng.normal() * 60) for pair in pairs} | {("A", "B"): sign * 120.0}
    return Sample(
        "network",
        tuple(
            Spin(s, nucleus, float(v))
            for s, nucleus, v in zip(labels, nuclei, rng.normal(size=spins) * 200, strict=False)
        ),
        tuple(Coupling(pair, J_hz=value) for pair, value in values.items()),
    )


def kept(sample, pair, theta, time):
    """exp(−iθ 2IzSz), with the offsets of the pair if a time is given."""
    n = len(sample.spins)
    i, s = map(sample.index, pair)
    H = 2 * theta * spin_operator("z", i, n) @ spin_operator("z", s, n)
    for k in (i, s):
        H = H + 2 * np.pi * sample.spins[k].offset_hz * time * spin_operator("z", k, n)
    return expm(-1j * H)


@pytest.mark.parametrize("pair", [("A", "B"), ("C", "A"), ("B", "C")])
@pytest.mark.parametrize("spins", [3, 4, 5])
def test_one_coupling_of_many_is_kept(spins, pair):
    sample, theta = network(spins), np.radians(70)
    roles = dict(zip("IS", pair, strict=True))
    for name in ("selective_refocusing", "selective_refocusing_all"):
        timeline = expand(load_sequence(name), sample, parameters={"theta": "70 deg"}, roles=roles)
        U = unitary(timeline_segments(timeline, sample), internal_hamiltonian(sample))
        time = 0.0 if name.endswith("all") else timeline.free_evolution_s
        assert infidelity(U, kept(sample, pair, theta, time)) < 1e-12


@pytest.mark.parametrize(("sign", "turns"), [(1, 0.25), (-1, 0.75)])
def test_angle_is_reached_by_a_positive_delay_for_either_sign_of_J(sign, turns):
    # 90° is 1/(2J); for J < 0 it is 270° the other way
    sample = network(3, sign=sign)
    timeline = expand(load_sequence("selective_refocusing"), sample)
    assert timeline.free_evolution_s == pytest.approx(turns * 2 / 120)
    U = unitary(timeline_segments(timeline, sample), internal_hamiltonian(sample))
    expected = kept(sample, ("A", "B"), np.pi / 2, timeline.free_evolution_s)
    assert infidelity(U, expected) < 1e-12


@pytest.mark.parametrize("name", ["selective_refocusing", "selective_refocusing_all"])
def test_all_other_terms_average_to_zero(name):
    sample = network(4)
    pair = [replace(s, offset_hz=0.0) for s in sample.spins[:2]]
    sample = replace(sample, spins=(*pair, *sample.spins[2:]))
    average = compile_sequence(load_sequence(name), sample)
    assert average.cyclic
    assert average.target.met
    zeroth, first = magnus_terms(
        timeline_segments(expand(load_sequence(name), sample), sample),
        internal_hamiltonian(sample) / (2 * np.pi),
        order=1,
    )
    np.testing.assert_allclose(zeroth, 120 / 4 * pauli("ZZII"), atol=1e-9)
    np.testing.assert_allclose(first, 0, atol=1e-9)


def test_only_one_of_the_two_refocuses_the_offsets_of_the_pair():
    # on two spins: a plain delay, and the spin echo of both
    sample = network(2)
    for name, count in (("selective_refocusing", 0), ("selective_refocusing_all", 2)):
        events = expand(load_sequence(name), sample).events
        pulses = [event for event in events if isinstance(event, TimedPulse)]
        assert len(pulses) == count
        assert all(len(pulse.rotations) == 2 for pulse in pulses)


# ------------------------------------------------------------------------------ the whole battery
# D, G, Delta, epsilon, B in Hz
BATTERIES = [
    (20, 5, 10, 5, 2),
    (7, 16, 7, -26, 18),
    (-11, 12, 7, 6, 1),
    (11, -15, -3, -10, 12),
    (-6, -16, -5, 0.2, -5),
    (0, 5, 0, 0, 3),
    (0, 0, -10, 5, 1),
]
NAMES = ("D", "G", "Delta", "epsilon", "B")


def hamiltonian(D, G, Delta, epsilon, B):
    """H/2π in Hz: eq. 12 of the paper, typed as Pauli strings."""
    terms = {
        "XY": D + G,
        "YX": G - D,
        "XX": -(Delta - 3 * epsilon) / 3,
        "YY": -(Delta + 3 * epsilon) / 3,
        "ZZ": 2 * Delta / 3,
        "ZI": B,
        "IZ": B,
    }
    return sum(value * pauli(name) for name, value in terms.items())


def couplings(D, G, Delta, epsilon):
    return np.array(
        [
            [epsilon - Delta / 3, D + G, 0],
            [G - D, -epsilon - Delta / 3, 0],
            [0, 0, 2 * Delta / 3],
        ]
    )


def timeline_of(values, sample=CHLOROFORM, T="5 ms", n=1):
    given = {name: f"{value} Hz" for name, value in zip(NAMES, values, strict=True)}
    return expand(
        load_sequence("battery_trotter"), sample, parameters=given | {"T": T, "n": str(n)}
    )


def made(values, sample=CHLOROFORM, **given):
    timeline = timeline_of(values, sample, **given)
    return unitary(timeline_segments(timeline, sample), internal_hamiltonian(sample))


def wanted(values, T=5e-3):
    return expm(-2j * np.pi * T * hamiltonian(*values))


def generator(U, T):
    """H/2π in Hz of a propagator near the identity, up to a global phase."""
    phases, vectors = np.linalg.eig(U * np.exp(-1j * np.angle(np.trace(U))))
    H = (vectors * (-np.angle(phases) / (2 * np.pi * T))) @ np.linalg.inv(vectors)
    return H - np.trace(H) / 4 * np.eye(4)


@pytest.mark.parametrize("values", BATTERIES)
@pytest.mark.parametrize("J_hz", [J, -90.0])
def test_battery_converges_with_the_square_of_the_cycle(values, J_hz):
    # error of H ∝ (T/n)², infidelity ∝ 1/n⁴
    sample = replace(CHLOROFORM, couplings=(Coupling(("1H", "13C"), J_hz=J_hz),))
    H = hamiltonian(*values)
    errors = []
    for T in (1e-3, 0.5e-3):
        U = made(values, sample, T=f"{T} s")
        errors.append(np.linalg.norm(generator(U, T) - H))
    assert errors[0] < 0.1 * np.linalg.norm(H)
    assert errors[0] / errors[1] == pytest.approx(4, rel=0.03)
    losses = [infidelity(made(values, sample, n=n), wanted(values)) for n in (8, 16)]
    assert losses[0] / losses[1] == pytest.approx(16, rel=0.05)


@pytest.mark.parametrize("J_hz", [J, -90.0])
@pytest.mark.parametrize("values", BATTERIES)
def test_battery_is_exact_where_the_field_commutes(values, J_hz):
    sample = replace(CHLOROFORM, couplings=(Coupling(("1H", "13C"), J_hz=J_hz),))
    D, G, Delta, epsilon, B = values
    for exact in ((D, G, Delta, epsilon, 0), (D, 0, Delta, 0, B), (0, 0, 0, 0, B)):
        assert infidelity(made(exact, sample), wanted(exact)) < 1e-12


@pytest.mark.parametrize(("n", "told"), [(1, 1.88e-3), (2, 1.08e-4), (4, 6.6e-6)])
def test_battery_reaches_the_fidelity_of_its_notes(n, told):
    values = BATTERIES[0]
    loss = infidelity(made(values, T="10 ms", n=n), wanted(values, 10e-3))
    assert loss == pytest.approx(told, rel=0.01)


@pytest.mark.parametrize("values", BATTERIES)
def test_battery_takes_the_least_free_evolution(values):
    # T ‖C‖/(J/4), the nuclear norm
    free = timeline_of(values, n=3).free_evolution_s
    least = 5e-3 * np.linalg.norm(couplings(*values[:4]), "nuc") / (J / 4)
    assert free == pytest.approx(least)


@pytest.mark.parametrize("values", BATTERIES[:3])
def test_battery_plays_as_its_propagator_says(values):
    # the change of frame is part of the state
    rho = pauli("ZX") + pauli("XI") / 2
    state = play(timeline_of(values, n=32), CHLOROFORM, rho).state
    U = wanted(values)
    np.testing.assert_allclose(state, U @ rho @ U.conj().T, atol=5e-3)


@pytest.mark.parametrize("values", BATTERIES[:5])
def test_battery_without_field_compiles_to_its_named_terms(values):
    given = {name: f"{v} Hz" for name, v in zip(NAMES, (*values[:4], 0), strict=True)}
    sequence = load_sequence("battery_trotter")
    average = compile_sequence(sequence, CHLOROFORM, parameters=given | {"T": "5 ms"})
    assert average.cyclic
    scale = average.duration_s / 5e-3
    expected = dict(zip(("DM_z", "KSEA_z", "Delta", "epsilon"), values[:4], strict=True))
    for name, value in average.named.items():
        assert value * scale == pytest.approx(expected.get(name, 0.0), abs=1e-8)


@pytest.mark.parametrize(
    ("given", "says"), [({"n": "0"}, "must be n >= 1"), ({"T": "0 s"}, "must be T > 0 s")]
)
def test_senseless_battery_is_refused(given, says):
    with pytest.raises(InputError, match=says):
        expand(load_sequence("battery_trotter"), CHLOROFORM, parameters=given)
