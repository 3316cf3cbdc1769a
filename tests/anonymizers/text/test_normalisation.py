"""Normalisation: one spelling for the recognisers, and offsets that never drift."""

import sys
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anonymizers.text.normalisation import _INVISIBLES, normalise, unmask

# Letters that fold, join, expand, vanish, and the plain ones between them.
TEXTS = st.text(
    st.sampled_from("aあア山0９-ー－ ﾊﾟﾞか\u3099\u0301e\u200b\ufeff㍿①②℡…〒각\u1100\u1161\u11a8ﬁ㌔𠮷\n"), max_size=40
)

# What disguises are made of, and the words they are taken for.
DISGUISES = st.lists(
    st.sampled_from(
        [
            *"0 9 ０ 〇 一 二 十 ゼロ きゅう に さん し いち ① ⓪ ❶ 1\ufe0f\u20e3 O l の ハイフン - － ー ・".split(),
            *". 、 ★ 🍎 アット ドット (at) @ a hana gmail com jp 年 月 日 ねん がつ ついたち れいわ".split(),
            *"アンダーバー x \u200b ㍻ は 。".split(),
            *" \n",
        ]
    ),
    max_size=24,
).map("".join)


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


@pytest.mark.parametrize(
    ("written", "read"),
    [
        pytest.param("〇九〇-一二三四-五六七八", "090-1234-5678", id="kanji numerals"),
        pytest.param("ゼロキューゼロ、イチニサンヨン、ゴーロクナナハチ", "090-1234-5678", id="kana numerals"),
        pytest.param(
            "れいきゅうれいいちにさんしごろくしちはちに電話", "09012345678に電話", id="kana without the particle after"
        ),
        pytest.param("〇9〇-一2三4-5六7八", "090-1234-5678", id="kinds of numerals mixed"),
        pytest.param("⓪⑨⓪ ①②③④ ⑤⑥⑦⑧", "090 1234 5678", id="enclosed numerals"),
        pytest.param("0\ufe0f\u20e39\ufe0f\u20e30\ufe0f\u20e3-1234-5678", "090-1234-5678", id="keys"),
        pytest.param("O9O-I234-5678", "090-1234-5678", id="letters as digits"),
        pytest.param("090の1234の5678", "090-1234-5678", id="の between digits"),
        pytest.param("070x687x10321", "070-687-10321", id="a letter between digits, twice the same"),
        pytest.param("090🍎1234🍎5678", "090-1234-5678", id="emoji between digits"),
        pytest.param("090一1234一5678", "090-1234-5678", id="一 as a hyphen"),
        pytest.param("0 9 0 1 2 3 4 5 6 7 8", "09012345678", id="a space after each digit"),
        pytest.param("平成三十年五月三日", "平成30年5月3日", id="a date in kanji"),
        pytest.param("れいわ4ねんしがつここのか", "令和4年4月9日", id="a date in kana"),
        pytest.param("③月⑦日", "3月7日", id="a date in enclosed numerals"),
        pytest.param("2O18年2月6日", "2018年2月6日", id="a letter in a year"),
        pytest.param("hana★gmail.com", "hana@gmail.com", id="a star for @"),
        pytest.param("hana あっと yahoo どっと co どっと jp", "hana@yahoo.co.jp", id="words for marks"),
        pytest.param("hana(at)gmail[dot]com", "hana@gmail.com", id="English words for marks"),
        pytest.param("h a n a @ g m a i l . c o m", "hana@gmail.com", id="a space after each letter"),
        pytest.param("hanaアンダーバーmama", "hana_mama", id="a word for an underscore"),
        pytest.param("番号はナナ・ニ・キュウ・サン", "番号は7293", id="few numerals after a word for a number"),
        pytest.param("番号は③①", "番号は31", id="two enclosed numerals after a word for a number"),
        pytest.param("No.H25-3７九7", "No.H25-3797", id="one kanji numeral among few digits"),
        pytest.param("2365-八⑦7一39-7", "2365-877139-7", id="three kinds of numerals mixed"),
        pytest.param("06-1322-0694→03-1969-9064", "06-1322-0694→03-1969-9064", id="two telephone numbers stay two"),
        pytest.param("はO9O-1234-5678", "は090-1234-5678", id="letters as digits after a particle"),
        pytest.param("h/a/n/a/_/8/8", "hana_88", id="a slash after each letter"),
        pytest.param("(at)h a n a _ 8 8", "@hana_88", id="an English word for @ before a name"),
        pytest.param("hana あっと example てん jp", "hana@example.jp", id="てん for a dot"),
        pytest.param("hana★example★net/a", "hana.example.net/a", id="stars for the dots of a page"),
        pytest.param(
            "ameblo(ドット)jp(スラッシュ)hana", "ameblo.jp/hana", id="words for marks in an address of a page"
        ),
    ],
)
def test_a_disguise_is_undone(written, read):
    assert unmask(normalise(written)).text == read


@pytest.mark.parametrize(
    "written",
    [
        "三郎と二人で一番、四季の五十嵐さんに会う。",
        "山田さん090-1234-5678に二人で電話、090-1234-5678二人で",
        "①09000001234②0300001234",
        "1\ufe0f\u20e3090-1234-5678",
        "一万二千三百円の二、三割、一二三ちゃん",
        "アットホームな店、ドット柄、あっと驚く",
        "090-1234-5678 I love you",
        "10時に20人、3に5を足す",
        "○○さん、◎は○です",
    ],
)
def test_words_with_numerals_stay_and_cost_nothing(written):
    normalised = normalise(written)
    assert unmask(normalised) is normalised


def test_a_span_of_the_unmasked_text_is_carried_back():
    written = "㍿に〇九〇の一二三四の五六七八です"
    reading = unmask(normalise(written))
    at = reading.text.index("090")
    start, end = reading.original(at, at + len("090-1234-5678"))
    assert written[start:end] == "〇九〇の一二三四の五六七八"


@given(st.one_of(DISGUISES, TEXTS, st.text(max_size=40)))
def test_the_map_of_the_unmasked_text_is_monotone_and_inside(text):
    reading = unmask(normalise(text))
    spans = [reading.original(i, i + 1) for i in range(len(reading.text))]
    assert spans == sorted(spans)
    assert [end for _, end in spans] == sorted(end for _, end in spans)
    assert all(0 <= start < end <= len(text) for start, end in spans)


@given(DISGUISES)
def test_what_is_not_undone_is_what_was_written(text):
    normalised = normalise(text)
    reading = unmask(normalised)
    if reading is normalised:
        return
    # Where a character of the reading is also in its source it is that; elsewhere it is a digit, a date or a mark.
    for i, character in enumerate(reading.text):
        start, end = reading.original(i, i + 1)
        source = unicodedata.normalize("NFKC", _INVISIBLES.sub("", text[start:end])) + text[start:end]
        assert character in source or character in "0123456789-@._/com年月日令和平成昭元"
