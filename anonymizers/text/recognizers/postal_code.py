"""Japanese postal codes."""

from anonymizers.text.patterns import CuedPatternRecognizer, Example, cue

_CODE = r"[0-9]{3} ?-? ?[0-9]{4}(?![0-9])"
_MARKED = cue("after the mark", rf"(?P<cued>〒 ?:? ?{_CODE})")
# Without the mark three and four digits are as well a quantity or a local number: a word or an address decides.
_NAMED = cue("after a word", rf"(?:郵便番号|住所)[はが: ]{{0,4}}(?P<cued>{_CODE})")
_BEFORE_ADDRESS = cue("before an address", r"(?<![0-9-])(?P<cued>[0-9]{3}-[0-9]{4})(?=\s{0,3}[一-鿿]{2,3}[都道府県])")

EXAMPLES = (
    Example("引っ越し先は〒100-0000です", ("〒100-0000",)),
    Example("〒１００－００００と郵便番号1000000", ("〒１００－００００", "1000000")),
    Example("100-0000\n東京都", ("100-0000",)),
    Example("型番は100-0000で1000000円", ()),
)


def recognizer() -> CuedPatternRecognizer:
    """Finds POSTAL_CODE, with its 〒 where there is one."""
    return CuedPatternRecognizer("POSTAL_CODE", _MARKED, _NAMED, _BEFORE_ADDRESS)
