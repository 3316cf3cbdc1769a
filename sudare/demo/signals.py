"""What members told the site: consents, opt-outs, requests, enquiries; and what the site keeps on hold."""

import datetime
import hashlib
import itertools

import numpy as np
import pyarrow as pa

from sudare.demo import canaries, names, phones, places
from sudare.demo.columns import by_form, dates, instants, join, null_where, numbers, pick, replace_rows, whole
from sudare.demo.emails import retyped
from sudare.demo.phrases import ENQUIRIES, ENQUIRY_CATEGORIES
from sudare.demo.plan import DAY, SECOND, Plan, epoch_day, midnight
from sudare.demo.traits import (
    CONSENT_SHAPES,
    OPT_OUT_SHAPES,
    POLICY_VERSIONS,
    Consent,
    consent_shape,
    opt_out_shape,
)

GONE_MEMBERS = 1_000_000_000
"""Requests may name members whose rows are erased; their ids lie above this."""

RIGHTS: tuple[str, ...] = ("disclose", "correct", "stop_use", "stop_provision", "erase")
"""Every kind of request."""

_POLICY_DAYS = tuple(datetime.date.fromisoformat(version) for version in POLICY_VERSIONS)

_SHAPE_ROWS: tuple[Consent, ...] = tuple(itertools.chain.from_iterable(rows for _, rows in CONSENT_SHAPES))


def _moment(plan: Plan, stream: str, ids: np.ndarray, start: np.ndarray, end: np.ndarray) -> np.ndarray:
    """An instant from ``start`` to before ``end`` for each id, in microseconds."""
    return start + plan.draws.below(stream, ids, np.maximum((end - start) // SECOND, 1)) * SECOND


def consent_rows(plan: Plan, members: np.ndarray, first_id: int, now: int) -> pa.Table:
    """The consents of ``members`` at ``now``, numbered from ``first_id``."""
    shape = consent_shape(plan, members)
    sizes = np.array([len(rows) for _, rows in CONSENT_SHAPES])
    again = np.array([shape is not None and shape.consented_again for _, shape in OPT_OUT_SHAPES])
    extra = again[opt_out_shape(plan, members)].astype(np.int64)
    count = sizes[shape] + extra
    member = np.repeat(members, count)
    turn = np.arange(len(member)) - np.repeat(np.cumsum(count) - count, count)
    start = np.repeat((np.cumsum(sizes) - sizes)[shape], count)
    is_extra = turn >= np.repeat(sizes[shape], count)
    row = np.where(is_extra, len(_SHAPE_ROWS), start + turn)
    specs = (*_SHAPE_ROWS, Consent("ad_match", POLICY_VERSIONS[-1], "button", "after opting out"))
    given = _given_at(plan, member, turn, row, specs, now)
    withdrawn = _moment(plan, "consent withdrawn", member * 8 + turn, given, np.full(len(member), now))
    is_withdrawn = np.array([spec.withdrawn for spec in specs])[row]
    return pa.table(
        {
            "consent_id": whole(first_id + np.arange(len(member))),
            "member_id": whole(member),
            "purpose": pick(tuple(spec.purpose for spec in specs), row),
            "text_version": pick(tuple(spec.version for spec in specs), row),
            "method": pick(tuple(spec.method for spec in specs), row),
            "given_at": instants(given),
            "withdrawn_at": instants(withdrawn, ~is_withdrawn),
        }
    )


def _given_at(
    plan: Plan, member: np.ndarray, turn: np.ndarray, row: np.ndarray, specs: tuple[Consent, ...], now: int
) -> np.ndarray:
    keys, joined, end = member * 8 + turn, plan.registered_at(member), np.full(len(member), now)
    old_start, start = (midnight(day) for day in _POLICY_DAYS)
    known = np.maximum(joined, start)
    middle = known + (end - known) // 2
    early_end = np.maximum(np.minimum(start, end), joined + 3600 * SECOND)
    moments = {
        "joining": _moment(plan, "given joining", keys, known, np.minimum(known + 600 * SECOND, end)),
        "between": _moment(plan, "given between", keys, known, middle),
        "early": _moment(plan, "given early", keys, np.maximum(joined, old_start), np.minimum(early_end, end)),
        "future": end + (1 + plan.draws.below("given future", keys, 400)) * DAY,
        "last": _last(end, known),
        "after opting out": _last(end, known),
    }
    when = [list(moments).index(spec.when) for spec in specs]
    return np.stack(list(moments.values()))[np.array(when)[row], np.arange(len(member))]


def _last(end: np.ndarray, start: np.ndarray) -> np.ndarray:
    """Shortly before ``end``: after everything else a member did."""
    return end - np.minimum((end - start) // 16, DAY) - 1


def opt_out_rows(plan: Plan, members: np.ndarray, first_id: int, now: int) -> pa.Table:
    """The opt-outs of ``members`` at ``now``, numbered from ``first_id``."""
    shape = opt_out_shape(plan, members)
    told = shape > 0
    member, shape = members[told], shape[told]
    shapes = [kind for _, kind in OPT_OUT_SHAPES]
    by_email = np.array([kind is not None and kind.by_email for kind in shapes])[shape]
    revoked = np.array([kind is not None and kind.revoked for kind in shapes])[shape]
    joined = plan.registered_at(member)
    end = np.full(len(member), now)
    said = _moment(plan, "opted out", member, joined, joined + (end - joined) * 3 // 4)
    taken_back = _moment(plan, "revoked", member, said, end)
    return pa.table(
        {
            "opt_out_id": whole(first_id + np.arange(len(member))),
            "member_id": whole(member, by_email),
            "email": null_where(~by_email, _elsewhere(plan, member)),
            "kind": pick(tuple("" if kind is None else kind.kind for kind in shapes), shape),
            "opted_out_at": instants(said),
            "revoked_at": instants(taken_back, ~revoked),
        }
    )


def _elsewhere(plan: Plan, members: np.ndarray) -> pa.Array:
    """The members' addresses as typed into a form elsewhere; a canary's in capitals."""
    ids = canaries.canary_ids(plan.members)
    planted = np.flatnonzero(np.isin(members, ids))
    typed = [canaries.CANARY_EMAILS[number].upper() for number in np.searchsorted(ids, members[planted])]
    return replace_rows(retyped(plan, members), planted, typed)


def request_rows(plan: Plan, ids: np.ndarray, start: int, now: int) -> pa.Table:
    """The requests ``ids``, received from ``start`` to before ``now``; the first ten walk through every kind."""
    draws = plan.draws
    received = _moment(plan, "received", ids, np.full(len(ids), start), np.full(len(ids), now))
    verified = received + draws.below("identity", ids, 5 * 86_400) * SECOND
    done = verified + draws.below("completed", ids, 20 * 86_400) * SECOND
    unverified = draws.chance("no identity", ids, 250) | (verified >= now)
    gone = draws.chance("gone member", ids, 150) | (ids % 10 == 0)
    member = np.where(gone, GONE_MEMBERS + ids, 1 + draws.below("requester", ids, plan.members))
    return pa.table(
        {
            "request_id": whole(ids),
            "member_id": whole(member),
            "kind": pick(RIGHTS, np.where(ids <= 10, ids % 5, draws.below("right", ids, 5))),
            "received_at": instants(received),
            "identity_verified_at": instants(verified, unverified),
            "completed_at": instants(done, unverified | (done >= now) | draws.chance("open", ids, 200)),
        }
    )


def hold_rows(plan: Plan, ids: np.ndarray) -> pa.Table:
    """The legal holds ``ids`` on the base day: members and postings by turns, every third released."""
    draws = plan.draws
    on_posting = ids % 2 == 0
    bound = np.where(on_posting, plan.postings, plan.members)
    placed = plan.now - (30 + draws.below("placed", ids, 300)) * DAY
    return pa.table(
        {
            "hold_id": whole(ids),
            "subject_kind": pick(("member", "posting"), on_posting.astype(np.int64)),
            "subject_id": whole(1 + draws.below("subject", ids, bound)),
            "case_reference": join("令和8年(ワ)第", numbers(ids + 100), "号"),
            "placed_at": instants(placed),
            "released_at": instants(placed + 20 * DAY, ids % 3 != 0),
        }
    )


def policy_rows() -> pa.Table:
    """Both versions of the policy; the digests are of made-up texts."""
    digests = [hashlib.sha256(f"demo policy {version}".encode()).hexdigest() for version in POLICY_VERSIONS]
    return pa.table(
        {
            "version": pa.array(POLICY_VERSIONS),
            "effective_on": dates(np.array([epoch_day(day) for day in _POLICY_DAYS])),
            "sha256": pa.array(digests),
        }
    )


def campaign_rows(plan: Plan, ids: np.ndarray) -> pa.Table:
    """The campaign entries ``ids`` on the base day; the first is a canary's."""
    draws = plan.draws
    member = 1 + draws.below("entrant", ids, plan.members)
    first = np.flatnonzero(ids == 1)
    member[first] = canaries.canary_ids(plan.members)[0]
    name, home = names.full_name(draws, member), places.full_address(draws, ids)
    phone = phones.typed_phone(draws, "recipient phone", ids, phones.MEMBER_FORMS)
    entered = _moment(plan, "entered", ids, plan.registered_at(member), np.full(len(ids), plan.now))
    return pa.table(
        {
            "entry_id": whole(ids),
            "campaign_id": whole(1 + draws.below("campaign", ids, 12)),
            "member_id": whole(member),
            "recipient_name": replace_rows(name, first, [canaries.FULL_NAMES[0]] * len(first)),
            "recipient_address": replace_rows(home, first, [canaries.ADDRESSES[0]] * len(first)),
            "recipient_phone": replace_rows(phone, first, [canaries.CANARIES[0].phone] * len(first)),
            "entered_at": instants(entered),
        }
    )


def enquiry_rows(plan: Plan, ids: np.ndarray, start: int, now: int) -> pa.Table:
    """The enquiries ``ids``, received from ``start`` to before ``now``; the first is a canary's."""
    draws = plan.draws
    member = 1 + draws.below("enquirer", ids, plan.members)
    first = np.flatnonzero(ids == 1)
    planted = [f"CANARY花子です。{canaries.CANARIES[0].phone} に折り返しください。"] * len(first)
    pools = (ENQUIRIES, ("いつも楽しく拝見しています。", "返信がありません。", "対応ありがとうございました。"))

    def said(pool: tuple[str, ...]):
        return lambda rows: pick(pool, draws.below("enquiry", ids[rows], len(pool)))

    body = by_form(draws.weighted("enquiry kind", ids, (8, 2)), [said(pool) for pool in pools])
    received = _moment(plan, "enquired", ids, np.full(len(ids), start), np.full(len(ids), now))
    return pa.table(
        {
            "enquiry_id": whole(ids),
            "from_email": replace_rows(retyped(plan, member), first, [canaries.CANARY_EMAILS[0]] * len(first)),
            "category": pick(ENQUIRY_CATEGORIES, draws.below("enquiry category", ids, len(ENQUIRY_CATEGORIES))),
            "body": replace_rows(body, first, planted),
            "received_at": instants(received),
        }
    )
