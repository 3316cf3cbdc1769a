"""
Feeds at size: permitted addresses to a three-digest LiveRamp file, beside the route that everybody writes first.

    python -m bench.feeds --members 5000000 --rival 500000

Each side runs in a process of its own: addresses are made shard by shard, as a shard is read, and are counted to
neither. The rival is `Series.apply` over `hashlib`, `to_csv` and gzip, whole in memory; it is run on fewer rows and
compared per row.
"""

import argparse
import datetime
import hashlib
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

SHARD = 250_000


def addresses(rows: int) -> Iterator[list[str]]:
    """As people type them: some in capitals, some full-width, some with spaces."""
    forms = ("{}", "{}", "{}", "{} ", "　{}")
    for start in range(0, rows, SHARD):
        numbers = range(start, min(rows, start + SHARD))
        typed = (forms[n % 5].format(f"Hanako.{n:07d}@example{n % 97}.ne.jp") for n in numbers)
        yield [one.replace("@", "＠") if n % 41 == 0 else one for n, one in zip(numbers, typed, strict=True)]


def ours(rows: int, place: Path) -> dict:
    import polars as pl

    from delivery import feeds
    from delivery.buckets import Buckets, how_many
    from delivery.consent import Permitted
    from delivery.destinations.liveramp import DESTINATION
    from delivery.match_keys import normalise

    watch = Watch()
    spilled = Buckets(place / "parts", how_many(rows))
    for number, typed in enumerate(addresses(rows)):
        frame = pl.DataFrame({"email": typed})
        with watch:
            keys = frame.select(normalise(pl.col("email"), DESTINATION.email).alias("key"))
            permitted = object.__new__(Permitted)
            object.__setattr__(permitted, "destination", DESTINATION.name)
            member = pl.int_range(number * SHARD, number * SHARD + keys.height).cast(pl.String).cast(pl.Binary)
            when = pl.lit(0).cast(pl.Datetime("us", "UTC")).alias("consented_at")
            people = keys.select(member.alias("member"), "key", when, pl.lit("v").alias("text_version"))
            object.__setattr__(permitted, "rows", people)
            spilled.add(feeds.encode(DESTINATION, permitted))
    with watch:
        told = feeds._write(DESTINATION, datetime.date(2026, 10, 31), spilled, place)
    return {"rows": told["rows"], **watch.read(), "bytes": (place / told["file"]["file"]).stat().st_size}


def naive(rows: int, place: Path) -> dict:
    import pandas as pd

    watch = Watch()
    frame = pd.DataFrame({"email": [one for typed in addresses(rows) for one in typed]})
    with watch:
        frame["key"] = frame["email"].apply(lambda one: one.replace("＠", "@").strip().lower())
        for name in ("sha256", "sha1", "md5"):
            frame[name] = frame["key"].apply(lambda one, name=name: hashlib.new(name, one.encode()).hexdigest())
        out = frame[["sha256", "sha1", "md5"]].sort_values("sha256")
        out.to_csv(place / "naive.csv.gz", index=False, quoting=1)
    return {"rows": len(out), **watch.read(), "bytes": (place / "naive.csv.gz").stat().st_size}


class Watch:
    """Wall and CPU of the blocks it is entered for."""

    def __init__(self) -> None:
        self.wall = self.cpu = 0.0

    def __enter__(self) -> None:
        self._wall, self._cpu = time.perf_counter(), time.process_time()

    def __exit__(self, *_: object) -> None:
        self.wall += time.perf_counter() - self._wall
        self.cpu += time.process_time() - self._cpu

    def read(self) -> dict:
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        return {"wall_s": round(self.wall, 1), "cpu_s": round(self.cpu, 1), "peak_mib": round(peak)}


def run(side: str, rows: int) -> dict:
    done = subprocess.run(
        [sys.executable, "-m", "bench.feeds", "--side", side, "--members", str(rows)],
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(done.stdout)


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--members", type=int, default=1_000_000)
    options.add_argument("--rival", type=int, default=500_000, help="rows of the rival")
    options.add_argument("--side", choices=("ours", "naive"), help=argparse.SUPPRESS)
    given = options.parse_args()
    if given.side:
        with tempfile.TemporaryDirectory() as place:
            print(json.dumps({"ours": ours, "naive": naive}[given.side](given.members, Path(place))))
        return
    told = [(rows, run("ours", rows)) for rows in (given.members // 5, given.members)]
    rival = run("naive", given.rival)
    for rows, one in told:
        print(f"ours   {rows:>9,} rows: {one}")
    print(f"naive  {given.rival:>9,} rows: {rival}")
    largest = told[-1][1]
    for what in ("cpu_s", "wall_s"):
        ratio = (rival[what] / rival["rows"]) / (largest[what] / largest["rows"])
        print(f"per row, {what}: {ratio:.1f} times the naive route")


if __name__ == "__main__":
    main()
