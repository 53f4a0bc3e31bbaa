"""What an estimated matrix is: a state, a deviation in the unit of a reference, a pseudo-state.

Of ρ = (1 + εΔ)/d with ε of about 1e-5, NMR measures only εΔ times a gain.  Ergotropy, capacity and
l1 coherence are homogeneous of degree one: they do not see the identity, and scale with ε.
Concurrence, discord, entropy and purity do see it, and mean something else on a pseudo-state
(1 + Δ)/d than on the spins themselves.
"""

from __future__ import annotations

from typing import Literal, TypeAlias

from nmrqb.errors import ArgumentError

Kind: TypeAlias = Literal["full", "deviation", "pseudo"]
Method: TypeAlias = Literal[
    "maximum-likelihood",
    "linear-inversion",
    "projected-least-squares",
    "hedged",
    "maximum-entropy",
    "bayesian",
]
KINDS: tuple[Kind, ...] = ("full", "deviation", "pseudo")


def check_kind(kind: str, method: str) -> None:
    """Refuse unknown kinds, and a positive estimate of what need not be positive.

    Raises
    ------
    ArgumentError
        If the kind is unknown, or a positive estimate of a deviation is asked for.
    """
    if kind not in KINDS:
        raise ArgumentError(f"Argument `kind` must be one of {KINDS}, but is {kind!r}")
    if kind == "deviation" and method != "linear-inversion":
        raise ArgumentError(
            "Argument `method` must be 'linear-inversion' for a deviation, which need not be "
            f"positive, but is {method!r}; or let `kind` be 'pseudo'"
        )


def check_figure(name: str, kind: Kind, *, homogeneous: bool, as_pseudo: bool = False) -> None:
    """Refuse a figure of merit that has no meaning on a kind of matrix.

    Parameters
    ----------
    name
        What the figure is called.
    kind
        ``full``: the state of the spins.  ``deviation``: 1/d + Δ/d with Δ in the unit of a
        reference.  ``pseudo``: the same, taken for a state.
    homogeneous
        Whether the figure does not see the identity and scales with Δ, as ergotropy,
        capacity and l1 coherence do, but not concurrence, discord, entropy or purity.
    as_pseudo
        Whether the figure is asked for on the pseudo-state, whatever the kind.

    Raises
    ------
    ArgumentError
        If the figure is not homogeneous and the matrix is not a full state.
    """
    if not (homogeneous or as_pseudo or kind == "full"):
        raise ArgumentError(
            f"Argument `as_pseudo` must be True for {name} of a {kind} matrix: it does not scale "
            "with the polarisation, so that its value holds for the pseudo-state only, not for "
            "the spins"
        )
