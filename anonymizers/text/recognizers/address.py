"""Japanese postal addresses down to a house number."""

from anonymizers.text.patterns import CuedPatternRecognizer, Example, cue, form

_PREFECTURE = (
    "(?:東京都|北海道|大阪府|京都府|(?:青森|岩手|宮城|秋田|山形|福島|茨城|栃木|群馬|埼玉|千葉|神奈川|新潟|富山|石川|福井|山梨|長野|岐阜|"
    "静岡|愛知|三重|滋賀|兵庫|奈良|和歌山|鳥取|島根|岡山|広島|山口|徳島|香川|愛媛|高知|福岡|佐賀|長崎|熊本|大分|宮崎|鹿児島|沖縄)県)"
)
_KANJI = "一-鿿々ヶケノ"
# Without a prefecture before it, a municipality in kana cannot be told from the words before it, so the
# well-known ones are named (総務省 全国地方公共団体コード).
_MUNICIPALITY = (
    f"(?:(?:さいたま|つくば|いわき|ひたちなか|かすみがうら|つくばみらい|あきる野|みどり|さくら|いすみ|ふじみ野|うるま|えびの|"
    f"たつの|あわら|かほく|みよし|あま|いなべ|いちき串木野|南さつま|[{_KANJI}]{{1,6}})[市区町村郡])"
)
_TOWN = rf"[{_KANJI}ぁ-ゖァ-ヺー]{{1,16}}?"
_NUMERAL = r"[0-9〇一二三四五六七八九十]{1,4}"
# 号 continues a house number and never begins one: "国道3号".
_MORE = r"(?:丁目|番地|番|-|の(?=[0-9]))[0-9]{0,4}(?:(?:番地|番|号|-|の(?=[0-9]))[0-9]{0,4}){0,3}"
_BUILDING = rf"(?:(?: ?[ァ-ヺー]{{2,12}}| [{_KANJI}ぁ-ゖァ-ヺーA-Za-z]{{2,16}}) ?[0-9]{{2,4}}(?:号室?)?)?"
_HOUSE = rf"{_TOWN} ?{_NUMERAL}{_MORE}{_BUILDING}"
# "3-4人", "2-3年": numbers that are counted are no house number.
_NOT_COUNTED = r"(?![0-9]|年|月|日|歳|才|人|回|個|枚|本|週|時|分|割|か月|ヶ月|カ月|円|km|cm|kg)"

_FULL = cue(
    "from the prefecture",
    rf"(?P<cued>{_PREFECTURE} ?[{_KANJI}ぁ-ゖァ-ヺー]{{1,8}}?[市区町村郡] ?{_HOUSE}){_NOT_COUNTED}",
)
_SHORT = form("from the municipality", rf"(?P<value>{_MUNICIPALITY} ?{_HOUSE}){_NOT_COUNTED}")

# A town alone is told by its 町 and three numbers: few other things are written so.
_TOWN_ONLY = form(
    "from the town",
    rf"(?P<value>[{_KANJI}A-Za-z]{{1,12}}町 ?{_NUMERAL}(?:丁目|-)[0-9]{{1,4}}(?:番地?|-)[0-9]{{1,4}}号?){_NOT_COUNTED}",
)

EXAMPLES = (
    Example("神奈川県横浜市青葉区架空が丘1丁目31番7号です", ("神奈川県横浜市青葉区架空が丘1丁目31番7号",)),
    Example("埼玉県川口市架空4－38－10 コーポカクウ201号室\n", ("埼玉県川口市架空4－38－10 コーポカクウ201号室",)),
    Example("世田谷区架空茶屋三丁目36-23に住んでます", ("世田谷区架空茶屋三丁目36-23",)),
    Example("送り先は架空町1-2-3です", ("架空町1-2-3",)),
    Example("東京都は広い。川口市の保育園は3つ、横浜市内で2-3人募集、横浜市架空町の国道3号", ()),
)


def recognizer() -> CuedPatternRecognizer:
    """Finds ADDRESS; a town without a house number is not one."""
    return CuedPatternRecognizer("ADDRESS", _FULL, _SHORT, _TOWN_ONLY, needs="[0-9〇一二三四五六七八九十]")
