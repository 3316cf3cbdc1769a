"""Japanese passport numbers."""

from anonymizers.text.patterns import CuedPatternRecognizer, Example, cue, form

_BY_FORM = form("by form", r"(?<![A-Za-z0-9])(?P<value>[A-Z]{2}[0-9]{7})(?![A-Za-z0-9])")
_NAMED = cue("after a word", r"(?i)(?:パスポート|旅券)[^0-9A-Za-z\n]{0,8}(?P<cued>[A-Z]{2} ?[0-9]{7})(?![A-Za-z0-9])")

EXAMPLES = (
    Example("パスポート番号TK1234567で予約した", ("TK1234567",)),
    Example("旅券 ｔｋ １２３４５６７", ("ｔｋ １２３４５６７",)),
    Example("型番 NA-LX129A と ABC1234567", ()),
)


def recognizer() -> CuedPatternRecognizer:
    """Finds PASSPORT: two capitals and seven digits."""
    return CuedPatternRecognizer("PASSPORT", _BY_FORM, _NAMED)
