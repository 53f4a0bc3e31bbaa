"""The nouns of an experiment: prepare → charge (→ extract) → measure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Literal, TypeAlias

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from nmrqb.battery import Battery
from nmrqb.dynamics import Distribution, Tabulated
from nmrqb.errors import Position
from nmrqb.operators import Complex, Real
from nmrqb.sample import Mechanism, PulseModel, Sample
from nmrqb.sequence import NO_ERRORS, PulseErrors, Sequence, Timeline
from nmrqb.tomography import Method, Readout


@dataclass(frozen=True, eq=False)
class Stage:
    """A designed step of an experiment: the sequence, and its events with the pulses of the run."""

    sequence: Sequence
    timeline: Timeline


@dataclass(frozen=True, eq=False)
class PreparationStage(Stage):
    """A designed preparation, played from thermal equilibrium.

    Attributes
    ----------
    scale
        k: without errors it makes the deviation k(dρ − 1), in the units of
        `nmrqb.dynamics.thermal_deviation`.  The effective state is (1 + δ/k)/d of what it makes.
    largest_scale
        The largest k that unitaries and gradients reach.
    """

    scale: float
    largest_scale: float


@dataclass(frozen=True)
class GibbsPreparation:
    """The Gibbs state of the battery Hamiltonian at k_B T/h = ``temperature_hz``.

    Attributes
    ----------
    temperature_hz
        Positive, or negative for an inverted state.
    stage
        What is played from thermal equilibrium to make it, or None: it is given.
    """

    temperature_hz: float
    stage: PreparationStage | None = None


@dataclass(frozen=True)
class ProductPreparation:
    """A product of one-spin Gibbs states of ν I_z: (ν, T) in Hz by tensor position.

    Spins that are not named are maximally mixed; T < 0 inverts the populations.
    """

    spins: Mapping[int, tuple[float, float]]


@dataclass(frozen=True, eq=False)
class DriveCharge:
    """Charging by H/2π = r Σ X_k with the battery's own Hamiltonian off.

    Attributes
    ----------
    rate_hz
        r in Hz: each spin turns by 4π r t.
    times_s
        Protocol times t, shape (T,).
    soft
        False: one hard pulse of the angle 4π r t at each t.  True: the drive lasts t, with all
        couplings and offsets on.
    """

    rate_hz: float
    times_s: Real
    soft: bool = False

    @property
    def points(self) -> int:
        """Number of times."""
        return int(self.times_s.size)


@dataclass(frozen=True, eq=False)
class HamiltonianCharge:
    """Charging by exp(−i2πHt), at each t by a sequence that makes this unitary exactly.

    Attributes
    ----------
    hamiltonian_hz
        H/2π in Hz, shape (4, 4).
    times_s
        Protocol times t, shape (T,).
    stages
        What is played at each of them, in the least time of any sequence.
    """

    hamiltonian_hz: Complex
    times_s: Real
    stages: tuple[Stage, ...]

    @property
    def points(self) -> int:
        """Number of times."""
        return int(self.times_s.size)

    @property
    def timelines(self) -> tuple[Timeline, ...]:
        """The events that are played at each time."""
        return tuple(stage.timeline for stage in self.stages)


@dataclass(frozen=True, eq=False)
class SequenceCharge:
    """Charging by cycles of a pulse sequence.

    Attributes
    ----------
    timeline
        The sequence, bound to the sample.
    cycles
        Numbers of passes, shape (T,).
    ideal
        The same sequence with ideal pulses, or None where that is what is played.
    """

    timeline: Timeline
    cycles: NDArray[np.int_]
    ideal: Timeline | None = None

    @property
    def points(self) -> int:
        """Number of times."""
        return int(self.cycles.size)


Charge: TypeAlias = DriveCharge | SequenceCharge | HamiltonianCharge


@dataclass(frozen=True)
class ReceiverErrors:
    """What the receiver does to FIDs and the estimator does not know.

    Attributes
    ----------
    gain, phase_rad
        Relative error of the gain and error of the phase in rad, by nucleus.
    offset
        Constant in all FIDs over the largest signal of one spin.
    imbalance, skew
        Of the two quadratures, see `nmrqb.spectrometer.FrontEnd`; the skew in rad.
    digitiser_bits
        None for a digitiser that rounds nothing.
    full_scale
        What it holds over the largest signal of a pure state with five standard deviations of
        the noise.
    """

    gain: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({}))
    phase_rad: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({}))
    offset: float = 0.0
    imbalance: float = 0.0
    skew: float = 0.0
    digitiser_bits: int | None = None
    full_scale: float = 1.0


@dataclass(frozen=True)
class Noise:
    """What is not ideal.

    Attributes
    ----------
    relaxation
        What acts, during pulses too: True for all that the sample declares (T1 and T2 of every
        spin among it), False for nothing, or the mechanisms.
    pulses
        ``ideal`` or ``finite`` pulses, for charging and readout alike.
    b1_inhomogeneity
        Relative standard deviation of the rf amplitude over the sample.
    b1_distribution
        ``gaussian``, ``uniform``, or a measured profile in place of the deviation.
    b0
        Spread of the static field in Hz of 1H, or None.
    J_spread
        Relative standard deviation of all scalar couplings together, normally distributed.
    pulse_errors
        What the transmitter makes of all pulses, of charging and readout alike.  The estimator
        knows it of the readout, as it knows the spreads.  Radiation damping is left out.
    receiver
        What the receiver does to FIDs, unknown to the estimator.
    equilibrium
        Deviation X of the state (1 + X)/d to which relaxation leads before the readout, shape
        (d, d); None for what the mechanisms lead to.
    """

    relaxation: bool | tuple[Mechanism, ...] = True
    pulses: PulseModel = "ideal"
    b1_inhomogeneity: float = 0.0
    b1_distribution: Literal["gaussian", "uniform"] | Tabulated = "gaussian"
    b0: Distribution | None = None
    J_spread: float = 0.0
    pulse_errors: PulseErrors = NO_ERRORS
    receiver: ReceiverErrors = field(default_factory=ReceiverErrors)
    equilibrium: Complex | None = None

    def mechanisms(self, sample: Sample) -> tuple[Mechanism, ...]:
        """Return the mechanisms of relaxation that act on a sample."""
        if isinstance(self.relaxation, bool):
            return sample.mechanisms if self.relaxation else ()
        return self.relaxation


@dataclass(frozen=True)
class Measurement:
    """How the state is measured and estimated.

    Attributes
    ----------
    readouts
        What is played before the FIDs, each observed on every channel: words of
        `nmrqb.tomography.read_readout`, or readouts that are bound to the sample.
    snr, scans
        Signal-to-noise ratio of one scan, and number of scans.
    estimator
        One of `nmrqb.tomography.METHODS`, with its usual settings.
    confidence, replicas
        Nominal coverage of the intervals, number of bootstrap replicas.
    gain_error
        Relative standard deviation of the scale of all FIDs of a run, which is not calibrated.
    points, spectral_width_hz, dead_time_s
        Digitisation; a width of None is eight times the highest line offset.
    phase_cycle
        ``cyclops``: scans go through four phases of all pulses and the receiver.
    integration_window_hz
        Half width of the integrals round every line in Hz, or None for a fit in the time domain.
    reference_scans
        Scans of the reference that gains and phases are calibrated with; 0 for none.
    noise_level
        Whether the estimator is given the noise level, or measures it on the FIDs.
    direct_work
        Whether the unitary that the estimate suggests is applied, and the energy measured again
        with as many scans.
    """

    readouts: tuple[str | Readout, ...]
    snr: float
    scans: int = 1
    estimator: Method = "maximum-likelihood"
    confidence: float = 0.95
    replicas: int = 400
    gain_error: float = 0.0
    points: int = 2048
    spectral_width_hz: float | None = None
    dead_time_s: float = 0.0
    phase_cycle: Literal["none", "cyclops"] = "none"
    integration_window_hz: float | None = None
    reference_scans: int = 0
    noise_level: Literal["known", "measured"] = "known"
    direct_work: bool = False

    @property
    def readout_names(self) -> tuple[str, ...]:
        """What the readouts are called in tables."""
        return tuple(r if isinstance(r, str) else r.name for r in self.readouts)


@dataclass(frozen=True, eq=False)
class Experiment:
    """A protocol, bound to its sample and sequence and ready to run.

    Attributes
    ----------
    name, title, notes
        Name in the library, one line for people, what to know about it.
    sample, battery
        The spins, and the battery Hamiltonian whose figures of merit are wanted.
    prepare, charge, noise, measure
        The steps.
    report
        Figures of merit to estimate, see `FIGURES`.
    extract
        Whether the sequence is played that extracts the ergotropy of the ideal charged state.
    seed
        Seed that the file fixes, or None.
    inputs_sha256
        Hashes of the files that were read, by name.
    overrides
        ``--set`` values by path.
    places
        Where the file gives what may turn out unusable only when it is run, by argument.
    """

    name: str
    title: str
    sample: Sample
    battery: Battery
    prepare: GibbsPreparation | ProductPreparation
    charge: Charge
    noise: Noise
    measure: Measurement
    report: tuple[str, ...]
    extract: bool = False
    notes: str = ""
    seed: int | None = None
    inputs_sha256: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    overrides: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    places: Mapping[str, Position] = field(
        default_factory=lambda: MappingProxyType({}), compare=False, repr=False
    )

    @property
    def preparation(self) -> PreparationStage | None:
        """What is played to prepare, or None where the state is given."""
        return self.prepare.stage if isinstance(self.prepare, GibbsPreparation) else None

    @property
    def designed(self) -> bool:
        """Whether a step of it is played by a sequence that was designed for it."""
        charged = isinstance(self.charge, HamiltonianCharge)
        return charged or self.extract or self.preparation is not None


@dataclass(frozen=True, eq=False, repr=False)
class Result:
    """What an experiment yields.

    Attributes
    ----------
    experiment
        What was run.
    seed
        Seed of every random number in it.
    data
        Labelled arrays; every variable carries ``units`` and ``long_name``.
    notes
        Sentences that a reader of the numbers must know.
    provenance
        Versions and input hashes.
    """

    experiment: Experiment
    seed: int
    data: xr.Dataset
    notes: tuple[str, ...]
    provenance: Mapping[str, Any]

    def __repr__(self) -> str:
        points = self.data.sizes["time"]
        return f"<Result of {self.experiment.name}: {points} points, seed {self.seed}>"
