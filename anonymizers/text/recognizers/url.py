"""Addresses of pages: blogs, profiles, albums."""

from typing import Any

import regex
from presidio_analyzer import RecognizerResult

from anonymizers.text.artifacts import read
from anonymizers.text.expressions import quick
from anonymizers.text.normalisation import TOP_LEVEL
from anonymizers.text.patterns import CuedPatternRecognizer, Example, cue, form

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
# Words as well, so that they are read as domains only where a host's dots and a path, or a word for a page, are there.
_ANY_TOP_LEVEL = (
    rf"{TOP_LEVEL}|art|baby|bio|cafe|care|cat|center|chat|click|company|design|digital|email|family|fan|fit|gallery|garden|"
    "house|im|in|ink|is|it|kids|kitchen|kyoto|land|live|media|mobi|ms|nagoya|name|news|ninja|nl|nz|okinawa|one|osaka|"
    "photo|photos|pics|plus|press|pro|red|ru|salon|school|social|studio|style|team|tech|tips|today|vip|video|ws|"
    "yoga|yokohama"
)
_PATH = r"[A-Za-z0-9\-._~:/?#@$&*+;=%,]"
_JAPANESE_PATH = form(
    "with a path in Japanese",
    rf"(?i)(?P<value>https?://{_PATH}{{1,500}}(?<=[/=_\-])(?:[一-鿿々ァ-ヺーおご][一-鿿々ァ-ヺーぁ-ん]{{0,24}}"
    rf"(?:{_PATH}{{1,500}}"
    r"(?<=[A-Za-z0-9/_=&#%~+\-])|(?=[\s、。」』)】]|$)))++)",
)
_WWW = form(
    "from www", r"(?i)(?<![A-Za-z0-9.])(?P<value>www\.[A-Za-z0-9\-._~:/?#@$&*+;=%,]{1,2000}[A-Za-z0-9/_=&#%~+\-])"
)
# A bare host is often a shop's name; with a path it is somebody's page.
_BARE = form(
    "host and path",
    rf"(?i)(?<![A-Za-z0-9@._\-/])(?P<value>(?:[A-Za-z0-9_\-]{{1,63}}\.){{1,6}}(?:{_ANY_TOP_LEVEL})(?::[0-9]{{2,5}})?/"
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

# A host alone, right after the word for somebody's page; shops and services are named the same way.
_HOST = cue(
    "host after a word for a page",
    r"(?i)(?:ブログ|ぶろぐ|blog|(?<![A-Za-z])HP|ホームページ|ほーむぺーじ|ウェブサイト|サイト|URL|アドレス|リンク|ネットショップ)"
    r"(?:名|アドレス|のURL)?(?:です|あります|やってます|こちら)?[はがも:→⇒=( 「『【<\n、。!♪]{1,4}"
    r"(?!(?:[a-z0-9\-]{1,30}\.)?(?:amazon|yahoo|google|rakuten|ameblo|note|fc2|hatena|livedoor|twitter|x|instagram|facebook|youtube|"
    r"line|mercari|cookpad|benesse|amebaownd|wix|jimdo|wordpress)\.)"
    r"(?![a-z0-9.\-]{1,60}\.(?:go|ac|lg|ed)\.jp)"
    rf"(?P<cued>(?:[A-Za-z0-9_\-]{{1,63}}\.){{1,5}}(?:{_ANY_TOP_LEVEL}))(?![A-Za-z0-9._\-]|/[A-Za-z0-9])",
)
# Or a host that is named as a diary is, by a hyphen, a digit or a word of home.
_OWN_HOST = form(
    "host alone, named as a person's",
    r"(?i)(?<![A-Za-z0-9@._\-/])(?P<value>(?:www\.)?(?=[a-z])(?=[a-z0-9\-]{0,40}(?:[a-z]-[a-z]|[0-9]|mama|papa|baby|diary|blog|life|"
    r"ikuji|kosodate|days|nikki|kids|salon|cafe|handmade))[a-z0-9\-]{4,63}\.(?:com|net|org|jp|info|blog|shop|site|xyz|me|page|app|"
    r"link|work|online|fun|love|life|tokyo|store|space|website))(?![A-Za-z0-9._\-@]|/[A-Za-z0-9])",
)
_NO_SCHEME = form(
    "with half a scheme",
    rf"(?i)(?<![A-Za-z0-9:/])(?P<value>:?//(?:[A-Za-z0-9\-]{{1,63}}\.){{1,6}}(?:{TOP_LEVEL})"
    r"(?:/[A-Za-z0-9\-._~:/?#@$&*+;=%,]{0,2000}[A-Za-z0-9/_=&#%~+\-]|/)?+(?![A-Za-z0-9]))",
)
# A host alone is somebody's page where its dots are in words: that is how one hides an address.
_DOT_WORDS = r"(?: ?(?:ドット|どっと) ?|\[\.\]|\(\.\)| dot )"
_IN_WORDS = regex.compile(
    rf"(?im)(?:^|(?<=[\s、。:「(はがも→]))(?:https?://)?[A-Za-z0-9\-]{{1,63}}(?:{_DOT_WORDS}[A-Za-z0-9\-]{{1,63}}){{0,4}}?"
    rf"{_DOT_WORDS}(?:{TOP_LEVEL})(?:/[A-Za-z0-9\-._~/]{{0,200}})?"
    r"(?![A-Za-z0-9]| ?(?:ドット|どっと|[アあ](?:ット|っと|ン|ん)|@))"
)
# The same mark for all dots: "hana★example★jp".
_IN_MARKS = regex.compile(
    rf"(?i)(?<![A-Za-z0-9@._\-/])(?:https?://[A-Za-z0-9\-]{{1,63}}|[A-Za-z0-9\-]{{1,63}}(?=(?P<again>[★☆*♪♡♥●◆■\p{{So}}])"
    rf"[A-Za-z0-9\-]{{1,63}}(?P=again)))(?P<mark>[★☆*♪♡♥●◆■\p{{So}}])(?:[A-Za-z0-9\-]{{1,63}}(?P=mark)){{0,4}}"
    rf"(?:{TOP_LEVEL})(?:[/★☆*♪♡♥●◆■\p{{So}}][A-Za-z0-9\-._~]{{1,60}}){{0,6}}(?![A-Za-z0-9@])"
)

_HAS_DOT_WORDS = quick(r"ドット|どっと|[A-Za-z0-9](?:\[\.\]|\(\.\)| dot )[A-Za-z0-9]")
_HAS_MARKS = quick(rf"[A-Za-z0-9\-][★☆*♪♡♥●◆■\p{{So}}](?:{TOP_LEVEL})(?![A-Za-z0-9])")

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


class _Url(CuedPatternRecognizer):
    """Patterns, and a host whose dots are in words."""

    def analyze(
        self, text: str, entities: list[str], nlp_artifacts: Any = None, regex_flags: int | None = None
    ) -> list[RecognizerResult]:
        """
        Find addresses of pages.

        Returns:
            Spans in code points of `text`; they may overlap.

        Raises:
            TimeoutError: an expression took longer than `anonymizers.text.patterns.EXPRESSION_TIMEOUT_S`.
        """
        artifacts = read(text, nlp_artifacts)
        found = super().analyze(text, entities, artifacts, regex_flags)
        plain = artifacts.normalised
        for expression, begins in ((_IN_WORDS, _HAS_DOT_WORDS), (_IN_MARKS, _HAS_MARKS)):
            if begins.search(plain.text):
                found += [self.result(*plain.original(*m.span()), 0.6) for m in expression.finditer(plain.text)]
        return found


def recognizer() -> CuedPatternRecognizer:
    """Finds URL, in ASCII; a path written in Japanese is found up to its first Japanese character."""
    return _Url(
        "URL",
        _WITH_SCHEME,
        _SPACED,
        _JAPANESE_PATH,
        _NO_SCHEME,
        _WWW,
        _BARE,
        _HOST,
        _OWN_HOST,
        _PERSONAL,
        needs=r"[Hh] ?[Tt] ?[Tt] ?[Pp]|[A-Za-z]//|[A-Za-z] ?[:;] ?/|[A-Za-z0-9]\.[A-Za-z]",
    )
