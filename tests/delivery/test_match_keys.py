"""Match keys: what people type, in the one form a partner digests."""

import hashlib
import unicodedata

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from delivery.match_keys import digest, normalise
from delivery.spec import Digest

FORM = "hanako@example.jp"
examples = settings(derandomize=True, max_examples=50, deadline=None)


def forms(typed: list[str | None]) -> list[str | None]:
    return pl.DataFrame({"t": typed}, schema={"t": pl.String}).select(normalise(pl.col("t"))).to_series().to_list()


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
    "a domain in kanji": "hanako@日本語.jp",
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


@examples
@given(st.lists(st.text(max_size=40) | st.emails() | st.from_regex(r"[a-zＡ-Ｚ.\u3000+]{1,9}[@＠][a-z.．]{1,9}\.jp")))
def test_normalising_twice_is_normalising_once(typed):
    once = forms(typed)
    assert forms(once) == once
    assert all(form.isascii() and form == form.lower() and form.count("@") == 1 for form in once if form)


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
