"""
Publishing the statistics: all tables of a night, or none.

First the files, in a place of their own, named by the manifest's digest. Then one
transaction in the warehouse, which also records that digest. Then one rename that makes
the files visible. Killed before the commit, nothing is seen; killed after it, the next
run finds the recorded digest and finishes the rename.
"""

import datetime
import os
import shutil
from pathlib import Path

import pandas as pd

from anonymizers.disclosure import AS_OF, Disclosure, Release
from anonymizers.errors import NightOutOfOrder, NightRunning, PublicationBroken
from delivery import manifest as manifests
from delivery.warehouse import Publication, Warehouse
from transforms.places import unwritable_as
from transforms.release import published_frame
from transforms.spec import Table

_STORE = ".store"


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

        published: Directory for the files: ``<day>/*.parquet``, ``*.csv``, ``manifest.json``, and ``latest``.

        day: The night's day.

        epoch: Of the statistics' keys.

        disclosures: By table; nothing else is published.

        tables: Their declarations.

        manifest: Without its outputs; they are added here.

        before: Day and manifest digest of the night on whose numbers these build.

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
    with unwritable_as(PublicationBroken, "published"):
        folder = _fresh(published / _STORE / f"{day}.part")
        outputs = [_write_files(folder, name, frame, releases[name]) for name, frame in sorted(frames.items())]
        manifest = {**manifest, "outputs": outputs}
        # What analysts can read beside the tables: no count of tonight that waits for no quorum.
        content = manifests.render(manifests.published_part(manifest))
        (folder / "manifest.json").write_bytes(content)
        stored = _settle(folder, published / _STORE / f"{day}-{manifests.sha256(content)[:16]}")
    with warehouse.transaction() as transaction:
        _require_next(transaction, day, before)
        for name, frame in frames.items():
            transaction.write(tables[name], day, epoch, frame)
            kept = disclosures[name]
            transaction.keep_references(tables[name], epoch, kept.names, kept.references)
        transaction.record(day, manifests.sha256(content), manifests.render(manifest).decode())
    with unwritable_as(PublicationBroken, "published"):
        _show(published, day, stored)
    return manifest


def _require_next(transaction: Publication, day: datetime.date, before: tuple[datetime.date, str] | None) -> None:
    require_order(day, transaction.last())
    if transaction.last(before=day) != before:
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
    """Make visible what the warehouse has and the files do not yet show; the days that were."""
    finished = []
    for day, (sha256, _) in warehouse.manifests().items():
        stored = published / _STORE / f"{day}-{sha256[:16]}"
        shown = published / day.isoformat()
        if stored.is_dir() and (not shown.is_symlink() or os.readlink(shown) != f"{_STORE}/{stored.name}"):
            _show(published, day, stored)
            finished.append(day.isoformat())
    return finished


def typed(table: Table, frame: pd.DataFrame) -> pd.DataFrame:
    """The frame with days as dates, as files and warehouse hold them."""
    days = [AS_OF, *(d.name for d in table.dimensions if d.name == "day")]
    return frame.assign(**{name: frame[name].map(datetime.date.fromisoformat) for name in days})


def _write_files(folder: Path, name: str, frame: pd.DataFrame, release: Release) -> dict:
    frame.to_parquet(folder / f"{name}.parquet", engine="pyarrow", compression="zstd", index=False)
    frame.to_csv(folder / f"{name}.csv", index=False, lineterminator="\n")
    files = {f"{name}.{kind}": (folder / f"{name}.{kind}").read_bytes() for kind in ("csv", "parquet")}
    return {
        "table": name,
        "rows": len(frame),
        "suppressed_cells": release.suppressed_cells,
        "changed_cells": release.changed_cells,
        "threshold": release.threshold,
        "legal_class": manifests.LEGAL_CLASS_STATISTICS,
        "sha256": {path: manifests.sha256(content) for path, content in files.items()},
    }


def _fresh(folder: Path) -> Path:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


def _settle(folder: Path, stored: Path) -> Path:
    """Move the files to their lasting place; the same night again replaces each by its own bytes."""
    for place in (stored, stored.parent, stored.parent.parent):
        place.mkdir(exist_ok=True)
        place.chmod(0o755)
    for path in sorted(folder.iterdir()):
        path.chmod(0o644)
        _sync(path)
        path.replace(stored / path.name)
    folder.rmdir()
    _sync(stored)
    return stored


def _show(published: Path, day: datetime.date, stored: Path) -> None:
    _point(published / day.isoformat(), f"{_STORE}/{stored.name}")
    nights = sorted(p.name for p in published.iterdir() if p.is_symlink() and p.name != "latest")
    _point(published / "latest", nights[-1])
    for other in stored.parent.glob(f"{day}-*"):
        if other != stored:
            shutil.rmtree(other)


def _point(link: Path, target: str) -> None:
    fresh = link.with_name(f".{link.name}.new")
    fresh.unlink(missing_ok=True)
    fresh.symlink_to(target)
    fresh.replace(link)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
