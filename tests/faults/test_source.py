"""The site's database changes under a running night: what was read is what was there, or the night says so."""

import pytest

from anonymizers.errors import (
    ReaderOverGranted,
    ReaderUnderGranted,
    SourceChanged,
    SourceEmpty,
    SourceMissing,
    SourceUnsettled,
    StopSignalsUnreadable,
)
from delivery import night as nights
from delivery.verification import verify
from sudare import grants
from tests.faults.campaign import Trial, mostly_long
from tests.nights.sites import run
from transforms.source import Session, require_not_fewer


@pytest.mark.parametrize(
    ("dataset", "rows", "had", "settled"),
    [
        ("members", 995, 1_000, True),
        ("members", 989, 1_000, False),
        ("members", 0, 3, False),
        ("consents", 99_000, 100_000, True),
        ("opt_outs", 3, 4, True),
        ("opt_outs", 2, 4, False),
        ("rights_requests", 0, 1, False),
        ("rights_requests", 0, 0, True),
        ("rights_requests", 990, 1_000, True),
    ],
)
def test_only_so_many_rows_may_go_during_a_night_and_of_those_who_said_no_hardly_any(dataset, rows, had, settled):
    if settled:
        require_not_fewer(dataset, rows, had)
        return
    with pytest.raises(SourceUnsettled, match=f"^{dataset}: fewer rows than when the night began") as refused:
        require_not_fewer(dataset, rows, had)
    assert not any(digit in str(refused.value) for digit in "0123456789")  # exact counts are not for every reader


COUNTED = ("extract", "redact", "tabulate", "merge_cells")
FED = ("build_feed", "gate_feed", "hand_over")

CHANGES = {
    "a column dropped": (["alter table members drop column prefecture_code"], SourceMissing),
    "a column renamed": (["alter table postings rename column posted_at to written_at"], ReaderOverGranted),
    "a time without its zone": (["alter table postings alter posted_at type timestamp"], SourceChanged),
    "a date as text": (["alter table members alter birth_date type text"], SourceChanged),
    "a number of fewer digits": (["alter table children alter member_id type integer"], SourceChanged),
    "a table dropped": (["drop table children"], SourceMissing),
    "a table emptied": (["truncate postings cascade"], SourceUnsettled),
    "a table half loaded": (["delete from members where member_id % 2 = 0"], SourceUnsettled),
    "stop signals emptied": (["truncate opt_outs"], SourceUnsettled),
    "requests half loaded": (["delete from rights_requests where request_id % 2 = 0"], SourceUnsettled),
    "a stop table dropped": (["drop table opt_outs"], StopSignalsUnreadable),
    "a right revoked": (["revoke select on postings from sudare_statistics"], ReaderUnderGranted),
}
"""What the site's engineers do between two steps, and what the next one that reads says of it."""


SHORT = ("a column renamed", "a time without its zone", "a table half loaded", "stop signals emptied")


@pytest.mark.parametrize("what", mostly_long(CHANGES, SHORT))
def test_a_source_that_changes_between_two_shards_publishes_nothing(trial, what):
    before = trial.seen()
    statements, error = CHANGES[what]
    night = trial.night()
    run(night, "plan")
    nights.extract(night, [0])
    trial.change("set search_path = public", *_without_keys(trial), *statements)
    with pytest.raises((error, ReaderUnderGranted) if error in (SourceMissing, StopSignalsUnreadable) else error):
        _rest(night)
    assert trial.seen() == before


def test_a_source_that_is_emptied_after_the_plan_publishes_nothing(trial):
    before, night = trial.seen(), trial.night()
    run(night, "plan")
    trial.change(*_without_keys(trial), "delete from members")
    with pytest.raises(SourceEmpty, match=r"^members: 0 rows; "):
        run(night, *COUNTED)
    assert trial.seen() == before


def _without_keys(trial: Trial) -> list[str]:
    """Foreign keys would forbid some of it; a site that is loaded anew has none meanwhile."""
    rows = trial.ask_site("select conrelid::regclass::text, conname from pg_constraint where contype = 'f'")
    return [f"alter table {table} drop constraint {name}" for table, name in rows]


def _rest(night) -> None:
    nights.extract(night, [1])
    run(night, "redact", "tabulate", "merge_cells", "disclose", "gate_tables", "publish")


LOADED = [(dataset, step) for dataset in ("opt_outs", "rights_requests", "consents", "members") for step in FED]


@pytest.mark.parametrize(
    ("dataset", "step"),
    [pytest.param(*one, marks=() if one in (LOADED[0], LOADED[2], LOADED[7]) else pytest.mark.long) for one in LOADED],
)
def test_a_source_that_is_loaded_anew_sends_nothing(trial, dataset, step):
    """Empty for a minute, it looks like nobody having said stop."""
    before = trial.seen()
    night = trial.night()
    done = FED.index(step)
    run(night, "plan", *FED[:done])
    trial.change(*_without_keys(trial), f"create table kept as table {dataset}", f"truncate {dataset}")
    with pytest.raises(SourceUnsettled, match=rf"^{dataset}: fewer rows than when the night began"):
        run(night, *FED[done:])
    assert trial.seen() == before
    trial.change(f"insert into {dataset} table kept", "drop table kept")
    run(trial.night(), "plan", *FED)
    assert verify(night.settings)["feeds"] == 2


REWRITES = {
    "truncated": "truncate postings cascade",
    "rewritten": "alter table postings alter column body type varchar(9000)",
    "replaced": "alter table postings rename to old_postings; create table postings (like old_postings); "
    "insert into postings table old_postings",
    "put behind a view": "alter table postings rename to old_postings; create view postings as table old_postings",
}

SHOWN = {
    "a table": "select",
    "a view": "alter table postings rename to kept_postings; create view postings as table kept_postings",
    "a view of a view": "alter table postings rename to kept_postings; "
    "create view seen_postings as table kept_postings; create view postings as table seen_postings",
    "partitions": "alter table postings rename to old_postings; "
    "create table postings (like old_postings) partition by range (posted_at); "
    "create table kept_postings partition of postings default; insert into postings table old_postings",
}
"""What the site has in the place of a table. Of those that are not one, the table is `kept_postings`."""

REWRITTEN = [("a table", how) for how in REWRITES] + [
    (shown, how) for shown in SHOWN for how in ("truncated", "untouched") if shown != "a table"
]
SHORTLY = [(shown, "truncated") for shown in ("a table", "a view of a view", "partitions")]


@pytest.mark.parametrize(
    ("shown", "how"), [pytest.param(*one, marks=() if one in SHORTLY else pytest.mark.long) for one in REWRITTEN]
)
def test_a_table_that_is_rewritten_under_a_snapshot_is_not_taken_for_an_empty_one(trial, monkeypatch, shown, how):
    """PostgreSQL shows such a table as empty to a transaction that is older: the shard would have no postings."""
    trial.change("set search_path = public", *_without_keys(trial), SHOWN[shown])
    grants.apply(trial.source_url)
    night, before = trial.night(), trial.seen()
    run(night, "plan")
    least, done = Session.require_least_privilege, []

    def then_rewrite(self, reader) -> None:
        least(self, reader)
        if not done and how in REWRITES:
            done.append(how)
            of_table = REWRITES[how] if shown == "a table" else REWRITES[how].replace("postings", "kept_postings")
            trial.change("set search_path = public", of_table)
            grants.apply(trial.source_url)

    with monkeypatch.context() as patch:
        patch.setattr(Session, "require_least_privilege", then_rewrite)
        if how not in REWRITES:
            assert nights.extract(night, [0])["postings"]["read"] > 0
            return
        with pytest.raises(SourceUnsettled, match=r"^postings: truncated, rewritten or replaced while it was read"):
            nights.extract(night, [0])
    assert trial.seen() == before


def test_a_new_column_under_a_running_night_stays_out(trial, references):
    """And the next night names it."""
    night = trial.night()
    run(night, "plan")
    nights.extract(night, [0])
    trial.change("alter table members add column blood_type text default 'B'")
    _rest(night)
    assert trial.seen().tables == references.after.tables


def test_a_few_rows_that_are_erased_meanwhile_stop_nothing(trial):
    night = trial.night()
    run(night, "plan")
    trial.change("delete from opt_outs where opt_out_id in (select opt_out_id from opt_outs order by 1 limit 1)")
    run(night, *COUNTED, *FED)
