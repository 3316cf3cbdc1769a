"""X (Twitter): a list custom audience of e-mail digests, one a line."""

from delivery.spec import Destination, Digest, FileForm, Method, Quoting, Recipient, Relation, Removal
from transforms.purposes import ADVERTISING

_FORM = FileForm(quoting=Quoting.NEVER, header=False, gzip=False, bytes_ceiling=10_000_000_000)

DESTINATION = Destination(
    name="x",
    title="X list custom audience",
    recipient=Recipient(name="X Corp.", country="US", relation=Relation.THIRD_PARTY),
    purpose=ADVERTISING,
    columns=(("email", Digest.SHA256),),
    form=_FORM,
    removal=Removal(method=Method.FEED_HEADERS, columns=(("email", Digest.SHA256),), form=_FORM),
    fields=(("phone", "phone_e164"), ("username", "username"), ("maid", "device_lower")),
    aliases=("twitter", "x ads", "twitter ads"),
    age_floor=18,
    rows_floor=1_000,  # ours; see `unconfirmed`
    rule_id="x-custom-audiences/2026-11-23",
    sources=(
        "https://developer.x.com/en/docs/x-ads-api/audiences/overview/user-data",
        "https://business.x.com/en/help/campaign-setup/campaign-targeting/custom-audiences/lists",
    ),
    read_on="2026-11-23",
    example=(
        (" ABC@ax.com ", "abc@ax.com"),
        ("a+1@xyz.com", "a+1@xyz.com"),
        ("ha.na@gmail.com", "ha.na@gmail.com"),
        ("@AdsAPI", None),
    ),
    prohibited=("health, and other sensitive categories",),
    unconfirmed=(
        "which company of the group receives data from Japan, and in which countries it stores it",
        "telephone numbers: the page names none; connectors digest E.164 with the plus",
        "whether the file may have a header; the kind of each column is chosen when it is uploaded",
        "the smallest list that is matched",
        "how a file takes people back, other than by the API",
    ),
)
