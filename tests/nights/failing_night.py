"""
A night on the real DAG in which every task first fails with rows in hand, and then succeeds.

Started as a process of its own with Airflow's environment: `python -m tests.nights.failing_night DAY`.
Each failure is a foreign exception whose message, whose locals and whose cause quote rows.
"""

import datetime
import os
import sys

import psycopg
from airflow.utils import db

from delivery import night as nights

STEPS = (
    *("plan", "plan_texts", "plan_feeds", "extract", "redact", "tabulate", "merge_cells", "disclose"),
    *("gate_tables", "publish", "build_feed", "gate_feed", "hand_over", "plan_removals", "remove", "close"),
)


def rows_in_hand() -> list[tuple]:
    with psycopg.connect(os.environ["CANARY_SOURCE_URL"]) as connection:
        members = connection.execute("select * from members where full_name like 'CANARY%' limit 20").fetchall()
        postings = connection.execute("select * from postings where body like '%CANARY%' limit 20").fetchall()
    return members + postings


def failing_once(name: str):
    work, tries = getattr(nights, name), []

    def step(*arguments):
        result = work(*arguments)
        if not tries:
            tries.append(name)
            held = rows_in_hand()
            if not held:
                raise SystemExit("there are no canaries to hold")
            try:
                raise ValueError(f"could not convert {held!r}")
            except ValueError as error:
                raise RuntimeError(f"step {name} failed on {held[0]!r}") from error
        return result

    return step


def main(day: str) -> int:
    db.initdb()
    for name in STEPS:
        setattr(nights, name, failing_once(name))
    from dags import guard

    # As for an error that may pass, and without waiting.
    guard.RETRIES = {"retries": 1, "retry_delay": datetime.timedelta(0)}
    from dags.run import run_once

    return 0 if run_once({"day": day}) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
