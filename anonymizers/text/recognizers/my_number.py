"""Individual Numbers (個人番号, "My Number")."""

from anonymizers.text.patterns import CuedPatternRecognizer, Example, cue, digits, form

_TWELVE = r"[0-9]{4}[ -]{0,2}[0-9]{4}[ -]{0,2}[0-9]{4}(?![ -]?[0-9])"
_BY_FORM = form("by form", rf"(?<![0-9])(?<![0-9][ -])(?P<value>{_TWELVE})")
_NAMED = cue("after a word", rf"(?:マイナンバー|個人番号)[^0-9\n]{{0,10}}(?P<cued>{_TWELVE})")

# 総務省令第85号 (平成26年) 第5条: the weight of the n-th digit from the right, the check digit not counted.
_WEIGHTS = (2, 3, 4, 5, 6, 7, 2, 3, 4, 5, 6)

EXAMPLES = (
    Example("申請に1234 5678 9018を書いた", ("1234 5678 9018",)),
    Example("１２３４５６７８９０１８って書くの？", ("１２３４５６７８９０１８",)),
    Example("マイナンバーは123456789010でした", ("123456789010",)),
    Example("伝票番号123456789010が届かない", ()),
)


class _MyNumber(CuedPatternRecognizer):
    """Numbers whose check digit is right."""

    def validate_result(self, pattern_text: str) -> bool | None:
        """Whether the check digit fits (総務省令第85号 第5条)."""
        *body, check = map(int, digits(pattern_text))
        remainder = sum(p * q for p, q in zip(reversed(body), _WEIGHTS, strict=True)) % 11
        return check == (0 if remainder <= 1 else 11 - remainder)


def recognizer() -> CuedPatternRecognizer:
    """Finds MY_NUMBER: by form and check digit, or after its name even where mistyped."""
    return _MyNumber("MY_NUMBER", _BY_FORM, _NAMED)
