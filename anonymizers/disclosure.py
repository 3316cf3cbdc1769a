"""
Disclosure control: the only place where true counts become releasable numbers.

`Release` is one of the two types that may leave the house. It is made here and nowhere
else, and it holds no true count of a suppressed cell.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import pandas as pd

from anonymizers.controls import DisclosureControl
from anonymizers.errors import DisclosureRefused

TRUE_COUNTS = ("members", "contributions")
"""Columns of a true cell beside its dimensions: distinct members, and the sum of what they contributed."""


@dataclass(frozen=True, init=False)
class Release:
    """
    A statistical table that may be published. Only `disclose` makes one.

    Attributes:
        table: Its name.
        frame: Shape (cells, dimensions + measures). A measure is missing where its cell is suppressed.
        suppressed_cells: How many cells are suppressed.
        threshold: In distinct members.
    """

    table: str
    frame: pd.DataFrame
    suppressed_cells: int
    threshold: int

    def __init__(self) -> None:
        raise TypeError("a Release is made by anonymizers.disclosure.disclose only")


def disclose(
    table: str,
    cells: pd.DataFrame,
    dimensions: tuple[str, ...],
    measures: Mapping[str, Callable[[pd.DataFrame], pd.Series]],
    control: DisclosureControl,
) -> Release:
    """
    Suppress every cell with fewer distinct members than the threshold, and compute the measures of the rest.

    Args:
        table: Name, for the release and the messages.

        cells:
            True cells, shape (cells, dimensions + 2): the dimensions, then whole numbers
            ``members`` (distinct persons) and ``contributions``.

        dimensions: The columns that identify a cell.

        measures:
            Published column to a function of the *surviving* cells, in whose frame the
            suppressed ones have missing counts. It cannot see what was suppressed.

        control: Threshold in distinct members.

    Returns:
        All cells in the order of their dimensions, suppressed ones included with missing
        measures. A suppressed cell's true count is nowhere in it.

    Raises:
        DisclosureRefused: a count is missing, negative, not whole; a cell appears twice; columns differ.

    Source:
        Hundepool et al., Statistical Disclosure Control (2012), on primary suppression by threshold.
    """
    _require_counts(table, cells, dimensions)
    ordered = cells.sort_values(list(dimensions), ignore_index=True)
    small = ordered["members"] < control.threshold
    # Overwritten first: a masked array keeps the number under its mask, and so would whatever pickles it.
    zeroed = ordered.assign(**{name: ordered[name].where(~small, 0) for name in TRUE_COUNTS})
    surviving = zeroed.astype(dict.fromkeys(TRUE_COUNTS, "Int64"))
    surviving.loc[small, list(TRUE_COUNTS)] = pd.NA
    frame = surviving[list(dimensions)].copy()
    for name, measure in measures.items():
        frame[name] = measure(surviving)
    release = object.__new__(Release)
    for name, value in (
        ("table", table),
        ("frame", frame),
        ("suppressed_cells", int(small.sum())),
        ("threshold", control.threshold),
    ):
        object.__setattr__(release, name, value)
    return release


def _require_counts(table: str, cells: pd.DataFrame, dimensions: tuple[str, ...]) -> None:
    if list(cells.columns) != [*dimensions, *TRUE_COUNTS]:
        raise DisclosureRefused(f"{table}: cells have other columns than the table's dimensions and counts")
    for name in TRUE_COUNTS:
        counts = cells[name]
        if not pd.api.types.is_integer_dtype(counts) or counts.isna().any() or (counts < 0).any():
            raise DisclosureRefused(f"{table}.{name}: a true count is missing, negative or not whole")
    if cells[list(dimensions)].isna().any(axis=None):
        raise DisclosureRefused(f"{table}: a dimension is missing; a missing value is the code 'unknown'")
    if cells.duplicated(list(dimensions)).any():
        raise DisclosureRefused(f"{table}: a cell appears twice; the shards were not merged")
