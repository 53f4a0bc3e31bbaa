"""What readouts see: ranks, invisible operators, optimal sets, partial tomography."""

from nmrqb.tomography.design.analysis import Design, Linear, analyse, expectation
from nmrqb.tomography.design.bounds import Range, bounds
from nmrqb.tomography.design.partial import PartialEstimate, estimate_partially
from nmrqb.tomography.design.search import (
    Choice,
    best_set,
    global_candidates,
    local_candidates,
    optimal_readouts,
)
from nmrqb.tomography.design.verdicts import Verdict, determines, elements, named_expectations

__all__ = [
    "Choice",
    "Design",
    "Linear",
    "PartialEstimate",
    "Range",
    "Verdict",
    "analyse",
    "best_set",
    "bounds",
    "determines",
    "elements",
    "estimate_partially",
    "expectation",
    "global_candidates",
    "local_candidates",
    "named_expectations",
    "optimal_readouts",
]
