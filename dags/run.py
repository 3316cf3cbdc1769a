"""
Run the DAG once in this process, with no scheduler: `python -m dags.run YYYY-MM-DD`.

For `sudare night`, which starts this as a process of its own, with Airflow's environment
set before Airflow is imported. Migrates Airflow's metadata first where that is needed.
"""

import sys

from airflow.utils import db


def migrate() -> None:
    """Bring Airflow's metadata database to this version; quick where it is."""
    try:
        db.check_migrations(timeout=0)
    except TimeoutError:
        db.initdb()


def main(day: str) -> int:
    """Run one night; 0 if the run succeeded."""
    migrate()
    from dags.nightly import NIGHTLY

    run = NIGHTLY.test(run_conf={"day": day})
    return 0 if run.state == "success" else 1


if __name__ == "__main__":
    if sys.argv[1:] == ["migrate"]:
        migrate()
        sys.exit(0)
    sys.exit(main(sys.argv[1]))
