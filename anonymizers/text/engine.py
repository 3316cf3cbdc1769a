"""
Presidio, set up for Japanese text without a model.

`analyze` runs every recogniser found in `anonymizers.text.recognizers`; adding one is adding a file there.
`JapaneseNlpEngine` takes the same recognisers into anybody's `AnalyzerEngine`.
"""

import importlib
import pkgutil
from collections.abc import Iterable, Iterator
from functools import cache
from types import ModuleType
from typing import Any

from presidio_analyzer import EntityRecognizer, RecognizerResult
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


@cache
def every_recognizer() -> tuple[EntityRecognizer, ...]:
    """A recogniser of each module, in the order of their files; made once per process."""
    return tuple(module.recognizer() for module in recognizer_modules())


@cache
def entities() -> list[str]:
    """The labels all recognisers together may find, sorted."""
    return sorted({entity for recognizer in every_recognizer() for entity in recognizer.supported_entities})


def analyze(artifacts: TextArtifacts) -> list[RecognizerResult]:
    """
    Run every recogniser over one text.

    Presidio's `AnalyzerEngine` calls the same recognisers. Around each call it compares labels, scores, words before a
    value and results inside each other, which costs a tenth of the time and changes nothing that is redacted:
    whatever overlaps is made one, and the words that matter in Japanese are part of the patterns.

    Args:
        artifacts: Of the text. Other recognisers may go on with them.

    Returns:
        What was found, in code points of the text as written; results may overlap.

    Raises:
        Exception: whatever a recogniser raises; its message may hold the text.
    """
    labels = entities()
    results: list[RecognizerResult] = []
    for recognizer in every_recognizer():
        results += recognizer.analyze(artifacts.written, labels, artifacts)
    return results
