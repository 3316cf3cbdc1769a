"""
Japanese postal codes.

Three and four digits may as well be a price range or a local telephone number: the mark, a word, or an address
after them decides; joined by a hyphen and by nothing else they are a postal code unless something says otherwise.
"""

from typing import Any

import regex
from presidio_analyzer import RecognizerResult

from anonymizers.text.artifacts import read
from anonymizers.text.patterns import (
    IN_BRACKETS,
    NOT_COUNTED,
    CuedPatternRecognizer,
    Example,
    at_least,
    beside,
    bracketed,
    cue,
    form,
    quick,
    run,
)
from anonymizers.text.places import fold_place, longest_from, places

_JOIN = " ?(?:[-ー−‐‑–—~.・*/のノ★☆♡♥♪♩♬✿❀●◆■\u2600-\u26ff\u2700-\u2775\u2794-\u27bf\U0001f300-\U0001faff] ?)?"
_CODE = f"[0-9]{{3}}{_JOIN}[0-9]{{4}}(?![0-9])"
_ALONE = r"(?<![0-9A-Za-z.,/#=¥-]|[0-9][ ():])"
# 500-1500円, 100-2000ml: a range, and not a code.
_NO_RANGE = (
    "(?![-0-9]|[.,][0-9]| ?(?:円|万|千|人|名|個|枚|本|回|件|冊|匹|年|月|日|時|分|秒|歩|倍|度|点|位|台|部|"
    "kcal|[A-Za-z%]))"
)

_MARKED = cue("after the mark", rf"(?P<cued>[〒〠〶] ?[::は]? ?{_CODE})")
_BRACKETED = cue("a group in brackets", bracketed("郵便番号", 7, 6))
_MARKED_BRACKETED = cue(
    "after the mark, a group in brackets",
    r"(?P<cued>[〒〠〶] ?:? ?(?:[(\[【] ?[0-9]{3} ?[)\]】] ?-? ?[0-9]{4}|[0-9]{3} ?-? ?[(\[【] ?[0-9]{4} ?[)\]】]))"
    r"(?![0-9])",
)
_WORDS = (
    "[〒〠〶]|郵便|ゆうびん|ユウビン|ハガキ|はがき|葉書|年賀|手紙|ジュウショ|じゅうしょ|住所|送り先|届け先|お届け|発送|送料|配達|配送|返信|封筒|宛|荷物|引っ?越し?先|ZIP|"
    "zip|Zip|地域|番地|検索"
)
_NAMED = cue("after a word", rf"(?:{_WORDS})[^0-9\n]{{0,24}}+\n?{_ALONE}(?P<cued>{_CODE}){_NO_RANGE}")
_FOLLOWED = cue("before a word", rf"{_ALONE}(?P<cued>{_CODE}){_NO_RANGE}(?=[^0-9\n。]{{0,12}}(?:{_WORDS}))")
# What else is written in three and four digits says what it is.
_OTHER = (
    "型番|品番|製番|番号|電話|でんわ|TEL|Tel|tel|℡|☎|📞|FAX|Fax|fax|携帯|内線|直通|代表|局番|No|NO|no|ID|"
    "コード|口座|記号|管理|注文|追跡|予約|"
    "会員|診察|受付|整理|伝票|シリアル|ロット|型式|JAN|ISBN|約|値段|価格|予算"
)
# Its digits in any grouping, after a word that can mean nothing else.
_ANYHOW = cue(
    "after its name", rf"(?:[〒〠〶]|郵便番?号?|ゆうびん|ユウビン)[^0-9\n]{{0,16}}+\n?(?P<cued>{run(7)}){NOT_COUNTED}"
)
_BESIDE = beside("near a word", rf"{_ALONE}(?P<near>{_CODE}){_NO_RANGE}")
_NEAR = (
    rf"{_WORDS}|番地|丁目|マンション|アパート|宛|転送|引越|新居|返送|住んで|ゆうパック|ポスト(?!カード|イット)|カーナビ|送って(?:くだ|もら|ほし|ね)|生協|懸賞|応募|受け?取り|県|"
    r"[市区町村](?:に|の|です|内|在住)"
)
_SHAPED = form("by its hyphen", rf"(?<!(?:{_OTHER})[^0-9\n]{{0,6}}){_ALONE}(?P<value>[0-9]{{3}}-[0-9]{{4}}){_NO_RANGE}")
_NEEDED = quick("[0-9]{3}[^0-9]{0,3}[0-9]{4}")
_BEFORE_ADDRESS = regex.compile(rf"{_ALONE}{_CODE}(?=[\s、,)]{{0,3}}[ぁ-ゖ一-鿿々ァ-ヺ])")

# Numerals of several kinds, or on a line of their own: the word must stand right beside them.
_NUMERAL = "[0-9〇零一二三四五六七八九\u2460-\u2468\u24ea]"
_DISGUISED_CODE = f"{_NUMERAL}(?: ?{_NUMERAL}){{2}}{_JOIN}{_NUMERAL}(?: ?{_NUMERAL}){{3}}(?! ?{_NUMERAL})"
_DISGUISED = regex.compile(
    f"(?:[〒〠〶]|郵便番号?)[^0-9〇零一二三四五六七八九\u2460-\u2468\u24ea\n]{{0,6}}+\n?(?P<code>{_DISGUISED_CODE})"
    f"|(?P<code>{_DISGUISED_CODE})(?=[がはの、,って ]{{0,3}}(?:郵便|〒))"
)
_DISGUISED_CUE = regex.compile("[〒〠〶]|郵便")

EXAMPLES = (
    Example("引っ越し先は〒100-0000です", ("〒100-0000",)),
    Example("〒１００－００００と郵便番号1000000", ("〒１００－００００", "1000000")),
    Example("100-0000\n東京都", ("100-0000",)),
    Example("〒(100)0000に送って", ("〒(100)0000",)),
    Example("〒１００（００００）と、郵便番号は（100）0000", ("〒１００（００００）", "（100）0000")),
    Example("1000000 横浜市青葉区、100 0000川口市", ("1000000", "100 0000")),
    Example("うちは100-0000なんだけど、〒 １００ー００００", ("100-0000", "〒 １００ー００００")),
    Example("型番は100-0000で1000000円、電話は100-0000、500-1500円", ()),
)


class PostalCodeRecognizer(CuedPatternRecognizer):
    """Patterns, and seven digits that a prefecture or municipality follows."""

    def analyze(
        self, text: str, entities: list[str], nlp_artifacts: Any = None, regex_flags: int | None = None
    ) -> list[RecognizerResult]:
        """
        Find postal codes, with their 〒 where there is one.

        Returns:
            Spans in code points of `text`; they may overlap.

        Raises:
            TimeoutError: an expression took longer than `anonymizers.text.patterns.EXPRESSION_TIMEOUT_S`.
        """
        artifacts = read(text, nlp_artifacts)
        found = super().analyze(text, entities, artifacts, regex_flags)
        reading = artifacts.unmasked
        for match in _BEFORE_ADDRESS.finditer(reading.text) if _NEEDED.search(reading.text) else ():
            after = reading.text[match.end() : match.end() + 12].lstrip(" \n\t　、,)")
            listed = places()
            if any(longest_from(fold_place(after), 0, names) for names in (listed.prefectures, listed.municipalities)):
                found.append(self.result(*reading.original(*match.span()), 0.9))
        plain = artifacts.normalised
        if _DISGUISED_CUE.search(plain.text):
            codes = (match.span("code") for match in _DISGUISED.finditer(plain.text))
            found += [self.result(*plain.original(*span), 0.9) for span in codes]
        return found


def recognizer() -> PostalCodeRecognizer:
    """Finds POSTAL_CODE, with its 〒 where there is one."""
    return PostalCodeRecognizer(
        "POSTAL_CODE",
        _MARKED,
        _BRACKETED,
        _MARKED_BRACKETED,
        _NAMED,
        _FOLLOWED,
        _ANYHOW,
        _SHAPED,
        _BESIDE,
        near=_NEAR,
        needs=rf"{at_least(7)}|{IN_BRACKETS}",
    )
