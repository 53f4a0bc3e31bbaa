"""The file format ``nmrqb-experiment/1``."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    Strict,
    model_validator,
)

from nmrqb.experiment.noise_format import NoiseFormat
from nmrqb.experiment.sweep_format import SweepFormat
from nmrqb.formats import (
    Count,
    Entry,
    Expression,
    Frequency,
    PlainName,
    Ratio,
    Time,
    shown,
    within,
)

ReportName = Literal[
    "ergotropy",
    "anti_ergotropy",
    "capacity",
    "energy",
    "coherence_l1",
    "coherence_l1_computational",
]


def _usual_report() -> list[ReportName]:
    return ["ergotropy", "anti_ergotropy", "capacity", "coherence_l1"]


def _not_zero(value: float) -> float:
    if value == 0:
        raise ValueError(
            f"must not be {value:g}: a Gibbs state has a positive (thermal) or negative (inverted) "
            "temperature; give for example 1 Hz for nearly the ground state"
        )
    return value


def _some_figure(value: object) -> object:
    if value == []:
        raise ValueError("must name at least one figure, say [ergotropy], but is []")
    return value


def _readout_list(value: object) -> object:
    if isinstance(value, str):
        listed = ", ".join(word.strip() for word in value.strip("[] ").split(","))
        raise ValueError(f"must be a list, say [{listed}], but is {shown(value)}")  # noqa: TRY004
    return value


def _readout_word(value: object) -> object:
    if isinstance(value, dict) and len(value) == 1:
        ((target, rest),) = value.items()
        raise ValueError(f"must be text; put it in quotes: '{target}: {rest}'")
    return value


def _at_least(lowest: int, highest: int = 10**6) -> AfterValidator:
    def check(value: int) -> int:
        if not lowest <= value <= highest:
            raise ValueError(f"must be from {lowest} to {highest}, but is {value}")
        return value

    return AfterValidator(check)


MAX_REPLICAS = 10_000
"""Most bootstrap replicas behind an interval."""

_POSITIVE = within("must be positive", lambda value: value > 0)
_SNR = within("must be from 1e-6 to 1e15", lambda value: 1e-6 <= value <= 1e15)
_SHARE = within("must be from 0 % to 50 %", lambda value: 0 <= value <= 0.5)
_PROBABILITY = within(
    "must be between 0 % and 100 %, for example 95 %", lambda value: 0 < value < 1
)
Temperature = Annotated[Frequency, AfterValidator(_not_zero)]


class TermsFormat(Entry):
    """Terms of a two-spin Hamiltonian H/2π; absent terms are 0."""

    D: Frequency = Field(0.0, description="DM constant D of D(XY−YX), with a unit: 20 Hz.")
    G: Frequency = Field(0.0, description="KSEA constant G of G(XY+YX), with a unit: 5 Hz.")
    Delta: Frequency = Field(0.0, description="Axial dipolar constant Δ, with a unit.")
    epsilon: Frequency = Field(0.0, description="Rhombic dipolar constant ε, with a unit.")
    B: Frequency = Field(0.0, description="Zeeman constant B of B(ZI+IZ), with a unit.")


class BatteryFormat(TermsFormat):
    """The battery Hamiltonian: two-spin terms, or the Zeeman energy of one spin."""

    spin: str | None = Field(None, description="Label of the spin that alone is the battery.")
    frequency: Frequency | None = Field(
        None, description="ν of the one-spin battery H/2π = ν I_z, with a unit; needs `spin`."
    )


class GibbsFormat(Entry):
    """A Gibbs state of the battery Hamiltonian."""

    temperature: Temperature = Field(description="k_B T/h with a unit; negative is inverted.")
    by: Literal["ideal", "sequence"] = Field(
        "ideal",
        description="How it is made. ideal: it is given. sequence: pulses, J and a crusher make it "
        "of thermal equilibrium, with the pulses, errors and relaxation of `noise`, T1 leading "
        "back to equilibrium; figures of merit are of the effective state (1 + δ/k)/4 of the "
        "deviation δ that comes out, k the scale at which the sequence makes the Gibbs state.",
    )


class SpinGibbsFormat(Entry):
    """A Gibbs state of one spin with H/2π = ν I_z."""

    frequency: Frequency = Field(description="ν with a unit: |0⟩ is the excited state for ν > 0.")
    temperature: Temperature = Field(description="k_B T/h with a unit; negative is inverted.")


def _not_empty(spins: dict[str, SpinGibbsFormat]) -> dict[str, SpinGibbsFormat]:
    if not spins:
        raise ValueError("must name at least one spin, but names none")
    return spins


class PrepareFormat(Entry):
    """The state before charging: exactly one of `gibbs` and `product`."""

    gibbs: GibbsFormat | None = Field(None, description="Gibbs state of the battery Hamiltonian.")
    product: Annotated[dict[str, SpinGibbsFormat], AfterValidator(_not_empty)] | None = Field(
        None, description="One-spin Gibbs states by label; other spins are maximally mixed."
    )

    @model_validator(mode="after")
    def _one(self) -> PrepareFormat:
        if (self.gibbs is None) == (self.product is None):
            held = "both" if self.gibbs else "neither"
            raise ValueError(f"must hold exactly one of gibbs and product, but holds {held}")
        return self


class TimesFormat(Entry):
    """Equally spaced protocol times."""

    start: Time = Field(0.0, description="First time with a unit.")
    stop: Time = Field(description="Last time with a unit.")
    points: Annotated[Count, _at_least(1, 100_000)] = Field(description="Number of times.")

    @model_validator(mode="after")
    def _forward(self) -> TimesFormat:
        if not 0 <= self.start <= self.stop:
            raise ValueError(
                f"must run forward from 0 or later, but go from {self.start:g} s to {self.stop:g} s"
            )
        if (self.points == 1) != (self.start == self.stop):
            raise ValueError(
                "must have one point where `start` = `stop`, and only there, but have "
                f"{self.points} from {self.start:g} s to {self.stop:g} s"
            )
        return self


class CyclesFormat(Entry):
    """Numbers of passes of a sequence: start, start + step, … up to stop."""

    start: Annotated[Count, _at_least(0)] = Field(0, description="First number of passes.")
    stop: Annotated[Count, _at_least(0)] = Field(description="Last number of passes.")
    step: Annotated[Count, _at_least(1)] = Field(1, description="Step between numbers.")

    @model_validator(mode="after")
    def _forward(self) -> CyclesFormat:
        if self.start > self.stop:
            raise ValueError(f"must run forward, but go from {self.start} to {self.stop}")
        return self


class HamiltonianFormat(TermsFormat):
    """A charging Hamiltonian H/2π of two spins; absent terms are 0."""

    drive_x: Frequency = Field(0.0, description="Rate r of the drive r(XI+IX), with a unit.")


class ChargeFormat(Entry):
    """How the battery is charged: by `drive`, by `hamiltonian` or by `sequence`."""

    drive: Literal["x"] | None = Field(None, description="Drive H/2π = rate·(XI + IX).")
    rate: Frequency | None = Field(None, description="Rate of the drive with a unit: 50 Hz.")
    how: Literal["hard", "soft"] = Field(
        "hard",
        alias="as",
        description="hard: one hard pulse at each time; soft: the drive lasts, all couplings on; "
        "its rate is at most that at which the pulses of the sample's 90° times turn every spin.",
    )
    hamiltonian: HamiltonianFormat | None = Field(
        None,
        description="Charging by exp(−i2πHt): at each time t a sequence of pulses and J is "
        "designed that makes this unitary exactly and in the least time, and played with the "
        "pulses, errors and relaxation of `noise`. It needs two spins that couple by IzSz.",
    )
    times: TimesFormat | None = Field(
        None, description="Protocol times of the drive or Hamiltonian."
    )
    sequence: str | None = Field(None, description="Shipped sequence or file to charge with.")
    parameters: dict[str, Expression] = Field(
        default_factory=dict, description="Parameters of the sequence that differ from its own."
    )
    spins: dict[str, str] = Field(
        default_factory=dict, description="Role of the sequence to label of a spin."
    )
    cycles: CyclesFormat | None = Field(None, description="Numbers of passes of the sequence.")

    @model_validator(mode="after")
    def _one(self) -> ChargeFormat:
        given = {name for name in self.model_fields_set if getattr(self, name) is not None}
        by_drive, by_sequence = {"drive", "rate", "times"}, {"sequence", "cycles"}
        if given == {"hamiltonian", "times"}:
            return self
        if "drive" in given and by_drive <= given <= by_drive | {"how"}:
            return self
        if "sequence" in given and by_sequence <= given <= by_sequence | {"parameters", "spins"}:
            return self
        held = ", ".join(sorted("as" if name == "how" else name for name in given)) or "nothing"
        raise ValueError(
            "must hold either drive, rate, times (and as), or hamiltonian, times, or sequence, "
            f"cycles (and parameters, spins), but holds {held}"
        )


class MeasureFormat(Entry):
    """How the state is measured and estimated."""

    readouts: Annotated[
        list[Annotated[str, BeforeValidator(_readout_word)]], BeforeValidator(_readout_list)
    ] = Field(
        description="What is played before each FID: one letter I, X or Y per spin (IX: 90° x on "
        "the second); steps with ' - ' between them, each such letters, a pulse (45 -y, or in "
        "quotes '1H: 90 x'), a delay (2 ms) or crush; or a sequence, shipped or a file, up to its "
        "acquire.",
        examples=[["II", "IX", "IY", "XX"], ["II", "XX - 2 ms - 45 -y", "readout_XX"]],
    )
    snr: Annotated[Ratio, _SNR] = Field(
        description="Largest line of a pure state over the noise of a fitted line, one scan."
    )
    scans: Annotated[Count, _at_least(1)] = Field(1, description="Scans that are added up.")
    estimator: Literal[
        "maximum-likelihood",
        "linear-inversion",
        "projected-least-squares",
        "hedged",
        "maximum-entropy",
        "bayesian",
    ] = Field(
        "maximum-likelihood",
        description="How the density matrix is estimated: the most likely state; generalised least "
        "squares, not always positive; the state nearest to that; likelihood times the root of "
        "the determinant, of full rank; the most mixed state in the 95 % region; the posterior "
        "mean under the Hilbert–Schmidt prior (takes seconds). Intervals are the same for all.",
    )
    confidence: Annotated[Ratio, _PROBABILITY] = Field(
        0.95, description="Nominal coverage of the intervals, say 95 %."
    )
    replicas: Annotated[Count, _at_least(50, MAX_REPLICAS)] = Field(
        400, description="Bootstrap replicas behind the intervals."
    )
    gain_error: Annotated[Ratio, _SHARE] = Field(
        0.0, description="Relative standard deviation of the scale of all FIDs, say 1 %."
    )
    points: Annotated[Count, _at_least(16, 2**20)] = Field(
        2048, description="Complex points of an FID."
    )
    spectral_width: Annotated[Frequency, _POSITIVE] | None = Field(
        None, description="Spectral width with a unit; by default it holds all lines."
    )
    dead_time: Time = Field(0.0, description="Time between readout pulse and first point.")
    phase_cycle: Literal["none", "cyclops"] = Field(
        "none",
        description="cyclops: the scans go through 0°, 90°, 180°, 270° of all pulses and the "
        "receiver, which cancels offset and images of the receiver over four scans.",
    )
    integration_window: Annotated[Frequency, _POSITIVE] | None = Field(
        None,
        description="Half width, with a unit, of the integrals round every line of the spectrum; "
        "by default lines are fitted in the time domain.",
    )
    reference_scans: Annotated[Count, _at_least(0)] = Field(
        0,
        description="Scans of thermal equilibrium after 90° pulses, from which the gain and phase "
        "of every channel are calibrated; 0 for none.",
    )
    noise_level: Literal["known", "measured"] = Field(
        "known",
        description="known: the estimator is given the noise level; measured: it finds it from "
        "what no spin can make of an FID, and intervals follow Student's distribution.",
    )
    direct_work: Annotated[bool, Strict()] = Field(
        False,
        description="true: the unitary that makes the estimated state passive is applied, and the "
        "energy measured again with as many scans: extracted work beside the ergotropy.",
    )


class SpinOverrideFormat(Entry):
    """What differs from the sample's own values for one spin."""

    offset: Expression | None = Field(None, description="Resonance offset with a unit.")
    T1: Expression | None = Field(None, description="Longitudinal relaxation time with a unit.")
    T2: Expression | None = Field(None, description="Transverse relaxation time with a unit.")
    pulse_90: Expression | None = Field(None, description="Length of a 90° pulse with a unit.")
    polarization: Expression | None = Field(None, description="⟨σ_z⟩ to which T1 leads.")


class ExperimentFormat(Entry):
    """A quantum-battery experiment: prepare, charge (and extract), measure."""

    format: Literal["nmrqb-experiment/1"] = Field(description="Name and version of this format.")
    name: PlainName | None = Field(None, description="Short name; the name of the file by default.")
    title: str = Field("", description="One line for people.")
    notes: str = Field("", description="What else to know about the experiment.")
    sample: str = Field(description="Shipped sample or file.")
    sample_overrides: dict[str, SpinOverrideFormat] = Field(
        default_factory=dict, description="By label of a spin: what differs from the sample."
    )
    battery: BatteryFormat = Field(description="Battery Hamiltonian H/2π on Pauli strings.")
    prepare: PrepareFormat = Field(description="State before charging.")
    charge: ChargeFormat = Field(description="How the battery is charged.")
    extract: Annotated[bool, Strict()] = Field(
        False,
        description="true: after charging the designed sequence is played, with the pulses, errors "
        "and relaxation of `noise`, that extracts the ergotropy of the ideal charged state (ideal "
        "Gibbs state and charging), known before anything is measured; the energy is measured "
        "before and after it with as many scans each. `measure.direct_work` extracts by the ideal "
        "unitary of the estimated state instead.",
    )
    noise: NoiseFormat = Field(default_factory=NoiseFormat, description="What is not ideal.")
    measure: MeasureFormat = Field(description="How the state is measured and estimated.")
    report: Annotated[list[ReportName], BeforeValidator(_some_figure)] = Field(
        default_factory=_usual_report,
        min_length=1,
        description="Figures of merit to estimate.",
    )
    sweep: SweepFormat | None = Field(
        None, description="Map of parameters that `nmrqb sweep` makes; `nmrqb run` ignores it."
    )
    seed: Annotated[Count, _at_least(0, 2**63 - 1)] | None = Field(
        None, description="Seed of all random numbers; drawn and recorded if absent."
    )
