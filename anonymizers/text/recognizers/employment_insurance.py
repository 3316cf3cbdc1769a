"""Employment insurance numbers (雇用保険 被保険者番号)."""

from anonymizers.text.patterns import CuedPatternRecognizer, Example, cue

_NAMED = cue(
    "after a word", r"(?:雇用保険|被保険者番号)[^0-9\n]{0,12}(?P<cued>[0-9]{4}[ -]{0,2}[0-9]{6}[ -]{0,2}[0-9])(?![0-9])"
)

EXAMPLES = (
    Example("雇用保険の番号は1234-567890-1です", ("1234-567890-1",)),
    Example("雇用保険に12345678901234と書いた", ()),
)


def recognizer() -> CuedPatternRecognizer:
    """Finds EMPLOYMENT_INSURANCE: four, six and one digits after its name."""
    return CuedPatternRecognizer("EMPLOYMENT_INSURANCE", _NAMED)
