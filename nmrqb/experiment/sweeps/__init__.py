"""Sweeps: maps of figures of merit over parameters of an experiment, that scale and resume."""

from nmrqb.experiment.sweeps.engine import Map, sweep
from nmrqb.experiment.sweeps.plan import Plan, plan_sweep
from nmrqb.experiment.sweeps.store import open_map

__all__ = ["Map", "Plan", "open_map", "plan_sweep", "sweep"]
