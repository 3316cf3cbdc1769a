"""The rows that say what members agreed to, asked for and sent in: consents, opt-outs, requests, holds, entries."""

import datetime

import numpy as np
import pyarrow as pa

from sudare.demo import names, phones, places
from sudare.demo.columns import constant, hexadecimal, instants, pick, whole
from sudare.demo.emails import retyped
from sudare.demo.phrases import ENQUIRIES, ENQUIRY_CATEGORIES
from sudare.demo.plan import DAY, SECOND, Plan, midnight
from sudare.demo.traits import CONSENT_SHAPES, OPT_OUT_SHAPES, POLICY_VERSIONS, Consent, consent_shape, opt_out_shape

_CURRENT_TEXT = midnight(datetime.date(2022, 4, 1))
_PER_MEMBER = 4
"""Room for consents per member in the numbering of consents; the last place is for consenting again."""

_STRANGERS = 10


def _between(plan: Plan, stream: str, ids: np.ndarray, first: np.ndarray, end: int) -> np.ndarray:
    """An instant per id from ``first`` on and before ``end``, in whole seconds after ``first``."""
    seconds = np.maximum((end - first) // SECOND, 1)
    return first + plan.draws.below(stream, ids, np.minimum(seconds, 2**31)) * SECOND


def _given_at(plan: Plan, consent: Consent, place: int, ids: np.ndarray, now: int) -> np.ndarray:
    joined, stream = plan.registered_at(ids), f"given {place}"
    asked = np.maximum(joined, _CURRENT_TEXT)
    days = {
        "joining": lambda: np.where(joined >= _CURRENT_TEXT, joined, asked + plan.draws.below(stream, ids, 500) * DAY),
        "between": lambda: _between(plan, stream, ids, asked, now),
        "early": lambda: np.where(joined < _CURRENT_TEXT, joined, joined + SECOND),
        "future": lambda: now + DAY + plan.draws.below(stream, ids, 300) * DAY,
        "last": lambda: _between(plan, stream, ids, np.maximum(asked, now - 20 * DAY), now),
    }
    return days[consent.when]()


def consent_rows(plan: Plan, ids: np.ndarray, now: int) -> pa.Table:
    """The consents of the members ``ids``, those after an opt-out included, in order of their numbers."""
    shapes, parts = consent_shape(plan, ids), []
    for number, (_, consents) in enumerate(CONSENT_SHAPES):
        for place, consent in enumerate(consents):
            parts.append(_consents(plan, consent, place, ids[shapes == number], now))
    again = np.array([shape is not None and shape.consented_again for _, shape in OPT_OUT_SHAPES])
    lifted = ids[again[opt_out_shape(plan, ids)]]
    parts.append(_consents(plan, Consent("ad_match", POLICY_VERSIONS[-1], "button", "last"), 3, lifted, now))
    return pa.concat_tables(parts).sort_by("consent_id")


def _consents(plan: Plan, consent: Consent, place: int, ids: np.ndarray, now: int) -> pa.Table:
    given = _given_at(plan, consent, place, ids, now)
    withdrawn = _between(plan, f"withdrawn {place}", ids, given, now)
    return pa.table(
        {
            "consent_id": whole(ids * _PER_MEMBER + place),
            "member_id": whole(ids),
            "purpose": constant(consent.purpose, len(ids)),
            "text_version": constant(consent.version, len(ids)),
            "method": constant(consent.method, len(ids)),
            "given_at": instants(given),
            "withdrawn_at": instants(withdrawn, np.full(len(ids), not consent.withdrawn)),
        }
    )


def opt_out_rows(plan: Plan, ids: np.ndarray, now: int) -> pa.Table:
    """The opt-outs of the members ``ids``, in order of their numbers."""
    shapes = opt_out_shape(plan, ids)
    ids, chosen = ids[shapes > 0], [OPT_OUT_SHAPES[number][1] for number in shapes[shapes > 0]]
    by_email, again, revoked = (
        np.array([bool(getattr(shape, name)) for shape in chosen], dtype=bool)
        for name in ("by_email", "consented_again", "revoked")
    )
    # Whoever consents again does it in the last twenty days, so she opted out before.
    first = np.maximum(plan.registered_at(ids), now - np.where(again | revoked, 60, 19) * DAY)
    said = _between(plan, "opted out", ids, first, now)
    said = np.where(again, np.minimum(said, now - 20 * DAY), said)
    taken_back = _between(plan, "revoked", ids, said, now)
    return pa.table(
        {
            "opt_out_id": whole(ids * 2),
            "member_id": whole(ids, by_email),
            "email": pa.array(
                [text if told else None for text, told in zip(retyped(plan, ids).to_pylist(), by_email, strict=True)],
                pa.string(),
            ),
            "kind": pa.array([shape.kind for shape in chosen], pa.string()),
            "opted_out_at": instants(said),
            "revoked_at": instants(taken_back, ~revoked),
        }
    )


def rights_request_rows(plan: Plan, ids: np.ndarray, now: int) -> pa.Table:
    """Requests of every kind by some of the members ``ids``."""
    return _requests(plan, ids[plan.draws.chance("request", ids, 6) | (ids <= 10)], now)


def stranger_request_rows(plan: Plan, now: int) -> pa.Table:
    """Requests by people whose account no longer exists."""
    return _requests(plan, 1_000_000_000 + np.arange(_STRANGERS), now)


def _requests(plan: Plan, members: np.ndarray, now: int) -> pa.Table:
    draws = plan.draws
    received = _between(plan, "received", members, np.full(len(members), now - 90 * DAY), now)
    verified, completed = received + 2 * DAY, received + 9 * DAY
    unverified = draws.chance("unverified request", members, 300) | (verified >= now)
    return pa.table(
        {
            "request_id": whole(members),
            "member_id": whole(members),
            "kind": pick(
                ("disclose", "correct", "stop_use", "stop_provision", "erase"), draws.below("request kind", members, 5)
            ),
            "received_at": instants(received),
            "identity_verified_at": instants(verified, unverified),
            "completed_at": instants(completed, unverified | (completed >= now)),
        }
    )


def legal_hold_rows(plan: Plan, members: int, postings: int, now: int) -> pa.Table:
    """Some members and postings that may not be erased, some of them no longer."""
    numbers = np.arange(1, 21)
    of_member = numbers % 2 == 0
    subject = plan.draws.below("held", numbers, np.where(of_member, members, max(postings, 1))) + 1
    placed = np.full(20, now - 200 * DAY) + numbers * DAY
    return pa.table(
        {
            "hold_id": whole(numbers),
            "subject_kind": pick(("posting", "member"), of_member.astype(np.int64)),
            "subject_id": whole(subject),
            "case_reference": pa.array([f"照会-2026-{number:03d}" for number in numbers]),
            "placed_at": instants(placed),
            "released_at": instants(placed + 100 * DAY, numbers % 3 != 0),
        }
    )


def policy_version_rows(plan: Plan) -> pa.Table:
    """The versions of the privacy policy, with a made-up digest of their text."""
    numbers = np.arange(4 * len(POLICY_VERSIONS)).reshape(len(POLICY_VERSIONS), 4)
    words = [["".join(hexadecimal(plan.draws.bits("policy", row)).to_pylist())] for row in numbers]
    return pa.table(
        {
            "version": pa.array(POLICY_VERSIONS),
            "effective_on": pa.array([datetime.date.fromisoformat(version) for version in POLICY_VERSIONS]),
            "sha256": pa.array([digest for (digest,) in words]),
        }
    )


def campaign_entry_rows(plan: Plan, ids: np.ndarray, now: int) -> pa.Table:
    """What some of the members ``ids`` filled in to win something."""
    ids = ids[plan.draws.chance("campaign", ids, 20)]
    return pa.table(
        {
            "entry_id": whole(ids),
            "campaign_id": whole(plan.draws.below("which campaign", ids, 12) + 1),
            "member_id": whole(ids),
            "recipient_name": names.full_name(plan.draws, ids),
            "recipient_address": places.full_address(plan.draws, ids),
            "recipient_phone": phones.typed_phone(plan.draws, "recipient", ids, phones.MEMBER_FORMS),
            "entered_at": instants(_between(plan, "entered", ids, plan.registered_at(ids), now)),
        }
    )


def enquiry_rows(plan: Plan, ids: np.ndarray, now: int) -> pa.Table:
    """What some of the members ``ids`` wrote to the site."""
    ids = ids[plan.draws.chance("enquiry", ids, 5) | (ids <= 5)]
    return pa.table(
        {
            "enquiry_id": whole(ids),
            "from_email": retyped(plan, ids),
            "category": pick(ENQUIRY_CATEGORIES, plan.draws.below("enquiry kind", ids, len(ENQUIRY_CATEGORIES))),
            "body": pick(ENQUIRIES, plan.draws.below("enquiry text", ids, len(ENQUIRIES))),
            "received_at": instants(_between(plan, "enquired", ids, plan.registered_at(ids), now)),
        }
    )
