"""
Presidio, set up for Japanese text without a model.

The analyzer runs every recogniser found in `anonymizers.text.recognizers`; adding one is adding a file
there. What Presidio does per call and nobody here uses (a model, context enhancement, explanations) is off.
"""

import importlib
import pkgutil
from collections.abc import Iterable, Iterator
from functools import cache
from types import ModuleType
from typing import Any

from presidio_analyzer import AnalyzerEngine, EntityRecognizer, RecognizerRegistry, RecognizerResult
from presidio_analyzer.nlp_engine import NlpArtifacts, NlpEngine

from anonymizers.text import recognizers
from anonymizers.text.artifacts import TextArtifacts
from anonymizers.text.patterns import LANGUAGE


class JapaneseNlpEngine(NlpEngine):
    """
    A Presidio `NlpEngine` on Sudachi instead of a neural pipeline: words, and no entities, which are the recognisers'.

    It goes into any `AnalyzerEngine` for language "ja", with the recognisers of this package or others.
    """

    def load(self) -> None:
        """Nothing to load."""

    def is_loaded(self) -> bool:
        """Always true."""
        return True

    def process_text(self, text: str, language: str) -> TextArtifacts:
        """The artifacts of one text; `language` must be "ja"."""
        if language != LANGUAGE:
            raise ValueError("language must be ja")
        return TextArtifacts(text, self)

    def process_batch(
        self, texts: Iterable[str], language: str, batch_size: int = 1, n_process: int = 1, **_: Any
    ) -> Iterator[tuple[str, NlpArtifacts]]:
        """Each text with its artifacts, one by one; batches would gain nothing without a model."""
        return ((text, self.process_text(text, language)) for text in texts)

    def is_stopword(self, word: str, language: str) -> bool:
        """Never: no list is kept, because nothing reads one."""
        return False

    def is_punct(self, word: str, language: str) -> bool:
        """Whether the word holds no letter and no digit."""
        return not any(character.isalnum() for character in word)

    def get_supported_entities(self) -> list[str]:
        """None; entities come from recognisers only."""
        return []

    def get_supported_languages(self) -> list[str]:
        """Japanese."""
        return [LANGUAGE]


class JapaneseAnalyzerEngine(AnalyzerEngine):
    """
    An `AnalyzerEngine` without Presidio's context enhancement.

    That compares lemmas before each result with word lists. The words that matter in Japanese stand after the
    value as often ("…生まれ"), so they are part of the patterns instead; and it costs time for every recogniser.
    """

    def _enhance_using_context(
        self,
        text: str,
        raw_results: list[RecognizerResult],
        nlp_artifacts: NlpArtifacts,
        recognizers: list[EntityRecognizer],
        context: list[str] | None = None,
    ) -> list[RecognizerResult]:
        """The results given, unchanged."""
        return raw_results


@cache
def recognizer_modules() -> tuple[ModuleType, ...]:
    """
    Every module in `anonymizers.text.recognizers`, by name.

    Returns:
        Modules with ``recognizer()`` and ``EXAMPLES``.

    Raises:
        TypeError: a module lacks one of them; the message names the module.
    """
    names = sorted(module.name for module in pkgutil.iter_modules(recognizers.__path__))
    modules = tuple(importlib.import_module(f"{recognizers.__name__}.{name}") for name in names)
    for module in modules:
        if not hasattr(module, "recognizer") or not hasattr(module, "EXAMPLES"):
            raise TypeError(f"{module.__name__} must define recognizer() and EXAMPLES")
    return modules


class EveryRecognizer(RecognizerRegistry):
    """A registry whose recognisers all run on every text; Presidio's compares labels again on each call."""

    def get_recognizers(
        self,
        language: str,
        entities: list[str] | None = None,
        all_fields: bool = False,
        ad_hoc_recognizers: list[EntityRecognizer] | None = None,
    ) -> list[EntityRecognizer]:
        """All of them, in the order of their files; other languages and ad-hoc recognisers are refused."""
        if language != LANGUAGE or ad_hoc_recognizers:
            raise ValueError("language must be ja, and every recogniser has a file")
        return list(self.recognizers)


@cache
def analyzer() -> AnalyzerEngine:
    """The analyzer over all recognisers found; built once per process."""
    return JapaneseAnalyzerEngine(
        registry=EveryRecognizer(
            recognizers=[module.recognizer() for module in recognizer_modules()], supported_languages=[LANGUAGE]
        ),
        nlp_engine=JapaneseNlpEngine(),
        supported_languages=[LANGUAGE],
    )


@cache
def entities() -> list[str]:
    """The labels all recognisers together may find, sorted."""
    return sorted(analyzer().get_supported_entities(LANGUAGE))


def analyze(artifacts: TextArtifacts) -> list[RecognizerResult]:
    """
    Run every recogniser over one text.

    Args:
        artifacts: Of the text. Other recognisers may go on with them.

    Returns:
        What was found, in code points of the text as written; results may overlap.

    Raises:
        Exception: whatever a recogniser raises; its message may hold the text.
    """
    # With a threshold given Presidio need not ask each recogniser for one of its own; none has any.
    return analyzer().analyze(
        artifacts.written, LANGUAGE, entities=entities(), nlp_artifacts=artifacts, score_threshold=0.0
    )
