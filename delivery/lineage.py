"""
What each step reads and makes, as datasets and columns: from the declarations, so that it says what is granted.

Names only. No row, no path of a machine, no password.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from delivery.spec import Destination
from transforms.datasets import DATASETS
from transforms.source import SCHEMA
from transforms.spec import AS_OF, Reader, Table

READS = {
    "extract": Reader.STATISTICS,
    "redact": Reader.TEXT,
    "build_feed": Reader.ADS,
    "hand_over": Reader.ADS,
    "remove": Reader.ADS,
}
"""Steps that read the site's database, and as whom."""

STAGES = {"extract": "members and postings", "redact": "texts", "tabulate": "cells", "disclose": "releases"}
"""What is left in staging for the next step."""

TAKES = {
    "tabulate": ("members and postings",),
    "merge_cells": ("cells",),
    "disclose": ("cells", "texts"),
    "publish": ("releases",),
}
_OURS = "sudare"


@dataclass(frozen=True)
class Described:
    """A dataset as OpenLineage names it, and its columns with types and descriptions; none for what is staged."""

    namespace: str
    name: str
    columns: tuple[tuple[str, str, str], ...] = ()


def lineage(
    step: str,
    of: object,
    source_url: str,
    warehouse_url: str,
    tables: Mapping[str, Table],
    known: Mapping[str, Destination],
) -> tuple[list[Described], list[Described]]:
    """
    What a step reads, and what it makes.

    Args:
        step, of: The step, and what it is mapped over: a destination's name matters.

        source_url, warehouse_url: For the databases' names; login and password are left out.

        tables: Those that the night publishes.

        known: Destinations by name.

    Returns:
        Inputs and outputs; both empty for a step that only decides.
    """
    inputs = [Described(_OURS, f"staging/{name}") for name in TAKES.get(step, ())]
    if step in READS:
        inputs += _source(source_url, READS[step])
    outputs = [Described(_OURS, f"staging/{STAGES[step]}")] if step in STAGES else []
    if step == "publish":
        outputs += _published(warehouse_url, tables)
    if step in ("hand_over", "remove") and of in known:
        outputs.append(_file(known[str(of)], step))
    return inputs, outputs


def _source(url: str, reader: Reader) -> Iterator[Described]:
    namespace, database = _database(url)
    for dataset in DATASETS.values():
        columns = tuple((c.name, c.type, c.description) for c in dataset.read_by(reader))
        if columns:
            yield Described(namespace, f"{database}.{SCHEMA}.{dataset.name}", columns)


def _published(url: str, tables: Mapping[str, Table]) -> Iterator[Described]:
    namespace, database = _database(url)
    for table in tables.values():
        told = {d.name: d.title for d in table.dimensions} | {m.name: m.title for m in table.measures}
        told[AS_OF] = "the night these numbers are of"
        columns = tuple((name, "", told.get(name, "")) for name in table.columns)
        yield Described(namespace, f"{database}.stats.{table.name}", columns)


def _file(destination: Destination, step: str) -> Described:
    columns = destination.columns if step == "hand_over" else destination.removal.columns
    kind = "feeds" if step == "hand_over" else "removals"
    return Described(_OURS, f"{kind}/{destination.name}", tuple((header, "", "") for header, _ in columns))


def _database(url: str) -> tuple[str, str]:
    """As OpenLineage names a PostgreSQL database: ``postgres://host:port``, and the database itself."""
    parts = urlsplit(url)
    return f"postgres://{parts.hostname or 'localhost'}:{parts.port or 5432}", parts.path.strip("/")
