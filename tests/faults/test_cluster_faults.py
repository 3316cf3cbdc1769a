"""
Faults of a cluster, on the real one: the broker is gone for a minute, a worker dies with a task in hand, the metadata
database is restarted. The night ends all the same, and nothing has been published or sent twice. Each takes minutes, so
they are run by `make faults` only.
"""

import os
import time

import pytest

from delivery.settings import read_settings
from delivery.verification import verify
from tests.faults.campaign import Trial, wrong_in_the_ledger
from tests.nights.cluster import Cluster, Part, cluster, until
from tests.nights.sites import DEMO_DAY

pytestmark = [pytest.mark.long, pytest.mark.timeout(2_400)]

GONE_S = 60

PATIENT = {
    # As patient as a deployment is by default: what a minute costs is tried again after it.
    "SUDARE_RETRY_SECONDS": "60",
    # A message that was lost with the broker is sent again; the default waits for ten minutes.
    "AIRFLOW__SCHEDULER__TASK_QUEUED_TIMEOUT": "60",
    "AIRFLOW__SCHEDULER__TASK_QUEUED_TIMEOUT_CHECK_INTERVAL": "10",
}


@pytest.fixture
def running(trial, tmp_path):
    for path in (trial.home / "intake").glob("*/lists/*"):
        os.utime(path)
    own = {name: value for name, value in trial.environment.items() if name not in ("SUDARE_SECRET", "SUDARE_HOME")} | {
        f"SUDARE_{name}": str(trial.home / name.lower()) for name in ("PUBLISHED", "OUTBOX", "INTAKE")
    }
    with cluster(tmp_path / "cluster", trial.source_url, trial.warehouse_url, **own, **PATIENT) as parts:
        yield parts


def busy(running: Cluster, run: str, worker: str = "worker") -> list[dict]:
    """Tasks that read or compute, and are being done by a worker."""
    return [
        one
        for one in running.tasks(run)
        if one["state"] == "running" and one["task_id"] != "plan" and (one["hostname"] or "").startswith(worker)
    ]


def broker_gone(running: Cluster, run: str) -> None:
    until(lambda: busy(running, run), "a task at work")
    running.parts["broker"].kill()
    time.sleep(GONE_S)
    running.parts["broker"].start()


def worker_killed(running: Cluster, run: str) -> None:
    until(lambda: busy(running, run, "worker1"), "a task on the first worker", 600)
    running.parts["worker1"].kill()
    held = {(one["task_id"], one["map_index"]) for one in busy(running, run, "worker1")}
    assert held, "the worker had no task in hand"
    until(lambda: not busy(running, run, "worker1"), "the task is given to another", 600)
    running.parts["worker1"].start()


def database_restarted(running: Cluster, run: str) -> None:
    until(lambda: busy(running, run), "a task at work")
    running.parts["database"].stop()
    time.sleep(5)
    running.parts["database"].start()


def kept_up(running: Cluster, run: str, seconds: float = 1_200) -> str:
    """Wait for a run; a component that has ended is started again, as an orchestrator does."""

    def over() -> bool:
        for part in running.parts.values():
            if isinstance(part, Part) and part.process.poll() is not None:
                part.start()
        return running.state(run) in ("success", "failed")

    until(over, f"the run {run}", seconds, 2)
    return running.state(run)


@pytest.mark.parametrize("fault", [broker_gone, worker_killed, database_restarted], ids=lambda fault: fault.__name__)
def test_a_night_on_a_cluster_survives_the_loss_of(running, trial: Trial, references, fault):
    run = running.trigger(DEMO_DAY)
    fault(running, run)
    assert kept_up(running, run) == "success", running.said()
    seen = trial.seen()
    assert seen.feeds == references.after.feeds
    assert wrong_in_the_ledger(trial, seen) == []
    assert os.readlink(trial.home / "published" / "latest") == DEMO_DAY.isoformat()
    assert verify(read_settings(trial.environment))["nights"] == 2
    assert trial.left()["pending"] in (["liveramp"], ["liveramp", "liveramp.removals"])
