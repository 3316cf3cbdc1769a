"""
The steps of a night that hand people's digests over, and take them back. Part of `delivery.night`.

    build_feed ─ gate_feed ─ hand_over       consent AND no stop AND of age; the fence; the record; the file
    remove                                   delivered, less whoever is permitted now

A file is recorded in the ledger before a byte of it leaves, and the stop signals are read twice more: before it is
recorded, and again when it has arrived under a temporary name and only has to be made visible.
"""

from __future__ import annotations

import dataclasses
import datetime
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd
import polars as pl

from anonymizers.errors import (
    DestinationHeld,
    DestinationRefused,
    FenceRefused,
    ObligationsOverdue,
    OutboxUnwritable,
    ReceiptRefused,
    SliceSilent,
    SourceEmpty,
    StopSignalsVanished,
    ValueUnfit,
)
from delivery import feeds, fence, manifest, outbox, removals
from delivery.agreements import Login
from delivery.buckets import Buckets
from delivery.consent import Moment, barred_addresses, permit, read_shard
from delivery.days import TOKYO
from delivery.destinations import destinations
from delivery.intake import TakenIn, refused_receipts, require_list, take_in
from delivery.ledger import ARRIVED, PreparedFile
from delivery.obligations import OVERDUE_AFTER, obligation_ages
from delivery.sealing import SealingKey, seal
from delivery.sending import Credentials, open_transport
from delivery.spec import Destination
from expectations.checks import between, rows, zero
from transforms.ahead import ahead
from transforms.places import bring, fresh_filesystem, is_store, make_folder, unwritable_as
from transforms.purposes import ADVERTISING, POLICY_VERSION
from transforms.silence import FLOOR
from transforms.source import Source, plan_shards
from transforms.spec import Reader

if TYPE_CHECKING:
    from delivery.night import Night

RESEND_AFTER = datetime.timedelta(hours=24)
"""A removal that is not acknowledged is sent again after this."""

SHRINK_LIMIT = 0.2
"""Share of rows or stop signals that may be gone since they were last counted; erasures are few, a broken export is
not."""

COLLAPSE = 0.5
"""Share of the last feed under which the next one is held against its source by a person."""


def build_feed(night: Night, name: str) -> dict:
    """
    Permit and keep one destination's feed, in a private place.

    Raises:
        DestinationRefused, DestinationHeld: it may not be delivered to.
        OptOutListMissing, OptOutListStale, OptOutListRefused: its own list of opted-out people cannot be relied on.
    """
    with night.ledger.only_one(name), _at_hand(night, name) as place:
        _take_in(night, name)
        _require_open(night, name)
        return _build(night, name, night.planned_at, place).as_dict()


def _at_hand(night: Night, name: str) -> AbstractContextManager[Path]:
    return outbox.pending_at_hand(_pending(night, name), night.settings.scratch)


def _take_in(night: Night, name: str) -> TakenIn:
    return take_in(
        night.ledger, night.settings.intake, destinations()[name], night.now, night.settings.accept_opt_out_list
    )


def _require_open(night: Night, name: str) -> None:
    destination = night.destinations[name]
    night.settings.agreements[name].require_usable(destination)
    if held := night.ledger.held(name):
        raise DestinationHeld(
            f"{name}: held since {held['held_at']:%Y-%m-%d %H:%M %Z}; `sudare release {name}` lets feeds out again. "
            "Removals go on"
        )
    require_list(night.ledger, destination, night.now)


def _build(night: Night, name: str, now: datetime.datetime, place: Path) -> feeds.Feed:
    destination = night.destinations[name]
    feed = feeds.build_feed(
        destination,
        _source(night),
        night.shards,
        Moment(night.day, now),
        night.ledger.opted_out(destination.opt_out_list),
        night.ledger_key(),
        place,
    )
    # In this order, so that what is told of is there whole, whenever this process dies.
    outbox.keep_pending(_pending(night, name), feed, place)
    night.staging.write_json(feed.as_dict(), "feeds", f"{name}.json")
    outbox.drop_other_pending(_pending(night, name), feed)
    return feed


def _pending(night: Night, name: str) -> Path:
    return outbox.pending_place(night.settings.outbox, name, night.owner)


def _source(night: Night) -> Source:
    """The source as of the plan: with fewer members than then, most would look as if they had left."""
    members = night.planned.get("rows", {}).get("members", 0)
    return dataclasses.replace(night.planned_source, had=(*night.planned_source.had, ("members", members)))


def _told(night: Night, name: str) -> feeds.Feed:
    return feeds.Feed(**night.staging.read_json("feeds", f"{name}.json"))


def gate_feed(night: Night, name: str) -> dict:
    """
    Validate one finished feed against what the source says now.

    Somebody may have said stop since it was built; then it is built once more, without her.

    Raises:
        SliceSilent: it is less than half of the last one.
        GateRefused: an expectation failed.
    """
    with night.ledger.only_one(name), _at_hand(night, name) as place:
        _require_not_collapsed(night, name)
        measures = _measure(night, name, place)
        if fence.only_stopped(measures):
            _build(night, name, night.now, place)
            measures = _measure(night, name, place)
        return _gate(night, name, measures)


def _require_not_collapsed(night: Night, name: str) -> None:
    """A consent or an address that is read no more looks like half of the people having left."""
    last = next((one for one in night.ledger.deliveries(name, "feed") if one.state in ARRIVED), None)
    if last is None or last.rows < FLOOR or name in night.settings.accept_silent:
        return
    if _told(night, name).rows < last.rows * COLLAPSE:
        raise SliceSilent(
            f"{name}: the feed is less than half of that of {last.day}; nothing was sent. `sudare feeds preview` says "
            f"who is left out and why; if rightly, run once with SUDARE_ACCEPT_SILENT={name}"
        )


def _measure(night: Night, name: str, place: Path) -> pd.DataFrame:
    destination, feed = night.destinations[name], _told(night, name)
    path = outbox.require_pending(_pending(night, name), feed, place)
    with _evidence(night, destination, _source(night), place) as evidence:
        return fence.measure(destination, path, evidence, feeds.read_rows(place), feed.plain_bytes, place)


def _gate(night: Night, name: str, measures: pd.DataFrame) -> dict:
    from expectations.validation import validate

    return night.judge(f"feed-{name}", validate(name, measures, fence.feed_suite(night.destinations[name], measures)))


@contextmanager
def _evidence(night: Night, destination: Destination, source: Source, place: Path) -> Iterator[fence.Evidence]:
    """What the source says in a transaction of its own, for as long as it is looked at."""
    with source.session(Reader.ADS) as session:
        opted_out = night.ledger.opted_out(destination.opt_out_list)
        shards = plan_shards(session, night.settings.members_per_shard)
        evidence = fence.read_evidence(
            destination, session, shards, Moment(night.day, night.now), opted_out, place / "evidence"
        )
    try:
        yield evidence
    finally:
        evidence.remove()


def hand_over(night: Night, name: str, tries: int = 3) -> dict:
    """
    Let one feed out through the fence.

    Stop signals are read again in a fresh transaction. If anybody in the feed has said
    stop since it was built, it is built, gated and fenced again.

    Args:
        night: Which.

        name: The destination.

        tries: How often a feed is built anew before the night gives up.

    Raises:
        FenceRefused: stop signals kept coming in; nothing was made visible.
        LedgerUnreachable: it could not be recorded; nothing was sent.
    """
    destination = night.destinations[name]
    with night.ledger.only_one(name) as still_alone, _at_hand(night, name) as place:
        for _ in range(tries):
            feed = _told(night, name)
            try:
                return _pass(night, destination, feed, place, still_alone)
            except _Caught:
                _build(night, name, night.now, place)
                measures = _measure(night, name, place)
                if not fence.only_stopped(measures):  # whoever has stopped again by now is caught again
                    _gate(night, name, measures)
    raise FenceRefused(f"{name}: after {tries} tries somebody in the feed had said stop again; run the night again")


class _Caught(Exception):
    """Somebody in the feed has said stop."""


def _pass(
    night: Night, destination: Destination, feed: feeds.Feed, place: Path, still_alone: Callable[[], None]
) -> dict:
    def may_leave() -> dict:
        still_alone()
        _require_open(night, destination.name)
        return _require_nobody_stopped(night, destination, path)

    path = outbox.require_pending(_pending(night, feed.destination), feed, place)
    sealed = _seal(night, destination.name, path)
    passed = may_leave()
    record = _feed_record(night, destination, feed, passed)
    prepared = PreparedFile(destination.name, night.day, feed.file, feed.sha256, feed.rows, record)
    delivery, _ = night.ledger.prepare_feed(prepared, feeds.read_rows(place), night.now)
    again = delivery.state in ARRIVED
    if not again:
        _send(night, destination.name, sealed, "", may_leave)
        # Before it is recorded as sent: whoever dies in between does both again.
        outbox.drop_others(night.settings.outbox, destination.name, feed.file)
        night.ledger.sent(delivery, manifest.sha256_of(sealed), night.now)
    return {
        "destination": destination.name,
        "rows": feed.rows,
        "added": delivery.added,
        "ended": delivery.ended,
        "handed_over": "before" if again else "now",
    }


def _require_nobody_stopped(night: Night, destination: Destination, path: Path) -> dict:
    """The fence itself: file and stopped people have nobody in common, as of a transaction of this instant."""
    with _evidence(night, destination, _source(night), path.parent) as evidence:
        file = fence.read_file(destination, path, path.parent, len(evidence.consented))
        caught = evidence.count_in(file)
        file.remove()
        if any(caught.values()):
            raise _Caught
        return evidence.summary()


def _seal(night: Night, name: str, path: Path) -> Path:
    """The sealed file, or the file itself where it stays in the house. What is sealed once is not sealed again."""
    agreement = night.settings.agreements[name]
    if not agreement.fingerprint:
        return path
    # By the key as well: what was sealed with one that is not pinned any more may not leave.
    place = outbox.sealed_place(night.settings.outbox, name) / agreement.fingerprint[-16:].lower()
    kept = place / f"{path.name}.gpg"
    sealed = outbox.sealed_at_hand(night.settings.outbox, kept, path)
    if not sealed.exists():
        with unwritable_as(OutboxUnwritable, "outbox"):
            make_folder(sealed.parent, 0o700)
        seal(path, sealed, SealingKey(Path(agreement.public_key), agreement.fingerprint), night.now)
        outbox.keep_sealed(night.settings.outbox, sealed, kept)
    return sealed


def _send(night: Night, name: str, path: Path, below: str, before_visible: Callable[[], object]) -> str:
    """To the partner, or to the local outbox where the agreement names no place; whether it was there before."""
    agreement, login = night.settings.agreements[name], night.settings.logins.get(name, Login())
    ours = str(night.settings.outbox / name)
    place = agreement.send_to or ours
    if below:
        place = agreement.removals_to or f"{place.rstrip('/')}/{below}"
    # Our own store is reached by our own keys, and never by a partner's.
    in_our_store = is_store(night.settings.outbox) and place in (ours, f"{ours}/{below}")
    own = fresh_filesystem(night.settings.outbox) if in_our_store else None
    if "://" not in place:
        with unwritable_as(OutboxUnwritable, "outbox"):
            make_folder(Path(place), 0o700)
    credentials = Credentials(
        login=login.login,
        password=login.password,
        private_key=login.private_key,
        endpoint_url=agreement.endpoint_url,
        region=agreement.region,
    )
    with open_transport(place, credentials, agreement.host_key, own=own) as transport:
        # What an earlier file left half sent would stay at the partner for ever.
        for stale in transport.unfinished():
            if stale != path.name and stale.startswith(f"sudare_{name}_"):
                transport.discard(stale)
        return transport.send(path, path.name, lambda: before_visible() and None)


def resend(night: Night, name: str, file: str) -> str:
    """
    Send the very bytes of an earlier feed again.

    Returns:
        Whether they went out now, or are there already.

    Raises:
        ValueUnfit: no such feed was sent.
        FenceRefused: its bytes are gone, or somebody in it may not be sent any more.
    """
    destination = night.destinations[name]
    with night.ledger.only_one(name) as still_alone, outbox.own_place(night.settings.scratch) as place:
        _take_in(night, name)
        _require_open(night, name)
        delivery = night.ledger.find(name, file.removesuffix(".gpg"))
        if delivery is None or delivery.kind != "feed" or not delivery.sent_at:
            raise ValueUnfit(f"{name}: no feed of this name was sent; `sudare feeds --json` tells the names")
        kept = outbox.kept_file(night.settings.outbox, name, delivery.file)
        path = kept and bring(kept, place)
        if path is None or manifest.sha256_of(path) != delivery.sealed_sha256:
            raise FenceRefused(f"{name}: the bytes of that feed are not kept any more; run a night instead")

        source = _believable(night, name)

        def nobody_stopped() -> None:
            still_alone()
            with _evidence(night, destination, source, place) as evidence:
                provided = Buckets(place / "file", len(evidence.consented))
                digests = [pl.col(a.value).bin.encode("hex") for a in destination.algorithms]
                provided.add(night.ledger.provided(delivery).select(digests))
                if any(evidence.count_in(provided).values()):
                    raise FenceRefused(f"{name}: somebody in that feed may not be sent any more; run a night instead")

        nobody_stopped()
        night.ledger.sent_again(delivery, night.now)
        return str(_send(night, name, path, "", nobody_stopped))


def _feed_record(night: Night, destination: Destination, feed: feeds.Feed, passed: dict) -> dict:
    manifest.require_adds_up({destination.name: feed.account})
    return {
        **_provision_record(night, destination, [header for header, _ in destination.columns]),
        "inputs": {"members": feed.account},
        "reasons": feed.reasons,
        "source": _counts(night),
        "outputs": [{"file": feed.file, "rows": feed.rows, "sha256": feed.sha256}],
        "fence": passed,
        "gate": night.staging.read_json("gates", f"feed-{destination.name}.json"),
    }


def _provision_record(night: Night, destination: Destination, items: list[str]) -> dict:
    """
    What the law wants recorded of a provision with consent, but for the people: those are in the ledger.

    Source:
        個人情報保護法 29条; 施行規則 20条1項2号; 28条 for a recipient abroad. Read 2026-11-23.
    """
    agreement = night.settings.agreements[destination.name]
    return {
        "night": night.day.isoformat(),
        "purpose": ADVERTISING,
        "policy_version": POLICY_VERSION,
        "code_version": manifest.code_version(),
        "legal_class": manifest.LEGAL_CLASS_FEED,
        "basis": "本人の同意(27条1項)",
        "recipient": {
            **dataclasses.asdict(destination.recipient),
            "address": agreement.recipient_address,
            "representative": agreement.recipient_representative,
            "article_28_basis": agreement.article_28_basis,
        },
        "items": items,
        "rule": destination.rule_id,
        "key_id": night.ledger_key().id,
    }


def plan_removals(night: Night) -> list[str]:
    """Every destination that was ever provided to, whether there is an agreement with it still or not."""
    return sorted({*night.destinations, *night.ledger.destinations()})


def remove(night: Night, name: str) -> dict:
    """
    Work out what is owed of one destination, and send it.

    Needs no plan of a night: it reads the source as of now, and runs between nights as well. A hold stops feeds, not
    removals, and so does a list that is missing.

    Returns:
        Counts: newly owed by reason, sent, and open by state.

    Raises:
        SourceEmpty, StopSignalsVanished: the source cannot be believed; nothing was worked out.
        DestinationRefused: after working it out; there is no agreement any more by which it could be sent.
        ReceiptRefused: after sending; a receipt that was left for us says what cannot be.
        ObligationsOverdue: after sending; something has not been acknowledged for too long.
    """
    destination = destinations()[name]
    with night.ledger.only_one(name) as still_alone:
        taken = _take_in(night, name)
        fresh = _owe(night, destination, _believable(night, name), still_alone)
        owed = night.ledger.owed(name, night.now - RESEND_AFTER)
        sent = _send_removals(night, destination, owed, still_alone) if owed.height else 0
    ages = obligation_ages(night.ledger, name, night.now)
    if count := refused_receipts(night.settings.intake, name):
        raise ReceiptRefused(
            f"{name}: {count} receipts could not be taken in and lie in {name}/receipts/refused of the intake; look at "
            "them with the partner, then take them away"
        )
    if late := ages["overdue"]:
        raise ObligationsOverdue(
            f"{name}: {late} removals not acknowledged for {OVERDUE_AFTER.days} days or more. They are sent again "
            "every day; ask the partner for a receipt and put it into the intake"
        )
    counts = {"lists": taken.lists, "receipts": taken.receipts}
    return {"destination": name, "owed": fresh, "sent": sent, "open": ages, "taken_in": counts}


def _counts(night: Night) -> dict[str, int]:
    with night.source.session(Reader.ADS) as session:
        return {name: session.count(name) for name in ("members", "consents", "opt_outs", "rights_requests")}


def _believable(night: Night, name: str) -> Source:
    """
    The source as it is now, if that can be believed.

    An export that broke looks like everybody leaving, or like nobody having said stop.
    """
    counts = _counts(night)
    if not counts["members"]:
        raise SourceEmpty("members: 0 rows; an empty source takes nobody back")
    last = next(iter(night.ledger.deliveries(name, "feed")), None)
    require_not_vanished(night, counts, last.record.get("source", {}) if last else {}, f"at the last feed for {name}")
    return Source(night.settings.source_url, tuple(counts.items()))


def require_not_vanished(night: Night, counts: dict[str, int], before: dict[str, int], when: str) -> None:
    """
    Check that what was counted before is still there.

    Args:
        night: Whose settings may accept it for once.

        counts: Rows by dataset, now.

        before: The same then, of those datasets that matter.

        when: That was, for the message.

    Raises:
        StopSignalsVanished: of one dataset more than a fifth is gone.
    """
    for dataset, had in before.items():
        if counts[dataset] < had * (1 - SHRINK_LIMIT) and not night.settings.accept_fewer_stop_signals:
            raise StopSignalsVanished(
                f"{dataset}: {counts[dataset]} rows, {had} {when}; stop signals do not vanish. Find out why; if "
                "rightly, run once with SUDARE_ACCEPT_FEWER_STOP_SIGNALS=1"
            )


def _owe(night: Night, destination: Destination, source: Source, still_alone: Callable[[], None]) -> dict[str, int]:
    permitted, left_out = [], []
    with _place_of_its_own(night, destination.name) as place:
        opted_out = night.ledger.opted_out(destination.opt_out_list)
        # As of the last day that is over, whatever the night is about: a backfill would take back whoever came later.
        moment = Moment(night.now.astimezone(TOKYO).date() - datetime.timedelta(days=1), night.now)
        with source.session(Reader.ADS) as session:
            shards = plan_shards(session, night.settings.members_per_shard)
            barred = barred_addresses(destination, session, moment, shards)
            for shard, rows in zip(shards, ahead(read_shard(session, shard) for shard in shards), strict=True):
                decision = permit(destination, rows, moment, barred, opted_out, night.ledger_key())
                permitted.append(place / f"permitted-{shard.number:06d}.arrow")
                left_out.append(place / f"left_out-{shard.number:06d}.arrow")
                with unwritable_as(OutboxUnwritable, "outbox"):
                    feeds.rows_for(destination, decision.permitted).write_ipc(permitted[-1], compression="uncompressed")
                    decision.left_out.collect().write_ipc(left_out[-1], compression="uncompressed")
        still_alone()
        return night.ledger.owe(
            destination.name, map(pl.read_ipc, permitted), map(pl.read_ipc, left_out), feeds.HOLDERS_CEILING, night.now
        )


@contextmanager
def _place_of_its_own(night: Night, name: str) -> Iterator[Path]:
    """Private, and shared with no other run: half of somebody else's files would read like people who have left."""
    if is_store(night.settings.outbox):
        with outbox.own_place(night.settings.scratch) as place:
            yield place
        return
    with unwritable_as(OutboxUnwritable, "outbox"):
        above = outbox.removals_place(night.settings.outbox, name)
        # Nobody else works at this destination's removals now, so what lies there is of a run that died.
        shutil.rmtree(above, ignore_errors=True)
        above.mkdir(parents=True, exist_ok=True, mode=0o700)
        place = Path(tempfile.mkdtemp(dir=above))
    try:
        yield place
    finally:
        shutil.rmtree(place, ignore_errors=True)


def _send_removals(night: Night, destination: Destination, owed: pl.DataFrame, still_alone: Callable[[], None]) -> int:
    name, today = destination.name, night.now.astimezone(TOKYO).date()
    if name not in night.destinations:
        raise DestinationRefused(
            f"{name}: {owed.height} removals are owed, and there is no agreement any more by which they could be sent; "
            "write it into SUDARE_AGREEMENTS until they are acknowledged"
        )
    night.settings.agreements[name].require_usable(destination)
    with _place_of_its_own(night, name) as place:
        with unwritable_as(OutboxUnwritable, "outbox"):
            with (place / "removals.part").open("wb") as file:
                sha256 = removals.write_removals(destination, owed.drop("id"), file)
            path = (place / "removals.part").rename(place / removals.removal_file_name(destination, today, sha256))
        _gate_removals(night, destination, path, owed)
        items = [header for header, _ in destination.removal.columns]
        record = _provision_record(night, destination, items) | {"method": destination.removal.method.value}
        prepared = PreparedFile(name, today, path.name, sha256, owed.height, record)
        delivery, _ = night.ledger.prepare_removal(prepared, owed["id"].to_list(), night.now)
        if delivery.state in ARRIVED:
            return 0
        sealed = _seal(night, name, path)
        _send(night, name, sealed, "removals", still_alone)
        night.ledger.sent(delivery, manifest.sha256_of(sealed), night.now)
    return owed.height


def _gate_removals(night: Night, destination: Destination, path: Path, owed: pl.DataFrame) -> None:
    """The finished file says exactly what is owed."""
    from expectations.validation import validate

    told = removals.read_back(destination, path.read_bytes())
    measures = pd.DataFrame(
        [
            {
                "rows": told.height,
                "not owed": told.height - told.join(owed, on=told.columns, how="semi").height,
                "owed and missing": owed.height - owed.join(told, on=told.columns, how="semi").height,
            }
        ]
    )
    checks = [rows(1, 1), between("rows", 1), zero("not owed"), zero("owed and missing")]
    name = f"removals-{destination.name}"
    night.judge(name, validate(name, measures, checks))
