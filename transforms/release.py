"""
From a table's true cells to its `Release`: the domain of the table, and its measures.

The published table has one row for every combination of codes and margins, so that a cell nobody is in and a cell
of a few look alike.
"""

import datetime

import numpy as np
import pandas as pd

from anonymizers import disclosure
from anonymizers.bands import EARLIER, FIRST_MONTH, SENSITIVE_BOARDS, TOTAL, UNKNOWN
from anonymizers.cells import Cells
from anonymizers.controls import DisclosureControl
from anonymizers.disclosure import Disclosure, Published, Release, Statistic, disclose
from anonymizers.errors import DisclosureRefused
from anonymizers.keys import Key
from transforms.spec import WINDOW_DAYS, Dimension, Measure, MeasureKind, Table

_STATISTICS = {
    MeasureKind.MEMBERS: Statistic.MEMBERS,
    MeasureKind.CONTRIBUTIONS: Statistic.CONTRIBUTIONS,
    MeasureKind.MEAN: Statistic.MEAN,
    MeasureKind.QUANTILE: Statistic.QUANTILE,
}


def disclosed(table: Table) -> list[disclosure.Measure]:
    """The measures that are made from true cells; shares are made from published numbers."""
    return [
        disclosure.Measure(m.name, _STATISTICS[m.kind], m.quantile) for m in table.measures if m.kind in _STATISTICS
    ]


def release(
    table: Table,
    cells: Cells,
    published: Published,
    day: datetime.date,
    boards: list[str],
    control: DisclosureControl,
    key: Key,
) -> Disclosure:
    """
    Disclose one table.

    Args:
        table: Its declaration.

        cells: Its true cells with their margins, merged over all shards.

        published: What was last published of it before this night.

        day: The night's day.

        boards: The titles of the boards that may be named.

        control: The night's control; the table's own may be stricter.

        key: Of the statistics' epoch.

    Raises:
        DisclosureRefused: a cell lies outside the table's domain, or its counts are no counts.
    """
    control = table.control.at_least(control.threshold)
    on_domain = _on_domain(table, cells, published, day, boards, control)
    return _disclose(table, on_domain, published, control, key, day)


def repeat(table: Table, published: Published, day: datetime.date, control: DisclosureControl, key: Key) -> Disclosure:
    """A table of which nothing new is counted, such as a closed week, as it was published: nothing in it changes."""
    names = [d.name for d in table.dimensions]
    codes = published.names.str.split(disclosure.SEPARATOR, expand=True).astype(object)
    codes.columns = names
    nobody = np.zeros(len(codes), np.int64)
    cells = Cells(codes, *(nobody,) * 5, published.power_sums, np.zeros((len(codes), len(table.bins)), np.int64))
    return _disclose(table, cells, published, table.control.at_least(control.threshold), key, day)


def _disclose(
    table: Table, cells: Cells, published: Published, control: DisclosureControl, key: Key, day: datetime.date
) -> Disclosure:
    return disclose(
        table.name,
        cells,
        published,
        disclosed(table),
        control,
        key,
        day.isoformat(),
        table.bins,
        listed=(cells.codes["term"] == TOTAL).to_numpy() if table.is_open else None,
        population=table.over if table.over == "members" else table.name,
    )


def week_before(day: datetime.date) -> datetime.date:
    """The Monday of the last ISO week that is over when ``day`` is."""
    return day - datetime.timedelta(days=(day.weekday() + 1) % 7 + 6)


def week_code(monday: datetime.date) -> str:
    """As ISO 8601 writes a week, '2026-W43'."""
    return f"{monday:%G-W%V}"


def periods(table: Table, day: datetime.date) -> dict[str, list]:
    """The closed stretches of time that a night publishes, by dimension; the warehouse keeps all others as they are."""
    days = [day - datetime.timedelta(days=n) for n in range(WINDOW_DAYS)]
    wanted = {"day": days, "week": [week_code(week_before(day))]}
    return {d.name: wanted[d.name] for d in table.dimensions if d.is_period}


def _on_domain(
    table: Table, cells: Cells, published: Published, day: datetime.date, boards: list[str], control: DisclosureControl
) -> Cells:
    """The cells in the order of the table's domain, those of nobody among them."""
    if cells.codes.duplicated().any():
        raise DisclosureRefused(f"{table.name}: a cell appears twice; the shards were not merged")
    domains = [_domain(d, cells, day, boards, control) for d in table.dimensions]
    for dimension, domain in zip(table.dimensions, domains, strict=True):
        outside = int((~cells.codes[dimension.name].isin(domain)).sum())
        if outside and not dimension.is_open:
            raise DisclosureRefused(f"{table.name}.{dimension.name}: {outside} cells have a value outside its domain")
    grid = pd.MultiIndex.from_product(domains, names=[d.name for d in table.dimensions])
    if table.is_open:
        grid = grid[_has_row(grid, cells, control)]
    if not all(d.codes for d in table.dimensions):
        grid = grid.append(_published_before(table, grid, published))
    taken = cells.take(np.asarray(pd.MultiIndex.from_frame(cells.codes).get_indexer(grid)))
    return Cells(
        grid.to_frame(index=False).astype(object),
        *(getattr(taken, f) for f in Cells.__dataclass_fields__ if f != "codes"),
    )


def _has_row(grid: pd.MultiIndex, cells: Cells, control: DisclosureControl) -> np.ndarray:
    """Of an open table: margins over all that it leaves open, and cells that may get a number."""
    large = pd.MultiIndex.from_frame(cells.codes[cells.members >= control.threshold])
    return grid.isin(large) | (grid.get_level_values("term") == TOTAL)


def _published_before(table: Table, grid: pd.MultiIndex, published: Published) -> pd.MultiIndex:
    """Cells that are no longer in the domain, such as of a board that was renamed: what was told of them stays."""
    told = [tuple(name.split(disclosure.SEPARATOR)) for name in published.names]
    index = pd.MultiIndex.from_tuples(told, names=grid.names) if told else grid[:0]
    for period in (d.name for d in table.dimensions if d.is_period):
        index = index[index.get_level_values(period).isin(grid.unique(period))]
    return index[~index.isin(grid)].sort_values()


def _domain(
    dimension: Dimension, cells: Cells, day: datetime.date, boards: list[str], control: DisclosureControl
) -> list[str]:
    if dimension.codes:
        return list(dimension.published_codes)
    match dimension.name:
        case "board":
            return list(dict.fromkeys([*boards, SENSITIVE_BOARDS, TOTAL]))
        case "day":
            return [(day - datetime.timedelta(days=n)).isoformat() for n in range(WINDOW_DAYS)]
        case "week":
            return [week_code(week_before(day))]
        case "registered_month":
            months = pd.period_range(FIRST_MONTH, f"{day:%Y-%m}", freq="M")
            return [EARLIER, *(str(month) for month in months), UNKNOWN, TOTAL]
        case "term":
            return sorted({*cells.codes.loc[cells.members >= control.threshold, "term"], TOTAL})
    raise DisclosureRefused(f"{dimension.name}: nobody says what its values are")


def published_frame(table: Table, released: Release) -> pd.DataFrame:
    """
    The release as an analyst reads it.

    Returns:
        Shape (cells, table.columns): the dimensions, each with its Japanese label where it has one, the measures, and
        ``as_of``.
    """
    frame = released.frame
    if table.is_open:
        # In an order of its own: a closed week comes back from the warehouse in that of its collation.
        frame = frame.sort_values([d.name for d in table.dimensions], ignore_index=True)
    labels = {f"{d.name}_ja": frame[d.name].map(dict(d.published_labels)) for d in table.dimensions if d.labels}
    shares = {m.name: _share(table, m, frame) for m in table.measures if m.kind is MeasureKind.SHARE}
    return frame.assign(**labels, **shares)[list(table.columns)]


def _share(table: Table, measure: Measure, frame: pd.DataFrame) -> pd.Series:
    """From published numbers only: the cell's in its group's, whichever nights they are of."""
    (members,) = (m.name for m in table.measures if m.kind is MeasureKind.MEMBERS)
    others = [d.name for d in table.dimensions if d.name not in measure.within]
    groups = frame[(frame[others] == TOTAL).all(axis=1)].set_index(list(measure.within))[members]
    key = (
        frame[measure.within[0]] if len(measure.within) == 1 else pd.MultiIndex.from_frame(frame[list(measure.within)])
    )
    whole = pd.Series(groups.reindex(key).to_numpy(), index=frame.index, dtype="Float64")
    share = 100 * frame[members].astype("Float64") / whole
    return share.clip(upper=100).round(1)
