"""Numbers of maternal and child health handbooks (母子健康手帳 交付番号)."""

from anonymizers.text.patterns import NOT_COUNTED, CuedPatternRecognizer, Example, beside, cue

# Each municipality numbers as it likes: a year, a hyphen, letters of a branch office, three digits or more.
_MARKS = r"\-ー−‐–—―─. /・の_~〜★☆♪♡♥●◆■\p{So}"
_MARK = rf"(?: ?[{_MARKS}]{{1,2}} ?| ?-?[(\[「【『<〈] ?(?=第? ?[0-9]{{3}})|[)\]」】』>〉]-? ?(?=[0-9]{{3}}))"
# Strokes, dots and the like that stand in no fraction, and in no decimal or time either.
_JOIN = r"(?: ?[\-ー−‐–—の~〜★☆♪♡♥●◆■\p{So}]{1,2} ?| )"
_BODY = rf"[A-Za-z0-9]{{1,12}}(?:{_MARK}[A-Za-z0-9]{{1,8}}){{0,5}}+"
_TWO_DIGITS = rf"(?=[A-Za-z0-9{_MARKS}(\[「【『<〈)\]」】』>〉]{{0,12}}[0-9]{{2}})"
_NOT_COUNTED = r"(?![A-Za-z0-9年月日歳円冊人週]|か月|ヶ月)"
# What tells a year's number is read in any numeral: alone, one of them is not undisguised elsewhere.
_ERA_NUMBER = r"(?:[0-9]{1,2}\u20e3?|[〇零一二三四五六七八九十]{1,3}|[\u2460-\u2468]|元)"
_ERA = (
    r"(?:令和?|平成?|れいわ|へいせい|(?<![A-Za-z])[RH])[ .]?"
    rf"(?:{_ERA_NUMBER}|[(「【\[『<]{_ERA_NUMBER}[)」】\]』>])(?:年度?)?"
)
_IN_BRACKETS = rf"[(「【\[『<]{_ERA}[)」】\]』>]"
_YEAR = rf"(?:(?:{_IN_BRACKETS}|{_ERA}|(?:19|20)[0-9]{{2}}年度?){_MARK}?)?"
_ORDINAL = rf"(?:第|だい) ?{_BODY} ?(?:号|ごう)"
_NO = rf"(?:No|№)[.:]{{0,2}} ?{_BODY}"
_OF_YEAR = (
    rf"(?:{_IN_BRACKETS}|{_ERA}){_MARK}?(?:[ア-ンA-Z]{_MARK})?(?:第 ?)?[0-9]{{3,8}}"
    rf"(?:{_MARK}[0-9]{{1,6}})?(?: ?号)?"
)
_NUMBER = rf"(?:{_OF_YEAR}|{_YEAR}(?:{_ORDINAL}|{_NO}|{_TWO_DIGITS}{_BODY}(?: ?号)?)){_NOT_COUNTED}"
_BOOK = (
    r"(?:(?:母子|親子|父子|母健|マタニティー?|すこやか|すくすく) ?(?:健康)? ?(?:手帳|手帖|てちょう|テチョウ)|"
    r"[ぼボ][しシ](?:けんこう|ケンコウ)?(?:てちょう|テチョウ)|母手帳?)"
)
_ABOUT = (
    rf"(?:{_BOOK}|妊娠届|妊婦(?:健康|健診)|交付|手帳(?: ?の?(?:番号|No)|[2二]冊|[をも](?:もら|受け取|なく|落と|交付))|"
    r"補助券|受診[票券])"
)
_GAP = r"[^0-9A-Za-z\n。第]{0,12}?\n?"
_NAMED = cue(
    "after the book and a word for number",
    rf"(?i)(?:{_BOOK}[^0-9\n。]{{0,16}}?(?:番号欄?|ナンバー|#|No\.?(?=[はが]))|(?:交付|手帳)の?(?:番号|ナンバー|"
    rf"No\.?)欄?|"
    rf"(?:交付|手帳)の?ID){_GAP}(?P<cued>{_NUMBER})"
    rf"(?:(?:と|、|,|"
    rf" ){{1,2}}(?P<cued>{_NUMBER}))?+",
)
_BRACKETED = cue(
    "a group in brackets",
    rf"(?i)(?:{_BOOK}[^0-9\n。]{{0,16}}?(?:番号欄?|ナンバー)|(?:交付|手帳)の?番号)[^0-9A-Za-z\n。第(]{{0,8}}"
    rf"(?P<cued>\((?:(?:令和?|平成?|[RH])[ .]?)?[0-9]{{1,8}}(?:年度?)?\)[- ]?(?:第 ?)?[0-9]{{1,8}}(?:-[0-9]{{1,6}})?"
    rf"(?: ?号)?|"
    rf"[A-Za-z]{{0,2}}[0-9]{{1,8}}[- ]?\([0-9]{{1,8}}\)(?:[- ]?[0-9]{{1,8}})?){_NOT_COUNTED}",
)
_NUMBERED = cue(
    "after the book, as number so and so",
    rf"(?i){_BOOK}[^\n。]{{0,14}}?(?<![0-9])(?P<cued>(?:{_YEAR}(?:{_ORDINAL}|{_NO}|"
    rf"[0-9]{{4}}[-の][0-9]{{3,8}})|{_OF_YEAR}){_NOT_COUNTED})"
    rf"(?:(?:と|、|,| ){{1,2}}(?P<cued>{_NUMBER}))?+",
)
_BARE = cue(
    "after the book",
    rf"(?i){_BOOK}[^0-9A-Za-z\n。]{{0,8}}(?P<cued>[0-9A-Z]{{0,3}}[0-9-]{{4,12}}[0-9]|"
    rf"(?=(?:{_JOIN}?[0-9]){{5}})[0-9]{{1,8}}(?:{_JOIN}[0-9]{{1,8}}){{1,3}}+|第?[0-9]{{3,8}}号)"
    rf"(?![/.]?[0-9]|[年月日円時分週]|か月|ヶ月)",
)
_SHORT = cue(
    "few digits right after the book",
    rf"(?i){_BOOK}(?:の?番号|ナンバー)?(?:[はが:→ 、の(「『]|欄に){{0,3}}(?P<cued>[0-9]{{3,8}})"
    r"(?=[」』)]?(?:番(?!目|線|組)|でした|です|だった|だよ|だけど|って|とあ|と書|。|\n|$))",
)
_BEFORE_WORD = cue(
    "before the book",
    rf"(?i)(?<![A-Za-z0-9-])(?P<cued>(?:第 ?)?[A-Za-z0-9]{{0,4}}-?[0-9]{{3,12}}(?:-[0-9]{{1,8}}){{0,2}}(?: ?号)?)"
    rf"(?=[^0-9A-Za-z\n。]{{0,8}}(?:{_BOOK}|交付番号)[^\n。]{{0,6}}(?:番号|No|$|で|だ))",
)

_OF_A_BOOK = cue(
    "before the book, as the book of that number",
    rf"(?i)(?<![A-Za-z0-9-])(?P<cued>{_YEAR}{_TWO_DIGITS}{_BODY})(?=(?:番|号|番号)? ?の ?{_BOOK})",
)
_SAID = cue(
    "before a word for the number",
    rf"(?i)(?<![A-Za-z0-9./-])(?P<cued>{_TWO_DIGITS}{_BODY}(?: ?号)?)(?=[」』)]?(?:って|が|は|という|、)"
    r"[^0-9\n。]{0,4}手帳の?番号)",
)
_TWO = cue(
    "two numbers after two books",
    rf"(?i)手帳[^\n。0-9]{{0,10}}(?:2|二)冊[^0-9A-Za-z\n。]{{0,6}}(?P<cued>{_NUMBER})"
    rf"(?:と|、|,| ){{1,2}}(?P<cued>{_NUMBER})",
)

_NOT_COUNTED_NEAR = rf"(?:{NOT_COUNTED}|(?=番(?:です|でした|の|で|って|だ|[。、\n]|$)))"
_ORDINAL_NEAR = beside(
    "number so and so near the book", rf"(?i)(?P<near>{_YEAR}{_ORDINAL}|{_OF_YEAR}){_NOT_COUNTED}(?![./])"
)
_NUMBER_NEAR = beside(
    "number near the book",
    rf"(?i)(?:番号|ナンバー|No\.?|№|#)欄?[にはがもって:→=「『(、 ]{{0,5}}+"
    rf"(?P<near>(?:第 ?)?{_TWO_DIGITS}{_BODY}(?: ?号)?)"
    rf"{_NOT_COUNTED}",
)
_WRITTEN_NEAR = beside(
    "what is written, near the book",
    rf"(?i)(?<![A-Za-z0-9.,/-])(?P<near>{_TWO_DIGITS}(?![0-9]{{1,4}}[./]){_BODY}(?: ?号)?)"
    r"(?=[」』)]?(?:って|と)(?:いう番号|番号|書|記載|印字|印刷|スタンプ|ハンコ|はんこ|判|手書|刻|あ[りる]|入って))",
)
# What has the shape of a handbook's number alone: a year or a branch, and three digits or more behind it.
_SHAPED_NEAR = beside(
    "two groups near the book",
    rf"(?i)(?<![A-Za-z0-9.,/:¥-])(?P<near>[A-Z]{{0,2}}[0-9]{{1,4}}{_JOIN}[0-9]{{3,8}}|"
    r"[A-Z]{1,2}(?:[\-ー−‐–— ]?[0-9]{4,8}|[\-ー−‐–—][0-9]{3})|第 ?[0-9]{3,8}(?![0-9回条号章話巻版]))"
    rf"(?![./][0-9]){_NOT_COUNTED_NEAR}",
)
_DIGITS_NEAR = beside(
    "digits near the book",
    rf"(?i)(?<![A-Za-z0-9.,/-])(?P<near>(?=[A-Z]{{0,3}}[- ]?(?:[0-9]{_JOIN}?){{5}})[A-Z]{{0,3}}{_JOIN}?"
    rf"[0-9]{{1,10}}(?:{_JOIN}[0-9]{{1,10}}){{0,3}}+)(?![./][0-9]){_NOT_COUNTED_NEAR}",
)

EXAMPLES = (
    Example("母子手帳の交付番号は12345です", ("12345",)),
    Example("母子健康手帳 No.５－０１２３", ("No.５－０１２３",)),
    Example("母子手帳（第1234号）と書いてある", ("第1234号",)),
    Example("母子手帳は2冊目、番号はまだ。母子手帳を12週でもらい2024年4月に、母子手帳ケース1500円", ()),
)


class _MaternalHandbook(CuedPatternRecognizer):
    """The handbook's name says more than other words, and from further away."""

    reach = 80, 40


def recognizer() -> CuedPatternRecognizer:
    """Finds MATERNAL_HANDBOOK: the number beside the handbook's name."""
    return _MaternalHandbook(
        "MATERNAL_HANDBOOK",
        _NAMED,
        _BRACKETED,
        _NUMBERED,
        _BARE,
        _SHORT,
        _BEFORE_WORD,
        _OF_A_BOOK,
        _TWO,
        _SAID,
        _ORDINAL_NEAR,
        _NUMBER_NEAR,
        _WRITTEN_NEAR,
        _SHAPED_NEAR,
        _DIGITS_NEAR,
        needs="補助券|受診[票券]|手帳|手帖|てちょう|テチョウ|母手|交付|妊娠届|妊婦",
        near=_ABOUT,
    )
