"""
The DAG ``nightly``: when and in which order. What happens is in `delivery.night`.

A night is named by the Asia/Tokyo day it describes. The schedule gives it as the run's
partition; a run by hand gives it as the parameter ``day``.
"""

import datetime

from airflow.sdk import AsyncCallback, CronPartitionTimetable, DeadlineAlert, DeadlineReference, Param, chain, dag

from dags.notices import deadline_missed
from dags.steps import EVERY_DAG, READS_SOURCE, SOURCE_READERS, step
from delivery.settings import deadline

START = datetime.time(2, 30)

ALERT = DeadlineAlert(
    # A run of a partition has no logical date; one that the schedule starts is queued at its hour.
    reference=DeadlineReference.DAGRUN_QUEUED_AT,
    interval=datetime.timedelta(
        minutes=((deadline().hour - START.hour) * 60 + deadline().minute - START.minute) % (24 * 60)
    ),
    callback=AsyncCallback(deadline_missed),
)
"""A run that never starts has no deadline here: `sudare status` sees that one."""


@dag(
    dag_id="nightly",
    # about the day before
    schedule=CronPartitionTimetable(
        f"{START.minute} {START.hour} * * *", timezone="Asia/Tokyo", run_offset=-1, key_format="%Y-%m-%d"
    ),
    **EVERY_DAG,
    params={
        "day": Param(None, type=["null", "string"], pattern="^[0-9]{4}-[0-9]{2}-[0-9]{2}$"),
        "feeds": Param(True, type="boolean", description="false for the older days of a backfill; removals go on"),
    },
    deadline=ALERT,
    doc_md="""
    **Owner**: the engineer on call. **If it fails**: the failed task's last line gives a reason code; the
    runbook in the README says what to do. Nothing of a failed branch was published. Running the same day
    again is safe while no later one is published, and sends nothing twice.
    """,
)
def nightly():
    """Plan, then four branches: statistics, texts for internal use, the ad feeds, and removals."""

    shards, text_shards, destinations = step("plan", **READS_SOURCE)(), step("plan_texts")(), step("plan_feeds")()
    owing = step("plan_removals")()
    shards >> [text_shards, destinations, owing]
    extract = step("extract", max_active_tis_per_dagrun=SOURCE_READERS, **READS_SOURCE).expand(of=shards)
    redact = step("redact", max_active_tis_per_dagrun=SOURCE_READERS, **READS_SOURCE).expand(of=text_shards)
    tabulate = step("tabulate").expand(of=shards)
    publish = step("publish")()
    # Terms are counted of texts, so the cells wait for those.
    merge_cells = step("merge_cells")()
    redact >> merge_cells
    chain(extract, tabulate, merge_cells, step("disclose")(), step("gate_tables")(), publish)
    feeds = [step(name, **READS_SOURCE).expand(of=destinations) for name in ("build_feed", "gate_feed", "hand_over")]
    chain(*feeds)
    # What is owed is sent whatever becomes of a feed, and a feed whatever becomes of a removal.
    removals = step("remove", **READS_SOURCE).expand(of=owing)
    # A teardown runs whatever happened, and its success hides no failure.
    [publish, feeds[-1], removals] >> step("close")().as_teardown()


NIGHTLY = nightly()
