"""States, piecewise-constant segments, propagators and relaxation."""

from nmrqb.dynamics.ensembles import gaussian_ensemble
from nmrqb.dynamics.playing import Played, play, play_sequence, thermal_deviation
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
    Segment,
    pulse_segments,
    rotation_generator,
    rotation_steps,
    timeline_segments,
    total_duration,
)
from nmrqb.dynamics.states import basis_state, excited_population, gibbs, spin_gibbs

__all__ = [
    "Played",
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
    "play",
    "play_sequence",
    "powers",
    "pulse_segments",
    "rotation_generator",
    "rotation_steps",
    "spin_gibbs",
    "superoperator",
    "thermal_deviation",
    "timeline_segments",
    "total_duration",
    "unitary",
    "unitary_superoperator",
]
