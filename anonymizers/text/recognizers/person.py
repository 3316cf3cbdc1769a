"""
Names of persons that nobody told us beforehand.

Every stretch of a text that could be a name, by the dictionary or the lists, is a candidate. What it is made of,
what stands before it and what stands after it are its features, and ``person_points.csv`` says how many points each
is worth; enough points make a name. A word of every day that is a name as well (さくら, 光, 心) has few points of its
own, so it needs さん, 娘の or the like beside it, and a surname with a given name needs nothing.

The points are fitted on the project's development posts by ``bench/fit_person.py`` (logistic regression); texts of
others are measured against, never fitted on.
"""

import csv
import math
from collections.abc import Iterator
from functools import cache
from importlib import resources
from typing import Any, NamedTuple

import regex
from presidio_analyzer import LocalRecognizer, RecognizerResult

from anonymizers.text import name_lists
from anonymizers.text.artifacts import TextArtifacts, read
from anonymizers.text.patterns import LANGUAGE, Example
from anonymizers.text.tokenizer import dictionary

ENOUGH = 0.5
"""Probability from which a candidate is a name. Lower finds more names and more words; the README says at what cost."""

ENOUGH_BESIDE = 0.3
"""The same in a text with a name that was found: where one is, more are, and a leak there costs more."""

LONGEST = 12
"""Code points of a name."""

EXAMPLES = (
    Example("担任の山本先生と結愛ちゃん", ("山本", "結愛")),
    Example("はじめまして、高橋　結衣です", ("高橋　結衣",)),
    Example("娘の陽翔が熱を出した", ("陽翔",)),
    Example("うちのはるとちゃんとﾊﾙﾄくん", ("はると", "ﾊﾙﾄ")),
    Example("次男は颯太と名付けました", ("颯太",)),
    Example("Yamada Hanakoと申します", ("Yamada Hanako",)),
    Example("さくらが満開、光回線、心が疲れた、お母さんと看護師さん", ()),
)


class Word(NamedTuple):
    """A morpheme in the normalised text."""

    text: str
    start: int
    end: int
    kind: str
    """One of: surname, given, person (人名), place, proper (固有名詞), noun, number, pronoun, suffix, particle,
    auxiliary, verb, prefix, mark, space, other."""


_NAMES = {"姓": "surname", "名": "given"}
_KINDS = {
    "代名詞": "pronoun", "接尾辞": "suffix", "助詞": "particle", "助動詞": "auxiliary", "動詞": "verb",
    "接頭辞": "prefix", "補助記号": "mark", "記号": "mark", "空白": "space",
}  # fmt: skip


@cache
def _kind(part_of_speech: int) -> str:
    first, second, third, fourth, *_ = dictionary().pos_of(part_of_speech)
    if first != "名詞":
        return _KINDS.get(first, "other")
    if second == "固有名詞":
        return {"人名": _NAMES.get(fourth, "person"), "地名": "place"}.get(third, "proper")
    return "number" if second == "数詞" else "noun"


# --- what stands around a name ------------------------------------------------------------------------------

_KIN = (
    "娘|息子|長女|次女|三女|四女|末娘|長男|次男|三男|四男|末っ子|上の子|下の子|真ん中の子|第[一二三四1-4]子|[1-4]人目|お?姉ちゃん|お?兄ちゃん|姉|兄|妹|弟|双子|孫|姪っ?子?|"
    "甥っ?子?|いとこ|イトコ|従兄弟|従姉妹|夫|旦那(?:さん)?|だんな|ダンナ|主人|妻|嫁|彼氏?|元夫|元旦那|元カレ|義(?:母|父|姉|妹|兄|弟)|母|父|祖母|祖父|ママ|パパ|"
    "子ども|子供|こども|お子さん|[わ我]が子|赤ちゃん|ベビー|うちの子|友達|友だち|友人|親友|お友達|おともだち|ママ友|パパ友|同僚|先輩|後輩|上司|部下|幼[馴な]染み?|"
    "クラスメイト|同級生|担任|副担任|主治医|担当医?|園長|院長|校長|保育士|助産師|保健師|看護師|先生|保護者|会長|部長|店長|代表|幹事|コーチ"
)  # fmt: skip
_LEFT = (
    (
        "naming",
        r"(?:名前|なまえ|ナマエ|氏名|本名|宛名|名義人?|旧姓|命名|差出人|受取人|HN|ハンドルネーム|ニックネーム|呼び名|あだ名|愛称|名簿|参加者|メンバー|連絡網)"
        r"(?:[はがをも]|って)?[\s:=→…\-・「『\[(、]{0,3}+|(?<![A-Za-z])(?:by|By|BY|from|From|to|To)[ :]",
    ),
    ("family of", rf"(?:{_KIN})の"),
    (
        "our",
        r"(?:うち|ウチ|我が家|わが家|我家|隣|近所|同じクラス|クラス|年[少中長]|組|受付|学童|園|病院|産院|小児科|役員|担当|部|班|同期|職場|会社)の|(?:うち|ウチ)は",
    ),
    ("family", rf"(?:{_KIN})[ :・(「、=…\-]{{0,2}}+"),
)
_RIGHT = (
    ("child", r" ?(?:ち(?:ゃ|ゃー|ゃあ)ん|チャン|くー?ん|クン|君|たん|きゅん|ちん|ちゃま|chan|kun)(?![ぁ-ゖ]{0,2}かり)"),
    ("person", r" ?(?:さー?ん|サン|さま|様|殿|氏|嬢|san|sama)"),
    ("teacher", r" ?(?:先生|せんせ|センセ|ドクター|Dr|医師|看護師|助産師|保健師|保育士|栄養士|院長|園長|校長|教頭|教授|コーチ|監督|先輩|部長|課長|社長|店長|選手)"),
    ("parent", r" ?(?:ママ|パパ|まま(?!に|で)|ぱぱ|の(?:母|父|ママ|パパ|お母さん|お父さん|保護者))"),
    ("naming", r"[」』)\"' ]{0,2}+(?:(?:と|って)(?:申|もうし|言|い[いっわ]|名付|名づ|なづ|命名|呼|読|書|いう|ゆう)|っていう|という|って[^ぁ-ゖ]|に命名|に(?:しま|決め|決ま)|ちゃん付け)"),
    ("age", r"[ はも、(]{0,2}+(?:もう|まだ|今|現在)?[0-9]{1,2}(?:歳|才|さい|[ヶかカヵケ]月|年生|m|y|歳児|\))|生後"),
    ("intro", r"(?:です|でーす|だよ|でした|やで|っす)(?:$|[\s。、!?笑wｗ♪☆]|\p{So})|より(?:$|[\s♡。])|宛|あて(?:に|の)"),
)  # fmt: skip
_CHILDHOOD = regex.compile(
    "寝|起き|泣|熱|咳|鼻水|イヤイヤ|おむつ|オムツ|体重|身長|離乳食|ミルク|おっぱい|授乳|歩|ハイハイ|ずりばい|寝返|座|保育園|幼稚園|登園|入園|卒園|入学|"
    "健診|検診|予防接種|注射|お迎え|昼寝|夜泣|抱っこ|連れ|生まれ|産まれ|誕生|お弁当|宿題|習い事|発表会|運動会|遊|喧嘩|けんか|ケンカ|叩|噛|可愛|かわい|カワイ|お姉|お兄|おもちゃ|人見知り|反抗期"
)
_LEFT_CUES = regex.compile("|".join(f"(?P<{name.replace(' ', '_')}>{words})" for name, words in _LEFT))
_RIGHT_CUES = regex.compile("|".join(f"(?P<{name}>{words})" for name, words in _RIGHT), regex.M)

_NEVER = regex.compile(
    rf"(?:{_KIN}|お[母父姉兄]?|赤|皆|みな|みんな|ベビ|べび|わん|にゃん|令和|平成|昭和|大正|明治|"
    "(?:花|八百|肉|魚|本|薬|米|酒|床|居酒|不動産|電気|パン|ケーキ|クリーニング|ラーメン|そば|うどん|写真|文房具|自転車|おもちゃ|着物|靴|服|質|何でも)屋)"
)
_SPACE = regex.compile(r"[ ・=]")
_NAME = {
    "kanji": regex.compile("[一-鿿々ヶ\uf900-\ufaff\U00020000-\U0003ffff]+"),
    "hiragana": regex.compile("[ぁ-ゖー]+"),
    "katakana": regex.compile("[ァ-ヺー]+"),
    "latin": regex.compile("[A-Za-z]+'?[A-Za-z]+"),
}
_CHARACTER = regex.compile("[一-鿿々ヶ\uf900-\ufaff\U00020000-\U0003ffffぁ-ゖァ-ヺーA-Za-z]")
_LETTER = "[一-鿿々ヶ\uf900-\ufaffぁ-ゖァ-ヺー]"
_MARK = regex.compile(rf"[^一-鿿々ヶ\uf900-\ufaff\U00020000-\U0003ffffぁ-ゖァ-ヺーA-Za-z0-9]+(?={_LETTER}|[A-Za-z])")
_MASKED = regex.compile(
    rf"(?<!{_LETTER}){_LETTER}(?:(?P<mark>[-‐・*☆★♡♪.．_~〜 ]){_LETTER}(?:(?P=mark){_LETTER})*+)(?: {_LETTER}(?:(?P<other>[-‐・*☆★♡♪.．_~〜 ]){_LETTER})(?:(?P=other){_LETTER})*+)?+"
)
_NOT_LETTERS = regex.compile(r"[^\p{L}ー]+")
_SEPARATED = regex.compile(r"[、,・&/＆と\s]{1,2}")
_ADDRESSED = regex.compile(" ?(?:さん|ちゃん|くん|君|様)?")


class Candidate(NamedTuple):
    """A stretch that may be a name, in code points of the normalised text, and what speaks for and against it."""

    start: int
    end: int
    features: tuple[str, ...]


class PersonRecognizer(LocalRecognizer):
    """Names by dictionary, lists and the words around them."""

    def __init__(self) -> None:
        super().__init__(supported_entities=["PERSON"], supported_language=LANGUAGE)

    def load(self) -> None:
        """Nothing to load."""

    def analyze(self, text: str, entities: list[str], nlp_artifacts: Any = None) -> list[RecognizerResult]:
        """
        Find names.

        Returns:
            Spans in code points of the text as written, without さん and the like; the score is the probability
            that the fit gives.
        """
        artifacts = read(text, nlp_artifacts)
        identity = {
            RecognizerResult.RECOGNIZER_NAME_KEY: self.name,
            RecognizerResult.RECOGNIZER_IDENTIFIER_KEY: self.id,
        }
        original = artifacts.normalised.original
        return [
            RecognizerResult("PERSON", *original(start, end), score, None, identity)
            for start, end, score in names(artifacts)
        ]


def names(artifacts: TextArtifacts) -> list[tuple[int, int, float]]:
    """Start, end and probability of each name in the normalised text, sorted, none overlapping."""
    found = Candidates(artifacts).all()
    scores = {(c.start, c.end): _sum(c.features) for c in found}
    sure = [span for span, score in scores.items() if score > _logit(ENOUGH)]
    for listed in set(_listed(artifacts.normalised.text, scores, sure)):
        scores[listed] += _points()["listed"]
    enough = _logit(ENOUGH_BESIDE if sure else ENOUGH)
    return _best([(*span, 1 / (1 + math.exp(-score))) for span, score in scores.items() if score > enough])


def _logit(probability: float) -> float:
    return math.log(probability / (1 - probability))


@cache
def _points() -> dict[str, float]:
    text = resources.files("anonymizers.text").joinpath("person_points.csv").read_text(encoding="utf-8")
    return {row["feature"]: float(row["points"]) for row in csv.DictReader(text.splitlines())}


def _sum(features: tuple[str, ...]) -> float:
    points = _points()
    return points["any"] + sum(points.get(feature, 0.0) for feature in features)


def _listed(text: str, scores: dict[tuple[int, int], float], sure: list[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """What stands in a list with a name: さくらちゃん、ゆうと、みお."""
    ends = {_ADDRESSED.match(text, end).end() for _, end in sure} | {end for _, end in sure}
    starts = {start for start, _ in sure}
    for start, end in scores:
        joint = _SEPARATED.match(text, _ADDRESSED.match(text, end).end())
        before = {
            start - width for width in (1, 2) if start >= width and _SEPARATED.fullmatch(text[start - width : start])
        }
        if (joint and joint.end() in starts) or before & ends:
            yield start, end


class Candidates:
    """Every stretch of one text that could be a name."""

    def __init__(self, artifacts: TextArtifacts) -> None:
        self.text = artifacts.normalised.text
        words = [
            Word(m.surface(), offset + m.begin(), offset + m.end(), _kind(m.part_of_speech_id()))
            for m, offset in artifacts.words
        ]
        self.starting = {word.start: word for word in words}
        self.ending = {word.end: word for word in words}
        self.cued = {match.end(): match.lastgroup for match in _LEFT_CUES.finditer(self.text)}

    def all(self) -> list[Candidate]:
        """The candidates, in the order of their starts."""
        starts = sorted({*self.starting, *self.cued, *self._after_marks()} - {len(self.text)})
        return [*(candidate for start in starts for candidate in self._from(start)), *self._masked()]

    def _after_marks(self) -> Iterator[int]:
        """Where letters begin after a mark: Sudachi takes 怜奈(れな) for one word."""
        return (match.end() for match in _MARK.finditer(self.text))

    def _masked(self) -> Iterator[Candidate]:
        """Names with a mark or a space between all letters: ゆ☆い, た な か."""
        for match in _MASKED.finditer(self.text):
            for end in range(match.start() + 3, match.end() + 1):
                if not _CHARACTER.match(self.text, end - 1) or not self._may_end(end):
                    continue
                name = _NOT_LETTERS.sub("", self.text[match.start() : end])
                shape = _single(name, whole=True, kind="") or next(
                    (pair for at in range(1, len(name)) if (pair := _pair(name[:at], name[at:], "joined"))), ()
                )
                if shape:
                    how = "unknown" if "unknown" in shape[0] else "full" if "full" in shape[0] else "listed"
                    yield self._candidate(match.start(), end, (f"masked {how}",))

    def _may_end(self, end: int) -> bool:
        return end == len(self.text) or not _CHARACTER.match(self.text, end) or bool(_RIGHT_CUES.match(self.text, end))

    def _from(self, start: int) -> Iterator[Candidate]:
        for end, shape in self._shapes(start):
            yield self._candidate(start, end, shape)

    def _candidate(self, start: int, end: int, shape: tuple[str, ...]) -> Candidate:
        """With its features: each by itself, and what is around it once more by the script."""
        left, right = self._left(start), self._right(end)
        script = shape[0].split(" ")[0]
        return Candidate(start, end, (*shape, *left, *right, f"{script} {left[0]}", f"{script} {right[0]}"))

    def _shapes(self, start: int) -> Iterator[tuple[int, tuple[str, ...]]]:
        """Where a name that starts here could end, and what it would be made of."""
        if not _CHARACTER.match(self.text, start):
            return
        for end in self._ends(start):
            shape = self._shape(start, end)
            if shape:
                yield end, shape
            if end < len(self.text) and _SPACE.match(self.text[end]):
                for last in self._ends(end + 1):
                    shape = _pair(self.text[start:end], self.text[end + 1 : last], "spaced")
                    if shape:
                        yield last, (*shape, *self._tags(start, end, end + 1, last))

    def _ends(self, start: int) -> Iterator[int]:
        """Ends of words, and places before さん and the like, as long as only letters stand between."""
        for end in range(start + 1, min(start + LONGEST, len(self.text)) + 1):
            if not _CHARACTER.match(self.text, end - 1):
                return
            if end in self.ending or self._may_end(end):
                yield end

    def _shape(self, start: int, end: int) -> tuple[str, ...]:
        """What a stretch is made of; empty if nobody is called so."""
        name = self.text[start:end]
        if _NEVER.fullmatch(name):
            return ()
        word = self.starting.get(start)
        whole = word is not None and word.end == end
        shape = _single(name, whole=whole, kind=word.kind if whole else "") or (
            self._joined(start, end) if len(name) > 1 else ()
        )
        if shape and whole and word.kind in ("surname", "given", "person"):
            return (*shape, f"tagged {word.kind}")
        return shape

    def _joined(self, start: int, end: int) -> tuple[str, ...]:
        """A surname and a given name without a space between them."""
        for at in range(start + 1, end):
            if at in self.ending or _script(self.text[at - 1]) != _script(self.text[at]):
                shape = _pair(self.text[start:at], self.text[at:end], "joined")
                if shape:
                    return (*shape, *self._tags(start, at, at, end))
        return ()

    def _tags(self, start: int, end: int, begin: int, last: int) -> tuple[str, ...]:
        """Whether Sudachi takes the first for a surname, and the second for a given name."""
        one, other = self.starting.get(start), self.starting.get(begin)
        surname = one is not None and one.end == end and one.kind == "surname"
        given = other is not None and other.end == last and other.kind == "given"
        return (*(("full tagged surname",) if surname else ()), *(("full tagged given",) if given else ()))

    @cache  # noqa: B019  it lives as long as the search in one text
    def _left(self, start: int) -> tuple[str, ...]:
        if start in self.cued:
            return (f"after {self.cued[start]}",)
        if start == 0 or self.text[start - 1] == "\n":
            return ("after line start",)
        before = self.ending.get(start)
        if before is None:
            return ("after part of a word",)
        if before.kind == "particle":
            return (
                f"after {before.text}"
                if before.text in ("の", "と", "は", "が", "に", "も", "で")
                else "after particle",
            )
        if before.kind in ("mark", "space") or not _CHARACTER.match(before.text[-1]):
            return ("after mark",)
        return (f"after {before.kind}",)

    @cache  # noqa: B019
    def _right(self, end: int) -> tuple[str, ...]:
        near = ("near childhood",) if _CHILDHOOD.search(self.text, end, end + 12) else ()
        cue = _RIGHT_CUES.match(self.text, end)
        if cue:
            return (f"before {cue.lastgroup}", *near)
        if end == len(self.text) or self.text[end] == "\n":
            return ("before line end",)
        after = self.starting.get(end)
        if after is None or end not in self.ending:
            return ("before part of a word", *near)
        if after.kind == "particle":
            return (
                f"before {after.text}"
                if after.text in ("の", "と", "は", "が", "も", "に", "を")
                else "before particle",
                *near,
            )
        if after.kind in ("mark", "space") or not _CHARACTER.match(after.text[0]):
            return ("before mark", *near)
        return (f"before {after.kind}", *near)


@cache
def _script(character: str) -> str:
    return next((script for script, expression in _NAME.items() if expression.match(character + character)), "")


def _single(name: str, *, whole: bool, kind: str) -> tuple[str, ...]:
    """What one name is made of: its script, how common it is, whether it is a word too."""
    for script, expression in _NAME.items():
        if expression.fullmatch(name):
            return _SINGLE[script](name, whole, kind)
    known = name_lists.entry(name)
    return ("mixed name",) if known.given or known.surname else ()


def _kanji(name: str, whole: bool, kind: str) -> tuple[str, ...]:
    known = name_lists.entry(name)
    sort = (
        "given" if known.given and not known.surname else "surname" if known.surname and not known.given else "either"
    )
    if known.given or known.surname:
        word = " and word" if known.common else " and place" if known.place else ""
        return (
            f"kanji {'one' if len(name) == 1 else 'more'} {sort}{word}",
            *(("of every day",) if name in name_lists.everyday() else ()),
        )
    if 2 <= len(name) <= 3 and name_lists.is_plausible_given(name):
        return ("kanji plausible and word" if any(known) else "kanji plausible",)
    return ("kanji person",) if kind == "person" else ("kanji unknown",) if len(name) <= 3 else ()


def _kana(script: str, name: str, whole: bool, kind: str) -> tuple[str, ...]:
    if len(name) < 2:
        return ()
    found, known = name_lists.reading(name), name_lists.entry(name)
    size = "two" if len(name) == 2 else "more"
    word = " and word" if known.common else ""
    pieces = () if whole else (f"{script} in pieces",)
    if found.given:
        rank = "often" if found.given >= 20 else "some" if found.given >= 5 else "rare"
        return (f"{script} {size} {rank}{word}", *pieces)
    if found.surname >= 2:
        return (f"{script} surname {size}{word}", *pieces)
    if _is_nickname(name):
        return (f"{script} nickname", *pieces)
    if script == "katakana" and len(name) <= 8:
        return ("katakana " + ("common" if known.common else "place" if known.place else "unknown"), *pieces)
    if len(name) <= 4 and not known.common and not known.place:
        return (f"{script} unknown", *pieces)
    return ()


_NICKNAME = regex.compile(
    "(?P<name>[ぁ-ゖァ-ヺー]{2,4}?)(?:っち|ッチ|っぴ|ぴー?|ぽん|ポン|りん|リン|ぴょん|みん|たん|ちょ|ちゅん|っしー|のすけ|すけ|たろ|ぞう|ぼん|っこ)"
)


def _is_nickname(name: str) -> bool:
    """まいぽん, さやっち: the beginning of a name and an ending that makes it small."""
    match = _NICKNAME.fullmatch(name)
    return match is not None and name_lists.reading(match["name"]).given >= 2


def _latin(name: str, whole: bool, kind: str) -> tuple[str, ...]:
    found = name_lists.romaji(name)
    case = "small" if name.islower() else "large"
    if max(found) >= 3:
        return (f"latin {case} {'two' if len(name) <= 4 else 'more'}",)
    if case == "small" or len(name) < 3:
        return ()
    return ("latin tagged",) if kind in ("person", "given", "surname") else ("latin unknown",)


_SINGLE = {
    "kanji": _kanji,
    "hiragana": lambda name, whole, kind: _kana("hiragana", name, whole, kind),
    "katakana": lambda name, whole, kind: _kana("katakana", name, whole, kind),
    "latin": _latin,
}


def _pair(one: str, other: str, how: str) -> tuple[str, ...]:
    """A surname and a given name, in this order or, in Latin letters, in either."""
    if _NAME["latin"].fullmatch(one) and _NAME["latin"].fullmatch(other):
        first, second = name_lists.romaji(one), name_lists.romaji(other)
        both = (first.surname and second.given >= 2) or (first.given >= 2 and second.surname)
        return (f"full latin {how}",) if both else ()
    if _NAME["katakana"].fullmatch(one) and _NAME["katakana"].fullmatch(other) and how == "spaced":
        listed = name_lists.reading(one).surname and name_lists.reading(other).given
        return ("full katakana spaced",) if listed else ("katakana pair",)
    surname, given = _is_surname(one), _is_given(other)
    return (f"full {surname} {given} {how}",) if surname and given else ()


def _is_surname(name: str) -> str:
    if _NAME["kanji"].fullmatch(name):
        known = name_lists.entry(name)
        return "" if not known.surname else "one" if len(name) == 1 else "word" if known.common else "kanji"
    return "kana" if len(name) > 1 and name_lists.reading(name).surname >= 3 else ""


def _is_given(name: str) -> str:
    if _NAME["kanji"].fullmatch(name):
        known = name_lists.entry(name)
        if known.given:
            return "word" if known.common else "kanji"
        return "plausible" if not any(known) and 2 <= len(name) <= 3 and name_lists.is_plausible_given(name) else ""
    if len(name) > 1 and name_lists.reading(name).given >= 3:
        return "kana"
    known = name_lists.entry(name)
    return "mixed" if known.given and not known.common else ""


def _best(found: list[tuple[int, int, float]]) -> list[tuple[int, int, float]]:
    """Of names one inside the other the longer, and of names that overlap otherwise the surer."""
    found = [
        (start, end, score)
        for start, end, score in found
        if not any(first <= start and end <= last and (first, last) != (start, end) for first, last, _ in found)
    ]
    chosen: list[tuple[int, int, float]] = []
    for start, end, score in sorted(found, key=lambda name: -name[2]):
        if all(end <= other[0] or other[1] <= start for other in chosen):
            chosen.append((start, end, score))
    return sorted(chosen)


def recognizer() -> PersonRecognizer:
    """Finds PERSON by dictionary, lists and the words around; names the site knows are another's."""
    return PersonRecognizer()
