"""
A feed: the digests of the permitted addresses, as the destination's file.

The feed branch never touches staging: pseudonymised statistics data may not become an ad
feed. Addresses live in memory only; what is written are the digests, in a private place,
until the gate and the fence have let them pass.
"""

import dataclasses
import datetime
import io
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import isal.igzip
import polars as pl

from anonymizers.errors import GateRefused, OutboxUnwritable, PermitRefused
from anonymizers.keys import Key
from delivery.buckets import KEY, Buckets, how_many
from delivery.consent import READER, Moment, Permitted, barred_addresses, permit, read_shard
from delivery.digest_files import DigestFile
from delivery.spec import Destination, Digest, FileForm
from transforms.ahead import ahead
from transforms.deidentification import Account
from transforms.places import unwritable_as
from transforms.source import Shard, Source

READ_BYTES = 8 << 20

HOLDERS_CEILING = 5
"""Permitted members of one address, above which it is nobody's own: held back, and counted."""

ROWS = "rows"
"""Folder of the rows beside a pending file: whose they are, for the ledger."""


@dataclass(frozen=True)
class Feed:
    """
    A feed that is not yet sent. It lies in a private place; this is what may be told of it.

    Attributes:
        destination: Its destination's name.
        file: Its name.
        rows: Of the file.
        sha256: Of the file's bytes.
        plain_bytes: Of the file before compression.
        account: Members read, permitted, and left out by their first reason.
        reasons: How often each reason applies.
    """

    destination: str
    file: str
    rows: int
    sha256: str
    plain_bytes: int
    account: dict
    reasons: dict[str, int]

    def as_dict(self) -> dict:
        return dataclasses.asdict(self)


def rows_for(destination: Destination, permitted: Permitted) -> pl.DataFrame:
    """
    What a permit holds, for the destination that it is for.

    Raises:
        PermitRefused: what is given is no `Permitted`, or one for another destination.
    """
    if not isinstance(permitted, Permitted) or permitted.destination != destination.name:
        raise PermitRefused(f"{destination.name}: only what is permitted for this destination is its own")
    return permitted.rows


def build_feed(
    destination: Destination,
    source: Source,
    shards: list[Shard],
    moment: Moment,
    opted_out: pl.DataFrame,
    key: Key,
    place: Path,
) -> Feed:
    """
    Permit all shards in one transaction of the ads reader, and write the file in a private place.

    Args:
        destination: For whom.

        source: The site's database.

        shards: Whose rows; the addresses of one shard are in memory at a time, and the digests of one part.

        moment: Day of consents and ages; instant of the stop signals.

        opted_out: Digests of the destination's opt-out list.

        key: Of the ledger's tokens.

        place: Emptied first.

    Raises:
        OutboxUnwritable, StorageFull: it could not be kept.
    """
    accounts, reasons = [], {}
    with unwritable_as(OutboxUnwritable, "outbox"):
        shutil.rmtree(place, ignore_errors=True)
        place.mkdir(parents=True, mode=0o700)
    with source.session(READER) as session:
        spilled = Buckets(place / "parts", how_many(session.count("members")))
        barred = barred_addresses(destination, session, moment, shards)
        for rows in ahead(read_shard(session, shard) for shard in shards):
            decision = permit(destination, rows, moment, barred, opted_out, key)
            spilled.add(rows_for(destination, decision.permitted))
            accounts.append(decision.account)
            for reason, count in decision.reasons.items():
                reasons[reason] = reasons.get(reason, 0) + count
    told = write_file(destination, moment.day, spilled, place)
    spilled.remove()
    return Feed(
        destination.name,
        **told["file"],
        account=_account(accounts, told).as_dict(),
        reasons=dict(sorted(reasons.items())),
    )


def write_file(destination: Destination, day: datetime.date, spilled: Buckets, place: Path) -> dict:
    """
    Write the file of permitted rows, and the rows beside it.

    Returns:
        ``rows``, ``holders`` and ``address_of_many``; ``file`` with its name, rows, digest and size before compression.
    """
    counts = {"rows": 0, "holders": 0, "address_of_many": 0}
    writer = DigestFile(destination.columns, destination.encoding, destination.form)
    with unwritable_as(OutboxUnwritable, "outbox"):
        (place / ROWS).mkdir(mode=0o700)
        with (place / "feed.part").open("wb") as file, writer.opened(file):
            for number, rows in enumerate(spilled.in_order()):
                if rows.is_empty():
                    continue
                # In order, whoever shares an address stands together.
                address = pl.col(KEY).rle_id()
                kept = rows.filter(pl.len().over(address) <= HOLDERS_CEILING)
                counts["address_of_many"] += rows.height - kept.height
                kept.write_ipc(place / ROWS / f"{number:03d}.arrow", compression="uncompressed")
                distinct = kept.filter(address.is_first_distinct())
                writer.write(distinct)
                counts["rows"] += distinct.height
                counts["holders"] += kept.height
        sha256 = writer.sha256
        name = file_name(destination, day, sha256)
        (place / "feed.part").replace(place / name)
    return counts | {
        "file": {"file": name, "rows": counts["rows"], "sha256": sha256, "plain_bytes": writer.plain_bytes}
    }


def _account(accounts: list[Account], told: dict) -> Account:
    dropped: dict[str, int] = {}
    for one in accounts:
        for reason, count in one.dropped.items():
            dropped[reason] = dropped.get(reason, 0) + count
    # What two members share was permitted to both and is one row, across shards as within them.
    dropped |= {"address_shared": told["holders"] - told["rows"], "address_of_many": told["address_of_many"]}
    return Account(
        sum(one.read for one in accounts), {reason: count for reason, count in sorted(dropped.items()) if count}
    )


def file_name(destination: Destination, day: datetime.date, sha256: str) -> str:
    """ASCII, and named by its content, so that the same feed is the same file and a changed one is another."""
    packed = ".gz" if destination.form.gzip else ""
    return f"sudare_{destination.name}_{day:%Y%m%d}_{sha256[:12]}.{destination.form.extension}{packed}"


def read_rows(place: Path) -> Iterator[pl.DataFrame]:
    """Whose the rows of a pending file are, part by part: as `rows_for` gives them."""
    for path in sorted((place / ROWS).glob("*.arrow")):
        yield pl.read_ipc(path)


def read_back(columns: tuple[tuple[str, Digest], ...], form: FileForm, path: Path) -> Iterator[pl.DataFrame]:
    """
    A finished file as the partner would read it: its values as text, in chunks.

    Its own headers are the columns' names; where it has none, those of the destination.
    """
    opened = isal.igzip.open(path, "rb") if form.gzip else path.open("rb")
    with opened as file:
        headers = [header for header, _ in columns]
        if form.header:
            line = file.readline().decode("utf-8", "replace").rstrip("\n")
            headers = [value.strip('"') for value in line.split(form.delimiter)]
        rest = b""
        while data := file.read(READ_BYTES):
            whole, _, rest = (rest + data).rpartition(b"\n")
            if whole:
                yield _parse(whole, headers, form)
        if rest:
            yield _parse(rest, headers, form)


def digests_in(destination: Destination, path: Path) -> set[str]:
    """The SHA-256 digests in a finished file, in hexadecimal."""
    header = next(header for header, algorithm in destination.columns if algorithm is Digest.SHA256)
    found: set[str] = set()
    for chunk in read_back(destination.columns, destination.form, path):
        found.update(chunk[header].str.decode(destination.encoding.value).bin.encode("hex"))
    return found


def _parse(data: bytes, headers: list[str], form: FileForm) -> pl.DataFrame:
    try:
        return pl.read_csv(
            io.BytesIO(data + b"\n"),
            has_header=False,
            separator=form.delimiter,
            schema=dict.fromkeys(headers, pl.String),
        )
    except pl.exceptions.PolarsError:
        raise GateRefused("a finished file has a row that does not fit its headers; run the night again") from None
