"""Whether mechanisms of relaxation fit a sample, and the dephasing that pairs have in common."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from nmrqb.errors import nearest
from nmrqb.operators import Real
from nmrqb.sample.model import Sample, Spin
from nmrqb.sample.relaxation import (
    T1T2,
    DipolarCSA,
    LindbladOperator,
    Mechanism,
    PairCoherences,
)

_ROUNDING = 1e-9  # relative


@dataclass(frozen=True)
class Misfit:
    """What is wrong with one of several mechanisms.

    Attributes
    ----------
    index
        Which one.
    word
        The label or key that the message is about; empty for the whole mechanism.
    message
        What is wrong and what would be right.
    """

    index: int
    word: str
    message: str


def strangers(labels: Sequence[str], mechanisms: Iterable[Mechanism]) -> Iterator[Misfit]:
    """Yield the spins that mechanisms name and a sample with these labels lacks."""
    for index, mechanism in enumerate(mechanisms):
        for label in mechanism.labels:
            if label not in labels:
                message = f"there is no spin `{label}`; {nearest(label, labels)}"
                yield Misfit(index, label, message)


def misfits(sample: Sample, mechanisms: Sequence[Mechanism]) -> Iterator[Misfit]:
    """Yield everything for which mechanisms do not fit a sample."""
    unknown = [*strangers(sample.labels, mechanisms)]
    yield from unknown
    yield from _repeated(mechanisms)
    for index, mechanism in enumerate(mechanisms):
        match mechanism:
            case LindbladOperator():
                yield from _operator_misfits(index, mechanism, sample)
            case DipolarCSA() if not unknown:
                yield from _tumbling_misfits(index, mechanism, sample)
    if not unknown:
        yield from _pair_misfits(sample, mechanisms)


def _repeated(mechanisms: Sequence[Mechanism]) -> Iterator[Misfit]:
    seen: set[object] = set()
    for index, mechanism in enumerate(mechanisms):
        if isinstance(mechanism, T1T2 | PairCoherences):
            own = frozenset(mechanism.labels)
            what = f"the pair {', '.join(sorted(own))}" if own else "T1T2"
            if own in seen:
                yield Misfit(index, "", f"{what} stands twice; say it once")
            seen.add(own)


def _operator_misfits(index: int, mechanism: LindbladOperator, sample: Sample) -> Iterator[Misfit]:
    word, n = next(iter(mechanism.terms)), len(sample.spins)
    if mechanism.spins is None and len(word) != n:
        message = (
            f"`{word}` must have {n} letters, one for each spin of the sample, but has "
            f"{len(word)}; or name its `spins`"
        )
        yield Misfit(index, word, message)


def _tumbling_misfits(index: int, mechanism: DipolarCSA, sample: Sample) -> Iterator[Misfit]:
    first, second = (sample.spins[sample.index(label)] for label in mechanism.between)
    if sample.field_tesla is None:
        message = "its Larmor frequencies need the `field` of the sample, which has none"
        yield Misfit(index, "", message)
    if first.nucleus == second.nucleus and first.polarization != second.polarization:
        message = (
            f"{first.label} and {second.label} are both {first.nucleus} and relax together to one "
            f"polarization, but have {first.polarization:g} and {second.polarization:g}"
        )
        yield Misfit(index, "", message)


# ------------------------------------------------------------------------------ pairs of coherences
@dataclass(frozen=True, eq=False)
class PairDephasing:
    """Rates of the diagonal Lindblad operators behind pairs of coherences.

    Attributes
    ----------
    matrix
        G_kl in 1/s of ρ̇ = Σ_kl G_kl (σ_z^k ρ σ_z^l − ½{σ_z^l σ_z^k, ρ}), shape (n, n).
    products
        (k, l) to the rate γ_zz in 1/s of √γ_zz σ_z^k σ_z^l.
    """

    matrix: Real
    products: dict[tuple[int, int], float]

    @property
    def lowest(self) -> float:
        """The smallest of all rates and eigenvalues in 1/s; the map is positive where it is ≥ 0."""
        return min([*self.products.values(), float(np.linalg.eigvalsh(self.matrix).min())])


def pure_dephasing(spin: Spin) -> float:
    """Return κ = 1/T_φ = 1/T2 − 1/(2 T1) in 1/s, 0 or more."""
    return max(0.0, 1 / spin.T2_s - 1 / (2 * spin.T1_s))


def pair_dephasing(sample: Sample, pairs: Iterable[PairCoherences]) -> PairDephasing:
    """Return the dephasing by which T1 and T2 of all spins and the times of pairs come about.

    γ_zz = (κ + κ′ − (z + d)/2)/4 and G_kl = (d − z)/8 with z = R_ZQ − r, d = R_DQ − r; what is
    left of κ_k/2 for spin k alone is G_kk.  See `PairCoherences` for the symbols.

    Parameters
    ----------
    sample
        The spins.
    pairs
        Each pair once.
    """
    kappa = np.array([pure_dephasing(spin) for spin in sample.spins])
    matrix, products = np.diag(kappa / 2), {}
    for pair in pairs:
        k, l = (sample.index(label) for label in pair.between)  # noqa: E741
        zero, double = _excess(sample, pair)
        products[k, l] = float(kappa[k] + kappa[l] - (zero + double) / 2) / 4
        matrix[k, l] = matrix[l, k] = (double - zero) / 8
        matrix[k, k] -= products[k, l]
        matrix[l, l] -= products[k, l]
    return PairDephasing(matrix, products)


def _excess(sample: Sample, pair: PairCoherences) -> tuple[float, float]:
    """Return R_ZQ − r and R_DQ − r in 1/s."""
    r = _floor(sample, pair)
    return 1 / pair.T_ZQ_s - r, 1 / pair.T_DQ_s - r


def _floor(sample: Sample, pair: PairCoherences) -> float:
    spins = (sample.spins[sample.index(label)] for label in pair.between)
    return sum(1 / (2 * spin.T1_s) for spin in spins)


def _pair_misfits(sample: Sample, mechanisms: Sequence[Mechanism]) -> Iterator[Misfit]:
    pairs = {i: m for i, m in enumerate(mechanisms) if isinstance(m, PairCoherences)}
    found: list[Misfit] = []
    for index, pair in pairs.items():
        if T1T2() not in mechanisms:
            message = "pair coherences complete T1 and T2 of their spins; list `T1T2` too"
            found.append(Misfit(index, "", message))
        found += _range_misfits(index, pair, sample)
    yield from found
    if found or not pairs:
        return
    together = pair_dephasing(sample, pairs.values())
    scale = max(1 / spin.T2_s for spin in sample.spins)
    if together.lowest < -_ROUNDING * scale:
        labels = dict.fromkeys(label for pair in pairs.values() for label in pair.between)
        message = (
            f"these coherences of {', '.join(labels)} are possible pair by pair, but not together: "
            f"the dephasing they have in common would have the rate {together.lowest:.4g} /s"
        )
        yield Misfit(max(pairs), "", message)


def _range_misfits(index: int, pair: PairCoherences, sample: Sample) -> Iterator[Misfit]:
    r = _floor(sample, pair)
    kappa, other = (pure_dephasing(sample.spins[sample.index(s)]) for s in pair.between)
    zero, double = _excess(sample, pair)
    root, square = 2 * np.sqrt(kappa * other), (kappa - other) ** 2
    slack = _ROUNDING * (r + kappa + other)
    low, high = kappa + other - root, kappa + other + root
    if not low - slack <= zero <= high + slack:
        message = f"`T_ZQ` must be {_times(low + r, high + r)} with T1 and T2 of its spins"
        yield Misfit(index, "T_ZQ", f"{message}, but is {pair.T_ZQ_s:g} s")
        return
    low, high = square / zero if zero > 0 else 0.0, 2 * (kappa + other) - zero
    if not low - slack <= double <= max(low, high) + slack:
        message = f"with `T_ZQ` {pair.T_ZQ_s:g} s, `T_DQ` must be {_times(low + r, high + r)}"
        yield Misfit(index, "T_DQ", f"{message}, but is {pair.T_DQ_s:g} s")


def _times(slowest: float, fastest: float) -> str:
    """Return the range of times that rates in 1/s leave, as text."""
    if slowest <= 0:
        return f"at least {1 / fastest:.6g} s" if fastest > 0 else "left out"
    if fastest - slowest <= _ROUNDING * fastest:
        return f"{1 / fastest:.6g} s"
    return f"from {1 / fastest:.6g} s to {1 / slowest:.6g} s"
