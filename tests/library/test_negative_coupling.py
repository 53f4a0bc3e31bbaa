"""Every shipped sequence on a pair whose scalar coupling is negative."""

from dataclasses import replace

import numpy as np
import pytest

from nmrqb.average import compile_timeline
from nmrqb.dynamics import play, play_sequence, thermal_deviation
from nmrqb.errors import InputError
from nmrqb.files.shipped import library
from nmrqb.operators import pauli, pauli_coefficients, pauli_strings
from nmrqb.sample import load_sample
from nmrqb.sequence import expand, load_sequence

CHLOROFORM = load_sample("chloroform")
J = -145.0  # Hz
NEGATIVE = replace(CHLOROFORM, couplings=tuple(replace(c, J_hz=J) for c in CHLOROFORM.couplings))
POSITIVE = replace(CHLOROFORM, couplings=tuple(replace(c, J_hz=-J) for c in CHLOROFORM.couplings))
RATIO = 6.728284 / 26.7522128  # γ(13C)/γ(1H)
PAIRED = tuple(
    n for n in library("sequence") if n != "jeener_broekaert"
)  # needs a dipolar coupling
CLAIMING = tuple(n for n in PAIRED if load_sequence(n).target and n != "literature_dm")
# H/2π of one pass on Pauli strings, in units of J
MADE = {
    "dm": {"XY": 1 / 8, "YX": -1 / 8},
    "dm_echoed": {"XY": 1 / 8, "YX": -1 / 8},
    "ksea": {"XY": 1 / 8, "YX": 1 / 8},
    "ksea_echoed": {"XY": 1 / 8, "YX": 1 / 8},
    "flip_flop": {"XX": 1 / 8, "YY": 1 / 8},
    "double_quantum": {"XX": 1 / 8, "YY": -1 / 8},
    "isotropic": {"XX": 1 / 12, "YY": 1 / 12, "ZZ": 1 / 12},
    "ising_scaled": {"ZZ": 1 / 8},
    "spin_echo": {"ZZ": 1 / 4},
    "selective_refocusing": {"ZZ": 1 / 4},
    "selective_refocusing_all": {"ZZ": 1 / 4},
}


def combined(terms):
    return sum(c * pauli(p) for p, c in terms.items())


def coefficients(rho):
    """Coefficients of Iz = σz/2, 2IzSz = σzσz/2, … by Pauli strings, those that are not 0."""
    found = zip(pauli_strings(2), 2 * pauli_coefficients(rho).real, strict=True)
    return {p: c for p, c in found if abs(c) > 1e-9}


def played(name, sample, start=None, **parameters):
    timeline = expand(load_sequence(name), sample, parameters=parameters)
    return play(timeline, sample, thermal_deviation(sample) if start is None else start).state


@pytest.mark.parametrize("name", PAIRED)
def test_every_shipped_sequence_plays(name):
    assert expand(load_sequence(name), NEGATIVE).events


@pytest.mark.parametrize("name", MADE)
def test_the_coupling_made_has_the_sign_of_J(name):
    average = compile_timeline(expand(load_sequence(name), NEGATIVE), NEGATIVE, analyse=False)
    if average.branch_safe:
        np.testing.assert_allclose(average.exact_hz, J * combined(MADE[name]), atol=1e-9)
    else:  # the delay of a positive angle of a negative coupling: three quarters of a turn
        assert name.startswith("selective_refocusing")
        zeroth = average.orders[0].hamiltonian_hz
        np.testing.assert_allclose(zeroth, J * combined(MADE[name]), atol=1e-9)


@pytest.mark.parametrize("name", CLAIMING)
def test_the_claim_is_met(name):
    target = compile_timeline(expand(load_sequence(name), NEGATIVE), NEGATIVE, analyse=False).target
    assert target.met
    assert target.error_hz < 1e-9


@pytest.mark.parametrize("name", MADE)
def test_a_pass_lasts_as_long_as_for_the_positive_coupling(name):
    lasts = [expand(load_sequence(name), s).free_evolution_s for s in (NEGATIVE, POSITIVE)]
    if name.startswith("selective_refocusing"):
        assert lasts[0] == pytest.approx(3 * lasts[1])  # 270° for −90°
    else:
        assert lasts[0] == pytest.approx(lasts[1])


# -------------------------------------------------------------------------------- preparations
def test_spatial_averaging_ends_in_the_same_pseudo_pure_state():
    found = coefficients(played("spatial_averaging", NEGATIVE))
    assert found == pytest.approx({"ZI": RATIO, "IZ": RATIO, "ZZ": RATIO}, abs=1e-4)
    np.testing.assert_allclose(
        played("spatial_averaging", NEGATIVE), played("spatial_averaging", POSITIVE), atol=1e-12
    )


def test_temporal_averaging_ends_in_the_same_pseudo_pure_state():
    found = coefficients(play_sequence(load_sequence("temporal_averaging"), NEGATIVE).state)
    k = (1 + RATIO) / 3
    assert found == pytest.approx({"ZI": k, "IZ": k, "ZZ": k}, abs=1e-4)


@pytest.mark.parametrize(("D", "G", "T"), [(20, 5, 20), (-7, 12, 9), (4, -9, -15)])
def test_the_gibbs_state_is_that_of_the_battery(D, G, T):
    settings = {"D": f"{D} Hz", "G": f"{G} Hz", "T": f"{T} Hz"}
    found = coefficients(played("gibbs_two_spin", NEGATIVE, **settings))
    u, v = np.tanh((D + G) / T), np.tanh((D - G) / T)
    # 2k(ρ − 1/4) with 4ρ = 1 − u XY + v YX − uv ZZ, in units of half a Pauli string
    k = expand(load_sequence("gibbs_two_spin"), NEGATIVE).parameters["k"]
    assert found == pytest.approx({"XY": -k * u, "YX": k * v, "ZZ": -k * u * v}, abs=1e-4)


@pytest.mark.parametrize(("name", "signs"), [
    ("inept", {"ZY": -1, "IY": 1}),  # antiphase follows the sign of J, in-phase does not
    ("inadequate", {"XY": -1, "YX": -1}),
    ("refocused_inept", {"IY": 1}),
])  # fmt: skip
def test_antiphase_magnetisation_follows_the_sign_of_J(name, signs):
    start = (pauli("ZI") + pauli("IZ")) / 2
    states = (coefficients(played(name, s, start)) for s in (NEGATIVE, POSITIVE))
    negative, positive = states
    assert set(signs) <= set(positive)
    for term, sign in signs.items():
        assert negative[term] == pytest.approx(sign * positive[term], abs=1e-9)


# ------------------------------------------------------------------------------------ messages
@pytest.mark.parametrize(("name", "settings", "coupling"), [
    ("dm", {"t": "1/(4*J)"}, "J"),
    ("dm", {"t": "1/(4*J(I,S))"}, r"J\(I,S\)"),
    ("dm_ksea", {"D": "20 Hz", "G": "5 Hz", "T": "2 ms"}, "J"),
])  # fmt: skip
def test_a_delay_that_needs_a_positive_coupling_says_so(name, settings, coupling):
    wanted = rf"`.*` is -[\d.]+ ms: {coupling} is negative; write abs.*or let `nmrqb design`"
    with pytest.raises(InputError, match=wanted):
        expand(load_sequence(name), NEGATIVE, parameters=settings)


@pytest.mark.parametrize(("name", "settings", "sample"), [
    ("dm", {"t": "-1 ms"}, NEGATIVE),
    ("ising_scaled", {"scale": "1.1"}, NEGATIVE),  # t itself is 1/(4*abs(J))
    ("dm_ksea", {"D": "J/16", "G": "J/4"}, POSITIVE),
])  # fmt: skip
def test_a_delay_that_is_negative_for_another_reason_does_not_blame_the_coupling(
    name, settings, sample
):
    with pytest.raises(InputError, match="a delay must not be negative") as caught:
        expand(load_sequence(name), sample, parameters=settings)
    assert "J is negative" not in str(caught.value)
