"""Basic pension numbers (基礎年金番号)."""

from anonymizers.text.patterns import (
    IN_BRACKETS,
    CuedPatternRecognizer,
    Example,
    UnlessSomethingElse,
    at_least,
    bracketed,
    cue,
    form,
    gap,
    near,
    run,
)

_WORD = r"(?:年金|ねんきん|ネンキン)"
_NAMED = cue("after a word", rf"{_WORD}{gap(16)}(?P<cued>{run(10)})")
_CERTIFICATE = cue("after a word, on a certificate", rf"{_WORD}{gap(16)}(?P<cued>{run(14)})")
_BRACKETED = cue("after a word, a group in brackets", bracketed(_WORD, 10))
_BEFORE_WORD = cue(
    "before a word",
    rf"(?<![0-9])(?<![0-9]-)(?P<cued>{run(10)})(?=[^0-9\n。]{{0,12}}(?:基礎)?{_WORD}(?:番号|手帳|の番号|だ|で|$))",
)

# Four and six, which no other number people write has; a telephone number is said to be one.
_BY_FORM = form(
    "by form",
    r"(?<![0-9A-Za-z])(?<![0-9][-. ])(?<!(?:電話|携帯|TEL|FAX)[^0-9\n]{0,6})(?P<value>[0-9]{4}[- .ー][0-9]{6})"
    r"(?![0-9]|[-.][0-9]|円)",
)
_NEAR = rf"{_WORD}|基礎番号|未納|追納|手帳|国年|厚年|厚生|学生特例|社保庁|(?:10|十)(?:桁|けた|ケタ)"

EXAMPLES = (
    Example("基礎年金番号 1234-567890 が分からない", ("1234-567890",)),
    Example("年金手帳の１２３４５６７８９０", ("１２３４５６７８９０",)),
    Example("1234 567890が年金番号", ("1234 567890",)),
    Example("年金は1234567円、電話は1234-567890", ()),
)


def recognizer() -> CuedPatternRecognizer:
    """Finds PENSION_NUMBER: four and six digits beside 年金, or fourteen as a certificate (年金証書) has them."""
    return UnlessSomethingElse(
        "PENSION_NUMBER",
        _BY_FORM,
        _NAMED,
        _BRACKETED,
        _CERTIFICATE,
        _BEFORE_WORD,
        near("near a word", 10),
        needs=rf"{at_least(10)}|{IN_BRACKETS}",
        near=_NEAR,
    )
