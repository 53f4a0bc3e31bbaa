"""Experiments: prepare → charge → measure, from YAML to labelled results."""

from nmrqb.experiment.figures import FIGURES, FigureOfMerit, figure_functions
from nmrqb.experiment.format import ExperimentFormat
from nmrqb.experiment.loader import load_experiment
from nmrqb.experiment.model import (
    DriveCharge,
    Experiment,
    GibbsPreparation,
    Measurement,
    Noise,
    ProductPreparation,
    Result,
    SequenceCharge,
)
from nmrqb.experiment.runner import run, simulate

__all__ = [
    "FIGURES",
    "DriveCharge",
    "Experiment",
    "ExperimentFormat",
    "FigureOfMerit",
    "GibbsPreparation",
    "Measurement",
    "Noise",
    "ProductPreparation",
    "Result",
    "SequenceCharge",
    "figure_functions",
    "load_experiment",
    "run",
    "simulate",
]
