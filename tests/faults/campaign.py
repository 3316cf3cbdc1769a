"""
A small site with a partner, a night of it that is killed, and everything that must be so before and after.

A site with one published night is copied for every trial; some of its members have said stop since, and the night that
follows is the one that is killed. What anybody can see is compared with that before the night, and with that after a
night that nobody killed.
"""

import dataclasses
import datetime
import gzip
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import psycopg
import pytest

from anonymizers.keys import DEMO_SECRET
from delivery import night as nights
from delivery.ledger import Ledger
from delivery.night import Night
from delivery.settings import read_settings
from delivery.verification import verify
from sudare import grants, postgres
from sudare.demo.partner_list import write_partner_list
from sudare.demo.site import DEMO_DAY, make_site
from tests.databases import copy_database, database_of
from tests.delivery.openpgp import Recipient
from tests.delivery.servers import LOGIN, PASSWORD, SftpSite
from tests.nights.sites import FIRST_NIGHT, NOW, STEPS, contents, kept, run
from transforms.spec import Table
from transforms.tables import catalogue

ROOT = Path(__file__).resolve().parents[2]
MEMBERS, POSTINGS = 700, 2_800
TOMORROW = DEMO_DAY + datetime.timedelta(days=1)
STOPPED = 8
"""Members of the first feed who stop advertising before the night that is killed."""

BRANCHES = {
    "tables": ("extract", "redact", "tabulate", "merge_cells", "disclose", "gate_tables", "publish"),
    "feeds": ("build_feed", "gate_feed", "hand_over"),
    "removals": ("remove",),
}


def some_tables() -> dict[str, Table]:
    """A few of the catalogue: one of members, one of postings, one that is told once a week. The others take time."""
    return {name: catalogue()[name] for name in ("consents_by_age_band", "activity_by_hour", "trending_terms")}


def in_order(*branches: str) -> list[str]:
    """The steps of a night whose branches happen to run in this order."""
    return ["plan", *(step for branch in branches for step in BRANCHES[branch]), "close"]


def mostly_long(cases: Iterable[Any], short: Iterable[Any]) -> list:
    """Cases of a test, of which most are run by `make faults` only."""
    chosen = set(short)
    assert chosen <= set(cases)
    return [case if case in chosen else pytest.param(case, marks=pytest.mark.long) for case in cases]


class Nursery:
    """The process that nights are forked from."""

    def __init__(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.faults.nursery"],
            cwd=ROOT,
            env={**os.environ, "GX_ANALYTICS_ENABLED": "false", "OPENBLAS_NUM_THREADS": "1"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.process.stdout.readline()

    def night(self, **request: Any) -> dict:
        """Run a night, or a part of one, in a process of its own; what it told, and how it ended."""
        self.process.stdin.write(json.dumps(request) + "\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())

    def close(self) -> None:
        self.process.stdin.close()
        self.process.wait(60)
        self.process.stdout.close()


@dataclasses.dataclass(frozen=True)
class Seen:
    """What is visible: each part is as it was, or as it is to be."""

    tables: dict[str, list[str]]
    """Rows of the warehouse, by relation."""
    files: dict[str, bytes]
    """Published files, by path; what is stored and not shown is not among them."""
    feeds: dict[str, str]
    """SHA-256 of what is inside of the feeds that the partner sees, by name."""
    removals: dict[str, str]


@dataclasses.dataclass(frozen=True)
class Trial:
    """One site with its night; `home` holds everything that has a place in the file system, the partner's too."""

    server: postgres.Embedded
    source_url: str
    warehouse_url: str
    home: Path
    partner: SftpSite
    recipient: Recipient
    more: dict[str, str] = dataclasses.field(default_factory=dict)
    """Settings that are otherwise."""

    @property
    def place(self) -> Path:
        """The partner's, as its own scanner sees it."""
        return self.partner.root / self.home.name

    @property
    def environment(self) -> dict[str, str]:
        return {
            "SUDARE_HOME": str(self.home),
            "SUDARE_SOURCE_URL": self.source_url,
            "SUDARE_WAREHOUSE_URL": self.warehouse_url,
            "SUDARE_SECRET": DEMO_SECRET,
            "SUDARE_AGREEMENTS": str(self.home / "agreements.toml"),
            "SUDARE_LIVERAMP_LOGIN": LOGIN,
            "SUDARE_LIVERAMP_PASSWORD": PASSWORD,
            "SUDARE_MEMBERS_PER_SHARD": "350",
            "SUDARE_SHARDS_PER_TASK": "1",
            "SUDARE_POSTINGS_PER_TEXT_SHARD": "900",
            **self.more,
        }

    @property
    def temporary(self) -> Path:
        return self.home / "temporary"

    def agree(self) -> None:
        """Write the agreement down; make the places."""
        for folder in (self.place / "drop", self.place / "removals", self.temporary):
            folder.mkdir(parents=True, exist_ok=True)
        address = self.partner.url_by(self.partner.port, f"/{self.home.name}")
        lines = {
            "send_to": f"{address}/drop",
            "removals_to": f"{address}/removals",
            "host_key": self.partner.host_key,
            "public_key": str(self.recipient.files["partner"]),
            "fingerprint": self.recipient.pins["subkey"],
            "recipient_address": "a town",
            "recipient_representative": "somebody",
            "confirmed": "by a test",
        }
        text = "[liveramp]\n" + "".join(f"{name} = {json.dumps(value)}\n" for name, value in lines.items())
        (self.home / "agreements.toml").write_text(text)

    def night(self, day: datetime.date = DEMO_DAY, now: datetime.datetime = NOW, name: str = "") -> Night:
        for path in (self.home / "intake").glob("*/lists/*"):
            os.utime(path, 2 * ((now - datetime.timedelta(hours=1)).timestamp(),))
        return Night(read_settings(self.environment), day, now, name)

    def run(self, day: datetime.date = DEMO_DAY, now: datetime.datetime = NOW, name: str = "again") -> None:
        """A night that nobody kills, in this process."""
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(tempfile, "tempdir", str(self.temporary))
            patch.setattr(nights, "catalogue", some_tables)
            run(self.night(day, now, name))

    def copy(self, home: Path) -> "Trial":
        other = dataclasses.replace(
            self,
            home=home,
            source_url=copy_database(self.server, database_of(self.source_url)),
            warehouse_url=copy_database(self.server, database_of(self.warehouse_url)),
        )
        shutil.copytree(self.home, home, symlinks=True)
        shutil.copytree(self.place, other.place)
        other.agree()
        return other

    def remove(self) -> None:
        with psycopg.connect(self.server.urls["airflow"], autocommit=True) as connection:
            for url in (self.source_url, self.warehouse_url):
                connection.execute(f"drop database {database_of(url)} with (force)")
        shutil.rmtree(self.home)
        shutil.rmtree(self.place)

    def ask(self, sql: str) -> list[tuple]:
        with psycopg.connect(self.warehouse_url) as connection:
            return connection.execute(sql).fetchall()

    def ask_site(self, sql: str) -> list[tuple]:
        with psycopg.connect(self.source_url) as connection:
            return connection.execute(sql).fetchall()

    def change(self, *statements: str) -> None:
        with psycopg.connect(self.source_url) as connection:
            for statement in statements:
                connection.execute(statement)

    # what can be seen

    def opened(self, path: Path) -> tuple[str, bytes]:
        """The name and the content of a sealed file."""
        sealed = path.read_bytes()
        if sealed not in _OPENED:
            content, name, _ = self.recipient.decrypted(path)
            _OPENED[sealed] = name, content
        return _OPENED[sealed]

    def inside(self, folder: str) -> dict[str, str]:
        """Of every visible file of the partner's folder, what its digest is when it is opened."""
        found = {}
        for path in (self.place / folder).iterdir():
            if not path.name.startswith("."):
                name, content = self.opened(path)
                found[name] = hashlib.sha256(content).hexdigest()
        return found

    def seen(self) -> Seen:
        return Seen(kept(self), contents(self.home / "published"), self.inside("drop"), self.inside("removals"))

    def ledger(self) -> dict[str, list]:
        """Everything it says but numbers of rows and digests of seals, which are drawn."""
        file = "(select kind || ' ' || file from delivery.deliveries d where d.id = {})"
        queries = {
            "deliveries": "select destination, kind, day, file, content_sha256, rows, added, ended, state, "
            "sealed_sha256 is not null, prepared_at, sent_at, record from delivery.deliveries",
            "provisions": f"select member, sha256, consented_at, {file.format('first_delivery')}, "
            f"{file.format('last_delivery')} from delivery.provisions",
            "obligations": "select sha256, reason, state, due_at, sent_at, attempts, closed_at "
            "from delivery.obligations",
            "removals": f"select {file.format('delivery')}, (select sha256 from delivery.obligations o where o.id = "
            "obligation) from delivery.removals",
        }
        return {name: sorted(map(str, self.ask(sql))) for name, sql in queries.items()}

    def left(self) -> dict[str, list[str]]:
        """What lies about that nobody sees: by place, names of files."""
        return {
            "staging": _names(self.home / "staging"),
            "pending": _names(self.home / "outbox" / ".pending"),
            "sealed": _names(self.home / "outbox" / ".sealed"),
            "stored": _names(self.home / "published" / ".store"),
            "links": sorted(path.name for path in (self.home / "published").iterdir()),
            # Great Expectations leaves an empty folder where a gate is killed.
            "temporary": sorted(path.name for path in self.temporary.rglob("*") if path.is_file()),
            "half sent": sorted(
                path.name
                for folder in ("drop", "removals")
                for path in (self.place / folder).iterdir()
                if path.name.startswith(".")
            ),
        }

    def connections(self) -> int:
        with psycopg.connect(self.server.urls["airflow"]) as connection:
            names = [database_of(url) for url in (self.source_url, self.warehouse_url)]
            return connection.execute(
                "select count(*) from pg_stat_activity where datname = any(%s)", (names,)
            ).fetchone()[0]

    def wait_for_the_servers(self) -> None:
        """Until they have noticed that the dead are dead: connections, their locks and temporary tables are gone."""
        until = time.monotonic() + 60
        while self.connections():
            if time.monotonic() > until:
                raise TimeoutError("a connection of a killed night is still there")
            time.sleep(0.02)
        # The partner's server answers what it was asked before the connection was cut.
        time.sleep(0.05)

    def arrivals(self) -> Counter[str]:
        """How often each name has become visible at the partner, since the server was started."""
        begin = f"/{self.home.name}/"
        return Counter(event[2] for event in self.partner.events if event[0] == "rename" and event[2].startswith(begin))

    def people(self, file: str) -> set[str]:
        """SHA-256 digests of addresses in a feed that the partner has."""
        _, content = self.opened(self.place / "drop" / f"{file}.gpg")
        _, *lines = gzip.decompress(content).decode().splitlines()
        return {line[1:65] for line in lines}


_OPENED: dict[bytes, tuple[str, bytes]] = {}
"""What has been opened already, by its sealed bytes."""


def _names(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


def make_base(server: postgres.Embedded, home: Path, partner: SftpSite, recipient: Recipient) -> Trial:
    """A site with its first night published and sent; some of whom it sent have said stop since."""
    url = copy_database(server)
    make_site(url, members=MEMBERS, postings=POSTINGS, seed=11, until=DEMO_DAY)
    grants.apply(url)
    write_partner_list(url, home / "intake")
    base = Trial(server, url, copy_database(server), home, partner, recipient)
    base.agree()
    base.run(FIRST_NIGHT, NOW - datetime.timedelta(days=4))
    stop(base, STOPPED)
    return base


def stop(trial: Trial, count: int, first: int = 7_000_000) -> set[str]:
    """Some of whom the partner was sent say stop, to everything; their digests."""
    ((file,),) = trial.ask("select file from delivery.deliveries where kind = 'feed' order by id desc limit 1")
    sent = trial.people(file)
    members = [(number, digest) for number, digest in _digests(trial) if digest in sent][:count]
    assert len(members) == count
    for n, (number, _) in enumerate(members):
        for kind, offset in (("site_ad", 0), ("statistics", 500_000)):
            trial.change(f"insert into opt_outs values ({first + offset + n}, {number}, null, '{kind}', now(), null)")
    return {digest for _, digest in members}


def _digests(trial: Trial) -> list[tuple[int, str]]:
    with psycopg.connect(trial.source_url) as connection:
        return connection.execute(
            "select member_id, encode(sha256(convert_to(lower(email), 'UTF8')), 'hex') from members where email is not "
            "null and member_id not in (select member_id from opt_outs where member_id is not null) order by member_id"
        ).fetchall()


@dataclasses.dataclass(frozen=True)
class References:
    """What can be seen before the night, and what a night looks like that nobody has killed."""

    before: Seen
    after: Seen
    ledger: dict[str, list]
    left: dict[str, list[str]]


def make_references(base: Trial, home: Path) -> References:
    """Run the night to its end."""
    whole = base.copy(home)
    before = whole.seen()
    whole.run()
    result = References(before, whole.seen(), whole.ledger(), whole.left())
    assert verify(read_settings(whole.environment))["nights"] == 2
    whole.remove()
    return result


def measure(base: Trial, nursery: Nursery, home: Path) -> dict[tuple[str, int], float]:
    """How long each step takes in a process like those that are killed, by name and number."""
    whole = base.copy(home)
    told = raise_night(nursery, whole, list(STEPS))
    assert told["status"] == 0, told
    begun = {(one["begin"], one["number"]): one["at"] for one in told["told"] if "begin" in one}
    ended = {(one["end"], one["number"]): one["at"] for one in told["told"] if "end" in one}
    whole.remove()
    return {step: ended[step] - at for step, at in begun.items()}


def raise_night(nursery: Nursery, trial: Trial, steps: list[str], **more: Any) -> dict:
    trial.night()
    return nursery.night(
        **{
            "environment": trial.environment,
            "temporary": str(trial.temporary),
            "day": DEMO_DAY.isoformat(),
            "now": NOW.isoformat(),
            "run": "doomed",
            "steps": steps,
            **more,
        }
    )


# what must be so


def wrong_after_the_kill(trial: Trial, refs: References) -> list[str]:
    """What a reader can see that is neither as before nor as after the night."""
    seen, wrong = trial.seen(), []
    state = "old" if seen.tables == refs.before.tables else "new" if seen.tables == refs.after.tables else ""
    if not state:
        wrong.append("the tables in the warehouse are between two nights")
    files = _without_latest(seen.files)
    if files not in (_without_latest(refs.before.files), _without_latest(refs.after.files)):
        wrong.append("the published files are between two nights")
    if len({path for path in seen.files if "/latest/" in path}) not in (
        *(len([p for p in r.files if "/latest/" in p]) for r in (refs.before, refs.after)),
    ):
        wrong.append("what is latest is no whole night")
    if files != _without_latest(refs.before.files) and state == "old":
        wrong.append("files are shown that the warehouse does not have")
    for what, now, old, new in (
        ("feeds", seen.feeds, refs.before.feeds, refs.after.feeds),
        ("removals", seen.removals, refs.before.removals, refs.after.removals),
    ):
        if now not in (old, new):
            wrong.append(f"the {what} that the partner sees are between two nights")
    return wrong + wrong_in_the_ledger(trial, seen)


def _without_latest(files: dict[str, bytes]) -> dict[str, bytes]:
    return {path: content for path, content in files.items() if "/latest/" not in path}


def wrong_in_the_ledger(trial: Trial, seen: Seen) -> list[str]:
    """The ledger knows every file that has arrived, and of each feed whom it provided; and nothing has come twice."""
    ledger, wrong = Ledger(trial.warehouse_url), []
    known = {one.file: one for one in ledger.deliveries("liveramp")}
    for file, sha256 in {**seen.feeds, **seen.removals}.items():
        if file not in known or known[file].content_sha256 != sha256:
            wrong.append(f"{file} has arrived, and the ledger does not know it")
    for file in seen.feeds.keys() & known.keys():
        if {bytes(one).hex() for one in ledger.provided(known[file])["sha256"]} != trial.people(file):
            wrong.append(f"the ledger says other people of {file}")
    for one in known.values():
        if one.state == "sent" and one.file not in {**seen.feeds, **seen.removals}:
            wrong.append(f"{one.file} is recorded as sent, and never arrived")
    return wrong + [f"{name} has arrived {n} times" for name, n in trial.arrivals().items() if n > 1]


def wrong_after_the_run(trial: Trial, refs: References) -> list[str]:
    """What differs from a night that nobody killed."""
    seen, wrong = trial.seen(), []
    for name in ("tables", "files", "feeds", "removals"):
        if getattr(seen, name) != getattr(refs.after, name):
            wrong.append(f"{name} are not those of a night that nobody killed")
    ledger = trial.ledger()
    wrong += [f"the ledger's {name} are others" for name in ledger if ledger[name] != refs.ledger[name]]
    return wrong + wrong_in_the_ledger(trial, seen) + unhealed(trial, refs)


def unhealed(trial: Trial, refs: References) -> list[str]:
    """What the dead have left behind."""
    left, wrong = trial.left(), []
    # Of removals that the dead have sent the next run has none to gate.
    sent_before = ("2026-10-31/again/gates/removals-liveramp.json",)
    for place, names in left.items():
        expected = refs.left[place]
        wrong += [f"left in {place}: {name}" for name in names if name not in expected]
        wrong += [f"missing in {place}: {name}" for name in expected if name not in names and name not in sent_before]
    try:
        trial.wait_for_the_servers()
    except TimeoutError:
        wrong.append("a connection is still open")
    verify(read_settings(trial.environment))
    return wrong


def wrong_on_the_next_day(trial: Trial, stopped: set[str]) -> list[str]:
    """After a kill and a night of the next day instead: whole, verified, nobody stopped in what left, no rest."""
    seen, left = trial.seen(), trial.left()
    wrong = wrong_in_the_ledger(trial, seen)
    new = next(file for file in seen.feeds if f"_{TOMORROW:%Y%m%d}_" in file)
    if trial.people(new) & stopped:
        wrong.append("somebody who has stopped is in the feed")
    owed = {digest.hex() for (digest,) in trial.ask("select sha256 from delivery.obligations where state = 'sent'")}
    if not stopped <= owed:
        wrong.append("somebody who has stopped was not taken back")
    nights = {name for name in left["links"] if name[0] == "2"}
    known = {str(day) for (day,) in trial.ask("select day from sudare.nights")}
    if nights != known:
        wrong.append("the nights that are shown are not those of the warehouse")
    stored = {name for name in left["stored"] if "/" not in name}
    if len(stored) != len(known):
        wrong.append(f"stored and shown nowhere: {len(stored) - len(known)} nights")
    for place in ("pending", "temporary", "half sent"):
        wrong += [f"left in {place}: {name}" for name in left[place] if "/" in name or place != "pending"]
    wrong += [
        f"left in sealed: {name}"
        for name in left["sealed"]
        if f"_{DEMO_DAY:%Y%m%d}_" in name and "removals" not in name
    ]
    verify(read_settings(trial.environment))
    return wrong
