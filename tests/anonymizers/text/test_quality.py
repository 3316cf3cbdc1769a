"""The redaction finds what it is said to find, on posts that nobody looked at while it was written."""

import pytest

from bench.quality import HELDOUT, predict, read_posts, score

WITHOUT, WITH = "without the author's names", "with the author's names"
AT_LEAST = [
    (WITHOUT, "structured", "covered", 0.98),
    (WITHOUT, "structured plain+var", "covered", 0.985),
    (WITHOUT, "structured obf", "covered", 0.94),
    (WITHOUT, "ADDRESS", "covered", 0.90),
    (WITHOUT, "BIRTH_DATE", "covered", 0.95),
    (WITHOUT, "FACILITY", "covered", 0.85),
    (WITHOUT, "PERSON", "covered", 0.80),
    (WITHOUT, "PERSON", "precision", 0.78),
    (WITH, "PERSON", "covered", 0.93),
    (WITH, "PERSON", "precision", 0.80),
]
AT_MOST = [
    (WITHOUT, "structured", "leak", 0.015),
    (WITHOUT, "PERSON", "leak", 0.18),
    (WITH, "PERSON", "leak", 0.07),
]
NEGATIVES_HIT_AT_MOST = 0.04
"""
What is reached, less a little: falling below is a regression. `python -m bench.quality --names` prints the figures.

The goal is higher where this is lower: plain and typographic forms .99.
"""


@pytest.fixture(scope="module")
def scores():
    posts = read_posts(HELDOUT)
    return {names: score(posts, predict(posts, names == WITH)).told() for names in (WITHOUT, WITH)}


@pytest.mark.parametrize(("names", "group", "share", "floor"), AT_LEAST)
def test_as_much_is_found(scores, names, group, share, floor):
    found = scores[names]["groups"][group]
    assert found["spans"] > 0
    assert found[share] >= floor


@pytest.mark.parametrize(("names", "group", "share", "ceiling"), AT_MOST)
def test_no_more_leaks(scores, names, group, share, ceiling):
    assert scores[names]["groups"][group][share] <= ceiling


@pytest.mark.parametrize("names", [WITHOUT, WITH])
def test_posts_with_nothing_to_find_stay_as_they_are(scores, names):
    assert scores[names]["negatives"] > 0
    assert scores[names]["negatives_hit"] <= NEGATIVES_HIT_AT_MOST


def test_nothing_is_refused(scores):
    assert {told["refused"] for told in scores.values()} == {0}
