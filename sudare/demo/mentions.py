"""
Identifiers as members let them slip: telephone numbers, addresses, names, card numbers.

Each kind is a few frames, each with one ``{}``, and a maker of the values that go there.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from sudare.demo import names, phones, places
from sudare.demo.children import CLINICS, MOST, child_nickname, facility
from sudare.demo.columns import (
    KANJI_DIGITS,
    by_form,
    digits,
    full_width,
    half_width_kana,
    join,
    numbers,
    pick,
    translated,
)
from sudare.demo.emails import address
from sudare.demo.members import addresses
from sudare.demo.plan import Plan

Maker = Callable[[Plan, np.ndarray, np.ndarray], pa.Array]
"""Given the plan, posting ids and the members who speak, the values."""


@dataclass(frozen=True)
class Mention:
    """One kind of identifier in a posting."""

    weight: int
    kind: str
    frames: tuple[str, ...]
    make: Maker


def mention_text(plan: Plan, ids: np.ndarray, speakers: np.ndarray) -> pa.Array:
    """A sentence with an identifier for each posting."""
    kind = plan.draws.weighted("mention kind", ids, [mention.weight for mention in MENTIONS])

    def framed(mention: Mention) -> Callable[[np.ndarray], pa.Array]:
        def make(rows: np.ndarray) -> pa.Array:
            frame = plan.draws.below("mention frame", ids[rows], len(mention.frames))
            before, _, after = zip(*(text.partition("{}") for text in mention.frames), strict=True)
            return join(pick(before, frame), mention.make(plan, ids[rows], speakers[rows]), pick(after, frame))

        return make

    return by_form(kind, [framed(mention) for mention in MENTIONS])


def _typed(
    plan: Plan, stream: str, ids: np.ndarray, plain: pa.Array, changes: tuple[Callable[[pa.Array], pa.Array], ...]
):
    def of(change: Callable[[pa.Array], pa.Array]):
        return lambda rows: change(plain.take(pa.array(rows)))

    makers = [lambda rows: plain.take(pa.array(rows)), *map(of, changes)]
    return by_form(plan.draws.weighted(f"{stream} form", ids, (len(changes) + 1, *(1 for _ in changes))), makers)


def _replaced(old: str, new: str) -> Callable[[pa.Array], pa.Array]:
    return lambda column: pc.replace_substring(column, old, new)


def _phone(plan: Plan, ids: np.ndarray, speakers: np.ndarray) -> pa.Array:
    return phones.typed_phone(plan.draws, "posted phone", ids, phones.POSTED_FORMS)


def _email(plan: Plan, ids: np.ndarray, speakers: np.ndarray) -> pa.Array:
    return _typed(
        plan, "posted e-mail", ids, address(plan, speakers),
        (full_width, _replaced("@", "＠"), _replaced("@", "★"), _replaced("@", "[at]"), _replaced("@", " あっと "),
         _replaced("@", "\n@"), _replaced(".", "(ドット)"), pc.utf8_upper),
    )  # fmt: skip


def _handle(plan: Plan, ids: np.ndarray) -> pa.Array:
    word = pick(_HANDLE_WORDS, plan.draws.below("handle word", ids, len(_HANDLE_WORDS)))
    return join(
        word,
        pick(("_", "", "."), plan.draws.below("handle mark", ids, 3)),
        numbers(plan.draws.below("handle", ids, 9999)),
    )


def _line_id(plan: Plan, ids: np.ndarray, speakers: np.ndarray) -> pa.Array:
    return _typed(plan, "LINE", ids, _handle(plan, ids), (full_width, lambda column: join("@", column)))


def _x_handle(plan: Plan, ids: np.ndarray, speakers: np.ndarray) -> pa.Array:
    handle = pc.replace_substring(_handle(plan, ids), ".", "_")
    return join(pick(("@", "＠"), plan.draws.below("X at", ids, 2)), handle)


def _url(plan: Plan, ids: np.ndarray, speakers: np.ndarray) -> pa.Array:
    site = pick(_SITES, plan.draws.below("site", ids, len(_SITES)))
    return join(site, _handle(plan, ids))


def _postal(plan: Plan, ids: np.ndarray, speakers: np.ndarray) -> pa.Array:
    draws = plan.draws
    return places.typed_postal(
        draws, ids, draws.below("posted area", ids, 900) + 100, draws.below("posted town", ids, 10_000)
    )


def _address(plan: Plan, ids: np.ndarray, speakers: np.ndarray) -> pa.Array:
    return places.full_address(plan.draws, ids)


def _own_name(plan: Plan, ids: np.ndarray, speakers: np.ndarray) -> pa.Array:
    return names.full_name(plan.draws, speakers)


def _surname(plan: Plan, ids: np.ndarray, speakers: np.ndarray) -> pa.Array:
    makers = (
        lambda rows: names.surname(plan.draws, ids[rows]),
        lambda rows: names.surname(plan.draws, ids[rows], 1),
    )
    return by_form(plan.draws.weighted("surname script", ids, (5, 1)), makers)


def _given(plan: Plan, ids: np.ndarray, speakers: np.ndarray) -> pa.Array:
    def written(script: int) -> Callable[[np.ndarray], pa.Array]:
        return lambda rows: names.given(plan.draws, ids[rows], np.zeros(len(rows), bool), script)

    def half(rows: np.ndarray) -> pa.Array:
        return pa.array([half_width_kana(name) for name in written(1)(rows).to_pylist()], pa.string())

    makers = (written(0), written(1), written(2), half)
    return by_form(plan.draws.weighted("given script", ids, (4, 2, 2, 1)), makers)


def _child(plan: Plan, ids: np.ndarray, speakers: np.ndarray) -> pa.Array:
    return child_nickname(plan, speakers * MOST + plan.draws.below("posted child", ids, 2))


def _school(plan: Plan, ids: np.ndarray, speakers: np.ndarray) -> pa.Array:
    return facility(plan, "posted school", ids)


def _clinic(plan: Plan, ids: np.ndarray, speakers: np.ndarray) -> pa.Array:
    return facility(plan, "posted clinic", ids, CLINICS)


def _birth_date(plan: Plan, ids: np.ndarray, speakers: np.ndarray) -> pa.Array:
    draws = plan.draws
    year = draws.below("posted year", ids, 40) + plan.base.year - 40
    month, day = (
        numbers(1 + draws.below(f"posted {part}", ids, bound)) for part, bound in (("month", 12), ("day", 28))
    )
    western = numbers(year)
    reign = np.where(year > 2018, 0, np.where(year > 1988, 1, 2))
    letter = 3 * draws.chance("posted era letter", ids, 300)
    era = join(
        pick(("令和", "平成", "昭和", "R", "H", "S"), reign + letter),
        numbers(year - np.array([2018, 1988, 1925])[reign]),
    )

    def cut(*parts: pa.Array | str):
        return lambda rows: join(*(part if isinstance(part, str) else part.take(pa.array(rows)) for part in parts))

    makers = (
        cut(western, "年", month, "月", day, "日"),
        cut(western, "/", month, "/", day),
        cut(era, "年", month, "月", day, "日"),
        cut(western, ".", month, ".", day),
        lambda rows: full_width(makers[1](rows)),
        lambda rows: translated(makers[0](rows), KANJI_DIGITS),
    )
    return by_form(draws.weighted("posted date form", ids, (35, 25, 20, 8, 7, 5)), makers)


def _card(plan: Plan, ids: np.ndarray, speakers: np.ndarray) -> pa.Array:
    """Numbers that card schemes publish for tests; each passes the Luhn check."""
    return _typed(
        plan, "card", ids, pick(_TEST_CARDS, plan.draws.below("card", ids, len(_TEST_CARDS))),
        (_replaced(" ", "-"), _replaced(" ", ""), full_width),
    )  # fmt: skip


def _my_number(plan: Plan, ids: np.ndarray, speakers: np.ndarray) -> pa.Array:
    """
    Twelve digits of which the last is a valid check digit.

    Source: Ordinance of the Ministry of Internal Affairs and Communications No. 85 of 2014, art. 5.
    """
    left, right = (
        plan.draws.below(f"My Number {side}", ids, bound) for side, bound in (("left", 10**8), ("right", 1000))
    )
    number, total = left * 1000 + right, np.zeros(len(ids), np.int64)
    for place in range(1, 12):
        total += number // 10 ** (place - 1) % 10 * (place + 1 if place <= 6 else place - 5)
    check = np.where(total % 11 <= 1, 0, 11 - total % 11)
    last = right * 10 + check
    quads = (digits(4, left // 10_000), digits(4, left % 10_000), digits(4, last))
    spaced = join(quads[0], " ", quads[1], " ", quads[2])
    return _typed(plan, "My Number", ids, spaced, (_replaced(" ", ""), _replaced(" ", "-"), full_width))


def _ip(plan: Plan, ids: np.ndarray, speakers: np.ndarray) -> pa.Array:
    return addresses(plan, "posted IP", ids)


def _numeral(stream: str, width: int, before: str = "") -> Maker:
    def make(plan: Plan, ids: np.ndarray, speakers: np.ndarray) -> pa.Array:
        number = join(before, digits(width, plan.draws.below(stream, ids, 10**width)))
        return _typed(plan, stream, ids, number, (full_width,))

    return make


def _licence(plan: Plan, ids: np.ndarray, speakers: np.ndarray) -> pa.Array:
    office = pick(("30", "43", "44", "45", "50", "54", "62", "90"), plan.draws.below("licence office", ids, 8))
    return join(
        office, digits(2, plan.draws.below("licence year", ids, 24)), digits(8, plan.draws.below("licence", ids, 10**8))
    )


def _passport(plan: Plan, ids: np.ndarray, speakers: np.ndarray) -> pa.Array:
    letters = pick(("TK", "TZ", "MU", "TR", "TS"), plan.draws.below("passport letters", ids, 5))
    return join(letters, digits(7, plan.draws.below("passport", ids, 10**7)))


_HANDLE_WORDS = (
    "mogu",
    "purin",
    "kotori",
    "hoshi_mama",
    "ponpon",
    "nemui",
    "usagi",
    "tsukimi",
    "warabi",
    "ohana",
    "sorairo",
)

_SITES = (
    *(
        "https://blog.example.jp/",
        "https://www.example.com/u/",
        "http://mama-diary.example/profile?id=",
        "example.jp/~",
    ),
    *(
        "https://www.instagram.example/",
        "https://lin.example/ti/p/",
        "ｈｔｔｐｓ：／／ｂｌｏｇ．ｅｘａｍｐｌｅ．ｊｐ／",
    ),
)

_TEST_CARDS = (
    *(
        "4111 1111 1111 1111",
        "4242 4242 4242 4242",
        "4012 8888 8888 1881",
        "5555 5555 5555 4444",
        "5105 1051 0510 5100",
    ),
    *("3530 1113 3330 0000", "3566 0020 2036 0505", "6011 1111 1111 1117", "3782 822463 10005", "3714 496353 98431"),
)

MENTIONS: tuple[Mention, ...] = (
    Mention(
        120,
        "phone",
        (
            "急ぎの方は{}まで電話ください",
            "私の番号です→{}",
            "電話{}にかけてもつながらなくて",
            "TEL:{}(夜のみ)",
            "携帯は{}、SMSでもOK",
        ),
        _phone,
    ),
    Mention(
        90,
        "e-mail",
        (
            "{} にメールください",
            "連絡先:{}",
            "アドレスは{}です、＠は半角で",
            "写真は {} へ送ってもらえますか",
            "捨てアドですが「{}」です",
        ),
        _email,
    ),
    Mention(
        60,
        "LINE",
        ("LINEのIDは{}です", "ラインしませんか？ {} で検索して", "LINE→{}", "よかったらLINE ID:{} 追加してね"),
        _line_id,
    ),
    Mention(50, "X", ("Xもやってます {}", "垢は{}です、フォローどうぞ", "ツイッター{}でつぶやいてる"), _x_handle),
    Mention(60, "URL", ("くわしくは{} に書きました", "これ見て！{}", "{}\nうちのブログです"), _url),
    Mention(30, "postal code", ("郵便番号は{}です", "{}のあたりで探してます", "うちは{}なので送料が高い"), _postal),
    Mention(
        60,
        "address",
        ("住所は{}です", "{}に住んでます。近い人いますか", "送り先→{}", "引っ越し先が{}に決まりました"),
        _address,
    ),
    Mention(60, "own name", ("{}と申します", "本名は{}です", "宛名は{}でお願いします", "（{}）"), _own_name),
    Mention(
        70,
        "surname",
        (
            "{}さんに聞いたら教えてくれました",
            "担任の{}先生がこわい",
            "隣の{}さんとばったり",
            "ママ友の{}さんも同じこと言ってた",
        ),
        _surname,
    ),
    Mention(40, "given name", ("{}ちゃんママありがとう", "妹の{}が出産しました", "友だちの{}と遊んできた"), _given),
    Mention(
        120,
        "child",
        (
            "うちの{}ちゃんが立ちました",
            "{}くん、明日からはじめての園です",
            "{}がまた熱を出して",
            "名前は{}にしました",
            "{}たんがかわいすぎる",
        ),
        _child,
    ),
    Mention(
        70,
        "school",
        ("{}に通ってます", "来年から{}です", "{}の先生方ってどうですか", "見学は{}がよかったです"),
        _school,
    ),
    Mention(50, "clinic", ("{}で産みました", "{}の先生が親切でした", "予約は{}にしてます"), _clinic),
    Mention(
        40, "birth date", ("{}生まれです", "誕生日は{}なんだけど同じ人いる？", "生年月日{}で登録したのに"), _birth_date
    ),
    Mention(15, "card", ("カード番号{}で払えなくて", "{}のカードが使えません", "間違えて{}って送っちゃった"), _card),
    Mention(
        15,
        "My Number",
        ("マイナンバー{}を書く欄がない", "個人番号は{}で合ってるはず", "マイナンバーカードの{}ってどこに使うの"),
        _my_number,
    ),
    Mention(
        12,
        "bank account",
        ("みどり銀行 本店 普通 {}に振り込んで", "口座番号{}です", "振込先:普通{} 名義は旦那"),
        _numeral("account", 7),
    ),
    Mention(
        8,
        "post bank",
        ("ゆうちょ 記号{}です、番号は明日送ります", "ゆうちょ銀行 記号{}"),
        _numeral("post bank", 4, "1"),
    ),
    Mention(12, "IP", ("荒らしのIPは{}らしい", "管理人さん、{}を止めてください", "接続元が{}って出ます"), _ip),
    Mention(8, "licence", ("免許証番号{}を聞かれた", "運転免許の番号が{}なんだけど"), _licence),
    Mention(8, "passport", ("パスポート{}の期限が切れてた", "旅券番号{}"), _passport),
    Mention(
        8, "health insurance", ("保険証の保険者番号{}です", "被保険者番号は{}だったかな"), _numeral("insurance", 8)
    ),
    Mention(
        6, "pension", ("基礎年金番号{}で照会しました", "年金番号が{}って書いてある"), _numeral("pension", 6, "4193")
    ),
)
"""Every kind of identifier that is planted in postings."""
