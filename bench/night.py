"""
The pipeline's night in one process: its own steps in their order, without Airflow and without the text branch.

With ``same``, what the rival makes and no more: staged members and postings, the feed, and two tables. The second,
postings by board × prefecture × age band × day, is in no catalogue of ours; it is counted here from staged rows,
without protection, as the rival counts it, and its time is counted. With ``own``, every table of the catalogue besides;
without either also what the rival has nothing like: gates, publication, fence, removals.

    SUDARE_… python -m bench.night DAY FOLDER [same | own]
"""

import datetime
import json
import os
import sys
from pathlib import Path

from bench.site import POSTGRES
from bench.watch import Watch, server_cpu_s

LEAST = 10

OWN = ("plan", "extract", "tabulate", "merge_cells", "disclose", "postings by board", "build_feed")
"""Laps that make what the rivals make too; starting is not in them."""

SHARED = "members_by_prefecture"
"""The one table of the catalogue that the rival makes too."""


def main(day: datetime.date, folder: Path, extent: str = "") -> dict:
    """Run the night as far as it is asked for; laps, measures and rows."""
    watch, postgres = Watch(), Path(os.environ["SUDARE_HOME"]) / POSTGRES
    before = server_cpu_s(postgres)
    from delivery import night as steps
    from delivery.settings import read_settings

    watch.lap("start")
    folder.mkdir(parents=True, exist_ok=True)
    now = datetime.datetime.combine(day + datetime.timedelta(days=1), datetime.time(2, 30), steps.TOKYO)
    night = steps.Night(read_settings(), day, now)
    if extent == "same":
        only = {SHARED: steps.catalogue()[SHARED]}
        steps.catalogue = lambda: only

    tasks = steps.plan(night)
    watch.lap("plan")
    for task in tasks:
        steps.extract(night, task)
    watch.lap("extract")
    for task in tasks:
        steps.tabulate(night, task)
    watch.lap("tabulate")
    stand_in_for_texts(night)
    steps.merge_cells(night)
    watch.lap("merge_cells")
    write_members(night, folder)
    steps.disclose(night)
    watch.lap("disclose")
    shards = [shard for task in tasks for shard in task]
    by_board = tabulate_postings(night, shards, folder)
    watch.lap("postings by board")
    feeds = [steps.build_feed(night, name) for name in steps.plan_feeds(night)]
    watch.lap("build_feed")
    rows = {"feed": sum(feed["rows"] for feed in feeds), **_staged(night, shards), "postings_by_board": by_board}
    server = round(server_cpu_s(postgres) - before, 2)
    if not extent:
        _go_on(night, watch)
    return {"laps": watch.laps, **watch.read(), "server_s": server, "rows": rows, "shards": len(shards)}


def _go_on(night, watch: Watch) -> None:
    """What the rival has nothing like."""
    from delivery import night as steps
    from expectations import validation  # noqa: F401  many seconds of Great Expectations, before the clock of its step
    from transforms import audit  # noqa: F401  and of SciPy

    watch.lap("start")
    steps.gate_tables(night)
    watch.lap("gate_tables")
    steps.publish(night)
    watch.lap("publish")
    for name in steps.plan_feeds(night):
        steps.gate_feed(night, name)
        watch.lap("gate_feed")
        steps.hand_over(night, name)
        watch.lap("hand_over")
    for name in steps.plan_removals(night):
        steps.remove(night, name)
    watch.lap("remove")
    steps.close(night)


def tabulate_postings(night, shards: list[int], folder: Path) -> int:
    """The rival's second table from staged rows, without margins and protection, as the rival makes it; its rows."""
    import polars as pl

    cell, parts = ["board", "prefecture_code", "age_band", "day"], []
    columns = {"members": ["member_no", "prefecture_code", "age_band"], "postings": ["member_no", "board", "day"]}
    for shard in shards:
        name = f"{shard:04d}.parquet"
        whose, postings = (
            pl.from_arrow(night.staging.read_table(rows, name, columns=only)) for rows, only in columns.items()
        )
        of_member = postings.group_by("member_no", "board", "day").len().join(whose, on="member_no")
        counted = of_member.group_by(cell).agg(members=pl.len(), contributions=pl.col("len").sum())
        # Each shard has codes of its own for the boards.
        parts.append(counted.with_columns(pl.col("board").cast(pl.String)))
    # Whoever is in one shard is in no other, so the shards' cells add up.
    cells = pl.concat(parts).group_by(cell).sum().filter(pl.col("members") >= LEAST).sort(cell)
    cells.write_parquet(folder / "postings_by_board.parquet")
    return cells.height


def write_members(night, folder: Path) -> None:
    """The true cells of the first table, to be compared with the rival's: what is published of them is perturbed."""
    from anonymizers.cells import Cells

    cells = Cells.from_arrow(night.staging.read_table("merged", "members_by_prefecture.parquet"))
    counts = cells.codes.assign(members=cells.members, contributions=cells.contributions)
    inner = (cells.codes != "total").all(axis=1) & (counts["members"] >= LEAST)
    counts[inner].to_parquet(folder / "members_by_prefecture.parquet", index=False)


def stand_in_for_texts(night) -> None:
    """No term and an empty summary per shard of threads: later steps add up all branches. Text is measured apart."""
    import polars as pl

    from delivery.night import plan_texts

    nothing = {"board": pl.String, "week": pl.String, "term": pl.String, "record_key": pl.UInt32, "point": pl.UInt32}
    for shard in plan_texts(night):
        night.staging.write_table(pl.DataFrame(schema=nothing).to_arrow(), "terms", f"{shard:04d}.parquet")
        night.staging.write_json({"accounts": {}, "unfit": {}}, "summaries", f"redact-{shard:04d}.json")


def _staged(night, shards: list[int]) -> dict[str, int]:
    staged = {
        rows: sum(night.staging.count_rows(rows, f"{shard:04d}.parquet") for shard in shards)
        for rows in ("members", "postings")
    }
    cells = night.staging.read_table("releases", "members_by_prefecture.parquet", columns=["members"])["members"]
    return {**staged, "members_by_prefecture": len(cells) - cells.null_count}


if __name__ == "__main__":
    print(json.dumps(main(datetime.date.fromisoformat(sys.argv[1]), Path(sys.argv[2]), *sys.argv[3:])))
