"""
Removal files: how a destination is told to forget people it was sent.

In an opt-out file the flag means *remove*, and so does it in a deletion file; in the
place of a feed the same rows would add them. So a removal is a file of its own, with a
name of its own, made from digests only: what `Removal` does not name has no column here.
"""

import datetime
import io
import re
from typing import BinaryIO

import isal.igzip
import isal.isal_zlib
import polars as pl

from anonymizers.errors import GateRefused
from delivery.digest_files import DigestFile
from delivery.digest_text import as_bytes
from delivery.spec import Destination, Digest, Quoting

ROWS_PER_CHUNK = 100_000

_LONGEST_NAME = 250
"""Characters of a name: https://docs.liveramp.com/connect/en/naming-files-for-uploading.html, read 2026-11-23."""


def render_removals(destination: Destination, rows: pl.DataFrame) -> bytes:
    """The removal file of `write_removals`, in memory."""
    buffer = io.BytesIO()
    write_removals(destination, rows, buffer)
    return buffer.getvalue()


def write_removals(destination: Destination, rows: pl.DataFrame, file: BinaryIO) -> str:
    """
    Write the destination's removal file: sorted, each row once, LF, ASCII; gzip, if its form wants it, has no time.

    The same people make the same bytes, in whatever order and however often they are given.
    Members, addresses, reasons and dates are not in it.

    Args:
        destination: Whose `Removal` says columns, flag and form.

        rows: Of the people to remove: Binary columns named after digests (``sha256``, ``sha1``, ``md5``), shape
            (rows, digests). Those that the removal does not name are left out.

        file: Open for writing.

    Returns:
        SHA-256 of what was written, lower-case hexadecimal, for `removal_file_name`.

    Raises:
        GateRefused: nobody is to be removed; a digest is missing, of a wrong length, or beside those of another
            person; or there are more rows or bytes than the form admits.
        ValueError: a column that is no digest, or is not Binary; a header or flag that the form cannot hold.

    Source:
        https://docs.liveramp.com/connect/en/for-match-partners--uploading-consumer-opt-out-files.html, read 2026-11-23.
    """
    removal, form = destination.removal, destination.removal.form
    _require_writable(destination)
    digests = _require_sound(destination, rows).select(pl.all().bin.encode("hex"))
    writer = DigestFile(removal.columns, destination.encoding, form, removal.flag)
    with writer.opened(file):
        for start in range(0, digests.height, ROWS_PER_CHUNK):
            writer.write(digests.slice(start, ROWS_PER_CHUNK))
            if writer.plain_bytes > form.bytes_ceiling:
                raise GateRefused(f"{destination.name}: the removal file is larger than {form.bytes_ceiling} bytes")
    return writer.sha256


def _headers(destination: Destination) -> list[str]:
    removal = destination.removal
    return [header for header, _ in removal.columns] + ([removal.flag[0]] if removal.flag else [])


def _require_writable(destination: Destination) -> None:
    """Check that the form can hold the headers and the flag."""
    form, flag = destination.removal.form, destination.removal.flag
    if len({algorithm for _, algorithm in destination.removal.columns}) < len(destination.removal.columns):
        raise ValueError(f"{destination.name}: its removals have two columns of one digest")
    for text in (*_headers(destination), *(flag or ())):
        if not re.fullmatch(r"[!-~]+(?: [!-~]+)*", text) or '"' in text or form.delimiter in text:
            raise ValueError(f"{destination.name}: a header or flag of its removals cannot be written in its form")


def _require_sound(destination: Destination, rows: pl.DataFrame) -> pl.DataFrame:
    """The rows that are written, in their order, each once."""
    name, form = destination.name, destination.removal.form
    if wrong := sum(c not in set(Digest) or t != pl.Binary for c, t in rows.schema.items()):
        raise ValueError(f"{name}: {wrong} columns of its removals are no digests in bytes")
    algorithms = [algorithm for _, algorithm in destination.removal.columns]
    if missing := [algorithm.value for algorithm in algorithms if algorithm.value not in rows.columns]:
        raise ValueError(f"{name}: its removals need {', '.join(missing)}")
    distinct = rows.select(algorithm.value for algorithm in algorithms).unique()
    if distinct.is_empty():
        raise GateRefused(f"{name}: nobody is to be removed, so there is no file to write")
    if distinct.height > form.rows_ceiling:
        raise GateRefused(f"{name}: {distinct.height} removals, and a file holds {form.rows_ceiling}")
    for algorithm in algorithms:
        column = distinct[algorithm.value]
        if bad := int((column.bin.size() != algorithm.bytes).fill_null(True).sum()):
            raise GateRefused(f"{name}: {bad} removals have no {algorithm.value} of {algorithm.bytes} bytes")
        if again := distinct.height - column.n_unique():
            raise GateRefused(
                f"{name}: {again} removals have the {algorithm.value} of another one beside other digests"
            )
    return distinct.sort([algorithm.value for algorithm in algorithms])


def read_back(destination: Destination, content: bytes) -> pl.DataFrame:
    """
    The digests in a removal file, as the destination would read them.

    Returns:
        Binary columns named after the digests of the removal, in the file's order, shape (rows, digests).

    Raises:
        GateRefused: it is not a removal file of this destination, whole and well formed.
    """
    table = _read_table(destination, content)
    removal = destination.removal
    if removal.flag and not (table[removal.flag[0]] == removal.flag[1]).fill_null(False).all():
        raise GateRefused(f"{destination.name}: not every row of the removal file says remove")
    digests = table.select(
        as_bytes(pl.col(header), algorithm, destination.encoding).alias(algorithm.value)
        for header, algorithm in removal.columns
    )
    if bad := int(digests.select(pl.any_horizontal(pl.all().is_null()).sum()).item()):
        raise GateRefused(f"{destination.name}: {bad} rows of the removal file are no digests")
    return digests


def _read_table(destination: Destination, content: bytes) -> pl.DataFrame:
    form, headers = destination.removal.form, _headers(destination)
    problem = "is not of its form"
    try:
        table = pl.read_csv(
            io.BytesIO(isal.igzip.decompress(content) if form.gzip else content),
            has_header=form.header,
            new_columns=None if form.header else headers,
            separator=form.delimiter,
            quote_char='"' if form.quoting is Quoting.ALWAYS else None,
            infer_schema=False,
        )
    except pl.exceptions.PolarsError:
        pass
    except (OSError, EOFError, isal.isal_zlib.error):
        problem = "is damaged or cut short"
    else:
        if table.columns == headers:
            return table
    raise GateRefused(f"{destination.name}: the removal file {problem}") from None


def removal_file_name(destination: Destination, day: datetime.date, sha256: str) -> str:
    """
    The name of a removal file: ASCII, said apart from a feed's, and by its content.

    Args:
        destination: Whose.

        day: The night's.

        sha256: Of the file, from `write_removals`.

    Raises:
        ValueError: the digest is none, or the name has more than 250 characters.
    """
    if not re.fullmatch(r"[0-9a-f]{64}", sha256):
        raise ValueError(f"{destination.name}: a removal file is named by its SHA-256")
    form = destination.removal.form
    ending = f"{form.extension}{'.gz' if form.gzip else ''}"
    name = f"sudare_{destination.name}_removals_{day:%Y%m%d}_{sha256[:12]}.{ending}"
    if not re.fullmatch(rf"[A-Za-z0-9_.]{{1,{_LONGEST_NAME}}}", name):
        raise ValueError(f"{destination.name}: the name of its removal file is too long, or not ASCII")
    return name
