"""
Staging: where treated rows wait between two steps of one night.

A URL, so that it is a directory on one machine and an object store for many. What is
written here is personal data under safety measures (個人データ): pseudonymised, banded,
redacted, readable by its owner only, deleted on schedule, never published.
"""

import datetime
import errno
import io
import json
import posixpath
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import fsspec
import pyarrow as pa
import pyarrow.parquet as pq

from anonymizers.errors import StagingUnwritable, StorageFull, Terminal

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
LEGAL_CLASS = {b"legal_class": "個人データ(安全管理措置下)".encode()}


@contextmanager
def unwritable_as(error: type[Terminal], what: str) -> Iterator[None]:
    """
    Turn the operating system's refusals into ours.

    Raises:
        StorageFull: no space, no quota.
        error: anything else the system answered.
    """
    try:
        yield
        return
    except OSError as refused:
        number = refused.errno or _told_in_words(refused)
        code = errno.errorcode.get(number, "OSError")
        ours: Terminal = (
            StorageFull(f"{what}: {code}, no space left; free some and run the night again")
            if number in _FULL
            else error(f"{what}: {code}; check that it exists and that this user may write there")
        )
    raise ours from None


def _told_in_words(refused: OSError) -> int:
    """Libraries written in Rust put the number into the message only."""
    found = re.search(r"\(os error ([0-9]+)\)", str(refused))
    return int(found.group(1)) if found else 0


def _is_text(kind: pa.DataType) -> bool:
    return pa.types.is_string(kind) or pa.types.is_large_string(kind)


def _is_night(name: str) -> bool:
    return re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", name) is not None


@dataclass(frozen=True)
class Staging:
    """One night's place in staging. Paths are given in parts, below the night."""

    url: str
    day: datetime.date

    def _locate(self, *parts: str) -> tuple[Any, str]:
        filesystem, root = fsspec.core.url_to_fs(self.url)
        return filesystem, posixpath.join(root, self.day.isoformat(), *parts)

    def _write(self, data: bytes, *parts: str) -> None:
        with unwritable_as(StagingUnwritable, "staging"):
            filesystem, path = self._locate(*parts)
            filesystem.makedirs(posixpath.dirname(path), exist_ok=True)
            # Under another name first: a reader sees a whole object or none.
            filesystem.pipe_file(f"{path}.part", data)
            filesystem.mv(f"{path}.part", path)

    def write_table(self, table: pa.Table, *parts: str) -> None:
        """Write a treated table as Parquet."""
        table = table.replace_schema_metadata({**(table.schema.metadata or {}), **LEGAL_CLASS})
        buffer = io.BytesIO()
        # Tokens and numbers hardly repeat, and looking for repetitions is half of the work of writing.
        repeating = [f.name for f in table.schema if pa.types.is_dictionary(f.type) or _is_text(f.type)]
        pq.write_table(table, buffer, compression="zstd", compression_level=1, use_dictionary=repeating)
        self._write(buffer.getbuffer(), *parts)

    def read_table(self, *parts: str, columns: list[str] | None = None) -> pa.Table:
        """Read a staged table, whole or some columns."""
        filesystem, path = self._locate(*parts)
        with filesystem.open(path, "rb") as file:
            return pq.read_table(file, columns=columns)

    def count_rows(self, *parts: str) -> int:
        """Rows of a staged table, from its footer."""
        filesystem, path = self._locate(*parts)
        with filesystem.open(path, "rb") as file:
            return pq.read_metadata(file).num_rows

    def write_json(self, value: Any, *parts: str) -> None:
        """Write counts or names of things; never rows."""
        self._write(json.dumps(value, ensure_ascii=False, sort_keys=True).encode(), *parts)

    def read_json(self, *parts: str) -> Any:
        filesystem, path = self._locate(*parts)
        return json.loads(filesystem.cat_file(path))

    def remove(self, *parts: str) -> None:
        """Remove a subtree of the night, or the whole night; no error where there is none."""
        with unwritable_as(StagingUnwritable, "staging"):
            filesystem, path = self._locate(*parts)
            if filesystem.exists(path):
                filesystem.rm(path, recursive=True)

    def remove_nights_before(self, day: datetime.date) -> list[str]:
        """Delete the staged nights of earlier days; the names of what was deleted."""
        with unwritable_as(StagingUnwritable, "staging"):
            filesystem, root = fsspec.core.url_to_fs(self.url)
            if not filesystem.exists(root):
                return []
            nights = [posixpath.basename(path.rstrip("/")) for path in filesystem.ls(root, detail=False)]
            expired = sorted(night for night in nights if _is_night(night) and night < day.isoformat())
            for night in expired:
                filesystem.rm(posixpath.join(root, night), recursive=True)
        return expired
