"""
Every stretch of a text that could be somebody's name, with what speaks for and against it.

The words before and after that make a name of what stands there are the lists below; their names are features, as
are Sudachi's parts of speech around it. What each is worth is in ``person_points.csv``.
"""

import bisect
import re
from functools import cache
from typing import NamedTuple

import regex

from anonymizers.text import name_lists, name_shapes
from anonymizers.text.artifacts import TextArtifacts
from anonymizers.text.expressions import quick
from anonymizers.text.name_lists import NOBODY
from anonymizers.text.name_shapes import (
    HIRAGANA,
    KANJI,
    KATAKANA,
    LATIN,
    LONGEST_UNLISTED,
    NICKNAME_ENDINGS,
    OTHER,
    UNLISTED,
    Shape,
    made_of,
    unlisted,
)
from anonymizers.text.policy import PLACEHOLDER
from anonymizers.text.tokenizer import Word

NEAR = 12
"""Code points after a name in which a word of childhood (寝た, お迎え) speaks for it, and one of nature against it."""

JOINTS = " ・="
"""What may stand between a surname and a given name."""

LONGEST = 12
"""Code points of a name, or of either part of a full one."""

_KIN = (
    "娘|息子|長女|次女|三女|四女|末娘|長男|次男|三男|四男|末っ子|上の子|下の子|真ん中の子|第[一二三四1-4]子|[1-4]人目|"
    "お?姉ちゃん|お?兄ちゃん|姉|兄|妹|弟|双子|孫|姪っ?子?|甥っ?子?|いとこ|イトコ|従兄弟|従姉妹|"
    "夫|旦那(?:さん)?|だんな|ダンナ|主人|妻|嫁|彼氏?|元夫|元旦那|元カレ|義(?:母|父|姉|妹|兄|弟)|母|父|祖母|祖父|ママ|パパ|"
    "子ども|子供|こども|お子さん|[わ我]が子|赤ちゃん|ベビー|うちの子|友達|友だち|友人|親友|お友達|おともだち|ママ友|パパ友|"
    "同僚|先輩|後輩|上司|部下|幼[馴な]染み?|クラスメイト|同級生|"
    "担任|副担任|主治医|担当医?|園長|院長|校長|保育士|助産師|保健師|看護師|先生|保護者|会長|部長|店長|代表|幹事|コーチ"
)
LEFT_CUES = (
    (
        "naming",
        r"(?:名前|なまえ|ナマエ|氏名|本名|宛名|名義人?|旧姓|命名|差出人|受取人|HN|ハンドルネーム|ニックネーム|呼び名|あだ名|愛称|"
        r"名簿|参加者|メンバー|連絡網)(?:[はがをも]|って)?[\s:=→…\-・「『\[(、]{0,3}+|"
        r"(?<![A-Za-z])(?:by|By|BY|from|From|to|To)[ :]",
    ),
    ("family of", rf"(?:{_KIN})の"),
    (
        "our",
        r"(?:うち|ウチ|我が家|わが家|我家|隣|近所|同じクラス|クラス|年[少中長]|組|受付|学童|園|病院|産院|小児科|役員|担当|部|班|同期|"
        r"職場|会社)の|(?:うち|ウチ)は",
    ),
    ("family", rf"(?:{_KIN})(?!さん|ちゃん|くん|様|さま|親|たち|達|方|子|友|の)[ :・(「、=…\-]{{0,2}}+"),
)
"""What stands before a name and says that it is one, by the name of the feature."""

RIGHT_CUES = (
    (
        "child",
        r" ?(?:ち(?:ゃ|ゃー|ゃあ)ん|チャン|くー?ん|クン|君|たん|きゅん|ちん|ちゃま|chan|kun)(?![ぁ-ゖ]{0,2}かり)",
    ),
    ("person", r" ?(?:さー?ん|サン|さま|様|殿|氏|嬢|san|sama)"),
    (
        "teacher",
        r" ?(?:先生|せんせ|センセ|ドクター|Dr|医師|看護師|助産師|保健師|保育士|栄養士|"
        r"院長|園長|校長|教頭|教授|コーチ|監督|先輩|部長|課長|社長|店長|選手)",
    ),
    ("parent", r" ?(?:ママ|パパ|まま(?!に|で)|ぱぱ|の(?:母|父|ママ|パパ|お母さん|お父さん|保護者))"),
    (
        "naming",
        r"[」』)\"' ]{0,2}+(?:(?:と|って)(?:申|もうし|言|い[いっわ]|名付|名づ|なづ|命名|呼|読|書|いう|ゆう)|"
        r"っていう|という|って[^ぁ-ゖ]|に命名|に(?:しま|決め|決ま)|ちゃん付け)",
    ),
    ("age", r"[ はも、(]{0,2}+(?:もう|まだ|今|現在)?[0-9]{1,2}(?:歳|才|さい|[ヶかカヵケ]月|年生|m|y|歳児|\))|生後"),
    (
        "intro",
        r"(?:です|でーす|だよ|でした|やで|っす)(?:$|[\s。、!?笑wｗ♪☆]|\p{So})|より(?:$|[\s♡。])|宛|あて(?:に|の)",
    ),
)
"""The same of what stands after it."""

_NEAR = quick(
    "(?P<childhood>寝|起き|泣|熱|咳|鼻水|イヤイヤ|おむつ|オムツ|体重|身長|離乳食|ミルク|おっぱい|授乳|歩|ハイハイ|ずりばい|寝返|座|保育園|"
    "幼稚園|登園|入園|卒園|入学|健診|検診|予防接種|注射|お迎え|昼寝|夜泣|抱っこ|連れ|生まれ|産まれ|誕生|お弁当|宿題|習い事|発表会|運動会|遊|喧嘩|"
    "けんか|ケンカ|叩|噛|可愛|かわい|カワイ|お姉|お兄|おもちゃ|人見知り|反抗期)|"
    "(?P<nature>満開|咲|散っ|散る|開花|花見|お花|並木|植え|鉢|種|収穫|苗|葉っぱ|まつり|祭|号|線|駅|新幹線|特急|晴れ|波|砂|季節|風|味|色)"
)
"""Words a little after a name that speak for a child, and those that speak for a flower, a train or the weather."""

# What they begin with, so that the expressions are tried at few places only; a test holds that nothing is lost.
_LEFT_BEGINS = (
    "娘息長次三四末上下真第お姉兄妹弟双孫姪甥いイ従夫旦だダ主妻嫁彼元義母父祖マパ子こわ我赤ベう友親同先後部幼クラ担副園院校保助看会店代幹コ1-4"
    "受名なナ氏本宛旧命差HhNnニ呼あ愛簿参メ連BbFfTt隣近年組学病産小役班期職ウ"
)
_RIGHT_BEGINS = (
    " ちチくク君たきんさサ様殿氏嬢cksS先せセドD医看助保栄院園校教コ監部課社店選マパまぱの"
    "」』)\\\"'とっにはも、(今現0-9生でだやよ宛あ"
)
_LEFT = regex.compile(
    f"(?=[{_LEFT_BEGINS}])(?:" + "|".join(f"(?P<{name.replace(' ', '_')}>{words})" for name, words in LEFT_CUES) + ")"
)
_RIGHT = regex.compile(
    f"(?=[{_RIGHT_BEGINS}])(?:" + "|".join(f"(?P<{name}>{words})" for name, words in RIGHT_CUES) + ")", regex.M
)
_LEFT_CUE = quick(_LEFT.pattern)
_RIGHT_CUE = quick(f"(?={_RIGHT.pattern})", re.M)
"""Without width: where one cue begins inside another, both are found."""

_LETTER = r"[一-鿿々ヶ\uf900-\ufaffぁ-ゖァ-ヺー]"
_MASK = r"[-‐・*☆★♡♪.．_~〜 ]"
_MARKED = quick(rf"(?<={_LETTER}){_MASK}(?={_LETTER})")
_MASKED = regex.compile(
    rf"(?:(?<!{_LETTER}){_LETTER}(?P<mark>{_MASK}){_LETTER}(?:(?P=mark){_LETTER}){{0,8}}+|"
    rf"{_LETTER}(?P<same>{_MASK}){_LETTER}(?:(?P=same){_LETTER}){{1,8}}+)"
    rf"(?: {_LETTER}(?P<other>{_MASK}){_LETTER}(?:(?P=other){_LETTER}){{0,8}}+)?+"
)
_NOT_LETTERS = regex.compile(r"[^\p{L}ー]+")
_MARK = re.compile(f"{OTHER}+")
KANA = HIRAGANA + KATAKANA
_RUN = re.compile("|".join(f"{script}+" for script in (KANJI, HIRAGANA, KATAKANA, LATIN)))
_JOINT = re.compile(f"[{JOINTS}]")
_PARTICLE = re.compile("(?<=[ぁ-ゖー])[がはもをにとのでへや]")
_TOLD_APART = {"の", "と", "は", "が", "も", "に", "で", "を"}


class Candidate(NamedTuple):
    """A stretch that may be a name, in code points of the normalised text, and what is known of it."""

    start: int
    end: int

    shape: Shape
    """What it is made of."""

    left: str
    """What stands before it."""

    right: str
    """What stands after it."""

    near: str
    """What stands a little after it: ``childhood``, ``nature``, or nothing of either."""

    words: tuple[str, str, str, str]
    """The words before and after it and the one after that, and itself if it is a word; empty where there is none."""


def features(shape: Shape, left: str, right: str, near: str) -> tuple[str, ...]:
    """What a candidate is and stands between as features, what is around it once more by the script."""
    script = shape[0].partition(" ")[0]
    beside = (f"near {near}",) if near else ()
    return (*shape, left, right, f"{script} {left}", f"{script} {right}", f"{left} {right}", *beside)


def word_features(words: tuple[str, str, str, str]) -> tuple[str, ...]:
    """The words around a candidate, and itself, as features; only those of every day have points."""
    before, after, later, itself = words
    return (f"word before {before}", f"word after {after}", f"word later {later}", f"word itself {itself}")


def candidates(artifacts: TextArtifacts) -> list[Candidate]:
    """
    The candidates of one text.

    Args:
        artifacts: Of the text; its normalised reading and its words are used.

    Returns:
        Candidates, which overlap; most are no names.
    """
    search = Search(artifacts)
    return [search.candidate(*place) for place in search.places() if not search.is_word(*place)]


Place = tuple[int, int, Shape]
"""Where a candidate starts and ends, and what it is made of."""


class Search:
    """The search in one text; remembers what stands before and after each place."""

    def __init__(self, artifacts: TextArtifacts) -> None:
        self.text = artifacts.normalised.text
        self.scripts = name_shapes.scripts(self.text)
        self.usual = name_lists.usual(self.text)
        self.mixed, self.beginnings_of_mixed = name_lists.mixed(), name_lists.beginnings_of_mixed()
        self.katakana, self.readings = name_lists.katakana(self.text), name_lists.readings()
        self.starting = {word.start: word for word in artifacts.words}
        self.ending = {word.end: word for word in artifacts.words}
        self.cued = {match.end(): match.lastgroup for match in _LEFT_CUE.finditer(self.text)}
        self.cues = {match.start(): match.lastgroup for match in _RIGHT_CUE.finditer(self.text)}
        self.close = [(match.start(), match.lastgroup) for match in _NEAR.finditer(self.text)]
        self.marks = [match.span() for match in _MARK.finditer(self.scripts)]
        self.stops = self._stops()
        self.children = {place for place, cue in self.cues.items() if cue == "child"}
        # Where what stands before needs no name of its own: さっ of さっちゃん, the first half of a full name.
        self.going_on = self.children.union(match.start() for match in _JOINT.finditer(self.text))
        stops = set(self.stops)
        self.particles = [place for match in _PARTICLE.finditer(self.text) if (place := match.start()) not in stops]
        self.reached: dict[int, list[int]] = {}

    def places(self) -> list[Place]:
        """
        Of one word or more, of two names, and those with marks between the letters.

        Whether hiragana that no list has are a word is not asked yet, since nearly all are nobody's name in any case:
        that is `is_word`'s to say.
        """
        found: list[Place] = []
        runs = map(re.Match.end, _RUN.finditer(self.scripts))
        alike = 0
        for start in self._starts():
            while alike <= start:
                alike = next(runs)
            if self.text[start] == "ー":  # its script is that of what is before it
                self._from(start, len(self.text), found)
            elif self.scripts[start] == HIRAGANA:
                self._from_hiragana(start, alike, found)
            else:
                self._from(start, alike, found)
        self._masked(found)
        return found

    def is_word(self, start: int, end: int, shape: Shape) -> bool:
        """Whether what `places` gave is a word of the dictionary and so no candidate."""
        return shape[0] == UNLISTED and name_shapes.is_word(self.text[start:end])

    def _starts(self) -> list[int]:
        """Where a word, a script after a mark (Sudachi takes 怜奈(れな) for one word) or what follows a cue begins."""
        places = {*self.starting, *self.cued, *(end for _, end in self.marks)}
        if "<" in self.text:
            places.difference_update(match.start() + 1 for match in PLACEHOLDER.finditer(self.text))
        places.discard(len(self.text))
        return sorted(place for place in places if self.scripts[place] != OTHER)

    def _stops(self) -> list[int]:
        """Where a name may end: the end of a word, before a mark, and before さん and the like."""
        return sorted({*self.ending, *self.cues, *(start for start, _ in self.marks), len(self.text)})

    def _from(self, start: int, alike: int, found: list[Place]) -> None:
        """Add names that could start here; letters up to `alike` are of one script."""
        kana = self.scripts[start] in KANA and self.text[start] != "ー"
        first, last = (start + 2, min(alike, start + name_lists.LONGEST_READING)) if kana else (start, alike)
        for end in self._worthwhile(start, first, last):
            self._add(start, end, found)

    def _from_hiragana(self, start: int, alike: int, found: list[Place]) -> None:
        """The same where nearly nothing is in a list, which is looked at first."""
        first, last = start + 2, min(alike, start + name_lists.LONGEST_READING)
        word = self.starting.get(start)
        for end in self._worthwhile(start, first, last):
            listed = self.katakana[start:end] in self.readings
            if listed or not first <= end <= last or end in self.children or self._is_nickname(start, end):
                self._add(start, end, found)
            elif end - start <= LONGEST_UNLISTED:
                whole = word is not None and word.end == end
                shape = unlisted(word.kind, "") if whole else unlisted("", self._pieces(start, end))
                found.append((start, end, shape))

    def _worthwhile(self, start: int, first: int, last: int) -> list[int]:
        """Where a name could end: between two places, where it goes on, and where letters of two scripts are one."""
        ends = self._ends(start)
        if not ends:
            return ends
        mixed = self.usual[start : start + 2] in self.beginnings_of_mixed
        if not mixed and self.going_on.isdisjoint(ends):
            return ends[bisect.bisect_left(ends, first) : bisect.bisect_right(ends, last)]
        return [
            end
            for end in ends
            if first <= end <= last or end in self.going_on or (mixed and self.usual[start:end] in self.mixed)
        ]

    def _is_nickname(self, start: int, end: int) -> bool:
        """Whether hiragana end as nicknames do."""
        return end - start > 2 and self.text.endswith(NICKNAME_ENDINGS, start, end)

    def _add(self, start: int, end: int, found: list[Place]) -> None:
        """Add what a stretch would be by itself, and with a given name behind it."""
        text, word = self.text, self.starting.get(start)
        whole = word is not None and word.end == end
        shape, surname = made_of(text[start:end], word.kind if whole else "")
        if shape:
            found.append((start, end, shape if whole else (*shape, self._pieces(start, end))))
        elif self._is_stem(start, end):
            found.append((start, end, ("kana stem",)))
        if (surname or self.scripts[end - 1] in "tl") and end < len(text) and text[end] in JOINTS:
            self._spaced(start, end, surname, found)
        elif surname:
            self._joined(start, end, surname, found)

    def _is_stem(self, start: int, end: int) -> bool:
        """Kana before ちゃん that are no name by themselves: さっちゃん."""
        stem = end - start <= 3 and self.scripts[start] in "ht" and self.cues.get(end) == "child"
        return stem and not name_shapes.is_never(self.text[start:end])

    def _ends(self, start: int) -> list[int]:
        """The stops after a place, as long as only letters stand between."""
        if start not in self.reached:
            self.reached[start] = self._look_ahead(start)
        return self.reached[start]

    def _look_ahead(self, start: int) -> list[int]:
        reach = self.scripts.find(OTHER, start)
        reach = min(start + LONGEST, len(self.text) if reach < 0 else reach)
        first = bisect.bisect_right(self.stops, start)
        found = self.stops[first : bisect.bisect_right(self.stops, reach, first)]
        if self.scripts[start : start + 1] != HIRAGANA:
            return found
        reach = min(reach, start + name_lists.LONGEST_READING + 1)
        first = bisect.bisect_right(self.particles, start + 1)
        last = bisect.bisect_left(self.particles, reach, first)
        listed = [end for end in self.particles[first:last] if self._is_listed(start, end)] if first < last else ()
        return sorted([*found, *listed]) if listed else found

    def _pieces(self, start: int, end: int) -> str:
        """Of what words a stretch is put together that is not one."""
        first, last = self.starting.get(start), self.ending.get(end)
        return _pieces(first.kind if first else "part", last.kind if last else "part")

    def _is_listed(self, start: int, end: int) -> bool:
        """A name in hiragana before a particle, wherever Sudachi sees words in it: りひと, が."""
        return self.readings.get(self.katakana[start:end], NOBODY).given >= 2

    def _joined(self, start: int, at: int, surname: str, found: list[Place]) -> None:
        for end in self._ends(at):
            given = name_shapes.given(self.text[at:end])
            if given and (surname, given) != ("latin", "latin"):
                shape = (*name_shapes.pair(surname, given, "joined"), *self._tags(start, at, at, end))
                found.append((start, end, shape))

    def _spaced(self, start: int, at: int, surname: str, found: list[Place]) -> None:
        for end in self._ends(at + 1):
            given = name_shapes.given(self.text[at + 1 : end])
            if self.scripts[at - 1] == "l" == self.scripts[at + 1] and not (surname and given):
                surname, given = name_shapes.surname(self.text[at + 1 : end]), name_shapes.given(self.text[start:at])
            if surname and given:
                shape = name_shapes.pair(surname, given, "spaced")
            elif self.scripts[at - 1] == "t" == self.scripts[at + 1] and end - at > 2:
                shape = ("katakana pair",)
            else:
                continue
            found.append((start, end, (*shape, *self._tags(start, at, at + 1, end))))

    def _tags(self, start: int, end: int, begin: int, last: int) -> tuple[str, ...]:
        """Whether Sudachi takes the first for a surname, and the second for a given name."""
        one, other = self.starting.get(start), self.starting.get(begin)
        surname = one is not None and one.end == end and one.kind == "surname"
        given = other is not None and other.end == last and other.kind == "given"
        return (*(("full tagged surname",) if surname else ()), *(("full tagged given",) if given else ()))

    def _masked(self, found: list[Place]) -> None:
        """Add names with a mark or a space between all letters: ゆ☆い, た な か."""
        reach = 0
        for mark in _MARKED.finditer(self.text):
            match = _MASKED.match(self.text, mark.start() - 1) if mark.start() > reach else None
            if not match:
                continue
            reach = match.end()
            for end in range(match.start() + 3, reach + 1):
                if self.scripts[end - 1] != OTHER and (end == reach or end in self.cues):
                    shape = name_shapes.masked(_NOT_LETTERS.sub("", self.text[match.start() : end]))
                    if shape:
                        found.append((match.start(), end, shape))

    def candidate(self, start: int, end: int, shape: Shape) -> Candidate:
        """A candidate with all that is around it."""
        name = self.text[start:end]
        itself = name if name_lists.entry(name).common else ""
        (left, before), (right, near, after, later) = self.before(start), self.behind(end)
        return Candidate(start, end, shape, left, right, near, (before, after, later, itself))

    def before(self, start: int) -> tuple[str, str]:
        """What stands before a place, as a feature, and the word that ends there; empty if there is none."""
        word = self.ending.get(start)
        if start in self.cued:
            what = self.cued[start]
        elif start == 0 or self.text[start - 1] == "\n":
            what = "line start"
        elif self.scripts[start - 1] == OTHER:
            what = "mark"
        else:
            what = "part of a word" if word is None else _told(word)
        return f"after {what}", _said(word) if word else ""

    def behind(self, end: int) -> tuple[str, str, str, str]:
        """
        What stands behind a place, as a feature, and what sort of word a little after it.

        Then the word that begins there and the one after that; empty where there is none.
        """
        word = self.starting.get(end)
        if end in self.cues:
            what = self.cues[end]
        elif end == len(self.text) or self.text[end] == "\n":
            what = "line end"
        elif self.scripts[end] == OTHER:
            what = "mark"
        else:
            what = "part of a word" if word is None else _told(word)
        later = self.starting.get(word.end) if word else None
        return f"before {what}", self._near(end), _said(word) if word else "", _said(later) if later else ""

    def _near(self, end: int) -> str:
        following = bisect.bisect_left(self.close, (end, ""))
        near = following < len(self.close) and self.close[following][0] < end + NEAR
        return self.close[following][1] if near else ""


@cache
def _pieces(first: str, last: str) -> str:
    return f"pieces {first} {last}"


def _said(word: Word) -> str:
    """A word as it is written, and white space by name."""
    text = word.text
    return text if not text.isspace() else "(line)" if "\n" in text else "(space)"


def _told(word: Word) -> str:
    """A word beside a name, as a feature: the frequent particles by themselves, others by kind."""
    if word.kind == "particle" and word.text in _TOLD_APART:
        return word.text
    return "mark" if word.kind == "space" else word.kind
