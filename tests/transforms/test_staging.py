"""Staging: whole objects, refusals of the system by name, and deletion on schedule."""

import datetime
import errno
import os
import stat
import traceback
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from anonymizers.errors import OutboxUnwritable, StagingBroken, StagingUnwritable, StorageFull
from transforms.places import unwritable_as
from transforms.staging import Staging

DAY = datetime.date(2026, 10, 31)
ROWS = pa.table({"a": [1, 2], "b": ["x", "y"]})


@pytest.fixture
def staging(tmp_path) -> Staging:
    return Staging(str(tmp_path / "staging"), DAY)


def test_a_table_is_read_as_it_was_written(staging, tmp_path):
    staging.write_table(ROWS, "members", "0000.parquet")
    assert staging.read_table("members", "0000.parquet").equals(ROWS)
    assert staging.read_table("members", "0000.parquet", columns=["b"]).column_names == ["b"]
    path = tmp_path / "staging" / "2026-10-31" / "members" / "0000.parquet"
    assert pq.read_schema(path).metadata[b"legal_class"].decode() == "個人データ(安全管理措置下)"
    assert [p.name for p in path.parent.iterdir()] == ["0000.parquet"]


def test_a_url_is_a_place_as_well(tmp_path):
    Staging(f"file://{tmp_path}/s", DAY).write_json({"ä": 1}, "x.json")
    assert Staging(f"{tmp_path}/s", DAY).read_json("x.json") == {"ä": 1}


def test_the_same_again_takes_the_place_of_the_first(staging):
    staging.write_json({"a": 1}, "plan.json")
    staging.write_json({"a": 2}, "plan.json")
    assert staging.read_json("plan.json") == {"a": 2}


@pytest.mark.parametrize(
    ("code", "error", "status"),
    [
        pytest.param(errno.ENOSPC, StorageFull, 32, id="no space"),
        pytest.param(errno.EDQUOT, StorageFull, 32, id="no quota"),
        pytest.param(errno.EFBIG, StorageFull, 32, id="a file too big"),
        pytest.param(errno.EACCES, StagingUnwritable, 30, id="not allowed"),
        pytest.param(errno.EROFS, StagingUnwritable, 30, id="read-only"),
        pytest.param(errno.EIO, StagingUnwritable, 30, id="a broken disk"),
        pytest.param(None, StagingUnwritable, 30, id="no number"),
    ],
)
def test_what_the_system_refuses_has_a_name(staging, monkeypatch, code, error, status):
    def refuse(self, data):
        raise OSError(code, "canary", "/canary/path") if code else OSError("canary")

    monkeypatch.setattr(Path, "write_bytes", refuse)
    with pytest.raises(error) as refused:
        staging.write_table(ROWS, "members", "0000.parquet")
    assert refused.value.exit_status == status
    assert "canary" not in "".join(traceback.format_exception(refused.value)[-1:]) + str(refused.value)
    assert refused.value.__cause__ is None
    assert refused.value.__suppress_context__


def test_a_place_that_is_a_file_cannot_be_written(tmp_path):
    (tmp_path / "staging").write_text("")
    with pytest.raises(StagingUnwritable, match=r"^staging: E(NOTDIR|EXIST); check"):
        Staging(str(tmp_path / "staging"), DAY).write_json({}, "x.json")


def test_the_caller_names_the_error():
    with pytest.raises(OutboxUnwritable, match=r"^outbox: EPERM"), unwritable_as(OutboxUnwritable, "outbox"):
        raise PermissionError(errno.EPERM, "x")


def test_other_errors_pass_unchanged():
    with pytest.raises(ZeroDivisionError), unwritable_as(OutboxUnwritable, "outbox"):
        _ = 1 / 0


def test_a_part_or_the_whole_night_is_removed(staging, tmp_path):
    for part in ("cells", "members"):
        staging.write_table(ROWS, part, "0000.parquet")
    staging.remove("cells")
    staging.remove("cells")
    night = tmp_path / "staging" / "2026-10-31"
    assert [p.name for p in night.iterdir()] == ["members"]
    staging.remove()
    assert not night.exists()


def test_a_write_that_fails_leaves_what_was_there_and_no_half(staging, tmp_path, monkeypatch):
    staging.write_json({"a": 1}, "plan.json")

    def stop(self, target):
        raise KeyboardInterrupt

    monkeypatch.setattr(Path, "replace", stop)
    with pytest.raises(KeyboardInterrupt):
        staging.write_json({"a": 2}, "plan.json")
    assert staging.read_json("plan.json") == {"a": 1}
    assert [path.name for path in (tmp_path / "staging" / "2026-10-31").iterdir()] == ["plan.json"]


def test_what_the_dead_had_begun_to_write_is_deleted_in_every_night(staging, tmp_path):
    staging.write_json({}, "plan.json")
    left = tmp_path / "staging" / "2026-10-30" / "members" / ".0000.parquet.0123456789abcdef.part"
    left.parent.mkdir(parents=True)
    left.touch()
    assert staging.remove_leftovers() == 1
    assert [path.name for path in (tmp_path / "staging").rglob("*") if path.is_file()] == ["plan.json"]


def test_a_file_of_another_night_or_name_is_not_taken_for_this_one(staging, tmp_path):
    staging.write_table(ROWS, "members", "0000.parquet")
    staging.write_json({}, "plan.json")
    night = tmp_path / "staging" / "2026-10-31"
    (night / "members" / "0000.parquet").rename(night / "members" / "0001.parquet")
    night.rename(night.with_name("2026-11-01"))
    other = Staging(staging.url, DAY + datetime.timedelta(days=1))
    with pytest.raises(StagingBroken, match="members/0001.parquet is another object"):
        other.read_table("members", "0001.parquet")
    with pytest.raises(StagingBroken, match="plan.json is another object"):
        other.read_json("plan.json")


def test_staged_nights_are_listed_in_order_and_what_is_no_night_is_none(staging, tmp_path):
    assert Staging(str(tmp_path / "absent"), DAY).nights() == []
    for day in ("2026-10-31", "2026-09-29", "2026-10-01"):
        Staging(staging.url, datetime.date.fromisoformat(day)).write_json({}, "x.json")
    (tmp_path / "staging" / "2020backup").mkdir()
    assert staging.nights() == ["2026-09-29", "2026-10-01", "2026-10-31"]


def test_a_night_tells_when_a_run_last_took_it_over(staging, tmp_path):
    assert staging.begun_at() is None
    staging.write_json("a run", "run.json")
    os.utime(tmp_path / "staging" / DAY.isoformat() / "run.json", (86_400, 86_400))
    assert staging.begun_at() == datetime.datetime(1970, 1, 2, tzinfo=datetime.UTC)


def test_staged_files_are_their_owners_only_under_the_umask_of_a_task(staging, tmp_path):
    os.umask(0o077)  # the fixture `own_umask` puts it back
    staging.write_table(ROWS, "members", "0000.parquet")
    modes = {stat.S_IMODE(p.stat().st_mode) & 0o077 for p in (tmp_path / "staging").rglob("*")}
    assert modes == {0}
