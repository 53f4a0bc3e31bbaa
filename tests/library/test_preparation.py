"""Pseudo-pure, dipolar-ordered and Gibbs states: what the shipped preparations end in."""

import re
from dataclasses import replace

import numpy as np
import pytest
from scipy.linalg import expm

from nmrqb.dynamics import play, play_sequence, thermal_deviation
from nmrqb.errors import InputError
from nmrqb.files.shipped import library
from nmrqb.operators import pauli, pauli_coefficients, pauli_strings
from nmrqb.sample import Coupling, Sample, Spin, load_sample
from nmrqb.sequence import TimedPulse, Timing, expand, load_sequence

CHLOROFORM = load_sample("chloroform")
ORIENTED = load_sample("oriented_pair")
J = 215.13  # Hz, of chloroform
d = 217.1305  # Hz, of oriented_pair
RATIO = 6.728284 / 26.7522128  # γ(13C)/γ(1H) = 0.2515
# coefficients of Iz, Sz and 2IzSz alike: 2|00⟩⟨00| − 1/2
PSEUDO_PURE = {"ZI": 1, "IZ": 1, "ZZ": 1}
# 2IzSz − IxSx − IySy
DIPOLAR = {"ZZ": 1, "XX": -0.5, "YY": -0.5}
OFFSETS = pytest.mark.parametrize("offsets", [(0.0, 0.0), (31.0, -57.0)])


def operators(**terms):
    """Return a sum of product operators Iz = σz/2, 2IzSz = σzσz/2, … by their Pauli strings."""
    return sum(c / 2 * pauli(p) for p, c in terms.items())


def coefficients(rho):
    values = zip(pauli_strings(2), 2 * pauli_coefficients(rho), strict=True)
    assert np.max(np.abs(pauli_coefficients(rho).imag)) < 1e-12
    return {p: float(c.real) for p, c in values if abs(c) > 1e-9}


def times(k, terms):
    return pytest.approx({p: k * c for p, c in terms.items()}, abs=1e-9)


def overlap(rho, terms):
    """Cosine of the angle between two deviations: 1 where they are proportional."""
    wanted = operators(**terms)
    norms = np.linalg.norm(rho) * np.linalg.norm(wanted)
    return np.trace(rho @ wanted).real / norms


def with_offsets(sample, first, second):
    spins = (replace(s, offset_hz=v) for s, v in zip(sample.spins, (first, second), strict=True))
    return replace(sample, spins=tuple(spins))


def with_flip_error(timeline, flip):
    events = [
        TimedPulse(tuple(replace(r, angle=flip * r.angle) for r in e.rotations))
        if isinstance(e, TimedPulse)
        else e
        for e in timeline.events
    ]
    return replace(timeline, events=tuple(events))


def prepared(
    sequence, sample, start, *, flip=1.0, roles=None, pulses="ideal", scan=0, **parameters
):
    sequence = load_sequence(sequence) if isinstance(sequence, str) else sequence
    texts = {name: str(value) for name, value in parameters.items()}
    timeline = expand(sequence, sample, parameters=texts, roles=roles, pulses=pulses, scan=scan)
    return play(with_flip_error(timeline, flip), sample, start).state


def edge_to_edge(name):
    return replace(load_sequence(name), timing=Timing(centred=False))


def test_the_ratio_of_the_files_is_that_of_thermal_equilibrium():
    start = coefficients(thermal_deviation(CHLOROFORM))
    assert start == pytest.approx({"ZI": 1, "IZ": RATIO}, abs=1e-4)
    for name in ("spatial_averaging", "gibbs_two_spin"):
        assert expand(load_sequence(name), CHLOROFORM).parameters["ratio"] == pytest.approx(
            RATIO, abs=1e-4
        )


# ---------------------------------------------------------------------------- temporal averaging
def step(k, start, sample=CHLOROFORM, **more):
    return prepared("temporal_averaging", sample, start, scan=k, **more)


def mean_of_steps(start, sample=CHLOROFORM, **more):
    return sum(step(k, start, sample, **more) for k in range(3)) / 3


@OFFSETS
@pytest.mark.parametrize(
    ("number", "permuted"),
    [
        (0, {"ZI": 1.0, "IZ": 0.3, "ZZ": 0.1}),
        (1, {"ZZ": 1.0, "ZI": 0.3, "IZ": 0.1}),  # Iz → 2IzSz → Sz → Iz
        (2, {"IZ": 1.0, "ZZ": 0.3, "ZI": 0.1}),
    ],
)
def test_a_step_permutes_the_populations_cyclically(number, permuted, offsets):
    start = operators(ZI=1.0, IZ=0.3, ZZ=0.1)
    found = step(number, start, with_offsets(CHLOROFORM, *offsets))
    assert coefficients(found) == times(1, permuted)


@OFFSETS
@pytest.mark.parametrize(("a", "b"), [(1, RATIO), (1, 1), (0.25, 1), (1, -0.4)])
def test_the_mean_of_three_steps_is_pseudo_pure(a, b, offsets):
    found = mean_of_steps(operators(ZI=a, IZ=b), with_offsets(CHLOROFORM, *offsets))
    assert coefficients(found) == times((a + b) / 3, PSEUDO_PURE)
    populations = np.diag([1, 0, 0, 0]) - np.eye(4) / 4
    np.testing.assert_allclose(found, 2 * (a + b) / 3 * populations, atol=1e-12)


def test_no_two_steps_are_enough():
    start = operators(ZI=1, IZ=RATIO)
    two = (step(0, start) + step(1, start)) / 2
    assert overlap(two, PSEUDO_PURE) < 0.9


@pytest.mark.parametrize("flip", [0.95, 1.05])
def test_flip_errors_hardly_spoil_the_mean(flip):
    found = mean_of_steps(operators(ZI=1, IZ=RATIO), flip=flip)
    assert 0.9999 < overlap(found, PSEUDO_PURE) < 1 - 1e-6
    assert np.count_nonzero(np.abs(found - np.diag(np.diag(found))) > 1e-12) == 0


def test_playing_all_scans_is_the_mean_of_the_steps():
    sequence = load_sequence("temporal_averaging")
    assert sequence.scans == 3
    found = play_sequence(sequence, CHLOROFORM).state
    assert coefficients(found) == times((1 + RATIO) / 3, PSEUDO_PURE)


# ----------------------------------------------------------------------------- spatial averaging
def spatial(start, sample=CHLOROFORM, **more):
    return prepared("spatial_averaging", sample, start, **more)


@OFFSETS
@pytest.mark.parametrize(("ratio", "k"), [(RATIO, RATIO), (0.5, 0.5), (1, 0.5), (2, 0.5)])
def test_spatial_averaging_is_pseudo_pure(ratio, k, offsets):
    start = operators(ZI=1, IZ=ratio)
    found = spatial(start, with_offsets(CHLOROFORM, *offsets), ratio=ratio)
    assert coefficients(found) == times(k, PSEUDO_PURE)


def test_equal_polarisations_give_the_angles_of_the_publication():
    # 60° on S, then 45° on I; nothing is taken from I before
    parameters = expand(
        load_sequence("spatial_averaging"), CHLOROFORM, parameters={"ratio": "1"}
    ).parameters
    assert np.degrees(parameters["alpha_S"]) == pytest.approx(60)
    assert np.degrees(parameters["alpha_I"]) == pytest.approx(0, abs=1e-6)


def test_the_strong_spin_in_the_role_of_s_gives_half_as_much():
    roles = {"I": "13C", "S": "1H"}
    start = operators(ZI=1, IZ=RATIO)  # in sample order
    found = spatial(start, roles=roles, ratio=f"1/{RATIO}")
    assert coefficients(found) == times(RATIO / 2, PSEUDO_PURE)


def test_temporal_averaging_reaches_the_bound_and_spatial_averaging_stays_below():
    # the largest eigenvalue (1 + ratio)/2 of the start becomes 3k/2 at best
    start = operators(ZI=1, IZ=RATIO)
    bound = np.linalg.eigvalsh(start).max() * 2 / 3
    assert coefficients(mean_of_steps(start))["ZZ"] == pytest.approx(bound)
    assert coefficients(spatial(start))["ZZ"] == pytest.approx(0.603 * bound, rel=1e-3)


@pytest.mark.parametrize("flip", [0.95, 1.05])
def test_spatial_averaging_stands_flip_errors(flip):
    found = spatial(operators(ZI=1, IZ=RATIO), flip=flip)
    assert overlap(found, PSEUDO_PURE) == pytest.approx(0.9988, abs=3e-4)


def test_a_wrong_ratio_goes_into_the_polarisation_of_s_alone():
    found = coefficients(spatial(operators(ZI=1, IZ=1.05 * RATIO)))
    assert found == times(RATIO, PSEUDO_PURE | {"IZ": 1.05})


@pytest.mark.parametrize("k", [0.3, 0.51])
def test_an_impossible_amplitude_is_refused(k):
    with pytest.raises(InputError, match="k <= ratio" if k < 0.5 else "k <= 1/2"):
        spatial(operators(ZI=1), k=k)


# ------------------------------------------------------------------------------- dipolar order
ZEEMAN = operators(ZI=1, IZ=1)


def like_pair(dipolar=d, scalar=2.26, offsets=(0.0, 0.0)):
    first, second = offsets
    spins = (Spin("A", "1H", offset_hz=first), Spin("B", "1H", offset_hz=second))
    return Sample("pair", spins, (Coupling(("A", "B"), scalar, dipolar),))


def dipolar_order(rho):
    """Amplitude of 2IzSz − IxSx − IySy in a state."""
    D = operators(**DIPOLAR)
    return np.trace(rho @ D).real / np.trace(D @ D).real


@pytest.mark.parametrize(("dipolar", "sign"), [(d, -1), (-d, 1), (3e4, -1)])
@pytest.mark.parametrize("scalar", [0.0, 2.26, 40.0])
def test_jeener_broekaert_turns_zeeman_order_into_dipolar_order(dipolar, sign, scalar):
    found = prepared("jeener_broekaert", like_pair(dipolar, scalar), ZEEMAN)
    assert coefficients(found) == times(sign, DIPOLAR)


@pytest.mark.parametrize("share", [0.3, 0.8, 1.5])
def test_dipolar_order_goes_as_the_sine_of_the_delay(share):
    tau = share / (6 * d)
    found = prepared("jeener_broekaert", like_pair(), ZEEMAN, tau=f"{tau} s")
    assert coefficients(found) == times(-np.sin(3 * np.pi * d * tau), DIPOLAR)


def test_no_unitary_makes_more_dipolar_order_of_a_pair():
    D = operators(**DIPOLAR)
    best = np.linalg.eigvalsh(ZEEMAN) @ np.linalg.eigvalsh(D) / np.trace(D @ D).real
    found = prepared("jeener_broekaert", like_pair(), ZEEMAN)
    assert abs(dipolar_order(found)) == pytest.approx(best)


@pytest.mark.parametrize(
    ("offsets", "amplitude"),
    [((50.0, 50.0), -0.971), ((44.6755, -44.6755), -0.979)],
)
def test_offsets_cost_dipolar_order(offsets, amplitude):
    found = prepared("jeener_broekaert", like_pair(offsets=offsets), ZEEMAN)
    assert dipolar_order(found) == pytest.approx(amplitude, abs=6e-4)


def test_the_rest_on_oriented_pair_is_a_difference_and_zero_quantum_coherence():
    found = coefficients(prepared("jeener_broekaert", ORIENTED, ZEEMAN))
    assert set(found) == {"ZZ", "XX", "YY", "ZI", "IZ", "XY", "YX"}
    assert found["ZI"] == pytest.approx(-found["IZ"])
    assert found["XY"] == pytest.approx(-found["YX"])


@pytest.mark.parametrize("carrier", [0.0, 50.0, 200.0])
def test_an_echo_in_the_middle_mends_offsets(carrier, tmp_path):
    text = library("sequence")["jeener_broekaert"].read_text(encoding="utf-8")
    echo = "  - delay: tau/2\n  - pulse: {I: 180 y, S: 180 y}\n  - delay: tau/2\n"
    echoed, count = re.subn(r"  - delay: tau\n", echo, text)
    assert count == 1
    (tmp_path / "echoed.yaml").write_text(echoed, encoding="utf-8")
    sample = like_pair(offsets=(carrier + 44.6755, carrier - 44.6755))
    found = prepared(load_sequence(str(tmp_path / "echoed.yaml")), sample, ZEEMAN)
    assert dipolar_order(found) == pytest.approx(-0.9985, abs=6e-5)


def test_dipolar_order_beats_where_the_offsets_differ():
    times_s = np.linspace(0, 10e-3, 400)
    D = operators(**DIPOLAR)

    def amplitudes(nu):
        Iz, Sz = operators(ZI=1), operators(IZ=1)
        JIS = 2.26 / 4 * (pauli("XX") + pauli("YY") + pauli("ZZ"))
        H = nu * (Iz - Sz) + d * D + JIS
        U = [expm(-2j * np.pi * H * t) for t in times_s]
        return [dipolar_order(u @ D @ u.conj().T) for u in U]

    assert np.ptp(amplitudes(44.6755)) == pytest.approx(0.1, abs=5e-3)
    assert np.ptp(amplitudes(0.0)) < 1e-9


@pytest.mark.parametrize("flip", [0.95, 1.05])
def test_flip_errors_cost_less_than_a_percent_of_dipolar_order(flip):
    found = prepared("jeener_broekaert", like_pair(), ZEEMAN, flip=flip)
    assert -0.999 < dipolar_order(found) < -0.99


def test_the_signal_of_dipolar_order_starts_at_zero_in_quadrature(tmp_path):
    third = "format: nmrqb-sequence/1\nspins: {I: all}\nsequence:\n  - pulse: {I: 45 y}\n"
    third += "  - acquire: {I: x}\n  - delay: 0.3 ms\n  - acquire: {I: x}\n"
    (tmp_path / "third.yaml").write_text(third, encoding="utf-8")
    sequence = load_sequence(str(tmp_path / "third.yaml"))
    pair = like_pair()

    def signals(rho):
        return [sum(s.values()) for s in play(expand(sequence, pair), pair, rho).signals]

    zeeman = signals(ZEEMAN)
    order = signals(prepared("jeener_broekaert", pair, ZEEMAN))
    assert abs(order[0]) < 1e-9
    assert abs(order[1]) > 0.3
    # sums of both spins: one real all the time, the other imaginary
    np.testing.assert_allclose(np.imag(zeeman), 0, atol=1e-9)
    np.testing.assert_allclose(np.real(order), 0, atol=1e-9)


@pytest.mark.parametrize(("temperature", "least", "most"), [(1e3, 0.9999, 1), (1, 0.0, 0.99)])
def test_dipolar_order_is_the_gibbs_state_of_the_axial_term_when_hot(temperature, least, most):
    # Delta = 1: H/2π = (2ZZ − XX − YY)/3
    H = (2 * pauli("ZZ") - pauli("XX") - pauli("YY")) / 3
    gibbs = expm(-H / temperature)
    deviation = gibbs / np.trace(gibbs) - np.eye(4) / 4
    found = prepared("jeener_broekaert", like_pair(), ZEEMAN)
    assert least < overlap(deviation, coefficients(found)) <= most


def test_dipolar_order_holds_nothing_of_dm_or_ksea():
    found = coefficients(prepared("jeener_broekaert", like_pair(), ZEEMAN))
    assert not {"XY", "YX"} & set(found)


# --------------------------------------------------------------------------------- Gibbs states
def gibbs(D, G, T, ratio=RATIO, sample=CHLOROFORM, **more):
    values = {"D": f"{D} Hz", "G": f"{G} Hz", "T": f"{T} Hz", "ratio": ratio}
    start = operators(ZI=1, IZ=ratio)
    return prepared("gibbs_two_spin", sample, start, **values, **more)


def exact_deviation(D, G, T):
    H = D * (pauli("XY") - pauli("YX")) + G * (pauli("XY") + pauli("YX"))
    rho = expm(-H / T)
    return rho / np.trace(rho) - np.eye(4) / 4


BATTERIES = pytest.mark.parametrize(
    ("D", "G", "T"),
    [
        (20, 5, 20),
        (20, 0, 20),
        (5, 20, 20),  # G > D
        (20, 20, 30),  # XY alone
        (20, -20, 30),  # YX alone
        (-20, 5, 3),
        (20, 5, -20),  # inverted
        (20, 5, 0.5),  # the ground state
        (20, 5, 5e3),  # hot
    ],
)


@OFFSETS
@BATTERIES
def test_gibbs_state_is_exact(D, G, T, offsets):
    found = gibbs(D, G, T, sample=with_offsets(CHLOROFORM, *offsets))
    np.testing.assert_allclose(found, 2 * RATIO * exact_deviation(D, G, T), atol=1e-12)


@BATTERIES
def test_gibbs_state_has_the_coefficients_of_the_notes(D, G, T):
    u, v = np.tanh((D + G) / T), np.tanh((D - G) / T)
    found = gibbs(D, G, T)
    expected = {"XY": -RATIO * u, "YX": RATIO * v, "ZZ": -RATIO * u * v}
    nonzero = {p: c for p, c in expected.items() if abs(c) > 1e-9}
    assert coefficients(found) == pytest.approx(nonzero, abs=1e-9)


@pytest.mark.parametrize("ratio", [0.1, 0.5, 1.0, 3.0])
def test_amplitude_is_the_smaller_of_a_half_and_the_ratio(ratio):
    found = gibbs(20, 5, 20, ratio=ratio)
    expected = 2 * min(0.5, ratio) * exact_deviation(20, 5, 20)
    np.testing.assert_allclose(found, expected, atol=1e-12)


def test_a_hot_state_may_be_larger():
    k = 0.2515 / np.tanh(15 / 200)  # k|v| = ratio
    found = gibbs(20, 5, 200, k=0.999 * k)
    expected = 2 * 0.999 * k * exact_deviation(20, 5, 200)
    np.testing.assert_allclose(found, expected, atol=1e-12)
    assert k > 3


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"D": 20, "G": 5, "T": 200, "k": 3.4}, re.escape("k*abs(v) <= ratio")),
        ({"D": 20, "G": 5, "T": 2, "k": 0.6}, re.escape("k*abs(u)*(1 + abs(v)) <= 1")),
    ],
)
def test_more_than_there_is_is_refused(values, message):
    with pytest.raises(InputError, match=message):
        gibbs(**values)


def test_the_ground_state_stays_below_the_bound_of_unitaries():
    start = np.linalg.eigvalsh(operators(ZI=1, IZ=RATIO)).max()
    found = gibbs(20, 5, 0.5)
    assert np.linalg.eigvalsh(found).max() == pytest.approx(1.5 * RATIO)
    assert start == pytest.approx(1.5 * (1 + RATIO) / 3)


@pytest.mark.parametrize("flip", [0.95, 1.05])
def test_flip_errors_spoil_the_gibbs_state_by_a_percent_or_two(flip):
    found = gibbs(20, 5, 20, flip=flip)
    loss = 1 - overlap(found, coefficients(gibbs(20, 5, 20)))
    assert 0.005 < loss < 0.02


def test_a_wrong_ratio_goes_into_one_coefficient_alone():
    right = coefficients(gibbs(20, 5, 20))
    start = operators(ZI=1, IZ=1.05 * RATIO)
    values = {"D": "20 Hz", "G": "5 Hz", "T": "20 Hz"}
    found = coefficients(prepared("gibbs_two_spin", CHLOROFORM, start, **values))
    assert found == pytest.approx(right | {"YX": 1.05 * right["YX"]}, abs=1e-9)


# --------------------------------------------------------------------------------- real pulses
@pytest.mark.parametrize(
    ("name", "sample"),
    [
        ("temporal_averaging", CHLOROFORM),
        ("spatial_averaging", CHLOROFORM),
        ("gibbs_two_spin", CHLOROFORM),
        ("jeener_broekaert", ORIENTED),
    ],
)
def test_delays_between_centres_make_finite_pulses_better(name, sample):
    start = thermal_deviation(sample)
    scan = load_sequence(name).scans - 1
    ideal = coefficients(prepared(name, sample, start, scan=scan))
    losses = [
        1 - overlap(prepared(s, sample, start, pulses="finite", scan=scan), ideal)
        for s in (load_sequence(name), edge_to_edge(name))
    ]
    assert 0 < 2 * losses[0] < losses[1]
    assert losses[0] < 1e-3
