"""JSON of others: one meaning, bounded cost, and failures that quote nothing."""

import contextlib
import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from delivery.strict_json import Unreadable, parse

REFUSED = {
    "nothing": (b"", "no JSON"),
    "a word": (b"canary", "no JSON"),
    "cut short": (b'{"canary": [1', "no JSON"),
    "two documents": (b"{} {}", "no JSON"),
    "a byte order mark": (b"\xef\xbb\xbf{}", "no JSON"),
    "UTF-16": ("{}".encode("utf-16"), "not UTF-8"),
    "a stray byte": (b'"canary\xff"', "not UTF-8"),
    "a key twice": (b'{"canary": 1, "canary": 1}', "twice"),
    "a key twice, escaped": (b'{"a": 1, "\\u0061": 2}', "twice"),
    "a key twice, within": (b'[{"b": {"a": 1, "a": 2}}]', "twice"),
    "NaN": (b"[NaN]", "no JSON"),
    "infinity": (b"-Infinity", "no JSON"),
    "a number beyond all": (b"1e999", "too large"),
    "21 digits": (b"9" * 21, "too long"),
    "a million digits": (b"9" * 1_000_000, "too long"),
    "lists within lists": (b"[" * 1_000_000, "nested"),
    "objects within objects": (b'{"a":' * 100_000, "nested"),
    "more lists than fit": (b"[" + b"[]," * 4_000_001 + b"[]]", "too many parts"),
    "more objects than fit": (b"[" + b"{}," * 4_000_001 + b"{}]", "too many parts"),
    "more texts than fit": (b"[" + b'"",' * 10_000_001 + b'""]', "too many parts"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_has_no_one_meaning_is_refused_soon(what):
    content, message = REFUSED[what]
    began = time.process_time()
    with pytest.raises(Unreadable, match=message) as refused:
        parse(content)
    assert time.process_time() - began < 2
    assert refused.value.__context__ is None
    assert "canary" not in str(refused.value)


@pytest.mark.parametrize(
    "text", ["9" * 20, "-" + "9" * 19, "1.5", "1e300", "null", "true", '"花子"', '{"a": {"a": 1}, "b": {"a": 1}}', "[]"]
)
def test_what_has_one_meaning_is_read(text):
    assert parse(text.encode()) == json.loads(text)


JSONS = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**18), 10**18)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)


@given(JSONS)
def test_whatever_json_writes_is_read_back(value):
    assert parse(json.dumps(value).encode()) == value


@given(st.binary(max_size=100))
def test_no_bytes_do_anything_but_be_read_or_refused(noise):
    with contextlib.suppress(Unreadable):
        parse(noise)
