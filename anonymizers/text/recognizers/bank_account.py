"""Bank account numbers."""

import regex

from anonymizers.text.patterns import (
    NOT_COUNTED,
    CuedPatternRecognizer,
    Example,
    around,
    beside,
    bracketed,
    cue,
    gap,
    near,
)

_SEVEN = r"(?<![0-9])[0-9](?:[- ・]{0,2}+[0-9]){6}+(?![0-9]|円|-[0-9]|人|名(?!義))"
_KIND = r"(?:普通|当座|貯蓄|定期|総合)(?:預金|口座)?|[普当]\)|(?<![一-鿿])普(?=[ 0-9:])"
# Seven digits are nothing by themselves; the kind of account, the bank or the branch is written beside them.
_BANK = cue(
    "after the kind of account",
    rf"(?:{_KIND}|口座番号|口座|預金){gap(14)}(?P<cued>{_SEVEN}|[0-9]{{6,8}}(?![0-9]|円|-[0-9]))",
)
_WITH_BRANCH = cue(
    "branch and number, after the kind of account",
    rf"(?:{_KIND}|口座番号|口座|預金){gap(14)}(?P<cued>[0-9]{{3}}(?: ?- ?| )?[0-9]{{7}})(?![0-9]|円|-[0-9])",
)
_BRACKETED = cue("a group in brackets", bracketed(rf"(?:{_KIND}|口座番号|口座)", 7, 8))
_BRANCH_BEFORE = cue(
    "after bank or branch",
    rf"(?:支店|出張所|本店|銀行|信金|信用金庫|労金|農協|JAバンク|振込先?|振り込み先?|店番|"
    rf"支店番号)[^0-9\n。]{{0,14}}\n?"
    rf"(?:\(?[0-9]{{3}}\)?[^0-9\n。]{{1,14}}\n?)?(?P<cued>{_SEVEN})",
)
_AFTER = cue(
    "before the kind of account",
    rf"(?<![0-9-])(?P<cued>{_SEVEN})(?=[^0-9\n。]{{0,10}}(?:口座|普通預金|\(?普通\)?(?![にのなだじ])|当座|貯蓄|"
    rf"支店|に?振り?込))",
)
_BRANCH = cue(
    "branch number",
    r"(?:店番号?|支店番号|支店コード|店舗番号|店コード|店名|支店)[^0-9\n。A-Za-z]{0,5}(?P<cued>[0-9]{3})"
    r"(?=[^0-9円人名]|$)"
    r"(?=[^\n。]{0,30}\n?[^\n。]{0,14}[0-9]{3})",
)
_BRANCH_NAMED = cue(
    "branch number by its name",
    r"(?:店番号?|支店番号|支店コード|支店No\.?|店舗(?:コード|番号))"
    r"[はがの:、=→・( 「]{0,5}(?P<cued>[0-9]{3}|[0-9] {1,2}[0-9] {1,2}[0-9](?! ?[0-9]))(?![0-9]|円|-[0-9]{4}(?![0-9]))",
)
_BRANCH_AND_NUMBER = cue(
    "branch and number", rf"(?:口座|銀行|支店|振込|店番)[^0-9\n。]{{0,14}}\n?(?P<cued>[0-9]{{3}}[- ]{_SEVEN})"
)

# ゆうちょ: a symbol of five digits, perhaps one more, and a number of up to eight (ゆうちょ銀行 FAQ, read 2026-11-24).
_SYMBOL = r"[0-9](?:[- ・★☆♪♡♥●]{0,2}[0-9]){4}(?:[- ]?[0-9](?![0-9]))?"
_POST_SYMBOL = cue("ゆうちょ symbol", rf"記号{gap(6)}(?P<cued>{_SYMBOL})(?![0-9])")
_POST_NUMBER = cue(
    "ゆうちょ number",
    rf"記号{gap(6)}{_SYMBOL}[^0-9\n。]{{0,10}}+\n?[^0-9\n。]{{0,6}}+(?P<cued>[0-9](?:[- ]?[0-9]){{1,7}}+)(?![0-9]|円)",
)
_POST_BOTH = cue(
    "ゆうちょ symbol and number",
    r"(?:ゆうちょ|ユウチョ|郵貯|郵便局|ぱるる|通帳)[^0-9\n。]{0,14}\n?(?P<cued>[0-9]{5}[- ・/の~]{1,3}"
    r"(?:[0-9][- ]{1,2}(?=[0-9]{6}))?[0-9](?:[- ]?[0-9]){1,7}+)(?![0-9]|円)",
)
_POST_NUMBER_FIRST = cue(
    "ゆうちょ number before its symbol",
    r"番号[は:が ]{0,4}(?P<cued>[0-9]{2,8})(?=[^0-9\n。]{0,8}\n?記号[は:が ]{0,4}[0-9]{5}(?![0-9]))",
)
_POST_ALONE = cue(
    "ゆうちょ", r"(?:ゆうちょ|ユウチョ|郵貯|ぱるる)[^0-9\n。]{0,14}(?P<cued>[0-9]{7,8}|[0-9]{12,13})(?![0-9]|円)"
)

_NEAR = (
    r"口座|こうざ|コウザ|通帳|[預貯]金|振り?込|ふりこみ|フリコミ|入金|送金|銀行|支店|信金|ゆうちょ|ユウチョ|郵貯|"
    r"ぱるる|"
    r"キャッシュカード|引き?落と?し|普通|当座|貯蓄|店番|名義|労金|農協|バンク|"
    r"返金|謝礼|みずほ|UFJ|三井住友|りそな|SBI|信用組合|信組|ろうきん|JA(?![A-Z])"
)
_TOGETHER = beside(
    "branch and number, or symbol and number, near a word",
    r"(?<![0-9])(?<![0-9][-/.])(?P<near>(?:[0-9]{4}[- /・])?[0-9]{3}[- /・の]{1,2}[0-9]{7}|"
    rf"1[0-9]{{3}}0[- /・の]{{1,2}}[0-9]{{6,8}}|1[0-9]{{3}}0){NOT_COUNTED}",
)
_POST_BRANCH = cue(
    "ゆうちょ branch", r"(?:ゆうちょ|ユウチョ|銀行)[^\n。]{0,10}?(?P<cued>[〇零一二三四五六七八九0-9]{3})(?=支?店)"
)

EXAMPLES = (
    Example("架空銀行さくら支店 普通 1234567 に振り込んで", ("1234567",)),
    Example("ゆうちょ 記号１０００１ 番号１２３４５６７１です", ("１０００１", "１２３４５６７１")),
    Example("ゆうちょ10001-12345671まで", ("10001-12345671",)),
    Example("店番123 普通口座で番号が 123 4567", ("123", "123 4567")),
    Example("番号12345671 記号10001のゆうちょ", ("12345671", "10001")),
    Example("1234567（普通）架空支店です", ("1234567",)),
    Example("普通に1234567円かかった。普通の1200グラム、口座に1234567円", ()),
)


_ACCOUNT = regex.compile("ゆうちょ|ユウチョ|郵貯|ぱるる|振り?込|口座|銀行|通帳|支店|信金|普通|当座")
_INSURANCE = regex.compile("保険証|健保|国保|社保|けんぽ|資格確認|被保険者")


class _BankAccount(CuedPatternRecognizer):
    """記号 and 番号 are also an insurance card's."""

    def accepts(self, match: "regex.Match[str]") -> bool:
        """Whether what is around it is not of an insurance card alone."""
        near = around(match)
        return bool(_ACCOUNT.search(near)) or not _INSURANCE.search(near)


def recognizer() -> CuedPatternRecognizer:
    """Finds BANK_ACCOUNT: account and branch numbers; bank and branch names are not part of it."""
    return _BankAccount(
        "BANK_ACCOUNT",
        _BANK,
        _WITH_BRANCH,
        _BRACKETED,
        _BRANCH_BEFORE,
        _AFTER,
        _BRANCH,
        _BRANCH_NAMED,
        _BRANCH_AND_NUMBER,
        _POST_SYMBOL,
        _POST_NUMBER,
        _POST_BOTH,
        _POST_NUMBER_FIRST,
        _POST_ALONE,
        near("near a word", 7, 8),
        _TOGETHER,
        _POST_BRANCH,
        near=_NEAR,
        needs="返金|謝礼|みずほ|UFJ|三井住友|りそな|SBI|信用?組|ろうきん|JA|郵便局|こうざ|コウザ|[預貯]金|ふりこみ|フリコミ|[入送]金|キャッシュカード|引き?落と?し|名義|バンク|[普当]通?|口座|預金|支店|銀行|振り?込|記号|ゆうちょ|ユウチョ|郵貯|ぱるる|信金|店番|本店|農協|労金|"
        "通帳|貯蓄|定期",
    )
