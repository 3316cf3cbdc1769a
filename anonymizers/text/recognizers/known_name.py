"""Names the site knows for the author of the posting and their children."""

from typing import Any

from presidio_analyzer import LocalRecognizer, RecognizerResult

from anonymizers.text.names import find_known
from anonymizers.text.patterns import LANGUAGE, Example

EXAMPLES = (
    Example("架空山花子です。花子と呼んで", ("架空山花子", "花子"), ("架空山 花子",)),
    Example("カクウは元気、Ｃ Ａ Ｎ Ａ Ｒ Ｙ 花子も", ("カクウ", "Ｃ Ａ Ｎ Ａ Ｒ Ｙ 花子"), ("かくう", "CANARY花子")),
    Example("hanaちゃん、ｈａｎａとHanakoさん", ("hana", "ｈａｎａ", "Hana"), ("Hana",)),
    Example("emailを書く森の花", (), ("mai", "森", "")),
)


class _KnownName(LocalRecognizer):
    """Literal matches; a known name is certain, so it has the highest score."""

    def __init__(self) -> None:
        super().__init__(supported_entities=["PERSON"], supported_language=LANGUAGE)

    def load(self) -> None:
        """Nothing to load."""

    def analyze(self, text: str, entities: list[str], nlp_artifacts: Any = None) -> list[RecognizerResult]:
        """
        Find the forms that the artifacts carry (`anonymizers.text.engine.TextArtifacts.known_forms`).

        Returns:
            Spans in code points of `text`, none touching; empty where no names came with the text.
        """
        identity = {
            RecognizerResult.RECOGNIZER_NAME_KEY: self.name,
            RecognizerResult.RECOGNIZER_IDENTIFIER_KEY: self.id,
        }
        spans = find_known(text, nlp_artifacts.known_forms)
        return [RecognizerResult("PERSON", start, end, 1.0, None, identity) for start, end in spans]


def recognizer() -> LocalRecognizer:
    """Finds PERSON where the site knows the name; names it does not know are another recogniser's work."""
    return _KnownName()
