"""Nights with a partner: real SFTP, real S3 API, real OpenPGP; what leaves, what is owed, and what stops whom."""

import dataclasses
import datetime
import gzip
import hashlib
import json
import os
from pathlib import Path

import psycopg
import pytest

from anonymizers.errors import (
    DestinationHeld,
    DestinationRefused,
    FenceRefused,
    HostKeyRefused,
    LedgerUnreachable,
    ObligationsOverdue,
    OptOutListMissing,
    OptOutListRefused,
    OptOutListStale,
    PublicationBroken,
    ReceiptRefused,
    SealingRefused,
    StopSignalsVanished,
    StorageFull,
    ValueUnfit,
)
from delivery import feed_steps, outbox
from delivery import night as nights
from delivery.agreements import Login
from delivery.night import Night
from delivery.verification import verify
from sudare.feeds import preview, read_all, read_provisions
from tests.delivery.openpgp import recipients
from tests.nights.sites import FIRST_NIGHT, LIVERAMP, NOW, Site, run, sealed_by_sftp

FEED = ("plan", "build_feed", "gate_feed", "hand_over")
DAYS = datetime.timedelta(days=1)


@pytest.fixture(scope="module")
def recipient():
    with recipients() as made:
        yield made


@pytest.fixture
def by_sftp(site, recipient, sftp_server):
    """A site whose feeds go to an SFTP server, sealed; removals to another folder there."""
    (sftp_server.root / "removals").mkdir()
    changes = sealed_by_sftp(sftp_server, recipient)
    return lambda day=FIRST_NIGHT, now=NOW, **more: site.night(day, now, **{**changes, **more})


def opened(recipient, path: Path) -> list[str]:
    content, _, _ = recipient.decrypted(path)
    return gzip.decompress(content).decode().splitlines()


def stop(site: Site, night: Night, count: int = 5) -> None:
    """Members who are in the last feed say stop."""
    known = {bytes(row[0]) for row in ledger_rows(night, "select member from delivery.provisions")}
    assert known
    site.change(
        "insert into opt_outs select 7000000 + row_number() over (), m.member_id, null, 'site_ad', now(), null from "
        "(select member_id from consents c join members using (member_id) where purpose = 'ad_match' and "
        "c.text_version = '2022-04-01' and c.method in ('checkbox', 'button') and c.withdrawn_at is null "
        f"and status = 'active' and email_verified_at is not null order by member_id limit {count * 8}) m"
    )


def ledger_rows(night: Night, sql: str) -> list[tuple]:
    with psycopg.connect(night.settings.ledger_url) as connection:
        return connection.execute(sql).fetchall()


def test_a_feed_is_sealed_sent_recorded_and_never_sent_twice(by_sftp, site, recipient, sftp_server):
    night = by_sftp()
    run(night, *FEED)
    (name,) = sftp_server.visible()
    header, *lines = opened(recipient, sftp_server.drop / name)
    assert header == '"EMAIL1_SHA-256","EMAIL1_SHA-1","EMAIL1_MD5"'
    (delivery,) = night.ledger.deliveries("liveramp")
    assert (delivery.state, delivery.rows) == ("sent", len(lines))
    assert {value.hex() for value in night.ledger.provided(delivery)["sha256"]} == {line[1:65] for line in lines}
    run(night, "hand_over")
    run(by_sftp(), *FEED)
    assert sftp_server.renames(name) == 1
    assert len(night.ledger.deliveries("liveramp")) == 1
    assert verify(night.settings)["feeds"] == 1


def test_the_record_says_what_the_law_asks_for(by_sftp, site):
    night = by_sftp()
    run(night, *FEED)
    (delivery,) = night.ledger.deliveries("liveramp")
    assert delivery.record["basis"].startswith("本人の同意")
    assert delivery.record["recipient"] == {
        "name": "LiveRamp Japan株式会社",
        "country": "JP",
        "relation": "第三者提供",
        "address": "a town",
        "representative": "somebody",
        "article_28_basis": "",
    }
    assert delivery.record["items"] == ["EMAIL1_SHA-256", "EMAIL1_SHA-1", "EMAIL1_MD5"]
    assert delivery.record["fence"]["stopped_addresses"]["opt_out"] > 0
    members = site.ask("select member_id from members order by 1 limit 40")
    provided = [one for (member,) in members for one in read_provisions(night, member)]
    assert 0 < len(provided) < 40
    assert {one["consent_text"] for one in provided} == {"2022-04-01"}
    assert ledger_rows(night, "select count(*) from delivery.provisions") == [(delivery.added,)]


def test_removals_leave_for_another_folder_until_they_are_acknowledged(by_sftp, site, recipient, sftp_server):
    night = by_sftp()
    run(night, *FEED, "remove")
    assert list((sftp_server.root / "removals").iterdir()) == []
    stop(site, night)
    later = by_sftp(now=NOW + datetime.timedelta(hours=6))
    owed = nights.remove(later, "liveramp")
    assert owed["sent"] == sum(owed["owed"].values()) >= 5
    (path,) = (sftp_server.root / "removals").iterdir()
    header, *lines = opened(recipient, path)
    assert header == "md5_hash|sha1_hash|sha256_hash|opted-out"
    assert len(lines) == owed["sent"]
    assert all(line.endswith("|1") for line in lines)
    again = nights.remove(by_sftp(now=NOW + datetime.timedelta(hours=7)), "liveramp")
    assert (again["sent"], again["owed"]) == (0, {})
    # The acknowledgement is lost, so the next day it is sent again; then it comes.
    assert nights.remove(by_sftp(now=NOW + 2 * DAYS), "liveramp")["sent"] == owed["sent"]
    acknowledge(later, path.name.removesuffix(".gpg"))
    told = nights.remove(by_sftp(now=NOW + 4 * DAYS), "liveramp")
    assert told["sent"] == 0
    assert told["open"]["acknowledged"] == owed["sent"]


def acknowledge(night: Night, file: str, **more: object) -> None:
    folder = night.settings.intake / "liveramp" / "receipts"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{len(list(folder.iterdir()))}.json").write_text(
        json.dumps({"file": file, "status": "accepted", **more})
    )


def test_what_nobody_acknowledges_for_two_weeks_fails_the_run_after_it_is_sent_again(by_sftp, site, sftp_server):
    night = by_sftp()
    run(night, *FEED)
    stop(site, night)
    nights.remove(by_sftp(now=NOW), "liveramp")
    with pytest.raises(ObligationsOverdue, match=r"^liveramp: \d+ removals not acknowledged for 14 days") as overdue:
        nights.remove(by_sftp(now=NOW + 14 * DAYS), "liveramp")
    assert overdue.value.exit_status == 56
    assert len(list((sftp_server.root / "removals").iterdir())) == 2
    ((told,),) = [[one["obligations"] for one in read_all(night.settings, night.day, NOW + 8 * DAYS)]]
    assert told["late"] > 0 == told["overdue"]


def test_a_receipt_for_a_file_that_was_never_sent_changes_nothing_and_is_said(by_sftp, site):
    night = by_sftp()
    run(night, *FEED)
    acknowledge(night, "sudare_liveramp_20261027_000000000000.csv.gz")
    before = ledger_rows(night, "select * from delivery.deliveries")
    with pytest.raises(ReceiptRefused):
        nights.remove(by_sftp(), "liveramp")
    assert ledger_rows(night, "select * from delivery.deliveries") == before
    (refused,) = (night.settings.intake / "liveramp" / "receipts" / "refused").iterdir()
    with pytest.raises(ReceiptRefused):
        nights.remove(by_sftp(), "liveramp")
    refused.unlink()
    nights.remove(by_sftp(), "liveramp")


def test_a_feed_by_s3_is_the_same(site, recipient, s3_server):
    agreement = dataclasses.replace(
        LIVERAMP,
        send_to=s3_server.url,
        removals_to=f"{s3_server.url}-removals",
        endpoint_url=s3_server.endpoint,
        region=s3_server.credentials.region,
        public_key=str(recipient.files["partner"]),
        fingerprint=recipient.pins["subkey"],
    )
    login = Login(login=s3_server.credentials.login, password=s3_server.credentials.password)
    night = site.night(FIRST_NIGHT, agreements={"liveramp": agreement}, logins={"liveramp": login})
    run(night, *FEED, "hand_over")
    ((_, content),) = s3_server.visible().items()
    (delivery,) = night.ledger.deliveries("liveramp")
    sealed = site.home / "sealed.gpg"
    sealed.write_bytes(content)
    assert len(opened(recipient, sealed)) == delivery.rows + 1


STOPPED = {
    "another host key": (
        lambda a, r: dataclasses.replace(a, host_key="ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGb8n1Y5"),
        HostKeyRefused,
    ),
    "an expired key": (
        lambda a, r: dataclasses.replace(a, fingerprint=r.pins["expired subkey"]),
        SealingRefused,
    ),
    "no seal": (lambda a, r: dataclasses.replace(a, public_key="", fingerprint=""), DestinationRefused),
    "nobody confirmed": (lambda a, r: dataclasses.replace(a, confirmed=""), DestinationRefused),
    "no representative": (lambda a, r: dataclasses.replace(a, recipient_representative=""), DestinationRefused),
}


@pytest.mark.parametrize(("change", "error"), STOPPED.values(), ids=STOPPED)
def test_a_destination_that_may_not_be_delivered_to_gets_nothing(
    by_sftp,
    site,
    recipient,
    sftp_server,
    change,
    error,
):
    agreement = change(by_sftp().settings.agreements["liveramp"], recipient)
    night = by_sftp(agreements={"liveramp": agreement})
    with pytest.raises(error):
        run(night, *FEED)
    assert sftp_server.visible() == []
    assert not [one for one in night.ledger.deliveries("liveramp") if one.sent_at]


def test_a_hold_stops_feeds_and_not_removals(by_sftp, site, sftp_server):
    night = by_sftp()
    run(night, *FEED)
    stop(site, night)
    night.ledger.hold("liveramp", "ad-ops", "their key changed", NOW)
    with pytest.raises(DestinationHeld):
        run(night, "hand_over")
    with pytest.raises(DestinationHeld, match=r"^liveramp: held since "):
        run(by_sftp(), "plan", "build_feed")
    assert nights.remove(by_sftp(), "liveramp")["sent"] > 0
    night.ledger.release("liveramp", "ad-ops", "pinned", NOW)
    run(by_sftp(), *FEED)


def refresh(night: Night, at: datetime.datetime, content: bytes | None = None) -> None:
    (path,) = (night.settings.intake / "liveramp" / "lists").glob("*.gz")
    if content is not None:
        path.write_bytes(content)
    os.utime(path, 2 * (at.timestamp(),))


LISTS = {
    "none": (
        lambda night: (night.settings.intake / "liveramp" / "lists" / "optouts.psv.gz").unlink(),
        OptOutListMissing,
    ),
    "stale": (lambda night: refresh(night, night.now - 25 * DAYS / 24), OptOutListStale),
    "of another form": (
        lambda night: refresh(night, night.now, gzip.compress(b"email\nhanako@example.jp\n")),
        OptOutListRefused,
    ),
    "cut short": (lambda night: refresh(night, night.now, gzip.compress(b"x" * 999)[:20]), OptOutListRefused),
}


@pytest.mark.parametrize(("change", "error"), LISTS.values(), ids=LISTS)
def test_without_the_partners_list_no_feed_leaves_for_it(by_sftp, site, sftp_server, change, error):
    night = by_sftp()
    run(night, "plan")
    change(night)
    with pytest.raises(error) as refused:
        run(night, "build_feed")
    assert "hanako" not in str(refused.value)
    nights.remove(night, "liveramp")
    assert sftp_server.visible() == []


def test_a_list_that_shrinks_is_doubted_until_somebody_accepts_it(by_sftp, site):
    run(by_sftp(), "plan", "build_feed")
    night = by_sftp()
    header = b"md5_hash|sha1_hash|sha256_hash|opted-out\n"
    refresh(night, night.now, gzip.compress(header, mtime=0))
    with pytest.raises(OptOutListRefused, match=r"accept the list ([0-9a-f]{64})$") as refused:
        run(night, "build_feed")
    with pytest.raises(OptOutListRefused):
        run(night, "build_feed")
    accepted = str(refused.value)[-64:]
    night = by_sftp(accept_opt_out_list=accepted)
    refresh(night, night.now)
    run(night, "build_feed")


def test_without_the_ledger_nothing_is_sent(by_sftp, site, sftp_server):
    night = by_sftp()
    run(night, "plan", "build_feed", "gate_feed")
    with pytest.raises(LedgerUnreachable):
        run(by_sftp(ledger_url="postgresql://nobody@127.0.0.1:1/none"), "hand_over")
    assert sftp_server.visible() == []


def test_a_disk_that_is_full_while_sealing_leaves_nothing_and_says_so(by_sftp, site, sftp_server, monkeypatch):
    resource = pytest.importorskip("resource")
    night = by_sftp()
    run(night, "plan", "build_feed", "gate_feed")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, hard))
    try:
        path = outbox.pending_place(night.settings.outbox, "liveramp", night.owner) / told(night).file
        with pytest.raises(StorageFull):
            feed_steps._seal(night, "liveramp", path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert not [path for path in (night.settings.outbox / ".sealed" / "liveramp").rglob("*") if path.is_file()]
    run(night, "hand_over")
    assert len(sftp_server.visible()) == 1


def told(night: Night):
    return feed_steps._told(night, "liveramp")


def test_a_stop_while_the_file_is_on_its_way_is_not_in_what_becomes_visible(by_sftp, site, sftp_server, recipient):
    night = by_sftp()
    run(night, "plan", "build_feed", "gate_feed")
    before = told(night)
    said = []

    def say_stop(path):
        # The server is about to hold the whole file under its temporary name.
        if not said:
            said.append(path)
            site.change(
                "insert into opt_outs select 8000000 + row_number() over (), member_id, null, 'site_ad', now(), null "
                "from members where member_id % 3 = 0"
            )

    real = feed_steps._require_nobody_stopped
    calls = []

    def passing(*args):
        calls.append(1)
        if len(calls) == 2:
            say_stop(None)
        return real(*args)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(feed_steps, "_require_nobody_stopped", passing)
        run(night, "hand_over")
    (name,) = sftp_server.visible()
    assert sftp_server.hidden() == []
    assert not name.startswith(before.file)
    digest = "encode(sha256(convert_to(lower(email), 'UTF8')), 'hex')"
    stopped = {d for (d,) in site.ask(f"select {digest} from members where member_id % 3 = 0 and email is not null")}
    assert not {line[1:65] for line in opened(recipient, sftp_server.drop / name)[1:]} & stopped
    states = [one.state for one in night.ledger.deliveries("liveramp")]
    assert states == ["sent", "abandoned"]


def test_the_same_bytes_are_sent_again_only_while_everybody_in_them_may_be_sent(by_sftp, site, sftp_server):
    night = by_sftp()
    run(night, *FEED)
    (name,) = sftp_server.visible()
    content = (sftp_server.drop / name).read_bytes()
    (sftp_server.drop / name).unlink()
    assert feed_steps.resend(night, "liveramp", name) == "sent now"
    assert (sftp_server.drop / name).read_bytes() == content
    assert feed_steps.resend(night, "liveramp", name) == "sent before"
    with pytest.raises(ValueUnfit):
        feed_steps.resend(night, "liveramp", "sudare_liveramp_20261027_000000000000.csv.gz")
    stop(site, night)
    (sftp_server.drop / name).unlink()
    with pytest.raises(FenceRefused, match=r"^liveramp: somebody in that feed may not be sent any more"):
        feed_steps.resend(night, "liveramp", name)
    assert sftp_server.visible() == []


def test_a_preview_tells_counts_records_nothing_and_shows_nobody(by_sftp, site, sftp_server):
    night = by_sftp()
    run(night, *FEED)
    stop(site, night)
    seen = preview(by_sftp(), "liveramp")
    assert seen["removed"] >= 5
    assert seen["unchanged"] + seen["removed"] == night.ledger.deliveries("liveramp")[0].rows
    assert len(night.ledger.deliveries("liveramp")) == len(sftp_server.visible()) == 1
    assert not any(len(word) > 30 for word in json.dumps(seen).replace('"', " ").split() if word.isalnum())


def test_a_changed_row_of_the_ledger_is_found(by_sftp, site):
    night = by_sftp()
    run(night, *FEED)
    with psycopg.connect(night.settings.ledger_url) as connection:
        connection.execute("delete from delivery.provisions where ctid = (select min(ctid) from delivery.provisions)")
    with pytest.raises(PublicationBroken, match=r"the ledger has \d+ rows"):
        verify(night.settings)


def test_a_deployment_without_agreements_has_no_feeds(site):
    night = site.night(FIRST_NIGHT, agreements={})
    assert nights.plan_feeds(night) == []


def test_an_agreement_that_ended_leaves_what_is_owed_in_sight(by_sftp, site):
    night = by_sftp()
    run(night, *FEED)
    stop(site, night)
    for ended in (by_sftp(agreements={}), by_sftp(purposes=("P09",))):
        assert nights.plan_feeds(ended) == []
        assert nights.plan_removals(ended) == ["liveramp"]
        with pytest.raises(DestinationRefused, match=r"^liveramp: \d+ removals are owed, and there is no agreement"):
            nights.remove(ended, "liveramp")
    assert nights.remove(by_sftp(), "liveramp")["sent"] > 0


@pytest.mark.parametrize("dataset", ["consents", "opt_outs", "rights_requests"])
def test_a_source_that_has_lost_something_takes_nobody_back(by_sftp, site, sftp_server, dataset):
    night = by_sftp()
    run(night, *FEED)
    site.change(f"truncate {dataset}")
    with pytest.raises(StopSignalsVanished, match=rf"^{dataset}: 0 rows, \d+ at the last feed for liveramp"):
        nights.remove(by_sftp(), "liveramp")
    assert ledger_rows(night, "select count(*) from delivery.obligations") == [(0,)]
    assert nights.remove(by_sftp(accept_fewer_stop_signals=True), "liveramp")["destination"] == "liveramp"


def test_a_hold_that_comes_while_a_file_is_on_its_way_keeps_it_from_being_seen(by_sftp, site, sftp_server):
    night = by_sftp()
    run(night, "plan", "build_feed", "gate_feed")
    real = feed_steps._send

    def send(night, *rest):
        night.ledger.hold("liveramp", "ad-ops", "wait", NOW)
        return real(night, *rest)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(feed_steps, "_send", send)
        with pytest.raises(DestinationHeld):
            run(night, "hand_over")
    assert sftp_server.visible() == sftp_server.hidden() == []


def test_an_account_that_closes_at_the_last_moment_takes_her_familys_address_along(
    by_sftp, site, sftp_server, recipient
):
    night = by_sftp()
    ((one, other),) = site.ask(
        "select min(member_id), max(member_id) from (select member_id from members join consents using (member_id) "
        "where purpose = 'ad_match' and method in ('checkbox', 'button') and text_version = '2022-04-01' and "
        "consents.withdrawn_at is null and status = 'active' and email_verified_at is not null and "
        "birth_date < '2000-01-01' and given_at < '2026-10-01' and member_id not in (select member_id from opt_outs "
        "where member_id is not null) order by 1 limit 40) m"
    )
    site.change(f"update members set email = 'family@example.jp' where member_id in ({one}, {other})")
    run(night, "plan", "build_feed", "gate_feed")
    site.change(f"update members set status = 'withdrawn', withdrawn_at = now() where member_id = {one}")
    run(night, "hand_over")
    (name,) = sftp_server.visible()
    assert hashlib.sha256(b"family@example.jp").hexdigest() not in str(opened(recipient, sftp_server.drop / name))


def test_what_was_sealed_for_another_key_does_not_leave(by_sftp, site, recipient, sftp_server):
    night = by_sftp()
    run(night, "plan", "build_feed", "gate_feed")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(feed_steps, "_send", lambda *_: (_ for _ in ()).throw(LedgerUnreachable("cut")))
        with pytest.raises(LedgerUnreachable):
            run(night, "hand_over")
    changed = dataclasses.replace(night.settings.agreements["liveramp"], fingerprint=recipient.pins["revoked subkey"])
    with pytest.raises(SealingRefused):
        run(by_sftp(agreements={"liveramp": changed}), "hand_over")
    assert sftp_server.visible() == []
