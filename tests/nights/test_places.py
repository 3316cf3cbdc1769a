"""A night whose places are prefixes of an object store: the same bytes, whoever dies when, and nothing left here."""

import datetime
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from pathlib import Path
from types import SimpleNamespace

import fsspec
import pytest

from anonymizers.errors import FenceRefused, LedgerUnreachable, PublicationBroken, StorageUnreachable
from delivery import feed_steps, outbox, publication
from delivery.destinations import destinations
from delivery.intake import refused_receipts, take_in
from delivery.night import Night
from delivery.verification import verify
from sudare.demo.site import DEMO_DAY
from tests.delivery.openpgp import recipients
from tests.delivery.servers import Answer, S3Site, Wire
from tests.nights.sites import FIRST_NIGHT, STEPS, Site, contents, kept, run, sealed_by_sftp
from transforms.places import place

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def night_of(site, store) -> Callable[..., Night]:
    """A step's night, on a worker of its own that shares no directory with any other."""
    root = f"s3://{store.bucket}"
    workers = iter(range(1_000))

    def night(day=FIRST_NIGHT, **changes) -> Night:
        places = {name: place(f"{root}/{name}") for name in ("published", "outbox")}
        own = site.home / f"worker{next(workers)}"
        return site.night(day, **{"staging_url": f"{root}/staging", "scratch": own, **places, **changes})

    return night


def held(store: S3Site, prefix: str) -> dict[str, bytes]:
    """Objects below a prefix, by the rest of their names."""
    pages = store.client.get_paginator("list_objects_v2").paginate(Bucket=store.bucket, Prefix=prefix)
    keys = [one["Key"] for page in pages for one in page.get("Contents", [])]
    return {
        key.removeprefix(prefix): store.client.get_object(Bucket=store.bucket, Key=key)["Body"].read() for key in keys
    }


def each_step(night_of: Callable[..., Night], *steps: str, **changes) -> None:
    for step in steps or STEPS:
        run(night_of(**changes), step)


def shown(store: S3Site) -> dict[str, bytes]:
    """What a reader sees who follows ``latest``."""
    objects = held(store, "published/")
    folder = objects[objects["latest"].decode()].decode()
    return {name.removeprefix(f"{folder}/"): data for name, data in objects.items() if name.startswith(f"{folder}/")}


def left_here(site: Site) -> list[Path]:
    return [path for worker in site.home.glob("worker*") for path in worker.rglob("*") if path.is_file()]


def test_every_byte_is_that_of_a_night_in_directories(site, store, night_of, one_night):
    each_step(night_of)
    published = contents(one_night.home / "published" / "latest")
    feeds = contents(one_night.home / "outbox" / "liveramp")

    assert shown(store) == {name.removeprefix("latest/"): data for name, data in published.items()}
    assert held(store, "outbox/") == feeds
    assert kept(site) == kept(one_night)
    assert left_here(site) == []
    assert verify(night_of().settings)["nights"] == 1
    assert {name.split("/")[1] for name in held(store, "staging/")}.isdisjoint({"cells", "merged", "releases"})


@pytest.mark.long
def test_the_same_night_again_and_the_next_one_change_what_they_must(site, store, night_of, two_nights):
    each_step(night_of)
    first = held(store, "published/")
    each_step(night_of)
    assert held(store, "published/") == first
    assert len(held(store, "outbox/liveramp/")) == 1

    each_step(night_of, day=DEMO_DAY)
    objects = held(store, "published/")
    assert objects["latest"] == b"2026-10-31"
    assert objects["2026-10-27"] == first["2026-10-27"]
    assert shown(store) == {
        name.removeprefix("latest/"): data for name, data in contents(two_nights.home / "published" / "latest").items()
    }
    assert verify(night_of().settings)["nights"] == 2


@pytest.mark.long
def test_killed_after_the_commit_the_next_night_makes_it_visible(site, store, night_of):
    each_step(night_of, *STEPS[: STEPS.index("publish")])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(publication, "_show", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            run(night_of(), "publish")
    assert not {"latest", "2026-10-27"} & held(store, "published/").keys()
    with pytest.raises(PublicationBroken):
        verify(night_of().settings)

    run(night_of(), "plan")
    assert json.loads(shown(store)["manifest.json"])["night"] == "2026-10-27"
    assert verify(night_of().settings)["nights"] == 1


@pytest.mark.long
def test_what_is_no_longer_a_published_nights_is_found_out(site, store, night_of):
    each_step(night_of, *STEPS[: STEPS.index("publish") + 1])
    (name,) = [key for key in held(store, "published/") if key.endswith("/members_by_prefecture.csv")]
    store.put(f"published/{name}", b"altered")
    with pytest.raises(PublicationBroken, match="members_by_prefecture.csv: missing, or its bytes are not"):
        verify(night_of().settings)


@pytest.fixture
def sealed_for(sftp_server, tmp_path) -> Iterator[dict]:
    """Settings by which feeds are sealed and sent to a partner's server."""
    with recipients() as recipient:
        yield sealed_by_sftp(sftp_server, recipient)


def test_a_worker_dies_when_it_has_sealed_and_another_sends_the_same_bytes(
    site, store, night_of, sealed_for, sftp_server
):
    each_step(night_of, "plan", "build_feed", "gate_feed", **sealed_for)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(feed_steps, "_send", lambda *_: (_ for _ in ()).throw(LedgerUnreachable("cut")))
        with pytest.raises(LedgerUnreachable):
            run(night_of(**sealed_for), "hand_over")
    ((name, sealed),) = held(store, "outbox/.sealed/").items()
    assert sftp_server.visible() == []

    run(night_of(**sealed_for), "hand_over")
    run(night_of(**sealed_for), "hand_over")
    assert sftp_server.visible() == [name.rsplit("/", 1)[1]]
    assert (sftp_server.drop / sftp_server.visible()[0]).read_bytes() == sealed
    assert feed_steps.resend(night_of(**sealed_for), "liveramp", sftp_server.visible()[0]) == "sent before"
    assert verify(night_of(**sealed_for).settings)["feeds"] == 1
    run(night_of(**sealed_for), "close")
    assert held(store, "outbox/.pending/") == {}
    assert left_here(site) == []


def test_whoever_stops_between_two_workers_is_not_in_what_a_third_hands_over(site, store, night_of):
    run(night_of(), "plan")
    run(night_of(), "build_feed")
    ((before, _),) = held(store, "outbox/.pending/").items()
    site.change("update members set status = 'withdrawn', withdrawn_at = now() where member_id % 3 = 0")
    run(night_of(), "gate_feed")
    ((after, _),) = held(store, "outbox/.pending/").items()
    assert after != before
    run(night_of(), "hand_over")
    assert list(held(store, "outbox/liveramp/")) == [after.rsplit("/", 1)[1].removesuffix(".tar")]


def test_a_pending_feed_that_is_gone_or_cut_short_is_not_handed_over(site, store, night_of):
    each_step(night_of, "plan", "build_feed", "gate_feed")
    ((name, packed),) = held(store, "outbox/.pending/").items()
    store.put(f"outbox/.pending/{name}", packed[: len(packed) // 3])
    with pytest.raises(FenceRefused, match="not the one that was built"):
        run(night_of(), "hand_over")
    store.client.delete_object(Bucket=store.bucket, Key=f"outbox/.pending/{name}")
    with pytest.raises(FenceRefused, match="not the one that was built"):
        run(night_of(), "hand_over")
    assert held(store, "outbox/") == {}


def test_a_store_that_is_out_of_reach_is_tried_again_and_nothing_is_shown(site, store, night_of, monkeypatch):
    with Wire(store.port, [Answer(503, "SlowDown")] * 10_000) as wire:
        monkeypatch.setenv("AWS_ENDPOINT_URL_S3", f"http://127.0.0.1:{wire.port}")
        fsspec.get_filesystem_class("s3").clear_instance_cache()
        with pytest.raises(StorageUnreachable, match="published: the object store answered 503 SlowDown"):
            publication.finish_interrupted(one_published(night_of()), night_of().settings.published)
    assert held(store, "published/") == {}


def one_published(night: Night) -> SimpleNamespace:
    return SimpleNamespace(manifests=lambda: {night.day: ("0" * 64, "{}")}, alone=lambda wait_s: nullcontext())


def test_the_intake_is_read_from_a_store_and_receipts_are_moved_there(site, store, night_of):
    for path in (site.home / "intake").rglob("*.gz"):
        store.put(f"intake/{path.relative_to(site.home / 'intake')}", path.read_bytes())
    store.put("intake/liveramp/receipts/unheard.json", b'{"file": "unheard", "status": "accepted"}')
    store.put("intake/liveramp/receipts/coming.part", b"{")
    now = datetime.datetime.now(datetime.UTC)
    inbox = place(f"s3://{store.bucket}/intake")
    ledger = night_of().ledger
    taken = take_in(ledger, inbox, destinations()["liveramp"], now, "")
    assert (taken.lists, taken.receipts) == (1, 0)
    assert take_in(ledger, inbox, destinations()["liveramp"], now, "").lists == 0
    assert refused_receipts(inbox, "liveramp") == 1
    assert set(held(store, "intake/liveramp/receipts/")) == {"coming.part", "refused/unheard.json"}


def test_what_a_killed_step_left_on_a_worker_is_deleted_by_the_next_one_there(tmp_path):
    code = """
import os, sys
from pathlib import Path
from delivery.outbox import own_place
with own_place(Path(sys.argv[1])) as place:
    (place / "digests").write_text("x")
    os._exit(9)
"""
    subprocess.run([sys.executable, "-c", code, str(tmp_path)], cwd=ROOT, check=False)
    (left,) = tmp_path.iterdir()
    assert left.stat().st_mode & 0o077 == 0
    with outbox.own_place(tmp_path) as own, outbox.own_place(tmp_path) as other:
        assert set(tmp_path.iterdir()) == {own, other}
    assert list(tmp_path.iterdir()) == []
