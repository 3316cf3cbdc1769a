"""
Where members live.

Source:
    Population by prefecture, 2020 Population Census of Japan, Statistics Bureau of
    Japan, final counts published 2021-11-30; the total is 126,146,099. Prefecture codes
    are JIS X 0401. Municipality ranges follow JIS X 0402's numbering (wards 101 up,
    cities 201 up) without claiming that each number in a range is in use. Read 2026-11-23.
"""

import csv
import functools
from dataclasses import dataclass
from importlib import resources

import numpy as np
import pyarrow as pa

from sudare.demo.columns import pick
from sudare.demo.draws import Draws


@dataclass(frozen=True, kw_only=True)
class Prefecture:
    """One prefecture."""

    code: str
    name: str
    population: int
    municipalities: tuple[str, ...]
    """JIS X 0402 codes, five digits."""
    postal: tuple[int, int]
    """First and last of the three-digit postal areas."""


@functools.cache
def prefectures() -> tuple[Prefecture, ...]:
    """All 47, in the order of their codes."""
    text = resources.files("sudare.demo").joinpath("prefectures.csv").read_text(encoding="utf-8")
    return tuple(_prefecture(row) for row in csv.DictReader(text.splitlines()))


def _prefecture(row: dict[str, str]) -> Prefecture:
    spans = [tuple(map(int, span.split("-"))) for span in row["municipalities"].split()]
    first, last = map(int, row["postal"].split("-"))
    return Prefecture(
        code=row["code"],
        name=row["name"],
        population=int(row["population"]),
        municipalities=tuple(f"{row['code']}{n}" for start, end in spans for n in range(start, end + 1)),
        postal=(first, last),
    )


@dataclass(frozen=True, kw_only=True)
class Homes:
    """The address columns of some members."""

    prefecture_code: pa.Array
    municipality_code: pa.Array
    postal_code: pa.Array
    address_line: pa.Array


def homes(draws: Draws, ids: np.ndarray, move: str = "") -> Homes:
    """Where each member lives; ``move`` names a later home."""
    index = draws.weighted(f"prefecture{move}", ids, [p.population for p in prefectures()])
    silent = draws.chance(f"no prefecture{move}", ids, 80)
    area = _postal_area(draws, ids, index, move)
    return Homes(
        prefecture_code=pick([p.code for p in prefectures()], index).filter(pa.array(np.ones(len(ids), bool)))
        if not silent.any()
        else _blanked(pick([p.code for p in prefectures()], index), silent),
        municipality_code=_blanked(
            _municipality(draws, ids, index, move), silent | draws.chance(f"no municipality{move}", ids, 90)
        ),
        postal_code=_blanked(_postal(draws, ids, area, move), draws.chance(f"no postal{move}", ids, 250)),
        address_line=_blanked(address_line(draws, ids, move), draws.chance(f"no address{move}", ids, 400)),
    )


def _blanked(column: pa.Array, missing: np.ndarray) -> pa.Array:
    return pa.compute.if_else(pa.array(missing), pa.scalar(None, pa.string()), column)
