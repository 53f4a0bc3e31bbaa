"""Pages: all items once and in order, names that folders know, no more than a person looks at."""

import pytest

from nmrqb.report.recorded.pages import MOST_PAGES, heading, joined, page_names, pages


@pytest.mark.parametrize(("count", "size"), [(1, 6), (6, 6), (7, 6), (18, 3)])
def test_everything_stands_on_one_page(count, size):
    found = pages("fits", list(range(count)), size)
    assert [k for items, _ in found.values() for k in items] == list(range(count))
    assert max(len(items) for items, _ in found.values()) <= size
    assert list(found) == list(page_names("fits"))[: len(found)]
    words = [word for _, word in found.values()]
    expected = [f"page {k} of {len(found)}" for k in range(1, len(found) + 1)]
    assert words == ([""] if len(found) == 1 else expected)


def test_there_are_not_more_pages_than_names():
    found = pages("state", list(range(100)), 2)
    assert len(found) == MOST_PAGES == len(page_names("state"))
    assert next(iter(found)) == "state.png"


def test_headings_are_broken_to_the_width():
    lines = heading(["word " * 30, "", "short"], 5.0).splitlines()
    assert max(map(len, lines)) <= 55
    assert lines[-1] == "short"
    assert joined("a", "", "b") == "a, b"
