"""LINE IDs."""

from anonymizers.text.patterns import PRODUCT, CuedPatternRecognizer, Example, cue

# LINE allows 4 to 20 of these (LINE ヘルプセンター); an ID of three is taken too, people shorten.
_ID = r"@?[A-Za-z0-9._\-]{2,29}[A-Za-z0-9_]"
# Where no word says "ID", only what is no English word counts: it has a digit, a dot, a line.
_ID_LIKE = rf"(?=@|[A-Za-z]{{0,20}}[0-9_.\-])(?=[0-9._\-]{{0,20}}[A-Za-z@]){_ID}"
_WORD = r"(?:ID|アイ?ディー?|アイデー|あいでぃー?|あいでー|アカウント|アカ)"
_END = r"(?![A-Za-z0-9/@])"
# "オンライン", "ガイドライン" are other words.
# The letters are masked too ("L○NE", "LlNE"), and the app is called by its colour.
_LINE = (
    r"(?:(?<![A-Za-z])L[Il1|!○◯〇●*☆★_.\-]N[E3]|(?<![A-Za-z])L I N E|(?<![ァ-ヺー])ライン|らいん|りね(?=[の ]?ID)|"
    r"(?:緑|みどり)の(?:アプリ|やつ|アイコン|あれ))"
)
_LEAD = r"[はがも:→⇒=( 「『【\[<、・…\n]"
_NOT = PRODUCT
_NAMED = cue("after LINE", rf"(?i){_LINE}[ のは]{{0,2}}{_WORD}?{_LEAD}{{1,4}}{_NOT}(?P<cued>{_ID}){_END}")
_NAMED_LATER = cue(
    "after LINE and words",
    rf"(?i){_LINE}[^A-Za-z0-9@\n。]{{0,16}}+(?:。|\n)?{_NOT}(?P<cued>{_ID_LIKE}){_END}(?!歳|才|円|時|人)",
)
_POINTED = cue("after LINE, pointed at", rf"(?i){_LINE}[^A-Za-z0-9@\n。]{{1,14}}?[→:⇒] ?{_NOT}(?P<cued>{_ID}){_END}")
_TOGETHER = cue(
    "after LINE ID",
    rf"(?i){_LINE} ?(?:の ?)?{_WORD}(?:です。)?[^A-Za-z0-9@\n。]{{0,10}}+\n?{_NOT}"
    rf"(?P<cued>{_ID}){_END}",
)
_ID_ONLY = cue(
    "after ID",
    rf"(?i)(?<![A-Za-z])(?<!会員)(?<!会議)(?<!ログイン)(?<!Apple )(?<!ルーム)(?<!ミーティング)(?<!Zoom)(?<!Zoom )"
    rf"(?<!商品)(?<!注文){_WORD}(?:検索で?)?"
    rf" ?(?:[はが:→⇒=で、][:→= 「『\n]{{0,3}}|[ 「『]{{1,2}}){_NOT}(?P<cued>{_ID}){_END}",
)
_BEFORE = cue(
    "before LINE",
    rf"(?i)(?<![A-Za-z0-9@._\-/]){_NOT}(?P<cued>{_ID_LIKE})(?=[」』)]?[^A-Za-z0-9@\n。、]{{0,14}}{_LINE}(?:の|で|に|を|"
    rf"検索|ID|"
    rf"です|に|追加|交換|くだ|よろ|$|[)」]))",
)
_BEFORE_ID = cue(
    "before ID",
    rf"(?i)(?<![A-Za-z0-9@._\-/]){_NOT}(?P<cued>{_ID_LIKE})(?=[」』]?(?:が|って|という|っていう|で)(?:私|うち|自分|"
    rf"わたし)?の?(?:LINE|"
    rf"ライン)?の?{_WORD}(?![A-Za-z]))",
)

EXAMPLES = (
    Example("ライン ID：hana_0305　気軽に追加して", ("hana_0305",)),
    Example("LINE交換しませんか？IDは@hana_mama44です", ("@hana_mama44",)),
    Example("ＬＩＮＥ→ｈａｎａｍａｍａ", ("ｈａｎａｍａｍａ",)),
    Example("らいんあいでぃー「hanamama」で検索", ("hanamama",)),
    Example("ラインやってます hana_0305 です", ("hana_0305",)),
    Example("hana-0305でLINE検索して", ("hana-0305",)),
    Example("LINEでやりとり。IDを忘れた、オンライン講座、LINEはiPhone15で", ()),
)


def recognizer() -> CuedPatternRecognizer:
    """Finds LINE_ID: an ID beside LINE, or beside ID where nothing says which service it is of."""
    return CuedPatternRecognizer(
        "LINE_ID",
        _NAMED,
        _NAMED_LATER,
        _POINTED,
        _TOGETHER,
        _ID_ONLY,
        _BEFORE,
        _BEFORE_ID,
        needs="(?i)l[^a-z]?[^a-z ]?n[e3]|l i n e|line|緑|みどり|りね|ライン|"
        "らいん|id|アイデ|アイディ|アディ|あいで|アカ",
    )
