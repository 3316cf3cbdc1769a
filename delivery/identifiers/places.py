"""Where a person lives. No feed holds it."""

import functools
import re
import unicodedata
from pathlib import Path

from babel import Locale

from delivery.identifiers.refusals import Refusal, Refused
from delivery.identifiers.typed import only, plain

_MARK = re.compile(r"[〒〠\u3020\u3036]")

_ALSO_CALLED = {"usa": "us", "unitedstatesofamerica": "us", "uk": "gb", "jpn": "jp", "日本国": "jp", "nippon": "jp"}


def _left(text: str) -> str:
    if not text:
        raise Refused(Refusal.EMPTY)
    return text


@functools.cache
def _code_of_state() -> dict[str, str]:
    """States and territories of the United States by their names without spaces (ANSI INCITS 38)."""
    _, *lines = Path(__file__).with_name("states.csv").read_text(encoding="utf-8").splitlines()
    return dict(line.split(",") for line in lines)


@functools.cache
def _code_of_country() -> dict[str, str]:
    """Countries by their English and Japanese names (Unicode CLDR)."""
    codes = {
        only(name, "LMN"): code.lower()
        for language in ("en", "ja")
        for code, name in Locale(language).territories.items()
        if re.fullmatch(r"[A-Z]{2}", code)
    }
    return codes | _ALSO_CALLED


def city_in_latin(typed: str) -> str:
    """
    In lower case, letters only.

    Raises:
        Refused: it is in another script. Meta's page would have it in UTF-8; its own parameter builder drops it, so
            what Meta digests on its side has none.

    Source:
        https://github.com/facebook/capi-param-builder, read 2026-11-23.
    """
    city = _left(only(typed, "LMN"))
    if not all(unicodedata.name(c, "").startswith(("LATIN", "COMBINING", "DIGIT")) for c in city):
        raise Refused(Refusal.UNMATCHABLE)
    return city


def state_code(typed: str) -> str:
    """The two letters of a state of the United States; elsewhere in lower case, letters only, every script kept."""
    state = _left(only(typed, "LMN"))
    return _code_of_state().get(state, state)


def postal_code_bare(typed: str, region: str | None) -> str:
    """
    In lower case without space and hyphen; of the United States the first five digits.

    Source:
        https://developers.facebook.com/documentation/ads-commerce/conversions-api/parameters/
        customer-information-parameters, read 2026-11-23.
    """
    code = re.sub(r"\s", "", _MARK.sub("", plain(typed))).lower()
    if re.fullmatch(r"[0-9]{5}-[0-9]{4}", code) or ((region or "").upper() == "US" and re.match(r"[0-9]{5}", code)):
        return code[:5]
    code = code.replace("-", "")
    if not re.fullmatch(r"[a-z0-9]{2,12}", code):
        raise Refused(Refusal.MALFORMED if code else Refusal.EMPTY)
    return code


def postal_code_plain(typed: str) -> str:
    """As people write it, its hyphen kept."""
    code = _MARK.sub("", plain(typed)).strip()
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9 -]{0,14}", code):
        raise Refused(Refusal.MALFORMED if code else Refusal.EMPTY)
    return code


def country_lower(typed: str) -> str:
    """Two letters in lower case, by code or by English or Japanese name."""
    country = _left(only(typed, "LMN"))
    code = country if re.fullmatch(r"[a-z]{2}", country) and country != "uk" else _code_of_country().get(country)
    if code is None:
        raise Refused(Refusal.MALFORMED)
    return code


def country_upper(typed: str) -> str:
    """Two letters in capitals, by code only: two letters with a space between them are none."""
    code = plain(typed).upper()
    if not re.fullmatch(r"[A-Z]{2}", code):
        raise Refused(Refusal.MALFORMED)
    return code
