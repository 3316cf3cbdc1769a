"""
Eligibility for an ad feed: consent AND no stop signal AND of age. The only place that makes a `Permitted`.

Fail closed: whoever cannot be shown to be eligible is not. Counted by the first reason, and by all that apply.
"""

import datetime
from dataclasses import dataclass, field, fields

import polars as pl
import pyarrow as pa

from anonymizers.generalisation import completed_years
from anonymizers.keys import Key
from anonymizers.pseudonyms import pseudonymise
from delivery.match_keys import digest, normalise
from delivery.partner_lists import asked, listed
from delivery.spec import Destination
from transforms.ahead import ahead
from transforms.deidentification import (
    AD_OPT_OUTS,
    NO_STOP,
    STATISTICS_OPT_OUTS,
    Account,
    account,
    ad_consents,
    end_of,
    valid_consent,
)
from transforms.purposes import POLICY_VERSION, require_served
from transforms.source import Session, Shard
from transforms.spec import Reader

READER = Reader.ADS

NEVER = pl.lit(datetime.datetime(9999, 1, 1, tzinfo=datetime.UTC)).cast(pl.Datetime("us", "UTC"))
"""Later than any consent."""


@dataclass(frozen=True, init=False)
class Permitted:
    """
    The digests that one destination may have. Only this module makes one.

    Attributes:
        destination: For whom; a permit is for one destination.
        rows: One per permitted member, so two who share an address have two: ``member`` (the ledger's keyed token),
            her address under each of the destination's algorithms, in hexadecimal, ``consented_at``,
            ``text_version``. No address. Shows in no ``repr``.
    """

    destination: str
    rows: pl.DataFrame = field(repr=False)

    def __init__(self) -> None:
        raise TypeError("a Permitted is made by delivery.consent only")


@dataclass(frozen=True)
class Decision:
    """
    What was decided over one shard.

    Attributes:
        permitted: Who may be sent.
        account: Members read, permitted, and left out by their first reason.
        reasons: How often each reason applies, whatever came before it.
        left_out: ``member`` and her first reason, of the others, for whoever collects it: a feed needs no token
            of those it leaves out. Internal; for the reasons of removals.
    """

    permitted: Permitted
    account: Account
    reasons: dict[str, int]
    left_out: pl.LazyFrame = field(repr=False)


@dataclass(frozen=True)
class Moment:
    """
    As of when members are judged.

    Attributes:
        day: Consents given until its end count; age is that of the day.
        now: Stop signals count as of now, whatever the day.
    """

    day: datetime.date
    now: datetime.datetime


@dataclass(frozen=True)
class AdsRows:
    """What the ads reader reads of one shard, as Arrow tables by dataset."""

    members: pa.Table = field(repr=False)
    consents: pa.Table = field(repr=False)
    opt_outs: pa.Table = field(repr=False)
    rights_requests: pa.Table = field(repr=False)


def read_shard(session: Session, shard: Shard) -> AdsRows:
    """The rows of one shard, read in a transaction of the ads reader."""
    return AdsRows(**{f.name: session.read(f.name, READER, shard.where()) for f in fields(AdsRows)})


def permit(
    destination: Destination,
    rows: AdsRows,
    moment: Moment,
    barred: pl.DataFrame,
    opted_out: pl.DataFrame,
    key: Key,
) -> Decision:
    """
    Decide over one shard's members.

    Args:
        destination: Whose floor of age, rule of addresses and purpose apply.

        rows: From `read_shard`.

        moment: As of when.

        barred: From `barred_addresses`, in the same transaction.

        opted_out: The digests of the destination's own opt-out list; empty where it keeps none.

        key: Of the ledger's tokens.
    """
    require_served(destination.purpose)
    consents = latest_consent(rows.consents, end_of(moment.day))
    stops = own_stops(rows.opt_outs, rows.rights_requests, moment.now)
    judged = judge(destination, rows.members, consents, stops, moment.day, barred, opted_out)
    member = pseudonymise("member_id", "member", key).alias("member")
    permitted = object.__new__(Permitted)
    object.__setattr__(permitted, "destination", destination.name)
    object.__setattr__(permitted, "rows", _permitted_rows(judged, member, destination))
    left_out = judged.lazy().filter(~_MAY).select(member, pl.col("dropped").alias("reason"))
    return Decision(permitted, account(judged), _count(judged), left_out)


_SHARED = "address_shared"
_MAY = pl.col("dropped").is_null() | (pl.col("dropped") == _SHARED)
"""Two eligible members of one address are one row of the feed, and both are provided."""


def _permitted_rows(judged: pl.DataFrame, member: pl.Expr, destination: Destination) -> pl.DataFrame:
    return judged.filter(_MAY).select(
        member,
        *(algorithm.value for algorithm in destination.algorithms),
        pl.col("given_at").alias("consented_at"),
        pl.lit(POLICY_VERSION).alias("text_version"),
    )


def _count(judged: pl.DataFrame) -> dict[str, int]:
    counts = judged.select(pl.col("^because_.*$").sum())
    return {name.removeprefix("because_"): int(counts[name][0]) for name in counts.columns if counts[name][0]}


def judge(
    destination: Destination,
    members: pa.Table,
    consents: pl.DataFrame,
    stops: pl.DataFrame,
    day: datetime.date,
    barred: pl.DataFrame,
    opted_out: pl.DataFrame,
) -> pl.DataFrame:
    """
    The members with their normalised address ``key``, its digests and, where not eligible, the first reason in
    ``dropped``.

    Args:
        members: As the ads reader reads them.

        consents: From `latest_consent`.

        stops: From `own_stops`.

        barred: From `barred_addresses`.

        opted_out: Digests of a partner's opt-out list; no consent of ours lifts it.

    Returns:
        Also ``because_<reason>``, whether each reason applies.
    """
    age = completed_years(pl.col("birth_date"), day)
    consented = pl.col("given_at")
    reasons = {
        "not_active": pl.col("status") != "active",
        "stop_signal": pl.col("stopped_at").is_not_null() & ~(consented > pl.col("stopped_at")).fill_null(False),
        "no_consent": consented.is_null(),
        "age_unknown": age.is_null(),
        "under_age": age < destination.age_floor,
        "no_address": pl.col("email").is_null() | (pl.col("email").str.strip_chars() == ""),
        "address_unverified": ~pl.col("email_verified_at"),
        # Without a consent nobody has looked at the address.
        "address_malformed": pl.col("key").is_null() & consented.is_not_null(),
        "address_barred": pl.col("barred_until").is_not_null() & ~(consented > pl.col("barred_until")),
        "partner_opt_out": pl.col("listed"),
    }
    first = pl.coalesce(pl.when(pl.col(f"because_{reason}")).then(pl.lit(reason)) for reason in reasons)
    rows = (
        pl.from_arrow(members)
        .join(consents, on="member_id", how="left")
        # Without a consent the address decides nothing, and bringing it into form is most of the work.
        .with_columns(normalise(pl.when(consented.is_not_null()).then(pl.col("email")), destination.email).alias("key"))
        .join(stops, on="member_id", how="left")
        .pipe(_beside, barred, "key")
        .sort("member_id")
    )
    wanted = {*destination.algorithms, *asked(opted_out)}
    rows = rows.with_columns(digest(pl.col("key"), algorithm).alias(algorithm.value) for algorithm in wanted)
    rows = rows.with_columns(listed(rows, opted_out))
    rows = rows.with_columns(is_so.fill_null(True).alias(f"because_{reason}") for reason, is_so in reasons.items())
    rows = rows.with_columns(first.alias("dropped"))
    # Two eligible members of one address are one row of the feed.
    again = pl.col("dropped").is_null() & ~pl.col("key").is_first_distinct().over("dropped")
    return rows.with_columns(pl.when(again).then(pl.lit(_SHARED)).otherwise(pl.col("dropped")).alias("dropped"))


def _beside(rows: pl.DataFrame, everybody: pl.DataFrame, on: str) -> pl.DataFrame:
    """A shard's rows with what is said of them; everybody's is many times as much, so theirs is picked first."""
    return rows.join(everybody.join(rows, on=on, how="semi"), on=on, how="left")


def latest_consent(consents: pa.Table, at: datetime.datetime) -> pl.DataFrame:
    """Per member, when the latest valid consent to ad matching was given: ``member_id, given_at``."""
    valid = ad_consents(consents).filter(valid_consent(at))
    return valid.group_by("member_id").agg(pl.col("given_at").max())


def own_stops(opt_outs: pa.Table, requests: pa.Table, now: datetime.datetime) -> pl.DataFrame:
    """
    Per member, when she last said stop: ``member_id, stopped_at``.

    A stop of unknown kind or time, and an erasure, is one that no consent is later than.
    """
    kind = pl.col("kind")
    by_opt_out = _in_force(opt_outs, now).select(
        "member_id", pl.when(kind.is_in(AD_OPT_OUTS)).then(pl.col("opted_out_at")).fill_null(NEVER).alias("stopped_at")
    )
    verified = pl.from_arrow(requests).filter(~kind.is_in(NO_STOP).fill_null(False) & pl.col("identity_verified_at"))
    liftable = kind.is_in(("stop_use", "stop_provision"))
    by_request = verified.select(
        "member_id", pl.when(liftable).then(pl.col("received_at")).fill_null(NEVER).alias("stopped_at")
    )
    stops = pl.concat([by_opt_out, by_request]).filter(pl.col("member_id").is_not_null())
    return stops.group_by("member_id").agg(pl.col("stopped_at").max())


def _in_force(opt_outs: pa.Table, now: datetime.datetime) -> pl.DataFrame:
    revoked = pl.col("revoked_at")
    ads = ~pl.col("kind").is_in(STATISTICS_OPT_OUTS).fill_null(False)
    return pl.from_arrow(opt_outs).filter(ads & (revoked.is_null() | (revoked > now)))


def barred_addresses(destination: Destination, session: Session, moment: Moment, shards: list[Shard]) -> pl.DataFrame:
    """
    Addresses that stand for somebody who said stop, left, or is not of age, whoever else uses them.

    A family shares an address and its digest; a member who left may register again. So an
    address is out while any of its holders is stopped, also where somebody opted out
    without an account; no other account's consent lifts that. The address of a closed
    account comes back with a consent given after the closing. The holders of one shard are in memory at a time.

    Returns:
        ``key`` (normalised, distinct) and ``barred_until``: a consent must be later than that.
    """
    day, now = moment.day, moment.now
    opt_outs, requests = session.read("opt_outs", READER), session.read("rights_requests", READER)
    stops = own_stops(opt_outs, requests, now)
    read = ahead(_read_held(destination, session, shard, day) for shard in shards)
    held = [_held(destination, members, consents, day, stops) for members, consents in read]
    told = _in_force(opt_outs, now).filter(pl.col("member_id").is_null()).select("email", barred_until=NEVER)
    keys = pl.concat([*held, _keys(destination, told)])
    return keys.group_by("key").agg(pl.col("barred_until").max())


def _read_held(
    destination: Destination, session: Session, shard: Shard, day: datetime.date
) -> tuple[pa.Table, pa.Table]:
    """Of one shard the members whose address may be barred, and the consents of those who said stop."""
    whose, stopped = shard.where(), _among_stopped(shard)
    consents = session.read("consents", READER, f"{whose} and {stopped}")
    return session.read("members", READER, f"{whose} and ({stopped} or {_closed_or_young(destination, day)})"), consents


def _held(
    destination: Destination, members: pa.Table, consents: pa.Table, day: datetime.date, stops: pl.DataFrame
) -> pl.DataFrame:
    """The addresses of holders that are barred, and until when; not distinct."""
    age = completed_years(pl.col("birth_date"), day)
    closed = pl.col("status") == "withdrawn"
    unlifted = pl.col("stopped_at").is_not_null() & ~(pl.col("given_at") > pl.col("stopped_at")).fill_null(False)
    until = (
        pl.when(unlifted | (age < destination.age_floor) | (age.is_null() & ~closed))
        .then(NEVER)
        .when(closed)
        .then(pl.col("withdrawn_at").fill_null(NEVER))
    )
    given = latest_consent(consents, end_of(day))
    held = pl.from_arrow(members).pipe(_beside, stops, "member_id").join(given, on="member_id", how="left")
    return _keys(destination, held.select("email", until.alias("barred_until")))


def _keys(destination: Destination, rows: pl.DataFrame) -> pl.DataFrame:
    barred = rows.drop_nulls("barred_until")
    return barred.select(normalise(pl.col("email"), destination.email).alias("key"), "barred_until").drop_nulls()


def _among_stopped(shard: Shard) -> str:
    whose = shard.where()
    return (
        f"member_id in (select member_id from opt_outs where {whose} "
        f"union select member_id from rights_requests where {whose})"
    )


def _closed_or_young(destination: Destination, day: datetime.date) -> str:
    # A wide net in the database, so that few rows travel; the exact age is decided by birthdays above.
    grown = datetime.date(day.year - destination.age_floor - 1, 1, 1)
    return f"status = 'withdrawn' or birth_date is null or not isfinite(birth_date) or birth_date >= date '{grown}'"
