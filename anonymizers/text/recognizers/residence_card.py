"""Residence card numbers (在留カード)."""

from anonymizers.text.patterns import CuedPatternRecognizer, Example, cue, form

_SEP = r"[-. ・_~〜の★☆●◆♪*]{0,3}"
_BY_FORM = form(
    "by form",
    rf"(?<![A-Za-z0-9])(?P<value>[A-Za-z]{{2}}{_SEP}[0-9]{{4}}{_SEP}[0-9]{{4}}{_SEP}[A-Za-z]{{2}})(?![A-Za-z0-9])",
)
_WORD = r"(?:在留|特別永住者|ざいりゅう|residence card)"
_NUMBER = rf"[A-Za-z]{_SEP}[A-Za-z]{_SEP}[0-9](?:{_SEP}[0-9]){{7}}{_SEP}[A-Za-z]{_SEP}[A-Za-z](?![A-Za-z0-9])"
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
        "RESIDENCE_CARD", _BY_FORM, _NAMED, _BEFORE_WORD, needs="[A-Za-z][-. ・_~〜の★☆●◆♪*]{0,3}[0-9]"
    )
