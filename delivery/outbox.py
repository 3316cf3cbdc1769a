"""
The local outbox: where a feed that passed gate and fence is left for the destination.

A file appears whole, under a name made from its content: the same feed again is the same
file and nothing happens; a feed that changed takes the place of the day's earlier one, so
that nobody who said stop in between is picked up later.
"""

import datetime
from pathlib import Path

from anonymizers.errors import FenceRefused, OutboxUnwritable
from delivery import manifest as manifests
from delivery.spec import Destination
from transforms.staging import unwritable_as


def pending_place(outbox: Path, destination: str) -> Path:
    """Private; nothing there has passed the fence."""
    return outbox / ".pending" / destination


def read_pending(outbox: Path, told: dict) -> bytes:
    """
    The bytes of a feed that was built: pending, or handed over by a try that was killed before it could say so.

    Raises:
        FenceRefused: they are not there, or not those that were built.
    """
    places = (pending_place(outbox, told["destination"]), outbox / told["destination"])
    path = next((place / told["file"] for place in places if (place / told["file"]).is_file()), None)
    content = path.read_bytes() if path else b""
    if manifests.sha256(content) != told["sha256"]:
        raise FenceRefused(
            f"{told['destination']}: the pending file is not the one that was built; run the night again"
        )
    return content


def hand_over(outbox: Path, destination: Destination, day: datetime.date, told: dict, manifest: dict) -> bool:
    """
    Leave a feed in the outbox.

    Returns:
        False if this very file had been handed over before.

    Raises:
        OutboxUnwritable, StorageFull: nothing was left.
    """
    pending = pending_place(outbox, destination.name) / told["file"]
    place, records = outbox / destination.name, outbox / ".manifests" / destination.name
    with unwritable_as(OutboxUnwritable, "outbox"):
        for folder in (place, records):
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        known = (place / told["file"]).exists()
        # The record first: a file nobody can account for must not lie there.
        record = records / f"{told['file']}.json"
        record.with_suffix(".part").write_bytes(manifests.render(manifest))
        record.with_suffix(".part").replace(record)
        for earlier in place.glob(f"sudare_{destination.name}_{day:%Y%m%d}_*"):
            if earlier.name != told["file"]:
                earlier.unlink()
                (records / f"{earlier.name}.json").unlink(missing_ok=True)
        if pending.exists():
            pending.replace(place / told["file"])
    return not known
