"""Maps against propagators, batteries and published numbers, point by point."""

import numpy as np
import pytest
import qutip
from scipy.linalg import expm

from nmrqb.battery import Battery, charging_map, coherence_l1, open_charging_map
from nmrqb.battery.charging_maps import MAP_FIGURES
from nmrqb.dynamics import commutator_superoperator, dissipator, gibbs
from nmrqb.errors import ArgumentError
from nmrqb.operators import PAULI, embed, from_named, partial_trace, pauli

RNG = np.random.default_rng(8)
DRIVE = pauli("XI") + pauli("IX")
TIMES = np.linspace(0, 0.5, 21)
TERMS = ("D", "G", "Delta", "epsilon", "B")
NAMES = dict(zip(TERMS, ("DM_z", "KSEA_z", "Delta", "epsilon", "B"), strict=True))


def random_hermitian(d=4):
    A = RNG.normal(size=(d, d)) + 1j * RNG.normal(size=(d, d))
    return A + A.conj().T


def random_state(d=4):
    A = random_hermitian(d)
    return A @ A / np.trace(A @ A).real


def of_battery(battery, states):
    return {
        "ergotropy": battery.ergotropy(states),
        "anti_ergotropy": battery.anti_ergotropy(states),
        "capacity": battery.capacity(states),
        "energy": battery.energy(states),
        "coherence_l1": battery.coherence_l1(states),
        "coherence_l1_computational": coherence_l1(states),
    }


def charged(rho, K, times):
    U = np.array([expm(-2j * np.pi * K * t) for t in times])
    return U @ rho @ U.conj().swapaxes(-1, -2)


@pytest.mark.parametrize("K", [DRIVE, random_hermitian(), np.zeros((4, 4)), pauli("ZZ") * 3])
def test_every_figure_against_propagators(K):
    constants = RNG.normal(size=(6, 5)) * 10
    constants[1, 1:] = 0  # D alone: levels coincide
    constants[2] = 0  # no battery at all
    batteries = [Battery.from_terms(**dict(zip(TERMS, c, strict=True))) for c in constants]
    states = np.array([random_state() for _ in constants])
    H = np.array([battery.hamiltonian_hz for battery in batteries])
    found = charging_map(H, states, K, TIMES, figures=MAP_FIGURES, reduce=["none"])
    assert set(found) == set(MAP_FIGURES)
    for k, battery in enumerate(batteries):
        wanted = of_battery(battery, charged(states[k], K, TIMES))
        for name, values in wanted.items():
            np.testing.assert_allclose(found[name][k], values, atol=1e-9, err_msg=name)


def test_open_maps_against_batteries_and_mesolve():
    losses = [np.sqrt(rate) * embed(PAULI[a], k, 2) for rate, a, k in ((3, "Z", 0), (2, "X", 1))]
    L = commutator_superoperator(2 * np.pi * DRIVE) + dissipator(losses, 4)
    S = expm(L * TIMES[:, None, None])
    batteries = [Battery.from_terms(D=20, G=5, Delta=3), Battery.from_terms(G=1)]
    H = np.array([battery.hamiltonian_hz for battery in batteries])
    rho = random_state()
    found = open_charging_map(H, rho, S, TIMES, figures=MAP_FIGURES, reduce=["none"])
    solved = qutip.mesolve(
        qutip.Qobj(2 * np.pi * DRIVE), qutip.Qobj(rho), TIMES, [qutip.Qobj(x) for x in losses],
        options={"method": "diag", "progress_bar": ""},
    )  # fmt: skip
    states = np.array([state.full() for state in solved.states])
    for k, battery in enumerate(batteries):
        for name, values in of_battery(battery, states).items():
            np.testing.assert_allclose(found[name][k], values, atol=1e-8, err_msg=name)


def test_an_open_map_that_traces_out_a_spin():
    d, K = 4, random_hermitian()
    S = np.array([np.kron(U, U.conj()) for U in (expm(-2j * np.pi * K * t) for t in TIMES)])
    columns = np.moveaxis(S.reshape(-1, d, d, d * d), -1, 1)
    to_second = partial_trace(columns, (1,)).reshape(len(TIMES), d * d, 4).swapaxes(1, 2)
    rho, battery = random_state(), Battery.zeeman(7.0, 1)
    found = open_charging_map(battery.hamiltonian_hz, rho, to_second, TIMES, reduce=["none"])
    second = partial_trace(charged(rho, K, TIMES), (1,))
    np.testing.assert_allclose(found["ergotropy"], battery.ergotropy(second), atol=1e-10)
    np.testing.assert_allclose(found["capacity"], battery.capacity(second), atol=1e-10)
    np.testing.assert_allclose(found["coherence_l1"], coherence_l1(second), atol=1e-10)


def test_closed_and_open_maps_agree_without_losses():
    H = from_named({"DM_z": 3.0, "Delta": 1.0}) + np.array([0.0, 1.0])[:, None, None] * pauli("ZI")
    rho = gibbs(H, 2.0)
    U = np.array([expm(-2j * np.pi * DRIVE * t) for t in TIMES])
    S = np.einsum("tij,tkl->tikjl", U, U.conj()).reshape(len(TIMES), 16, 16)
    closed, opened = charging_map(H, rho, DRIVE, TIMES), open_charging_map(H, rho, S, TIMES)
    for name, values in closed.items():
        np.testing.assert_allclose(values, opened[name], atol=1e-10)


def test_times_of_every_member():
    H = np.array([from_named({"DM_z": D, "Delta": -1.0, "epsilon": 0.5}) for D in (1.0, 2.0, 3.0)])
    rates = np.array([0.5, 1.0, 4.0])
    together = charging_map(H, gibbs(H, 1.0), DRIVE, rates[:, None] * TIMES, figures=MAP_FIGURES)
    for k, rate in enumerate(rates):
        alone = charging_map(H[k], gibbs(H[k], 1.0), rate * DRIVE, TIMES, figures=MAP_FIGURES)
        for name in together:
            assert together[name][k] == pytest.approx(float(alone[name]), abs=1e-10), name


@pytest.mark.parametrize(
    ("terms", "ergotropy", "capacity", "coherence"),
    [
        ({"Delta": 1, "epsilon": 0.1, "T": 1}, 1.271, 1.300, 0.578),
        ({"Delta": 4, "epsilon": 0.1, "T": 1}, 8.153, 8.164, 0.994),
        ({"Delta": 12, "epsilon": 0.1, "T": 1}, 24.200, 24.200, 1.000),
        ({"Delta": 1, "epsilon": 0.1, "T": 0.5, "B": 2}, 7.838, 7.880, 1.883),
        ({"Delta": 1, "epsilon": 0.1, "T": 4}, 0.318, 0.330, 0.144),
        ({"Delta": 1, "epsilon": 0.5, "T": 0.5, "KSEA_z": 2}, 7.644, 8.139, 1.952),
        ({"Delta": 1, "epsilon": 0.5, "T": 0.5, "DM_z": 2}, 7.890, 8.109, 1.819),
    ],
)
def test_maxima_of_the_dm_ksea_battery(terms, ergotropy, capacity, coherence):
    """ω = 1, charging exp[−iωt(XI+IX)]: dipolar-battery-dm-ksea-nmr, figs. 3–9."""
    H = from_named({name: value for name, value in terms.items() if name != "T"})
    times = np.linspace(0, np.pi, 401)
    found = charging_map(
        H, gibbs(H, terms["T"]), DRIVE / (2 * np.pi), times, reduce=["max", "argmax"]
    )
    assert float(found["ergotropy_max"]) == pytest.approx(ergotropy, abs=6e-4)
    assert float(found["capacity_max"]) == pytest.approx(capacity, abs=6e-4)
    assert float(found["coherence_l1_max"]) == pytest.approx(coherence, abs=6e-4)
    quarter = terms.keys() & {"B", "KSEA_z", "DM_z"}
    assert float(found["ergotropy_argmax"]) / np.pi == pytest.approx(0.5 if quarter else 0.25)


def test_a_large_map_is_cut_into_parts_that_change_nothing():
    H = np.array([from_named({"DM_z": D, "epsilon": 0.5}) for D in np.linspace(0, 3, 300)])
    times = np.linspace(0, 0.5, 400)  # 81 members at once
    whole = charging_map(H, gibbs(H, 1.0), DRIVE, times)["coherence_l1_max"]
    picked = [charging_map(h, gibbs(h, 1.0), DRIVE, times)["coherence_l1_max"] for h in H[::37]]
    np.testing.assert_allclose(whole[::37], picked, atol=1e-12)
    assert charging_map(H[:0], H[:0], DRIVE, times)["capacity_max"].shape == (0,)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"generator": np.zeros((2, 4, 4))}, "`generator` must be one matrix"),
        ({"generator": np.ones((3, 3)) * 1j}, "`generator` must be Hermitian"),
        ({"H": np.eye(4) * np.nan}, "`H` must be finite"),
        ({"rho": np.eye(2) / 2}, "`rho` must be of dimension 4"),
        ({"times": [0.0, np.inf]}, "`times` must be finite"),
        ({"times": 1.0}, r"`times` must be finite, of shape \(\.\.\., T\)"),
        ({"times": [np.nan]}, "`times` must be real numbers"),
        ({"H": np.zeros((2, 4, 4)), "rho": np.zeros((3, 4, 4))}, "batch axes that broadcast"),
        ({"figures": ["ergotropi"]}, "did you mean `ergotropy`"),
        ({"figures": []}, "`figures` must hold a name"),
        ({"reduce": ["mx"]}, "did you mean `max`"),
    ],
)
def test_what_does_not_fit_is_refused_by_name(changed, message):
    arguments = {"H": DRIVE, "rho": np.eye(4) / 4, "generator": DRIVE, "times": TIMES} | changed
    with pytest.raises(ArgumentError, match=message):
        charging_map(**arguments)


@pytest.mark.parametrize(
    ("shape", "message"),
    [
        ((21, 16), r"`maps` must be finite, of shape \(T, b², d²\)"),
        ((20, 16, 16), r"`maps` must have shape \(21, 16, 16\)"),
        ((21, 4, 16), r"`maps` must have shape \(21, 16, 16\)"),
        ((21, 16, 4), "`rho` must be of dimension 2"),
    ],
)
def test_maps_of_another_shape_are_refused(shape, message):
    with pytest.raises(ArgumentError, match=message):
        open_charging_map(DRIVE, np.eye(4) / 4, np.zeros(shape), TIMES)
    with pytest.raises(ArgumentError, match="`maps` must be finite"):
        open_charging_map(DRIVE, np.eye(4) / 4, np.full((21, 16, 16), np.nan), TIMES)
