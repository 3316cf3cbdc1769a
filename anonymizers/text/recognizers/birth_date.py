"""Dates of birth: a date beside a word about birth."""

from anonymizers.text.patterns import CuedPatternRecognizer, Example, cue

_YEAR = r"(?:(?:19|20)[0-9]{2}|'?[0-9]{2}|(?:明治|大正|昭和|平成|令和|[MTSHRmtshr]\.?) ?(?:[0-9]{1,2}|元))"
_MONTH_DAY = r"[0-9]{1,2} ?[月/.-] ?[0-9]{1,2}(?: ?日)?"
_SHORT_DATE = r"[0-9]{1,2}月[0-9]{1,2}日|(?:19|20)[0-9]{6}"
_DATE = rf"(?<![0-9])(?:{_YEAR} ?[年/.-] ?{_MONTH_DAY}|{_SHORT_DATE})(?![0-9])"

_BORN = r"(?:生ま|産ま|うまれ|誕生|出生|出産|生(?=[)\]、。 \n]|$))"
_BEFORE = r"(?i)(?:生年月日|誕生日|生まれた日|出産日|出生日|出産予定日|バースデー|birthday|DOB)"
_AFTER_WORD = cue("after a word", rf"{_BEFORE}[はがもの、: ・\[(]{{0,5}}(?P<cued>{_DATE})")
_BEFORE_WORD = cue(
    "before a word",
    rf"(?P<cued>{_DATE})(?:\([^)\n]{{1,3}}\))?[ 、にがはの頃]{{0,3}}{_BORN}",
)

EXAMPLES = (
    Example("生年月日：2020/8/6", ("2020/8/6",)),
    Example("うちの子は令和2年8月6日生まれです", ("令和2年8月6日",)),
    Example("下の子（2020.8.6生）と8月6日(木)に産まれた上の子", ("2020.8.6", "8月6日")),
    Example("誕生日は8月6日、DOB 20200806", ("8月6日", "20200806")),
    Example("2024年4月6日に説明会、生後2ヶ月、3/4は食べた", ()),
)


def recognizer() -> CuedPatternRecognizer:
    """Finds BIRTH_DATE: Gregorian or era dates with a day; a month of birth alone is not one."""
    return CuedPatternRecognizer("BIRTH_DATE", _AFTER_WORD, _BEFORE_WORD)
