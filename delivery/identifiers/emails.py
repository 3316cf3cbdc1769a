"""Why an address has no normal form. What the form is, only `delivery.match_keys` says."""

import re
import unicodedata

import email_validator

from delivery.identifiers.refusals import Refusal, Refused
from delivery.identifiers.typed import require_value
from delivery.match_keys import INVISIBLE, LONGEST, PLACEHOLDERS, STRAY_DOTS
from delivery.spec import EmailRule

_LONGEST_LOCAL = 64


def why_refused(typed: str, rule: EmailRule) -> Refusal:
    """The reason to give for an address that `delivery.match_keys.normalise` has refused."""
    try:
        require_value(typed)
    except Refused as refused:
        return refused.why
    form = re.sub(INVISIBLE, "", unicodedata.normalize("NFKC", typed).lower())
    local, _, domain = form.rpartition("@")
    if re.search(PLACEHOLDERS, form):
        return Refusal.PLACEHOLDER
    if local and domain and (len(form.encode()) > LONGEST or len(local) > _LONGEST_LOCAL):
        return Refusal.TOO_LONG
    if rule.strict_dots and re.search(STRAY_DOTS, form) and _is_somebodys(_without_stray_dots(local), domain):
        return Refusal.UNMATCHABLE
    # Mail reaches a Unicode local part, and no partner has a digest of one.
    return Refusal.UNMATCHABLE if not local.isascii() and _is_somebodys(local, domain) else Refusal.MALFORMED


def _is_somebodys(local: str, domain: str) -> bool:
    try:
        email_validator.validate_email(
            f"{local}@{domain}", check_deliverability=False, test_environment=True, allow_smtputf8=True
        )
    except email_validator.EmailNotValidError:
        return False
    return True


def _without_stray_dots(local: str) -> str:
    return re.sub(r"\.+", ".", local).strip(".")
