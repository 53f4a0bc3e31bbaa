"""Numerical pulses: gradient ascent with exact derivatives within the spectrometer's limits."""

from nmrqb.design.grape.controls import Controls, sample_controls
from nmrqb.design.grape.design import PulseDesign, PulseLimits, design_pulse
from nmrqb.design.grape.ensemble import sample_members
from nmrqb.design.grape.goals import AverageGoal, ErgotropyGoal, Goal, StateGoal, UnitaryGoal
from nmrqb.design.grape.optimise import OptimisedPulse, StopRules, optimise
from nmrqb.design.grape.propagation import Members, Problem, final_maps
from nmrqb.design.grape.writing import pulse_sequence

__all__ = [
    "AverageGoal",
    "Controls",
    "ErgotropyGoal",
    "Goal",
    "Members",
    "OptimisedPulse",
    "Problem",
    "PulseDesign",
    "PulseLimits",
    "StateGoal",
    "StopRules",
    "UnitaryGoal",
    "design_pulse",
    "final_maps",
    "optimise",
    "pulse_sequence",
    "sample_controls",
    "sample_members",
]
