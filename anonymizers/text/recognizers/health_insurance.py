"""Numbers on a health insurance card and on the certificates beside it."""

import regex

from anonymizers.text.patterns import (
    NOT_COUNTED,
    CuedPatternRecognizer,
    Example,
    around,
    before,
    beside,
    cue,
    gap,
    is_of_something_else,
    run,
)

_WORD = (
    r"(?:保険者番号|保険者No\.?|被保険者(?:証|番号)|保険証の?番号|保険証|保険番号|(?:健康|国民健康|社会|介護|"
    r"医療)保険|健保|国保|社保|協会けんぽ|資格確認書|公費負担者|"
    r"負担者番号|ホケンシャ|ほけんしゃ|ホケンショウ|ほけんしょう|保険の番号|後期高齢|被扶養者|受給者|受給者証|医療証|マル福|まる福|マル乳|マル子|乳幼児医療|子ども医療|こども医療|限度額認定)"
)
_END = r"(?![0-9]|円|-[0-9]|歳|才|人|名|割|年|か月|ヶ月|万|%)"
_NAMED = cue("after a word", rf"{_WORD}{gap(14)}(?P<cued>{run(6, 10)}){_END}")
_BEFORE_WORD = cue("before a word", rf"(?<![0-9])(?<![0-9]-)(?P<cued>{run(6, 10)}){before(_WORD)}")
# 記号 and 番号, and the 枝番 after them; 記号 is often of letters or kanji, 番号 short.
_MARK = r"[0-9A-Za-z](?:[- ・.]{0,2}[0-9A-Za-z]){0,9}+"
_SYMBOL = cue("symbol", rf"{_WORD}[^\n。]{{0,24}}?記号[はが:の・、 ]{{0,4}}(?P<cued>{_MARK})")
_SYMBOL_AND_NUMBER = cue(
    "symbol before a number", rf"記号[はが:の ]{{0,4}}(?P<cued>{_MARK})(?=[^0-9\n。]{{0,8}}\n?番号[はが: ]{{0,4}}[0-9])"
)
_NUMBER = cue(
    "number after a symbol",
    rf"記号[はが:の ]{{0,4}}[^\n。]{{1,16}}?[^0-9A-Za-z]{{0,3}}\n?番号[はが:の ]{{0,4}}(?P<cued>[0-9]"
    rf"(?:[- ]{{0,2}}[0-9]){{0,9}}+){_END}",
)
_BOTH = cue(
    "symbol and number",
    rf"記号[・･/と、-]?番号[はが:の ]{{0,5}}\n?(?P<cued>[0-9]{{1,8}}(?:[-・ /]{{1,3}}[0-9]{{1,8}}){{0,2}}){_END}",
)
_NUMBER_NAMED = cue(
    "number",
    rf"(?:保険証|健保|国保|社保|被保険者証|資格確認書)[^\n。]{{0,24}}?番号[はが:の ]{{0,4}}"
    rf"(?P<cued>{run(2, 10)}){_END}",
)
_SYMBOL_IN_KANJI = cue(
    "symbol in kanji",
    r"記号[はが: ]{0,3}+(?P<cued>[一-鿿ぁ-ん]{1,6}[0-9A-Za-z-]{0,6})"
    r"(?=[ ・、/]{1,2}\n?番号)",
)
_NUMBER_FIRST = cue(
    "number before its symbol",
    rf"番号[はが: ]{{0,4}}(?P<cued>[0-9]{{1,8}})[^0-9\n。]{{0,6}}記号[はが: ]{{0,4}}(?P<cued>{_MARK})",
)
_BRANCH = cue("branch", r"枝番[はが: 号)]{0,4}(?P<cued>[0-9]{2})(?![0-9])")

_CARD = (
    r"(?:保険|ほけん|ホケン|健保|国保|社保|けんぽ|資格確認|受給者|負担者|医療[証費]|マル[乳福子親]|まる福|限度額|扶養|ひとり親|福祉医療|小児慢性|自立支援|"
    r"傷病手当|一時金|後期高齢|高額療養|組合|資格喪失|乳児医療|記号)"
)
_WITHOUT_SYMBOL = cue(
    "number, after the card and words",
    rf"{_CARD}[^0-9\n。]{{0,30}}\n?[^0-9\n。]{{0,8}}(?:番号|記号|No\.?|ナンバー)欄?[はがもに、:→=( 「『]{{0,4}}"
    rf"(?P<cued>[0-9](?:[- の/・.]{{0,2}}[0-9]){{1,9}}+){NOT_COUNTED}",
)
_AFTER_NUMBER = cue(
    "number, after another",
    rf"(?:{_CARD}|記号)[^0-9\n。]{{0,20}}[0-9](?:[-. ]{{0,2}}[0-9]){{0,9}}+(?:[^0-9\n。]{{0,6}}番号[はが: ]{{0,4}}|"
    rf"[・の/ 、]{{1,2}})(?P<cued>[0-9](?:[- ]{{0,2}}[0-9]){{1,9}}+){NOT_COUNTED}",
)
_BEFORE_SYMBOL = cue(
    "before 記号",
    rf"(?<![0-9A-Za-z])(?P<cued>[0-9](?:[- ・.]{{0,2}}[0-9]){{1,9}}+){NOT_COUNTED}(?=[」』)]?(?:と|が|って|という|は)"
    rf"?[^0-9\n。]{{0,4}}記号)",
)
_BESIDE = beside(
    "near a word",
    r"(?<![0-9A-Za-z¥$#.,])(?<![0-9][-./])(?P<near>(?!0[5-9]0[- ]?[0-9]{4})(?:[0-9](?:[- ]{0,2}[0-9]){5,9}+|"
    rf"[0-9]{{2,8}}[-・/の ]{{1,2}}[0-9]{{3,8}})){NOT_COUNTED}",
)
_SHORT_BEFORE = cue(
    "before the card and a word for number",
    rf"(?<![0-9A-Za-z])(?<![0-9][-/.])(?P<cued>[0-9]{{1,8}}(?:[-・/ ][0-9]{{1,8}}){{0,2}}+){NOT_COUNTED}"
    rf"(?=[^0-9\n。、]{{0,6}}{_CARD}[^0-9\n。、]{{0,6}}(?:番号|記号))",
)

EXAMPLES = (
    Example("保険証の保険者番号01234567って何", ("01234567",)),
    Example("受給者番号は1234567でした", ("1234567",)),
    Example("保険証の記号は1234、番号は567 枝番01", ("1234", "567", "01")),
    Example("記号・番号：12-345", ("12-345",)),
    Example("0123 4567が保険者番号らしい", ("0123 4567",)),
    Example("保険料は1234567円、製造番号01234567、番号は12番", ()),
)


_ACCOUNT = regex.compile("ゆうちょ|ユウチョ|郵貯|ぱるる|振り?込|口座|銀行|通帳")
_INSURANCE = regex.compile("保険|健保|国保|社保|けんぽ|資格確認|受給者|負担者")


class _HealthInsurance(CuedPatternRecognizer):
    """記号 and 番号 are also a postal bank account's."""

    def accepts(self, match: "regex.Match[str]") -> bool:
        """Whether what is around it is not of a bank account alone."""
        near = around(match)
        return not is_of_something_else(match) and (not _ACCOUNT.search(near) or bool(_INSURANCE.search(near)))


def recognizer() -> CuedPatternRecognizer:
    """Finds HEALTH_INSURANCE: insurer (8 or 6 digits), recipient (7), symbol and number, beside their names."""
    return _HealthInsurance(
        "HEALTH_INSURANCE",
        _NAMED,
        _BEFORE_WORD,
        _SYMBOL,
        _SYMBOL_AND_NUMBER,
        _NUMBER,
        _BOTH,
        _NUMBER_NAMED,
        _SYMBOL_IN_KANJI,
        _NUMBER_FIRST,
        _BRANCH,
        _WITHOUT_SYMBOL,
        _AFTER_NUMBER,
        _BEFORE_SYMBOL,
        _SHORT_BEFORE,
        _BESIDE,
        near=_CARD,
        needs="保険|ほけん|ホケン|健保|国保|社保|けんぽ|受給者|負担者|医療|マル|まる福|記号|枝番|資格確認|限度額|扶養|傷病|一時金|"
        "後期|高額|組合|喪失",
    )
