"""Hamiltonians and start states of many points of a sweep at once."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

import numpy as np

from nmrqb.dynamics import gibbs, product_thermal
from nmrqb.experiment.format import ExperimentFormat
from nmrqb.experiment.loader import TWO_SPIN_TERMS
from nmrqb.operators import PAULI, Complex, Real, named_operator

_OPERATORS = {
    "D": "DM_z", "G": "KSEA_z", "Delta": "Delta", "epsilon": "epsilon", "B": "B",
}  # fmt: skip
_TEMPERATURE = "prepare.gibbs.temperature"
_FREQUENCY = "battery.frequency"
_STATE = re.compile(
    rf"battery\.({'|'.join(TWO_SPIN_TERMS)}|frequency)|prepare\.gibbs\.temperature"
    r"|prepare\.product\..+\.(frequency|temperature)"
)

Columns = Mapping[str, Real]


@cache
def _operators() -> Mapping[str, Complex]:
    return {term: named_operator(name) for term, name in _OPERATORS.items()}


def is_state_path(path: str) -> bool:
    """Tell whether a parameter acts on battery and start state alone, not on charging."""
    return _STATE.fullmatch(path) is not None


@dataclass(frozen=True)
class Recipe:
    """The numbers that make batteries and start states, by path, in Hz.

    Attributes
    ----------
    numbers
        Path to the value where it is not swept.
    labels
        Of the spins, in tensor order.
    """

    numbers: Mapping[str, float]
    labels: tuple[str, ...]

    @classmethod
    def of(cls, entry: ExperimentFormat, labels: tuple[str, ...]) -> Recipe:
        """Return the recipe of an experiment as its file says it."""
        battery, prepare = entry.battery, entry.prepare
        if battery.frequency is not None:
            numbers = {_FREQUENCY: battery.frequency}
        else:
            numbers = {f"battery.{term}": getattr(battery, term) for term in TWO_SPIN_TERMS}
        if prepare.gibbs is not None:
            numbers[_TEMPERATURE] = prepare.gibbs.temperature
        for label, spin in (prepare.product or {}).items():
            numbers[f"prepare.product.{label}.frequency"] = spin.frequency
            numbers[f"prepare.product.{label}.temperature"] = spin.temperature
        return cls(numbers, labels)

    def hamiltonians(self, columns: Columns, count: int) -> Complex:
        """Return H/2π in Hz of every point: (count, b, b)."""
        if _FREQUENCY in self.numbers:
            return np.asarray(self._column(_FREQUENCY, columns, count) * PAULI["Z"] / 2)
        terms = (
            self._column(f"battery.{term}", columns, count) * operator
            for term, operator in _operators().items()
        )
        return np.asarray(sum(terms))

    def states(self, columns: Columns, hamiltonians: Complex) -> Complex:
        """Return the start state of every point, with its battery (count, b, b): (count, d, d)."""
        count = len(hamiltonians)
        if _TEMPERATURE in self.numbers:
            temperatures = self._column(_TEMPERATURE, columns, count)[:, 0, 0]
            return gibbs(hamiltonians, temperatures, inverted=True)
        spins = [self._spin(label, columns, count) for label in self.labels]
        return product_thermal(
            np.stack([frequency for frequency, _ in spins], axis=-1),
            np.stack([temperature for _, temperature in spins], axis=-1),
            inverted=True,
        )

    def _spin(self, label: str, columns: Columns, count: int) -> tuple[Real, Real]:
        path = f"prepare.product.{label}"
        if f"{path}.frequency" not in self.numbers:
            return np.zeros(count), np.full(count, np.inf)
        frequency, temperature = (
            self._column(f"{path}.{name}", columns, count)[:, 0, 0]
            for name in ("frequency", "temperature")
        )
        return frequency, temperature

    def _column(self, path: str, columns: Columns, count: int) -> Real:
        values = columns.get(path, np.full(count, self.numbers[path]))
        return np.asarray(values)[:, None, None]
