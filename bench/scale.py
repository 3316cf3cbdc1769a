"""
How the statistics scale: 5,000,000 members by prefecture, age, youngest child and month, with every margin.

`python -m bench.scale` runs two nights of one table in memory, in shards as a night does, and writes both to an
embedded PostgreSQL: seconds of each step.
"""

import argparse
import dataclasses
import datetime
import time

import numpy as np
import polars as pl

from anonymizers.cells import add_up
from anonymizers.controls import DisclosureControl
from anonymizers.disclosure import Published, cell_names
from anonymizers.keys import Key, Secret
from anonymizers.record_keys import record_keys
from attacks.history import carried_on
from delivery.settings import MEMBERS_PER_SHARD
from transforms.dimensions import AGE_BAND, PREFECTURE, YOUNGEST_CHILD_BAND
from transforms.release import disclosed, release
from transforms.spec import Dimension, Table
from transforms.tables import catalogue
from transforms.tabulation import tabulate

MONTHS = tuple(f"{2016 + n // 12}-{n % 12 + 1:02d}" for n in range(120))
DAYS = (datetime.date(2026, 10, 30), datetime.date(2026, 10, 31))
KEY = Secret("of the benchmark, and of nobody else").derive("statistics/1")


def table() -> Table:
    """The members' table with the month as a fourth dimension."""
    month = Dimension(name="month", title="month", title_ja="月", codes=MONTHS)
    dimensions = (PREFECTURE, AGE_BAND, YOUNGEST_CHILD_BAND, month)
    return dataclasses.replace(catalogue()["members_by_prefecture"], name="scale", dimensions=dimensions)


def people(members: int, joined: int, key: Key) -> pl.DataFrame:
    """Staged members, skewed as sites are; the last ``joined`` of them are new, and one in 500 has moved."""
    draw = np.random.default_rng(1)

    def codes(values: tuple[str, ...]) -> np.ndarray:
        weights = draw.permutation(1 / np.arange(1, len(values) + 1) ** 0.8)
        return draw.choice(len(values), members + joined, p=weights / weights.sum())

    columns = {d.name: (codes(d.codes), d.codes) for d in table().dimensions}
    frame = pl.DataFrame({"member_id": np.arange(members + joined)}).with_columns(
        pl.Series(name, numbers).replace_strict(dict(enumerate(values)), return_dtype=pl.String)
        for name, (numbers, values) in columns.items()
    )
    return frame.with_columns(*record_keys("member_id", key), pl.lit(True).alias("settled"))


def moved(frame: pl.DataFrame) -> pl.DataFrame:
    """One in 500 is in another month: a cell lost and a cell gained."""
    other = pl.col("month").shift(1).fill_null(MONTHS[0])
    return frame.with_columns(pl.when(pl.col("member_id") % 500 == 0).then(other).otherwise("month").alias("month"))


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.scale", description=__doc__)
    parser.add_argument("--members", type=int, default=5_000_000)
    parser.add_argument("--shard", type=int, default=MEMBERS_PER_SHARD)
    options = parser.parse_args()
    spec, joined = table(), options.members // 1000
    with step("record keys, and the members as staged"):
        everybody = people(options.members, joined, KEY)
    published = Published.nothing([m.name for m in disclosed(spec)])
    for night, day in enumerate(DAYS):
        there = moved(everybody) if night else everybody.head(options.members)
        with step(f"night {night + 1}: tabulate, {-(-len(there) // options.shard)} shards"):
            shards = [tabulate(spec, part, there.head(0), day) for part in there.iter_slices(options.shard)]
        with step(f"night {night + 1}: merge"):
            cells = add_up(shards)
        with step(f"night {night + 1}: perturbation and quorum"):
            told = release(spec, cells, published, day, [], DisclosureControl(), KEY)
        counts = len(cells), len(told.release.frame), told.release.changed_cells
        print("  {:,} cells with members, {:,} in all, {:,} changed".format(*counts))
        names = cell_names(told.release.frame[[d.name for d in spec.dimensions]])
        published = carried_on(published, told, names)
        write(spec, day, told)


def write(spec: Table, day: datetime.date, told) -> None:
    """Into a warehouse that is thrown away."""
    import tempfile
    from pathlib import Path

    from delivery.publication import typed
    from delivery.warehouse import Warehouse
    from sudare import postgres
    from transforms.release import published_frame

    if not _WAREHOUSE:
        place = tempfile.TemporaryDirectory()
        _WAREHOUSE.append((Warehouse(postgres.start(Path(place.name)).urls["warehouse"]), place))
    warehouse = _WAREHOUSE[0][0]
    with step("  state update by COPY, one transaction"), warehouse.transaction() as transaction:
        transaction.write(spec, day, 1, typed(spec, published_frame(spec, told.release)))
        transaction.keep_references(spec, 1, told.names, told.references)
    with step("  state read for the next night"):
        warehouse.published(spec, 1, {})


_WAREHOUSE: list = []


class step:
    """Print the seconds of a block."""

    def __init__(self, what: str) -> None:
        self.what = what

    def __enter__(self) -> None:
        self.started = time.time(), time.process_time()

    def __exit__(self, *_: object) -> None:
        wall, cpu = time.time() - self.started[0], time.process_time() - self.started[1]
        print(f"{self.what.ljust(50)} {wall:7.2f} s wall {cpu:7.2f} s CPU", flush=True)


if __name__ == "__main__":
    main()
