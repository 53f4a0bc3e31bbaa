"""What a sample offers to design: two spins, σ_z⊗σ_z between them, and their offsets."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nmrqb.errors import ArgumentError
from nmrqb.operators import Real
from nmrqb.sample import Sample
from nmrqb.sample.hamiltonian import coupling_tensor
from nmrqb.sample.nuclei import relative_gyromagnetic_ratio

_NOTHING = 1e-12  # of the zz element: smaller ones are none
_ALIKE = 1e-9  # of the ratio of 1H: nuclei that differ by less are alike


@dataclass(frozen=True)
class Pair:
    """Two spins that couple by c σ_z⊗σ_z and are pulsed one by one.

    Attributes
    ----------
    sample
        The sample.
    coupling_hz
        c in Hz with its sign: J/4 for a scalar coupling.
    offsets_hz
        Offsets of the two spins from their carriers in Hz.
    """

    sample: Sample
    coupling_hz: float
    offsets_hz: tuple[float, float]

    @property
    def strength_hz(self) -> float:
        """|c| in Hz: what average Hamiltonians may have of a nuclear norm."""
        return abs(self.coupling_hz)

    @property
    def off_resonance(self) -> bool:
        """Whether an offset must be refocused."""
        return any(self.offsets_hz)

    @property
    def levels_hz(self) -> Real:
        """Diagonal of the drift H/2π in Hz, shape (4,)."""
        first, second = np.array([1, 1, -1, -1]), np.array([1, -1, 1, -1])
        offsets = self.offsets_hz[0] * first / 2 + self.offsets_hz[1] * second / 2
        return np.asarray(self.coupling_hz * first * second + offsets)


def pair_of(sample: Sample) -> Pair:
    """Return what a sample offers to the exact design for two spins.

    Raises
    ------
    ArgumentError
        If it has not two spins, they do not couple, or by more than σ_z⊗σ_z, or its spectrometer
        plays no time but multiples of a raster.
    """
    if len(sample.spins) != 2:
        raise _unfit(sample, f"must have two spins, but {{}} has {len(sample.spins)}")
    if sample.raster_s is not None:
        raise _unfit(
            sample,
            f"must leave times free, but {{}} has a raster of {sample.raster_s:g} s, on which no "
            "design is exact; design without it and round what was designed",
        )
    zz, rest = _coupling_hz(sample)
    if not zz:
        raise _unfit(sample, "must have a coupling of its two spins, but {} has none")
    if rest > _NOTHING * abs(zz):
        raise _unfit(
            sample,
            f"must couple its spins by IzSz alone (unlike nuclei, or truncation: weak), but {{}} "
            f"has {rest:.6g} Hz of other terms",
        )
    first, second = sample.spins
    return Pair(sample, zz / 4, (first.offset_hz, second.offset_hz))


def unlike_pair_of(sample: Sample) -> Pair:
    """Return what a sample offers to designs with gradients, see `pair_of`.

    Raises
    ------
    ArgumentError
        As for `pair_of`, or if the two precess alike in the field of a gradient.
    """
    pair = pair_of(sample)
    first, second = (abs(relative_gyromagnetic_ratio(spin.nucleus)) for spin in sample.spins)
    if abs(first - second) < _ALIKE:
        raise _unfit(
            sample,
            f"must have unlike nuclei, but {{}} has two of {sample.spins[0].nucleus}, whose "
            "zero-quantum coherence no gradient removes",
        )
    return pair


def couples_by_zz(sample: Sample) -> bool:
    """Return whether a sample has two spins and no coupling of them but σ_z⊗σ_z, if any."""
    if len(sample.spins) != 2:
        return False
    zz, rest = _coupling_hz(sample)
    return rest <= _NOTHING * abs(zz)


def _coupling_hz(sample: Sample) -> tuple[float, float]:
    """Return the zz element of the coupling of two spins, and the largest of all others."""
    first, second = sample.spins
    coupling = sample.coupling(first.label, second.label)
    tensor = coupling_tensor(coupling, like=first.nucleus == second.nucleus)
    zz = float(tensor[2, 2])
    return zz, float(np.abs(tensor - np.diag([0, 0, zz])).max())


def _unfit(sample: Sample, message: str) -> ArgumentError:
    return ArgumentError(f"Argument `sample` {message.format(repr(sample.name))}")
