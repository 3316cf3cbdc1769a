"""The benchmark's texts and processes: the same every time, of the length asked for, none twice."""

import sys

import pytest

from bench.quality import Mark, Post
from bench.text import Reader, Texts, report, stream

POSTS = [
    Post("a", "離乳食の相談です。電話は０３−１２３４です！\n花子", (Mark(24, 26, "PERSON"),), (), ("花子",), "", ""),
    Post("b", "よい天気。2歳です", (), (), (), "", ""),
]


@pytest.mark.parametrize("length", [1, 10, 80, 1_000])
def test_texts_are_of_the_length_asked_for_and_none_comes_twice(length):
    made = [post["text"] for post in Texts(POSTS).make(5, length)]
    assert {len(text) for text in made} == {length}
    assert len(set(made)) == 5


def test_the_same_seed_makes_the_same_texts():
    one, same, other = (list(Texts(POSTS, seed=seed).make(20, 40)) for seed in (1, 1, 2))
    assert one == same != other


def test_what_is_drawn_twice_is_counted():
    texts = Texts(POSTS)
    list(texts.make(4, 1))
    assert texts.drawn == texts.repeated + 4


def test_digits_are_drawn_anew_in_their_width():
    texts = "".join(post["text"] for post in Texts(POSTS).make(20, 80))
    assert {c for c in texts if c.isdecimal()} > set("０４５６７８９456789")
    assert not {c for c in texts if not c.isdecimal()} - set("".join(post.text for post in POSTS) + "\n")


@pytest.mark.parametrize("name", ["redaction", "sudachi", "characters"])
def test_a_reader_says_how_long_it_took(name):
    reader = Reader([sys.executable, "-m", "bench.read_text", name])
    posts = list(Texts(POSTS).make(10, 80))
    assert 0 < reader.cpu_s(posts) < 30
    reader.close()


def test_the_command_is_measured_and_a_million_is_extrapolated():
    found = stream(POSTS, 1_000)
    assert [run["postings"] for run in found["runs"]] == [100, 1_000]
    assert all(run["peak_rss_mb"] > 10 and run["cpu_s"] > 0 for run in found["runs"])
    assert found["million"]["cpu_s"] > found["runs"][1]["cpu_s"]


def test_the_report_says_what_ran_and_what_is_extrapolated():
    run = {"postings": 100, "wall_s": 2.0, "cpu_s": 1.0, "peak_rss_mb": 99, "repeated": 0.0}
    figures = {80: {"redaction": [100.0, 300.0], "rival": [10.0, 10.0]}}
    text = report(
        {
            "machine": {"date": "2026-10-31", "cpu": "c", "cores": 2, "load_1_min": 0.1, "python": "3.11"},
            "made_of": 2,
            "speed": {"by_length": figures, "texts": {80: 100}, "rounds": 2, "repeated": 0.25},
            "growth": {"us_per_character": {100: [1.0, 2.0]}},
            "stream": {"runs": [run, run], "million": {"wall_s": 9.0, "cpu_s": 8.0}},
        }
    )
    assert "25.0% of those drawn" in text
    assert "Presidio with GiNZA            10 (10–10)  [20; 10–30]" in text
    assert "extrapolated from 100" in text
