"""E-mail addresses."""

from anonymizers.text.normalisation import TOP_LEVEL
from anonymizers.text.patterns import CuedPatternRecognizer, Example, cue, form

# Presidio's own ends at `\b`, which is no boundary before まで, and takes メールは into the local part.
_LOCAL = r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}+"
_DOMAIN = r"(?:[A-Za-z0-9-]{1,63}\.){1,8}[A-Za-z]{2,24}(?![A-Za-z])"
_ADDRESS = form("address", rf"(?P<value>{_LOCAL} ?@ ?{_DOMAIN})")
_SPACED = form(
    "address with spaces",
    rf"(?P<value>{_LOCAL}(?:\([^()\n]{{1,10}}\))? {{0,2}}@{{1,2}}[ \n]{{0,2}}[A-Za-z0-9-]{{1,63}}+"
    rf"(?: ?\. ?[A-Za-z0-9-]{{1,63}}+){{0,3}} ?\. ?"
    rf"(?:{TOP_LEVEL}))(?![A-Za-z0-9])",
)

# Names of mail services people write in place of the domain: the big carriers' and free mail.
_SERVICE = (
    r"(?:(?:docomo|ezweb|au|softbank|i\.softbank|disney|vodafone|ymobile|y!mobile|rakuten|uqmobile|gmail|"
    r"googlemail|yahoo|ymail|icloud|"
    r"hotmail|outlook|live|me|mac|msn|nifty|biglobe|ocn|so-net|plala|jcom|excite)(?:\.[a-z]{2,5}){0,2}|"
    r"ドコモ|どこも|エーユー|イージーウェブ|ソフトバンク|ソフバン|ワイモバイル?|ワイモバ|楽天(?:モバイル|"
    r"メール)?|ジーメール|Gメール|"
    r"ヤフー(?:メール)?|やふー|じーめーる|ヤフメ|アイクラウド|ホットメール|アウトルック|ニフティ)"
)
_TAIL = r"(?:(?:[. ]| ?ドット ?)(?:ne|co|com|jp|コム)){0,2}"
_SERVICE_ONLY = cue("service for a domain", rf"(?i)(?P<cued>{_LOCAL} ?@ ?{_SERVICE}{_TAIL})(?![A-Za-z0-9])")

_ID = r"[A-Za-z0-9][A-Za-z0-9._+-]{2,40}+"
_REST = r"(?:@|アット(?:マーク)?|あっと(?:まーく)?)?(?:あと|後ろ?|以下|以降|より後|の後ろ?)?(?:は|わ|が|に|を|:)?"
# "hana.mama あとはドコモ", "hana.mama＠以降はgmail": the local part and, some words on, the service.
_SERVICE_AFTER = cue(
    "local part before a service",
    rf"(?i)(?<![A-Za-z0-9._+@/-])(?P<cued>{_ID}@?)[ 、,でに(+のと]{{0,3}}"
    rf"(?:@|アット|あっと|あとは|あとわ|後は|後ろは|以下は|以降は|\+)[^A-Za-z0-9\n。]{{0,8}}{_SERVICE}{_TAIL}"
    rf"(?![A-Za-z0-9])",
)
_MAIL = r"(?:メアド|メルアド|アドレス|アド|メール|e-?mail)"
_SERVICE_BEFORE = cue(
    "local part after a service",
    rf"(?i)(?:{_SERVICE}|キャリア)(?:の|で|です)?[ 、]?(?:{_MAIL})?[はがで:→ 「『、]{{1,4}}"
    rf"(?P<cued>(?=[A-Za-z0-9.+-]{{0,40}}[0-9_.])(?!https?:|www\.){_ID})(?![A-Za-z0-9@:/])",
)
_NAMED = cue(
    "local part after a word",
    rf"(?i){_MAIL}[はが:→ 「『(、]{{1,4}}(?P<cued>(?!https?:|www\.){_ID})(?=[^\n。]{{0,14}}{_SERVICE}(?![A-Za-z0-9]))",
)
# Without any @, which somebody says is to be put in.
_GLUED = form(
    "domain glued on",
    r"(?i)(?<![A-Za-z0-9._+@/:-])(?P<value>[A-Za-z0-9][A-Za-z0-9._+-]{2,40}?(?<![./-])(?:gmail\.com|yahoo\.co\.jp|"
    r"(?:docomo|ezweb|softbank)\.ne\.jp|i\.softbank\.jp|icloud\.com|hotmail\.(?:com|co\.jp)|outlook\.(?:com|jp)))"
    r"(?![A-Za-z0-9./])",
)

EXAMPLES = (
    Example("メールはhanako.t@example.comまでどうぞ", ("hanako.t@example.com",)),
    Example("ｈａｎａ＿１＠ｅｘａｍｐｌｅ．ｎｅ．ｊｐ です", ("ｈａｎａ＿１＠ｅｘａｍｐｌｅ．ｎｅ．ｊｐ",)),
    Example("旧アドレスmama..ko.@example.ne.jpか新しい方", ("mama..ko.@example.ne.jp",)),
    Example("hana_88★yahoo.co.jp（★は@に）", ("hana_88★yahoo.co.jp",)),
    Example("hana.mama あっと gmail どっと com へ", ("hana.mama あっと gmail どっと com",)),
    Example("hana_mama＠ドコモです", ("hana_mama＠ドコモ",)),
    Example("アドレスはhana-mama、あとはドコモ.ne.jp", ("hana-mama",)),
    Example("りんご3個@100円でした。ドコモのiPhone15で、メールはGmailにした", ()),
)


def recognizer() -> CuedPatternRecognizer:
    """
    Finds EMAIL; local parts of 64 and labels of 63 characters at most (RFC 5321 4.5.3.1, RFC 1035 2.3.4).

    Where people write a mail service's name for the domain, the local part alone is found too.
    """
    return CuedPatternRecognizer(
        "EMAIL",
        _ADDRESS,
        _SPACED,
        _SERVICE_ONLY,
        _SERVICE_AFTER,
        _SERVICE_BEFORE,
        _NAMED,
        _GLUED,
        needs="[A-Za-z0-9._+-]{3}|@",
        words="@|[a-z](?:mail|yahoo|docomo|ezweb|bank|cloud|look)\\.|アット|あっと|あと|後|以[下降]|メール|メアド|アド|キャリア|[Mm][Aa][Ii][Ll]",
    )
