"""Text with units to numbers: "5 ms", "90 deg", "1/(4*J)", "t > 10 us" → values in SI."""

from nmrqb.units.evaluation import (
    MAX_LENGTH,
    MINUS,
    Comparison,
    calculate,
    compare,
    evaluate,
    quantity,
)
from nmrqb.units.functions import FUNCTIONS
from nmrqb.units.reading import MAX_PARENTHESES
from nmrqb.units.values import (
    EXAMPLES,
    EXPONENTS,
    UNITS,
    Dimension,
    Exponents,
    Names,
    Number,
    UnitError,
    Value,
    at_least,
    every,
    is_batch,
    least,
    written,
)

__all__ = [
    "EXAMPLES",
    "EXPONENTS",
    "FUNCTIONS",
    "MAX_LENGTH",
    "MAX_PARENTHESES",
    "MINUS",
    "UNITS",
    "Comparison",
    "Dimension",
    "Exponents",
    "Names",
    "Number",
    "UnitError",
    "Value",
    "at_least",
    "calculate",
    "compare",
    "evaluate",
    "every",
    "is_batch",
    "least",
    "quantity",
    "written",
]
