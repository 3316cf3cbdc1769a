"""The catalogue and its tables, as an analyst reads them."""

import pandas as pd
from rich.console import Console
from rich.table import Table as Grid

from anonymizers.errors import SettingRefused
from delivery.settings import Settings
from delivery.warehouse import Warehouse
from transforms.spec import Dimension, Table
from transforms.tables import catalogue

MISSING = "–"


def describe_all() -> list[dict]:
    """Every table, for a machine."""
    return [
        {
            "name": table.name,
            "title": table.title,
            "title_ja": table.title_ja,
            "purpose": table.purpose,
            "period": table.period.value,
            "unit_of_count": "distinct members",
            "threshold": table.control.threshold,
            "contributions_per_member_at_most": table.cap,
            "dimensions": [{"name": d.name, "title": d.title, "codes": list(d.codes)} for d in table.dimensions],
            "measures": [{"name": m.name, "title": m.title, "unit": m.unit} for m in table.measures],
            "note": table.note,
            "note_ja": table.note_ja,
        }
        for table in catalogue().values()
    ]


def print_catalogue(out: Console) -> None:
    """Every table, for a person."""
    for table in catalogue().values():
        out.print(f"[bold]{table.name}[/]  {table.title}\n    {table.title_ja}")
        out.print(f"    by      {', '.join(_dimension(d) for d in table.dimensions)}")
        out.print(f"    gives   {', '.join(f'{m.name} ({m.unit})' for m in table.measures)}")
        out.print(f"    about   {table.period.value}")
        out.print(
            f"    altered cells under {table.control.threshold} distinct members are missing, and look like empty ones"
        )
        out.print(f"    note    {table.note}\n")


def _dimension(dimension: Dimension) -> str:
    return f"{dimension.name} ({len(dimension.codes)} codes)" if dimension.codes else dimension.name


def read_current(settings: Settings, name: str) -> tuple[Table, pd.DataFrame]:
    """
    A table as published now, with ``as_of``.

    Raises:
        SettingRefused: no such table, or nothing published yet.
    """
    table = catalogue().get(name)
    if table is None:
        raise SettingRefused(f"no table of that name; there are {', '.join(catalogue())}")
    frame = Warehouse(settings.warehouse_url).current(table)
    if frame.empty:
        raise SettingRefused(f"{name}: nothing is published yet; run `sudare night`")
    return table, frame


def print_table(out: Console, table: Table, frame: pd.DataFrame, most: int) -> None:
    """The first rows that say something, and how many were suppressed."""
    measures = [m.name for m in table.measures]
    told = frame[frame[measures].notna().any(axis=1)]
    out.print(f"[bold]{table.title}[/]\n{table.title_ja}\n")
    grid = Grid(box=None, header_style="bold", pad_edge=False)
    for name in frame.columns:
        grid.add_column(name, justify="right" if name in measures else "left")
    for row in told.head(most).itertuples(index=False):
        grid.add_row(*(MISSING if pd.isna(value) else str(value) for value in row))
    out.print(grid)
    out.print(
        f"\n{len(told):,} of {len(frame):,} cells have numbers; the others have fewer than "
        f"{table.control.threshold} distinct members, or none. {table.note}"
    )
    if len(told) > most:
        out.print(f"Printed {most}; more with --rows, all in stats.{table.name} and in the Parquet file.")
