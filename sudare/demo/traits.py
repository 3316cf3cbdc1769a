"""
What each member is like: standing, consent, opt-out, form of e-mail.

A trait is a function of the member's id alone, so that any table can ask for any
member's trait without a join. Rare shapes would be missing from a small site; therefore
the first ids walk through every shape of every trait twice.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from sudare.demo.canaries import CANARIES, canary_ids
from sudare.demo.plan import Plan

POLICY_VERSIONS: tuple[str, ...] = ("2020-10-01", "2022-04-01")
"""Versions of the privacy policy, and of the consent text; the last one is in force."""


@dataclass(frozen=True)
class Consent:
    """One row of a consent shape."""

    purpose: str
    version: str
    method: str
    when: str
    """'joining', 'between' joining and now, 'early' before the policy in force, 'future', or 'last' of all."""
    withdrawn: bool = False


_OLD, _CURRENT = POLICY_VERSIONS
_CHECKBOX = Consent("ad_match", _CURRENT, "checkbox", "joining")
_BUTTON = Consent("ad_match", _CURRENT, "button", "between")
_GONE = Consent("ad_match", _CURRENT, "button", "joining", withdrawn=True)
_PAST = Consent("ad_match", _OLD, "checkbox", "early")
_AGAIN = Consent("ad_match", _CURRENT, "button", "last")
_LETTER = Consent("newsletter", _CURRENT, "checkbox", "joining")

CONSENT_SHAPES: tuple[tuple[int, tuple[Consent, ...]], ...] = (
    (250, ()),
    (250, (_CHECKBOX,)),
    (120, (_BUTTON,)),
    (60, (_GONE,)),
    (50, (_PAST,)),
    (20, (Consent("ad_match", _CURRENT, "button", "future"),)),
    (50, (Consent("ad_match", _CURRENT, "policy_posted", "joining"),)),
    (40, (Consent("behavioural", _CURRENT, "checkbox", "joining"),)),
    (40, (_LETTER,)),
    (40, (_PAST, _AGAIN)),
    (20, (_GONE, _AGAIN)),
    (50, (_LETTER, _CHECKBOX, Consent("behavioural", _CURRENT, "button", "between", withdrawn=True))),
    (10, (_PAST, _GONE)),
)
"""Weight and rows of every shape of consent."""


@dataclass(frozen=True)
class OptOut:
    """One shape of opt-out."""

    kind: str
    by_email: bool = False
    """Told from an e-mail address, without an account."""
    revoked: bool = False
    consented_again: bool = False
    """Followed by an explicit new consent."""


OPT_OUT_SHAPES: tuple[tuple[int, OptOut | None], ...] = (
    (957, None),
    (12, OptOut("site_ad")),
    (9, OptOut("article_35_stop")),
    (6, OptOut("statistics")),
    (5, OptOut("site_ad", by_email=True)),
    (3, OptOut("article_35_stop", by_email=True)),
    (2, OptOut("statistics", by_email=True)),
    (3, OptOut("site_ad", revoked=True)),
    (1, OptOut("article_35_stop", revoked=True)),
    (2, OptOut("site_ad", consented_again=True)),
)
"""Weight and content of every shape of opt-out."""

EMAIL_FORMS: tuple[tuple[int, str], ...] = (
    (40, "missing"),
    (10, "empty"),
    (5, "blank"),
    (20, "placeholder"),
    (20, "malformed"),
    (640, "plain"),
    (30, "capital"),
    (20, "upper"),
    (20, "full width"),
    (30, "full-width at"),
    (15, "leading space"),
    (20, "ideographic space"),
    (15, "zero width"),
    (5, "byte order mark"),
    (10, "line end"),
    (5, "no-break space"),
    (10, "full-width dot"),
    (5, "odd hyphen"),
    (50, "family"),
    (30, "again"),
)
"""Weight and name of every form of e-mail; 'family' and 'again' are another member's address."""

OWN_FORMS: tuple[str, ...] = tuple(name for _, name in EMAIL_FORMS[5:18])
"""The forms that hold the member's own address."""

STATUSES: tuple[tuple[int, str], ...] = ((935, "active"), (10, "suspended"), (55, "withdrawn"))
"""Weight and name of every standing."""


def _shape(plan: Plan, name: str, ids: np.ndarray, weights: Sequence[int], first: int) -> np.ndarray:
    drawn = plan.draws.weighted(name, ids, weights)
    walk = ids - first
    return np.where((walk >= 0) & (walk < 2 * len(weights)), walk % len(weights), drawn)


def _for_canaries(plan: Plan, ids: np.ndarray, shapes: np.ndarray, canary_shapes: Sequence[int]) -> np.ndarray:
    planted = canary_ids(plan.members)
    number = np.minimum(np.searchsorted(planted, ids), len(planted) - 1)
    return np.where(planted[number] == ids, np.asarray(canary_shapes)[number], shapes)


def consent_shape(plan: Plan, ids: np.ndarray) -> np.ndarray:
    """Index into `CONSENT_SHAPES`."""
    shapes = _shape(plan, "consent shape", ids, [weight for weight, _ in CONSENT_SHAPES], 1)
    return _for_canaries(plan, ids, shapes, [1 if canary.consented else 0 for canary in CANARIES])


def opt_out_shape(plan: Plan, ids: np.ndarray) -> np.ndarray:
    """Index into `OPT_OUT_SHAPES`; the first shape is none."""
    shapes = _shape(plan, "opt-out shape", ids, [weight for weight, _ in OPT_OUT_SHAPES], 30)
    kinds = [None if shape is None else (shape.kind, shape.by_email) for _, shape in OPT_OUT_SHAPES]
    return _for_canaries(plan, ids, shapes, [kinds.index(canary.opted_out) for canary in CANARIES])


def email_form(plan: Plan, ids: np.ndarray) -> np.ndarray:
    """Index into `EMAIL_FORMS`."""
    return _shape(plan, "email form", ids, [weight for weight, _ in EMAIL_FORMS], 52)


def status(plan: Plan, ids: np.ndarray) -> np.ndarray:
    """Index into `STATUSES` on the base day; who joins later is active."""
    shapes = _shape(plan, "status", ids, [weight for weight, _ in STATUSES], 94)
    shapes = np.where(ids > plan.members, 0, shapes)
    return _for_canaries(plan, ids, shapes, [0] * len(CANARIES))
