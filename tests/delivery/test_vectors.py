"""
Forms and digests that destinations, their libraries and connectors have published, each with where it stands.

``vectors.tsv``: values and forms are JSON strings. Its kinds: *digest* and *plain* are a value and what it becomes;
*given* is a digest that passes; *refused* has no digest; *wrong* was published and contradicts the destination's own
page, so it must not come out.
"""

import base64
import csv
import json
import re
from pathlib import Path

import pytest

from delivery.destinations import called
from delivery.identifiers import Identified, Request, identify
from delivery.spec import Encoding

with Path(__file__).with_name("vectors.tsv").open(encoding="utf-8", newline="") as lines:
    VECTORS = list(csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE))


def asked(vector: dict) -> Request:
    return Request(vector["destination"], vector["field"], json.loads(vector["typed"]), vector["region"] or None)


ANSWERS = list(zip(VECTORS, identify([asked(vector) for vector in VECTORS]), strict=True))


def of(*kinds: str) -> pytest.MarkDecorator:
    some = [(v, one) for v, one in ANSWERS if v["kind"] in kinds]
    assert some
    names = [f"{v['destination']} {v['field']} {n}" for n, (v, _) in enumerate(some)]
    return pytest.mark.parametrize(("vector", "answer"), some, ids=names)


def hexadecimal(digest: str) -> str:
    if re.fullmatch(r"(?:[0-9a-fA-F]{2})+", digest):
        return digest.lower()
    return base64.b64decode(digest, validate=True).hex()


@of("digest", "plain")
def test_a_published_form_comes_out(vector, answer):
    assert answer.refused is None
    assert answer.normalized == json.loads(vector["form"])


@of("digest", "given")
def test_a_published_digest_comes_out(vector, answer):
    assert answer.digests[vector["algorithm"]] == hexadecimal(vector["digest"])
    assert all(digest == digest.lower() for digest in answer.digests.values())


@of("digest", "given")
def test_it_comes_out_in_the_destination_s_encoding(vector, answer):
    base64_of_it = called(vector["destination"]).encoding is Encoding.BASE64
    digest = hexadecimal(vector["digest"])
    if base64_of_it and vector["field"] != "email-hex-intermediate":
        digest = base64.b64encode(bytes.fromhex(digest)).decode()
        assert len(digest) == 44
    assert answer.encoded == digest


@of("plain")
def test_what_is_sent_as_it_is_has_no_digest(vector, answer):
    assert (answer.digests, answer.encoded) == ({}, json.loads(vector["form"]))


@of("refused")
def test_what_a_destination_refuses_is_refused(vector, answer):
    assert answer == Identified(refused=answer.refused)
    assert answer.refused is not None


@of("wrong")
def test_what_was_published_wrong_does_not_come_out(vector, answer):
    assert hexadecimal(vector["digest"]) not in answer.digests.values()


def test_every_destination_of_the_table_is_known_and_every_source_is_public():
    assert {v["destination"] for v in VECTORS} == {
        *(
            "amazon",
            "google",
            "liveramp",
            "liveramp-ats",
            "meta",
            "microsoft",
            "snap",
            "thetradedesk",
            "tiktok",
            "uid2",
        ),
        "x",
    }
    assert all(v["source"].startswith("https://") for v in VECTORS)
    assert len(VECTORS) == 165
