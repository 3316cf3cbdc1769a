"""
Names of particular nurseries, schools, clinics and the like.

A word that says what kind of place it is (保育園, 小児科) is found first, with what merely narrows it (認定, こども).
The words before it decide: a name of a place or person, kana, katakana or a word the dictionary does not know makes
it a name (ひばりが丘保育園), a word that says which or what sort leaves it a kind (近くの小児科, 小規模保育園).
The words are in ``facility_words.csv``, written for this project from no other list.
"""

import csv
from collections.abc import Iterable, Sequence
from functools import cache
from importlib import resources
from typing import Any, NamedTuple

import regex
from presidio_analyzer import LocalRecognizer, RecognizerResult

from anonymizers.text.artifacts import TextArtifacts, read
from anonymizers.text.name_lists import reading
from anonymizers.text.normalisation import Normalised
from anonymizers.text.patterns import EXPRESSION_TIMEOUT_S, LANGUAGE, Example
from anonymizers.text.places import LONGEST_PLACE, fold_place, longest_before, places
from anonymizers.text.tokenizer import Word

_GROUPS = ("nursery", "school", "clinic", "care", "lesson")


def _read_words() -> dict[str, frozenset[str]]:
    """``facility_words.csv`` by the role of its words."""
    text = resources.files("anonymizers.text").joinpath("facility_words.csv").read_text(encoding="utf-8")
    by_role: dict[str, set[str]] = {}
    for row in csv.DictReader(text.splitlines()):
        by_role.setdefault(row["role"], set()).add(row["word"])
    return {role: frozenset(words) for role, words in by_role.items()}


_LISTED = _read_words()

# What narrows a kind and names nothing. Between a name and its kind it is passed over (遠藤こどもクリニック).
_NARROWING = _LISTED["narrowing"]

# Kinds that narrow no other: a name does not go on before one.
_HEADS = frozenset().union(*(_LISTED[group] for group in _GROUPS)) - _NARROWING

# Words that say which or what sort, or that stand before a kind by chance. They end a name, and are no part of it.
_ORDINARY = _LISTED["ordinary"]

# Short words of kana that are readings of names too, but are this far more often.
_FUNCTION = _LISTED["function"]

# Names kindergartens like, which the dictionary has as verbs or adverbs, or cuts up.
_FAVOURITE = _LISTED["favourite"]

# Words that a の joins to the one before into a name (星の子, 虹の森, こどもの国).
_JOINS = _LISTED["joining"]

# What a place may have behind its name, before the kind: 高津区役所前保育園.
_LANDMARKS = _LISTED["landmark"]

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
    "(?:公文式?|くもん|学研|KUMON|ヤマハ|カワイ|(?:幼保連携型)?認定こども園|(?:認可|認証)保育[園所]|グローバル) ?$"
)
_SHORT = regex.compile(
    "小(?=$|[はがをにでのとへも、。,.!!??\\s」』)]|から|まで|って|だ|です|校区|学区|出身|PTA|[0-9]年)"
)
_SHORT_CUED = regex.compile(
    "(?:中|高)(?=校区|学区|出身|受験|に(?:入学|進学|合格|受|通|行)|合格|[0-9]年|の(?:制服|校区|学区|生徒|[0-9]年)|への)"
)
_ENCLOSURE = regex.compile("園(?=$|[はがをにでのとへも、。,.!!??\\s」』)]|から|まで|って|だ|です)")
# Surnames of one character: before a clinic and after no other kanji they are its doctor's.
_SURNAMES = frozenset(
    "森林原東南西北城谷辻堀岡関菅堤星畑乾泉島嶋沢澤岸宮滝柳榊椿桂桜梶楠橘浜濱湊潮瀬牧窪笹篠脇芝荻菊萩葛葵藤鎌"
    "境鶴鷹平金李朴崔趙"
)
_SEPARATORS = frozenset(" ★☆・♪♡♥")
_KANA = regex.compile("[ぁ-ゖー]+")
_KANA_AFTER = regex.compile("[ぁ-ゖー]{3,6}")
_KANA_BEFORE = regex.compile("[ぁ-ゖー]{2,10}$")
_KATAKANA = regex.compile("[ァ-ヺー]{2,}")
_LATIN = regex.compile("[A-Za-z][A-Za-z'&.]+|[A-Z]")
_TWICE = regex.compile("([ぁ-ゖ]{2})\\1")
_ORDINAL = regex.compile("第 ?[0-9一二三四五六七八九十]{1,3}$")
# A name spaced or dotted out, character by character.
_SPREAD = regex.compile("[ぁ-ゖァ-ヺー一-鿿](?:[ ・*★☆♡♥.,_/-][ぁ-ゖァ-ヺー一-鿿]){2,40}+")
_AFTER = regex.compile("[はがをにでのとへも、。,.!!??\\s」』)(]|から|まで|って|です|だ|$")
_NUMBERED = regex.compile("(?: ?第[一二三四五六七八九0-9])?(?:分園|本園|分院|本院|分校|分室|本校)?")
_BRANCH = regex.compile("(?:駅前)?(?:校|園|院|教室|店|分園)?")
_LATIN_NAME = regex.compile(
    "(?<![A-Za-z])[A-Z][A-Za-z']{1,15}+(?: [A-Z][A-Za-z']{1,15}+){0,3}? (?:International School|School|"
    "Preschool|Kindergarten|Nursery|Clinic|Hospital|"
    "Academy|Garden)(?![A-Za-z])"
)
_QUOTED = regex.compile('[「『"“]([^「」『』"“”\\n]{1,16})[」』"”](?:って?(?:いう|ゆう)?|という)?(?:名前の)?$')

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


class _Word(NamedTuple):
    """A word of the text and what speaks for its being a name."""

    text: str
    start: int
    end: int
    pos: tuple[str, ...]
    unknown: bool


class FacilityRecognizer(LocalRecognizer):
    """Kinds of facility with a name before them."""

    def __init__(self) -> None:
        super().__init__(supported_entities=["FACILITY"], supported_language=LANGUAGE)

    def load(self) -> None:
        """Compile the kinds."""
        _, self._needed = _expressions()

    def analyze(self, text: str, entities: list[str], nlp_artifacts: Any = None) -> list[RecognizerResult]:
        """
        Find names of facilities.

        Returns:
            Spans in code points of `text`; they may overlap.

        Raises:
            TimeoutError: an expression took longer than `anonymizers.text.patterns.EXPRESSION_TIMEOUT_S`.
        """
        artifacts = read(text, nlp_artifacts)
        reading_ = artifacts.normalised
        spans: list[tuple[int, int]] = []
        if self._needed.search(reading_.text):
            spans += [reading_.original(*span) for span in _found(artifacts)]
        spans += _spread(reading_, self._needed)
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
def _expressions() -> tuple[regex.Pattern[str], regex.Pattern[str]]:
    """
    The expression for a kind, and one without which nothing is found.

    An alternation of words, longest first, looked for only where one may begin: linear.
    """
    named = "|".join(f"(?P<{name}>{_either(words)})" for name, words in ((group, _LISTED[group]) for group in _GROUPS))
    firsts = "".join(sorted({word[0] for group in _GROUPS for word in _LISTED[group]}))
    # 日本小児科学会, 歯科衛生士: a subject, and no place.
    kind = regex.compile(
        f"(?=[{firsts}])(?:{named})(?!大学|学会|医学|医会|医師|医(?!院|療)|衛生士|技工|健診|検診|教諭|児)"
    )
    return kind, regex.compile(
        "[園校院所科館塾室小中高舎部場]|学童|センター|クリニック|スクール|クラブ|ナーサリー|ルーム|アカデミー|"
        "ゼミ|サロン|えん|広場|ひろば|の家|"
        "サービス|[a-z]{4}"
    )


def _kinds_in(text: str) -> list[_Kind]:
    """Every kind in a text, with what narrows it."""
    found = []
    for match in _expressions()[0].finditer(text, timeout=EXPRESSION_TIMEOUT_S):
        start = match.start()
        for _ in range(4):
            start -= next((n for n in range(8, 0, -1) if n <= start and text[start - n : start] in _NARROWING), 0)
        found.append(_Kind(start, match.end(), text[start : match.start()], match[0], match.lastgroup or ""))
    return found


def _either(words: Iterable[str]) -> str:
    return "|".join(sorted(map(regex.escape, words), key=len, reverse=True))


def _found(artifacts: TextArtifacts) -> list[tuple[int, int]]:
    """Spans in the normalised text."""
    text = artifacts.normalised.text
    kinds = _kinds_in(text)
    short = [m for pattern in (_SHORT, _SHORT_CUED, _ENCLOSURE) for m in pattern.finditer(text)]
    found = [match.span() for match in _LATIN_NAME.finditer(text)]
    if not kinds and not short:
        return found
    words = _Words(text, artifacts.words)
    found += [span for kind in kinds if (span := _named(text, words, kind))]
    return found + [span for match in short if (span := _abbreviated(text, words, match))]


def _named(text: str, words: "_Words", kind: _Kind) -> tuple[int, int] | None:
    """The name a kind is part of, with what follows it; None if it is a kind and no name."""
    if quoted := _before_quote(text, kind.start):
        return quoted, kind.end
    lesson = kind.word in ("教室", "スクール", "道場", "学習室", "School") and "スイミング" not in kind.narrow
    name = _name_before(text, words, kind.start, lesson=lesson)
    after = _named_after(text, words, kind)
    if name.surely or (name.ordinal and kind.group in ("nursery", "school")):
        return _prefixed(text, name.start), after or _branch(text, words, kind.end)
    if kind.group in ("nursery", "school") and (run := _RUN.search(text, max(0, kind.start - 12), kind.start)):
        return _prefixed(text, run.start(1)), after or kind.end
    if name.start == kind.start and kind.group == "clinic" and _is_public(text, kind):
        return _prefixed(text, kind.start), kind.end
    return (kind.start, after) if after and name.start == kind.start else None


def _is_public(text: str, kind: _Kind) -> bool:
    """県立こども医療センター: of such a one there is one in the prefecture."""
    one = regex.search("こども|子ども|小児|母子|周産期|成育|療育|がん", kind.narrow + kind.word)
    before = kind.narrow.startswith(("県立", "都立", "府立", "道立", "国立")) or _PUBLIC.search(
        text, max(0, kind.start - 6), kind.start
    )
    return one is not None and bool(before)


def _abbreviated(text: str, words: "_Words", match: regex.Match[str]) -> tuple[int, int] | None:
    """西町小, 三小, つくし園: one character for the kind needs a place, a number or a favourite name before it."""
    at = match.start()
    if at == 0:
        return None
    if match[0] == "小" and regex.search("(?<![一-鿿第])[一二三四五六七八九]$", text[max(0, at - 3) : at]):
        return at - 1, match.end()
    if not words.breaks(at):
        return None
    public = _PUBLIC.search(text, max(0, at - 14), at) is not None
    name = _name_before(text, words, at, lesson=True)
    written = text[name.start : at]
    if match[0] == "園":
        last = words.before(at)
        listed = last is not None and "地名" in last.pos and len(last.text) > 1 and name.start < last.start
        return (_prefixed(text, name.start), match.end()) if written in _FAVOURITE or listed else None
    number = regex.fullmatch("第?[一二三四五六七八九]", written)
    if (
        (name.surely and (len(written) > 1 and written[-1] not in "最極縮過弱"))
        or (number and match[0] == "小")
        or (public and written)
    ):
        return _prefixed(text, name.start), match.end()
    return None


class _Name(NamedTuple):
    """What stands before a kind."""

    start: int
    surely: bool
    """It is a proper name."""
    ordinal: bool
    """It ends with 第二: of schools and nurseries that is a name."""


class _Words:
    """The words of a text by where they end."""

    def __init__(self, text: str, words: Sequence[Word]) -> None:
        self._text = text
        self._by_end: dict[int, _Word] = {}
        self._starts: set[int] = set()
        for word in words:
            self._by_end[word.end] = _Word(word.text, word.start, word.end, word.pos, not word.known)
            self._starts.add(word.start)

    def breaks(self, at: int) -> bool:
        """Whether a word begins at `at`."""
        return at in self._starts

    def before(self, at: int) -> _Word | None:
        """The word that ends at `at`; the part of one that `at` is in the middle of counts as unknown."""
        if at in self._by_end:
            return self._by_end[at]
        if at <= 0:
            return None
        for end in range(at + 1, min(len(self._text), at + 12) + 1):
            if (word := self._by_end.get(end)) and word.start < at:
                return _Word(self._text[word.start : at], word.start, at, word.pos, False)
        return None

    def after(self, at: int) -> _Word | None:
        """The word that begins at `at`."""
        for end in range(at + 1, min(len(self._text), at + 16) + 1):
            if (word := self._by_end.get(end)) and word.start == at:
                return word
        return None


def _name_before(text: str, words: _Words, end: int, *, lesson: bool) -> _Name:
    """
    Walk back over the words before a kind while they may be of its name.

    Args:
        text: The normalised text.
        words: Its words.
        end: Where the kind begins.
        lesson: Whether the kind is one of which ordinary katakana says the subject (ヨガ教室).
    """
    at, surely, ordinal, pieces = end, False, False, 0
    while at > max(0, end - 24):
        gap = at - 1 if text[at - 1] in _SEPARATORS else at
        if gap < at and (gap == 0 or not _may_cross(words.before(gap), text[gap], at == end or surely or ordinal)):
            break
        if (kana := _kana_name(text, words, gap)) is not None:
            at, surely = kana, True
            continue
        word = words.before(gap)
        if word is None:
            break
        if word.text in "のがつヶケ" and at < end and _joined(words.before(word.start), text[at:end]):
            before = words.before(word.start)
            at, surely = before.start, True
            continue
        if word.text in _JOINS and text[word.start - 1 : word.start] in ("の", "が", "ヶ", "ケ", "つ"):
            before = words.before(word.start - 1)
            if _joined(before, word.text):
                at, surely = before.start, True
                continue
        if word.text in _SURNAMES and gap == end and not lesson and _begins(words.before(word.start)):
            return _Name(word.start, True, False)
        weight = _weight(word, text, lesson)
        if _ends_ordinal(text, gap) and word.text.startswith("第"):
            weight = 0
        if word.text in _LANDMARKS and _stands_at_place(words, word):
            weight = 0
        if weight < 0 or (gap < at and text[gap] == " " and weight == 0):
            break
        ordinal = ordinal or (at == end and _ends_ordinal(text, gap))
        pieces += len(word.text) == 1 and word.pos[0] == "名詞" and weight == 0
        # A name the dictionary does not have falls to pieces of one character each: 明 + 愛.
        at, surely = word.start, surely or weight > 0 or (pieces > 1 and gap - word.start == 1)
    if not surely and at < end:
        surely = _is_place(text[at:end])
        window = fold_place(text[max(0, end - LONGEST_PLACE) : end])
        town = longest_before(window, len(window), places().towns)
        if (
            not surely
            and len(town) > 1
            and end - len(town) > at
            and words.breaks(end - len(town))
            and town not in _ORDINARY
        ):
            at, surely = end - len(town), True
    return _Name(at, surely, ordinal)


def _begins(before: _Word | None) -> bool:
    """Whether what stands before a word is no part of its compound."""
    return before is None or before.pos[0] in ("助詞", "補助記号", "空白", "助動詞") or before.text in _ORDINARY


def _ends_ordinal(text: str, end: int) -> bool:
    return _ORDINAL.search(text, max(0, end - 5), end) is not None


def _stands_at_place(words: _Words, word: _Word) -> bool:
    """Whether a landmark or two have the name of a place before them."""
    for _ in range(3):
        before = words.before(word.start)
        if before is None or before.text not in _LANDMARKS:
            return before is not None and ("地名" in before.pos or _is_place(before.text))
        word = before
    return False


def _joined(before: _Word | None, name: str) -> bool:
    """Whether の between a word and the name so far is part of the name: 星の子 but not 近所の森."""
    if before is None or before.text in _ORDINARY or before.pos[0] not in ("名詞", "接尾辞") or len(before.text) > 4:
        return False
    return any(name.startswith(joins) for joins in _JOINS)


def _may_cross(word: _Word | None, mark: str, begins: bool) -> bool:
    """Whether a name goes on before a space: "若葉台 第二小", but not "山田です 保育園"."""
    if word is None or not begins or word.text in _ORDINARY:
        return False
    if mark != " " and word.pos[0] == "名詞":
        return True
    return (
        "固有名詞" in word.pos
        or word.unknown
        or word.text in _FAVOURITE
        or _is_place(word.text)
        or bool(_LATIN.fullmatch(word.text))
    )


def _kana_name(text: str, words: _Words, end: int) -> int | None:
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
        if kana[-1] == "の" and (last := words.before(end)) and last.text == "の":
            continue
        known = reading(kana) if length > 2 else None
        if known and known.surname > 1 and _begins_name(words, start, run[0][:-length]):
            return start
    return None


def _begins_name(words: _Words, start: int, before: str) -> bool:
    """Whether a surname in kana begins here: where a word does, or after a particle."""
    return (
        words.breaks(start)
        if not before
        else before.endswith(("は", "が", "を", "に", "で", "の", "も", "と", "や", "へ", "って", "から", "てる"))
    )


def _is_place(name: str) -> bool:
    """Whether a name is a town's or a municipality's."""
    folded = fold_place(name)
    listed = places()
    return (
        len(name) > 1
        and name not in _ORDINARY
        and (folded in listed.towns or folded in listed.stems or folded in listed.municipalities)
    )


def _weight(word: _Word, text: str, lesson: bool) -> int:
    """1 if a word makes a name, 0 if it may be of one, -1 if it ends the walk."""
    surface, major, middle = word.text, word.pos[0], word.pos[1]
    if (
        surface in _ORDINARY
        or surface in _FUNCTION
        or surface in _HEADS
        or surface.isspace()
        or surface == "立"
        or surface.endswith(("市立", "県立", "町立", "区立", "村立", "都立", "府立", "道立", "国立", "公立", "私立"))
    ):
        return -1
    if _TWICE.fullmatch(surface) or surface in _FAVOURITE:
        return 1
    if _KATAKANA.fullmatch(surface) and len(surface) > 2 and not lesson and surface not in _NARROWING:
        return 1
    if major in (
        "助詞",
        "助動詞",
        "動詞",
        "形容詞",
        "副詞",
        "連体詞",
        "代名詞",
        "感動詞",
        "接続詞",
        "補助記号",
        "空白",
        "形状詞",
    ):
        return 1 if word.unknown and major != "補助記号" else -1
    if surface in _NARROWING:
        return 0
    if middle == "固有名詞":
        return 1
    if _LATIN.fullmatch(surface):
        return 1 if len(surface) > 1 else 0
    if major == "接尾辞":
        return 0
    if major == "接頭辞":
        return -1 if surface in ("お", "ご", "御", "各", "全", "毎", "超", "元", "前", "某", "同", "当", "本") else 0
    if middle == "数詞":
        return 0
    if _KATAKANA.fullmatch(surface):
        return (
            1
            if word.unknown or not lesson or text.startswith(("塾", "進学塾", "ゼミ", "学習塾", "予備校"), word.end)
            else 0
        )
    if _KANA.fullmatch(surface):
        return 1 if len(surface) > 1 else -1
    if word.unknown or (_is_place(surface) and not lesson):
        return 1
    if word.pos[2] in ("副詞可能", "助数詞可能", "サ変可能", "形状詞可能", "サ変形状詞可能") and len(surface) > 1:
        return -1
    return 0


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


def _branch(text: str, words: _Words, end: int) -> int:
    """The end of a name with what follows its kind: 第一, 中野, 青葉校, 分園."""
    end = _NUMBERED.match(text, end).end()
    word = words.after(end)
    if word and "地名" in word.pos and word.text not in _ORDINARY:
        reach = _BRANCH.match(text, word.end).end()
        if _AFTER.match(text, reach):
            return reach
    return end


def _named_after(text: str, words: _Words, kind: _Kind) -> int | None:
    """Where a name ends that follows its kind: ほいくえんおひさま, 放課後クラブ・ピース, キッズクリニック鎌倉."""
    if kind.group == "lesson":
        return None
    dotted = text[kind.end : kind.end + 1] == "・"
    start = kind.end + dotted
    if kana := _KANA_AFTER.match(text, start):
        for length in range(len(kana[0]), 2, -1):
            if kana[0][:length] in _FAVOURITE or _TWICE.fullmatch(kana[0][:length]):
                return start + length if _AFTER.match(text, start + length) else None
    word = words.after(start)
    if word is None or word.text in _ORDINARY or word.pos[0] != "名詞" or not _AFTER.match(text, word.end):
        return None
    if _KATAKANA.fullmatch(word.text) and (dotted or word.unknown):
        return word.end
    branded = regex.search(
        "キッズ|ベビー|レディース|マタニティ|ファミリー|こども|ウィメンズ|ナーサリー", kind.narrow + kind.word
    )
    return word.end if branded and "地名" in word.pos else None


def _spread(text: Normalised, needed: regex.Pattern[str]) -> list[tuple[int, int]]:
    """Names written with something between all their characters, as spans in the text as it was written."""
    spread = list(_SPREAD.finditer(text.text, timeout=EXPRESSION_TIMEOUT_S))
    if not spread:
        return []
    dropped = {at for match in spread for at in range(match.start() + 1, match.end(), 2)}
    kept = [at for at in range(len(text.text)) if at not in dropped]
    squeezed = "".join([text.text[at] for at in kept])
    if not needed.search(squeezed):
        return []
    found = _found(TextArtifacts(squeezed))
    return [
        text.original(kept[start], kept[end - 1] + 1)
        for start, end in found
        if kept[end - 1] - kept[start] > end - 1 - start
    ]


def recognizer() -> FacilityRecognizer:
    """Finds FACILITY; a kind of facility without a name is not one."""
    return FacilityRecognizer()
