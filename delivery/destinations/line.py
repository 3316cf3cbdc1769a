"""LINE Ads: an audience of e-mail digests, one a line, without a header."""

from delivery.spec import Destination, Digest, FileForm, Method, Quoting, Recipient, Relation, Removal
from transforms.purposes import ADVERTISING

_FORM = FileForm(quoting=Quoting.NEVER, header=False, gzip=False, bytes_ceiling=60_000_000)

DESTINATION = Destination(
    name="line",
    title="LINE広告 オーディエンス",
    recipient=Recipient(name="LINEヤフー株式会社", country="JP", relation=Relation.THIRD_PARTY),
    purpose=ADVERTISING,
    columns=(("email", Digest.SHA256),),
    form=_FORM,
    removal=Removal(method=Method.FEED_HEADERS, columns=(("email", Digest.SHA256),), form=_FORM),
    aliases=("line ads", "LINE広告"),
    age_floor=18,
    rows_floor=1_000,  # ours; see `unconfirmed`
    rule_id="line-ads-audience/2026-11-23",
    sources=(
        "https://www.linebiz.com/jp/manual/line-ads/tracking_011/",
        "https://docs.tealium.com/server-side-connectors/line-ads-connector/",
    ),
    read_on="2026-11-23",
    example=(
        (" Hanako@Example.jp", "hanako@example.jp"),
        ("ha.na+ko@gmail.com", "ha.na+ko@gmail.com"),
        ("ｈａｎａｋｏ＠ｅｘａｍｐｌｅ。ｊｐ", "hanako@example.jp"),
        ("なし", None),
    ),
    unconfirmed=(
        "the form of an address before it is digested; a connector's page says trimmed and in lower case",
        "the form of a telephone number before it is digested; so there is none here",
        "the smallest audience that is matched",
        "how people are taken out of an audience by a file",
        "worked digests",
    ),
)
