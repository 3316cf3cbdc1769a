"""Names that are known beforehand: the site's for its author and their children, and those certain in a thread."""

from typing import Any

from presidio_analyzer import LocalRecognizer, RecognizerResult

from anonymizers.text.artifacts import read
from anonymizers.text.names import KnownNames
from anonymizers.text.normalisation import Normalised
from anonymizers.text.patterns import LANGUAGE, Example

EXAMPLES = (
    Example("架空山花子です。花子と呼んで", ("架空山花子", "花子"), ("架空山 花子",)),
    Example("カクウは元気、Ｃ Ａ Ｎ Ａ Ｒ Ｙ 花子も", ("カクウ", "Ｃ Ａ Ｎ Ａ Ｒ Ｙ 花子"), ("かくう", "CANARY花子")),
    Example("hanaちゃん、ｈａｎａとHanakoさん", ("hana", "ｈａｎａ", "Hana"), ("Hana",)),
    Example("emailを書く森の花", (), ("mai", "森", "")),
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
        return self.find(read(text, nlp_artifacts).normalised)

    def find(self, reading: Normalised) -> list[RecognizerResult]:
        """The same, of a text that is normalised already."""
        identity = {
            RecognizerResult.RECOGNIZER_NAME_KEY: self.name,
            RecognizerResult.RECOGNIZER_IDENTIFIER_KEY: self.id,
        }
        spans = [reading.original(start, end) for start, end in self._known.find(reading.text)]
        return [RecognizerResult("PERSON", start, end, 1.0, None, identity) for start, end in spans]


def recognizer() -> KnownNameRecognizer:
    """Knows nobody: whose names are to be found is said per thread, so `anonymizers.text.redaction` makes its own."""
    return KnownNameRecognizer(KnownNames(()))
