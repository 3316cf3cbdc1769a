"""Microsoft Advertising Customer Match: a list of e-mail digests."""

from delivery.spec import Destination, Digest, FileForm, Method, Quoting, Recipient, Relation, Removal
from transforms.purposes import ADVERTISING

_FORM = FileForm(quoting=Quoting.NEVER, gzip=False)

DESTINATION = Destination(
    name="microsoft",
    title="Microsoft Advertising Customer Match",
    recipient=Recipient(name="Microsoft Corporation", country="US", relation=Relation.THIRD_PARTY),
    purpose=ADVERTISING,
    columns=(("Email", Digest.SHA256),),
    form=_FORM,
    removal=Removal(method=Method.FEED_HEADERS, columns=(("Email", Digest.SHA256),), form=_FORM),
    aliases=("bing", "microsoft ads", "microsoft advertising", "bing ads"),
    age_floor=18,
    rows_floor=1_000,  # ours; see `unconfirmed`
    rule_id="microsoft-customer-match/2026-11-23",
    sources=(
        "https://help.ads.microsoft.com/apex/index/3/en/56921",
        "https://docs.tealium.com/server-side-connectors/microsoft-customer-match",
    ),
    read_on="2026-11-23",
    example=(
        ("One@segment.com", "one@segment.com"),
        ("ha.na+ko@gmail.com", "ha.na+ko@gmail.com"),
        ("none@none.com", None),
    ),
    prohibited=("sensitive content categories, products or services", "data of third parties"),
    unconfirmed=(
        "the form of an address before it is digested; connectors trim it and make it lower case",
        "the file: its header, and its smallest and largest size",
        "how people are taken out of a list by a file; its API has an operation for it",
        "which company of the group receives data from Japan, and in which countries it stores it",
    ),
)
