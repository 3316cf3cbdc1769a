"""What is carried from night to night, in a real warehouse: changes in quorums only, all of a night or nothing."""

import datetime
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import psycopg
import pytest

from anonymizers import controls, perturbation
from anonymizers.changes import distinct_changes_of_cells
from anonymizers.controls import DisclosureControl
from anonymizers.errors import NightOutOfOrder, NightRunning, StateRefused
from anonymizers.keys import DEMO_SECRET, Secret
from delivery import night as nights
from delivery import publication
from delivery.verification import verify
from delivery.warehouse import Publication
from sudare.demo.site import DEMO_DAY
from tests.nights.killed_night import READY
from tests.nights.sites import (
    FIRST_NIGHT,
    NOW,
    UNTIL_PUBLISHED,
    Site,
    contents,
    database_of,
    in_warehouse,
    kept,
    manifest_of,
    published_manifest,
    run,
    shown,
    statistics,
)
from transforms.tables import catalogue

ROOT = Path(__file__).resolve().parents[2]
BOUND = perturbation.load(controls.PERTURBATION).bound
SECOND_NIGHT = FIRST_NIGHT + datetime.timedelta(days=1)
TOMORROW = DEMO_DAY + datetime.timedelta(days=1)
TABLES = list(catalogue())


def files(site: Site, day: datetime.date = DEMO_DAY) -> dict[str, bytes]:
    """The published tables of a night, without its manifest."""
    folder = site.home / "published" / day.isoformat()
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.name != "manifest.json"}


def references(site: Site) -> dict[tuple, bytes]:
    """Epoch, table and cell to the power sums that the warehouse keeps."""
    rows = in_warehouse(site, "select epoch, table_name, cell, power_sums from sudare.cell_references")
    found = {row[:3]: row[3] for row in rows}
    assert len(found) == len(rows)
    return found


def cells_of_night(site: Site, day: datetime.date = DEMO_DAY) -> tuple[set[tuple], set[tuple]]:
    """Table and cell of every row that a night's files hold; and of those that have a number."""
    every, told = set(), set()
    for name, table in catalogue().items():
        frame = shown(site, name, day).reset_index()
        cells = [(name, "\x1f".join(row)) for row in frame[[d.name for d in table.dimensions]].itertuples(index=False)]
        own = [m.name for m in table.measures if m.kind.name != "SHARE"]
        every |= set(cells)
        told |= {cell for cell, has in zip(cells, (frame[own] != "").any(axis=1), strict=True) if has}
    return every, told


@pytest.fixture(scope="session")
def quiet(one_night, tmp_path_factory) -> Site:
    """The night after the first, on which hardly anything has happened."""
    site = one_night.copy(tmp_path_factory.mktemp("quiet"))
    run(site.night(SECOND_NIGHT), *UNTIL_PUBLISHED)
    return site


# What a night writes


def test_a_quiet_night_writes_what_changed_and_the_day_it_tells_of(quiet):
    new = {
        name: in_warehouse(quiet, f"select * from stats.{name}_history where night = '{SECOND_NIGHT}'")
        for name in TABLES
    }
    all_rows = {name: in_warehouse(quiet, f"select count(*) from stats.{name}")[0][0] for name in TABLES}
    days = {row[1] for row in new["activity_by_board"]}
    assert days == {SECOND_NIGHT}
    assert len(new["activity_by_board"]) == all_rows["activity_by_board"] // 29
    assert new["trending_terms"] == []
    for name in set(TABLES) - {"activity_by_board", "trending_terms"}:
        assert len(new[name]) < 0.02 * all_rows[name] + 2
    assert sum(len(rows) for name, rows in new.items() if name != "activity_by_board") < 100
    outputs = published_manifest(quiet, SECOND_NIGHT)["outputs"]
    assert {o["table"]: o["rows"] for o in outputs if o["table"] != "activity_by_board"} == {
        name: count for name, count in all_rows.items() if name != "activity_by_board"
    }


def test_every_change_of_a_number_is_of_its_night_and_every_other_number_stands_still(two_nights):
    """Row by row in the two nights' files: either nothing moved, or the cell is as of the second night."""
    for name, table in catalogue().items():
        before, now = shown(two_nights, name, FIRST_NIGHT), shown(two_nights, name)
        both = before.index.intersection(now.index)
        assert len(both) > 20
        own = [m.name for m in table.measures if m.kind.name != "SHARE"]
        moved = (before.loc[both, own] != now.loc[both, own]).any(axis=1)
        assert set(now.loc[both, "as_of"][moved]) <= {DEMO_DAY.isoformat()}
        assert set(now["as_of"]) <= {FIRST_NIGHT.isoformat(), DEMO_DAY.isoformat()}
        still = now.loc[both, "as_of"] == FIRST_NIGHT.isoformat()
        assert before.loc[both, own][still].equals(now.loc[both, own][still])
        assert still.mean() > 0.5


def test_shares_are_of_published_numbers_and_move_with_them(two_nights):
    for name, group, other in (
        ("retention_by_cohort", "registered_month", "activity"),
        ("consents_by_age_band", "age_band", "consent_status"),
    ):
        frame = shown(two_nights, name).reset_index()
        whole = frame[frame[other] == "total"].set_index(group)["members"]
        told = frame[frame["share_pct"] != ""]
        assert len(told) > 20
        share = 100 * told["members"].astype(int) / told[group].map(whole).astype(int)
        assert ((told["share_pct"].astype(float) - share.clip(upper=100)).abs() <= 0.051).all()


def test_one_reference_is_kept_of_each_cell_and_is_made_anew_when_the_cell_changes(one_night, two_nights):
    before, after = references(one_night), references(two_nights)
    every, told = cells_of_night(two_nights)
    assert {epoch for epoch, *_ in after} == {1}
    assert told <= {(name, cell) for _, name, cell in after} <= every
    changed = {
        (1, name, "\x1f".join(map(str, row)))
        for name, table in catalogue().items()
        for row in in_warehouse(
            two_nights,
            f"select {', '.join(d.name for d in table.dimensions)} from stats.{name} where as_of = '{DEMO_DAY}'",
        )
    }
    new = {one for one, sums in after.items() if before.get(one) != sums}
    assert new & before.keys() and new - before.keys()
    assert new <= changed
    assert {one for one in changed if one[1:] in told} <= new


def test_of_a_day_or_week_that_has_closed_for_good_no_references_are_kept_and_the_numbers_stay(lived):
    """The next night is a Sunday's: a week is over, and a day leaves the window."""
    before, gone = references(lived), str(DEMO_DAY - datetime.timedelta(days=27))
    numbers = "select * from stats.{} where {} = '{}' order by 1, 2, 3"
    closed = [numbers.format("activity_by_board", "day", gone), numbers.format("trending_terms", "week", "2026-W43")]
    told = [in_warehouse(lived, rows) for rows in closed]
    run(lived.night(TOMORROW, NOW + datetime.timedelta(days=1)), *UNTIL_PUBLISHED)
    after = references(lived)
    assert before.keys() - after.keys() == {
        (epoch, name, cell)
        for epoch, name, cell in before
        if (name == "activity_by_board" and cell.endswith(gone)) or name == "trending_terms"
    }
    assert len(before.keys() - after.keys()) > 100
    assert {cell.split("\x1f")[1] for _, name, cell in after if name == "trending_terms"} == {"2026-W44"}
    assert [in_warehouse(lived, rows) for rows in closed] == told
    assert all(told)


def test_references_hold_58_residues_and_no_codes_but_the_cell_s(one_night):
    sizes = in_warehouse(one_night, "select distinct length(power_sums), epoch from sudare.cell_references")
    assert sizes == [(4 * 58, 1)]
    columns = "select column_name from information_schema.columns where table_name = 'cell_references' order by 1"
    assert [name for (name,) in in_warehouse(one_night, columns)] == ["cell", "epoch", "power_sums", "table_name"]


# All of a night, or nothing


def test_a_night_after_a_gap_publishes_the_closed_days_between(two_nights):
    """Nights of three days were never run; the next one tells of those days, and leaves the earlier ones alone."""
    frame = shown(two_nights, "activity_by_board").reset_index()
    as_of = frame[frame["board"] == "total"].set_index("day")["as_of"]
    between = [str(FIRST_NIGHT + datetime.timedelta(days=n)) for n in (1, 2, 3)]
    assert set(as_of[between]) == {DEMO_DAY.isoformat()}
    assert set(as_of[[day for day in as_of.index if day <= str(FIRST_NIGHT)]]) == {FIRST_NIGHT.isoformat()}
    numbers = frame[(frame["board"] == "total") & (frame["day"] >= between[0])]["members"]
    assert (numbers.astype(int) > 100).all()
    assert len(as_of) == 28


BROKEN = {
    "before the files have settled": (publication, "_settle"),
    "before the first table": (Publication, "write"),
    "between table and references": (Publication, "keep_references"),
    "before the manifest is recorded": (Publication, "record"),
}


@pytest.mark.parametrize("where", BROKEN)
def test_a_night_that_breaks_off_leaves_everything_as_it_was_and_can_run_again(ready, two_nights, monkeypatch, where):
    before = statistics(ready)
    owner, name = BROKEN[where]

    def broken(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as interrupted:
        interrupted.setattr(owner, name, broken)
        with pytest.raises(KeyboardInterrupt):
            run(ready.night(), "publish")
    assert statistics(ready) == before
    run(ready.night(), "publish")
    assert statistics(ready) == statistics(two_nights)


def test_a_night_that_breaks_off_after_its_last_statement_leaves_everything_as_it_was(ready, two_nights, monkeypatch):
    """All is written and nothing committed; and the next run begins at the beginning."""
    before, record = statistics(ready), Publication.record

    def recorded_and_broken(self, *arguments):
        record(self, *arguments)
        raise KeyboardInterrupt

    with monkeypatch.context() as interrupted:
        interrupted.setattr(Publication, "record", recorded_and_broken)
        with pytest.raises(KeyboardInterrupt):
            run(ready.night(), "publish")
    assert statistics(ready) == before
    assert kept(ready) == before[1]
    run(ready.night(), *UNTIL_PUBLISHED)
    assert statistics(ready) == statistics(two_nights)


def test_a_night_that_is_killed_before_the_commit_leaves_everything_as_it_was(ready, two_nights):
    """SIGKILL to a process of its own: no handler runs, nobody says goodbye to the database."""
    before, settings = statistics(ready), ready.settings()
    environment = {
        "PATH": os.environ["PATH"],
        "SUDARE_SOURCE_URL": settings.source_url,
        "SUDARE_WAREHOUSE_URL": settings.warehouse_url,
        "SUDARE_SECRET": DEMO_SECRET,
        "SUDARE_STAGING_URL": settings.staging_url,
        "SUDARE_PUBLISHED": str(settings.published),
        "SUDARE_OUTBOX": str(settings.outbox),
    }
    command = [sys.executable, "-m", "tests.nights.killed_night", DEMO_DAY.isoformat(), NOW.isoformat()]
    with subprocess.Popen(command, env=environment, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline().strip() == READY
        process.kill()
    assert process.returncode == -9
    assert statistics(ready) == before
    wait_for_the_database(ready)
    run(ready.night(), "publish")
    assert statistics(ready) == statistics(two_nights)


def wait_for_the_database(site: Site) -> None:
    """Until it has noticed that nobody is there any more."""
    name = database_of(site.warehouse_url)
    others = f"select count(*) from pg_stat_activity where datname = '{name}' and pid <> pg_backend_pid()"
    for _ in range(100):
        if in_warehouse(site, others) == [(0,)]:
            return
        time.sleep(0.1)
    pytest.fail("a connection of the killed night is still there")


# What is refused


@pytest.mark.parametrize("day", [FIRST_NIGHT, DEMO_DAY - datetime.timedelta(days=1)], ids=["published", "in the gap"])
def test_an_older_night_is_refused_before_a_row_is_read(lived, day):
    before = statistics(lived)
    with pytest.raises(NightOutOfOrder) as refused:
        run(lived.night(day))
    assert str(refused.value) == (
        f"{day}: the night of {DEMO_DAY} is published; an older night never overwrites a newer one's state. "
        "Run the last night or a later one: it publishes the closed days that are missing"
    )
    assert refused.value.exit_status == 46
    assert statistics(lived) == before


@pytest.mark.parametrize(
    ("meanwhile", "error", "message"),
    [
        (TOMORROW, NightOutOfOrder, rf"^{DEMO_DAY}: the night of {TOMORROW} is published"),
        (SECOND_NIGHT, NightRunning, r"^another night has published since this one was disclosed; run it again"),
    ],
    ids=["a later night", "a night in between"],
)
def test_a_night_that_another_has_overtaken_is_not_published(ready, monkeypatch, meanwhile, error, message):
    """Another process publishes between this one's reading of the state and its transaction."""
    files_before, typed, done = statistics(ready)[0], publication.typed, []

    def overtaken(*arguments):
        if not done:
            done.append(meanwhile)
            with psycopg.connect(ready.warehouse_url) as connection:
                connection.execute(f"insert into sudare.nights values ('{meanwhile}', repeat('0', 64), '{{}}')")
        return typed(*arguments)

    monkeypatch.setattr(publication, "typed", overtaken)
    before = kept(ready)
    with pytest.raises(error, match=message):
        run(ready.night(), "publish")
    after = kept(ready)
    assert len(after.pop("sudare.nights")) == len(before.pop("sudare.nights")) + 1
    assert after == before
    assert statistics(ready)[0] == files_before


OTHER_STATES = {
    "another secret": ("key_id", {"secret": Secret("a secret of one's own, long enough for it")}),
    "a higher threshold": ("threshold, thresholds", {"control": DisclosureControl(threshold=11)}),
    "a lower threshold": ("threshold", {"control": DisclosureControl(threshold=5)}),
    "another secret and threshold": (
        "key_id, threshold, thresholds",
        {"secret": Secret("a secret of one's own, long enough for it"), "control": DisclosureControl(threshold=20)},
    ),
}


@pytest.mark.parametrize("what", OTHER_STATES)
@pytest.mark.parametrize("day", [DEMO_DAY, TOMORROW], ids=["the same night", "the next"])
def test_state_of_another_key_or_threshold_is_refused(two_nights, what, day):
    """Nothing is written before, so the shared site is as it was; a change of them would tell who has changed."""
    named, changes = OTHER_STATES[what]
    before = statistics(two_nights)
    with pytest.raises(StateRefused) as refused:
        nights._require_state(two_nights.night(day, **changes))
    assert str(refused.value).startswith(f"the published numbers have another {named}; going on would tell who changed")
    assert refused.value.exit_status == 45
    assert statistics(two_nights) == before


def test_state_of_another_perturbation_table_is_refused(lived, monkeypatch):
    before = statistics(lived)
    monkeypatch.setattr(nights, "perturbation_digest", lambda: "0" * 64)
    with pytest.raises(StateRefused, match=r"^the published numbers have another perturbation; "):
        run(lived.night())
    assert statistics(lived) == before


@pytest.mark.parametrize("epoch", [1, 2])
def test_state_of_nights_before_there_was_a_quorum_is_refused(lived, epoch):
    """A manifest that does not say what its numbers depend on, whatever epoch is given."""
    with psycopg.connect(lived.warehouse_url) as connection:
        connection.execute("update sudare.nights set manifest = (manifest::jsonb - 'disclosure')::text")
    before = statistics(lived)
    with pytest.raises(StateRefused, match=r"^the published numbers were made by a version without a change quorum"):
        run(lived.night(TOMORROW, NOW + datetime.timedelta(days=1), epoch=epoch), "plan")
    assert statistics(lived) == before


def test_a_history_of_other_columns_is_refused_when_it_is_read(lived):
    with psycopg.connect(lived.warehouse_url) as connection:
        connection.execute("drop view stats.trending_terms")
        connection.execute("alter table stats.trending_terms_history drop column night")
    with pytest.raises(StateRefused, match=r"^stats: a table has other columns than this version publishes, so its"):
        nights._published(lived.night(), catalogue()["trending_terms"])


def test_a_view_of_other_columns_is_refused_when_it_is_written(ready):
    """As after a table has been given another dimension under its old name; nothing of the night is seen."""
    with psycopg.connect(ready.warehouse_url) as connection:
        connection.execute("drop view stats.trending_terms")
        connection.execute("create view stats.trending_terms as select 1 as another")
    before = statistics(ready)
    with pytest.raises(StateRefused, match=r"^stats: a table has other columns than this version publishes, so its"):
        run(ready.night(), "publish")
    assert statistics(ready) == before


def test_references_that_are_no_power_sums_are_refused(lived):
    with psycopg.connect(lived.warehouse_url) as connection:
        connection.execute("update sudare.cell_references set power_sums = 'x' where table_name = 'trending_terms'")
    with pytest.raises(StateRefused, match=r"^trending_terms: sudare\.cell_references holds something other than"):
        nights._published(lived.night(), catalogue()["trending_terms"])


LOST = {
    "of one number": ("limit 1", "1"),
    "of all": ("", r"\d{2,}"),
}


@pytest.mark.parametrize("what", LOST)
def test_a_number_without_a_reference_is_refused(lived, what):
    """Taken for a number of nobody it would be made anew tonight, and tell of whoever has come or gone alone."""
    of, count = LOST[what]
    with psycopg.connect(lived.warehouse_url) as connection:
        connection.execute(
            "delete from sudare.cell_references where (table_name, cell) in (select 'registrations_by_month', "
            f"registered_month from stats.registrations_by_month where members is not null order by 2 {of})"
        )
    before = statistics(lived)
    with pytest.raises(
        StateRefused, match=rf"^registrations_by_month: of whom {count} published numbers are is no lon"
    ):
        nights._published(lived.night(), catalogue()["registrations_by_month"])
    with pytest.raises(StateRefused, match=r"Restore it, or start a new epoch with SUDARE_EPOCH$"):
        run(lived.night(), *UNTIL_PUBLISHED)
    assert statistics(lived) == before


def test_a_cell_without_a_number_needs_no_reference(lived):
    with psycopg.connect(lived.warehouse_url) as connection:
        connection.execute(
            "delete from sudare.cell_references where (table_name, cell) in (select 'registrations_by_month', "
            "registered_month from stats.registrations_by_month where members is null)"
        )
    found = nights._published(lived.night(), catalogue()["registrations_by_month"])
    without = found.numbers["members"].isna().to_numpy()
    assert without.any() and not without.all()
    assert not found.power_sums[without].any()
    assert found.power_sums[~without].any(axis=1).all()


def test_a_later_epoch_starts_anew_and_is_not_left_again(lived):
    """Other noise, every number as of tonight, weeks told anew; the old rows stay in the history only."""
    before = kept(lived)
    with pytest.raises(StateRefused, match=r"^this night is published; a new epoch begins with another one, or both"):
        run(lived.night(epoch=2), "plan")
    assert kept(lived) == before
    run(lived.night(TOMORROW, NOW + datetime.timedelta(days=1), epoch=2), *UNTIL_PUBLISHED)
    after = kept(lived)
    for name, table in catalogue().items():
        history, view = f"stats.{name}_history", f"stats.{name}"
        assert set(before[history]) < set(after[history])
        assert {row[0] for row in in_warehouse(lived, f"select distinct as_of from {view}")} == {TOMORROW}
        columns = ", ".join(table.columns)
        new = in_warehouse(lived, f"select {columns} from {history} where epoch = 2")
        assert sorted(map(str, new)) == after[view]
    assert published_manifest(lived, TOMORROW)["disclosure"]["epoch"] == 2
    # Of the numbers of the old epoch nobody asks any more of whom they are.
    assert {epoch for epoch, *_ in references(lived)} == {2}
    for name in ("members_by_prefecture", "activity_by_hour"):
        old, new = (shown(lived, name, night)["members"] for night in (DEMO_DAY, TOMORROW))
        both = (old != "") & (new != "")
        assert both.sum() > 20
        assert (old[both] != new[both]).mean() > 0.5
    assert verify(lived.settings())["nights"] == 3
    later = datetime.timedelta(days=2)
    with pytest.raises(StateRefused, match=r"^the published numbers have another epoch, key_id; "):
        run(lived.night(DEMO_DAY + later, NOW + later), "plan")
    assert kept(lived) == after


# What happens at the site after a day is closed


def day(text: str) -> str:
    return f"posted_at >= '{text} 00:00+09' and posted_at < '{text} 00:00+09'::timestamptz + interval '1 day'"


SETTLED = "member_id in (select member_id from members where status = 'active' and registered_at < '2026-10-01')"


STAYED = (
    "member_id not in (select member_id from opt_outs where kind = 'statistics' and member_id is not null and "
    f"coalesce(revoked_at, 'infinity') > '{NOW.isoformat()}') and member_id not in (select member_id from "
    "rights_requests where kind in ('stop_use', 'erase') and identity_verified_at is not null)"
)


def deleted(text: str, count: int) -> str:
    """Of some settled members who wrote on a day, all postings of that day go."""
    authors = (
        f"select member_id from postings where {day(text)} and deleted_at is null and {SETTLED} and {STAYED} "
        f"group by 1 order by 1 limit {count}"
    )
    return f"update postings set deleted_at = now() where {day(text)} and member_id in ({authors})"


def late(text: str, count: int) -> str:
    """For a day on which some settled members had not written, a posting of each comes in."""
    wrote = f"select member_id from postings where {day(text)} and member_id is not null"
    chosen = (
        f"select min(posting_id) from postings where deleted_at is null and {SETTLED} and {STAYED} "
        f"and member_id not in ({wrote}) group by member_id order by member_id limit {count}"
    )
    return (
        "insert into postings (posting_id, thread_id, member_id, body, posted_at) "
        f"select posting_id + {text[-2:]}000000000, "
        f"thread_id, member_id, body, '{text} 12:00+09' from postings where posting_id in ({chosen})"
    )


def test_late_data_of_a_closed_day_changes_it_in_a_quorum_only(lived):
    """Postings deleted and postings come in late, of nine members and of twenty."""
    before = shown(lived, "activity_by_board")
    few_deleted, many_deleted, few_late, many_late = "2026-10-19", "2026-10-20", "2026-10-21", "2026-10-22"
    texts = (few_deleted, many_deleted, few_late, many_late)
    count = "select count(distinct member_id) from postings where deleted_at is null and "
    had = [lived.ask(count + day(text))[0][0] for text in texts]
    lived.change(deleted(few_deleted, 9), deleted(many_deleted, 20), late(few_late, 9), late(many_late, 20))
    assert [lived.ask(count + day(text))[0][0] - n for text, n in zip(texts, had, strict=True)] == [-9, -20, 9, 20]
    run(lived.night(), *UNTIL_PUBLISHED)
    now = shown(lived, "activity_by_board")
    for text in (few_deleted, few_late):
        told = before.xs(text, level="day")
        told = told[told["members"] != ""]  # of a cell without a number, all members are still to be counted
        assert len(told) > 5
        assert now.xs(text, level="day").loc[told.index].equals(told)
    for text in (many_deleted, many_late):
        assert now.loc[("total", text), "as_of"] == DEMO_DAY.isoformat()
        true = lived.ask(
            f"select count(distinct member_id) from postings join members using (member_id) where {day(text)} "
            f"and deleted_at is null and status = 'active' and registered_at < '{TOMORROW} 00:00+09' and {STAYED}"
        )[0][0]
        assert abs(int(now.loc[("total", text), "members"]) - true) <= BOUND
    others = [text for text in before.index.levels[1] if text not in (few_deleted, many_deleted, few_late, many_late)]
    for text in others:
        assert now.xs(text, level="day").equals(before.xs(text, level="day"))


def stop(site: Site, count: int, *, wrote: bool) -> None:
    """So many members, who have been counted in every number so far, stop statistics."""
    members = site.ask(
        "select member_id from members m where status = 'active' and registered_at < '2026-01-01' and not exists "
        "(select from opt_outs o where o.member_id = m.member_id) and not exists (select from rights_requests r where "
        f"r.member_id = m.member_id) and {'' if wrote else 'not'} exists (select from postings p where "
        f"p.member_id = m.member_id and posted_at > '2026-09-25') order by member_id limit {count}"
    )
    assert len(members) == count
    site.change(
        *(f"insert into opt_outs values ({9000000 + m}, {m}, null, 'statistics', now(), null)" for (m,) in members)
    )


def all_rows(site: Site) -> dict[str, list[tuple]]:
    """The history of every table."""
    return {
        name: in_warehouse(
            site, f"select * from stats.{name}_history order by {', '.join(catalogue()[name].columns)}, night"
        )
        for name in TABLES
    }


def changes(before: dict[tuple, bytes], after: dict[tuple, bytes]) -> dict[tuple, int]:
    """How many distinct members have changed in each cell whose number was made anew, up to 15."""
    moved = [one for one in before if before[one] != after[one]]
    sums = [
        np.array([np.frombuffer(kept[one], "<u4") for one in moved], np.int64).reshape(-1, 58)
        for kept in (before, after)
    ]
    return dict(zip(moved, distinct_changes_of_cells(*sums).tolist(), strict=True))


def own_numbers(site: Site, name: str, day: datetime.date) -> pd.DataFrame:
    """What a night tells of each cell by itself; a share goes with the numbers of its group as well."""
    shares = [m.name for m in catalogue()[name].measures if m.kind.name == "SHARE"]
    return shown(site, name, day).drop(columns=shares)


def test_a_published_night_that_runs_again_after_members_have_stopped_changes_nothing_that_is_visible(after_one):
    """Whoever has both runs would otherwise have them, alone: what the night itself has told is state as well."""
    before, rows, sums = contents(after_one.home / "published"), all_rows(after_one), references(after_one)
    counted = manifest_of(after_one, FIRST_NIGHT)["inputs"]["members"]["kept"]
    for gone in (1, 9):  # a member, and eight more
        stop(after_one, 1 if gone == 1 else 8, wrote=True)
        run(after_one.night(FIRST_NIGHT, NOW + datetime.timedelta(hours=gone)), *UNTIL_PUBLISHED)
        assert manifest_of(after_one, FIRST_NIGHT)["inputs"]["members"]["kept"] == counted - gone
        assert contents(after_one.home / "published") == before  # manifests and all
        assert all_rows(after_one) == rows
        assert references(after_one) == sums
    assert verify(after_one.settings())["nights"] == 1


def test_a_later_night_that_runs_again_moves_only_what_others_have_moved_already(lived):
    """A cell that nine have left or joined since its number was made moves with the tenth, as on any night."""
    before, sums = {name: own_numbers(lived, name, DEMO_DAY) for name in TABLES}, references(lived)
    stop(lived, 1, wrote=True)
    run(lived.night(now=NOW + datetime.timedelta(hours=3)), *UNTIL_PUBLISHED)
    moved = changes(sums, references(lived))
    assert len(moved) < 10
    assert all(count >= 10 for count in moved.values())
    for name in TABLES:
        now = own_numbers(lived, name, DEMO_DAY)
        assert now.index.equals(before[name].index)
        other = now.index[(now != before[name]).any(axis=1)]
        cells = other if now.index.nlevels == 1 else other.map("\x1f".join)
        assert set(cells) == {cell for _, table, cell in moved if table == name}
        # What was told that very night is not told twice.
        assert set(before[name].loc[other, "as_of"]) <= {FIRST_NIGHT.isoformat()}
    assert verify(lived.settings())["nights"] == 2


def test_one_member_who_stops_statistics_moves_no_number_that_others_have_not_moved(one_night, after_one, quiet):
    """The night as it is with her, and as it is without: where they differ, nine others have changed the cell."""
    stop(after_one, 1, wrote=False)
    run(after_one.night(SECOND_NIGHT), *UNTIL_PUBLISHED)
    counted = [manifest_of(site, SECOND_NIGHT)["inputs"]["members"]["kept"] for site in (after_one, quiet)]
    assert counted[0] == counted[1] - 1
    first = references(one_night)
    moved = [changes(first, references(site)) for site in (after_one, quiet)]
    assert all(count >= 10 for counts in moved for count in counts.values())
    by_her = moved[0].keys() ^ moved[1].keys()
    assert len(by_her) < 10
    for name in TABLES:
        without, with_her = (own_numbers(site, name, SECOND_NIGHT) for site in (after_one, quiet))
        other = without.index[(without != with_her).any(axis=1)]
        cells = other if without.index.nlevels == 1 else other.map("\x1f".join)
        assert set(cells) <= {cell for _, table, cell in moved[0].keys() | moved[1].keys() if table == name}
        assert {c for _, table, c in by_her if table == name} <= set(cells)


def test_the_members_who_stop_would_be_seen_if_they_were_a_quorum(lived):
    """So the comparison above can fail: of thirty who stop at once the run again tells."""
    before = contents(lived.home / "published" / DEMO_DAY.isoformat())
    stop(lived, 30, wrote=True)
    run(lived.night(now=NOW + datetime.timedelta(hours=3)), *UNTIL_PUBLISHED)
    now = contents(lived.home / "published" / DEMO_DAY.isoformat())
    assert len([name for name in before if before[name] != now[name]]) > 4


def test_a_board_that_is_removed_or_made_sensitive_does_not_break_the_night(after_one):
    """Its rows stay; they lose their numbers where a quorum has left, and keep them where not; no new ones come."""
    before = shown(after_one, "activity_by_board", FIRST_NIGHT).reset_index()
    named = before[(before["members"] != "") & ~before["board"].isin(["total", "健康・家庭"])]["board"].value_counts()
    gone, sensitive, other = named.index[:3]
    after_one.change(
        "alter table threads drop constraint threads_board_id_fkey",
        f"delete from boards where title = '{gone}'",
        f"update boards set is_sensitive = true where title = '{sensitive}'",
    )
    run(after_one.night(), *UNTIL_PUBLISHED)
    now = shown(after_one, "activity_by_board").reset_index()
    first = DEMO_DAY - datetime.timedelta(days=27)
    known = [str(first + datetime.timedelta(days=n)) for n in range(24)]
    assert set(now[now["board"] == other]["day"]) == {str(first + datetime.timedelta(days=n)) for n in range(28)}
    for board in (gone, sensitive):
        rows, earlier = (frame[frame["board"] == board].set_index("day") for frame in (now, before))
        assert sorted(rows.index) == known
        emptied = rows[rows["members"] != earlier.loc[known, "members"].loc[rows.index]]
        assert len(emptied)
        assert set(emptied["members"]) == {""}
        assert set(emptied["as_of"]) == {DEMO_DAY.isoformat()}
        stay = rows.drop(emptied.index)
        assert stay[["members", "postings", "as_of"]].equals(earlier.loc[stay.index, ["members", "postings", "as_of"]])
    # The terms of the closed week are told as they were.
    assert files(after_one)["trending_terms.csv"] == files(after_one, FIRST_NIGHT)["trending_terms.csv"]
    assert verify(after_one.settings())["nights"] == 2


def test_a_board_that_is_spelt_anew_is_the_same_board(lived):
    """In full-width letters and with something invisible in it, which nobody sees in the table: every byte stays."""
    before = statistics(lived)
    ((board, title),) = lived.ask(
        "select board_id, title from boards where not is_sensitive order by (select count(*) from threads t "
        "where t.board_id = boards.board_id) desc, 1 limit 1"
    )
    spelt = "\u200b".join(title.translate({ord(" "): "\u3000", **{n: n + 0xFEE0 for n in range(0x21, 0x7F)}}))
    assert spelt != title
    assert (
        lived.ask(f"select count(*) from postings join threads using (thread_id) where board_id = {board}")[0][0] > 99
    )
    lived.change(f"update boards set title = '{spelt}' where board_id = {board}")
    run(lived.night(), *UNTIL_PUBLISHED)
    assert statistics(lived) == before
    assert title in set(shown(lived, "activity_by_board").reset_index()["board"])


# Closed weeks


def test_the_terms_of_a_closed_week_are_published_once_and_repeated_byte_for_byte(two_nights):
    first, second = (
        {name: content for name, content in files(two_nights, night).items() if name.startswith("trending_terms")}
        for night in (FIRST_NIGHT, DEMO_DAY)
    )
    assert first == second
    assert len(first) == 2
    rows = in_warehouse(two_nights, "select distinct night, week, as_of from stats.trending_terms_history")
    assert rows == [(FIRST_NIGHT, "2026-W43", FIRST_NIGHT)]


def test_no_text_of_a_told_week_is_read_again(two_nights):
    """The second night's text branch reads the day's postings and no others, and stages no terms."""
    of_day = two_nights.ask(f"select count(*) from postings where {day(DEMO_DAY.isoformat())}")[0][0]
    told = manifest_of(two_nights)["inputs"]
    assert told["texts"]["read"] == of_day > 100
    assert "week_texts" not in told
    assert two_nights.night().staging.read_json("plan.json")["terms_of_week"] is None
    assert not (two_nights.home / "staging" / DEMO_DAY.isoformat() / "terms").exists()
    of_week = two_nights.ask(
        "select count(*) from postings where posted_at >= '2026-10-19 00:00+09' and posted_at < '2026-10-26 00:00+09'"
    )[0][0]
    assert manifest_of(two_nights, FIRST_NIGHT)["inputs"]["week_texts"]["read"] == of_week > 1_000


def test_every_term_has_the_members_it_needs_and_a_margin_stands_for_every_board(one_night):
    """Counted again from the source as far as it can be: nobody used a term who wrote nothing that week."""
    told = shown(one_night, "trending_terms", FIRST_NIGHT).reset_index()
    terms = told[told["term"] != "total"]
    assert len(terms) > 100
    assert (terms["members"].astype(int) >= 10).all()
    assert set(told[told["term"] == "total"]["board"]) == set(told["board"])
    wrote = one_night.ask(
        "select count(distinct member_id) from postings where posted_at >= '2026-10-19 00:00+09' "
        "and posted_at < '2026-10-26 00:00+09' and deleted_at is null"
    )[0][0]
    whole = told[(told["board"] == "total") & (told["term"] == "total")]["members"].astype(int).item()
    assert whole <= wrote + BOUND
    assert pd.to_numeric(terms[terms["board"] == "total"]["members"]).max() <= whole + 2 * BOUND
