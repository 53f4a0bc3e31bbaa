"""The nouns of a sample: spins, couplings, and the spectrometer's calibration."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Literal

from nmrqb.arguments import checked, checked_fields, refuse_nan
from nmrqb.errors import ArgumentError, nearest
from nmrqb.sample.relaxation import T1T2, Mechanism

Truncation = Literal["secular", "weak", "none"]
Tensor = tuple[tuple[float, float, float], tuple[float, float, float], tuple[float, float, float]]


@checked_fields
@dataclass(frozen=True)
class Spin:
    """A spin-1/2 nucleus as the spectrometer sees it.

    Attributes
    ----------
    label
        Name of the spin within its sample, say ``1H`` or ``C2``.
    nucleus
        Isotope, say ``13C``; spins of one nucleus share a channel.
    offset_hz
        Resonance offset ν from the carrier of the channel in Hz: H/2π = ν I_z.
    T1_s, T2_s
        Relaxation times in s; infinite where there is no relaxation.
    pulse_90_s
        Length of a 90° hard pulse in s, or None where only ideal pulses make sense.
    polarization
        ⟨σ_z⟩ of the effective state to which T1 leads, between −1 and 1; 0 means relaxation to
        the maximally mixed state (infinite temperature).
    """

    label: str
    nucleus: str
    offset_hz: float = 0.0
    T1_s: float = math.inf
    T2_s: float = math.inf
    pulse_90_s: float | None = None
    polarization: float = 0.0

    def __post_init__(self) -> None:
        refuse_nan(self)


@checked_fields
@dataclass(frozen=True)
class Coupling:
    """The coupling of two spins.

    Attributes
    ----------
    between
        Labels of the two spins.
    J_hz
        Scalar coupling in Hz: H/2π = J I·S (homonuclear) or J I_z S_z (heteronuclear).
    dipolar_hz
        Secular dipolar coupling d in Hz: H/2π = d(2 I_z S_z − I_x S_x − I_y S_y) between like
        spins, 2 d I_z S_z between unlike ones.
    tensor_hz
        Full coupling tensor T in Hz, H/2π = I·T·S before the secular approximation, or None.
    truncation
        What of the coupling acts: ``secular``, what commutes with the spin of every channel;
        ``weak``, I_z S_z alone, as between like spins of very different offsets; ``none``, all of
        it, as in a low field.
    """

    between: tuple[str, str]
    J_hz: float = 0.0
    dipolar_hz: float = 0.0
    tensor_hz: Tensor | None = None
    truncation: Truncation = "secular"

    def __post_init__(self) -> None:
        refuse_nan(self)


@checked_fields
@dataclass(frozen=True)
class Sample:
    """Spins and couplings of one molecule; the order of ``spins`` is the tensor order.

    Attributes
    ----------
    name, title
        Name in the library and one line for people.
    spins, couplings
        The spins in tensor order, and their couplings (absent pairs do not couple).
    field_tesla
        Static field in T, or None.
    raster_s
        Step in s of which the spectrometer plays whole multiples, or None where any time will do.
    relaxation
        Mechanisms that act besides T1 and T2 of the spins, which need not be listed.
    sources
        Where each number comes from.
    notes
        What else to know about the sample.
    sha256
        Hash of the file that was read, empty for a sample made in Python.
    """

    name: str
    spins: tuple[Spin, ...]
    couplings: tuple[Coupling, ...] = ()
    title: str = ""
    field_tesla: float | None = None
    raster_s: float | None = None
    relaxation: tuple[Mechanism, ...] = ()
    sources: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    notes: str = ""
    sha256: str = ""

    @property
    def labels(self) -> tuple[str, ...]:
        """Labels of the spins in tensor order."""
        return tuple(spin.label for spin in self.spins)

    @property
    def nuclei(self) -> tuple[str, ...]:
        """Distinct nuclei in the order of their first spin: the receiver channels."""
        return tuple(dict.fromkeys(spin.nucleus for spin in self.spins))

    @property
    def mechanisms(self) -> tuple[Mechanism, ...]:
        """All that relaxes the spins: T1 and T2 of each, and what ``relaxation`` adds."""
        return self.relaxation if T1T2() in self.relaxation else (T1T2(), *self.relaxation)

    @checked
    def index(self, label: str) -> int:
        """Return the tensor position of the spin called ``label``."""
        if label not in self.labels:
            raise ArgumentError(
                f"Argument `label` must name a spin of sample {self.name!r}, but is {label!r}; "
                f"{nearest(label, self.labels)}"
            )
        return self.labels.index(label)

    @checked
    def coupling(self, first: str, second: str) -> Coupling:
        """Return the coupling of two spins given by label; a zero coupling if there is none.

        Raises
        ------
        ArgumentError
            If the sample has no spin of that label, or the two are one and the same.
        """
        if self.index(first) == self.index(second):
            raise ArgumentError(f"Argument `second` must be another spin than {first!r}")
        pair = {first, second}
        found = (c for c in self.couplings if set(c.between) == pair)
        return next(found, Coupling((first, second)))
