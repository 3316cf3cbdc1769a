"""What a night came to, for the person who started it."""

import datetime

from rich.console import Console

from delivery import manifest
from delivery.publication import folder_of
from delivery.settings import Settings
from delivery.warehouse import Warehouse
from sudare.console import columns, counted
from sudare.feeds import print_all, read_all
from sudare.runner import Run

_NAMES = {
    "members": "members",
    "postings": "postings, 28 days",
    "texts": "texts of the day",
    "titles": "titles of their threads",
    "week_texts": "texts of a closed week",
}


def summarise(settings: Settings, day, run: Run) -> dict:
    """Everything a night left behind, in counts."""
    published = {one["step"] for one in run.steps if "reason" not in one} >= {"publish"}
    return {
        "night": day.isoformat(),
        "exit_status": run.exit_status,
        "published": published,
        "seconds": round(run.seconds, 1),
        "statistics": manifest.parse(Warehouse(settings.warehouse_url).manifests()[day][1]) if published else None,
        "feeds": read_all(settings, day, datetime.datetime.now(datetime.UTC)),
        "failures": [{key: one[key] for key in ("step", "reason", "exit_status", "message")} for one in run.failures],
        "steps": run.steps,
        "places": {
            "tables": str(folder_of(settings.published, day)),
            "warehouse": "schema stats",
            "feeds": str(settings.outbox),
            "log": str(run.log),
        },
    }


def print_step(out: Console, record: dict) -> None:
    """One line as a step ends."""
    name = f"{record['step']}[{record['shard']}]"
    mark = "[bold red]✗[/]" if "reason" in record else "[green]✓[/]"
    reason = f"  [red]{record['reason']}[/]" if "reason" in record else ""
    out.print(f"{mark} {name.ljust(18)} {record['seconds']:>6.1f} s{reason}")


def print_summary(out: Console, told: dict) -> None:
    """The whole night on one screen."""
    out.print()
    if told["statistics"]:
        _print_statistics(out, told["statistics"])
    print_all(out, told["feeds"])
    out.print()
    for failure in told["failures"]:
        out.print(f"[bold red]{failure['step']}: {failure['reason']}[/] (exit {failure['exit_status']})", markup=True)
        out.print(f"  {failure['message']}", markup=False)
    if told["exit_status"]:
        state = "The statistics were published." if told["published"] else "No statistics were published."
        out.print(f"[bold red]The night failed.[/] {state} Running it again is safe. Log: {told['places']['log']}")
        return
    out.print(f"[bold green]The night of {told['night']} is published[/] in {told['seconds']:.0f} s.")
    for what, where in told["places"].items():
        out.print(f"  {what.ljust(10)} {where}")


def _print_statistics(out: Console, night: dict) -> None:
    grid = columns("in", "read", "kept", "left out, by reason")
    for name, one in night["inputs"].items():
        grid.add_row(_NAMES.get(name, name), f"{one['read']:,}", f"{one['kept']:,}", counted(one["dropped"]))
    out.print(grid)
    found = {name.removeprefix("found_"): n for name, n in night.get("texts_found", {}).items() if "found_" in name}
    if found:
        out.print(f"found in texts and titles: {', '.join(f'{name} {n:,}' for name, n in sorted(found.items()))}\n")
    grid = columns("table", "cells", "suppressed", "")
    for output in night["outputs"]:
        grid.add_row(output["table"], f"{output['rows']:,}", f"{output['suppressed_cells']:,}", "")
    out.print(grid)
    passed = sum(outcome["success"] for outcome in night["gate"])
    out.print(
        f"gate: {passed} of {len(night['gate'])} expectations hold; "
        f"cells under {night['threshold']} distinct members are suppressed\n"
    )
