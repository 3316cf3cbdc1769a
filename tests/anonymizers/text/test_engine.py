"""The light engine keeps Presidio's contract, and Presidio's leaks are shut."""

import sys
from concurrent.futures import ThreadPoolExecutor

import pytest
from presidio_analyzer import AnalyzerEngine, RecognizerRegistry

from anonymizers.text.engine import JapaneseNlpEngine, entities, every_recognizer, recognizer_modules
from anonymizers.text.tokenizer import tokenize


def test_tokens_are_words_where_they_were_written():
    artifacts = JapaneseNlpEngine().process_text("保育園は１２３番、 ﾊﾟﾝ", "ja")
    assert [token.text for token in artifacts.tokens] == ["保育園", "は", "123", "番", "、", "パン"]
    assert artifacts.tokens_indices == [0, 3, 4, 7, 8, 10]


def test_the_recognisers_work_in_anybodys_analyzer():
    registry = RecognizerRegistry(
        recognizers=[module.recognizer() for module in recognizer_modules()], supported_languages=["ja"]
    )
    plain = AnalyzerEngine(registry=registry, nlp_engine=JapaneseNlpEngine(), supported_languages=["ja"])
    (found,) = plain.analyze("㍿の番号は０９０ー００００ー１２３４です", language="ja", entities=["PHONE"])
    assert (found.start, found.end, found.entity_type) == (5, 18, "PHONE")


def test_words_are_the_same_in_several_threads_as_in_one():
    """A service would; a tokenizer, and what it writes into, is a thread's own."""
    texts = ["担任の山本先生と公園へ行った。" * times for times in (1, 60, 7, 130)] * 40
    alone = [tokenize(text) for text in texts]
    usual = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    try:
        with ThreadPoolExecutor(4) as threads:
            assert list(threads.map(tokenize, texts)) == alone
    finally:
        sys.setswitchinterval(usual)


def test_a_batch_is_its_texts():
    pairs = list(JapaneseNlpEngine().process_batch(["母", "子"], "ja"))
    assert [(text, artifacts.lemmas) for text, artifacts in pairs] == [("母", ["母"]), ("子", ["子"])]


def test_the_engine_says_what_presidio_asks():
    engine = JapaneseNlpEngine()
    engine.load()
    assert engine.is_loaded()
    assert engine.is_punct("、", "ja")
    assert not engine.is_punct("花", "ja")
    assert not engine.is_stopword("は", "ja")
    assert (engine.get_supported_languages(), engine.get_supported_entities()) == (["ja"], [])


def test_other_languages_are_refused():
    with pytest.raises(ValueError, match=r"^language must be ja$"):
        JapaneseNlpEngine().process_text("text", "en")


def test_a_text_is_not_written_out():
    with pytest.raises(TypeError, match=r"^the artifacts of a text are not to be written out$"):
        JapaneseNlpEngine().process_text("花子", "ja").to_json()


def test_every_file_has_its_recogniser_once():
    assert len(every_recognizer()) == len(recognizer_modules())
    assert entities() == sorted({m.recognizer().supported_entities[0] for m in recognizer_modules()})


def test_recognisers_are_made_once():
    assert every_recognizer() is every_recognizer()
