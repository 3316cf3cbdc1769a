"""
Extract and de-identify shards in one step: what reaches staging is already treated.

The raw rows live in this process's memory between two calls, and nowhere else.
"""

import datetime
import functools
from collections.abc import Iterator

import polars as pl
import pyarrow as pa
import pyarrow.compute as pc

from anonymizers.keys import Key
from transforms.ahead import ahead
from transforms.deidentification import Account, Deidentified, SourceRows, deidentify, with_plain_titles
from transforms.source import Session, Shard, Source, tokyo_days
from transforms.spec import WINDOW_DAYS, Reader
from transforms.staging import Staging

READER = Reader.STATISTICS

OF_MEMBERS = ("members", "children", "consents", "opt_outs", "rights_requests")
"""What is read shard by shard."""

POSTINGS_AT_ONCE = 4_000_000
"""Rows of three numbers and a flag, some 100 MB, that one pass over the postings takes into memory."""

THREAD_GRAIN = 1 << 12
"""Bounds sent to the database are round: its log may hold statements."""


def extract_shards(
    source: Source,
    staging: Staging,
    shards: list[Shard],
    together: int,
    now: datetime.datetime,
    key: Key,
    statistics_key: Key,
) -> Iterator[dict]:
    """
    Stage the de-identified members and postings of shards that follow one another.

    Args:
        source: The site's database; read as the statistics role.

        staging: The night's place; ``members`` and ``postings`` are written there, a file a shard.

        shards: Whose rows. The next one is read while one is treated.

        together: How many of them share a transaction, and a pass over the postings; see `shards_together`.

        now: When the night runs; a stop signal counts until it is revoked.

        key: For the members' pseudonyms.

        statistics_key: For their record keys.

    Yields:
        Per shard, when it is staged, counts only: per dataset read, kept and dropped by reason, and values on no code
        list.
    """
    for shard, rows, anonymous in ahead(read(source, shards, together, staging.day)):
        result = deidentify(rows, staging.day, now, key, statistics_key)
        name = f"{shard.number:04d}.parquet"
        staging.write_table(result.members, "members", name)
        staging.write_table(result.postings, "postings", name)
        if shard.number == 0:
            staging.write_json(_board_names(rows.boards), "boards.json")
        yield _summary(result, rows, anonymous)


def shards_together(shards: int, postings: int) -> int:
    """How many of the shards have about as many postings as are held at once, if all have as many."""
    return max(1, POSTINGS_AT_ONCE * shards // max(1, postings))


def read(
    source: Source, shards: list[Shard], together: int, day: datetime.date
) -> Iterator[tuple[Shard, SourceRows, int]]:
    """
    Each shard with what the statistics reader reads of it, and how many postings of nobody are told with it.

    Args:
        source, shards, together: As in `extract_shards`.

        day: The last of the 28 whose postings are read.
    """
    for start in range(0, len(shards), together):
        some = shards[start : start + together]
        with source.session(READER) as session:
            anonymous = _count_anonymous(session, day) if some[0].number == 0 else 0
            for shard, rows in zip(some, _read_shards(session, some, day), strict=True):
                yield shard, rows, anonymous
                anonymous = 0


def _read_shards(session: Session, shards: list[Shard], day: datetime.date) -> Iterator[SourceRows]:
    """
    The rows of shards that follow one another.

    Postings are read for all of them at once: they lie in the order of their times, so that the few columns of one
    shard's would cost a pass over everybody's.
    """
    posted = window(day)
    whose = Shard(shards[0].number, shards[0].first, shards[-1].end).where()
    postings = session.read("postings", READER, f"{whose} and {posted}")
    threads = session.read(
        "threads",
        READER,
        _thread_range(postings) or f"thread_id in (select thread_id from postings where {whose} and {posted})",
    )
    boards = session.read("boards", READER)
    for shard in shards:
        own = {name: session.read(name, READER, shard.where()) for name in OF_MEMBERS}
        posted_by_own = _of(shard, postings)
        yield SourceRows(postings=posted_by_own, threads=_threads_of(posted_by_own, threads), boards=boards, **own)


def _threads_of(postings: pa.Table, threads: pa.Table) -> pa.Table:
    """The threads of one shard's postings: whoever looks up boards would go through everybody's for each shard."""
    touched = pl.from_arrow(postings.select(["thread_id"])).unique()
    return pl.from_arrow(threads).join(touched, on="thread_id", how="semi").to_arrow()


def _of(shard: Shard, postings: pa.Table) -> pa.Table:
    member, conditions = postings["member_id"], []
    if shard.first is not None:
        conditions.append(pc.greater_equal(member, shard.first))
    if shard.end is not None:
        conditions.append(pc.less(member, shard.end))
    return postings.filter(functools.reduce(pc.and_, conditions)) if conditions else postings


def window(day: datetime.date) -> str:
    """A condition on postings: of the days that a night looks at."""
    return tokyo_days("posted_at", day - datetime.timedelta(days=WINDOW_DAYS - 1), day)


def _thread_range(postings: pa.Table) -> str | None:
    """
    The range of the postings' threads, in round numbers, as a condition.

    A shard's postings touch most threads of the window, which are the latest ones: their
    range is read faster than the postings' index is searched a second time for them. None
    where one posting to an old thread would stretch it over threads of all years.
    """
    least, most = pc.min_max(postings["thread_id"]).values()
    if not least.is_valid:
        return "false"
    if most.as_py() - least.as_py() > 8 * max(postings.num_rows, THREAD_GRAIN):
        return None
    first = least.as_py() // THREAD_GRAIN * THREAD_GRAIN
    return f"thread_id >= {first:d} and thread_id < {(most.as_py() // THREAD_GRAIN + 1) * THREAD_GRAIN:d}"


def _count_anonymous(session: Session, day: datetime.date) -> int:
    return session.count("postings", f"member_id is null and {window(day)}")


def _board_names(boards: pa.Table) -> list[str]:
    """The titles of the boards that may be named."""
    rows = with_plain_titles(boards).select("title", "is_sensitive").to_dicts()
    return sorted({row["title"] for row in rows if row["is_sensitive"] is False})


def _summary(result: Deidentified, rows: SourceRows, anonymous: int) -> dict:
    postings = result.accounts["postings"]
    if anonymous:
        postings = Account(postings.read + anonymous, {**postings.dropped, "anonymous": anonymous})
    accounts = {**result.accounts, "postings": postings}
    counts = {name: getattr(rows, name).num_rows for name in OF_MEMBERS} | {"postings": postings.read}
    return {"accounts": {name: a.as_dict() for name, a in accounts.items()}, "unfit": result.unfit, "read": counts}


def add_up(summaries: list[dict]) -> dict:
    """
    Add the shards' counts.

    Returns:
        ``accounts`` and ``unfit``, as in the summaries; ``found`` in texts; ``read``, rows of members' datasets.
    """
    total: dict = {"accounts": {}, "unfit": {}, "found": {}, "read": {}}
    for summary in summaries:
        for name, one in summary["accounts"].items():
            sums = total["accounts"].setdefault(name, {"read": 0, "kept": 0, "dropped": {}})
            sums["read"] += one["read"]
            sums["kept"] += one["kept"]
            _add(sums["dropped"], one["dropped"])
        _add(total["unfit"], summary["unfit"])
        for part in ("found", "read"):
            _add(total[part], summary.get(part, {}))
    return total


def _add(sums: dict[str, int], counts: dict[str, int]) -> None:
    for reason, count in counts.items():
        sums[reason] = sums.get(reason, 0) + count
