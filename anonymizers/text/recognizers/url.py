"""Addresses of pages: blogs, profiles, albums."""

from anonymizers.text.patterns import CuedPatternRecognizer, Example, form

# Presidio's own swallows the Japanese words that follow. "!" and brackets are left out although RFC 3986
# allows them: after normalisation they are what follows an address in a sentence.
_INSIDE = r"[A-Za-z0-9\-._~:/?#@$&*+;=%]{1,2000}"
_LAST = r"(?<=[A-Za-z0-9/_=&#%~+\-])"
_WITH_SCHEME = form("with scheme", rf"(?i)(?P<value>(?:h?ttps?://|www\.){_INSIDE}{_LAST})")
_TOP_LEVEL = "com|net|org|jp|info|me|link|tv|io|app|page|site|blog|shop|xyz|dev|biz|cc|co|ly|gl"
# A bare host is often a shop's name; with a path it is somebody's page.
_BARE = form(
    "host and path",
    rf"(?<![A-Za-z0-9@._\-/])(?P<value>(?:[A-Za-z0-9\-]{{1,63}}\.){{1,6}}(?:{_TOP_LEVEL})/{_INSIDE}{_LAST})",
)

EXAMPLES = (
    Example("ブログhttps://example.com/hana/?id=7を見て！", ("https://example.com/hana/?id=7",)),
    Example("ｈｔｔｐ：／／ｅｘａｍｐｌｅ．ｊｐ／ａ。どう？", ("ｈｔｔｐ：／／ｅｘａｍｐｌｅ．ｊｐ／ａ",)),
    Example("（www.example.jp/hana）とexample.com/hana_mamaです", ("www.example.jp/hana", "example.com/hana_mama")),
    Example("example.co.jpで買いました。2.5/3.0くらい", ()),
)


def recognizer() -> CuedPatternRecognizer:
    """Finds URL, in ASCII; a path written in Japanese is found up to its first Japanese character."""
    return CuedPatternRecognizer("URL", _WITH_SCHEME, _BARE, needs="[:./]")
