"""Experiments: prepare → charge → measure, from YAML to labelled results."""

from nmrqb.experiment.coverage import CoverageStudy, coverage_study
from nmrqb.experiment.coverage_rows import CoverageRow
from nmrqb.experiment.cycle import cycle_sequence, extraction_stages
from nmrqb.experiment.figures import (
    EXTRACTED_WORK,
    FIGURES,
    FigureOfMerit,
    estimated_figures,
    figure_functions,
)
from nmrqb.experiment.format import ExperimentFormat
from nmrqb.experiment.loader import load_experiment
from nmrqb.experiment.model import (
    DriveCharge,
    Experiment,
    GibbsPreparation,
    HamiltonianCharge,
    Measurement,
    Noise,
    ProductPreparation,
    ReceiverErrors,
    Result,
    SequenceCharge,
)
from nmrqb.experiment.runner import run, simulate

__all__ = [
    "EXTRACTED_WORK",
    "FIGURES",
    "CoverageRow",
    "CoverageStudy",
    "DriveCharge",
    "Experiment",
    "ExperimentFormat",
    "FigureOfMerit",
    "GibbsPreparation",
    "HamiltonianCharge",
    "Measurement",
    "Noise",
    "ProductPreparation",
    "ReceiverErrors",
    "Result",
    "SequenceCharge",
    "coverage_study",
    "cycle_sequence",
    "estimated_figures",
    "extraction_stages",
    "figure_functions",
    "load_experiment",
    "run",
    "simulate",
]
