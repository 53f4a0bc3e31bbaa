"""Blocks and tiles cover a map once, and tiles do not depend on blocks."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nmrqb.experiment.sweeps.layout import Block, Layout, slab

SHAPES = st.lists(st.integers(1, 7), min_size=1, max_size=3).map(tuple)


def blocks(layout):
    values = tuple(np.arange(n, dtype=float) for n in layout.shape)
    for number in range(int(np.prod(layout.counts))):
        place = layout.place(number)
        yield Block(
            number,
            tuple(part.start for part in place),
            tuple(part.stop - part.start for part in place),
            layout.shape,
            layout.tile,
            tuple(axis[part] for axis, part in zip(values, place, strict=True)),
            joint=False,
        )


def tiles(layout):
    """Return the numbers of the points of all tiles, and check the points against them."""
    found = []
    for block in blocks(layout):
        for _, rows, numbers in block.tiles():
            assert np.array_equal(np.ravel_multi_index(rows.T.astype(int), layout.shape), numbers)
            found.append(tuple(numbers))
    return found


@settings(max_examples=50, deadline=None)
@given(SHAPES, st.integers(1, 50), st.integers(1, 400))
def test_tiles_cover_the_map_once_and_are_the_same_for_every_block_size(shape, tile, block):
    cut = tiles(Layout.of(shape, tile, block))
    assert sorted(point for one in cut for point in one) == list(range(int(np.prod(shape))))
    assert set(cut) == set(tiles(Layout.of(shape, tile, 10**6)))
    assert max(map(len, cut)) <= tile


@given(SHAPES, st.integers(1, 400))
def test_points_of_a_slab_follow_each_other(shape, target):
    box = slab(shape, target)
    whole = np.arange(np.prod(shape)).reshape(shape)[tuple(slice(b) for b in box)].ravel()
    assert np.array_equal(whole, np.arange(whole.size))
    assert whole.size <= target


def test_points_of_a_table_share_one_dimension():
    values = np.arange(5.0), np.arange(5.0) ** 2
    block = Block(1, (4,), (5,), (9,), (2,), values, joint=True)
    rows = np.concatenate([rows for _, rows, _ in block.tiles()])
    numbers = np.concatenate([numbers for _, _, numbers in block.tiles()])
    assert rows.tolist() == [[k, k * k] for k in range(5)]
    assert numbers.tolist() == [4, 5, 6, 7, 8]
    assert block.points == 5


@pytest.mark.parametrize(
    ("tile", "block", "wanted"),
    [(256, 3000, (3, 1000)), (1024, 100, (1, 1000)), (256, 300, (1, 256)), (256, 10**7, None)],
)
def test_sizes_of_a_large_grid(tile, block, wanted):
    assert Layout.of((500, 1000), tile, block).block == (wanted or (500, 1000))
