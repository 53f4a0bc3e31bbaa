"""Exponentials of stacks of matrices, block by block.

Free precession conserves the spin of every channel, so that its Hamiltonian, and all the more its
Liouvillian, falls into blocks.  They are found from the zeros of the matrix, not from a promise.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import lru_cache

import numpy as np

from nmrqb.dynamics.coherent.blocks import Indices, blocks
from nmrqb.operators import Complex, Real, dagger

_BLOCKS_FROM = 16  # below this dimension a search for blocks costs more than it saves
_SERIES_TO = 8  # up to this dimension a stack is quicker by its Taylor series than by LAPACK
_SERIES_FROM = 64  # matrices in a stack
# degree m of the Taylor polynomial: largest ‖A‖ for which the terms beyond it are below 2⁻⁵³; the
# products that Paterson and Stockmeyer's scheme needs stand beside it
_DEGREES = ((6, 0.0177, 3), (9, 0.114, 4), (12, 0.335, 5), (16, 0.82, 6))
_WIDTH = {6: 3, 9: 3, 12: 3, 16: 4}  # powers of A that the scheme keeps
_IN_CACHE = 2**13  # matrix elements that are worked on at once


def exp_hermitian(generator: Complex) -> Complex:
    """Return exp(−iA) of Hermitian A: (..., d, d) → (..., d, d).

    By diagonalisation, real where A is real, block by block; large stacks of small matrices by
    their Taylor series with scaling and squaring.
    """
    A = np.asarray(generator)
    d = A.shape[-1]
    if d <= _SERIES_TO and A.size >= _SERIES_FROM * d * d:
        return _taylor(-1j * A)
    if d < _BLOCKS_FROM:
        return _exp_dense(A)
    return _by_blocks(A, _exp_dense)


def exp_matrix(generator: Complex) -> Complex:
    """Return exp(A) of any square matrices: (..., d, d) → (..., d, d).

    Taylor polynomial with scaling and squaring, block by block; error about 1e-15 of exp(‖A‖)
    for contractive A.
    """
    A = np.asarray(generator, dtype=complex)
    return _by_blocks(A, _taylor) if A.shape[-1] > 2 else _taylor(A)


def block_groups(matrix: Complex) -> list[Indices]:
    """Return the index sets of the blocks of a stack of matrices, gathered by their size.

    Returns
    -------
    list of arrays of shape (blocks, size)
    """
    d = matrix.shape[-1]
    pattern = (matrix != 0).reshape(-1, d, d).any(axis=0)
    found = blocks(pattern)
    sizes = sorted({len(indices) for indices in found})
    return [np.array([i for i in found if len(i) == size]) for size in sizes]


def _by_blocks(A: Complex, exponential: Callable[[Complex], Complex]) -> Complex:
    groups = block_groups(A)
    if len(groups[0]) == 1 and len(groups) == 1:
        return exponential(A)
    result = np.zeros(A.shape, dtype=complex)
    for group in groups:
        rows, columns = group[:, :, None], group[:, None, :]
        part = A[..., rows, columns]
        result[..., rows, columns] = exponential(part)
    return result


def _exp_dense(A: Complex) -> Complex:
    if A.shape[-1] == 1:
        return np.exp(-1j * A)
    if not np.iscomplexobj(A) or not np.any(A.imag):
        return from_spectrum(*np.linalg.eigh(np.ascontiguousarray(A.real)))
    return from_spectrum(*np.linalg.eigh(A))


def from_spectrum(phases: Real, V: Complex | Real) -> Complex:
    """Return V e^{−iφ}V†: φ of shape (..., d), columns V of shape (..., d, d).

    Real columns take two real products instead of a complex one.
    """
    if np.iscomplexobj(V):
        columns = np.asarray(V, dtype=complex)
        return np.asarray((columns * np.exp(-1j * phases)[..., None, :]) @ dagger(columns))
    result = np.empty(V.shape, dtype=complex)
    turned = V.swapaxes(-1, -2)
    result.real = (V * np.cos(phases)[..., None, :]) @ turned
    result.imag = (V * -np.sin(phases)[..., None, :]) @ turned
    return result


def _taylor(A: Complex) -> Complex:
    """Return exp(A) by a Taylor polynomial of A/2ˢ, squared s times."""
    d = A.shape[-1]
    if d == 1:
        return np.exp(A)
    flat = A.reshape(-1, d, d)
    norms = np.abs(flat).sum(axis=-2).max(axis=-1)
    degree, reach = _cheapest(float(norms.max(initial=0.0)))
    # each by its own norm: every squaring too many doubles the rounding
    squarings = np.ceil(np.log2(norms / reach, out=np.zeros(len(norms)), where=norms > reach))
    result = np.empty(flat.shape, dtype=complex)
    at_once = max(1, _IN_CACHE // (d * d))
    for start in range(0, len(flat), at_once):
        part = slice(start, start + at_once)
        times = squarings[part]
        small = flat[part] * 0.5 ** times[:, None, None]
        result[part] = _squared(_polynomial(small, degree), times)
    return np.asarray(result.reshape(A.shape))


def _squared(matrices: Complex, times: Real) -> Complex:
    """Square every matrix of a stack as many times as it says."""
    for done in range(int(times.max(initial=0.0))):
        left = times > done
        if left.all():
            matrices = matrices @ matrices
        else:
            matrices[left] = matrices[left] @ matrices[left]
    return matrices


def _cheapest(norm: float) -> tuple[int, float]:
    """Return the degree that takes the fewest products, and the norm that it reaches."""
    options = []
    for degree, reach, products in _DEGREES:
        squarings = math.ceil(math.log2(norm / reach)) if norm > reach else 0
        options.append((products + squarings, degree, reach))
    return min(options)[1:]


def _polynomial(A: Complex, degree: int) -> Complex:
    """Return Σ_(k ≤ degree) Aᵏ/k! by Paterson and Stockmeyer's scheme."""
    width = _WIDTH[degree]
    ladder = np.empty((width, *A.shape), dtype=complex)  # A, A², … A^width
    ladder[0] = A
    for k in range(1, width):
        np.matmul(ladder[k - 1], A, out=ladder[k])
    chunks = np.tensordot(_coefficients(degree), ladder, axes=1)
    diagonal = np.arange(A.shape[-1])
    chunks[..., diagonal, diagonal] += [
        [[1 / math.factorial(width * chunk)]] for chunk in range(len(chunks))
    ]
    total = np.asarray(chunks[-1])
    for chunk in chunks[-2::-1]:
        total = np.matmul(ladder[-1], total)
        total += chunk
    return total


@lru_cache
def _coefficients(degree: int) -> Real:
    """Return 1/k! of the powers k of A by chunk and place in the ladder, shape (chunks, width)."""
    width = _WIDTH[degree]
    rows = np.zeros((degree // width, width))
    for chunk, row in enumerate(rows):
        row[:-1] = [1 / math.factorial(width * chunk + j) for j in range(1, width)]
    rows[-1, -1] = 1 / math.factorial(degree)
    return rows
