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

from delivery.buckets import KEY, Buckets, how_many
from delivery.consent import NEVER, Moment
from delivery.feeds import algorithms, read_back
from delivery.match_keys import digest, normalise
from delivery.spec import Destination, Digest, Encoding
from expectations.checks import Check, between, rows, zero
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

    def read(dataset: str, where: str, *columns: str) -> pl.DataFrame:
        rows_ = pl.DataFrame(session.read(dataset, READER, where, only=("email", *columns)))
        key = normalise(pl.col("email"), destination.email)
        return rows_.select(key.alias("key"), *columns).drop_nulls("key")

    def digests(keys: pl.DataFrame, of: list[Digest]) -> pl.DataFrame:
        return keys.select("key").unique().select(digest(pl.col("key"), a).alias(a.value) for a in of)

    def stop(reason: str, keys: pl.DataFrame) -> None:
        stopped.add(digests(keys, [Digest.SHA256]).select(KEY, pl.lit(reason).alias("reason")))

    without_account = f"member_id is null and kind is distinct from 'statistics' and {_unrevoked(moment.now)}"
    stop("opt_out_by_address", read("opt_outs", without_account))
    left = read("members", "status = 'withdrawn'", "withdrawn_at")
    closed = left.group_by("key").agg(pl.col("withdrawn_at").fill_null(NEVER).max())
    open_again = [closed.select("key").clear()]
    for shard in shards:
        for reason, where in _stopped(destination, moment, shard).items():
            stop(reason, read("members", f"{shard.where()} and {where}"))
        may = read("members", _may(moment.day, shard), "member_id")
        consented.add(digests(may, algorithms(destination)))
        open_again.append(_consented_since(session, moment.day, shard, may.join(closed, on="key")))
    stop("closed_account", closed.join(pl.concat(open_again), on="key", how="anti"))
    return evidence


def _consented_since(session: Session, day: datetime.date, shard: Shard, holders: pl.DataFrame) -> pl.DataFrame:
    """Of addresses of closed accounts those whose present holder has consented after the closing."""
    if holders.is_empty():
        return holders.select("key")
    among = ", ".join(str(number) for number in holders["member_id"])
    where = f"c.member_id in ({among}) and {_valid(day, shard)}"
    rows_ = session.rows(f"select c.member_id, max(c.given_at) from {SCHEMA}.consents c where {where} group by 1")
    given = pl.DataFrame(rows_, schema={"member_id": pl.Int64, "given_at": pl.Datetime("us", "UTC")}, orient="row")
    later = holders.join(given, on="member_id").filter(pl.col("given_at") > pl.col("withdrawn_at"))
    return later.select("key")


def _unrevoked(now: datetime.datetime) -> str:
    return f"(revoked_at is null or not isfinite(revoked_at) or revoked_at > timestamptz '{now.isoformat()}')"


def _may(day: datetime.date, shard: Shard) -> str:
    """Active members of a shard with a verified address and a consent."""
    consented = f"exists ({_consented_until(day, shard)})"
    return f"{shard.where()} and status = 'active' and email_verified_at is not null and {consented}"


def _consented_until(day: datetime.date, shard: Shard) -> str:
    return f"select from consents c where c.member_id = members.member_id and {_valid(day, shard)}"


def _valid(day: datetime.date, shard: Shard) -> str:
    """
    Over ``consents c`` of a shard: explicit, to the current text, given until the day's end, not taken back since.

    The shard is said of every table: whoever joins them does not go through all rows for each shard.
    """
    methods = ", ".join(f"'{method}'" for method in EXPLICIT_METHODS)
    return (
        f"{shard.where('c.member_id')} and c.purpose = '{CONSENT_PURPOSE}' "
        f"and c.method in ({methods}) and c.text_version = '{POLICY_VERSION}' and c.withdrawn_at is null "
        f"and isfinite(c.given_at) and c.given_at < timestamptz '{end_of(day).isoformat()}' "
        f"and not exists (select from consents w where w.member_id = c.member_id and {shard.where('w.member_id')} "
        f"and w.purpose = '{CONSENT_PURPOSE}' and w.withdrawn_at is not null "
        "and not (isfinite(w.given_at) and w.given_at <= c.given_at))"
    )


def _stopped(destination: Destination, moment: Moment, shard: Shard) -> dict[str, str]:
    day, now = moment.day, moment.now
    since = f"{_consented_until(day, shard)} and c.given_at > "
    return {
        "opt_out": (
            f"exists (select from opt_outs o where o.member_id = members.member_id and {shard.where('o.member_id')} "
            f"and o.kind is distinct from 'statistics' and {_unrevoked(now)} "
            "and not (coalesce(o.kind in ('site_ad', 'article_35_stop'), false) "
            f"and isfinite(o.opted_out_at) and exists ({since} o.opted_out_at)))"
        ),
        "rights_request": (
            "exists (select from rights_requests r where r.member_id = members.member_id "
            f"and {shard.where('r.member_id')} and r.identity_verified_at is not null "
            "and coalesce(r.kind not in ('disclose', 'correct'), true) "
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
        may.add(rows_.select(algorithm.value for algorithm in algorithms(destination)))
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
