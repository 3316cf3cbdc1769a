"""A whole night over a real database: what comes out, twice the same, whatever the shards."""

import datetime
import hashlib
import json
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
from tests.nights.sites import DAY_BEFORE, NOW, Site, contents, database_of, published, run
from transforms.tables import catalogue


def manifest_of(site: Site, day: datetime.date = DEMO_DAY) -> dict:
    return json.loads((site.home / "published" / day.isoformat() / "manifest.json").read_bytes())


def test_a_night_publishes_every_table_and_the_feed_and_everything_adds_up(site):
    night = site.night()
    run(night)
    told = manifest_of(site)
    assert {output["table"] for output in told["outputs"]} == set(catalogue())
    for name, one in told["inputs"].items():
        assert one["read"] == one["kept"] + sum(one["dropped"].values()), name
    (members,) = site.ask("select count(*) from members")[0]
    assert told["inputs"]["members"]["read"] == members
    assert all(outcome["success"] for outcome in told["gate"])
    assert told["threshold"] == 10
    assert verify(night.settings) == {"nights": 1, "files": 2 * len(catalogue()), "feeds": 1}


def test_the_same_night_twice_gives_the_same_bytes_and_sends_nothing_twice(site):
    run(site.night())
    first, handed_over = published(site), (site.home / "outbox" / "liveramp").stat().st_mtime_ns
    files = {path: path.stat().st_ino for path in (site.home / "outbox" / "liveramp").iterdir()}
    run(site.night(now=NOW + datetime.timedelta(hours=3)))
    assert published(site) == first
    assert set(files) == set((site.home / "outbox" / "liveramp").iterdir()), handed_over


def test_the_number_of_shards_changes_no_byte(server, tmp_path):
    outputs = []
    for name, size in (("few", 100_000), ("many", 350)):
        (tmp_path / name).mkdir()
        site = Site(server, tmp_path / name)
        run(site.night(members_per_shard=size, postings_per_text_shard=size))
        files, rows = published(site)
        outputs.append((files, rows))
    assert outputs[0] == outputs[1]


def test_an_analyst_finds_a_current_view_a_history_and_comments_in_both_languages(site):
    run(site.night(DAY_BEFORE))
    run(site.night())
    run(site.night(DAY_BEFORE))  # an older night again leaves the current one current
    with psycopg.connect(site.warehouse_url) as connection:
        for name, table in catalogue().items():
            days = connection.execute(f"select distinct as_of from stats.{name}_history order by 1").fetchall()
            assert days == [(DAY_BEFORE,), (DEMO_DAY,)]
            (now,) = connection.execute(f"select array_agg(distinct as_of order by as_of) from stats.{name}").fetchone()
            assert now == (
                [DAY_BEFORE, DEMO_DAY] if table.over == "postings" and "day" in table.columns else [DEMO_DAY]
            )
            comments = connection.execute(
                "select obj_description(c.oid), array_agg(col_description(c.oid, a.attnum)) from pg_class c "
                "join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 where c.oid = %s::regclass group by c.oid",
                (f"stats.{name}",),
            ).fetchone()
            assert table.title_ja in comments[0]
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
    text = unicodedata.normalize("NFKC", email or "").lower()
    return "".join(c for c in text if not c.isspace() and unicodedata.category(c) != "Cf")


def read_feed(site: Site) -> pl.DataFrame:
    (path,) = (site.home / "outbox" / "liveramp").glob(f"*_{DEMO_DAY:%Y%m%d}_*")
    return feeds.read_back(site.night().destinations["liveramp"], path.read_bytes())


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
    assert verify(night.settings)["feeds"] == 2


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
    run(lived.night())
    assert manifest_of(lived)["inputs"]["members"]["kept"] == before - 1


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


def test_a_stop_table_that_turns_unreadable_in_the_night_stops_it(site):
    run(site.night(), "plan")
    site.change("drop table rights_requests")
    with pytest.raises((StopSignalsUnreadable, ReaderUnderGranted)):
        run(site.night(), "build_feed")


def test_a_demo_key_is_fit_for_the_demo_site_only_and_a_real_one_for_both(site):
    name = database_of(site.source_url)
    site.change(f"comment on database {name} is null")
    run(site.night(secret=Secret("a secret of one's own, long enough for it")), "plan")


def test_an_undeclared_column_and_table_stay_out_and_are_named(site):
    site.change("alter table members add column blood_type text", "create table diaries (page text)")
    run(site.night())
    assert manifest_of(site)["undeclared_in_source"] == ["diaries.page", "members.blood_type"]


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


def test_a_feed_cannot_be_encoded_without_a_permit(site):
    with pytest.raises(TypeError):
        Permitted()


def test_two_nights_cannot_publish_at_once(site):
    run(site.night(), *("plan", "extract", "redact", "tabulate", "merge_cells", "disclose", "gate_tables"))
    with Warehouse(site.warehouse_url).transaction(), pytest.raises(NightRunning):
        run(site.night(), "publish")
    assert contents(site.home / "published") == {}


def test_killed_after_the_commit_the_next_run_finishes_the_rename(site, monkeypatch):
    """The warehouse has the night, the files do not show it yet; nothing in between can be read as a night."""
    run(site.night(DAY_BEFORE))
    steps = ("plan", "extract", "redact", "tabulate", "merge_cells", "disclose", "gate_tables")
    run(site.night(), *steps)
    with monkeypatch.context() as killed:
        killed.setattr(publication, "_show", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            run(site.night(), "publish")
    assert not (site.home / "published" / DEMO_DAY.isoformat()).exists()
    night = site.night()
    assert publication.finish_interrupted(night.warehouse, night.settings.published) == [DEMO_DAY.isoformat()]
    assert verify(night.settings)["nights"] == 2


def test_a_changed_byte_is_found(lived):
    night = lived.night()
    path = lived.home / "published" / DEMO_DAY.isoformat() / "members_by_prefecture.csv"
    path.write_bytes(path.read_bytes() + b" ")
    with pytest.raises(PublicationBroken):
        verify(night.settings)


def test_the_site_lives_on_and_the_next_night_is_another(site):
    run(site.night())
    tomorrow = DEMO_DAY + datetime.timedelta(days=1)
    make_site(site.source_url, members=3_000, postings=12_000, seed=7, until=tomorrow)
    run(site.night(tomorrow, NOW + datetime.timedelta(days=1)))
    first, second = manifest_of(site), manifest_of(site, tomorrow)
    assert first["inputs"] != second["inputs"]
    assert (site.home / "published" / "latest").resolve() == (site.home / "published" / str(tomorrow)).resolve()


def test_nothing_between_two_steps_is_left_after_a_night(site):
    run(site.night())
    assert {path.name for path in (site.home / "staging" / DEMO_DAY.isoformat()).iterdir()} == {
        *("members", "postings", "texts", "summaries", "gates", "feeds", "plan.json", "probe.json", "boards.json")
    }
    assert list((site.home / "outbox" / ".pending").glob("*/*")) == []


def test_staged_nights_are_deleted_after_their_days(site):
    old = site.home / "staging" / "2026-09-30" / "members"
    old.mkdir(parents=True)
    run(site.night(), "plan")
    assert not old.parent.exists()


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
