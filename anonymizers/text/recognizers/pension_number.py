"""Basic pension numbers (基礎年金番号)."""

from anonymizers.text.patterns import CuedPatternRecognizer, Example, cue

_NAMED = cue("after a word", r"年金[^0-9\n]{0,10}(?P<cued>[0-9]{4}[ -]{0,2}[0-9]{6})(?![0-9])")

EXAMPLES = (
    Example("基礎年金番号 1234-567890 が分からない", ("1234-567890",)),
    Example("年金手帳の１２３４５６７８９０", ("１２３４５６７８９０",)),
    Example("年金は1234567円、電話は1234-567890", ()),
)


def recognizer() -> CuedPatternRecognizer:
    """Finds PENSION_NUMBER: four and six digits after 年金."""
    return CuedPatternRecognizer("PENSION_NUMBER", _NAMED)
