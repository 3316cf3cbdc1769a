"""
The names a site knows for the author of a posting, as they may be written in it.

Literal matching, after folding case and kana: no dictionary and no guess. Short kana names are found
inside longer words too ("りん" in "りんご"): within one author's postings a word too many is redacted
rather than a name too few.
"""

import itertools
import unicodedata
from collections.abc import Iterable, Iterator, Sequence

from anonymizers.text.normalisation import normalise

SHORTEST_NAME = 2
"""Code points. A single character (森, 光) is a word far more often than it is the name."""

WIDEST_GAP = 3
"""White-space code points allowed between two characters of a name, as in "Ｃ Ａ Ｎ Ａ Ｒ Ｙ"."""

_WHOLE_WORD_LENGTH = 3
"""Latin names up to this long match as whole words only: "mai" is not in "email"."""

_HIRAGANA = {code: code - 0x60 for code in (*range(0x30A1, 0x30F7), 0x30FD, 0x30FE)}


def fold(text: str) -> str:
    """Lower-case and hiragana for katakana, code point for code point: offsets stay."""
    lowered = text.lower()
    if len(lowered) != len(text):  # İ is two code points in lower case
        lowered = "".join(c.lower() if len(c.lower()) == 1 else c for c in text)
    return lowered.translate(_HIRAGANA)


class KnownNames:
    """The names of one author or thread, ready to be looked for. Kept in memory only."""

    def __init__(self, names: Iterable[str]) -> None:
        self._forms = known_forms(names)

    def find(self, text: str) -> list[tuple[int, int]]:
        """Spans in code points of a normalised text, sorted, overlapping and touching ones made one."""
        return find_known(text, self._forms) if self._forms else []


def known_forms(names: Iterable[str]) -> tuple[str, ...]:
    """
    The forms to look for, for the names of one author.

    Args:
        names: Full names, kana, nicknames, children's names; "山田 花子" also gives its two parts.

    Returns:
        Folded, without white space, longest first, each once; none shorter than `SHORTEST_NAME`.
    """
    forms: set[str] = set()
    for name in names:
        parts = fold(normalise(name).text).split()
        forms.update(part for part in ("".join(parts), *parts) if len(part) >= SHORTEST_NAME)
    return tuple(sorted(forms, key=lambda known: (-len(known), known)))


def find_known(text: str, forms: Sequence[str]) -> list[tuple[int, int]]:
    """
    Find known names in a normalised text.

    Args:
        text: Normalised text.
        forms: From `known_forms`.

    Returns:
        Spans in code points of `text`, sorted, overlapping and touching ones made one.
    """
    folded = fold(text)
    squeezed = "".join(folded.split())
    present = [known for known in forms if known in squeezed]
    if not present:
        return []
    places = [place for place, character in enumerate(folded) if not character.isspace()]
    words = list(itertools.accumulate((b - a > WIDEST_GAP + 1 for a, b in itertools.pairwise(places)), initial=0))
    found = [
        (places[at], places[at + len(known) - 1] + 1)
        for known in present
        for at in _occurrences(known, squeezed)
        if words[at] == words[at + len(known) - 1]
        and _may_stand(known, folded, places[at], places[at + len(known) - 1] + 1)
    ]
    return _joined(sorted(found))


def _occurrences(known: str, squeezed: str) -> Iterator[int]:
    """Where a form starts, overlapping occurrences included."""
    at = squeezed.find(known)
    while at >= 0:
        yield at
        at = squeezed.find(known, at + 1)


def _may_stand(known: str, folded: str, start: int, end: int) -> bool:
    """Whether a short Latin name is a word by itself here; longer and Japanese names stand anywhere."""
    if len(known) > _WHOLE_WORD_LENGTH or not (known.isascii() and known.isalpha()):
        return True
    return not any(_is_latin(c) for c in (folded[max(0, start - 1) : start] + folded[end : end + 1]))


def _is_latin(character: str) -> bool:
    return character.isascii() and unicodedata.category(character)[0] == "L"


def _joined(spans: list[tuple[int, int]]) -> list[tuple[int, int]]:
    joined: list[tuple[int, int]] = []
    for start, end in spans:
        if joined and start <= joined[-1][1]:
            joined[-1] = joined[-1][0], max(end, joined[-1][1])
        else:
            joined.append((start, end))
    return joined
