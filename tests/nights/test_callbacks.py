"""What the tasks of Airflow leave for a monitor: a failure, whatever becomes of the telling, and that one is over."""

import datetime
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from delivery.records import Records
from tests.databases import copy_database
from tests.delivery.test_ledger import DAY

ROOT = Path(__file__).resolve().parents[2]
CALL = """
from types import SimpleNamespace
from dags.notices import task_failed
told = {"dag_id": "nightly", "task_id": "remove", "run_id": "a run"}
params = {"day": "2026-10-31", "feeds": True}
task_failed({"ti": SimpleNamespace(**told), "task": SimpleNamespace(op_kwargs={"of": "liveramp"}), "params": params,
             "dag_run": SimpleNamespace(conf=params)})
"""
STEP = """
import datetime
from dags import guard
from delivery.night import Night
from delivery.settings import read_settings
now = datetime.datetime.now(datetime.UTC)
guard.current_night = lambda: Night(read_settings(), datetime.date(2026, 10, 31), now)
guard.run_step("plan_removals")
"""


@pytest.fixture
def environment(empty_server, tmp_path) -> dict[str, str]:
    """As the DAG processor has it: warehouse and webhook, and neither the source nor the key."""
    own = {"AIRFLOW_HOME": str(tmp_path), "AIRFLOW__CORE__LOAD_EXAMPLES": "False"}
    return {"PATH": os.environ["PATH"], "SUDARE_WAREHOUSE_URL": copy_database(empty_server), **own}


def _start(environment: dict[str, str], script: str = CALL) -> subprocess.Popen:
    return subprocess.Popen([sys.executable, "-c", script], env=environment, cwd=ROOT, stderr=subprocess.DEVNULL)


def _kept(environment: dict[str, str]) -> list[tuple[str, str, str]]:
    return [(one.step, one.of, one.reason) for one in Records(environment["SUDARE_WAREHOUSE_URL"]).failures(DAY)]


@pytest.mark.parametrize(
    "also",
    [{"SUDARE_NOTICE_URL": "ftp://x"}, {"SUDARE_AGREEMENTS": "/nowhere/agreements.toml"}],
    ids=lambda told: str(*told),
)
def test_a_failure_is_kept_although_it_cannot_be_told_or_the_agreements_are_broken(environment, also):
    assert _start({**environment, **also}).wait(120) == 0
    assert _kept(environment) == [("remove", "liveramp", "FAULT")]


def test_a_failure_is_kept_before_anybody_is_told(environment):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        silent.settimeout(120)
        process = _start({**environment, "SUDARE_NOTICE_URL": f"http://127.0.0.1:{silent.getsockname()[1]}/"})
        connection, _ = silent.accept()
        process.kill()
        process.wait()
        connection.close()
    assert _kept(environment) == [("remove", "liveramp", "FAULT")]


def test_a_step_of_the_removals_that_succeeds_leaves_word_of_it(environment):
    url = environment["SUDARE_WAREHOUSE_URL"]
    settings = {"SUDARE_SOURCE_URL": url, "SUDARE_SECRET": "a secret of the tests, long enough to be one"}
    before = datetime.datetime.now(datetime.UTC)
    assert _start({**environment, **settings, "SUDARE_HOME": environment["AIRFLOW_HOME"]}, STEP).wait(120) == 0
    assert Records(url).successes().keys() == {("plan_removals", "")}
    assert Records(url).successes()["plan_removals", ""] > before
