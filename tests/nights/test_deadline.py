"""The deadline of a run, for real: API server, scheduler, DAG processor and triggerer, and a webhook that is told."""

import json
import os
import re
import shlex
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sudare.deployment import environment
from tests.databases import copy_database
from tests.delivery.webhooks import Webhook, webhook

ROOT = Path(__file__).resolve().parents[2]
START_S, TOLD_S = 280, 280
NOBODY = "postgresql://nobody@127.0.0.1:9/site"

pytestmark = [pytest.mark.long, pytest.mark.timeout(900)]


@pytest.fixture(scope="module")
def told() -> Iterator[Webhook]:
    with webhook() as server:
        yield server


@pytest.fixture(scope="module")
def deployment(empty_server, tmp_path_factory, told) -> dict[str, str]:
    """Airflow with a source that does not answer, whose deadline passes as soon as a run is queued."""
    metadata = copy_database(empty_server).replace("postgresql://", "postgresql+psycopg2://")
    return environment(
        {
            "PATH": os.environ["PATH"],
            "SUDARE_HOME": str(tmp_path_factory.mktemp("deployment")),
            "SUDARE_SOURCE_URL": NOBODY,
            "SUDARE_WAREHOUSE_URL": copy_database(empty_server),
            "SUDARE_SECRET": "a secret of the tests, long enough to be one",
            "SUDARE_RETRY_SECONDS": "3600",  # so that the run is under way for as long as is looked
            "SUDARE_DEADLINE": "02:30",
            "SUDARE_NOTICE_URL": told.url,
            "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": metadata,
            "AIRFLOW__SCHEDULER__USE_JOB_SCHEDULE": "False",
        }
    )


@pytest.fixture(scope="module")
def url(deployment) -> Iterator[str]:
    """`sudare up`, until the tests are over."""
    log = Path(deployment["SUDARE_HOME"]) / "up.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "sudare.cli", "up"], env=deployment, cwd=ROOT, stdout=output, stderr=output
        )
        try:
            yield until(START_S, lambda: re.search(r"Airflow: (http://\S+)", log.read_text()))[1]
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(60)


def until(seconds: float, ask: Callable):
    """What it answers, as soon as it answers anything."""
    deadline = time.monotonic() + seconds
    while not (answer := ask()):
        assert time.monotonic() < deadline, "not in time"
        time.sleep(0.5)
    return answer


def test_a_run_that_is_not_over_by_its_deadline_is_told_once_and_without_a_value(url, told):
    body = json.dumps({"logical_date": None, "conf": {"day": "2026-10-31"}}).encode()
    request = urllib.request.Request(f"{url}/api/v2/dags/nightly/dagRuns", body, {"Content-Type": "application/json"})
    run = json.load(urllib.request.urlopen(request, timeout=30))
    notice = until(TOLD_S, lambda: next(iter(told.taken), None))
    assert (notice["dag"], notice["run"], notice["day"]) == ("nightly", run["dag_run_id"], "2026-10-31")
    assert (notice["reason"], notice["exit_status"]) == ("NIGHT_LATE", 80)
    assert notice["out"] == {"tables": False, "feeds": []}
    assert "統計表は未公開" in notice["text"]
    time.sleep(15)
    assert len(told.taken) == 1


def test_airflow_backfills_days_as_the_readme_says(url, deployment):
    """The range is of partitions, which are days in Tokyo."""
    (line,) = re.findall(r"^airflow backfill create .*$", (ROOT / "README.md").read_text(), re.MULTILINE)
    words = shlex.split(line)
    done = subprocess.run(
        [sys.executable, "-m", *words, "--dry-run"], env=deployment, cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert re.findall(r"\| (2026-\d\d-\d\d) +\|", done.stdout) == ["2026-10-28", "2026-10-29", "2026-10-30"]
