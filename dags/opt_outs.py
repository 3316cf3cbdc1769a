"""
The DAG ``opt_outs``: between nights, take in what partners left and send the removals that have become urgent.

It makes no feed and publishes nothing. What it does is in `delivery.feed_steps`.
"""

from airflow.sdk import dag

from dags.steps import EVERY_DAG, READS_SOURCE, step


@dag(
    dag_id="opt_outs",
    schedule="15 * * * *",
    **EVERY_DAG,
    doc_md="""
    **Owner**: the engineer on call. Hourly: partners' opt-out lists and receipts are taken in, and whoever was
    delivered and may be no longer is taken back. **If it fails**: the failed task's last line gives a reason code;
    the runbook in the README says what to do. Running it again is safe and sends nothing twice on one day.
    """,
)
def opt_outs():
    """Whoever was ever provided to, then the removals of each."""
    step("remove", **READS_SOURCE).expand(of=step("plan_removals")())


OPT_OUTS = opt_outs()
