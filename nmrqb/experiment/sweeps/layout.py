"""How the points of a sweep are cut: into blocks that are stored, and tiles that are computed.

A tile is what one call of the numerics works on.  Its shape follows from the shape of the map
alone, so that neither the size of blocks nor the number of workers changes a number in its last
bit; a block is a whole number of tiles.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from math import ceil, prod

import numpy as np
from numpy.typing import NDArray

from nmrqb.operators import Real

Shape = tuple[int, ...]


def slab(shape: Shape, target: int) -> Shape:
    """Return the box of at most ``target`` points whose points follow each other in memory."""
    box = [1] * len(shape)
    room = max(1, target)
    for k in reversed(range(len(shape))):
        box[k] = min(shape[k], room)
        room //= box[k]
        if box[k] < shape[k]:
            break
    return tuple(box)


@dataclass(frozen=True)
class Layout:
    """Boxes that a map is cut into.

    Attributes
    ----------
    shape
        Points along every dimension of the map.
    tile, block
        Points along every dimension of a tile and of a block, less at the far ends.
    """

    shape: Shape
    tile: Shape
    block: Shape

    @classmethod
    def of(cls, shape: Shape, tile: int, block: int) -> Layout:
        """Cut a map into tiles and blocks of about so many points."""
        tiles = slab(shape, tile)
        blocks = slab(shape, max(block, prod(tiles)))
        sizes = zip(shape, tiles, blocks, strict=True)
        return cls(shape, tiles, tuple(b if b == s else b // t * t for s, t, b in sizes))

    @property
    def points(self) -> int:
        """Number of points of the map."""
        return prod(self.shape)

    @property
    def counts(self) -> Shape:
        """Number of blocks along every dimension."""
        return tuple(ceil(s / b) for s, b in zip(self.shape, self.block, strict=True))

    @property
    def blocks(self) -> int:
        """Number of blocks of the map."""
        return prod(self.counts)

    def place(self, number: int) -> tuple[slice, ...]:
        """Return where a block stands in the map."""
        index = np.unravel_index(number, self.counts)
        return tuple(
            slice(int(i) * b, min((int(i) + 1) * b, s))
            for i, b, s in zip(index, self.block, self.shape, strict=True)
        )


@dataclass(frozen=True, eq=False)
class Block:
    """Some points of a sweep, all that a worker needs to know of the map.

    Attributes
    ----------
    number
        Of the block.
    start
        Where it begins in the map, along every dimension.
    shape
        Points along every dimension.
    whole
        Points of the whole map along every dimension.
    tile
        Points of a tile along every dimension.
    values
        Of every axis in SI units: along its own dimension, or of every point if ``joint``.
    joint
        Whether all axes share one dimension.
    """

    number: int
    start: Shape
    shape: Shape
    whole: Shape
    tile: Shape
    values: tuple[Real, ...]
    joint: bool

    @property
    def points(self) -> int:
        """Number of points."""
        return prod(self.shape)

    def tiles(self) -> Iterator[tuple[tuple[slice, ...], Real, NDArray[np.intp]]]:
        """Yield for every tile its place in the block, its points, and their numbers in the map.

        Points are rows of values, shape (n, axes), the last dimension of the map going first.
        """
        starts = (range(0, size, step) for size, step in zip(self.shape, self.tile, strict=True))
        for corner in product(*starts):
            place = tuple(
                slice(begin, min(begin + step, size))
                for begin, step, size in zip(corner, self.tile, self.shape, strict=True)
            )
            yield place, self._rows(place), self._numbers(place)

    def _rows(self, place: tuple[slice, ...]) -> Real:
        if self.joint:
            return np.stack([axis[place[0]] for axis in self.values], axis=-1)
        chosen = [axis[part] for axis, part in zip(self.values, place, strict=True)]
        grid = np.meshgrid(*chosen, indexing="ij")
        return np.stack([axis.ravel() for axis in grid], axis=-1)

    def _numbers(self, place: tuple[slice, ...]) -> NDArray[np.intp]:
        indices = [
            np.arange(part.start, part.stop) + begin
            for part, begin in zip(place, self.start, strict=True)
        ]
        return np.ravel_multi_index(np.ix_(*indices), self.whole).ravel()
