"""
The DAG ``retention``: every day, delete what is older than it may be, and record it.

What it does, and the periods, are in `delivery.retention`.
"""

from airflow.sdk import dag

from dags.steps import EVERY_DAG, step


@dag(
    dag_id="retention",
    schedule="45 4 * * *",
    **EVERY_DAG,
    doc_md="""
    **Owner**: the privacy officer (個人情報保護の担当), and the engineer on call. Daily: staged nights, local copies
    of feeds and removals, partners' lists and receipts, logs, and records of provision that ended three years ago
    are deleted when their time is over. `sudare status` says what the last run did. **If it fails**: the failed task's
    last line gives a reason code; the runbook in the README says what to do. Running it again is safe.
    """,
)
def retention():
    """One step: there is little to do, and nothing depends on it."""
    step("retain")()


RETENTION = retention()
