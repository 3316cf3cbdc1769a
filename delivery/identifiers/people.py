"""Names, accounts, devices and dates of birth of a person. No feed holds one."""

import re

from delivery.identifiers.refusals import Refusal, Refused
from delivery.identifiers.typed import half_width, only, plain

_TITLE = re.compile(r"^(?:mr|mrs|ms|dr)\.(?:\s+|$)")
_AFTER = re.compile(
    r"(?:(?:^|\s*),\s*|\s+)(?:(?:mr|mrs|ms|dr|jr|sr)\.|2nd|3rd|ii|iii|iv|v|vi|cpa|dc|dds|vm|jd|md|phd)\s*,?\s*$"
)


def _left(text: str) -> str:
    if not text:
        raise Refused(Refusal.EMPTY)
    return text


def name_without_titles(typed: str) -> str:
    """
    In lower case, without title and suffix, no space around and no more than one within.

    Source:
        https://developers.google.com/data-manager/api/devguides/concepts/formatting, read 2026-11-23.
    """
    name = " ".join(half_width(typed).lower().split())
    while (shorter := _AFTER.sub("", _TITLE.sub("", name)).strip()) != name:
        name = shorter
    return _left(name if any(c.isalpha() for c in name) else "")


def name_of_letters(typed: str) -> str:
    """
    In lower case, without space, punctuation or symbol; every script is kept.

    Source:
        https://developers.facebook.com/documentation/ads-commerce/conversions-api/parameters/
        customer-information-parameters, read 2026-11-23.
    """
    return _left(only(typed, "LMN"))


def first_letter(typed: str) -> str:
    return name_of_letters(typed)[0]


def first_five_letters(typed: str) -> str:
    return name_of_letters(typed)[:5]


def alphanumeric(typed: str) -> str:
    """Letters and digits in lower case; every script is kept."""
    return _left(only(typed, "LMN"))


def username(typed: str) -> str:
    """Without the sign before it, in lower case."""
    name = re.sub(r"\s", "", plain(typed)).lower().removeprefix("@")
    if not re.fullmatch(r"[a-z0-9_]{1,50}", name):
        raise Refused(Refusal.MALFORMED if name else Refusal.EMPTY)
    return name


def _device(typed: str) -> str:
    device = plain(typed)
    if not re.fullmatch(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}", device):
        raise Refused(Refusal.MALFORMED)
    if not device.strip("0-"):
        # What a device answers whose owner has switched advertising identifiers off.
        raise Refused(Refusal.PLACEHOLDER)
    return device


def device_lower(typed: str) -> str:
    return _device(typed).lower()


def device_upper(typed: str) -> str:
    return _device(typed).upper()


def device_of_one_case(typed: str) -> str:
    """As it is if all its letters are of one case, else in lower case."""
    device = _device(typed)
    return device if device == device.upper() else device.lower()


def day_of_birth(typed: str) -> str:
    return _two_digits(typed, 31)


def month_of_birth(typed: str) -> str:
    return _two_digits(typed, 12)


def year_of_birth(typed: str) -> str:
    year = plain(typed)
    if not re.fullmatch(r"[0-9]{4}", year):
        raise Refused(Refusal.MALFORMED)
    return year


def _two_digits(typed: str, most: int) -> str:
    number = plain(typed)
    if not re.fullmatch(r"[0-9]{1,2}", number) or not 1 <= int(number) <= most:
        raise Refused(Refusal.MALFORMED)
    return f"{int(number):02}"
