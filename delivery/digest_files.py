"""
Files of digests, of feeds and of removals: the same rows are the same bytes, without a time or a name in them.
"""

import hashlib
import io
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import Any, BinaryIO

import isal.igzip
import numpy as np
import polars as pl

from anonymizers.errors import GateRefused
from delivery.digest_text import as_bytes, as_text, length
from delivery.spec import Digest, Encoding, FileForm, Quoting

GZIP_LEVEL = 1
"""ISA-L's level 1 is as small as gzip -6 on digests, which do not compress, and more than ten times as fast."""

ROWS_AT_ONCE = 1 << 16
"""Lines of some 10 MB, which the processor's caches nearly hold until they are packed."""


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
        """
        Add rows of digests in hexadecimal, by the names of their algorithms.

        Raises:
            GateRefused: a digest is missing, or of another length than its algorithm's.
        """
        widths = [length(algorithm, self._encoding) for _, algorithm in self._columns]
        line = self._line(["0" * width for width in widths] + ([self._flag[1]] if self._flag else []))
        for some in rows.iter_slices(ROWS_AT_ONCE):
            # Every line is as long, so a column is copied into its place at once; a CSV writer looks at every sign.
            lines = np.tile(np.frombuffer(line, np.uint8), (some.height, 1))
            start = len(self._quote)
            for width, (_, algorithm) in zip(widths, self._columns, strict=True):
                lines[:, start : start + width] = self._texts(some, algorithm, width)
                start += width + 2 * len(self._quote) + len(self._form.delimiter)
            self._put(lines.data)

    def _texts(self, rows: pl.DataFrame, algorithm: Digest, width: int) -> np.ndarray:
        """A column as it is written, shape (rows, width) of bytes."""
        text = pl.col(algorithm.value)
        if self._encoding is Encoding.BASE64:
            text = as_text(as_bytes(text, algorithm), self._encoding)
        # Of another length than the array's it becomes null.
        texts = rows.select(text.cast(pl.Binary).bin.reinterpret(dtype=pl.Array(pl.UInt8, width))).to_series()
        if wrong := texts.null_count():
            raise GateRefused(f"{algorithm.value}: {wrong} digests are missing or not whole; run the night again")
        return texts.to_numpy()

    def _line(self, values: list[str]) -> bytes:
        quote = self._quote
        return (self._form.delimiter.join(f"{quote}{value}{quote}" for value in values) + "\n").encode()

    @property
    def _quote(self) -> str:
        return '"' if self._form.quoting is Quoting.ALWAYS else ""

    def _put(self, data: bytes | memoryview) -> None:
        self.plain_bytes += memoryview(data).nbytes
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
