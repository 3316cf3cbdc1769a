"""Terms: which words of a text may be counted, and which never."""

import re
import subprocess
import sys
from importlib import resources

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anonymizers.text.engine import entities
from anonymizers.text.redaction import redact
from anonymizers.text.terms import LONGEST_STRETCH, LONGEST_TERM, listed, terms


def words(text: str) -> set[str]:
    return set(text.split())


@pytest.mark.parametrize(
    ("text", "found"),
    [
        pytest.param("離乳食をはじめたら便秘になった", "離乳食 便秘", id="common nouns, verbs apart"),
        pytest.param("保育園の慣らし保育", "保育園 保育", id="the longest units"),
        pytest.param("抱っこ紐とおしゃぶり", "抱っこ紐 おしゃぶり", id="kanji and kana"),
        pytest.param("ﾍﾞﾋﾞｰﾌｰﾄﾞとＰＴＡ", "ベビーフード PTA", id="widths are one"),
        pytest.param("おむつ、オムツ、ｵﾑﾂ", "おむつ", id="scripts are one"),
        pytest.param("風しんと風疹", "風疹", id="spellings are one"),
        pytest.param("ごはんと御飯、お腹とおなか", "ご飯 お腹", id="the polite prefix as people write it"),
        pytest.param("りんごとうどん、つかまり立ち", "りんご うどん つかまり立ち", id="kanji that nobody writes"),
        pytest.param("チャイルドシートにベビーゲート", "チャイルドシート ベビーゲート", id="katakana that touch"),
        pytest.param("チャイルド シート", "チャイルド シート", id="katakana apart are two"),
        pytest.param("熱と咳、薬", "発熱 せき くすり", id="single kanji that are listed"),
        pytest.param("ベビーカーを電車で", "ベビーカー 電車", id="a thing that the dictionary calls a name"),
        pytest.param("PCR検査とRSウイルス", "PCR検査 RSウイルス ウイルス", id="abbreviations"),
        pytest.param("ノロウイルスでカロナール", "ノロウイルス カロナール", id="unknown katakana is a product"),
        pytest.param("マルクマスティックがバズってる", "マルクマスティック", id="a product of tomorrow"),
        pytest.param("赤ちゃんとママ友", "赤ちゃん ママ友", id="words that end as an address or begin as one"),
        pytest.param("保育士さん、旦那さん、義母さん", "保育士 旦那 義母", id="people by what they are"),
        pytest.param("離乳\u200b食", "離乳食", id="invisible characters split nothing"),
    ],
)
def test_terms_are_the_nouns_of_a_text(text, found):
    assert terms(text) == words(found)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("田中さんが来た", id="a family name"),
        pytest.param("花子ちゃんは歩いた", id="a given name"),
        pytest.param("田中花子", id="a full name"),
        pytest.param("花\u200b子と申します", id="a name with something invisible in it"),
        pytest.param("さくらちゃん、ひまわりちゃん、ももちゃん", id="names that are words"),
        pytest.param("ｻｸﾗﾁｬﾝ、メグミサン", id="names in half-width and whole katakana"),
        pytest.param("ゆいママとハルトママ、リリーママさん、リンママ", id="mothers called by their child"),
        pytest.param("光と凛と蓮と湊", id="names of one kanji, which are words as well"),
        pytest.param("<PERSON>ハナピョン、田中ハナピョン", id="an unknown word beside a name"),
        pytest.param("ぴょんきちと申します", id="unknown hiragana"),
        pytest.param("龘靐齉と申します", id="unknown kanji"),
        pytest.param("hana_m、mimi73、kwgoe、CANARYママ", id="handles"),
        pytest.param("hanaapple@example.jpとexample.com/apple?b=milk", id="addresses"),
        pytest.param("横浜のディズニー、LINE、ダイソー", id="places and brands"),
        pytest.param("ギャアアアとベーッ、wwwww、キャーーー", id="cries"),
        pytest.param("😀😂🍼👶🏻(´・ω・`)（＾ω＾） m(_ _)m", id="emoji and kaomoji"),
        pytest.param("10円、３個、二十歳、2026年、①②", id="numbers and counters"),
        pytest.param("これ、それ、私、誰、どこ、みんな", id="pronouns"),
        pytest.param("今日、昨日、夜、平日", id="when"),
        pytest.param("こと、もの、人、時、とき、コト、モノ、ヒト、気持ち、自分", id="what says nothing"),
        pytest.param("さん、ちゃん、〇〇、×、ー、々、あ、ア", id="suffixes, masks and single characters"),
        pytest.param("投稿、コメント、スレ", id="words of every board"),
        pytest.param(" \u3000\n\t", id="white space"),
        pytest.param("", id="nothing"),
    ],
)
def test_what_is_never_a_term(text):
    assert terms(text) == frozenset()


@pytest.mark.parametrize("label", entities())
def test_a_placeholder_has_no_terms_nor_what_grew_on_to_it(label):
    assert terms(f"<{label}>") == terms(f"＜{label}＞") == frozenset()
    assert terms(f"離乳食は<{label}>さんと<{label}><{label}>メルルンで便秘") == {"離乳食", "便秘"}


def test_no_identifier_of_a_redacted_text_is_a_term():
    text = "電話は０９０－００００－１２３４、メールはapple@example.jp、住所は東京都架空山区架空町1-2-3。離乳食の相談"
    assert terms(redact(text, ("架空山 花子",)).text) == {"電話", "メール", "住所", "離乳食", "相談"}


def test_a_long_text_is_read_sentence_by_sentence():
    assert terms("離乳食。" * 4_000 + "便秘") == {"離乳食", "便秘"}
    assert terms("離乳食" * 6_000) == frozenset()
    assert terms("離乳食 " + "あ" * LONGEST_STRETCH + "い 便秘") == {"離乳食", "便秘"}


@pytest.mark.parametrize("character", ["\U0001f600", "あ", "İ", "①", "ｶﾞ", "\U00020bb7", "\ud800", "A", "a@", "<A"])
def test_no_text_is_too_long_or_takes_for_ever(character):
    for length in (LONGEST_STRETCH, 4 * LONGEST_STRETCH):
        assert terms(character * (length // len(character))) == frozenset()


FRAGMENTS = st.sampled_from(
    [
        "離乳食", "田中", "花子", "さん", "ママ", "ハルト", "チャイルド", "シート", "ｵﾑﾂ", "ＰＴＡ", "hana", "_m", "@",
        "1", "３歳", "<PHONE>", "<PERSON>", "<", ">", "😀", "(´・ω・`)", "\u200b", " ", "\n", "。", "は", "の", "薬",
        "https://example.com/", "マルクマスティック", "七五三", "〇〇", "\ufffc", "\ud800",
    ]
)  # fmt: skip
TEXTS = st.one_of(st.lists(FRAGMENTS, max_size=10).map("".join), st.text(st.characters(codec=None), max_size=60))
SHAPE = re.compile(r"[A-Zぁ-ゖァ-ヺー々一-鿿]{2,20}")


@given(TEXTS)
@settings(max_examples=500)
def test_every_term_is_a_short_word_of_japanese_letters_and_capitals(text):
    assert all(SHAPE.fullmatch(term) and len(term) <= LONGEST_TERM for term in terms(text))


@given(TEXTS)
def test_the_same_text_has_the_same_terms(text):
    assert terms(text) == terms(text)


@given(st.lists(FRAGMENTS, max_size=10).map("".join))
def test_what_nobody_sees_changes_no_term(text):
    assert terms("\u200b".join(text)) == terms(text)


@given(TEXTS, st.sampled_from(entities()))
def test_a_placeholder_in_a_paragraph_of_its_own_adds_no_term(text, label):
    assert terms(f"{text}\n\n<{label}><{label}>") == terms(f"{text}\n\n\ufffc\ufffc")


def test_what_is_listed_is_sound():
    assert all(SHAPE.fullmatch(term) for term in listed().values() if term)
    lines = resources.files("anonymizers.text").joinpath("terms.csv").read_text(encoding="utf-8").splitlines()
    assert len(lines) == len(listed()) + 1


def test_importing_and_using_the_dictionary_warns_of_nothing():
    code = "import warnings; warnings.simplefilter('error'); from anonymizers.text.terms import terms; terms('離乳食')"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, check=True).stderr == b""
