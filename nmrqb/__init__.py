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
    "Experiment": "experiment",
    "PulseErrors": "sequence",
    "Result": "experiment",
    "Sample": "sample",
    "Sequence": "sequence",
    "StarRegister": "dynamics.registers",
    "StateEstimate": "tomography",
    "anti_ergotropy": "battery",
    "as_state": "operators",
    "average_power": "battery",
    "capacity": "battery",
    "charging_time": "battery",
    "coherence_l1": "battery",
    "coherence_relative_entropy": "battery",
    "coherent_ergotropy": "battery",
    "compile_batch": "average",
    "compile_sequence": "average",
    "concurrence": "battery",
    "correlation_ergotropy": "battery",
    "daemonic_ergotropy": "battery",
    "deviation": "dynamics",
    "diagonal_entropy": "battery",
    "discord": "battery",
    "energy_coherence": "battery",
    "energy_power": "battery",
    "energy_spread": "battery",
    "energy_variance": "battery",
    "ergotropy": "battery",
    "ergotropy_by_local_unitaries": "battery",
    "ergotropy_power": "battery",
    "estimate_state": "tomography",
    "evolve": "dynamics",
    "expand": "sequence",
    "fid": "spectrometer",
    "fidelity": "battery",
    "first_order_coherence": "battery",
    "from_deviation": "dynamics",
    "from_qobj": "interop",
    "gibbs": "dynamics",
    "incoherent_ergotropy": "battery",
    "internal_hamiltonian": "sample.hamiltonian",
    "load_experiment": "experiment",
    "load_sample": "sample",
    "load_sequence": "sequence",
    "local_ergotropies": "battery",
    "measurement_chain": "tomography",
    "mutual_information": "battery",
    "negativity": "battery",
    "open_fid": "spectrometer",
    "play_sequence": "dynamics",
    "polarization_factor": "dynamics",
    "polarized_capacity": "battery",
    "product_state": "dynamics",
    "product_thermal": "dynamics",
    "pseudo_pure": "dynamics",
    "purity": "battery",
    "relaxation_of": "dynamics",
    "renyi2_entropy": "battery",
    "response_matrix": "tomography",
    "run": "experiment",
    "sampled": "dynamics",
    "save_sequence": "sequence",
    "spectral_width": "battery",
    "speed_limit": "battery",
    "state_derivative": "battery",
    "steering": "battery",
    "stored_energy": "battery",
    "thermal_deviation": "dynamics",
    "thermal_state": "dynamics",
    "to_qobj": "interop",
    "von_neumann_entropy": "battery",
    "write_result": "report",
    "x_state_discord": "battery",
}

__all__ = [
    "AverageHamiltonian",
    "Battery",
    "Experiment",
    "PulseErrors",
    "Result",
    "Sample",
    "Sequence",
    "StarRegister",
    "StateEstimate",
    "anti_ergotropy",
    "as_state",
    "average_power",
    "capacity",
    "charging_time",
    "coherence_l1",
    "coherence_relative_entropy",
    "coherent_ergotropy",
    "compile_batch",
    "compile_sequence",
    "concurrence",
    "correlation_ergotropy",
    "daemonic_ergotropy",
    "deviation",
    "diagonal_entropy",
    "discord",
    "energy_coherence",
    "energy_power",
    "energy_spread",
    "energy_variance",
    "ergotropy",
    "ergotropy_by_local_unitaries",
    "ergotropy_power",
    "estimate_state",
    "evolve",
    "expand",
    "fid",
    "fidelity",
    "first_order_coherence",
    "from_deviation",
    "from_qobj",
    "gibbs",
    "incoherent_ergotropy",
    "internal_hamiltonian",
    "load_experiment",
    "load_sample",
    "load_sequence",
    "local_ergotropies",
    "measurement_chain",
    "mutual_information",
    "negativity",
    "open_fid",
    "play_sequence",
    "polarization_factor",
    "polarized_capacity",
    "product_state",
    "product_thermal",
    "pseudo_pure",
    "purity",
    "relaxation_of",
    "renyi2_entropy",
    "response_matrix",
    "run",
    "sampled",
    "save_sequence",
    "spectral_width",
    "speed_limit",
    "state_derivative",
    "steering",
    "stored_energy",
    "thermal_deviation",
    "thermal_state",
    "to_qobj",
    "von_neumann_entropy",
    "write_result",
    "x_state_discord",
]

if TYPE_CHECKING:
    from nmrqb.average import AverageHamiltonian, compile_batch, compile_sequence
    from nmrqb.battery import (
        Battery,
        anti_ergotropy,
        average_power,
        capacity,
        charging_time,
        coherence_l1,
        coherence_relative_entropy,
        coherent_ergotropy,
        concurrence,
        correlation_ergotropy,
        daemonic_ergotropy,
        diagonal_entropy,
        discord,
        energy_coherence,
        energy_power,
        energy_spread,
        energy_variance,
        ergotropy,
        ergotropy_by_local_unitaries,
        ergotropy_power,
        fidelity,
        first_order_coherence,
        incoherent_ergotropy,
        local_ergotropies,
        mutual_information,
        negativity,
        polarized_capacity,
        purity,
        renyi2_entropy,
        spectral_width,
        speed_limit,
        state_derivative,
        steering,
        stored_energy,
        von_neumann_entropy,
        x_state_discord,
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
