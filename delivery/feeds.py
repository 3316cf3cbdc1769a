"""
A feed: the digests of the permitted addresses, as the destination's file.

The feed branch never touches staging: pseudonymised statistics data may not become an ad
feed. Addresses live in memory only; what is written are the digests, in a private place,
until the gate and the fence have let them pass.
"""

import datetime
import hashlib
import io
from dataclasses import dataclass
from pathlib import Path

import isal.igzip
import polars as pl

from anonymizers.errors import OutboxUnwritable, PermitRefused
from delivery.consent import READER, Permitted, barred_addresses, permit
from delivery.match_keys import digest
from delivery.spec import Destination
from transforms.deidentification import Account
from transforms.source import Shard, Source
from transforms.staging import unwritable_as

GZIP_LEVEL = 2
"""ISA-L's level 2 is as small as gzip -6 on digests, which do not compress, and ten times as fast."""

ROWS_PER_CHUNK = 100_000


@dataclass(frozen=True)
class Feed:
    """
    A feed that is not yet sent.

    Attributes:
        destination: Its destination's name.
        day: The night's day.
        digests: Distinct rows in the order of the first column, one column per header.
        account: Members read, permitted, and left out by their first reason.
    """

    destination: Destination
    day: datetime.date
    digests: pl.DataFrame
    account: Account


def encode(destination: Destination, permitted: Permitted) -> pl.DataFrame:
    """
    Digest the permitted addresses, one column per header of the destination.

    Raises:
        PermitRefused: what is given is no `Permitted`, or one for another destination.
    """
    if not isinstance(permitted, Permitted) or permitted.destination != destination.name:
        raise PermitRefused(f"{destination.name}: only addresses permitted for this destination are encoded")
    key = pl.col("key")
    columns = [digest(key, algorithm).alias(header) for header, algorithm in destination.columns]
    return pl.DataFrame({"key": permitted.keys.cast(pl.String)}).select(columns)


def build_feed(
    destination: Destination, source: Source, shards: list[Shard], day: datetime.date, now: datetime.datetime
) -> Feed:
    """
    Permit and encode all shards in one transaction of the ads reader.

    Args:
        destination: For whom.

        source: The site's database.

        shards: Whose rows; the addresses of one shard are in memory at a time.

        day: Whose consents and ages.

        now: Whose stop signals.
    """
    parts, accounts = [], []
    with source.session(READER) as session:
        barred = barred_addresses(destination, session, day, now)
        for shard in shards:
            permitted, one = permit(destination, session, shard, day, now, barred)
            parts.append(encode(destination, permitted))
            accounts.append(one)
    first = destination.columns[0][0]
    digests = pl.concat(parts).unique(subset=first).sort(first)  # all columns digest the same address
    return Feed(destination, day, digests, _add_up(accounts, digests.height))


def _add_up(accounts: list[Account], rows: int) -> Account:
    dropped: dict[str, int] = {}
    for one in accounts:
        for reason, count in one.dropped.items():
            dropped[reason] = dropped.get(reason, 0) + count
    # An address that two shards' members share was permitted twice and is one row.
    if again := sum(one.kept for one in accounts) - rows:
        dropped["address_shared"] = dropped.get("address_shared", 0) + again
    return Account(sum(one.read for one in accounts), dict(sorted(dropped.items())))


def file_name(feed: Feed, content: bytes) -> str:
    """ASCII, and named by its content, so that the same feed is the same file and a changed one is another."""
    return f"sudare_{feed.destination.name}_{feed.day:%Y%m%d}_{hashlib.sha256(content).hexdigest()[:12]}.csv.gz"


def render(feed: Feed) -> bytes:
    """
    The destination's file: CSV, every value quoted, LF, gzip without a time stamp; the same feed, the same bytes.

    Source:
        https://docs.liveramp.com/connect/en/formatting-column-based-files.html, read 2026-11-23.
    """
    buffer = io.BytesIO()
    with isal.igzip.IGzipFile(fileobj=buffer, mode="wb", filename="", compresslevel=GZIP_LEVEL, mtime=0) as file:
        file.write((",".join(f'"{header}"' for header in feed.digests.columns) + "\n").encode())
        for start in range(0, feed.digests.height, ROWS_PER_CHUNK):
            chunk = feed.digests.slice(start, ROWS_PER_CHUNK)
            file.write(chunk.write_csv(include_header=False, quote_style="always").encode())
    return buffer.getvalue()


def keep_pending(feed: Feed, place: Path) -> dict:
    """
    Keep a rendered feed in a private place until it is handed over.

    Returns:
        What may be told of it: name, rows, SHA-256, counts.

    Raises:
        OutboxUnwritable, StorageFull: it could not be kept.
    """
    content = render(feed)
    name = file_name(feed, content)
    with unwritable_as(OutboxUnwritable, "outbox"):
        place.mkdir(parents=True, exist_ok=True, mode=0o700)
        for stale in place.iterdir():
            stale.unlink()
        (place / name).write_bytes(content)
    return {
        "destination": feed.destination.name,
        "file": name,
        "rows": feed.digests.height,
        "sha256": hashlib.sha256(content).hexdigest(),
        "account": feed.account.as_dict(),
    }


def read_back(destination: Destination, content: bytes) -> pl.DataFrame:
    """The digests in a rendered file, as a partner would read them."""
    return pl.read_csv(
        io.BytesIO(isal.igzip.decompress(content)), schema_overrides={h: pl.String for h, _ in destination.columns}
    )
