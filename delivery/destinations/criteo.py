"""Criteo: a contact list of e-mail digests, one a line."""

from delivery.spec import Destination, Digest, FileForm, Method, Quoting, Recipient, Relation, Removal
from transforms.purposes import ADVERTISING

_FORM = FileForm(quoting=Quoting.NEVER, header=False, gzip=False)

DESTINATION = Destination(
    name="criteo",
    title="Criteo contact list",
    recipient=Recipient(name="Criteo S.A.", country="FR", relation=Relation.THIRD_PARTY),
    purpose=ADVERTISING,
    columns=(("email", Digest.SHA256),),
    form=_FORM,
    removal=Removal(method=Method.FEED_HEADERS, columns=(("email", Digest.SHA256),), form=_FORM),
    aliases=("criteo ads",),
    age_floor=18,
    rows_floor=501,
    rule_id="criteo-contact-list/2026-11-23",
    sources=(
        "https://help.retailmedia.criteo.com/kb/guide/en/contact-lists-yYjTNGz3pT/Steps/2634843",
        "https://developers.criteo.com/marketing-solutions/docs/contact-list",
    ),
    read_on="2026-11-23",
    example=(
        (" Hanako@Example.jp", "hanako@example.jp"),
        ("ha.na+ko@gmail.com", "ha.na+ko@gmail.com"),
        ("test@test", None),
    ),
    unconfirmed=(
        "that SHA-256 alone is matched: it comes from MD5 and from SHA-256 of MD5, and asks tags for both meanwhile",
        "whether the one column has a header",
        "the largest file",
        "how a file takes people back; the API has an operation for it",
        "in which countries it stores what it receives",
        "worked digests",
    ),
)
