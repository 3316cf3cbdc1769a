"""What the rows of the demo look like: forms of address, check digits, canaries, proportions."""

import datetime
import re
import unicodedata

import numpy as np
import psycopg
import pytest

from sudare.demo import canaries
from sudare.demo.emails import emails
from sudare.demo.mentions import MENTIONS, _card, _my_number, mention_text
from sudare.demo.phones import POSTED_FORMS, typed_phone
from sudare.demo.places import prefectures
from sudare.demo.plan import DAY, Plan, midnight
from sudare.demo.traits import CONSENT_SHAPES, EMAIL_FORMS, OPT_OUT_SHAPES, consent_shape, email_form, opt_out_shape
from tests.demo.conftest import MEMBERS

PLAN = Plan(members=20_000, postings=100_000, seed=11, days=28, base=datetime.date(2026, 10, 31))
IDS = np.arange(1, 20_001)


def folded(text: str) -> str:
    """NFKC-normalised, as the pattern wants it."""
    return unicodedata.normalize("NFKC", text)


@pytest.mark.parametrize("seed", [1, 2, 3, 99])
@pytest.mark.parametrize("members", [500, 2_000])
def test_the_smallest_sites_have_every_shape(seed: int, members: int) -> None:
    """Shapes do not depend on luck."""
    plan = Plan(members=members, postings=2_000, seed=seed, days=28, base=datetime.date(2026, 10, 31))
    ids = np.arange(1, members + 1)
    assert set(range(len(CONSENT_SHAPES))) == set(consent_shape(plan, ids).tolist())
    assert set(range(len(OPT_OUT_SHAPES))) == set(opt_out_shape(plan, ids).tolist())
    assert set(range(len(EMAIL_FORMS))) == set(email_form(plan, ids).tolist())


EMAIL_EXAMPLES = {
    "full-width letters": r"[ａ-ｚ].*＠",
    "full-width at": r"^[a-z].*＠",
    "upper case": r"^[A-Z0-9.+_-]+@[A-Z.]+$",
    "an ideographic space": "\u3000$",
    "a zero-width space": "\u200b",
    "a byte order mark": "^\ufeff",
    "a line end": "\r\n$",
    "a no-break space": "^\u00a0",
    "a full-width dot": "．",
    "an ideographic full stop": "。",
    "an odd hyphen": "\u2011",
    "two dots at docomo": r"\.\.[^@]*@docomo\.ne\.jp$",
    "a leading dot at au": r"^\..*@ezweb\.ne\.jp$",
    "a dot before the sign": r"\.@(docomo|ezweb)\.ne\.jp$",
    "a plus": r"\+ikuji@",
    "a placeholder": "^(none|なし|test@test)$",
    "blank": "^[ \u3000\t]+$",
    "nothing": "^$",
    "malformed": "^(hanako@|@docomo.ne.jp|a@b@example.jp)$",
}


@pytest.mark.parametrize("form", EMAIL_EXAMPLES)
def test_every_form_of_email_is_typed(form: str) -> None:
    """Some member typed it so."""
    assert any(re.search(EMAIL_EXAMPLES[form], text) for text in emails(PLAN, IDS).to_pylist() if text is not None)


def test_families_share_addresses_in_other_letters() -> None:
    """Two members, one address, typed differently."""
    by_address: dict[str, set[str]] = {}
    for text in filter(None, emails(PLAN, IDS).to_pylist()):
        by_address.setdefault(folded(text).strip().lower(), set()).add(text)
    assert sum(len(typed) > 1 for address, typed in by_address.items() if "@" in address) > 200


def test_no_member_holds_a_canarys_telephone() -> None:
    """The canaries' range is theirs alone, in every form."""
    typed = typed_phone(PLAN.draws, "any", IDS, POSTED_FORMS).to_pylist()
    assert not [text for text in typed if canaries.CANARY_PATTERN.search(folded(text))]


def test_my_numbers_have_valid_check_digits() -> None:
    """The rule, computed digit by digit and independently."""
    for text in _my_number(PLAN, IDS[:500], IDS[:500]).to_pylist():
        digits = [int(letter) for letter in folded(text) if letter.isdigit()]
        weights = [6, 5, 4, 3, 2, 7, 6, 5, 4, 3, 2]
        rest = sum(digit * weight for digit, weight in zip(digits[:11], weights, strict=True)) % 11
        assert digits[11] == (0 if rest <= 1 else 11 - rest)


def test_cards_pass_the_luhn_check() -> None:
    """Test numbers, and valid ones."""
    for text in _card(PLAN, IDS[:200], IDS[:200]).to_pylist():
        digits = [int(letter) for letter in folded(text) if letter.isdigit()]
        doubled = [digit * 2 if place % 2 else digit for place, digit in enumerate(reversed(digits))]
        assert sum(digit - 9 if digit > 9 else digit for digit in doubled) % 10 == 0


def test_every_frame_has_one_place_for_its_identifier() -> None:
    """And the text holds no leftover brace."""
    assert all(frame.count("{}") == 1 for mention in MENTIONS for frame in mention.frames)
    assert not [text for text in mention_text(PLAN, IDS, IDS).to_pylist() if "{" in text]


def test_prefectures_add_up_to_the_census() -> None:
    """126,146,099 people in 47 prefectures."""
    assert sum(prefecture.population for prefecture in prefectures()) == 126_146_099
    assert [prefecture.code for prefecture in prefectures()] == [f"{code:02d}" for code in range(1, 48)]


def test_members_join_in_the_order_of_their_ids_through_the_nights() -> None:
    """Who joins on a night joins on that day."""
    plan = Plan(members=9_000, postings=1_000, seed=1, days=28, base=datetime.date(2026, 10, 31))
    ids = np.arange(8_990, 9_013)
    joined = plan.registered_at(ids)
    assert (np.diff(joined) > 0).all()
    third_night = joined[ids > 9_000 + 2 * plan.joins_per_night][: plan.joins_per_night]
    start = midnight(datetime.date(2026, 11, 3))
    assert ((third_night >= start) & (third_night < start + DAY)).all()


CANARY_TRACES = (
    "CANARY", "ＣＡＮＡＲＹ花子", "c a n a r y", "Ｃ　Ａ　Ｎ　Ａ　Ｒ　Ｙ", "canary+003@example.jp", "203.0.113.77",
    "２０３．０．１１３．７７", "090-0000-9001", "09000009001", "０９０００００９００１", "090ー0000ー9001",
    "+81 90 0000 9001", "電話09000009001です", "+819000009001", "090 0000 9001",
)  # fmt: skip

INNOCENT = (
    "203.0.113.7",
    "203.0.113.78",
    "1203.0.113.77",
    "090-0000-8001",
    "090-1000-9001",
    "a09000009001f",
    "can any",
)


@pytest.mark.parametrize("text", CANARY_TRACES)
def test_the_pattern_sees(text: str) -> None:
    """A trace, however typed."""
    assert canaries.CANARY_PATTERN.search(folded(text))


@pytest.mark.parametrize("text", INNOCENT)
def test_the_pattern_passes(text: str) -> None:
    """What only looks similar, such as digits within a digest."""
    assert not canaries.CANARY_PATTERN.search(folded(text))


def test_every_planted_value_is_seen() -> None:
    """No canary is planted that the pattern would miss."""
    pools = (canaries.FULL_NAMES, canaries.ADDRESSES, canaries.CHILD_NICKNAMES, canaries.FACILITIES)
    values = [text for pool in (*pools, canaries.THREAD_TITLES) for text in pool] + [canaries.MEDICAL_NOTE]
    values += [body.format(n=12) for body in canaries.BODIES]
    values += [text for canary in canaries.CANARIES for text in (canary.email, canary.phone, canary.nickname)]
    assert not [text for text in values if not canaries.CANARY_PATTERN.search(folded(text))]


def test_nobody_but_a_canary_trips_the_pattern(site_connection: psycopg.Connection) -> None:
    """Otherwise a scan would cry for nothing."""
    planted = canaries.canary_ids(MEMBERS).tolist()
    for statement in (
        "select concat_ws('|', email, full_name, full_name_kana, nickname, phone, address_line, host(last_ip)) "
        "from members where member_id <> all(%s)",
        "select concat_ws('|', nickname, nursery_or_school, medical_note) from children where member_id <> all(%s)",
        "select concat_ws('|', display_name, body) from postings where member_id <> all(%s)",
    ):
        rows = site_connection.execute(statement, (planted,)).fetchall()
        assert rows
        assert not [1 for (text,) in rows if canaries.CANARY_PATTERN.search(folded(text))]


def test_canaries_stand_as_they_are_declared(site_connection: psycopg.Connection) -> None:
    """E-mails, consents and opt-outs of each."""
    for canary, member in zip(canaries.CANARIES, canaries.canary_ids(MEMBERS).tolist(), strict=True):
        row = site_connection.execute(
            "select email, phone, status, host(last_ip) from members where member_id = %s", (member,)
        ).fetchone()
        assert row == (canary.email, canary.phone, "active", canaries.CANARY_IP)
        assert folded(canary.email).strip().lower() == canary.canonical_email
        consents = site_connection.execute(
            "select 1 from consents where member_id = %s and purpose = 'ad_match' and withdrawn_at is null", (member,)
        ).fetchall()
        assert bool(consents) == canary.consented
        told = site_connection.execute(
            "select kind, email is not null from opt_outs where member_id = %s or email = upper(%s)",
            (member, canary.canonical_email),
        ).fetchall()
        assert told == ([] if canary.opted_out is None else [canary.opted_out])


def test_canaries_post_on_every_day_of_the_last_week(site_connection: psycopg.Connection) -> None:
    """The day the site has lived to included."""
    rows = site_connection.execute(
        "select distinct (posted_at at time zone 'Asia/Tokyo')::date from postings "
        "where display_name like 'CANARY%' and deleted_at is null order by 1"
    ).fetchall()
    assert [datetime.date(2026, 10, day) for day in range(25, 32)] == [day for (day,) in rows]


SHARES = {
    "no prefecture": ("avg((prefecture_code is null)::int) from members", 0.05, 0.12),
    "under eighteen": ("avg((birth_date > date '2008-10-31')::int) from members", 0.002, 0.04),
    "women": ("avg((gender = 'female')::int) from members", 0.85, 0.97),
    "consented": (
        "count(distinct member_id) / 600.0 from consents where purpose = 'ad_match' and text_version = '2022-04-01' "
        "and method <> 'policy_posted' and withdrawn_at is null and given_at < '2026-11-01 00:00+09'",
        0.38,
        0.55,
    ),
    "anonymous": ("avg((member_id is null)::int) from postings", 0.08, 0.17),
    "letters a posting": ("avg(length(body)) from postings", 65, 90),
    "evening postings": (
        "avg((extract(hour from posted_at at time zone 'Asia/Tokyo') >= 21)::int) from postings",
        0.17,
        0.35,
    ),
}


@pytest.mark.parametrize("share", SHARES)
def test_proportions_are_those_of_such_a_site(site_connection: psycopg.Connection, share: str) -> None:
    """Roughly."""
    query, least, most = SHARES[share]
    assert least <= float(site_connection.execute(f"select {query}").fetchone()[0]) <= most


def test_nothing_happens_before_it_can(site_connection: psycopg.Connection) -> None:
    """Nobody posts before joining or after leaving; nothing is posted in a thread that does not stand yet."""
    for wrong in (
        "postings join threads using (thread_id) where posted_at < created_at",
        "postings join members using (member_id) where posted_at < registered_at",
        "postings join members m using (member_id) where m.status = 'withdrawn'",
        "postings where posted_at >= '2026-11-01 00:00+09' or edited_at < posted_at or deleted_at < posted_at",
        "consents join members using (member_id) where given_at < registered_at",
        "members where withdrawn_at < registered_at or (status = 'withdrawn') <> (withdrawn_at is not null)",
        "children where birth_date > '2026-10-31'",
    ):
        assert site_connection.execute(f"select count(*) from {wrong}").fetchone() == (0,), wrong
