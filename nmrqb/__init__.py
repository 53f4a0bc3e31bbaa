"""Design, simulate and measure quantum batteries made of nuclear spins.

sample + sequence → segments → average Hamiltonian; the same segments → dynamics → FID →
tomography → battery figures with error bars.

Conventions
-----------
- Internally every Hamiltonian is an angular frequency in rad/s; reported coefficients are those
  of H/2π = Σ c_P P in **Hz on Pauli strings**: a scalar coupling 2πJ I_z S_z has c_ZZ = J/4, an
  offset 2πν I_z has c_Z = ν/2.
- A pulse θ_φ is exp[−iθ(I_x cos φ + I_y sin φ)]; sequences read left to right in time;
  |0⟩ = |↑⟩ has σ_z = +1; toggling frame Ã(t) = U_rf†(t) A U_rf(t).
- The tensor order is the order of the spins in the sample; matrices have shape (..., d, d) and
  leading axes are batch axes.
- A battery's temperature is k_B T/h in Hz; it is not the sample's kelvin.
- A state is ρ = (1 + εΔ)/d of its deviation Δ; at equilibrium ε = ħγ(1H)B₀/k_BT and
  Δ = Σ (γ_k/γ(1H)) I_zk with signed γ.  What the sign of γ does to precession, offsets, pulses and
  gradients stands in `nmrqb.sample.nuclei`.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

_HOMES = {
    "AverageHamiltonian": "average",
    "Battery": "battery",
    "Calibration": "tomography",
    "DirectWork": "tomography",
    "Experiment": "experiment",
    "Interval": "tomography",
    "NoiseLevel": "tomography",
    "PulseErrors": "sequence",
    "Readout": "tomography",
    "Result": "experiment",
    "Sample": "sample",
    "Sequence": "sequence",
    "StarRegister": "dynamics.registers",
    "StateEstimate": "tomography",
    "acquire": "tomography",
    "after_extraction": "battery",
    "analyse": "tomography",
    "anti_ergotropy": "battery",
    "anti_ergotropy_figure": "tomography",
    "as_state": "operators",
    "best_set": "tomography",
    "calibrate": "tomography",
    "capacity": "battery",
    "capacity_figure": "tomography",
    "clipped_points": "spectrometer",
    "coherence_figure": "tomography",
    "coherence_l1": "battery",
    "compile_batch": "average",
    "compile_sequence": "average",
    "determines": "tomography",
    "deviation": "dynamics",
    "diagnose": "tomography",
    "energy_figure": "tomography",
    "ergotropy": "battery",
    "ergotropy_figure": "tomography",
    "estimate_partially": "tomography",
    "estimate_state": "tomography",
    "evolve": "dynamics",
    "expand": "sequence",
    "extracted_work": "battery",
    "extraction_unitary": "battery",
    "fid": "spectrometer",
    "fidelity": "battery",
    "from_deviation": "dynamics",
    "from_qobj": "interop",
    "gibbs": "dynamics",
    "internal_hamiltonian": "sample.hamiltonian",
    "intervals": "tomography",
    "leave_out": "tomography",
    "load_experiment": "experiment",
    "load_sample": "sample",
    "load_sequence": "sequence",
    "measured_work": "tomography",
    "measurement_chain": "tomography",
    "noise_for_snr": "tomography",
    "noise_level": "tomography",
    "open_fid": "spectrometer",
    "optimal_readouts": "tomography",
    "play_sequence": "dynamics",
    "polarization_factor": "dynamics",
    "product_state": "dynamics",
    "product_thermal": "dynamics",
    "pseudo_pure": "dynamics",
    "read_readout": "tomography",
    "reference_chain": "tomography",
    "relaxation_of": "dynamics",
    "response_matrix": "tomography",
    "run": "experiment",
    "sampled": "dynamics",
    "save_sequence": "sequence",
    "sequence_readout": "tomography",
    "thermal_deviation": "dynamics",
    "thermal_state": "dynamics",
    "to_qobj": "interop",
    "write_result": "report",
}

__all__ = [
    "AverageHamiltonian",
    "Battery",
    "Calibration",
    "DirectWork",
    "Experiment",
    "Interval",
    "NoiseLevel",
    "PulseErrors",
    "Readout",
    "Result",
    "Sample",
    "Sequence",
    "StarRegister",
    "StateEstimate",
    "acquire",
    "after_extraction",
    "analyse",
    "anti_ergotropy",
    "anti_ergotropy_figure",
    "as_state",
    "best_set",
    "calibrate",
    "capacity",
    "capacity_figure",
    "clipped_points",
    "coherence_figure",
    "coherence_l1",
    "compile_batch",
    "compile_sequence",
    "determines",
    "deviation",
    "diagnose",
    "energy_figure",
    "ergotropy",
    "ergotropy_figure",
    "estimate_partially",
    "estimate_state",
    "evolve",
    "expand",
    "extracted_work",
    "extraction_unitary",
    "fid",
    "fidelity",
    "from_deviation",
    "from_qobj",
    "gibbs",
    "internal_hamiltonian",
    "intervals",
    "leave_out",
    "load_experiment",
    "load_sample",
    "load_sequence",
    "measured_work",
    "measurement_chain",
    "noise_for_snr",
    "noise_level",
    "open_fid",
    "optimal_readouts",
    "play_sequence",
    "polarization_factor",
    "product_state",
    "product_thermal",
    "pseudo_pure",
    "read_readout",
    "reference_chain",
    "relaxation_of",
    "response_matrix",
    "run",
    "sampled",
    "save_sequence",
    "sequence_readout",
    "thermal_deviation",
    "thermal_state",
    "to_qobj",
    "write_result",
]

if TYPE_CHECKING:
    from nmrqb.average import AverageHamiltonian, compile_batch, compile_sequence
    from nmrqb.battery import (
        Battery,
        after_extraction,
        anti_ergotropy,
        capacity,
        coherence_l1,
        ergotropy,
        extracted_work,
        extraction_unitary,
        fidelity,
    )
    from nmrqb.dynamics import (
        deviation,
        evolve,
        from_deviation,
        gibbs,
        play_sequence,
        polarization_factor,
        product_state,
        product_thermal,
        pseudo_pure,
        relaxation_of,
        sampled,
        thermal_deviation,
        thermal_state,
    )
    from nmrqb.dynamics.registers import StarRegister
    from nmrqb.experiment import Experiment, Result, load_experiment, run
    from nmrqb.interop import from_qobj, to_qobj
    from nmrqb.operators import as_state
    from nmrqb.report import write_result
    from nmrqb.sample import Sample, load_sample
    from nmrqb.sample.hamiltonian import internal_hamiltonian
    from nmrqb.sequence import PulseErrors, Sequence, expand, load_sequence, save_sequence
    from nmrqb.spectrometer import clipped_points, fid, open_fid
    from nmrqb.tomography import (
        Calibration,
        DirectWork,
        Interval,
        NoiseLevel,
        Readout,
        StateEstimate,
        acquire,
        analyse,
        anti_ergotropy_figure,
        best_set,
        calibrate,
        capacity_figure,
        coherence_figure,
        determines,
        diagnose,
        energy_figure,
        ergotropy_figure,
        estimate_partially,
        estimate_state,
        intervals,
        leave_out,
        measured_work,
        measurement_chain,
        noise_for_snr,
        optimal_readouts,
        read_readout,
        reference_chain,
        response_matrix,
        sequence_readout,
    )
    from nmrqb.tomography.noise_level import noise_level


def __getattr__(name: str) -> Any:  # noqa: ANN401 - any of the names above
    """Import a public name when it is first used, so that ``import nmrqb`` is quick."""
    if name not in _HOMES:
        raise AttributeError(f"module 'nmrqb' has no attribute {name!r}")
    value = getattr(importlib.import_module(f"nmrqb.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """List the public names, loaded or not."""
    return sorted({*globals(), *_HOMES})
