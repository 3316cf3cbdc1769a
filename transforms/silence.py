"""
Slices that fell silent: a code that had a number of some size and has nearly nobody tonight.

People leave slowly. A prefecture, a board or a day without anybody is a source that broke, and published it would read
like a fact. A slice is a margin: one code of one dimension, all others summed away.
"""

import datetime

import pandas as pd

from anonymizers.bands import TOTAL
from anonymizers.cells import Cells
from anonymizers.disclosure import SEPARATOR, Published
from anonymizers.errors import SliceSilent
from transforms.spec import MeasureKind, Period, Table

FLOOR = 50
"""Published members from which on a slice is watched: far above what noise can make of a few."""

SHARE = 0.1
"""Of the published number: less is silence."""

_NAMED = 8


def silent_slices(table: Table, cells: Cells, published: Published, day: datetime.date) -> list[str]:
    """
    The slices of a table that nearly nobody is in tonight.

    Args:
        table: Its declaration. One whose rows are open, or that counts no members, has no slices to watch.

        cells: Tonight's true cells, margins among them.

        published: What was last told of it. Of a table of days the newest one is held against the day before it.

        day: The night's day.

    Returns:
        ``table.dimension=code``, each once, in order. No count is among it.
    """
    measure = next((m.name for m in table.measures if m.kind is MeasureKind.MEMBERS), None)
    if measure is None or any(d.is_open for d in table.dimensions) or published.names.empty:
        return []
    told = pd.to_numeric(published.numbers[measure]).astype(float)
    large = (told >= FLOOR).to_numpy()
    slices = _slices(table, published.names[large], told[large])
    if table.period is Period.DAY:
        slices = pd.concat([slices, _newest(slices, day)], ignore_index=True)
    names = [d.name for d in table.dimensions]
    tonight = cells.codes.assign(members=cells.members)
    members = slices.merge(tonight, how="left", on=names)["members"].fillna(0).to_numpy()
    silent = slices[members < SHARE * slices["told"].to_numpy()]
    return sorted({_name(table, row._asdict()) for row in silent[names].itertuples(index=False)})


def _slices(table: Table, names: pd.Series, told: pd.Series) -> pd.DataFrame:
    """One row a slice: its codes, and ``told``."""
    columns = [d.name for d in table.dimensions]
    codes = pd.DataFrame([name.split(SEPARATOR) for name in names], columns=columns, dtype=object)
    single = (codes[_summed(table)] != TOTAL).sum(axis=1) <= 1
    return codes.assign(told=told.to_numpy())[single]


def _summed(table: Table) -> list[str]:
    return [d.name for d in table.dimensions if not d.is_period]


def _newest(slices: pd.DataFrame, day: datetime.date) -> pd.DataFrame:
    """The last published day's slices as if they were of ``day``, unless that one is published."""
    last = slices["day"].max()
    if slices.empty or last >= day.isoformat():
        return slices[:0]
    return slices[slices["day"] == last].assign(day=day.isoformat())


def _name(table: Table, codes: dict[str, str]) -> str:
    """Of the code that is no margin's; of a margin over everything its day, or any of its codes."""
    told = [name for name in _summed(table) if codes[name] != TOTAL]
    whole = [d.name for d in table.dimensions if d.is_period] or _summed(table)
    name = (told or whole)[0]
    return f"{table.name}.{name}={codes[name]}"


def require_heard(silent: list[str], accepted: tuple[str, ...]) -> None:
    """
    Check that no slice is silent but those that somebody has looked at.

    Args:
        silent: From `silent_slices`, of all tables.

        accepted: ``table.dimension=code``, or ``table.dimension`` for all its codes.

    Raises:
        SliceSilent: some are.
    """
    others = [name for name in silent if name not in accepted and name.split("=")[0] not in accepted]
    if others:
        named = ";".join(others[:_NAMED])
        more = f" and {len(others) - _NAMED} more" if len(others) > _NAMED else ""
        raise SliceSilent(
            f"{named}{more}: each had {FLOOR} members or more and has nearly nobody tonight; nothing was published. "
            f"Look at the source; if rightly, run once with SUDARE_ACCEPT_SILENT='{named}' (table.dimension: all codes)"
        )
