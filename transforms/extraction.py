"""
Extract and de-identify one shard in one step: what reaches staging is already treated.

The raw rows live in this process's memory between two calls, and nowhere else.
"""

import datetime

import pyarrow as pa
import pyarrow.compute as pc

from anonymizers.errors import SourceEmpty
from anonymizers.keys import Key
from transforms.deidentification import Account, Deidentified, SourceRows, deidentify, with_plain_titles
from transforms.source import Session, Shard, Source, tokyo_days
from transforms.spec import WINDOW_DAYS, Reader
from transforms.staging import Staging

READER = Reader.STATISTICS
THREAD_GRAIN = 1 << 12
"""Bounds sent to the database are round: its log may hold statements."""


def extract_shard(
    source: Source, staging: Staging, shard: Shard, now: datetime.datetime, key: Key, statistics_key: Key
) -> dict:
    """
    Stage one shard's de-identified members and postings.

    Args:
        source: The site's database; read as the statistics role, in one transaction.

        staging: The night's place; ``members`` and ``postings`` are written there.

        shard: Whose rows.

        now: When the night runs; a stop signal counts until it is revoked.

        key: For the members' pseudonyms.

        statistics_key: For their record keys.

    Returns:
        Counts only: per dataset read, kept and dropped by reason, and values on no code list.
    """
    day = staging.day
    with source.session(READER) as session:
        rows = read_shard(session, shard, day)
        anonymous = _count_anonymous(session, day) if shard.number == 0 else 0
    result = deidentify(rows, day, now, key, statistics_key)
    name = f"{shard.number:04d}.parquet"
    staging.write_table(result.members, "members", name)
    staging.write_table(result.postings, "postings", name)
    if shard.number == 0:
        staging.write_json(_board_names(rows.boards), "boards.json")
    return _summary(result, anonymous)


def read_shard(session: Session, shard: Shard, day: datetime.date) -> SourceRows:
    """What the statistics reader reads of one shard; postings of the 28 days that end with ``day``."""
    whose, posted = shard.where(), window(day)
    postings = session.read("postings", READER, f"{whose} and {posted}")
    conditions = {
        **dict.fromkeys(("members", "children", "consents", "opt_outs", "rights_requests"), whose),
        "boards": "true",
        "threads": _thread_range(postings)
        or f"thread_id in (select thread_id from postings where {whose} and {posted})",
    }
    others = {name: session.read(name, READER, where) for name, where in conditions.items()}
    return SourceRows(postings=postings, **others)


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


def _summary(result: Deidentified, anonymous: int) -> dict:
    postings = result.accounts["postings"]
    if anonymous:
        postings = Account(postings.read + anonymous, {**postings.dropped, "anonymous": anonymous})
    accounts = {**result.accounts, "postings": postings}
    return {"accounts": {name: a.as_dict() for name, a in accounts.items()}, "unfit": result.unfit}


def add_up(summaries: list[dict]) -> dict:
    """
    Add the shards' counts.

    Raises:
        SourceEmpty: not one member was read; an empty night is an error of the source, never a result.
    """
    total: dict = {"accounts": {}, "unfit": {}, "found": {}}
    for summary in summaries:
        for name, one in summary["accounts"].items():
            sums = total["accounts"].setdefault(name, {"read": 0, "kept": 0, "dropped": {}})
            sums["read"] += one["read"]
            sums["kept"] += one["kept"]
            _add(sums["dropped"], one["dropped"])
        _add(total["unfit"], summary["unfit"])
        _add(total["found"], summary.get("found", {}))
    if not total["accounts"].get("members", {}).get("read"):
        raise SourceEmpty("members: 0 rows; an empty source publishes nothing")
    return total


def _add(sums: dict[str, int], counts: dict[str, int]) -> None:
    for reason, count in counts.items():
        sums[reason] = sums.get(reason, 0) + count
