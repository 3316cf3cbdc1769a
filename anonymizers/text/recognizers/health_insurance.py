"""Numbers on a health insurance card."""

from anonymizers.text.patterns import CuedPatternRecognizer, Example, cue

_WORD = r"(?:保険者番号|被保険者番号|保険証の?番号|保険証|公費負担者番号|受給者番号)"
_NAMED = cue("after a word", rf"{_WORD}[^0-9\n]{{0,10}}(?P<cued>[0-9]{{6,8}})(?![0-9]|円)")

EXAMPLES = (
    Example("保険証の保険者番号01234567って何", ("01234567",)),
    Example("受給者番号は1234567でした", ("1234567",)),
    Example("保険料は1234567円、製造番号01234567", ()),
)


def recognizer() -> CuedPatternRecognizer:
    """Finds HEALTH_INSURANCE: insurer (8 or 6 digits) and recipient (7) numbers after their name."""
    return CuedPatternRecognizer("HEALTH_INSURANCE", _NAMED)
