"""Numbers of maternal and child health handbooks (母子健康手帳 交付番号)."""

from anonymizers.text.patterns import NOT_COUNTED, CuedPatternRecognizer, Example, beside, cue

# Each municipality numbers as it likes: a year, a hyphen, letters of a branch office, three digits or more.
_BODY = r"[A-Za-z0-9]{1,12}(?:[-. /・の_~〜★☆♪♡♥●◆■\p{So}]{1,2}[A-Za-z0-9]{1,8}){0,5}+"
_NOT_COUNTED = r"(?![A-Za-z0-9年月日歳円冊人週]|か月|ヶ月)"
_YEAR = r"(?:(?:令和?|平成?|R|H)[ .]?[0-9元]{1,2}(?:年度?)?[- ]?)?"
_ORDINAL = rf"(?:第|だい) ?{_BODY} ?(?:号|ごう)"
_NO = rf"(?:No|№)[.:]{{0,2}} ?{_BODY}"
_NUMBER = rf"(?:{_YEAR}(?:{_ORDINAL}|{_NO}|(?=[A-Za-z0-9- ]{{0,12}}[0-9]{{2}}){_BODY}(?: ?号)?){_NOT_COUNTED})"
_BOOK = (
    r"(?:(?:母子|親子)(?:健康)?(?:手帳|手帖|てちょう)|[ぼボ][しシ](?:けんこう|ケンコウ)?(?:てちょう|テチョウ)|母手帳?)"
)
_ABOUT = rf"(?:{_BOOK}|妊娠届|妊婦(?:健康|健診)|交付)"
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
    rf"(?i){_BOOK}[^\n。]{{0,14}}?(?<![0-9])(?P<cued>{_YEAR}(?:{_ORDINAL}|{_NO}|"
    rf"[0-9]{{4}}[-の][0-9]{{3,8}}){_NOT_COUNTED})"
    rf"(?:(?:と|、|,| ){{1,2}}(?P<cued>{_NUMBER}))?+",
)
_BARE = cue(
    "after the book",
    rf"(?i){_BOOK}[^0-9A-Za-z\n。]{{0,8}}(?P<cued>[0-9A-Z]{{0,3}}[0-9-]{{4,12}}[0-9])(?![0-9年月日円]|か月|ヶ月)",
)
_BEFORE_WORD = cue(
    "before the book",
    rf"(?i)(?<![A-Za-z0-9-])(?P<cued>(?:第 ?)?[A-Za-z0-9]{{0,4}}-?[0-9]{{3,12}}(?:-[0-9]{{1,8}}){{0,2}}(?: ?号)?)"
    rf"(?=[^0-9A-Za-z\n。]{{0,8}}(?:{_BOOK}|交付番号)[^\n。]{{0,6}}(?:番号|No|$|で|だ))",
)

_ORDINAL_NEAR = beside("number so and so near the book", rf"(?i)(?P<near>{_YEAR}{_ORDINAL}){_NOT_COUNTED}")
_NUMBER_NEAR = beside(
    "number near the book",
    rf"(?i)(?:番号|No\.?|№)欄?[にはが:「『 ]{{0,4}}+"
    rf"(?P<near>(?:第 ?)?(?=[A-Za-z0-9- ]{{0,12}}[0-9]{{2}}){_BODY}(?: ?号)?)"
    rf"{_NOT_COUNTED}",
)
_DIGITS_NEAR = beside(
    "digits near the book",
    rf"(?i)(?<![A-Za-z0-9.,/-])(?P<near>(?=[A-Z]{{0,3}}[- ]?(?:[0-9][- ]?){{5}})[A-Z]{{0,3}}[- ]?[0-9]{{1,10}}"
    rf"(?:[- の][0-9]{{1,10}}){{0,3}}+)(?![./][0-9]){NOT_COUNTED}",
)

EXAMPLES = (
    Example("母子手帳の交付番号は12345です", ("12345",)),
    Example("母子健康手帳 No.５－０１２３", ("No.５－０１２３",)),
    Example("母子手帳（第1234号）と書いてある", ("第1234号",)),
    Example("母子手帳は2冊目、番号はまだ。母子手帳を12週でもらい2024年4月に、母子手帳ケース1500円", ()),
)


def recognizer() -> CuedPatternRecognizer:
    """Finds MATERNAL_HANDBOOK: the number beside the handbook's name."""
    return CuedPatternRecognizer(
        "MATERNAL_HANDBOOK",
        _NAMED,
        _BRACKETED,
        _NUMBERED,
        _BARE,
        _BEFORE_WORD,
        _ORDINAL_NEAR,
        _NUMBER_NEAR,
        _DIGITS_NEAR,
        needs="手帳|手帖|てちょう|テチョウ|母手|交付|妊娠届|妊婦",
        near=_ABOUT,
    )
