"""
Google Ads Customer Match: a file of e-mail digests, in the format of the Data Manager.

Consent goes with the request and not with the row: only people who gave both kinds are in the file, and ad-ops states
``ad_user_data`` and ``ad_personalization`` as granted. No member stays on a list for more than 540 days.
"""

from delivery.spec import Destination, Digest, EmailRule, FileForm, Method, Quoting, Recipient, Relation, Removal
from transforms.purposes import ADVERTISING

_GMAIL = ("gmail.com", "googlemail.com")

DESTINATION = Destination(
    name="google",
    title="Google Ads Customer Match",
    recipient=Recipient(name="Google LLC", country="US", relation=Relation.THIRD_PARTY),
    purpose=ADVERTISING,
    columns=(("Email", Digest.SHA256),),
    form=FileForm(quoting=Quoting.NEVER, gzip=False),
    removal=Removal(
        method=Method.FEED_HEADERS,
        columns=(("Email", Digest.SHA256),),
        form=FileForm(quoting=Quoting.NEVER, gzip=False),
    ),
    # The page had no such rule once, then one for dots, and one for the suffix since; libraries of Google disagree.
    email=EmailRule(drop_dots_at=_GMAIL, drop_suffix_at=_GMAIL),
    fields=(
        ("phone", "phone_e164"),
        ("first_name", "name_without_titles"),
        ("last_name", "name_without_titles"),
        ("country", "country_upper_plain"),
        ("zip", "postal_code_plain"),
    ),
    aliases=("google ads", "customer match", "google customer match", "data manager"),
    age_floor=18,
    rows_floor=1_000,  # ours; see `unconfirmed`
    rule_id="google-data-manager/2026-11-23",
    sources=(
        "https://developers.google.com/data-manager/api/devguides/concepts/formatting",
        "https://support.google.com/google-ads/answer/7476159",
        "https://support.google.com/google-ads/answer/6299717",
    ),
    read_on="2026-11-23",
    example=(
        ("  ALEXZ@example.com   ", "alexz@example.com"),
        ("Jefferson.LOVES.Hiking@googlemail.com", "jeffersonloveshiking@googlemail.com"),
        ("ha.na.ko+x@gmail.com", "hanako@gmail.com"),
        ("user.name+NYC@Example.com", "user.name+nyc@example.com"),
        ("a..b@docomo.ne.jp", "a..b@docomo.ne.jp"),
        (" ...@gmail.com", None),
        ("なし", None),
    ),
    prohibited=("people under 13", "what was not collected first-hand", "overly narrow groups"),
    unconfirmed=(
        "which company of the group receives data from Japan, and in which countries it stores it",
        "the smallest and the largest file",
    ),
)
