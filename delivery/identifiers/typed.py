"""What was typed, read before a rule of any destination is applied to it."""

import base64
import binascii
import re
import unicodedata

from delivery.identifiers.refusals import Refusal, Refused
from delivery.match_keys import UNSEEN
from delivery.spec import Digest

LONGEST = 10_000
"""Characters of a value. LiveRamp takes no longer row; no address, name or number comes near."""

HALF_A_CHARACTER = re.compile("[\ud800-\udfff]")
"""JSON can say one; no encoding of text can."""

_UNSEEN = re.compile(UNSEEN)
_HYPHENS = re.compile(r"[\u2010-\u2015\u2212\u30fc]")
"""Among digits a long vowel is a hyphen too: on a Japanese keyboard they are one key."""

_HEXADECIMAL = re.compile(r"(?:0x)?[0-9a-f]{32}|(?:0x)?[0-9a-f]{40}|(?:0x)?[0-9a-f]{64}|0x[0-9a-f]+", re.IGNORECASE)
_BASE64 = re.compile(r"[A-Za-z0-9+/_-]{43}=?|[A-Za-z0-9+/_-]{27}=|[A-Za-z0-9+/_-]{22}==")

_NOTHING = frozenset(
    (
        *("none", "null", "nil", "n/a", "undefined", "unknown", "-", "--"),
        *("なし", "無し", "ナシ", "不明", "未設定", "未入力", "未登録", "匿名", "名無し", "ななし"),
    )
)


def half_width(text: str) -> str:
    """
    Letters, digits and kana of the usual width, composed, and nothing invisible.

    Not NFKC: that also makes ① of 1 and (株) of ㈱, and a name would be another.
    """
    folded = "".join(
        unicodedata.normalize("NFKC", c) if unicodedata.decomposition(c).startswith(("<wide>", "<narrow>")) else c
        for c in _UNSEEN.sub("", text)
    )
    return unicodedata.normalize("NFC", folded)


def plain(text: str) -> str:
    """For numbers and codes: NFKC, every hyphen one, nothing invisible, no space around."""
    return _HYPHENS.sub("-", unicodedata.normalize("NFKC", _UNSEEN.sub("", text))).strip()


def only(text: str, kinds: str) -> str:
    """The characters whose Unicode category begins with one of these letters, in lower case, composed."""
    kept = "".join(c for c in half_width(text).lower() if unicodedata.category(c)[0] in kinds)
    return unicodedata.normalize("NFC", kept)


def require_value(text: str) -> None:
    """
    Raises:
        Refused: it is empty, a placeholder, a digest, no Unicode, or longer than `LONGEST`.
    """
    if len(text) > LONGEST:
        raise Refused(Refusal.TOO_LONG)
    if HALF_A_CHARACTER.search(text):
        raise Refused(Refusal.MALFORMED)
    read = plain(text)
    if not read:
        raise Refused(Refusal.EMPTY)
    if is_placeholder(read):
        raise Refused(Refusal.PLACEHOLDER)
    if _HEXADECIMAL.fullmatch(read) or _BASE64.fullmatch(read):
        raise Refused(Refusal.ALREADY_HASHED)


def is_placeholder(text: str) -> bool:
    """Whether it says that there is nothing to say."""
    return text.lower() in _NOTHING


def digest_given(text: str) -> tuple[Digest, bytes]:
    """
    A digest that was handed in as one, in hexadecimal of either case or in base64.

    Returns:
        Its algorithm, by its length, and its bytes.

    Raises:
        Refused: it is no digest.
    """
    read = text.strip()
    try:
        if re.fullmatch(r"(?:[0-9a-fA-F]{2})+", read):
            value = bytes.fromhex(read)
        else:
            value = base64.b64decode(read, validate=True)
    except (binascii.Error, ValueError):
        raise Refused(Refusal.MALFORMED) from None
    for algorithm in Digest:
        if len(value) == algorithm.bytes:
            return algorithm, value
    raise Refused(Refusal.MALFORMED if read else Refusal.EMPTY)
