"""What a coverage study counts, and what it asks of it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.stats import binomtest

from nmrqb.operators import Real
from nmrqb.tomography import Interval

LEAST, MOST = 0.92, 0.98
"""Coverage asked of nominal 95 % intervals; the second where no boundary and no kink is near."""

_RESOLVED = 3.0  # standard deviations: a gap or a value that is clearly not zero
_ZERO = 1e-9
_CLAIMS, _LEVEL = 0.05, 0.01
_MANY, _GRANTED = 1600, 2.33
_UNBIASED = 2.0  # standard errors, pooled over the cells of the maximally mixed state


@dataclass(frozen=True)
class CoverageRow:
    """One figure of merit in one cell: battery, state, signal-to-noise ratio.

    Attributes
    ----------
    battery, state, snr, figure
        The cell and the figure; energies are in units of ‖H‖.
    repetitions
        Number of simulated experiments.
    truth
        Figure of the true state.
    gap
        Smallest gap of the true spectrum (smallest modulus, for l1) over its standard deviation.
    error
        Standard deviation of the plug-in value.
    below, above
        Numbers of intervals that lie wholly below and wholly above the truth.
    claims
        Number of intervals that exclude zero.
    width
        Median width.
    raw_bias, value_bias
        Mean of plug-in and of corrected value less the truth.
    bound_misses
        Numbers of lower and of upper bounds on the wrong side of the truth.
    thinned_bias, thinned_error
        Mean of the thinned value less the truth, and its standard error.
    """

    battery: str
    state: str
    snr: float
    figure: str
    repetitions: int
    truth: float
    gap: float
    error: float
    below: int
    above: int
    claims: int
    width: float
    raw_bias: float
    value_bias: float
    bound_misses: tuple[int, int]
    thinned_bias: float
    thinned_error: float

    @property
    def coverage(self) -> float:
        """Share of the intervals that hold the truth."""
        return 1 - (self.below + self.above) / self.repetitions

    @property
    def coverage_error(self) -> float:
        """Binomial standard error of the coverage, that of the nominal 95 % at least."""
        p = min(self.coverage, 0.95)
        return float(np.sqrt(p * (1 - p) / self.repetitions))

    @property
    def resolved(self) -> bool:
        """Whether no kink is within three standard deviations."""
        return self.gap > _RESOLVED

    @property
    def inside(self) -> bool:
        """Whether neither a kink nor the boundary zero is within three standard deviations."""
        return self.resolved and abs(self.truth) > _RESOLVED * self.error

    @property
    def vanishing(self) -> bool:
        """Whether the figure is zero."""
        return abs(self.truth) <= _ZERO

    def faults(self) -> list[str]:
        """Return what the row falls short of; few repetitions are granted a binomial error."""
        allowance = 0.0 if self.repetitions >= _MANY else _GRANTED * self.coverage_error
        claims = binomtest(self.claims, self.repetitions, _CLAIMS, alternative="greater").pvalue
        plug_in, corrected = abs(self.raw_bias), abs(self.value_bias)
        found = {
            f"covers less than {LEAST:g}": self.coverage < LEAST - allowance,
            f"covers more than {MOST:g}": self.inside and self.coverage > MOST + allowance,
            "claims too much": self.vanishing and claims < _LEVEL,
            "value is biased": self.resolved and corrected > max(plug_in / 4, self.width / 10),
            "value keeps the bias": self.state == MIXED and corrected > 0.6 * plug_in,
        }
        return [fault for fault, is_so in found.items() if is_so]


MIXED = "mixed"


def count(
    found: Interval, *, truth: float, gap: float, cell: tuple[str, str, float], figure: str
) -> CoverageRow:
    """Return the row of a figure from its intervals in repeated experiments, all of shape (N,)."""
    thinned = found.thinned - truth
    return CoverageRow(
        *cell,
        figure=figure,
        repetitions=len(found.raw),
        truth=truth,
        gap=gap,
        error=float(found.raw.std()),
        below=_number(truth - found.high),
        above=_number(found.low - truth),
        claims=int(np.sum(found.significant)),
        width=float(np.median(found.high - found.low)),
        raw_bias=float(found.raw.mean()) - truth,
        value_bias=float(found.value.mean()) - truth,
        bound_misses=(_number(found.lower_bound - truth), _number(truth - found.upper_bound)),
        thinned_bias=float(thinned.mean()),
        thinned_error=float(thinned.std() / np.sqrt(thinned.size)),
    )


def _number(excess: Real) -> int:
    return int(np.sum(excess > _ZERO))


def pooled(rows: Sequence[CoverageRow]) -> CoverageRow:
    """Return the row of all repetitions of a cell from those of its seeds."""
    n = len(rows)

    def mean(name: str) -> float:
        return float(np.mean([getattr(row, name) for row in rows]))

    lower, upper = zip(*(row.bound_misses for row in rows), strict=True)
    return replace(
        rows[0],
        repetitions=sum(row.repetitions for row in rows),
        error=mean("error"),
        below=sum(row.below for row in rows),
        above=sum(row.above for row in rows),
        claims=sum(row.claims for row in rows),
        width=mean("width"),
        raw_bias=mean("raw_bias"),
        value_bias=mean("value_bias"),
        bound_misses=(sum(lower), sum(upper)),
        thinned_bias=mean("thinned_bias"),
        thinned_error=mean("thinned_error") / np.sqrt(n),
    )


def thinned_faults(rows: Iterable[CoverageRow]) -> list[str]:
    """Return which figures' thinned values are biased at the maximally mixed state, cells pooled.

    There the truth is known to be what they estimate, so that they must be unbiased.
    """
    scores: dict[str, list[float]] = {}
    for row in rows:
        if row.state == MIXED:
            score = row.thinned_bias / row.thinned_error
            scores.setdefault(row.figure, []).append(score)
    sums = {name: sum(s) / np.sqrt(len(s)) for name, s in scores.items()}
    return [
        f"thinned {name} is {z:+.1f} standard errors from zero at the maximally mixed state"
        for name, z in sums.items()
        if abs(z) > _UNBIASED
    ]
