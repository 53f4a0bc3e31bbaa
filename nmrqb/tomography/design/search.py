"""The smallest complete set of readouts, and the best one of a size."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from nmrqb.arguments import checked
from nmrqb.errors import ArgumentError
from nmrqb.operators import Complex, Real, pauli_strings
from nmrqb.sample import PulseModel, Sample
from nmrqb.tomography.combinations import names_of
from nmrqb.tomography.design.analysis import Design, design_of
from nmrqb.tomography.design.exchange import best, smallest
from nmrqb.tomography.design.sets import MAX_CONDITION, Criterion, Pool, check_criterion
from nmrqb.tomography.noise_level import NoiseLevel
from nmrqb.tomography.readout_words import Readout
from nmrqb.tomography.response import Chain, measurement_chain, seen_amplitudes

MAX_CANDIDATES = 1000
_MAX_SPINS = 6  # 3⁶ = 729 words


@dataclass(frozen=True, eq=False)
class Choice:
    """A set of readouts out of candidates.

    Attributes
    ----------
    readouts
        Names, in the order of the candidates.
    design
        What they see.
    criterion, figure
        What was made small, and its value: A is tr[(AᵀA)⁻¹], E the largest variance of a
        normalised combination, condition the condition number; of what the candidates together
        can see.  Infinite if the set does not see all of that.
    proven
        Whether no set of this size has a smaller figure, and, where the size was free, no smaller
        set sees as much.
    certificate
        How that is known, and what no set of these candidates sees.
    """

    readouts: tuple[str, ...]
    design: Design
    criterion: Criterion
    figure: float
    proven: bool
    certificate: str


def local_candidates(n: int) -> tuple[str, ...]:
    """Return all words of no pulse, 90° x and 90° y on each of n spins: II, IX, IY and so on.

    Raises
    ------
    ArgumentError
        If these 3ⁿ words are more than 1000, which is as many as are searched.
    """
    if n > _MAX_SPINS:
        raise ArgumentError(
            f"Argument `candidates` must be 1 to {MAX_CANDIDATES} readouts, but all words of {n} "
            f"spins are 3^{n}; name some"
        )
    return tuple(map("".join, itertools.product("IXY", repeat=n)))


def global_candidates(n: int) -> tuple[str, ...]:
    """Return no pulse, and 45° and 90° pulses about x and y that turn all n spins alike."""
    return ("I" * n, "45 x", "90 x", "45 y", "90 y")


@checked
def optimal_readouts(
    sample: Sample,
    candidates: Sequence[str | Readout] | None = None,
    size: int | None = None,
    *,
    observed: Sequence[str] | None = None,
    criterion: Criterion = "A",
    pulses: PulseModel = "ideal",
    seed: int = 0,
) -> Choice:
    """Return the best set of readouts of a size, or of the smallest size that sees everything.

    All lines are taken to have the same noise; `best_set` takes any chain and noise.

    Parameters
    ----------
    sample
        The spins.
    candidates
        Readouts, or words of `read_readout`; by default all local words of I, X, Y.
    size
        Number of readouts; by default the smallest that sees all that the candidates can.
    observed
        Nuclei of the channels that are observed, by default all.
    criterion
        ``A``, ``E`` or ``condition``, see `Choice`.
    pulses
        Ideal or finite readout pulses.
    seed
        Of the random starts of the exchange, where there are too many sets to visit.

    Raises
    ------
    ArgumentError
        If there are no candidates or more than 1000, the size is not between 1 and their number,
        or a candidate, a channel or the criterion makes no sense.
    """
    words = local_candidates(len(sample.spins)) if candidates is None else tuple(candidates)
    _check_count(len(words))
    chain = measurement_chain(sample, words, pulses=pulses, relaxation=False, observed=observed)
    return best_set(chain, size, criterion=criterion, seed=seed)


def _check_count(count: int) -> None:
    if not 1 <= count <= MAX_CANDIDATES:
        raise ArgumentError(
            f"Argument `candidates` must be 1 to {MAX_CANDIDATES} readouts, but are {count}"
        )


@checked
def best_set(
    chain: Chain,
    size: int | None = None,
    *,
    criterion: Criterion = "A",
    noise: Real | NoiseLevel | None = None,
    max_condition: float = MAX_CONDITION,
    seed: int = 0,
) -> Choice:
    """Return the best set of the readouts of a chain, see `optimal_readouts`.

    Parameters
    ----------
    chain
        A measurement of all candidates, with whatever pulses, relaxation and errors.
    size, criterion, seed
        As for `optimal_readouts`.
    noise
        Standard deviation of one quadrature of one FID point per channel, shape (channels,);
        by default every quadrature of every line has unit variance.
    max_condition
        Sets of a larger condition number do not count as seeing everything where the size is
        free, unless that of all candidates together is larger still.

    Raises
    ------
    ArgumentError
        As for `optimal_readouts`, or if the noise is not one positive number per channel.
    """
    check_criterion(criterion)
    count = len(chain.readouts)
    _check_count(count)
    if size is not None and not 1 <= size <= count:
        raise ArgumentError(
            f"Argument `size` must be between 1 and the number of candidates {count}, but is {size}"
        )
    bare = _rows(seen_amplitudes(chain)[..., 1:])
    rows = bare if noise is None else _whitened(chain, noise, bare)
    paulis = pauli_strings(int(chain.maps.shape[-1]).bit_length() // 2)[1:]
    whole = design_of(np.concatenate(rows), np.concatenate(bare), paulis)
    if not max_condition >= 1:
        raise ArgumentError(f"Argument `max_condition` must be ≥ 1, but is {max_condition}")
    pool = Pool(_visible(rows, whole), criterion, max_condition)
    found = smallest(pool, seed) if size is None else best(pool, size, seed)
    chosen = np.sort(found.members)
    design = design_of(np.concatenate(rows[chosen]), np.concatenate(bare[chosen]), paulis)
    return Choice(
        readouts=tuple(chain.readouts[k] for k in chosen),
        design=design,
        criterion=criterion,
        figure=float(pool.figures(chosen[None])[0]),
        proven=found.proven,
        certificate="; ".join([found.words, *_hidden(whole, count)]),
    )


def _rows(seen: Complex) -> Real:
    """Return real parts above imaginary parts: (R, lines, P) → (R, 2·lines, P)."""
    return np.concatenate([seen.real, seen.imag], axis=1)


def _whitened(chain: Chain, noise: Real | NoiseLevel, bare: Real) -> Real:
    level = NoiseLevel.of(noise).of_channels(len(chain.fits))
    covariance = _block_covariance(chain, level)
    return np.asarray(np.linalg.solve(np.linalg.cholesky(covariance), bare))


def _block_covariance(chain: Chain, level: Real) -> Real:
    """Return the covariance of the amplitudes of one readout, (2·lines, 2·lines)."""
    total = sum(len(fit) for fit in chain.fits)
    block, start = np.zeros((total, total), dtype=complex), 0
    for sigma, fit in zip(level, chain.fits, strict=True):
        own = slice(start, start + len(fit))
        block[own, own] = sigma**2 * fit @ fit.conj().T
        start += len(fit)
    return np.block([[block.real, -block.imag], [block.imag, block.real]])


def _visible(rows: Real, whole: Design) -> Real:
    """Return responses in coordinates of what the candidates see, Paulis where they suffice."""
    if whole.complete:
        return rows
    weights = np.diagonal(whole.unseen)
    plain = weights < 1e-9
    if plain.sum() == whole.rank:
        return rows[..., plain]
    sizes, axes = np.linalg.eigh(whole.unseen)
    return np.asarray(rows @ axes[:, sizes < 0.5])


def _hidden(whole: Design, count: int) -> list[str]:
    if whole.complete:
        return []
    return [
        f"no set of these {count} candidates sees {names_of(whole.invisible)}: together they have "
        f"rank {whole.rank} of {len(whole.paulis)}"
    ]
