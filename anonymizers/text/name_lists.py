"""
What may be somebody's name, by the lists: kanji by the dictionary, kana and Latin letters by how they are read.

``name_readings.csv`` and ``name_characters.csv`` are counted from Sudachi's core dictionary (edition 20261015,
Apache-2.0) by ``bench/make_names.py``. Their counts are of ways to write a name: a reading with many is a common
one. ``name_mixed.csv`` holds the dictionary's names that are not written in one script. They say what could be a
name, never that it is one here; that is `anonymizers.text.recognizers.person`'s.
"""

import csv
import re
from collections.abc import Iterator
from functools import cache, lru_cache
from importlib import resources
from typing import NamedTuple

import regex

from anonymizers.text.characters import Table
from anonymizers.text.tokenizer import PROPER, dictionary, kind_of

_KATAKANA = Table({code: code + 0x60 for code in (*range(0x3041, 0x3097), 0x309D, 0x309E)})


class Reading(NamedTuple):
    """How many writings the dictionary has of a reading."""

    given: int
    surname: int


NOBODY = Reading(0, 0)

LONGEST_READING = 8
"""Kana of the longest reading in the list."""


class Entry(NamedTuple):
    """What a word can be, by the dictionary."""

    given: bool
    surname: bool
    place: bool
    common: bool
    """Anything but a proper name: a noun, a verb, an adverb; written as it usually is."""


UNKNOWN = Entry(False, False, False, False)


@cache
def readings() -> dict[str, Reading]:
    """How common each name is that the list has, in katakana."""
    return {row["reading"]: Reading(int(row["given"]), int(row["surname"])) for row in _rows("name_readings.csv")}


@cache
def _characters() -> dict[str, tuple[int, int]]:
    return {row["character"]: (int(row["first"]), int(row["last"])) for row in _rows("name_characters.csv")}


def _rows(name: str) -> Iterator[dict[str, str]]:
    text = resources.files("anonymizers.text").joinpath(name).read_text(encoding="utf-8")
    return csv.DictReader(text.splitlines())


def katakana(text: str) -> str:
    """Katakana for hiragana, code point for code point."""
    return text.translate(_KATAKANA)


@lru_cache(maxsize=1 << 16)
def reading(kana: str) -> Reading:
    """How common a name in hiragana or katakana is; (0, 0) for what nobody is called."""
    return readings().get(katakana(kana), NOBODY)


# Characters that only names are written with, and those the dictionary has instead.
_VARIANTS = str.maketrans("髙﨑濵濱邉邊澤齋齊斉嶋嶌廣櫻眞惠國龍𠮷德槇曻冨瀨淸髮關淵渕",
                          "高崎浜浜辺辺沢斎斎斎島島広桜真恵国竜吉徳槙昇富瀬清髪関渕渕")  # fmt: skip
_VARIANT = re.compile(f"[{''.join(map(chr, _VARIANTS))}]")


def usual(name: str) -> str:
    """A name with the usual characters for those only names have (髙橋, 﨑山), code point for code point."""
    return name.translate(_VARIANTS) if _VARIANT.search(name) else name


@lru_cache(maxsize=1 << 15)
def entry(word: str) -> Entry:
    """What the dictionary knows a word as, in this or the usual writing."""
    found = _entry(word)
    other = usual(word)
    return found if any(found) or other == word else _entry(other)


def _entry(word: str) -> Entry:
    given = surname = place = common = False
    for morpheme in dictionary().lookup(word):
        kind, _ = kind_of(morpheme.part_of_speech_id())
        given |= kind == "given"
        surname |= kind == "surname"
        place |= kind == "place"
        common = common or (kind not in PROPER and morpheme.normalized_form() == word)
    return Entry(given, surname, place, common)


@cache
def everyday() -> frozenset[str]:
    """Names of one kanji that are words of every day, as the project's own people see it (2026-11-24)."""
    return frozenset(_EVERYDAY)


_EVERYDAY = (
    "心夢光空海愛花星月風森林泉実桜葉雪虹音歩力望希誠友声目手足頭顔朝夜春夏秋冬家道町村山川田原南北東西父母兄姉弟妹子男女神仏熱薬水火木金土日年氏姓名字本車駅店園"
    "校医者客親孫夫妻嫁婿犬猫鳥魚虫米肉卵酒茶味色形数量質気体血骨肌髪爪耳鼻口歯舌喉首肩腕指胸腹腰背尻膝毛涙汗糞尿糸紙服靴鞄傘箱袋皿鍋机床壁窓戸庭門橋角奥中外上下左右前後"
    "横隣先次元末全個皆私僕俺君彼誰何今幸一二三四五六七八九十百千万円"
)


PLAUSIBLE = 20
"""Given names beginning or ending with a kanji, from which on it is one of those parents choose."""


def likeness(kanji: str) -> int:
    """How much kanji look like a given name: how many begin with the first, or end with the last if those are fewer."""
    first, last = (_characters().get(kanji[at], (0, 0)) for at in (0, -1))
    return min(first[0], last[1])


def is_plausible_given(kanji: str) -> bool:
    """Whether two or three kanji begin and end as given names do."""
    return likeness(kanji) >= PLAUSIBLE


@cache
def mixed() -> frozenset[str]:
    """
    Names in more than one script, as `usual` writes them: ゆう子, 一ノ瀬.

    They are few, and most stretches of a text are of several scripts: what is not among them need not be looked up.
    """
    return frozenset(usual(row["name"]) for row in _rows("name_mixed.csv"))


@cache
def beginnings_of_mixed() -> frozenset[str]:
    """What those begin with, two code points: at most places of a text none of them does."""
    return frozenset(name[:2] for name in mixed())


# Hepburn and Kunrei, and the ways people write long vowels; longest first.
_SYLLABLES = {
    "": "アイウエオ", "k": "カキクケコ", "s": "サシスセソ", "t": "タチツテト", "n": "ナニヌネノ", "h": "ハヒフヘホ",
    "m": "マミムメモ", "r": "ラリルレロ", "g": "ガギグゲゴ", "z": "ザジズゼゾ", "d": "ダヂヅデド", "b": "バビブベボ",
    "p": "パピプペポ",
}  # fmt: skip
_GLIDES = {
    "ky": "キ", "sy": "シ", "sh": "シ", "ty": "チ", "ch": "チ", "cy": "チ", "ny": "ニ", "hy": "ヒ", "my": "ミ",
    "ry": "リ", "gy": "ギ", "zy": "ジ", "j": "ジ", "jy": "ジ", "by": "ビ", "py": "ピ",
}  # fmt: skip


@cache
def _romaji() -> dict[str, str]:
    table = {onset + vowel: kana for onset, row in _SYLLABLES.items() for vowel, kana in zip("aiueo", row, strict=True)}
    for onset, kana in _GLIDES.items():
        table |= {onset + vowel: kana + small for vowel, small in zip("auo", "ャュョ", strict=True)}
    return table | {
        "shi": "シ", "chi": "チ", "tsu": "ツ", "fu": "フ", "ji": "ジ", "ya": "ヤ", "yu": "ユ", "yo": "ヨ",
        "wa": "ワ", "wo": "ヲ", "je": "ジェ", "she": "シェ", "che": "チェ", "fa": "ファ", "va": "ヴァ",
    }  # fmt: skip


_SYLLABLE = regex.compile(
    r"(?:(?P<double>[kstcpgzdbj])(?=(?P=double)|(?<=t)ch))?(?P<sound>(?:sh|ch|ts|[kstnhmrgzdbpjfvwyc]?y?)[aiueo])"
    r"|(?P<nasal>n'?|m(?=[bpm]))"
)


@lru_cache(maxsize=1 << 12)
def readings_of_romaji(word: str) -> tuple[str, ...]:
    """
    The katakana a word in Latin letters may stand for, as Hepburn or Kunrei.

    Returns:
        None, one, or more where a long vowel may have been left out (Yuto is ユト, and ユウト). Empty for what is
        not Japanese.
    """
    word, at = word.lower().translate(_MACRONS), 0
    sounds: list[str] = []
    word = _OH.sub("ou", word)
    while at < len(word):
        match = _SYLLABLE.match(word, at)
        sound = match and ((match["nasal"] and "ン") or _romaji().get(match["sound"] or ""))
        if not sound:
            return ()
        sounds.append(("ッ" if match["double"] else "") + sound)
        at = match.end()
    kana = "".join(sounds)
    return tuple(dict.fromkeys((kana, *_lengthened(kana))))


_MACRONS = {
    ord("ō"): "ou",
    ord("ū"): "uu",
    ord("ā"): "aa",
    ord("ē"): "ee",
    ord("ī"): "ii",
    ord("ô"): "ou",
    ord("û"): "uu",
}
_OH = regex.compile("oh(?![aiueoy])")
_O_OR_U = regex.compile("[オコソトノホモヨロゴゾドボポョウクスツヌフムユルグズブプュ](?![ウオ])")


def _lengthened(kana: str) -> Iterator[str]:
    """With ウ after one or all of the o and u, where nothing says that they are short; Kenichi as Ken'ichi."""
    if "ニチ" in kana:
        yield kana.replace("ニチ", "ンイチ")
    ends = [match.end() for match in _O_OR_U.finditer(kana)]
    for end in ends[:4]:
        yield kana[:end] + "ウ" + kana[end:]
    if len(ends) > 1:
        yield _O_OR_U.sub(r"\g<0>ウ", kana)


def romaji(word: str) -> Reading:
    """How common a name in Latin letters is; (0, 0) for what nobody is called or nobody can read as Japanese."""
    found = [reading(kana) for kana in readings_of_romaji(word)]
    return Reading(max((r.given for r in found), default=0), max((r.surname for r in found), default=0))
