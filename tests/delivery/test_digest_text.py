"""The texts of a digest: every form of one is the same bytes, and nothing else is one."""

import base64

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from delivery.digest_text import as_bytes, as_text, to_bytes
from delivery.spec import Digest, Encoding

ANY = st.sampled_from(list(Digest)).flatmap(
    lambda algorithm: st.tuples(st.just(algorithm), st.binary(min_size=algorithm.bytes, max_size=algorithm.bytes))
)


def column(text: str | None, algorithm: Digest, encoding: Encoding) -> bytes | None:
    return (
        pl.DataFrame({"t": [text]}, schema={"t": pl.String}).select(as_bytes(pl.col("t"), algorithm, encoding)).item()
    )


@given(ANY)
def test_every_text_of_a_digest_is_its_bytes(one):
    algorithm, digest = one
    for text, encoding in (
        (digest.hex(), Encoding.HEX),
        (digest.hex().upper(), Encoding.HEX),
        (base64.b64encode(digest).decode(), Encoding.BASE64),
    ):
        assert to_bytes(text) == (algorithm, digest)
        assert column(text, algorithm, encoding) == digest
    written = pl.DataFrame({"d": [digest, None]}).select(
        h=as_text(pl.col("d")), b=as_text(pl.col("d"), Encoding.BASE64)
    )
    assert written.rows() == [(digest.hex(), base64.b64encode(digest).decode()), (None, None)]


@pytest.mark.parametrize("algorithm", Digest)
@pytest.mark.parametrize("encoding", Encoding)
@pytest.mark.parametrize("difference", [-2, -1, 1, 2])
def test_bytes_more_or_fewer_are_no_digest(algorithm, encoding, difference):
    digest = bytes(range(algorithm.bytes + difference))
    text = digest.hex() if encoding is Encoding.HEX else base64.b64encode(digest).decode()
    assert to_bytes(text) is None
    assert column(text, algorithm, encoding) is None


@pytest.mark.parametrize("algorithm", Digest)
def test_another_algorithms_digest_is_none_of_this(algorithm):
    for other in set(Digest) - {algorithm}:
        assert column("0" * other.hex_digits, algorithm, Encoding.HEX) is None
        assert column(base64.b64encode(bytes(other.bytes)).decode(), algorithm, Encoding.BASE64) is None


@pytest.mark.parametrize(
    "text",
    [
        "",
        "x",
        "g" * 64,
        "０" * 64,
        "0" * 63 + "\n",
        "0x" + "0" * 62,
        "=" * 44,
        "A" * 44,
        "A" * 42 + "==",
        "A" * 43 + "\n",
        "_" * 43 + "=",
        "-" * 43 + "=",
        " " * 64,
        "A" * 22 + "= ",
        "A" * 27 + "\n",
        "A" * 24,
        "A" * 28,
    ],
)
def test_what_only_looks_like_a_digest_is_none(text):
    assert to_bytes(text) is None
    for algorithm in Digest:
        for encoding in Encoding:
            assert column(text, algorithm, encoding) is None
    assert column(None, Digest.MD5, Encoding.HEX) is None
