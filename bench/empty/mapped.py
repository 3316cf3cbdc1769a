"""Mapped tasks that do nothing, to see what Airflow itself takes; for `bench.overhead`, and no part of a night."""

import datetime

from airflow.sdk import Param, dag, task


@dag(
    dag_id="mapped",
    schedule=None,
    start_date=datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC),
    params={"tasks": Param(20, type="integer")},
)
def mapped():
    """As many tasks as are asked for, one after the other in each process of a worker."""

    @task
    def numbers(**context) -> list[int]:
        return list(range(context["params"]["tasks"]))

    @task
    def nothing(of: int) -> None:
        """What a step is without its work."""

    nothing.expand(of=numbers())


MAPPED = mapped()
