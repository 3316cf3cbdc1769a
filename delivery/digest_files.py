"""
Files of digests, of feeds and of removals: the same rows are the same bytes, without a time or a name in them.
"""

import hashlib
import io
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import Any, BinaryIO

import isal.igzip
import polars as pl
import pyarrow as pa
import pyarrow.csv

from delivery.spec import Digest, Encoding, FileForm, Quoting

GZIP_LEVEL = 1
"""ISA-L's level 1 is as small as gzip -6 on digests, which do not compress, and more than ten times as fast."""


_QUOTING = {Quoting.ALWAYS: "all_valid", Quoting.NEVER: "none"}
"""As Arrow calls them; without quotes it refuses a value that would need them."""


class DigestFile:
    """
    Writes digests in a destination's form: the same rows are the same bytes, without a time or a name in them.

    Source:
        https://docs.liveramp.com/connect/en/formatting-column-based-files.html, read 2026-11-23.
    """

    def __init__(
        self,
        columns: tuple[tuple[str, Digest], ...],
        encoding: Encoding,
        form: FileForm,
        flag: tuple[str, str] | None = None,
    ) -> None:
        self._columns, self._encoding, self._form, self._flag = columns, encoding, form, flag
        self._csv = pa.csv.WriteOptions(
            include_header=False, delimiter=form.delimiter, quoting_style=_QUOTING[form.quoting]
        )
        self._digest = hashlib.sha256()
        self.plain_bytes = 0

    @property
    def sha256(self) -> str:
        """Of the bytes in the file, when it is closed."""
        return self._digest.hexdigest()

    @contextmanager
    def opened(self, raw: BinaryIO) -> Iterator["DigestFile"]:
        """Write into a file that is open for writing; the header is there at once."""
        file = _Digesting(raw, self._digest)
        with _packed(file) if self._form.gzip else nullcontext(file) as self._file:
            if self._form.header:
                self._put(self._line([header for header, _ in (*self._columns, *([self._flag] if self._flag else []))]))
            yield self

    def write(self, rows: pl.DataFrame) -> None:
        """Rows of digests in hexadecimal, by the names of their algorithms."""
        if rows.is_empty():
            return
        columns = [pl.col(algorithm.value) for _, algorithm in self._columns]
        if self._encoding is Encoding.BASE64:
            columns = [column.str.decode("hex").bin.encode("base64") for column in columns]
        flag = [pl.lit(self._flag[1]).alias("flag")] if self._flag else []
        table = rows.select(*columns, *flag).to_arrow(compat_level=pl.CompatLevel.oldest())
        text = pa.BufferOutputStream()
        # More than twice as fast as polars, which makes a string of it first.
        pa.csv.write_csv(table, text, self._csv)
        self._put(text.getvalue())

    def _line(self, values: list[str]) -> bytes:
        quote = self._quote
        return (self._form.delimiter.join(f"{quote}{value}{quote}" for value in values) + "\n").encode()

    @property
    def _quote(self) -> str:
        return '"' if self._form.quoting is Quoting.ALWAYS else ""

    def _put(self, data: bytes) -> None:
        self.plain_bytes += len(data)
        self._file.write(data)


def _packed(file: BinaryIO) -> isal.igzip.IGzipFile:
    return isal.igzip.IGzipFile(fileobj=file, mode="wb", filename="", compresslevel=GZIP_LEVEL, mtime=0)


class _Digesting(io.RawIOBase):
    """Passes bytes on and takes their digest, so that a file is not read again for it."""

    def __init__(self, target: BinaryIO, digest: "hashlib._Hash") -> None:
        self._target, self._digest = target, digest

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self._digest.update(data)
        self._target.write(data)
        return memoryview(data).nbytes
