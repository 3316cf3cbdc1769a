"""
What the recognisers read of a text: two readings of it, and its words, each made when first asked for.

Presidio hands these artifacts from the NLP engine to every recogniser. Recognisers read `normalised` or
`unmasked` and report code points of the text as it was written, so that they work in anybody's
`AnalyzerEngine`: nothing outside them needs to know that there is another reading.
"""

from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from presidio_analyzer.nlp_engine import NlpArtifacts

from anonymizers.text.normalisation import Normalised, normalise, unmask
from anonymizers.text.tokenizer import Word, tokenize

if TYPE_CHECKING:
    from presidio_analyzer.nlp_engine import NlpEngine


class Token(NamedTuple):
    """A word as other people's recognisers expect it; attributes are named as spaCy's."""

    text: str
    idx: int
    """Where it starts, in code points of the text as written."""


class TextArtifacts(NlpArtifacts):
    """
    A text, its readings and its words.

    Presidio's constructor is not called: it wants everything at once, and most texts need little of it.
    """

    def __init__(self, text: str, engine: "NlpEngine | None" = None) -> None:
        self.written = text
        self.nlp_engine = engine
        self.entities, self.scores, self.keywords = [], [], []

    @cached_property
    def normalised(self) -> Normalised:
        """Widths folded, nothing invisible: the words as they are."""
        return normalise(self.written)

    @cached_property
    def unmasked(self) -> Normalised:
        """The same with numerals of all kinds as digits and disguised marks as marks: for numbers and addresses."""
        return unmask(self.normalised)

    @cached_property
    def words(self) -> tuple[Word, ...]:
        """Sudachi's words of the normalised reading."""
        return tuple(tokenize(self.normalised.text))

    @cached_property
    def tokens(self) -> list[Token]:
        """The words where they were written; white space is in none."""
        original = self.normalised.original
        return [Token(word.text, original(word.start, word.end)[0]) for word in self.words if word.kind != "space"]

    @property
    def tokens_indices(self) -> list[int]:
        """Where each token starts."""
        return [token.idx for token in self.tokens]

    @property
    def lemmas(self) -> list[str]:
        """The tokens' texts: no recogniser here compares by another form."""
        return [token.text for token in self.tokens]

    def to_json(self) -> str:
        """Refuse: Presidio calls this to write the text into a log."""
        raise TypeError("the artifacts of a text are not to be written out")


def read(text: str, artifacts: NlpArtifacts | None) -> TextArtifacts:
    """The artifacts given if they are ours and of this text; else new ones, so that any NLP engine will do."""
    if isinstance(artifacts, TextArtifacts) and artifacts.written is text:
        return artifacts
    return TextArtifacts(text)
