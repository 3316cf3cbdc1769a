"""
The rival: the same night as it is usually written first, in one process, whole tables in data frames.

pandas reads, hashlib digests value by value, pandas writes and groups. It makes a feed of
digests, members and postings under pseudonyms, and two tables of cells of ten or more. It
does less than the pipeline (no stop by request or by shared address, no text, no checks,
no second look before sending, no publication), so it is a lower bound of what a night
without the pipeline costs.

    python -m bench.naive_night SQLALCHEMY_URL DAY FOLDER
"""

import hashlib
import hmac
import json
import sys
import unicodedata
from pathlib import Path

import numpy as np
import pandas as pd
import sqlalchemy as sa

from bench.watch import Watch

KEY = b"0123456789abcdef" * 2
"""Any key: only the time it takes is of interest."""

LEAST = 10
SENSITIVE = "健康・家庭"
AGES = (0, 20, 25, 30, 35, 40, 45, 50)
AGE_NAMES = ("-19", "20-24", "25-29", "30-34", "35-39", "40-44", "45-49", "50-")
CHILD_AGES = (0, 1, 3, 6, 9, 13)
CHILD_NAMES = ("0", "1-2", "3-5", "6-8", "9-12", "13-")

POSTINGS = """
    select posting_id, thread_id, member_id, body, posted_at from postings
    where deleted_at is null
    and posted_at >= (cast(:day as date) - 27)::timestamp at time zone 'Asia/Tokyo'
    and posted_at < (cast(:day as date) + 1)::timestamp at time zone 'Asia/Tokyo'
"""


def _address(typed):
    return unicodedata.normalize("NFKC", typed).strip().lower() if isinstance(typed, str) else None


def _hex(algorithm):
    def digest(text):
        return hashlib.new(algorithm, text.encode()).hexdigest() if isinstance(text, str) else None

    return digest


def _token(member):
    return None if pd.isna(member) else hmac.new(KEY, str(int(member)).encode(), hashlib.sha256).hexdigest()


def _years(born, day):
    return (pd.Timestamp(day) - pd.to_datetime(born)).dt.days // 365.25


def _band(years, bounds, names, missing):
    return pd.cut(years, [*bounds, np.inf], right=False, labels=list(names)).astype(object).fillna(missing)


def main(url: str, day: str, folder: Path) -> dict:
    """Run the night; laps, measures and rows."""
    watch = Watch()
    watch.lap("start")
    folder.mkdir(parents=True, exist_ok=True)
    engine = sa.create_engine(url)

    members = pd.read_sql("select * from members where status = 'active'", engine)
    children = pd.read_sql("select member_id, birth_date from children where birth_date is not null", engine)
    consents = pd.read_sql("select * from consents where purpose = 'ad_match' and withdrawn_at is null", engine)
    opt_outs = pd.read_sql("select * from opt_outs where revoked_at is null", engine)
    watch.lap("read members")
    postings = pd.read_sql(sa.text(POSTINGS), engine, params={"day": day})
    threads = pd.read_sql("select thread_id, board_id from threads", engine)
    boards = pd.read_sql("select board_id, title, is_sensitive from boards", engine)
    watch.lap("read postings")

    age = _years(members.birth_date, day)
    consented, stopped = members.member_id.isin(consents.member_id), members.member_id.isin(opt_outs.member_id)
    feed = members[consented & ~stopped & (age >= 18)].copy()
    address = feed.email.apply(_address)
    for algorithm in ("md5", "sha1", "sha256"):
        feed[algorithm] = address.apply(_hex(algorithm))
    feed[["md5", "sha1", "sha256"]].to_csv(folder / "feed.csv.gz", index=False)
    watch.lap("feed")

    youngest = members.member_id.map(children.groupby("member_id").birth_date.max())
    members["age_band"] = _band(age, AGES, AGE_NAMES, "unknown")
    members["youngest_child_band"] = _band(_years(youngest, day), CHILD_AGES, CHILD_NAMES, "none")
    members["registered"] = members.registered_at.dt.tz_convert("Asia/Tokyo").dt.strftime("%Y-%m")
    members["pseudonym"] = members.member_id.apply(_token)
    kept = ["pseudonym", "prefecture_code", "age_band", "youngest_child_band", "registered"]
    members[kept].to_parquet(folder / "members.parquet")
    postings["pseudonym"] = postings.member_id.apply(_token)
    postings[["pseudonym", "thread_id", "posted_at"]].to_parquet(folder / "postings.parquet")
    watch.lap("pseudonymise and write")

    by_place = (
        members.groupby(["prefecture_code", "age_band", "youngest_child_band"]).size().reset_index(name="members")
    )
    by_place = by_place[by_place.members >= LEAST]
    by_place.to_csv(folder / "members_by_prefecture.csv", index=False)
    boards["board"] = boards.title.mask(boards.is_sensitive, SENSITIVE)
    placed = postings.merge(threads, on="thread_id").merge(boards[["board_id", "board"]], on="board_id")
    placed = placed.merge(members[["member_id", "prefecture_code", "age_band"]], on="member_id")
    placed["day"] = placed.posted_at.dt.tz_convert("Asia/Tokyo").dt.date
    cells = placed.groupby(["board", "prefecture_code", "age_band", "day"])
    by_board = cells.agg(members=("member_id", "nunique"), contributions=("posting_id", "size")).reset_index()
    by_board = by_board[by_board.members >= LEAST]
    by_board.to_csv(folder / "postings_by_board.csv", index=False)
    watch.lap("tables")

    rows = {
        "feed": len(feed),
        "members": len(members),
        "postings": len(postings),
        "members_by_prefecture": len(by_place),
        "postings_by_board": len(by_board),
    }
    return {"laps": watch.laps, **watch.read(), "rows": rows}


if __name__ == "__main__":
    print(json.dumps(main(sys.argv[1], sys.argv[2], Path(sys.argv[3]))))
