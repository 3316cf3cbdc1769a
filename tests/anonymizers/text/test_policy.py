"""Policies decide on every entity, and operators do what they say."""

import pytest
from presidio_anonymizer import AnonymizerEngine
from presidio_anonymizer.entities import OperatorConfig, RecognizerResult

from anonymizers.text import engine
from anonymizers.text.operators import Generalise, ThreadPseudonym, birth_years
from anonymizers.text.policy import ANALYSIS, LABELS, PLACEHOLDER, PLACEHOLDERS, Action, Policy
from anonymizers.text.redaction import redact_all, redact_each

KEY = b"k" * 32


def test_every_entity_is_decided_on_and_no_other():
    assert set(engine.entities()) == set(LABELS) == set(PLACEHOLDERS.actions) == set(ANALYSIS.actions)


def test_nobody_decides_by_leaving_out():
    with pytest.raises(KeyError):
        ANALYSIS.action("NEW_ENTITY")


@pytest.mark.parametrize(
    ("actions", "error", "message"),
    [
        pytest.param({"PHONE": "redact"}, TypeError, r"^x: every action must be an Action$", id="a word for an action"),
        pytest.param(
            {"PHONE": Action.GENERALISE}, ValueError, r"^x: nothing more general is known for PHONE$", id="a number"
        ),
    ],
)
def test_what_cannot_be_done_is_no_policy(actions, error, message):
    with pytest.raises(error, match=message):
        Policy("x", actions)


def test_a_policy_stays_as_it_was_decided():
    with pytest.raises(TypeError):
        ANALYSIS.actions["PERSON"] = Action.REDACT


def tags(texts, threads, key=KEY):
    """The tags of one name each, as they stand in the texts."""
    names = [["かなりあ", "すずむし"]] * len(texts)
    found = redact_each(texts, names, threads, policy=ANALYSIS, key=key)
    return [one.text.removeprefix("<PERSON_")[:5] for one in found]


def test_a_name_has_one_tag_in_a_thread_and_another_elsewhere():
    same, script, other, elsewhere = tags(["かなりあ", "ｶﾅﾘｱ", "すずむし", "かなりあ"], ["a", "a", "a", "b"])
    assert same == script
    assert len({same, other, elsewhere}) == 3


def test_a_tag_is_of_its_key():
    assert tags(["かなりあ"], ["a"]) == tags(["かなりあ"], ["a"]) != tags(["かなりあ"], ["a"], b"l" * 32)


@pytest.mark.parametrize("key", [b"", b"short"])
def test_without_a_key_nothing_is_pseudonymised_and_nothing_else_done(key):
    with pytest.raises(ValueError, match=r"^policy text analysis pseudonymises: give a key of 32 bytes$"):
        redact_all(["よい天気"], policy=ANALYSIS, key=key)


def test_a_posting_is_dropped_for_what_it_holds_even_inside_of_something_else():
    texts = ["マイナンバーは1234 5678 9018です", "https://example.com/123456789018", "よい天気"]
    results = redact_each(texts, policy=ANALYSIS, key=KEY)
    assert [isinstance(one, str) for one in results] == [True, True, False]
    assert results[0] == "policy"


@pytest.mark.parametrize(
    ("date", "years"),
    [
        ("2018年3月5日", "2015-2019"),
        ("2020/8/6", "2020-2024"),
        ("20200806", "2020-2024"),
        ("平成30年5月3日", "2015-2019"),
        ("平成三十年五月三日", "2015-2019"),
        ("令和元年12月1日", "2015-2019"),
        ("R5.10.1", "2020-2024"),
        ("Ｓ６０．１．１", "1985-1989"),
        ("8月6日", None),
        ("'18.3.5", None),
    ],
)
def test_a_date_of_birth_becomes_five_years(date, years):
    assert birth_years(date) == years


@pytest.mark.parametrize(
    ("address", "placeholder"),
    [
        ("神奈川県横浜市青葉区美しが丘1-2-3", "<ADDRESS_神奈川県>"),
        ("世田谷区三軒茶屋1-2-3", "<ADDRESS_東京都>"),
        ("府中市架空町1-2-3", "<ADDRESS>"),  # there are two
    ],
)
def test_an_address_becomes_its_prefecture(address, placeholder):
    engine = AnonymizerEngine()
    engine.add_anonymizer(Generalise)
    span = RecognizerResult("ADDRESS", 0, len(address), 1.0)
    assert engine.anonymize(address, [span], {"ADDRESS": OperatorConfig("generalise")}).text == placeholder


def test_a_pseudonym_needs_a_key():
    with pytest.raises(ValueError, match=r"^pseudonyms need a key of 32 bytes$"):
        ThreadPseudonym().validate({"key": b"short"})


@pytest.mark.parametrize("placeholder", ["<PHONE>", "<PERSON_ABC23>", "<ADDRESS_東京都>", "<BIRTH_DATE_2015-2019>"])
def test_what_the_policies_write_is_told_as_a_placeholder(placeholder):
    assert PLACEHOLDER.fullmatch(placeholder)
    assert redact_all([f"LINE ID:{placeholder}さん"])[0] == [f"LINE ID:{placeholder}さん"]


@pytest.mark.parametrize("written", ["<山田>", "<PERSON_090-0000-1234>", "<HANAKO>", "<PHONE 090-0000-1234>"])
def test_what_somebody_wrote_in_brackets_is_no_placeholder(written):
    assert not PLACEHOLDER.search(written)
