"""
Airflow's callbacks: a task that failed for good, and a night that is late. What is told is in `delivery.notices`.

None of them lets anything out: a notice that cannot be given changes nothing of the night.
"""

import asyncio
import datetime
import logging
import os
from collections.abc import Mapping
from typing import Any

from dags.guard import day_of, outskirts, quietly

_LOG = logging.getLogger("sudare.notice")


def task_failed(context: Mapping[str, Any]) -> None:
    """For ``on_failure_callback``: after the last try only."""
    quietly("notice", _task_failed, context)


def _task_failed(context: Mapping[str, Any]) -> None:
    from anonymizers.errors import Fault, without_values
    from delivery import notices
    from delivery.records import Failure

    environment, day = outskirts(), day_of(context)
    raised = context.get("exception")
    error = (
        without_values(raised)
        if isinstance(raised, BaseException)
        else Fault("the task's process ended without a word: it was killed, or its machine went away")
    )
    instance = context["ti"]
    of = getattr(context.get("task"), "op_kwargs", {}).get("of")
    of = of if isinstance(of, str) else ""
    now = datetime.datetime.now(datetime.UTC)
    told = (instance.dag_id, instance.task_id, of)
    kept = Failure(day, *told, error.reason, str(error), now)
    # Kept first: a monitor finds it there, whatever becomes of the telling.
    quietly("record of the failure", notices.remember, environment, kept)
    notice = notices.compose(*told, day, instance.run_id, error, notices.what_is_out(environment, day))
    _tell(notice, environment)


async def deadline_missed(context: Mapping[str, Any]) -> None:
    """For a `DeadlineAlert`: in the triggerer, which knows no more of the site than it is given."""
    await asyncio.to_thread(quietly, "notice", _deadline_missed, context)


def _deadline_missed(context: Mapping[str, Any]) -> None:
    from anonymizers.errors import NightLate
    from delivery import notices

    run, day = context["dag_run"], day_of(context)
    error = NightLate(f"{day}: the run has not ended by its deadline; its steps are in Airflow, and in `sudare status`")
    out = notices.what_is_out(os.environ, day)
    _tell(notices.compose(run["dag_id"], "", "", day, run["dag_run_id"], error, out), os.environ)


def _tell(notice: Any, environment: Mapping[str, str]) -> None:
    from delivery import notices

    _LOG.error("%s", notices.one_line(notice))
    if environment.get("SUDARE_NOTICE_URL") and not notices.post(notice, environment):
        _LOG.error("the notice of %s was not taken by SUDARE_NOTICE_URL", notice.reason)
