"""
Sudachi, the tokenizer behind names and terms: words of Japanese text with their part of speech.

One tokenizer per process, with the core dictionary that is installed beside it and mapped into memory.
"""

from collections.abc import Iterator
from functools import cache
from typing import NamedTuple

import regex
from sudachipy import Dictionary, Morpheme, Tokenizer

LONGEST_STRETCH_BYTES = 49_149
"""In UTF-8; Sudachi refuses more at once."""

PREFERRED_STRETCH = 4_000
"""Code points; longer texts are read by their sentences, so that time stays linear and memory flat."""

_SENTENCE_END = regex.compile(r"[。．！？!?…\n]+")


class SentenceTooLong(ValueError):
    """A text has a stretch over `LONGEST_STRETCH_BYTES` without any end of a sentence. The text is not in it."""

    def __init__(self) -> None:
        super().__init__(f"a sentence is over {LONGEST_STRETCH_BYTES} bytes")


class Placed(NamedTuple):
    """A morpheme and where the stretch it was found in begins."""

    morpheme: Morpheme
    offset: int


@cache
def dictionary() -> Dictionary:
    """Sudachi's core dictionary (Apache-2.0)."""
    return Dictionary(dict="core")


@cache
def _tokenizer() -> Tokenizer:
    # Longest units (mode C): 保育園 is one word, 保育 and 園 are its pieces.
    return dictionary().tokenizer("C", fields={"pos", "normalized_form", "reading_form"})


def morphemes(text: str) -> Iterator[Placed]:
    """
    Tokenize a text of any length.

    Args:
        text: Normalised text, without surrogates.

    Yields:
        Morphemes in order; ``begin()`` and ``end()`` of each count from its ``offset``, in code points of
        `text`. Those without width, which Sudachi makes of some marks, are left out.

    Raises:
        SentenceTooLong: a sentence alone is more than Sudachi takes.
    """
    for start, stretch in stretches(text):
        for morpheme in _tokenizer().tokenize(stretch):
            if morpheme.end() > morpheme.begin():
                yield Placed(morpheme, start)


def stretches(text: str) -> Iterator[tuple[int, str]]:
    """
    Cut a long text at ends of sentences; a short one is one piece.

    Yields:
        Where each piece begins, and the piece; together they are the text. A piece is `PREFERRED_STRETCH` code
        points at most, unless it is a single sentence.

    Raises:
        SentenceTooLong: a sentence alone is more than `LONGEST_STRETCH_BYTES`.
    """
    start = reach = 0
    ends = (match.end() for match in _SENTENCE_END.finditer(text)) if len(text) > PREFERRED_STRETCH else ()
    for end in (*ends, len(text)):
        if end - start > PREFERRED_STRETCH and reach > start:
            yield start, text[start:reach]
            start = reach
        if len(text[start:end].encode()) > LONGEST_STRETCH_BYTES:
            raise SentenceTooLong
        reach = end
    yield start, text[start:]
