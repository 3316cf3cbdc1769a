"""Verification: are the files and feeds still those of the manifests, and do the counts add up?"""

import datetime
import io
from decimal import Decimal
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq

from anonymizers.errors import PublicationBroken
from delivery import feeds, manifest
from delivery.buckets import KEY
from delivery.destinations import destinations
from delivery.ledger import Delivery, Ledger
from delivery.outbox import kept_file, own_place
from delivery.publication import folder_of
from delivery.retention import records_kept_since
from delivery.settings import Settings
from delivery.spec import Destination
from delivery.warehouse import Warehouse
from transforms.places import bring
from transforms.tables import catalogue


def verify(settings: Settings) -> dict[str, int]:
    """
    Recompute every digest and count that was recorded.

    Returns:
        How many nights, files and feeds were checked.

    Raises:
        PublicationBroken: the first thing that is not as recorded, by name.
    """
    checked = {"nights": 0, "files": 0, "feeds": 0}
    warehouse = Warehouse(settings.warehouse_url)
    for day, (sha256, text) in warehouse.manifests().items():
        folder = folder_of(settings.published, day)
        _require_bytes(folder / "manifest.json", sha256)
        night = manifest.parse(text)
        if manifest.sha256(manifest.render(manifest.published_part(night))) != sha256:
            raise PublicationBroken(f"manifest of {day}: what lies beside the tables is not what is kept of the night")
        manifest.require_adds_up(night["inputs"])
        for output in night["outputs"]:
            for name, recorded in output["sha256"].items():
                _require_bytes(folder / name, recorded)
                checked["files"] += 1
            _require_rows(warehouse, folder, day, night, output)
        checked["nights"] += 1
    ledger = Ledger(settings.ledger_url)
    for name in settings.agreements:
        for delivery in ledger.deliveries(name, "feed"):
            # Of older ones the record of whom they provided may be gone, as it should.
            if delivery.sent_at and delivery.sent_at >= records_kept_since(datetime.datetime.now(datetime.UTC)):
                _verify_feed(settings, ledger, destinations()[name], delivery)
                checked["feeds"] += 1
    return checked


def _require_bytes(path: Path, sha256: str) -> None:
    if not path.is_file() or manifest.sha256(path.read_bytes()) != sha256:
        raise PublicationBroken(f"{path.parent.name}/{path.name}: missing, or its bytes are not the recorded ones")


def _require_rows(warehouse: Warehouse, folder: Path, day, night: dict, output: dict) -> None:
    """Every row of the file is in the warehouse as it stood after that night."""
    table = catalogue().get(output["table"])
    shown = pq.read_table(io.BytesIO((folder / f"{output['table']}.parquet").read_bytes())).to_pandas()
    if len(shown) != output["rows"]:
        raise PublicationBroken(f"{output['table']} of {day}: {len(shown)} rows in the file, not as recorded")
    if table is None:
        return
    kept = set(_rows(warehouse.cells(table, day, night["disclosure"]["epoch"])))
    if lost := sum(row not in kept for row in _rows(shown)):
        raise PublicationBroken(
            f"{table.name} of {day}: {lost} of {len(shown)} rows of the file are not those in stats"
        )


def _rows(frame: pd.DataFrame) -> list[tuple]:
    """Rows that compare equal wherever they were read from."""
    values = frame.astype(object).where(frame.notna(), None)
    return [tuple(float(v) if isinstance(v, Decimal | int) else v for v in row) for row in values.to_numpy()]


def _verify_feed(settings: Settings, ledger: Ledger, destination: Destination, delivery: Delivery) -> None:
    """The record of whom a feed provided agrees with its count, and with the file while that is kept."""
    manifest.require_adds_up(delivery.record["inputs"])
    provided = ledger.provided(delivery)
    if provided.height != delivery.rows:
        raise PublicationBroken(f"{delivery.file}: the ledger has {provided.height} rows, not the recorded ones")
    kept = kept_file(settings.outbox, destination.name, delivery.file)
    if kept is None:
        return
    with own_place(settings.scratch) as place:
        path = bring(kept, place)
        if manifest.sha256_of(path) != (delivery.sealed_sha256 or delivery.content_sha256):
            raise PublicationBroken(f"{path.name}: its bytes are not the recorded ones")
        if path.name == delivery.file and feeds.digests_in(destination, path) != set(provided[KEY].bin.encode("hex")):
            raise PublicationBroken(f"{path.name}: its rows are not those of the ledger")
