"""
Publishing the statistics: all tables of a night, or none.

First the files, in a place of their own, named by the manifest's digest. Then one
transaction in the warehouse, which also records that digest. Then one step that makes
the files visible. Killed before the commit, nothing is seen; killed after it, the next
run finds the recorded digest and finishes that step.

The step: in a directory ``<day>`` and ``latest`` are links, which one rename replaces. An object store has neither;
there they are small objects that hold what the links would point at, and one upload replaces them.
"""

import datetime
import os
import re
import shutil
from pathlib import Path

import pandas as pd

from anonymizers.disclosure import AS_OF, Disclosure, Release
from anonymizers.errors import NightOutOfOrder, NightRunning, PublicationBroken
from delivery import manifest as manifests
from delivery.warehouse import Publication, Warehouse
from transforms.places import is_store, remove_tree, unwritable_as, write_whole
from transforms.release import published_frame
from transforms.spec import Table

_STORE = ".store"

SHOW_WAIT_S = 60
"""For another night to have published; nobody publishes for longer."""

LAST_NIGHTS = 2
"""Nights that may have been committed and not shown. Older ones are refused, so nobody has published them since."""

_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


def publish(
    warehouse: Warehouse,
    published: Path,
    day: datetime.date,
    epoch: int,
    disclosures: dict[str, Disclosure],
    tables: dict[str, Table],
    manifest: dict,
    before: tuple[datetime.date, str] | None,
) -> dict:
    """
    Publish a night's releases, and keep of whom they are: both or neither.

    Args:
        warehouse: For the tables.

        published: Place for the files: ``<day>/*.parquet``, ``*.csv``, ``manifest.json``, and ``latest``.

        day: The night's day.

        epoch: Of the statistics' keys.

        disclosures: By table; nothing else is published.

        tables: Their declarations.

        manifest: Without its outputs; they are added here.

        before: Day and manifest digest of the last night, this one included, on whose numbers these build.

    Returns:
        The finished manifest.

    Raises:
        PublicationBroken: something that is no `Release`.
        NightOutOfOrder: a later night is published.
        StorageFull, WarehouseUnreachable, NightRunning: nothing was published.
    """
    releases = {name: d.release for name, d in disclosures.items()}
    if releases.keys() != tables.keys() or not all(isinstance(r, Release) for r in releases.values()):
        raise PublicationBroken("only the releases of the night's tables are published, and all of them")
    frames = {name: typed(tables[name], published_frame(tables[name], r)) for name, r in releases.items()}
    with warehouse.transaction() as transaction:
        # Alone from here on: two that write files at once would write into one folder.
        _require_next(transaction, day, before)
        with unwritable_as(PublicationBroken, "published"):
            files = {name: _files(name, frame) for name, frame in sorted(frames.items())}
            outputs = [_output(name, frames[name], releases[name], contents) for name, contents in files.items()]
            manifest = {**manifest, "outputs": outputs}
            # What analysts can read beside the tables: no count of tonight that waits for no quorum.
            content = manifests.render(manifests.published_part(manifest))
            stored = published / _STORE / f"{day}-{manifests.sha256(content)[:16]}"
            _store(stored, {name: data for contents in files.values() for name, data in contents.items()}, content)
        for name, frame in frames.items():
            transaction.write(tables[name], day, epoch, frame)
            kept = disclosures[name]
            transaction.keep_references(tables[name], epoch, kept.names, kept.references)
        transaction.record(day, manifests.sha256(content), manifests.render(manifest).decode())
    finish_interrupted(warehouse, published)
    return manifest


def _require_next(transaction: Publication, day: datetime.date, before: tuple[datetime.date, str] | None) -> None:
    require_order(day, transaction.last())
    if transaction.last(before=day + datetime.timedelta(days=1)) != before:
        raise NightRunning("another night has published since this one was disclosed; run it again")


def require_order(day: datetime.date, last: tuple[datetime.date, str] | None) -> None:
    """
    Check that no later night is published: its numbers are what the next ones build on.

    Raises:
        NightOutOfOrder: one is.
    """
    if last and last[0] > day:
        raise NightOutOfOrder(
            f"{day}: the night of {last[0]} is published; an older night never overwrites a newer one's state. "
            "Run the last night or a later one: it publishes the closed days that are missing"
        )


def finish_interrupted(warehouse: Warehouse, published: Path) -> list[str]:
    """
    Make visible what the warehouse has and the files do not yet show, and delete what neither has.

    The files of a night that was never committed are numbers that wait for a quorum, and nobody's to read.

    Returns:
        The days that were made visible.

    Raises:
        NightRunning: another night has been publishing for longer than that takes.
    """
    with warehouse.alone(wait_s=SHOW_WAIT_S), unwritable_as(PublicationBroken, "published"):
        recorded = {day: f"{day}-{sha256[:16]}" for day, (sha256, _) in warehouse.manifests().items()}
        stored, names = _names(published / _STORE), _names(published)
        # Listed once, and only the last nights looked into: in a store each look is a request, and nights are many.
        lost = {day for day in recorded if day.isoformat() not in names} | set(sorted(recorded)[-LAST_NIGHTS:])
        waiting = [
            day
            for day in sorted(lost)
            if recorded[day] in stored and _target(published / day.isoformat()) != f"{_STORE}/{recorded[day]}"
        ]
        for day in waiting:
            _show(published, day, published / _STORE / recorded[day])
        _show_latest(published)
        for name in stored - set(recorded.values()):
            # Of a run that died, or of an earlier run of a night that was published again; unless it is still shown.
            if _target(published / name[:10]) != f"{_STORE}/{name}":
                remove_tree(published / _STORE / name)
    return [day.isoformat() for day in waiting]


def _names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()} if folder.is_dir() else set()


def folder_of(published: Path, day: datetime.date) -> Path:
    """Where the files of a published night are; it may be missing."""
    shown = published / day.isoformat()
    return published / (_target(shown) or shown.name) if is_store(published) else shown


def typed(table: Table, frame: pd.DataFrame) -> pd.DataFrame:
    """The frame with days as dates, as files and warehouse hold them."""
    days = [AS_OF, *(d.name for d in table.dimensions if d.name == "day")]
    return frame.assign(**{name: frame[name].map(datetime.date.fromisoformat) for name in days})


def _files(name: str, frame: pd.DataFrame) -> dict[str, bytes]:
    """A table's files, by name."""
    return {
        f"{name}.csv": frame.to_csv(index=False, lineterminator="\n").encode(),
        f"{name}.parquet": frame.to_parquet(engine="pyarrow", compression="zstd", index=False),
    }


def _output(name: str, frame: pd.DataFrame, release: Release, contents: dict[str, bytes]) -> dict:
    return {
        "table": name,
        "rows": len(frame),
        "suppressed_cells": release.suppressed_cells,
        "changed_cells": release.changed_cells,
        "threshold": release.threshold,
        "legal_class": manifests.LEGAL_CLASS_STATISTICS,
        "sha256": {path: manifests.sha256(content) for path, content in contents.items()},
    }


def _store(stored: Path, files: dict[str, bytes], manifest: bytes) -> None:
    """Bring the files to their lasting place; the same night again replaces each by its own bytes."""
    files = {**files, "manifest.json": manifest}
    if is_store(stored):
        for name, content in files.items():
            write_whole(stored / name, content)
        return
    folder = _fresh(stored.with_name(f"{stored.name[:10]}.part"))
    for name, content in files.items():
        (folder / name).write_bytes(content)
    _settle(folder, stored)


def _fresh(folder: Path) -> Path:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


def _settle(folder: Path, stored: Path) -> None:
    for place in (stored, stored.parent, stored.parent.parent):
        place.mkdir(exist_ok=True)
        place.chmod(0o755)
    for path in sorted(folder.iterdir()):
        path.chmod(0o644)
        _sync(path)
        path.replace(stored / path.name)
    folder.rmdir()
    _sync(stored)


def _show(published: Path, day: datetime.date, stored: Path) -> None:
    _point(published / day.isoformat(), f"{_STORE}/{stored.name}")
    _show_latest(published)


def _show_latest(published: Path) -> None:
    nights = [name for name in _names(published) if _DAY.fullmatch(name)]
    if nights and _target(published / "latest") != max(nights):
        _point(published / "latest", max(nights))


def _point(link: Path, target: str) -> None:
    if is_store(link):
        write_whole(link, target.encode())
        return
    fresh = link.with_name(f".{link.name}.new")
    fresh.unlink(missing_ok=True)
    fresh.symlink_to(target)
    fresh.replace(link)


def _target(link: Path) -> str | None:
    """What a night's link, or the object in its place, points at; None where there is none."""
    if is_store(link):
        return link.read_text() if link.is_file() else None
    return os.readlink(link) if link.is_symlink() else None


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
