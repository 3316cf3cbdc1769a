"""
The local outbox: where feeds wait for the fence, and where they are left when a partner fetches them here.

A file appears whole, under a name made from its content: the same feed again is the same
file and nothing happens; a feed that changed takes the place of the day's earlier one, so
that nobody who said stop in between is picked up later.
"""

import shutil
from pathlib import Path

from anonymizers.errors import FenceRefused, OutboxUnwritable
from delivery import manifest as manifests
from delivery.feeds import Feed
from transforms.places import unwritable_as


def pending_place(outbox: Path, destination: str, owner: str) -> Path:
    """Private, and one run's alone; nothing there has passed the fence."""
    return outbox / ".pending" / destination / owner


def removals_place(outbox: Path, destination: str) -> Path:
    """Private; removals that are being worked out."""
    return outbox / ".pending" / f"{destination}.removals"


def sealed_place(outbox: Path, destination: str) -> Path:
    """Private; sealed files, kept because a second sealing of the same file would be other bytes."""
    return outbox / ".sealed" / destination


def require_pending(place: Path, feed: Feed) -> Path:
    """
    The file of a feed that was built, its bytes as they were told.

    Raises:
        FenceRefused: it is not there, or is another.
    """
    path = place / feed.file
    if not path.is_file() or manifests.sha256_of(path) != feed.sha256:
        raise FenceRefused(f"{feed.destination}: the pending file is not the one that was built; run the night again")
    return path


def kept_file(outbox: Path, destination: str, file: str) -> Path | None:
    """Where the bytes of a feed lie that was sent, sealed or not; None where they are not kept any more."""
    places = (*sealed_place(outbox, destination).glob(f"*/{file}.gpg"), outbox / destination / file)
    return next((path for path in places if path.is_file()), None)


def drop_others(outbox: Path, destination: str, file: str) -> None:
    """Delete a destination's other feeds: somebody in them may have said stop since. Whole removals stay."""
    with unwritable_as(OutboxUnwritable, "outbox"):
        for place in (outbox / destination, *sealed_place(outbox, destination).glob("*")):
            # What was half sealed when a run died has a name with a dot.
            for other in (*place.glob(f"sudare_{destination}_*"), *place.glob(f".sudare_{destination}_*.part")):
                if other.is_file() and not other.name.startswith((file, f".{file}", f"sudare_{destination}_removals_")):
                    other.unlink()


def forget_pending(outbox: Path, destination: str, owner: str) -> None:
    """Delete what only the steps of a run's feed needed. Removals may be under way, and clean up after themselves."""
    shutil.rmtree(pending_place(outbox, destination, owner), ignore_errors=True)


def forget_all_pending(outbox: Path) -> None:
    """Delete what the feeds of other runs have left, dead or alive: digests of people, which no later run needs."""
    for place in (outbox / ".pending").glob("*"):
        if not place.name.endswith(".removals"):
            shutil.rmtree(place, ignore_errors=True)
