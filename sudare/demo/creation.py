"""A site on its base day, made at once."""

import datetime
from collections.abc import Callable

import numpy as np
import psycopg
import pyarrow as pa

from sudare.demo import postings, signals
from sudare.demo.children import child_rows
from sudare.demo.loading import Progress, chunks, copy
from sudare.demo.members import member_rows
from sudare.demo.plan import Plan, midnight
from sudare.demo.schema import INDEXES, REFERENCES, TABLES
from sudare.demo.traits import STATUSES, status

_LOGGED_DAYS = 3
"""Days of access logs at creation."""


def create_site(connection: psycopg.Connection, plan: Plan, progress: Progress) -> None:
    """Create the schema and every row, in the caller's transaction."""
    connection.execute(TABLES)
    _load_members(connection, plan, progress)
    _load_postings(connection, plan, progress)
    _load_rest(connection, plan)
    for step, script in enumerate((INDEXES, REFERENCES)):
        progress("indexes", step, 2)
        connection.execute(script)
    progress("indexes", 2, 2)


def base_window(plan: Plan) -> postings.Window:
    """The days the site has lived on its base day."""
    elder = max(1, plan.threads // 10)
    return postings.Window(
        plan=plan,
        first_day=plan.base - datetime.timedelta(days=plan.days - 1),
        days=plan.days,
        first_posting=1,
        postings=plan.postings,
        elder_threads=elder,
        threads=plan.threads - elder,
    )


def _load_members(connection: psycopg.Connection, plan: Plan, progress: Progress) -> None:
    numbered: dict[str, Callable[[Plan, np.ndarray, int, int], pa.Table]] = {
        "children": child_rows,
        "consents": signals.consent_rows,
        "opt_outs": signals.opt_out_rows,
    }
    next_ids = dict.fromkeys(numbered, 1)
    for ids in chunks(1, plan.members):
        copy(connection, "members", member_rows(plan, ids, plan.now), is_new=True)
        for table, make in numbered.items():
            rows = make(plan, ids, next_ids[table], plan.now)
            next_ids[table] += copy(connection, table, rows, is_new=True)
        progress("members", int(ids[-1]), plan.members)


def _load_postings(connection: psycopg.Connection, plan: Plan, progress: Progress) -> None:
    window, gone = base_window(plan), withdrawn_members(plan)
    copy(connection, "boards", postings.board_rows(), is_new=True)
    for ids in chunks(1, plan.threads):
        copy(connection, "threads", postings.thread_rows(window, ids), is_new=True)
    recent = midnight(plan.base - datetime.timedelta(days=_LOGGED_DAYS - 1))
    for offsets in chunks(0, plan.postings - 1):
        rows = postings.posting_rows(window, offsets, gone)
        copy(connection, "postings", rows, is_new=True)
        copy(connection, "reactions", postings.reaction_rows(window, offsets), is_new=True)
        logged = window.posted_at(offsets) >= recent
        logs = postings.access_log_rows(window, offsets[logged], rows.filter(pa.array(logged)))
        copy(connection, "posting_access_logs", logs, is_new=True)
        progress("postings", int(offsets[-1]) + 1, plan.postings)


def withdrawn_members(plan: Plan) -> np.ndarray:
    """The ids of members who have left by the base day, in order."""
    left = [name for _, name in STATUSES].index("withdrawn")
    return np.concatenate([ids[status(plan, ids) == left] for ids in chunks(1, plan.members)])


def _load_rest(connection: psycopg.Connection, plan: Plan) -> None:
    start = midnight(plan.base - datetime.timedelta(days=400))
    copy(connection, "policy_versions", signals.policy_rows(), is_new=True)
    copy(connection, "legal_holds", signals.hold_rows(plan, np.arange(1, 13 + plan.members // 5000)), is_new=True)
    for ids in chunks(1, 20 + plan.members // 300):
        copy(connection, "rights_requests", signals.request_rows(plan, ids, start, plan.now), is_new=True)
    for ids in chunks(1, 20 + plan.members // 30):
        copy(connection, "campaign_entries", signals.campaign_rows(plan, ids), is_new=True)
    for ids in chunks(1, 20 + plan.members // 200):
        copy(connection, "enquiries", signals.enquiry_rows(plan, ids, start, plan.now), is_new=True)
