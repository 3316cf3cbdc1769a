"""Driver's licence numbers."""

from anonymizers.text.patterns import CuedPatternRecognizer, Example, cue

# The public formula for its last digit is unofficial, so the word beside it decides and no check digit.
_NAMED = cue("after a word", r"免許[^0-9\n]{0,10}(?P<cued>[0-9]{2}(?:[ -]?[0-9]){10})(?![0-9])")

EXAMPLES = (
    Example("免許証の番号301234567890を聞かれた", ("301234567890",)),
    Example("伝票番号301234567890、免許は20歳で取った", ()),
)


def recognizer() -> CuedPatternRecognizer:
    """Finds DRIVER_LICENSE: twelve digits after 免許."""
    return CuedPatternRecognizer("DRIVER_LICENSE", _NAMED)
