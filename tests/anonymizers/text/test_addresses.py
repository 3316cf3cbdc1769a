"""Addresses and postal codes in the ways they are written, and what only looks like one."""

import time

import pytest

from anonymizers.text.artifacts import TextArtifacts
from anonymizers.text.recognizers import address, postal_code

RECOGNISERS = {"ADDRESS": address.recognizer(), "POSTAL_CODE": postal_code.recognizer()}


def found(text, label="ADDRESS"):
    """What one recogniser finds in a text; of spans within another the longer, and each once."""
    spans = sorted({(r.start, r.end) for r in RECOGNISERS[label].analyze(text, [label], TextArtifacts(text))})
    return [text[a:b] for a, b in spans if not any(c <= a and b <= d and (a, b) != (c, d) for c, d in spans)]


WRITINGS = {
    "in full": "神奈川県横浜市青葉区美しが丘1丁目31番7号",
    "hyphens": "吹田市千里山西1-20-11",
    "full width": "渋谷区神宮前６−３５−３　コープカクウ６０１",
    "kanji numerals": "杉並区阿佐谷南三丁目二番五号",
    "の": "川口市並木4の38の10",
    "ノ": "川口市並木4ノ38ノ10",
    "spaces between parts": "神奈川県 横浜市 青葉区 美しが丘 2-23-4",
    "spaces between numbers": "鹿児島市宇宿 2 22 3",
    "stars between numbers": "福井市二の宮3★6★15",
    "no prefecture": "愛知郡東郷町春木1番地",
    "the city without its suffix": "横浜の青葉区美しが丘2-23-4",
    "stems only": "東京世田谷三軒茶屋1-33-9",
    "town only": "三軒茶屋1-33-9",
    "a block of a town": "松が丘2丁目",
    "an unlisted town": "川口市架空ヶ原12番地3",
    "a district and 大字": "埼玉県北足立郡伊奈町大字小室9493番地",
    "a single number": "長野県北安曇郡白馬村大字北城7025",
    "Kyoto": "京都市下京区烏丸通四条下ル水銀屋町620",
    "Hokkaido": "札幌市中央区北1条西2丁目3-4",
    "Hokkaido, kanji": "札幌市北区北二十四条西五丁目",
    "a street and a block": "札幌市北区屯田7条3丁目1-2",
    "Iwate": "岩手県九戸郡洋野町種市第23地割27番地",
    "甲乙": "愛媛県松山市北条辻甲123番地",
    "イロハ": "石川県河北郡津幡町字加賀爪ニ3番地",
    "a municipality that is a town elsewhere": "足立区西新井栄町一丁目",
    "a building": "川口市並木4-4-7 メゾン青葉 903",
    "a building on the next line": "川口市並木4-4-7\nコーポ前原 201号室",
    "a building right behind": "川口市並木4-4-7ハイツ架空B-102",
    "kana in a building": "川口市並木4-4-7 コーポひまわり102号",
    "an estate": "船橋市高根台2丁目 高根台団地3号棟405",
    "a room behind a hyphen": "川口市並木4-4-7-203",
    "a room": "川口市並木4-4-7 203号室",
    "slashes between parts": "鈴鹿市/算所/3/40/16",
    "stars between parts": "小山市☆駅南町☆1☆15☆25",
    "dots between parts": "つくば市・松代・2・16・15",
    "emoji between parts": "横浜市🌸青葉区🌸美しが丘🌸2🌸23🌸4",
    "a space after each letter": "宮　崎　県　都　城　市　吉　尾　町　５　１１　１０",
    "spoken": "別府市石垣東 いちちょうめじゅうよんのにじゅうに",
    "numerals of all kinds": "松山市朝生田町３-三七-⑦",
    "enclosed": "横浜市青葉区美しが丘②丁目⑳-④",
    "the prefecture in kana": "かながわけん横浜市青葉区美しが丘2丁目3-4",
    "all in kana": "とうきょうとせたがやくさんげんぢゃや1-2-3",
    "left or right of a street": "旭川市2条通21丁目左2号",
    "a floor": "川口市並木4-4-7 三階",
    "a host in brackets": "川口市並木4-4-7(田中方)",
    "a host": "市川市南八幡一丁目1番1号 田中様方",
}


@pytest.mark.parametrize("written", WRITINGS.values(), ids=WRITINGS)
@pytest.mark.parametrize(
    "around", ["{}", "引っ越し先は{}です。近くに公園が3つ", "〒100-0000 {}\n電話", "昨日{}に行った"]
)
def test_an_address_is_found_whole_and_nothing_after_it(written, around):
    assert found(around.format(written)) == [written]


@pytest.mark.parametrize(
    "text",
    [
        "保育園は2-3人しか空きがない",
        "川口市で1-2月に3-4日休んだ",
        "浦和2-1鹿島、横浜5-3広島",
        "横浜市架空町の国道3号、国道246号線",
        "三丁目の夕日みたい、新宿三丁目駅",
        "横浜駅から5分、駅まで100m",
        "川口市の保育園は3つ、世田谷区の人口は90万人",
        "青葉区保育課 03-1234-5678",
        "東京都の1-3位、東京2020、渋谷109",
        "2024-12-3に横浜市で",
        "サイズは90-100、体重3-4キロ",
        "一番の悩み、十番勝負、二の次三の次",
        "六本木1-2回、築地3番出口、千葉市4月入園",
        "静岡市葵区 5-6倍",
    ],
)
def test_numbers_that_are_no_address_stay(text):
    assert found(text) == []


@pytest.mark.parametrize(
    "written", ["〒100-0000", "〒 １００ー００００", "〒1000000", "〠100-0000", "〒100 0000", "〒100の0000"]
)
def test_a_marked_postal_code_is_found_with_its_mark(written):
    assert found(f"送り先は{written}です", "POSTAL_CODE") == [written]


@pytest.mark.parametrize(
    "text",
    [
        "郵便番号：100-0000",
        "郵便番号は1000000です",
        "返信用封筒には100-0000と書いて",
        "100-0000 川口市並木",
        "1000000東京都",
        "郵便番号\n1000000",
        "うち100-0000なんだけど",
    ],
)
def test_a_postal_code_is_found_by_the_words_around(text):
    assert "".join(found(text, "POSTAL_CODE")).replace("-", "") == "1000000"


@pytest.mark.parametrize(
    "text", ["型番は100-0000", "電話は100-0000", "500-1500円", "1000000円", "090-1000-0000", "100-2000mlの水"]
)
def test_other_numbers_are_no_postal_code(text):
    assert found(text, "POSTAL_CODE") == []


@pytest.mark.parametrize("text", ["〒一0⓪-①０零0", "〒→100♪0000", "郵便番号が一0⓪-0〇0０です"])
def test_a_postal_code_in_several_numerals_is_found(text):
    assert found(text, "POSTAL_CODE")


@pytest.mark.parametrize(
    "text", ["市☆" * 20000 + "1", "あ " * 20000 + "1", "にじゅう" * 10000 + "ちょうめ", "①-" * 20000, "町1-2-3" * 8000]
)
def test_a_long_text_is_read_in_time(text):
    artifacts = TextArtifacts(text)
    assert artifacts.unmasked
    began = time.process_time()
    for recogniser in RECOGNISERS.values():
        recogniser.analyze(text, [], artifacts)
    assert time.process_time() - began < 4
