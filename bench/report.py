"""What a run of the benchmark found: bars, tables and plots for docs/, and the floors of the short form."""

import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from bench import plots
from bench.night import OWN

ROWS_DECIDE = ("extract", "tabulate", "postings by board", "build_feed")
"""Laps that grow with the rows: the short form's site is small, and the others would hide them."""

GATES = ("gate_tables", "gate_feed")
STATISTICS = ("plan", "extract", "tabulate", "merge_cells", "disclose", "gate_tables", "publish")
MOST_MB = 1024


@dataclass(frozen=True)
class Bar:
    """A goal, and what was reached of it."""

    what: str
    goal: str
    reached: str
    holds: bool | None
    """None where nothing was asked for."""

    def row(self) -> tuple[str, ...]:
        return self.what, self.goal, self.reached, {True: "yes", False: "**no**", None: ""}[self.holds]


def cpu(night: dict, laps: tuple[str, ...] | None = None) -> float:
    """CPU seconds of a night's laps; all but starting where none are named."""
    return sum(lap["cpu_s"] for name, lap in night["laps"].items() if (name in laps if laps else name != "start"))


def wall(night: dict, laps: tuple[str, ...] | None = None) -> float:
    return sum(lap["wall_s"] for name, lap in night["laps"].items() if (name in laps if laps else name != "start"))


def bars(found: dict) -> list[Bar]:
    """Every goal, at the largest size that has the figures for it."""
    told: list[Bar] = []
    beside = [size for size in found["sizes"] if "nights" in size]
    if beside:
        told += _of_nights(beside[-1])
    told += _of_limits(found["sizes"][-1])
    feed = found["feeds"]
    beside_naive = {name: feed["naive"][name] / feed["ours"][name] for name in ("writing_us", "file_us", "route_us")}
    told += [
        _least(
            "LiveRamp file, rows in order, written and sealed, beside `to_csv` with gzip",
            8,
            beside_naive["writing_us"],
            "times",
        ),
        Bar("… sorted as well, and kept for the ledger", "", f"{beside_naive['file_us']:.2f} times", None),
        Bar("… and normalised and digested", "", f"{beside_naive['route_us']:.2f} times", None),
    ]
    steps = found["sizes"][-1]["steps"]
    most = max(step["peak_mb"] for step in steps.values())
    told.append(Bar("memory of the largest process", f"≤ {MOST_MB} MiB", f"{most:,} MiB", most <= MOST_MB))
    told += _of_growth(found["sizes"])
    gates = sum(steps[name]["cpu_s"] for name in GATES) / sum(step["cpu_s"] for step in steps.values())
    told.append(Bar("gates, of the night's CPU", "< 10 %", f"{gates:.1%}", gates < 0.1))
    return told


def _least(what: str, goal: float, reached: float, unit: str) -> Bar:
    return Bar(what, f"≥ {goal:g} {unit}", f"{reached:.2f} {unit}", reached >= goal)


def _share(what: str, goal: float, reached: float) -> Bar:
    return Bar(what, f"≥ {goal:.0%}", f"{reached:.0%}", reached >= goal)


def _of_nights(size: dict) -> list[Bar]:
    naive, sql, ours, whole = (size["nights"][name] for name in ("naive", "sql", "same", "whole"))
    own = wall(ours, OWN)
    copied = sum(branch["copy"]["wall_s"] for branch in size["limits"]["reading"].values())
    at = f"{size['members']:,} members"
    return [
        _least(f"CPU, beside the naive night, {at}", 6, cpu(naive) / cpu(ours, OWN), "times"),
        _least("wall, beside the naive night", 6, wall(naive) / own, "times"),
        Bar("… with all tables of the catalogue: CPU", "", f"{cpu(naive) / cpu(whole, OWN):.2f} times", None),
        Bar("… with all tables of the catalogue: wall", "", f"{wall(naive) / wall(whole, OWN):.2f} times", None),
        _least("wall, beside SQL alone in the database", 1.7, sql["wall_s"] / own, "times"),
        Bar(
            "wall, of COPY BINARY's over the same columns", "≤ 3 times", f"{own / copied:.2f} times", own <= 3 * copied
        ),
    ]


def _of_limits(size: dict) -> list[Bar]:
    limits = size["limits"]
    told = [
        _share(f"reading, of COPY BINARY's rate: {name}", 0.45, side["copy"]["wall_s"] / side["read"]["wall_s"])
        for name, side in limits["reading"].items()
    ]
    if limit := limits["libcrypto_ns"]:
        for name, goal in (("hmac", 0.38), ("sha256", 0.25)):
            told.append(_share(f"{name}, of libcrypto's rate, one core", goal, limit[name] / limits["ours_ns"][name]))
    return told


def _of_growth(sizes: list[dict]) -> Iterator[Bar]:
    for small, large in itertools.pairwise(sizes):
        times = large["members"] / small["members"]
        grown = sum(s["wall_s"] for s in large["steps"].values()) / sum(s["wall_s"] for s in small["steps"].values())
        most = [max(step["peak_mb"] for step in size["steps"].values()) for size in (small, large)]
        of_four = grown ** (math.log(4) / math.log(times))
        what = f"from {small['members']:,} to {large['members']:,} members"
        yield Bar(f"time per four times the rows, {what}", "≤ 4.4 times", f"{of_four:.1f} times", of_four <= 4.4)
        more = (most[1] / most[0]) ** (math.log(4) / math.log(times)) - 1
        yield Bar(f"memory per four times the rows, {what}", "≤ +30 %", f"{more:+.0%}", more <= 0.3)


FLOORS = {"CPU beside the naive night": 2.2, "HMAC of libcrypto": 0.2, "SHA-256 of libcrypto": 0.15}
"""Two thirds of what the busiest machine reached: below them something is slower, and not only disturbed."""


def judge(naive: dict, ours: dict, libcrypto_ns: dict | None, ours_ns: dict) -> int:
    """Print the short form's ratios; 1 where one is below its floor or the night too large, else 0."""
    ratios = {"CPU beside the naive night": cpu(naive) / cpu(ours, ROWS_DECIDE)}
    if libcrypto_ns:
        for title, name in (("HMAC", "hmac"), ("SHA-256", "sha256")):
            ratios[f"{title} of libcrypto"] = libcrypto_ns[name] / ours_ns[name]
    for name, ratio in ratios.items():
        print(f"{name.ljust(32)} {ratio:6.2f}  floor {FLOORS[name]:g}")
    print(f"{'peak memory, MiB'.ljust(32)} {ours['peak_mb']:6,}  ceiling {MOST_MB}")
    return int(any(ratio < FLOORS[name] for name, ratio in ratios.items()) or ours["peak_mb"] > MOST_MB)


def write(found: dict, place: Path) -> None:
    """The table and the plots."""
    place.mkdir(parents=True, exist_ok=True)
    (place / "performance.md").write_text("\n".join(_document(found)) + "\n", encoding="utf-8")
    plots.write(found, place)


def _document(found: dict) -> Iterator[str]:
    machine = found["machine"]
    yield "# Performance"
    yield ""
    yield f"Written by `{found['command']}` on {machine['date']}: {machine['cpu']}, {machine['cores']} cores,"
    yield f"{machine['memory_gib']} GiB, load {machine['load_1_min']} at the end, Python {machine['python']}."
    yield "Ratios hold on other machines, seconds do not; on a busy machine only ratios of CPU seconds do."
    yield "Texts are not in it."
    yield ""
    yield from _table(("", "goal", "reached", "holds"), [bar.row() for bar in bars(found)])
    for size in found["sizes"]:
        yield from _of_size(size)
    yield from (
        "",
        "![memory of each step by members](memory.svg)",
        "",
        "![time of each step by members](time.svg)",
        "",
    )
    yield from _feed(found["feeds"])
    if "text" in found:
        yield from _text(found["text"])


def _of_size(size: dict) -> Iterator[str]:
    yield from ("", f"## {size['members']:,} members, {size['postings']:,} postings", "")
    yield "Every step, each task of it in a process of its own. `start` is interpreter and imports, once a task, and"
    yield "in no other column; `server` is PostgreSQL's own CPU. `limit` is what nothing can do the step in here:"
    yield "COPY BINARY of the same columns and rows to nothing; for tabulation one pass over them at memory's speed."
    yield ""
    yield from _table(
        ("step", "tasks", "rows/s", "wall, s", "CPU, s", "server, s", "start, s", "peak, MiB", "on disk, MiB",
         "limit, s", "share"),
        [_step_row(name, step, size) for name, step in size["steps"].items() if name != "stand_in"],
    )  # fmt: skip
    if "nights" in size:
        yield from ("", "The nights, each in one process, in turn; medians of wall. SQL's client does nothing.", "")
        yield from _table(
            ("", "wall, s", "CPU, s", "server, s", "peak, MiB", "load"),
            [_night_row(name, title, size) for name, title in _NIGHTS.items()],
        )
        yield from ("", f"![the nights beside each other](nights-{size['members']}.svg)", "")
        yield from (line for name, told in size["differences"].items() for line in _difference(name, told))


_NIGHTS = {
    "naive": "naive night",
    "sql": "SQL alone",
    "same": "Sudare, the same outputs",
    "whole": "Sudare, with every table of the catalogue",
}


def _night_row(name: str, title: str, size: dict) -> tuple[str, ...]:
    night = size["nights"][name]
    ours = name in ("same", "whole")
    seconds = [(wall(night, OWN), cpu(night, OWN))] if ours else [(night["wall_s"], night["cpu_s"])]
    loads = "/".join(f"{run['load']:g}" for run in night["runs"])
    told = [f"{value:,.1f}" for value in (*seconds[0], night["server_s"])]
    return title, *told, f"{night['peak_mb']:,}" if "peak_mb" in night else "", loads


def _limit(name: str, size: dict) -> float | None:
    """Seconds below which nothing can do this step here; None where no limit is known."""
    limits = size["limits"]
    match name:
        case "extract":
            return limits["reading"]["statistics"]["copy"]["wall_s"]
        case "build_feed" | "gate_feed" | "remove":
            return limits["reading"]["ads"]["copy"]["wall_s"]
        case "tabulate":
            return limits["staged_bytes"] / limits["bandwidth"]
    return None


def _step_row(name: str, step: dict, size: dict) -> tuple[str, ...]:
    rows = size["members"] + (size["postings"] if name in STATISTICS else 0)
    limit = _limit(name, size)
    return (
        f"`{name}`",
        str(step["tasks"]),
        f"{rows / max(step['wall_s'], 0.01):,.0f}",
        *(f"{step[what]:,.2f}" for what in ("wall_s", "cpu_s", "server_s", "start_s")),
        f"{step['peak_mb']:,}",
        f"{step['space_mb']:,}",
        f"{limit:.2f}" if limit else "",
        f"{limit / max(step['wall_s'], 0.01):.0%}" if limit else "",
    )


def _table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> Iterator[str]:
    for row in (head, ("---",) * len(head), *rows):
        yield f"| {' | '.join(row)} |"


def _difference(name: str, told: dict) -> Iterator[str]:
    plain = ", ".join(
        f"{key.replace('_', ' ')} {value:,}" for key, value in told.items() if not isinstance(value, dict)
    )
    yield f"- `{name}`: {plain}"


def _feed(told: dict) -> Iterator[str]:
    yield from ("## The LiveRamp file", "")
    yield from _table(
        ("", "rows", "writing, µs of CPU a row", "from digests", "from addresses", "peak, MiB"),
        [
            (title, *(f"{told[side][what]:,}" for what in ("rows", "writing_us", "file_us", "route_us", "peak_mb")))
            for side, title in (("ours", "Sudare, sealed"), ("naive", "`apply`, `to_csv` with gzip"))
        ],
    )


def _text(told: dict) -> Iterator[str]:
    yield from (
        "",
        "## Texts",
        "",
        "Characters per CPU second, all rounds; more in `python -m bench.text --rival`.",
        "",
    )
    for length, figures in told["by_length"].items():
        yield f"- {length} characters: " + ", ".join(f"{name} {max(of):,.0f}" for name, of in figures.items())
