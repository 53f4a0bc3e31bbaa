"""Matrices to ``qutip.Qobj`` and back, with the tensor dimensions of spins.

Every public function takes a Qobj wherever it takes a state or a Hamiltonian; these two are for
the way to QuTiP's own solvers.  QuTiP is imported when it is first needed.

Superoperators act here on states that are flattened row by row, vec(AρB) = (A ⊗ Bᵀ) vec(ρ), and
in QuTiP on states that are stacked column by column, (Bᵀ ⊗ A): the elements are the same, in
another order.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from nmrqb.arguments import checked
from nmrqb.errors import ArgumentError
from nmrqb.operators import Complex, as_matrix

if TYPE_CHECKING:
    from qutip import Qobj

Kind = Literal["operator", "superoperator"]
KINDS = ("operator", "superoperator")


@checked
def to_qobj(matrix: Any, kind: Kind = "operator") -> Qobj:  # noqa: ANN401 - arrays or Qobj
    """Return one matrix of n spins as a ``qutip.Qobj`` of dims [[2]·n, [2]·n].

    Parameters
    ----------
    matrix
        State, Hamiltonian or Lindblad operator of shape (2ⁿ, 2ⁿ), or a superoperator on
        row-flattened states of shape (4ⁿ, 4ⁿ).
    kind
        Which of the two it is; a matrix alone does not tell.

    Returns
    -------
    qutip.Qobj
        An operator, or a superoperator (``superrep`` "super", column-stacked) whose dims are
        those of operators twice.

    Raises
    ------
    ArgumentError
        If it is not one finite square matrix of spins, or the kind is not known.

    Examples
    --------
    >>> to_qobj(np.eye(4)).dims
    [[2, 2], [2, 2]]
    """
    import qutip  # noqa: PLC0415 - takes more than a second

    if kind not in KINDS:
        raise ArgumentError(f"Argument `kind` must be one of {', '.join(KINDS)}, but is {kind!r}")
    array = as_matrix(matrix, "matrix")
    if array.ndim != 2:
        raise ArgumentError(
            f"Argument `matrix` must be one matrix, but has shape {array.shape}; "
            "make a Qobj of each of the stack"
        )
    if kind == "operator":
        spins = [2] * _spins(array.shape[-1])
        return qutip.Qobj(array, dims=[spins, spins])
    spins = [2] * _spins(math.isqrt(array.shape[-1]), squared=array.shape[-1])
    return qutip.Qobj(_restacked(array), dims=[[spins, spins]] * 2, superrep="super")


def from_qobj(qobj: Qobj) -> Complex:
    """Return the matrix of a Qobj on spins, the inverse of `to_qobj`.

    Parameters
    ----------
    qobj
        An operator (2ⁿ, 2ⁿ); a ket or a bra, which gives |ψ⟩⟨ψ|; or a superoperator in any of
        QuTiP's representations, which gives the matrix on row-flattened states.

    Returns
    -------
    array of shape (2ⁿ, 2ⁿ), of a superoperator (4ⁿ, 4ⁿ)

    Raises
    ------
    ArgumentError
        If it is no Qobj, not on spins 1/2 (dims other than [[2]·n, [2]·n], or one undivided
        dimension 2ⁿ), or not finite.
    """
    import qutip  # noqa: PLC0415 - takes more than a second

    if not isinstance(qobj, qutip.Qobj):
        raise ArgumentError(f"Argument `qobj` must be a qutip.Qobj, but is {type(qobj).__name__}")
    if qobj.issuper:
        converted = qutip.to_super(qobj)
        for dims in (side for pair in converted.dims for side in pair):
            _check_dims(dims, qobj)
        return _restacked(as_matrix(converted, "qobj"))
    if qobj.type not in {"oper", "ket", "bra"}:
        raise ArgumentError(
            f"Argument `qobj` must be an operator, a ket or a superoperator, but is {qobj.type!r}"
        )
    operator = qobj if qobj.type == "oper" else qobj.proj()
    for dims in operator.dims:
        _check_dims(dims, qobj)
    return as_matrix(operator, "qobj")


def _check_dims(dims: list[int], qobj: Qobj) -> None:
    """Refuse tensor dimensions that are not those of spins 1/2."""
    undivided = len(dims) == 1 and dims[0] > 1 and dims[0].bit_count() == 1
    if not undivided and set(dims) != {2}:
        raise ArgumentError(
            f"Argument `qobj` must be on spins 1/2, dims of 2 alone, but has dims {qobj.dims}"
        )


def _spins(d: int, squared: int | None = None) -> int:
    """Return n of d = 2ⁿ levels; ``squared`` is what must be d²."""
    n = d.bit_length() - 1
    if n < 1 or d != 2**n or squared not in {None, d * d}:
        needed, found = ("2ⁿ", d) if squared is None else ("4ⁿ", squared)
        raise ArgumentError(
            f"Argument `matrix` must have a dimension {needed}, but has dimension {found}"
        )
    return n


def _restacked(matrix: Complex) -> Complex:
    """Turn a map of row-flattened states into one of column-stacked states, or back."""
    d = math.isqrt(matrix.shape[-1])
    return np.asarray(matrix.reshape(d, d, d, d).transpose(1, 0, 3, 2).reshape(d * d, d * d))
