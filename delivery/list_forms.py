"""
The forms in which partners hand over opt-out lists, each read into digests and counts.

Nothing here trusts a file: its size after unpacking, its lines and its nesting are
bounded, and what is no list of its form is refused without being quoted.
"""

import errno
import hashlib
import io
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, BinaryIO

import isal.igzip
import isal.isal_zlib
import polars as pl

from anonymizers.errors import OptOutListRefused
from delivery import strict_json
from delivery.digest_text import as_bytes, to_bytes
from delivery.spec import Digest

MOST_BYTES_OF_JSON = 200_000_000
"""A JSON document is in memory whole."""

SCHEMA = {algorithm.value: pl.Binary for algorithm in Digest}
_BLOCK = 4 << 20
_LONGEST_LINE = 10_000
"""Bytes, far more than a row of digests has. Without a bound a line is read until the memory is full."""

_GZIP = b"\x1f\x8b"
_PADDING = '" \t\r'
"""What may stand around a value: quotes, spaces, and the CR of a Windows line end."""


@dataclass(frozen=True)
class Rows:
    """What a form's reader makes of a file."""

    digests: pl.DataFrame = field(repr=False)
    rejected: Counter[str]
    partly_read: int = 0


class Watched(io.RawIOBase):
    """A file whose bytes are counted and digested while somebody else reads it."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.sha256 = hashlib.sha256()
        self.size = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        block = self._file.read(len(buffer))
        buffer[: len(block)] = block
        self.sha256.update(block)
        self.size += len(block)
        return len(block)


def _unpacked(kind: str, watched: Watched, most_bytes: int) -> Iterator[bytes]:
    """The bytes in blocks, unpacked if they are gzip, whose lengths and checksums are all verified at the end."""
    file: Any = io.BufferedReader(watched, _BLOCK)
    if file.peek(len(_GZIP))[: len(_GZIP)] == _GZIP:
        file = isal.igzip.IGzipFile(fileobj=file, mode="rb")
    left = most_bytes
    while block := _read(kind, file):
        left -= len(block)
        if left < 0:
            raise OptOutListRefused(f"opt-out list {kind}: it unpacks to more than {most_bytes} bytes")
        yield block


def _read(kind: str, file: Any) -> bytes:
    problem = "the gzip is damaged or cut short"
    try:
        return file.read(_BLOCK)
    except (isal.igzip.BadGzipFile, EOFError, isal.isal_zlib.error):
        pass
    except OSError as refused:
        problem = f"it cannot be read, {errno.errorcode.get(refused.errno or 0, 'OSError')}"
    raise OptOutListRefused(f"opt-out list {kind}: {problem}") from None


def _whole_lines(kind: str, blocks: Iterator[bytes]) -> Iterator[bytes]:
    """The same bytes, cut at ends of lines."""
    rest = b""
    for block in blocks:
        lines, end, rest = (rest + block).rpartition(b"\n")
        if len(rest) > _LONGEST_LINE:
            raise OptOutListRefused(f"opt-out list {kind}: a line has more than {_LONGEST_LINE} bytes")
        if end:
            yield lines
    if rest:
        yield rest


_LIVERAMP = (("md5_hash", Digest.MD5), ("sha1_hash", Digest.SHA1), ("sha256_hash", Digest.SHA256))
_LIVERAMP_HEADER = [*(header for header, _ in _LIVERAMP), "opted-out"]


def _read_liveramp(kind: str, watched: Watched, most_bytes: int) -> Rows:
    parts, rejected, partly_read = [pl.DataFrame(schema=SCHEMA)], Counter[str](), 0
    header = False
    for text in _whole_lines(kind, _unpacked(kind, watched, most_bytes)):
        # One character a byte: what is no ASCII becomes a malformed value of its row, and the rows around it are read.
        lines = text.decode("latin-1").split("\n")
        if not header:
            header = _require_header(kind, lines.pop(0))
        judged = _judge(pl.DataFrame({"line": lines}, schema={"line": pl.String}))
        taken = judged.filter(pl.col("reason").is_null())
        rejected.update(dict(judged["reason"].drop_nulls().value_counts().iter_rows()))
        partly_read += int(taken["partly"].sum())
        parts.append(taken.select(*SCHEMA))
    if not header:
        raise OptOutListRefused(f"opt-out list {kind}: the file is empty")
    return Rows(pl.concat(parts), rejected, partly_read)


def _require_header(kind: str, line: str) -> bool:
    if [name.strip(_PADDING) for name in line.split("|")] != _LIVERAMP_HEADER:
        raise OptOutListRefused(f"opt-out list {kind}: the first line is not {'|'.join(_LIVERAMP_HEADER)}")
    return True


def _judge(lines: pl.DataFrame) -> pl.DataFrame:
    """Lines as digests, with why a row is not taken, and whether it is taken by a part of its digests only."""
    cells = [f"field_{n}" for n in range(len(_LIVERAMP_HEADER))]
    surplus = f"field_{len(cells)}"
    # One more cell than there should be holds the rest of the line, so a line that is too long is told apart.
    split = (
        lines.filter(pl.col("line").str.strip_chars(_PADDING[1:]) != "")
        .select(pl.col("line").str.splitn("|", len(cells) + 1).alias("cells"))
        .unnest("cells")
        .with_columns(pl.col(cells).str.strip_chars(_PADDING))
    )
    present = [pl.col(cell).fill_null("") != "" for cell in cells[:-1]]
    read = split.with_columns(
        as_bytes(pl.col(cell), algorithm).alias(algorithm.value)
        for cell, (_, algorithm) in zip(cells, _LIVERAMP, strict=False)
    )
    malformed = [
        there & pl.col(algorithm.value).is_null() for there, (_, algorithm) in zip(present, _LIVERAMP, strict=True)
    ]
    nothing = pl.all_horizontal(pl.col(list(SCHEMA)).is_null())
    flag = pl.col(cells[-1])
    return read.with_columns(
        pl.when(flag.is_null() | pl.col(surplus).is_not_null())
        .then(pl.lit("wrong_columns"))
        .when(flag == "0")
        .then(pl.lit("not_opted_out"))
        .when(flag != "1")
        .then(pl.lit("flag_unknown"))
        .when(nothing & pl.any_horizontal(malformed))
        .then(pl.lit("digest_malformed"))
        .when(nothing)
        .then(pl.lit("no_digest"))
        .alias("reason"),
        pl.any_horizontal(malformed).alias("partly"),
    )


_NEEDED = (
    "needed is a response of identity map v2, or request and response of v3 in one document, asked with digests of "
    "addresses; advertising ids say nothing about which address they stand for"
)
_RAW_TYPES = ("email", "phone")
_TYPES = (*_RAW_TYPES, "email_hash", "phone_hash")
_VERDICTS = {"optout": "", "invalid identifier": "invalid_identifier"}
"""What a verdict means here: taken, or rejected for this reason. Any other word is `reason_unknown`."""


def _read_uid2(kind: str, watched: Watched, most_bytes: int) -> Rows:
    content = b"".join(_unpacked(kind, watched, min(most_bytes, MOST_BYTES_OF_JSON)))
    if not content:
        raise OptOutListRefused(f"opt-out list {kind}: the file is empty")
    problem = ""
    try:
        parsed = strict_json.parse(content)
    except strict_json.Unreadable as unreadable:
        problem = str(unreadable)
    if problem:
        raise OptOutListRefused(f"opt-out list {kind}: {problem}")
    documents = parsed if isinstance(parsed, list) else [parsed]
    if not documents:
        raise _not_of_its_form("it is an empty list")
    found, rejected = [], Counter[str]()
    for document in documents:
        for identifier, reason in _verdicts(document):
            one = _digest_of(identifier) if not reason else None
            if one is not None:
                found.append(one)
            else:
                rejected[reason or "digest_malformed"] += 1
    digests = pl.DataFrame({Digest.SHA256.value: pl.Series(found, dtype=pl.Binary)})
    return Rows(digests.with_columns(pl.lit(None, pl.Binary).alias(name) for name in list(SCHEMA)[1:]), rejected)


def _not_of_its_form(problem: str) -> OptOutListRefused:
    return OptOutListRefused(f"opt-out list uid2: {problem}; {_NEEDED}")


def _verdicts(document: Any) -> Iterator[tuple[str, str]]:
    """Identifier, and why it is not taken or an empty text, of everybody in one document."""
    paired = isinstance(document, dict) and "response" in document
    response = document["response"] if paired else document
    body = response.get("body") if isinstance(response, dict) else None
    if not isinstance(body, dict):
        raise _not_of_its_form("it is no decrypted response")
    if response.get("status") != "success":
        raise _not_of_its_form("its status is not success")
    if "opted_out" in body:
        raise _not_of_its_form("it is a list of advertising ids")
    if "mapped" in body or "unmapped" in body:
        return _verdicts_of_v2(body)
    if not paired or not isinstance(document.get("request"), dict):
        raise _not_of_its_form("it is a response without its request")
    return _verdicts_of_v3(document["request"], body)


def _verdicts_of_v2(body: dict) -> Iterator[tuple[str, str]]:
    for name in ("mapped", "unmapped"):
        for item in _objects(body.get(name, [])):
            if not isinstance(identifier := item.get("identifier"), str):
                raise _not_of_its_form("an item has no identifier")
            yield identifier, "not_opted_out" if name == "mapped" else _meaning(item.get("reason"))


def _verdicts_of_v3(request: dict, body: dict) -> Iterator[tuple[str, str]]:
    if any(request.get(name) for name in _RAW_TYPES) or any(body.get(name) for name in _RAW_TYPES):
        raise _not_of_its_form("it was asked with addresses or numbers in the clear, which are not taken in")
    if not any(name in body for name in _TYPES):
        raise _not_of_its_form("its body has no list of verdicts")
    for name in ("email_hash", "phone_hash"):
        asked, answered = request.get(name, []), _objects(body.get(name, []))
        if not isinstance(asked, list) or not all(isinstance(identifier, str) for identifier in asked):
            raise _not_of_its_form("its request holds no list of digests")
        if len(asked) != len(answered):
            raise _not_of_its_form("request and response do not have the same number of items")
        for identifier, item in zip(asked, answered, strict=True):
            reason = _meaning(item["e"]) if "e" in item else "not_opted_out" if "u" in item else "reason_unknown"
            yield identifier, "not_an_email" if name == "phone_hash" else reason


def _objects(items: Any) -> list[dict]:
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        raise _not_of_its_form("a list of verdicts holds something else")
    return items


def _meaning(verdict: Any) -> str:
    return _VERDICTS.get(verdict, "reason_unknown") if isinstance(verdict, str) else "reason_unknown"


def _digest_of(identifier: str) -> bytes | None:
    """
    The SHA-256 that an identifier is.

    Raises:
        OptOutListRefused: it is an address or a telephone number. What was asked in the clear is not taken in.
    """
    if re.search(r"[@＠]", identifier) or re.fullmatch(r"\+?[0-9 ()-]{5,20}", identifier):
        raise _not_of_its_form("it holds addresses or numbers in the clear, which are not taken in")
    found = to_bytes(identifier)
    return found[1] if found and found[0] is Digest.SHA256 else None


FORMS = {"liveramp": _read_liveramp, "uid2": _read_uid2}
