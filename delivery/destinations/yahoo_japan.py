"""Yahoo! JAPAN Ads (display): customer data as e-mail digests, without the salt of before 2021."""

from delivery.spec import Destination, Digest, FileForm, Method, Quoting, Recipient, Relation, Removal
from transforms.purposes import ADVERTISING

_FORM = FileForm(quoting=Quoting.NEVER, gzip=False, bytes_ceiling=200_000_000)

DESTINATION = Destination(
    name="yahoo_japan",
    title="Yahoo!広告 ディスプレイ広告 顧客データ",
    recipient=Recipient(name="LINEヤフー株式会社", country="JP", relation=Relation.THIRD_PARTY),
    purpose=ADVERTISING,
    columns=(("email", Digest.SHA256),),
    form=_FORM,
    removal=Removal(method=Method.FEED_HEADERS, columns=(("email", Digest.SHA256),), form=_FORM),
    fields=(("phone", "phone_digits"),),
    aliases=("yahoo", "yahoo ads", "yahoo japan ads", "ydn", "yda"),
    age_floor=18,
    rows_floor=100,
    rule_id="yahoo-japan-customer-data/2026-11-23",
    sources=(
        "https://ads-help.yahoo.co.jp/yahooads/display/articledetail?lan=ja&aid=69234",
        "https://ads-help.yahoo.co.jp/yahooads/display/articledetail?lan=en&aid=37704",
        "https://lycbiz.com/jp/news/yahoo-ads/20210701-01/",
    ),
    read_on="2026-11-23",
    example=(
        (" Hanako@Example.jp", "hanako@example.jp"),
        ("ha.na+ko@gmail.com", "ha.na+ko@gmail.com"),
        ("ＨＡＮＡＫＯ＠ｅｘａｍｐｌｅ．ｊｐ", "hanako@example.jp"),
        ("", None),
    ),
    unconfirmed=(
        "the heading of the column, since files are CSV (2024-04); before, they were text with one digest a line",
        "the form of an address before it is digested, beyond half-width letters and digits",
        "that a telephone number has its country code; only a connector's page says so",
        "how people are taken out of a list by a file; it lives 1 to 60 days, and replacing it was to end 2026-08-01",
        "worked digests",
    ),
)
