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
    "Design": "design",
    "Experiment": "experiment",
    "PulseErrors": "sequence",
    "Result": "experiment",
    "Sample": "sample",
    "Sequence": "sequence",
    "StarRegister": "dynamics.registers",
    "StateEstimate": "tomography",
    "anti_ergotropy": "battery",
    "as_state": "operators",
    "capacity": "battery",
    "coherence_l1": "battery",
    "compile_batch": "average",
    "compile_sequence": "average",
    "deviation": "dynamics",
    "design_sequence": "design",
    "ergotropy": "battery",
    "estimate_state": "tomography",
    "evolve": "dynamics",
    "expand": "sequence",
    "extraction_sequence": "design",
    "fid": "spectrometer",
    "fidelity": "battery",
    "from_deviation": "dynamics",
    "from_qobj": "interop",
    "gibbs": "dynamics",
    "internal_hamiltonian": "sample.hamiltonian",
    "load_experiment": "experiment",
    "load_sample": "sample",
    "load_sequence": "sequence",
    "measurement_chain": "tomography",
    "open_fid": "spectrometer",
    "play_sequence": "dynamics",
    "polarization_factor": "dynamics",
    "prepare": "design",
    "product_state": "dynamics",
    "product_thermal": "dynamics",
    "pseudo_pure": "dynamics",
    "relaxation_of": "dynamics",
    "response_matrix": "tomography",
    "run": "experiment",
    "sampled": "dynamics",
    "save_sequence": "sequence",
    "synthesise": "design",
    "thermal_deviation": "dynamics",
    "thermal_state": "dynamics",
    "to_qobj": "interop",
    "write_result": "report",
}

__all__ = [
    "AverageHamiltonian",
    "Battery",
    "Design",
    "Experiment",
    "PulseErrors",
    "Result",
    "Sample",
    "Sequence",
    "StarRegister",
    "StateEstimate",
    "anti_ergotropy",
    "as_state",
    "capacity",
    "coherence_l1",
    "compile_batch",
    "compile_sequence",
    "design_sequence",
    "deviation",
    "ergotropy",
    "estimate_state",
    "evolve",
    "expand",
    "extraction_sequence",
    "fid",
    "fidelity",
    "from_deviation",
    "from_qobj",
    "gibbs",
    "internal_hamiltonian",
    "load_experiment",
    "load_sample",
    "load_sequence",
    "measurement_chain",
    "open_fid",
    "play_sequence",
    "polarization_factor",
    "prepare",
    "product_state",
    "product_thermal",
    "pseudo_pure",
    "relaxation_of",
    "response_matrix",
    "run",
    "sampled",
    "save_sequence",
    "synthesise",
    "thermal_deviation",
    "thermal_state",
    "to_qobj",
    "write_result",
]

if TYPE_CHECKING:
    from nmrqb.average import AverageHamiltonian, compile_batch, compile_sequence
    from nmrqb.battery import Battery, anti_ergotropy, capacity, coherence_l1, ergotropy, fidelity
    from nmrqb.design import (
        Design,
        design_sequence,
        extraction_sequence,
        prepare,
        synthesise,
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
    from nmrqb.spectrometer import fid, open_fid
    from nmrqb.tomography import StateEstimate, estimate_state, measurement_chain, response_matrix


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
