"""Corporate numbers (法人番号), also as the registration number on invoices."""

from anonymizers.text.patterns import (
    IN_BRACKETS,
    CuedPatternRecognizer,
    Example,
    UnlessSomethingElse,
    at_least,
    before,
    bracketed,
    cue,
    digits,
    form,
    gap,
    near,
    run,
)

_WORD = r"(?:法人(?:の)?番号|法人ナンバー|インボイス|適格請求書|登録番号|事業者番号)"
_NAMED = cue("after a word", rf"{_WORD}{gap(16)}(?P<cued>{run(13)})")
_BRACKETED = cue("after a word, a group in brackets", bracketed(_WORD, 13))
_BEFORE_WORD = cue("before a word", rf"(?<![0-9])(?<![0-9]-)(?P<cued>{run(13)}){before(_WORD)}")
_INVOICE = form("after T", rf"(?<![A-Za-z0-9])[Tt][- ]?(?P<value>{run(13)})")
_GROUPED = form(
    "one and four by four", r"(?<![0-9])(?<![0-9]-)(?P<value>[1-9][- ・][0-9]{4}(?:[- ・][0-9]{4}){2})(?![0-9]|-[0-9])"
)

# 45, 49 and 978 begin the numbers of goods and books (JAN, ISBN).
_IN_ONE = form(
    "in one", r"(?<![0-9A-Za-z.,])(?<![0-9][-. ])(?P<value>(?!4[59]|97[89])[1-9][0-9]{12})(?![-.,]?[0-9]|円)"
)
_NEAR = (
    r"法人|ほうじん|ホウジン|法番|国税|インボイス|いんぼいす|適格|登録番号|請求書|領収書|事業者|会社|企業|業者|勤務先|"
    r"勤め先|(?:13|十三)(?:桁|けた|ケタ)"
)

EXAMPLES = (
    Example("法人番号は7000012050002です", ("7000012050002",)),
    Example("登録番号 Ｔ７０００－０１２０－５０００２", ("７０００－０１２０－５０００２",)),
    Example("7-0000-1205-0002って会社", ("7-0000-1205-0002",)),
    Example("ISBN 9784000000008、JANは4900000000002", ()),
)


class _CorporateNumber(UnlessSomethingElse):
    """Numbers whose check digit is right."""

    def validate_result(self, pattern_text: str) -> bool | None:
        """Whether the first digit fits the rest (法人番号の指定等に関する省令 第2条; 国税庁, read 2026-11-24)."""
        check, *body = map(int, digits(pattern_text))
        return check == 9 - sum(d * (2 if n % 2 else 1) for n, d in enumerate(reversed(body))) % 9


def recognizer() -> CuedPatternRecognizer:
    """Finds CORPORATE_NUMBER: thirteen digits, the first of them a check digit; T before them is not part of it."""
    return _CorporateNumber(
        "CORPORATE_NUMBER",
        _NAMED,
        _BRACKETED,
        _BEFORE_WORD,
        _INVOICE,
        _GROUPED,
        _IN_ONE,
        near("near a word", 13),
        needs=rf"{at_least(13)}|{IN_BRACKETS}",
        near=_NEAR,
    )
