"""
Receipts: what a partner returns about a file it got.

A receipt can end our duty to repeat a removal, so one that contradicts itself or the file
is refused. What a partner writes in free text may quote a row; of a reason only a short
code is kept, and of a name only one that a file of ours could have.
"""

import csv
import datetime
import io
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import polars as pl

from anonymizers.errors import ReceiptRefused
from delivery import strict_json
from delivery.digest_text import to_bytes
from delivery.spec import Digest

MOST_BYTES = 200_000_000

MOST_REASONS = 20
"""Codes that are told apart. A partner has few; where every row has another one, the rows are being quoted."""

ROW_HEADER = ("file", "digest", "status", "reason")

_OTHER = "other"
_CODE = r"(?!.*[0-9]{5})(?!.*[0-9a-f]{16})[a-z][a-z0-9_]{0,39}"
"""No code has a long number in it or a part of a digest, though it may have all their letters and figures."""

_FILE = r"[A-Za-z0-9][A-Za-z0-9_.-]{0,249}"
_KEYS = {"file", "sha256", "status", "rows_accepted", "rows_rejected", "rejections", "received_at"}
_MOST_ROWS = 10**12


class Status(StrEnum):
    """What became of a file."""

    ACCEPTED = "accepted"
    REJECTED = "rejected"
    PARTIAL = "partial"
    """Some rows were taken, and some were not."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Receipt:
    """
    What a partner says about one file.

    Attributes:
        file: The file's name.
        status: What became of it.
        sha256: Of the file, lower-case hexadecimal, or empty if the partner does not say.
        rows_accepted: Or None if the partner does not say.
        rows_rejected: The same.
        received_at: The same; with a time zone.
        reasons: Rejections that are listed, by code; a reason that is no code is ``other``.
        rejected: Distinct rejected digests, shape (rejections, 2): ``algorithm`` String and ``digest`` Binary. A row of
            a file has up to three digests, and may be listed by each.
    """

    file: str
    status: Status
    sha256: str = ""
    rows_accepted: int | None = None
    rows_rejected: int | None = None
    received_at: datetime.datetime | None = None
    reasons: Mapping[str, int]
    rejected: pl.DataFrame = field(repr=False)

    @property
    def rows_listed(self) -> int:
        """The fewest rows of the file that the listed digests can belong to."""
        return max((self.rejected["algorithm"] == algorithm.value).sum() for algorithm in Digest)


@dataclass(frozen=True)
class SentFile:
    """What is known of a file that was sent: SHA-256, lower-case hexadecimal, and rows without the header."""

    sha256: str
    rows: int


def read_receipt(content: bytes, name: str) -> Receipt:
    """
    Read a receipt.

    ``.json`` holds one object with ``file`` and ``status`` (accepted, rejected, partial),
    and as the partner likes ``sha256``, ``rows_accepted``, ``rows_rejected``,
    ``rejections`` (objects of ``digest`` and ``reason``) and ``received_at`` (ISO 8601 with
    a time zone). ``.csv`` and ``.psv`` hold the columns ``file, digest, status, reason``:
    a row without a digest is about the whole file, at most one; a row with one is about
    that row of the file. Where none is about the file, it is accepted if nothing was
    rejected, and else partial.

    Args:
        content: The receipt's bytes.

        name: Its own name; its ending says which form it has.

    Returns:
        The receipt. That its file was ever sent is for `match` to say.

    Raises:
        ReceiptRefused: it is of no such form, or contradicts itself.
    """
    shown = name if re.fullmatch(_FILE, name) else "a receipt"
    if len(content) > MOST_BYTES:
        raise ReceiptRefused(f"{shown}: it has more than {MOST_BYTES} bytes")
    problem = ""
    try:
        receipt = _from_json(content) if name.endswith(".json") else _from_rows(content, name)
        _require_consistent(receipt)
        return receipt
    except (_Misfit, strict_json.Unreadable) as misfit:
        problem = str(misfit)
    # Raised out here, so that nothing that holds a part of the receipt is carried along.
    raise ReceiptRefused(f"{shown}: {problem}")


def match(receipt: Receipt, sent_files: Mapping[str, SentFile]) -> SentFile:
    """
    The file that a receipt is about.

    Args:
        receipt: From `read_receipt`.

        sent_files: By name.

    Raises:
        ReceiptRefused: no such file was sent, or one with other bytes; or the receipt counts more rows than the file
            has, or says accepted of fewer.
    """
    sent = sent_files.get(receipt.file)
    if sent is None:
        # The name is not told: a file that was never sent was named by somebody else.
        raise ReceiptRefused("a receipt is about a file that was not sent to this destination")
    if receipt.sha256 and receipt.sha256 != sent.sha256:
        raise ReceiptRefused(f"{receipt.file}: its receipt is of other bytes than were sent")
    rejected = max(receipt.rows_rejected or 0, receipt.rows_listed)
    if (receipt.rows_accepted or 0) + rejected > sent.rows:
        raise ReceiptRefused(f"{receipt.file}: its receipt counts more than the {sent.rows} rows it has")
    if receipt.status is Status.ACCEPTED and receipt.rows_accepted not in (None, sent.rows):
        raise ReceiptRefused(f"{receipt.file}: its receipt says accepted, and counts fewer than its {sent.rows} rows")
    return sent


class _Misfit(Exception):
    """Not of the form; the message names the rule, never the text."""


def _require(fits: object, problem: str) -> None:
    if not fits:
        raise _Misfit(problem)


def _from_json(content: bytes) -> Receipt:
    told = strict_json.parse(content)
    _require(isinstance(told, dict), "it is no object")
    _require(told.keys() <= _KEYS, "it has a key that no receipt has")
    rejections = told.get("rejections", [])
    _require(isinstance(rejections, list), "rejections are no list")
    for one in rejections:
        _require(isinstance(one, dict) and one.keys() <= {"digest", "reason"}, "a rejection is no digest and reason")
    return Receipt(
        file=_file(told.get("file")),
        status=_status(told.get("status")),
        sha256=_sha256(told.get("sha256")),
        rows_accepted=_count(told.get("rows_accepted")),
        rows_rejected=_count(told.get("rows_rejected")),
        received_at=_time(told.get("received_at")),
        reasons=_reasons(one.get("reason") for one in rejections),
        rejected=_digests(one.get("digest") for one in rejections),
    )


def _from_rows(content: bytes, name: str) -> Receipt:
    delimiter = {"csv": ",", "psv": "|"}.get(name.rpartition(".")[2])
    _require(delimiter, "a receipt ends in .json, .csv or .psv")
    rows = _rows(content, str(delimiter))
    _require(rows and tuple(rows[0]) == ROW_HEADER, f"its first line is not {', '.join(ROW_HEADER)}")
    rows = [row for row in rows[1:] if row]
    _require(rows, "it has no rows")
    _require(all(len(row) == len(ROW_HEADER) for row in rows), "a row has more or fewer columns than the header")
    _require(len({row[0] for row in rows}) == 1, "it is about several files")
    whole = [_status(status) for _, digest, status, _ in rows if not digest]
    single = [(digest, _status(status), reason) for _, digest, status, reason in rows if digest]
    _require(len(whole) <= 1, "it says twice what became of the file")
    _require(Status.PARTIAL not in {status for _, status, _ in single}, "a row is accepted or rejected, not partial")
    rejected = [(digest, reason) for digest, status, reason in single if status is Status.REJECTED]
    accepted = _digests(digest for digest, status, _ in single if status is Status.ACCEPTED)
    refused = _digests(digest for digest, _ in rejected)
    _require(accepted.join(refused, on=["algorithm", "digest"]).is_empty(), "a row is both accepted and rejected")
    return Receipt(
        file=_file(rows[0][0]),
        status=whole[0] if whole else Status.PARTIAL if rejected else Status.ACCEPTED,
        # Nobody speaks for the whole file, so only the rows that are there are accepted.
        rows_accepted=None if whole else max((accepted["algorithm"] == a.value).sum() for a in Digest),
        reasons=_reasons([*(reason for _, reason in rejected), *_of_the_file(rows, whole)]),
        rejected=refused,
    )


def _of_the_file(rows: list[list[str]], whole: list[Status]) -> list[str]:
    """Why the whole file was rejected, if it was and the partner says so."""
    return [reason for _, digest, _, reason in rows if not digest and reason and whole[0] is not Status.ACCEPTED]


def _rows(content: bytes, delimiter: str) -> list[list[str]]:
    _require(b"\0" not in content, "it is not ASCII text")
    problem = "it is not ASCII text"
    try:
        text = io.StringIO(content.decode("ascii"), newline="")
        return [[cell.strip() for cell in row] for row in csv.reader(text, delimiter=delimiter, strict=True)]
    except csv.Error:
        problem = "its quotes or line ends are not those of a table"
    except UnicodeDecodeError:
        pass
    raise _Misfit(problem)


def _require_consistent(receipt: Receipt) -> None:
    rejects = receipt.rows_rejected or receipt.rejected.height
    if receipt.status is Status.ACCEPTED:
        _require(not rejects, "it says accepted, and that rows were rejected")
    if receipt.status is Status.REJECTED:
        _require(not receipt.rows_accepted, "it says rejected, and that rows were accepted")
    if receipt.rows_rejected is not None:
        _require(receipt.rows_listed <= receipt.rows_rejected, "it lists more rejections than it counts")


def _file(told: Any) -> str:
    _require(isinstance(told, str) and re.fullmatch(_FILE, told), "file is no name that a file of ours could have")
    return told


def _status(told: Any) -> Status:
    _require(isinstance(told, str) and told in set(Status), "a status is not accepted, rejected or partial")
    return Status(told)


def _sha256(told: Any) -> str:
    if told is None:
        return ""
    _require(isinstance(told, str) and re.fullmatch(r"[0-9A-Fa-f]{64}", told), "sha256 is not 64 hexadecimal digits")
    return told.lower()


def _count(told: Any) -> int | None:
    # A bool is an int in Python, and no count.
    fits = told is None or (type(told) is int and 0 <= told <= _MOST_ROWS)
    _require(fits, "a number of rows is no whole number that a file can have")
    return told


def _time(told: Any) -> datetime.datetime | None:
    if told is None:
        return None
    found = None
    if isinstance(told, str):
        try:
            found = datetime.datetime.fromisoformat(told)
        except ValueError:
            found = None
    _require(found is not None and found.utcoffset() is not None, "received_at is no time with a zone")
    return found


def _reasons(told: Iterable[Any]) -> dict[str, int]:
    counts = Counter(map(_code, told))
    most = dict(sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:MOST_REASONS])
    if rest := counts.total() - sum(most.values()):
        most[_OTHER] = most.get(_OTHER, 0) + rest
    return dict(sorted(most.items()))


def _code(told: Any) -> str:
    """A reason as a code, or ``other``: its text might quote the row that it is about."""
    text = told.strip().lower() if isinstance(told, str) else ""
    return text if re.fullmatch(_CODE, text) else _OTHER


def _digests(told: Iterable[Any]) -> pl.DataFrame:
    found = [to_bytes(text) if isinstance(text, str) else None for text in told]
    _require(None not in found, "a rejected row is not named by a digest")
    schema = {"algorithm": pl.String, "digest": pl.Binary}
    rows = [(algorithm.value, digest) for algorithm, digest in filter(None, found)]
    return pl.DataFrame(rows, schema=schema, orient="row").unique().sort("algorithm", "digest")
