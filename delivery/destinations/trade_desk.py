"""The Trade Desk: first-party (CRM) data as digests, by the rule of UID2."""

from delivery.spec import (
    Destination,
    Digest,
    EmailRule,
    Encoding,
    FileForm,
    Method,
    Quoting,
    Recipient,
    Relation,
    Removal,
)
from transforms.purposes import ADVERTISING

DESTINATION = Destination(
    name="trade_desk",
    title="The Trade Desk CRM data",
    recipient=Recipient(name="The Trade Desk, Inc.", country="US", relation=Relation.THIRD_PARTY),
    purpose=ADVERTISING,
    columns=(("email_hash", Digest.SHA256),),
    encoding=Encoding.BASE64,
    form=FileForm(quoting=Quoting.NEVER, header=False, gzip=False),
    removal=Removal(
        method=Method.FEED_HEADERS,
        columns=(("email_hash", Digest.SHA256),),
        form=FileForm(quoting=Quoting.NEVER, header=False, gzip=False),
    ),
    email=EmailRule(drop_dots_at=("gmail.com",), drop_suffix_at=("gmail.com",), any_script=True),
    fields=(("phone", "phone_e164_strict"),),
    aliases=("the trade desk", "ttd"),
    opt_out_list="uid2",
    age_floor=18,
    rows_floor=1_500,
    rule_id="trade-desk-crm/2026-11-23",
    sources=(
        "https://experienceleague.adobe.com/en/docs/experience-platform/destinations/catalog/advertising/tradedesk-emails",
        "https://unifiedid.com/docs/getting-started/gs-normalization-encoding",
        "https://github.com/segmentio/segment-docs/pull/7618",
    ),
    read_on="2026-11-23",
    example=(
        ("jane.doe@gmail.com ", "janedoe@gmail.com"),
        ("janedoe+home@gmail.com", "janedoe@gmail.com"),
        ("Jane.Doe+home@example.com", "jane.doe+home@example.com"),
        ("0a" * 32, None),
    ),
    prohibited=("health, and other sensitive data",),
    unconfirmed=(
        "the file: its own pages are behind a login; what connectors publish is the digest and its encoding",
        "whether a file has a header, and which",
        "how people are taken out of a segment (its partner SDK deletes by request of the person)",
        "which company of the group receives data from Japan, and in which countries it stores it",
    ),
)
