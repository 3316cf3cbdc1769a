"""
Names of particular nurseries, schools, clinics and the like.

A word that says what kind of place it is (保育園, 小児科) is found first, with what merely narrows it (認定, こども);
`anonymizers.text.facility_names` says whether the words around it are a name (ひばりが丘保育園) or only which place or
what sort is meant (近くの小児科, 小規模保育園). Kinds cut short (西町小, 若草保) need more: a proper name before them,
or words around that speak of schools or hospitals. Then the same is done once more with the text as it would be
without spaces and marks inside words (さ く ら 保育園, さくら☆保育園).
"""

import unicodedata
from collections.abc import Callable, Collection, Iterator, Sequence
from functools import cache
from typing import Any, NamedTuple

import ahocorasick
import regex
from presidio_analyzer import LocalRecognizer, RecognizerResult

from anonymizers.text.artifacts import read
from anonymizers.text.facility_names import (
    COMMON,
    GROUPS,
    LISTED,
    PROPER,
    Words,
    branch,
    followed,
    is_narrowing,
    is_place,
    name_after,
    name_before,
)
from anonymizers.text.normalisation import Normalised
from anonymizers.text.patterns import LANGUAGE, Example, quick, timeout_s
from anonymizers.text.places import LONGEST_PLACE, fold_place, longest_before, places
from anonymizers.text.tokenizer import Word, tokenize

# Between 市立 and a school stands its name, whatever words it is made of.
_RUN = regex.compile("[市区町村県都府道]立((?:[一-鿿々ァ-ヺー]|[がヶケの](?=[一-鿿])){1,8})$")
# A character or two that the walk back took for ordinary (中 of 中根橋) may stand between.
_PUBLIC = regex.compile("(?:国|公|私|市|区|町|村|県|都|府|道|組合)立 ?[一-鿿]{0,2}$")
_CORPORATION = regex.compile(
    r"(?:社会福祉|学校|医療|宗教|NPO|特定非営利活動|一般社団|公益社団|一般財団|公益財団|財団|社団)法人(?:社団|"
    r"財団)?[^\s。、,!?「」()はがをにで]{0,14}+[ 　]?$"
)
# What runs many of one name.
_BRANDS = regex.compile(
    "(?:公文式?|くもん|学研|KUMON|ヤマハ|カワイ|駅前|(?:幼保連携型)?認定こども園|(?:認可|認証)保育[園所]|グローバル) ?$"
)
_QUOTED = regex.compile('[「『"“]([^「」『』"“”\\n]{1,16})[」』"”](?:って?(?:いう|ゆう)?|という)?(?:名前の)?$')
_LATIN_NAME = quick(
    "(?<![A-Za-z])(?:St\\.? ?)?[A-Z][A-Za-z']{1,15}+(?: [A-Z][A-Za-z']{1,15}+){0,3}? ?(?:International School|School|"
    "Preschool|Kindergarten|Nursery|Clinic|Hospital|Academy|Garden|LAB|Lab)(?![A-Za-z])"
)
# Of such a public one there is one in the prefecture.
_ONE = regex.compile("こども|子ども|小児|母子|周産期|成育|療育|がん")

# Kinds cut short, and what must stand after each. Of hospitals and of what is a word for much else, more must.
_HOSPITAL = (
    "(?=の(?:面会|先生|小児|産|婦人|NICU|GCU|外来|救急|看護|助産|受付|待ち|予約|売店|個室|食事|病棟|口コミ)|"
    "(?:に|へ|まで)(?:入院|転院|紹介|通|搬送|電話|救急|行|受診|緊急|かか|お世話|運ば|切り替)|"
    "で(?:産|出産|手術|検査|診|看護|働|生|分娩|検診|健診|入院|やり|やっ|受|切|ナース)|NICU|附属|付属|病院)"
)
_CLASSES = (
    "(?=校区|学区|出身|受験|合格|志望|卒|PTA|[0-9]年|(?:に|へ)(?:入学|進学|合格|通|転校|受か|決|内定|行きたい|行か)|"
    "への|の(?:制服|校区|学区|生徒|先生|説明会|ジャージ|PTA|部活|文化祭|体育祭|運動会|推薦|偏差値|校則|校長|保護者|"
    "倍率|入試|過去問|[0-9一二三]年|給食|修学|吹奏|野球|サッカー))"
)
_SHORT = {
    "nursery": "(?:保|幼|こ園)",
    "elementary": "小",
    "secondary": f"(?:中|高){_CLASSES}",
    "hospital": f"(?:医大|大|市民|県民|日赤|赤十字|済生会|労災|厚生|共済|こども|総合|中央|医療|小児){_HOSPITAL}",
    "clinic": "(?:レディース|ウ[ィイ]メンズ|マタニティ|助産|産婦|[AC]L|Cl|アレクリ|レディクリ|こどもクリ|耳鼻|整骨)",
    "weak": "(?:クラブ|くらぶ|プラザ|ルーム|ハウス|ホーム|キッズ|ランド|ラボ|広場)",
    "garden": "園",
}
_SHORT_KIND = regex.compile("|".join(f"(?P<{name}>{expression})" for name, expression in _SHORT.items()))
# What only a nursery, a school or a clinic has: a proper name before it is one, if it is no town.
_CUED = quick(
    "に(?:通(?:って|わせ|い始|うこと)|入園|入所|入塾|転園|転院|入り浸)|で(?:産[んみ]|出産|分娩|おっぱい|ママ友)|"
    "の(?:[春夏秋冬]期講習|園庭開放|月謝|保育参観|母親学級|4Dエコー|並行通園|慣らし保育)"
)
_NUMBERED_SCHOOL = regex.compile("(?<![一-鿿第])[一二三四五六七八九]$")
_SCHOOL_CUE = regex.compile(_CLASSES)
_DIRECTION = regex.compile("[東西南北緑桜森泉旭栄光明港原谷宮堀橘柏梅松竹]")
# What must be followed by a particle or a mark.
_UNCUED = frozenset(("nursery", "elementary", "clinic", "weak", "garden"))
_NUMBER = regex.compile("第?[一二三四五六七八九]")

_WITHIN = regex.compile("[ァ-ヺー]{2}")
_LETTER = "ぁ-ゖァ-ヺー一-鿿々A-Za-z0-9"
_VOICED = "\u3099\u309a"
_MARK = r" ・*_/~|.…\-★☆♡♥♪\p{So}"
# A name spaced or dotted out, character by character.
_SPREAD = regex.compile(rf"[{_LETTER}](?P<mark>[{_MARK}。,、])[{_LETTER}](?:(?P=mark)[{_LETTER}{_VOICED}]){{1,40}}+")
# One mark in a name: さくら☆保育園, むとう 皮膚科.
_GAP = regex.compile(rf"(?<=[{_LETTER}])[{_MARK}]{{1,3}}+(?=[{_LETTER}])")

EXAMPLES = (
    Example("息子はひばりが丘保育園、今日うめもと小児科", ("ひばりが丘保育園", "うめもと小児科")),
    Example("横浜市立青葉小学校と市立第三小学校と西町小", ("横浜市立青葉小学校", "市立第三小学校", "西町小")),
    Example("聖マリア病院からABCインターナショナルスクールへ", ("聖マリア病院", "ABCインターナショナルスクール")),
    Example(
        "社会福祉法人架空会 第二みどり保育所と「つくし」という学童",
        ("社会福祉法人架空会 第二みどり保育所", "つくし」という学童"),
    ),
    Example("ひ ば り が 丘 塾、ほいくえんおひさま", ("ひ ば り が 丘 塾", "ほいくえんおひさま")),
    Example("認可保育園も近くの小児科も大学病院も夜間救急病院もいっぱい。うちの保育園の先生と公立小学校の話", ()),
    Example("企業主導型保育園か小規模保育園、かかりつけのクリニック、大きな総合病院、産婦人科と耳鼻科、前の園", ()),
)

_Span = tuple[int, int]


class FacilityRecognizer(LocalRecognizer):
    """Kinds of facility with a name before or after them."""

    def __init__(self) -> None:
        super().__init__(supported_entities=["FACILITY"], supported_language=LANGUAGE)

    def load(self) -> None:
        """Read the kinds."""
        _automaton()

    def analyze(self, text: str, entities: list[str], nlp_artifacts: Any = None) -> list[RecognizerResult]:
        """
        Find names of facilities.

        Returns:
            Spans in code points of `text`; they may overlap.

        Raises:
            TimeoutError: an expression took longer than `anonymizers.text.patterns.EXPRESSION_TIMEOUT_S`.
        """
        artifacts = read(text, nlp_artifacts)
        written = artifacts.normalised
        spans = {written.original(*span) for span in _found(written.text, lambda: artifacts.words)}
        spans.update(_found_closed_up(written))
        identity = {
            RecognizerResult.RECOGNIZER_NAME_KEY: self.name,
            RecognizerResult.RECOGNIZER_IDENTIFIER_KEY: self.id,
        }
        return [RecognizerResult("FACILITY", start, end, 0.8, None, identity) for start, end in sorted(spans)]


class _Kind(NamedTuple):
    """A kind of facility, where it stands in the text."""

    start: int
    """Where what narrows it begins."""
    end: int
    narrow: str
    """認定 of 認定こども園."""
    word: str
    """こども園."""
    group: str
    """nursery, school, clinic, care or lesson."""


@cache
def _groups() -> dict[str, str]:
    """The group of each kind."""
    return {word: group for group in GROUPS for word in LISTED[group]}


# 日本小児科学会, 歯科衛生士: a subject, and no place.
_NO_KIND = regex.compile("大学|学会|医学|医会|医師|医(?!院|療|大)|衛生士|技工|健診|検診|教諭|児(?!童)")


@cache
def _automaton() -> ahocorasick.Automaton:
    """Finds the longest of the kinds that begins first, in one pass over a text."""
    automaton = ahocorasick.Automaton(ahocorasick.STORE_INTS)
    for word in _groups():
        automaton.add_word(word, len(word))
    automaton.make_automaton()
    return automaton


def _kinds_in(text: str) -> list[_Kind]:
    """Every kind in a text, with what narrows it."""
    found = []
    for last, length in _automaton().iter_long(f"{text}\n"):  # without a last character it misses kinds at the end
        end = last + 1
        if _NO_KIND.match(text, end):
            continue
        start = _narrowed(text, end - length)
        word = text[end - length : end]
        found.append(_Kind(start, end, text[start : end - length], word, _groups()[word]))
    return found


def _narrowed(text: str, start: int) -> int:
    """Where what narrows a kind begins that begins at `start`; not in the middle of a word (パン of ラパン保育園)."""
    starts = [start]
    for _ in range(4):
        start -= next((n for n in range(min(8, start), 0, -1) if is_narrowing(text[start - n : start])), 0)
        starts.append(start)
    return next(at for at in reversed(starts) if at == starts[0] or not _WITHIN.match(text, at - 1))


def _found(text: str, read_words: Callable[[], Sequence[Word]]) -> list[_Span]:
    """Spans in a normalised text; its words are read if there is a kind in it."""
    kinds = _kinds_in(text)
    short = list(_SHORT_KIND.finditer(text))
    cued = list(_CUED.finditer(text))
    found = [match.span() for match in _LATIN_NAME.finditer(text)]
    if not kinds and not short and not cued:
        return found
    words = Words(text, read_words())
    named = [span for kind in kinds if (span := _named(text, words, kind))]
    # 認定こども園 もりのなか園: a kind right before a name is of it.
    before = {kind.end: kind.start for kind in kinds}
    found += [(before.get(start, start), end) for start, end in named]
    found += [span for match in short if (span := _abbreviated(text, words, match))]
    return found + [span for match in cued if (span := _called(text, words, match.start()))]


def _named(text: str, words: Words, kind: _Kind) -> _Span | None:
    """The name a kind is part of, with what follows it; None if it is a kind and no name."""
    if quoted := _before_quote(text, kind.start):
        return quoted, kind.end
    name = name_before(text, words, kind.start, lesson=_has_subject(kind))
    named = bool(name.strength) or (name.ordinal and kind.group in ("nursery", "school"))
    after = name_after(text, words, kind.end, named=named, branded=_is_branded(kind))
    if named:
        return _prefixed(text, name.start), after or branch(text, words, kind.end)
    if kind.group in ("nursery", "school") and (run := _RUN.search(text, max(0, kind.start - 12), kind.start)):
        return _prefixed(text, run.start(1)), after or kind.end
    if name.start == kind.start and kind.group == "clinic" and _is_public(text, kind):
        return _prefixed(text, kind.start), kind.end
    return (kind.start, after) if after and name.start == kind.start else None


def _is_branded(kind: _Kind) -> bool:
    """Whether names follow such a kind: 親子ひろばミモザ, キッズデンタル西原, 認定こども園エンゼル."""
    return bool(kind.narrow or kind.group in ("care", "lesson")) or kind.word in (
        "こども園",
        "ベビーホーム",
        "デンタル",
    )


def _has_subject(kind: _Kind) -> bool:
    """Whether an ordinary noun before a kind says what is taught there: ヨガ教室, but リズムランド音楽教室."""
    return not kind.narrow and kind.word in ("教室", "スクール", "道場", "学習室", "School", "スタジオ", "ラボ", "ゼミ")


def _is_public(text: str, kind: _Kind) -> bool:
    """県立こども医療センター: of such a one there is one in the prefecture."""
    before = kind.narrow.startswith(("県立", "都立", "府立", "道立", "国立")) or _PUBLIC.search(
        text, max(0, kind.start - 6), kind.start
    )
    return _ONE.search(kind.narrow + kind.word) is not None and bool(before)


def _abbreviated(text: str, words: Words, match: regex.Match[str]) -> _Span | None:
    """西町小, 三小, 若草保, つくし園: a kind cut short needs a proper name, or a number, before it."""
    at, sort = match.start(), match.lastgroup
    if at == 0 or (sort in _UNCUED and not followed(text, match.end())):
        return None
    school = sort in ("elementary", "secondary")
    if school and _NUMBERED_SCHOOL.search(text[max(0, at - 3) : at]):
        return at - 1, match.end()
    narrowed = _narrowed(text, at) if sort in ("clinic", "hospital") else at
    name = name_before(text, words, narrowed, lesson=sort == "garden")
    written = text[name.start : at]
    if not written or not (words.breaks(at) or (sort == "nursery" and written in LISTED["favourite"])):
        return None
    if sort in ("weak", "garden"):
        named = written in LISTED["favourite"] or _stands_at_town(words, match, written, name.start)
    elif school and _SCHOOL_CUE.match(text, match.end()) and _DIRECTION.fullmatch(written):
        named = True
    else:
        common = name.ordinal or sort == "hospital" or match[0] == "高"
        named = name.strength >= (COMMON if common and name.strength else PROPER) and len(written) > 1
        named = named and written[-1] not in "最極縮過弱"
        named = named or (name.ordinal and sort in ("nursery", "elementary"))
        named = named or (sort == "elementary" and _NUMBER.fullmatch(written) is not None)
        named = named or (school and _PUBLIC.search(text, max(0, at - 14), at) is not None)
        named = named or (sort == "hospital" and written.startswith(("県立", "都立", "府立", "国立", "市立")))
    return (_prefixed(text, name.start), match.end()) if named else None


def _stands_at_town(words: Words, match: regex.Match[str], written: str, start: int) -> bool:
    """Whether a town stands before what is a kind of much else: 若葉台プラザ, スマイルキッズ高砂園."""
    if match.lastgroup == "weak":
        return match[0] in ("プラザ", "ホーム", "キッズ") and is_place(written)
    last = words.before(match.start())
    return last is not None and "地名" in last.pos and len(last.text) > 1 and start < last.start


def _called(text: str, words: Words, end: int) -> _Span | None:
    """A name without a kind, before words that say what it is of; towns and people are not of that."""
    last = words.before(end)
    if last is None or not words.breaks(end) or "地名" in last.pos or "人名" in last.pos:
        return None
    name = name_before(text, words, end, lesson=False)
    written = text[name.start : end]
    return (name.start, end) if name.strength == PROPER and len(written) > 2 and not is_place(written) else None


def _before_quote(text: str, end: int) -> int | None:
    """Where a name in quotation marks begins that a kind follows: 「つくし」という保育園."""
    match = _QUOTED.search(text, max(0, end - 26), end)
    return None if match is None or regex.search("[。、!?]", match[1]) else match.start(1)


def _prefixed(text: str, start: int) -> int:
    """Where a name begins with the body that runs it: 横浜市立, 社会福祉法人○○会."""
    if match := _PUBLIC.search(text, max(0, start - 6), start):
        start = match.start()
        body = fold_place(text[max(0, start + 1 - LONGEST_PLACE) : start + 1])
        listed = places()
        for names in (listed.municipalities, listed.prefectures):
            start -= max(0, len(longest_before(body, len(body), names)) - 1)
            body = fold_place(text[max(0, start - LONGEST_PLACE) : start])
    for expression, reach in ((_BRANDS, 12), (_CORPORATION, 30)):
        if match := expression.search(text, max(0, start - reach), start):
            start = match.start()
    return start


def _found_closed_up(written: Normalised) -> list[_Span]:
    """Names with spaces or marks in them, as spans in the text as it was written."""
    text = written.text
    spread = {at for match in _SPREAD.finditer(text, timeout=timeout_s(text)) for at in _marks_of(match)}
    dropped = spread | {at for match in _GAP.finditer(text) for at in range(*match.span())}
    if not dropped:
        return []
    closed, places_of = _closed_up(text, dropped)
    found = [(places_of[a][0], places_of[b - 1][1], b - a) for a, b in _found(closed, lambda: tokenize(closed))]
    return [written.original(start, end) for start, end, letters in found if end - start > letters]


def _closed_up(text: str, dropped: Collection[int]) -> tuple[str, list[_Span]]:
    """The text without what is dropped, and where each of its letters was; テ゛ becomes one letter."""
    letters: list[str] = []
    places_of: list[_Span] = []
    for at, letter in enumerate(text):
        if at in dropped:
            continue
        if letters and letter in _VOICED and len(both := unicodedata.normalize("NFC", letters[-1] + letter)) == 1:
            letters[-1], places_of[-1] = both, (places_of[-1][0], at + 1)
        else:
            letters.append(letter)
            places_of.append((at, at + 1))
    return "".join(letters), places_of


def _marks_of(match: regex.Match[str]) -> Iterator[int]:
    return (at for at in range(*match.span()) if match.string[at] == match["mark"])


def recognizer() -> FacilityRecognizer:
    """Finds FACILITY; a kind of facility without a name is not one."""
    return FacilityRecognizer()
