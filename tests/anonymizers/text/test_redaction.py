"""Redaction: what goes, what stays, and what is refused."""

import logging
import pickle
import time
import traceback

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anonymizers.text import engine, name_lists, names, patterns, tokenizer
from anonymizers.text.redaction import (
    LONGEST_TEXT,
    Redacted,
    RedactionRefused,
    Span,
    forget,
    redact,
    redact_all,
    redact_each,
)
from anonymizers.text.tokenizer import LONGEST_STRETCH_BYTES, PREFERRED_STRETCH

FRAGMENTS = st.sampled_from(
    [
        "０９０－００００－１２３４", "03(0000)1234", "hana@example.com", "https://example.com/a?b=1",
        "〒100-0000",
        "神奈川県架空市架空町1-2-3", "4111 1111 1111 1111", "123456789018", "2020年8月6日生まれ", "@hana_m",
        "LINE ID:hana_m", "口座番号1234567", "192.0.2.1", "架空山花子", "ｶｸｳ", "は",
        "です。", " ", "\n", "、", "…", "\u200b", "①", "㍿", "1", "a", "-", "<", ">",
    ]
)  # fmt: skip
POSTINGS = st.lists(FRAGMENTS, max_size=12).map("".join)
NAMES = ("架空山 花子", "かくう")


def rebuilt(text, redacted):
    """The original, put together from the redacted text and what stood in the spans."""
    at, pieces, rest = 0, [], redacted.text
    for span in redacted.spans:
        kept, placeholder = text[at : span.start], f"<{span.label}>"
        assert rest.startswith(kept + placeholder)
        rest = rest[len(kept) + len(placeholder) :]
        pieces += [kept, text[span.start : span.end]]
        at = span.end
    return "".join(pieces) + rest


@pytest.mark.parametrize(
    ("text", "redacted"),
    [
        pytest.param(
            "電話は０９０－００００－１２３４です",
            "電話は<PHONE>です",
            id="full width is found and what is around stays",
        ),
        pytest.param("ＨＰ…楽しい①番", "ＨＰ…楽しい①番", id="what is not found stays as it was written"),
        pytest.param("", "", id="nothing stays nothing"),
        pytest.param("架空山 花子、090-0000-1234", "<PERSON>、<PHONE>", id="names and numbers"),
        pytest.param(
            "花子@example.jpとhanako@example.jp", "<PERSON><SNS_HANDLE>と<EMAIL>", id="a name beside an address"
        ),
        pytest.param("東京都架空山区架空町1-2-3", "<ADDRESS>", id="a name inside an address is the address"),
    ],
)
def test_text_becomes_redacted(text, redacted):
    assert redact(text, NAMES).text == redacted


def test_spans_are_code_points_of_the_text_given():
    assert redact("𠮷㍿\u200b090-0000-1234") == Redacted("𠮷㍿\u200b<PHONE>", (Span(3, 16, "PHONE"),))


@given(POSTINGS)
def test_putting_the_spans_back_gives_the_text(text):
    assert rebuilt(text, redact(text, NAMES)) == text


@given(POSTINGS)
def test_spans_are_sorted_apart_and_inside(text):
    ends = [0]
    for span in redact(text, NAMES).spans:
        assert ends[-1] <= span.start < span.end <= len(text)
        ends.append(span.end)


@given(st.lists(FRAGMENTS, max_size=8).map("、\n".join))
def test_redacting_twice_finds_nothing_in_what_was_redacted(text):
    once = redact(text, NAMES).text
    assert redact(once, NAMES).text == once


@given(st.text(st.characters(codec=None), max_size=60), st.lists(st.text(max_size=8), max_size=3))
@settings(max_examples=300)
def test_any_text_is_redacted_or_refused(text, names):
    try:
        redacted = redact(text, names)
    except RedactionRefused:
        return
    assert rebuilt(text, redacted) == text


@pytest.mark.parametrize(
    ("text", "names", "reason"),
    [
        pytest.param("あ" * 16_384, (), "too_long", id="a sentence a byte too long"),
        pytest.param("あ。" * (LONGEST_TEXT // 2) + "あ", (), "too_long", id="a text too long"),
        pytest.param("\ufdfa" * 16_000, (), "too_long", id="too long once it is normalised"),
        pytest.param("a\ud800", (), "lone_surrogates", id="half a character"),
        pytest.param("a\x00", (), "control_characters", id="a null"),
        pytest.param("a\x85", (), "control_characters", id="a control character of the upper half"),
        pytest.param("a\u202e", (), "direction_marks", id="text turned round"),
        pytest.param(None, (), "not_text", id="no text at all"),
        pytest.param(["花子"], (), "not_text", id="a list of texts"),
        pytest.param("a", "花子", "names_unusable", id="one name where a list is asked for"),
        pytest.param("a", ("花子", None), "names_unusable", id="a name that is missing"),
        pytest.param("a", ["花"] * 501, "names_unusable", id="more names than anybody has"),
    ],
)
def test_what_cannot_be_treated_is_refused_and_dropped(text, names, reason):
    with pytest.raises(RedactionRefused, match=f"^{reason}$") as refused:
        redact(text, names)
    assert refused.value.reason == reason
    assert redact_all([text], [names]) == ([None], {f"dropped_{reason}": 1})


def test_the_longest_text_is_taken():
    assert redact("あ" * (LONGEST_STRETCH_BYTES // 3)).spans == ()
    assert redact("電話は090-0000-1234です。\n" * 3_000).text == "電話は<PHONE>です。\n" * 3_000
    assert redact("a\tb\r\nc").text == "a\tb\r\nc"


def test_a_refusal_survives_the_way_between_processes():
    assert pickle.loads(pickle.dumps(RedactionRefused("too_long"))).reason == "too_long"


@pytest.fixture
def failing_recogniser(monkeypatch):
    """A recogniser that raises with the text in its message, as a careless one would."""

    def fail(text, entities, nlp_artifacts=None):
        if "壊" in text:
            raise ValueError(text)
        return []

    monkeypatch.setattr(engine.every_recognizer()[0], "analyze", fail)


@pytest.mark.usefixtures("failing_recogniser")
def test_a_posting_whose_recogniser_fails_is_dropped_and_counted(caplog):
    caplog.set_level(logging.DEBUG)
    published, counts = redact_all(["壊れる花子", "よい天気", "壊れる花子"])
    assert published == [None, "よい天気", None]
    assert counts == {"dropped_recogniser_failed": 2, "unchanged": 1}
    assert "花子" not in caplog.text


@pytest.mark.usefixtures("failing_recogniser")
def test_no_value_hangs_on_a_refusal():
    with pytest.raises(RedactionRefused) as refused:
        redact("壊れる花子")
    assert refused.value.__context__ is None
    assert refused.value.__cause__ is None
    assert "花子" not in "".join(traceback.TracebackException.from_exception(refused.value).format()).replace(
        'redact("壊れる花子")', ""
    )


def test_an_expression_out_of_time_drops_the_posting(monkeypatch):
    class Slow:
        def finditer(self, text, timeout):
            if timeout:
                raise TimeoutError(text)
            return iter(())

    phone = next(r for r in engine.every_recognizer() if r.supported_entities == ["PHONE"])
    monkeypatch.setattr(phone, "_expressions", [(patterns._Finder(patterns.Places("")), [(Slow(), 1.0)])])
    long = "090-0000-1234".ljust(patterns.UNTIMED + 1, "。")
    assert redact_all([long, long[:-1]])[1] == {"dropped_recogniser_failed": 1, "unchanged": 1}


def test_everything_is_counted():
    texts = ["電話090-0000-1234とa@example.com", "よい天気", "\x00", "電話090-0000-1234とa@example.com"]
    published, counts = redact_all(texts)
    assert published == ["電話<PHONE>と<EMAIL>", "よい天気", None, "電話<PHONE>と<EMAIL>"]
    assert counts == {
        "redacted": 2, "unchanged": 1, "dropped_control_characters": 1, "found_PHONE": 2, "found_EMAIL": 2
    }  # fmt: skip


def test_the_same_text_is_analysed_once(monkeypatch):
    seen = []
    real = engine.analyze
    monkeypatch.setattr(engine, "analyze", lambda artifacts: seen.append(artifacts.written) or real(artifacts))
    redact_all(["今日は晴れ", "明日は雨", "今日は晴れ"], [["花子"], ["花子"], ["太郎"]])
    assert seen == ["今日は晴れ", "明日は雨"]


def test_names_belong_to_their_posting():
    published, _ = redact_all(["かなりあとすずむし"] * 2, [["かなりあ"], ["すずむし"]])
    assert published == ["<PERSON>とすずむし", "かなりあと<PERSON>"]


def test_names_count_whatever_becomes_of_the_text_they_came_with():
    results = redact_each(["こんにちは\x01", "kakuuyamaが熱"], [["kakuuyama"], []], ["t", "t"])
    assert results[0] == "control_characters"
    assert results[1].text == "<PERSON>が熱"


@pytest.mark.parametrize("names", [[None], "kakuuyama", {"a": 1}, 1])
def test_names_that_cannot_be_used_refuse_their_thread_and_no_other(names):
    results = redact_each(["雨", "雨", "雨"], [names, [], []], ["t", "t", "u"])
    assert results[:2] == ["names_unusable"] * 2
    assert results[2].text == "雨"


@pytest.mark.parametrize("known", [[None], "kakuuyama", [1]])
def test_names_known_beside_are_judged_the_same(known):
    assert redact_each(["雨"], threads=["t"], known={"t": known}) == ["names_unusable"]


@pytest.mark.parametrize("name", ["b" * 1_000_000, "a" * 1_000_000, "あ" * 1_000_000], ids=len)
def test_a_nickname_without_end_costs_nothing_and_hides_its_beginning(name):
    began = time.process_time()
    (result,) = redact_each([name[:120] + "です"], threads=["t"], known={"t": [name]})
    assert result.text.startswith("<")
    assert time.process_time() - began < 5


@pytest.mark.parametrize(
    "value",
    [
        "ｈａｎａ＿１＠ｅｘａｍｐｌｅ．ｎｅ．ｊｐ",
        "http://example.com/a?b=c",
        "192．0．2．1",
        "090\n1234\n5678",
        "誕生日は\n2020/8/6",
        "口座番号\n1234567",
        "東京都世田谷区架空1-2-3\nコーポ101",
    ],
)
def test_nothing_is_cut_apart_where_a_long_text_is(value):
    """Texts are read by stretches of about 4,000 code points."""
    alone = redact(value).text
    for before in range(PREFERRED_STRETCH - len(value) - 2, PREFERRED_STRETCH + 2):
        text = "い。" * (before // 2) + "い" * (before % 2) + "\n" + value + "。\n" + "い。" * 50
        assert redact(text).text.strip("い。\n") == alone, before


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("<PERSON_YUKIE>です", ["Yukie"]),
        ("<PERSON_山田府>が", ["山田"]),
        ("電話は<PHONE_03-0000-5678>", []),
        ("<ADDRESS_090-0000-1234>", []),
        ("<BIRTH_DATE_03-0000-1234>電話", []),
    ],
)
def test_nothing_hides_in_what_looks_like_a_placeholder(text, names):
    assert redact(text, names).spans


@pytest.mark.parametrize("name", ["さん", "です", "ママ", "ママさん", "こと", "123", "！！", "の", "a a"])
def test_a_nickname_that_is_no_name_eats_no_sentence(name):
    text = "たくさんです。ママさんのこと123！！"
    assert redact(text, [name]).text == redact(text).text


@pytest.mark.parametrize(
    ("sure", "other"),
    [
        ("のあちゃん3歳", "ごはんのあとに"),
        ("ないとくん", "行かないと思う"),
        ("うちのかなちゃんです", "寒いかな？"),
        ("まいちゃん", "しまいました"),
    ],
)
def test_a_name_that_was_guessed_is_no_piece_of_words_elsewhere(sure, other):
    published, _ = redact_all([sure, other], threads=["t", "t"])
    assert "<PERSON>" in published[0]
    assert published[1] == other


def test_what_was_read_is_forgotten():
    redact("さくらんぼちゃん", ["kanariyamako"])
    forget()
    kept = (name_lists.entry, name_lists.readings_of_romaji, names.forms_of, tokenizer.of_this_thread)
    assert {cached.cache_info().currsize for cached in kept} == {0}


def test_a_number_that_no_country_begins_drops_no_posting():
    assert redact_all(["番号は0109999999です", "0109999999"])[1]["redacted"] >= 1


def test_names_are_shared_in_a_thread():
    published, _ = redact_all(["かなりあと雨"] * 3, [["かなりあ"], [], []], ["a", "a", "b"])
    assert published == ["<PERSON>と雨", "<PERSON>と雨", "かなりあと雨"]


def test_names_for_other_postings_are_an_error():
    with pytest.raises(ValueError, match=r"^names: 1 entries for 2 texts; give one per text$"):
        redact_all(["a", "b"], [[]])


def test_nothing_given_is_nothing_counted():
    assert redact_all([]) == ([], {})


@given(st.lists(st.one_of(POSTINGS, st.text(st.characters(codec=None), max_size=20)), max_size=6))
def test_the_counts_add_up(texts):
    published, counts = redact_all(texts, [NAMES] * len(texts))
    dropped = sum(n for key, n in counts.items() if key.startswith("dropped_"))
    assert counts["redacted"] + counts["unchanged"] + dropped == len(texts)
    assert published.count(None) == dropped
