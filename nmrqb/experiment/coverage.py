"""Do the error bars cover what they claim?  Simulated experiments whose truth is known.

Every repetition is an experiment of its own: FIDs of one state with a gain error of its own and
receiver noise whose level is measured on those very FIDs; linear inversion; intervals.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np

from nmrqb.battery import Battery
from nmrqb.dynamics import gibbs
from nmrqb.errors import ArgumentError
from nmrqb.experiment.coverage_rows import (
    MIXED,
    CoverageRow,
    count,
    pooled,
    thinned_faults,
)
from nmrqb.experiment.figures import estimated_figures
from nmrqb.experiment.measuring import receiver_of
from nmrqb.experiment.model import Experiment
from nmrqb.operators import PAULI, Complex, embed
from nmrqb.spectrometer import add_noise
from nmrqb.tomography import (
    Chain,
    KinkedFigure,
    Response,
    StateEstimate,
    acquire,
    estimate_state,
    intervals,
    measurement_chain,
    nearest_kink,
    noise_for_snr,
    noise_level,
    response_matrix,
)

FIGURES_STUDIED = ("ergotropy", "anti_ergotropy", "capacity", "coherence_l1")
RATIOS = (10.0, 30.0, 100.0)
GAIN_ERROR = 0.01
_DRAWN = 5  # seed of the random Hamiltonians, which are the same in every study
_HOT, _COLD, _TURN = 1.0, 0.12, 0.4


@dataclass(frozen=True, eq=False)
class Cell:
    """One battery, state and signal-to-noise ratio.

    Attributes
    ----------
    battery, state, snr
        Names and ratio.
    hamiltonian
        H/‖H‖, shape (d, d).
    rho
        The true state, shape (d, d).
    """

    battery: str
    state: str
    snr: float
    hamiltonian: Complex
    rho: Complex


@dataclass(frozen=True, eq=False)
class CoverageStudy:
    """What a coverage study found.

    Attributes
    ----------
    experiment
        Name of the experiment whose sample, readouts and battery were used.
    seeds
        Seeds of the random numbers.
    repetitions, replicas
        Experiments per cell and seed; replicas behind every interval.
    rows
        Rows of each seed.
    """

    experiment: str
    seeds: tuple[int, ...]
    repetitions: int
    replicas: int
    rows: Mapping[int, tuple[CoverageRow, ...]]

    @property
    def pooled(self) -> list[CoverageRow]:
        """Rows with the repetitions of all seeds together."""
        return [pooled(rows) for rows in zip(*self.rows.values(), strict=True)]

    def faults(self) -> list[str]:
        """Return what falls short, seed by seed, and all seeds together."""
        found = [
            f"seed {seed}: {row.battery}, {row.state}, SNR {row.snr:g}, {row.figure} {fault}"
            for seed, rows in self.rows.items()
            for row in rows
            for fault in row.faults()
        ]
        return found + thinned_faults(self.pooled)


def batteries(experiment: Experiment) -> dict[str, Complex]:
    """Return H/‖H‖ of the experiment's battery and of two random Hamiltonians.

    Raises
    ------
    ArgumentError
        If the battery is a part of the register.
    """
    if experiment.battery.spins is not None:
        raise ArgumentError(
            "Argument `experiment` must have a battery of all spins of the sample, but has one of "
            f"spins {experiment.battery.spins}"
        )
    H = experiment.battery.hamiltonian_hz
    rng, d = np.random.default_rng(_DRAWN), len(H)
    found = {experiment.name: H}
    for number in (1, 2):
        drawn = rng.normal(size=(d, d)) + 1j * rng.normal(size=(d, d))
        found[f"random {number}"] = drawn + drawn.conj().T
    return {name: _unit(H) for name, H in found.items()}


def _unit(H: Complex) -> Complex:
    traceless = H - np.trace(H) / len(H) * np.eye(len(H))
    return np.asarray(traceless / np.linalg.norm(traceless, 2))


def states(H: Complex) -> dict[str, Complex]:
    """Return the states of the study: passive, charged, near-pure, maximally mixed.

    Charging turns all spins by 0.8 rad about x; temperatures are ‖H‖ and 0.12 ‖H‖.
    """
    d = len(H)
    n = d.bit_length() - 1
    w, V = np.linalg.eigh(sum(embed(PAULI["X"], k, n) for k in range(n)))
    U = (V * np.exp(-1j * _TURN * w)) @ V.conj().T
    passive, cold = gibbs(H, _HOT), gibbs(H, _COLD)
    return {
        "passive": passive,
        "charged": U @ passive @ U.conj().T,
        "near pure": U @ cold @ U.conj().T,
        MIXED: np.eye(d, dtype=complex) / d,
    }


def cells(experiment: Experiment) -> list[Cell]:
    """Return all cells of the study."""
    return [
        Cell(battery, state, snr, H, rho)
        for battery, H in batteries(experiment).items()
        for state, rho in states(H).items()
        for snr in RATIOS
    ]


def coverage_study(
    experiment: Experiment,
    *,
    seeds: Iterable[int] = (1, 2, 3),
    repetitions: int = 1600,
    replicas: int = 400,
    chosen: Callable[[Cell], bool] | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> CoverageStudy:
    """Return how often 95 % intervals hold the truth, and how far values are from it.

    Parameters
    ----------
    experiment
        Its sample, readouts, receiver and battery are used; other noise than the receiver's is
        left out.
    seeds
        Every seed is a study of its own.
    repetitions, replicas
        Experiments per cell, and replicas behind every interval.
    chosen
        Which cells to study, by default all; the numbers of a cell do not depend on the others.
    progress
        Called with (cells done, cells in all).

    Raises
    ------
    ArgumentError
        If there are no cells, no seeds or fewer than two repetitions.
    """
    numbered = [(k, c) for k, c in enumerate(cells(experiment)) if chosen is None or chosen(c)]
    used = tuple(seeds)
    if not numbered or not used or repetitions < 2:
        raise ArgumentError(
            "Arguments `chosen`, `seeds`, `repetitions` must leave a cell, hold a seed, be ≥ 2, "
            f"but leave {len(numbered)}, hold {len(used)}, are {repetitions}"
        )
    chain = measurement_chain(
        experiment.sample, experiment.measure.readouts, receiver=receiver_of(experiment)
    )
    bench = _Bench(experiment, chain, response_matrix(chain), repetitions, replicas)
    rows: dict[int, list[CoverageRow]] = {seed: [] for seed in used}
    report, total = progress or (lambda done, total: None), len(used) * len(numbered)
    for done, (seed, (k, cell)) in enumerate(((s, c) for s in used for c in numbered), start=1):
        rows[seed] += bench.rows(cell, np.random.default_rng([seed, k]))
        report(done, total)
    found = {seed: tuple(own) for seed, own in rows.items()}
    return CoverageStudy(experiment.name, used, repetitions, replicas, found)


@dataclass(frozen=True, eq=False)
class _Bench:
    """A measurement that is repeated."""

    experiment: Experiment
    chain: Chain
    response: Response
    repetitions: int
    replicas: int

    def rows(self, cell: Cell, rng: np.random.Generator) -> Iterator[CoverageRow]:
        """Yield the rows of a cell, figure by figure."""
        figures = estimated_figures(Battery(cell.hamiltonian))
        studied = {name: figures[name] for name in FIGURES_STUDIED}
        estimate = self.repeated(cell, rng)
        found = intervals(estimate, studied, rng=rng, replicas=self.replicas, gain_error=GAIN_ERROR)
        for name, figure in studied.items():
            assert isinstance(figure, KinkedFigure)
            gap = nearest_kink(figure, cell.rho, estimate.covariance[0])
            truth = float(figure.permitted(figure(cell.rho)))
            names = cell.battery, cell.state, cell.snr
            yield count(found[name], truth=truth, gap=float(gap), cell=names, figure=name)

    def repeated(self, cell: Cell, rng: np.random.Generator) -> StateEstimate:
        """Return the estimates of all repetitions, each with its own gain and noise level."""
        clean = acquire(self.chain, cell.rho)
        noise = noise_for_snr(self.chain, self.experiment.sample, cell.snr)
        single = []
        for gain in 1 + GAIN_ERROR * rng.standard_normal(self.repetitions):
            fids = add_noise(gain * clean, noise, rng)
            level = noise_level(fids, self.chain)
            single.append(estimate_state(fids, self.response, level, method="linear-inversion"))
        return replace(
            single[0],
            rho=np.stack([one.rho for one in single]),
            linear=np.stack([one.linear for one in single]),
            covariance=np.stack([one.covariance for one in single]),
            chi2=np.stack([one.chi2 for one in single]),
            gap=np.stack([one.gap for one in single]),
        )
