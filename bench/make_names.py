"""
Make the name lists of `anonymizers/text` anew, from the dictionary that is installed.

    python -m bench.make_names

Source: Sudachi's core dictionary (Apache-2.0), its entries 固有名詞-人名. A reading is worth more the more ways
there are to write it: ハルト has 57, and a reading of one old book has one. The counts stand in for a frequency,
which the dictionary does not give.
"""

import csv
import re
import unicodedata
from collections import Counter, defaultdict
from pathlib import Path

from anonymizers.text.name_lists import LONGEST_READING
from anonymizers.text.name_shapes import LONGEST_MIXED, scripts
from anonymizers.text.tokenizer import dictionary

PLACE = Path(__file__).parents[1] / "anonymizers" / "text"
KINDS = {"名": "given", "姓": "surname"}
_KANA = re.compile(f"[ァ-ヺー]{{2,{LONGEST_READING}}}")
_KANJI = re.compile("[一-鿿々]{2,3}")


def main() -> None:
    """Write ``name_readings.csv``, ``name_characters.csv`` and ``name_mixed.csv``."""
    writings: dict[str, dict[str, set[str]]] = {kind: defaultdict(set) for kind in KINDS.values()}
    for entry in dictionary().entries():
        *_, field, kind = entry.part_of_speech()[:4]
        if field == "人名" and kind in KINDS:
            writings[KINDS[kind]][entry.reading_form()].add(entry.surface())
    _write("name_readings.csv", ("reading", "given", "surname"), _readings(writings))
    given = {writing for found in writings["given"].values() for writing in found if _KANJI.fullmatch(writing)}
    _write("name_characters.csv", ("character", "first", "last"), _characters(given))
    written = {writing for of in writings.values() for found in of.values() for writing in found}
    _write("name_mixed.csv", ("name",), _mixed(written))


def _readings(writings: dict[str, dict[str, set[str]]]) -> list[tuple]:
    """Per reading how many writings it has as a given name and as a surname; a surname's only one is left out."""
    given, surname = writings["given"], writings["surname"]
    rows = ((reading, len(given.get(reading, ())), len(surname.get(reading, ()))) for reading in {*given, *surname})
    return sorted(row for row in rows if _KANA.fullmatch(row[0]) and (row[1] or row[2] > 1))


def _characters(given: set[str]) -> list[tuple]:
    """Per kanji how many given names of two or three begin and end with it."""
    first, last = (Counter(name[at] for name in given) for at in (0, -1))
    return sorted((character, first[character], last[character]) for character in {*first, *last})


def _mixed(written: set[str]) -> list[tuple]:
    """The names written in more than one script, normalised as texts are, in either case of their Latin letters."""
    normalised = {unicodedata.normalize("NFKC", name) for name in written}
    both = {form for name in normalised for form in (name, name.lower()) if len(form) <= LONGEST_MIXED}
    return sorted((form,) for form in both if len(set(scripts(form))) > 1)


def _write(name: str, header: tuple[str, ...], rows: list[tuple]) -> None:
    with (PLACE / name).open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)


if __name__ == "__main__":
    main()
