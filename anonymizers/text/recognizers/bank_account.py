"""Bank account numbers."""

from anonymizers.text.patterns import CuedPatternRecognizer, Example, cue

# Seven digits are nothing by themselves; the kind of account is written before them.
_BANK = cue(
    "after the kind of account",
    r"(?:普通|当座|貯蓄|口座番号|口座|預金)(?:預金|口座)?[^0-9\n]{0,8}(?P<cued>[0-9]{6,8}|[0-9]{3}-[0-9]{4})(?![0-9]|円|-[0-9])",
)
_POST_SYMBOL = cue("ゆうちょ symbol", r"記号[は: ]{0,3}(?P<cued>[0-9]{5}(?:-[0-9])?)(?![0-9])")
_POST_NUMBER = cue(
    "ゆうちょ number", r"記号[は: ]{0,3}[0-9]{5}(?:-[0-9])?[^0-9\n]{0,8}(?P<cued>[0-9]{2,8})(?![0-9]|円)"
)
_POST_BOTH = cue(
    "ゆうちょ symbol and number", r"ゆうちょ[^0-9\n]{0,8}(?P<cued>[0-9]{5}(?:-[0-9])?-[0-9]{2,8})(?![0-9])"
)

EXAMPLES = (
    Example("架空銀行さくら支店 普通 1234567 に振り込んで", ("1234567",)),
    Example("ゆうちょ 記号１０００１ 番号１２３４５６７１です", ("１０００１", "１２３４５６７１")),
    Example("ゆうちょ10001-12345671まで", ("10001-12345671",)),
    Example("普通に1234567円かかった。普通の1200グラム", ()),
)


def recognizer() -> CuedPatternRecognizer:
    """Finds BANK_ACCOUNT; bank and branch names are not part of it."""
    return CuedPatternRecognizer("BANK_ACCOUNT", _BANK, _POST_SYMBOL, _POST_NUMBER, _POST_BOTH)
