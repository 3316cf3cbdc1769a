"""Staging on an object store: a real S3 API, another process's writes, what is refused, cut, damaged or swapped."""

import datetime
import subprocess
import sys
import traceback
from pathlib import Path

import fsspec
import pyarrow as pa
import pytest

from anonymizers.errors import SettingRefused, StagingBroken, StagingUnreachable, StagingUnwritable
from tests.delivery.servers import REGION, Answer, Cut, S3Site, Wire, serve_s3
from transforms.places import place
from transforms.staging import Staging

ROOT = Path(__file__).resolve().parents[2]
DAY = datetime.date(2026, 10, 31)
ROWS = pa.table({"number": range(10_000), "text": ["x"] * 10_000})
KEY, SECRET = "AKIACANARYCANARY", "canary/secret"
TABLE = ("members", "0000.parquet")


@pytest.fixture(scope="module")
def store() -> S3Site:
    with serve_s3() as site:
        yield site


@pytest.fixture
def staging(store, monkeypatch) -> Staging:
    """An empty place in the store; its keys come from the environment, as a worker's do."""
    for name, value in {
        "AWS_ACCESS_KEY_ID": KEY,
        "AWS_SECRET_ACCESS_KEY": SECRET,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_ENDPOINT_URL_S3": store.endpoint,
    }.items():
        monkeypatch.setenv(name, value)
    # A connection is made with the environment of its first use; the next test has another.
    fsspec.get_filesystem_class("s3").clear_instance_cache()
    staging = Staging(f"s3://{store.bucket}/staging", DAY)
    staging.remove()
    return staging


def objects(store: S3Site) -> list[str]:
    found = store.client.list_objects_v2(Bucket=store.bucket).get("Contents", [])
    return [one["Key"].removeprefix("staging/") for one in found]


def object_of(store: S3Site, *parts: str) -> bytes:
    return store.client.get_object(Bucket=store.bucket, Key="/".join(("staging", "2026-10-31", *parts)))["Body"].read()


def test_what_is_written_is_one_object_and_is_read_back(staging, store):
    staging.write_table(ROWS, *TABLE)
    staging.write_json({"ä": 1}, "plan.json")
    assert objects(store) == ["2026-10-31/members/0000.parquet", "2026-10-31/plan.json"]
    assert staging.read_table(*TABLE, columns=["number"]).equals(ROWS.select(["number"]))
    assert staging.read_json("plan.json") == {"ä": 1}
    staging.remove("members")
    staging.remove("members")
    assert objects(store) == ["2026-10-31/plan.json"]


def test_a_reader_sees_what_another_process_has_written_and_deleted_since(staging, store):
    assert staging.nights() == []
    with pytest.raises(StagingBroken, match="is not there"):
        staging.read_json("plan.json")
    code = f"""
import datetime
from transforms.staging import Staging
Staging({staging.url!r}, {DAY!r}).write_json([1], "plan.json")
Staging({staging.url!r}, {DAY!r} - datetime.timedelta(days=1)).write_json([1], "plan.json")
"""
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT)
    assert staging.read_json("plan.json") == [1]
    assert staging.nights() == ["2026-10-30", "2026-10-31"]
    Staging(staging.url, DAY - datetime.timedelta(days=1)).remove()
    assert objects(store) == ["2026-10-31/plan.json"]


@pytest.mark.parametrize("share", [0, 0.01, 0.5, 0.999], ids=["empty", "its beginning", "its half", "all but its end"])
def test_a_truncated_object_is_broken(staging, store, share):
    staging.write_table(ROWS, *TABLE)
    staging.write_json({"a": [1, 2]}, "plan.json")
    for parts in (TABLE, ("plan.json",)):
        whole = object_of(store, *parts)
        store.put("/".join(("staging", "2026-10-31", *parts)), whole[: int(len(whole) * share)])
    with pytest.raises(StagingBroken, match="0000.parquet is not whole"):
        staging.read_table(*TABLE)
    with pytest.raises(StagingBroken, match="plan.json is not whole"):
        staging.read_json("plan.json")


@pytest.mark.parametrize("content", [b"<Error/>", b"[]", b'{"value": 1}'], ids=["no JSON", "a list", "no name"])
def test_what_somebody_else_put_there_is_broken(staging, store, content):
    staging.write_table(ROWS, *TABLE)
    store.put("staging/2026-10-31/plan.json", content)
    store.put("staging/2026-10-31/members/0001.parquet", object_of(store, *TABLE))
    with pytest.raises(StagingBroken, match="plan.json is "):
        staging.read_json("plan.json")
    with pytest.raises(StagingBroken, match="0001.parquet is another object"):
        staging.read_table("members", "0001.parquet")


def test_a_damaged_page_is_broken(staging, store):
    staging.write_table(ROWS, *TABLE)
    damaged = bytearray(object_of(store, *TABLE))
    damaged[len(damaged) // 4] ^= 0xFF
    store.put("staging/2026-10-31/members/0000.parquet", bytes(damaged))
    with pytest.raises(StagingBroken):
        staging.read_table(*TABLE)


@pytest.mark.parametrize(
    ("plan", "error", "told"),
    [
        pytest.param(Answer(503, "SlowDown"), StagingUnreachable, "answered 503 SlowDown", id="too many requests"),
        pytest.param(Answer(500, "InternalError"), StagingUnreachable, "answered 500 InternalError", id="its fault"),
        pytest.param(Cut(100), StagingUnreachable, "cannot be reached", id="cut"),
        pytest.param(Answer(403, "AccessDenied"), StagingUnwritable, "answered 403 AccessDenied", id="no right"),
        pytest.param(Answer(403, "InvalidAccessKeyId"), StagingUnwritable, "answered 403 Invalid", id="another key"),
        pytest.param(Answer(404, "NoSuchBucket"), StagingUnwritable, "answered 404 NoSuchBucket", id="no bucket"),
    ],
)
def test_what_the_store_refuses_has_a_name_and_tells_no_key(staging, store, monkeypatch, plan, error, told):
    with Wire(store.port, [plan] * 100) as wire:
        monkeypatch.setenv("AWS_ENDPOINT_URL_S3", f"http://127.0.0.1:{wire.port}")
        fsspec.get_filesystem_class("s3").clear_instance_cache()
        with pytest.raises(error, match=told) as refused:
            staging.write_table(ROWS, *TABLE)
    assert "canary" not in "".join(traceback.format_exception(refused.value)).lower()
    assert refused.value.__suppress_context__ or refused.value.__context__ is None


def test_a_store_that_is_not_there_is_unreachable(staging, monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", "http://127.0.0.1:9")
    fsspec.get_filesystem_class("s3").clear_instance_cache()
    with pytest.raises(StagingUnreachable):
        staging.read_json("plan.json")


def test_without_keys_the_night_is_told_what_to_give(staging, monkeypatch):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    fsspec.get_filesystem_class("s3").clear_instance_cache()
    with pytest.raises(StagingUnwritable, match="NoCredentialsError; give the object store's keys"):
        staging.write_json({}, "plan.json")


@pytest.mark.parametrize("url", ["gs://bucket/x", "s3://key:secret@bucket/x", "s3://bucket/x?secret=canary"])
def test_a_place_without_driver_or_with_a_login_is_refused_and_not_quoted(url):
    with pytest.raises(SettingRefused) as refused:
        place(url)
    assert "secret" not in str(refused.value).lower().replace("secret_access_key", "").replace("aws_", "")
