"""How a function of `delivery.night` becomes a task. Both DAGs are made of these."""

import datetime

from airflow.sdk import task

from dags.guard import RETRIES, run_step
from dags.notices import task_failed

OPTIONS = {**RETRIES, "execution_timeout": datetime.timedelta(hours=2), "on_failure_callback": task_failed}


def step(name: str, **options):
    """The task that runs one function of `delivery.night`, whole or mapped over what it is ``of``."""

    @task(task_id=name, show_return_value_in_logs=False, **options)
    def run(of=None):
        return run_step(name, of)

    return run
