"""
TikTok: a customer file of e-mail digests.

The page has changed thrice: in 2024-07 dots were removed too, since 2025 the suffix only, and the latest version
speaks of neither.
"""

from delivery.spec import Destination, Digest, EmailRule, FileForm, Method, Quoting, Recipient, Relation, Removal
from transforms.purposes import ADVERTISING

_FORM = FileForm(quoting=Quoting.NEVER, gzip=False, bytes_ceiling=1_000_000_000)

DESTINATION = Destination(
    name="tiktok",
    title="TikTok customer file",
    recipient=Recipient(name="TikTok Pte. Ltd.", country="SG", relation=Relation.THIRD_PARTY),
    purpose=ADVERTISING,
    columns=(("Email_SHA256", Digest.SHA256),),
    form=_FORM,
    removal=Removal(method=Method.FEED_HEADERS, columns=(("Email_SHA256", Digest.SHA256),), form=_FORM),
    email=EmailRule(drop_suffix_at=("*",)),
    fields=(("phone", "phone_plus_as_given"), ("maid", "device_of_one_case")),
    aliases=("tiktok ads", "tik tok"),
    age_floor=18,
    rows_floor=1_000,
    rule_id="tiktok-customer-file/2026-11-23",
    sources=(
        "https://ads.tiktok.com/help/article/list-of-supported-ids-and-formats-for-a-customer-file",
        "https://ads.tiktok.com/help/article/how-to-create-a-custom-audience-with-a-customer-file",
    ),
    read_on="2026-11-23",
    example=(
        ("Amy@abc.com", "amy@abc.com"),
        ("firstname-lastname+news@gmail.com", "firstname-lastname@gmail.com"),
        ("ha.na@gmail.com", "ha.na@gmail.com"),
        ("a..b@docomo.ne.jp", "a..b@docomo.ne.jp"),
        ("+news@example.jp", None),
    ),
    prohibited=("people under the age at which they may be advertised to",),
    unconfirmed=(
        "whether the suffix behind a plus is removed, which its pages say differently",
        "whether a telephone number has its plus; both are taken",
        "how people are taken out of a customer file; the pages describe additions only",
        "which company of the group receives data from Japan, and in which countries it stores it",
    ),
)
