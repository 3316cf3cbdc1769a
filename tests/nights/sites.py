"""Sites and nights for the tests: a real PostgreSQL, a copy of the demo site for each test, steps without Airflow."""

import dataclasses
import datetime
import json
import os
import shutil
from pathlib import Path
from typing import Any

import pandas as pd
import psycopg

from anonymizers.controls import DisclosureControl
from anonymizers.keys import DEMO_SECRET, Secret
from delivery import night as nights
from delivery.agreements import Agreement, Login
from delivery.night import Night
from delivery.settings import Settings
from sudare import postgres
from sudare.demo.partner_list import write_partner_list
from sudare.demo.site import DEMO_DAY
from tests.databases import copy_database, database_of
from transforms.tables import catalogue

FIRST_NIGHT = DEMO_DAY - datetime.timedelta(days=4)
"""A Tuesday; the demo's day is the Saturday of the same week, so both nights tell of the same closed week."""

NOW = datetime.datetime(2026, 11, 2, 2, 30, tzinfo=nights.TOKYO)


LIVERAMP = Agreement(
    destination="liveramp", recipient_address="a town", recipient_representative="somebody", confirmed="by a test"
)


def sealed_by_sftp(server: Any, recipient: Any) -> dict:
    """Settings by which feeds are sealed for a recipient and sent to its server; removals to another folder there."""
    agreement = dataclasses.replace(
        LIVERAMP,
        send_to=server.url,
        removals_to=server.url.removesuffix("/drop") + "/removals",
        host_key=server.host_key,
        public_key=str(recipient.files["partner"]),
        fingerprint=recipient.pins["subkey"],
    )
    login = Login(login=server.credentials.login, password=server.credentials.password)
    return {"agreements": {"liveramp": agreement}, "logins": {"liveramp": login}}


class Site:
    """A site of one's own, and nights over it."""

    def __init__(self, server: postgres.Embedded, home: Path) -> None:
        self.server, self.home = server, home
        self.source_url = copy_database(server, "site")
        self.warehouse_url = copy_database(server)
        write_partner_list(self.source_url, home / "intake")

    def copy(self, home: Path) -> "Site":
        """The same site, and everything its nights have left, as another one."""
        other = object.__new__(Site)
        other.server, other.home = self.server, home
        other.source_url = copy_database(self.server, database_of(self.source_url))
        other.warehouse_url = copy_database(self.server, database_of(self.warehouse_url))
        shutil.copytree(self.home, home, symlinks=True, dirs_exist_ok=True)
        return other

    def change(self, *statements: str) -> None:
        """Let the site do something, as its owner."""
        with psycopg.connect(self.source_url) as connection:
            for statement in statements:
                connection.execute(statement)

    def ask(self, sql: str) -> list[tuple]:
        with psycopg.connect(self.source_url) as connection:
            return connection.execute(sql).fetchall()

    def settings(self, **changes) -> Settings:
        """As a deployment would have them, in a directory of this test's own."""
        return Settings(
            **{
                "source_url": self.source_url,
                "warehouse_url": self.warehouse_url,
                "secret": Secret(DEMO_SECRET),
                "staging_url": str(self.home / "staging"),
                "published": self.home / "published",
                "outbox": self.home / "outbox",
                "intake": self.home / "intake",
                "ledger_url": self.warehouse_url,
                "agreements": {"liveramp": LIVERAMP},
                "control": DisclosureControl(),
                "members_per_shard": 1_000,
                "shards_per_task": 1,
                "postings_per_text_shard": 400,
                **changes,
            }
        )

    def night(self, day: datetime.date = DEMO_DAY, now: datetime.datetime = NOW, **changes) -> Night:
        # The partner hands its list over every night.
        for path in (self.home / "intake").glob("*/lists/*"):
            os.utime(path, 2 * ((now - datetime.timedelta(hours=1)).timestamp(),))
        return Night(self.settings(**changes), day, now)


NOBODY_POSTED = ("activity_by_board.day", "activity_by_board.board")
"""To be accepted for a day after the site's last one, on which it has not lived: it reads like a source that broke."""

STEPS = (
    "plan",
    "extract",
    "redact",
    "tabulate",
    "merge_cells",
    "disclose",
    "gate_tables",
    "publish",
    "build_feed",
    "gate_feed",
    "hand_over",
    "remove",
    "close",
)

UNTIL_GATED = STEPS[: STEPS.index("publish")]
UNTIL_PUBLISHED = STEPS[: STEPS.index("publish") + 1]


def run(night: Night, *steps: str) -> None:
    """Run steps of a night in order, each over all its shards or destinations; all of them by default."""
    for name in steps or STEPS:
        step = getattr(nights, name)
        for of in over(night, name):
            step(night) if of is None else step(night, of)


def over(night: Night, name: str) -> list:
    if name in ("extract", "tabulate"):
        return night.tasks
    if name == "redact":
        return nights.plan_texts(night)
    return nights.plan_feeds(night) if name in ("build_feed", "gate_feed", "hand_over", "remove") else [None]


def contents(*folders: Path) -> dict[str, bytes]:
    """Every file that can be seen below the folders, by name; the places where things are made are left out."""
    files = {}
    for folder in folders:
        for root, names, found in os.walk(folder, followlinks=True):
            names[:] = [name for name in names if name not in (".store", ".pending")]
            files |= {str(Path(root, name).relative_to(folder.parent)): Path(root, name).read_bytes() for name in found}
    return files


def published(site: Site) -> tuple[dict[str, bytes], str]:
    """Everything a reader of files or of the warehouse can see, and what the pipeline keeps there for itself."""
    return contents(site.home / "published", site.home / "outbox"), json.dumps(kept(site), ensure_ascii=False)


COLUMNS = {"nights": "day, manifest_sha256, manifest"}
"""Of tables that also say when."""


def kept(site: Site) -> dict[str, list[str]]:
    """Every row of every table and view of the warehouse, in the order of their texts; but for the clock's part."""
    with psycopg.connect(site.warehouse_url) as connection:
        relations = connection.execute(
            "select table_schema, table_name from information_schema.tables "
            "where table_schema in ('stats', 'sudare') order by 1, 2"
        ).fetchall()
        return {
            f"{schema}.{name}": sorted(
                map(str, connection.execute(f'select {COLUMNS.get(name, "*")} from {schema}."{name}"').fetchall())
            )
            for schema, name in relations
        }


def statistics(site: Site) -> tuple[dict[str, bytes], dict[str, list[str]]]:
    """As `published`, without the feeds."""
    return contents(site.home / "published"), kept(site)


def in_warehouse(site: Site, sql: str) -> list[tuple]:
    with psycopg.connect(site.warehouse_url) as connection:
        return connection.execute(sql).fetchall()


def shown(site: Site, table: str, day: datetime.date = DEMO_DAY) -> pd.DataFrame:
    """A published file as an analyst reads it, by its dimensions."""
    frame = pd.read_csv(site.home / "published" / day.isoformat() / f"{table}.csv", dtype=str, keep_default_na=False)
    return frame.set_index([d.name for d in catalogue()[table].dimensions])


def manifest_of(site: Site, day: datetime.date = DEMO_DAY) -> dict:
    """What the pipeline keeps of a night for itself, with the counts of what it read."""
    ((text,),) = in_warehouse(site, f"select manifest from sudare.nights where day = '{day}'")
    return json.loads(text)


def published_manifest(site: Site, day: datetime.date = DEMO_DAY) -> dict:
    """What lies beside the tables of a night."""
    return json.loads((site.home / "published" / day.isoformat() / "manifest.json").read_bytes())
