"""The methods of evolution, and which one suits a register.

=================  ==================================================================
``unitary``        closed; dense propagators, each distinct one made once
``chebyshev``      closed; a series in the sparse Hamiltonian, for many spins
``superoperator``  open; dense maps of d² × d², to three spins (four by hand; five where
                   `sampled` repeats one map)
``splitting``      open; extrapolated Strang steps, their error controlled
``trajectories``   open; random vectors, beyond what density matrices can hold
=================  ==================================================================
"""

from __future__ import annotations

from typing import Literal, get_args

from nmrqb.errors import ArgumentError, nearest
from nmrqb.sparse_operators import DENSE_SPINS

Method = Literal["unitary", "chebyshev", "superoperator", "splitting", "trajectories"]
METHODS: tuple[Method, ...] = get_args(Method)
CLOSED: tuple[Method, ...] = ("unitary", "chebyshev")

_SUPEROPERATOR_SPINS = 3  # above it a splitting costs less than maps of d² × d²
_SPLITTING_SPINS = 10  # above it a density matrix no longer fits


def suited_method(n: int, *, open_register: bool) -> Method:
    """Return the method that costs least for n spins.

    Dense propagators to eight spins, then series; maps to three spins, splitting to ten, then
    trajectories.  The benchmarks measure where the costs cross.
    """
    if not open_register:
        return "unitary" if n <= DENSE_SPINS else "chebyshev"
    if n <= _SUPEROPERATOR_SPINS:
        return "superoperator"
    return "splitting" if n <= _SPLITTING_SPINS else "trajectories"


def check_method(method: str, *, open_register: bool) -> None:
    """Refuse what is no method, or not one for a register with or without dissipation.

    Raises
    ------
    ArgumentError
        Naming the methods that suit it.
    """
    if method not in METHODS:
        raise ArgumentError(
            f"Argument `method` must be auto or one of {', '.join(METHODS)}, but is {method!r}; "
            f"{nearest(method, METHODS)}"
        )
    if open_register == (method in CLOSED):
        kind = "with dissipation" if open_register else "without dissipation"
        suited = [name for name in METHODS if (name in CLOSED) != open_register]
        raise ArgumentError(
            f"Argument `method` must be one of {', '.join(suited)} for a register {kind}, but is "
            f"{method!r}"
        )
