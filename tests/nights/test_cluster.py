"""The night on several workers that share a broker, databases and an object store, and nothing else."""

import pytest

from tests.nights.cluster import Cluster, cluster
from tests.nights.sites import FIRST_NIGHT, Site

pytestmark = pytest.mark.timeout(900)


@pytest.fixture
def running(site: Site, tmp_path) -> Cluster:
    local = {f"SUDARE_{name}": str(site.home / name.lower()) for name in ("PUBLISHED", "OUTBOX", "INTAKE")}
    with cluster(tmp_path / "cluster", site.source_url, site.warehouse_url, **local) as parts:
        yield parts


def test_two_workers_share_the_shards(running):
    run = running.trigger(FIRST_NIGHT)
    state = running.wait(run)

    assert state == "success", running.said()
    assert running.where(run, "extract") | running.where(run, "redact") == {"worker1", "worker2"}
