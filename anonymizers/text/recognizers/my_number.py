"""Individual Numbers (個人番号, "My Number")."""

from anonymizers.text.patterns import (
    CuedPatternRecognizer,
    Example,
    UnlessSomethingElse,
    at_least,
    before,
    cue,
    digits,
    form,
    gap,
    near,
    run,
)

_TWELVE = r"[0-9]{4}[-. ・_/~〜の★☆*]{0,3}+[0-9]{4}[-. ・_/~〜の★☆*]{0,3}+[0-9]{4}(?![-. ]?[0-9])"
_BY_FORM = form("by form", rf"(?<![0-9])(?<![0-9][-. ])(?P<value>{_TWELVE})")
_WORD = (
    r"(?:マイ ?ナ(?:ン(?:バー)?|カ(?:ード)?|保険証|ポータル|(?=の番号|番号))|まいなんばー|個人番号|"
    r"My ?Number|通知カード)"
)
_NAMED = cue("after a word", rf"(?i){_WORD}{gap(20)}(?P<cued>{run(12)})")
_BEFORE_WORD = cue("before a word", rf"(?i)(?<![0-9])(?<![0-9][-. ])(?P<cued>{run(12)}){before(_WORD)}")

# 総務省令第85号 (平成26年) 第5条: the weight of the n-th digit from the right, the check digit not counted.
_WEIGHTS = (2, 3, 4, 5, 6, 7, 2, 3, 4, 5, 6)

_NEAR = (
    r"マイ ?ナ|まいな|個人番号|番号(?:カード|通知)|通知(?:カード|の)|(?:12|十二)(?:桁|けた|ケタ)|e-?Tax|確定申告|"
    r"年末調整|扶養控除|源泉|役[所場]|本人確認|My ?Number|番号[はがもに:」]?"
)

EXAMPLES = (
    Example("申請に1234 5678 9018を書いた", ("1234 5678 9018",)),
    Example("１２３４５６７８９０１８って書くの？", ("１２３４５６７８９０１８",)),
    Example("マイナンバーは123456789010でした", ("123456789010",)),
    Example("1234・5678・9010がマイナンバーです", ("1234・5678・9010",)),
    Example("伝票番号123456789010が届かない、注文番号1234-5678-9018", ()),
)


class _MyNumber(UnlessSomethingElse):
    """Numbers whose check digit is right."""

    def validate_result(self, pattern_text: str) -> bool | None:
        """Whether the check digit fits (総務省令第85号 第5条); one figure twelve times over is nobody's."""
        *body, check = map(int, digits(pattern_text))
        remainder = sum(p * q for p, q in zip(reversed(body), _WEIGHTS, strict=True)) % 11
        return check == (0 if remainder <= 1 else 11 - remainder) and len(set(body)) > 1


def recognizer() -> CuedPatternRecognizer:
    """Finds MY_NUMBER: by form and check digit, or beside its name even where mistyped."""
    return _MyNumber(
        "MY_NUMBER", _BY_FORM, _NAMED, _BEFORE_WORD, near("near a word", 12, 12), needs=at_least(12), near=_NEAR
    )
