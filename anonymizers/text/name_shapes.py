"""
What a stretch of letters would be as a name: which script, how common, and whether it is a word as well.

Every function is of the letters alone; what stands around them is `anonymizers.text.name_candidates`'. The shapes are
words such as ``kanji more given and word``: features, whose points are in ``person_points.csv``.
"""

from functools import cache, lru_cache

import regex

from anonymizers.text import name_lists
from anonymizers.text.expressions import quick
from anonymizers.text.name_lists import usual

Shape = tuple[str, ...]
"""Features; empty for what nobody is called."""

KANJI, HIRAGANA, KATAKANA, LATIN, OTHER = "khtl "

UNLISTED = "hiragana unknown"
"""The shape of hiragana that no list has."""

LONGEST_UNLISTED = 4
"""Code points of hiragana above which they are nobody's name without a list."""

LONGEST_KANJI, LONGEST_MIXED = 5, 6
"""Code points of a name in kanji, and in kanji and kana, above which the dictionary is not asked."""

_RANGES = (
    (KANJI, "一鿿々々ヶヶ\uf900\ufaff\U00020000\U0003ffff"),
    (HIRAGANA, "ぁゖ"),
    (KATAKANA, "ァヵヷヺ"),
    (LATIN, "AZaz"),
    ("-", "ーー"),
)


class _Scripts(dict):
    """Per code point the letter of its script; filled as code points are met."""

    def __missing__(self, code: int) -> str:
        character = chr(code)
        for script, ranges in _RANGES:
            if any(first <= character <= last for first, last in zip(ranges[::2], ranges[1::2], strict=True)):
                return self.setdefault(code, script)
        return self.setdefault(code, OTHER)


_SCRIPTS = _Scripts()
_DRAWN_OUT = regex.compile(f"(?<={HIRAGANA}-*)-")


def scripts(text: str) -> str:
    """Per code point the letter of its script: k kanji, h hiragana, t katakana, l Latin, space for all else."""
    found = text.translate(_SCRIPTS)
    return _DRAWN_OUT.sub(HIRAGANA, found).replace("-", KATAKANA) if "-" in found else found


# Who one is to the writer, greetings, eras and shops: names to the dictionary or the lists, and nobody's here.
_NEVER = quick(
    "よろしく|ヨロシク|ありがと|アリガト|ごめん|すいません|すみません|スミマセン|はじめまして|おはよう|こんにちは|こんばんは|初投稿|"
    "笑|泣|汗|これ|それ|あれ|どれ|ここ|そこ|どこ|うち|うちの|うちも|ウチ|こっち|そっち|リンク|サイト|アプリ|"
    "娘|息子|[長次三四][女男]|末娘|末っ子|[上下]の子|お?[姉兄](?:ちゃん)?|妹|弟|双子|孫|姪っ?子?|甥っ?子?|いとこ|イトコ|従[兄姉][弟妹]|夫|旦那|だんな|ダンナ|主人|妻|嫁|彼氏?|"
    "[元義](?:母|父|姉|妹|兄|弟|夫)|お?[母父]|祖[母父]|ママ|パパ|子ども|子供|こども|赤|赤ちゃん|皆|みんな|ベビ|べび|ベビー|わん|にゃん|友達|友人|親友|ママ友|パパ友|"
    "同僚|先輩|後輩|上司|部下|同級生|担任|主治医|担当医?|園長|院長|校長|保育士|助産師|保健師|看護師|先生|保護者|会長|部長|店長|代表|幹事|コーチ|令和|平成|昭和|大正|明治|"
    "(?:花|八百|肉|魚|本|薬|米|酒|床|居酒|不動産|電気|パン|ケーキ|クリーニング|ラーメン|そば|うどん|写真|文房具|自転車|おもちゃ|着物|靴|服|質|何でも)屋"
)


@lru_cache(maxsize=1 << 12)
def is_never(name: str) -> bool:
    """Whether it is a word for whom one is to the writer, an era or a shop, which may stand where names do."""
    return _NEVER.fullmatch(name) is not None


@lru_cache(maxsize=1 << 16)
def made_of(name: str, kind: str) -> tuple[Shape, str]:
    """
    What a stretch of letters is made of.

    Args:
        name: Letters of any script.
        kind: Of the tokenizer's word if it is just one word, else empty.

    Returns:
        Its shape as one name, and what sort of surname it would be before a given name (`surname`).
    """
    script = "".join(set(scripts(name)))
    shape, sort = _of_script(name, script, kind), _surname(name, script)
    if not (shape or sort) or is_never(name):
        return (), ""
    tagged = (f"{shape[0].partition(' ')[0]} tagged {kind}",) if shape and kind else ()
    return (*shape, *tagged), sort


def _of_script(name: str, script: str, kind: str) -> Shape:
    if script == KANJI:
        return _kanji(name, tagged_person=kind == "person")
    if script in (HIRAGANA, KATAKANA):
        shape = _kana("hiragana" if script == HIRAGANA else "katakana", name)
        return (*shape, f"{shape[0].split(' ')[0]} in pieces") if shape and not kind else shape
    if script == LATIN:
        return _latin(name, tagged=kind in ("surname", "given", "person"))
    if usual(name) not in name_lists.mixed():
        return ()
    known = name_lists.entry(name)
    return ("mixed name",) if known.given or known.surname else ()


def _kanji(name: str, *, tagged_person: bool) -> Shape:
    if len(name) > LONGEST_KANJI:
        return ("kanji person",) if tagged_person else ()
    known = name_lists.entry(name)
    if known.given or known.surname:
        sort = "either" if known.given and known.surname else "given" if known.given else "surname"
        word = " and word" if known.common else " and place" if known.place else ""
        shape = f"kanji {'one' if len(name) == 1 else 'more'} {sort}{word}"
        if name in name_lists.everyday():
            return (shape, "of every day")
        return (shape, f"given like {_rank(name_lists.likeness(name))}") if 2 <= len(name) <= 3 else (shape,)
    if 2 <= len(name) <= 3:
        likeness = name_lists.likeness(name)
        plausible = "plausible" if likeness >= name_lists.PLAUSIBLE else "unknown"
        return (f"kanji {plausible}{' and word' if any(known) else ''}", f"given like {_rank(likeness)}")
    return ("kanji person",) if tagged_person else ("kanji one other",) if len(name) == 1 else ()


def _kana(script: str, name: str) -> Shape:
    if len(name) < 2:
        return ()
    found = name_lists.reading(name)
    if not found.given and found.surname < 2 and (len(name) > (8 if script == "katakana" else 4)):
        return (f"{script} nickname",) if _is_nickname(name) else ()  # the dictionary need not be asked
    known = name_lists.entry(name)
    size = "two" if len(name) == 2 else "more"
    word = " and word" if known.common else ""
    if found.given:
        return (f"{script} {size} {_rank(found.given)}{word}",)
    if found.surname >= 2:
        return (f"{script} surname {size}{word}",)
    if _is_nickname(name):
        return (f"{script} nickname",)
    if script == "katakana" and len(name) <= 8:
        return (f"katakana {'common' if known.common else 'place' if known.place else 'unknown'}",)
    return (UNLISTED,) if len(name) <= LONGEST_UNLISTED and not known.common and not known.place else ()


@cache
def unlisted(kind: str, pieces: str) -> Shape:
    """The shape of hiragana that no list has, if they are no word: `kind` as `made_of`, or of what words they are."""
    return (UNLISTED, f"hiragana tagged {kind}") if kind else (UNLISTED, "hiragana in pieces", pieces)


def is_word(kana: str) -> bool:
    """Whether hiragana that no list has are a word or a place, or never a name."""
    known = name_lists.entry(kana)
    return known.common or known.place or is_never(kana)


def _rank(writings: int) -> str:
    """How common a name is, by the number of its writings, each step about twice the one before."""
    steps = ((80, "everywhere"), (40, "often"), (20, "known"), (10, "some"), (5, "few"), (2, "seldom"))
    return next((rank for least, rank in steps if writings >= least), "rare")


NICKNAME_ENDINGS = (
    "っち", "ッチ", "っぴ", "ぴ", "ぴー", "ぽん", "ポン", "りん", "リン", "ぴょん", "みん", "たん", "ちょ", "ちゅん",
    "っしー", "のすけ", "すけ", "たろ", "ぞう", "ぼん", "っこ",
)  # fmt: skip
"""What makes a name small."""

_NICKNAME = quick(f"(?P<name>[ぁ-ゖァ-ヺー]{{2,4}}?)(?:{'|'.join(NICKNAME_ENDINGS)})")


def _is_nickname(name: str) -> bool:
    """まいぽん, さやっち: the beginning of a name and an ending that makes it small."""
    match = _NICKNAME.fullmatch(name)
    return match is not None and name_lists.reading(match["name"]).given >= 2


def _latin(name: str, *, tagged: bool) -> Shape:
    if len(name) < 2:
        return ()
    case = "small" if name.islower() else "large"
    if max(name_lists.romaji(name)) >= 3:
        return (f"latin {case} {'two' if len(name) <= 4 else 'more'}",)
    if case == "small" or len(name) < 3:
        return ()
    return ("latin tagged",) if tagged else ("latin unknown",)


def surname(name: str) -> str:
    """What sort of surname: kanji, word (one that is a word too), one (kanji), kana, latin; empty if none."""
    return _surname(name, "".join(set(scripts(name))))


def _surname(name: str, script: str) -> str:
    if script == KANJI:
        if len(name) > LONGEST_KANJI:
            return ""
        known = name_lists.entry(name)
        return "" if not known.surname else "one" if len(name) == 1 else "word" if known.common else "kanji"
    if script in (HIRAGANA, KATAKANA):
        return "kana" if len(name) > 1 and name_lists.reading(name).surname >= 3 else ""
    return "latin" if script == LATIN and name_lists.romaji(name).surname else ""


@lru_cache(maxsize=1 << 15)
def given(name: str) -> str:
    """What sort of given name: kanji, word, plausible, kana, mixed, latin; empty if none."""
    script = "".join(set(scripts(name)))
    if script in (HIRAGANA, KATAKANA):
        return "kana" if len(name) > 1 and name_lists.reading(name).given >= 3 else ""
    if script == LATIN:
        return "latin" if name_lists.romaji(name).given >= 2 else ""
    if len(name) > LONGEST_MIXED or (script != KANJI and usual(name) not in name_lists.mixed()):
        return ""
    known = name_lists.entry(name)
    if script != KANJI:
        return "mixed" if known.given and not known.common else ""
    if known.given:
        return "word" if known.common else "kanji"
    if not 2 <= len(name) <= 3 or not name_lists.is_plausible_given(name):
        return ""
    return "plausible word" if any(known) else "plausible"


def masked(name: str) -> Shape:
    """What a name is made of whose letters stood apart (ゆ☆い, た な か); `name` is without what was between."""
    shape, _ = made_of(name, "noun")
    if not shape or "unknown" in shape[0]:
        full = any(surname(name[:at]) and given(name[at:]) for at in range(1, len(name)))
        return ("masked full",) if full else ("masked unknown",) if shape else ()
    return ("masked listed",)


@cache
def pair(one: str, other: str, how: str) -> Shape:
    """The feature of a full name, by the sorts of its two parts, and ``joined`` or ``spaced``."""
    return (f"full {one} {other} {how}",)
