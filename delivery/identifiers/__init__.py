"""
One identifier for one destination: the form it is digested in, and its digests.

This is what `sudare digest` shows. A feed is made by `delivery.feeds`, of e-mail addresses only: telephone numbers,
names and dates of birth are no columns of any destination, and their digests are undone by trying them all.
"""

import base64
import functools
import hashlib
import re
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import polars as pl

from delivery.destinations import called
from delivery.identifiers import people, phones, places
from delivery.identifiers.emails import why_refused
from delivery.identifiers.refusals import Refusal, Refused
from delivery.identifiers.typed import HALF_A_CHARACTER, LONGEST, digest_given, is_placeholder, require_value
from delivery.match_keys import normalise
from delivery.spec import Destination, Digest, Encoding

EMAIL = "email"
HEXADECIMAL_EMAIL = "email_hex_intermediate"
"""An address whose digest is shown in hexadecimal, whatever encoding the destination takes."""
_GIVEN = "_hash"
"""Ends the name of a field whose value is a digest already: that is said, never guessed."""

_SHA256, _SHA1 = (Digest.SHA256,), (Digest.SHA1,)

_FIELD_ALSO_CALLED = {
    alias: name
    for name, aliases in {
        EMAIL: "em e_mail mail email_address emails",
        "email_hash": "hashed_email email_sha256 email_digest em_hash",
        "phone": "ph phone_number tel telephone mobile mobile_phone phones",
        "phone_hash": "hashed_phone phone_sha256 ph_hash",
        "first_name": "fn given_name firstname",
        "last_name": "ln family_name lastname surname",
        "first_initial": "fi",
        "f5first": "first_five_first",
        "f5last": "first_five_last",
        "city": "ct",
        "state": "st prefecture province region",
        "zip": "zp zip_code zipcode postal postal_code postcode",
        "country": "country_code region_code",
        "dob_day": "dobd day_of_birth birth_day",
        "dob_month": "dobm month_of_birth birth_month",
        "dob_year": "doby year_of_birth birth_year",
        "address": "street street_address",
        "username": "twitter_username handle screen_name",
        "maid": "madid mobile_id device_id mobile_advertiser_id",
        HEXADECIMAL_EMAIL: "email_hex",
        "csv_quoting": "csv_value",
    }.items()
    for alias in aliases.split()
}


@dataclass(frozen=True)
class Rule:
    """How an identifier that is no e-mail address is written, and what is made of it."""

    form: Callable[[str, str | None], str]
    """Of the value and the region; raises `Refused`."""
    digests: tuple[Digest, ...] = _SHA256
    """Empty where the destination takes the value as it is."""
    reads_anything: bool = False
    """Whether an empty value is one, and a digest no digest."""


def _of_value(form: Callable[[str], str]) -> Callable[[str, str | None], str]:
    return lambda typed, region: form(typed)


def _csv_value(typed: str) -> str:
    """Quoted, every quote within doubled (docs.liveramp.com, formatting-file-data, read 2026-11-23)."""
    return '"' + typed.replace('"', '""') + '"'


RULES: dict[str, Rule] = {
    "phone_e164": Rule(phones.e164),
    "phone_e164_strict": Rule(phones.e164_strict),
    "phone_digits": Rule(phones.digits),
    "phone_digits_as_given": Rule(phones.digits_as_given),
    "phone_plus_as_given": Rule(phones.plus_as_given),
    "phone_us_sha1": Rule(phones.north_american, _SHA1),
    "name_without_titles": Rule(_of_value(people.name_without_titles)),
    "name_of_letters": Rule(_of_value(people.name_of_letters)),
    "first_letter": Rule(_of_value(people.first_letter)),
    "first_five_letters": Rule(_of_value(people.first_five_letters)),
    "alphanumeric": Rule(_of_value(people.alphanumeric)),
    "username": Rule(_of_value(people.username)),
    "device_lower": Rule(_of_value(people.device_lower)),
    "device_of_one_case": Rule(_of_value(people.device_of_one_case)),
    "device_lower_sha1": Rule(_of_value(people.device_lower), _SHA1),
    "device_upper_sha1": Rule(_of_value(people.device_upper), _SHA1),
    "day_of_birth": Rule(_of_value(people.day_of_birth)),
    "month_of_birth": Rule(_of_value(people.month_of_birth)),
    "year_of_birth": Rule(_of_value(people.year_of_birth)),
    "city_in_latin": Rule(_of_value(places.city_in_latin)),
    "state_code": Rule(_of_value(places.state_code)),
    "postal_code_bare": Rule(places.postal_code_bare),
    "postal_code_plain": Rule(_of_value(places.postal_code_plain), ()),
    "country_lower": Rule(_of_value(places.country_lower)),
    "country_upper_plain": Rule(_of_value(places.country_upper), ()),
    "csv_value": Rule(_of_value(_csv_value), (), reads_anything=True),
}
"""By the names that `Destination.fields` gives."""


@dataclass(frozen=True)
class Request:
    """One value, as it was asked about. Nothing is checked yet."""

    destination: object
    field: object
    value: object = field(repr=False)
    region: object = None


@dataclass(frozen=True)
class Identified:
    """What came of a value: a form and what is made of it, or a refusal and nothing else. Shows no value."""

    normalized: str | None = field(default=None, repr=False)
    digests: dict[str, str] = field(default_factory=dict, repr=False)
    """Lower-case hexadecimal by algorithm."""
    encoded: str | None = field(default=None, repr=False)
    """The first digest in the destination's own encoding, SHA-256 where there is one; the form where it takes that."""
    refused: Refusal | None = None


def identify(requests: Sequence[Request]) -> list[Identified]:
    """
    The forms and digests of some values, in the order asked.

    Addresses of one destination are brought into form together, by the same expression as its feed's.
    """
    found: list[Identified | None] = [None] * len(requests)
    addresses: dict[str, list[int]] = defaultdict(list)
    for place, request in enumerate(requests):
        try:
            found[place] = _identify(request)
            if found[place] is None:
                addresses[called(str(request.destination)).name].append(place)
        except Refused as refused:
            found[place] = Identified(refused=refused.why)
    for name, places_of_it in addresses.items():
        asked = [requests[place] for place in places_of_it]
        for place, one in zip(places_of_it, _addresses(called(name), asked), strict=True):
            found[place] = one
    return [one for one in found if one is not None]


def _identify(request: Request) -> Identified | None:
    """None for an address, which waits for the others."""
    destination = called(request.destination) if isinstance(request.destination, str) else None
    if destination is None:
        raise Refused(Refusal.UNKNOWN_DESTINATION)
    name = _field(request)
    value = _text(request.value)
    if name in (EMAIL, HEXADECIMAL_EMAIL):
        return None
    if name.endswith(_GIVEN):
        return _given(destination, name.removesuffix(_GIVEN), value)
    rule = _rule(destination, name)
    if not rule.reads_anything:
        require_value(value)
    if request.region is not None and not isinstance(request.region, str):
        raise Refused(Refusal.UNKNOWN_REGION)
    form = rule.form(value, request.region)
    if is_placeholder(form):
        raise Refused(Refusal.PLACEHOLDER)
    return _told(form, {d: hashlib.new(d.value, form.encode()).digest() for d in rule.digests}, destination.encoding)


def _field(request: Request) -> str:
    if not isinstance(request.field, str):
        raise Refused(Refusal.UNSUPPORTED_FIELD)
    return _field_called(request.field)


@functools.lru_cache(maxsize=1_000)
def _field_called(name: str) -> str:
    bare = re.sub(r"[-\s]+", "_", name.strip().lower())
    bare, marked = re.subn(r"_?\(prehashed\)$", "", bare)
    bare = _FIELD_ALSO_CALLED.get(bare, bare)
    return bare if bare.endswith(_GIVEN) or not marked else bare + _GIVEN


def _text(value: object) -> str:
    if value is None:
        raise Refused(Refusal.EMPTY)
    if not isinstance(value, str):
        raise Refused(Refusal.NOT_TEXT)
    if len(value) > LONGEST:
        raise Refused(Refusal.TOO_LONG)
    return value


def _rule(destination: Destination, name: str) -> Rule:
    for field_name, rule in destination.fields:
        if field_name == name:
            return RULES[rule]
    raise Refused(Refusal.UNSUPPORTED_FIELD)


def _given(destination: Destination, name: str, value: str) -> Identified:
    """
    A digest that was said to be one: as it is, in the encoding of the destination.

    Raises:
        Refused: it is no digest, or one that the destination does not take, or that of nothing.
    """
    taken = {d for _, d in destination.columns} if name == EMAIL else set(_rule(destination, name).digests)
    algorithm, digest = digest_given(value)
    if algorithm not in taken:
        raise Refused(Refusal.MALFORMED)
    if digest == hashlib.new(algorithm.value, b"").digest():
        raise Refused(Refusal.EMPTY)
    return _told(digest.hex(), {algorithm: digest}, destination.encoding)


def _told(form: str, digests: dict[Digest, bytes], encoding: Encoding) -> Identified:
    shown = {d.value: digests[d].hex() for d in Digest if d in digests}
    if not digests:
        return Identified(form, {}, form)
    first = next(digests[d] for d in Digest if d in digests)
    return Identified(form, shown, base64.b64encode(first).decode() if encoding is Encoding.BASE64 else first.hex())


def _addresses(destination: Destination, requests: list[Request]) -> list[Identified]:
    values = [str(request.value) for request in requests]
    # Half a character, which JSON can say, is in no column of text.
    readable = [None if HALF_A_CHARACTER.search(value) else value for value in values]
    frame = pl.DataFrame({"typed": readable}, schema={"typed": pl.String})
    forms = frame.select(normalise(pl.col("typed"), destination.email))["typed"].to_list()
    algorithms = {d for _, d in destination.columns}
    return [
        _address(destination, request, form, algorithms) if form else _refused_address(destination, value)
        for request, value, form in zip(requests, values, forms, strict=True)
    ]


def _address(destination: Destination, request: Request, form: str, algorithms: set[Digest]) -> Identified:
    digests = {d: hashlib.new(d.value, form.encode()).digest() for d in algorithms}
    in_hexadecimal = _field(request) == HEXADECIMAL_EMAIL
    return _told(form, digests, Encoding.HEX if in_hexadecimal else destination.encoding)


def _refused_address(destination: Destination, value: str) -> Identified:
    return Identified(refused=why_refused(value, destination.email))
