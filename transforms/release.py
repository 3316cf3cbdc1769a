"""
From a table's true cells to its `Release`: the domain of the table, and its measures.

The published table has one row for every combination of codes, so that a cell nobody is
in and a cell of a few look alike.
"""

import datetime
import itertools

import pandas as pd
import pyarrow as pa

from anonymizers.bands import SENSITIVE_BOARDS, UNKNOWN
from anonymizers.controls import DisclosureControl
from anonymizers.disclosure import TRUE_COUNTS, Release, disclose
from anonymizers.errors import DisclosureRefused
from transforms.spec import Dimension, Measure, MeasureKind, Table


def release(
    table: Table, cells: pa.Table, day: datetime.date, boards: list[str], control: DisclosureControl
) -> Release:
    """
    Disclose one table.

    Args:
        table: Its declaration.

        cells: Its true cells, merged over all shards.

        day: The night's day.

        boards: The titles of the boards that may be named.

        control: The night's control; the table's own may be stricter.

    Raises:
        DisclosureRefused: a cell lies outside the table's domain, or its counts are no counts.
    """
    names = tuple(d.name for d in table.dimensions)
    control = table.control.at_least(control.threshold)
    frame = _on_domain(table, cells.to_pandas(), day, boards, control.threshold)
    return disclose(table.name, frame, names, {m.name: _measure(m) for m in table.measures}, control)


def _on_domain(
    table: Table, cells: pd.DataFrame, day: datetime.date, boards: list[str], threshold: int
) -> pd.DataFrame:
    names = [d.name for d in table.dimensions]
    if cells.duplicated(names).any():
        raise DisclosureRefused(f"{table.name}: a cell appears twice; the shards were not merged")
    if "registered_month" in names:
        cells = cells[~_before_the_first_month(cells, day, threshold)]
    domains = [_domain(d, cells[d.name], day, boards) for d in table.dimensions]
    for dimension, domain in zip(table.dimensions, domains, strict=True):
        if outside := int((~cells[dimension.name].isin(domain)).sum()):
            raise DisclosureRefused(f"{table.name}.{dimension.name}: {outside} cells have a value outside its domain")
    grid = pd.DataFrame(list(itertools.product(*domains)), columns=names)
    merged = grid.merge(cells, on=names, how="left", indicator="found")
    return merged.assign(**{name: _counts(merged, name) for name in TRUE_COUNTS}).drop(columns="found")


def _counts(merged: pd.DataFrame, name: str) -> pd.Series:
    """Zero where nobody is; anything else as it came, so that what is no count is refused and not mended."""
    counts = merged[name].mask(merged["found"] == "left_only", 0)
    whole = counts.notna().all() and (counts == counts.round()).all()
    return counts.astype("int64") if whole else counts


def _before_the_first_month(cells: pd.DataFrame, day: datetime.date, threshold: int) -> pd.Series:
    """
    Cells of months before the first one that is released at all.

    They are suppressed in any case. A row for the month of the oldest member would say when she came.
    """
    month, past = cells["registered_month"], cells["registered_month"] <= f"{day:%Y-%m}"
    large = month[(cells["members"] >= threshold) & (month != UNKNOWN) & past]
    return past & (month != UNKNOWN) & (month < large.min() if len(large) else True)


def _domain(dimension: Dimension, found: pd.Series, day: datetime.date, boards: list[str]) -> list[str]:
    if dimension.codes:
        return list(dimension.codes)
    if dimension.name == "board":
        return list(dict.fromkeys([*boards, SENSITIVE_BOARDS]))
    if dimension.name == "day":
        return [day.isoformat()]
    last = f"{day:%Y-%m}"
    months = sorted(month for month in set(found) - {UNKNOWN} if month <= last)
    return [str(m) for m in pd.period_range(months[0], last, freq="M")] + [UNKNOWN] if months else [UNKNOWN]


def _measure(measure: Measure):
    def members(cells: pd.DataFrame) -> pd.Series:
        return cells["members"]

    def contributions(cells: pd.DataFrame) -> pd.Series:
        return cells["contributions"]

    def mean(cells: pd.DataFrame) -> pd.Series:
        return (cells["contributions"].astype("Float64") / cells["members"]).round(2)

    def share(cells: pd.DataFrame) -> pd.Series:
        # One suppressed cell makes the whole group's shares missing: they would give it away.
        group = cells.groupby(list(measure.within))["members"].transform("sum", skipna=False).astype("Float64")
        return (100 * cells["members"] / group).round(1)

    kinds = {
        MeasureKind.MEMBERS: members,
        MeasureKind.CONTRIBUTIONS: contributions,
        MeasureKind.MEAN: mean,
        MeasureKind.SHARE: share,
    }
    return kinds[measure.kind]


def published_frame(table: Table, released: Release) -> pd.DataFrame:
    """
    The release as an analyst reads it.

    Returns:
        Shape (cells, table.columns): the dimensions, each with its Japanese label where it has one, and the measures.
    """
    labels = {f"{d.name}_ja": released.frame[d.name].map(dict(d.labels)) for d in table.dimensions if d.labels}
    return released.frame.assign(**labels)[list(table.columns)]
