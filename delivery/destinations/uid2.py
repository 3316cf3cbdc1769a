"""
UID2 (Unified ID 2.0): digests of e-mail addresses that the operator maps to raw UID2s.

The operator is called, and takes no file; the file is for the connector that calls it, in batches of 5,000.
"""

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
    name="uid2",
    title="Unified ID 2.0",
    recipient=Recipient(name="The Trade Desk, Inc.", country="US", relation=Relation.THIRD_PARTY),
    purpose=ADVERTISING,
    columns=(("email_hash", Digest.SHA256),),
    encoding=Encoding.BASE64,
    form=FileForm(quoting=Quoting.NEVER, gzip=False),
    removal=Removal(
        method=Method.FEED_HEADERS,
        columns=(("email_hash", Digest.SHA256),),
        form=FileForm(quoting=Quoting.NEVER, gzip=False),
    ),
    email=EmailRule(drop_dots_at=("gmail.com",), drop_suffix_at=("gmail.com",), any_script=True),
    fields=(("phone", "phone_e164_strict"),),
    aliases=("unified id 2", "unified id 2.0"),
    opt_out_list="uid2",
    age_floor=18,
    rows_floor=1_000,  # ours; UID2 publishes none
    rule_id="uid2-normalization/2026-11-23",
    sources=(
        "https://unifiedid.com/docs/getting-started/gs-normalization-encoding",
        "https://unifiedid.com/ja/docs/getting-started/gs-normalization-encoding",
        "https://unifiedid.com/docs/getting-started/gs-opt-out",
        "https://unifiedid.com/docs/endpoints/post-identity-map",
    ),
    read_on="2026-11-23",
    example=(
        ("USER@example.com", "user@example.com"),
        ("JANE.SAOIRSE@gmail.com", "janesaoirse@gmail.com"),
        ("JaneSaoirse+Work@gmail.com", "janesaoirse@gmail.com"),
        ("JaneSaoirse+Work@example.com", "janesaoirse+work@example.com"),
        ("ha.na+ko@googlemail.com", "ha.na+ko@googlemail.com"),
        ("a..b@docomo.ne.jp", "a..b@docomo.ne.jp"),
        ("hanako@日本語.jp", "hanako@日本語.jp"),
        ("+@gmail.com", None),
        ("なし", None),
    ),
    prohibited=("directly identifying information that is not an e-mail address or a telephone number",),
    unconfirmed=(
        "which company operates UID2 for Japan, and in which countries it stores what it receives",
        "the file that a connector reads: the operator is called over HTTPS, and no file is specified",
        "how a mapping is taken back: the operator publishes none; what was mapped is removed at each buyer it went to",
        "a smallest batch; there is none on the pages",
    ),
)
