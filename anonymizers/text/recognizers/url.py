"""Addresses of pages: blogs, profiles, albums."""

from anonymizers.text.normalisation import TOP_LEVEL
from anonymizers.text.patterns import CuedPatternRecognizer, Example, form

# Presidio's own swallows the Japanese words that follow. "!" and brackets are left out although RFC 3986
# allows them: after normalisation they are what follows an address in a sentence.
_WITH_SCHEME = form(
    "with scheme",
    r"(?i)(?P<value>(?:h[ tx*×]{1,4}+|"
    r"t{1,2}+)ps? ?[:;] ?/ ?/?(?<=/) ?[A-Za-z0-9\-._~:/?#@$&*+;=%,]{1,2000}(?<=[A-Za-z0-9/_=&#%~+\-]))",
)
# Spaces or other marks about the dots, and a path in Japanese, which goes on behind its slashes.
_LABEL, _POINT = r"[A-Za-z0-9\-]{1,63}+", r"(?: ?[.。・,、] ?| dot |\[\.\]|\(\.\))"
_SPACED = form(
    "with scheme, spaced",
    rf"(?i)(?P<value>h ?t ?t ?ps? ?: ?/ ?/ ?{_LABEL}(?:{_POINT}{_LABEL}){{1,5}}(?::[0-9]{{2,5}})?"
    r"(?: ?/ ?[A-Za-z0-9\-._~:/?#@$&*+;=%,]{0,2000}[A-Za-z0-9/_=&#%~+\-]|/)?+)",
)
_PATH = r"[A-Za-z0-9\-._~:/?#@$&*+;=%,]"
_JAPANESE_PATH = form(
    "with a path in Japanese",
    rf"(?i)(?P<value>https?://{_PATH}{{1,500}}(?<=[/=_\-])(?:[一-鿿々ァ-ヺーおご][一-鿿々ァ-ヺーぁ-ん]{{0,24}}(?:{_PATH}{{1,500}}"
    r"(?<=[A-Za-z0-9/_=&#%~+\-])|(?=[\s、。」』)】]|$)))++)",
)
_WWW = form(
    "from www", r"(?i)(?<![A-Za-z0-9.])(?P<value>www\.[A-Za-z0-9\-._~:/?#@$&*+;=%,]{1,2000}[A-Za-z0-9/_=&#%~+\-])"
)
# A bare host is often a shop's name; with a path it is somebody's page.
_BARE = form(
    "host and path",
    rf"(?i)(?<![A-Za-z0-9@._\-/])(?P<value>(?:[A-Za-z0-9\-]{{1,63}}\.){{1,6}}(?:{TOP_LEVEL})(?::[0-9]{{2,5}})?/"
    r"[A-Za-z0-9\-._~:/?#@$&*+;=%,]{0,2000}[A-Za-z0-9/_=&#%~+\-])",
)
# The host alone is somebody's page where each member has one (ameblo.jp is the service, hana.ameblo.jp a member).
_PERSONAL = form(
    "host of one person",
    r"(?i)(?<![A-Za-z0-9@._\-/])(?P<value>(?!(?:www|support|help|info|m|blog|shop)\.)[A-Za-z0-9\-]{2,63}\."
    r"(?:hatenablog\.(?:com|jp)|hatenadiary\.(?:com|jp|org)|hateblo\.jp|(?:blog(?:[0-9]{1,3})?\.)?fc2\.com|"
    r"web\.fc2\.com|"
    r"exblog\.jp|seesaa\.net|cocolog-nifty\.com|livedoor\.(?:blog|jp)|blog\.jp|blogspot\.com|blogspot\.jp|"
    r"wordpress\.com|jugem\.jp|"
    r"amebaownd\.com|wixsite\.com|jimdo(?:free)?\.com|tumblr\.com|note\.jp|theblog\.me|thebase\.in|base\.shop|"
    r"stores\.jp|"
    r"github\.io|netlify\.app|vercel\.app|web\.app|muragon\.com|weebly\.com|carrd\.co|bsky\.social|booth\.pm|"
    r"sakura\.ne\.jp|at\.webry\.info|diarynote\.jp|doorblog\.jp|blog\.shinobi\.jp|yaplog\.jp|teacup\.com|"
    r"crayonsite\.(?:com|net))"
    r")(?![A-Za-z0-9.\-])",
)

EXAMPLES = (
    Example("ブログhttps://example.com/hana/?id=7を見て！", ("https://example.com/hana/?id=7",)),
    Example("ｈｔｔｐ：／／ｅｘａｍｐｌｅ．ｊｐ／ａ。どう？", ("ｈｔｔｐ：／／ｅｘａｍｐｌｅ．ｊｐ／ａ",)),
    Example("（www.example.jp/hana）とexample.com/hana_mamaです", ("www.example.jp/hana", "example.com/hana_mama")),
    Example(
        "ttps://example.com/a と lit.link/hana と youtu.be/abc",
        ("ttps://example.com/a", "lit.link/hana", "youtu.be/abc"),
    ),
    Example("ブログはhana-mama.hatenablog.comです", ("hana-mama.hatenablog.com",)),
    Example("example.co.jpで買いました。2.5/3.0くらい。and/or、10.5/日", ()),
)


def recognizer() -> CuedPatternRecognizer:
    """Finds URL, in ASCII; a path written in Japanese is found up to its first Japanese character."""
    return CuedPatternRecognizer(
        "URL",
        _WITH_SCHEME,
        _SPACED,
        _JAPANESE_PATH,
        _WWW,
        _BARE,
        _PERSONAL,
        needs=r"[Hh] ?[Tt] ?[Tt] ?[Pp]|[A-Za-z]//|[A-Za-z] ?[:;] ?/|[A-Za-z0-9]\.[A-Za-z]",
    )
