"""Identifiers other than addresses: how people type them, and what each destination knows them by."""

import base64
import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from delivery.destinations import called, destinations
from delivery.identifiers import RULES, Identified, Request, identify
from delivery.identifiers.refusals import Refusal, Refused


def ask(destination, field, value, region=None) -> Identified:
    (one,) = identify([Request(destination, field, value, region)])
    return one


def form(destination, field, value, region=None) -> str | None:
    return ask(destination, field, value, region).normalized


def refusal(destination, field, value, region=None) -> str | None:
    one = ask(destination, field, value, region)
    assert (one.normalized, one.digests, one.encoded) == (None, {}, None) or one.refused is None
    return one.refused


TYPED_IN_JAPAN = (
    "090-1234-5678",
    "09012345678",
    "０９０－１２３４－５６７８",
    "０９０１２３４５６７８",
    "090ー1234ー5678",
    "090ｰ1234ｰ5678",
    "090\u20111234\u20115678",
    "090−1234−5678",
    "090―1234―5678",
    "090 1234 5678",
    "090\u30001234\u30005678",
    "090.1234.5678",
    "(090)1234-5678",
    "090（1234）5678",
    "090\u200b-1234-\u200b5678",
    "\ufeff090-1234-5678\r\n",
    "+81 90-1234-5678",
    "+81 090-1234-5678",
    "＋８１９０１２３４５６７８",
    "+81 (0)90-1234-5678",
    "(+81)90-1234-5678",
    "0081-90-1234-5678",
    "010-81-90-1234-5678",
    "81-90-1234-5678",
    "90-1234-5678",
    "TEL: 090-1234-5678",
    "携帯090-1234-5678",
)


@pytest.mark.parametrize("typed", TYPED_IN_JAPAN)
@pytest.mark.parametrize(
    ("destination", "written"),
    [
        ("google", "+819012345678"),
        ("uid2", "+819012345678"),
        ("the trade desk", "+819012345678"),
        ("x", "+819012345678"),
        ("meta", "819012345678"),
        ("snap", "819012345678"),
        ("amazon", "819012345678"),
        ("yahoo", "819012345678"),
    ],
)
def test_a_japanese_number_is_one_number_however_it_is_typed(typed, destination, written):
    assert form(destination, "phone", typed, "JP") == written


@pytest.mark.parametrize("typed", TYPED_IN_JAPAN[:4])
@pytest.mark.parametrize("destination", ["liveramp", "liveramp-ats"])
def test_ten_digits_of_japan_are_not_sent_as_ten_digits_of_america(typed, destination):
    assert refusal(destination, "phone", typed, "JP") == "unmatchable"
    assert refusal(destination, "phone", "+81 90-1234-5678") == "unmatchable"
    assert refusal(destination, "phone", typed) == "unknown_region"


@pytest.mark.parametrize("destination", ["line", "criteo", "microsoft"])
def test_a_destination_that_publishes_no_form_of_numbers_is_told_none(destination):
    assert refusal(destination, "phone", "+819012345678") == "unsupported_field"


@pytest.mark.parametrize("destination", ["google", "meta", "uid2", "x", "tiktok", "snap", "amazon", "yahoo"])
def test_a_national_number_needs_its_country(destination):
    assert refusal(destination, "phone", "090-1234-5678") == "unknown_region"
    for nowhere in ("ZZ", "日本", "JPN", 81):
        assert refusal(destination, "phone", "090-1234-5678", nowhere) == "unknown_region"
    assert form(destination, "phone", "090-1234-5678", " jp ")


@pytest.mark.parametrize(
    "typed", ["090-1234-567", "110", "000-0000-0000", "0100-12-3456", "12", "内線12", "++++", "+", "abc"]
)
@pytest.mark.parametrize("destination", ["google", "meta", "uid2", "tiktok"])
def test_a_number_that_japan_does_not_have_is_none(typed, destination):
    assert refusal(destination, "phone", typed, "JP") == "invalid_number"


@pytest.mark.parametrize("destination", ["google", "meta", "uid2", "tiktok", "x"])
def test_japan_s_plan_is_asked_also_of_an_international_number(destination):
    assert refusal(destination, "phone", "+81901234567") == "invalid_number"
    assert form(destination, "phone", "+819012345678")


@pytest.mark.parametrize(
    ("typed", "region", "written"),
    [
        ("03-4405-7597", "JP", "81344057597"),
        ("日本の電話番号03-4405-7597", None, "81344057597"),
        ("0120-444-444", "JP", "81120444444"),
        ("0800-123-4567", "JP", "818001234567"),
        ("050-1234-5678", "JP", "815012345678"),
        ("010-1-650-555-1212", "JP", "16505551212"),
        ("+44 (0)20 7183 8750", None, "442071838750"),
        ("(02) 1234 5678", "AU", "61212345678"),
    ],
)
def test_numbers_of_other_kinds_and_countries(typed, region, written):
    assert form("meta", "phone", typed, region) == written
    assert form("google", "phone", typed, region) == f"+{written}"
    assert form("uid2", "phone", typed, region) == f"+{written}"


def test_tiktok_gets_a_plus_where_it_was_typed():
    assert form("tiktok", "phone", "+81 90-1234-5678") == "+819012345678"
    assert form("tiktok", "phone", "090-1234-5678", "JP") == "819012345678"


@given(
    st.text(max_size=30) | st.from_regex(r"[+＋0０]?[0-9０-９ー() -]{6,18}", fullmatch=True),
    st.sampled_from(["JP", "US", None]),
)
def test_a_number_that_comes_out_stays_as_it_is(typed, region):
    for destination in ("google", "uid2", "x"):
        written = form(destination, "phone", typed, region)
        if written is not None:
            assert written.isascii() and written[0] == "+" and written[1:].isdigit() and len(written) <= 16
            assert form(destination, "phone", written) == written


NAMES = [
    ("花子", "花子"),
    ("\u3000花子\u3000", "花子"),
    ("山田", "山田"),
    ("髙橋", "髙橋"),
    ("佐々木", "佐々木"),
    ("ﾊﾅｺ", "ハナコ"),
    ("か\u3099", "が"),
    ("ＨＡＮＡＫＯ", "hanako"),
    ("花\u200b子", "花子"),
    ("정", "정"),
    ("Valéry", "valéry"),
    ("Vale\u0301ry", "valéry"),
    ("サラ・マリー", "サラマリー"),
    ("O'Neil-Smith Jr.", "oneilsmithjr"),
]


@pytest.mark.parametrize(("typed", "written"), NAMES)
@pytest.mark.parametrize("destination", ["meta", "snap"])
@pytest.mark.parametrize("field", ["first_name", "last_name"])
def test_a_name_keeps_its_script(typed, written, destination, field):
    one = ask(destination, field, typed)
    assert one.normalized == written
    assert one.digests == {"sha256": hashlib.sha256(written.encode()).hexdigest()}


@pytest.mark.parametrize(
    ("typed", "written"),
    [
        ("花子", "花子"),
        ("　ＨＡＮＡＫＯ", "hanako"),
        ("Mr. Taro", "taro"),
        ("Taro Dr.", "taro"),
        ("Mrtaro", "mrtaro"),
        ("Yamada, Jr., PhD", "yamada"),
        ("Yamada III", "yamada"),
        ("Vi", "vi"),
        ("Sato-Suzuki", "sato-suzuki"),
        ("Mary   Ann", "mary ann"),
    ],
)
def test_google_drops_titles_and_suffixes(typed, written):
    assert form("google", "first_name", typed) == form("google", "last_name", typed) == written


@pytest.mark.parametrize("typed", ["なし", "none", "NULL", "不明", "未入力", "Ｎ／Ａ", "－"])
def test_no_placeholder_is_digested(typed):
    assert refusal("meta", "last_name", typed) == "placeholder"


@pytest.mark.parametrize(
    ("destination", "field", "typed", "written"),
    [
        ("meta", "zip", "150-0001", "1500001"),
        ("meta", "zip", "〒150-0001", "1500001"),
        ("meta", "zip", "１５０ー０００１", "1500001"),
        ("meta", "zip", "〒 150\u20110001", "1500001"),
        ("google", "zip", "〒１５０－０００１", "150-0001"),
        ("google", "country", "ｊｐ", "JP"),
        ("meta", "country", "日本", "jp"),
        ("meta", "country", "Japan", "jp"),
        ("meta", "country", "ＪＰ", "jp"),
        ("meta", "country", "UK", "gb"),
        ("meta", "state", "東京都", "東京都"),
        ("meta", "state", "New York", "ny"),
        ("meta", "city", "São Paulo", "sãopaulo"),
        ("meta", "f5last", "長宗我部元親", "長宗我部元"),
        ("meta", "first_initial", "花子", "花"),
        ("meta", "dob_day", "３", "03"),
        ("amazon", "address", "渋谷区 神南1-2-3", "渋谷区神南123"),
        ("x", "username", " ＠AdsAPI", "adsapi"),
        ("tiktok", "maid", "5F3A2B18-9c4d-4E7F-B8E2-17D3A1E69B25", "5f3a2b18-9c4d-4e7f-b8e2-17d3a1e69b25"),
        ("tiktok", "maid", "5F3A2B18-9C4D-4E7F-B8E2-17D3A1E69B25", "5F3A2B18-9C4D-4E7F-B8E2-17D3A1E69B25"),
        ("liveramp", "idfa", "5f3a2b18-9c4d-4e7f-b8e2-17d3a1e69b25", "5F3A2B18-9C4D-4E7F-B8E2-17D3A1E69B25"),
        ("liveramp", "csv-quoting", '50"', '"50"""'),
    ],
)
def test_other_identifiers(destination, field, typed, written):
    assert form(destination, field, typed) == written


def test_a_zip_code_of_the_united_states_has_five_digits():
    assert form("meta", "zip", "372213312", "US") == form("meta", "zip", "37221-3312") == "37221"


@pytest.mark.parametrize(
    ("destination", "field", "typed", "why"),
    [
        ("meta", "city", "渋谷区", "unmatchable"),
        ("meta", "country", "どこか", "malformed"),
        ("meta", "zip", "〒", "empty"),
        ("meta", "zip", "東京", "malformed"),
        ("meta", "dob_day", "0", "malformed"),
        ("meta", "dob_month", "-1", "malformed"),
        ("meta", "dob_year", "98", "malformed"),
        ("meta", "first_name", "!!", "empty"),
        ("meta", "first_name", "(none)", "placeholder"),
        ("meta", "first_name", "\u200b\u3000", "empty"),
        ("meta", "first_name", "\ud800", "malformed"),
        ("meta", "first_name", "あ" * 10_001, "too_long"),
        ("meta", "first_name", hashlib.sha256(b"a").hexdigest(), "already_hashed"),
        ("meta", "phone", hashlib.md5(b"a").hexdigest(), "already_hashed"),
        ("google", "country", "日本", "malformed"),
        ("google", "last_name", ",Jr.,DDS ", "empty"),
        ("x", "username", "@", "empty"),
        ("x", "username", "花子", "malformed"),
        ("tiktok", "maid", "00000000-0000-0000-0000-000000000000", "placeholder"),
        ("tiktok", "maid", "not-a-device", "malformed"),
        ("liveramp", "first_name", "花子", "unsupported_field"),
        ("meta", "child_birth_date", "2020-01-01", "unsupported_field"),
        ("meta", ["email"], "a@example.jp", "unsupported_field"),
        ("nobody", "email", "a@example.jp", "unknown_destination"),
        (None, "email", "a@example.jp", "unknown_destination"),
        ("meta", "email", 5, "not_text"),
        ("meta", "phone", 9012345678, "not_text"),
        ("meta", "email", None, "empty"),
    ],
)
def test_what_has_no_form_says_why(destination, field, typed, why):
    assert refusal(destination, field, typed) == why


@pytest.mark.parametrize(
    ("destination", "typed", "why"),
    [
        ("x", "", "empty"),
        ("x", " \u200b", "empty"),
        ("x", "なし", "placeholder"),
        ("x", "test@test.com", "placeholder"),
        ("x", "hanako", "malformed"),
        ("x", "a@b@example.jp", "malformed"),
        ("x", "a@example.jp, b@example.jp", "malformed"),
        ("x", "花子@example.jp", "unmatchable"),
        ("x", "a" * 65 + "@example.jp", "too_long"),
        ("x", "a@" + "b." * 130 + "jp", "too_long"),
        ("x", "\ud800@example.jp", "malformed"),
        ("x", hashlib.sha256(b"a").hexdigest(), "already_hashed"),
        ("x", hashlib.sha1(b"a").hexdigest().upper(), "already_hashed"),
        ("x", "0x" + hashlib.md5(b"a").hexdigest(), "already_hashed"),
        ("x", "0xabc", "already_hashed"),
        ("x", base64.b64encode(hashlib.sha256(b"a").digest()).decode(), "already_hashed"),
        ("meta", "a..b@docomo.ne.jp", "unmatchable"),
        ("meta", ".a@ezweb.ne.jp", "unmatchable"),
        ("meta", "a.@docomo.ne.jp", "unmatchable"),
        ("meta", "..@docomo.ne.jp", "malformed"),
        ("google", "...@gmail.com", "malformed"),
        ("tiktok", "+x@example.jp", "malformed"),
    ],
)
def test_an_address_that_is_refused_says_why(destination, typed, why):
    assert refusal(destination, "email", typed) == why


def test_one_address_has_a_form_for_each_destination():
    typed = "Ｈa.Na+Ko@Gmail.com"
    forms = {name: form(name, "email", typed) for name in destinations()}
    folded = dict.fromkeys(("google", "uid2", "trade_desk"), "hana@gmail.com") | {"tiktok": "ha.na@gmail.com"}
    assert forms == dict.fromkeys(destinations(), "ha.na+ko@gmail.com") | folded


def test_every_digest_that_liveramp_takes_is_shown():
    one = ask("liveramp", "email", "Hanako@example.jp")
    assert one.digests == {
        name: hashlib.new(name, b"hanako@example.jp").hexdigest() for name in ("sha256", "sha1", "md5")
    }
    assert one.encoded == one.digests["sha256"]


def test_base64_is_of_the_bytes_and_not_of_their_hexadecimal_text():
    one = ask("uid2", "email", "hanako@example.jp")
    assert one.encoded == base64.b64encode(hashlib.sha256(b"hanako@example.jp").digest()).decode()
    assert ask("uid2", "email-hex-intermediate", "hanako@example.jp").encoded == one.digests["sha256"]


GIVEN = hashlib.sha256(b"foo@bar.com").digest()


@pytest.mark.parametrize("field", ["email_hash", "email(prehashed)", "Email_Hash(prehashed)", "hashed_email"])
@pytest.mark.parametrize("typed", [GIVEN.hex(), GIVEN.hex().upper(), base64.b64encode(GIVEN).decode()])
def test_a_digest_passes_where_it_is_said_to_be_one(field, typed):
    assert ask("uid2", field, typed) == Identified(
        GIVEN.hex(), {"sha256": GIVEN.hex()}, base64.b64encode(GIVEN).decode()
    )
    assert ask("meta", field, typed).encoded == GIVEN.hex()


@pytest.mark.parametrize(
    ("typed", "why"),
    [
        ("", "empty"),
        (hashlib.sha256(b"").hexdigest(), "empty"),
        ("foo@bar.com", "malformed"),
        (GIVEN.hex() + "00", "malformed"),
        ("z" * 64, "malformed"),
        ("0x" + GIVEN.hex(), "malformed"),
        (hashlib.md5(b"foo@bar.com").hexdigest(), "malformed"),
    ],
)
def test_what_is_said_to_be_a_digest_and_is_none_is_refused(typed, why):
    assert refusal("meta", "email_hash", typed) == why


def test_a_number_s_digest_passes_where_numbers_are_known():
    assert ask("meta", "phone_hash", GIVEN.hex()).digests == {"sha256": GIVEN.hex()}
    assert refusal("line", "phone_hash", GIVEN.hex()) == "unsupported_field"


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("LiveRamp-ATS", "liveramp"),
        ("TheTradeDesk", "trade_desk"),
        ("trade-desk", "trade_desk"),
        ("Yahoo! ".replace("! ", ""), "yahoo_japan"),
        ("yahoo_japan", "yahoo_japan"),
        ("LINE", "line"),
        ("Facebook", "meta"),
        ("twitter", "x"),
    ],
)
def test_a_destination_is_known_by_the_names_people_use(name, found):
    assert called(name).name == found


@pytest.mark.parametrize("value", ["hanako@example.jp", "090-1234-5678", "花子"])
def test_nothing_shows_the_value(value):
    field = {"h": "email", "0": "phone"}.get(value[0], "first_name")
    request = Request("meta", field, value, "JP")
    (one,) = identify([request])
    assert value not in repr(request)
    assert one.normalized not in repr(one)
    assert all(digest not in repr(one) for digest in one.digests.values())


@pytest.mark.parametrize("rule", [name for name, rule in RULES.items() if not rule.reads_anything])
@pytest.mark.parametrize("typed", ["\u2603\u2603", "++"])
def test_no_refusal_shows_the_value(rule, typed):
    with pytest.raises(Refused) as caught:
        RULES[rule].form(typed, None)
    assert str(caught.value) in set(Refusal)


def test_no_refusal_shows_what_a_library_said():
    with pytest.raises(Refused) as caught:
        RULES["phone_e164"].form("+999123456789", None)
    assert str(caught.value) == "invalid_number"
    assert caught.value.__suppress_context__


FIELDS = [(d.name, field) for d in destinations().values() for field, _ in d.fields if field != "csv_quoting"]
NOTHING = {hashlib.new(name, b"").hexdigest() for name in ("sha256", "sha1", "md5")}


@given(st.sampled_from(FIELDS), st.text(max_size=20), st.sampled_from(["JP", "US", None]))
def test_nothing_is_never_digested_and_a_form_is_its_own(which, typed, region):
    one = ask(*which, typed, region)
    assert (one.refused is None) == (one.normalized is not None)
    assert not NOTHING & set(one.digests.values())
    if one.normalized is not None:
        assert one.normalized.strip()
        assert all(
            digest == hashlib.new(name, one.normalized.encode()).hexdigest() for name, digest in one.digests.items()
        )
