"""
Sudachi, the tokenizer behind names and terms: words of Japanese text with their part of speech.

One tokenizer per thread, with the core dictionary that is installed beside it and mapped into memory.
"""

import threading
from collections.abc import Iterator
from functools import cache
from typing import NamedTuple

import regex
from sudachipy import Dictionary

LONGEST_STRETCH_BYTES = 49_149
"""In UTF-8; Sudachi refuses more at once."""

PREFERRED_STRETCH = 4_000
"""Code points; longer texts are read by their sentences, so that time stays linear and memory flat."""

_SENTENCE_END = regex.compile(r"[。．！？!?…\n]+")


class SentenceTooLong(ValueError):
    """A text has a stretch over `LONGEST_STRETCH_BYTES` without any end of a sentence. The text is not in it."""

    def __init__(self) -> None:
        super().__init__(f"a sentence is over {LONGEST_STRETCH_BYTES} bytes")


class Word(NamedTuple):
    """A morpheme, in code points of the text it was found in."""

    text: str
    start: int
    end: int

    kind: str
    """One of: surname, given, person (人名), place, proper (固有名詞), noun, number, pronoun, suffix, particle,
    auxiliary, verb, prefix, mark, space, other."""

    known: bool
    """Whether it is in the dictionary."""

    pos: tuple[str, ...]
    """Sudachi's part of speech: 名詞, 固有名詞, 地名, ..."""


_new = tuple.__new__


@cache
def dictionary() -> Dictionary:
    """Sudachi's core dictionary (Apache-2.0), which is installed beside it and mapped into memory."""
    return Dictionary(dict="core")


class _Own(threading.local):
    """A thread's own tokenizer, since Sudachi's serve one at a time, and where it writes what it finds."""

    def __init__(self) -> None:
        # Longest units (mode C): 保育園 is one word, 保育 and 園 are its pieces.
        self.tokenizer = dictionary().tokenizer("C", fields={"pos"})
        # A list made anew for each text costs Sudachi a tenth of its time.
        self.morphemes = self.tokenizer.tokenize("")


@cache
def of_this_thread() -> _Own:
    """Made anew once it is cleared: it holds the text that was read last."""
    return _Own()


PROPER = frozenset({"surname", "given", "person", "place", "proper"})
"""The kinds of proper names."""

_NAMES = {"姓": "surname", "名": "given"}
_KINDS = {
    "代名詞": "pronoun", "接尾辞": "suffix", "助詞": "particle", "助動詞": "auxiliary", "動詞": "verb",
    "接頭辞": "prefix", "補助記号": "mark", "記号": "mark", "空白": "space",
}  # fmt: skip


@cache
def kind_of(part_of_speech: int) -> tuple[str, tuple[str, ...]]:
    """What sort of word a part of speech is, and the part of speech itself."""
    first, second, third, fourth, *_ = pos = tuple(dictionary().pos_of(part_of_speech))
    if first != "名詞":
        return _KINDS.get(first, "other"), pos
    if second == "固有名詞":
        return {"人名": _NAMES.get(fourth, "person"), "地名": "place"}.get(third, "proper"), pos
    return "number" if second == "数詞" else "noun", pos


def tokenize(text: str) -> list[Word]:
    """
    Tokenize a text of any length.

    Args:
        text: Normalised text, without surrogates.

    Returns:
        Words in order. Those without width, which Sudachi makes of some marks, are left out.

    Raises:
        SentenceTooLong: a sentence alone is more than Sudachi takes.
    """
    words, mine = [], of_this_thread()
    for offset, stretch in stretches(text):
        for m in mine.tokenizer.tokenize(stretch, out=mine.morphemes):
            start, end = m.begin(), m.end()
            if end > start:
                kind, pos = kind_of(m.part_of_speech_id())
                # As Word(...) makes it, without the call in between: words are made by the dozen for each text.
                words.append(_new(Word, (stretch[start:end], offset + start, offset + end, kind, not m.is_oov(), pos)))
    return words


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
