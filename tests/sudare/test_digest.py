"""`sudare digest`: one line in, one answer out, and nothing of a value that was refused."""

import hashlib
import io
import json
import subprocess
import sys

import pytest

from anonymizers.errors import ValueUnfit
from sudare.digest import answer_lines
from sudare.json_lines import as_they_come

FORM = "hanako@example.jp"


def line(value="Ｈanako@example.jp", name="a", destination="x", field="email", **more):
    record = {"id": name, "destination": destination, "field": field, "value": value, **more}
    return json.dumps(record, ensure_ascii=False)


def answers(*lines):
    return [json.loads(one) for batch in answer_lines([list(lines)]) for one in batch]


def test_an_address_comes_back_in_its_form_with_its_digests():
    digests = {name: hashlib.new(name, FORM.encode()).hexdigest() for name in ("sha256", "sha1", "md5")}
    assert answers(line(destination="liveramp")) == [
        {"id": "a", "normalized": FORM, "digests": digests, "encoded": digests["sha256"], "rejected": None}
    ]


def test_a_number_comes_back_in_its_country_s_form():
    (one,) = answers(line("０９０ー１２３４ー５６７８", destination="Google", field="phone", region="JP"))
    assert (one["normalized"], one["rejected"]) == ("+819012345678", None)


def test_a_value_that_is_sent_as_it_is_has_no_digest():
    (one,) = answers(line("〒150-0001", destination="google", field="zip"))
    assert one == {"id": "a", "normalized": "150-0001", "digests": {}, "encoded": "150-0001", "rejected": None}


@pytest.mark.parametrize(
    ("given", "why"),
    [
        (line(""), "empty"),
        (line("なし"), "placeholder"),
        (line("花子"), "malformed"),
        (line("f" * 64), "already_hashed"),
        (line("a" * 10_001), "too_long"),
        (line("a..b@docomo.ne.jp", destination="meta"), "unmatchable"),
        (line("090-1234-5678", destination="meta", field="phone", region="ZZ"), "unknown_region"),
        (line("090-1234-567", destination="meta", field="phone", region="JP"), "invalid_number"),
        (line("090-1234-567", field="first_name"), "unsupported_field"),
        (line(destination="nobody"), "unknown_destination"),
        (line(["a@example.jp"]), "not_text"),
        (line(None), "empty"),
        ('{"id": "a"}', "unknown_destination"),
        ('{"id": "a", "destination": "x", "field": "email"}', "empty"),
        ('{"id": "a", "destination": "x", "field": "email", "value": "\\ud800@example.jp"}', "malformed"),
    ],
)
def test_what_has_no_form_comes_back_with_a_reason_and_nothing_else(given, why):
    assert answers(given) == [{"id": "a", "normalized": None, "digests": {}, "encoded": None, "rejected": why}]


@pytest.mark.parametrize("name", ["a", 7, 1.5, None, True, "\ud800"])
def test_an_id_comes_back_as_it_came(name):
    (one,) = answers(line(name=name))
    assert (one["id"], one["normalized"]) == (name, FORM)


@pytest.mark.parametrize(
    "given",
    [
        pytest.param("hanako@example.jp", id="no JSON"),
        pytest.param("[" * 100_000, id="brackets without end"),
        pytest.param(b'{"id": "a", "value": "\xff"}', id="no UTF-8"),
        pytest.param("[1]", id="a list"),
        pytest.param('{"destination": "x", "field": "email", "value": "hanako@example.jp"}', id="no id"),
        pytest.param('{"id": {"of": "hanako@example.jp"}}', id="an id that carries a value"),
        pytest.param('{"id": NaN}', id="an id that is no number"),
    ],
)
def test_a_line_that_is_no_record_is_refused_and_the_others_are_not(given):
    answered = answer_lines([[line(), ""], [given, line()]])
    first, second, third = (json.loads(one) for _ in range(2) for one in next(answered))
    with pytest.raises(ValueUnfit, match='^line 3 is no JSON object with an "id"$'):
        next(answered)
    assert second == {"id": None, "rejected": "not_a_record", "line": 3}
    assert first == third
    assert first["normalized"] == FORM


def test_lines_that_are_no_records_are_counted():
    with pytest.raises(ValueUnfit, match="^line 1 .*, nor are 2 after it$"):
        list(answer_lines([["x", line()], ["x", "x"]]))


def test_a_batch_is_answered_before_the_next_is_read():
    read = []
    batches = (read.append(n) or [line(name=n)] for n in range(3))
    answered = answer_lines(batches)
    assert [(json.loads(next(answered)[0])["id"], len(read)) for _ in range(3)] == [(0, 1), (1, 2), (2, 3)]


class Slow(io.BytesIO):
    """Gives what it has a few bytes at a time."""

    def read1(self, size=-1):
        return super().read1(min(size, 3))


@pytest.mark.parametrize("stream", [io.BytesIO, Slow])
def test_lines_are_whole_however_they_come(stream):
    text = "あい\nう\n\nえお".encode()
    lines = [one for batch in as_they_come(stream(text)) for one in batch]
    assert lines == text.split(b"\n")


def test_the_command_answers_while_it_is_asked():
    """Whoever waits for an answer before the next question gets one."""
    command = [sys.executable, "-m", "sudare.cli", "digest"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as asked:
        for n in range(2):
            asked.stdin.write(line(name=n).encode() + b"\n")
            asked.stdin.flush()
            assert json.loads(asked.stdout.readline())["id"] == n
        asked.stdin.close()
        assert asked.wait() == 0


def test_the_command_reads_and_writes_utf8_and_ends_with_a_status_that_says_so():
    lines = [
        line("花子", destination="meta", field="first_name").encode(),
        b'{"id": "\\ud800", "destination": "uid2", "field": "email", "value": "USER@example.com"}',
        b"hanako@example.jp",
        line("test@test.jp").encode(),
    ]
    done = subprocess.run(
        [sys.executable, "-m", "sudare.cli", "digest"], input=b"\n".join(lines), capture_output=True, check=False
    )
    named, addressed, unusable, refused = (json.loads(one) for one in done.stdout.splitlines())
    assert (named["normalized"], named["encoded"]) == ("花子", hashlib.sha256("花子".encode()).hexdigest())
    assert (addressed["id"], addressed["encoded"]) == ("\ud800", "tMmiiTI7IaAcPpQPFQ65uMVCWH8av9jw4cwf/F5HVRQ=")
    assert unusable == {"id": None, "rejected": "not_a_record", "line": 3}
    assert refused["rejected"] == "placeholder"
    assert done.returncode == ValueUnfit.exit_status
    assert b"line 3 is no JSON object" in done.stderr and b"hanako" not in done.stderr
