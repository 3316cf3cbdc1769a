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


def pending_place(outbox: Path, destination: str) -> Path:
    """Private; nothing there has passed the fence."""
    return outbox / ".pending" / destination


def removals_place(outbox: Path, destination: str) -> Path:
    """Private; removals that are being worked out."""
    return outbox / ".pending" / f"{destination}.removals"


def sealed_place(outbox: Path, destination: str) -> Path:
    """Private; sealed files, kept because a second sealing of the same file would be other bytes."""
    return outbox / ".sealed" / destination


def require_pending(outbox: Path, feed: Feed) -> Path:
    """
    The file of a feed that was built, its bytes as they were told.

    Raises:
        FenceRefused: it is not there, or is another.
    """
    path = pending_place(outbox, feed.destination) / feed.file
    if not path.is_file() or manifests.sha256_of(path) != feed.sha256:
        raise FenceRefused(f"{feed.destination}: the pending file is not the one that was built; run the night again")
    return path


def kept_file(outbox: Path, destination: str, file: str) -> Path | None:
    """Where the bytes of a feed lie that was sent, sealed or not; None where they are not kept any more."""
    places = (*sealed_place(outbox, destination).glob(f"*/{file}.gpg"), outbox / destination / file)
    return next((path for path in places if path.is_file()), None)


def drop_others(outbox: Path, destination: str, file: str) -> None:
    """Delete a destination's other feeds: somebody in them may have said stop since."""
    with unwritable_as(OutboxUnwritable, "outbox"):
        for place in (outbox / destination, *sealed_place(outbox, destination).glob("*")):
            for other in place.glob(f"sudare_{destination}_*"):
                if other.is_file() and not other.name.startswith(file):
                    other.unlink()


def forget_pending(outbox: Path, destination: str) -> None:
    """Delete what only the steps of a feed needed. Removals may be under way, and clean up after themselves."""
    shutil.rmtree(pending_place(outbox, destination), ignore_errors=True)
