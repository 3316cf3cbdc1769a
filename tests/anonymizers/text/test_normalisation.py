"""Normalisation: one spelling for the recognisers, and offsets that never drift."""

import sys
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anonymizers.text.normalisation import _INVISIBLES, normalise

# Letters that fold, join, expand, vanish, and the plain ones between them.
TEXTS = st.text(
    st.sampled_from("aあア山0９-ー－ ﾊﾟﾞか\u3099\u0301e\u200b\ufeff㍿①②℡…〒각\u1100\u1161\u11a8ﬁ㌔𠮷\n"), max_size=40
)


@pytest.mark.parametrize(
    ("written", "read"),
    [
        pytest.param("０９０－１２３４", "090-1234", id="full width becomes half width"),
        pytest.param("ﾊﾟﾊﾟとﾊﾞﾅﾅ", "パパとバナナ", id="half-width kana becomes full width with its mark"),
        pytest.param("か\u3099", "が", id="a combining mark joins its letter"),
        pytest.param("08\u200b0\ufeff1", "0801", id="zero-width characters go"),
        pytest.param("1ー2−3‐4–5﹣6─7", "1-2-3-4-5-6-7", id="every hyphen between digits is one hyphen"),
        pytest.param("1 ー 2", "1 - 2", id="a hyphen with a space on each side counts"),
        pytest.param("スーパー1", "スーパー1", id="a long vowel after a letter is a letter"),
        pytest.param("①090②", "①090②", id="a list marker is not part of the number after it"),
        pytest.param("⓪⑨⓪", "090", id="enclosed numerals in a row are digits"),
        pytest.param("㍿と…", "株式会社と...", id="one character may become several"),
    ],
)
def test_written_becomes_read(written, read):
    assert normalise(written).text == read


@pytest.mark.parametrize(
    ("written", "sought", "source"),
    [
        pytest.param("㍿ 花子", "花子", "花子", id="after a character that expands"),
        pytest.param("\u200b…花\u200b子です", "花子", "花\u200b子", id="with an invisible character inside"),
        pytest.param("\u200b\u200b…花子", "花子", "花子", id="where as many characters go as come"),
        pytest.param("はｶﾞｶﾞは", "ガガ", "ｶﾞｶﾞ", id="made of pairs"),
        pytest.param("㍿花", "会", "㍿", id="inside an expansion the whole character is meant"),
    ],
)
def test_a_span_is_carried_back_to_what_was_written(written, sought, source):
    normalised = normalise(written)
    at = normalised.text.index(sought)
    start, end = normalised.original(at, at + len(sought))
    assert written[start:end] == source


@given(TEXTS)
def test_offsets_never_drift(text):
    normalised = normalise(text)
    spans = [normalised.original(i, i + 1) for i in range(len(normalised.text))]
    assert spans == sorted(spans)
    for (start, end), character in zip(spans, normalised.text, strict=True):
        assert 0 <= start < end <= len(text)
        # Alone, a hyphen has no digits beside it and an enclosed numeral no company.
        visible = _INVISIBLES.sub("", text[start:end])
        assert character == "-" or character in unicodedata.normalize("NFKC", visible) + text[start:end]


@given(st.one_of(TEXTS, st.text(max_size=40)))
def test_normalising_twice_is_normalising_once(text):
    once = normalise(text).text
    assert normalise(once).text == once


@pytest.fixture(scope="module")
def folding():
    """Every assigned character that is folded as the standard says, which is all but invisibles and ①."""
    assigned = (c for c in map(chr, range(sys.maxunicode + 1)) if unicodedata.category(c) not in ("Cs", "Cn", "Co"))
    return [c for c in assigned if normalise(c).text == unicodedata.normalize("NFKC", c)]


@pytest.mark.parametrize("first", ["か", "가", "e", "\u09c7"], ids=["kana", "Hangul", "Latin", "Bengali"])
def test_no_second_half_is_parted_from_its_first(first, folding):
    # Unifying hyphens needs digits on both sides, so it does not meddle here.
    parted = [hex(ord(c)) for c in folding if normalise(first + c).text != unicodedata.normalize("NFKC", first + c)]
    assert parted == []


def test_only_invisible_characters_and_list_markers_are_not_folded(folding):
    assert "①" not in folding
    assert "\u200b" not in folding
    assert len(folding) > 140_000
