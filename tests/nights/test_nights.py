"""A whole night over a real database: what comes out, twice the same, whatever the shards."""

import datetime
import hashlib
import itertools
import re
import unicodedata

import polars as pl
import psycopg
import pytest

from anonymizers.errors import (
    DayRefused,
    DemoKeyRefused,
    NightRunning,
    PolicyAhead,
    PublicationBroken,
    PurposeRefused,
    ReaderOverGranted,
    ReaderUnderGranted,
    SourceChanged,
    SourceEmpty,
    SourceMissing,
    SourceUnreachable,
    StagingUnwritable,
    StopSignalsUnreadable,
    StopSignalsVanished,
    StorageFull,
    WarehouseUnreachable,
)
from anonymizers.keys import Secret
from delivery import feeds, publication
from delivery.consent import Permitted
from delivery.verification import verify
from delivery.warehouse import Warehouse
from sudare.demo.site import DEMO_DAY, make_site
from tests.members import record_key_and_point
from tests.nights.conftest import MEMBERS, POSTINGS
from tests.nights.sites import (
    FIRST_NIGHT,
    NOW,
    UNTIL_PUBLISHED,
    Site,
    database_of,
    in_warehouse,
    manifest_of,
    published,
    published_manifest,
    run,
    shown,
)
from transforms import extraction, source
from transforms.spec import Reader
from transforms.tables import catalogue


def test_a_night_publishes_every_table_and_the_feed_and_everything_adds_up(two_nights):
    told = manifest_of(two_nights)
    assert {output["table"] for output in told["outputs"]} == set(catalogue())
    for name, one in told["inputs"].items():
        assert one["read"] == one["kept"] + sum(one["dropped"].values()), name
    (members,) = two_nights.ask("select count(*) from members")[0]
    assert told["inputs"]["members"]["read"] == members
    assert all(outcome["success"] for outcome in told["gate"])
    assert told["threshold"] == 10
    assert told["disclosure"] == two_nights.night().disclosure
    assert verify(two_nights.settings()) == {"nights": 2, "files": 4 * len(catalogue()), "feeds": 2}


def test_beside_the_tables_lies_no_count_of_what_was_read(two_nights):
    """It is exact and of this very night, so it would tell of one member what no table does."""
    for night in (FIRST_NIGHT, DEMO_DAY):
        kept, beside = manifest_of(two_nights, night), published_manifest(two_nights, night)
        assert set(kept) - set(beside) == {
            *("inputs", "stop_signals", "unfit_values", "texts_found", "infinite_dates", "undeclared_in_source"),
            "accepted_silent",
        }
        assert beside == {name: kept[name] for name in beside}
        ((sha256,),) = in_warehouse(two_nights, f"select manifest_sha256 from sudare.nights where day = '{night}'")
        text = (two_nights.home / "published" / night.isoformat() / "manifest.json").read_bytes()
        assert hashlib.sha256(text).hexdigest() == sha256
        # And it stands there by no other name either.
        inside = {n for one in kept["inputs"].values() for n in (one["read"], one["kept"]) if n > 1_000}
        assert inside
        assert not inside & {int(n) for n in re.findall(r": (\d+)[,\n]", text.decode())}


def test_a_manifest_that_is_not_the_one_beside_the_tables_is_found(lived):
    with psycopg.connect(lived.warehouse_url) as connection:
        connection.execute(
            "update sudare.nights set manifest = "
            f"jsonb_set(manifest::jsonb, '{{threshold}}', '5')::text where day = '{DEMO_DAY}'"
        )
    with pytest.raises(PublicationBroken, match=rf"^manifest of {DEMO_DAY}: what lies beside the tables is not what"):
        verify(lived.settings())


def test_the_same_night_twice_gives_the_same_bytes_and_sends_nothing_twice(lived):
    first = published(lived)
    files = set((lived.home / "outbox" / "liveramp").iterdir())
    run(lived.night(now=NOW + datetime.timedelta(hours=3)))
    assert published(lived) == first
    assert set((lived.home / "outbox" / "liveramp").iterdir()) == files


WHOLE = {"members_per_shard": 100_000, "postings_per_text_shard": 100_000}
CUTS = {
    "one shard of each kind": (WHOLE, 4_000_000, [[0]]),
    "three shards in one task and one transaction": ({"shards_per_task": 16}, 4_000_000, [[0, 1, 2]]),
    "three shards by a sample, in two tasks, a transaction each": ({"shards_per_task": 2}, 1, [[0, 1], [2]]),
}
"""How a night is cut, how many postings are held at once, and the shards by task."""


def summaries(site) -> set[str]:
    return {path.name for path in (site.home / "staging" / FIRST_NIGHT.isoformat() / "summaries").iterdir()}


@pytest.mark.parametrize(
    "cut", [pytest.param(cut, marks=pytest.mark.long) if cut == "one shard of each kind" else cut for cut in CUTS]
)
def test_how_a_night_is_cut_changes_no_byte(site, one_night, monkeypatch, cut):
    """There a task and a transaction for each of three shards of members, and eight shards of texts."""
    settings, postings, tasks = CUTS[cut]
    monkeypatch.setattr(extraction, "POSTINGS_AT_ONCE", postings)
    if "sample" in cut:
        monkeypatch.setattr(source, "SAMPLED_PER_SHARD", 50)
    night = site.night(FIRST_NIGHT, **settings)
    run(night)
    assert night.tasks == tasks
    assert len(summaries(one_night)) > 8
    one_of_each = {"extract-0000.json", "redact-0000.json"}
    assert summaries(site) == (one_of_each if settings is WHOLE else summaries(one_night))
    assert published(site) == published(one_night)


@pytest.mark.parametrize("sampled", [50, 2_000], ids=["of a sample", "of all rows"])
def test_shards_are_about_equal_and_nobody_is_in_none_or_in_two(site, monkeypatch, sampled):
    monkeypatch.setattr(source, "SAMPLED_PER_SHARD", sampled)
    with site.night().source.session(Reader.STATISTICS) as session:
        members = session.count("members")
        shards = source.plan_shards(session, 200)
        assert source.plan_shards(session, 200) == shards
        sizes = [session.count("members", shard.where()) for shard in shards]
    assert len(shards) == -(-members // 200) > 10
    assert sum(sizes) == members
    assert all(shard.end == following.first for shard, following in itertools.pairwise(shards))
    assert max(sizes) < 400


def test_an_analyst_finds_a_current_view_a_history_and_comments_in_both_languages(two_nights):
    """The history has what changed, by the night that published it; the view the last row of each cell."""
    with psycopg.connect(two_nights.warehouse_url) as connection:
        for name, table in catalogue().items():
            history = connection.execute(f"select * from stats.{name}_history order by night").fetchall()
            columns = list(table.columns)
            size = len([d for d in columns if d in {d.name for d in table.dimensions}])
            keys = [n for n, c in enumerate(columns) if c in {d.name for d in table.dimensions}]
            assert size == len(keys)
            last = {tuple(row[n] for n in keys): row[: len(columns)] for row in history}
            now = connection.execute(f"select * from stats.{name}").fetchall()
            assert {tuple(row[n] for n in keys): row for row in now} == last
            assert len(now) == len(last)
            assert {row[-2] for row in history} <= {FIRST_NIGHT, DEMO_DAY}
            assert {row[-1] for row in history} == {1}
            assert all(row[-3] <= row[-2] for row in history)  # a number is of no later night
            for kind in (name, f"{name}_history"):
                comments = connection.execute(
                    "select obj_description(c.oid), array_agg(col_description(c.oid, a.attnum)) from pg_class c "
                    "join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 where c.oid = %s::regclass "
                    "group by c.oid",
                    (f"stats.{kind}",),
                ).fetchone()
                assert table.title_ja in comments[0]
                assert table.note in comments[0]
                assert all(" / " in comment for comment in comments[1])


def test_no_number_of_a_small_cell_is_published_anywhere(lived):
    """Counted again from the source, without the pipeline's own code."""
    small = lived.ask(
        "select count(*) from (select to_char(registered_at at time zone 'Asia/Tokyo', 'YYYY-MM') from members "
        "where status = 'active' group by 1 having count(*) < 10) small"
    )[0][0]
    frame = Warehouse(lived.warehouse_url).current(catalogue()["registrations_by_month"])
    assert frame["members"].dropna().ge(10).all()
    assert frame["members"].isna().sum() >= small


def test_the_feed_is_exactly_the_digests_of_those_who_may_be_in_it(lived):
    """Decided again in one SQL query and with the standard library's digests."""
    day, end = DEMO_DAY, f"timestamptz '{DEMO_DAY + datetime.timedelta(days=1)} 00:00+09'"
    consent = (
        "c.member_id = m.member_id and c.purpose = 'ad_match' and c.method in ('checkbox', 'button') "
        f"and c.text_version = '2022-04-01' and c.withdrawn_at is null and c.given_at < {end}"
    )
    may = lived.ask(
        f"select m.email from members m where status = 'active' and email_verified_at is not null "
        f"and age(date '{day}', birth_date) >= interval '18 years' and exists (select from consents c where {consent}) "
        f"and not exists (select from opt_outs o where o.member_id = m.member_id and o.kind <> 'statistics' "
        f"and coalesce(o.revoked_at, 'infinity') > timestamptz '{NOW.isoformat()}' "
        f"and not exists (select from consents c where {consent} and c.given_at > o.opted_out_at)) "
        "and not exists (select from rights_requests r where r.member_id = m.member_id and r.identity_verified_at "
        "is not null and r.kind in ('stop_use', 'stop_provision', 'erase') and (r.kind = 'erase' or not exists "
        f"(select from consents c where {consent} and c.given_at > r.received_at)))"
    )
    expected = {hashlib.sha256(form.encode()).hexdigest() for (email,) in may if (form := plain(email))}
    found = set(read_feed(lived)["EMAIL1_SHA-256"])
    assert found <= expected
    # Fewer only by addresses that somebody else's stop, age or closed account bars.
    assert len(found) > 0.9 * len(expected)


def plain(email: str | None) -> str:
    text = unicodedata.normalize("NFKC", email or "").lower().translate(dict.fromkeys(map(ord, "。｡"), "."))
    text = re.sub("[\u2010-\u2015\u2212\u30fc]", "-", text)
    return "".join(c for c in text if not c.isspace() and unicodedata.category(c) != "Cf")


def read_feed(site: Site) -> pl.DataFrame:
    (path,) = (site.home / "outbox" / "liveramp").glob(f"*_{DEMO_DAY:%Y%m%d}_*")
    destination = site.night().destinations["liveramp"]
    return pl.concat(feeds.read_back(destination.columns, destination.form, path))


def digest_of(site: Site, member: int) -> str:
    ((email,),) = site.ask(f"select email from members where member_id = {member}")
    return hashlib.sha256(plain(email).encode()).hexdigest()


def somebody_in_the_feed(site: Site) -> int:
    """A member who is in the feed, alone under her address."""
    found = set(read_feed(site)["EMAIL1_SHA-256"])
    members = site.ask(
        "select member_id from members where status = 'active' and member_id not in (select member_id from opt_outs "
        "where member_id is not null) order by member_id"
    )
    return next(member for (member,) in members if digest_of(site, member) in found)


STOPS = {
    "an opt-out": "insert into opt_outs values (9000001, {m}, null, 'site_ad', now(), null)",
    "an Article 35 stop": "insert into opt_outs values (9000001, {m}, null, 'article_35_stop', now(), null)",
    "an opt-out of a kind nobody knows": "insert into opt_outs values (9000001, {m}, null, 'telepathy', now(), null)",
    "an opt-out without an account": (
        "insert into opt_outs select 9000001, null, '　' || upper(email), 'site_ad', now(), null "
        "from members where member_id = {m}"
    ),
    "a verified erasure": "insert into rights_requests values (9000001, {m}, 'erase', now(), now(), null)",
    "a verified stop of provision": (
        "insert into rights_requests values (9000001, {m}, 'stop_provision', now(), now(), null)"
    ),
    "a withdrawn consent": "update consents set withdrawn_at = now() where member_id = {m}",
    "a consent withdrawn at infinity": "update consents set withdrawn_at = 'infinity' where member_id = {m}",
    "a closed account": "update members set status = 'withdrawn', withdrawn_at = now() where member_id = {m}",
    "no birth date": "update members set birth_date = null where member_id = {m}",
    "an infinite birth date": "update members set birth_date = '-infinity' where member_id = {m}",
    "an 18th birthday tomorrow": "update members set birth_date = date '2008-11-01' where member_id = {m}",
    "an unverified address": "update members set email_verified_at = null where member_id = {m}",
    "an old text": "update consents set text_version = '2020-10-01' where member_id = {m}",
    "a posted policy": "update consents set method = 'policy_posted' where member_id = {m}",
    "a consent in the future": "update consents set given_at = '2027-01-01' where member_id = {m}",
    "an opt-out of another member of the address": (
        "update members o set email = upper(m.email) from members m where m.member_id = {m} and o.member_id = "
        "(select member_id from opt_outs where kind = 'article_35_stop' and revoked_at is null "
        "and member_id is not null and member_id <> {m} "
        "and member_id not in (select member_id from consents) order by 1 limit 1)"
    ),
}


@pytest.mark.parametrize("stop", STOPS)
def test_whoever_says_stop_at_the_last_moment_is_not_in_the_file(lived, stop):
    """Built and gated with her in it; then she says stop; the fence builds it anew without her."""
    night = lived.night()
    member = somebody_in_the_feed(lived)
    digest = digest_of(lived, member)
    run(night, "build_feed", "gate_feed")
    lived.change(STOPS[stop].format(m=member))
    run(night, "hand_over", "close")
    assert digest not in set(read_feed(lived)["EMAIL1_SHA-256"])
    assert verify(night.settings)["feeds"] == 3


def test_a_birthday_today_and_a_revoked_or_lifted_stop_let_a_member_in(lived):
    night = lived.night()
    member = somebody_in_the_feed(lived)
    lived.change(
        f"update members set birth_date = date '2008-10-31' where member_id = {member}",
        f"insert into opt_outs values (9000001, {member}, null, 'site_ad', '2020-01-01', '2020-02-01')",
        f"insert into opt_outs values (9000002, {member}, null, 'site_ad', '2000-01-01', null)",
        f"insert into opt_outs values (9000003, {member}, null, 'statistics', now(), null)",
    )
    run(night, "plan", "build_feed", "gate_feed", "hand_over")
    assert digest_of(lived, member) in set(read_feed(lived)["EMAIL1_SHA-256"])


def test_a_member_who_stops_statistics_is_in_no_staged_row(lived):
    before = manifest_of(lived)["inputs"]["members"]["kept"]
    member = somebody_in_the_feed(lived)
    lived.change(f"insert into opt_outs values (9000001, {member}, null, 'statistics', now(), null)")
    night = lived.night()
    run(night, "plan", "extract")
    assert sum(night.staging.read_table("members", f"{n:04d}.parquet").num_rows for n in range(3)) == before - 1
    keys = night.staging.read_table("members", "0000.parquet").column_names
    assert {"record_key", "point", "settled"} <= set(keys)
    whole = pl.concat([pl.from_arrow(night.staging.read_table("members", f"{n:04d}.parquet")) for n in range(3)])
    assert record_key_and_point(member, night.statistics_key()) not in whole.select("record_key", "point").rows()


BAD_SOURCES = {
    "a table is missing": (SourceMissing, ["drop table reactions"]),
    "a column is missing": (SourceMissing, ["alter table children drop column due_date"]),
    "a stop table is missing": (SourceMissing, ["drop table opt_outs"]),
    "a type changed": (SourceChanged, ["alter table members alter column birth_date type text"]),
    "no member": (SourceEmpty, ["truncate members cascade"]),
    "a newer policy": (
        PolicyAhead,
        ["insert into policy_versions values ('2026-10-01', '2026-10-01', repeat('0', 64))"],
    ),
    "no policy": (PolicyAhead, ["delete from policy_versions"]),
    "stop signals unreadable": (ReaderUnderGranted, ["revoke all on opt_outs from sudare_ads"]),
    "a reader granted too much": (ReaderOverGranted, ["grant select on members to sudare_ads"]),
    "everyone may read a secret": (ReaderOverGranted, ["grant select (password_hash) on members to public"]),
    "no longer the demo's": (DemoKeyRefused, ["comment on database {name} is null"]),
}


@pytest.mark.parametrize("what", BAD_SOURCES)
def test_a_bad_source_stops_the_night_before_a_row_is_read_and_nothing_changes(lived, what):
    before = published(lived)
    error, statements = BAD_SOURCES[what]
    name = database_of(lived.source_url)
    lived.change(*(statement.format(name=name) for statement in statements))
    with pytest.raises(error) as raised:
        run(lived.night())
    assert raised.value.exit_status == error.exit_status
    assert published(lived) == before


BAD_SETTINGS = {
    "a source that does not answer": (SourceUnreachable, {"source_url": "postgresql://nobody@127.0.0.1:9/site"}),
    "a warehouse that does not answer": (WarehouseUnreachable, {"warehouse_url": "postgresql://nobody@127.0.0.1:9/w"}),
    "a purpose that is not served": (PurposeRefused, {"purposes": ("P09", "P12")}),
    "an unknown purpose": (PurposeRefused, {"purposes": ("law_enforcement",)}),
}


@pytest.mark.parametrize("what", BAD_SETTINGS)
def test_bad_settings_stop_the_night_and_nothing_changes(lived, what):
    before = published(lived)
    error, changes = BAD_SETTINGS[what]
    with pytest.raises(error):
        run(lived.night(**changes))
    assert published(lived) == before


@pytest.mark.parametrize("place", ["staging_url", "published", "outbox"])
def test_a_place_that_cannot_be_written_stops_the_night(lived, place):
    before = published(lived)
    blocked = lived.home / "a file"
    blocked.write_text("not a directory")
    value = str(blocked / "x") if place == "staging_url" else blocked / "x"
    with pytest.raises((StagingUnwritable, PublicationBroken, Exception)) as raised:
        run(lived.night(**{place: value}))
    assert raised.value.exit_status in (30, 31, 51)
    assert published(lived) == before


def test_a_day_that_is_not_over_in_tokyo_is_refused(site):
    almost = datetime.datetime(2026, 10, 31, 14, 59, tzinfo=datetime.UTC)  # 23:59 in Tokyo
    with pytest.raises(DayRefused):
        run(site.night(now=almost))
    run(site.night(now=almost + datetime.timedelta(minutes=1)), "plan")


def test_a_full_disk_is_said_so_and_nothing_changes(lived):
    """The operating system's own refusal: no file may grow beyond a few bytes."""
    resource = pytest.importorskip("resource")
    before = published(lived)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    night = lived.night()
    run(night, "plan")
    resource.setrlimit(resource.RLIMIT_FSIZE, (1_000, hard))
    try:
        with pytest.raises(StorageFull):
            run(night, "extract")
        with pytest.raises(StorageFull):
            run(night, "build_feed")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert published(lived) == before


def test_stop_signals_that_vanish_stop_the_night_unless_somebody_has_looked(lived):
    before = published(lived)
    lived.change("delete from opt_outs")
    with pytest.raises(StopSignalsVanished):
        run(lived.night())
    assert published(lived) == before
    run(lived.night(accept_fewer_stop_signals=True), "plan")


def test_a_deployment_of_feeds_only_publishes_no_table_and_remembers_its_stop_signals(site):
    """Its gate of tables is green over nothing; the night's manifest is kept, so the next one knows what there was."""
    night = site.night(FIRST_NIGHT, purposes=("P10",))
    run(night)
    assert night.staging.read_json("gates", "tables.json") == []
    told, beside = manifest_of(site, FIRST_NIGHT), published_manifest(site, FIRST_NIGHT)
    assert told["outputs"] == beside["outputs"] == told["gate"] == []
    stopped = {name: site.ask(f"select count(*) from {name}")[0][0] for name in told["stop_signals"]}
    assert told["stop_signals"] == stopped
    assert [path.name for path in (site.home / "published" / FIRST_NIGHT.isoformat()).iterdir()] == ["manifest.json"]
    tables = "select count(*) from information_schema.tables where table_schema = 'stats'"
    assert in_warehouse(site, tables) == [(0,)]
    assert verify(site.settings()) == {"nights": 1, "files": 0, "feeds": 1}
    before = published(site)
    site.change("delete from opt_outs")
    with pytest.raises(StopSignalsVanished, match=r"^opt_outs: 0 rows, \d+ on the last night; stop signals do not van"):
        run(site.night(purposes=("P10",)))
    assert published(site) == before


def test_a_deployment_of_feeds_only_can_publish_tables_from_another_night_on(site):
    run(site.night(FIRST_NIGHT, purposes=("P10",)), *UNTIL_PUBLISHED)
    run(site.night(), *UNTIL_PUBLISHED)
    assert {output["table"] for output in manifest_of(site)["outputs"]} == set(catalogue())
    assert {row[0] for row in in_warehouse(site, "select distinct as_of from stats.members_by_prefecture")} == {
        DEMO_DAY
    }
    run(site.night(DEMO_DAY + datetime.timedelta(days=1), NOW + datetime.timedelta(days=1), purposes=("P10",)), "plan")
    assert verify(site.settings())["nights"] == 2


def test_a_stop_table_that_turns_unreadable_in_the_night_stops_it(site):
    run(site.night(), "plan")
    site.change("drop table rights_requests")
    with pytest.raises((StopSignalsUnreadable, ReaderUnderGranted)):
        run(site.night(), "build_feed")


def test_a_demo_key_is_fit_for_the_demo_site_only_and_a_real_one_for_both(site):
    name = database_of(site.source_url)
    site.change(f"comment on database {name} is null")
    run(site.night(secret=Secret("a secret of one's own, long enough for it")), "plan")


def test_an_undeclared_column_and_table_stay_out_and_are_named(lived):
    lived.change("alter table members add column blood_type text", "create table diaries (page text)")
    run(lived.night(), *UNTIL_PUBLISHED)
    assert manifest_of(lived)["undeclared_in_source"] == ["diaries.page", "members.blood_type"]


REFUSED = {
    "sudare_statistics": ["email from members", "full_name from members", "body from postings"],
    "sudare_ads": ["body from postings", "full_name from members", "birth_date from children"],
    "sudare_text": ["email from members", "birth_date from members", "purpose from consents"],
}
SECRETS = ["password_hash from members", "ip from posting_access_logs", "medical_note from children", "* from members"]


@pytest.mark.parametrize(("role", "columns"), [(r, c) for r, some in REFUSED.items() for c in [*some, *SECRETS]])
def test_the_database_itself_refuses_a_reader_what_is_not_its_purpose(site, role, columns):
    with psycopg.connect(site.source_url) as connection:
        connection.execute(f"set role {role}")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute(f"select {columns}")


def test_nobody_makes_a_permit_by_hand(site):
    with pytest.raises(TypeError):
        Permitted()


def test_two_nights_cannot_publish_at_once(ready):
    before = published(ready)
    with Warehouse(ready.warehouse_url).transaction(), pytest.raises(NightRunning):
        run(ready.night(), "publish")
    assert published(ready) == before


def test_killed_after_the_commit_the_next_run_finishes_the_rename(ready, monkeypatch):
    """The warehouse has the night, the files do not show it yet; nothing in between can be read as a night."""
    with monkeypatch.context() as killed:
        killed.setattr(publication, "_show", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            run(ready.night(), "publish")
    assert not (ready.home / "published" / DEMO_DAY.isoformat()).exists()
    night = ready.night()
    assert publication.finish_interrupted(night.warehouse, night.settings.published) == [DEMO_DAY.isoformat()]
    assert verify(night.settings)["nights"] == 2


def test_a_changed_byte_is_found(lived):
    night = lived.night()
    path = lived.home / "published" / DEMO_DAY.isoformat() / "members_by_prefecture.csv"
    path.write_bytes(path.read_bytes() + b" ")
    with pytest.raises(PublicationBroken):
        verify(night.settings)


def test_the_site_lives_on_and_the_next_night_is_another(lived):
    """A Sunday: with it a week is over, whose terms are counted; those of the week before stay as they are told."""
    tomorrow = DEMO_DAY + datetime.timedelta(days=1)
    make_site(lived.source_url, members=MEMBERS, postings=POSTINGS, seed=7, until=tomorrow)
    terms = in_warehouse(lived, "select * from stats.trending_terms where week = '2026-W43' order by 1, 2, 3")
    run(lived.night(tomorrow, NOW + datetime.timedelta(days=1)))
    first, second = manifest_of(lived), manifest_of(lived, tomorrow)
    assert first["inputs"] != second["inputs"]
    assert (lived.home / "published" / "latest").resolve() == (lived.home / "published" / str(tomorrow)).resolve()
    told = shown(lived, "trending_terms", tomorrow).reset_index()
    assert set(told["week"]) == {"2026-W44"}
    assert set(told["as_of"]) == {tomorrow.isoformat()}
    assert terms == in_warehouse(lived, "select * from stats.trending_terms where week = '2026-W43' order by 1, 2, 3")
    posted = lived.ask(
        "select count(*) from postings where posted_at >= '2026-10-26 00:00+09' and posted_at < '2026-11-02 00:00+09'"
    )
    assert second["inputs"]["week_texts"]["read"] == posted[0][0]
    assert verify(lived.settings())["nights"] == 3


def test_nothing_between_two_steps_is_left_after_a_night(lived):
    place = lived.home / "staging" / DEMO_DAY.isoformat()
    before = {path.name for path in place.iterdir()}
    assert {"cells", "merged", "releases", "terms"} - before == {"terms"}  # no week was counted that night
    run(lived.night(), "close")
    assert {path.name for path in place.iterdir()} == {
        *(
            "members",
            "postings",
            "texts",
            "titles",
            "summaries",
            "gates",
            "feeds",
            "plan.json",
            "probe.json",
            "run.json",
            "boards.json",
        )
    }
    assert list((lived.home / "outbox" / ".pending").glob("*/*")) == []


def test_terms_are_left_by_no_night_either(one_night):
    """On this one they were counted: pairs of term and member, which are personal data."""
    assert manifest_of(one_night, FIRST_NIGHT)["inputs"]["week_texts"]["kept"] > 1_000
    assert not (one_night.home / "staging" / FIRST_NIGHT.isoformat() / "terms").exists()


def test_a_hand_over_that_was_killed_before_it_could_say_so_can_be_repeated(lived):
    """The file lies in the outbox, the task is tried again: the fence still looks at what lies there."""
    night = lived.night()
    run(night, "build_feed", "gate_feed", "hand_over")
    before = published(lived)
    run(night, "hand_over")
    assert published(lived) == before
    member = somebody_in_the_feed(lived)
    lived.change(STOPS["an opt-out"].format(m=member))
    run(night, "hand_over")
    assert digest_of(lived, member) not in set(read_feed(lived)["EMAIL1_SHA-256"])
