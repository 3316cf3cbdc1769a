"""Checks and the gate: values, a verdict, and no text from a row."""

import re

import pytest

from anonymizers.errors import GateRefused
from expectations import checks
from expectations.checks import IDENTIFIERS, Outcome, plain
from expectations.gate import require_green


def found(text: str) -> bool:
    """Whether any pattern is in a text, as the gate sees it."""
    return any(re.match(rf"(?is).*(?:{pattern})", plain(text)) for pattern in IDENTIFIERS)


REFUSED = {
    "an e-mail address": "連絡は hanako@example.jp まで",
    "a full-width e-mail address": "ｈａｎａｋｏ＠ｅｘａｍｐｌｅ．ｊｐ",
    "an e-mail address with spaces": "hanako @ example.jp",
    "an e-mail address with full-width spaces": "ｈａｎａｋｏ　＠　ｅｘａｍｐｌｅ．ｊｐ",
    "an e-mail address in capitals": "HANAKO@EXAMPLE.JP",
    "an e-mail address with a spelt-out sign": "hanako[at]example.jp",
    "an e-mail address with a star": "hanako★example.jp",
    "an e-mail address on a second line": "連絡先\nhanako@example.jp",
    "a mobile number": "090-1234-5678",
    "a mobile number without hyphens": "09012345678",
    "a full-width mobile number": "０９０－１２３４－５６７８",
    "a mobile number with long vowels for hyphens": "０９０ー１２３４ー５６７８",
    "a number in brackets": "03(1234)5678",
    "an international number": "+81 90 1234 5678",
    "a postal mark": "〒の会",
    "a postal code": "150-0001の会",
    "a full-width postal code": "１５０－０００１",
    "a digest of 32 digits": "0a" * 16,
    "a digest of 64 digits": "d" * 64,
    "a digest in capitals": "AB" * 32,
    "a member number of nine digits": "会員123456789さん",
    "a circled member number": "①②③④⑤⑥⑦⑧",
    "an e-mail address spaced letter by letter": "h a n a k o @ e x a m p l e . j p",
    "an e-mail address with two spaces": "hanako  @example.jp",
    "an e-mail address with a zero-width space at the sign": "hanako\u200b@example.jp",
    "an e-mail address with a zero-width space in the domain": "hanako@exam\u200bple.jp",
    "an e-mail address with a soft hyphen": "hanako@exam\u00adple.jp",
    "an e-mail address with an ideographic full stop": "hanako@example。jp",
    "an e-mail address with a white star": "hanako☆example.jp",
    "an e-mail address with a bracketed at": "hanako(at)example.jp",
    "a quoted e-mail address": '"hanako"@example.jp',
    "a mobile number with dots": "090.1234.5678",
    "a mobile number with middle dots": "090・1234・5678",
    "a mobile number with slashes": "090/1234/5678",
    "a mobile number with wave dashes": "090〜1234〜5678",
    "a mobile number with zero-width spaces": "090\u200b1234\u200b5678",
    "a postal code with a space": "150 0001",
    "a card number with hyphens": "4111-1111-1111-1111",
    "a card number with spaces": "4111 1111 1111 1111",
    "an individual number with spaces": "1234 5678 9012",
    "a member number with commas": "12,345,678",
    "a digest of 128 digits": "d" * 128,
    "a digest and one more digit": "d" * 65,
}
HARMLESS = [
    "育児の悩み",
    "0歳の部屋",
    "2026年度 保活 4月入園",
    "妊娠10か月",
    "3-5歳",
    "LINEの使い方",
    "@ホーム",
    "1〜2歳児",
]


@pytest.mark.parametrize("what", REFUSED)
def test_an_identifier_is_found_in(what):
    assert found(REFUSED[what])


@pytest.mark.parametrize("title", HARMLESS)
def test_a_harmless_title_passes(title):
    assert not found(title)


def test_a_pattern_is_no_trap():
    """A long title of what the patterns look for is judged at once."""
    for seed in ("a", "0-", "0", "a@", "a.", "0 "):
        found(seed * 500)


def test_a_suite_for_nothing_cannot_be_made():
    with pytest.raises(ValueError, match=r"^a suite expects at least one row$"):
        checks.rows(0)


def outcome(success: bool = True, **others) -> Outcome:
    return Outcome("table", "ExpectSomething", others.pop("column", None), success, **others)


def test_an_outcome_keeps_names_counts_and_verdict():
    kept = {"output", "expectation", "column", "success", "element_count", "unexpected_count"}
    assert set(vars(outcome())) == kept
    assert outcome().as_dict() == {"output": "table", "expectation": "ExpectSomething", "success": True}
    assert outcome(column="a", element_count=5, unexpected_count=0).as_dict() == {
        "output": "table",
        "expectation": "ExpectSomething",
        "column": "a",
        "success": True,
        "element_count": 5,
        "unexpected_count": 0,
    }


def test_all_green_passes():
    require_green([outcome(), outcome(column="a")])


def test_nothing_checked_is_not_green():
    with pytest.raises(GateRefused, match=r"^nothing was checked"):
        require_green([])


@pytest.mark.parametrize("verdict", [False, None], ids=["red", "none"])
def test_one_that_is_not_green_stops_everything(verdict):
    with pytest.raises(GateRefused, match=r"^1 of 3 expectations failed; nothing was published: table: Exp") as refused:
        require_green([outcome(), outcome(verdict), outcome()])
    assert refused.value.exit_status == 40


def test_a_refusal_names_output_column_expectation_and_count():
    red = outcome(False, column="members", element_count=20, unexpected_count=3)
    with pytest.raises(GateRefused, match=r"table\.members: ExpectSomething \(3 of 20 rows\)$"):
        require_green([red])


def test_a_refusal_stays_short():
    with pytest.raises(GateRefused) as refused:
        require_green([outcome(False, column=f"c{n}") for n in range(300)])
    assert str(refused.value).startswith("300 of 300")
    assert str(refused.value).count("ExpectSomething") == 8
