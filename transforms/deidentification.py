"""
De-identification of the structured data: rows of members in, banded and pseudonymous rows out.

Frame to frame, in memory; nothing here reads or writes. Every row that is left out is
counted by its first reason, so that read = kept + dropped.
"""

import datetime
from dataclasses import dataclass

import numpy as np
import polars as pl
import pyarrow as pa

from anonymizers import bands
from anonymizers.controls import SETTLING_DAYS, SETTLING_SPREAD_DAYS
from anonymizers.generalisation import age_band, listed, month, tokyo, youngest_child_band
from anonymizers.keys import Key
from anonymizers.pseudonyms import pseudonymise
from anonymizers.record_keys import record_keys
from expectations.checks import plain
from transforms.prefectures import PREFECTURES
from transforms.purposes import POLICY_VERSION
from transforms.spec import WINDOW_DAYS

CONSENT_PURPOSE = "ad_match"
EXPLICIT_METHODS = ("checkbox", "button")
"""An act of hers. A posted policy is no consent (PPC guideline 通則編 3-7-2-3, read 2026-11-23)."""

AD_OPT_OUTS = ("site_ad", "article_35_stop")
STATISTICS_OPT_OUTS = ("statistics",)
NO_STOP = ("disclose", "correct")
"""Requests that ask for no stop. One of a kind that nobody knows is a stop."""


@dataclass(frozen=True)
class Account:
    """What became of the rows of one dataset: read = kept + the sum of dropped."""

    read: int
    dropped: dict[str, int]

    @property
    def kept(self) -> int:
        return self.read - sum(self.dropped.values())

    def as_dict(self) -> dict:
        return {"read": self.read, "kept": self.kept, "dropped": self.dropped}


def account(rows: pl.DataFrame) -> Account:
    """Count the rows by their column ``dropped``, a reason or null."""
    counts = rows.filter(pl.col("dropped").is_not_null()).group_by("dropped").len().sort("dropped")
    return Account(rows.height, dict(counts.iter_rows()))


def end_of(day: datetime.date) -> datetime.datetime:
    """The instant at which an Asia/Tokyo day ends. Japan has kept UTC+9 since 1951."""
    tokyo_zone = datetime.timezone(datetime.timedelta(hours=9))
    return datetime.datetime.combine(day + datetime.timedelta(days=1), datetime.time(), tokyo_zone)


def stopped(opt_outs: pa.Table, requests: pa.Table, *, statistics: bool, now: datetime.datetime) -> pl.DataFrame:
    """
    Whose member's own stop signals are in force, for one of the two purposes.

    An opt-out of a kind that nobody knows stops everything: better silent than wrong. One
    that is to be revoked later is still in force. A request counts once the member has
    proved who she is, also after it was completed.

    Returns:
        Distinct ``member_id``; opt-outs without an account are not in it.
    """
    kinds, others = (STATISTICS_OPT_OUTS, AD_OPT_OUTS) if statistics else (AD_OPT_OUTS, STATISTICS_OPT_OUTS)
    harmless = (*NO_STOP, "stop_provision") if statistics else NO_STOP
    kind = pl.col("kind")
    in_force = pl.col("revoked_at").is_null() | (pl.col("revoked_at") > now)
    by_opt_out = pl.from_arrow(opt_outs).filter((kind.is_in(kinds) | ~kind.is_in(others)).fill_null(True) & in_force)
    by_request = pl.from_arrow(requests).filter(~kind.is_in(harmless).fill_null(False) & pl.col("identity_verified_at"))
    return pl.concat([by_opt_out.select("member_id"), by_request.select("member_id")]).drop_nulls().unique()


def ad_consents(consents: pa.Table) -> pl.DataFrame:
    """
    The consents to ad matching, each with ``superseded``: the member has withdrawn a consent that is no older.

    Whoever consented twice and withdrew once has withdrawn; what she said earlier does not count again.
    """
    rows = pl.from_arrow(consents).filter(pl.col("purpose") == CONSENT_PURPOSE)
    far = pl.lit(datetime.datetime(9999, 1, 1, tzinfo=datetime.UTC)).cast(pl.Datetime("us", "UTC"))
    # Few have withdrawn one, so their rows are grouped and not all.
    withdrawn = rows.filter(pl.col("withdrawn_at")).group_by("member_id").agg(pl.col("given_at").fill_null(far).max())
    rows = rows.join(withdrawn.rename({"given_at": "last"}), on="member_id", how="left", maintain_order="left")
    return rows.with_columns((pl.col("last") > pl.col("given_at")).fill_null(False).alias("superseded")).drop("last")


def valid_consent(at: datetime.datetime) -> pl.Expr:
    """Over `ad_consents`: explicit, unwithdrawn, to the current text, given before ``at``."""
    return (
        ~pl.col("superseded")
        & pl.col("method").is_in(EXPLICIT_METHODS)
        & (pl.col("text_version") == POLICY_VERSION)
        & ~pl.col("withdrawn_at")
        & (pl.col("given_at") < at)
    ).fill_null(False)


def consent_status(consents: pa.Table, at: datetime.datetime) -> pl.DataFrame:
    """
    The best state of each member's consent to ad matching, stop signals aside.

    Returns:
        ``member_id`` and ``consent_status``: consented, withdrawn or outdated. A member with
        no consent to ad matching, or only one in the future, is not in it.
    """
    rows = ad_consents(consents).filter(pl.col("given_at") < at)
    state = (
        pl.when(valid_consent(at).any())
        .then(pl.lit("consented"))
        .when(pl.col("withdrawn_at").any())
        .then(pl.lit("withdrawn"))
        .otherwise(pl.lit("outdated"))
    )
    return rows.group_by("member_id").agg(state.alias("consent_status"))


@dataclass(frozen=True)
class SourceRows:
    """What the statistics reader reads of one shard, as Arrow tables by dataset."""

    members: pa.Table
    children: pa.Table
    consents: pa.Table
    opt_outs: pa.Table
    rights_requests: pa.Table
    boards: pa.Table
    threads: pa.Table
    postings: pa.Table


@dataclass(frozen=True)
class Deidentified:
    """
    The staged rows of one shard.

    Attributes:
        members: One row per kept member, in the order of their pseudonyms, which is no order of the source.
        postings: One row per kept posting with ``member_no``, the member's row number in ``members``.
        accounts: Per dataset, what was kept and dropped.
        unfit: Per column, values that are on no code list and were read as unknown.
    """

    members: pa.Table
    postings: pa.Table
    accounts: dict[str, Account]
    unfit: dict[str, int]


def deidentify(
    rows: SourceRows, day: datetime.date, now: datetime.datetime, key: Key, statistics_key: Key
) -> Deidentified:
    """
    Pseudonymise, generalise and filter one shard.

    Args:
        rows: As read.

        day, now: The night's; stop signals count as of ``now``.

        key: For pseudonyms.

        statistics_key: For record keys and points, of the statistics' epoch.
    """
    members = _judge_members(rows, day, now)
    kept = members.filter(pl.col("dropped").is_null())
    children = pl.from_arrow(rows.children).group_by("member_id")
    youngest = children.agg(youngest_child_band(pl.col("birth_date"), pl.col("due_date"), day).alias("band"))
    numbered = _in_order_of(
        kept.with_columns(
            pseudonymise("member_id", "member", key).alias("member_pseudonym"),
            *record_keys("member_id", statistics_key),
        ),
        # The first half of a token tells members apart.
        pl.col("member_pseudonym").bin.slice(0, 8).bin.reinterpret(dtype=pl.UInt64, endianness="big"),
    ).with_row_index("member_no")
    postings = _place_postings(rows, numbered.select("member_id", "member_no"))
    posted = postings.filter(pl.col("dropped").is_null())
    prefecture = listed(pl.col("prefecture_code"), tuple(code for code, _ in PREFECTURES))
    staged = (
        numbered.join(youngest, on="member_id", how="left", maintain_order="left")
        .with_columns(_postings_in_window(posted, day, numbered.height))
        .select(
            "member_pseudonym",
            "member_no",
            prefecture.alias("prefecture_code"),
            age_band(pl.col("birth_date"), day).alias("age_band"),
            pl.col("band").fill_null(bands.NO_CHILD).alias("youngest_child_band"),
            month(pl.col("registered_at")).alias("registered_month"),
            "consent_status",
            "postings_28d",
            pl.when(pl.col("postings_28d") > 0)
            .then(pl.lit(bands.POSTED))
            .otherwise(pl.lit(bands.SILENT))
            .alias("activity"),
            "record_key",
            "point",
            settled(day).alias("settled"),
        )
    )
    unlisted = kept.filter(pl.col("prefecture_code").is_not_null() & (prefecture == bands.UNKNOWN)).height
    return Deidentified(
        staged.to_arrow(),
        _in_order_of(posted.select("member_no", "board", "day", "hour", "weekday"), _when_and_where(posted)).to_arrow(),
        {"members": account(members), "postings": account(postings)},
        {"members.prefecture_code": unlisted} if unlisted else {},
    )


def _in_order_of(rows: pl.DataFrame, number: pl.Expr) -> pl.DataFrame:
    """Sorted by one whole number a row: several times as fast as by columns, and the rest is moved once."""
    return rows[rows.select(number.alias("number"))["number"].to_numpy().argsort()]


def _when_and_where(posted: pl.DataFrame) -> pl.Expr:
    """Member, day, hour and board as one number; days since 1970 have 16 bits, and no site has 65,536 boards."""
    boards = pl.Enum(posted["board"].unique().cast(pl.String).sort())
    board = pl.col("board").cast(boards).to_physical().cast(pl.UInt64)
    day, hour = pl.col("day").to_physical().cast(pl.UInt64), pl.col("hour").cast(pl.UInt64)
    return ((pl.col("member_no").cast(pl.UInt64) * (1 << 16) + day) * 24 + hour) * len(boards.categories) + board


def settled(day: datetime.date) -> pl.Expr:
    """
    Whether an account is old enough to count towards a quorum: 7 to 13 days, by her point.

    Accounts made to push a cell over its quorum cannot do so when they are made, and not all on one later night.
    One that registered nobody knows when never counts.
    """
    wait = SETTLING_DAYS + pl.col("point") % SETTLING_SPREAD_DAYS
    return (pl.col("registered_at") < end_of(day) - pl.duration(days=wait)).fill_null(False)


def _judge_members(rows: SourceRows, day: datetime.date, now: datetime.datetime) -> pl.DataFrame:
    """The members with their consent status, and with the first reason to leave them out."""
    out = stopped(rows.opt_outs, rows.rights_requests, statistics=True, now=now).with_columns(out=True)
    no_ads = stopped(rows.opt_outs, rows.rights_requests, statistics=False, now=now).with_columns(no_ads=True)
    reason = (
        pl.when(pl.col("status").is_in(("suspended", "withdrawn")))
        .then(pl.concat_str(pl.lit("status_"), pl.col("status")))
        .when((pl.col("status") != "active").fill_null(True))
        .then(pl.lit("status_unknown"))
        .when(pl.col("registered_at") >= end_of(day))
        .then(pl.lit("registered_after_the_day"))
        .when(pl.col("out"))
        .then(pl.lit("statistics_stopped"))
    )
    status = pl.when(pl.col("no_ads")).then(pl.lit("stopped")).otherwise(pl.col("consent_status").fill_null("none"))
    return (
        pl.from_arrow(rows.members)
        .join(out, on="member_id", how="left")
        .join(no_ads, on="member_id", how="left")
        .join(consent_status(rows.consents, end_of(day)), on="member_id", how="left")
        .with_columns(reason.alias("dropped"), status.alias("consent_status"))
    )


def with_plain_titles(boards: pa.Table) -> pl.DataFrame:
    """Boards with their titles as they are checked and published: two spellings of one title are one board."""
    frame = pl.from_arrow(boards)
    titles = [None if title is None else plain(title) for title in frame["title"]]
    return frame.with_columns(pl.Series("title", titles, dtype=pl.String))


def _place_postings(rows: SourceRows, members: pl.DataFrame) -> pl.DataFrame:
    """The postings with their board, day, hour and weekday, and with the reason to leave them out."""
    title = (
        pl.when(pl.col("is_sensitive").fill_null(True)).then(pl.lit(bands.SENSITIVE_BOARDS)).otherwise(pl.col("title"))
    )
    boards = with_plain_titles(rows.boards).select("board_id", title.cast(pl.Categorical).alias("board"))
    threads = pl.from_arrow(rows.threads).join(boards, on="board_id", how="left").select("thread_id", "board")
    at = tokyo(pl.col("posted_at"))
    weekday = at.dt.weekday() - 1
    reason = (
        pl.when(pl.col("deleted_at"))
        .then(pl.lit("deleted"))
        .when(pl.col("member_no").is_null())
        .then(pl.lit("member_left_out"))
        .when(pl.col("board").is_null())
        .then(pl.lit("board_unknown"))
    )
    return (
        pl.from_arrow(rows.postings)
        .join(threads, on="thread_id", how="left")
        .join(members, on="member_id", how="left")
        .select(
            "member_no",
            "board",
            at.dt.date().alias("day"),
            at.dt.hour().alias("hour"),
            weekday.alias("weekday"),
            reason.alias("dropped"),
        )
    )


def _postings_in_window(postings: pl.DataFrame, day: datetime.date, members: int) -> pl.Series:
    """How many each member has, in the order of their numbers."""
    first = day - datetime.timedelta(days=WINDOW_DAYS - 1)
    whose = postings.filter(pl.col("day").is_between(first, day))["member_no"].to_numpy()
    return pl.Series("postings_28d", np.bincount(whose, minlength=members), dtype=pl.UInt32)
