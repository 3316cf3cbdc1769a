"""Basic pension numbers (基礎年金番号)."""

from anonymizers.text.patterns import CuedPatternRecognizer, Example, at_least, cue, gap, run

_WORD = r"(?:年金|ねんきん)"
_NAMED = cue("after a word", rf"{_WORD}{gap(16)}(?P<cued>{run(10)})")
_CERTIFICATE = cue("after a word, on a certificate", rf"{_WORD}{gap(16)}(?P<cued>{run(14)})")
_BEFORE_WORD = cue(
    "before a word",
    rf"(?<![0-9])(?<![0-9]-)(?P<cued>{run(10)})(?=[^0-9\n。]{{0,12}}(?:基礎)?{_WORD}(?:番号|手帳|の番号|だ|で|$))",
)

EXAMPLES = (
    Example("基礎年金番号 1234-567890 が分からない", ("1234-567890",)),
    Example("年金手帳の１２３４５６７８９０", ("１２３４５６７８９０",)),
    Example("1234 567890が年金番号", ("1234 567890",)),
    Example("年金は1234567円、電話は1234-567890", ()),
)


def recognizer() -> CuedPatternRecognizer:
    """Finds PENSION_NUMBER: four and six digits beside 年金, or fourteen as a certificate (年金証書) has them."""
    return CuedPatternRecognizer(
        "PENSION_NUMBER", _NAMED, _CERTIFICATE, _BEFORE_WORD, needs=at_least(10), words="年金|ねんきん"
    )
