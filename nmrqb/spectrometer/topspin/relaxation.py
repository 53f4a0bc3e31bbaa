"""The time between scans, and what of thermal equilibrium comes back in it."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from nmrqb.dynamics import dissipation_of
from nmrqb.errors import ArgumentError
from nmrqb.operators import PAULI, dagger, embed
from nmrqb.sample import Sample

FULL_RECOVERY = 5.0
"""Times T1 after which 1 − exp(−5) = 0.993 of equilibrium is back."""

GUESS_S = 5.0
"""Time between scans in s where no T1 is known."""

_SAME = 1e-9


@dataclass(frozen=True, eq=False)
class RelaxationDelay:
    """d1, and what it is good for.

    Attributes
    ----------
    delay_s
        Time between scans in s.
    T1_s
        Label of a spin to its T1 in s; infinite where the sample does not say it.
    """

    delay_s: float
    T1_s: Mapping[str, float]

    @property
    def unknown(self) -> tuple[str, ...]:
        """Labels of the spins whose T1 the sample does not say."""
        return tuple(label for label, T1 in self.T1_s.items() if not math.isfinite(T1))

    @property
    def longest(self) -> str | None:
        """Label of the spin of the longest T1 that is known, the first of several."""
        known = [label for label in self.T1_s if label not in self.unknown]
        return max(known, key=lambda label: self.T1_s[label]) if known else None

    @property
    def recovered(self) -> Mapping[str, float | None]:
        """Label of a spin to 1 − exp(−d1/T1), after a 90° pulse; None where T1 is not known."""
        return {
            label: None if label in self.unknown else 1 - math.exp(-self.delay_s / T1)
            for label, T1 in self.T1_s.items()
        }

    @property
    def saturates(self) -> bool:
        """Whether it is shorter than five times the longest T1 that is known."""
        if self.longest is None:
            return False
        return self.delay_s < FULL_RECOVERY * self.T1_s[self.longest] * (1 - _SAME)

    @property
    def meaning(self) -> str:
        """What stands beside d1 in a program."""
        if self.longest is None:
            return "time between scans; no T1 is known"
        T1 = self.T1_s[self.longest]
        times, of = self.delay_s / T1, f"{T1:g} s of {self.longest}"
        return f"time between scans: {times:.3g} times the longest known T1, {of}"

    def warnings(self) -> Iterator[str]:
        """Yield what is wrong with it: scans that saturate, and T1 that are not known."""
        if self.saturates:
            shares = ", ".join(
                f"{label} {share:.4f} (T1 {self.T1_s[label]:g} s)"
                for label, share in self.recovered.items()
                if share is not None
            )
            yield (
                f"d1 = {self.delay_s:g} s is less than {FULL_RECOVERY:g} T1: all scans but the "
                f"first saturate, and the prediction is for equilibrium; 1 - exp(-d1/T1), what is "
                f"back after a 90 degree pulse: {shares}"
            )
        if self.unknown:
            yield (
                f"T1 of {', '.join(self.unknown)} is not known; d1 = {self.delay_s:g} s may be too "
                f"short: make it {FULL_RECOVERY:g} times the longest T1"
            )


def relaxation_delay(sample: Sample, delay_s: float | None = None) -> RelaxationDelay:
    """Return the time between scans: five times the longest T1 that is known, or what is given.

    Parameters
    ----------
    sample
        The spins and what relaxes them.
    delay_s
        What is given, in s.

    Raises
    ------
    ArgumentError
        If it is not positive and finite.

    Notes
    -----
    T1 is that of ⟨I_z⟩ of a spin by all mechanisms of the sample, what other spins hand over left
    out: Σ_m ‖[L_m, σ_z]‖²/(2d) = 1/T1 for Lindblad operators L_m.
    """
    if delay_s is not None and not 0 < delay_s < math.inf:
        raise ArgumentError(f"Argument `relaxation_delay_s` must be positive, but is {delay_s}")
    times = dict(zip(sample.labels, _longitudinal_times(sample), strict=True))
    known = [T1 for T1 in times.values() if math.isfinite(T1)]
    default = FULL_RECOVERY * max(known) if known else GUESS_S
    return RelaxationDelay(default if delay_s is None else delay_s, times)


def _longitudinal_times(sample: Sample) -> list[float]:
    rates = np.zeros(len(sample.spins))
    for part in dissipation_of(sample, True).parts:
        for place, spin in enumerate(part.spins):
            L, z = part.operators, embed(PAULI["Z"], place, len(part.spins))
            moved = L @ z - z @ L
            rates[spin] += np.einsum("mij,mji->", moved, dagger(moved)).real / (2 * L.shape[-1])
    return [1 / rate if rate > 0 else math.inf for rate in rates.tolist()]
