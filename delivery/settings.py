"""
What a deployment sets, read from the environment once, at the top.

Everything below this module gets it as arguments: no other module reads the environment.
"""

import datetime
import os
import re
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from anonymizers.controls import DEFAULT_THRESHOLD, DisclosureControl
from anonymizers.errors import SettingRefused
from anonymizers.keys import Secret
from delivery.agreements import Agreement, Login, read_agreements, read_login
from transforms.places import place

MEMBERS_PER_SHARD = 125_000
"""A process that treats one and has read the next, with their postings, needs about 540 MB of memory."""

SHARDS_PER_TASK = 32
"""A task of so many works for half a minute or more, beside which what Airflow needs for a task is little."""

POSTINGS_PER_TEXT_SHARD = 20_000

MOST_EPOCHS = 32_767

DEADLINE = "07:00"
"""Half of the morning before the analysts come."""

_WAREHOUSE = "SUDARE_WAREHOUSE_URL"


@dataclass(frozen=True, kw_only=True)
class Settings:
    """A deployment. The URLs, which may hold passwords, and the secret show in no ``repr``."""

    source_url: str = field(repr=False)
    warehouse_url: str = field(repr=False)
    secret: Secret
    staging_url: str
    published: Path
    """This and the next two are places: directories, or prefixes of an object store that all workers share."""
    outbox: Path
    intake: Path
    """Where partners' opt-out lists and receipts are put down, a folder a destination."""
    scratch: Path = field(default_factory=lambda: Path(tempfile.gettempdir()) / "sudare")
    """A directory of this machine, for what a task takes out of a store and deletes when it ends."""
    ledger_url: str = field(repr=False)
    """The delivery ledger; the warehouse's database unless another is given."""
    logs: tuple[Path, ...] = ()
    """Folders of log files: ours, and those of Airflow's tasks."""
    agreements: dict[str, Agreement] = field(default_factory=dict)
    logins: dict[str, Login] = field(default_factory=dict, repr=False)
    control: DisclosureControl
    members_per_shard: int = MEMBERS_PER_SHARD
    shards_per_task: int = SHARDS_PER_TASK
    postings_per_text_shard: int = POSTINGS_PER_TEXT_SHARD
    purposes: tuple[str, ...] = ("P09", "P10")
    epoch: int = 1
    """Of the statistics' keys. Another one starts all numbers anew, and is chosen, never stumbled into."""
    accept_opt_out_list: str = ""
    """SHA-256 of a partner's list that somebody has looked at and found right, though it has shrunk."""
    accept_fewer_stop_signals: bool = False
    """For the one night on which somebody has checked that they are rightly fewer."""
    accept_silent: tuple[str, ...] = ()
    """Slices and destinations that somebody has looked at and found rightly silent, for one night; see
    `transforms.silence`."""


def home(environment: Mapping[str, str] = os.environ) -> Path:
    """Where everything lives that nobody placed elsewhere: ``SUDARE_HOME``, else ``.sudare`` here."""
    return Path(environment.get("SUDARE_HOME") or ".sudare").resolve()


def intake(environment: Mapping[str, str] = os.environ) -> Path:
    """Where partners' files are put down."""
    return place(environment.get("SUDARE_INTAKE") or home(environment) / "intake")


def deadline(environment: Mapping[str, str] = os.environ) -> datetime.time:
    """
    The hour, Asia/Tokyo, by which the night of the day before is published.

    Raises:
        SettingRefused: it is no time of day.
    """
    text = environment.get("SUDARE_DEADLINE") or DEADLINE
    if not re.fullmatch(r"([01][0-9]|2[0-3]):[0-5][0-9]", text):
        raise SettingRefused("SUDARE_DEADLINE is no time of day of the form HH:MM")
    return datetime.time.fromisoformat(text)


def purposes(environment: Mapping[str, str] = os.environ) -> tuple[str, ...]:
    """Purposes of the policy that this deployment serves."""
    return tuple((environment.get("SUDARE_PURPOSES") or "P09,P10").split(","))


def warehouse_url(environment: Mapping[str, str] = os.environ) -> str:
    """
    Where statistics are published.

    Raises:
        SettingRefused: it is not set.
    """
    return _database(environment, _WAREHOUSE)


def ledger_url(environment: Mapping[str, str] = os.environ) -> str:
    """Where deliveries are remembered; the warehouse's database unless another is given."""
    return _database(environment, "SUDARE_LEDGER_URL" if environment.get("SUDARE_LEDGER_URL") else _WAREHOUSE)


def read_settings(environment: Mapping[str, str] = os.environ) -> Settings:
    """
    The settings of this process.

    Raises:
        SettingRefused: a URL is missing, or a number is none.
        KeyMissing, KeyTooShort: the secret.
        ThresholdTooLow: the threshold.
    """
    root = home(environment)
    agreements = read_agreements(environment)
    return Settings(
        source_url=_database(environment, "SUDARE_SOURCE_URL"),
        warehouse_url=warehouse_url(environment),
        secret=Secret(environment.get("SUDARE_SECRET", "")),
        staging_url=environment.get("SUDARE_STAGING_URL") or str(root / "staging"),
        published=place(environment.get("SUDARE_PUBLISHED") or root / "published"),
        outbox=place(environment.get("SUDARE_OUTBOX") or root / "outbox"),
        intake=intake(environment),
        scratch=root / "scratch",
        ledger_url=ledger_url(environment),
        logs=(root / "logs", _airflow_logs(environment, root)),
        agreements=agreements,
        logins={name: read_login(name, environment) for name in agreements},
        control=DisclosureControl(threshold=_number(environment, "SUDARE_THRESHOLD", DEFAULT_THRESHOLD)),
        members_per_shard=_positive(environment, "SUDARE_MEMBERS_PER_SHARD", MEMBERS_PER_SHARD),
        shards_per_task=_positive(environment, "SUDARE_SHARDS_PER_TASK", SHARDS_PER_TASK),
        postings_per_text_shard=_positive(environment, "SUDARE_POSTINGS_PER_TEXT_SHARD", POSTINGS_PER_TEXT_SHARD),
        purposes=purposes(environment),
        epoch=_epoch(environment),
        accept_opt_out_list=environment.get("SUDARE_ACCEPT_OPT_OUT_LIST", ""),
        accept_fewer_stop_signals=environment.get("SUDARE_ACCEPT_FEWER_STOP_SIGNALS") == "1",
        accept_silent=tuple(filter(None, environment.get("SUDARE_ACCEPT_SILENT", "").split(";"))),
    )


def _airflow_logs(environment: Mapping[str, str], root: Path) -> Path:
    """Where Airflow writes what its tasks say."""
    airflow = Path(environment.get("AIRFLOW_HOME") or root / "airflow")
    return Path(environment.get("AIRFLOW__LOGGING__BASE_LOG_FOLDER") or airflow / "logs")


def _database(environment: Mapping[str, str], name: str) -> str:
    url = environment.get(name, "")
    if not url.startswith(("postgresql://", "postgres://", "postgresql+psycopg://")):
        raise SettingRefused(f"{name} is not set to a PostgreSQL URL (postgresql://…)")
    return url


def _number(environment: Mapping[str, str], name: str, default: int) -> int:
    text = environment.get(name) or str(default)
    if not re.fullmatch(r"-?[0-9]{1,9}", text):
        raise SettingRefused(f"{name} is not a whole number")
    return int(text)


def _epoch(environment: Mapping[str, str]) -> int:
    number = _positive(environment, "SUDARE_EPOCH", 1)
    if number > MOST_EPOCHS:
        raise SettingRefused(f"SUDARE_EPOCH is {number}; epochs are counted from 1 to {MOST_EPOCHS}")
    return number


def _positive(environment: Mapping[str, str], name: str, default: int) -> int:
    number = _number(environment, name, default)
    if number < 1:
        raise SettingRefused(f"{name} is {number}; give at least 1")
    return number
