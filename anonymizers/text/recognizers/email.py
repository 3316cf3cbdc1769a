"""E-mail addresses."""

from anonymizers.text.patterns import CuedPatternRecognizer, Example, form

# Presidio's own ends at `\b`, which is no boundary before まで, and takes メールは into the local part.
_LOCAL = r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}"
_DOMAIN = r"(?:[A-Za-z0-9-]{1,63}\.){1,8}[A-Za-z]{2,24}(?![A-Za-z])"
_ADDRESS = form("address", rf"(?P<value>{_LOCAL} ?@ ?{_DOMAIN})")

EXAMPLES = (
    Example("メールはhanako.t@example.comまでどうぞ", ("hanako.t@example.com",)),
    Example("ｈａｎａ＿１＠ｅｘａｍｐｌｅ．ｎｅ．ｊｐ です", ("ｈａｎａ＿１＠ｅｘａｍｐｌｅ．ｎｅ．ｊｐ",)),
    Example("旧アドレスmama..ko.@example.ne.jpか新しい方", ("mama..ko.@example.ne.jp",)),
    Example("りんご3個@100円でした", ()),
)


def recognizer() -> CuedPatternRecognizer:
    """Finds EMAIL; local parts of 64 and labels of 63 characters at most (RFC 5321 4.5.3.1, RFC 1035 2.3.4)."""
    return CuedPatternRecognizer("EMAIL", _ADDRESS, needs="@")
