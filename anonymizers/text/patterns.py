"""
What every recogniser file is made of: a Presidio recogniser that reports a part of its match, and examples.

Presidio's own `PatternRecognizer` reports the whole match, so words that only point at a value
("口座番号は") would be redacted with it; and when an expression runs out of time it logs and carries on,
which here would let the text through. Both are changed, the rest is Presidio's.
"""

from typing import Any, NamedTuple

import regex
from presidio_analyzer import Pattern, PatternRecognizer, RecognizerResult

from anonymizers.text.artifacts import read

LANGUAGE = "ja"

EXPRESSION_TIMEOUT_S = 20.0
"""Far beyond what a linear expression takes on the longest text, even on a loaded machine: reaching it
drops the posting, and that must not depend on what else the machine is doing."""

SEPARATOR = r"[-. ()/・]{0,3}"
"""What people write between the groups of a number, after normalisation. Never a line break."""


class Example(NamedTuple):
    """A worked example of a recogniser: every recogniser file has some, and one that finds nothing."""

    text: str
    """A posting, invented."""

    found: tuple[str, ...]
    """The parts of `text` this recogniser finds, in order; empty for an example of what it must leave."""

    names: tuple[str, ...] = ()
    """Names known to the site for the author."""


class CuedPatternRecognizer(PatternRecognizer):
    """
    A `PatternRecognizer` that reports the group ``value`` or ``cued`` of its patterns, not the whole match.

    ``value`` has nothing but its form to speak for it and goes through `validate_result`; ``cued`` stands
    beside a word that says what it is, and a mistyped card number beside "カード番号" is still to be redacted.
    Runs out of time by raising `TimeoutError`: the caller drops the text.
    """

    def __init__(self, entity: str, *patterns: Pattern, needs: str = "[0-9]") -> None:
        """
        Make a recogniser.

        Args:
            entity: Its label.
            patterns: From `form` and `cue`.
            needs: A character class without which no pattern can match; most postings are passed over by it.
        """
        super().__init__(supported_entity=entity, supported_language=LANGUAGE, patterns=list(patterns))
        self._needed = regex.compile(needs)
        self._expressions = [(_compiled(pattern.regex), pattern.score) for pattern in patterns]

    def analyze(
        self, text: str, entities: list[str], nlp_artifacts: Any = None, regex_flags: int | None = None
    ) -> list[RecognizerResult]:
        """
        Find this recogniser's entity.

        Args:
            text: As it was written; its unmasked reading is searched.
            entities: Not read; the recogniser has one entity.
            nlp_artifacts: From `anonymizers.text.engine.JapaneseNlpEngine`, or any other, which is passed over.
            regex_flags: Not read; an expression says itself what it ignores.

        Returns:
            Spans of ``value`` and ``cued`` groups, in code points of `text`; they may overlap.
            No explanation is attached, since it would be thrown away.

        Raises:
            TimeoutError: an expression took longer than `EXPRESSION_TIMEOUT_S`.
        """
        reading = read(text, nlp_artifacts).unmasked
        if not self._needed.search(reading.text):
            return []
        return [
            self.result(*reading.original(*match.span(match.lastgroup)), score)
            for expression, score in self._expressions
            for match in expression.finditer(reading.text, timeout=EXPRESSION_TIMEOUT_S)
            if match.lastgroup == "cued" or self.validate_result(match["value"]) is not False
        ]

    def result(self, start: int, end: int, score: float) -> RecognizerResult:
        """A Presidio result of this recogniser for one span."""
        identity = {
            RecognizerResult.RECOGNIZER_NAME_KEY: self.name,
            RecognizerResult.RECOGNIZER_IDENTIFIER_KEY: self.id,
        }
        return RecognizerResult(self.supported_entities[0], start, end, score, None, identity)


def _compiled(expression: str) -> regex.Pattern[str]:
    """Compile one expression; it must name exactly one group, so that what it reports is never a guess."""
    compiled = regex.compile(expression)
    if compiled.groups != 1 or not compiled.groupindex.keys() <= {"value", "cued"}:
        raise ValueError("an expression has exactly one group, named value or cued")
    return compiled


def form(name: str, expression: str) -> Pattern:
    """A pattern that its form alone makes likely."""
    return Pattern(name, expression, 0.6)


def cue(name: str, expression: str) -> Pattern:
    """A pattern that stands beside a word saying what it is; it wins over a form of the same length."""
    return Pattern(name, expression, 0.9)


def digits(value: str) -> str:
    """The ASCII digits of a value, in order."""
    return "".join(filter("0123456789".__contains__, value))
