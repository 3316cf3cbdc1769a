"""
Opt-out lists: who has told a partner to stop, as the partner hands it over.

A list is a stranger's file that decides who is left alone, so it is believed only whole:
what is damaged, cut short, of another form or suspiciously shorter than the last one is
refused, and a feed that needs it is not sent. Its digests are personal data; no message
and no ``repr`` shows one.
"""

import datetime
import errno
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

import polars as pl

from anonymizers.errors import OptOutListMissing, OptOutListRefused, OptOutListStale, Terminal
from delivery.digest_text import as_text
from delivery.list_forms import FORMS, SCHEMA, Rows, Watched
from delivery.spec import Digest

MOST_BYTES = 8 << 30
"""Of a list after unpacking, 60 million rows of LiveRamp's form. What unpacks to more was made to do harm."""

OLDEST = datetime.timedelta(hours=24)
CLOCK_SKEW = datetime.timedelta(minutes=10)

MOST_LOST = 20
"""One in so many, 5 %, may leave a list from one to the next, or be unreadable in it, before somebody has to look."""

UNREADABLE = frozenset(("wrong_columns", "flag_unknown", "no_digest", "digest_malformed", "reason_unknown"))
"""Reasons of rejection behind which somebody who said stop may stand."""


@dataclass(frozen=True, kw_only=True)
class ListMeta:
    """
    What is kept of a list to judge the next one by; nobody's digest is in it.

    Attributes:
        kind: Whose list, as in `Destination.opt_out_list`.
        sha256: Of the file as it came, lower-case hexadecimal.
        bytes: Of the file as it came.
        rows: In the file, header and empty lines apart.
        listed: Distinct rows that were taken.
        rejected: Rows that were not, by reason.
        produced_at: When the partner made it, with a time zone.
    """

    kind: str
    sha256: str
    bytes: int
    rows: int
    listed: int
    rejected: Mapping[str, int]
    produced_at: datetime.datetime

    @property
    def unreadable(self) -> int:
        """Rows behind which somebody who said stop may stand, and which could not be read."""
        return sum(count for reason, count in self.rejected.items() if reason in UNREADABLE)


@dataclass(frozen=True, kw_only=True, eq=False)
class PartnerList:
    """
    An opt-out list, read.

    Attributes:
        kind: Whose list, as in `Destination.opt_out_list`.
        sha256: Of the file as it came, lower-case hexadecimal.
        bytes: Of the file as it came.
        rows: In the file, header and empty lines apart.
        rejected: Rows that were not taken, by reason.
        partly_read: Rows that were taken by one digest while another of theirs was malformed.
        digests: Distinct rows in order, shape (listed, 3): Binary columns ``sha256``, ``sha1``, ``md5``, null where the
            list has none. Nobody has checked that those of one row are of one address, and nobody can.
    """

    kind: str
    sha256: str
    bytes: int
    rows: int
    rejected: Mapping[str, int]
    partly_read: int = 0
    digests: pl.DataFrame = field(repr=False)

    def meta(self, produced_at: datetime.datetime) -> ListMeta:
        """What of this list is kept; ``produced_at`` is when the partner made it."""
        return ListMeta(
            kind=self.kind,
            sha256=self.sha256,
            bytes=self.bytes,
            rows=self.rows,
            listed=self.digests.height,
            rejected=self.rejected,
            produced_at=produced_at,
        )


def read_list(
    kind: str, content: BinaryIO | Path, *, most_bytes: int = MOST_BYTES, accept_empty: bool = False
) -> PartnerList:
    """
    Read an opt-out list that a partner has handed over, plain or gzip.

    ``liveramp`` is a table with the header ``md5_hash|sha1_hash|sha256_hash|opted-out``, in
    this order. A row with the flag 1 is taken by every digest of it that can be read; a
    row with another flag is rejected and counted, and lifts nobody's stop. ``uid2`` is
    JSON that holds the digest beside the verdict: a response of identity map v2, or
    ``{"request": …, "response": …}`` of v3, whose items correspond by position; or a list
    of such documents, one per batch. Digests of telephone numbers are told apart in v3
    only; in v2 they are taken, and match no address.

    Args:
        kind: ``liveramp`` or ``uid2``.

        content: The file, or where it is.

        most_bytes: Of the file after unpacking.

        accept_empty: Somebody has checked that a table with a header and nothing else is right.

    Returns:
        The list. It says who said stop, never who did not.

    Raises:
        OptOutListMissing: there is no such file.
        OptOutListRefused: it is of another form, damaged, too large, holds addresses or numbers in the clear, or has
            nothing that can be read.

    Source:
        https://docs.liveramp.com/connect/en/for-match-partners--uploading-consumer-opt-out-files.html,
        https://unifiedid.com/docs/endpoints/post-identity-map-v2,
        https://unifiedid.com/docs/endpoints/post-identity-map,
        https://unifiedid.com/docs/endpoints/post-optout-status, read 2026-11-23. LiveRamp's page prints the columns in
        this order and does not say that another is allowed.
    """
    if kind not in FORMS:
        raise OptOutListRefused(f"opt-out list {kind}: no form is known for it")
    with _opened(kind, content) as file:
        watched = Watched(file)
        read = FORMS[kind](kind, watched, most_bytes)
    rows = read.digests.height + sum(read.rejected.values())
    _require_content(kind, rows, read, accept_empty or kind == "uid2")
    return PartnerList(
        kind=kind,
        sha256=watched.sha256.hexdigest(),
        bytes=watched.size,
        rows=rows,
        rejected=dict(sorted(read.rejected.items())),
        partly_read=read.partly_read,
        digests=read.digests.unique().sort(list(SCHEMA)),
    )


def _require_content(kind: str, rows: int, read: Rows, accept_empty: bool) -> None:
    if not rows and not accept_empty:
        raise OptOutListRefused(f"opt-out list {kind}: a header and no rows; ask the partner whether that is right")
    if read.digests.is_empty() and (lost := sum(read.rejected[reason] for reason in UNREADABLE)):
        raise OptOutListRefused(f"opt-out list {kind}: not one row can be read, and {lost} may be somebody's stop")


@contextmanager
def _opened(kind: str, content: BinaryIO | Path) -> Iterator[BinaryIO]:
    """
    The file, if there is one.

    Raises:
        OptOutListMissing, OptOutListRefused: instead of what the system says of a path.
    """
    if not isinstance(content, Path):
        yield content
        return
    problem: Terminal
    try:
        file = content.open("rb")
    except FileNotFoundError:
        problem = OptOutListMissing(f"opt-out list {kind}: there is no such file")
    except OSError as refused:
        problem = OptOutListRefused(f"opt-out list {kind}: {errno.errorcode.get(refused.errno or 0, 'OSError')}")
    else:
        with file:
            yield file
        return
    raise problem from None


def require_usable(
    kind: str,
    previous: ListMeta | None,
    this: ListMeta | None,
    now: datetime.datetime,
    accepted: str = "",
) -> None:
    """
    Check that a list may stand for who has said stop tonight.

    Args:
        kind: Whose list is needed.

        previous: The list that was last used, or None before the first.

        this: The list that is at hand, or None.

        now: With a time zone.

        accepted: SHA-256 of a list that somebody has looked at and found right although it is shorter, older than the
            last one, or has rows that cannot be read. It names one file, so it is spent with it.

    Raises:
        OptOutListMissing: there is none.
        OptOutListStale: it was made more than 24 hours ago.
        OptOutListRefused: it is another partner's; was made more than 10 minutes from now; is empty and the last one
            was not; has lost more than 5 % of the last one; was made before the last one; or more than 5 % of its rows
            cannot be read.
    """
    if this is None:
        raise OptOutListMissing(f"opt-out list {kind}: there is none, and without it nobody knows who has said stop")
    if this.kind != kind or (previous is not None and previous.kind != kind):
        raise OptOutListRefused(f"opt-out list {kind}: this is another partner's")
    if this.produced_at - now > CLOCK_SKEW:
        raise OptOutListRefused(f"opt-out list {kind}: it says that it was made later than now; check both clocks")
    if now - this.produced_at > OLDEST:
        raise OptOutListStale(f"opt-out list {kind}: it is older than 24 hours; fetch a new one")
    if (doubt := _doubt(previous, this)) and accepted != this.sha256:
        raise OptOutListRefused(
            f"opt-out list {kind}: {doubt}; ask the partner, and if it is right, accept the list {this.sha256}"
        )


def _doubt(previous: ListMeta | None, this: ListMeta) -> str:
    if this.unreadable * MOST_LOST > this.rows:
        return f"{this.unreadable} of {this.rows} rows cannot be read"
    if previous is None:
        return ""
    if this.produced_at < previous.produced_at:
        return "it was made before the one that was used last"
    if previous.listed and not this.listed:
        return f"it is empty, and the last one had {previous.listed}"
    if (previous.listed - this.listed) * MOST_LOST > previous.listed:
        return f"it has {this.listed}, and the last one had {previous.listed}"
    return ""


def asked(on_list: pl.DataFrame) -> list[Digest]:
    """The digests that a list has any of, given its ``digests``: by these addresses are looked for on it."""
    return [algorithm for algorithm in Digest if on_list[algorithm.value].null_count() < on_list.height]


def listed(digests: pl.DataFrame, on_list: pl.DataFrame) -> pl.Series:
    """
    Whether each address is on a list, by any of the digests that the list has.

    A row of a list may hold digests of different addresses, or one only; so each counts alone.

    Args:
        digests: Of addresses in the normal form that the *list's owner* digests, in hexadecimal, a column per
            algorithm that is `asked`; null is on no list. The form that another destination wants may have another
            digest.

        on_list: Of a `PartnerList`: Binary columns ``sha256``, ``sha1``, ``md5``, shape (listed, 3).

    Returns:
        ``listed``, Boolean, shape (rows,), without nulls.

    Raises:
        ValueError: the list's digests are of another shape or type.
    """
    if dict(on_list.schema) != SCHEMA:
        raise ValueError("digests of a list are the Binary columns sha256, sha1 and md5")
    found = [
        pl.col(algorithm.value).is_in(
            on_list.select(as_text(pl.col(algorithm.value).drop_nulls())).to_series().implode()
        )
        for algorithm in asked(on_list)
    ]
    # A literal of no rows keeps the frame's height: without it, a list of nobody would be one row.
    hits = pl.any_horizontal(*found, pl.first().is_null() & False)
    return digests.select(hits.fill_null(False).alias("listed")).to_series()
