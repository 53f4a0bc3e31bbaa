"""How much of a sequence is played, so that no file can hang or fill the machine."""

MAX_EVENTS = 1_000_000
"""Events of an expanded sequence."""

MAX_STEPS = 100_000
"""Events evaluated one by one because a loop index or a parameter of a block changes them."""

MAX_NESTING = 40
"""Depth of repeats, blocks and included files, and length of a chain of parameters."""
