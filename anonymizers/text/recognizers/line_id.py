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
# Parts with a space or a mark between them: one has digits, or nothing more is said than the ID.
_PART = r"[A-Za-z0-9_.\-]{1,15}"
_SPACES = r"[ ・★☆♡♥♪_]"
_ENGLISH = (
    r"(?![^ ]{0,15}(?: [^ ]{1,15}){0,2} (?:is|the|to|me|and|my|you|for|please|ok|a|of|in|on|id|it|not|or)(?![a-z]))"
)
_NO_WORD = (
    r"(?!(?:is|the|to|me|my|you|please|ok|ng|qr|and|pc|id|app|group|call|vip|pay|works|music|stamp|news|it|or|not|or|"
    r"only|vs|no|in|of)(?![a-z]))"
)
_PARTED = cue(
    "after LINE, in parts",
    rf"(?i){_LINE} ?(?:の ?)?(?:{_WORD}(?:です)?[はが:→⇒= 「『\n]{{1,4}}|"
    rf"[はが:→⇒=][: 「『\n]{{0,3}}){_NOT}{_NO_WORD}{_ENGLISH}"
    rf"(?=[A-Za-z])(?P<cued>(?=[A-Za-z ・★☆♡♥♪_.\-]{{1,40}}[0-9]{{2}}){_PART}(?:{_SPACES}{_PART}){{1,3}}){_END}"
    rf"(?! [A-Za-z]|"
    rf" ?(?:歳|才|円|時|人|年|月|日|個|分|GB|MB))",
)
# What may stand after an ID in parts, and what makes the last part a count.
_COUNTED = r"(?! [A-Za-z0-9]| ?(?:歳|才|円|時|人|年|月|日|個|分|枚|GB|MB))"
_PARTED_ID = cue(
    "after LINE ID, in many parts",
    rf"(?i){_LINE} ?(?:の ?)?{_WORD}(?:です)?[はが:→⇒= 「『(\n、]{{1,4}}{_NOT}{_NO_WORD}{_ENGLISH}(?=[A-Za-z])"
    rf"(?P<cued>(?=[A-Za-z _.\-]{{1,40}}[0-9_]){_PART}(?: {{1,2}}{_PART}){{1,12}}){_END}{_COUNTED}",
)
_PARTED_ALONE = cue(
    "after ID alone, in parts",
    rf"(?i)(?<![A-Za-z])(?<!会員)(?<!会議)(?<!ログイン)(?<!ルーム)(?<!ミーティング)(?<!Zoom)(?<!商品)(?<!注文){_WORD}"
    rf"(?:検索で?|[はが:→]) ?{_NOT}{_NO_WORD}{_ENGLISH}(?=[A-Za-z])"
    rf"(?P<cued>(?=[A-Za-z _.\-]{{1,40}}[0-9_]){_PART}(?: {{1,2}}{_PART}){{1,3}}){_END}{_COUNTED}",
)
_PARTED_LATER = cue(
    "after LINE and words, in parts",
    rf"(?i)(?:{_LINE}|{_LINE}[^\n。]{{0,12}}ID)[^A-Za-z0-9@\n]{{0,16}}+\n?{_NOT}{_NO_WORD}{_ENGLISH}(?=[A-Za-z])"
    rf"(?P<cued>(?=[A-Za-z _.\-]{{1,40}}[0-9_]){_PART}(?: {{1,2}}{_PART}){{1,3}}){_END}{_COUNTED}",
)
_PARTED_BEFORE = cue(
    "before LINE, in parts",
    rf"(?i)(?<![A-Za-z0-9@._\-/]|[A-Za-z] ){_NOT}{_NO_WORD}{_ENGLISH}(?=[A-Za-z])"
    rf"(?P<cued>(?=[A-Za-z _.\-]{{1,40}}[0-9_]){_PART}(?: {{1,2}}{_PART}){{1,3}})"
    rf"(?=[」』)]?[^A-Za-z0-9@\n。、]{{0,8}}{_LINE}(?:の|で|に|を|検索|ID|追加|交換))",
    r"(?<![A-Za-z0-9@._\-/])[A-Za-z][A-Za-z0-9_.\-]{0,14} ",
)
_PARTED_LETTERS = cue(
    "after LINE ID, in parts",
    rf"(?i){_LINE} ?(?:の ?)?(?:{_WORD}(?:です)?[はが:→⇒= 「『\n、(]{{1,4}}|(?:は|→|:|⇒|、| |\(){{1,2}})"
    rf"{_NOT}{_NO_WORD}{_ENGLISH}(?=[A-Za-z])"
    rf"(?P<cued>{_PART}(?:{_SPACES}{_PART}){{1,4}})(?=[」』]?(?: ?(?:です|で検索|で追加|で登録|だよ|よろ)|[。!\n]|$))",
)
_ID_ONLY = cue(
    "after ID",
    rf"(?i)(?<![A-Za-z])(?<!会員)(?<!会議)(?<!ログイン)(?<!Apple )(?<!ルーム)(?<!ミーティング)(?<!Zoom)(?<!Zoom )"
    rf"(?<!商品)(?<!注文){_WORD}(?:検索で?)?"
    rf" ?(?:[はが:→⇒=で、][:→= 「『\n]{{0,3}}|[ 「『]{{1,2}}){_NOT}(?P<cued>{_ID}){_END}",
)
_BEFORE = cue(
    "before LINE",
    rf"(?i)(?<![A-Za-z0-9@._\-/]){_NOT}(?P<cued>{_ID_LIKE})(?=[」』)]?[^A-Za-z0-9@\n。、]{{0,14}}{_LINE}(?:の|で|に|"
    rf"を|"
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
        _PARTED,
        _PARTED_ID,
        _PARTED_ALONE,
        _PARTED_LATER,
        _PARTED_BEFORE,
        _PARTED_LETTERS,
        _ID_ONLY,
        _BEFORE,
        _BEFORE_ID,
        needs="(?i)l[^a-z]?[^a-z ]?n[e3]|l i n e|line|緑|みどり|りね|ライン|"
        "らいん|id|アイデ|アイディ|アディ|あいで|アカ",
    )
