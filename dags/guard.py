"""
What every task is wrapped in: settings, privacy of failures, and the record of its step.

An exception that leaves a task is written to a log by Airflow, with its message. So what
leaves a task is one of our own errors, which quote no row; anything else is reduced to
its type and place.
"""

import datetime
import json
import logging
import os
import re
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from airflow.sdk import Connection, ExceptionRetryPolicy, RetryAction, RetryRule, Variable, get_current_context
from airflow.sdk.exceptions import AirflowNotFoundException
from airflow.sdk.log import mask_secret

from anonymizers.errors import DayRefused, NightRunning, SudareError, Terminal, without_values
from dags.telemetry import measure, tell_lineage
from delivery.days import last_day_over

STEPS_FILE = "SUDARE_STEPS_FILE"
"""Where a run on one machine records its steps, for its summary."""

_SECRET = ("_SECRET", "_URL", "_PASSWORD", "_PRIVATE_KEY")
"""Endings of settings that no log may show."""

RETRIES = {
    "retries": int(os.environ.get("SUDARE_RETRIES") or "2"),
    "retry_delay": datetime.timedelta(seconds=int(os.environ.get("SUDARE_RETRY_SECONDS") or "60")),
    "retry_exponential_backoff": 2.0,
    # Refusals, gates and bugs fail at once: trying again would only hide them.
    "retry_policy": ExceptionRetryPolicy(
        rules=[RetryRule(exception=Terminal, action=RetryAction.FAIL, reason="the cause will not pass by itself")]
    ),
}


def run_step(name: str, of: Any = None) -> Any:
    """
    Run one function of `delivery.night` for this run's night, and let nothing out that quotes a row.

    Args:
        name: The function.

        of: What a mapped task is about: numbers of shards, or the name of a destination.
    """
    from delivery import night as nights  # Arrow and polars, which parsing a DAG file must not pay for

    os.umask(0o077)
    # A clock that is set while a step runs says nothing of how long it took.
    started, result, failure, night = time.monotonic(), None, None, None
    try:
        night = current_night()
        if night.run and name not in ("plan", "close"):  # the one takes over, the other tidies up what is its own
            nights.require_not_overtaken(night)
        quietly("lineage", tell_lineage, name, of, night)
        result = getattr(nights, name)(night) if of is None else getattr(nights, name)(night, of)
    except Exception as error:  # noqa: BLE001  the guard: reduced to what may be told, then raised below
        failure = _why(night, without_values(error))
    _record(started, result, failure)
    if failure is None:
        quietly("record of the success", _remember, name, of, night)
    quietly("metrics", measure, name, of, time.monotonic() - started, result, failure)
    if failure is not None:
        # Outside the handler, so that the original is no part of the new one's context.
        raise failure
    return result


def _remember(name: str, of: Any, night) -> None:
    from delivery.records import UNSEEN, Records

    if name in UNSEEN:
        now = datetime.datetime.now(datetime.UTC)
        Records(night.settings.warehouse_url).keep_success(name, "" if of is None else of, now)


def _why(night, failure: SudareError) -> SudareError:
    """The failure itself, unless another run of the same night has taken over: then what lay between steps is gone."""
    from delivery.night import require_not_overtaken

    if night is not None and night.run:
        try:
            require_not_overtaken(night)
        except NightRunning as overtaken:
            return without_values(overtaken)
        except Exception:  # noqa: BLE001, S110  only staging cannot be asked; the failure stays what it was
            pass
    return failure


def current_night():
    """The night this task run belongs to."""
    from delivery.night import Night
    from delivery.settings import read_settings

    context = get_current_context()
    feeds = (context.get("params") or {}).get("feeds", True)
    now = datetime.datetime.now(datetime.UTC)
    return Night(read_settings(surroundings()), day_of(context), now, current_run(), feeds)


def surroundings() -> dict[str, str]:
    """Every setting, from the environment or else from Airflow; secrets are masked in logs from here on."""
    return _masked({**_from_airflow(), **os.environ})


def outskirts() -> dict[str, str]:
    """What a failure is told with: the environment and the warehouse; no key, and no agreement that may be broken."""
    return _masked({**_connections(("SUDARE_WAREHOUSE_URL", "sudare_warehouse")), **os.environ})


def _masked(environment: dict[str, str]) -> dict[str, str]:
    for name, value in environment.items():
        if value and name.startswith("SUDARE_") and name.endswith(_SECRET):
            mask_secret(value)
    return environment


def current_run() -> str:
    """The name of this run of the night, fit for a path; none where the DAG describes no day of its own."""
    context = get_current_context()
    if "day" not in (context.get("params") or {}):
        return ""
    return re.sub(r"[^A-Za-z0-9-]+", "-", context["dag_run"].run_id)


def day_of(context: Mapping[str, Any]) -> datetime.date:
    """
    The day a run describes: its parameter ``day``, else its partition (Asia/Tokyo).

    A DAG that has no such parameter describes no day of its own; it works as of the last one that is over.

    Args:
        context: A task's, or what Airflow tells of a run whose deadline has passed.
    """
    run = context["dag_run"]
    told = run if isinstance(run, Mapping) else {"conf": run.conf, "partition_key": getattr(run, "partition_key", None)}
    params = context.get("params")
    if params is not None and "day" not in params:
        return last_day_over(datetime.datetime.now(datetime.UTC))
    text = (params or told.get("conf") or {}).get("day") or told.get("partition_key")
    try:
        return datetime.date.fromisoformat(text or "")
    except ValueError:
        raise DayRefused("give the day as parameter 'day', YYYY-MM-DD; this run has no partition") from None


def quietly(what: str, tell: Callable[..., object], *about: Any) -> None:
    """Do what may fail without anything depending on it; that it failed is logged, without any value."""
    try:
        tell(*about)
    except Exception as error:  # noqa: BLE001  the guard: who is told must not decide what becomes of a night
        logging.getLogger("sudare").error("%s: %s", what, without_values(error))


def _from_airflow() -> dict[str, str]:
    """Connections and the secret, where Airflow keeps them and the environment does not."""
    found = _connections(("SUDARE_SOURCE_URL", "sudare_source"), ("SUDARE_WAREHOUSE_URL", "sudare_warehouse"))
    if not os.environ.get("SUDARE_SECRET"):
        found["SUDARE_SECRET"] = Variable.get("sudare_secret", default="")
    return found | _credentials()


def _connections(*wanted: tuple[str, str]) -> dict[str, str]:
    return {setting: _connection_url(name) for setting, name in wanted if not os.environ.get(setting)}


def _credentials() -> dict[str, str]:
    """Logins at partners, from the connections ``sudare_<destination>`` that there are."""
    from delivery.agreements import credential_variables, read_agreements

    found = {}
    for name in read_agreements(os.environ):
        variables = credential_variables(name)
        if any(os.environ.get(variable) for variable in variables):
            continue
        try:
            connection = Connection.get(f"sudare_{name}")
        except AirflowNotFoundException:
            continue
        values = (connection.login, connection.password, connection.extra_dejson.get("private_key"))
        found |= {variable: value for variable, value in zip(variables, values, strict=True) if value}
    return found


def _connection_url(connection_id: str) -> str:
    import sqlalchemy as sa

    try:
        connection = Connection.get(connection_id)
    except AirflowNotFoundException:
        return ""
    # Built from the fields: Airflow's own spelling of the URL is one that SQLAlchemy refuses.
    url = sa.URL.create(
        "postgresql",
        connection.login,
        connection.password,
        connection.host or None,
        connection.port,
        connection.schema,
        query={name: str(value) for name, value in connection.extra_dejson.items()},
    )
    return url.render_as_string(hide_password=False)


def _record(started: float, result: Any, failure: Exception | None) -> None:
    path = os.environ.get(STEPS_FILE)
    if not path:
        return
    instance = get_current_context()["ti"]
    line = {
        "step": instance.task_id,
        "shard": max(instance.map_index, 0),
        "seconds": round(time.monotonic() - started, 2),
        "result": result,
    }
    if failure is not None:
        line |= {"reason": failure.reason, "exit_status": failure.exit_status, "message": str(failure)}
    with Path(path).open("a") as file:
        file.write(json.dumps(line, ensure_ascii=False, default=str) + "\n")
