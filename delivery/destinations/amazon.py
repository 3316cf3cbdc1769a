"""Amazon Ads: an advertiser's audience of e-mail digests, uploaded by a connector."""

from delivery.spec import Destination, Digest, FileForm, Method, Quoting, Recipient, Relation, Removal
from transforms.purposes import ADVERTISING

_FORM = FileForm(quoting=Quoting.NEVER, gzip=False)

DESTINATION = Destination(
    name="amazon",
    title="Amazon Ads audience",
    recipient=Recipient(name="Amazon.com, Inc.", country="US", relation=Relation.THIRD_PARTY),
    purpose=ADVERTISING,
    columns=(("email", Digest.SHA256),),
    form=_FORM,
    removal=Removal(method=Method.FEED_HEADERS, columns=(("email", Digest.SHA256),), form=_FORM),
    fields=(
        ("phone", "phone_digits_as_given"),
        ("first_name", "alphanumeric"),
        ("last_name", "alphanumeric"),
        ("address", "alphanumeric"),
        ("city", "alphanumeric"),
        ("state", "alphanumeric"),
        ("zip", "alphanumeric"),
    ),
    aliases=("amazon ads", "amazon dsp", "amazon amc"),
    age_floor=18,
    rows_floor=1_000,  # ours; see `unconfirmed`
    rule_id="amazon-ads-audience/2026-11-23",
    sources=(
        "https://docs.tealium.com/server-side-connectors/amazon-ads-audience-management-connector/",
        "https://github.com/segmentio/action-destinations/tree/main/packages/destination-actions/src/destinations/amazon-amc",
    ),
    read_on="2026-11-23",
    example=(
        (" Test@twilio.com", "test@twilio.com"),
        ("ha.na+ko@gmail.com", "ha.na+ko@gmail.com"),
        ("なし", None),
    ),
    unconfirmed=(
        "everything but the digest: its own pages were not read, the rules are those of two connectors",
        "the file, its header, and its smallest and largest size",
        "how people are taken out of an audience by a file",
        "which company of the group receives data from Japan, and in which countries it stores it",
        "names and addresses in Japanese; here their letters are kept",
    ),
)
