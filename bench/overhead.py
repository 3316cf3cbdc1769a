"""
What Airflow itself takes of a mapped task: `python -m bench.overhead --tasks 20`.

Tasks that do nothing, under CeleryExecutor with one worker of one process and under LocalExecutor with one process, in
the cluster of the tests. Printed per executor, in seconds: the time of a task from its start to its end as Airflow
tells it, from being queued to its start, and what one more task costs, which is what shards are sized by.
"""

import argparse
import datetime
import statistics
import tempfile
from pathlib import Path

from tests.nights.cluster import Cluster, cluster

DAGS = Path(__file__).resolve().parent / "empty"
UNUSED = "postgresql://nobody@127.0.0.1:1/none"


def measure(running: Cluster, tasks: int) -> dict[str, float]:
    """Run the DAG twice and look at the second run, when everything is loaded."""
    for _ in range(2):
        run = running.trigger_with({"tasks": tasks}, "mapped")
        running.wait(run, 1_800, "mapped")
    told = [one for one in running.tasks(run, "mapped") if one["task_id"] == "nothing"]
    started, ended = ([_instant(one[name]) for one in told] for name in ("start_date", "end_date"))
    queued = [_instant(one["queued_when"]) for one in told]
    return {
        "start to end": statistics.median(e - s for s, e in zip(started, ended, strict=True)),
        "queued to start": statistics.median(s - q for q, s in zip(queued, started, strict=True)),
        "one more task": (max(ended) - min(started)) / len(told),
    }


def _instant(text: str) -> float:
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--tasks", type=int, default=20)
    tasks = parser.parse_args().tasks
    with tempfile.TemporaryDirectory() as home:
        one = {"AIRFLOW__CELERY__WORKER_CONCURRENCY": "1", "AIRFLOW__CORE__PARALLELISM": "1"}
        folder = {"AIRFLOW__CORE__DAGS_FOLDER": str(DAGS)}
        with cluster(Path(home), UNUSED, UNUSED, 1, "mapped", **one, **folder) as running:
            _tell("CeleryExecutor", measure(running, tasks))
            running.restart("scheduler", AIRFLOW__CORE__EXECUTOR="LocalExecutor")
            _tell("LocalExecutor", measure(running, tasks))


def _tell(executor: str, found: dict[str, float]) -> None:
    print(executor, ", ".join(f"{name} {seconds:.2f} s" for name, seconds in found.items()), flush=True)


if __name__ == "__main__":
    main()
