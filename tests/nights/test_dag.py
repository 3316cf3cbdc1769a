"""The DAG as Airflow sees it: it loads, cheaply, and asks for what `delivery.night` offers."""

import ast
import inspect
import json
import subprocess
import sys
from pathlib import Path

import pytest

from delivery import night as nights

ROOT = Path(__file__).resolve().parents[2]
LOAD = """
import json, sys
from dags.nightly import NIGHTLY
from dags.opt_outs import OPT_OUTS
from dags.retention import RETENTION
tasks = {t.task_id: sorted(t.downstream_task_ids) for t in NIGHTLY.tasks}
names = {"pandas", "polars", "pyarrow", "scipy", "presidio_analyzer", "great_expectations"}
heavy = sorted(names & sys.modules.keys())
print("DAG " + json.dumps({
    "tasks": tasks, "heavy": heavy, "timetable": type(NIGHTLY.timetable).__name__, "documented": bool(NIGHTLY.doc_md),
    "terminal": all(t.retry_policy is not None for t in NIGHTLY.tasks), "runs": NIGHTLY.max_active_runs,
    "pools": {t.task_id: t.pool for d in (NIGHTLY, OPT_OUTS) for t in d.tasks},
    "between": {t.task_id: sorted(t.downstream_task_ids) for t in OPT_OUTS.tasks},
    "retention": {t.task_id: sorted(t.downstream_task_ids) for t in RETENTION.tasks},
    "told": all(t.on_failure_callback for d in (NIGHTLY, OPT_OUTS, RETENTION) for t in d.tasks),
    "retried": all(t.retry_policy is not None for t in OPT_OUTS.tasks), "at_once": OPT_OUTS.max_active_runs}))
"""


@pytest.fixture(scope="module")
def dag(tmp_path_factory) -> dict:
    home = tmp_path_factory.mktemp("airflow")
    variables = {"PATH": "/usr/bin:/bin", "AIRFLOW_HOME": str(home), "AIRFLOW__CORE__LOAD_EXAMPLES": "False"}
    loaded = subprocess.run(
        [sys.executable, "-c", LOAD], env=variables, cwd=ROOT, capture_output=True, text=True, timeout=120
    )
    (line,) = [line for line in loaded.stdout.splitlines() if line.startswith("DAG ")]
    return json.loads(line.removeprefix("DAG "))


def test_parsing_the_dag_loads_no_data_library(dag):
    """The DAG processor does it all the time, and pandas alone costs two seconds."""
    assert dag["heavy"] == []


def test_every_task_is_a_step_of_a_night(dag):
    """And every public step takes the night, and at most what it is mapped over."""
    for name in dag["tasks"]:
        parameters = list(inspect.signature(getattr(nights, name)).parameters)
        assert parameters[0] == "night"
        assert len(parameters) <= 3


def test_tables_are_published_only_behind_their_gate_and_feeds_only_behind_theirs(dag):
    tasks = dag["tasks"]
    assert tasks["gate_tables"] == ["publish"]
    assert tasks["gate_feed"] == ["hand_over"]
    assert tasks["build_feed"] == ["gate_feed"]
    assert {name for name, after in tasks.items() if "publish" in after} == {"gate_tables"}


def test_cells_are_merged_once_members_are_counted_and_texts_are_redacted(dag):
    """Terms are counted of redacted texts only."""
    tasks = dag["tasks"]
    assert {name for name, after in tasks.items() if "merge_cells" in after} == {"tabulate", "redact"}
    assert tasks["merge_cells"] == ["disclose"]
    assert tasks["disclose"] == ["gate_tables"]
    assert tasks["redact"] == ["merge_cells"]


def test_the_feed_branch_waits_for_nothing_of_the_statistics(dag):
    """It never touches staged microdata, so it depends on the plan alone."""
    before = {name for name, after in dag["tasks"].items() if {"build_feed", "plan_feeds"} & set(after)}
    assert before == {"plan", "plan_feeds"}


def test_removals_wait_for_no_feed_and_no_feed_for_them(dag):
    tasks = dag["tasks"]
    assert {name for name, after in tasks.items() if "remove" in after} == {"plan_removals"}
    assert tasks["remove"] == ["close"]
    assert "remove" not in tasks["hand_over"]


def test_between_nights_only_removals_are_sent(dag):
    assert dag["between"] == {"plan_removals": ["remove"], "remove": []}
    assert dag["retried"]
    assert dag["at_once"] == 1


def test_a_day_is_a_partition_retries_are_for_what_may_pass_and_one_run_is_active(dag):
    assert dag["timetable"] == "CronPartitionTimetable"
    assert dag["documented"]
    assert dag["terminal"]
    assert dag["runs"] == 1


def test_whatever_reads_the_source_is_bounded_by_one_pool_in_both_dags(dag):
    """What a step's own module opens is told by its source: a session, or a function that is given the source."""
    reading = {name for name, pool in dag["pools"].items() if pool == "source"}
    assert reading == {"plan", "extract", "redact", "build_feed", "gate_feed", "hand_over", "remove"}
    for name in set(dag["pools"]) - reading:
        assert "night.source" not in inspect.getsource(getattr(nights, name))


def test_migrating_makes_the_pool_once_and_leaves_it_as_somebody_has_set_it(tmp_path):
    code = """
from dags.run import migrate
from airflow.models.pool import Pool
from airflow.utils.session import create_session
def slots():
    with create_session() as session:
        return Pool.get_pool("source", session=session).slots
migrate()
before = slots()
with create_session() as session:
    Pool.get_pool("source", session=session).slots = 9
migrate()
print("SLOTS", before, slots())
"""
    variables = {"PATH": "/usr/bin:/bin", "AIRFLOW_HOME": str(tmp_path), "AIRFLOW__CORE__LOAD_EXAMPLES": "False"}
    told = subprocess.run([sys.executable, "-c", code], env=variables, cwd=ROOT, capture_output=True, text=True)
    assert "SLOTS 4 9" in told.stdout, told.stderr[-2_000:]


def test_the_dag_folder_holds_no_data_logic():
    """Nothing there imports a package of data, but the steps of a night and their settings."""
    for path in (ROOT / "dags").glob("*.py"):
        found = {node.module for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.ImportFrom)}
        ours = {module for module in found if module.split(".")[0] in ("transforms", "anonymizers", "expectations")}
        assert ours <= {"anonymizers.errors"}


def test_every_day_what_is_old_is_deleted_in_one_step(dag):
    assert dag["retention"] == {"retain": []}
    assert "retain" in dir(nights)


def test_every_task_tells_when_it_has_failed(dag):
    assert dag["told"]
