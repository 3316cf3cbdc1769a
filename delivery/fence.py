"""
The fence: just before the bytes leave, in a fresh transaction, who has said stop since?

Written apart from `delivery.consent`, in the database's own terms, so that one mistake
does not open both. Gate and fence read the finished file and trust nothing before it.
"""

import datetime
from dataclasses import dataclass

import pandas as pd
import polars as pl

from delivery.match_keys import digest, normalise
from delivery.spec import Destination
from expectations.checks import Check, between, rows, zero
from transforms.deidentification import CONSENT_PURPOSE, EXPLICIT_METHODS, end_of
from transforms.purposes import POLICY_VERSION
from transforms.source import Session
from transforms.spec import Reader

READER = Reader.ADS
FORBIDDEN_DIGESTS = (
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "da39a3ee5e6b4b0d3255bfef95601890afd80709",
    "d41d8cd98f00b204e9800998ecf8427e",
)
"""Of the empty string: what a column of missing addresses turns into."""


@dataclass(frozen=True)
class Evidence:
    """
    Who may and who must not be in a feed, as distinct digests under its first column.

    Attributes:
        stopped: By reason.
        consented: Of active members with a verified address and an explicit, current consent.
    """

    stopped: dict[str, pl.Series]
    consented: pl.Series

    def count_in(self, digests: pl.Series) -> dict[str, int]:
        """How many rows of a feed must not be in it, by reason; a row can have several."""
        counts = {f"stopped: {reason}": _among(digests, found) for reason, found in self.stopped.items()}
        return counts | {"without consent": len(digests) - _among(digests, self.consented)}


def _among(digests: pl.Series, found: pl.Series) -> int:
    return int(digests.is_in(found.implode()).sum())


def read_evidence(destination: Destination, session: Session, day: datetime.date, now: datetime.datetime) -> Evidence:
    """Read stop signals, ages and consents as they are now, as digests of the addresses they stand for."""

    def digests(dataset: str, where: str) -> pl.Series:
        emails = pl.DataFrame({"email": pl.from_arrow(session.read(dataset, READER, where)["email"])})
        form = digest(normalise(pl.col("email")), destination.columns[0][1])
        return emails.select(form.alias("digest"))["digest"].drop_nulls().unique()

    stopped = {reason: digests("members", where) for reason, where in _stopped(destination, day, now).items()}
    without_account = f"member_id is null and kind is distinct from 'statistics' and {_unrevoked(now)}"
    stopped["opt_out_by_address"] = digests("opt_outs", without_account)
    may = f"status = 'active' and email_verified_at is not null and exists ({_consented_until(day)})"
    return Evidence(stopped, digests("members", may))


def _unrevoked(now: datetime.datetime) -> str:
    return f"(revoked_at is null or not isfinite(revoked_at) or revoked_at > timestamptz '{now.isoformat()}')"


def _consented_until(day: datetime.date) -> str:
    methods = ", ".join(f"'{method}'" for method in EXPLICIT_METHODS)
    return (
        f"select from consents c where c.member_id = members.member_id and c.purpose = '{CONSENT_PURPOSE}' "
        f"and c.method in ({methods}) and c.text_version = '{POLICY_VERSION}' and c.withdrawn_at is null "
        f"and isfinite(c.given_at) and c.given_at < timestamptz '{end_of(day).isoformat()}' "
        f"and not exists (select from consents w where w.member_id = c.member_id and w.purpose = '{CONSENT_PURPOSE}' "
        "and w.withdrawn_at is not null and not (isfinite(w.given_at) and w.given_at <= c.given_at))"
    )


def _stopped(destination: Destination, day: datetime.date, now: datetime.datetime) -> dict[str, str]:
    since = f"{_consented_until(day)} and c.given_at > "
    return {
        "opt_out": (
            "exists (select from opt_outs o where o.member_id = members.member_id "
            f"and o.kind is distinct from 'statistics' and {_unrevoked(now)} "
            "and not (coalesce(o.kind in ('site_ad', 'article_35_stop'), false) "
            f"and isfinite(o.opted_out_at) and exists ({since} o.opted_out_at)))"
        ),
        "rights_request": (
            "exists (select from rights_requests r where r.member_id = members.member_id "
            "and r.identity_verified_at is not null and coalesce(r.kind not in ('disclose', 'correct'), true) "
            "and not (coalesce(r.kind in ('stop_use', 'stop_provision'), false) "
            f"and isfinite(r.received_at) and exists ({since} r.received_at)))"
        ),
        # age() compares years, months and days: whoever is born on 29 February is of age on 1 March
        "under_age": (
            f"isfinite(birth_date) and (birth_date > date '{day}' "
            f"or extract(year from age(date '{day}', birth_date)) < {destination.age_floor})"
        ),
        "age_unknown": "status <> 'withdrawn' and (birth_date is null or not isfinite(birth_date))",
    }


def measure(destination: Destination, digests: pl.DataFrame, evidence: Evidence, permitted_rows: int) -> pd.DataFrame:
    """
    Count in one scan what must not be in a feed.

    Args:
        digests: The finished file, read back.

        evidence: From `read_evidence`.

        permitted_rows: How many members were permitted.

    Returns:
        One row of counts, for the gate; no digest is in it.
    """
    headers = [header for header, _ in destination.columns]
    exact = digests.columns == headers
    counts = {"rows": digests.height, "columns_wrong": int(not exact)}
    for header, algorithm in destination.columns if exact else ():
        column = digests[header]
        shape = column.str.contains(rf"^[0-9a-f]{{{algorithm.hex_digits}}}$").fill_null(False)
        counts[f"{header} malformed"] = int((~shape).sum())
        counts[f"{header} repeated"] = digests.height - column.n_unique()
        counts[f"{header} of nothing"] = int(column.is_in(FORBIDDEN_DIGESTS).sum())
    counts["rows not permitted"] = max(0, digests.height - permitted_rows)
    return pd.DataFrame([counts | (evidence.count_in(digests[headers[0]]) if exact else {})])


def feed_suite(destination: Destination, measures: pd.DataFrame) -> list[Check]:
    """The checks of a feed over its measures: everything but the number of rows is a count of violations, so 0."""
    others = [name for name in measures.columns if name != "rows"]
    return [rows(1, 1), between("rows", destination.rows_floor), *(zero(name) for name in others)]
