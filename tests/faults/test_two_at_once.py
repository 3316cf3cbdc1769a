"""Two runs of one night at once: one goes on, the other says so; neither can take the other's work for its own."""

import datetime
import os
import subprocess
import sys
import threading

import pytest

from anonymizers.errors import GateRefused, NightOutOfOrder, NightRunning, StateRefused, SudareError
from delivery import night as nights
from delivery import publication
from delivery.verification import verify
from tests.faults.campaign import (
    BRANCHES,
    ROOT,
    TOMORROW,
    Nursery,
    in_order,
    mostly_long,
    raise_night,
    wrong_after_the_kill,
    wrong_after_the_run,
    wrong_in_the_ledger,
)
from tests.nights.sites import DEMO_DAY, FIRST_NIGHT, NOW, STEPS, run

LATER = NOW + datetime.timedelta(minutes=5)


BEGUN = ("extract", "tabulate", "disclose", "publish", "gate_feed", "hand_over")


@pytest.mark.parametrize("begun", mostly_long(BEGUN, ["tabulate", "hand_over"]))
def test_a_run_that_is_overtaken_by_another_says_so_and_changes_nothing(trial, references, begun):
    """The second one plans between two steps of the first: nothing of the first is in what it publishes and sends."""
    first, second = trial.night(name="first"), trial.night(name="again")
    for step in in_order("tables", "feeds", "removals"):
        if step == begun:
            break
        run(first, step)
    run(second, "plan")
    with pytest.raises(SudareError):
        run(first, begun)
    with pytest.raises(NightRunning, match=r"^2026-10-31: another run of this night has begun since, and goes on"):
        nights.require_not_overtaken(first)
    run(first, "close")
    assert wrong_after_the_kill(trial, references) == []
    run(second, *STEPS[1:])
    assert wrong_after_the_run(trial, references) == []


def test_of_two_runs_whose_plans_overlap_the_one_that_began_later_goes_on(trial, references, monkeypatch):
    """The second takes the night over while the first still plans: the first ends there, and stages nothing more."""
    first, second, read = trial.night(name="first"), trial.night(name="again"), nights.plan_shards

    def meanwhile(*arguments):
        monkeypatch.setattr(nights, "plan_shards", read)
        run(second, "plan")
        return read(*arguments)

    monkeypatch.setattr(nights, "plan_shards", meanwhile)
    with pytest.raises(NightRunning, match=r"^2026-10-31: another run of this night has begun since"):
        run(first, "plan")
    run(first, "close")
    run(second, *STEPS[1:])
    assert wrong_after_the_run(trial, references) == []


def test_a_late_writer_of_an_overtaken_run_is_in_nobodys_tables(trial, references, monkeypatch):
    """It has read its plan, is slow, and stages a shard after the other run has staged that shard."""
    first, second = trial.night(name="first"), trial.night(name="again")
    run(first, "plan")
    write, waiting = nights.Staging.write_table, []

    def later(self, *arguments):
        if self.run == "first":
            waiting.append((self, arguments))
        else:
            write(self, *arguments)

    with monkeypatch.context() as patch:
        patch.setattr(nights.Staging, "write_table", later)
        nights.extract(first, [0])
    run(second, "plan", "extract", "redact", "tabulate")
    for place, arguments in waiting:
        write(place, arguments[0].slice(0, 10), *arguments[1:])
    run(second, "merge_cells", "disclose", "gate_tables", "publish", *BRANCHES["feeds"], "remove")
    run(first, "close")
    nights.Staging(first.settings.staging_url, DEMO_DAY, "first").remove()
    run(second, "close")
    assert wrong_after_the_run(trial, references) == []


def test_a_run_that_is_refused_takes_nothing_from_one_that_goes_on(trial, references):
    """An older night is refused as it plans; its end removes its own rests, and nobody else's."""
    run(trial.night(name="again"), *STEPS[: STEPS.index("close") - 2])
    older = trial.night(FIRST_NIGHT - datetime.timedelta(days=1), NOW, "older")
    with pytest.raises(NightOutOfOrder):
        run(older, "plan")
    run(older, "close")
    run(trial.night(name="again"), "hand_over", "remove", "close")
    assert wrong_after_the_run(trial, references) == []


@pytest.mark.long
def test_two_processes_at_once_publish_and_send_once(trial, references, nursery):
    """One night as two processes from start to end; each step of the one falls into any of the other's."""
    other, told = Nursery(), {}
    try:
        both = [
            threading.Thread(target=lambda n=n, p=p: told.update({n: raise_night(p, trial, list(STEPS), run=n)}))
            for n, p in (("one", nursery), ("two", other))
        ]
        for thread in both:
            thread.start()
        for thread in both:
            thread.join()
    finally:
        other.close()
    assert wrong_after_the_kill(trial, references) == []
    assert not all(one["status"] == 0 for one in told.values()) or trial.seen() == references.after
    trial.run()
    assert wrong_after_the_run(trial, references) == []


def test_two_that_publish_at_once_do_not_share_a_folder(trial, references, monkeypatch):
    """The second begins to publish while the first writes its files: it is turned away before it writes any."""
    first = trial.night(name="again")
    run(first, *STEPS[: STEPS.index("publish")])
    settle, refused = publication._settle, []

    def meanwhile(*arguments):
        if not refused:
            with pytest.raises(NightRunning) as turned_away:
                run(first, "publish")
            refused.append(turned_away)
        return settle(*arguments)

    with monkeypatch.context() as patch:
        patch.setattr(publication, "_settle", meanwhile)
        run(first, "publish")
    assert refused
    run(first, *STEPS[STEPS.index("publish") + 1 :])
    assert wrong_after_the_run(trial, references) == []


def test_a_night_that_was_published_since_it_was_disclosed_is_not_published_over(trial, references, monkeypatch):
    """Both were made of the state before; one after the other they would show what has changed between them."""
    slow, fast = trial.night(name="slow"), trial.night(name="again")
    run(slow, *STEPS[: STEPS.index("publish")])
    typed, done = publication.typed, []

    def after_the_other(*arguments):
        if not done:
            done.append("the other")
            run(fast, *STEPS[: STEPS.index("publish") + 1])
        return typed(*arguments)

    with monkeypatch.context() as patch:
        patch.setattr(publication, "typed", after_the_other)
        with pytest.raises(NightRunning, match=r"^another night has published since this one was disclosed"):
            run(slow, "publish")
    run(fast, *STEPS[STEPS.index("publish") + 1 :])
    run(slow, "close")
    assert wrong_after_the_run(trial, references) == []


@pytest.mark.long
def test_a_night_that_a_later_one_has_overtaken_is_not_published(trial):
    earlier, later = trial.night(name="earlier"), trial.night(TOMORROW, NOW + datetime.timedelta(days=1), "later")
    run(earlier, *STEPS[: STEPS.index("publish")])
    run(later)
    with pytest.raises((NightOutOfOrder, GateRefused, StateRefused)):
        run(earlier, "publish")
    run(earlier, "close")
    assert verify(later.settings)["nights"] == 2
    assert wrong_in_the_ledger(trial, trial.seen()) == []


WHY = """
import datetime
from anonymizers.errors import StagingBroken
from dags.guard import _why
from delivery.night import Night
from delivery.settings import read_settings

for run in ("first", "again"):
    night = Night(read_settings(), datetime.date(2026, 10, 31), datetime.datetime.now(datetime.UTC), run)
    print(_why(night, StagingBroken("gone")).reason)
"""


@pytest.mark.long
def test_a_task_that_finds_its_run_overtaken_fails_for_that_reason_and_no_other(trial, tmp_path):
    """What it found instead, a plan that is gone, would send somebody looking for who deletes in staging."""
    run(trial.night(name="again"), "plan")
    own = {"PATH": os.environ["PATH"], "AIRFLOW_HOME": str(tmp_path / "airflow"), **trial.environment}
    told = subprocess.run(
        [sys.executable, "-c", WHY], cwd=ROOT, env=own, capture_output=True, text=True, check=True
    ).stdout.split()
    assert told[-2:] == ["NIGHT_RUNNING", "STAGING_BROKEN"]
