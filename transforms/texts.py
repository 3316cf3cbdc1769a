"""
Postings of one day, redacted in memory and staged for internal use.

Sharded by thread, because names carry over within a thread. Read as the text role: the
only one that sees bodies and names, and it sees names only to find them in bodies.
"""

import datetime
from collections import Counter

import polars as pl

from anonymizers.keys import Key
from anonymizers.pseudonyms import pseudonymise
from transforms.deidentification import account, stopped
from transforms.source import SCHEMA, Session, Shard, Source, cut, tokyo_days
from transforms.spec import Reader
from transforms.staging import Staging

READER = Reader.TEXT


def plan_text_shards(session: Session, day: datetime.date, postings_per_shard: int) -> list[Shard]:
    """Cut the day's threads into ranges of about equal numbers of postings."""
    return cut(session, "postings", "thread_id", tokyo_days("posted_at", day, day), postings_per_shard)


def redact_shard(source: Source, staging: Staging, shard: Shard, now: datetime.datetime, key: Key) -> dict:
    """
    Stage one shard's postings of the day, redacted.

    Returns:
        Counts only: postings read, kept and dropped by reason, and identifiers found by entity.
    """
    where = f"{shard.where('thread_id')} and {tokyo_days('posted_at', staging.day, staging.day)}"
    authors = f"member_id in (select member_id from {SCHEMA}.postings where {where})"
    with source.session(READER) as session:
        postings = pl.from_arrow(session.read("postings", READER, where))
        members = pl.from_arrow(session.read("members", READER, authors))
        children = pl.from_arrow(session.read("children", READER, authors))
        opt_outs = session.read("opt_outs", READER, authors)
        requests = session.read("rights_requests", READER, authors)
    out = stopped(opt_outs, requests, statistics=True, now=now)
    judged = _judge(postings, members, out)
    redacted, found = _redact(judged, _names(members, children))
    staging.write_table(_staged(redacted, key).to_arrow(), "texts", f"{shard.number:04d}.parquet")
    return {"accounts": {"texts": account(redacted).as_dict()}, "unfit": {}, "found": dict(sorted(found.items()))}


def _judge(postings: pl.DataFrame, members: pl.DataFrame, out: pl.DataFrame) -> pl.DataFrame:
    active = members.filter(pl.col("status") == "active").select("member_id").with_columns(active=True)
    # Nobody knows the names of an anonymous author, so nobody could find them in the text.
    reason = (
        pl.when(pl.col("deleted_at"))
        .then(pl.lit("deleted"))
        .when(pl.col("member_id").is_null())
        .then(pl.lit("anonymous"))
        .when(pl.col("out"))
        .then(pl.lit("statistics_stopped"))
        .when(pl.col("active").is_null())
        .then(pl.lit("member_left_out"))
    )
    return (
        postings.join(out.with_columns(out=True), on="member_id", how="left")
        .join(active, on="member_id", how="left")
        .with_columns(reason.alias("dropped"))
    )


def _names(members: pl.DataFrame, children: pl.DataFrame) -> dict[int, list[str]]:
    """What the site knows its authors and their children by."""
    own = members.unpivot(["full_name", "full_name_kana", "nickname"], index="member_id", value_name="name")
    names = pl.concat([own.select("member_id", "name"), children.select("member_id", pl.col("nickname").alias("name"))])
    return dict(names.drop_nulls().group_by("member_id").agg("name").iter_rows())


def _redact(postings: pl.DataFrame, names: dict[int, list[str]]) -> tuple[pl.DataFrame, Counter[str]]:
    from anonymizers.text.redaction import redact_all  # presidio takes seconds to import

    kept = postings.filter(pl.col("dropped").is_null())
    bodies, found = redact_all(kept["body"].to_list(), [names.get(member, []) for member in kept["member_id"]])
    treated = kept.with_columns(
        pl.Series("body", bodies, dtype=pl.String),
        pl.Series("dropped", ["redaction_failed" if body is None else None for body in bodies], dtype=pl.String),
    )
    return pl.concat([treated, postings.filter(pl.col("dropped").is_not_null())]), found


def _staged(postings: pl.DataFrame, key: Key) -> pl.DataFrame:
    return (
        postings.filter(pl.col("dropped").is_null())
        .select(
            pseudonymise("posting_id", "posting", key).alias("posting_pseudonym"),
            pseudonymise("thread_id", "thread", key).alias("thread_pseudonym"),
            "body",
        )
        .sort("posting_pseudonym")
    )
