"""Bootstrap and maximum likelihood against the Gaussian fitter of qiskit-experiments.

The peer fits outcome frequencies y of measurement operators by min |w (tr(E ρ) − y)|² over states.
It is given data in two forms, with ``trace=1`` and its solver, SCS, at its own settings:

* ``cvxpy_gaussian_lstsq`` has counts of all 3ⁿ Pauli settings of 1000 shots each, as its users do:
  36 frequencies for two spins, 1296 for four.
* ``cvxpy_linear_lstsq``, which the former calls with weights from the counts, has our data: every
  whitened line amplitude is one outcome, its operator E = Σ A_P P from the response matrix, and all
  weights are equal.  They are 32 for two spins (four readouts, two channels, two lines, two
  quadratures), 1280 for four (20 readouts).

Errors are distances from the minimum of the same function in standard deviations, the largest of a
few replicas; the minimum is that of a plain projected gradient run to rounding.  Where ours is a
bootstrap, its error is that of the ends of the intervals, in standard deviations of the figure,
against a bootstrap written out here with twenty times as many replicas.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec

import numpy as np
from harness import Case
from reference import most_likely

from nmrqb.battery import anti_ergotropy, capacity, coherence_l1, ergotropy
from nmrqb.dynamics import gibbs
from nmrqb.operators import pauli, pauli_basis
from nmrqb.sample import Coupling, Sample, Spin, load_sample
from nmrqb.spectrometer import Receiver, complex_noise
from nmrqb.tomography import (
    Response,
    acquire,
    anti_ergotropy_figure,
    capacity_figure,
    coherence_figure,
    ergotropy_figure,
    estimate_state,
    intervals,
    measurement_chain,
    noise_for_snr,
    response_matrix,
)
from nmrqb.tomography.estimators import to_coefficients
from nmrqb.tomography.response import amplitude_covariance, line_amplitudes

GAUSSIAN = "cvxpy_gaussian_lstsq of counts"
LINEAR = "cvxpy_linear_lstsq of the same data"
MISSING = "" if find_spec("qiskit_experiments") and find_spec("cvxpy") else "no qiskit-experiments"
SHOTS = 1000
SNR = 40.0
CHECKED = 5  # replicas that are compared with the reference
BATTERY = 0.5 * (pauli("ZI") + 0.8 * pauli("IZ")) + 0.075 * (
    pauli("XX") + pauli("YY") + pauli("ZZ")
)
PAIR_SET = ("II", "IX", "IY", "XX")
FOUR_SET = (
    "YYYY", "XXXI", "IIIX", "XXIX", "YYXI", "IIYY", "XIXX", "YYYI", "YXIX", "IIIY",
    "IXXI", "XYYY", "IYXI", "IIYX", "XIXI", "YYXY", "YYII", "XXXX", "IXIY", "XXYX",
)  # fmt: skip


def cases(*, quick: bool) -> Iterator[Case]:
    """Yield the cases; quick ones have fewer replicas, and no four spins."""
    replicas = 100 if quick else 1000
    yield _bootstrap(replicas)
    yield from _refits(replicas)
    if not quick:
        yield from _four_spins()


# ------------------------------------------------------------------------------------- data
@dataclass(frozen=True, eq=False)
class Data:
    """FIDs of replicas of one experiment, and the same as numbers of unit variance.

    Attributes
    ----------
    response, noise, fids
        As `estimate_state` takes them.
    rows, values
        A and y of |A c − y|², shapes (amplitudes, P) and (replicas, amplitudes).
    """

    response: Response
    noise: np.ndarray
    fids: np.ndarray
    rows: np.ndarray
    values: np.ndarray

    def distance(self, c: np.ndarray, k: int) -> float:
        """Return how many standard deviations c is from the best state of a replica."""
        return float(np.linalg.norm(self.rows @ (c - most_likely(self.rows, self.values[k]))))


def _data(
    sample: Sample, words: tuple[str, ...], rho: np.ndarray, replicas: int, snr: float = SNR
) -> Data:
    chain = measurement_chain(sample, words, receiver=Receiver(1000.0, 256))
    response, noise = response_matrix(chain), noise_for_snr(chain, sample, snr)
    clean, rng = acquire(chain, rho), np.random.default_rng(1)
    fids = clean + noise[:, None] * complex_noise(rng, (replicas, *clean.shape))
    root = np.linalg.inv(np.linalg.cholesky(amplitude_covariance(response, noise)))
    values = (line_amplitudes(fids, response.fits) - response.offset) @ root.T
    return Data(response, noise, fids, root @ response.matrix, values)


@cache
def _pair(replicas: int) -> Data:
    """Return replicas of a cold state, of which most linear inversions are not positive."""
    return _data(load_sample("chloroform"), PAIR_SET, gibbs(BATTERY, 0.2), replicas)


@cache
def _four() -> tuple[Data, np.ndarray]:
    """Return one experiment on four nuclei, and its state of three large eigenvalues."""
    nuclei, rng = ("1H", "13C", "15N", "19F"), np.random.default_rng(2)
    J = iter((160.0, -90.0, 50.0, 23.0, -14.0, 7.0))
    couplings = tuple(Coupling(pair, next(J)) for pair in itertools.combinations(nuclei, 2))
    spins = tuple(Spin(nucleus, nucleus, T1_s=5.0, T2_s=0.5) for nucleus in nuclei)
    G = rng.normal(size=(16, 16)) + 1j * rng.normal(size=(16, 16))
    G[:, 3:] *= 0.1
    rho = G @ G.conj().T / np.linalg.norm(G) ** 2
    return _data(Sample("four", spins, couplings), FOUR_SET, rho, 1), rho


# ------------------------------------------------------------------------------------- peers
class Outcomes:
    """Operators of outcomes as a measurement basis of the peer: one setting, one outcome each."""

    def __init__(self, rows: np.ndarray) -> None:
        self.d = round(np.sqrt(rows.shape[-1] + 1))
        paulis = pauli_basis(self.d.bit_length() - 1)[1:]
        self.operators = np.tensordot(rows, paulis, axes=1)

    def matrix_shape(self, qubits: tuple[int, ...]) -> tuple[int, ...]:
        """Return the dimension of the register, which the peer takes for one system."""
        return (self.d,) * len(qubits)

    def matrix(self, index: tuple[int], _outcome: int, _qubits: tuple[int, ...]) -> np.ndarray:
        """Return the operator of an outcome."""
        return self.operators[index[0]]


def _of_the_same_data(data: Data, replicas: int) -> list[np.ndarray]:
    from qiskit_experiments import library as peer

    fitter = peer.tomography.fitters.cvxpy_linear_lstsq

    size, basis = len(data.rows), Outcomes(data.rows)
    once, places = np.ones(size), np.arange(size)[:, None]
    return [
        fitter(
            values[None, :, None], once, places, np.zeros((size, 0), int),
            measurement_basis=basis, trace=1,
        )[0]
        for values in data.values[:replicas]
    ]  # fmt: skip


@dataclass(frozen=True, eq=False)
class Counts:
    """Counts of all Pauli settings, (replicas, 1, settings, outcomes), as the peer wants them."""

    settings: np.ndarray
    counts: np.ndarray

    def fits(self) -> list[np.ndarray]:
        """Return the peer's states of all replicas."""
        from qiskit_experiments import library as peer

        fitter = peer.tomography.fitters.cvxpy_gaussian_lstsq
        basis = peer.tomography.basis.PauliMeasurementBasis()

        shots, nothing = np.full(len(self.settings), SHOTS), np.zeros((len(self.settings), 0), int)
        return [
            fitter(
                counts, shots, self.settings, nothing,
                measurement_basis=basis, trace=1,
            )[0]
            for counts in self.counts
        ]  # fmt: skip

    def distance(self, rho: np.ndarray, k: int) -> float:
        """Return how many standard deviations a fit is from the best state of a replica.

        Variances are those that the peer's documentation states: of p = (f + ½)/(N + d/2), they
        are p (1 − p)/(N + d/2 + 1).
        """
        counts = self.counts[k, 0]
        total = SHOTS + counts.shape[-1] / 2
        p = (counts + 0.5) / total
        weight = np.sqrt((total + 1) / (p * (1 - p))).ravel()
        operators = _effects(len(rho).bit_length() - 1)
        rows = weight[:, None] * to_coefficients(operators) / len(rho)
        offset = np.trace(operators, axis1=-2, axis2=-1).real / len(rho)
        values = weight * ((counts / SHOTS).ravel() - offset)
        return float(np.linalg.norm(rows @ (to_coefficients(rho) - most_likely(rows, values))))


def _effects(n: int) -> np.ndarray:
    """Return projectors, the first spin's outcome last to change: (settings·outcomes, d, d).

    Settings are Z, X, Y of every spin; the peer's first qubit is the last factor.
    """
    axes = [[(np.eye(2) + s * pauli(a)) / 2 for s in (1, -1)] for a in "ZXY"]
    found = []
    for setting in itertools.product(range(3), repeat=n):
        for outcome in range(2**n):
            effect = np.eye(1)
            for k, axis in enumerate(setting):
                effect = np.kron(axes[axis][outcome >> k & 1], effect)
            found.append(effect)
    return np.array(found)


def _counted(rho: np.ndarray, replicas: int) -> Counts:
    n = len(rho).bit_length() - 1
    p = np.einsum("kij,ji->k", _effects(n), rho).real.clip(0).reshape(3**n, 2**n)
    rng, settings = np.random.default_rng(3), np.array(list(itertools.product(range(3), repeat=n)))
    p /= p.sum(axis=-1, keepdims=True)
    return Counts(settings, rng.multinomial(SHOTS, p, size=(replicas, 1, 3**n)))


def _worst(distance: Callable[[np.ndarray, int], float], found: list[np.ndarray]) -> float:
    return max(distance(one, k) for k, one in enumerate(found[:CHECKED]))


# ----------------------------------------------------------------------------------- two spins
@cache
def _few_counts() -> Counts:
    return _counted(gibbs(BATTERY, 0.2), CHECKED)


@cache
def _apart() -> Data:
    """Return an experiment on a charged state whose levels and coherences are far from kinks.

    There the hull of the intervals is that of one bootstrap.
    """
    turn = np.linalg.qr(np.random.default_rng(4).normal(size=(4, 4)) + 0.5j)[0]
    rho = turn @ np.diag([0.46, 0.28, 0.17, 0.09]) @ turn.conj().T
    return _data(load_sample("chloroform"), PAIR_SET, rho, 1, snr=200.0)


def _bootstrap(replicas: int) -> Case:
    basis = np.linalg.eigh(BATTERY)[1]
    figures = {
        "ergotropy": ergotropy_figure(BATTERY),
        "anti_ergotropy": anti_ergotropy_figure(BATTERY),
        "capacity": capacity_figure(BATTERY),
        "coherence": coherence_figure(basis),
    }

    def ours():
        data, rng = _apart(), np.random.default_rng(5)
        estimate = estimate_state(data.fids[0], data.response, data.noise)
        return intervals(estimate, figures, rng=rng, replicas=replicas, gain_error=0.0)

    def errors(mine, theirs):
        ends = _written_out(_apart(), basis, 20 * replicas)
        ours_off = max(
            abs(float(end) - exact) / spread
            for name, (low, high, spread) in ends.items()
            for end, exact in ((mine[name].low, low), (mine[name].high, high))
        )
        return ours_off, 0.0 if theirs is None else _worst(_few_counts().distance, theirs)

    return Case(
        f"{replicas} bootstrap replicas, 2 spins, 4 figures",
        f"{replicas} refits by {GAUSSIAN}",
        ours, None if MISSING else lambda: _few_counts().fits(), errors,
        bound=10 / np.sqrt(replicas), peer_bound=1.0, share=CHECKED / replicas, target=500.0,
        exact_peer=True, missing=MISSING,
    )  # fmt: skip


def _written_out(data: Data, basis: np.ndarray, replicas: int) -> dict[str, tuple[float, ...]]:
    """Return ends of basic bootstrap intervals, and standard deviations."""
    covariance = np.linalg.inv(data.rows.T @ data.rows)
    centre = covariance @ data.rows.T @ data.values[0]
    draws = np.random.default_rng(6).multivariate_normal(centre, covariance, replicas)
    paulis = pauli_basis(2)[1:]
    states = np.array([(np.eye(4) + np.tensordot(c, paulis, 1)) / 4 for c in (centre, *draws)])
    found = {}
    for name, values in _figures_of(states, basis).items():
        low, high = np.quantile(values[1:], [0.025, 0.975])
        found[name] = (2 * values[0] - high, 2 * values[0] - low, values[1:].std())
    return found


def _figures_of(states: np.ndarray, basis: np.ndarray) -> dict[str, np.ndarray]:
    return {
        "ergotropy": ergotropy(states, BATTERY),
        "anti_ergotropy": anti_ergotropy(states, BATTERY),
        "capacity": capacity(states, BATTERY),
        "coherence": coherence_l1(states, basis),
    }


def _refits(replicas: int) -> Iterator[Case]:
    def ours():
        data = _pair(replicas)
        states = estimate_state(data.fids, data.response, data.noise).rho
        return states, _figures_of(states, np.linalg.eigh(BATTERY)[1])

    def near(rho: np.ndarray, k: int) -> float:
        return _pair(replicas).distance(to_coefficients(rho), k)

    def errors_of(distance):
        def errors(mine, theirs):
            return _worst(near, mine[0]), 0.0 if theirs is None else _worst(distance, theirs)

        return errors

    peers = (
        (GAUSSIAN, lambda: _few_counts().fits(), lambda rho, k: _few_counts().distance(rho, k)),
        (LINEAR, lambda: _of_the_same_data(_pair(replicas), CHECKED), near),
    )
    for name, peer, distance in peers[:1] if MISSING else peers:
        yield Case(
            f"{replicas} refits by maximum likelihood, 2 spins, 4 figures",
            f"{replicas} refits by {name}",
            ours, None if MISSING else peer, errors_of(distance),
            bound=2e-4, peer_bound=1.0, share=CHECKED / replicas, exact_peer=True, missing=MISSING,
        )  # fmt: skip


# ---------------------------------------------------------------------------------- four spins
def _four_spins() -> Iterator[Case]:
    @cache
    def counted():
        return _counted(_four()[1], 1)

    def ours():
        data, _ = _four()
        return [estimate_state(data.fids[0], data.response, data.noise).rho]

    def near(rho: np.ndarray, k: int) -> float:
        return _four()[0].distance(to_coefficients(rho), k)

    peers = (
        (GAUSSIAN, lambda: counted().fits(), lambda rho, k: counted().distance(rho, k)),
        (LINEAR, lambda: _of_the_same_data(_four()[0], 1), near),
    )
    for name, peer, distance in peers[:1] if MISSING else peers:

        def errors(mine, theirs, distance=distance):
            return _worst(near, mine), 0.0 if theirs is None else _worst(distance, theirs)

        yield Case(
            "4 spins by maximum likelihood", name, ours, None if MISSING else peer, errors,
            bound=2e-4, peer_bound=1.0, target=2.0, exact_peer=True, missing=MISSING,
        )  # fmt: skip
