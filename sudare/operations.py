"""The commands about nights as a whole: how they stand, those that were missed, and what has become old."""

import datetime
import os
import sys
from collections.abc import Mapping
from typing import Annotated

import typer

from anonymizers.errors import SettingRefused
from sudare.options import AsJson, Date, night_now, out, parse_day, tell


def status(date: Date = None, as_json: AsJson = False) -> None:
    """
    For a monitor outside Airflow: is the night out, are the feeds, what is owed. Ends with 0 or the worst's status.

    Needs SUDARE_WAREHOUSE_URL (and SUDARE_LEDGER_URL, SUDARE_AGREEMENTS where they are set), no Airflow, source or key.
    公開・提供・削除依頼の状況を確認し、異常があればその番号で終了します。
    """
    from sudare.status import print_state, read_state

    told = read_state(_watched(), datetime.datetime.now(datetime.UTC), parse_day(date) if date else None)
    tell(told, as_json, lambda: print_state(out, told))
    sys.exit(told["exit_status"])


def _watched() -> Mapping[str, str]:
    """What is set; only where no warehouse is, this machine's own. A monitor starts no database."""
    from sudare.deployment import environment

    return os.environ if os.environ.get("SUDARE_WAREHOUSE_URL") else environment()


def backfill(
    first: Annotated[str | None, typer.Option("--from", help="First day; by default what is missed.")] = None,
    last: Annotated[str | None, typer.Option("--to", help="Last day; by default yesterday in Tokyo.")] = None,
    plan_only: Annotated[bool, typer.Option("--plan", help="Show the plan and do nothing.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Run it without asking.")] = False,
    as_json: AsJson = False,
) -> None:
    """
    Make up for missed nights: shows a plan, asks, then runs them one after another, oldest first, until one fails.

    Stop signals and consents are today's. Only the newest day sends feeds. A day before a published one cannot be run.
    実行されなかった夜を古い順に実行します。同意・停止は現在のものを用い、提供は最新の日のみ行います。
    """
    from delivery.settings import home
    from sudare import backfill as nights
    from sudare.deployment import environment
    from sudare.summary import print_step

    found = environment()
    begin, end = first and parse_day(first, "--from"), last and parse_day(last, "--to")
    if begin and end and begin > end:
        raise SettingRefused("--from is after --to")
    planned = nights.plan(night_now(), begin, end, home(found))
    wanted = nights.to_run(planned)
    if not as_json:
        nights.print_plan(out, planned)
    if wanted and not plan_only and not yes:
        if as_json or not sys.stdin.isatty():
            raise SettingRefused("nobody is there to ask: give --yes to run this plan, or --plan to see it only")
        plan_only = not typer.confirm(f"Run {len(wanted)} nights?")
    told: dict = {"plan": planned, "runs": [], "resume_from": None, "resume_with": None, "exit_status": 0}
    on_night = lambda day: None if as_json else out.print(f"\n[bold]{day}[/]")  # noqa: E731
    on_step = lambda record: None if as_json else print_step(out, record)  # noqa: E731
    for day, run in nights.run(found, [] if plan_only else wanted, on_night, on_step):
        told["runs"].append(nights.told(day, run))
        if run.exit_status:
            told |= {"resume_from": day.isoformat(), "exit_status": run.exit_status}
            told["resume_with"] = nights.go_on(told["runs"][-1], wanted)
    tell(told, as_json, lambda: nights.print_end(out, told, wanted))
    sys.exit(told["exit_status"])


def retention(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would go; delete and record nothing.")] = False,
    as_json: AsJson = False,
) -> None:
    """
    Delete what is older than it may be, as the DAG `retention` does daily, and record it in the warehouse.

    Records of provision (第三者提供記録) stay for three years after the last one, open removals for ever.
    保存期間を過ぎたものを削除し、記録します。提供記録は最後の提供から3年間保存します。
    """
    from sudare.retention import print_deletions, run

    told = run(night_now(), dry_run=dry_run)
    tell(told, as_json, lambda: print_deletions(out, told, dry_run=dry_run))
