"""Payment card numbers."""

from anonymizers.text.patterns import CuedPatternRecognizer, Example, cue, digits, form

# Presidio's own is not loaded for Japanese and stops at `\b`.
_GAP = r"[ -]{0,2}"
_SIXTEEN = form("four by four", rf"(?<![0-9])(?P<value>[2-6][0-9]{{3}}(?:{_GAP}[0-9]{{4}}){{3}})(?![0-9])")
_FIFTEEN = form("four, six, five", rf"(?<![0-9])(?P<value>3[47][0-9]{{2}}{_GAP}[0-9]{{6}}{_GAP}[0-9]{{5}})(?![0-9])")
_FOURTEEN = form("four, six, four", rf"(?<![0-9])(?P<value>3[068][0-9]{{2}}{_GAP}[0-9]{{6}}{_GAP}[0-9]{{4}})(?![0-9])")
_NAMED = cue("after a word", r"カード(?:番号|ナンバー)[^0-9\n]{0,6}(?P<cued>[0-9](?:[ -]{0,2}[0-9]){13,18})(?![0-9])")

EXAMPLES = (
    Example("引き落としは4111111111111111で", ("4111111111111111",)),
    Example(
        "４１１１－１１１１－１１１１－１１１１と3782 822463 10005",
        ("４１１１－１１１１－１１１１－１１１１", "3782 822463 10005"),
    ),
    Example("カード番号は4111 1111 1111 1112です", ("4111 1111 1111 1112",)),
    Example("追跡番号4111111111111112が届かない", ()),
)


class _CreditCard(CuedPatternRecognizer):
    """Numbers whose check digit is right."""

    def validate_result(self, pattern_text: str) -> bool | None:
        """Whether the check digit fits (Luhn; ISO/IEC 7812-1 annex B)."""
        odd, even = (digits(pattern_text)[::-1][start::2] for start in (0, 1))
        doubled = (2 * int(digit) for digit in even)
        return (sum(map(int, odd)) + sum(d - 9 if d > 9 else d for d in doubled)) % 10 == 0


def recognizer() -> CuedPatternRecognizer:
    """Finds CREDIT_CARD: by form and check digit, or after カード番号 even where mistyped."""
    return _CreditCard("CREDIT_CARD", _SIXTEEN, _FIFTEEN, _FOURTEEN, _NAMED)
