"""The night on workers that share a broker, databases and an object store, and nothing else; under either executor."""

import copy
import datetime
from pathlib import Path

import pytest

from sudare.demo.partner_list import write_partner_list
from tests.databases import copy_database
from tests.nights.cluster import BUCKET, Cluster, cluster
from tests.nights.sites import FIRST_NIGHT, Site, contents, kept, run

pytestmark = pytest.mark.timeout(1_800)

PLACES = ("SUDARE_STAGING_URL", "SUDARE_PUBLISHED", "SUDARE_OUTBOX", "SUDARE_INTAKE")


def beside(site: Site, home: Path) -> Site:
    """The same source, which nobody changes, with a warehouse and places of its own."""
    other = copy.copy(site)
    other.home, other.warehouse_url = home, copy_database(site.server)
    return other


@pytest.fixture
def alone(site: Site, tmp_path) -> Site:
    """The same site after the same night, in one process and in directories."""
    other = beside(site, tmp_path / "alone")
    write_partner_list(other.source_url, other.home / "intake")
    # Now, as for the workers: by then everybody has settled whom that night settles.
    run(other.night(FIRST_NIGHT, datetime.datetime.now(datetime.UTC)))
    return other


@pytest.fixture
def running(site: Site, tmp_path) -> Cluster:
    with cluster(tmp_path / "cluster", site.source_url, site.warehouse_url) as parts:
        put_list(site, parts, "intake")
        yield parts


def put_list(site: Site, running: Cluster, prefix: str) -> None:
    """As the partner does every night."""
    for path in (site.home / "intake").rglob("*.gz"):
        key = f"{prefix}/{path.relative_to(site.home / 'intake')}"
        running.s3.put_object(Bucket=BUCKET, Key=key, Body=path.read_bytes())


def stored(running: Cluster, prefix: str) -> dict[str, bytes]:
    """Objects below a prefix, by the rest of their names."""
    pages = running.s3.get_paginator("list_objects_v2").paginate(Bucket=BUCKET, Prefix=prefix)
    keys = [one["Key"] for page in pages for one in page.get("Contents", [])]
    return {key.removeprefix(prefix): running.s3.get_object(Bucket=BUCKET, Key=key)["Body"].read() for key in keys}


def published(running: Cluster, prefix: str = "") -> dict[str, bytes]:
    """What a reader sees who follows ``latest``."""
    objects = stored(running, f"{prefix}published/")
    folder = objects[objects["latest"].decode()].decode() + "/"
    return {name.removeprefix(folder): data for name, data in objects.items() if name.startswith(folder)}


def test_the_bytes_are_those_of_one_process_under_either_executor(site, alone, running):
    night = running.trigger(FIRST_NIGHT)
    assert running.wait(night, 900) == "success", running.said()
    by_task = {task: running.where(night, task) for task in ("extract", "redact")}
    assert by_task["extract"] | by_task["redact"] == {"worker1", "worker2"}
    assert len([one for one in running.tasks(night) if one["task_id"] == "extract"]) == 3
    require_equal(published(running), stored(running, "outbox/"), site, alone)

    other = beside(site, site.home / "local")
    put_list(site, running, "local/intake")
    for worker in running.workers:
        worker.stop()
    own = {name: value.replace(f"s3://{BUCKET}", f"s3://{BUCKET}/local") for name, value in places(running).items()}
    a_workers = {name: value for name, value in running.environment.items() if name.startswith(("AWS_", "SUDARE_"))}
    home = running.parts["scheduler"].environment["SUDARE_HOME"]
    local = {"AIRFLOW__CORE__EXECUTOR": "LocalExecutor", "SUDARE_WAREHOUSE_URL": other.warehouse_url}
    running.restart("scheduler", **(a_workers | own | local | {"SUDARE_HOME": home}))
    night = running.trigger(FIRST_NIGHT)
    assert running.wait(night, 900) == "success", running.said()
    assert running.where(night, "extract") == {"scheduler"}
    require_equal(published(running, "local/"), stored(running, "local/outbox/"), other, alone)


def places(running: Cluster) -> dict[str, str]:
    return {name: running.environment[name] for name in PLACES}


def require_equal(shown: dict[str, bytes], outbox: dict[str, bytes], site: Site, alone: Site) -> None:
    """Files, feed and everything in the warehouse."""
    files = contents(alone.home / "published" / "latest")
    assert shown == {name.removeprefix("latest/"): data for name, data in files.items()}
    assert outbox == contents(alone.home / "outbox" / "liveramp")
    assert kept(site) == kept(alone)
