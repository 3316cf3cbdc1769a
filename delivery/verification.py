"""Verification: are the files and feeds still those of the manifests, and do the counts add up?"""

from pathlib import Path

import pyarrow.parquet as pq

from anonymizers.errors import PublicationBroken
from delivery import feeds, manifest
from delivery.destinations import destinations
from delivery.settings import Settings
from delivery.warehouse import Warehouse
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
        folder = settings.published / day.isoformat()
        _require_bytes(folder / "manifest.json", sha256)
        night = manifest.parse(text)
        manifest.require_adds_up(night["inputs"])
        for output in night["outputs"]:
            for name, recorded in output["sha256"].items():
                _require_bytes(folder / name, recorded)
                checked["files"] += 1
            _require_rows(warehouse, folder, day, output)
        checked["nights"] += 1
    for path in sorted((settings.outbox / ".manifests").glob("*/*.json")):
        _verify_feed(settings.outbox, path)
        checked["feeds"] += 1
    return checked


def _require_bytes(path: Path, sha256: str) -> None:
    if not path.is_file() or manifest.sha256(path.read_bytes()) != sha256:
        raise PublicationBroken(f"{path.parent.name}/{path.name}: missing, or its bytes are not the recorded ones")


def _require_rows(warehouse: Warehouse, folder: Path, day, output: dict) -> None:
    name = output["table"]
    in_file = pq.read_metadata(folder / f"{name}.parquet").num_rows
    in_warehouse = warehouse.count(catalogue()[name], day) if name in catalogue() else output["rows"]
    if not in_file == in_warehouse == output["rows"]:
        raise PublicationBroken(
            f"{name} of {day}: {in_file} rows in the file, {in_warehouse} in stats, not as recorded"
        )


def _verify_feed(outbox: Path, record: Path) -> None:
    told = manifest.parse(record.read_bytes())
    manifest.require_adds_up(told["inputs"])
    (output,) = told["outputs"]
    path = outbox / record.parent.name / output["file"]
    _require_bytes(path, output["sha256"])
    destination = destinations().get(record.parent.name)
    if destination and feeds.read_back(destination, path.read_bytes()).height != output["rows"]:
        raise PublicationBroken(f"{path.name}: its rows are not as recorded")
