"""Residence card numbers (在留カード)."""

from anonymizers.text.patterns import CuedPatternRecognizer, Example, form

_BY_FORM = form("by form", r"(?<![A-Za-z0-9])(?P<value>[A-Za-z]{2}[ -]?[0-9]{8}[ -]?[A-Za-z]{2})(?![A-Za-z0-9])")

EXAMPLES = (
    Example("在留カードはAB12345678CDです", ("AB12345678CD",)),
    Example("型番AB123456C、ABC12345678CD", ()),
)


def recognizer() -> CuedPatternRecognizer:
    """Finds RESIDENCE_CARD: two letters, eight digits, two letters (出入国在留管理庁)."""
    return CuedPatternRecognizer("RESIDENCE_CARD", _BY_FORM)
