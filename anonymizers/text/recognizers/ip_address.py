"""IP addresses, versions 4 and 6."""

import ipaddress

import regex

from anonymizers.text.patterns import CuedPatternRecognizer, Example, beside, cue, form

# Presidio's own finds nothing in "IPは192.0.2.1から".
_DOT = r" ?[.・,、。] ?|\[\.\]|\(\.\)"
_PORT = r"(?:(?::[0-9]{2,5}|/[0-9]{1,2})(?![0-9]))?"
_V4 = form("version 4", rf"(?<![0-9.])(?P<value>(?:[0-9]{{1,3}}\.){{3}}[0-9]{{1,3}}(?![0-9]){_PORT})(?!\.[0-9])")
_V4_SPACED = cue(
    "version 4, after a word",
    rf"(?i)(?<![A-Za-z])(?:IP|アイピー|ホスト)[^0-9\n]{{0,12}}+(?P<cued>[0-9]{{1,3}}(?:(?:{_DOT}|"
    rf"[- _/])[0-9]{{1,3}}){{3}})(?![0-9])",
)
_V4_LOOSE = form("version 4, spaced", r"(?<![0-9.])(?P<value>[0-9]{1,3}(?: ?\. ?[0-9]{1,3}){3})(?![0-9]| ?\. ?[0-9])")
# Octets parted by something else are an address where a word about machines is near.
_V4_NEAR = beside(
    "version 4, near a word",
    r"(?<![0-9.])(?P<near>(?=[0-9 .・,、。_/\-\[\]()点てんドット]{0,24}[0-9]{2})"
    r"[0-9]{1,3}(?:(?: ?(?:[.・,、。_/\-]|点|てん|ドット) ?|\[\.\]|\(\.\)| )[0-9]{1,3}){3})"
    r"(?![0-9]|[-.・/][0-9]|円|年|月|日)",
)
_NEAR = (
    r"(?<![A-Za-z])IP|アイピー|あいぴー|ホスト|ルーター|サーバ|PC|パソコン|接続|ネットワーク|プリンタ|カメラ|アクセス|"
    r"荒らし|嫌がらせ|書き込み|ログ|アドレス|表示され|って表示|バレ|特定|プロバイダ|DNS|ゲートウェイ|Wi-?Fi|LAN|VPN|ブロック|ping|競合"
)
# A colon before it is a word's, and it may be in square brackets before its port.
_V6 = form(
    "version 6",
    r"(?:(?<![0-9A-Za-z:])|(?<=[^0-9A-Fa-f:]:)|(?<=v6:))(?=[0-9A-Fa-f]|::)"
    r"(?P<value>(?:[0-9A-Fa-f]{0,4}:){2,7}[0-9A-Fa-f]{0,4}(?![0-9A-Za-z:])(?:%[A-Za-z0-9]{1,12}|\]:[0-9]{2,5}|/[0-9]{1,3})?)",
)
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

    def is_near(self, match: "regex.Match[str]") -> bool:
        """Whether a word about machines is near and no octet is too great; dates and versions are not addresses."""
        octets = [int(octet) for octet in regex.findall("[0-9]+", match["near"])]
        return max(octets) <= 255 and super().is_near(match)

    def validate_result(self, pattern_text: str) -> bool | None:
        """Whether it is an address; times such as 10:30:00 are not. Leading zeros in version 4 are allowed."""
        address = regex.split(r"[%/\]]", pattern_text)[0]
        try:
            if ":" in address and "." not in address:
                return ipaddress.IPv6Address(address) > ipaddress.IPv6Address("::ffff")
        except ValueError:
            return False
        return all(int(octet) <= 255 for octet in address.split(":")[0].split("."))


def recognizer() -> CuedPatternRecognizer:
    """Finds IP_ADDRESS."""
    return _IpAddress(
        "IP_ADDRESS",
        _V4,
        _V4_LOOSE,
        _V4_SPACED,
        _V6,
        _V4_NEAR,
        near=_NEAR,
        needs=r"[0-9] ?[.・] ?[0-9]|(?:[0-9]{1,3}[^0-9A-Za-z\n]{1,3}){3}[0-9]|"
        r"[0-9A-Fa-f:]:[0-9A-Fa-f:]|[Iiİı][Pp]|アイピー",
    )
