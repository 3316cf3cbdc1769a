"""LINE IDs."""

from anonymizers.text.patterns import CuedPatternRecognizer, Example, cue

# LINE allows 4 to 20 of these (LINE ヘルプセンター); an ID of three is taken too, people shorten.
_ID = r"@?[A-Za-z0-9._\-]{2,29}[A-Za-z0-9_]"
_WORD = r"(?:ID|アイディー|アイディ|アイデー)"
_END = r"(?![A-Za-z0-9/@])"
_NAMED = cue(
    "after LINE", rf"(?i)(?:LINE|ライン|らいん)[ のは]{{0,2}}{_WORD}?[はがも:→=( ]{{1,4}}(?P<cued>{_ID}){_END}"
)
_ID_ONLY = cue("after ID", rf"(?i)(?<![A-Za-z]){_WORD}[はが:→=][:→= ]{{0,3}}(?P<cued>{_ID}){_END}")

EXAMPLES = (
    Example("ライン ID：hana_0305　気軽に追加して", ("hana_0305",)),
    Example("LINE交換しませんか？IDは@hana_mama44です", ("@hana_mama44",)),
    Example("ＬＩＮＥ→ｈａｎａｍａｍａ", ("ｈａｎａｍａｍａ",)),
    Example("LINEでやりとり。IDを忘れた、オンライン講座", ()),
)


def recognizer() -> CuedPatternRecognizer:
    """Finds LINE_ID: an ID beside LINE, or beside ID where nothing says which service it is of."""
    return CuedPatternRecognizer("LINE_ID", _NAMED, _ID_ONLY, needs="[A-Za-z0-9]")
