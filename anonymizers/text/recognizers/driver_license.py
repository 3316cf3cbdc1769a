"""Driver's licence numbers."""

from anonymizers.text.patterns import CuedPatternRecognizer, Example, at_least, before, cue, gap, near, run

# The public formula for its last digit is unofficial, so the word beside it decides and no check digit.
_WORD = r"(?:免許|めんきょ|メンキョ|免状|ゴールド免許|ライセンス)"
_NEAR = rf"{_WORD}|運転|原付|公安|ゴールド|ペーパードライバー|免停"
_NAMED = cue("after a word", rf"{_WORD}{gap(18)}(?P<cued>{run(12)})")
_BEFORE_WORD = cue("before a word", rf"(?<![0-9])(?<![0-9]-)(?P<cued>{run(12)}){before(_WORD)}")

EXAMPLES = (
    Example("免許証の番号301234567890を聞かれた", ("301234567890",)),
    Example("免許証番号：第 30-12-345678-90 号", ("30-12-345678-90",)),
    Example("3012 3456 7890が免許の番号です", ("3012 3456 7890",)),
    Example("伝票番号301234567890、免許は20歳で取った", ()),
)


def recognizer() -> CuedPatternRecognizer:
    """Finds DRIVER_LICENSE: twelve digits beside 免許 (道路交通法施行規則 別記様式第14)."""
    return CuedPatternRecognizer(
        "DRIVER_LICENSE",
        _NAMED,
        _BEFORE_WORD,
        near("near a word", 12),
        needs=at_least(12),
        words=_NEAR,
        near=_NEAR,
    )
