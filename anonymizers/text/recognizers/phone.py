"""Japanese telephone numbers."""

from anonymizers.text.patterns import SEPARATOR, CuedPatternRecognizer, Example, cue, digits, form

# Part of the number only where it is closed after the area code; else it opens a remark.
_BRACKET = r"(?:\((?=0[0-9]{1,4}\)))?"
_GAP = r"[-. ()・]{1,3}"

# Mobile and IP numbers are unmistakable by their first three digits, so any grouping is taken.
_MOBILE = form("mobile", rf"(?<![0-9])(?P<value>{_BRACKET}0[5-9]0(?:{SEPARATOR}[0-9]){{8}})(?![0-9])")
_GROUPED = form(
    "landline in groups",
    rf"(?<![0-9])(?P<value>{_BRACKET}0[1-9][0-9]{{0,3}}{_GAP}[0-9]{{1,4}}{_GAP}[0-9]{{3,4}})(?![0-9])",
)
_TOGETHER = form("landline in one", r"(?<![0-9])(?P<value>0[1-9][0-9]{8})(?![0-9])")
_ABROAD = form("with country code", rf"(?<![0-9])(?P<value>\+ ?81(?:{SEPARATOR}[0-9]){{9,11}})(?![0-9])")
_LOCAL = cue(
    "without area code",
    r"(?i)(?:電話(?:番号)?|TEL)[は:が ・.]{0,4}(?P<cued>[0-9]{2,4}[- ][0-9]{4})(?![0-9]|-[0-9])",
)

_LONG_PREFIXES = ("050", "060", "070", "080", "090")

EXAMPLES = (
    Example("携帯は090-0000-1234まで", ("090-0000-1234",)),
    Example("電話番号は080ー0000ー1234です", ("080ー0000ー1234",)),
    Example("０９０　００００　１２３４にお願いします", ("０９０　００００　１２３４",)),
    Example("①09000001234②0300001234", ("09000001234", "0300001234")),
    Example("園の番号 (03)0000-1234 か 0120-000-123", ("(03)0000-1234", "0120-000-123")),
    Example("+81 90-0000-1234に送って", ("+81 90-0000-1234",)),
    Example("TEL 0000-1234（市内）", ("0000-1234",)),
    Example("2024-04-06に0.5mlを3回、伝票は090000012345", ()),
)


class _Phone(CuedPatternRecognizer):
    """Numbers with as many digits as the numbering plan has: eleven for mobile, IP and 0800, else ten."""

    def validate_result(self, pattern_text: str) -> bool | None:
        """Whether the count of digits fits the prefix (総務省 電気通信番号計画); None where a cue vouches."""
        number = digits(pattern_text)
        if number.startswith("81"):
            return None
        # 0800 is an eleven-digit free number and has a mobile's first three digits.
        return len(number) == (11 if number.startswith(_LONG_PREFIXES) else 10)


def recognizer() -> CuedPatternRecognizer:
    """
    Finds PHONE.

    Presidio's PhoneRecognizer for JP is not used: it costs five times these patterns, a third of a whole
    analysis, and in 2,280 texts found nothing they do not (2026-11-24).
    """
    return _Phone("PHONE", _MOBILE, _GROUPED, _TOGETHER, _ABROAD, _LOCAL)
