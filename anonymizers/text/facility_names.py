"""
Whether the words before or after a kind of facility (保育園, 小児科) are its name.

A kind has a name before it unless all of that are words which say what sort it is or which one (認可, 近くの, 公立).
Those are a closed class and are listed, with the kinds, in ``facility_words.csv``, which was written for this project
from no other list; everything else that is a noun makes a name.
"""

import csv
from collections.abc import Sequence
from functools import cache
from importlib import resources
from typing import NamedTuple

import regex

from anonymizers.text.name_lists import reading
from anonymizers.text.places import LONGEST_PLACE, fold_place, longest_before, places
from anonymizers.text.tokenizer import Word

GROUPS = ("nursery", "school", "clinic", "care", "lesson")


def _read_words() -> dict[str, frozenset[str]]:
    """``facility_words.csv`` by the role of its words."""
    text = resources.files("anonymizers.text").joinpath("facility_words.csv").read_text(encoding="utf-8")
    by_role: dict[str, set[str]] = {}
    for row in csv.DictReader(text.splitlines()):
        by_role.setdefault(row["role"], set()).add(row["word"])
    return {role: frozenset(words) for role, words in by_role.items()}


LISTED = _read_words()
"""
The words by role.

Kinds by their group; *narrowing*: what narrows a kind and names nothing, passed over between a name and its kind
(遠藤こどもクリニック); *ordinary*: words that say which or what sort, or that stand before a kind by chance: they end
a name; *function*: short words of kana that are readings of names too, but are this far more often; *favourite*: names
kindergartens like, which the dictionary has as verbs or adverbs, or cuts up; *joining*: what a の joins to the word
before into a name (星の子, こどもの国); *colour*: what such may follow too (青い鳥); *landmark*: what a place may have
behind its name (高津区役所前保育園); *following*: words that go on after a kind and name nothing (保育園バッグ).
"""

# Kinds that narrow no other: a name does not go on before one.
_HEADS = frozenset().union(*(LISTED[group] for group in GROUPS)) - LISTED["narrowing"]
_ORDINARY, _FUNCTION, _FAVOURITE = LISTED["ordinary"], LISTED["function"], LISTED["favourite"]
_NARROWING, _JOINS, _LANDMARKS = LISTED["narrowing"], LISTED["joining"], LISTED["landmark"]

# Surnames of one character: before a clinic and after no other kanji they are its doctor's.
_SURNAMES = frozenset(
    "森林原東南西北城谷辻堀岡関菅堤星畑乾泉島嶋沢澤岸宮滝柳榊椿桂桜梶楠橘浜濱湊潮瀬牧窪笹篠脇芝荻菊萩葛葵藤鎌"
    "境鶴鷹平金李朴崔趙"
)
_SEPARATORS = frozenset(" ★☆・♪♡♥")
_KANA = regex.compile("[ぁ-ゖー]+")
_KANA_BEFORE = regex.compile("[ぁ-ゖー]{2,10}$")
_KANA_AFTER = regex.compile("[ぁ-ゖー]{2,6}")
_KATAKANA = regex.compile("[ァ-ヺー]{2,}")
_KANJI = regex.compile("[一-鿿々]+")
_LATIN = regex.compile("[A-Za-z][A-Za-z'&.]+|[A-Z]")
_TWICE = regex.compile("([ぁ-ゖァ-ヺ]{2})\\1")
# かしのき, ほしのもり: the dictionary cuts such names anywhere.
_NATURE = regex.compile("[ぁ-ゖ]{2,4}の(?:き|は|み|こ|もり|おか|さと|にわ|はな|うた|いえ|くに|そら|ほし|うみ)")
_ORDINAL = regex.compile("第 ?[0-9一二三四五六七八九十]{1,3}$")
_AFTER = regex.compile(
    "[はがをにでのとへもや、。,.!!??:→\\s」』)(]|から|まで|って|です|でし|だ|か|落ち|出身|ママ|行[っくき]|通[っいう]|休|$"
)
_NUMBERED = regex.compile("(?: ?第[一二三四五六七八九0-9])?(?:分園|本園|分院|本院|分校|分室|本校)?")
_BRANCH = regex.compile("(?:駅前|本|東|西|南|北|中央|[東西南北]口)*+(?:校|園|院|教室|店|分園)?")
_NO_NOUN = frozenset(
    ("助詞", "助動詞", "動詞", "形容詞", "副詞", "連体詞", "代名詞", "感動詞", "接続詞", "補助記号", "空白", "形状詞")
)
_BOUND_PREFIXES = frozenset("おご御各全毎超元前某同当本")
_OF_PUBLIC = ("市立", "県立", "町立", "区立", "村立", "都立", "府立", "道立", "国立", "公立", "私立")

COMMON, PROPER = 1, 2
"""What a word makes of the words around it: a name where the kind is said in full; a name in any case."""


class Name(NamedTuple):
    """What stands before a kind."""

    start: int
    strength: int
    """0, `COMMON` or `PROPER`."""
    ordinal: bool
    """It ends with 第二: of schools and nurseries that is a name."""


class Words:
    """The words of a text by where they begin and end."""

    def __init__(self, text: str, words: Sequence[Word]) -> None:
        self._text = text
        self._by_end = {word.end: word for word in words}
        self._by_start = {word.start: word for word in words}

    def breaks(self, at: int) -> bool:
        """Whether a word begins at `at`."""
        return at in self._by_start

    def before(self, at: int) -> Word | None:
        """The word that ends at `at`; the part of one that `at` is in the middle of."""
        if at in self._by_end:
            return self._by_end[at]
        if at <= 0:
            return None
        for end in range(at + 1, min(len(self._text), at + 12) + 1):
            if (word := self._by_end.get(end)) and word.start < at:
                return word._replace(text=self._text[word.start : at], end=at, known=True)
        return None

    def after(self, at: int) -> Word | None:
        """The word that begins at `at`."""
        return self._by_start.get(at)


def name_before(text: str, words: Words, end: int, *, lesson: bool) -> Name:
    """
    Walk back over the words before a kind while they may be of its name.

    Args:
        text: The normalised text.
        words: Its words.
        end: Where the kind begins.
        lesson: Whether the kind is one of which ordinary nouns say the subject (ヨガ教室).
    """
    at, strength, ordinal, pieces = end, 0, False, 0
    while at > max(0, end - 24):
        gap = at - 1 if text[at - 1] in _SEPARATORS else at
        if gap < at and (gap == 0 or not _may_cross(words.before(gap), text[gap], at == end or strength or ordinal)):
            break
        if (kana := _kana_name(text, words, gap)) is not None:
            at, strength = kana, PROPER
            continue
        word = words.before(gap)
        if word is None:
            break
        if (joined := _joined_before(text, words, word, at, end)) is not None:
            at, strength = joined, PROPER
            continue
        if word.text in _SURNAMES and gap == end and not lesson and _begins(words.before(word.start)):
            return Name(word.start, PROPER, False)
        weight = _weight(text, words, word, lesson=lesson)
        if weight < 0 or (gap < at and text[gap] == " " and weight == 0):
            break
        ordinal = ordinal or (at == end and _ends_ordinal(text, gap))
        # A name the dictionary does not have falls to pieces of one character each: 明 + 愛.
        pieces += len(word.text) == 1 and word.pos[0] in ("名詞", "接頭辞") and weight == 0
        weight = PROPER if pieces > 1 and gap - word.start == 1 else weight
        at, strength = word.start, max(strength, weight)
    if strength < PROPER and at < end:
        if is_place(text[at:end]):
            strength = PROPER
        elif town := _town_before(text, words, at, end):
            at, strength = end - len(town), PROPER
    return Name(at, strength, ordinal)


def name_after(text: str, words: Words, start: int, *, named: bool, branded: bool) -> int | None:
    """
    Where a name ends that follows its kind: ほいくえんおひさま, 放課後クラブ・ピース, キッズクリニック鎌倉.

    Args:
        text: The normalised text.
        words: Its words.
        start: Where the kind ends.
        named: Whether a name stands before the kind already: what follows is its branch.
        branded: Whether the kind is one that names follow (親子ひろば), not one that other nouns do (保育園バッグ).
    """
    dotted = text[start : start + 1] in ("・", "-", "~", "「", "『", '"') or (
        branded and text[start : start + 1] == " "
    )
    start += dotted
    if kana := _KANA_AFTER.match(text, start):
        for length in range(len(kana[0]), 1 if branded else 2, -1):
            known = kana[0][:length] in _FAVOURITE or _TWICE.fullmatch(kana[0][:length])
            if known and _AFTER.match(text, start + length) and not _goes_on(text, words, start + length):
                return start + length
    at, strength = start, 0
    while (word := words.after(at)) is not None and at - start < 14:
        weight = _weight_after(word)
        if word.text == "の" and strength and (joined := words.after(word.end)) and joined.text in _JOINS:
            word, weight = joined, COMMON
        if weight < 0:
            break
        at, strength = word.end, max(strength, weight)
    if at == start or not _AFTER.match(text, at):
        return None
    enough = COMMON if dotted or branded else PROPER
    return (
        at if strength >= enough and (named or branded or dotted or _is_coined(text[start:at], words, start)) else None
    )


def branch(text: str, words: Words, end: int) -> int:
    """The end of a name with what follows its kind: 第一, 中野, 青葉校, 分園."""
    end = _NUMBERED.match(text, end).end()
    word = words.after(end)
    if word and (word.pos[1] == "固有名詞" or word.text in _LANDMARKS) and word.text not in _ORDINARY:
        reach = _BRANCH.match(text, word.end).end()
        if _AFTER.match(text, reach):
            return reach
    return end


def is_place(name: str) -> bool:
    """Whether a name is a town's or a municipality's."""
    folded = fold_place(name)
    listed = places()
    return (
        len(name) > 1
        and name not in _ORDINARY
        and (folded in listed.towns or folded in listed.stems or folded in listed.municipalities)
    )


def followed(text: str, end: int) -> bool:
    """Whether what stands at `end` goes on after a noun: a particle, a mark, the end."""
    return _AFTER.match(text, end) is not None


def _goes_on(text: str, words: Words, end: int) -> bool:
    """Whether a の after a name makes it longer: もり of もりのなか."""
    joined = words.after(end + 1) if text.startswith("の", end) else None
    return joined is not None and joined.text in _JOINS


def _is_coined(name: str, words: Words, start: int) -> bool:
    word = words.after(start)
    return bool(_KATAKANA.fullmatch(name)) and word is not None and not word.known


def _weight_after(word: Word) -> int:
    """`PROPER` or `COMMON` if a word makes a name after a kind, 0 if it may be of one, -1 if it ends it."""
    if word.text in LISTED["following"] or word.text in _ORDINARY or word.text in _FUNCTION or word.text in _HEADS:
        return -1
    if word.text in _FAVOURITE or word.pos[1] == "固有名詞" or is_place(word.text):
        return PROPER
    if word.pos[0] == "名詞" and (word.text in _JOINS or word.text in _SURNAMES):
        return COMMON
    if _KATAKANA.fullmatch(word.text) or _LATIN.fullmatch(word.text):
        return PROPER if not word.known else COMMON
    if word.pos[0] == "名詞" and word.pos[1] != "数詞" and (_KANJI.fullmatch(word.text) or "可能" not in word.pos[2]):
        return COMMON if _KANA.fullmatch(word.text) and len(word.text) > 1 else 0
    if word.pos[0] in ("接頭辞", "接尾辞"):
        return 0 if _KANJI.fullmatch(word.text) else -1
    return COMMON if word.pos[0] == "副詞" and len(word.text) > 2 else -1


def _joined_before(text: str, words: Words, word: Word, at: int, end: int) -> int | None:
    """Where the word before a の or が begins that is part of the name: 星の子, ひばりが丘, 青い鳥."""
    if word.text in LISTED["colour"] and text[at:end] and any(text.startswith(joins, at) for joins in _JOINS):
        return word.start
    if word.text in "のがつヶケ" and at < end:
        before = words.before(word.start)
        return before.start if _joined(before, text[at:end]) else None
    if word.text in _JOINS and text[word.start - 1 : word.start] in ("の", "が", "ヶ", "ケ", "つ"):
        before = words.before(word.start - 1)
        return before.start if _joined(before, word.text) else None
    return None


def _joined(before: Word | None, name: str) -> bool:
    """Whether の between a word and the name so far is part of the name: 星の子 but not 近所の森."""
    if before is None or before.pos[0] not in ("名詞", "接尾辞", "形状詞") or len(before.text) > 4:
        return False
    if before.text in _ORDINARY:
        return before.text in ("こども", "子ども", "子供") and name.startswith(("国", "くに", "城", "森", "もり", "里"))
    return before.text in _JOINS or any(name.startswith(joins) for joins in _JOINS)


def _begins(before: Word | None) -> bool:
    """Whether what stands before a word is no part of its compound."""
    return before is None or before.pos[0] in ("助詞", "補助記号", "空白", "助動詞") or before.text in _ORDINARY


def _ends_ordinal(text: str, end: int) -> bool:
    return _ORDINAL.search(text, max(0, end - 5), end) is not None


def _town_before(text: str, words: Words, at: int, end: int) -> str:
    """A listed town that stands right before a kind, if it is all or the end of what may be a name."""
    window = fold_place(text[max(0, end - LONGEST_PLACE) : end])
    town = longest_before(window, len(window), places().towns)
    begins = end - len(town)
    return town if len(town) > 1 and begins > at and words.breaks(begins) and town not in _ORDINARY else ""


def _stands_at_place(words: Words, word: Word) -> bool:
    """Whether a landmark or two have the name of a place before them."""
    for _ in range(3):
        before = words.before(word.start)
        if before is None or before.text not in _LANDMARKS:
            return before is not None and ("地名" in before.pos or is_place(before.text))
        word = before
    return False


def _may_cross(word: Word | None, mark: str, begins: int) -> bool:
    """Whether a name goes on before a space: "若葉台 第二小", but not "山田です 保育園"."""
    if word is None or not begins or word.text in _ORDINARY:
        return False
    if mark != " " and word.pos[0] == "名詞":
        return True
    return (
        "固有名詞" in word.pos
        or not word.known
        or word.text in _FAVOURITE
        or is_place(word.text)
        or bool(_LATIN.fullmatch(word.text))
    )


def _kana_name(text: str, words: Words, end: int) -> int | None:
    """Where a name in hiragana begins that ends at `end`, when words alone would not show it; None if there is none."""
    run = _KANA_BEFORE.search(text, max(0, end - 10), end)
    if not run:
        return None
    for length in range(len(run[0]), 1, -1):
        kana = run[0][-length:]
        start = end - length
        if kana in _FUNCTION or kana in _ORDINARY:
            return None
        if kana in _FAVOURITE and (length > 2 or words.breaks(start)):
            return start
        if (
            _NATURE.fullmatch(kana)
            and not kana.startswith(("は", "と", "から"))
            and _begins_name(words, start, run[0][:-length])
        ):
            return start
        if kana[-1] == "の" and (last := words.before(end)) and last.text == "の":
            continue
        known = reading(kana) if length > 2 else None
        if known and known.surname > 1 and _begins_name(words, start, run[0][:-length]):
            return start
    return None


def _begins_name(words: Words, start: int, before: str) -> bool:
    """Whether a surname in kana begins here: where a word does, or after a particle."""
    return (
        words.breaks(start)
        if not before
        else before.endswith(("は", "が", "を", "に", "で", "の", "も", "と", "や", "へ", "って", "から", "てる"))
    )


def _weight(text: str, words: Words, word: Word, *, lesson: bool) -> int:
    """`PROPER` or `COMMON` if a word makes a name, 0 if it may be of one, -1 if it ends the walk."""
    surface = word.text
    if surface.startswith("第") and _ends_ordinal(text, word.end):
        return 0
    if surface in _LANDMARKS and _stands_at_place(words, word):
        return 0
    if _ends_walk(surface):
        return -1
    if surface in _FAVOURITE or _TWICE.fullmatch(surface) or word.pos[1] == "固有名詞":
        return PROPER
    if word.pos[0] in _NO_NOUN and not _KATAKANA.fullmatch(surface):
        if word.pos[0] == "形状詞" and _KANJI.fullmatch(surface) and not lesson:
            return COMMON
        return PROPER if not word.known and word.pos[0] != "補助記号" else -1
    if surface in _NARROWING or word.pos[1] == "数詞" or word.pos[0] == "接尾辞":
        return 0
    if word.pos[0] == "接頭辞":
        return -1 if surface in _BOUND_PREFIXES else 0
    return _weight_of_noun(text, word, lesson=lesson)


def _ends_walk(surface: str) -> bool:
    return (
        surface in _ORDINARY
        or surface in _FUNCTION
        or surface in _HEADS
        or surface.isspace()
        or surface == "立"
        or surface.endswith(_OF_PUBLIC)
    )


def _weight_of_noun(text: str, word: Word, *, lesson: bool) -> int:
    """The same of a common noun: of a lesson it may be the subject, of all else it is no sort that is listed."""
    surface = word.text
    if _LATIN.fullmatch(surface):
        return PROPER if len(surface) > 1 else 0
    if _KATAKANA.fullmatch(surface):
        subject = lesson and word.known
        if subject and not text.startswith(("塾", "進学塾", "ゼミ", "学習塾", "予備校"), word.end):
            return 0
        return PROPER if len(surface) > 2 or not word.known else COMMON
    if _KANA.fullmatch(surface):
        return PROPER if len(surface) > 1 else -1
    if not word.known or (is_place(surface) and not lesson):
        return PROPER
    if "可能" in word.pos[2] and word.pos[2] != "形状詞可能" and len(surface) > 1:
        return -1
    return COMMON if len(surface) > 1 and not lesson else 0


@cache
def is_narrowing(word: str) -> bool:
    """Whether a word narrows a kind and names nothing."""
    return word in _NARROWING
