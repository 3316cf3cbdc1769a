"""Account names on social networks."""

from anonymizers.text.patterns import CuedPatternRecognizer, Example, cue, form

_NAME = r"[A-Za-z0-9_.]{1,29}[A-Za-z0-9_]"
_END = r"(?![A-Za-z0-9_/])"
_AT = form("after @", rf"(?<![A-Za-z0-9._%+\-])(?P<value>@ ?{_NAME})")
_NETWORK = r"(?:インスタ(?:グラム)?|Instagram|Twitter|ツイッター|TikTok|ティックトック|Threads|スレッズ|Facebook|mixi)"
_NAMED = cue(
    "after the network's name",
    rf"(?i){_NETWORK}(?:の?(?:アカウント|アカ|ID)|垢)?[はが:→=(][:→=( ]{{0,3}}(?P<cued>(?!{_NETWORK})@?{_NAME}){_END}",
)

EXAMPLES = (
    Example("インスタやってます！＠hana__2y フォロバします", ("＠hana__2y",)),
    Example("ツイッター（Twitter）は@hana_mamaでつぶやいて", ("@hana_mama",)),
    Example("インスタのID：hana.mama_88", ("hana.mama_88",)),
    Example("りんご@スーパー、インスタは楽しい、Facebook Messenger", ()),
)


def recognizer() -> CuedPatternRecognizer:
    """Finds SNS_HANDLE: anything in ASCII after an @ that is not an address, or named as an account."""
    return CuedPatternRecognizer("SNS_HANDLE", _AT, _NAMED, needs="[A-Za-z0-9]")
