"""The demo site: the site's own schema, the same bytes from the same seed, and every shape that can go wrong."""

import datetime
import hashlib
import os
import signal
import subprocess
import sys
import unicodedata

import psycopg
import pytest

from anonymizers.errors import DemoRefused, SourceUnreachable
from sudare.demo import canaries, loading, postings, site
from sudare.demo.schema import KEYS
from sudare.demo.site import DEMO_DAY, make_site
from tests.demo.conftest import MEMBERS, POSTINGS, new_database

DAYS = [DEMO_DAY + datetime.timedelta(days=n) for n in range(4)]


def ask(url: str, statement: str) -> list[tuple]:
    with psycopg.connect(url) as connection:
        return connection.execute(statement).fetchall()


def fingerprint(url: str) -> dict[str, str]:
    """A digest of every table, in the order of its key."""
    digests = {}
    with psycopg.connect(url) as connection:
        for table, key in KEYS.items():
            with connection.cursor().copy(f"copy (select * from {table} order by {key}) to stdout") as rows:
                digests[table] = hashlib.sha256(b"".join(bytes(row) for row in rows)).hexdigest()
    return digests


def test_the_same_seed_makes_the_same_site_whatever_the_chunks(made, database, monkeypatch):
    monkeypatch.setattr(loading, "CHUNK", 173)
    make_site(database, members=MEMBERS, postings=POSTINGS, seed=3)
    assert fingerprint(database) == fingerprint(made)


def test_another_seed_makes_another_site(made, database):
    make_site(database, members=MEMBERS, postings=POSTINGS, seed=4)
    different = {table for table, digest in fingerprint(database).items() if digest != fingerprint(made)[table]}
    assert different >= {"members", "children", "postings", "opt_outs", "consents"}


def test_three_nights_in_a_row_are_three_nights_one_by_one(server, database):
    make_site(database, members=MEMBERS, postings=POSTINGS, seed=3)
    for day in DAYS[1:]:
        make_site(database, members=MEMBERS, postings=POSTINGS, seed=3, until=day)
    other = new_database(server, "in a row")
    make_site(other, members=MEMBERS, postings=POSTINGS, seed=3)
    summary = make_site(other, members=MEMBERS, postings=POSTINGS, seed=3, until=DAYS[-1])
    assert summary.nights == 3
    assert fingerprint(other) == fingerprint(database)


def test_a_site_lives_members_join_leave_and_move_and_postings_come_and_go(database):
    make_site(database, members=6_000, postings=POSTINGS, seed=3)
    before = dict(ask(database, "select member_id, (email, prefecture_code, status)::text from members"))
    counts = (
        "select (select count(*) from postings), (select count(*) from opt_outs), (select count(*) from consents), "
    )
    counts += "(select count(*) from children where birth_date is null), (select count(*) from members where status <> "
    counts += "'active'), (select count(*) from postings where deleted_at is not null)"
    first = ask(database, counts)[0]
    make_site(database, members=6_000, postings=POSTINGS, seed=3, until=DAYS[-1])
    after = dict(ask(database, "select member_id, (email, prefecture_code, status)::text from members"))
    assert set(before) < set(after)
    assert sum(before[member] != after[member] for member in before) > 3
    changed = [now - then for then, now in zip(first, ask(database, counts)[0], strict=True)]
    assert min(changed[0], changed[1], changed[2], changed[4], changed[5]) > 0
    assert changed[3] < 0  # children were born
    latest = ask(database, "select (max(posted_at) at time zone 'Asia/Tokyo')::date from postings")[0][0]
    assert latest == DAYS[-1]


SHAPES = {
    "a valid consent": "consents where purpose = 'ad_match' and text_version = '2022-04-01' "
    "and method <> 'policy_posted' and withdrawn_at is null and given_at < '2026-11-01'",
    "a withdrawn consent": "consents where withdrawn_at is not null",
    "a consent to an old text": "consents where text_version = '2020-10-01'",
    "a consent in the future": "consents where given_at > '2026-11-01'",
    "a posted policy": "consents where method = 'policy_posted'",
    "a consent to something else": "consents where purpose = 'behavioural'",
    "an opt-out without an account": "opt_outs where member_id is null and email is not null",
    "a revoked opt-out": "opt_outs where revoked_at is not null",
    "an Article 35 stop": "opt_outs where kind = 'article_35_stop'",
    "a statistics opt-out": "opt_outs where kind = 'statistics'",
    "a later consent after an opt-out": "opt_outs o join consents c using (member_id) "
    "where c.given_at > o.opted_out_at and c.text_version = '2022-04-01' and o.revoked_at is null",
    "a shared address": "(select from members where email like '%_@_%' group by lower(email) having count(*) > 1) s",
    "a carrier address with two dots": "members where email like '%..%@docomo.ne.jp'",
    "an address with a dot before the sign": "members where email like '%.@%'",
    "a full-width address": "members where email like '%＠%'",
    "no address": "members where email is null",
    "an empty address": "members where email = ''",
    "a member under eighteen": "members where birth_date > '2008-11-01'",
    "an eighteenth birthday": "members where birth_date = '2008-10-31'",
    "an eighteenth birthday tomorrow": "members where birth_date = '2008-11-01'",
    "a birthday on 29 February": "members where to_char(birth_date, 'MM-DD') = '02-29'",
    "an unknown age": "members where birth_date is null and status = 'active'",
    "a closed account": "members where status = 'withdrawn' and withdrawn_at is not null",
    "an unknown prefecture": "members where prefecture_code is null",
    "an unverified address": "members where email_verified_at is null",
    "an expecting member": "children where birth_date is null and due_date > '2026-10-31'",
    "a child without dates": "children where birth_date is null and due_date is null",
    "a sensitive board": "boards where is_sensitive",
    "an anonymous posting": "postings where member_id is null",
    "a deleted posting": "postings where deleted_at is not null",
    "a posting with a line end": "postings where body like E'%\\n%'",
    "a hold on a member": "legal_holds where subject_kind = 'member' and released_at is null",
    "a verified erasure": "rights_requests where kind = 'erase' and identity_verified_at is not null",
    "an unverified request": "rights_requests where identity_verified_at is null",
    "a request of somebody gone": "rights_requests where member_id not in (select member_id from members)",
}


@pytest.mark.parametrize("shape", SHAPES)
def test_every_shape_is_there(made, shape):
    assert ask(made, f"select count(*) from {SHAPES[shape]}")[0][0] > 0


def test_canaries_are_planted_and_their_pattern_sees_each_of_them(made):
    seen = {
        "members": "select concat_ws(' ', email, full_name, nickname, phone, last_ip) from members "
        "where member_id = any(%s)",
        "children": "select concat_ws(' ', nickname, medical_note) from children where member_id = any(%s) "
        "and medical_note is not null",
    }
    ids = [int(number) for number in canaries.canary_ids(MEMBERS)]
    with psycopg.connect(made) as connection:
        for statement in seen.values():
            rows = connection.execute(statement, (ids,)).fetchall()
            assert len(rows) >= canaries.CANARY_COUNT
            assert all(canaries.CANARY_PATTERN.search(unicodedata.normalize("NFKC", text)) for (text,) in rows)
        tonight = connection.execute(
            "select body from postings where (posted_at at time zone 'Asia/Tokyo')::date = %s", (DEMO_DAY,)
        ).fetchall()
    assert sum(bool(canaries.CANARY_PATTERN.search(unicodedata.normalize("NFKC", body))) for (body,) in tonight) >= 3


def test_board_titles_hold_no_canary(made):
    titles = " ".join(title for (title,) in ask(made, "select title from boards"))
    assert not canaries.CANARY_PATTERN.search(unicodedata.normalize("NFKC", titles))


def test_a_database_that_is_not_the_demos_is_not_touched(database):
    with psycopg.connect(database) as connection:
        connection.execute("create table members (name text)")
    with pytest.raises(DemoRefused):
        make_site(database, members=MEMBERS, postings=POSTINGS, replace=True)
    assert ask(database, "select count(*) from members") == [(0,)]


def test_a_site_with_other_parameters_is_replaced_only_when_asked(database):
    make_site(database, members=MEMBERS, postings=POSTINGS, seed=3)
    with pytest.raises(DemoRefused):
        make_site(database, members=MEMBERS + 1, postings=POSTINGS, seed=3)
    assert make_site(database, members=MEMBERS + 1, postings=POSTINGS, seed=3, replace=True).members == MEMBERS + 1


def test_a_day_that_has_passed_is_not_lived_again(database):
    make_site(database, members=MEMBERS, postings=POSTINGS, seed=3)
    with pytest.raises(DemoRefused):
        make_site(database, members=MEMBERS, postings=POSTINGS, seed=3, until=DEMO_DAY - datetime.timedelta(days=1))


def test_killed_half_way_it_leaves_nothing(database, monkeypatch):
    def killed(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(postings, "reaction_rows", killed)
    with pytest.raises(KeyboardInterrupt):
        make_site(database, members=MEMBERS, postings=POSTINGS, seed=3)
    assert ask(database, "select count(*) from pg_tables where schemaname = 'public'") == [(0,)]
    with psycopg.connect(database) as connection:
        assert site.read_mark(connection) is None


_KILLED = """
import os, signal, sys
from sudare.demo.site import make_site

def progress(table, done, total):
    if table == sys.argv[2]:
        os.kill(os.getpid(), signal.SIGKILL)

make_site(sys.argv[1], members=600, postings=2_000, seed=3, progress=progress)
"""


@pytest.mark.parametrize("table", ["postings", "indexes"])
def test_a_killed_process_leaves_nothing_and_can_be_repeated(database, made, table):
    ended = subprocess.run([sys.executable, "-c", _KILLED, database, table], check=False)
    assert ended.returncode == -signal.SIGKILL
    with psycopg.connect(database) as connection:
        assert site.read_mark(connection) is None
    assert make_site(database, members=MEMBERS, postings=POSTINGS, seed=3).created
    assert fingerprint(database) == fingerprint(made)


def test_a_failed_night_leaves_the_site_of_the_night_before(database, monkeypatch):
    def killed(*_):
        raise KeyboardInterrupt

    make_site(database, members=MEMBERS, postings=POSTINGS, seed=3)
    before = fingerprint(database)
    with monkeypatch.context() as patched:
        patched.setattr(postings, "access_log_rows", killed)
        with pytest.raises(KeyboardInterrupt):
            make_site(database, members=MEMBERS, postings=POSTINGS, seed=3, until=DAYS[1])
    assert fingerprint(database) == before
    assert make_site(database, members=MEMBERS, postings=POSTINGS, seed=3, until=DAYS[1]).nights == 1


_MADE_BY_ANOTHER = """
import sys
from sudare.demo.site import make_site

make_site(sys.argv[1], members=600, postings=2_000, seed=3)
"""


def test_another_process_with_another_hash_seed_and_time_zone_makes_the_same_site(database, made):
    foreign = os.environ | {"PYTHONHASHSEED": "4242", "TZ": "America/New_York", "PGTZ": "UTC"}
    subprocess.run([sys.executable, "-c", _MADE_BY_ANOTHER, database], check=True, env=foreign)
    assert fingerprint(database) == fingerprint(made)


def test_canaries_post_on_every_night_and_never_change(database):
    make_site(database, members=MEMBERS, postings=POSTINGS, seed=3)
    ids = [int(number) for number in canaries.canary_ids(MEMBERS)]
    query = f"select * from members where member_id = any(array{ids}) order by member_id"
    before = ask(database, query)
    make_site(database, members=MEMBERS, postings=POSTINGS, seed=3, until=DAYS[3])
    assert ask(database, query) == before
    days = ask(
        database,
        "select distinct (posted_at at time zone 'Asia/Tokyo')::date from postings "
        "where display_name like 'CANARY%' and posted_at >= '2026-11-01 00:00+09' order by 1",
    )
    assert [day for (day,) in days] == DAYS[1:]


def test_the_same_call_again_changes_nothing(made):
    before = fingerprint(made)
    summary = make_site(made, members=MEMBERS, postings=POSTINGS, seed=3)
    assert (summary.created, summary.nights) == (False, 0)
    assert fingerprint(made) == before


@pytest.mark.parametrize(
    "unfit", [{"members": 99}, {"postings": 279}, {"days": 0}, {"until": datetime.date(2012, 4, 10)}]
)
def test_a_site_too_small_to_be_one_is_refused(database, unfit):
    with pytest.raises(DemoRefused):
        make_site(database, **({"members": 600, "postings": 2_000} | unfit))


def test_without_a_database_it_says_so():
    with pytest.raises(SourceUnreachable, match=r"^the demo's database: no connection"):
        make_site("postgresql://nobody@127.0.0.1:9/none", members=MEMBERS, postings=POSTINGS)


def test_another_comment_on_the_database_is_no_mark(database):
    with psycopg.connect(database, autocommit=True) as connection:
        name = connection.info.dbname
        for comment in ("a database", "[1]", '{"other": 1}', '{"sudare_demo": 1}'):
            connection.execute(f"comment on database {name} is '{comment}'")
            assert site.read_mark(connection) is None
