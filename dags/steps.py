"""How a function of `delivery.night` becomes a task. All DAGs are made of these."""

import datetime

from airflow.sdk import task

from dags.guard import RETRIES, run_step
from dags.notices import task_failed

SOURCE_READERS = 4
"""Tasks that read the site's database at once, of all runs of all DAGs, unless an operator has given the pool another
size."""

READS_SOURCE = {"pool": "source"}
"""Options of a task that reads the site's database. The pool is made by `dags.run.migrate`."""

EVERY_DAG = {
    "start_date": datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC),
    "catchup": False,
    "max_active_runs": 1,
    "default_args": {
        **RETRIES,
        "execution_timeout": datetime.timedelta(hours=2),
        "on_failure_callback": task_failed,
    },
    "tags": ["sudare"],
}
"""What holds for all of them."""


def step(name: str, **options):
    """The task that runs one function of `delivery.night`, whole or mapped over what it is ``of``."""

    @task(task_id=name, show_return_value_in_logs=False, **options)
    def run(of=None):
        return run_step(name, of)

    return run
