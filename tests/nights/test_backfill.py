"""What a backfill would do is told first; it goes oldest first, delivers once, and stops at the first failure."""

import datetime
import io
import os
from pathlib import Path

import pytest
from rich.console import Console

from delivery import night as nights
from sudare import backfill
from sudare.demo.site import DEMO_DAY
from sudare.runner import Run
from tests.nights.sites import FIRST_NIGHT

DAY = datetime.timedelta(days=1)
YESTERDAY = DEMO_DAY + DAY
"""Of the tests' nights."""


def plan(site, first=None, last=None) -> dict:
    return backfill.plan(site.night(), first, last, site.home)


def test_by_default_it_is_what_was_missed_since_the_last_published_night(after_one):
    told = plan(after_one)["nights"]
    assert [one["night"] for one in told] == [d.isoformat() for d in backfill.days(FIRST_NIGHT + DAY, YESTERDAY)]
    assert {one["verdict"] for one in told} == {"run"}


def test_only_the_newest_night_delivers_and_says_who_is_held(after_one):
    night = after_one.night()
    night.ledger.hold("liveramp", "sato", "x", night.now)
    told = plan(after_one)["nights"]
    assert [one["deliveries"] for one in told] == [{}] * (len(told) - 1) + [{"liveramp": True}]


def test_postings_days_and_weeks_that_it_would_fill_are_told(after_one):
    told = plan(after_one)["nights"]
    counted = dict(
        after_one.ask("select (posted_at at time zone 'Asia/Tokyo')::date::text, count(*) from postings group by 1")
    )
    assert [one["postings"] for one in told] == [counted.get(one["night"], 0) for one in told]
    assert [one["days"]["activity_by_board"] for one in told] == [[one["night"]] for one in told]
    # The week in which the first night lies ends with the last one's day.
    assert [one["weeks"] for one in told] == [{}] * (len(told) - 1) + [{"trending_terms": "2026-W44"}]


def test_what_cannot_or_need_not_be_run_is_told_apart(after_one):
    told = plan(after_one, FIRST_NIGHT - DAY, YESTERDAY + DAY)["nights"]
    verdicts = [one["verdict"] for one in told]
    assert verdicts == ["refused", "published", *["run"] * (len(told) - 3), "not over"]
    assert backfill.to_run({"nights": told}) == backfill.days(FIRST_NIGHT + DAY, YESTERDAY)


def test_before_the_first_night_it_is_yesterday(site):
    (only,) = plan(site)["nights"]
    assert (only["night"], only["verdict"]) == (YESTERDAY.isoformat(), "run")
    assert len(only["days"]["activity_by_board"]) == 28


def test_a_plan_changes_nothing_and_guesses_the_time_from_earlier_nights(after_one):
    assert plan(after_one)["seconds"] is None
    for name, seconds in (("2026-10-27-20261028T023000", 100), ("2026-10-28-20261029T023000", 50)):
        steps = after_one.home / "logs" / f"{name}.steps.jsonl"
        steps.parent.mkdir(exist_ok=True)
        steps.write_text("{}\n")
        ended = datetime.datetime.strptime(name[11:], "%Y%m%dT%H%M%S").replace(tzinfo=datetime.UTC)
        os.utime(steps, 2 * (ended.timestamp() + seconds,))
    told = plan(after_one)
    assert told["seconds"] == 75 * len(told["nights"])
    assert list(after_one.night().warehouse.manifests()) == [FIRST_NIGHT]


def test_a_night_without_feeds_still_owes_removals(after_one):
    quiet = after_one.night()
    quiet = nights.Night(quiet.settings, quiet.day, quiet.now, feeds=False)
    assert nights.plan_feeds(quiet) == []
    assert nights.plan_removals(quiet) == ["liveramp"]


@pytest.mark.parametrize(("fails", "ran"), [(None, 3), (0, 1), (1, 2), (2, 3)])
def test_it_stops_at_the_first_failure_and_feeds_go_with_the_last_day_only(monkeypatch, fails, ran):
    asked = []

    def one_night(_, day, on_step, *, feeds):
        asked.append((day, feeds))
        return Run([], Path("log"), 1.0, 20 if len(asked) - 1 == fails else 0)

    monkeypatch.setattr(backfill, "run_night", one_night)
    wanted = backfill.days(DEMO_DAY, DEMO_DAY + 2 * DAY)
    done = list(backfill.run({}, wanted, lambda day: None, lambda record: None))
    assert [day for day, _ in done] == wanted[:ran]
    assert asked == [(day, day == wanted[-1]) for day in wanted[:ran]]


LAST = DEMO_DAY + 2 * DAY
AGAIN, ALONE = f"sudare backfill --from {{}} --to {LAST}", "sudare night --date {}"


@pytest.mark.parametrize(
    ("day", "steps", "command"),
    [
        (DEMO_DAY, ["plan", "publish"], AGAIN),  # the plan leaves it out, and goes on behind it
        (LAST, ["plan", "gate_tables"], AGAIN),
        (LAST, ["plan", "publish", "build_feed"], ALONE),  # published, so that a plan would run nothing
    ],
)
def test_the_command_that_goes_on_runs_what_has_failed(day, steps, command):
    failed = {"night": day.isoformat(), "exit_status": 60, "steps": steps, "log": "log", "failures": []}
    out = Console(file=io.StringIO(), width=200)
    wanted = backfill.days(DEMO_DAY, LAST)
    backfill.print_end(out, {"runs": [failed], "exit_status": 60}, wanted)
    assert f"To go on: {command.format(day)}\n" in out.file.getvalue()


def test_a_plan_runs_no_day_again_whose_tables_are_out(after_one):
    assert backfill.to_run(plan(after_one, FIRST_NIGHT, FIRST_NIGHT)) == []
