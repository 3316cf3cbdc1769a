"""
Run the DAG once in this process, with no scheduler: `python -m dags.run YYYY-MM-DD [without-feeds]`.

For `sudare night`, which starts this as a process of its own, with Airflow's environment
set before Airflow is imported. Migrates Airflow's metadata first where that is needed.
"""

import sys
from typing import Any

from airflow.configuration import conf
from airflow.models.pool import Pool
from airflow.sdk.observability import stats
from airflow.sdk.observability.metrics import stats_utils
from airflow.utils import db
from airflow.utils.session import create_session

from dags.steps import READS_SOURCE, SOURCE_READERS


def migrate() -> None:
    """
    Bring Airflow's metadata database to this version, with the pool that bounds the load on the site's database.

    Quick where it is. A pool that is there stays as an operator has set it.
    """
    try:
        db.check_migrations(timeout=0)
    except TimeoutError:
        db.initdb()
    name = READS_SOURCE["pool"]
    with create_session() as session:
        if Pool.get_pool(name, session=session) is None:
            about = "tasks that read the site's database at once"
            Pool.create_or_update_pool(name, SOURCE_READERS, about, include_deferred=False, session=session)


def main(day: str, *, feeds: bool = True) -> int:
    """Run one night; 0 if the run succeeded."""
    migrate()
    # As a worker does before its task.
    stats.initialize(
        factory=stats_utils.get_stats_factory(), export_legacy_names=conf.getboolean("metrics", "legacy_names_on")
    )
    return 0 if run_once({"day": day, "feeds": feeds}) else 1


def run_once(conf: dict[str, Any]) -> bool:
    """Run the DAG in this process; whether it succeeded."""
    from dags.nightly import NIGHTLY

    # Somebody is waiting, and no scheduler watches; `DAG.test` of 3.3 takes an alert for the name of one and fails.
    NIGHTLY.deadline = []
    return NIGHTLY.test(run_conf=conf).state == "success"


if __name__ == "__main__":
    if sys.argv[1:] == ["migrate"]:
        migrate()
        sys.exit(0)
    sys.exit(main(sys.argv[1], feeds=sys.argv[2:] != ["without-feeds"]))
