"""
The pipeline's night in one process: its own steps in their order, without Airflow and without the text branch.

First what the rival makes too: staged members and postings, the feed, and two tables. The
second, postings by board × prefecture × age band × day, is in no catalogue of ours; it is
tabulated here from staged rows with the product's own functions, and its time is counted.
Then, timed apart because the rival has nothing like it: gates, publication, fence.

    SUDARE_… python -m bench.night DAY FOLDER
"""

import datetime
import json
import sys
from pathlib import Path

from bench.watch import Watch

LEAST = 10


def main(day: datetime.date, folder: Path) -> dict:
    """Run the night; laps, measures and rows, for the rival's outputs and for the whole."""
    watch = Watch()
    from delivery import night as steps
    from delivery.settings import read_settings

    watch.lap("start and import")
    folder.mkdir(parents=True, exist_ok=True)
    now = datetime.datetime.combine(day + datetime.timedelta(days=1), datetime.time(2, 30), steps.TOKYO)
    night = steps.Night(read_settings(), day, now)

    shards = steps.plan(night)
    watch.lap("plan")
    for shard in shards:
        steps.extract(night, shard)
    watch.lap("extract")
    for shard in shards:
        steps.tabulate(night, shard)
    _stand_in_for_terms(night)
    steps.merge_cells(night)
    watch.lap("tabulate and merge")
    write_members(night, folder)
    steps.disclose(night)
    watch.lap("disclose")
    by_board = tabulate_postings(night, shards, folder)
    watch.lap("postings by board")
    feeds = [steps.build_feed(night, name) for name in steps.plan_feeds(night)]
    watch.lap("feed")
    same = watch.read()

    more = Watch()
    _stand_in_for_text(night)
    steps.gate_tables(night)
    more.lap("gate of tables, with its import")
    steps.publish(night)
    more.lap("publish")
    for name in steps.plan_feeds(night):
        steps.gate_feed(night, name)
        more.lap("gate of feed")
        steps.hand_over(night, name)
        more.lap("fence and hand over")
    rows = {"feed": sum(feed["rows"] for feed in feeds), **_staged(night, shards), "postings_by_board": by_board}
    steps.close(night)
    return {
        "laps": watch.laps,
        **same,
        "rows": rows,
        "shards": len(shards),
        "feed_account": feeds[0]["account"],
        "also": {"laps": more.laps, **watch.read()},
    }


def tabulate_postings(night, shards: list[int], folder: Path) -> int:
    """The rival's second table from staged rows, without margins and protection, as the rival makes it; its rows."""
    import polars as pl

    cell, parts = ["board", "prefecture_code", "age_band", "day"], []
    for shard in shards:
        name = f"{shard:04d}.parquet"
        members, postings = (pl.from_arrow(night.staging.read_table(rows, name)) for rows in ("members", "postings"))
        postings = postings.with_columns(pl.col("board").cast(pl.String))
        whose = members.select("member_no", "prefecture_code", "age_band")
        of_member = postings.group_by("member_no", "board", "day").len().join(whose, on="member_no")
        parts.append(of_member.group_by(cell).agg(members=pl.len(), contributions=pl.col("len").sum()))
    # Whoever is in one shard is in no other, so the shards' cells add up.
    cells = pl.concat(parts).group_by(cell).sum().filter(pl.col("members") >= LEAST).sort(cell)
    cells.write_parquet(folder / "postings_by_board.parquet")
    return cells.height


def write_members(night, folder: Path) -> None:
    """The true cells of the first table, to be compared with the rival's: what is published of them is perturbed."""
    from anonymizers.cells import Cells

    cells = Cells.from_arrow(night.staging.read_table("merged", "members_by_prefecture.parquet"))
    _write_inner(cells, folder / "members_by_prefecture.parquet")


def _write_inner(cells, path: Path) -> int:
    """The cells that are no margin and large enough."""
    counts = cells.codes.assign(members=cells.members, contributions=cells.contributions)
    kept = counts[(cells.codes != "total").all(axis=1) & (counts["members"] >= LEAST)]
    kept.to_parquet(path, index=False)
    return len(kept)


def _staged(night, shards: list[int]) -> dict[str, int]:
    staged = {
        name: sum(
            night.staging.read_table(name, f"{shard:04d}.parquet", columns=["member_no"]).num_rows for shard in shards
        )
        for name in ("members", "postings")
    }
    cells = night.staging.read_table("releases", "members_by_prefecture.parquet", columns=["members"])["members"]
    return {**staged, "members_by_prefecture": len(cells) - cells.null_count}


def _stand_in_for_terms(night) -> None:
    """No term per shard of threads."""
    import polars as pl

    from delivery.night import plan_texts

    nothing = {"board": pl.String, "week": pl.String, "term": pl.String, "record_key": pl.UInt32, "point": pl.UInt32}
    for shard in plan_texts(night):
        night.staging.write_table(pl.DataFrame(schema=nothing).to_arrow(), "terms", f"{shard:04d}.parquet")


def _stand_in_for_text(night) -> None:
    """An empty summary per shard of threads: `publish` adds up all branches, and text is measured elsewhere."""
    from delivery.night import plan_texts

    for shard in plan_texts(night):
        night.staging.write_json({"accounts": {}, "unfit": {}}, "summaries", f"redact-{shard:04d}.json")


if __name__ == "__main__":
    print(json.dumps(main(datetime.date.fromisoformat(sys.argv[1]), Path(sys.argv[2]))))
