"""Permits, feeds and finished files that a test makes up."""

import dataclasses
import datetime
import hashlib
from collections.abc import Iterable
from pathlib import Path

import polars as pl

from delivery.buckets import Buckets
from delivery.consent import Permitted
from delivery.destinations.liveramp import DESTINATION
from delivery.digest_files import DigestFile
from delivery.spec import Destination

DAY = datetime.date(2026, 10, 31)
CONSENTED = datetime.datetime(2026, 5, 1, tzinfo=datetime.UTC)
KEYS = [f"hanako{n}@example.jp" for n in range(30)]
ALGORITHMS = ("sha256", "sha1", "md5")


def permitted(keys: Iterable[str] = KEYS, destination: str = "liveramp") -> Permitted:
    """Made here by force, as only `delivery.consent` may; one member an address."""
    keys = list(keys)
    rows = pl.DataFrame(
        {
            "member": [f"member {n}".encode() for n in range(len(keys))],
            **digests(keys).to_dict(),
            "consented_at": [CONSENTED] * len(keys),
            "text_version": ["2022-04-01"] * len(keys),
        },
        schema={
            "member": pl.Binary,
            **dict.fromkeys(ALGORITHMS, pl.String),
            "consented_at": pl.Datetime("us", "UTC"),
            "text_version": pl.String,
        },
    )
    made = object.__new__(Permitted)
    object.__setattr__(made, "destination", destination)
    object.__setattr__(made, "rows", rows)
    return made


def digests(keys: Iterable[str]) -> pl.DataFrame:
    """Of the standard library."""
    rows = [[hashlib.new(name, key.encode()).hexdigest() for name in ALGORITHMS] for key in keys]
    return pl.DataFrame(rows, schema=dict.fromkeys(ALGORITHMS, pl.String), orient="row")


def parts(frame: pl.DataFrame, place: Path = Path("/nowhere")) -> Buckets:
    """A frame as one part, which stays in memory."""
    made = Buckets(place, 1)
    if not frame.is_empty():
        made.add(frame)
    return made


def write(keys: Iterable[str], path: Path, destination: Destination = DESTINATION) -> DigestFile:
    """A finished file of these addresses, in the order of their digests."""
    writer = DigestFile(destination.columns, destination.encoding, destination.form)
    with path.open("wb") as file, writer.opened(file):
        writer.write(digests(keys).sort("sha256"))
    return writer


def text_file(lines: list[str], path: Path) -> Path:
    """A file of just these lines, in the place of a finished one that is not packed."""
    path.write_text("".join(f"{line}\n" for line in lines))
    return path


PLAIN = dataclasses.replace(DESTINATION, form=dataclasses.replace(DESTINATION.form, gzip=False))
"""The destination as if it took files that are not packed."""
