"""
Names of persons that nobody told us beforehand.

Every stretch of a text that could be a name, by the dictionary or the lists, is a candidate. What it is made of,
what stands before it and what stands after it are its features, and ``person_points.csv`` says how many points each
is worth; enough points make a name. A word of every day that is a name as well (さくら, 光, 心) has few points of its
own, so it needs さん, 娘の or the like beside it, and a surname with a given name needs nothing.

The points are fitted on the project's development posts by ``bench/fit_person.py`` (logistic regression); texts of
others are measured against, never fitted on.
"""

import csv
import math
from collections.abc import Iterator
from functools import cache
from importlib import resources
from typing import Any

import regex
from presidio_analyzer import LocalRecognizer, RecognizerResult

from anonymizers.text.artifacts import TextArtifacts, read
from anonymizers.text.name_candidates import candidates
from anonymizers.text.patterns import LANGUAGE, Example

ENOUGH = 0.5
"""Probability from which a candidate is a name. Lower finds more names and more words; the README says at what cost."""

ENOUGH_BESIDE = 0.3
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


_ADDRESSED = regex.compile(" ?(?:さん|ちゃん|くん|君|様)?")
_SEPARATED = regex.compile(r"[、,・&/＆と\s]{1,2}")


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
    found = candidates(artifacts)
    scores = {(c.start, c.end): _sum(c.features) for c in found}
    sure = [span for span, score in scores.items() if score > _logit(ENOUGH)]
    for listed in set(_listed(artifacts.normalised.text, scores, sure)):
        scores[listed] += _points()["listed"]
    enough = _logit(ENOUGH_BESIDE if sure else ENOUGH)
    return _best([(*span, 1 / (1 + math.exp(-score))) for span, score in scores.items() if score > enough])


def _logit(probability: float) -> float:
    return math.log(probability / (1 - probability))


@cache
def _points() -> dict[str, float]:
    text = resources.files("anonymizers.text").joinpath("person_points.csv").read_text(encoding="utf-8")
    return {row["feature"]: float(row["points"]) for row in csv.DictReader(text.splitlines())}


def _sum(features: tuple[str, ...]) -> float:
    points = _points()
    return points["any"] + sum(points.get(feature, 0.0) for feature in features)


def _listed(text: str, scores: dict[tuple[int, int], float], sure: list[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """What stands in a list with a name: さくらちゃん、ゆうと、みお."""
    ends = {_ADDRESSED.match(text, end).end() for _, end in sure} | {end for _, end in sure}
    starts = {start for start, _ in sure}
    for start, end in scores:
        joint = _SEPARATED.match(text, _ADDRESSED.match(text, end).end())
        before = {
            start - width for width in (1, 2) if start >= width and _SEPARATED.fullmatch(text[start - width : start])
        }
        if (joint and joint.end() in starts) or before & ends:
            yield start, end


def _best(found: list[tuple[int, int, float]]) -> list[tuple[int, int, float]]:
    """Of names one inside the other the longer, and of names that overlap otherwise the surer."""
    found = [
        (start, end, score)
        for start, end, score in found
        if not any(first <= start and end <= last and (first, last) != (start, end) for first, last, _ in found)
    ]
    chosen: list[tuple[int, int, float]] = []
    for start, end, score in sorted(found, key=lambda name: -name[2]):
        if all(end <= other[0] or other[1] <= start for other in chosen):
            chosen.append((start, end, score))
    return sorted(chosen)


def recognizer() -> PersonRecognizer:
    """Finds PERSON by dictionary, lists and the words around; names the site knows are another's."""
    return PersonRecognizer()
