"""Match keys: what people type, in the one form a partner digests."""

import base64
import hashlib
import re
import unicodedata

import idna
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from delivery.destinations import destinations
from delivery.match_keys import digest, normalise
from delivery.spec import Digest, EmailRule, Encoding

FORM = "hanako@example.jp"
examples = settings(derandomize=True, max_examples=50, deadline=None)


def forms(typed: list[str | None], rule: EmailRule = EmailRule()) -> list[str | None]:
    frame = pl.DataFrame({"t": typed}, schema={"t": pl.String})
    return frame.select(normalise(pl.col("t"), rule)).to_series().to_list()


ACCEPTED = {
    "as it should be": (FORM, FORM),
    "capitals": ("Hanako@Example.JP", FORM),
    "full width": ("ｈａｎａｋｏ＠ｅｘａｍｐｌｅ．ｊｐ", FORM),
    "full-width capitals": ("ＨＡＮＡＫＯ＠ＥＸＡＭＰＬＥ．ＪＰ", FORM),
    "spaces around": ("  hanako@example.jp \n", FORM),
    "ideographic spaces around": ("\u3000hanako@example.jp\u3000", FORM),
    "spaces within": ("hana ko @ example . jp", FORM),
    "a zero-width space": ("hana\u200bko@example.jp", FORM),
    "a byte order mark": ("\ufeffhanako@example.jp", FORM),
    "a soft hyphen": ("hana\u00adko@example.jp", FORM),
    "a direction mark": ("\u202ahanako@example.jp\u202c", FORM),
    "a no-break space": ("hanako@example.jp\u00a0", FORM),
    "dots in a row": ("a..b@docomo.ne.jp", "a..b@docomo.ne.jp"),
    "a dot at the end": ("ab.@docomo.ne.jp", "ab.@docomo.ne.jp"),
    "a dot at the beginning": (".ab@ezweb.ne.jp", ".ab@ezweb.ne.jp"),
    "dots that a partner might fold": ("ha.na@gmail.com", "ha.na@gmail.com"),
    "a plus that a partner might cut": ("hana+x@gmail.com", "hana+x@gmail.com"),
    "a subdomain": ("a@mail.example.co.jp", "a@mail.example.co.jp"),
    "64 octets before the sign": ("a" * 64 + "@example.jp", "a" * 64 + "@example.jp"),
    "a test mailbox at a real domain": ("test@example.jp", "test@example.jp"),
    "an ideographic full stop": ("hanako@example。jp", FORM),
    "full stops of every width": ("ha．na。ko＠example｡jp", "ha.na.ko@example.jp"),
    "a hyphen that does not break": ("hana\u2011ko@ex\u2011ample.jp", "hana-ko@ex-ample.jp"),
    "a long vowel for a hyphen": ("hanaーko@exーample.jp", "hana-ko@ex-ample.jp"),
    "a domain in kanji": ("hanako@日本語.jp", "hanako@xn--wgv71a119e.jp"),
    "a domain in kanji, in full width": ("ｈａｎａｋｏ＠日本語．ｊｐ", "hanako@xn--wgv71a119e.jp"),
    "a domain of kana with a long vowel": ("hanako@サーバー.jp", "hanako@xn--vckucxgb.jp"),
    "a domain that is typed as A-labels": ("hanako@XN--WGV71A119E.jp", "hanako@xn--wgv71a119e.jp"),
    "a domain in German": ("hanako@straße.de", "hanako@xn--strae-oqa.de"),
    "signs of an atom": ("!#$%&'*+/=?^_`{|}~-@example.jp", "!#$%&'*+/=?^_`{|}~-@example.jp"),
}
REJECTED = {
    "missing": None,
    "empty": "",
    "only spaces": " \u3000 ",
    "no address": "なし",
    "a word": "none",
    "no domain": "hanako@",
    "no dot in the domain": "test@test",
    "no local part": "@example.jp",
    "two signs": "a@b@example.jp",
    "a dot at the end of the domain": "a@example.jp.",
    "two dots in the domain": "a@example..jp",
    "a hyphen at the end of a label": "a@example-.jp",
    "kanji": "花子@example.jp",
    "an emoji in the domain": "hanako@😊.jp",
    "a domain of kanji that is too long": "hanako@" + "日" * 64 + ".jp",
    "two addresses": "a@example.jp,b@example.jp",
    "a display name": "花子 <hanako@example.jp>",
    "quotes": '"hana ko"@example.jp',
    "already SHA-1": hashlib.sha1(FORM.encode()).hexdigest(),
    "already SHA-256 in base64": base64.b64encode(hashlib.sha256(FORM.encode()).digest()).decode(),
    "a digest with its prefix": "0x" + hashlib.md5(FORM.encode()).hexdigest(),
    "an underscore in the domain": "a@exa_mple.jp",
    "already SHA-256": hashlib.sha256(FORM.encode()).hexdigest(),
    "already MD5": hashlib.md5(FORM.encode()).hexdigest(),
    "65 octets before the sign": "a" * 65 + "@example.jp",
    "255 octets": "a@" + "b" * 250 + ".jp",
    "a placeholder": "test@test.jp",
    "a placeholder in full width": "ｎｏｎｅ＠ｎｏｎｅ．ｃｏｍ",
    "a placeholder of letters": "aaaa@aaaa.com",
    "a telephone number": "090-1234-5678",
}


@pytest.mark.parametrize("what", ACCEPTED)
def test_an_address_has_one_form(what):
    typed, form = ACCEPTED[what]
    assert forms([typed]) == [form]


@pytest.mark.parametrize("what", REJECTED)
def test_what_is_no_address_has_none(what):
    assert forms([REJECTED[what]]) == [None]


RULES = {name: destination.email for name, destination in destinations().items()}
per_rule = pytest.mark.parametrize("rule", list(dict.fromkeys(RULES.values())), ids=repr)

FOLDED = [
    ("Ha.Na+ko@gmail.com", {"google": "hana@gmail.com", "uid2": "hana@gmail.com", "tiktok": "ha.na@gmail.com"}),
    ("ha.na+ko@googlemail.com", {"google": "hana@googlemail.com", "tiktok": "ha.na@googlemail.com"}),
    ("ha.na+ko@example.jp", {"tiktok": "ha.na@example.jp"}),
    ("ha.na@docomo.ne.jp", {}),
    ("ha.na@sub.gmail.com", {}),
    ("ha.na@gmail.com.jp", {}),
    ("ha.na@notgmail.com", {}),
    ("a..b@docomo.ne.jp", {"meta": None}),
    ("a.@docomo.ne.jp", {"meta": None}),
    (".a@ezweb.ne.jp", {"meta": None}),
    ("...@gmail.com", {"google": None, "uid2": None, "trade_desk": None, "meta": None}),
    ("+x@gmail.com", {"google": None, "uid2": None, "trade_desk": None, "tiktok": None}),
    ("test+1@test.com", {"tiktok": None}),
    ("hanako+花@gmail.com", dict.fromkeys(RULES) | {"uid2": "hanako@gmail.com"}),
    ("花子@example.jp", dict.fromkeys(RULES) | dict.fromkeys(("uid2", "trade_desk"), "花子@example.jp")),
    ("😊@example.jp", dict.fromkeys(RULES) | dict.fromkeys(("uid2", "trade_desk"), "😊@example.jp")),
]


@pytest.mark.parametrize(("typed", "changed"), FOLDED)
@pytest.mark.parametrize("name", RULES)
def test_each_destination_folds_what_its_rule_says_and_nothing_else(typed, changed, name):
    changed = changed | ({"trade_desk": changed["uid2"]} if "uid2" in changed else {})
    assert forms([typed], RULES[name]) == [changed.get(name, typed.lower())]


@pytest.mark.parametrize("what", REJECTED)
@pytest.mark.parametrize("name", RULES)
def test_what_is_no_address_has_none_anywhere(what, name):
    other_letters = what in ("kanji", "an emoji in the domain", "a domain of kanji that is too long")
    expected = REJECTED[what] if RULES[name].any_script and other_letters else None
    assert forms([REJECTED[what]], RULES[name]) == [expected]


SPACES = set("\t\n\v\f\r \x85\xa0\u1680\u2028\u2029\u202f\u205f\u3000") | {chr(c) for c in range(0x2000, 0x200B)}
MARKS = {chr(c) for a, b in ((0x200B, 0x200F), (0x202A, 0x202E), (0x2060, 0x206F)) for c in range(a, b + 1)}
UNSEEN = SPACES | MARKS | set("\xad\u061c\u180e\ufeff")


def slowly(typed: str, rule: EmailRule) -> str | None:
    """The rule in plain words, one letter after another."""
    form = typed
    while True:
        read = "".join(c for c in unicodedata.normalize("NFKC", form).lower() if c not in UNSEEN)
        read = read if read.isascii() else re.sub("[‐-―−]", "-", read.replace("。", "."))
        read = re.sub("(?<=[a-z0-9])ー+(?=[a-z0-9])", "-", read)
        if read == form:
            break
        form = read
    if form.count("@") != 1:
        return None
    local, domain = form.split("@")
    if not rule.any_script and not local.isascii():
        return None
    if not rule.any_script and not domain.isascii():
        try:
            domain = idna.encode(domain, uts46=True).decode()
        except UnicodeError:
            return None
    if "*" in rule.drop_suffix_at or domain in rule.drop_suffix_at:
        local = local.split("+")[0]
    if domain in rule.drop_dots_at:
        local = local.replace(".", "")
    if rule.strict_dots and (local[:1] == "." or local[-1:] == "." or ".." in local):
        return None
    return f"{local}@{domain}" if is_address(local, domain, rule.any_script) else None


def is_address(local: str, domain: str, any_script: bool) -> bool:
    labels = domain.split(".")
    if not 1 <= len(local) <= 64 or len(local) + 1 + len(domain) > 254 or len(labels) < 2 or not all(labels):
        return False
    if not any_script and not (local + domain).isascii():
        return False
    if not all(ord(c) > 127 or c.isalnum() or c in "!#$%&'*+/=?^_`{|}~.-" for c in local):
        return False
    if not all(ord(c) > 127 or c.isalnum() or c == "-" for label in labels for c in label):
        return False
    if any("-" in (label[0], label[-1]) for label in labels):
        return False
    words = "none null nil na n/a no nashi test dummy sample example abc user mail email noreply no-reply".split()
    hosts = "none null nil na test dummy sample abc mail email localhost".split()
    repeated = [letter * n for letter in "ax" for n in range(3, 65)]
    return not (local in words + repeated and labels[0] in hosts + repeated)


LETTERS = st.characters(exclude_categories=["Cs", "Cn", "Co"])
ANYTHING = st.text(LETTERS, max_size=40)
LIKE_AN_ADDRESS = st.from_regex(
    r"[a-zA-ZＡ-Ｚあ-ん花子.。．+ー\u2011\u3000\u200b\u0301]{1,12}[@＠][a-zＡ-Ｚあ-んー日本語.。．-]{1,12}[.。．](jp|ＣＯＭ|みんな)",
    fullmatch=True,
)
OF_A_PROVIDER = st.from_regex(
    r"[a-zA-Z.+]{1,12}@(gmail\.com|googlemail\.com|GMAIL。com|docomo\.ne\.jp|test\.com)", fullmatch=True
)
TYPED = st.lists(ANYTHING | st.emails() | LIKE_AN_ADDRESS | OF_A_PROVIDER, max_size=20)


@per_rule
@examples
@given(typed=TYPED)
def test_normalising_twice_is_normalising_once(rule, typed):
    once = forms(typed, rule)
    assert forms(once, rule) == once
    assert all(form == form.lower() and form.count("@") == 1 for form in once if form)
    assert rule.any_script or all(form.isascii() for form in once if form)


@per_rule
@examples
@given(typed=TYPED)
def test_a_column_is_normalised_as_each_address_is(rule, typed):
    assert forms(typed, rule) == [slowly(one, rule) for one in typed]


@per_rule
def test_a_missing_address_stays_missing_among_others(rule):
    assert forms([None, "hanako@日本語.jp", None, FORM], rule)[::2] == [None, None]
    assert forms([], rule) == []
    assert forms([None], rule) == [None]


@examples
@given(st.sampled_from([form for _, form in ACCEPTED.values()]), st.data())
def test_however_an_address_is_typed_it_is_the_same(form, data):
    """Case, width, and invisible characters between any two letters."""

    def retyped(letter: str) -> str:
        wide = chr(ord(letter) + 0xFEE0)
        plain = data.draw(st.sampled_from([letter, letter.upper(), wide, wide.upper()]))
        return plain + data.draw(st.sampled_from(["", "", "", " ", "\u3000", "\u200b", "\u200d", "\ufeff", "\u2060"]))

    typed = "".join(map(retyped, form))
    assert unicodedata.normalize("NFKC", typed).lower() != ""
    assert forms([typed]) == [form]


@pytest.mark.parametrize("algorithm", Digest, ids=lambda algorithm: algorithm.value)
def test_a_digest_is_that_of_the_standard_library(algorithm):
    keys = [form for _, form in ACCEPTED.values()] + [None]
    found = pl.DataFrame({"k": keys}).select(digest(pl.col("k"), algorithm)).to_series().to_list()
    assert found == [k and hashlib.new(algorithm.value, k.encode()).hexdigest() for k in keys]
    assert {len(d) for d in found if d} == {algorithm.hex_digits}


@pytest.mark.parametrize("algorithm", Digest, ids=lambda algorithm: algorithm.value)
def test_base64_is_of_the_bytes_of_a_digest(algorithm):
    keys = [FORM, None]
    found = pl.DataFrame({"k": keys}).select(digest(pl.col("k"), algorithm, Encoding.BASE64)).to_series().to_list()
    assert found == [base64.b64encode(hashlib.new(algorithm.value, FORM.encode()).digest()).decode(), None]


@per_rule
@examples
@given(typed=TYPED)
def test_nothing_and_placeholders_have_no_digest(rule, typed):
    typed = [*typed, "", " ", "\u3000", "none@none.com", "ｎｏｎｅ＠ｎｏｎｅ。ｃｏｍ"]
    frame = pl.DataFrame({"t": typed}).select(digest(normalise(pl.col("t"), rule), Digest.SHA256).alias("d"))
    digests = frame["d"].to_list()
    assert digests[-5:] == [None] * 5
    assert hashlib.sha256(b"").hexdigest() not in digests
