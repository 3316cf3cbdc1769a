"""The clock is set while a night runs, or was wrong from the start: numbers do not depend on it, doubt stops a feed."""

import datetime

import pytest

from anonymizers.errors import DayRefused, OptOutListRefused, OptOutListStale
from delivery import night as nights
from delivery.ledger import Ledger
from tests.faults.campaign import in_order, mostly_long, stop, wrong_in_the_ledger
from tests.nights.sites import NOW, run

HOURS = datetime.timedelta(hours=1)
WRONG = {"an hour back": -HOURS, "a night back": -12 * HOURS, "days ahead": 72 * HOURS, "weeks ahead": 600 * HOURS}


def at(trial, clock: datetime.datetime):
    """The night as a step sees it that asks the time; the partner's list is as old as it really is."""
    night = trial.night(name="again")
    return nights.Night(night.settings, night.day, clock, night.run)


@pytest.mark.parametrize("wrong", mostly_long(WRONG, ["days ahead"]))
def test_tables_do_not_depend_on_what_the_clock_says_after_the_plan(trial, references, wrong):
    run(at(trial, NOW), "plan")
    for number, step in enumerate(
        ("extract", "redact", "tabulate", "merge_cells", "disclose", "gate_tables", "publish")
    ):
        run(at(trial, NOW + WRONG[wrong] * (number % 2)), step)
    assert trial.seen().tables == references.after.tables
    assert trial.seen().files == references.after.files


def test_a_clock_that_is_before_the_days_end_stops_the_night(trial):
    with pytest.raises(DayRefused):
        run(at(trial, NOW - 27 * HOURS), "plan")


AGES = {"a night back": (-12 * HOURS, OptOutListRefused), "days ahead": (72 * HOURS, OptOutListStale)}


@pytest.mark.parametrize("wrong", AGES)
@pytest.mark.long
@pytest.mark.parametrize("step", ["build_feed", "hand_over"])
def test_a_wrong_clock_makes_a_list_too_old_or_of_the_future_and_nothing_leaves_until_it_is_right(
    trial, references, wrong, step
):
    by, error = AGES[wrong]
    for one in in_order("feeds", "tables", "removals"):
        if one == step:
            with pytest.raises(error):
                run(at(trial, NOW + by), one)
            assert trial.seen() == references.before
        run(at(trial, NOW), one)
    assert trial.seen() == references.after


@pytest.mark.parametrize("wrong", mostly_long(WRONG, ["weeks ahead", "a night back"]))
def test_removals_by_a_wrong_clock_leave_once_and_take_back_who_has_stopped(trial, references, wrong):
    """Sent in what seems the future or the past; by the right clock nothing is sent again that night."""
    nights.remove(at(trial, NOW + WRONG[wrong]), "liveramp")
    (sent,) = trial.inside("removals").values()
    assert [sent] == list(references.after.removals.values())
    arrived = trial.arrivals()
    nights.remove(at(trial, NOW + max(WRONG[wrong], datetime.timedelta()) - HOURS), "liveramp")
    assert trial.arrivals() == arrived
    assert wrong_in_the_ledger(trial, trial.seen()) == []


def test_a_stop_that_is_dated_in_the_future_counts_now_and_a_consent_does_not(trial):
    """Somebody's clock is wrong, and nobody knows whose: the doubt is for her who said stop."""
    stopped = stop(trial, 3, first=8_000_000)
    trial.change("update opt_outs set opted_out_at = now() + interval '2 years' where opt_out_id >= 8000000")
    trial.change(
        "update consents set given_at = now() + interval '3 years' where member_id in (select member_id from "
        "opt_outs where opt_out_id >= 8000000)"
    )
    trial.run()
    (file, *_) = [one.file for one in Ledger(trial.warehouse_url).deliveries("liveramp", "feed")]
    assert not trial.people(file) & stopped
