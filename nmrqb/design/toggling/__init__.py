"""Average Hamiltonians of n spins by linear programming over toggling frames."""

from nmrqb.design.toggling.certificates import Impossible
from nmrqb.design.toggling.design import FrameDesign, ImpossibleError, design_frames
from nmrqb.design.toggling.frames import FrameSet, channel_groups, frame_set
from nmrqb.design.toggling.order import Visit, ordered
from nmrqb.design.toggling.program import FramePlan, plan_frames
from nmrqb.design.toggling.request import term_key, wanted_terms
from nmrqb.design.toggling.terms import PairTerms, pair_terms, sample_terms
from nmrqb.design.toggling.writing import frame_sequence

__all__ = [
    "FrameDesign",
    "FramePlan",
    "FrameSet",
    "Impossible",
    "ImpossibleError",
    "PairTerms",
    "Visit",
    "channel_groups",
    "design_frames",
    "frame_sequence",
    "frame_set",
    "ordered",
    "pair_terms",
    "plan_frames",
    "sample_terms",
    "term_key",
    "wanted_terms",
]
