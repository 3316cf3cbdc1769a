"""
True cells: what is counted before anything is protected, in a type of its own.

They add up: over the shards of members, and over the cells of a margin. They are staged between two steps of a
night and never leave it; a `Release` is made from them in `anonymizers.disclosure`.
"""

import functools
import itertools
from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa

from anonymizers import changes
from anonymizers.bands import TOTAL

COUNTS = ("members", "contributions", "largest", "second", "cell_key")
LISTS = ("power_sums", "histogram")


@dataclass(frozen=True)
class Cells:
    """
    The true cells of one table.

    Attributes:
        codes: Shape (cells, dimensions), text; no two rows alike.
        members: Distinct members, shape (cells,), int64, like all counts.
        contributions: The sum of their capped contributions.
        largest, second: The two largest contributions of single members; 0 where there are none.
        cell_key: The sum of the members' record keys modulo 2³².
        power_sums: Shape (cells, 58), of the settled members and of all of them; see `anonymizers.changes`.
        histogram: Shape (cells, bins), members by the bin of their contribution; no bins for most tables.
    """

    codes: pd.DataFrame
    members: np.ndarray
    contributions: np.ndarray
    largest: np.ndarray
    second: np.ndarray
    cell_key: np.ndarray
    power_sums: np.ndarray
    histogram: np.ndarray

    @property
    def dimensions(self) -> list[str]:
        return list(self.codes.columns)

    def __len__(self) -> int:
        return len(self.codes)

    def take(self, positions: np.ndarray) -> "Cells":
        """The cells at these positions; -1 is a cell of nobody, whose codes are missing."""
        nobody = positions < 0
        parts = {}
        for part in fields(self)[1:]:
            values = getattr(self, part.name)
            taken = values[positions] if len(values) else np.zeros((len(positions), *values.shape[1:]), np.int64)
            taken[nobody] = 0
            parts[part.name] = taken
        codes = self.codes.reindex(np.where(nobody, -1, positions)).reset_index(drop=True)
        return Cells(codes, **parts)

    def to_arrow(self) -> pa.Table:
        """For staging."""
        columns = {name: pa.array(self.codes[name], pa.string()) for name in self.dimensions}
        columns |= {name: pa.array(getattr(self, name), pa.int64()) for name in COUNTS}
        # A list of no bins is none: Arrow has no lists of length 0.
        lists = {name: getattr(self, name) for name in LISTS if getattr(self, name).shape[1]}
        return pa.table({**columns, **{name: _lists(values) for name, values in lists.items()}})

    @classmethod
    def from_arrow(cls, table: pa.Table) -> "Cells":
        """What `to_arrow` made."""
        lists = {name: _array(table, name) for name in LISTS}
        codes = table.select([name for name in table.column_names if name not in (*COUNTS, *LISTS)])
        return cls(codes.to_pandas().astype(object), **{name: table[name].to_numpy() for name in COUNTS}, **lists)


def _lists(values: np.ndarray) -> pa.Array:
    return pa.FixedSizeListArray.from_arrays(
        pa.array(values.ravel(), pa.int64()), type=pa.list_(pa.int64(), values.shape[1])
    )


def _array(table: pa.Table, name: str) -> np.ndarray:
    if name not in table.column_names:
        return np.zeros((len(table), 0), np.int64)
    flat = table[name].combine_chunks().flatten()
    return flat.to_numpy(zero_copy_only=False).reshape(len(table), table.schema.field(name).type.list_size)


def count(rows: pl.DataFrame, dimensions: Sequence[str], bins: Sequence[int] = ()) -> Cells:
    """
    Count members into cells.

    Args:
        rows:
            One row per cell and member: the dimensions, ``record_key``, ``point``, ``settled`` and
            ``contribution``, whole and not negative.

        dimensions: The columns that make a cell.

        bins: The lower bounds of the histogram's bins, the first of them 0.

    Returns:
        The cells that occur, in the order of their codes.
    """
    labels, codes = zip(*(_coded(rows[name]) for name in dimensions), strict=True)
    # One number for a combination of codes, in the order of the combinations.
    number = functools.reduce(lambda n, c: n * c[0] + c[1], zip(map(len, labels), codes, strict=True), np.int64(0))
    order = np.argsort(number)
    starts = np.flatnonzero(np.diff(number[order], prepend=-1))
    cell = np.repeat(np.arange(len(starts)), np.diff(starts, append=rows.height))
    amount = rows["contribution"].cast(pl.Int64).to_numpy()[order]
    keys = rows["record_key"].cast(pl.Int64).to_numpy()[order]
    largest, second = _two_largest(amount, np.zeros_like(amount), starts)
    return Cells(
        pd.DataFrame({n: a[c[order[starts]]] for n, a, c in zip(dimensions, labels, codes, strict=True)}, dtype=object),
        np.diff(starts, append=rows.height),
        _totals(amount, starts),
        largest,
        second,
        _totals(keys, starts) % (1 << 32),
        _power_sums(rows["point"].to_numpy()[order], rows["settled"].to_numpy()[order], cell, len(starts)),
        _histogram(amount, cell, len(starts), bins),
    )


def coded(values: pl.Series) -> pl.Series:
    """The same values, as numbers in their order with a list of what they stand for: counted faster, the same cells."""
    return values.cast(pl.Enum(values.unique().drop_nulls().sort()))


def _coded(values: pl.Series) -> tuple[np.ndarray, np.ndarray]:
    """The distinct values in order, a missing one first, and which of them each row has."""
    if isinstance(values.dtype, pl.Enum) and not values.null_count():
        return values.dtype.categories.to_numpy().astype(object), values.to_physical().cast(pl.Int64).to_numpy()
    distinct = values.unique().sort()
    numbered = distinct.to_frame("value").with_row_index("number")
    codes = values.to_frame("value").join(numbered, on="value", how="left", nulls_equal=True, maintain_order="left")
    return np.array(distinct.to_list(), object), codes["number"].cast(pl.Int64).to_numpy()


def _totals(values: np.ndarray, starts: np.ndarray) -> np.ndarray:
    return np.add.reduceat(values, starts) if len(starts) else values


def _power_sums(points: np.ndarray, settled: np.ndarray, cell: np.ndarray, cells: int) -> np.ndarray:
    """Of the settled members of each cell, and of all of them."""
    sums = changes.power_sums(points, 2 * cell + settled, 2 * cells)
    return np.hstack([sums[1::2], (sums[::2] + sums[1::2]) % changes.FIELD])


def _histogram(amount: np.ndarray, cell: np.ndarray, cells: int, bins: Sequence[int]) -> np.ndarray:
    if not bins:
        return np.zeros((cells, 0), np.int64)
    within = np.searchsorted(bins, amount, side="right") - 1
    return np.bincount(cell * len(bins) + within, minlength=cells * len(bins)).reshape(cells, len(bins))


def add_up(parts: Sequence[Cells]) -> Cells:
    """
    Add up cells of the same codes: of shards, or of the members that a margin has together.

    No member may be in two of them.
    """
    codes = pd.concat([part.codes for part in parts], ignore_index=True)
    groups = codes.groupby(list(codes.columns), sort=True, observed=True, dropna=False)
    number, cells = groups.ngroup().to_numpy(), groups.ngroups
    whole = {f.name: np.concatenate([getattr(part, f.name) for part in parts]) for f in fields(Cells)[1:]}
    order = np.argsort(number, kind="stable")
    starts = np.flatnonzero(np.diff(number[order], prepend=-1))

    def total(name: str) -> np.ndarray:
        return np.add.reduceat(whole[name][order], starts, axis=0) if cells else whole[name]

    largest, second = _two_largest(whole["largest"][order], whole["second"][order], starts)
    return Cells(
        codes.iloc[order[starts]].reset_index(drop=True),
        total("members"),
        total("contributions"),
        largest,
        second,
        total("cell_key") % (1 << 32),
        total("power_sums") % changes.FIELD,
        total("histogram"),
    )


def _two_largest(largest: np.ndarray, second: np.ndarray, starts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    if not len(starts):
        return largest, second
    most = np.maximum.reduceat(largest, starts)
    sizes = np.diff(np.append(starts, len(largest)))
    is_most = largest == np.repeat(most, sizes)
    # Of several equal largest ones all but one are second.
    ties = np.add.reduceat(is_most.astype(np.int64), starts) > 1
    below = np.maximum.reduceat(np.where(is_most, second, largest), starts)
    return most, np.where(ties, most, below)


def with_margins(cells: Cells, over: Sequence[str]) -> Cells:
    """
    The cells and every margin: all combinations of the dimensions ``over`` summed away, under the code `TOTAL`.

    Right only where every member is in one cell.
    """
    return concatenate(list(margins(cells, over).values()))


def margins(cells: Cells, over: Sequence[str]) -> dict[tuple[str, ...], Cells]:
    """As `with_margins`, by what is summed away."""
    parts = {(): cells}
    for summed in subsets(over)[1:]:
        # From a margin that has one dimension less summed away: there are fewer cells to go through.
        finer = parts[summed[:-1]]
        codes = finer.codes.assign(**{summed[-1]: TOTAL}).astype(object)
        parts[summed] = add_up([Cells(codes, *(getattr(finer, f.name) for f in fields(finer)[1:]))])
    return parts


def subsets(names: Sequence[str]) -> list[tuple[str, ...]]:
    """All subsets, the empty one first."""
    return list(itertools.chain.from_iterable(itertools.combinations(names, n) for n in range(len(names) + 1)))


def concatenate(parts: Sequence[Cells]) -> Cells:
    """Cells of different codes, one after the other."""
    codes = pd.concat([part.codes for part in parts], ignore_index=True)
    return Cells(codes, *(np.concatenate([getattr(part, f.name) for part in parts]) for f in fields(Cells)[1:]))
