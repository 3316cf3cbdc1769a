"""
Normalise Japanese text without losing where each character came from.

The recognisers read one spelling of everything (half-width digits, one hyphen, no zero-width
characters); the redaction is done on the text as it was written. The map between the two is kept
here, so that no recogniser ever has to think about offsets.
"""

import itertools
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import regex

# Characters that show nothing and split a number or a name for a reader that is not human:
# soft hyphen, combining grapheme joiner, Hangul fillers, zero-width space and joiners, word joiner and
# invisible operators, variation selectors, byte-order mark, tags.
# Source: Unicode 14, DerivedCoreProperties.txt, Default_Ignorable_Code_Point, less the direction marks
# (a text that holds those is refused, see `redaction`).
_INVISIBLE = (
    "\u00ad\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200d\u2060-\u2065\u206a-\u206f\u3164\ufe00-\ufe0f"
    "\ufeff\uffa0\ufff0-\ufff8\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
)

# Second halves of a canonical composition that are not combining marks (NFC_QC=Maybe, ccc=0), as they
# are written before NFKC: half-width voicing marks, Hangul vowels and finals in their three widths, and
# the few Indic vowel signs. They belong to the character before them.
# Source: Unicode 14, DerivedNormalizationProps.txt; `tests/anonymizers/text` walks all code points.
_SECOND_HALVES = (
    "\u09be\u09d7\u0b3e\u0b56\u0b57\u0bbe\u0bd7\u0cc2\u0cd5\u0cd6\u0d3e\u0d57\u0dcf\u0ddf\u102e"
    "\u1161-\u1175\u11a8-\u11c2\u1b35\u3131-\u318e\uff9e\uff9f\uffa1-\uffdc"
    "\U0001133e\U00011357\U000114b0\U000114ba\U000114bd\U000115af\U00011930"
)
_JOINING = regex.compile(rf"[\p{{M}}{_SECOND_HALVES}]")
_INVISIBLES = regex.compile(f"[{_INVISIBLE}]+")

# "①090-…" is item one of a list; folded to "1090-…" it would hide the number from every recogniser.
# An enclosed numeral with another beside it is a digit of something and is folded.
_ENCLOSED = "\u2460-\u249b\u24ea-\u24ff\u2776-\u2793"
_LIST_MARKER = regex.compile(f"(?<![{_ENCLOSED}])[{_ENCLOSED}](?![{_ENCLOSED}])")

# Between digits all of these are a hyphen to the writer: katakana long vowel, hyphens and dashes, box
# drawing lines, minus. Elsewhere ー is a letter, so it is left alone.
_HYPHENS = regex.compile(
    "(?<=[0-9)])( ?)[\u30fc\u2010-\u2015\u2043\u2212\u2500\u2501\ufe58\u02d7\u2796-]( ?)(?=[0-9(])"
)


@dataclass(frozen=True)
class Normalised:
    """A normalised text and, per code point of it, the stretch of the original it came from."""

    text: str
    """What the recognisers read."""

    starts: tuple[int, ...] | None
    """Per code point of `text`, where its source starts, in code points of the original; None if equal."""

    ends: tuple[int, ...] | None
    """Per code point of `text`, where its source ends (exclusive); None if equal."""

    def original(self, start: int, end: int) -> tuple[int, int]:
        """
        Carry a span over to the original text.

        Args:
            start: First code point of the span in `text`.
            end: One past its last; greater than `start`.

        Returns:
            The smallest span of the original that holds everything the normalised span was made
            from, with the invisible characters inside it.
        """
        if self.starts is None or self.ends is None:
            return start, end
        return self.starts[start], self.ends[end - 1]


def normalise(text: str) -> Normalised:
    """
    Fold widths and compatibility forms (NFKC), drop invisible characters, unify hyphens between digits.

    Args:
        text: Any text.

    Returns:
        The normalised text with its offset map. Lone enclosed numerals such as ① stay as they are.
        Nothing of the original is in the map but positions.

    Source:
        Unicode Standard Annex #15 (Normalization Forms), read 2026-11.
    """
    if unicodedata.is_normalized("NFKC", text) and not _INVISIBLES.search(text):
        return Normalised(_unify_hyphens(text), None, None)
    kept, places = _without_invisibles(text)
    if len(kept) == len(text) and not _JOINING.search(text) and not _LIST_MARKER.search(text):
        folded = "".join(map(_fold_character, text))
        if len(folded) == len(text):  # no character folds to nothing, so each became one
            return Normalised(_unify_hyphens(folded), None, None)
    return _folded_by_stretch(kept, places)


def unmask(normalised: Normalised) -> Normalised:
    """
    Undo disguises in a normalised text: numerals of all kinds become digits, words for marks become marks.

    Returns:
        A reading whose offset map leads to the original text, as `normalise` gives it.
    """
    return normalised


def _folded_by_stretch(kept: str, places: Sequence[int]) -> Normalised:
    """Fold each stretch NFKC treats by itself; all code points it becomes come from all it was."""
    markers = {match.start() for match in _LIST_MARKER.finditer(kept)}
    pieces, starts, ends = [], [], []
    for begin, finish in itertools.pairwise(_boundaries(kept)):
        piece = kept[begin:finish] if begin in markers else unicodedata.normalize("NFKC", kept[begin:finish])
        pieces.append(piece)
        starts.extend([places[begin]] * len(piece))
        ends.extend([places[finish - 1] + 1] * len(piece))
    return Normalised(_unify_hyphens("".join(pieces)), tuple(starts), tuple(ends))


def _unify_hyphens(text: str) -> str:
    """Write every hyphen between digits as "-"; the length stays."""
    return _HYPHENS.sub(r"\1-\2", text)


def _without_invisibles(text: str) -> tuple[str, list[int] | range]:
    """The text without invisible characters, and where each code point left stood."""
    if not _INVISIBLES.search(text):
        return text, range(len(text))
    places = [place for place, character in enumerate(text) if not _INVISIBLES.match(character)]
    return "".join([text[place] for place in places]), places


def _boundaries(text: str) -> list[int]:
    """Where a stretch starts that NFKC treats by itself, and the end of the text."""
    joining = {match.start() for match in _JOINING.finditer(text)}
    return [i for i in range(len(text)) if i == 0 or i not in joining] + [len(text)]


@lru_cache(maxsize=1 << 16)
def _fold_character(character: str) -> str:
    return unicodedata.normalize("NFKC", character)
