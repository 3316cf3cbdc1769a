"""
The local outbox: where feeds wait for the fence, and where they are left when a partner fetches them here.

A file appears whole, under a name made from its content: the same feed again is the same
file and nothing happens; a feed that changed takes the place of the day's earlier one, so
that nobody who said stop in between is picked up later.

It may be a prefix of an object store, so that any worker can do the next step of a feed. What a step needs as a file
is then worked on in a private directory of this machine, which is deleted when the step ends; a step that was killed
leaves it to the next one here.
"""

import datetime
import fcntl
import os
import shutil
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path, PurePosixPath

from anonymizers.errors import FenceRefused, OutboxUnwritable
from delivery import manifest as manifests
from delivery.feeds import Feed
from transforms.places import bring, folders, is_store, put, remove_tree, unwritable_as


def pending_place(outbox: Path, destination: str, owner: str) -> Path:
    """Private, and one run's alone; nothing there has passed the fence."""
    return outbox / ".pending" / destination / owner


def removals_place(outbox: Path, destination: str) -> Path:
    """Private; removals that are being worked out."""
    return outbox / ".pending" / f"{destination}.removals"


def sealed_place(outbox: Path, destination: str) -> Path:
    """Private; sealed files, kept because a second sealing of the same file would be other bytes."""
    return outbox / ".sealed" / destination


@contextmanager
def own_place(scratch: Path) -> Iterator[Path]:
    """
    A private directory of this machine that is shared with nobody and gone afterwards.

    Whoever uses one holds a lock on it, which dies with the process; what nobody holds was left by the dead, and is
    deleted first.
    """
    with unwritable_as(OutboxUnwritable, "scratch"):
        scratch.mkdir(parents=True, exist_ok=True, mode=0o700)
        with _held(scratch, fcntl.LOCK_EX):
            _remove_unheld(scratch)
            place = Path(tempfile.mkdtemp(dir=scratch))
            held = ExitStack()
            held.enter_context(_held(place))
    with held:
        try:
            yield place
        finally:
            shutil.rmtree(place, ignore_errors=True)


def _remove_unheld(scratch: Path) -> None:
    for other in scratch.iterdir():
        with suppress(BlockingIOError, FileNotFoundError), _held(other):
            shutil.rmtree(other, ignore_errors=True)


@contextmanager
def _held(folder: Path, how: int = fcntl.LOCK_EX | fcntl.LOCK_NB) -> Iterator[None]:
    """Hold a directory against other processes."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, how)
        yield
    finally:
        os.close(descriptor)


@contextmanager
def pending_at_hand(kept: Path, scratch: Path) -> Iterator[Path]:
    """Where a step of a feed works: the pending place itself, or of a store a directory of this machine."""
    if not is_store(kept):
        yield kept
        return
    with own_place(scratch) as place:
        yield place / "feed"


def keep_pending(kept: Path, feed: Feed, place: Path) -> None:
    """In a store, keep a built feed for the next step, as one object: all of it or what was there before."""
    if not is_store(kept):
        return
    packed = place.with_name("pending.tar")
    with unwritable_as(OutboxUnwritable, "outbox"):
        with tarfile.open(packed, "w") as archive:
            archive.add(place, arcname=".")
        put(packed, _packed(kept, feed))
        packed.unlink()


def drop_other_pending(kept: Path, feed: Feed) -> None:
    """In a store, delete what was kept there before; after this one has been told of."""
    if is_store(kept):
        with unwritable_as(OutboxUnwritable, "outbox"):
            for other in kept.glob("*.tar"):
                if other.name != _packed(kept, feed).name:
                    other.unlink()


def _packed(kept: Path, feed: Feed) -> Path:
    return kept / f"{feed.file}.tar"


def require_pending(kept: Path, feed: Feed, place: Path) -> Path:
    """
    The file of a feed that was built, its bytes as they were told, on this machine.

    Args:
        kept: The pending place.

        feed: What was told.

        place: From `pending_at_hand`; the rows are beside the file.

    Raises:
        FenceRefused: it is not there, or is another.
    """
    path = place / feed.file
    if is_store(kept) and not path.is_file():
        _unpack(kept, feed, place)
    if not path.is_file() or manifests.sha256_of(path) != feed.sha256:
        raise FenceRefused(f"{feed.destination}: the pending file is not the one that was built; run the night again")
    return path


def _unpack(kept: Path, feed: Feed, place: Path) -> None:
    with unwritable_as(OutboxUnwritable, "outbox"), suppress(FileNotFoundError, tarfile.TarError):
        packed = bring(_packed(kept, feed), place.parent)
        with tarfile.open(packed) as archive:
            archive.extractall(place, members=files_below(archive))  # noqa: S202  of files and folders below it alone
        packed.unlink()


def files_below(archive: tarfile.TarFile) -> list[tarfile.TarInfo]:
    """The files and folders of an archive that lie below where it is unpacked; Python has a filter from 3.11.4 on."""

    def is_below(member: tarfile.TarInfo) -> bool:
        path = PurePosixPath(member.name)
        return (member.isfile() or member.isdir()) and not path.is_absolute() and ".." not in path.parts

    return [member for member in archive if is_below(member)]


def sealed_at_hand(outbox: Path, kept: Path, beside: Path) -> Path:
    """Where a sealed file is, or is to be made, on this machine; of a store, brought there if it is kept."""
    if not is_store(outbox):
        return kept
    with unwritable_as(OutboxUnwritable, "outbox"):
        return bring(kept, beside.parent) if kept.is_file() else beside.with_name(kept.name)


def keep_sealed(outbox: Path, sealed: Path, kept: Path) -> None:
    """In a store, keep a sealed file before it is sent, so that the same bytes are sent if this process dies."""
    if is_store(outbox):
        with unwritable_as(OutboxUnwritable, "outbox"):
            put(sealed, kept)


def kept_file(outbox: Path, destination: str, file: str) -> Path | None:
    """Where the bytes of a feed lie that was sent, sealed or not; None where they are not kept any more."""
    places = (*sealed_place(outbox, destination).glob(f"*/{file}.gpg"), outbox / destination / file)
    return next((path for path in places if path.is_file()), None)


def drop_others(outbox: Path, destination: str, file: str) -> None:
    """Delete a destination's other feeds: somebody in them may have said stop since. Whole removals stay."""
    # What was half sealed when a run died has a name with a dot.
    names = (f"sudare_{destination}_*", f".sudare_{destination}_*.part")
    sealed = sealed_place(outbox, destination)
    with unwritable_as(OutboxUnwritable, "outbox"):
        found = [path for name in names for path in ((outbox / destination).glob(name), sealed.glob(f"*/{name}"))]
        for other in (path for paths in found for path in paths):
            if other.is_file() and not other.name.startswith((file, f".{file}", f"sudare_{destination}_removals_")):
                other.unlink()


def forget_pending(kept: Path) -> None:
    """Delete what only the steps of a run's feed needed. Removals may be under way, and clean up after themselves."""
    with unwritable_as(OutboxUnwritable, "outbox"):
        remove_tree(kept)


def forget_other_pending(outbox: Path, day: datetime.date) -> None:
    """
    Delete what the feeds of other runs have left, dead or alive: digests of people, which no later run needs.

    Those of later days stay: a backfill takes nothing from the night that is running.
    """
    with unwritable_as(OutboxUnwritable, "outbox"):
        for destination in folders(outbox / ".pending"):
            for kept in folders(destination) if not destination.name.endswith(".removals") else ():
                if kept.name[:10] <= day.isoformat():
                    remove_tree(kept)
