"""Payment card numbers."""

from anonymizers.text.patterns import (
    CuedPatternRecognizer,
    Example,
    UnlessSomethingElse,
    at_least,
    cue,
    digits,
    form,
    gap,
    near,
    run,
)

# Presidio's own is not loaded for Japanese and stops at `\b`. Brands by their first digits: 2 to 6, Amex and Diners 3.
_NUMBER = form("by form", rf"(?<![0-9])(?<![0-9][- ])(?P<value>(?=[2-6]){run(14, 16)})(?![- ]?[0-9])")
_WORD = (
    r"(?:カード(?:の)?(?:番号|ナンバー|No\.?)|クレカ|クレジット(?:カード)?|家族カード|本カード|VISA|ビザ"
    r"(?:カード)?|JCB|マスターカード|Master(?:Card)?|"
    r"アメックス|AMEX|"
    r"ダイナース|Diners|デビット|(?:楽天|イオン|エポス|セゾン|dカード|三井住友|PayPay|au ?PAY) ?カード|カード"
    r"(?=[はが:の]))"
)
_NAMED = cue("after a word", rf"(?i){_WORD}{gap(16)}(?P<cued>{run(14, 19)})")
_BEFORE_WORD = cue(
    "before a word", rf"(?i)(?<![0-9])(?P<cued>{run(14, 16)})(?=[^0-9\n。]{{0,12}}{_WORD}|[がので、 ]{{0,2}}カード)"
)

_NEAR = (
    r"カード|クレ[カジ]|VISA|ビザ|JCB|マスター|Master|アメックス|AMEX|ダイナース|Diners|デビット|有効期限|"
    r"セキュリティ|CVV|名義|決済|引き?落と?し|不正利用|楽天|イオン|エポス|セゾン|PayPay|(?:14|15|16)(?:桁|けた|ケタ)"
)
_MASKED = cue(
    "part of it, after a word",
    rf"(?i){_WORD}{gap(16)}(?P<cued>[0-9]{{4}}(?:[- ]?[*x・●]{{4}}){{2}}[- ]?[0-9]{{4}}|"
    r"(?<=[下末]尾?[4四](?:桁|けた|ケタ)[はがの: ]{0,2})[0-9]{4})(?![0-9])",
)
EXAMPLES = (
    Example("引き落としは4111111111111111で", ("4111111111111111",)),
    Example(
        "４１１１－１１１１－１１１１－１１１１と3782 822463 10005",
        ("４１１１－１１１１－１１１１－１１１１", "3782 822463 10005"),
    ),
    Example("カード番号は4111 1111 1111 1112です", ("4111 1111 1111 1112",)),
    Example("4111・1111・1111・1112が私のクレカ", ("4111・1111・1111・1112",)),
    Example("追跡番号4111111111111112が届かない、注文番号は4111111111111111", ()),
)


class _CreditCard(UnlessSomethingElse):
    """Numbers whose check digit is right."""

    def validate_result(self, pattern_text: str) -> bool | None:
        """Whether count and check digit fit (Luhn; ISO/IEC 7812-1 annex B)."""
        number = digits(pattern_text)
        if len(number) < 16 and not number.startswith("3"):
            return False
        odd, even = (number[::-1][start::2] for start in (0, 1))
        doubled = (2 * int(digit) for digit in even)
        return (sum(map(int, odd)) + sum(d - 9 if d > 9 else d for d in doubled)) % 10 == 0


def recognizer() -> CuedPatternRecognizer:
    """Finds CREDIT_CARD: by form and check digit, or beside a word for a card even where mistyped."""
    return _CreditCard(
        "CREDIT_CARD",
        _NUMBER,
        _NAMED,
        _BEFORE_WORD,
        _MASKED,
        near("near a word", 14, 16),
        needs=at_least(4),
        near=_NEAR,
    )
