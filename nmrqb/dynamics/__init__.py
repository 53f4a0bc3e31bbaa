"""States, piecewise-constant segments, propagators and relaxation."""

from nmrqb.dynamics.ensembles import gaussian_ensemble
from nmrqb.dynamics.propagators import (
    apply,
    exp_hermitian,
    infidelity,
    powers,
    superoperator,
    unitary,
    unitary_superoperator,
)
from nmrqb.dynamics.relaxation import collapse_operators, commutator_superoperator, dissipator
from nmrqb.dynamics.segments import (
    PulseModel,
    Segment,
    pulse_duration,
    pulse_segments,
    rotation_generator,
    timeline_segments,
    total_duration,
)
from nmrqb.dynamics.states import basis_state, excited_population, gibbs, spin_gibbs

__all__ = [
    "PulseModel",
    "Segment",
    "apply",
    "basis_state",
    "collapse_operators",
    "commutator_superoperator",
    "dissipator",
    "excited_population",
    "exp_hermitian",
    "gaussian_ensemble",
    "gibbs",
    "infidelity",
    "powers",
    "pulse_duration",
    "pulse_segments",
    "rotation_generator",
    "spin_gibbs",
    "superoperator",
    "timeline_segments",
    "total_duration",
    "unitary",
    "unitary_superoperator",
]
