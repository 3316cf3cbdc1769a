"""
A disk that is full, at every place and in every step that writes there: a file system of a few pages, really full.

What a step writes where is a table, and the table is checked: what is in it must fail on a full disk, and what is not
must not notice.
"""

import contextlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest

from anonymizers.errors import StorageFull
from tests.databases import database_of
from tests.faults.campaign import in_order, mostly_long, wrong_after_the_kill, wrong_after_the_run
from tests.nights.sites import STEPS, run

PLACES = ("staging", "published", "outbox", "temporary")
WRITES = {
    "plan": ("staging", "outbox", "published"),
    "extract": ("staging",),
    "redact": ("staging",),
    "tabulate": ("staging",),
    "merge_cells": ("staging",),
    "disclose": ("staging",),
    "gate_tables": ("staging",),
    "publish": ("published",),
    "build_feed": ("outbox", "staging"),
    "gate_feed": ("staging",),
    "hand_over": ("outbox",),
    "remove": ("outbox", "staging"),
    "close": (),
}
"""Where each step writes, in this order. Evidence and parts of a large feed are spilt to the outbox as well."""

PAGE = os.sysconf("SC_PAGE_SIZE")


class Disk:
    """A file system of its own below a folder, whose contents move there."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.filler = folder, folder / ".filler"
        folder.mkdir(exist_ok=True)
        with tempfile.TemporaryDirectory() as kept:
            shutil.copytree(folder, kept, symlinks=True, dirs_exist_ok=True)
            mounted = subprocess.run(
                ["mount", "-t", "tmpfs", "-o", "size=16m", "tmpfs", str(folder)], capture_output=True
            )
            if mounted.returncode:
                pytest.skip("no file system may be mounted here; tests/nights has full disks by a limit on files")
            shutil.copytree(kept, folder, symlinks=True, dirs_exist_ok=True)

    @contextmanager
    def full(self, free: int = 0) -> Iterator[None]:
        """No page is free, or so many."""
        with self.filler.open("wb", buffering=0) as file, contextlib.suppress(OSError):
            while True:
                file.write(bytes(PAGE))
        os.truncate(self.filler, max(0, self.filler.stat().st_size // PAGE - free) * PAGE)
        try:
            yield
        finally:
            self.filler.unlink()

    def remove(self) -> None:
        subprocess.run(["umount", "--lazy", str(self.folder)], check=True)


@pytest.fixture
def disks(trial) -> Iterator[dict[str, Disk]]:
    made = {}
    try:
        for place in PLACES:
            made[place] = Disk(trial.home / place)
        yield made
    finally:
        for disk in made.values():
            disk.remove()


@pytest.mark.long
def test_a_disk_that_is_full_is_said_so_at_every_write_and_nothing_changes(trial, references, disks):
    for step in in_order("tables", "feeds", "removals"):
        for free in (0, 2):
            # In order: a step that has come further has something of its own to delete, which makes room.
            for place in WRITES[step]:
                with disks[place].full(free):
                    try:
                        run(trial.night(name="again"), step)
                    except StorageFull:
                        continue
                    assert free, f"{step} does not notice that {place} is full"
        assert wrong_after_the_kill(trial, references) == []
        with contextlib.ExitStack() as stack:
            for place in set(PLACES) - set(WRITES[step]):
                stack.enter_context(disks[place].full())
            run(trial.night(name="again"), step)
    assert wrong_after_the_run(trial, references) == []


def test_every_step_of_a_night_is_in_the_table():
    assert set(WRITES) == set(STEPS)


@pytest.mark.parametrize("step", mostly_long(("publish", "hand_over", "remove"), ["publish"]))
def test_a_warehouse_without_space_is_said_so_and_nothing_changes(trial, references, tmp_path, step):
    """The database's own files are on the full disk; what it writes is refused by the system, and so is the step."""
    place, name = tmp_path / "tablespace" / "data", database_of(trial.warehouse_url)
    with contextlib.ExitStack() as stack:
        disk = Disk(place.parent)
        stack.callback(disk.remove)
        place.mkdir()
        owner = Path(urlsplit(trial.warehouse_url).query.removeprefix("host=")).stat()
        os.chown(place, owner.st_uid, owner.st_gid)
        _let_pass(place)
        administrator = stack.enter_context(psycopg.connect(trial.server.urls["airflow"], autocommit=True))
        administrator.execute(f"create tablespace small_{step} location '{place}'")
        stack.callback(administrator.execute, f"drop tablespace small_{step}")
        order = in_order("tables", "feeds", "removals")
        run(trial.night(name="again"), *order[: order.index(step)])
        administrator.execute(f"alter database {name} set tablespace small_{step}")
        stack.callback(administrator.execute, f"alter database {name} set tablespace pg_default")
        with disk.full(), pytest.raises(StorageFull):
            run(trial.night(name="again"), step)
        assert wrong_after_the_kill(trial, references) == []
        run(trial.night(name="again"), *order[order.index(step) :])
        assert wrong_after_the_run(trial, references) == []


def _let_pass(place: Path) -> None:
    """The server may run as another user, who has to reach its folder."""
    for above in place.parents:
        if not above.stat().st_mode & 0o001 and above != Path.home():  # those that pytest has made
            above.chmod(above.stat().st_mode | 0o011)
