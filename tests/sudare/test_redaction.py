"""`sudare redact`: one line in, one line out, and nothing of a text that was refused."""

import json
import subprocess
import sys

import pytest

from anonymizers.errors import SettingRefused, ValueUnfit
from anonymizers.text.redaction import MOST_NAMES
from sudare.redaction import MOST_TOGETHER, all_usable, redact_lines, told, treat_lines


def line(text="かなりあと雨", name="a", **more):
    return json.dumps({"id": name, "text": text, **more}, ensure_ascii=False)


def redacted(*lines):
    return [json.loads(one) for one in redact_lines(lines)]


def test_a_posting_comes_back_redacted_with_its_spans():
    assert redacted(line("🌸か\u3099 電話は090-0000-1234")) == [
        {"id": "a", "text": "🌸か\u3099 電話は<PHONE>", "spans": [{"start": 7, "end": 20, "label": "PHONE"}]}
    ]


def test_names_are_found_where_they_are_given():
    texts = [one["text"] for one in redacted(line(names=["かなりあ"]), line(), line(names=None))]
    assert texts == ["<PERSON>と雨", "かなりあと雨", "かなりあと雨"]


@pytest.mark.parametrize("name", ["a", 7, 1.5, None, True, "\ud800"])
def test_an_id_comes_back_as_it_came(name):
    assert redacted(line("よい天気", name))[0]["id"] == name


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        pytest.param(line("a\x00"), "control_characters", id="a null"),
        pytest.param('{"id": "a", "text": "\\ud800"}', "lone_surrogates", id="half a character"),
        pytest.param(line("あ" * 20_000), "too_long", id="a sentence without end"),
        pytest.param(line(names="花子"), "names_unusable", id="one name where a list is asked for"),
        pytest.param(line(names=["花", None]), "names_unusable", id="a name that is missing"),
        pytest.param(line(names=0), "names_unusable", id="a number where a list is asked for"),
        pytest.param(line(names={"a": "花子"}), "names_unusable", id="names with keys"),
    ],
)
def test_a_text_that_cannot_be_treated_is_refused_without_it(given, reason):
    assert redacted(given) == [{"id": "a", "refused": reason}]


@pytest.mark.parametrize(
    ("given", "name"),
    [
        pytest.param("090-0000-1234", None, id="no JSON"),
        pytest.param("[" * 100_000, None, id="brackets without end"),
        pytest.param(b'{"id": "a", "text": "\xff"}', None, id="no UTF-8"),
        pytest.param("[1]", None, id="a list"),
        pytest.param('{"text": "090-0000-1234"}', None, id="no id"),
        pytest.param('{"id": "a"}', "a", id="no text"),
        pytest.param('{"id": "a", "text": 1}', "a", id="a text that is a number"),
        pytest.param('{"id": {"of": "090-0000-1234"}, "text": "a"}', None, id="an id that carries a text"),
        pytest.param('{"id": NaN, "text": "a"}', None, id="an id that is no number"),
        pytest.param('{"id": "a", "text": "b", "thread": ["c"]}', "a", id="a thread that is a list"),
    ],
)
def test_a_line_that_is_no_posting_is_refused_and_the_others_are_not(given, name):
    lines = treat_lines([line("よい天気"), "", given, line("よい天気")])
    first, second, third = (json.loads(told(one)) for one in lines)
    assert second == {"id": name, "refused": "not_a_posting", "line": 3}
    assert first == third == {"id": "a", "text": "よい天気", "spans": []}


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (["x"], '^line 1 is no JSON object with "id" and a text "text"$'),
        (["", line(), "x", "x", line(), "x"], '^line 3 is no .* "text", nor are 2 after it$'),
    ],
)
def test_lines_that_are_no_postings_are_told_when_all_are_through(lines, message):
    seen = []
    with pytest.raises(ValueUnfit, match=message):
        seen.extend(redact_lines(lines))
    assert len(seen) == len([given for given in lines if given])


def test_nothing_is_waited_for_without_a_thread():
    read = []
    lines = (read.append(n) or line(name=n) for n in range(3))
    treated = treat_lines(lines)
    assert [(next(treated).posting.id, len(read)) for _ in range(3)] == [(0, 1), (1, 2), (2, 3)]


def test_names_are_shared_in_a_thread_whose_lines_follow_each_other():
    found = redacted(
        line(thread=1),
        line(thread=1, names=["かなりあ"]),
        line(thread=2),
        line(thread=1),
        line(),
    )
    assert [len(one["spans"]) for one in found] == [1, 1, 0, 0, 0]


def test_unusable_names_refuse_their_thread():
    """They would be looked for in none of it."""
    found = redacted(line(thread=1, names=["かなりあ"]), line(thread=1, names=[None]), line(thread=2))
    assert [one.get("refused", len(one.get("spans", ()))) for one in found] == ["names_unusable", "names_unusable", 0]


def test_a_line_that_is_no_posting_ends_a_thread():
    treated = list(treat_lines([line(thread=1, names=["かなりあ"]), "x", line(thread=1)]))
    assert [bool(one.redacted and one.redacted.spans) for one in treated] == [True, False, False]


def test_a_thread_without_end_is_cut(monkeypatch):
    monkeypatch.setattr("sudare.redaction.MOST_TOGETHER", 2)
    names = [["かなりあ"], [], [], []]
    found = redacted(*(line(thread=1, names=own) for own in names))
    assert [len(one["spans"]) for one in found] == [1, 1, 0, 0]
    assert MOST_TOGETHER == 1_000


def test_a_thread_with_more_names_than_the_library_takes_is_cut():
    many = [f"なまえ{n}" for n in range(MOST_NAMES)]
    found = redacted(line(thread=1, names=many), line(thread=1, names=["かなりあ"]), line(thread=1))
    assert [len(one["spans"]) for one in found] == [0, 1, 1]


def test_all_usable_hands_on_what_comes():
    treated = list(treat_lines([line()]))
    assert list(all_usable(treated)) == treated


def run(*options, lines):
    return subprocess.run(
        [sys.executable, "-m", "sudare.cli", "redact", *options], input=b"\n".join(lines), capture_output=True
    )


def test_the_command_reads_and_writes_utf8_and_ends_with_a_status_that_says_so(tmp_path):
    page = tmp_path / "page.html"
    lines = [line("電話は090-0000-1234").encode(), b'{"id": "\\ud800", "text": "a\\r\\nb"}', b"090-0000-1234"]
    done = run("--html", str(page), lines=lines)
    assert [json.loads(one) for one in done.stdout.splitlines()] == [
        {"id": "a", "text": "電話は<PHONE>", "spans": [{"start": 3, "end": 16, "label": "PHONE"}]},
        {"id": "\ud800", "text": "a\r\nb", "spans": []},
        {"id": None, "refused": "not_a_posting", "line": 3},
    ]
    assert done.returncode == ValueUnfit.exit_status
    assert b"line 3 is no JSON object" in done.stderr and b"0000" not in done.stderr
    assert page.stat().st_mode & 0o777 == 0o600


def test_a_page_that_cannot_be_written_is_told_before_anything_is_read(tmp_path):
    done = run("--html", str(tmp_path / "nowhere" / "page.html"), lines=[line().encode()])
    assert (done.stdout, done.returncode) == (b"", SettingRefused.exit_status)
    assert b"--html: no file can be written there" in done.stderr
