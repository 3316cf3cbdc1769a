"""
The fence: just before the bytes leave, in a fresh transaction, who has said stop since?

Written apart from `delivery.consent`, in the database's own terms, so that one mistake
does not open both. Gate and fence read the finished file and trust nothing before it.
"""

import datetime
import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd
import polars as pl
import pyarrow as pa

from delivery.buckets import KEY, Buckets, how_many
from delivery.consent import NEVER, Moment
from delivery.feeds import read_back
from delivery.match_keys import digest, normalise
from delivery.spec import Destination, Digest, Encoding
from expectations.checks import Check, between, rows, zero
from transforms.ahead import ahead
from transforms.deidentification import CONSENT_PURPOSE, EXPLICIT_METHODS, end_of
from transforms.purposes import POLICY_VERSION
from transforms.source import SCHEMA, Session, Shard
from transforms.spec import Reader

READER = Reader.ADS
FORBIDDEN_DIGESTS = tuple(hashlib.new(name, b"").hexdigest() for name in ("sha256", "sha1", "md5"))
"""Of the empty string: what a column of missing addresses turns into."""

PARTNER_OPT_OUT = "partner_opt_out"


@dataclass(frozen=True)
class Evidence:
    """
    Who may and who must not be in a feed, as digests of their addresses in hexadecimal.

    Attributes:
        stopped: ``sha256`` and ``reason``, part by part.
        consented: All digests of the destination, of active members with a verified address and an explicit, current
            consent.
        opted_out: The digests of the partner's own list.
        read_at: When the stop signals were read.
    """

    stopped: Buckets
    consented: Buckets
    opted_out: pl.DataFrame = field(repr=False)
    read_at: datetime.datetime

    def count_in(self, file: Buckets) -> dict[str, int]:
        """How many rows of a file must not be in it, by reason; a row can have several."""
        counts: Counter[str] = Counter()
        for rows_, stopped, consented in zip(file, self.stopped, self.consented, strict=True):
            if rows_.is_empty():
                continue
            counts["without consent"] += rows_.height - _matched(rows_, consented, rows_.columns)
            if not stopped.is_empty():
                found = stopped.join(rows_.group_by(KEY).len(), on=KEY, how="inner")
                for reason, count in found.group_by("reason").agg(pl.col("len").sum()).iter_rows():
                    counts[f"stopped: {reason}"] += count
            for algorithm in set(self.opted_out.columns) & set(rows_.columns):
                listed = self.opted_out.select(algorithm).drop_nulls()
                counts[f"stopped: {PARTNER_OPT_OUT}"] += _matched(rows_, listed, [algorithm])
        return dict(sorted(counts.items()))

    def summary(self) -> dict:
        """What a manifest tells: when, how many by reason, and a digest over all of them."""
        counts: Counter[str] = Counter()
        over = hashlib.sha256()
        for part in self.stopped:
            if part.is_empty():
                continue
            counts.update(dict(part.group_by("reason").len().iter_rows()))
            for value in part.select(KEY).unique().sort(KEY)[KEY]:
                over.update(value.encode())
        for algorithm in sorted(self.opted_out.columns):
            for value in self.opted_out[algorithm].drop_nulls().sort():
                over.update(value.encode())
        return {
            "read_at": self.read_at.isoformat(),
            "stopped_addresses": dict(sorted((counts + Counter({PARTNER_OPT_OUT: self.opted_out.height})).items())),
            "list_sha256": over.hexdigest(),
        }

    def remove(self) -> None:
        self.stopped.remove()
        self.consented.remove()


def _matched(rows_: pl.DataFrame, among: pl.DataFrame, on: list[str]) -> int:
    return rows_.join(among, on=on, how="semi").height if not among.is_empty() else 0


def read_evidence(
    destination: Destination,
    session: Session,
    shards: list[Shard],
    moment: Moment,
    opted_out: pl.DataFrame,
    place: Path,
) -> Evidence:
    """
    Read stop signals, ages and consents as they are now, as digests of the addresses they stand for.

    Args:
        destination: For whom.

        session: A fresh transaction of the ads reader.

        shards: The addresses of one are in memory at a time.

        moment: Day of consents and ages; instant of the stop signals.

        opted_out: The partner's list.

        place: Private, for what does not fit in memory.
    """
    number = how_many(session.count("members"))
    stopped, consented = Buckets(place / "stopped", number), Buckets(place / "consented", number)
    evidence = Evidence(stopped, consented, opted_out.select(pl.all().bin.encode("hex")), moment.now)
    evidence.remove()

    def keyed(table: pa.Table) -> pl.DataFrame:
        rows_ = pl.DataFrame(table)
        return rows_.with_columns(normalise(pl.col("email"), destination.email).alias("key")).drop_nulls("key")

    def digests(keys: pl.DataFrame, of: Iterable[Digest]) -> pl.DataFrame:
        return keys.select("key").unique().select(digest(pl.col("key"), a).alias(a.value) for a in of)

    def stop(reason: str, keys: pl.DataFrame) -> None:
        stopped.add(digests(keys, [Digest.SHA256]).select(KEY, pl.lit(reason).alias("reason")))

    without_account = f"member_id is null and {_stops_ads(moment.now)}"
    stop("opt_out_by_address", keyed(session.read("opt_outs", READER, without_account, only=("email",))))
    left = session.read("members", READER, "status = 'withdrawn'", only=("email", "withdrawn_at"))
    closed = keyed(left).group_by("key").agg(pl.col("withdrawn_at").fill_null(NEVER).max())
    open_again = [closed.select("key").clear()]
    for told in ahead(session.ask(_said_of(destination, moment, shard), *_TOLD_BY) for shard in shards):
        rows_ = keyed(told)
        for reason in STOPPED:
            stop(reason, rows_.filter(reason))
        may = rows_.filter("may")
        consented.add(digests(may, destination.algorithms))
        # An address of a closed account is open again if its present holder has consented after the closing.
        later = may.join(closed, on="key").filter(pl.col("given_at") > pl.col("withdrawn_at"))
        open_again.append(later.select("key"))
    stop("closed_account", closed.join(pl.concat(open_again), on="key", how="anti"))
    return evidence


STOPPED = ("opt_out", "rights_request", "under_age", "age_unknown")
"""Why the address of somebody who has an account may not be sent, whoever else uses it."""

_TOLD_BY = ("members", "consents", "opt_outs", "rights_requests")


def _said_of(destination: Destination, moment: Moment, shard: Shard) -> str:
    """
    A query: the addresses of a shard that may be sent, and those that must not be, each table read once.

    Columns ``email``, ``given_at`` (of the latest consent that holds), ``may`` (active, verified, with a consent) and
    one for each of `STOPPED`. What is not known never speaks for sending.

    Of a member's consents the latest is looked at: where it was taken back, or a stop came after it, no earlier one
    holds.
    """
    day, methods = moment.day, ", ".join(f"'{method}'" for method in EXPLICIT_METHODS)
    holds = (
        f"method in ({methods}) and text_version = '{POLICY_VERSION}' and withdrawn_at is null "
        f"and isfinite(given_at) and given_at < timestamptz '{end_of(day).isoformat()}'"
    )
    # Years back from 29 February end on the 28th: whoever is born on 29 February is of age on 1 March.
    grown = f"(date '{day}' - interval '{destination.age_floor} years')::date"
    flags = {
        "may": "status = 'active' and email_verified_at is not null and given_at is not null",
        "opt_out": "o.member_id is not null",
        "rights_request": "r.member_id is not null",
        "under_age": f"isfinite(birth_date) and birth_date > {grown}",
        "age_unknown": "status is distinct from 'withdrawn' and (birth_date is null or not isfinite(birth_date))",
    }
    return f"""
        with said as (
            select member_id,
                max(given_at) filter (where {holds}) as given_at,
                max(case when isfinite(given_at) then given_at else 'infinity' end)
                    filter (where withdrawn_at is not null) as taken_back
            from {SCHEMA}.consents where {shard.where()} and purpose = '{CONSENT_PURPOSE}' group by member_id
        ), consented as (
            select member_id, given_at from said where given_at >= coalesce(taken_back, '-infinity')
        ), opted_out as (
            select distinct member_id from {SCHEMA}.opt_outs left join consented using (member_id)
            where {shard.where()} and {_stops_ads(moment.now)} and not coalesce(
                kind in ('site_ad', 'article_35_stop') and isfinite(opted_out_at) and given_at > opted_out_at, false)
        ), requested as (
            select distinct member_id from {SCHEMA}.rights_requests left join consented using (member_id)
            where {shard.where()} and identity_verified_at is not null
            and coalesce(kind not in ('disclose', 'correct'), true) and not coalesce(
                kind in ('stop_use', 'stop_provision') and isfinite(received_at) and given_at > received_at, false)
        )
        select email, given_at, {", ".join(f"coalesce({so}, false) as {flag}" for flag, so in flags.items())}
        from {SCHEMA}.members left join consented using (member_id)
        left join opted_out o using (member_id) left join requested r using (member_id)
        where {shard.where()} and email is not null and ({" or ".join(f"({so})" for so in flags.values())})
    """


def _stops_ads(now: datetime.datetime) -> str:
    """Over ``opt_outs``: of ads, or of a kind that nobody knows, and not revoked by now."""
    unrevoked = f"revoked_at is null or not isfinite(revoked_at) or revoked_at > timestamptz '{now.isoformat()}'"
    return f"kind is distinct from 'statistics' and ({unrevoked})"


def measure(
    destination: Destination,
    path: Path,
    evidence: Evidence,
    permitted: Iterable[pl.DataFrame],
    plain_bytes: int,
    place: Path,
) -> pd.DataFrame:
    """
    Count in one scan what must not be in a feed.

    Args:
        destination: Its form, headers and ceilings.

        path: The finished file.

        evidence: From `read_evidence`.

        permitted: The digests of whoever was permitted when it was built.

        plain_bytes: Of the file before compression.

        place: Private, for what does not fit in memory.

    Returns:
        One row of counts, for the gate; no digest is in it.
    """
    counts = {"rows": 0, "columns_wrong": 0}
    counts |= {f"{header} {wrong}": 0 for header, _ in destination.columns for wrong in _WRONG}
    file = read_file(destination, path, place, len(evidence.consented), counts)
    may = Buckets(place / "permitted", len(file))
    for rows_ in permitted:
        may.add(rows_.select(algorithm.value for algorithm in destination.algorithms))
    counts["rows not permitted"] = 0
    for part, those in zip(file, may, strict=True):
        if part.is_empty():
            continue
        for header, algorithm in destination.columns:
            counts[f"{header} repeated"] += part.height - part[algorithm.value].n_unique()
        counts["rows not permitted"] += part.height - _matched(part, those, part.columns)
    counts["rows over the ceiling"] = max(0, counts["rows"] - destination.form.rows_ceiling)
    counts["bytes over the ceiling"] = max(0, plain_bytes - destination.form.bytes_ceiling)
    forbidden = evidence.count_in(file) if not counts["columns_wrong"] else {}
    file.remove()
    may.remove()
    return pd.DataFrame([counts | forbidden])


def only_stopped(measures: pd.DataFrame) -> bool:
    """Nothing is wrong but that somebody who was permitted has stopped, or taken her consent back, since."""
    (row,) = measures.to_dict("records")
    since = {name for name, count in row.items() if count and name != "rows"}
    return bool(since) and all(name.startswith("stopped: ") or name == "without consent" for name in since)


_WRONG = ("malformed", "repeated", "of nothing")


def read_file(
    destination: Destination, path: Path, place: Path, parts: int, counts: dict[str, int] | None = None
) -> Buckets:
    """The digests of a finished file, part by part; what is wrong with its form is added to ``counts``."""
    counts = defaultdict(int) if counts is None else counts
    file = Buckets(place / "file", parts)
    file.remove()
    headers = [header for header, _ in destination.columns]
    for chunk in read_back(destination.columns, destination.form, path):
        counts["rows"] += chunk.height
        if chunk.columns != headers:
            counts["columns_wrong"] = 1
            continue
        digests = {}
        for header, algorithm in destination.columns:
            good = chunk[header].str.contains(_shape(destination.encoding, algorithm.bytes)).fill_null(False)
            value = chunk.select(pl.when(good).then(pl.col(header)))[header]
            if destination.encoding is Encoding.BASE64:
                value = value.str.decode("base64").bin.encode("hex")
            counts[f"{header} malformed"] += int((~good).sum())
            counts[f"{header} of nothing"] += int(value.is_in(FORBIDDEN_DIGESTS).sum())
            digests[algorithm.value] = value.fill_null("")  # in no evidence, and so without consent
        file.add(pl.DataFrame(digests))
    return file


def _shape(encoding: Encoding, octets: int) -> str:
    if encoding is Encoding.HEX:
        return rf"^[0-9a-f]{{{2 * octets}}}$"
    whole, left = divmod(octets, 3)
    return rf"^[A-Za-z0-9+/]{{{4 * whole + (left + 1 if left else 0)}}}{'=' * (3 - left) if left else ''}$"


def feed_suite(destination: Destination, measures: pd.DataFrame) -> list[Check]:
    """The checks of a feed over its measures: everything but the number of rows is a count of violations, so 0."""
    others = [name for name in measures.columns if name != "rows"]
    return [rows(1, 1), between("rows", destination.rows_floor), *(zero(name) for name in others)]
