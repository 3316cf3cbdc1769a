"""
Nights that were missed, made up for: a plan first, then one after another through the real DAG.

Oldest first, since a night builds on the one before it and never goes behind a later one. Only the newest day sends
feeds: an older one would be replaced at once, and every feed is of today's consents and stops whatever day it is about.
"""

import datetime
import statistics
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from rich.console import Console

from delivery.days import days, last_day_over
from delivery.night import Night
from delivery.records import Records
from sudare.console import columns
from sudare.runner import Run, run_night
from sudare.status import missed
from transforms.release import week_before
from transforms.source import SCHEMA, tokyo_days
from transforms.spec import WINDOW_DAYS, Period, Reader

RUN, PUBLISHED, REFUSED, NOT_OVER = "run", "published", "refused", "not over"
_JAPANESE = {
    RUN: "実行",
    PUBLISHED: "公開済み",
    REFUSED: "不可(後の日が公開済み)",
    NOT_OVER: "不可(日が終わっていない)",
}
RECENT = 5
"""Earlier nights from which the time of one is guessed."""


def plan(night: Night, first: datetime.date | None, last: datetime.date | None, place: Path) -> dict:
    """
    What a backfill would do. Reads the source's counts, the warehouse and the ledger; changes nothing.

    Args:
        night: As of now; its day does not matter.

        first, last: The range. By default what is missed: after the last published night until yesterday.

        place: ``SUDARE_HOME``, for how long earlier nights took.

    Returns:
        ``nights``, oldest first: verdict, postings of the day, days and weeks that its tables would fill, and to whom
        it would deliver. Beside them ``seconds`` for all that would run, or None where no earlier night is known here.
    """
    published = Records(night.settings.warehouse_url).published()
    newest, yesterday = max(published, default=None), last_day_over(night.now)
    gap = missed(published, yesterday)
    wanted = days(first or (gap[0] if gap else yesterday), last or yesterday) if first or last or gap else []
    verdicts = {day: _verdict(day, published, yesterday) for day in wanted}
    running = [day for day, verdict in verdicts.items() if verdict == RUN]
    postings = _postings(night, running)
    deliveries = {name: bool(night.ledger.held(name)) for name in night.destinations} if running else {}
    nights, before = [], newest
    for day, verdict in verdicts.items():
        told: dict = {"night": day.isoformat(), "verdict": verdict}
        if verdict == RUN:
            told |= {"postings": postings.get(day, 0), **_fills(night, day, before)}
            told["deliveries"] = deliveries if day == running[-1] else {}
            before = day
        nights.append(told)
    each = _usual_seconds(place)
    return {"nights": nights, "seconds": each and round(each * len(running))}


def _verdict(day: datetime.date, published: Mapping[datetime.date, object], yesterday: datetime.date) -> str:
    if day in published:
        return PUBLISHED
    if day > yesterday:
        return NOT_OVER
    return REFUSED if published and day < max(published) else RUN


def _postings(night: Night, wanted: list[datetime.date]) -> dict[datetime.date, int]:
    """Postings by day, as the statistics role sees them; deleted ones among them."""
    if not wanted:
        return {}
    within = tokyo_days("posted_at", wanted[0], wanted[-1])
    with night.source.session(Reader.STATISTICS) as session:
        rows = session.rows(
            "select ((posted_at at time zone 'Asia/Tokyo')::date)::text, count(*) "
            f"from {SCHEMA}.postings where {within} group by 1"
        )
    return {datetime.date.fromisoformat(day): count for day, count in rows}


def _fills(night: Night, day: datetime.date, before: datetime.date | None) -> dict:
    """Days of the tables of days that no night has published yet, and the week whose terms it would be first to."""
    opens = [t.name for t in night.tables.values() if t.period is Period.DAY]
    first = day - datetime.timedelta(days=WINDOW_DAYS - 1)
    fresh = days(max(first, before + datetime.timedelta(days=1)) if before else first, day)
    week = week_before(day)
    terms = [t.name for t in night.tables.values() if t.period is Period.WEEK]
    opened = terms and (before is None or week_before(before) < week)
    return {
        "days": {name: [one.isoformat() for one in fresh] for name in opens},
        "weeks": dict.fromkeys(terms, f"{week:%G-W%V}") if opened else {},
    }


def _usual_seconds(place: Path) -> float | None:
    """The median of what the last nights here took, from the names and times of their records of steps."""
    records = sorted((place / "logs").glob("????-??-??-*T*.steps.jsonl"))[-RECENT:]
    took = [path.stat().st_mtime - _began(path) for path in records if path.stat().st_size]
    return statistics.median(took) if took else None


def _began(path: Path) -> float:
    stamp = path.name.split(".")[0][len("2026-10-31-") :]
    return datetime.datetime.strptime(stamp, "%Y%m%dT%H%M%S").replace(tzinfo=datetime.UTC).timestamp()


def to_run(planned: dict) -> list[datetime.date]:
    """The days of a plan that would run, oldest first."""
    return [datetime.date.fromisoformat(one["night"]) for one in planned["nights"] if one["verdict"] == RUN]


def run(
    environment: Mapping[str, str],
    wanted: list[datetime.date],
    on_night: Callable[[datetime.date], None],
    on_step: Callable[[dict], None],
) -> Iterable[tuple[datetime.date, Run]]:
    """
    Run the nights of a plan, one after another, until one fails.

    Args:
        environment: From `sudare.deployment.environment`.

        wanted: Oldest first. Only the last one sends feeds.

        on_night: Called with each day before it runs.

        on_step: As of `run_night`.

    Yields:
        Each day with its run; the first one that failed is the last.
    """
    for day in wanted:
        on_night(day)
        done = run_night(environment, day, on_step, feeds=day == wanted[-1])
        yield day, done
        if done.exit_status:
            return


def told(day: datetime.date, done: Run) -> dict:
    """A night that ran, as JSON has it."""
    failures = [{key: one[key] for key in ("step", "reason", "exit_status", "message")} for one in done.failures]
    steps = sorted({one["step"] for one in done.steps if "reason" not in one})
    return {
        "night": day.isoformat(),
        "exit_status": done.exit_status,
        "seconds": round(done.seconds, 1),
        "steps": steps,
        "failures": failures,
        "log": str(done.log),
    }


def go_on(failed: dict, wanted: list[datetime.date]) -> str:
    """
    The command that goes on after a night of a plan has failed.

    Where the newest day's tables are out, and a feed or a removal is not, a backfill has nothing to run any more.
    """
    if failed["night"] == wanted[-1].isoformat() and "publish" in failed["steps"]:
        return f"sudare night --date {failed['night']}"
    return f"sudare backfill --from {failed['night']} --to {wanted[-1]}"


def print_end(out: Console, done: dict, wanted: list[datetime.date]) -> None:
    """How it ended, and how to go on from there."""
    if done["exit_status"]:
        failed = done["runs"][-1]
        out.print(f"[bold red]{failed['night']} failed[/] (exit {failed['exit_status']}); log: {failed['log']}")
        for one in failed["failures"]:
            out.print(f"  {one['step']}: {one['reason']} {one['message']}", markup=False)
        if failed["night"] != wanted[-1].isoformat():
            out.print("Later days were not run.")
        out.print(f"To go on: {go_on(failed, wanted)}")
    elif done["runs"]:
        out.print(f"[bold green]{len(done['runs'])} nights are published[/] / 公開しました")


def print_plan(out: Console, planned: dict) -> None:
    """A line a day, and what holds for all of them, in English and Japanese."""
    grid = columns(
        "night / 対象日", "", "postings / 投稿", "fills / 埋まる日・週", "delivers to / 提供先", numbers=(2,)
    )
    for one in planned["nights"]:
        verdict = f"{one['verdict']} / {_JAPANESE[one['verdict']]}"
        if one["verdict"] != RUN:
            grid.add_row(one["night"], verdict, "", "", "")
            continue
        filled = sorted({*(f"{len(found)} days" for found in one["days"].values()), *one["weeks"].values()})
        named = [f"{name} (held)" if held else name for name, held in one["deliveries"].items()]
        grid.add_row(
            one["night"], verdict, f"{one['postings']:,}", ", ".join(filled) or "–", ", ".join(named) or "nobody"
        )
    out.print(grid)
    seconds = planned["seconds"]
    out.print(
        f"about {seconds // 60} min {seconds % 60} s" if seconds else "no earlier night here says how long it takes"
    )
    out.print("Stop signals and consents are today's, whatever the day; only the newest day sends feeds.")
    out.print("同意・停止は対象日にかかわらず現在のものを用います。提供は最新の日のみ行います。")
