"""
Staging: where treated rows wait between two steps of one night.

A place, so that it is a directory on one machine and an object store for many. What is
written here is personal data under safety measures (個人データ): pseudonymised, banded,
redacted, readable by its owner only, deleted on schedule, never published.

What is read is what was written there: a table says in its own metadata, and JSON in its envelope, which night and
name it was staged as, and a Parquet file ends in its footer and has a checksum a page. So half an object and
another one's are told from a whole one.
"""

import datetime
import io
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from anonymizers.errors import StagingBroken, StagingUnwritable
from transforms.places import PART, is_store, place, remove_tree, unwritable_as, write_whole

LEGAL_CLASS = {b"legal_class": "個人データ(安全管理措置下)".encode()}

_STAGED_AS = "staged_as"


def _is_text(kind: pa.DataType) -> bool:
    return pa.types.is_string(kind) or pa.types.is_large_string(kind)


def _is_night(name: str) -> bool:
    return re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", name) is not None


@dataclass(frozen=True)
class Staging:
    """
    One night's place in staging, and in it one run's. Paths are given in parts, below the run.

    Every method raises `StagingUnwritable` where a right or the place is missing, `StorageFull`, and
    `StagingUnreachable` where an object store cannot be reached or fails.
    """

    url: str
    day: datetime.date
    run: str = ""
    """Where several runs of a night may be under way, each has a folder of its own."""

    @property
    def _above(self) -> tuple[str, ...]:
        return (self.day.isoformat(), self.run) if self.run else (self.day.isoformat(),)

    def _path(self, *parts: str) -> Path:
        return place(self.url).joinpath(*self._above, *parts)

    def _name(self, *parts: str) -> str:
        return "/".join((*self._above, *parts))

    def _write(self, data: bytes | memoryview, *parts: str) -> None:
        with _answers():
            write_whole(self._path(*parts), data)

    @contextmanager
    def _own(self, *parts: str) -> Iterator[bytes]:
        """
        The bytes of an object, to be parsed. No parser's message, which may quote them, gets out.

        Raises:
            StagingBroken: there is no object, or its parser refuses it.
        """
        why = "is not whole, or not what was written there"
        try:
            yield self._read(*parts)
            return
        except FileNotFoundError:
            why = "is not there"
        except (pa.ArrowException, ValueError, OSError):
            pass
        raise self._broken(why, *parts)

    def _read(self, *parts: str) -> bytes:
        path = self._path(*parts)
        absent: FileNotFoundError | None = None
        with _answers():
            try:
                # Whole, also where columns are left out: of a store, parts of an object cost more requests.
                return path.read_bytes()
            except FileNotFoundError as error:
                absent = error
        raise absent

    def _broken(self, why: str, *parts: str) -> StagingBroken:
        return StagingBroken(
            f"staging: {self._name(*parts)} {why}; run the night again, and see who else writes or deletes there"
        )

    def _require_own(self, staged_as: object, *parts: str) -> None:
        if staged_as != self._name(*parts):
            raise self._broken("is another object", *parts)

    def write_table(self, table: pa.Table, *parts: str) -> None:
        """Write a treated table as Parquet."""
        told = {**(table.schema.metadata or {}), **LEGAL_CLASS, _STAGED_AS.encode(): self._name(*parts).encode()}
        buffer = io.BytesIO()
        # Tokens and numbers hardly repeat, and looking for repetitions is half of the work of writing.
        repeating = [f.name for f in table.schema if pa.types.is_dictionary(f.type) or _is_text(f.type)]
        pq.write_table(
            table.replace_schema_metadata(told),
            buffer,
            compression="zstd",
            compression_level=1,
            use_dictionary=repeating,
            write_page_checksum=True,
        )
        self._write(buffer.getbuffer(), *parts)

    def read_table(self, *parts: str, columns: list[str] | None = None) -> pa.Table:
        """
        Read a staged table, whole or some columns.

        Raises:
            StagingBroken: it is not there, not whole, or another one.
        """
        with self._own(*parts) as data:
            table = pq.read_table(pa.BufferReader(data), columns=columns, page_checksum_verification=True)
        self._require_own((table.schema.metadata or {}).get(_STAGED_AS.encode(), b"").decode(), *parts)
        return table

    def count_rows(self, *parts: str) -> int:
        """
        Rows of a staged table, from its footer.

        Raises:
            StagingBroken: it is not there, or not whole.
        """
        with self._own(*parts) as data:
            return pq.read_metadata(pa.BufferReader(data)).num_rows

    def write_json(self, value: Any, *parts: str) -> None:
        """Write counts or names of things; never rows."""
        told = {_STAGED_AS: self._name(*parts), "value": value}
        self._write(json.dumps(told, ensure_ascii=False, sort_keys=True).encode(), *parts)

    def read_json(self, *parts: str) -> Any:
        """
        Read what `write_json` wrote.

        Raises:
            StagingBroken: it is not there, not whole, or another one.
        """
        with self._own(*parts) as data:
            told = json.loads(data)
        told = told if isinstance(told, dict) else {}
        self._require_own(told.get(_STAGED_AS), *parts)
        return told.get("value")

    def remove(self, *parts: str) -> None:
        """Remove a subtree of the night, or the whole night; no error where there is none."""
        with _answers():
            remove_tree(self._path(*parts))

    def nights(self) -> list[str]:
        """The days of all staged nights, in order."""
        with _answers():
            return [night.name for night in self._nights()]

    def begun_at(self) -> datetime.datetime | None:
        """When a run of the night last took it over; None where none has."""
        with _answers():
            marks = [path for path in self._path().glob("*.json") if path.is_file()]
            latest = max((path.stat().st_mtime for path in marks), default=None)
        return None if latest is None else datetime.datetime.fromtimestamp(latest, datetime.UTC)

    def remove_leftovers(self) -> int:
        """Delete what tasks that died had begun to write, in every night that is staged; how many files."""
        root = place(self.url)
        if is_store(root):  # where nothing is visible before it is whole
            return 0
        with _answers():
            left = [part for night in self._nights() for part in night.rglob(f"*{PART}")]
            for part in left:
                part.unlink(missing_ok=True)
        return len(left)

    def _nights(self) -> list[Path]:
        """The folders of nights, in order."""
        root = place(self.url)
        if not root.exists():
            return []
        return sorted((path for path in root.iterdir() if _is_night(path.name)), key=lambda path: path.name)


def _answers():
    return unwritable_as(StagingUnwritable, "staging")
