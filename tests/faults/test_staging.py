"""Staging on an object store that fails: for a while, for good, and with half an object."""

import dataclasses

import fsspec
import pytest

from anonymizers.errors import StagingBroken, StagingUnreachable
from tests.delivery.servers import REGION, Answer, Wire, serve_s3
from tests.faults.campaign import in_order
from tests.nights.sites import run

ORDER = in_order("tables", "feeds", "removals")
FOR_GOOD = 60
"""Answers: more than any step asks for before it gives up."""


@pytest.fixture
def stored(trial, monkeypatch):
    """The night with its staging behind a wire, and the wire, and the store."""
    with serve_s3() as store, Wire(store.port) as wire:
        for name, value in {
            "AWS_ACCESS_KEY_ID": "access",
            "AWS_SECRET_ACCESS_KEY": "secret",
            "AWS_DEFAULT_REGION": REGION,
            "AWS_ENDPOINT_URL_S3": f"http://127.0.0.1:{wire.port}",
        }.items():
            monkeypatch.setenv(name, value)
        fsspec.get_filesystem_class("s3").clear_instance_cache()
        yield dataclasses.replace(trial, more={"SUDARE_STAGING_URL": f"s3://{store.bucket}/staging"}), wire, store
        fsspec.get_filesystem_class("s3").clear_instance_cache()


@pytest.mark.long
@pytest.mark.parametrize(("status", "code"), [(500, "InternalError"), (503, "SlowDown")])
def test_a_store_that_fails_for_good_stops_each_step_and_one_that_fails_for_a_while_none(
    stored, references, status, code
):
    trial, wire, _ = stored
    for step in ORDER[:-1]:
        wire.cut_all()
        wire.plans[:], wire.budget = [Answer(status, code)] * FOR_GOOD, None
        with pytest.raises(StagingUnreachable):
            run(trial.night(name="again"), step)
        wire.plans[:], wire.budget = [Answer(status, code)], None
        run(trial.night(name="again"), step)
    wire.plans[:] = []
    run(trial.night(name="again"), "close")
    assert trial.seen() == references.after
    assert trial.ledger() == references.ledger


BROKEN = {
    "the plan": ("plan.json", "extract", "plan"),
    "members": ("members/0001.parquet", "tabulate", "extract"),
    "cells": ("cells/activity_by_hour/0000.parquet", "merge_cells", "tabulate"),
    "counts": ("summaries/extract-0001.json", "merge_cells", "extract"),
    "sums": ("merged/consents_by_age_band.parquet", "disclose", "merge_cells"),
    "a release": ("releases/consents_by_age_band.parquet", "publish", "disclose"),
    "what the gate found": ("gates/tables.json", "publish", "gate_tables"),
    "what is told of a feed": ("feeds/liveramp.json", "hand_over", "build_feed"),
}
"""An object, the step that reads it, and the one that writes it."""


def test_half_an_object_is_not_taken_for_a_whole_one(stored, references):
    """Each is cut to half before the step that reads it: that one says so, and the one that writes it mends it."""
    trial, _, store = stored
    for step in ORDER:
        for name, reader, writer in BROKEN.values():
            if reader == step:
                cut(store, f"staging/2026-10-31/again/{name}")
                with pytest.raises(StagingBroken, match=rf"^staging: 2026-10-31/again/{name} is not whole"):
                    run(trial.night(name="again"), step)
                run(trial.night(name="again"), writer)
        run(trial.night(name="again"), step)
    assert trial.seen() == references.after
    assert trial.ledger() == references.ledger


def cut(store, key: str) -> None:
    body = store.client.get_object(Bucket=store.bucket, Key=key)["Body"].read()
    store.put(key, body[: len(body) // 2])
