"""The light engine keeps Presidio's contract, and Presidio's leaks are shut."""

import pytest

from anonymizers.text.engine import ScriptRunEngine, analyzer, entities, recognizer_modules


def test_tokens_are_runs_of_one_script():
    artifacts = ScriptRunEngine().process_text("花子は123番のAと、", "ja")
    assert artifacts.lemmas == ["花子", "は", "123", "番", "の", "A", "と", "、"]
    assert artifacts.tokens_indices == [0, 2, 3, 6, 7, 8, 9, 10]


def test_a_batch_is_its_texts():
    pairs = list(ScriptRunEngine().process_batch(["あ", "い"], "ja"))
    assert [(text, artifacts.lemmas) for text, artifacts in pairs] == [("あ", ["あ"]), ("い", ["い"])]


def test_the_engine_says_what_presidio_asks():
    engine = ScriptRunEngine()
    engine.load()
    assert engine.is_loaded()
    assert engine.is_punct("、", "ja")
    assert not engine.is_punct("花", "ja")
    assert not engine.is_stopword("は", "ja")
    assert (engine.get_supported_languages(), engine.get_supported_entities()) == (["ja"], [])


def test_other_languages_are_refused():
    with pytest.raises(ValueError, match=r"^language must be ja$"):
        ScriptRunEngine().process_text("text", "en")
    with pytest.raises(ValueError, match=r"^language must be ja, and every recogniser has a file$"):
        analyzer().registry.get_recognizers("en")


def test_a_text_is_not_written_out():
    with pytest.raises(TypeError, match=r"^the artifacts of a text are not to be written out$"):
        ScriptRunEngine().process_text("花子", "ja").to_json()


def test_every_file_is_in_the_analyzer_once():
    assert len(analyzer().registry.recognizers) == len(recognizer_modules())
    assert entities() == sorted({m.recognizer().supported_entities[0] for m in recognizer_modules()})


def test_the_analyzer_is_built_once():
    assert analyzer() is analyzer()
