"""Known names: every spelling of them goes, and little else does."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anonymizers.text.artifacts import TextArtifacts
from anonymizers.text.names import KnownNames, known_forms
from anonymizers.text.normalisation import normalise
from anonymizers.text.recognizers.known_name import words_of
from anonymizers.text.redaction import redact


def left_after(text, *names):
    """The text with every known name taken out."""
    artifacts = TextArtifacts(text)
    read = artifacts.normalised.text
    for start, end in reversed(KnownNames(names).find(read, words_of(artifacts))):
        read = read[:start] + "_" + read[end:]
    return read


@pytest.mark.parametrize(
    ("text", "names", "left"),
    [
        pytest.param("架空山花子です", ("架空山 花子",), "_です", id="a full name without its space"),
        pytest.param("架空山　花子です", ("架空山花子",), "_です", id="a full name with a space it did not have"),
        pytest.param("架空山さんと花子", ("架空山 花子",), "_さんと_", id="surname or given name alone"),
        pytest.param("林です、林くん", ("林 花子",), "_です、_くん", id="a surname of one kanji"),
        pytest.param("森林と林道と松林", ("林 花子",), "森林と林道と松林", id="and no piece of a word"),
        pytest.param("りんが、りんご", ("りん",), "_が、りんご", id="a short name in kana is no piece of a word"),
        pytest.param("はるとが寝た", ("はると",), "_が寝た", id="whatever words the dictionary sees in it"),
        pytest.param("ハルトとharuto、HARUTO", ("はると",), "_と_、_", id="kana in Latin letters"),
        pytest.param("yutoとyuuto、Yuto", ("ゆうと",), "_と_、_", id="long vowels written or not"),
        pytest.param("syouta shota", ("しょうた",), "_ _", id="Hepburn and Kunrei"),
        pytest.param("はると", ("haruto",), "_", id="Latin letters in kana"),
        pytest.param("はるが寝た", ("はるくん",), "_が寝た", id="a registered name without its title"),
        pytest.param("は*る*と、は・る・と", ("はると",), "_、_", id="marks between the letters"),
        pytest.param("高橋と髙橋", ("髙橋",), "_と_", id="variants of a kanji"),
        pytest.param("ハナコ、ﾊﾅｺ、はなこ", ("はなこ",), "_、_、_", id="either kana and half width"),
        pytest.param("ＨＡＮＡＫＯとhanako", ("Hanako",), "_と_", id="either case and width"),
        pytest.param("C A N A R Y 花子", ("CANARY花子",), "_", id="a space between all characters"),
        pytest.param("花\n子", ("花子",), "_", id="broken over a line"),
        pytest.param("花        子", ("花子",), "花        子", id="two words far apart are no name"),
        pytest.param("emailとMai", ("mai",), "emailと_", id="a short Latin name is a word by itself"),
        pytest.param("花子花子花子", ("花子",), "_", id="touching names are one"),
        pytest.param("何もない", ("", " ", "　"), "何もない", id="blank names find nothing"),
    ],
)
def test_known_names_go(text, names, left):
    assert left_after(text, *names) == left


# Invented names with the look of the demo site's planted traces.
NAMES = ("CANARY 花子", "CANARY花子", "カナリアはなこ", "canary_mama")


CANARIES = {
    "as registered": "CANARY花子です",
    "full width": "ＣＡＮＡＲＹ花子",
    "spaced": "C A N A R Y 花子",
    "spaced in full width": "Ｃ　Ａ　Ｎ　Ａ　Ｒ　Ｙ　花　子",
    "an address": "canary+001@example.jpまで",
    "an address in full width": "ｃａｎａｒｙ＋００１＠ｅｘａｍｐｌｅ．ｊｐ",
    "a number": "電話は090-0000-9001",
    "a number with spaces": "電話は090 0000 9001です",
    "a number in full width": "０９０－００００－９００１",
    "kana of three kinds": "カナリアハナコ かなりあはなこ ｶﾅﾘｱﾊﾅｺ",
    "invisible characters inside": "CANA\u200bRY花\u200b子",
}


@pytest.mark.parametrize("text", CANARIES.values(), ids=CANARIES)
def test_no_canary_survives(text):
    left = normalise(redact(text, NAMES).text).text.lower().replace(" ", "")
    assert not [trace for trace in ("canary", "花子", "かなりあ", "カナリア", "9001", "example") if trace in left]


@given(st.text("あアｱ山Aaａ 　ー", min_size=2, max_size=6), st.text("いろはabc、", max_size=8))
def test_a_known_name_is_found_in_any_company(name, around):
    text = normalise(f"{around}、{name}、{around}").text
    assert not known_forms((name,)) or KnownNames((name,)).find(text)
