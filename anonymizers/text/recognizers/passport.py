"""Japanese passport numbers."""

from anonymizers.text.patterns import (
    LETTER_CALLED,
    NOT_COUNTED,
    CuedPatternRecognizer,
    Example,
    UnlessSomethingElse,
    beside,
    cue,
    form,
)

_SEP = r"[-. ・/,、_~〜の*★☆♪♡♥●◆■▲▼◇⭐]{0,3}"
# The letters O and I stand for digits where most of the others are digits.
_NUMBER = rf"[A-Z]{_SEP}[A-Z]{_SEP}(?=(?:[OIl]?{_SEP}[0-9]{_SEP}){{4}})[0-9OIl](?:{_SEP}[0-9OIl]){{6}}+(?![A-Za-z0-9])"
# The letters as they are called: "ティーケー1234567".
_SPOKEN = form(
    "letters spelt",
    rf"(?<![ァ-ヺー])(?P<value>{LETTER_CALLED}{_SEP}{LETTER_CALLED}{_SEP}[0-9](?:{_SEP}[0-9OIl]){{6}})(?![A-Za-z0-9])",
)
_WORD = r"(?:パスポート|ぱすぽーと|旅券|りょけん|リョケン|passport)"
_NEAR = (
    rf"{_WORD}|渡航|出国|入国|ESTA|エスタ|空港|査証|ビザ|海外|大使館|領事館|国際線|搭乗|航空券|渡米|ハワイ|グアム|"
    rf"台湾|韓国|"
    r"留学|eTA|証書?番号"
)
_BY_FORM = form("by form", r"(?<![A-Za-z0-9])(?P<value>[A-Z]{2}[- ]?[0-9]{7})(?![A-Za-z0-9])")
_BESIDE = beside("near a word", rf"(?i)(?<![A-Za-z0-9])(?P<near>{_NUMBER}){NOT_COUNTED}")
_NAMED = cue("after a word", rf"(?i){_WORD}[^0-9A-Za-z\n。]{{0,16}}+\n?(?:No\.?[ :]{{0,2}})?(?P<cued>{_NUMBER})")
_BEFORE_WORD = cue("before a word", rf"(?i)(?<![A-Za-z0-9])(?P<cued>{_NUMBER})(?=[^0-9A-Za-z\n。]{{0,12}}{_WORD})")

EXAMPLES = (
    Example("パスポート番号TK1234567で予約した", ("TK1234567",)),
    Example("旅券 ｔｋ １２３４５６７", ("ｔｋ １２３４５６７",)),
    Example("TK-1234567がパスポートの番号", ("TK-1234567",)),
    Example("型番 NA-LX129A と ABC1234567、注文番号AB1234567", ()),
)


def recognizer() -> CuedPatternRecognizer:
    """Finds PASSPORT: two capitals and seven digits."""
    return UnlessSomethingElse(
        "PASSPORT",
        _BY_FORM,
        _NAMED,
        _BEFORE_WORD,
        _SPOKEN,
        _BESIDE,
        needs=rf"[A-Za-zー]{_SEP}[0-9OIl]|[ァ-ヺぁ-ゖ]{{2}}[- ]?[0-9]{{4}}",
        near=_NEAR,
    )
