"""
Addresses as they would be without their disguises.

What `anonymizers.text.normalisation.unmask` leaves, because elsewhere it is no disguise: a star or slash between all
parts of an address, a space after each letter, house numbers in kana, and numerals of several kinds in one number.
"""

import unicodedata
from collections.abc import Iterator

import regex

from anonymizers.text.normalisation import Edit, Normalised, edited
from anonymizers.text.patterns import quick

_KANJI = "〇一二三四五六七八九"
_ENCLOSED = "\u2460-\u2473\u24ea\u24f5-\u24fd\u2776-\u277e\u2780-\u2788"
_PIECE = "[ぁ-ゖァ-ヺー一-鿿々ヶA-Za-z0-9]"
_MARK = r"(?: ?[・*_/~|.,、。♪♡♥★☆→>\p{So}] ?)"
# Two pieces or more before a third, all with the same mark between them; a digit in it, and a municipality.
_STARRED = regex.compile(rf"{_PIECE}{{1,12}}+(?P<mark>{_MARK}){_PIECE}{{1,12}}+(?:(?P=mark){_PIECE}{{1,12}}+){{1,8}}+")
_SPACED = regex.compile(r"[ぁ-ゖァ-ヺー一-鿿々](?: [ぁ-ゖァ-ヺー一-鿿々]){3,40}+(?: [0-9]{1,5}(?![0-9])){0,4}+")
_OF_PLACE = regex.compile("[市区町村郡県都府道台丘]")
_NUMBERED = regex.compile("[0-9]")

_ONES = "ぜろ|れい|まる|いち|に|さん|よん|し|ご(?!う)|ろく|なな|しち|はち|きゅう|く"
_DIGITS = dict(zip(_ONES.replace("(?!う)", "").split("|"), (0, 0, 0, 1, 2, 3, 4, 4, 5, 6, 7, 7, 8, 9, 9), strict=True))
_KANA_NUMBER = f"(?:(?:{_ONES})?じゅう(?:{_ONES})?|(?:{_ONES}){{1,4}}|[0-9]{{1,4}}+)"
_LINK = "(?:ちょうめ|ばんち|ばん|ごう|の|-|ー| )"
# Without ちょうめ three numbers are an address, right behind a town's last kanji.
_SPOKEN = regex.compile(
    f"{_KANA_NUMBER} ?ちょうめ(?:の? ?{_KANA_NUMBER}(?:{_LINK}{{1,2}}{_KANA_NUMBER}){{0,3}}(?:ばんち?|ごう)?)?"
    f"|(?<=[一-鿿])(?:{_ONES}|じゅう){{1,3}}(?:の{_KANA_NUMBER}){{2,3}}"
)
_SPOKEN_PART = regex.compile(f"(?P<number>{_KANA_NUMBER})(?P<link>ちょうめの?|ばんちの?|ばんの?|ごう|の|ー)?")
_LINKS = {"ちょうめ": "丁目", "ばんち": "番地", "ばん": "番", "ごう": "号", "の": "-", "ー": "-"}
_ONE_KANA = regex.compile(f"(?P<tens>(?:{_ONES})?)(?P<ten>じゅう)(?P<ones>(?:{_ONES})?)")

_MIXED = regex.compile(
    f"(?<=[0-9{_ENCLOSED}]-)[{_KANJI}十]{{1,4}}+(?![丁番号])|(?<![{_KANJI}十])[{_KANJI}十]{{1,4}}+(?=-[0-9{_ENCLOSED}])"
    f"|[{_ENCLOSED}](?= ?(?:丁目|番|号|-?[0-9{_ENCLOSED}]))|(?<=[0-9{_KANJI}{_ENCLOSED}]-?)[{_ENCLOSED}]"
)
_ANY = quick(
    rf"ちょうめ|[一-鿿](?:{_ONES}|じゅう){{1,3}}の(?:{_ONES})|[{_ENCLOSED}]|-[{_KANJI}十]|[{_KANJI}十]-|"
    rf"[市区町村郡県都府道](?:{_MARK}| ){_PIECE}"
)


def undisguised(reading: Normalised) -> Normalised | None:
    """A reading in which the disguises are undone; None if there are none."""
    if not _ANY.search(reading.text):
        return None
    edits: list[Edit] = []
    for edit in sorted((*_marks(reading.text), *_spoken(reading.text), *_mixed(reading.text))):
        if not edits or edit[0] >= edits[-1][1]:
            edits.append(edit)
    return edited(reading, edits) if edits else None


def _marks(text: str) -> Iterator[Edit]:
    """What stands between all parts: a hyphen between numbers, nothing elsewhere."""
    for match in (*_STARRED.finditer(text), *_SPACED.finditer(text)):
        if not (_OF_PLACE.search(match[0]) and _NUMBERED.search(match[0])):
            continue
        mark = regex.escape(match["mark"] if "mark" in match.groupdict() else " ")
        for between in regex.finditer(mark, text, pos=match.start(), endpos=match.end()):
            numbers = text[between.start() - 1].isdecimal() and text[between.end()].isdecimal()
            yield (*between.span(), "-" if numbers else "")


def _spoken(text: str) -> Iterator[Edit]:
    """ごちょうめさんじゅうろくのじゅうなな."""
    for match in _SPOKEN.finditer(text):
        for part in _SPOKEN_PART.finditer(text, match.start(), match.end()):
            link = (part["link"] or "").removesuffix("の") or (part["link"] or "")
            yield (*part.span(), str(_kana_number(part["number"])) + _LINKS.get(link, ""))


def _kana_number(kana: str) -> int:
    if kana.isdecimal():
        return int(kana)
    tens = _ONE_KANA.fullmatch(kana)
    if tens:
        return 10 * _DIGITS.get(tens["tens"], 1) + _DIGITS.get(tens["ones"], 0)
    return int("".join(str(_DIGITS[digit]) for digit in regex.findall(_ONES, kana)))


def _mixed(text: str) -> Iterator[Edit]:
    """Kanji and enclosed numerals that a hyphen joins to digits."""
    for match in _MIXED.finditer(text):
        if match[0][0] not in f"{_KANJI}十":
            yield (*match.span(), str(int(unicodedata.numeric(match[0]))))
        elif "十" in match[0]:
            tens, _, ones = match[0].partition("十")
            yield (*match.span(), f"{_KANJI.find(tens[-1:]) if tens else 1}{_KANJI.find(ones[:1]) if ones else 0}")
        else:
            yield (*match.span(), "".join(str(_KANJI.index(digit)) for digit in match[0]))
