"""
Names of persons that nobody told us beforehand.

Every stretch of a text that could be a name, by the dictionary or the lists, is a candidate. What it is made of,
what stands before it and what stands after it are its features, and ``person_points.csv`` says how many points each
is worth; enough points make a name. A word of every day that is a name as well (さくら, 光, 心) has few points of its
own, so it needs さん, 娘の or the like beside it, and a surname with a given name needs nothing.

The points are fitted on the project's development posts by ``bench/fit_person.py`` (logistic regression); texts of
others are measured against, never fitted on.
"""

import bisect
import csv
import math
import re
from collections.abc import Iterator
from functools import cache
from importlib import resources
from typing import Any

from presidio_analyzer import LocalRecognizer, RecognizerResult

from anonymizers.text import name_lists
from anonymizers.text.artifacts import TextArtifacts, read
from anonymizers.text.name_candidates import Search, word_features
from anonymizers.text.name_shapes import UNLISTED, Shape
from anonymizers.text.patterns import LANGUAGE, Example

ENOUGH = 0.71
"""Probability from which a candidate is a name. Lower finds more names and more words; the README says at what cost."""

ENOUGH_BESIDE = 0.08
"""The same in a text with a name that was found: where one is, more are, and a leak there costs more."""

EXAMPLES = (
    Example("担任の山本先生と結愛ちゃん", ("山本", "結愛")),
    Example("はじめまして、高橋　結衣です", ("高橋　結衣",)),
    Example("娘の陽翔が熱を出した", ("陽翔",)),
    Example("うちのはるとちゃんとﾊﾙﾄくん", ("はると", "ﾊﾙﾄ")),
    Example("次男は颯太と名付けました", ("颯太",)),
    Example("Yamada Hanakoと申します", ("Yamada Hanako",)),
    Example("さくらが満開、光回線、心が疲れた、お母さんと看護師さん", ()),
)


DOUBTFUL, FAR_LIKELIER = 0.8, 8.0
"""A name less likely than the first gives way to one inside it whose odds are so many times better."""

_ADDRESSED = re.compile(" ?(?:さん|ちゃん|くん|君|様)?")
_SEPARATED = re.compile(r"[、,・&/＆と\s]{1,2}")
_WIDEST_JOINT = 4 + 2
"""Code points of the longest address (a space and ちゃん) with what parts a list."""


class PersonRecognizer(LocalRecognizer):
    """Names by dictionary, lists and the words around them."""

    def __init__(self) -> None:
        super().__init__(supported_entities=["PERSON"], supported_language=LANGUAGE)

    def load(self) -> None:
        """Nothing to load."""

    def analyze(self, text: str, entities: list[str], nlp_artifacts: Any = None) -> list[RecognizerResult]:
        """
        Find names.

        Returns:
            Spans in code points of the text as written, without さん and the like; the score is the probability
            that the fit gives.
        """
        artifacts = read(text, nlp_artifacts)
        identity = {
            RecognizerResult.RECOGNIZER_NAME_KEY: self.name,
            RecognizerResult.RECOGNIZER_IDENTIFIER_KEY: self.id,
        }
        original = artifacts.normalised.original
        return [
            RecognizerResult("PERSON", *original(start, end), score, None, identity)
            for start, end, score in names(artifacts)
        ]


def names(artifacts: TextArtifacts) -> list[tuple[int, int, float]]:
    """Start, end and probability of each name in the normalised text, sorted, none overlapping."""
    points = _points()["listed"]
    scores = _scores(Search(artifacts))
    sure = [span for span, score in scores.items() if score > _ENOUGH]
    worth = [span for span, score in scores.items() if _ENOUGH_BESIDE - points < score <= _ENOUGH]
    for listed in _listed(artifacts.normalised.text, worth, sure) if sure else ():
        scores[listed] += points
    enough = _ENOUGH_BESIDE if sure else _ENOUGH
    return _apart(
        _one_of_nested([(*span, 1 / (1 + math.exp(-score))) for span, score in scores.items() if score > enough])
    )


def _logit(probability: float) -> float:
    return math.log(probability / (1 - probability))


_ENOUGH, _ENOUGH_BESIDE = _logit(ENOUGH), _logit(ENOUGH_BESIDE)


@cache
def _points() -> dict[str, float]:
    text = resources.files("anonymizers.text").joinpath("person_points.csv").read_text(encoding="utf-8")
    return {row["feature"]: float(row["points"]) for row in csv.DictReader(text.splitlines())}


@cache
def _point(*words: str) -> float:
    """The points of a feature, by its words. What is remembered here is no text: features are of a closed list."""
    return _points().get(" ".join(words), 0.0)


@cache
def _points_of_shape(shape: Shape) -> tuple[float, str]:
    """The points of what a candidate is made of, and its script."""
    return sum(map(_point, shape)), shape[0].partition(" ")[0]


@cache
def _points_around(script: str, left: str, right: str, near: str) -> float:
    """The points of what a candidate of a script stands between, and of any candidate."""
    points = _points()["any"] + _point(left) + _point(right)
    points += _point(script, left) + _point(script, right) + _point(left, right)
    return points + _point("near", near) if near else points


@cache
def _points_of_words() -> tuple[dict[str, float], ...]:
    """Points of the word before a candidate, after it, after that, and of itself, each by the word."""
    roles = [feature[:-1] for feature in word_features((" ", " ", " ", " "))]
    return tuple({f[len(role) :]: points for f, points in _points().items() if f.startswith(role)} for role in roles)


@cache
def _most_of_itself() -> float:
    return max(0.0, *_points_of_words()[-1].values())


def _scores(search: Search) -> dict[tuple[int, int], float]:
    """
    The logit of each candidate of a text that could be enough; of what cannot be, the dictionary is not asked.

    What is the same for all that start or end at a place is asked once.
    """
    of_before, of_after, of_later, of_itself = _points_of_words()
    starts: dict[int, tuple[str, float]] = {}
    ends: dict[int, tuple[str, str, float]] = {}
    least = _ENOUGH_BESIDE - _points()["listed"]
    most = _most_of_itself()
    scores: dict[tuple[int, int], float] = {}
    for start, end, shape in search.places():
        if start not in starts:
            left, word = search.before(start)
            starts[start] = left, of_before.get(word, 0.0)
        if end not in ends:
            right, near, word, later = search.behind(end)
            ends[end] = right, near, of_after.get(word, 0.0) + of_later.get(later, 0.0)
        (left, before), (right, near, beyond) = starts[start], ends[end]
        made_of, script = _points_of_shape(shape)
        around = made_of + _points_around(script, left, right, near) + before + beyond
        if around + most <= least and (start, end) not in scores:
            continue
        if shape[0] == UNLISTED:
            score = around + of_itself.get("", 0.0)
            if (score <= least and (start, end) not in scores) or search.is_word(start, end, shape):
                continue
        else:
            name = search.text[start:end]
            score = around + of_itself.get(name if name_lists.entry(name).common else "", 0.0)
        scores[start, end] = score
    return scores


def _listed(text: str, spans: list[tuple[int, int]], sure: list[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """What stands in a list with a name: さくらちゃん、ゆうと、みお."""
    ends = {_ADDRESSED.match(text, end).end() for _, end in sure} | {end for _, end in sure}
    starts = {start for start, _ in sure}
    # Nearly all spans are far from any of them.
    before = {start - width for start in starts for width in range(1, _WIDEST_JOINT + 1)}
    behind = {end + width for end in ends for width in (1, 2)}
    for start, end in (span for span in spans if span[0] in behind or span[1] in before):
        joint = _SEPARATED.match(text, _ADDRESSED.match(text, end).end())
        parted = (start - width for width in (1, 2) if _SEPARATED.fullmatch(text, max(0, start - width), start))
        if (joint and joint.end() in starts) or not ends.isdisjoint(parted):
            yield start, end


_Found = list[tuple[int, int, float]]


def _one_of_nested(found: _Found) -> _Found:
    """Of names one inside the other one each, sorted: 山田花子, not 山田; but はると where うちのはると is doubtful."""
    kept: _Found = []
    for name in sorted(found, key=lambda name: (name[0], -name[1])):
        if not kept or name[1] > kept[-1][1]:
            kept.append(name)
        elif kept[-1][2] < DOUBTFUL and _odds(name) > FAR_LIKELIER * _odds(kept[-1]):
            kept[-1] = name
    return kept


def _odds(name: tuple[int, int, float]) -> float:
    return name[2] / (1 - name[2] + 1e-12)


def _apart(found: _Found) -> _Found:
    """Of names that overlap the likeliest together; those given are sorted, and none lies inside another."""
    ends = [end for _, end, _ in found]
    best = [0.0]
    chosen = []
    for number, (start, _, score) in enumerate(found):
        free = bisect.bisect_right(ends, start, 0, number)
        taken = best[free] + score
        chosen.append(taken >= best[number])
        best.append(max(taken, best[number]))
    kept, number = [], len(found) - 1
    while number >= 0:
        if chosen[number]:
            kept.append(found[number])
            number = bisect.bisect_right(ends, found[number][0], 0, number) - 1
        else:
            number -= 1
    return kept[::-1]


def recognizer() -> PersonRecognizer:
    """Finds PERSON by dictionary, lists and the words around; names the site knows are another's."""
    return PersonRecognizer()
