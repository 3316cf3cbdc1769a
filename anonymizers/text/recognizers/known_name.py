"""Names that are known beforehand: the site's for its author and their children, and those certain in a thread."""

from typing import Any

import regex
from presidio_analyzer import LocalRecognizer, RecognizerResult

from anonymizers.text.artifacts import TextArtifacts, read
from anonymizers.text.names import KnownNames, Words
from anonymizers.text.normalisation import Normalised
from anonymizers.text.patterns import LANGUAGE, Example

EXAMPLES = (
    Example("架空山花子です。花子と呼んで", ("架空山花子", "花子"), ("架空山 花子",)),
    Example("カクウは元気、Ｃ Ａ Ｎ Ａ Ｒ Ｙ 花子も", ("カクウ", "Ｃ Ａ Ｎ Ａ Ｒ Ｙ 花子"), ("かくう", "CANARY花子")),
    Example("hanaちゃん、ｈａｎａとHanakoさん", ("hana", "ｈａｎａ", "Hanako"), ("Hana",)),
    Example("林くん、林のりんが、ﾘﾝ、rin", ("林", "林", "りん", "ﾘﾝ", "rin"), ("林 りん",)),
    Example("emailを書く森林の花、りんごまで", (), ("mai", "森", "りん", "")),
)


class KnownNameRecognizer(LocalRecognizer):
    """Literal matches; a known name is certain, so it has the highest score."""

    def __init__(self, known: KnownNames) -> None:
        super().__init__(supported_entities=["PERSON"], supported_language=LANGUAGE)
        self._known = known

    def load(self) -> None:
        """Nothing to load."""

    def analyze(self, text: str, entities: list[str], nlp_artifacts: Any = None) -> list[RecognizerResult]:
        """
        Find the known names.

        Returns:
            Spans in code points of the text as written, none touching; empty where nothing is known.
        """
        if not self._known:
            return []
        artifacts = read(text, nlp_artifacts)
        return self.find(artifacts.normalised, words_of(artifacts))

    def find(self, reading: Normalised, words: Words) -> list[RecognizerResult]:
        """The same, of a text that was read already, with its `words_of`."""
        identity = {
            RecognizerResult.RECOGNIZER_NAME_KEY: self.name,
            RecognizerResult.RECOGNIZER_IDENTIFIER_KEY: self.id,
        }
        spans = [reading.original(start, end) for start, end in self._known.find(reading.text, words)]
        return [RecognizerResult("PERSON", start, end, 1.0, None, identity) for start, end in spans]


def words_of(artifacts: TextArtifacts) -> Words:
    """What a short name in kana must know of the words of the normalised text."""
    nouns, breaks, functional = [], set(), {}
    for text, start, end, kind, known, _ in artifacts.words:
        breaks.add(start)
        breaks.add(end)
        if kind == "particle" or kind == "auxiliary":
            functional[start] = end
        elif kind == "noun" and end - start > 2 and known and _KANA.fullmatch(text):
            nouns.append((start, end))
    return Words(tuple(nouns), frozenset(breaks), functional)


_KANA = regex.compile("[ぁ-ゖァ-ヺー]+")


def recognizer() -> KnownNameRecognizer:
    """Knows nobody: whose names are to be found is said per thread, so `anonymizers.text.redaction` makes its own."""
    return KnownNameRecognizer(KnownNames(()))
