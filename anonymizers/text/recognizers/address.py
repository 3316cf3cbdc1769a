"""
Japanese postal addresses down to a block or house number, with building and room.

A number is found first; then what stands before it is read backwards, part by part, against the lists of
`anonymizers.text.places`, and what stands after it is read for a building. How much must stand before a number
depends on how it is written: three joined numbers are an address after anything that looks like a town, a single
one only after a town that is listed.
"""

from typing import Any, NamedTuple

import regex
from presidio_analyzer import LocalRecognizer, RecognizerResult

from anonymizers.text.address_disguises import undisguised
from anonymizers.text.artifacts import read
from anonymizers.text.patterns import LANGUAGE, Example, quick, timeout_s
from anonymizers.text.places import Places, fold_place, longest_before, places

_KANJI = "一-鿿々〆"
_DIGITS = "[0-9]{1,5}+"
_NUMERAL = "[〇一二三四五六七八九十百]{1,6}+"
_ANY = f"(?:{_DIGITS}|{_NUMERAL})"
# Between digits and between kanji numerals; of the marks normalisation leaves those between kanji alone.
_JOIN = "(?: ?[-ー−‐‑–—―─~のノ之・*★☆♡♥] ?)"
# A space alone joins digits only, and counts for less.
_JOINED = f"(?:{_JOIN}{_ANY}| (?<=[0-9] ){_DIGITS}(?!-?[0-9]|号|棟|階|F))"
# 号 is not of a train, a car or a road: "3号線", "1号車".
_END = "(?: ?番地の?| ?番| ?号(?!線|車|機|店|棟|室|館))"

# 北1条西2丁目, 東3線, 第5地割: numbers that Hokkaido and Iwate have in place of names.
_GRID = f"(?:{_ANY} ?(?:条|線)(?:通り?)?[東西南北]? ?(?=[0-9〇一二三四五六七八九十第])|第? ?{_ANY} ?地割 ?)"
_BLOCK = f"(?:{_ANY} ?丁目(?:[左右](?=[0-9]))?[ 、,の-]{{0,2}}|{_ANY} ?丁(?=-?[0-9]))"
# A kanji numeral by itself is part of a word (一番): something must be joined to it.
_FIRST = (
    f"(?:{_DIGITS}|(?=[〇一二三四五六七八九]{{3}}){_NUMERAL}|"
    f"{_NUMERAL}(?=番地|番[0-9〇一二三四五六七八九十]|{_JOIN}[0-9〇一二三四五六七八九十]))"
)
_NEXT = f"(?:{_ANY}(?= ?[番号]|{_JOIN}{_ANY}|[^0-9〇一二三四五六七八九十]|$))"
_MORE = f"(?:{_JOINED}|{_END}(?:[ の、-]{{0,2}}(?:(?=[0-9])|(?<!号)){_NEXT})?)"
_LOT = f"{_FIRST}(?:{_MORE}){{0,5}}+"
_LOT_OF_BLOCK = f"(?:{_LOT}|{_NUMERAL} ?[番号](?:{_MORE}){{0,3}}+)"
# A house number in the ways it is written. Bounded all over, and each number is possessive: linear.
_HOUSE = regex.compile(
    f"(?=[0-9〇一二三四五六七八九十百第"
    f"])(?<![0-9.:/¥$#№])(?:(?P<grid>{_GRID}{{1,2}}+)(?P<block>{_BLOCK})?+(?:{_LOT})?+|"
    f"(?P<block>{_BLOCK})(?:{_LOT_OF_BLOCK})?+|{_LOT})"
)
_NEEDED = quick(
    "[0-9]|[〇一二三四五六七八九十百](?:丁目|番|地割|[-ー−‐‑–—―─~のノ之・*★☆♡♥][〇一二三四五六七八九十])|"
    "[〇一二三四五六七八九]{3}"
)
_SPACED_DIGITS, _FOUR_DIGITS, _YEAR = quick("[0-9] [0-9]"), quick("[0-9]{4}$"), quick("(?:19|20)[0-9]{2}$")
_NUMBERS, _DAY = quick("[0-9]+|[〇一二三四五六七八九十百]+"), quick("(?:19|20)[0-9]{2}-[01]?[0-9]-[0-3]?[0-9]$")
_KANJI_BEFORE, _OF_NAME = quick(f"[{_KANJI}]{{1,4}}$"), quick(f"[{_KANJI}ァ-ヺー]")
_TRAILING = regex.compile(r"[ 、,のノ之ー~-]+$")

# Before a house number: nothing of this is a letter or a digit of it.
_GAP = " \n　"
_UNLISTED = (
    f"(?:大字|字)?(?:[ァ-ヺー]{{2,8}}|[ぁ-ゖ]{{2,8}}(?=[{_KANJI}ヶケ])|[{_KANJI}])"
    f"(?:[{_KANJI}ヶケノァ-ヺー]|(?<=[上下入])[るル]|[がのつ](?=[{_KANJI}])){{0,24}}"
)
# A town nobody listed, whole, between a municipality and a number. Kana at its end is as often a particle.
_TOWN_AFTER = regex.compile(
    f" ?(?:{_UNLISTED}(?: {_UNLISTED})?|(?![はがをにでともへや])[ぁ-ゖ]{{2,8}}|[甲乙丙丁イロハニホヘト]の) ?"
)
_TOWN_BEFORE = regex.compile(
    f"(?:大字|字)?(?:[{_KANJI}ヶケ]|(?<=[{_KANJI}])[がのノつ](?=[{_KANJI}])|[ァ-ヺー]|"
    f"[ぁ-ゖ]{{2,6}}(?=[{_KANJI}ヶケ])){{1,10}} ?$"
)
# 字, a street of Kyoto, or 甲乙 and イロハ of a lot: towns even before a single number.
_NAMED_TOWN = regex.compile("^大字|^字|[上下][るル]|[東西]入|[甲乙丙丁イロハニホヘト]の?$|.[一-鿿]町$")
# What stands before a number and is no town: what is counted, classed, timed or numbered.
_NO_TOWN = regex.compile(
    "(?:保育園|幼稚園|こども園|小学校|中学校|高校|学校|病院|医院|クリニック|役所|役場|保育課|課|係|部|室|駅|"
    "線|国道|県道|都道|府道|"
    "市道|号線|バス|人口|世帯|児童|倍率|点|指数|クラス|平均|内定|定員|募集|歳児|学年|年|月|日|曜|時|分|約|第|"
    "各|全|計|後|前|毎|週|"
    "次|目|巻|話|版|号|番|回|戦|対|会|組|席|店|階|円|率|電話|携帯|口座|記号|番号|型番|品番|内線|直通|代表|"
    "部屋|試合|優勝|連勝|"
    "保険|料金|税|費|価格|身長|体重|サイズ|ページ|レベル|ランク|コース|プラン|タイプ|シリーズ|バージョン|"
    "スコア|セット) ?$"
)
_CUES = regex.compile(
    "(?:現?住所(?:は|が|、|:)?|(?:送り|届け|お届け|配送|発送|宛|引っ?越し?|転居|移転|勤務|連絡)先(?:は|が|、|"
    ":)?|新居は?|自宅は?|実家は?|"
    "宛名?|本籍地?は?|在所は?|所在地は?|家は|うちは|場所は|うち|我が家は?|〒 ?[0-9]{3}-?[0-9]{4}) ?:? ?$"
)
_LIVES = regex.compile(r" ?(?:に(?:住|引っ?越|転居|越し|あり|ある|送|届|越)|在住|まで(?:送|届|お願)|宛|へ(?:送|届|引))")
_LEADING = regex.compile(
    "(?:現?住所|(?:送り|届け|配送|発送|宛|引越し?|転居|移転|勤務|連絡)先|新居|自宅|実家|宛名?|本籍地?|所在地|"
    "場所|今度|今日|昨日|先日|現在|"
    "来月|先月|来年|我家|我が家|私|僕|夫|妻|主人|旦那|義?父|義?母|息子|娘|長男|長女|次男|次女|先|所|"
    "家)[はがにをのも]?|[今元現旧又毎](?!.)"
)

# "3-4人", "2-3年": numbers that are counted are no house number.
_COUNTED = regex.compile(
    r"[0-9]| ?(?:[.:/%℃]|年|月|日|"
    r"[歳才人個枚本週時分割倍点位回度円万千匹件台杯着足冊話巻周戦勝敗対組名泊秒錠粒袋箱]|か月|"
    r"[ヶケカヵ箇か]月|"
    "[ヶケカヵ箇]所|つ|学期|学年|連|種|番目|番線|番出口|番人気|番手|ページ|クール|ヤード|メートル|センチ|"
    "キロ|グラム|ミリ|リットル|"
    "パーセント|ポイント|ドル|ゴール|セット|シーズン|フレーム|か国|カ国|行目|列目|k?m(?![a-z])|cm|kg|ml|"
    "g(?![a-z])|L(?![A-Za-z])|[a-z]{1,3}(?![a-zA-Z]))"
)
# 新宿三丁目駅 is a station.
_NO_BLOCK = regex.compile(" ?(?:駅|交差点|バス停|停留所|の夕日|商店街|交番|公園|児童公園)")
_ALONE = regex.compile(
    r" ?(?:$|[\n。、,.!!??)\]」』】♪☆★(（]|です|だ|なんだ|なの|なん|に(?:行|い|来|向|住|引|転|越|あ|送|届)|在住|"
    "の(?:家|"
    r"実家|アパート|マンション|一軒家)|の(?:土地|角|隣|家|物件|方|者|住人)|[でをはがとへ]|から|まで|宛|付近|"
    r"周辺|あたり|さん)"
)

_WORDS = (
    "コーポ|メゾン|ハイツ|ハイム|マンション|アパート|レジデンス|パレス|コート|タワー|ビル|ヒルズ|ガーデン|"
    "テラス|ハウス|カーサ|シャトー|"
    "シティ|ドミール|ヴィラ|ビラ|グラン|プラザ|プレイス|スクエア|フラット|ロイヤル|ライオンズ|パーク|"
    "エステート|ルネ|荘|寮|団地|住宅|社宅|"
    "官舎|宿舎|公舎|会館|クレスト|ステージ|フォルム|キャッスル|アーバン|ベルデ|サンライズ|サンハイツ|"
    "セジュール|フォレスト|ドエル|"
    "プレジール|ソレイユ|エクセル|ヴェルデ|ホームズ|ニュータウン|アベニュー|アネックス|Residence|House|Court|"
    "Tower|Heights|Maison|Hills"
)
_NAMED = f"[{_KANJI}ヶァ-ヺーA-Za-zⅠ-Ⅻ・&'’.]"
# A name as it begins beside a number: katakana, capitals, or any letter after a space.
_NAME = (
    f"(?:(?:[ァ-ヺー]{{2}}|[A-Z]{{1,3}}|(?<=[ \n])[{_KANJI}ァ-ヺA-Z]|(?<=[ \n])(?![こそあ][このそ]|"
    f"うち)[ぁ-ゖ]{{2,8}}(?={_NAMED})|(?={_WORDS})|"
    f"第[一二三四五0-9])"
    f"(?:{_NAMED}|第|し?[がの](?=[{_KANJI}ァ-ヺ])|(?<=[{_KANJI}])[ぁ-ゖ]{{2,6}}(?=荘|寮|団地|[ァ-ヺ]{{2}})"
    f"|(?<=[ァ-ヺー])(?!の)[ぁ-ゖ]{{2,8}}(?= ?[A-Z]?-?[0-9]{{2}})){{0,20}}+"
    f"(?: {_NAMED}{{1,14}}+){{0,2}}+)"
)
_HALL = "(?:[0-9]{1,3}|[A-Za-z]|[東西南北中新本]|[一二三四五六七八九十]{1,2})(?:号棟|号館|番館|街区|棟|館)"
_ROOM = (
    "(?:[A-Za-z]?-?[0-9]{1,4}(?:-[0-9]{1,4})?(?:号室?|室|F|階(?:[0-9]{1,4}(?:号室?)?)?)?|"
    "[〇一二三四五六七八九十百]{1,4}(?:号室|階))"
)
_STOP = r"(?![0-9-]|[0-9]|[歳才人個枚本年月日時分円万千つ回年])"
_SPACED = "[ \n,、(/]{0,3}"
_NO_NAME = "(?!電話|携帯|連絡|メール|メアド|パス|氏名|名前|年齢|口座|TEL|Tel|tel|FAX|Fax|LINE|ID|MAIL|Mail|〒)"
_BUILDING = regex.compile(
    rf"(?:(?:の| |-)?[0-9A-Z]{{1,4}}-?[0-9]{{0,4}}号室"
    rf"|{_SPACED}(?:[0-9]{{1,2}}|[一二三四五六七八九十]{{1,3}})(?:階|F(?![A-Za-z]))"
    rf"|{_SPACED}{_HALL}(?:[ の-]?{_ROOM}{_STOP})?"
    # What is called a building needs no room, and a room needs no such word, if it has three digits or says it is one.
    rf"|{_SPACED}{_NO_NAME}(?:(?P<name>{_NAME})(?:[ の]?{_HALL})?(?P<room>[ のー-]{{0,2}}{_ROOM}{_STOP})?)"
    rf"| [0-9]{{3,4}}(?:号室?)?(?=$|[\n 。、,)]|に|で)(?! ?[0-9-])"
    r")"
)
_WORD = regex.compile(_WORDS)
_ROOMY = regex.compile(r"[0-9]{3}|号|室|F|階|[A-Za-z]-?[0-9]")
_HOSTED = regex.compile(
    f"[ \n]{{0,2}}[{_KANJI}ぁ-ゖァ-ヺー]{{1,8}}様方|[ \n]{{1,2}}[{_KANJI}]{{1,4}}方(?=$|[\n 。、])|"
    f" ?[(][{_KANJI}ぁ-ゖァ-ヺー]{{1,8}}様?方[)]"
)
_KANA_PREFECTURE = regex.compile(
    "(?:とうきょうと|おおさかふ|きょうとふ|ほっかいどう|(?:あおもり|いわて|みやぎ|あきた|やまがた|ふくしま|いばらき|"
    "とちぎ|ぐんま|さいたま|ちば|かながわ|にいがた|とやま|いしかわ|ふくい|やまなし|ながの|ぎふ|しずおか|あいち|みえ|"
    "しが|ひょうご|なら|わかやま|とっとり|しまね|おかやま|ひろしま|やまぐち|とくしま|かがわ|えひめ|こうち|ふくおか|さが|"
    "ながさき|くまもと|おおいた|みやざき|かごしま|おきなわ)けん) ?[ぁ-ゖァ-ヺー一-鿿々 ]{2,24}$"
)
_LIVING = regex.compile("(?:在住|住み|住まい|方面|付近|周辺|近辺|近く|入居|居住|購入|希望|予定)$")

EXAMPLES = (
    Example("神奈川県横浜市青葉区架空が丘1丁目31番7号です", ("神奈川県横浜市青葉区架空が丘1丁目31番7号",)),
    Example("埼玉県川口市架空4－38－10 コーポカクウ201号室\n", ("埼玉県川口市架空4－38－10 コーポカクウ201号室",)),
    Example("世田谷区架空茶屋三丁目36-23に住んでます", ("世田谷区架空茶屋三丁目36-23",)),
    Example("送り先は架空町1-2-3です", ("架空町1-2-3",)),
    Example("横浜の青葉区架空台３ノ４ノ５、松が丘2丁目の公園", ("横浜の青葉区架空台３ノ４ノ５", "松が丘2丁目")),
    Example("札幌市中央区北1条西二丁目3番地\nメゾン架空 B-102", ("札幌市中央区北1条西二丁目3番地\nメゾン架空 B-102",)),
    Example("京都市中京区寺町通御池上る架空町488番地に", ("京都市中京区寺町通御池上る架空町488番地",)),
    Example("東京都は広い。川口市の保育園は3つ、横浜市内で2-3人募集、横浜市架空町の国道3号", ()),
    Example("三丁目の夕日、横浜駅から5分、浦和2-1鹿島、定員3-4人、1/2の確率", ()),
)


class _House(NamedTuple):
    """A number that may be of a house, and how surely its form says so."""

    start: int
    end: int
    block: bool
    """丁目 or a grid of Hokkaido is in it."""
    parts: int
    """How many numbers are joined in it."""
    lot: bool
    """It says 番地, or 番 and 号."""
    spaced: bool
    """Nothing but a space joins its numbers somewhere."""
    grid: bool
    """It is a block of Hokkaido by its two numbers: 北1条西2丁目 needs no town."""

    @property
    def strong(self) -> bool:
        """Whether few other things are written so."""
        return self.block or self.lot or (self.parts >= 3 and not self.spaced)


class AddressRecognizer(LocalRecognizer):
    """Numbers with what stands around them."""

    def __init__(self) -> None:
        super().__init__(supported_entities=["ADDRESS"], supported_language=LANGUAGE)

    def load(self) -> None:
        """Read the lists of places."""
        self._places = places()

    def analyze(self, text: str, entities: list[str], nlp_artifacts: Any = None) -> list[RecognizerResult]:
        """
        Find addresses.

        Returns:
            Spans in code points of `text`, in order; they may overlap.

        Raises:
            TimeoutError: an expression took longer than `EXPRESSION_TIMEOUT_S`.
        """
        reading = read(text, nlp_artifacts).unmasked
        identity = {
            RecognizerResult.RECOGNIZER_NAME_KEY: self.name,
            RecognizerResult.RECOGNIZER_IDENTIFIER_KEY: self.id,
        }
        spans = {reading.original(*span) for span in find(reading.text, self._places)}
        if plain := undisguised(reading):
            spans |= {plain.original(*span) for span in find(plain.text, self._places)}
        return [RecognizerResult("ADDRESS", *span, 0.9, None, identity) for span in sorted(spans)]


def find(text: str, listed: Places) -> list[tuple[int, int]]:
    """
    Addresses in a normalised text.

    Args:
        text: Numerals as digits, or in kanji; hyphens between digits as "-".
        listed: From `anonymizers.text.places.places`.

    Returns:
        Spans in code points of `text`, in order, none overlapping.
    """
    found: list[tuple[int, int]] = []
    folded, at = "", 0
    if not _NEEDED.search(text):
        return found
    while match := _HOUSE.search(text, at, timeout=timeout_s(text)):
        at = max(match.end(), at + 1)
        if not (house := _house(match)):
            continue
        folded = folded or fold_place(text)
        start = _start(text, folded, house, listed, found[-1][1] if found else 0)
        if start is not None:
            at = _with_building(text, house.end)
            found.append((start, at))
    return found


def _house(match: regex.Match[str]) -> _House | None:
    """What a match is worth; None if it is nothing: an ordinary count, or a kanji numeral by itself."""
    text = match.string
    end = match.start() + len(_TRAILING.sub("", match[0]))
    if end == match.start():
        return None
    written = text[match.start() : end]
    spaced = _SPACED_DIGITS.search(written) is not None
    numbers = _NUMBERS.findall(written)
    block = bool(match["block"] or (match["grid"] and "割" not in match["grid"] and len(numbers) > 1))
    lot = "番地" in written or ("番" in written and "号" in written) or bool(match["grid"])
    if numbers[0].startswith("0") or len("".join(numbers)) > 14 or (len(numbers[0]) > 4 and len(numbers) > 1):
        return None  # a telephone, a card
    if not block and len(numbers) > 1 and _DAY.match(written):
        return None  # a date
    if block and _NO_BLOCK.match(text, end):
        return None
    if not lot and not (block and len(numbers) == 1) and _COUNTED.match(text, end):
        return None
    if "号" in written and len(numbers) == 1:
        return None  # a road
    start = match.start() - (bool(match["grid"]) and text[match.start() - 1 : match.start()] in tuple("東西南北中"))
    grid = bool(match["grid"] and match["block"] and start < match.start())
    return _House(start, end, block, len(numbers), lot, spaced, grid)


def _start(text: str, folded: str, house: _House, listed: Places, floor: int) -> int | None:
    """
    Where the address of a house number starts; None if it is no address. Nothing before `floor` is looked at.

    What ends in 町 or 村 may be a municipality or a town of another (栄町): the reading that begins first is taken.
    """
    floor = max(floor, house.start - 60)
    starts = []
    for excluded in ("", "municipality") if text[house.start - 1 : house.start] in ("町", "村", " ") else ("",):
        start, kinds = _chain(folded, house.start, listed, floor, excluded)
        if _is_whole(kinds):
            if _is_house(text, house, known="town" in kinds):
                starts.append(start)
        elif "town" in kinds and _town_suffices(text, house, start, text[start : house.start].strip(_GAP), listed):
            starts.append(_whole_word(text, start, floor))
    if (kana := _KANA_PREFECTURE.search(text, floor, house.start)) and (house.strong or house.parts > 1 or starts):
        starts.append(kana.start())
    starts.append(_after_municipality(text, folded, house, listed, floor))
    starts = [start for start in starts if start is not None]
    if starts:
        return min(starts)
    return house.start if house.grid else _unlisted_town(text, house, floor)


def _whole_word(text: str, start: int, floor: int) -> int:
    """Where a town begins whose end is listed (遠藤新田): at the kanji it touches, unless they are another word."""
    touching = _KANJI_BEFORE.search(text[max(floor, start - 4) : start])
    return (
        start - len(touching[0])
        if touching and text[start] not in "大字" and not _LEADING.search(touching[0])
        else start
    )


def _is_whole(kinds: set[str]) -> bool:
    """Whether the places say in which municipality a house is."""
    return "municipality" in kinds or ("town" in kinds and bool(kinds & {"prefecture", "stem"}))


def _is_house(text: str, house: _House, *, known: bool) -> bool:
    """Whether a number after a municipality is of a house; `known` says that a listed town is between them."""
    return house.strong or (known and (house.parts >= 2 or _stands_alone(text, house)))


def _stands_alone(text: str, house: _House) -> bool:
    """Whether nothing after a number makes it a count: the end of the phrase, a particle, a building."""
    return _ALONE.match(text, house.end) is not None or _with_building(text, house.end) > house.end


def _chain(folded: str, end: int, listed: Places, floor: int, excluded: str = "") -> tuple[int, set[str]]:
    """
    Read names of places backwards from `end`, each touching the next but for a space, の or a line break.

    Returns:
        Where the first begins, and what kinds there were; the last is none of the kind `excluded`.
    """
    start, kinds = end, set()
    while len(kinds) < 6:
        at = _before_gap(folded, start, bool(kinds))
        if at <= floor:
            break
        name, kind = _place_before(folded, at, listed, kinds, "" if kinds else excluded)
        if not name or at - len(name) < floor:
            break
        start = at - len(name)
        kinds.add(kind if kind not in kinds else f"{kind} again")
    return start, kinds


def _before_gap(folded: str, end: int, joined: bool) -> int:
    """Where a place would end whose next part begins at `end`."""
    at = end
    while at > 0 and end - at < 2 and folded[at - 1] in _GAP:
        at -= 1
    if at == end and at > 1 and folded[at - 1] == "の":
        return at - 1
    return at


def _place_before(folded: str, at: int, listed: Places, kinds: set[str], excluded: str) -> tuple[str, str]:
    """The place that ends at `at` and may stand before those read already, and its kind."""
    touching = not kinds or at == len(folded) or folded[at] not in "の"
    last = folded[at - 1]
    if (
        last in "市区町村郡島"
        and excluded != "municipality"
        and (name := longest_before(folded, at, listed.municipalities))
    ):
        return name, "municipality"
    if last in "都道府県" and (name := longest_before(folded, at, listed.prefectures)):
        return name, "prefecture"
    if kinds and not kinds & {"prefecture"}:
        if len(name := longest_before(folded, at, listed.stems)) > 1:
            return name, "stem"
        if name := longest_before(folded, at, listed.prefectures):
            return name, "prefecture"
    touching = touching and "\n" not in folded[at : at + 2 if kinds else at]
    if not kinds & {"municipality", "prefecture", "stem", "town again"} and touching:
        name = _town_before(folded, at, listed)
        if name and (not kinds or len(name) > 1):
            return name, "town"
    return "", ""


def _town_before(folded: str, at: int, listed: Places) -> str:
    """A listed town with 大字, 字 or 町 around it."""
    name = longest_before(folded, at, listed.towns)
    if folded[at - 1] == "町" and len(shorter := longest_before(folded, at - 1, listed.towns)) >= max(2, len(name)):
        name = f"{shorter}町"
    for prefix in ("大字", "字"):
        if name and folded.endswith(prefix, 0, at - len(name)):
            return prefix + name
    return name


def _after_municipality(text: str, folded: str, house: _House, listed: Places, floor: int) -> int | None:
    """Where an address starts whose town is not listed: at its municipality, if all between may be a town."""
    for at in range(house.start, floor + 1, -1):
        if folded[at - 1] not in "市区町村郡" or not longest_before(folded, at, listed.municipalities):
            continue
        between = text[at : house.start]
        if between and not _TOWN_AFTER.fullmatch(between):
            continue
        if _NO_TOWN.search(between) and not (house.block or house.lot):
            return None
        named = _NAMED_TOWN.search(between) is not None
        start = _chain(folded, at, listed, floor)[0]
        joined = house.parts >= 2 and between and not house.spaced
        said = named or (between and (_said(text, start, house.end) or _with_building(text, house.end) > house.end))
        return start if house.strong or joined or (said and _stands_alone(text, house)) else None
    return None


def _town_suffices(text: str, house: _House, start: int, town: str, listed: Places) -> bool:
    """Whether a listed town without a municipality makes a number an address."""
    begins = start == 0 or not _OF_NAME.match(text[start - 1])
    if len(town) == 1:
        return house.block and begins
    if house.strong:
        return True
    cued = _said(text, start, house.end)
    alone = _stands_alone(text, house)
    if house.spaced:
        return alone and len(town) > 1 and begins
    if house.parts == 2:
        return bool(cued) or (len(town) > 2 and begins and fold_place(town) not in listed.stems)
    long = _FOUR_DIGITS.search(text[: house.end][-5:]) and not _YEAR.search(text[: house.end][-5:])
    return alone and bool(cued or (long and begins and len(town) > 1))


def _unlisted_town(text: str, house: _House, floor: int) -> int | None:
    """Where an address starts that has nothing listed in it: it must be written in full, or be said to be one."""
    town = _TOWN_BEFORE.search(text, floor, house.start)
    if not town or _NO_TOWN.search(town[0]):
        return None
    start = town.start()
    if leading := _LEADING.match(text, start, house.start):
        start = leading.end()
    name = text[start : house.start].strip()
    cued = _said(text, start, house.end)
    complete = (house.block or house.lot) and house.parts >= 2
    typical = name.endswith(("町", "丘", "台", "通り", "ニュータウン")) and (house.block or house.parts >= 3)
    return start if len(name) > 1 and (complete or typical or (cued and house.parts >= 2)) else None


def _said(text: str, start: int, end: int) -> bool:
    """Whether the words around say that this is an address: 住所, に住んで."""
    return bool(_CUES.search(text, max(0, start - 16), start) or _LIVES.match(text, end))


def _with_building(text: str, end: int) -> int:
    """The end of an address, with its building, room and 様方."""
    end = _building_end(text, end)
    hosted = _HOSTED.match(text, end)
    return hosted.end() if hosted else end


def _building_end(text: str, end: int) -> int:
    """Where the building after a house number ends; `end` if there is none."""
    match = _BUILDING.match(text, end, timeout=timeout_s(text))
    if not match:
        return end
    name = match["name"]
    if name is None or (match["room"] and (_WORD.search(name) or _ROOMY.search(match["room"]))):
        return match.end()
    if not _WORD.search(name):
        return end
    return match.start("name") + len(_LIVING.sub("", name.split("\n")[0]))


def recognizer() -> AddressRecognizer:
    """Finds ADDRESS; a place without a house number or block is not one."""
    return AddressRecognizer()
