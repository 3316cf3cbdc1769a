"""
What is told to people when a step has failed for good, or a night is late: what, what is out, and what to do.

A notice may be pasted into a chat: it holds names of steps, days, reasons and our own messages, and no row. It is one
line in the log, and goes to a webhook where one is set.
"""

import csv
import datetime
import http.client
import json
import os
import urllib.request
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from urllib.parse import urlsplit

from anonymizers.errors import SettingRefused, SudareError, Transient
from delivery import settings
from delivery.ledger import ARRIVED, Ledger
from delivery.records import Failure, Records

TIMEOUT_S = 10


@dataclass(frozen=True)
class Out:
    """What of a day's night is out: None where nobody could tell."""

    tables: bool | None = None
    feeds: list[str] | None = None


@dataclass(frozen=True)
class Notice:
    """One failure, for people and for a webhook."""

    text: str
    """All of it in a few lines, in English and Japanese; what chat programs show."""
    dag: str
    step: str
    of: str
    day: str
    run: str
    reason: str
    exit_status: int
    message: str
    out: Out
    retry_is_safe: bool
    retry_may_help: bool
    to_do: str
    to_do_ja: str


@cache
def runbook() -> dict[str, tuple[str, str]]:
    """By reason: what to do, in English and in Japanese."""
    with Path(__file__).with_name("runbook.csv").open(encoding="utf-8", newline="") as file:
        return {row["reason"]: (row["to_do"], row["to_do_ja"]) for row in csv.DictReader(file)}


def what_is_out(environment: Mapping[str, str], day: datetime.date) -> Out:
    """Whether the tables of a night are published, and which of its feeds have arrived."""
    try:
        tables = day in Records(settings.warehouse_url(environment)).published()
    except SudareError:
        return Out()
    try:
        ledger = Ledger(settings.ledger_url(environment))
        return Out(tables, [name for name in ledger.destinations() if _arrived(ledger, name, day)])
    except SudareError:
        return Out(tables)


def _arrived(ledger: Ledger, name: str, day: datetime.date) -> bool:
    return any(one.day == day and one.state in ARRIVED for one in ledger.deliveries(name, "feed"))


def remember(environment: Mapping[str, str], failure: Failure) -> None:
    """
    Keep a failure where `sudare status` finds it.

    Raises:
        SettingRefused, WarehouseUnreachable: it cannot be kept.
    """
    Records(settings.warehouse_url(environment)).keep_failure(failure)


def compose(dag: str, step: str, of: str, day: datetime.date, run: str, error: SudareError, out: Out) -> Notice:
    """
    Put a notice together.

    Args:
        dag, step, of: What failed; ``of`` is the destination of a mapped step, or empty.

        day: The night's.

        run: Airflow's name of the run.

        error: One of ours: its message quotes no row.

        out: From `what_is_out`.
    """
    to_do, to_do_ja = runbook()[error.reason]
    helps = isinstance(error, Transient)
    where = f"{dag} {step}".strip() + (f"[{of}]" if of else "")
    lines = [
        f"Sudare {day}: {where}: {error.reason} (exit {error.exit_status}). {error}",
        f"Out: {_out(out)}. Running {day} again is safe and sends nothing twice"
        + (". " if helps else "; it fails the same until the cause is gone. ")
        + f"To do: {to_do}.",
        f"【簾】{day} {where} {error.reason}。公開状況: {_out_ja(out)}。同じ日の再実行は安全です"
        + ("。" if helps else "(原因が除かれるまで同じ結果になります)。")
        + f"対応: {to_do_ja}。",
    ]
    told = {"dag": dag, "step": step, "of": of, "day": day.isoformat(), "run": run}
    return Notice(
        text="\n".join(lines),
        **told,
        reason=error.reason,
        exit_status=error.exit_status,
        message=str(error),
        out=out,
        retry_is_safe=True,
        retry_may_help=helps,
        to_do=to_do,
        to_do_ja=to_do_ja,
    )


def _out(out: Out) -> str:
    tables = {None: "tables unknown", True: "tables published", False: "no table"}[out.tables]
    feeds = "feeds unknown" if out.feeds is None else f"feeds {', '.join(out.feeds)}" if out.feeds else "no feed"
    return f"{tables}, {feeds}"


def _out_ja(out: Out) -> str:
    tables = {None: "統計表は不明", True: "統計表は公開済み", False: "統計表は未公開"}[out.tables]
    feeds = "提供は不明" if out.feeds is None else f"提供済み {', '.join(out.feeds)}" if out.feeds else "提供なし"
    return f"{tables}、{feeds}"


def one_line(notice: Notice) -> str:
    """As it stands in a log: JSON without its text, which the fields say as well."""
    return json.dumps({k: v for k, v in asdict(notice).items() if k != "text"}, ensure_ascii=False)


def post(notice: Notice, environment: Mapping[str, str] = os.environ) -> bool:
    """
    Send a notice to the webhook, if there is one.

    Returns:
        Whether it was taken. One that was not is in the log all the same.

    Raises:
        SettingRefused: the address is none of http or https. It is a secret and not told.
    """
    url = environment.get("SUDARE_NOTICE_URL", "")
    if not url:
        return False
    if not _is_of_the_web(url):
        raise SettingRefused("SUDARE_NOTICE_URL is no http or https address")
    body = json.dumps(asdict(notice), ensure_ascii=False).encode()
    headers = {"Content-Type": "application/json; charset=utf-8"}
    try:
        request = urllib.request.Request(url, body, headers, method="POST")  # noqa: S310  checked above
        with urllib.request.urlopen(request, timeout=TIMEOUT_S) as answer:  # noqa: S310
            return 200 <= answer.status < 300
    # A status is an OSError; an address that is none, or an answer that is none, one of the other two.
    except (OSError, ValueError, http.client.HTTPException):
        return False


def _is_of_the_web(url: str) -> bool:
    try:
        return urlsplit(url).scheme in ("http", "https")
    except ValueError:
        return False
