"""
Why the two nights' outputs differ, member by member and cell by cell.

The database itself, asked in SQL, says for every member which cell each night should put
her in, and why the two cells differ. Both nights' tables must follow from that exactly:
what is left over is unexplained, and there should be none.
"""

import datetime
from collections import Counter
from pathlib import Path

import pandas as pd
import polars as pl
import psycopg

from bench.naive_night import AGE_NAMES, AGES, CHILD_AGES, CHILD_NAMES, LEAST, SENSITIVE

PLACE = ["prefecture_code", "age_band", "youngest_child_band"]
BOARD = ["board", "prefecture_code", "age_band", "day"]


def _band(years: str, bounds: tuple[int, ...], names: tuple[str, ...], missing: str) -> str:
    steps = " ".join(
        f"when {years} >= {bound} then '{name}'" for bound, name in reversed(list(zip(bounds, names, strict=True)))
    )
    return f"case {steps} else '{missing}' end"


def _members(day: datetime.date, now: datetime.datetime) -> str:
    """A temporary table: active members with the cell of either night, and whether the pipeline counts them."""
    by_days = f"floor((date '{day}' - birth_date) / 365.25)"
    finite = "case when isfinite(birth_date) then birth_date end"
    end = day + datetime.timedelta(days=1)
    return f"""
    create temporary table whose as
    with family as (
        select member_id,
            floor((date '{day}' - max(birth_date)) / 365.25) as youngest_by_days,
            extract(year from age(date '{day}', max({finite}) filter (where birth_date <= date '{day}'))) as youngest,
            bool_or(coalesce(birth_date > date '{day}', false)
                or (birth_date is null and coalesce(due_date >= date '{day}' - 28, false))) as expecting,
            bool_or(birth_date is null and not coalesce(due_date >= date '{day}' - 28, false)) as undated
        from children group by member_id
    ), stopped as (
        select member_id from opt_outs where kind not in ('site_ad', 'article_35_stop')
            and (revoked_at is null or not isfinite(revoked_at) or revoked_at > '{now.isoformat()}')
        union
        select member_id from rights_requests where kind in ('stop_use', 'erase') and identity_verified_at is not null
    ), aged as (
        select *, {by_days} as years_by_days, case when {finite} <= date '{day}'
            and extract(year from age(date '{day}', birth_date)) <= 120
            then extract(year from age(date '{day}', birth_date)) end as years
        from members where status = 'active'
    )
    select aged.member_id, prefecture_code::text as naive_prefecture,
        case when prefecture_code between '01' and '47' then prefecture_code::text else 'unknown' end as prefecture,
        {_band("years_by_days", AGES, AGE_NAMES, "unknown")} as naive_age,
        {_band("years", AGES, AGE_NAMES, "unknown")} as age,
        {_band("youngest_by_days", CHILD_AGES, CHILD_NAMES, "none")} as naive_child,
        case when family.member_id is null then 'none' when expecting then 'expecting' when undated then 'unknown'
            else {_band("youngest", CHILD_AGES, CHILD_NAMES, "unknown")} end as child,
        case when stopped.member_id is not null then 'statistics stopped'
            when registered_at >= timestamp '{end}' at time zone 'Asia/Tokyo' then 'registered after the day'
            end as left_out
    from aged left join family using (member_id) left join stopped using (member_id)
    """


_MOVES = """
    select naive_prefecture, naive_age, naive_child, prefecture, age, child, left_out, count(*)
    from whose group by 1, 2, 3, 4, 5, 6, 7
"""


def _postings(day: datetime.date, prefecture: str, age: str, who: str) -> str:
    first, end = day - datetime.timedelta(days=27), day + datetime.timedelta(days=1)
    return f"""
    select case when is_sensitive then '{SENSITIVE}' else b.title end, {prefecture}, {age},
        ((posted_at at time zone 'Asia/Tokyo')::date)::text, count(distinct p.member_id), count(*)
    from postings p join threads using (thread_id) join boards b using (board_id)
        join whose on whose.member_id = p.member_id
    where p.deleted_at is null and posted_at >= timestamp '{first}' at time zone 'Asia/Tokyo'
        and posted_at < timestamp '{end}' at time zone 'Asia/Tokyo' and {who}
    group by 1, 2, 3, 4 having count(distinct p.member_id) >= {LEAST}
    """


def compare(url: str, day: datetime.date, now: datetime.datetime, naive: Path, ours: Path) -> dict:
    """
    Compare the two nights' tables and feeds.

    Args:
        url: The site's database, as its owner.

        day: The day of both nights.

        now: The pipeline's instant.

        naive: The rival's folder.

        ours: The benchmark's own folder for the pipeline's true cells; what it publishes of them is perturbed.

    Returns:
        Per output: cells of either, how many differ, why, and how many are left unexplained.
    """
    with psycopg.connect(url) as connection:
        connection.execute("set jit = off")
        connection.execute(_members(day, now))
        connection.execute("analyze whose")
        moves = connection.execute(_MOVES).fetchall()
        of_naive = connection.execute(
            _postings(day, "naive_prefecture", "naive_age", "naive_prefecture is not null")
        ).fetchall()
        of_ours = connection.execute(_postings(day, "prefecture", "age", "left_out is null")).fetchall()
        connection.rollback()
    by_place = _cells(naive / "members_by_prefecture.csv", PLACE)
    our_places = pd.read_parquet(ours / "members_by_prefecture.parquet")
    by_board = _cells(naive / "postings_by_board.csv", BOARD)
    our_boards = pd.read_parquet(ours / "postings_by_board.parquet").astype({"board": str, "day": str})
    return {
        "members_by_prefecture": {
            **_differences(_counts(by_place, PLACE), _counts(our_places, PLACE)),
            "moved": dict(_reasons(moves)),
            "unexplained": _unlike(_counts(by_place, PLACE), _at_least(_sum(moves, naive=True)))
            + _unlike(_counts(our_places, PLACE), _at_least(_sum(moves, naive=False))),
        },
        "postings_by_board": {
            **_differences(_counts(by_board, BOARD), _counts(our_boards, BOARD)),
            "unexplained": _unlike(_both(by_board), {row[:4]: row[4:] for row in of_naive})
            + _unlike(_both(our_boards), {row[:4]: row[4:] for row in of_ours}),
        },
    }


def _cells(path: Path, names: list[str]) -> pd.DataFrame:
    return pd.read_csv(path, dtype=dict.fromkeys(names, str), keep_default_na=False)


def _counts(frame: pd.DataFrame, names: list[str]) -> dict:
    return dict(zip(frame[names].itertuples(index=False, name=None), frame["members"].astype(int), strict=True))


def _both(frame: pd.DataFrame) -> dict:
    counts = frame[["members", "contributions"]].astype(int).itertuples(index=False, name=None)
    return dict(zip(frame[BOARD].itertuples(index=False, name=None), counts, strict=True))


def _differences(naive: dict, ours: dict) -> dict:
    shared = naive.keys() & ours.keys()
    return {
        "naive": len(naive),
        "ours": len(ours),
        "equal": sum(naive[cell] == ours[cell] for cell in shared),
        "differ": sum(naive[cell] != ours[cell] for cell in shared),
        "only_naive": len(naive.keys() - ours.keys()),
        "only_ours": len(ours.keys() - naive.keys()),
    }


def _unlike(found: dict, expected: dict) -> int:
    return sum(found.get(cell) != expected.get(cell) for cell in found.keys() | expected.keys())


def _sum(moves: list[tuple], *, naive: bool) -> Counter:
    cells: Counter = Counter()
    for *cell, left_out, count in moves:
        if naive and cell[0] is not None:
            cells[tuple(cell[:3])] += count
        if not naive and left_out is None:
            cells[tuple(cell[3:])] += count
    return cells


def _at_least(cells: Counter) -> dict:
    return {cell: count for cell, count in cells.items() if count >= LEAST}


def _reasons(moves: list[tuple]) -> Counter:
    """Members that the two nights count differently, by the first reason."""
    reasons: Counter = Counter()
    for naive_prefecture, naive_age, naive_child, prefecture, age, child, left_out, count in moves:
        if left_out:
            reasons[f"ours leaves out: {left_out}"] += count
        elif naive_prefecture is None:
            reasons["rival drops a missing prefecture"] += count
        elif naive_prefecture != prefecture:
            reasons["prefecture on no code list"] += count
        elif naive_age != age:
            reasons["age by birthdays, not days / 365.25"] += count
        elif child in ("expecting", "unknown") and naive_child != child:
            reasons[f"youngest child: {child}"] += count
        elif naive_child != child:
            reasons["child's age by birthdays, not days / 365.25"] += count
    return reasons


def compare_feeds(url: str, day: datetime.date, now: datetime.datetime, naive: Path, ours: Path) -> dict:
    """
    Say of every row of the rival's feed what the pipeline did with it, and the other way round.

    Args:
        url: The site's database; read here as the ads reader, as the pipeline does.

        day: The day of both nights.

        now: The pipeline's instant.

        naive: The rival's file.

        ours: The pipeline's file.

    Returns:
        Distinct digests of either and both; the rival's rows by what the pipeline decided.
    """
    from delivery.destinations.liveramp import DESTINATION

    theirs, sent = (pl.read_csv(path)[column] for path, column in ((naive, "sha256"), (ours, "EMAIL1_SHA-256")))
    members = _judged(url, DESTINATION, day, now).with_columns(_fed_by_rival(url, day).alias("fed"))
    fed = members.filter("fed")
    decided = fed.group_by(pl.col("dropped").fill_null("sent")).len().sort("len", descending=True)
    both = sent.is_in(theirs.unique().implode()).sum()
    others = members.filter(pl.col("dropped").is_null() & ~pl.col("fed")).height
    spelt_apart = members.filter(pl.col("dropped").is_null() & pl.col("fed") & ~_same_form()).height
    return {
        "naive_rows": len(theirs),
        "naive_distinct": theirs.n_unique(),
        "ours_rows": len(sent),
        "in_both": both,
        "only_ours": len(sent) - both,
        "rows_of_rival_by_our_decision": dict(decided.iter_rows()),
        "only_ours_because": {"the rival leaves her out": others, "the rival digests another form": spelt_apart},
        # Somebody the rival leaves out may share an address with somebody in it, never the other way round.
        "unexplained": abs(fed.height - len(theirs)) + max(0, len(sent) - both - others - spelt_apart),
    }


NOBODY_LISTED = pl.DataFrame(schema=dict.fromkeys(("sha256", "sha1", "md5"), pl.Binary))
"""The rival takes in no partner's list, so neither does the comparison."""


def _judged(url: str, destination, day: datetime.date, now: datetime.datetime) -> pl.DataFrame:
    from delivery.consent import Moment, barred_addresses, judge, latest_consent, own_stops
    from transforms.deidentification import end_of
    from transforms.source import Shard, Source
    from transforms.spec import Reader

    with Source(url).session(Reader.ADS) as session:
        members, consents, opt_outs, requests = (
            session.read(name, Reader.ADS) for name in ("members", "consents", "opt_outs", "rights_requests")
        )
        barred = barred_addresses(destination, session, Moment(day, now), [Shard(0, None, None)])
    consented = latest_consent(consents, end_of(day))
    return judge(destination, members, consented, own_stops(opt_outs, requests, now), day, barred, NOBODY_LISTED)


def _same_form() -> pl.Expr:
    return pl.col("email").str.normalize("NFKC").str.strip_chars().str.to_lowercase() == pl.col("key")


def _fed_by_rival(url: str, day: datetime.date) -> pl.Expr:
    with psycopg.connect(url) as connection:
        rows = connection.execute(
            f"""select member_id from members where status = 'active'
            and floor((date '{day}' - birth_date) / 365.25) >= 18
            and member_id in (select member_id from consents where purpose = 'ad_match' and withdrawn_at is null)
            and member_id not in (select member_id from opt_outs where revoked_at is null and member_id is not null)"""
        ).fetchall()
    return pl.col("member_id").is_in([member for (member,) in rows])
