"""
Meta (Facebook, Instagram): a customer list of e-mail digests.

Digests are made here and uploaded as such: its own Python library strips whatever is not a-z from names, digits of
full width from numbers and the first dot from an address, and digests what is left.
"""

from delivery.spec import Destination, Digest, EmailRule, FileForm, Method, Quoting, Recipient, Relation, Removal
from transforms.purposes import ADVERTISING

DESTINATION = Destination(
    name="meta",
    title="Meta customer list",
    recipient=Recipient(name="Meta Platforms, Inc.", country="US", relation=Relation.THIRD_PARTY),
    purpose=ADVERTISING,
    columns=(("email", Digest.SHA256),),
    form=FileForm(quoting=Quoting.NEVER, gzip=False),
    removal=Removal(
        method=Method.FEED_HEADERS,
        columns=(("email", Digest.SHA256),),
        form=FileForm(quoting=Quoting.NEVER, gzip=False),
    ),
    email=EmailRule(strict_dots=True),
    fields=(
        ("phone", "phone_digits_as_given"),
        ("first_name", "name_of_letters"),
        ("last_name", "name_of_letters"),
        ("first_initial", "first_letter"),
        ("f5first", "first_five_letters"),
        ("f5last", "first_five_letters"),
        ("city", "city_in_latin"),
        ("state", "state_code"),
        ("zip", "postal_code_bare"),
        ("country", "country_lower"),
        # Its library has worked examples of these, so `sudare digest` knows them. No feed has a date of birth.
        ("dob_day", "day_of_birth"),
        ("dob_month", "month_of_birth"),
        ("dob_year", "year_of_birth"),
        ("maid", "device_lower"),
    ),
    aliases=("facebook", "instagram", "meta ads"),
    age_floor=18,
    rows_floor=100,
    rule_id="meta-customer-list/2026-11-23",
    sources=(
        "https://developers.facebook.com/documentation/ads-commerce/conversions-api/parameters/"
        "customer-information-parameters",
        "https://developers.facebook.com/documentation/ads-commerce/marketing-api/audiences/guides/custom-audiences",
        "https://www.facebook.com/business/help/2082575038703844",
        "https://github.com/facebook/capi-param-builder",
    ),
    read_on="2026-11-23",
    example=(
        ("     John_Smith@gmail.com    ", "john_smith@gmail.com"),
        ("ha.na+ko@gmail.com", "ha.na+ko@gmail.com"),
        ("hanako@日本語.jp", "hanako@xn--wgv71a119e.jp"),
        ("a..b@docomo.ne.jp", None),
        (".hanako@ezweb.ne.jp", None),
        ("test@example", None),
    ),
    prohibited=(
        "health, financial status, and audiences whose name suggests either",
        "people known to be under 13, or under the age at which they may be advertised to",
    ),
    unconfirmed=(
        "which company of the group receives data from Japan, and in which countries it stores it",
        "the largest file that is uploaded by hand; over the API a request has 10,000 records",
        "names of cities in Japanese: its page says UTF-8, its parameter builder drops them; here they are refused",
    ),
)
