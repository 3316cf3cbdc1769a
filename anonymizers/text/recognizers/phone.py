"""Japanese telephone numbers."""

import phonenumbers
import regex

from anonymizers.text.expressions import either
from anonymizers.text.patterns import NOT_COUNTED, SEPARATOR, CuedPatternRecognizer, Example, beside, cue, digits, form

# Part of the number only where it is closed after the area code; else it opens a remark.
_BRACKET = r"(?:\((?=0[0-9]{1,4}\)))?"
_GAP = r"[-. ()・/]{1,3}"
_EXTENSION = r"(?: ?\(?(?:内線|ext\.?) ?[:番号は]{0,3} ?[0-9]{1,5}\)?)?"

_BEGINS = r"(?<![0-9])(?:\(?0[-0-9. ()/・]|\+)"

# Mobile and IP numbers are unmistakable by their first three digits, so any grouping is taken.
_MOBILE = form(
    "mobile",
    rf"(?i)(?<![0-9])(?<![0-9]-)(?P<value>{_BRACKET}0[-. ]?[5-9][-. ]?0"
    rf"(?:{SEPARATOR}[0-9]){{8}}{_EXTENSION})(?![0-9])",
    _BEGINS,
)
_LINES = form("mobile over lines", r"(?<![0-9])(?P<value>0[5-9]0[- ]?\n?[0-9]{4}[- ]?\n?[0-9]{4})(?![0-9])", _BEGINS)
_GROUPED = form(
    "landline in groups",
    rf"(?i)(?<![0-9])(?<![0-9]-)(?P<value>{_BRACKET}0[1-9][0-9]{{0,3}}{_GAP}[0-9]{{1,4}}{_GAP}[0-9]{{3,4}}{_EXTENSION})"
    rf"(?![0-9]|-[0-9])",
    _BEGINS,
)
_TOGETHER = form(
    "landline in one", rf"(?i)(?<![0-9])(?<![0-9]-)(?P<value>0[1-9][0-9]{{8}}{_EXTENSION})(?![0-9]|-[0-9])", _BEGINS
)
_ABROAD = form(
    "with country code", rf"(?<![0-9])(?P<value>(?:\+ ?81|0081|010-?81)(?:{SEPARATOR}[0-9]){{9,11}})(?![0-9])", _BEGINS
)

_WORD = (
    r"(?:電話|でんわ|デンワ|TEL|テル|携帯|けいたい|ケータイ|ケイタイ|連絡先|連絡網|着信|かけて|れんらくさき|レンラクサキ|連絡は|自宅|実家|職場|固定|"
    r"スマホ|FAX|ファックス|ファクス|番号は|ショートメール|SMS|ワン切り|"
    r"[\u260e\u260f\u2706\u2121\U0001f4de\U0001f4f1\U0001f4f2\U0001f919])"
)
_WORD_BEGINS = either(
    "電話 でんわ デンワ 着信 かけて レンラク tel テル 携帯 けいたい ケータイ ケイタイ 連絡 れんらく 自宅 実家 職場 "
    "固定 スマホ fax ファ 番号は ショート sms ワン切り 局番 内線 "
    "[\u260e\u260f\u2706\u2121\U0001f4de\U0001f4f1\U0001f4f2\U0001f919]"
)
# A number typed a digit short, or of an area code that does not exist, is somebody's all the same.
_NAMED = cue(
    "after a word",
    rf"(?i){_WORD}[^0-9+\n。]{{0,10}}+(?<![0-9])(?P<cued>\(?0(?:{SEPARATOR}[0-9]){{8,10}}{_EXTENSION})(?![0-9円])",
    _WORD_BEGINS,
)
_NO_TRUNK = cue(
    "after a word, without its first zero",
    rf"(?i){_WORD}[^0-9+\n。]{{0,10}}+(?P<cued>(?:81[- ]?)?[5-9]0-[0-9]{{4}}-[0-9]{{4}})(?![0-9])",
    _WORD_BEGINS,
)
_BEFORE_WORD = cue(
    "before a word",
    rf"(?i)(?<![0-9])(?<![0-9]-)(?P<cued>\(?0(?:{SEPARATOR}[0-9]){{9,10}})(?![0-9])"
    r"(?=[^0-9\n。、]{0,8}(?:電話|TEL|携帯|連絡|自宅|実家|かけて))",
    _BEGINS,
)
_LOCAL = cue(
    "without area code",
    r"(?i)(?:電話(?:番号)?|TEL|連絡先|自宅(?:の番号)?|実家(?:の番号)?|FAX|局番(?:なし|無し|"
    r"省略))[はが: ・.で)\u260e]{0,5}"
    r"(?P<cued>[0-9]{2,4}[-() ・]{1,2}[0-9]{4})(?![0-9]|-[0-9]|円|年|人|名)",
    _WORD_BEGINS,
)
_EXTENSION_ALONE = cue("extension", r"内線(?:番号)?[はが: ]{0,3}(?P<cued>[0-9]{2,5})(?![0-9])", _WORD_BEGINS)
_LOCAL_TOGETHER = cue(
    "without area code, in one",
    r"(?i)(?:電話番号|TEL)[は: ]{0,4}(?P<cued>[1-9][0-9]{5,7})(?![0-9円人件台])",
    _WORD_BEGINS,
)

_BESIDE = beside(
    "near a word",
    rf"(?<![0-9A-Za-z¥$#.,])(?<![0-9][-./ ])(?P<near>\(?0(?:{SEPARATOR}[0-9]){{9,10}}){NOT_COUNTED}",
    _BEGINS,
)
_NEAR = rf"{_WORD}|着信|電話|通話|かけ|留守電|出ない|迷惑|詐欺|営業|コール"

_LONG_PREFIXES = ("050", "060", "070", "080", "090")
_OTHER = regex.compile(
    r"(?i)(?:(?:伝票|追跡|問い?合わ?せ|注文|予約|受付|会員|型番|品番|製造|ロット|管理|整理|商品|診察券|お客様|"
    r"申込|申し込み|会議|ミーティング|抽選|"
    r"送り状|口座|免許証?|年金|保険者?証?|登録)の?"
    r"(?:番号|コード|No\.?|ナンバー|ID)|伝票|追跡|JAN|ISBN|型番|品番|シリアル|ロット|レシート"
    r"(?:No\.?)?)[はが: →(]{0,3}$"
)

EXAMPLES = (
    Example("携帯は090-0000-1234まで", ("090-0000-1234",)),
    Example("電話番号は080ー0000ー1234です", ("080ー0000ー1234",)),
    Example("０９０　００００　１２３４にお願いします", ("０９０　００００　１２３４",)),
    Example("①09000001234②0300001234", ("09000001234", "0300001234")),
    Example("園の番号 (03)0000-1234 か 0120-000-123", ("(03)0000-1234", "0120-000-123")),
    Example("+81 90-0000-1234に送って", ("+81 90-0000-1234",)),
    Example("TEL 0000-1234（市内）", ("0000-1234",)),
    Example("ゼロキューゼロ、いちにさんよん、〇〇一二へ", ("ゼロキューゼロ、いちにさんよん、〇〇一二",)),
    Example("〇九〇の一二三四の五六七八、O9O-I234-5678", ("〇九〇の一二三四の五六七八", "O9O-I234-5678")),
    Example("2024-04-06に0.5mlを3回、伝票は090000012345、注文番号0312345678、0212-34-5678", ()),
)


class _Phone(CuedPatternRecognizer):
    """Numbers of the Japanese numbering plan, by digits and area code."""

    def accepts(self, match: "regex.Match[str]") -> bool:
        """Whether the number can be one; digits in a row after another number's name are that number."""
        if match.lastgroup == "cued":
            return True
        value = match["value"]
        if value.isdigit() and _OTHER.search(match.string[max(0, match.start() - 20) : match.start()]):
            return False
        return self.validate_result(value) is not False

    def validate_result(self, pattern_text: str) -> bool | None:
        """
        Whether the number fits the numbering plan (総務省 電気通信番号計画, in the metadata of `phonenumbers`).

        Mobile and IP numbers need eleven digits and no more; others ten (0800 eleven) and an area code there is.
        The digits after it are not held to those handed out: 0000 is what people put for a number withheld.
        """
        own = regex.split("(?i)内線|ext", pattern_text)[0]
        number = digits(own)
        if number.startswith(("81", "0081", "01081")):
            return None
        if number.startswith(_LONG_PREFIXES):
            return len(number) == 11
        if number.startswith("0800"):
            return len(number) == 11 or _in_plan(number)
        groups = regex.split(r"[-. ()・/]+", own.strip("() "))
        if len(number) != 10 or (len(groups) > 1 and len(groups[-1]) < 4 and not number.startswith(("0120", "0570"))):
            return False
        if number.startswith(("0120", "0570", "0990")):
            return True
        after_area = len(groups[0])
        places = (after_area,) if after_area < 6 else (2, 3, 4)
        return _in_plan(number) or any(
            number[p] in "019" and _in_plan(f"{number[:p]}2{number[p + 1 :]}") for p in places
        )


def _in_plan(number: str) -> bool:
    try:
        return phonenumbers.is_valid_number(phonenumbers.parse(number, "JP"))
    except phonenumbers.NumberParseException:  # 010 and what is no country's code
        return False


def recognizer() -> CuedPatternRecognizer:
    """
    Finds PHONE, with its extension.

    Presidio's PhoneRecognizer for JP is not used: it costs five times these patterns, a third of a whole
    analysis, and in 2,280 texts found nothing they do not (2026-11-24).
    """
    return _Phone(
        "PHONE",
        _MOBILE,
        _LINES,
        _GROUPED,
        _TOGETHER,
        _ABROAD,
        _BEFORE_WORD,
        _NAMED,
        _NO_TRUNK,
        _LOCAL,
        _LOCAL_TOGETHER,
        _EXTENSION_ALONE,
        _BESIDE,
        near=_NEAR,
        needs=r"[0-9](?:[-. ()/・\n]{0,3}[0-9]){5}|内線",
    )
