"""Names nobody told us: what makes a stretch a name, and what keeps a word a word."""

import json
import time
from pathlib import Path

import pytest
import regex
from hypothesis import given, settings
from hypothesis import strategies as st

from anonymizers.text import name_candidates, name_lists
from anonymizers.text.artifacts import TextArtifacts
from anonymizers.text.name_shapes import scripts
from anonymizers.text.recognizers import person
from anonymizers.text.redaction import redact, redact_all, redact_each
from bench import make_names

POSTS = Path(make_names.__file__).parent / "posts"


def found(text):
    """The names the recogniser finds in a text, in order."""
    results = person.recognizer().analyze(text, ["PERSON"])
    return [text[r.start : r.end] for r in sorted(results, key=lambda r: r.start)]


@pytest.mark.parametrize(
    ("text", "names"),
    [
        pytest.param("山田花子です。はじめまして", ["山田花子"], id="a full name"),
        pytest.param(
            "山田　陽翔と申します", ["山田　陽翔"], id="a full name with a space, given name in no dictionary"
        ),
        pytest.param("髙橋さんと﨑山先生", ["髙橋", "﨑山"], id="variants of a kanji"),
        pytest.param("長女は結愛、次女は紬です", ["結愛", "紬"], id="one kanji beside kin"),
        pytest.param("うちの蓮がまた熱を出した", ["蓮"], id="a plant that is our child"),
        pytest.param("さくらちゃんとひなたくん", ["さくら", "ひなた"], id="words with an address"),
        pytest.param("ﾊﾙﾄくんとユイちゃん", ["ﾊﾙﾄ", "ユイ"], id="katakana of both widths"),
        pytest.param("名前は「心」と書いてこころと読みます", ["心", "こころ"], id="a word that somebody is called"),
        pytest.param("ゆ☆いちゃんが来た", ["ゆ☆い"], id="a mark between the letters"),
        pytest.param("Yamada Hanakoと申します", ["Yamada Hanako"], id="Latin letters"),
        pytest.param("まーくんママ、さっちゃんママ", ["まー", "さっ"], id="what is left of a name"),
        pytest.param("怜奈（れな）です！よろしく", ["怜奈", "れな"], id="a reading in brackets"),
        pytest.param("参加者：さくらちゃん、ゆうと、みお", ["さくら", "ゆうと", "みお"], id="a list"),
    ],
)
def test_names_are_found(text, names):
    assert found(text) == names


@pytest.mark.parametrize(
    "text",
    [
        "さくらが満開できれいだった🌸",
        "光回線を乗り換えたい",
        "ひなたぼっこ最高",
        "心が疲れた",
        "海に行ったら空が青かった",
        "お母さんと看護師さんに聞いた",
        "店員さんが優しかった",
        "赤ちゃんとお兄ちゃん",
        "花屋さんと八百屋さん",
        "新しい先生になった",
        "〇〇ちゃんのママ",
        "令和8年度の入園申込み",
        "のぞみ12号の指定席",
        "うちの子の熱が下がらない",
        "離乳食のりんご",
        "パンパースとトミカ",
    ],
)
def test_words_stay(text):
    assert found(text) == []


def test_a_name_beside_a_name_needs_less():
    """ENOUGH_BESIDE: where one is, more are."""
    alone, beside = "そうたが主役だった", "さくらちゃんとケンカして、そうたが主役だった"
    weak = person.ENOUGH_BESIDE
    assert weak < person.ENOUGH
    assert "そうた" in found(beside)
    assert redact(alone).text in (alone, "<PERSON>が主役だった")


def test_a_certain_name_is_found_in_all_of_its_thread():
    texts = ["娘の結愛ちゃんが熱", "結愛だけ元気に走り"]
    published, _ = redact_all(texts, threads=["a", "a"])
    assert "結愛" not in "".join(published)


@pytest.mark.parametrize(
    ("left", "right"),
    [(expression, None) for _, expression in name_candidates.LEFT_CUES]
    + [(None, expression) for _, expression in name_candidates.RIGHT_CUES],
)
def test_looking_for_beginnings_loses_no_cue(left, right):
    """The look-ahead in front of all cues is a matter of speed only."""
    whole = name_candidates._LEFT if left else name_candidates._RIGHT
    alone = regex.compile(left or right, regex.M)
    texts = [json.loads(line)["text"] for line in (POSTS / "development.jsonl").read_text("utf-8").splitlines()]
    for text in texts:
        began = {match.start() for match in whole.finditer(text, overlapped=True)}
        assert {match.start() for match in alone.finditer(text, overlapped=True)} <= began


def test_the_night_scores_what_was_fitted():
    """The fit reads whole candidates; the night asks once for what is the same at a place."""
    points = person._points()
    for line in (POSTS / "heldout.jsonl").read_text("utf-8").splitlines()[::20]:
        artifacts = TextArtifacts(json.loads(line)["text"])
        fitted = {}
        for one in name_candidates.candidates(artifacts):
            found = name_candidates.features(one.shape, one.left, one.right, one.near)
            found += name_candidates.word_features(one.words)
            fitted[one.start, one.end] = points["any"] + sum(points.get(name, 0.0) for name in found)
        scores = person._scores(name_candidates.Search(artifacts))
        assert scores == pytest.approx({place: fitted[place] for place in scores})
        enough = person._ENOUGH_BESIDE - points["listed"]
        assert scores.keys() >= {place for place, score in fitted.items() if score > enough}


def test_the_lists_are_those_of_the_dictionary(tmp_path, monkeypatch):
    monkeypatch.setattr(make_names, "PLACE", tmp_path)
    make_names.main()
    for name in ("name_readings.csv", "name_characters.csv", "name_mixed.csv"):
        kept = Path(name_lists.__file__).parent / name
        assert (tmp_path / name).read_bytes() == kept.read_bytes(), f"{name}: run python -m bench.make_names"


@pytest.mark.parametrize(
    ("word", "kana"),
    [
        ("haruto", "ハルト"),
        ("Yuto", "ユウト"),
        ("Yūto", "ユウト"),
        ("Shota", "ショウタ"),
        ("syouta", "ショウタ"),
        ("Ohno", "オウノ"),
        ("jun'ichi", "ジュンイチ"),
        ("kenichi", "ケンイチ"),
        ("teppei", "テッペイ"),
        ("hotchi", "ホッチ"),
        ("shimbo", "シンボ"),
    ],
)
def test_latin_letters_are_read_as_kana(word, kana):
    assert kana in name_lists.readings_of_romaji(word)


@pytest.mark.parametrize("word", ["hello", "test", "mixi", "LINE", "x", "q"])
def test_what_is_not_japanese_has_no_reading(word):
    assert name_lists.readings_of_romaji(word) == ()


def test_scripts_are_told_apart():
    assert scripts("髙橋ゆーコーnaー!😀") == "kkhhttll" + "t" + "  "


HOSTILE = st.lists(
    st.sampled_from(
        [
            *"あアー山花子090-@.:/'・*☆ \n、。Aa1①〇九",
            "さん",
            "ちゃん",
            "娘の",
            "名前は",
            "LINE ID:",
            "〒",
            "東京都",
            "保育園",
            "生まれ",
        ]
    ),
    min_size=1,
    max_size=6,
).map("".join)


@given(HOSTILE)
@settings(max_examples=25, deadline=None)
def test_fifty_thousand_characters_of_anything_take_bounded_time(seed):
    """Fifty times what ordinary text takes is the bound: an expression that is not linear passes it by far."""
    text = (seed * 50_000)[:50_000]
    began = time.process_time()
    (result,) = redact_each([text], [("山田 花子", "ああ")])
    assert not isinstance(result, str) or result == "too_long"
    assert time.process_time() - began < 25
