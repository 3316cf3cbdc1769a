"""IP addresses, versions 4 and 6."""

import ipaddress

import regex

from anonymizers.text.patterns import CuedPatternRecognizer, Example, cue, form

# Presidio's own finds nothing in "IPは192.0.2.1から".
_DOT = r" ?[.・,、。] ?|\[\.\]|\(\.\)"
_V4 = form("version 4", r"(?<![0-9.])(?P<value>(?:[0-9]{1,3}\.){3}[0-9]{1,3})(?![0-9]|\.[0-9])")
_V4_SPACED = cue(
    "version 4, after a word",
    rf"(?i)(?<![A-Za-z])(?:IP|アイピー|ホスト)[^0-9\n]{{0,12}}+(?P<cued>[0-9]{{1,3}}(?:(?:{_DOT}|"
    rf"[- _/])[0-9]{{1,3}}){{3}})(?![0-9])",
)
_V4_LOOSE = form("version 4, spaced", r"(?<![0-9.])(?P<value>[0-9]{1,3}(?: ?\. ?[0-9]{1,3}){3})(?![0-9]| ?\. ?[0-9])")
_V6 = form("version 6", r"(?<![0-9A-Za-z:])(?P<value>(?:[0-9A-Fa-f]{0,4}:){2,7}[0-9A-Fa-f]{0,4})(?![0-9A-Za-z:])")
_VERSION = regex.compile(
    r"(?i)(?:ver\.?|バージョン|version|iOS|Android|アップデート|アプデ|[^A-Za-z]v|ファーム(?:ウェア)?)[^。\n]{0,14}$"
)

EXAMPLES = (
    Example("荒らしのIPは192.0.2.1からでした", ("192.0.2.1",)),
    Example("2001:db8::8a2e:7334から書き込み", ("2001:db8::8a2e:7334",)),
    Example("IPアドレスが 192 . 0 . 2 . 1 と出た", ("192 . 0 . 2 . 1",)),
    Example("10:30:00に起きて版は1.2.3、300.1.2.3は違う。iOS 17.1.2.1", ()),
)


class _IpAddress(CuedPatternRecognizer):
    """Addresses the standard library accepts."""

    def accepts(self, match: "regex.Match[str]") -> bool:
        """Whether it is an address and no version of a program."""
        if match.lastgroup == "value" and _VERSION.search(match.string[max(0, match.start() - 24) : match.start()]):
            return False
        return super().accepts(match)

    def validate_result(self, pattern_text: str) -> bool | None:
        """Whether it is an address; times such as 10:30:00 are not. Leading zeros in version 4 are allowed."""
        try:
            if ":" in pattern_text:
                return ipaddress.IPv6Address(pattern_text) > ipaddress.IPv6Address("::ffff")
        except ValueError:
            return False
        return all(int(octet) <= 255 for octet in pattern_text.split("."))


def recognizer() -> CuedPatternRecognizer:
    """Finds IP_ADDRESS."""
    return _IpAddress(
        "IP_ADDRESS",
        _V4,
        _V4_LOOSE,
        _V4_SPACED,
        _V6,
        needs=r"[0-9] ?[.] ?[0-9]|[0-9A-Fa-f:]:[0-9A-Fa-f:]|[Iiİı][Pp]|アイピー",
    )
