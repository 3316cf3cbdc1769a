"""
Postings of one day and the titles of their threads, redacted in memory and staged for internal use; and the terms
of a closed week.

Sharded by thread, because names carry over within a thread: those of everybody who ever wrote in it are looked for in
all of it. Read as the text role: the only one that sees bodies and names, and it sees names only to find them in
bodies. Whoever counts terms gets no text: only which member used which term on which board.
"""

import datetime
from dataclasses import dataclass

import polars as pl

from anonymizers import bands
from anonymizers.generalisation import tokyo
from anonymizers.keys import Key
from anonymizers.pseudonyms import pseudonymise
from anonymizers.record_keys import record_keys
from transforms.deidentification import account, stopped, with_plain_titles
from transforms.source import SCHEMA, Session, Shard, Source, cut, tokyo_days
from transforms.spec import Reader
from transforms.staging import Staging

READER = Reader.TEXT

PLACES = {"thread_id": pl.Int64, "board": pl.String}


def plan_text_shards(
    session: Session, day: datetime.date, week: datetime.date | None, postings_per_shard: int
) -> list[Shard]:
    """
    Cut threads into ranges of about equal numbers of postings.

    Args:
        session: Of a reader of ``postings``.

        day: The night's.

        week: The Monday of a closed week whose terms are wanted, or None; then its postings are counted as well.

        postings_per_shard: About how many.
    """
    return cut(session, "postings", "thread_id", _wanted(day, week), postings_per_shard)


def redact_shard(
    source: Source,
    staging: Staging,
    shard: Shard,
    now: datetime.datetime,
    key: Key,
    record_key: Key,
    week: datetime.date | None,
) -> dict:
    """
    Stage one shard's postings of the day, redacted, and the terms of the week if one is given.

    Args:
        source: The site's database; read as the text role, in one transaction.

        staging: The night's place. Written are ``texts``, and for a week ``terms``: distinct ``board``,
            ``week``, ``term``, ``record_key`` and ``point``, sorted. No posting, thread, pseudonym or text is in
            the terms, but they are personal data still: who holds the key can tell whose they are. ``titles`` are
            those of the threads with a text that may be staged.

        shard: Whose threads.

        now: When the night runs; a stop signal counts until it is revoked.

        key: For the pseudonyms of postings and threads.

        record_key: For record keys and points, of the statistics' epoch.

        week: The Monday of a week that is over by the end of the day, or None.

    Returns:
        Counts only: of the day's postings (``texts``), their threads' titles (``titles``) and the week's postings
        (``week_texts``) those read, kept and dropped by reason, and identifiers found by entity in the day's
        postings and titles.

    Raises:
        ValueError: the week does not begin with its Monday, or is not over.
    """
    _require_closed(week, staging.day)
    rows = _read(source, shard, staging.day, week, now)
    known = _names_of_threads(rows)
    judged = _judge(rows.postings, rows.members, rows.out)
    of_day = _posted(staging.day, staging.day)
    texts = judged.filter(of_day).with_columns(is_title=False)
    talked = texts.filter(pl.col("dropped").is_null())
    titles = _judge(_titles(rows.threads, talked), rows.members, rows.out).with_columns(is_title=True)
    # Together, so that a name certain in a posting is found in the title; the rest of the week has no say in it.
    treated, found = _redact(pl.concat([texts, titles], how="diagonal_relaxed"), known, key)
    redacted, headed = treated.filter(~pl.col("is_title")), treated.filter("is_title")
    name = f"{shard.number:04d}.parquet"
    staging.write_table(_staged(redacted, key).to_arrow(), "texts", name)
    staging.write_table(_staged_titles(headed, key).to_arrow(), "titles", name)
    accounts = {"texts": account(redacted).as_dict(), "titles": account(headed).as_dict()}
    if week is not None:
        of_week = _posted(week, _sunday(week))
        others, _ = _redact(judged.filter(of_week & ~of_day), known, key)
        both = pl.concat([redacted.select(others.columns).filter(of_week), others])
        placed = place(both, rows.places)
        staging.write_table(pairs(placed, week, record_key).to_arrow(), "terms", name)
        accounts["week_texts"] = account(placed).as_dict()
    return {"accounts": accounts, "unfit": {}, "found": found}


def place(postings: pl.DataFrame, places: pl.DataFrame) -> pl.DataFrame:
    """
    Postings with their ``board``; those that are on none are dropped, if for no earlier reason.

    Args:
        postings: With ``thread_id`` and ``dropped``.

        places: From `boards_of`.
    """
    unknown = pl.when(pl.col("board").is_null()).then(pl.lit("board_unknown"))
    return postings.join(places, on="thread_id", how="left", maintain_order="left").with_columns(
        pl.coalesce("dropped", unknown).alias("dropped")
    )


def boards_of(threads: pl.DataFrame, boards: pl.DataFrame) -> pl.DataFrame:
    """
    The board of each thread, by title; all sensitive boards are one.

    Returns:
        ``thread_id`` and ``board``, which is null where nobody knows the board. A board that is not said to be
        harmless is sensitive.
    """
    title = (
        pl.when(pl.col("is_sensitive").fill_null(True)).then(pl.lit(bands.SENSITIVE_BOARDS)).otherwise(pl.col("title"))
    )
    titles = with_plain_titles(boards.to_arrow()).select("board_id", title.alias("board"))
    return threads.join(titles, on="board_id", how="left").select("thread_id", "board").cast(PLACES)


def pairs(postings: pl.DataFrame, week: datetime.date, record_key: Key) -> pl.DataFrame:
    """
    Which member used which term on which board.

    Args:
        postings: Redacted, with ``board``, ``member_id``, ``body`` and ``dropped``; the dropped have no terms.

        week: The Monday of the week they are of.

        record_key: For record keys and points.

    Returns:
        Distinct ``board``, ``week`` ("2026-W43", ISO 8601), ``term``, ``record_key`` and ``point``, sorted.
    """
    kept = postings.filter(pl.col("dropped").is_null())
    used = kept.join(_terms(kept["body"].unique()), on="body").select(
        "board", pl.lit(week.strftime("%G-W%V")).alias("week"), "term", *record_keys("member_id", record_key)
    )
    return used.unique().sort(used.columns)


def _terms(texts: pl.Series) -> pl.DataFrame:
    """Distinct texts with a row for each of their terms."""
    from anonymizers.text.terms import terms  # the dictionary is for this branch only

    found = [sorted(terms(text)) for text in texts]
    listed = pl.DataFrame({"body": texts, "term": found}, schema={"body": pl.String, "term": pl.List(pl.String)})
    return listed.explode("term").drop_nulls("term")


@dataclass(frozen=True)
class _Rows:
    """What the text reader reads of one shard."""

    postings: pl.DataFrame
    threads: pl.DataFrame
    authors: pl.DataFrame
    """Who wrote in which thread, on any day, or opened it."""
    members: pl.DataFrame
    children: pl.DataFrame
    out: pl.DataFrame
    """Who said stop."""
    places: pl.DataFrame
    """From `boards_of`; empty if no week is wanted."""


def _read(
    source: Source, shard: Shard, day: datetime.date, week: datetime.date | None, now: datetime.datetime
) -> _Rows:
    where = f"{shard.where('thread_id')} and {_wanted(day, week)}"
    theirs = f"thread_id in (select thread_id from {SCHEMA}.postings where {where})"
    written = " union ".join(
        f"select member_id from {SCHEMA}.{name} where {theirs}" for name in ("postings", "threads")
    )
    with source.session(READER) as session:
        postings, threads = (
            pl.from_arrow(session.read(name, READER, which))
            for name, which in (("postings", where), ("threads", theirs))
        )
        others = pl.from_arrow(session.read("postings", READER, theirs, only=_AUTHORS))
        members, children, opt_outs, requests = (
            session.read(name, READER, f"member_id in ({written})")
            for name in ("members", "children", "opt_outs", "rights_requests")
        )
        places = pl.DataFrame(schema=PLACES)
        if week is not None:
            places = boards_of(threads, pl.from_arrow(session.read("boards", READER)))
    authors = pl.concat([others.select(_AUTHORS), threads.select(_AUTHORS)]).drop_nulls().unique()
    out = stopped(opt_outs, requests, statistics=True, now=now)
    return _Rows(postings, threads, authors, pl.from_arrow(members), pl.from_arrow(children), out, places)


_AUTHORS = ("thread_id", "member_id")


def _titles(threads: pl.DataFrame, postings: pl.DataFrame) -> pl.DataFrame:
    """The titles of the threads of some postings, as postings are."""
    named = threads.join(postings.select("thread_id").unique(), on="thread_id", how="semi").drop_nulls("title")
    return named.sort("thread_id").select(
        "thread_id", "member_id", pl.col("title").alias("body"), pl.lit(value=False).alias("deleted_at")
    )


def _wanted(day: datetime.date, week: datetime.date | None) -> str:
    """A condition on postings: of the day, or of the week if one is given."""
    of_day = tokyo_days("posted_at", day, day)
    return of_day if week is None else f"({of_day} or {tokyo_days('posted_at', week, _sunday(week))})"


def _posted(first: datetime.date, last: datetime.date) -> pl.Expr:
    """As `tokyo_days`, of rows in memory."""
    return tokyo(pl.col("posted_at")).dt.date().is_between(first, last)


def _sunday(week: datetime.date) -> datetime.date:
    return week + datetime.timedelta(days=6)


def _require_closed(week: datetime.date | None, day: datetime.date) -> None:
    if week is not None and (week.weekday() != 0 or _sunday(week) > day):
        raise ValueError("week: give the Monday of a week that is over by the end of the day")


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


def _names_of_threads(rows: _Rows) -> dict[int, list[str]]:
    """Per thread what the site knows everybody who wrote in it, and their children, by."""
    own = rows.members.unpivot(["full_name", "full_name_kana", "nickname"], index="member_id", value_name="name")
    children = rows.children.select("member_id", pl.col("nickname").alias("name"))
    names = pl.concat([own.select("member_id", "name"), children]).drop_nulls()
    return dict(rows.authors.join(names, on="member_id").group_by("thread_id").agg("name").iter_rows())


def _redact(postings: pl.DataFrame, known: dict[int, list[str]], key: Key) -> tuple[pl.DataFrame, dict[str, int]]:
    """The postings with their bodies redacted, and identifiers found by entity in what is kept."""
    from anonymizers.text.policy import ANALYSIS
    from anonymizers.text.redaction import forget, redact_each, tally  # presidio takes seconds to import

    kept = postings.filter(pl.col("dropped").is_null())
    results = redact_each(
        kept["body"].to_list(), threads=kept["thread_id"].to_list(), known=known, policy=ANALYSIS, key=key.bytes
    )
    forget()
    treated = kept.with_columns(
        pl.Series("body", [None if isinstance(r, str) else r.text for r in results], dtype=pl.String),
        pl.Series("dropped", [_reason(r) if isinstance(r, str) else None for r in results], dtype=pl.String),
    )
    found = {what: n for what, n in sorted(tally(results).items()) if what.startswith("found_")}
    return pl.concat([treated, postings.filter(pl.col("dropped").is_not_null())]), found


def _reason(refused: str) -> str:
    """Why a text is not staged: the policy lets none with such an identifier through, or it could not be treated."""
    return "identifier_dropped" if refused == "policy" else "redaction_failed"


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


def _staged_titles(titles: pl.DataFrame, key: Key) -> pl.DataFrame:
    return (
        titles.filter(pl.col("dropped").is_null())
        .select(pseudonymise("thread_id", "thread", key).alias("thread_pseudonym"), pl.col("body").alias("title"))
        .sort("thread_pseudonym")
    )
