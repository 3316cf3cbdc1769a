"""
Rows sorted by digest without all of them in memory: parted by the digest's first byte, and taken up part by part.

Digests are uniform, so the parts are equal; the order of the whole does not depend on how many there are.
"""

import shutil
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import polars as pl

from anonymizers.errors import OutboxUnwritable
from transforms.places import unwritable_as

ROWS_PER_BUCKET = 250_000
AT_ONCE = 100_000
"""Rows that wait in memory before they are parted: the fewer at once, the more files of a few rows."""

MOST = 256
KEY = "sha256"
"""The column that rows are parted and sorted by, in hexadecimal."""


def how_many(rows: int) -> int:
    """A power of two, so that every part is a range of first bytes."""
    wanted = max(1, -(-rows // ROWS_PER_BUCKET))
    return min(MOST, 1 << (wanted - 1).bit_length())


class Buckets:
    """
    Frames that come in any order and are read back part by part, or in the order of `KEY`.

    A single part stays in memory; several wait as files, in a place of the owner's only, but for the last rows.

    Args:
        place: A directory that need not be there yet.

        number: How many parts, from `how_many`.
    """

    def __init__(self, place: Path, number: int) -> None:
        self._place, self._number = place, number
        self._kept: list[pl.DataFrame] = []
        self._written = 0
        self._rows: Counter[int] = Counter()

    def __len__(self) -> int:
        return self._number

    def add(self, rows: pl.DataFrame) -> None:
        """
        Take rows in.

        Raises:
            OutboxUnwritable, StorageFull: a part could not be kept.
        """
        self._kept.append(rows)
        if self._number > 1 and sum(frame.height for frame in self._kept) >= AT_ONCE:
            self._part()

    def _part(self) -> None:
        """Move what waits to the files of its parts."""
        rows, self._kept = pl.concat(self._kept), []
        self._written += 1
        part = self.of(pl.col(KEY)).alias("bucket")
        for (number,), those in rows.with_columns(part).partition_by("bucket", as_dict=True, include_key=False).items():
            with unwritable_as(OutboxUnwritable, "outbox"):
                self._rows[number] += those.height
                folder = self._folder(number)
                folder.mkdir(parents=True, exist_ok=True, mode=0o700)
                # A stream, since there may be thousands: files with a footer take five times as long.
                those.write_ipc_stream(folder / f"{self._written:06d}.arrows", compression="uncompressed")

    def of(self, digest: pl.Expr) -> pl.Expr:
        """The part of each digest; what is no digest falls into the first."""
        first = digest.str.slice(0, 2).str.to_integer(base=16, strict=False).fill_null(0)
        return first // (MOST // self._number)

    def __iter__(self) -> Iterator[pl.DataFrame]:
        """
        Every part in order, its rows in any; one that nothing fell into is an empty frame without columns.

        Raises:
            OutboxUnwritable, StorageFull: the last rows could not be kept; or rows that were taken in are gone, and a
                part without them would say that nobody is in it.
        """
        if self._number == 1:
            yield pl.concat(self._kept) if self._kept else pl.DataFrame()
            return
        if self._kept:
            self._part()
        for number in range(self._number):
            frames = [pl.read_ipc_stream(path) for path in sorted(self._folder(number).glob("*.arrows"))]
            if sum(frame.height for frame in frames) != self._rows[number]:
                raise OutboxUnwritable(
                    "a feed's working files are gone; see who deletes there, and run the night again"
                )
            yield pl.concat(frames) if frames else pl.DataFrame()

    def in_order(self) -> Iterator[pl.DataFrame]:
        """The parts, each sorted by `KEY`; raises as iterating over them does."""
        for part in self:
            yield _sorted(part) if part.height else part

    def _folder(self, number: int) -> Path:
        return self._place / f"{number:03d}"

    def remove(self) -> None:
        """Forget everything."""
        self._kept = []
        self._rows.clear()
        shutil.rmtree(self._place, ignore_errors=True)


def _sorted(part: pl.DataFrame) -> pl.DataFrame:
    """By whole numbers of fifteen digits, several times as fast as by texts; unless two digests share so many."""
    first = part[KEY].str.slice(0, 15).str.to_integer(base=16, strict=False)
    ordered = part[first.arg_sort()]
    return ordered if ordered[KEY].is_sorted() else part.sort(KEY)
