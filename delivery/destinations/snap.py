"""Snap (Snapchat): a customer list of e-mail digests."""

from delivery.spec import Destination, Digest, FileForm, Method, Quoting, Recipient, Relation, Removal
from transforms.purposes import ADVERTISING

_FORM = FileForm(quoting=Quoting.NEVER, header=False, gzip=False)

DESTINATION = Destination(
    name="snap",
    title="Snap customer list",
    recipient=Recipient(name="Snap Inc.", country="US", relation=Relation.THIRD_PARTY),
    purpose=ADVERTISING,
    columns=(("email", Digest.SHA256),),
    form=_FORM,
    removal=Removal(method=Method.FEED_HEADERS, columns=(("email", Digest.SHA256),), form=_FORM),
    fields=(
        ("phone", "phone_digits"),
        ("first_name", "name_of_letters"),
        ("last_name", "name_of_letters"),
        ("maid", "device_lower"),
    ),
    aliases=("snapchat", "snap ads"),
    age_floor=18,
    rows_floor=1_000,  # ours; see `unconfirmed`
    rule_id="snap-customer-list/2026-11-23",
    sources=(
        "https://developers.snap.com/api/marketing-api/Conversions-API/Parameters",
        "https://developers.snap.com/api/marketing-api/Ads-API/customer-lists",
    ),
    read_on="2026-11-23",
    example=(
        ("Person@email.com", "person@email.com"),
        ("ha.na+ko@gmail.com", "ha.na+ko@gmail.com"),
        ("", None),
    ),
    unconfirmed=(
        "the file, its header, and its smallest and largest size; the page describes the API",
        "how people are taken out of a list by a file",
        "which company of the group receives data from Japan, and in which countries it stores it",
    ),
)
