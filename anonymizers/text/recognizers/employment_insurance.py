"""Employment insurance numbers (雇用保険 被保険者番号)."""

from anonymizers.text.patterns import (
    IN_BRACKETS,
    CuedPatternRecognizer,
    Example,
    UnlessSomethingElse,
    at_least,
    before,
    bracketed,
    cue,
    form,
    gap,
    near,
    run,
)

_WORD = r"(?:雇用保険|雇保|被保険者番号|被保険者証|失業保険|失業給付|離職票|ハローワーク|ハロワ|育休給付|育児休業給付)"
_NAMED = cue("after a word", rf"{_WORD}{gap(18)}(?P<cued>{run(11)})")
_BRACKETED = cue("after a word, a group in brackets", bracketed(_WORD, 11))
_BEFORE_WORD = cue("before a word", rf"(?<![0-9])(?<![0-9]-)(?P<cued>{run(11)}){before(_WORD)}")
_OFFICE = cue("office number", rf"事業所番号{gap(6)}(?P<cued>{run(11)})")
_BY_FORM = form("by form", r"(?<![0-9])(?<![0-9]-)(?P<value>[0-9]{4}-[0-9]{6}-[0-9])(?![0-9]|-[0-9])")

_NEAR = (
    rf"{_WORD}|雇用|こよう|コヨウ|失業|離職|退職|転職|再就職|給付|育休|産休|育児休業|被保険者|喪失|資格取得|事業所|"
    r"ハロー ?ワーク|(?:11|十一)(?:桁|けた|ケタ)"
)

EXAMPLES = (
    Example("雇用保険の番号は1234-567890-1です", ("1234-567890-1",)),
    Example("12345678901が雇用保険の番号", ("12345678901",)),
    Example("雇用保険に12345678901234と書いた、注文番号1234-567890-1", ()),
)


def recognizer() -> CuedPatternRecognizer:
    """Finds EMPLOYMENT_INSURANCE: four, six and one digits."""
    return UnlessSomethingElse(
        "EMPLOYMENT_INSURANCE",
        _NAMED,
        _BRACKETED,
        _BEFORE_WORD,
        _OFFICE,
        _BY_FORM,
        near("near a word", 11),
        needs=rf"{at_least(11)}|{IN_BRACKETS}",
        near=_NEAR,
    )
