"""Every recogniser: its worked examples, and hostile texts in bounded time."""

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anonymizers.text.artifacts import TextArtifacts
from anonymizers.text.engine import every_recognizer, recognizer_modules
from anonymizers.text.names import KnownNames
from anonymizers.text.patterns import UNTIMED, CuedPatternRecognizer, cue, form
from anonymizers.text.recognizers.known_name import KnownNameRecognizer
from anonymizers.text.redaction import redact
from anonymizers.text.tokenizer import LONGEST_STRETCH_BYTES

MODULES = {module.__name__.rsplit(".", 1)[-1]: module for module in recognizer_modules()}

EXAMPLES = [
    pytest.param(module, example, id=f"{name} example {number}")
    for name, module in MODULES.items()
    for number, example in enumerate(module.EXAMPLES, 1)
]

LONGEST = 49_000
HOSTILE_SEEDS = {
    "digits": "0",
    "digits and hyphens": "0-",
    "digits and spaces": "0 ",
    "mobile beginnings": "090-",
    "card beginnings": "4111 ",
    "dates": "2020/1/1",
    "dates almost born": "1月1日に",
    "letters": "a",
    "addresses without an end": "a.",
    "addresses in a row": "a@b.co ",
    "at signs": "a@",
    "schemes": "http://",
    "dots": "https://....",
    "hosts": "a.jp/",
    "colons": "1:",
    "octets": "1.",
    "kanji": "市",
    "prefectures": "東京都",
    "municipalities": "東京都町",
    "house numbers": "港区一-",
    "cue words": "口座番号",
    "symbols and numbers": "記号12345",
    "cues for an id": "LINEID:",
    "handles": "@ab",
    "passports": "AB1234567 ",
    "postal marks": "〒",
    "brackets": "(0",
    "spaces": " ",
    "kana": "あ",
    "mail words": "aアット",
    "dots spelt": "aドット",
    "kanji digits": "〇",
    "kanji digits and hyphens": "一の",
    "kana digits": "ゼロ",
    "kana particles": "に",
    "kana digit words": "しちく",
    "circled": "①",
    "circled and digits": "①0",
    "keycaps": "1\ufe0f\u20e3",
    "letters as digits": "O0",
    "same letter": "1x",
    "spaced": "a ",
    "spaced at": "a @ ",
    "stars": "a★",
    "emoji": "1🍎",
    "birth words": "誕生日",
    "birth words and dates": "誕生日3月5日",
    "child and date": "長男2018/3/5",
    "kana dates": "れいわ4ねん",
    "kana months": "いちがつ",
    "kana years": "1ねん1がつ",
    "kanji dates": "二月",
    "kanji tens": "十月十",
    "verbs": "3月5日に出産し",
    "bank words": "普通",
    "branches": "支店123",
    "insurance": "保険証記号1",
    "symbols": "記号1番号",
    "handbook": "母子手帳番号",
    "handbook no": "母子手帳第1",
    "plates": "品川300あ",
    "plates kana": "あ・",
    "plate word": "ナンバー",
    "passport words": "パスポート",
    "residence": "AB1234",
    "residence words": "在留",
    "corporate": "T1",
    "thirteen": "1-2345-",
    "handle": "インスタ",
    "handles named": "インスタはa_",
    "line": "ライン",
    "lineid": "ラインID",
    "x": "X ",
    "mail services": "a@au",
    "mail rest": "aあとは",
    "mail rest services": "a@ドコモ",
    "my number": "マイナンバー",
    "card words": "クレカ",
    "licence": "免許",
    "pension": "年金",
    "employment": "雇用保険",
    "phone words": "電話",
    "phone words zero": "電話0",
    "hosts spaced": "h t",
    "schemes odd": "http:",
    "extension": "0901234567内線",
    "era": "R1.",
    "english months": "Mar 5 ",
    "ip words": "IP1 . ",
    "at words": "@ ",
    "negative words": "注文番号1",
    "quotes": "「あ」",
    "comma": "1,",
    "dates in brackets": "長男(2018/3/5",
    "ages": "3月5日に3歳",
    "o": "O",
    "numbers spaced": "1 ",
    "number wide": "1  2",
    "hyphens": "-",
    "hash": "a#1234",
    "under": "_",
    "a_": "a_",
    "mixed": "0い",
    "two": "2の2の",
    "two dates": "3月5日、",
    "times": "3月5日 8時",
    "ours": "誕生日うちは",
    "followed": "フォロー→",
    "kanji rows": "一二三四",
    "stars for dots": "a★com",
    "insurance pairs": "保険1・2",
    "insurance numbers": "保険番号1",
    "handbook digits": "母子手帳1 ",
    "paths in Japanese": "https://a.jp/お",
    "paths in kanji": "https://a.jp/育児",
    "schemes spaced": "https://a . ",
    "underscored": "a_a_",
    "accounts spaced": "インスタ ab",
    "cars": "車12-3",
    "branch and number": "口座123-",
    "short numbers": "番号ゼロ",
    "short numbers mixed": "番号1一",
    "letters and slashes": "a/",
    "octets spelt": "1点",
    "commas": "1、",
    "cards masked": "カード1234****",
    "glued": "agmail.",
    "birth dates near": "生まれ2020/1/1 ",
    "passport letters": "AO",
    "twelve digits near": "番号123456789012 ",
    "telephones": "0312345678→",
    "stars for dots in a path": "a★a★com/",
}


def hostile(seed, length=LONGEST):
    """The seed over and over, as long as a text may be."""
    return (seed * length)[: min(length, LONGEST_STRETCH_BYTES // max(len(c.encode()) for c in seed))]


@pytest.mark.parametrize("name", MODULES)
def test_every_recogniser_has_a_worked_example_and_a_counter_example(name):
    found = [bool(example.found) for example in MODULES[name].EXAMPLES]
    assert True in found
    assert False in found


@pytest.mark.parametrize("name", MODULES)
def test_every_recogniser_reads_japanese_and_has_one_label(name):
    recogniser = MODULES[name].recognizer()
    assert recogniser.supported_language == "ja"
    assert len(recogniser.supported_entities) == 1


@pytest.mark.parametrize(("module", "example"), EXAMPLES)
def test_examples_are_found_by_the_whole(module, example):
    label = module.recognizer().supported_entities[0]
    redacted = redact(example.text, example.names)
    assert tuple(example.text[s.start : s.end] for s in redacted.spans if s.label == label) == example.found


@pytest.mark.parametrize("length", [LONGEST // 4, pytest.param(LONGEST, marks=pytest.mark.long)])
@pytest.mark.parametrize("seed", HOSTILE_SEEDS.values(), ids=HOSTILE_SEEDS)
def test_no_recogniser_takes_long_on_a_hostile_text(seed, length):
    text = hostile(seed, length)
    known = KnownNameRecognizer(KnownNames(("00", "a" * 50, "ああ", "市" * 9)))
    artifacts = TextArtifacts(text)
    for reading in ("unmasked", "words"):  # made once, by whichever recogniser asks first
        began = time.process_time()
        getattr(artifacts, reading)
        assert time.process_time() - began < 9 * length / LONGEST, reading
    for recogniser in (*every_recognizer(), known):
        began = time.process_time()
        recogniser.analyze(text, recogniser.supported_entities, artifacts)
        assert time.process_time() - began < 4 * length / LONGEST, type(recogniser).__name__


@pytest.fixture(scope="module")
def ready():
    """What the first text loads is no part of what one takes."""
    redact("あ")


@given(
    st.lists(st.sampled_from([*HOSTILE_SEEDS.values(), *"年月日番号はの。\n「(:→"]), min_size=1, max_size=8),
    st.integers(1, 200),
)
@settings(max_examples=300, deadline=None)
def test_what_is_searched_without_a_clock_takes_no_time(ready, pieces, times):
    text = ("".join(pieces) * times)[:UNTIMED]
    began = time.process_time()
    redact(text)
    assert time.process_time() - began < 0.5


@pytest.mark.parametrize("seed", ["090-0000-0000 ", "a@b.co ", "ああ、"], ids=["numbers", "addresses", "names"])
def test_thousands_of_finds_take_bounded_time(seed):
    began = time.process_time()
    assert redact(hostile(seed), ("ああ",)).spans
    assert time.process_time() - began < 9


@pytest.mark.parametrize(
    "expression",
    ["[0-9]+", "(?P<number>[0-9])", "(?P<value>[0-9])(x)"],
    ids=["no group", "another name", "a second group"],
)
def test_an_expression_without_its_one_group_is_refused(expression):
    with pytest.raises(ValueError, match=r"^an expression has exactly one group, named value, cued or near$"):
        CuedPatternRecognizer("ANY", form("any", expression))


def test_a_cued_value_needs_no_check():
    class Refusing(CuedPatternRecognizer):
        def validate_result(self, pattern_text):
            return False

    recogniser = Refusing("ANY", form("form", "(?P<value>[0-9])"), cue("cue", "x(?P<cued>[0-9])"))
    assert [(r.start, r.end) for r in recogniser.analyze("1x2", ["ANY"])] == [(2, 3)]
