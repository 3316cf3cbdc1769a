"""
Where members live.

Source:
    Population by prefecture, 2020 Population Census of Japan, Statistics Bureau of
    Japan, final counts published 2021-11-30; the total is 126,146,099. Prefecture codes
    are JIS X 0401. Municipality ranges follow JIS X 0402's numbering (wards 101 up,
    cities 201 up) without claiming that each number in a range is in use. Read 2026-11-23.
"""

import csv
import functools
from dataclasses import dataclass
from importlib import resources

import numpy as np
import pyarrow as pa

from sudare.demo.columns import by_form, choose, digits, full_width, join, null_where, numbers, pick
from sudare.demo.draws import Draws


@dataclass(frozen=True, kw_only=True)
class Prefecture:
    """One prefecture."""

    code: str
    name: str
    population: int
    municipalities: tuple[str, ...]
    """JIS X 0402 codes, five digits."""
    postal: tuple[int, int]
    """First and last of the three-digit postal areas."""


@functools.cache
def prefectures() -> tuple[Prefecture, ...]:
    """All 47, in the order of their codes."""
    text = resources.files("sudare.demo").joinpath("prefectures.csv").read_text(encoding="utf-8")
    return tuple(_prefecture(row) for row in csv.DictReader(text.splitlines()))


def _prefecture(row: dict[str, str]) -> Prefecture:
    spans = [tuple(map(int, span.split("-"))) for span in row["municipalities"].split()]
    first, last = map(int, row["postal"].split("-"))
    return Prefecture(
        code=row["code"],
        name=row["name"],
        population=int(row["population"]),
        municipalities=tuple(f"{row['code']}{n}" for start, end in spans for n in range(start, end + 1)),
        postal=(first, last),
    )


@dataclass(frozen=True, kw_only=True)
class Homes:
    """The address columns of some members."""

    prefecture_code: pa.Array
    municipality_code: pa.Array
    postal_code: pa.Array
    address_line: pa.Array


def homes(draws: Draws, ids: np.ndarray, move: str = "") -> Homes:
    """Where each member lives; ``move`` names a later home."""
    index = draws.weighted(f"prefecture{move}", ids, [p.population for p in prefectures()])
    silent = draws.chance(f"no prefecture{move}", ids, 80)
    town_silent = silent | draws.chance(f"no municipality{move}", ids, 90)
    return Homes(
        prefecture_code=null_where(silent, pick(tuple(p.code for p in prefectures()), index)),
        municipality_code=null_where(town_silent, _municipality(draws, ids, index, move)),
        postal_code=null_where(draws.chance(f"no postal{move}", ids, 250), _postal(draws, ids, index, move)),
        address_line=null_where(draws.chance(f"no address{move}", ids, 400), address_line(draws, ids, move)),
    )


def _municipality(draws: Draws, ids: np.ndarray, index: np.ndarray, move: str) -> pa.Array:
    sizes = np.array([len(p.municipalities) for p in prefectures()])
    starts = np.concatenate([[0], np.cumsum(sizes)[:-1]])
    codes = tuple(code for p in prefectures() for code in p.municipalities)
    share = draws.unit(f"municipality{move}", ids)
    place = (share * share * sizes[index]).astype(np.int64)
    return pick(codes, starts[index] + place)


def _postal(draws: Draws, ids: np.ndarray, index: np.ndarray, move: str) -> pa.Array:
    first, last = (np.array([p.postal[side] for p in prefectures()])[index] for side in (0, 1))
    area = first + draws.below(f"postal area{move}", ids, last - first + 1)
    return typed_postal(draws, ids, area, draws.below(f"postal town{move}", ids, 10_000))


def typed_postal(draws: Draws, ids: np.ndarray, area: np.ndarray, town: np.ndarray) -> pa.Array:
    """A postal code in one of the ways it is typed."""

    def half(mark: str, dash: str):
        return lambda rows: join(mark, digits(3, area[rows]), dash, digits(4, town[rows]))

    def full(mark: str, dash: str):
        return lambda rows: full_width(half(mark, dash)(rows))

    makers = (half("", "-"), half("", ""), half("〒", "-"), half("〒", "\u2212"), full("", "－"), full("〒", "ー"))
    return by_form(draws.weighted("postal form", ids, (50, 25, 10, 4, 6, 3)), makers)


def address_line(draws: Draws, ids: np.ndarray, move: str = "") -> pa.Array:
    """Town, numbers and sometimes a building, in one of the ways they are typed."""
    town = pick(_TOWNS, draws.below(f"town{move}", ids, len(_TOWNS)))
    block, lot, house, room = (
        numbers(1 + draws.below(f"{part}{move}", ids, bound))
        for part, bound in (("block", 6), ("lot", 30), ("house", 25), ("room", 900))
    )
    flat = pick(_BUILDINGS, draws.below(f"building{move}", ids, len(_BUILDINGS)))

    def cut(*parts: pa.Array | str):
        def make(rows: np.ndarray) -> pa.Array:
            return join(*(part if isinstance(part, str) else part.take(pa.array(rows)) for part in parts))

        return make

    makers = (
        cut(town, block, "-", lot, "-", house),
        cut(town, block, "丁目", lot, "番", house, "号"),
        cut(town, block, "-", lot, "-", house, " ", flat, room, "号室"),
        cut(town, block, "-", lot, "-", house, "\u3000", flat, room),
        cut(town, block, "丁目", lot, "-", house, flat, room),
        lambda rows: full_width(makers[0](rows)),
    )
    return by_form(draws.weighted(f"address form{move}", ids, (35, 15, 20, 12, 10, 8)), makers)


def full_address(draws: Draws, ids: np.ndarray) -> pa.Array:
    """A whole address as somebody posts it: with the prefecture, or from the city on."""
    city = draws.below("city", ids, len(_CITIES))
    short = pick(tuple(name.partition(" ")[2] for name in _CITIES), city)
    whole = pick(tuple(name.replace(" ", "") for name in _CITIES), city)
    return join(choose(draws.chance("short address", ids, 350), short, whole), address_line(draws, ids, " posted"))


_TOWNS = (
    *(
        "本町",
        "緑町",
        "栄町",
        "旭町",
        "中央",
        "東町",
        "西町",
        "南町",
        "北町",
        "桜台",
        "若葉台",
        "美しの森",
        "青葉",
        "日の出町",
    ),
    *(
        "富士見",
        "千代田",
        "泉町",
        "大手町",
        "幸町",
        "寿町",
        "松原",
        "梅が丘",
        "希望が丘",
        "つつじが丘",
        "ひばり野",
        "みなみ野",
    ),
    *("上原", "下原", "宮前", "新田", "駅前町", "港町", "川端", "橋本", "山手", "城東", "朝日ヶ丘", "ゆりのき台"),
)

_BUILDINGS = (
    "メゾン緑",
    "コーポ桜",
    "グランハイツ",
    "サンライズ",
    "第二ひまわり荘",
    "レジデンス青空",
    "パークサイド",
    "ハイツ若葉",
)

_CITIES = (
    *(
        "北海道 札幌市北区",
        "北海道 旭川市",
        "青森県 八戸市",
        "岩手県 盛岡市",
        "宮城県 仙台市泉区",
        "秋田県 横手市",
        "山形県 米沢市",
    ),
    *(
        "福島県 郡山市",
        "茨城県 つくば市",
        "栃木県 宇都宮市",
        "群馬県 高崎市",
        "埼玉県 さいたま市大宮区",
        "埼玉県 越谷市",
    ),
    *(
        "千葉県 船橋市",
        "千葉県 柏市",
        "東京都 練馬区",
        "東京都 江東区",
        "東京都 足立区",
        "東京都 八王子市",
        "東京都 町田市",
    ),
    *(
        "神奈川県 横浜市港北区",
        "神奈川県 川崎市中原区",
        "神奈川県 藤沢市",
        "新潟県 長岡市",
        "富山県 高岡市",
        "石川県 金沢市",
    ),
    *(
        "福井県 鯖江市",
        "山梨県 甲府市",
        "長野県 松本市",
        "岐阜県 各務原市",
        "静岡県 沼津市",
        "愛知県 名古屋市緑区",
        "愛知県 豊田市",
    ),
    *("三重県 四日市市", "滋賀県 草津市", "京都府 京都市伏見区", "大阪府 堺市北区", "大阪府 豊中市", "大阪府 枚方市"),
    *("兵庫県 西宮市", "兵庫県 神戸市垂水区", "奈良県 生駒市", "和歌山県 和歌山市", "岡山県 倉敷市", "広島県 福山市"),
    *("山口県 宇部市", "香川県 高松市", "愛媛県 今治市", "福岡県 福岡市東区", "福岡県 久留米市", "熊本県 熊本市東区"),
    *("大分県 別府市", "宮崎県 都城市", "鹿児島県 霧島市", "沖縄県 那覇市", "沖縄県 うるま市"),
)
