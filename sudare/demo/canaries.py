"""
Planted members whose traces nothing published may hold.

Every demo site of at least 100 members has the same `CANARIES`, spread evenly through
the ids of the base day (`canary_ids`). Their names, addresses, children and postings
hold the word CANARY, the address 203.0.113.77 or a telephone number beginning
090-0000-9, which no other member has. `CANARY_PATTERN` finds any of these in
NFKC-normalised text. Some canaries validly consent to advertising: the digest of their
e-mail then rightly stands in a feed, the e-mail itself never.
"""

import re
from dataclasses import dataclass

import numpy as np

from sudare.demo.columns import FULL_WIDTH

CANARY_COUNT = 20

CANARY_IP = "203.0.113.77"

CANARY_PATTERN: re.Pattern[str] = re.compile(
    r"c\s*a\s*n\s*a\s*r\s*y"
    r"|(?<![0-9])203\.0\.113\.77(?![0-9])"
    r"|(?<![0-9a-f.])(?:0|\+?81[-ー−‐ .]?(?:\(0\))?)90[-ー−‐–— .()]*0000[-ー−‐–— .()]*9[0-9]{3}(?![0-9a-f])",
    re.IGNORECASE,
)
"""Any trace of a canary, in NFKC-normalised text: name or e-mail, IP address, telephone number."""


@dataclass(frozen=True, kw_only=True)
class Canary:
    """One planted member."""

    number: int
    email: str
    """As typed."""
    phone: str
    """As typed."""
    consented: bool
    """Holds a valid consent to ad_match."""
    opted_out: tuple[str, bool] | None
    """The kind of a standing opt-out, and whether it was told by e-mail only."""

    @property
    def canonical_email(self) -> str:
        """The address, half-width and in lower case."""
        return f"canary+{self.number:03d}@example.jp"

    @property
    def nickname(self) -> str:
        """The name on the boards."""
        return f"CANARYママ{self.number:03d}"

    @property
    def in_feeds(self) -> bool:
        """Whether the digest of the address may stand in an advertising feed."""
        return self.consented and (self.opted_out is None or self.opted_out[0] == "statistics")


def _typed_email(number: int) -> str:
    plain = f"canary+{number:03d}@example.jp"
    forms = (plain, plain.upper(), plain.translate(FULL_WIDTH), plain.replace("@", "＠"), f"\u3000{plain} ")
    return forms[number % len(forms)]


def _typed_phone(number: int) -> str:
    plain = f"090-0000-9{number:03d}"
    forms = (
        plain,
        plain.replace("-", ""),
        plain.translate(FULL_WIDTH),
        plain.replace("-", "ー"),
        f"+81 90 0000 9{number:03d}",
        plain.replace("-", " "),
        plain.replace("-", "").translate(FULL_WIDTH),
    )
    return forms[number % len(forms)]


_OPTED_OUT: dict[int, tuple[str, bool]] = {
    5: ("site_ad", False),
    6: ("article_35_stop", False),
    7: ("site_ad", True),
    8: ("article_35_stop", True),
    9: ("statistics", False),
}

CANARIES: tuple[Canary, ...] = tuple(
    Canary(
        number=number,
        email=_typed_email(number),
        phone=_typed_phone(number),
        consented=number < 14,
        opted_out=_OPTED_OUT.get(number),
    )
    for number in range(CANARY_COUNT)
)
"""Numbers 0–13 consent; of these 5–9 have opted out, 7 and 8 by e-mail only; 14–19 never consent."""

CANARY_EMAILS: tuple[str, ...] = tuple(canary.canonical_email for canary in CANARIES)
"""Every canary's address in canonical form."""

CANARY_EMAILS_IN_FEEDS: tuple[str, ...] = tuple(canary.canonical_email for canary in CANARIES if canary.in_feeds)
"""Those whose digests may stand in an advertising feed."""


def canary_ids(members: int) -> np.ndarray:
    """The member ids of `CANARIES`, in order: the middles of twenty equal parts of 1 … ``members``."""
    return (2 * np.arange(CANARY_COUNT) + 1) * members // (2 * CANARY_COUNT) + 1


FULL_NAMES: tuple[str, ...] = ("CANARY花子", "ＣＡＮＡＲＹ花子", "CANARY　花子", "C A N A R Y 花子", "Canary 花子")

ADDRESSES: tuple[str, ...] = ("CANARY町1-2-3", "ＣＡＮＡＲＹ町１−２−３", "CANARY町1丁目2番3号 CANARYハイツ101")

CHILD_NICKNAMES: tuple[str, ...] = ("CANARYちゃん", "ＣＡＮＡＲＹちゃん", "CANARYくん", "C A N A R Y ちゃん")

FACILITIES: tuple[str, ...] = ("CANARY保育園", "ＣＡＮＡＲＹ幼稚園", "CANARY小学校")

MEDICAL_NOTE = "CANARYアレルギー(卵)。CANARYクリニックに通院"

THREAD_TITLES: tuple[str, ...] = (
    "CANARY花子さんを知っている方いますか？",
    "ＣＡＮＡＲＹ花子の育児日記",
    "C A N A R Y ちゃんのお下がり譲ります",
)

BODIES: tuple[str, ...] = (
    "はじめまして、CANARY花子です。うちのCANARYちゃん、最近よく食べます😊",
    "ＣＡＮＡＲＹ花子と申します。連絡は canary+{n:03d}@example.jp までお願いします。",
    "急ぎの方は０９０－００００－９{n:03d}に電話ください！",
    "C A N A R Y 花子です。090-0000-9{n:03d} です。夜は出られませんｗ",
    "送り先は CANARY町1-2-3 です。\n宛名はＣ　Ａ　Ｎ　Ａ　Ｒ　Ｙ　花子でお願いします",
    "荒らしのIP、203.0.113.77 でしたよ(´・ω・｀)",
    "ｃａｎａｒｙ＋{n:03d}＠ｅｘａｍｐｌｅ．ｊｐ に写真送ってもらえますか？",
    "うちはCANARY保育園です。先生もみんな優しいし、給食もおいしいらしい。\tおすすめ",
    "電話番号は0900000９{n:03d}です。CANARYくんのママより",
    '２０３．０．１１３．７７ からの書き込みが続いてます。"CANARY花子"って誰？',
)
"""Bodies of planted postings; ``{n:03d}`` is the canary's number."""
