"""
The terms of a redacted text: the common nouns it is about.

A term is published once enough distinct members used it, so the rule here is which words may ever be counted.
Names may not. A word that the dictionary does not know may be a new product or a nickname: katakana is taken
for a product unless something beside it says that it is a person; hiragana, kanji and Latin letters are not
taken at all. Unknown kanji are names of people and nurseries more often than words, unknown hiragana are
pieces of words, and unknown Latin letters are handles. The threshold of the table is the second barrier.
"""

import csv
from collections.abc import Iterator
from functools import cache
from importlib import resources
from typing import NamedTuple

import regex
from sudachipy import Dictionary, Morpheme, PosMatcher, Tokenizer

from anonymizers.text.normalisation import normalise

LONGEST_TERM = 20
"""Code points; the dictionary's nouns are far shorter, and what is longer is a phrase."""

LONGEST_STRETCH = 12_000
"""Code points given to Sudachi at once. It refuses more than 49,149 bytes, and one takes four at most."""

ADDRESSES = ("さん", "ちゃん", "君", "様", "たん", "氏", "殿", "先生", "ママ", "パパ")
"""Normalised forms that turn the noun before them into a name: a lily is a word, and リリーママ is somebody."""

COMMON_NOUNS = ("一般", "サ変可能", "形状詞可能", "サ変形状詞可能")
"""Kinds of 普通名詞. Not 副詞可能 (今日, 夜: when) and not 助数詞可能 (円, 個: how many)."""

# Stands for what must not be read. A text that holds it already is read as if something had stood there.
_GAP = "\ufffc"

# Possessive, and begun at no middle of a word: linear in whatever somebody types.
_UNREADABLE = regex.compile(
    r"<[A-Z_]++[^<>\s]{0,12}+>"  # placeholders of the redaction, some with a tag, a prefecture or years
    r"|(?<![A-Za-z0-9-])[A-Za-z0-9-]++(?:[@_/.:=#&%~+?]++[A-Za-z0-9-]++)++"  # addresses and handles
    r"|@[A-Za-z0-9-]++"
    "|[\ud800-\udfff]"
)

_MARKS = regex.compile(r"[\s。．.、,!?！？]+")

# Kanji beyond these blocks are written in names only, 〇〇 is a mask, and Latin words are as often handles:
# of those only abbreviations (PTA, PCR検査).
_JAPANESE = "[ぁ-ゖァ-ヺー々一-鿿]"
_TERM = regex.compile(f"[A-Z]{{2,}}{_JAPANESE}*|{_JAPANESE}{{2,}}")
_CAPITALS = regex.compile("[A-Z]")
_SMALL = regex.compile("[a-z]")
# 二十歳, 何回: numbers that the dictionary has as words.
_COUNTED = regex.compile("[一二三四五六七八九十百千万何数]+[歳才人回年日月週時分円個番度本枚匹階目]")
# Two hiragana, or one katakana drawn out, are as often the rest of something that was split wrongly.
_FRAGMENT = regex.compile("[ぁ-ゖ]{1,2}|[ァ-ヺ][ーッ]?")
_KATAKANA = regex.compile("[ァ-ヺー]+")
# A cry (ギャアアア, ベーッ) is no product, and what ends as an address does is somebody.
_PRODUCT = regex.compile(r"(?!.*(.)\1\1)[ァ-ヺー]{3,}(?<!ッ|ママ|パパ|サン|サマ|クン|チャン|センセイ)")


class _Word(NamedTuple):
    """A morpheme, or several of katakana that touch."""

    surface: str
    form: str
    """Normalised by the dictionary: ﾍﾞﾋﾞｰ, ベビー and baby are one word."""
    is_noun: bool
    is_common: bool
    is_person: bool
    is_known: bool
    """In the dictionary, all of it."""

    @property
    def joins(self) -> bool:
        """Whether it is part of a compound with katakana beside it: チャイルド + シート."""
        return self.is_common and self.form not in ADDRESSES and bool(_KATAKANA.fullmatch(self.form))

    @property
    def is_somebody(self) -> bool:
        """Whether an unknown word beside it may be the rest of a name."""
        return self.is_person or _GAP in self.surface


_EDGE = _Word("", "", False, False, False, True)


class _Sudachi(NamedTuple):
    """The tokenizer, and three questions to a morpheme."""

    tokenizer: Tokenizer
    is_noun: PosMatcher
    is_common: PosMatcher
    is_person: PosMatcher


@cache
def _sudachi() -> _Sudachi:
    """Sudachi with its core dictionary, which is installed beside it and mapped into memory; once per process."""
    dictionary = Dictionary(dict="core")
    return _Sudachi(
        # Longest units: 保育園 is a term, 保育 and 園 are its pieces.
        dictionary.tokenizer("C", fields={"pos", "normalized_form", "reading_form"}),
        dictionary.pos_matcher([("名詞",)]),
        dictionary.pos_matcher([("名詞", "普通名詞", kind) for kind in COMMON_NOUNS]),
        dictionary.pos_matcher([("名詞", "固有名詞", "人名")]),
    )


@cache
def listed() -> dict[str, str]:
    """
    What ``terms.csv`` says about single words.

    Returns:
        By normalised form the way it is written as a term, or "" where it never is one. Listed are words that
        say nothing (気持ち); those the dictionary writes in a way nobody does (襁褓); and those that the rules
        would lose, because they are one kanji (薬), are called a name (ベビーカー) or are people by what they
        do or are to the writer: what is written as it is (保育士) stays a term before さん.
    """
    text = resources.files("anonymizers.text").joinpath("terms.csv").read_text(encoding="utf-8")
    return {row["form"]: row["term"] for row in csv.DictReader(text.splitlines())}


def terms(text: str) -> frozenset[str]:
    """
    The terms of one redacted text.

    Args:
        text: From `anonymizers.text.redaction`, with its placeholders.

    Returns:
        Common nouns in their normalised form, or as `listed`, of 2 to 20 kana, kanji and capitals. Not in it:
        anything of a placeholder, an address or a handle; proper names; digits, pronouns, counters, words for
        times; white space, emoji and kaomoji; words of one character, which are no known names to the redaction
        either. A name that is a longer word as well (ひまわり) may be in it as that word.
    """
    readable = _UNREADABLE.sub(_GAP, normalise(text).text)
    return frozenset(term for stretch in _stretches(readable) for term in _terms_of(stretch) if term)


def _stretches(text: str) -> list[str]:
    """The text, by its sentences if it is long. What runs on beyond any sentence's length is no prose: left out."""
    if len(text) <= LONGEST_STRETCH:
        return [text]
    return [sentence for sentence in _MARKS.split(text) if len(sentence) <= LONGEST_STRETCH]


def _terms_of(stretch: str) -> Iterator[str]:
    words = [_EDGE, *_words(stretch), _EDGE]
    for before, word, after in zip(words, words[1:], words[2:], strict=False):
        if word.is_common or (word.is_noun and word.form in listed()):
            yield _term(before, word, after)


def _words(stretch: str) -> list[_Word]:
    """The morphemes in order, compounds of katakana made one word."""
    words: list[_Word] = []
    for word in map(_word, _sudachi().tokenizer.tokenize(stretch)):
        if words and word.joins and words[-1].joins:
            words[-1] = _compound(words[-1], word)
        else:
            words.append(word)
    return words


def _word(morpheme: Morpheme) -> _Word:
    return _Word(
        morpheme.surface(),
        _form(morpheme),
        _sudachi().is_noun(morpheme),
        _sudachi().is_common(morpheme),
        _sudachi().is_person(morpheme),
        not morpheme.is_oov(),
    )


def _form(morpheme: Morpheme) -> str:
    """The normalised form; of the dictionary's 御腹 and 御飯 nobody writes the first character."""
    form = morpheme.normalized_form()
    polite = {"オ": "お", "ゴ": "ご"}.get(morpheme.reading_form()[:1]) if form.startswith("御") else None
    return polite + form[1:] if polite else form


def _compound(first: _Word, second: _Word) -> _Word:
    return _Word(
        first.surface + second.surface, first.form + second.form, True, True, False, first.is_known and second.is_known
    )


def _term(before: _Word, word: _Word, after: _Word) -> str:
    """What a noun is counted as, or "" if it is not."""
    written = listed().get(word.form)
    if after.form in ADDRESSES and written != word.form:
        return ""
    if written is not None:
        return written
    if len(word.form) > LONGEST_TERM or _FRAGMENT.fullmatch(word.surface) or _COUNTED.fullmatch(word.form):
        return ""
    if not word.is_known and (before.is_somebody or after.is_somebody or not _PRODUCT.fullmatch(word.form)):
        return ""
    if _SMALL.search(word.surface) or (_CAPITALS.match(word.surface) and not _CAPITALS.match(word.form)):
        return ""
    return word.form if _TERM.fullmatch(word.form) else ""
