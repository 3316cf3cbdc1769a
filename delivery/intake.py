"""
The intake: what partners leave for us. Opt-out lists, and receipts for the files they got.

A folder a partner, below ``SUDARE_INTAKE``: ``<list>/lists`` and ``<destination>/receipts``. Of lists the newest file
stands; it stays where it is, and its time is when the partner made it, in an object store when it was put there. A
receipt is moved away once it is taken in.
"""

import datetime
from dataclasses import dataclass
from pathlib import Path

from anonymizers.errors import OptOutListRefused, OutboxUnwritable, SudareError, Transient
from delivery.ledger import Ledger
from delivery.partner_lists import CLOCK_SKEW, ListMeta, PartnerList, read_list, require_usable
from delivery.receipts import SentFile, Status, match, read_receipt
from delivery.spec import Destination
from transforms.places import make_folder, unwritable_as

RECEIPT_BYTES = 64 << 20


@dataclass(frozen=True)
class TakenIn:
    """How many lists and receipts were taken in."""

    lists: int = 0
    receipts: int = 0


def take_in(ledger: Ledger, intake: Path, destination: Destination, now: datetime.datetime, accepted: str) -> TakenIn:
    """
    Take in a destination's newest list and all its receipts.

    Args:
        ledger: Where they are kept.

        intake: The folder of folders.

        destination: Whose.

        now: With a time zone.

        accepted: SHA-256 of a list that somebody has looked at and found right, see `require_usable`.

    Returns:
        Counts. A list that was refused is kept as such and stops the feed by `require_list`; a receipt lies where
        `refused_receipts` counts it.
    """
    with unwritable_as(OutboxUnwritable, "intake"):
        return _take_all(ledger, intake, destination, now, accepted)


def _take_all(ledger: Ledger, intake: Path, destination: Destination, now: datetime.datetime, accepted: str) -> TakenIn:
    lists = _take_list(ledger, intake, destination.opt_out_list, now, accepted)
    count = 0
    for path in put_down(intake / destination.name / "receipts"):
        try:
            _take_receipt(ledger, destination, path, now)
            count += 1
        except Transient:
            raise  # the receipt stays where it is
        except SudareError:
            _move(path, "refused")
        else:
            _move(path, "taken")
    return TakenIn(lists, count)


def refused_receipts(intake: Path, destination: str) -> int:
    """How many receipts lie refused, until somebody has looked at them and taken them away."""
    with unwritable_as(OutboxUnwritable, "intake"):
        return len(put_down(intake / destination / "receipts" / "refused"))


def put_down(folder: Path) -> list[Path]:
    """Whole files: what is still being put down is hidden or ends in ``.part``."""
    found = (path for path in folder.glob("*") if path.is_file())
    return sorted(path for path in found if not path.name.startswith(".") and path.suffix != ".part")


def _take_list(ledger: Ledger, intake: Path, source: str, now: datetime.datetime, accepted: str) -> int:
    files = put_down(intake / source / "lists") if source else []
    if not files:
        return 0
    newest = max(files, key=lambda path: (path.stat().st_mtime_ns, path.name))
    produced = datetime.datetime.fromtimestamp(newest.stat().st_mtime, datetime.UTC)
    kept = ledger.lists(source)
    usable = next((one for one in kept if not one["refused"]), None)
    row = {"source": source, "produced_at": produced, "taken_at": now}
    try:
        if produced - now > CLOCK_SKEW:
            raise OptOutListRefused(f"opt-out list {source}: its time is later than now; check the clocks")
        # The first list of a partner has none before it that would say whether it may be empty.
        with newest.open("rb") as file:
            found = read_list(source, file, accept_empty=bool(usable or accepted))
        if not usable and not found.digests.height and accepted != found.sha256:
            raise OptOutListRefused(
                f"opt-out list {source}: the first one is of nobody; ask the partner, and accept the list "
                f"{found.sha256}"
            )
        if kept and _same(kept[0], found, produced) and (not kept[0]["refused"] or accepted != found.sha256):
            return 0
        # Whether it is too old is asked when it is used.
        require_usable(source, usable and _meta(usable), found.meta(produced), produced, accepted)
    except SudareError as error:
        if not kept or kept[0]["produced_at"] != produced or not kept[0]["refused"]:
            ledger.keep_list({**row, **_NOTHING, "refused": f"{error.reason}: {error}"}, None)
        return 0
    told = {"sha256": found.sha256, "bytes": found.bytes, "rows": found.rows, "listed": found.digests.height}
    ledger.keep_list({**row, **told, "rejected": dict(found.rejected), "refused": None}, found.digests)
    return 1


_NOTHING = {"sha256": "", "bytes": 0, "rows": 0, "listed": 0, "rejected": {}}


def _same(kept: dict, found: PartnerList, produced: datetime.datetime) -> bool:
    return kept["sha256"] == found.sha256 and kept["produced_at"] == produced


def _meta(row: dict) -> ListMeta:
    return ListMeta(
        kind=row["source"],
        **{name: row[name] for name in ("sha256", "bytes", "rows", "listed", "rejected", "produced_at")},
    )


def require_list(ledger: Ledger, destination: Destination, now: datetime.datetime) -> None:
    """
    Check that the list a destination depends on can be relied on.

    Raises:
        OptOutListMissing, OptOutListStale, OptOutListRefused: it cannot; no feed is made, and no other one is stopped.
    """
    if not (source := destination.opt_out_list):
        return
    kept = ledger.lists(source)
    if kept and kept[0]["refused"]:
        raise OptOutListRefused(f"{destination.name}: {kept[0]['refused']}")
    require_usable(source, None, _meta(kept[0]) if kept else None, now)


def _take_receipt(ledger: Ledger, destination: Destination, path: Path, now: datetime.datetime) -> None:
    with path.open("rb") as file:
        receipt = read_receipt(file.read(RECEIPT_BYTES + 1), path.name)
    # Also what we never heard of arriving: a receipt is how we hear of it.
    arrived = ledger.deliveries(destination.name)
    # A partner names and digests what it got, which is the sealed file where there is one.
    sent = {one.file: SentFile(one.content_sha256, one.rows) for one in arrived}
    sent |= {f"{one.file}.gpg": SentFile(one.sealed_sha256 or "", one.rows) for one in arrived}
    match(receipt, sent)
    delivery = next(one for one in arrived if one.file == receipt.file.removesuffix(".gpg"))
    # Where some rows were rejected and nobody says which, none of them is acknowledged.
    named = (receipt.rows_rejected or 0) <= receipt.rows_listed
    told = {"rejections": dict(receipt.reasons), "rows_rejected": receipt.rows_rejected or receipt.rows_listed}
    counted = receipt.rows_accepted
    whole = counted is None or counted + max(receipt.rows_rejected or 0, receipt.rows_listed) >= delivery.rows
    in_part = receipt.status is Status.PARTIAL and named and receipt.rows_listed and whole
    accepted = receipt.status is Status.ACCEPTED or in_part
    ledger.answered(delivery, bool(accepted), told, receipt.rejected.select("digest"), receipt.rows_listed, now)


def _move(path: Path, to: str) -> None:
    folder = path.parent / to
    make_folder(folder, 0o700)
    # In a store a copy and a deletion; between them the receipt is there twice, and taken in twice it says the same.
    path.rename(folder / path.name)
