"""
Normalise Japanese text without losing where each character came from.

The recognisers read one spelling of everything (half-width digits, one hyphen, no zero-width
characters); the redaction is done on the text as it was written. The map between the two is kept
here, so that no recogniser ever has to think about offsets.
"""

import itertools
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import regex

from anonymizers.text.expressions import members, one_of, quick

# Characters that show nothing and split a number or a name for a reader that is not human:
# soft hyphen, combining grapheme joiner, Hangul fillers, zero-width space and joiners, word joiner and
# invisible operators, variation selectors, byte-order mark, tags.
# Source: Unicode 14, DerivedCoreProperties.txt, Default_Ignorable_Code_Point, less the direction marks
# (a text that holds those is refused, see `redaction`).
_INVISIBLE = (
    "\u00ad\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200d\u2060-\u2065\u206a-\u206f\u3164\ufe00-\ufe0f"
    "\ufeff\uffa0\ufff0-\ufff8\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
)

# Second halves of a canonical composition that are not combining marks (NFC_QC=Maybe, ccc=0), as they
# are written before NFKC: half-width voicing marks, Hangul vowels and finals in their three widths, and
# the few Indic vowel signs. They belong to the character before them.
# Source: Unicode 14, DerivedNormalizationProps.txt; `tests/anonymizers/text` walks all code points.
_SECOND_HALVES = (
    "\u09be\u09d7\u0b3e\u0b56\u0b57\u0bbe\u0bd7\u0cc2\u0cd5\u0cd6\u0d3e\u0d57\u0dcf\u0ddf\u102e"
    "\u1161-\u1175\u11a8-\u11c2\u1b35\u3131-\u318e\uff9e\uff9f\uffa1-\uffdc"
    "\U0001133e\U00011357\U000114b0\U000114ba\U000114bd\U000115af\U00011930"
)
_JOINING = quick(one_of(rf"\p{{M}}{_SECOND_HALVES}"))
_INVISIBLES = quick(f"[{_INVISIBLE}]+")

# "①090-…" is item one of a list; folded to "1090-…" it would hide the number from every recogniser.
# An enclosed numeral with another beside it, or a hyphen or space away, is a digit of something and is folded.
_ENCLOSED = "\u2460-\u249b\u24ea-\u24ff\u2776-\u2793"
_MAY_BE_MARKER = quick(f"[{_ENCLOSED}]")
_LIST_MARKER = regex.compile(f"(?<![{_ENCLOSED}][-−ー ]?)[{_ENCLOSED}](?![-−ー ]?[{_ENCLOSED}])")

# Between digits all of these are a hyphen to the writer: katakana long vowel, hyphens and dashes, box
# drawing lines, minus. Elsewhere ー is a letter, so it is left alone.
_HYPHEN = (
    "\u30fc\u2010-\u2015\u2043\u2212\u2500\u2501\u2504\u2508\u254c\u2574\u23af\ufe58\u02d7\u02c9\u2796\u2e3a"
    "\u3161\u4e28-"
)
_HYPHENS = quick(f"(?<=[0-9)]) ?[{_HYPHEN}]{{1,2}}+ ?(?=[0-9(])")

# Disguises, which `unmask` undoes. The lists are of writings known from Japanese message boards, collected 2026-11-24.

Edit = tuple[int, int, str]
"""Where a stretch of a reading begins and ends, and what is read in its place."""
"""A stretch of a text, by its first code point and one past its last, and what to read in its place."""

_KANJI_DIGITS = {
    character: str(n)
    for n, characters in enumerate(
        ("〇零○◯", "一壱壹", "二弐貳", "三参參", "四肆", "五伍", "六陸", "七", "八捌", "九玖")
    )
    for character in characters
}
_HIRAGANA_DIGITS = {
    word: digit
    for digit, words in (
        ("0", ("ぜろ", "れい", "れー", "まる")),
        ("1", ("いち",)),
        ("2", ("にー", "にい", "に")),
        ("3", ("さん",)),
        ("4", ("よん", "しー", "し")),
        ("5", ("ごー", "ごお", "ご")),
        ("6", ("ろく",)),
        ("7", ("なな", "しち")),
        ("8", ("はち",)),
        ("9", ("きゅう", "きゅー", "きゆう", "く")),
    )
    for word in words
}


def _katakana(hiragana: str) -> str:
    return "".join(chr(ord(c) + 0x60) if "ぁ" <= c <= "ゖ" else c for c in hiragana)


_KANA_DIGITS = _HIRAGANA_DIGITS | {_katakana(word): digit for word, digit in _HIRAGANA_DIGITS.items()}
# First code point, its digit and how many follow: ①⑴⒈❶➀➊⓵ and the zeros ⓪⓿🄋🄌.
_ENCLOSED_DIGITS = {
    chr(first + n): str(digit + n)
    for first, digit, count in (
        *((first, 1, 9) for first in (0x2460, 0x2474, 0x2488, 0x2776, 0x2780, 0x278A, 0x24F5)),
        *((first, 0, 1) for first in (0x24EA, 0x24FF, 0x1F10B, 0x1F10C)),
    )
    for n in range(count)
}
_LETTER_DIGITS = dict.fromkeys("Oo", "0") | dict.fromkeys("Il", "1")
_KINDS = (
    ("kanji", _KANJI_DIGITS),
    ("kana", _KANA_DIGITS),
    ("enclosed", _ENCLOSED_DIGITS),
    ("letter", _LETTER_DIGITS),
)

# Kana that are also particles, endings or honorifics: beside a number they are that.
_ALSO_WORDS = frozenset(["に", "し", "ご", "く", "ニ", "シ", "ゴ", "ク", "さん", "サン", "まる", "れい", "いち"])

# "にいち" is 2 and 1.
_KANA = (
    "|".join(sorted(_KANA_DIGITS, key=len, reverse=True)).replace("にい", "にい(?!ち)").replace("ニイ", "ニイ(?!チ)")
)
_SINGLE = "".join((*_KANJI_DIGITS, *_ENCLOSED_DIGITS, *_LETTER_DIGITS))
_NUMERAL = rf"(?:[{_SINGLE}]|\p{{Nd}}\u20e3?|{_KANA})"
# Symbols (So) are what emoji and stars are; circles that are zeros, numerals and ° are not among them here.
_SYMBOL = r"[[\p{So}\p{Sk}]--[○◯\u24ea-\u24ff\u2460-\u249b\u2776-\u2793\U0001f10b\U0001f10c`^\u00b4\u00a8°]]"
_ODD_MARK = rf"(?:ハイフン|はいふん|ダッシュ|だっしゅ|マイナス|スペース|のー|の|ノ|{_SYMBOL}|[~〜*_♪♡|\\=→])"
_BETWEEN = rf"(?:{_ODD_MARK}|[. ,、。・()/:;{_HYPHEN}])"
_RUN = regex.compile(rf"(?V1){_NUMERAL}(?:{_BETWEEN}{{0,4}}+{_NUMERAL}){{6,}}+")
_PLAIN = regex.compile(r"[0-9](?:[-. ()/・]{0,4}[0-9]{2,})*+[-. ()/・]{0,4}[0-9]*")
_TOKEN = regex.compile(rf"(?V1){_NUMERAL}")
# The characters of numerals and of what is between: only where seven stand together can a run be.
_OF_RUN = (
    rf"{_SYMBOL}\p{{Nd}}\u20e3{_SINGLE}{_KANA}ハイフンはいふんダッシュだっしゅマイナススペースのノ"
    rf"~〜*_♪♡\\=→. ,、。・()/:;{_HYPHEN}"
)
_MAY_RUN = quick(f"{one_of(f'[{_OF_RUN}]')}{{7,}}+")
_ODD = regex.compile(rf"(?V1){_ODD_MARK}")

# Fewer numerals than make a run are a number right after a word that says so: "番号はナナ・ニ・キュウ・サン".
_NUMBER_WORDS = "番号|記号|ナンバー|枝番|No|no|NO"
_NUMBER_WORD = quick(_NUMBER_WORDS)
_SHORT_RUN = regex.compile(
    rf"(?V1)(?:{_NUMBER_WORDS})[.:]?欄?[はがもに、:→=( 「『\[・]{{0,4}}\n?第?(?:[A-Za-z][-. ・/]?)?"
    rf"(?P<number>{_NUMERAL}(?:{_BETWEEN}{{0,2}}+{_NUMERAL}){{1,5}}+)(?!{_BETWEEN}{{0,2}}{_NUMERAL})"
)

# "070x687x10321": the same character twice between groups of digits parts them. No kanji does: 年, 円, 個 count.
_SAME_BETWEEN = regex.compile(
    r"(?<![A-Za-z0-9])[0-9]{1,6}(?P<mark>(?![OoIl])[A-Za-zぁ-ゖァ-ヺ])[0-9]{1,8}(?:(?P=mark)[0-9]{1,8}){1,3}+(?![0-9A-Za-z]|"
    r"(?P=mark))"
)
# "203丸0丸113丸45": the parts of an address of a machine, the same between all of them.
_OCTETS = regex.compile(
    r"(?i)(?<![0-9A-Za-z])[1-9][0-9]{0,2}(?P<mark> ?(?:丸|まる|マル|[○◯〇●。]|点|てん|ドット|どっと|"
    r"ぽち|ポチ|\[\.\]|\(\.\)| dot) ?)"
    r"[0-9]{1,3}(?P=mark)[0-9]{1,3}(?P=mark)[0-9]{1,3}(?!(?P=mark)[0-9]|点|てん|[0-9A-Za-z])"
)
_FOR_MACHINES = regex.compile(r"(?i)(?<![A-Za-z])IP|アイピー|あいぴー|アドレス|ホスト")
_KEYCAPS = regex.compile("(?:[0-9]\u20e3 ?){2,}+")
# "090「1234」5678", "(1234)567890-1", "TK【1234567】": some of a number in brackets, the rest beside them.
_OPENING, _CLOSING = r"[(\[{<【「『〈《〔]", r"[)\]}>】」』〉》〕]"
_GROUP = r"[A-Za-z0-9]{1,12}+"
_BRACKETED_GROUP = rf"{_OPENING} ?{_GROUP}(?:[- ]?{_GROUP}){{0,4}}+ ?{_CLOSING}"
_IN_BRACKETS = regex.compile(
    rf"(?<![A-Za-z0-9])(?:(?P<bare>{_GROUP})(?: ?[{_HYPHEN}] ?(?P<bare>{_GROUP})){{0,4}}+)?"
    rf"(?:(?P<link> ?[{_HYPHEN}]? ?)(?P<held>{_BRACKETED_GROUP})"
    rf"(?:(?P<link> ?[{_HYPHEN}]? ?)(?P<bare>{_GROUP})(?:-(?P<bare>{_GROUP})){{0,4}}+)?){{1,4}}+(?![.:年月日円])"
)
_BRANCH_LETTERS = regex.compile("(?!NO|ID|IP|PC|BD|OK)[A-Z]{1,2}")
_MARKER = regex.compile(rf"{_OPENING} ?[1-9][0-9]? ?{_CLOSING}")
_FIGURE = regex.compile("[A-Za-z0-9]")
_OPENERS, _CLOSERS = "([{<【「『〈《〔 ", ")]}>】」』〉》〕 "
_LONGEST_BRACKETED = 16
# "090-1234-" at the end of a line goes on in the next.
_LINE_END = regex.compile(
    r"(?<=[A-Za-z0-9][0-9]?)(?: ?-\n ?|\n ?-)"
    r"(?=[0-9]{2,8}(?![0-9/.:年月日円])|(?<=[0-9-]{9}\n)[0-9](?![0-9/.:年月日円個]))"
)

_KANJI_ROW = regex.compile("[〇零一二三四五六七八九]{4,}+(?![十百千])")

_DATE_NUMERAL = f"[〇零○一二三四五六七八九十0-9OoIl{_ENCLOSED}]"
_DATE = regex.compile(
    rf"(?<![A-Za-z])(?:(?P<y>{_DATE_NUMERAL}{{1,4}}+|元) ?年 ?の?)?"
    rf"(?P<m>{_DATE_NUMERAL}{{1,3}}+) ?月 ?の?(?P<d>{_DATE_NUMERAL}{{1,3}}+) ?日"
)
# Enclosed numerals with strokes or dots between them, as a date has them; a hyphen was folded before.
_ENCLOSED_DATE = regex.compile(
    rf"(?<![0-9{_ENCLOSED}])(?:(?P<y>[0-9{_ENCLOSED}]{{1,4}}+) ?[/.・] ?)?"
    rf"(?P<m>(?:[{_ENCLOSED}]|[0-9]{{1,2}}|[0-9](?=[{_ENCLOSED}])){{1,2}}+) ?[/.・] ?"
    rf"(?P<d>[0-9{_ENCLOSED}]{{1,2}}+)(?![0-9{_ENCLOSED}])(?! ?[/.・] ?[0-9{_ENCLOSED}])"
)
_FIRST_DAYS = ("ついたち", "ふつか", "みっか", "よっか", "いつか", "むいか", "なのか", "ようか", "ここのか", "とおか")
_KANA_DAYS = {
    **{word: day for day, word in enumerate(_FIRST_DAYS, 1)},
    **{"じゅうよっか": 14, "はつか": 20, "にじゅうよっか": 24},
}
_KANA_ONES = "|".join(sorted(_HIRAGANA_DIGITS, key=len, reverse=True))
_KANA_NUMBER = rf"(?:[0-9]{{1,4}}+|(?:(?:に|さん|よん|ご|ろく)?じゅう)?+(?:{_KANA_ONES})?)"
_ERAS = {"れいわ": "令和", "へいせい": "平成", "しょうわ": "昭和"}
_KANA_DAY = "|".join(sorted(_KANA_DAYS, key=len, reverse=True))
_KANA_DATE = regex.compile(
    rf"(?:(?:(?P<era>{'|'.join(_ERAS)}) ?)?(?P<y>がん|{_KANA_NUMBER}) ?(?P<years>ねん) ?)?"
    rf"(?P<m>{_KANA_NUMBER}) ?(?P<months>がつ|月) ?"
    rf"(?:(?P<named>{_KANA_DAY})|(?P<d>{_KANA_NUMBER}) ?(?P<days>にち|日))"
)

TOP_LEVEL = (
    "com|net|org|jp|info|me|link|tv|io|app|page|site|blog|shop|xyz|dev|biz|cc|co|ly|gl|gle|gg|gd|ee|la|st|pw|ai|"
    "top|club|"
    "cloud|moe|wiki|asia|to|fm|fc2|tokyo|online|work|be|cx|so|us|uk|cn|kr|tk|edu|gov|de|fr|tw|hk|sg|au|ca|"
    "love|life|world|store|space|website|fun|vc|example|test|invalid"
)
"""
Top-level domains people here write, as alternatives of an expression (of IANA's list, read 2026-11-24), and those
that stand for one in an example (RFC 2606, read 2026-11-24).
"""

_ID_BEFORE = r"(?<=[A-Za-z0-9_.+\-])"
_OPEN, _CLOSE = r"[(\[{<【「]", r"[)\]}>】」]"
_SERVICES = (
    "ドコモ|どこも|ソフトバンク|ソフバン|ヤフー|やふー|ジーメール|じーめーる|Gメール|エーユー|"
    "アイクラウド|イージーウェブ|ワイモバ"
)
_ID_AHEAD = rf" ?(?:(?=[A-Za-z0-9])|(?={_SERVICES}))"
_AFTER_DOT = rf"(?=(?:co|ne|or|ac|go|ed|gr|lg|{TOP_LEVEL})(?![A-Za-z0-9]))"
_WORD_AT = r"(?:アットマーク|アット|あっとまーく|あっと|@マーク)"
_WORD_DOT = r"(?:ドット|どっと|ピリオド|てんてん)"
_UNDERSCORE = r"(?:アンダー ?(?:バー|スコア|ライン)|アンダ[-ー]?バー|アンスコ|あんだーばー|下線)"


def _spelt(expression: str) -> "regex.Pattern[str]":
    return regex.compile(f"(?i){expression}")


# Each stands for the mark beside it, between parts of an identifier.
_SPELT = (
    (_spelt(rf"{_ID_BEFORE} ?\([^()\n]{{0,3}}(?:@|アット)[^()\n]{{1,8}}\) ?(?=[A-Za-z0-9\-]{{1,63}}\.)"), "@"),
    (
        regex.compile(
            rf"(?V1)(?<=[A-Za-z0-9])(?:{_SYMBOL}|[*])"
            rf"(?=(?:[A-Za-z0-9\-]{{1,30}}+(?:{_SYMBOL}|[*.])){{0,3}}(?:{TOP_LEVEL})/)"
        ),
        ".",
    ),
    (regex.compile(rf"(?V1)(?i)(?<=(?<![A-Za-z0-9])www)(?:{_SYMBOL}|[*])(?=[A-Za-z0-9])"), "."),
    (
        _spelt(
            rf"(?<![A-Za-z0-9_.]){_OPEN}(?:at|アット(?:マーク)?|あっと(?:まーく)?){_CLOSE} ?"
            r"(?=[A-Za-z][A-Za-z0-9_.]{2})"
        ),
        "@",
    ),
    (
        regex.compile(
            rf"(?V1)(?<=[A-Za-z0-9])(?:{_SYMBOL}|[*])"
            rf"(?=(?:(?:ne|co|or|ac)(?:{_SYMBOL}|[*.]))?(?:jp|com|net)(?![A-Za-z0-9]))"
        ),
        ".",
    ),
    (_spelt(rf"(?:{_ID_BEFORE}|(?<={_SERVICES})) ?[ドど](?:ット|っと)(?:ジェーピー|ジェイピー|じぇーぴー)"), ".jp"),
    (_spelt(rf"{_ID_BEFORE} ?{_OPEN}(?:at|a|@|あ|ア|{_WORD_AT}){_CLOSE}{_ID_AHEAD}"), "@"),
    (_spelt(rf"(?<=[A-Za-z0-9])_?{_WORD_AT}_?{_ID_AHEAD}"), "@"),
    (
        _spelt(
            rf"{_ID_BEFORE} {_WORD_AT} ?"
            rf"(?=[a-z0-9\-]{{1,63}} ?(?:[.。・点(\[]|てん|ぽち|dot|ドット|どっと)|{_SERVICES})"
        ),
        "@",
    ),
    (_spelt(rf"{_ID_BEFORE}(?: at |_at_| @ )(?=[a-z0-9\-]{{1,63}}(?: ?[.。]| dot |ドット| ドット|どっと|[(\[]))"), "@"),
    (
        _spelt(
            r"(?:アットマーク|あっとまーく|@マーク|(?<![A-Za-z0-9ァ-ヺー])アット|(?<![A-Za-z0-9])あっと) ?"
            r"(?=[A-Za-z][A-Za-z0-9_.]{2})"
        ),
        "@",
    ),
    (_spelt(rf"(?:{_ID_BEFORE}|(?<={_SERVICES})) ?{_OPEN}?[ドど](?:ット|っと)[コこ][ムむ]{_CLOSE}?"), ".com"),
    (
        _spelt(rf"(?:{_ID_BEFORE}|(?<={_SERVICES})) ?{_OPEN}(?:dot|ドット|どっと|\.|点|てん){_CLOSE} ?(?=[A-Za-z0-9])"),
        ".",
    ),
    (_spelt(rf"(?:{_ID_BEFORE}|(?<={_SERVICES})) ?{_WORD_DOT} ?(?=[A-Za-z0-9])"), "."),
    (
        _spelt(rf"(?:{_ID_BEFORE}|(?<={_SERVICES}))(?: dot | ?(?:点|てん|ぽち|ポチ) ?|。|・| ?, ?| ?\. ){_AFTER_DOT}"),
        ".",
    ),
    (_spelt(rf"{_ID_BEFORE}(?: \. ?|\. )(?=(?:jp|com|net|link|me|ne\.jp|co\.jp)/)"), "."),
    (_spelt(r"(?<=[A-Za-z0-9]) dot (?=[A-Za-z0-9._\-]{1,30} ?(?:at |@|\(at|アット))"), "."),
    (_spelt(rf"{_ID_BEFORE} ?{_OPEN}?{_UNDERSCORE}{_CLOSE}? ?(?=[A-Za-z0-9])"), "_"),
    (_spelt(rf"{_ID_BEFORE} ?{_OPEN}?(?:ハイフン|はいふん){_CLOSE}? ?(?=[A-Za-z0-9])"), "-"),
    (
        _spelt(rf"{_ID_BEFORE} ?{_OPEN}?(?:(?:スラッシュ|すらっしゅ){_CLOSE}? ?|スラ(?=[a-z]))"),
        "/",
    ),
)
_SPELT_ANYWHERE = regex.compile(
    r"[アあ](?:ット|っと|ンダ|ンスコ|んだー)|[ドど](?:ット|っと)|@マーク|ピリオド|てんてん|[ハは](?:イフン|"
    r"いふん)|下線|[スす][ラら]"
    r"|[(\[{<【「][Aa][Tt]|[A-Za-z0-9_] ?[(\[{<【「](?:[Aa]|[Dd]|[@.点てあア])|[ _][Aa][Tt][ _]|"
    r"[a-z0-9](?:[。点・,]| ?(?:てん|点|ぽち|ポチ)) ?[a-z]"
    r"|[ルトクーモブる][。点・](?:co|ne)|[a-z] [@.,]|[a-z][.,] [a-z]"
)
# "#" and the like are @ before a mail service only: elsewhere they are part of an address of a page.
_SIGN_FOR_AT = regex.compile(
    r"(?i)(?<=[A-Za-z0-9_.+\-])[#%&$!=](?=(?:gmail|yahoo|docomo|ezweb|(?:i\.)?softbank|icloud|hotmail|outlook|"
    r"ymobile)\.[a-z])"
)
_STARRED = regex.compile(rf"(?V1)(?<=[A-Za-z][A-Za-z0-9]?){_SYMBOL}(?=[A-Za-z0-9][A-Za-z0-9_.\-])")
_SYMBOL_FOR_DOT = regex.compile(rf"(?V1)[A-Za-z0-9](?:{_SYMBOL}|[*])(?:{TOP_LEVEL})(?:[/]|(?<=jp|com|net))")
_MARK_FOR_AT = regex.compile(
    rf"(?V1)(?<=[A-Za-z0-9_.+\-])[ ]?(?:{_SYMBOL}|[○◯〇*♪♡※@〜~]){{1,4}}+[ ]?"
    rf"(?=(?:[A-Za-z0-9\-]{{1,63}}\.){{1,4}}(?:{TOP_LEVEL})(?![A-Za-z0-9])|{_SERVICES})"
)
_SPACED = regex.compile(
    rf"(?V1)(?<![A-Za-z0-9._+\-/])[A-Za-z0-9]"
    rf"(?:(?P<gap>[ ]{{1,2}}|[/・、,\-]|{_SYMBOL})[A-Za-z0-9@._+\-](?![A-Za-z0-9])){{3,120}}+"
)
_SPACED_MARKS = frozenset("/・、,-")

# One quick look for each kind says whether anything is to be undone.
_DISGUISED = (
    quick(_SPELT_ANYWHERE.pattern),
    quick(
        rf"[〇零○一二三四五六七八九十OoIl{_ENCLOSED}] ?[0-9]?[年月日]|[〇零一二三四五六七八九]{{4}}"
        r"|がつ[^ ]{0,7}(?:か|ち)|ねん ?[0-9いにさしごろはくじ]"
        rf"|[{_ENCLOSED}] ?[/.・] ?[0-9{_ENCLOSED}]|[/.・] ?[{_ENCLOSED}]"
    ),
    quick(
        # One set of first characters for all, which `re` looks for fast: what is before them is looked at after.
        rf"[(\[{{<【「『〈《〔)\]}}>】」』〉》〕\n丸○◯〇●。点まマてドどぽポd](?:"
        rf"(?<=[A-Za-z0-9 {_HYPHEN}].)(?<={_OPENING}) ?[A-Za-z0-9]|"
        rf"(?<=[A-Za-z0-9 ].)(?<={_CLOSING}) ?[{_HYPHEN}]? ?(?:{_OPENING} ?)?[0-9]|"
        r"(?<=-\n) ?[0-9]|(?<=[0-9 ]\n)-[0-9]|"
        r"(?<=[0-9 ][丸○◯〇●。点まマてドどぽポ(\[d])(?:|る|ル|ん|ット|っと|ち|チ|\.[\])]|ot) ?[0-9])"
    ),
    quick(
        rf"[a-zA-Z0-9][ ]?(?:[{members(_SYMBOL)}○◯〇*♪♡※〜~]|[#%&$=!][a-z])|[0-9][A-Za-zぁ-ゖァ-ヺ][0-9]|\u20e3"
        r"|(?<![A-Za-z0-9])[A-Za-z0-9](?:(?:[ ]{1,2}|[/・、,\-])[A-Za-z0-9@._+\-](?![A-Za-z0-9])){3}"
    ),
)


@dataclass(frozen=True)
class Normalised:
    """A normalised text and, per code point of it, the stretch of the original it came from."""

    text: str
    """What the recognisers read."""

    starts: tuple[int, ...] | None
    """Per code point of `text`, where its source starts, in code points of the original; None if equal."""

    ends: tuple[int, ...] | None
    """Per code point of `text`, where its source ends (exclusive); None if equal."""

    def original(self, start: int, end: int) -> tuple[int, int]:
        """
        Carry a span over to the original text.

        Args:
            start: First code point of the span in `text`.
            end: One past its last; greater than `start`.

        Returns:
            The smallest span of the original that holds everything the normalised span was made
            from, with the invisible characters inside it.
        """
        if self.starts is None or self.ends is None:
            return start, end
        return self.starts[start], self.ends[end - 1]


def normalise(text: str) -> Normalised:
    """
    Fold widths and compatibility forms (NFKC), drop invisible characters, unify hyphens between digits.

    Args:
        text: Any text.

    Returns:
        The normalised text with its offset map. Lone enclosed numerals such as ① stay as they are.
        Nothing of the original is in the map but positions.

    Source:
        Unicode Standard Annex #15 (Normalization Forms), read 2026-11.
    """
    if unicodedata.is_normalized("NFKC", text) and not _INVISIBLES.search(text):
        return Normalised(_unify_hyphens(text), None, None)
    kept, places = _without_invisibles(text)
    if (
        len(kept) == len(text)
        and not _JOINING.search(text)
        and not (_MAY_BE_MARKER.search(text) and _LIST_MARKER.search(text))
    ):
        folded = text.translate(_FOLDED)
        if len(folded) == len(text):  # no character folds to nothing, so each became one
            return Normalised(_unify_hyphens(folded), None, None)
    return _folded_by_stretch(kept, places)


def unmask(normalised: Normalised) -> Normalised:
    """
    Undo disguises in a normalised text: numerals of all kinds become digits, words for marks become marks.

    What people write so that a machine does not find an address or a number: 〇九〇, ゼロきゅうゼロ, O9O, 090の1234,
    ★ or アットマーク for @, ドット, a space after each letter. Words and names that hold a numeral (三郎, 二人, さんに)
    stay: only a run of seven numerals, four kanji numerals together, or a date are a number.

    Returns:
        A reading whose offset map leads to the original text, as `normalise` gives it; the argument itself
        where there is nothing to undo, as in nearly every text.
    """
    text = normalised.text
    plain = (_PLAIN.fullmatch(run[0]) for run in _runs(text))
    if all(plain) and not any(disguised.search(text) for disguised in _DISGUISED) and not _short_numbers(text):
        return normalised
    for undo in (
        _keycaps,
        _in_brackets,
        _octets,
        _dates,
        _spaced_letters,
        _spelt_marks,
        _marks_for_at,
        _starred,
        _parted,
        _numbers,
        _short_numbers,
        _kanji_rows,
    ):
        normalised = edited(normalised, undo(normalised.text))
    return normalised


def edited(reading: Normalised, edits: Sequence[Edit]) -> Normalised:
    """The reading with stretches replaced; `edits` are in order, apart, and each replacement is of all it replaces."""
    if not edits:
        return reading
    pieces, starts, ends, at = [], [], [], 0
    for begin, finish, replacement in (*edits, (len(reading.text), len(reading.text), "")):
        spans = [reading.original(i, i + 1) for i in range(at, begin)]
        spans += [reading.original(begin, finish)] * len(replacement) if replacement else []
        pieces += [reading.text[at:begin], replacement]
        starts += [start for start, _ in spans]
        ends += [end for _, end in spans]
        at = finish
    return Normalised("".join(pieces), tuple(starts), tuple(ends))


def _keycaps(text: str) -> list[Edit]:
    """Digits on keys, two or more together, lose their keys; one alone marks an item of a list."""
    if "\u20e3" not in text:
        return []
    keys = (place for match in _KEYCAPS.finditer(text) for place in range(*match.span()) if text[place] == "\u20e3")
    return [(place, place + 1, "") for place in keys]


def _dates(text: str) -> list[Edit]:
    """Years, months and days in other numerals become digits where a date is complete from its month on."""
    edits = [
        (*match.span(part), _number_in_date(match[part]))
        for match in _DATE.finditer(text)
        for part in ("y", "m", "d")
        if match[part] and not match[part].isdecimal() and match[part] != "元"
    ]
    edits += [
        (*match.span(part), _number_in_date(match[part]))
        for match in _ENCLOSED_DATE.finditer(text)
        if _is_day(match)
        for part in ("y", "m", "d")
        if match[part] and not match[part].isdecimal()
    ]
    if "がつ" not in text and "ねん" not in text:
        return _apart(sorted(edits))
    for match in _KANA_DATE.finditer(text):
        written = {
            "era": _ERAS.get(match["era"], ""),
            "y": "元" if match["y"] == "がん" else _number_in_kana(match["y"] or ""),
            "years": "年",
            "m": _number_in_kana(match["m"]),
            "months": "月",
            "named": f"{_KANA_DAYS.get(match['named'], '')}日",
            "d": _number_in_kana(match["d"] or ""),
            "days": "日",
        }
        if match["m"] and (match["y"] or not match["years"]) and (match["d"] or match["named"]):
            edits += [(*match.span(part), read) for part, read in written.items() if match[part]]
    return _apart(sorted(edits))


def _is_day(match: "regex.Match[str]") -> bool:
    """Whether month and day are of a year, one of them in enclosed numerals."""
    if match["m"].isdecimal() and match["d"].isdecimal():
        return False
    return 0 < int(_number_in_date(match["m"])) <= 12 and 0 < int(_number_in_date(match["d"])) <= 31


def _in_brackets(text: str) -> list[Edit]:
    """Brackets inside a number are hyphens, or nothing where it has letters; a line that ends in "-" goes on."""
    edits: list[Edit] = [(*match.span(), "-") for match in _LINE_END.finditer(text)]
    for match in _IN_BRACKETS.finditer(text):
        held, groups = match.spans("held"), sorted((*match.spans("held"), *match.spans("bare")))
        # A short first group alone in brackets, and no hyphen behind it, is the marker of an item: "(1)090-…".
        if groups[0] in held and _MARKER.match(text, *groups[0]) and text[groups[0][1] : groups[0][1] + 1] != "-":
            groups = groups[1:]
        figures = [sum(map(str.isdecimal, text[start:end])) for start, end in groups]
        if not (6 <= sum(figures) <= _LONGEST_BRACKETED and min(figures[1:] or [0]) > 0):
            continue
        if not figures[0] and not _BRANCH_LETTERS.fullmatch(text, *groups[0]):
            continue
        if any(
            figure > 9 and "0" in text[start : start + 2] for figure, (start, _) in zip(figures, groups, strict=True)
        ):
            continue
        between = "" if any(c.isalpha() for start, end in groups for c in text[start:end]) else "-"
        # Brackets at either end are read with the figure beside them, so that they go with the number.
        if groups[0] in held:
            first = _FIGURE.search(text, groups[0][0])
            edits.append((groups[0][0], first.end(), first[0]))
        if groups[-1] in held:
            last = groups[-1][0] + len(text[slice(*groups[-1])].rstrip(_CLOSERS)) - 1
            edits.append((last, groups[-1][1], text[last]))
        for one, next_one in itertools.pairwise(groups):
            if one in held or next_one in held:
                begin = one[0] + len(text[one[0] : one[1]].rstrip(_CLOSERS))
                end = next_one[1] - len(text[next_one[0] : next_one[1]].lstrip(_OPENERS))
                edits.append((begin if one in held else one[1], end if next_one in held else next_one[0], between))
    return _apart(sorted(edit for edit in edits if edit[0] < edit[1]))


def _octets(text: str) -> list[Edit]:
    """A word or mark, thrice between numbers up to 255, is a dot where machines are spoken of or they are long."""
    edits: list[Edit] = []
    for match in _OCTETS.finditer(text):
        octets = regex.findall("[0-9]+", match[0])
        told = _FOR_MACHINES.search(text, max(0, match.start() - 20), match.end() + 12)
        if max(map(int, octets)) <= 255 and (told or sum(map(len, octets)) > 5):
            mark = regex.escape(match["mark"])
            edits += [
                (*found.span(), ".") for found in regex.finditer(mark, text, pos=match.start(), endpos=match.end())
            ]
    return edits


def _number_in_date(written: str) -> str:
    """The number in digits: 三十一, 三一, 3l and ③① are all 31."""
    singles = _KANJI_DIGITS | _ENCLOSED_DIGITS | _LETTER_DIGITS
    if "十" not in written:
        return "".join(singles.get(c) or unicodedata.normalize("NFKC", c).strip("().") for c in written)
    tens, _, ones = written.partition("十")
    return singles.get(tens[-1:], tens[-1:] or "1") + singles.get(ones[:1], ones[:1] or "0")


def _number_in_kana(written: str) -> str:
    """The number in digits: にじゅうさん is 23; digits stay."""
    if not written or written.isdecimal():
        return written
    tens, ten, ones = written.rpartition("じゅう")
    value = 10 * int(_KANA_DIGITS.get(tens, "1")) if ten else 0
    return str(value + int(_KANA_DIGITS.get(ones, "0")))


def _spelt_marks(text: str) -> list[Edit]:
    """Words for marks become the marks, between parts of an identifier."""
    if not _SPELT_ANYWHERE.search(text) and not _SYMBOL_FOR_DOT.search(text):
        return []
    found = {m.start(): (m.start(), m.end(), mark) for spelt, mark in reversed(_SPELT) for m in spelt.finditer(text)}
    return _apart(found[start] for start in sorted(found))


def _marks_for_at(text: str) -> list[Edit]:
    """A star, an emoji and the like become @ where the address around it is otherwise complete."""
    marks = [(*match.span(), "@") for match in _MARK_FOR_AT.finditer(text) if match[0] != "@"]
    return _apart(sorted(marks + [(*match.span(), "@") for match in _SIGN_FOR_AT.finditer(text)]))


def _starred(text: str) -> list[Edit]:
    """A star or an emoji inside an account's name is read as its line."""
    return [(*match.span(), "_") for match in _STARRED.finditer(text)]


def _spaced_letters(text: str) -> list[Edit]:
    """Letters of an identifier that stand one by one are put together."""
    edits: list[Edit] = []
    for match in _SPACED.finditer(text):
        after = text[match.end() : match.end() + 2].strip()
        long_enough = match.end() - match.start() >= 11 or "@" in match[0] or after.startswith("@")
        letters = sum(character.isascii() and character.isalpha() for character in match[0])
        gaps = set(match.captures("gap"))
        if (long_enough and not gaps & _SPACED_MARKS) or (
            letters and len(gaps) == 1 and len(match.captures("gap")) > 5 - min(letters, 2)
        ):
            edits += [(*span, "") for span in match.spans("gap")]
    return edits


def _apart(edits: Iterable[Edit]) -> list[Edit]:
    """Edits without those that begin inside the one before."""
    kept: list[Edit] = []
    for edit in edits:
        if not kept or edit[0] >= kept[-1][1]:
            kept.append(edit)
    return kept


def _parted(text: str) -> list[Edit]:
    """One letter that parts all groups of nine digits or more is a hyphen."""
    return [
        (place, place + 1, "-")
        for match in _SAME_BETWEEN.finditer(text)
        if len(match[0]) - match[0].count(match["mark"]) >= 9
        for place in range(*match.span())
        if text[place] == match["mark"]
    ]


def _kanji_rows(text: str) -> list[Edit]:
    """Four kanji numerals or more together, without 十 or 百, are digits."""
    rows = (place for match in _KANJI_ROW.finditer(text) for place in range(*match.span()))
    return [(place, place + 1, _KANJI_DIGITS[text[place]]) for place in rows]


class _Numeral(NamedTuple):
    """One numeral of a run and where it stands."""

    start: int
    end: int
    kind: str
    """``digit``, ``kanji``, ``kana``, ``enclosed`` or ``letter``."""
    digit: str
    word: bool
    """Whether it is as well a particle or the like."""


def _numbers(text: str) -> list[Edit]:
    """Long runs of numerals of any kind become ASCII digits, with hyphens for what stands oddly between them."""
    edits: list[Edit] = []
    for match in _runs(text):
        if _PLAIN.fullmatch(match[0]):
            continue
        tokens = [_numeral(token) for token in _TOKEN.finditer(text, *match.span())]
        for part in _telephone_by_telephone(text, tokens):
            for number in _without_neighbours(text, part):
                edits += _number_edits(text, number)
    return edits


def _runs(text: str) -> Iterator["regex.Match[str]"]:
    """Runs of numerals, looked for only where characters of such stand together."""
    for stretch in _MAY_RUN.finditer(text):
        yield from _RUN.finditer(text, *stretch.span())


def _telephone_by_telephone(text: str, tokens: list[_Numeral]) -> Iterator[list[_Numeral]]:
    """Cut a run where a whole telephone number ends and the next begins: "06-1322-0694→03-1969-9064"."""
    first = 0
    while (at := first + 10) < len(tokens):
        at += tokens[first + 1].digit in "56789" and tokens[first + 2].digit == "0"
        if at >= len(tokens) or any(tokens[place].digit != "0" for place in (first, at)):
            break
        if not text[tokens[at - 1].end : tokens[at].start].strip("-"):
            break
        yield tokens[first:at]
        first = at
    yield tokens[first:]


def _short_numbers(text: str) -> list[Edit]:
    """Two to six disguised numerals right after a word for a number become digits, put together where all are apart."""
    if not _NUMBER_WORD.search(text):
        return []
    edits: list[Edit] = []
    for match in _SHORT_RUN.finditer(text):
        tokens = [_numeral(token) for token in _TOKEN.finditer(text, *match.span("number"))]
        if _is_short_number(text, tokens):
            edits += _rewritten(text, tokens, frozenset(), disguised=True)
    return _apart(sorted(edits))


def _is_short_number(text: str, tokens: Sequence[_Numeral]) -> bool:
    """Whether a few numerals are a number that was disguised, and neither plain digits nor words."""
    kinds = {token.kind for token in tokens}
    apart = len(tokens) > 2 and all(a.end < b.start for a, b in itertools.pairwise(tokens))
    if kinds == {"digit"}:
        return apart
    if "kana" in kinds:
        words = sum(token.word for token in tokens)
        return len(tokens) > 2 and (apart or 2 * words <= len(tokens) or (len(tokens) > 3 and words < len(tokens)))
    if "letter" in kinds:
        return "digit" in kinds and _may_be_number(text, tokens)
    return len(tokens) > 2 or all(a.end == b.start for a, b in itertools.pairwise(tokens))


def _numeral(match: "regex.Match[str]") -> _Numeral:
    for kind, digits in _KINDS:
        if match[0] in digits:
            return _Numeral(*match.span(), kind, digits[match[0]], match[0] in _ALSO_WORDS)
    kind = "enclosed" if len(match[0]) > 1 else "digit"
    return _Numeral(*match.span(), kind, str(unicodedata.digit(match[0][0])), False)


def _without_neighbours(text: str, tokens: list[_Numeral]) -> Iterator[list[_Numeral]]:
    """
    Cut a run of numerals where a word, a name or a list marker beside a number was taken for a part of it.

    "さん090-…", "…5678二人", "…5678に", "①090-…②080-…": a short block of another kind at the edge of digits is not
    theirs. Where kinds change all the time ("〇9〇-一2三4"), it is a disguise and nothing is cut.
    """
    blocks = [list(block) for _, block in itertools.groupby(tokens, key=lambda token: token.kind)]
    kinds = {block[0].kind for block in blocks if not all(token.word for token in block)}
    disguised = (len(blocks) > 5 or len(kinds) > 2) and not _is_list(blocks)
    number: list[_Numeral] = []
    for place, block in enumerate(blocks):
        if len(blocks) > 1 and not disguised and _is_neighbour(text, block, place in (0, len(blocks) - 1)):
            yield number
            number = []
        else:
            number += block
    yield number


def _is_list(blocks: Sequence[Sequence[_Numeral]]) -> bool:
    """Whether single enclosed numerals among long numbers count up, as the markers of a list do."""
    markers = [int(block[0].digit) for block in blocks if block[0].kind == "enclosed" and len(block) == 1]
    others = [len(block) for block in blocks if block[0].kind != "enclosed"]
    return bool(markers) and min(others, default=0) > 6 and all(b == a + 1 for a, b in itertools.pairwise(markers))


def _is_neighbour(text: str, block: Sequence[_Numeral], at_edge: bool) -> bool:
    """Whether a block of one kind, in a run of several, stands beside a number and is not of it."""
    kind = block[0].kind
    if kind == "digit":
        return False
    if kind == "enclosed":
        return len(block) == 1
    if kind == "letter":
        return at_edge and not _touches_digit(text, block)
    if kind == "kana":
        return (
            not (block[0].digit == "0" and not block[0].word)
            and len(block) < 3
            and (at_edge or any(token.word for token in block))
        )
    if all(token.digit == "0" for token in block):
        return at_edge and len(block) > 1 and text[block[0].start] in "○◯"
    return len(block) < 3 and at_edge


def _touches_digit(text: str, block: Sequence[_Numeral]) -> bool:
    """Whether a digit stands right before or after, and no other letter does."""
    around = text[: block[0].start][-1:] + text[block[-1].end :][:1]
    if around[:1] == "-" and len(block) > 1:  # "…-OOOO"
        return not around[1:].isalpha() or not around.isascii()
    latin = any(character.isascii() and character.isalpha() for character in around)
    return not latin and any(character.isdigit() for character in around)


def _number_edits(text: str, number: list[_Numeral]) -> list[Edit]:
    """How a number is rewritten; nothing where it is too short or written plainly."""
    number = _as_long_as_a_telephone_number(number)
    if len(number) < 7 or not _may_be_number(text, number):
        return []
    gaps = {text[a.end : b.start] for a, b in itertools.pairwise(number)}
    beside = text[: number[0].start][-1:], text[number[-1].end :][:1]
    if gaps == {":"} or (gaps == {"", ":"} and any(side in ":abcdefABCDEF" for side in beside if side)):
        return []  # of an IP address
    disguised = any(token.kind != "digit" for token in number)
    telephone = len(number) in (10, 11) and number[0].digit == "0"
    return _rewritten(text, number, _bars(text, number), disguised=disguised or telephone)


def _rewritten(text: str, number: Sequence[_Numeral], bars: frozenset[int], *, disguised: bool) -> list[Edit]:
    """Numerals as digits, those in `bars` as hyphens; what stands between is dropped where all stand apart."""
    gaps = [text[a.end : b.start] for a, b in itertools.pairwise(number)]
    one_by_one = all(gaps)
    edits: list[Edit] = []
    for place, token in enumerate(number):
        digit = "-" if place in bars else token.digit
        if text[token.start : token.end] != digit:
            edits.append((token.start, token.end, digit))
        if place < len(gaps) and gaps[place]:
            read = "" if one_by_one else _gap(gaps[place], disguised, len(number))
            if read != gaps[place]:
                edits.append((token.end, number[place + 1].start, read))
    return edits


def _bars(text: str, number: Sequence[_Numeral]) -> frozenset[int]:
    """Where 一 is a hyphen: twice, alone between digits ("090一1234一5678")."""
    places = [place for place, token in enumerate(number) if token.kind != "digit"]
    if len(places) != 2 or any(text[number[place].start] != "一" for place in places):
        return frozenset()
    first, second = places
    return frozenset(places) if first > 0 and second < len(number) - 1 and second - first > 1 else frozenset()


def _gap(written: str, disguised: bool, count: int) -> str:
    """What stands between two numerals as a recogniser reads it; `count` is how many numerals there are."""
    odd = written.strip("- .()/・") and (disguised or (count >= 9 and _ODD.search(written)))
    return "-" if odd else written


def _may_be_number(text: str, number: Sequence[_Numeral]) -> bool:
    """Whether letters among the numerals are few and part of no word, and kana are not only particles."""
    letters = sum(token.kind == "letter" for token in number)
    around = text[: number[0].start][-1:] + text[number[-1].end :][:1]
    if letters and (letters * 2 > len(number) or any(c.isascii() and (c.isalpha() or c in "@_") for c in around)):
        return False
    return not all(token.word for token in number)


def _as_long_as_a_telephone_number(number: list[_Numeral]) -> list[_Numeral]:
    """
    A number in kana without a particle before or after it.

    Eleven digits from 0x0 on and ten from another 0 on are a telephone number; what is more is "に" or "さん".
    """
    if any(token.kind != "kana" for token in number):
        return number
    zero = next((place for place, token in enumerate(number) if token.digit == "0"), len(number))
    own = number[zero:]
    if zero > 2 or len(own) < 10 or any(not token.word for token in number[:zero]):
        return number
    expected = 11 if own[1].digit in "56789" and own[2].digit == "0" else 10
    return own[:expected] if len(own) >= expected and all(token.word for token in own[expected:]) else number


def _folded_by_stretch(kept: str, places: Sequence[int]) -> Normalised:
    """Fold each stretch NFKC treats by itself; all code points it becomes come from all it was."""
    markers = {match.start() for match in _LIST_MARKER.finditer(kept)}
    if not _JOINING.search(kept):  # each character by itself, as in nearly every text
        singles = [c if at in markers else _FOLDED[ord(c)] for at, c in enumerate(kept)]
        begins = tuple([place for piece, place in zip(singles, places, strict=True) for _ in piece])
        return Normalised(_unify_hyphens("".join(singles)), begins, tuple([begin + 1 for begin in begins]))
    pieces, starts, ends = [], [], []
    for begin, finish in itertools.pairwise(_boundaries(kept)):
        piece = kept[begin:finish] if begin in markers else unicodedata.normalize("NFKC", kept[begin:finish])
        pieces.append(piece)
        starts.extend([places[begin]] * len(piece))
        ends.extend([places[finish - 1] + 1] * len(piece))
    return Normalised(_unify_hyphens("".join(pieces)), tuple(starts), tuple(ends))


def _unify_hyphens(text: str) -> str:
    """Write every hyphen between digits as "-"; the length stays."""
    return _HYPHENS.sub(lambda match: "".join(c if c == " " else "-" for c in match[0]), text)


def _without_invisibles(text: str) -> tuple[str, list[int] | range]:
    """The text without invisible characters, and where each code point left stood."""
    if not _INVISIBLES.search(text):
        return text, range(len(text))
    places = [place for place, character in enumerate(text) if not _INVISIBLES.match(character)]
    return "".join([text[place] for place in places]), places


def _boundaries(text: str) -> list[int]:
    """Where a stretch starts that NFKC treats by itself, and the end of the text."""
    joining = {match.start() for match in _JOINING.finditer(text)}
    return [i for i in range(len(text)) if i == 0 or i not in joining] + [len(text)]


class _Folded(dict[int, str]):
    """Each character as NFKC has it by itself; filled as characters are met."""

    def __missing__(self, code: int) -> str:
        return self.setdefault(code, unicodedata.normalize("NFKC", chr(code)))


_FOLDED = _Folded()
