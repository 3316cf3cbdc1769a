"""
What every recogniser file is made of: a Presidio recogniser that reports a part of its match, and examples.

Presidio's own `PatternRecognizer` reports the whole match, so words that only point at a value
("口座番号は") would be redacted with it; and when an expression runs out of time it logs and carries on,
which here would let the text through. Both are changed, the rest is Presidio's.
"""

import itertools
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import regex
from presidio_analyzer import Pattern, PatternRecognizer, RecognizerResult

from anonymizers.text.artifacts import read
from anonymizers.text.expressions import quick

LANGUAGE = "ja"

EXPRESSION_TIMEOUT_S = 20.0
"""Far beyond what a linear expression takes on the longest text, even on a loaded machine: reaching it
drops the posting, and that must not depend on what else the machine is doing."""

UNTIMED = 200
"""
Code points up to which a text is searched without a clock, which costs three times what the search does.

Tests hold every expression to linear time on texts some sixty times as long (`make faults`: 80 to 250), and all of
them together to half a second on so few.
"""


def timeout_s(text: str) -> float | None:
    """How long an expression of `regex` may search a text, in seconds; None where nobody has to look at the clock."""
    return EXPRESSION_TIMEOUT_S if len(text) > UNTIMED else None


SEPARATOR = r"[-. ()/・]{0,3}"
"""What people write between the groups of a number, after normalisation. Never a line break."""

_EMOJI = "\u2600-\u26ff\u2700-\u2775\u2794-\u27bf\U0001f300-\U0001faff"
_BETWEEN = rf"[-. /・_~〜の★☆*,、♪♡♥●◆■▲▼◇⭐{_EMOJI}]{{0,3}}+"

# What a count of something has behind it, and a price or a measure before it.
NOT_COUNTED = (
    r"(?! ?(?:[0-9]|[.,:][0-9]|-[0-9]|円|年|月|日|人|名(?!義)|歳|才|回|個|番(?!号)|枚|本(?!人|店|名)|件|冊|匹|台|部|"
    r"点|位|倍|度|時|"
    r"分(?!か)|秒|歩|万|千|億|割|ヶ月|か月|ページ|号室|番地|階|ポイント|グラム|キロ|[A-Za-z%]))"
)
"""An expression, without width, that what follows is no counter or unit."""


_TELEPHONE_BEFORE = regex.compile(r"(?i)(?:電話|でんわ|デンワ|携帯|TEL|FAX|☎|📞)[^0-9\n]{0,8}$")
_DATE_LIKE = regex.compile(r"(?:19|20)[0-9]{2}[-./ ]?(?:0?[1-9]|1[0-2])[-./ ][0-9]{1,2}(?:[-./ ]|$)")

# Numbers people also write, which are no person's: a number by form alone beside one of these is left.
_OTHERS = (
    r"(?:伝票|追跡|問い?合わ?せ番号|お問合|注文|オーダー|受注|予約|受付|会員|JAN|ISBN|バーコード|型番|品番|製品|"
    r"シリアル|製造|ロット|管理番号|"
    r"整理番号|荷物|クーポン|商品|診察券|レシート|抽選|当選|宝くじ|申込|申し込み|契約番号|お客様|顧客|配送|配達|"
    r"発送|ゆうパック|レターパック|"
    r"クリックポスト|ネコポス|宅急便|ヤマト|佐川|図書|出荷|送り状|取引|決済|領収|承認|認証|確認番号|ギフト|"
    r"プロモーション|シリーズ|残高|価格|定価|受験|座席|製番|型式|お買い?上げ|保証書|IMEI|便名|整理券|番号札|背番号|"
    r"ポイントカード)"
)
_BEFORE_OTHER = regex.compile(rf"(?i){_OTHERS}[^。\n!?]{{0,10}}$")
_AFTER_OTHER = regex.compile(rf"(?i)^[^0-9。\n!?]{{0,8}}{_OTHERS}")


PRODUCT = (
    r"(?!@?(?:iPhone|iPad|iOS|iPod|Android|Galaxy|Xperia|Pixel|AQUOS|Windows|Word|Excel|Wi-?Fi|e-?mail|Type-?C|"
    r"USB|PS[2-5]|Switch|Xbox|HDMI|DVD|QR|"
    r"COVID|PM2|MacBook|Apple|Google|Amazon|Kindle|Fire|Echo|T-?shirt|B-?CAS|e?SIM|ver|Bluetooth|https?|www\.|"
    r"line\.me|Pay|AirPods|[0-9.]+(?:GB|MB|TB|ml|cm|mm|kg|km|G|K))(?![a-z]))"
)
"""An expression, without width, that what follows is no device, program or measure: those are written like accounts."""


def at_least(count: int) -> str:
    """An expression for so many digits, however they are grouped: what a text needs to have a number that long."""
    return rf"[0-9](?:\n?{_BETWEEN}[0-9]){{{count - 1}}}"


def run(shortest: int, longest: int | None = None) -> str:
    """An expression for a number of so many digits (`longest` is `shortest` where not given), in any grouping."""
    return rf"[0-9](?:{_BETWEEN}[0-9]){{{shortest - 1},{(longest or shortest) - 1}}}+(?!-?[0-9])"


def gap(longest: int = 12) -> str:
    """
    An expression for what stands between a word and its value: no digit, and one line break at most.

    A sentence may end there if the next says 番号 ("免許をなくした。番号は…").
    """
    end = r"[。!?][^0-9\n。!?]{0,6}番号[はが: ]{0,3}+|[。!?][^0-9\n。!?]{0,2}+|\n?[^0-9\n。!?]{0,4}+"
    return rf"[^0-9\n。!?]{{0,{longest}}}+(?:[0-9]{{1,2}}桁[^0-9\n。!?]{{0,8}}+)?(?:{end})"


_OPENS, _CLOSES = r"[(\[【「『{<]", r"[)\]】」』}>]"

IN_BRACKETS = rf"[0-9] ?{_CLOSES} ?-? ?{_OPENS}?[0-9]|[0-9] ?{_OPENS} ?[0-9]"
"""What a text needs to have a number with a group of it in brackets."""


def bracketed(word: str, count: int, longest: int = 16) -> str:
    """An expression for a number of so many digits, a group of it in brackets, that stands after a word."""
    group = rf"{_OPENS} ?[0-9](?:[- ]?[0-9]){{0,9}} ?{_CLOSES}"
    return (
        rf"{word}[^0-9\n。!?(\[【「『{{<]{{0,{longest}}}+(?P<cued>"
        rf"(?={group} ?-? ?{_OPENS}?[0-9]|[0-9][0-9 -]{{0,10}}{group})"
        rf"{_OPENS}? ?[0-9](?:[- ]?{_CLOSES}?[- ]?{_OPENS}?[0-9]){{{count - 1}}}(?:"
        rf"(?<={_OPENS}[0-9]{{1,8}}){_CLOSES})?)"
        rf"(?![-)]?[0-9]|円)"
    )


_CALLED = (
    "エー エイ ビー シー ディー デー イー エフ ジー エイチ エッチ アイ ジェー ジェイ ケー ケイ エル エム エヌ オー "
    "ピー キュー アール エス ティー テー ユー ブイ ヴイ ダブリュー エックス ワイ ゼット ゼッド"
)
LETTER_CALLED = (
    "(?:"
    + "|".join((_CALLED + " " + "".join(chr(ord(c) - 0x60) if "ァ" <= c <= "ヶ" else c for c in _CALLED)).split())
    + ")"
)
"""An expression for a letter written as it is called: "ティー"."""


def before(word: str, longest: int = 12) -> str:
    """An expression, without width, for a word that stands after a value: at most so many characters on."""
    return rf"(?=[^0-9\n。、]{{0,{longest}}}{word}|、(?:これ|それ|って|が)[^0-9\n。、]{{0,10}}{word})"


def around(match: "regex.Match[str]", reach: int = 100) -> str:
    """The text about a match, so many code points to each side: what a long text says elsewhere costs nothing."""
    return match.string[max(0, match.start() - reach) : match.end() + reach]


def is_of_something_else(match: "regex.Match[str]") -> bool:
    """Whether words around a number say it is a parcel's, an order's or the like."""
    start, end = match.span(match.lastgroup)
    before, after = match.string[max(0, start - 24) : start], match.string[end : end + 16]
    return bool(_BEFORE_OTHER.search(before) or _AFTER_OTHER.search(after))


def near(name: str, count: int, longest: int | None = None) -> Pattern:
    """
    A number of so many digits that counts where one of the recogniser's words is near it, in any order.

    Without `longest`, one digit more or less from ten on: somebody mistyped, or a particle was read as a digit.
    """
    shortest, most = (count, longest or count) if longest or count < 10 else (count - 1, count + 1)
    number = rf"(?!0[5-9]0[- ]?[0-9]{{4}}[- ]?[0-9]{{4}}(?![0-9])){run(shortest, most)}"
    if count >= 10 and not longest:  # long enough to be told where a line ends in it
        number = number.replace(_BETWEEN, rf"\n?{_BETWEEN}")
    return beside(name, rf"(?<![0-9A-Za-z¥$#.,])(?<![0-9][-./ ])(?P<near>{number}){NOT_COUNTED}")


class Example(NamedTuple):
    """A worked example of a recogniser: every recogniser file has some, and one that finds nothing."""

    text: str
    """A posting, invented."""

    found: tuple[str, ...]
    """The parts of `text` this recogniser finds, in order; empty for an example of what it must leave."""

    names: tuple[str, ...] = ()
    """Names known to the site for the author."""


class CuedPatternRecognizer(PatternRecognizer):
    """
    A `PatternRecognizer` that reports the group ``value`` or ``cued`` of its patterns, not the whole match.

    ``value`` has nothing but its form to speak for it and goes through `validate_result`; ``cued`` stands
    beside a word that says what it is, and a mistyped card number beside "カード番号" is still to be redacted;
    ``near`` has such a word near it, before or behind, with other words between.
    Runs out of time by raising `TimeoutError`: the caller drops the text.
    """

    reach = 40, 26
    """How far, in code points, the word that says what a number is may stand from it: about a line of a posting."""

    def __init__(self, entity: str, *patterns: Pattern, needs: str = "[0-9]", words: str = "", near: str = "") -> None:
        """
        Make a recogniser.

        Args:
            entity: Its label.
            patterns: From `form` and `cue`.
            needs: An expression without which no pattern can match; most postings are passed over by it.
            words: Another, for what stands beside a value.
            near: Another, for a word near a ``near`` group.
        """
        super().__init__(supported_entity=entity, supported_language=LANGUAGE, patterns=list(patterns))
        self._needed, self._words = (
            regex.compile(gate) if gate.startswith("(?i)") else quick(gate) for gate in (needs, words)
        )
        self._near = regex.compile(f"(?i){near}")
        self._expressions = [
            (_Finder(places), [(_compiled(pattern.regex), pattern.score) for pattern in together])
            for places, together in itertools.groupby(patterns, key=lambda p: getattr(p, "places", _ANYWHERE))
        ]

    def analyze(
        self, text: str, entities: list[str], nlp_artifacts: Any = None, regex_flags: int | None = None
    ) -> list[RecognizerResult]:
        """
        Find this recogniser's entity.

        Args:
            text: As it was written; its unmasked reading is searched.
            entities: Not read; the recogniser has one entity.
            nlp_artifacts: From `anonymizers.text.engine.JapaneseNlpEngine`, or any other, which is passed over.
            regex_flags: Not read; an expression says itself what it ignores.

        Returns:
            Spans of ``value`` and ``cued`` groups, in code points of `text`; they may overlap.
            No explanation is attached, since it would be thrown away.

        Raises:
            TimeoutError: an expression took longer than `EXPRESSION_TIMEOUT_S`.
        """
        reading = read(text, nlp_artifacts).unmasked
        if not self._needed.search(reading.text) or not self._words.search(reading.text):
            return []
        return [
            self.result(*reading.original(*span), score)
            for finder, expressions in self._expressions
            if (begins := finder.places(reading.text)) != []
            for expression, score in expressions
            for match in _matches(expression, reading.text, begins)
            if (self.is_near(match) if match.lastgroup == "near" else self.accepts(match))
            for span in match.spans(match.lastgroup)
        ]

    def is_near(self, match: "regex.Match[str]") -> bool:
        """Whether a word near a number says what it is, and none beside it that it is something else."""
        if not self.has_word_near(match) or _DATE_LIKE.match(match["near"]) or is_of_something_else(match):
            return False
        start = match.start("near")
        return self.supported_entities == ["PHONE"] or not _TELEPHONE_BEFORE.search(
            match.string[max(0, start - 16) : start]
        )

    def has_word_near(self, match: "regex.Match[str]") -> bool:
        """Whether one of the recogniser's words is before or behind the match, about a line away at most."""
        start, end = match.span("near")
        back, on = self.reach
        sides = match.string[max(0, start - back) : start], match.string[end : end + on]
        return any(self._near.search(side) for side in sides)

    def accepts(self, match: "regex.Match[str]") -> bool:
        """Whether a match counts: a value beside its word does, one by form alone as `validate_result` says."""
        return match.lastgroup == "cued" or self.validate_result(match["value"]) is not False

    def result(self, start: int, end: int, score: float) -> RecognizerResult:
        """A Presidio result of this recogniser for one span."""
        identity = {
            RecognizerResult.RECOGNIZER_NAME_KEY: self.name,
            RecognizerResult.RECOGNIZER_IDENTIFIER_KEY: self.id,
        }
        return RecognizerResult(self.supported_entities[0], start, end, score, None, identity)


class UnlessSomethingElse(CuedPatternRecognizer):
    """A `CuedPatternRecognizer` that leaves a value beside a word for something else, such as a parcel's number."""

    def accepts(self, match: "regex.Match[str]") -> bool:
        """Whether a word names it, or its form and check digit fit and no word says it is something else."""
        return super().accepts(match) and (match.lastgroup == "cued" or not is_of_something_else(match))


def _compiled(expression: str) -> regex.Pattern[str]:
    """Compile one expression; it must name exactly one group, so that what it reports is never a guess."""
    compiled = regex.compile(expression)
    if compiled.groups != 1 or not compiled.groupindex.keys() <= {"value", "cued", "near"}:
        raise ValueError("an expression has exactly one group, named value, cued or near")
    return compiled


class Places(NamedTuple):
    """Where patterns may begin. Those with the same places, one after the other, share the search for them."""

    begins: str
    """An expression for `re` that matches wherever they may, and as few other places as is quick to say."""

    opening: str = ""
    """An expression that matches whatever they may begin with, for many patterns that begin alike."""


_ANYWHERE = Places("")


class _Finder:
    """Finds where patterns may begin."""

    def __init__(self, places: Places) -> None:
        self._begins = quick(f"(?={places.begins})") if places.begins else None
        self._opening = regex.compile(places.opening) if places.opening else None

    def places(self, text: str) -> list[int] | None:
        """The places in a text; None for anywhere."""
        if self._begins is None:
            return None
        places = [match.start() for match in self._begins.finditer(text)]
        if self._opening is None:
            return places
        timeout = timeout_s(text)
        return [place for place in places if self._opening.match(text, place, timeout=timeout)]


class _Beginning(Pattern):
    """A pattern of which it is known where it may begin."""

    def __init__(self, name: str, expression: str, score: float, begins: str | Places) -> None:
        super().__init__(name, expression, score)
        self.places = begins if isinstance(begins, Places) else Places(begins)


def form(name: str, expression: str, begins: str | Places = "") -> Pattern:
    """A pattern that its form alone makes likely; `begins` as `cue`."""
    return _Beginning(name, expression, 0.6, begins)


def cue(name: str, expression: str, begins: str | Places = "") -> Pattern:
    """
    A pattern that stands beside a word saying what it is; it wins over a form of the same length.

    `begins` says where it may begin, as `Places` or the first of them.
    """
    return _Beginning(name, expression, 0.9, begins)


def beside(name: str, expression: str, begins: str | Places = "") -> Pattern:
    """A pattern that counts where one of its recogniser's words is near, in any order; `begins` as `cue`."""
    return _Beginning(name, expression, 0.7, begins)


def _matches(expression: "regex.Pattern[str]", text: str, places: Sequence[int] | None) -> Iterator["regex.Match[str]"]:
    """What ``finditer`` finds, by looking only at the places where a match may begin; at all if they are None."""
    timeout = timeout_s(text)
    if places is None:
        yield from expression.finditer(text, timeout=timeout)
        return
    reach = 0
    for place in places:
        if place >= reach and (match := expression.match(text, place, timeout=timeout)):
            reach = match.end()
            yield match


def digits(value: str) -> str:
    """The ASCII digits of a value, in order."""
    return "".join(filter("0123456789".__contains__, value))
