"""Members that a test makes up, counted row by row and without the pipeline's own code; and cells of them."""

import dataclasses
import functools
import hashlib
import hmac
from collections.abc import Collection, Iterable, Mapping

import pandas as pd
import polars as pl

from anonymizers import cells as true
from anonymizers.cells import Cells
from anonymizers.keys import Key, Secret

SECRET = Secret("a secret of more than thirty-two bytes")
KEY = SECRET.derive("statistics/1")

PRIME = 2_147_483_647
"""2³¹-1, the eighth Mersenne prime."""

ROWS = {"record_key": pl.UInt32, "point": pl.UInt32, "settled": pl.Boolean, "contribution": pl.Int64}
"""What a row that is counted has beside its dimensions."""


@functools.cache
def record_key_and_point(member: object, key: Key = KEY) -> tuple[int, int]:
    """From the standard library alone; the key is the hexadecimal text of the derived bytes."""
    digest = hmac.new(key.bytes.hex().encode(), f"member:{member}".encode(), hashlib.sha256).digest()
    return int.from_bytes(digest[:4], "big"), int.from_bytes(digest[4:8], "big") % (PRIME - 1) + 1


def points(members: Iterable[object], key: Key = KEY) -> list[int]:
    return [record_key_and_point(member, key)[1] for member in members]


def power_sums(points: Iterable[int]) -> list[int]:
    """As the definition says: S_k for k from 1 to 29, in the field."""
    points = list(points)
    return [sum(pow(point, k, PRIME) for point in points) % PRIME for k in range(1, 30)]


def row(member: object, contribution: int = 1, settled: bool = True, key: Key = KEY, **codes: str) -> dict:
    """A row of one member in one cell."""
    number, point = record_key_and_point(member, key)
    return {**codes, "record_key": number, "point": point, "settled": settled, "contribution": contribution}


def frame(rows: list[dict], dimensions: Collection[str]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema={**dict.fromkeys(dimensions, pl.String), **ROWS})


def slow(rows: list[dict], dimensions: Collection[str], bins: Collection[int] = ()) -> dict[tuple, tuple]:
    """Every cell's codes to its true numbers, counted row by row."""
    members: dict[tuple, list[dict]] = {}
    for one in rows:
        members.setdefault(tuple(one[name] for name in dimensions), []).append(one)
    return {codes: _numbers(those, list(bins)) for codes, those in members.items()}


def _numbers(members: list[dict], bins: list[int]) -> tuple:
    amounts = sorted(one["contribution"] for one in members)
    of_bin = [sum(bin_ <= amount for bin_ in bins) - 1 for amount in amounts]
    return (
        len(members),
        sum(amounts),
        amounts[-1],
        amounts[-2] if len(amounts) > 1 else 0,
        sum(one["record_key"] for one in members) % 2**32,
        [*power_sums(one["point"] for one in members if one["settled"]), *power_sums(one["point"] for one in members)],
        [of_bin.count(n) for n in range(len(bins))],
    )


def numbers(cells: Cells) -> dict[tuple, tuple]:
    """The same of cells, so that they can be compared; no two may have the same codes."""
    arrays = (cells.members, cells.contributions, cells.largest, cells.second, cells.cell_key)
    rows = zip(*(array.tolist() for array in (*arrays, cells.power_sums, cells.histogram)), strict=True)
    found = dict(zip(cells.codes.itertuples(index=False, name=None), rows, strict=True))
    assert len(found) == len(cells)
    return found


def cells_of(
    who: Mapping[str, Iterable[object]],
    amounts: Mapping[object, int] | None = None,
    unsettled: Collection[object] = (),
    bins: Collection[int] = (),
    key: Key = KEY,
) -> Cells:
    """Cells of one dimension ``a``, in the order given, those of nobody included; everybody has written once."""
    amounts = amounts or {}
    rows = [
        row(member, amounts.get(member, 1), member not in unsettled, key, a=code)
        for code, members in who.items()
        for member in members
    ]
    counted = true.count(frame(rows, ["a"]), ["a"], list(bins))
    taken = counted.take(pd.Index(counted.codes["a"]).get_indexer(list(who)))
    return dataclasses.replace(taken, codes=pd.DataFrame({"a": list(who)}, dtype=object))
