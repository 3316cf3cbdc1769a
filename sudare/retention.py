"""What retention did, for the privacy officer: counts by kind, and what had to stay."""

import datetime

from rich.console import Console

from delivery.night import Night
from delivery.records import Records
from delivery.retention import keep, look_through
from sudare.console import columns

JAPANESE = {
    "staged nights": "中間データ(夜間ごと)",
    "unfinished files": "作業途中のファイル",
    "local feeds": "提供ファイルの控え",
    "removal files": "削除依頼ファイル",
    "opt-out lists": "拒否リスト",
    "receipts": "受領書",
    "logs": "ログ",
    "failures": "失敗の記録",
    "provisions": "第三者提供記録",
    "obligations": "削除義務の記録",
    "deliveries": "提供の記録",
}


def run(night: Night, *, dry_run: bool) -> list[dict]:
    """Run retention now, or only look; each kind as JSON has it."""
    deletions, failure = look_through(night, dry_run=dry_run)
    if not dry_run:
        keep(night, deletions)
    if failure is not None:
        raise failure
    if not dry_run:
        Records(night.settings.warehouse_url).keep_success("retain", "", datetime.datetime.now(datetime.UTC))
    return [one.as_dict() for one in deletions]


def print_deletions(out: Console, deletions: list[dict], *, dry_run: bool) -> None:
    """A line a kind, in English and Japanese."""
    table = columns(
        *(
            "kind / 種類",
            "would go / 削除対象" if dry_run else "deleted / 削除",
            "not due / 期間内",
            "must stay / 要保存",
        ),
        *("oldest / 最古", "next due / 次の期限"),
        numbers=(1, 2, 3),
    )
    for one in deletions:
        counts = (f"{one[name]:,}" for name in ("deleted", "kept", "must_stay"))
        days = (one[name] or "–" for name in ("oldest", "next_due"))
        table.add_row(f"{one['kind']} / {JAPANESE[one['kind']]}", *counts, *days)
    out.print(table)
