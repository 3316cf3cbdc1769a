"""
Names that are known beforehand, and every way they may be written in a posting.

What the site knows of an author and her children, and what a recogniser was certain of elsewhere in the thread, is
looked for literally, by an Aho-Corasick automaton over the folded text: no guess, but every writing. Kept in memory
only, for as long as a thread is read.
"""

import itertools
from collections.abc import Collection, Iterable, Iterator
from functools import cache

import ahocorasick
import regex

from anonymizers.text.name_lists import katakana, readings_of_romaji, usual
from anonymizers.text.normalisation import normalise

WIDEST_GAP = 3
"""Code points of white space and marks allowed between two characters of a name: "Ｃ Ａ Ｎ Ａ Ｒ Ｙ", "は*な"."""

_WHOLE_WORD_LENGTH = 3
"""Latin names up to this long match as whole words only: "mai" is not in "email"."""

_INSIDE_WORDS_LENGTH = 4
"""Kana names from this long are taken inside longer words too; shorter ones are in too many (りん in りんご)."""

_HIRAGANA = {code: code - 0x60 for code in (*range(0x30A1, 0x30F7), 0x30FD, 0x30FE)}
_GAP = regex.compile(r"[\s\-‐・*＊☆★♡♪.．_~〜]")
_KANJI = regex.compile(r"[一-鿿々ヶ\uf900-\ufaff\U00020000-\U0003ffff]")
_KANA = regex.compile("[ぁ-ゖー]+")
_LATIN = regex.compile("[a-z]")
_TITLE = regex.compile(
    r"(?<=..)(?:ちゃん|くん|君|さん|さま|様|たん|きゅん|まま|ぱぱ|mama|papa|chan|kun)$|(?<=.)(?:ちゃん|くん|まま|ぱぱ)$"
)

# A kanji alone (光, 林) is a name where no other kanji is beside it, or where somebody is addressed by it.
_AFTER_ONE = regex.compile(
    r"(?:君|様|氏|殿|先生|家)|(?![一-鿿々ぁ-ゖ])|"
    r"(?:[がはもをにとのでやへよだねっ]|から|まで|さん|ちゃん|くん|さま|たん|です|ママ|パパ)"
)


def fold(text: str) -> str:
    """Lower-case, hiragana for katakana and usual kanji for variants, code point for code point: offsets stay."""
    lowered = text.lower()
    if len(lowered) != len(text):  # İ is two code points in lower case
        lowered = "".join(c.lower() if len(c.lower()) == 1 else c for c in text)
    return usual(lowered.translate(_HIRAGANA))


def known_forms(names: Iterable[str]) -> frozenset[str]:
    """
    The forms to look for, for the names of one author or thread.

    Args:
        names: Full names, kana, nicknames, children's names; "山田 花子" also gives its two parts, はるくん gives
            はる, はると gives haruto and the other way round.

    Returns:
        Folded, without white space and marks. Single kana and letters are left out: they are in every sentence.
    """
    parts = {part for name in names for part in _parts(name)}
    bare = parts | {_TITLE.sub("", part) for part in parts}
    written = bare | {form for part in bare for form in _other_scripts(part)}
    return frozenset(form for form in written if len(form) > 1 or _KANJI.fullmatch(form))


def _parts(name: str) -> Iterator[str]:
    parts = [_GAP.sub("", part) for part in fold(normalise(name).text).split()]
    yield from ("".join(parts), *parts)


def _other_scripts(part: str) -> Iterator[str]:
    """Latin letters for kana, and kana for Latin letters that can be read as Japanese."""
    if _KANA.fullmatch(part):
        yield from _romanised(part)
    elif part.isascii() and part.isalpha():
        yield from (fold(kana) for kana in readings_of_romaji(part)[:1])


class KnownNames:
    """The names of one author or thread, ready to be looked for."""

    def __init__(self, names: Iterable[str]) -> None:
        self._automaton = ahocorasick.Automaton()
        for form in known_forms(names):
            self._automaton.add_word(form, form)
        if self._automaton:
            self._automaton.make_automaton()

    def __bool__(self) -> bool:
        """Whether anybody is known."""
        return bool(self._automaton)

    def find(self, text: str, words: Collection[tuple[int, int]] = ()) -> list[tuple[int, int]]:
        """
        Find the names in a normalised text.

        Args:
            text: Normalised text.
            words: Where the dictionary has words of kana in it; a short kana name is not taken out of one.

        Returns:
            Spans in code points of `text`, sorted, overlapping and touching ones made one.
        """
        if not self._automaton:
            return []
        folded = fold(text)
        places = [place for place, character in enumerate(folded) if not _GAP.match(character)]
        squeezed = "".join([folded[place] for place in places])
        found = []
        for last, form in self._automaton.iter(squeezed):
            first = last - len(form) + 1
            stand = places[first : last + 1]
            if all(b - a <= WIDEST_GAP + 1 for a, b in itertools.pairwise(stand)):
                start, end = stand[0], stand[-1] + 1
                if _may_stand(form, folded, start, end, words):
                    found.append((start, end))
        return _joined(sorted(found))


def _may_stand(form: str, folded: str, start: int, end: int, words: Collection[tuple[int, int]]) -> bool:
    """Whether a form is a name where it stands, and no piece of another word."""
    if len(form) == 1:
        return not (start and _KANJI.match(folded[start - 1])) and bool(_AFTER_ONE.match(folded, end))
    if len(form) <= _WHOLE_WORD_LENGTH and form.isascii():
        return not any(_LATIN.match(c) for c in (folded[max(0, start - 1) : start] + folded[end : end + 1]))
    if len(form) < _INSIDE_WORDS_LENGTH and _KANA.fullmatch(form):
        return not any(first <= start and end <= last and last - first > end - start for first, last in words)
    return True


def _joined(spans: list[tuple[int, int]]) -> list[tuple[int, int]]:
    joined: list[tuple[int, int]] = []
    for start, end in spans:
        if joined and start <= joined[-1][1]:
            joined[-1] = joined[-1][0], max(end, joined[-1][1])
        else:
            joined.append((start, end))
    return joined


# --- kana in Latin letters ----------------------------------------------------------------------------------

_ROWS = {
    "アイウエオ": "", "カキクケコ": "k", "サシスセソ": "s", "タチツテト": "t", "ナニヌネノ": "n", "ハヒフヘホ": "h",
    "マミムメモ": "m", "ラリルレロ": "r", "ガギグゲゴ": "g", "ザジズゼゾ": "z", "ダヂヅデド": "d", "バビブベボ": "b",
    "パピプペポ": "p",
}  # fmt: skip
_HEPBURN = {"si": "shi", "ti": "chi", "tu": "tsu", "hu": "fu", "zi": "ji", "di": "ji", "du": "zu"}
_HEPBURN_GLIDES = {"sy": "sh", "ty": "ch", "zy": "j", "dy": "j"}
_SMALL = {"ャ": "a", "ュ": "u", "ョ": "o", "ェ": "e"}


@cache
def _kunrei() -> dict[str, str]:
    table = {kana: onset + vowel for row, onset in _ROWS.items() for kana, vowel in zip(row, "aiueo", strict=True)}
    return table | {"ヤ": "ya", "ユ": "yu", "ヨ": "yo", "ワ": "wa", "ヲ": "o", "ン": "n", "ー": "", "ヴ": "vu"}


def _romanised(kana: str) -> set[str]:
    """Hepburn and Kunrei of a name in kana, long vowels written and not."""
    hepburn, kunrei = _syllables(katakana(kana), hepburn=True), _syllables(katakana(kana), hepburn=False)
    written = {hepburn, kunrei}
    short = {regex.sub("ou|oo", "o", regex.sub("uu", "u", form)) for form in written}
    return {form for form in (*written, *short) if len(form) > 1 and form.isalpha()}


def _syllables(kana: str, *, hepburn: bool) -> str:
    written, double = "", False
    for character, small in itertools.zip_longest(kana, kana[1:]):
        if character == "ッ":
            double = True
            continue
        if character in _SMALL:
            continue
        sound = _kunrei().get(character, "")
        if small in _SMALL and sound.endswith("i"):
            sound = sound[:-1] + "y" + _SMALL[small]
            sound = _HEPBURN_GLIDES.get(sound[:2], sound[:2]) + sound[2:] if hepburn else sound
        elif hepburn:
            sound = _HEPBURN.get(sound, sound)
        written += ("t" if double and sound.startswith("ch") else sound[:1] if double else "") + sound
        double = False
    return written
