"""The night on workers that share a broker, databases and an object store only; and under LocalExecutor."""

import copy
import datetime
from pathlib import Path

import pytest

from sudare.demo.partner_list import write_partner_list
from tests.databases import copy_database
from tests.nights.cluster import BUCKET, Cluster, cluster
from tests.nights.sites import FIRST_NIGHT, Site, contents, kept, run

pytestmark = pytest.mark.timeout(1_800)


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
    # One process each: with two, a worker may do all shards while the other still builds the feed.
    one_each = {"AIRFLOW__CELERY__WORKER_CONCURRENCY": "1"}
    with cluster(tmp_path / "cluster", site.source_url, site.warehouse_url, **one_each) as parts:
        put_list(site, parts)
        yield parts


def put_list(site: Site, running: Cluster) -> None:
    """As the partner does every night."""
    for path in (site.home / "intake").rglob("*.gz"):
        key = f"intake/{path.relative_to(site.home / 'intake')}"
        running.s3.put_object(Bucket=BUCKET, Key=key, Body=path.read_bytes())


def stored(running: Cluster, prefix: str) -> dict[str, bytes]:
    """Objects below a prefix, by the rest of their names."""
    pages = running.s3.get_paginator("list_objects_v2").paginate(Bucket=BUCKET, Prefix=prefix)
    keys = [one["Key"] for page in pages for one in page.get("Contents", [])]
    return {key.removeprefix(prefix): running.s3.get_object(Bucket=BUCKET, Key=key)["Body"].read() for key in keys}


def published(running: Cluster) -> dict[str, bytes]:
    """What a reader sees who follows ``latest``."""
    objects = stored(running, "published/")
    folder = objects[objects["latest"].decode()].decode() + "/"
    return {name.removeprefix(folder): data for name, data in objects.items() if name.startswith(folder)}


def test_the_bytes_on_two_workers_are_those_of_one_process(site, alone, running):
    night = running.trigger(FIRST_NIGHT)
    assert running.wait(night, 900) == "success", running.said()
    by_task = {task: running.where(night, task) for task in ("extract", "redact")}
    assert by_task["extract"] | by_task["redact"] == {"worker1", "worker2"}
    assert len([one for one in running.tasks(night) if one["task_id"] == "extract"]) == 3
    require_equal(published(running), stored(running, "outbox/"), site, alone)


@pytest.mark.long
def test_the_bytes_under_local_executor_are_those_of_one_process(site, alone, running):
    for worker in running.workers:
        worker.stop()
    a_workers = {name: value for name, value in running.environment.items() if name.startswith(("AWS_", "SUDARE_"))}
    home = running.parts["scheduler"].environment["SUDARE_HOME"]
    running.restart("scheduler", **(a_workers | {"AIRFLOW__CORE__EXECUTOR": "LocalExecutor", "SUDARE_HOME": home}))
    night = running.trigger(FIRST_NIGHT)
    assert running.wait(night, 900) == "success", running.said()
    assert running.where(night, "extract") == {"scheduler"}
    require_equal(published(running), stored(running, "outbox/"), site, alone)


def require_equal(shown: dict[str, bytes], outbox: dict[str, bytes], site: Site, alone: Site) -> None:
    """Files, feed and everything in the warehouse."""
    files = contents(alone.home / "published" / "latest")
    assert shown == {name.removeprefix("latest/"): data for name, data in files.items()}
    assert outbox == contents(alone.home / "outbox" / "liveramp")
    found = kept(site)
    assert found.pop("sudare.successes")  # the word of Airflow's tasks, and of the hour in which they ran
    assert found == kept(alone)
