"""
Telephone numbers, in the form of each destination. No feed holds one.

What is typed is read by the numbering plan (ITU-T E.164; `phonenumbers`, which has the plan of every country); a
destination's rule is only how the number that was found is written.
"""

import re
from dataclasses import dataclass

import phonenumbers

from delivery.identifiers.refusals import Refusal, Refused
from delivery.identifiers.typed import plain

_JAPAN, _NORTH_AMERICA = 81, 1

_WRITTEN = re.compile(r"(?P<before>[^0-9+(]*)(?P<number>\(?\+?[-0-9 ().\u30fb/~]*[0-9][-0-9 ().\u30fb/~]*)")
"""A number, and words before it such as TEL: or 電話番号."""

_SAID_BEFORE = {"JP": re.compile(r"日本|\bJP\b|\bJapan"), "US": re.compile(r"米国|アメリカ|\bUSA?\b")}

_E164 = re.compile(r"\+[1-9][0-9]{9,14}")
_SHORTEST, _MOST_DIGITS = 7, 15


@dataclass(frozen=True)
class Number:
    """A number that was found in what was typed."""

    digits: str
    """Country code and national number."""
    in_plan: bool
    """Whether its country's plan has such a number."""
    with_plus: bool
    """Whether it was typed as an international one."""


def read(typed: str, region: str | None) -> Number:
    """
    Args:
        typed: In any form people use: national, with country code, ``00`` or 010, in full width, with any hyphen.

        region: ISO 3166-1 alpha-2 of the country a national number is of.

    Raises:
        Refused: it is no number, or one whose country nobody said. A number of Japan must be in its plan; of
            another country one that was typed with its code is believed by its length.
    """
    written = _WRITTEN.fullmatch(plain(typed))
    if not written:
        raise Refused(Refusal.INVALID_NUMBER)
    region = _region(region, written["before"])
    digits = re.sub(r"[^0-9]", "", written["number"])
    plus = written["number"].lstrip("( ").startswith("+")
    if plus or digits.startswith("00"):
        return _international(digits if plus else digits[2:])
    if region:
        return _national(digits, region)
    if digits.startswith("0"):
        raise Refused(Refusal.UNKNOWN_REGION)
    return _without_plus(digits)


def _region(given: str | None, before: str) -> str | None:
    if given is None or not given.strip():
        return next((region for region, said in _SAID_BEFORE.items() if said.search(before)), None)
    region = plain(given).upper()
    if region not in phonenumbers.SUPPORTED_REGIONS:
        raise Refused(Refusal.UNKNOWN_REGION)
    return region


def _parsed(digits: str, region: str | None) -> phonenumbers.PhoneNumber:
    try:
        return phonenumbers.parse(digits if region else f"+{digits}", region)
    except phonenumbers.NumberParseException:  # its message may quote the number
        raise Refused(Refusal.INVALID_NUMBER) from None


def _written_out(number: phonenumbers.PhoneNumber) -> str:
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164).lstrip("+")


def _international(digits: str) -> Number:
    if not _SHORTEST <= len(digits) <= _MOST_DIGITS + 1:  # a trunk zero may stand after the country code
        raise Refused(Refusal.INVALID_NUMBER)
    number = _parsed(digits, None)
    if phonenumbers.is_valid_number(number):
        return Number(_written_out(number), in_plan=True, with_plus=True)
    if number.country_code == _JAPAN or len(digits) > _MOST_DIGITS:
        raise Refused(Refusal.INVALID_NUMBER)
    return Number(digits, in_plan=False, with_plus=True)


def _national(digits: str, region: str) -> Number:
    number = _parsed(digits, region)
    valid = phonenumbers.is_valid_number(number)
    if not valid and (number.country_code == _JAPAN or not phonenumbers.is_possible_number(number)):
        # Perhaps its country code stands before it.
        other = None if digits.startswith("0") else _without_plus(digits)
        if other is None or not other.in_plan:
            raise Refused(Refusal.INVALID_NUMBER)
        return other
    return Number(_written_out(number), in_plan=valid, with_plus=False)


def _without_plus(digits: str) -> Number:
    """Digits that begin with a country code, if its plan has them; else just digits."""
    if not _SHORTEST <= len(digits) <= _MOST_DIGITS:
        raise Refused(Refusal.INVALID_NUMBER)
    try:
        number = _parsed(digits, None)
    except Refused:
        return Number(digits, in_plan=False, with_plus=False)
    if phonenumbers.is_valid_number(number):
        return Number(_written_out(number), in_plan=True, with_plus=False)
    return Number(digits, in_plan=False, with_plus=False)


def _sure(number: Number) -> Number:
    """A number without plus and region is one only if a plan has it."""
    if not number.in_plan and not number.with_plus:
        raise Refused(Refusal.INVALID_NUMBER)
    return number


def _resolved(typed: str, region: str | None) -> Number:
    number = read(typed, region)
    return number if region and region.strip() else _sure(number)


def e164(typed: str, region: str | None) -> str:
    """``+819012345678``."""
    return "+" + _resolved(typed, region).digits


def e164_strict(typed: str, region: str | None) -> str:
    """
    ``+819012345678``: E.164 of 10 to 15 digits as it stands, or a number that a plan has.

    UID2 takes E.164 and repairs nothing, so what is nearly E.164 and in no plan is refused.

    Source:
        https://unifiedid.com/docs/getting-started/gs-normalization-encoding, read 2026-11-23.
    """
    number = read(typed, region)
    if not number.in_plan and not _E164.fullmatch(typed):
        raise Refused(Refusal.INVALID_NUMBER)
    return "+" + number.digits


def digits(typed: str, region: str | None) -> str:
    """``819012345678``."""
    return _resolved(typed, region).digits


def digits_as_given(typed: str, region: str | None) -> str:
    """``819012345678``; without plus and region the digits as they are, if no zero begins them."""
    return read(typed, region).digits


def plus_as_given(typed: str, region: str | None) -> str:
    """
    With a plus where it was typed with one, else digits.

    TikTok takes both: its page asked for a plus until 2025-06 and for none in 2025-08; the later one recommends it.
    """
    number = _resolved(typed, region)
    return "+" * number.with_plus + number.digits


def north_american(typed: str, region: str | None) -> str:
    """
    The ten national digits of a number of the North American plan.

    Raises:
        Refused: another country's; LiveRamp publishes no form for it, and ten digits of Japan would be read as
            somebody's in the United States.
    """
    number = read(typed, region)
    if re.fullmatch(r"1[2-9][0-9]{9}", number.digits):
        return number.digits[1:]
    if not number.in_plan and not number.with_plus and re.fullmatch(r"[1-9][0-9]{9}", number.digits):
        return number.digits
    raise Refused(Refusal.UNMATCHABLE)
