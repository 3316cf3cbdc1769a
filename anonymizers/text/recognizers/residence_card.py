"""Residence card numbers (在留カード)."""

from anonymizers.text.patterns import LETTER_CALLED, CuedPatternRecognizer, Example, cue, form

_SEP = r"[-. ・/,、_~〜の*★☆♪♡♥●◆■▲▼◇⭐]{0,3}"
_LETTERS, _DIGITS = rf"[A-Za-z]{_SEP}[A-Za-z]", rf"[0-9](?:{_SEP}[0-9]){{7}}"
_BY_FORM = form(
    "by form",
    rf"(?<![A-Za-z0-9])(?P<value>{_LETTERS}{_SEP}{_DIGITS}{_SEP}{_LETTERS})(?![A-Za-z0-9])",
)
_SPOKEN = form(
    "letters as they are called",
    rf"(?<![ァ-ヺー])(?P<value>{LETTER_CALLED}{_SEP}{LETTER_CALLED}{_SEP}[0-9](?:{_SEP}[0-9OIl]){{7}}{_SEP}"
    rf"{LETTER_CALLED}{_SEP}{LETTER_CALLED})(?![ァ-ヺー])",
)
_WORD = r"(?:在留|特別永住者|ざいりゅう|ザイリュウ|外国人登録|residence card)"
# The letters O and I stand for digits where the others are digits.
_NUMBER = (
    rf"{_LETTERS}{_SEP}(?=(?:[OIl]?{_SEP}[0-9]{_SEP}){{5}})[0-9OIl](?:{_SEP}[0-9OIl]){{7}}{_SEP}{_LETTERS}"
    r"(?![A-Za-z0-9])"
)
_NAMED = cue("after a word", rf"(?i){_WORD}[^0-9A-Za-z\n。]{{0,20}}+\n?(?P<cued>{_NUMBER})")
_BEFORE_WORD = cue("before a word", rf"(?i)(?<![A-Za-z0-9])(?P<cued>{_NUMBER})(?=[^0-9A-Za-z\n。]{{0,12}}{_WORD})")

EXAMPLES = (
    Example("在留カードはAB12345678CDです", ("AB12345678CD",)),
    Example("在留カードの番号 AB 1234 5678 CD", ("AB 1234 5678 CD",)),
    Example("型番AB123456C、ABC12345678CD", ()),
)


def recognizer() -> CuedPatternRecognizer:
    """Finds RESIDENCE_CARD: two letters, eight digits, two letters (出入国在留管理庁)."""
    return CuedPatternRecognizer(
        "RESIDENCE_CARD",
        _BY_FORM,
        _SPOKEN,
        _NAMED,
        _BEFORE_WORD,
        needs=rf"[A-Za-z]{_SEP}[0-9OIl]|[ァ-ヺーぁ-ゖ]{{2}}[- ]?[0-9]{{4}}",
    )
