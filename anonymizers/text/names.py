"""
Names that are known beforehand, and every way they may be written in a posting.

What the site knows of an author and her children, and what a recogniser was certain of elsewhere in the thread, is
looked for literally, by an Aho-Corasick automaton over the folded text: no guess, but every writing. Kept in memory
only: the automaton for as long as a thread is read, pieces of names until `anonymizers.text.redaction.forget`.
"""

import bisect
import itertools
from collections.abc import Iterable, Iterator, Mapping
from functools import cache, lru_cache
from types import MappingProxyType
from typing import NamedTuple

import ahocorasick
import regex

from anonymizers.text import name_shapes
from anonymizers.text.characters import Table
from anonymizers.text.expressions import quick
from anonymizers.text.name_lists import katakana, readings_of_romaji, usual
from anonymizers.text.normalisation import normalise

WIDEST_GAP = 3
"""Code points of white space and marks allowed between two characters of a name: "Ｃ Ａ Ｎ Ａ Ｒ Ｙ", "は*な"."""

_WHOLE_WORD_LENGTH = 3
"""Latin names up to this long match as whole words only: "mai" is not in "email"."""

_INSIDE_WORDS_LENGTH = 4
"""Kana names from this long are taken inside longer words too; shorter ones are in too many (りん in りんご)."""

_HIRAGANA = {code: code - 0x60 for code in (*range(0x30A1, 0x30F7), 0x30FD, 0x30FE)}
_GAP = regex.compile(r"[\s\-‐・*＊.．_~〜/\p{So}\p{Sk}]")
_NO_GAP = regex.compile(r"[^\s\-‐・*＊.．_~〜/\p{So}\p{Sk}]+")
_KANJI = regex.compile(r"[一-鿿々ヶ\uf900-\ufaff\U00020000-\U0003ffff]")
_KANA = quick("[ぁ-ゖー]+")
_LATIN = quick("[a-z]")
_TITLE = quick(
    r"(?<=..)(?:ちゃん|くん|君|さん|さま|様|たん|きゅん|まま|ぱぱ|mama|papa|chan|kun)$|(?<=.)(?:ちゃん|くん|まま|ぱぱ)$"
)

# A kanji alone (光, 林) is a name where no other kanji is beside it, or where somebody is addressed by it.
_AFTER_ONE = quick(
    r"(?:君|様|氏|殿|先生|家)|(?![一-鿿々ぁ-ゖ])|(?:たち|じゃ|ばかり|だけ|なら|なん)|"
    r"(?:[がはもをにとのでやへよだねっ]|から|まで|さん|ちゃん|くん|さま|たん|です|ママ|パパ)"
)


_SMALL_VOWELS = str.maketrans("ぁぃぅぇぉ", "あいうえお")
_DRAWN_OUT = quick("(?<=[ぁ-ゖー])[〜~～]")
_MACRONS = str.maketrans("āīūēō", "aiueo")
_FOLDS = Table(
    {code: chr(kana).translate(_SMALL_VOWELS) for code, kana in _HIRAGANA.items()} | _SMALL_VOWELS | _MACRONS
)
_LETTER = regex.compile(r"\p{L}")
_MARKS = regex.compile(r"[^\p{L}\p{M}ー々]+")
_LONG = quick(
    "(?<=[おこそとのほもよろごぞどぼぽょうくすつぬふむゆるぐずぶぷゅ])う|(?<=[おこそとのほもよろごぞどぼぽょ])お"
)

# A nickname may be such a word; looked for, it would take it out of every sentence of a thread.
_NO_NAMES = frozenset({
    "です", "ます", "こと", "もの", "これ", "それ", "あれ", "どれ", "ここ", "そこ", "どこ", "さん", "ちゃん", "くん",
    "さま", "たん", "様", "君", "氏", "ママ", "まま", "ぱぱ", "パパ", "はは", "ちち", "主", "トピ主", "匿名",
    "名無し", "ななし", "なし", "ひみつ", "秘密", "会員", "ゲスト", "mama", "papa", "name", "anonymous", "san",
    "chan", "kun", "desu",
})  # fmt: skip


def fold(text: str) -> str:
    """
    Lower-case, hiragana for katakana, large for small vowels, usual kanji for variants, ー for 〜 after kana.

    Code point for code point: offsets stay.
    """
    lowered = text.lower()
    if len(lowered) != len(text):  # İ is two code points in lower case
        lowered = "".join(c.lower() if len(c.lower()) == 1 else c for c in text)
    folded = usual(lowered.translate(_FOLDS))
    return _DRAWN_OUT.sub("ー", folded)


def known_forms(names: Iterable[str]) -> frozenset[str]:
    """
    The forms to look for, for the names of one author or thread.

    Args:
        names: Full names, kana, nicknames, children's names; "山田 花子" also gives its two parts, はるくん gives
            はる, はな🌸 and hana88 give はな and hana, はると gives haruto and the other way round.

    Returns:
        Folded, without white space and marks. Single kana and letters are left out, since they are in every
        sentence, and so are words that are nobody's name (ママ, です).
    """
    return frozenset().union(*map(forms_of, names))


@lru_cache(maxsize=1 << 12)
def forms_of(name: str) -> frozenset[str]:
    """The same of one name: those of children come again and again."""
    forms: set[str] = set()
    parts = fold(normalise(name).text).split()
    for part in dict.fromkeys((*parts, "".join(parts))):
        whole = _GAP.sub("", part)
        forms |= _forms(whole, alone=True)
        for piece in {*_MARKS.split(part)} - {whole, ""}:
            forms |= _forms(piece, alone=False)
    return frozenset(forms)


def _forms(part: str, *, alone: bool) -> set[str]:
    """The ways to write one part; `alone` if it is all that stands between white space."""
    bare = {part, _bare(part)}
    bare |= {half for whole in bare for half in _halves(whole)}
    written = bare | {form for one in bare for form in _other_writings(one)}
    return {
        form
        for form in written
        if (len(form) > 1 or (alone and _KANJI.fullmatch(form)))
        and _LETTER.search(form)
        and not _is_nobody(form)
        and not _is_nobody(_bare(form))
    }


def _bare(part: str) -> str:
    """Without titles: はなちゃんママ is はな."""
    while (shorter := _TITLE.sub("", part)) != part:
        part = shorter
    return part


def _halves(whole: str) -> tuple[str, ...]:
    """Surname and given name where they stand together in kanji; of several ways the longest surname."""
    if not 3 <= len(whole) <= 6 or not all(map(_KANJI.match, whole)):
        return ()
    for at in range(len(whole) - 1, 0, -1):
        if name_shapes.surname(whole[:at]) and name_shapes.given(whole[at:]):
            return tuple(half for half in (whole[:at], whole[at:]) if len(half) > 1)
    return ()


def _is_nobody(form: str) -> bool:
    return form in _NO_NAMES or name_shapes.is_never(form)


def _other_writings(part: str) -> Iterator[str]:
    """Latin letters for kana, kana for Latin letters that can be read as Japanese, ー for a long vowel."""
    if _KANA.fullmatch(part):
        yield from _romanised(part)
        yield _LONG.sub("ー", part)
    elif part.isascii() and part.isalpha():
        yield from map(fold, readings_of_romaji(part)[:1])


class Words(NamedTuple):
    """Where words of a normalised text stand, as far as a short name must know."""

    nouns: tuple[tuple[int, int], ...] = ()
    """Nouns of three kana or more that are in the dictionary, sorted."""

    breaks: frozenset[int] = frozenset()
    """Where a word begins or ends."""

    functional: Mapping[int, int] = MappingProxyType({})
    """Where particles and auxiliaries begin, and where they end."""


NO_WORDS = Words()


class KnownNames:
    """The names of one author or thread, ready to be looked for."""

    def __init__(self, names: Iterable[str], certain: Iterable[str] = ()) -> None:
        """
        Prepare the forms.

        Args:
            names: What the site knows.
            certain: What a recogniser was certain of elsewhere in the thread. It may be wrong, so short ones in kana
                are taken as whole words only.
        """
        told = known_forms(names)
        self._automaton = ahocorasick.Automaton()
        for form in told | known_forms(certain):
            self._automaton.add_word(form, (form, form in told))
        if self._automaton:
            self._automaton.make_automaton()

    def __bool__(self) -> bool:
        """Whether anybody is known."""
        return bool(self._automaton)

    def find(self, text: str, words: Words = NO_WORDS) -> list[tuple[int, int]]:
        """
        Find the names in a normalised text.

        Args:
            text: Normalised text.
            words: Of the text; without them short names are found inside words too.

        Returns:
            Spans in code points of `text`, sorted, overlapping and touching ones made one.
        """
        if not self._automaton:
            return []
        folded = fold(text)
        stretches = list(_NO_GAP.finditer(folded))
        hits = list(self._automaton.iter("".join([stretch[0] for stretch in stretches])))
        if not hits:
            return []
        places = [place for stretch in stretches for place in range(*stretch.span())]
        found = []
        for last, (form, is_told) in hits:
            first = last - len(form) + 1
            stand = places[first : last + 1]
            if all(b - a <= WIDEST_GAP + 1 for a, b in itertools.pairwise(stand)):
                start, end = stand[0], stand[-1] + 1
                if _may_stand(form, folded, start, end, words, is_told=is_told):
                    found.append((start, end))
        return _joined(sorted(found))


def _may_stand(form: str, folded: str, start: int, end: int, words: Words, *, is_told: bool) -> bool:
    """Whether a form is a name where it stands, and no piece of another word."""
    if len(form) == 1:
        return not (start and _KANJI.match(folded[start - 1])) and bool(_AFTER_ONE.match(folded, end))
    if len(form) <= _WHOLE_WORD_LENGTH and form.isascii():
        return not any(_LATIN.match(c) for c in (folded[max(0, start - 1) : start] + folded[end : end + 1]))
    if len(form) >= _INSIDE_WORDS_LENGTH or not _KANA.fullmatch(form) or _ADDRESS.match(folded, end):
        return True
    if start and _LETTER.match(folded[start - 1]) and _is_functional(start, end, words):
        return False
    if not is_told and words.breaks and not {start, end} <= words.breaks:
        return False
    before = bisect.bisect_right(words.nouns, (start, len(folded))) - 1
    return before < 0 or words.nouns[before][1] < end or words.nouns[before] == (start, end)


def _is_functional(start: int, end: int, words: Words) -> bool:
    """Whether a stretch is nothing but particles and auxiliaries: 寒いかな is no かな, and 行かないと no ないと."""
    while start < end:
        start = words.functional.get(start, end + 1)
    return start == end


_ADDRESS = quick("(?:ちゃん|くん|君|さん|さま|様|たん|先生|まま|ぱぱ)")


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
_LONG_O = quick("ou|oo")
_SMALL = {"ャ": "a", "ュ": "u", "ョ": "o", "ェ": "e"}


@cache
def _kunrei() -> dict[str, str]:
    table = {kana: onset + vowel for row, onset in _ROWS.items() for kana, vowel in zip(row, "aiueo", strict=True)}
    return table | {"ヤ": "ya", "ユ": "yu", "ヨ": "yo", "ワ": "wa", "ヲ": "o", "ン": "n", "ー": "", "ヴ": "vu"}


def _romanised(kana: str) -> set[str]:
    """Hepburn and Kunrei of a name in kana, long vowels written and not."""
    hepburn, kunrei = _syllables(katakana(kana), hepburn=True), _syllables(katakana(kana), hepburn=False)
    written = {hepburn, kunrei}
    short = {_LONG_O.sub("o", form.replace("uu", "u")) for form in written}
    return {form for form in (*written, *short) if len(form) > 1 and form.isalpha()}


def _syllables(kana: str, *, hepburn: bool) -> str:
    sounds, written, double = _kunrei(), "", False
    for character, small in itertools.zip_longest(kana, kana[1:]):
        if character == "ッ":
            double = True
            continue
        if character in _SMALL:
            continue
        sound = sounds.get(character, "")
        if small in _SMALL and sound.endswith("i"):
            sound = sound[:-1] + "y" + _SMALL[small]
            sound = _HEPBURN_GLIDES.get(sound[:2], sound[:2]) + sound[2:] if hepburn else sound
        elif hepburn:
            sound = _HEPBURN.get(sound, sound)
        written += ("t" if double and sound.startswith("ch") else sound[:1] if double else "") + sound
        double = False
    return written
