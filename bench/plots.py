"""Plots of a run, as SVG: the same figures make the same bytes."""

from pathlib import Path

import matplotlib

matplotlib.use("svg")
matplotlib.rcParams |= {"svg.hashsalt": "sudare", "svg.fonttype": "none", "font.size": 10}

import matplotlib.pyplot as plt  # noqa: E402  after its settings

from bench.night import OWN  # noqa: E402

MOST_MB = 1024
SHADES = ("#444444", "#999999", "#1f77b4")


def write(found: dict, place: Path) -> None:
    """Memory and time of the steps over the sizes, and the nights of each size that has them."""
    sizes = found["sizes"]
    members = [size["members"] for size in sizes]
    steps = [name for name in sizes[0]["steps"] if name != "stand_in"]
    with _figure(place / "memory.svg", "peak memory of one process, MiB") as axes:
        for name in steps:
            axes.plot(members, [size["steps"][name]["peak_mb"] for size in sizes], marker="o", label=name)
        axes.axhline(MOST_MB, color="black", linestyle="--", label="1 GiB")
        axes.set_ylim(0, None)
    with _figure(place / "time.svg", "wall seconds of all tasks, one after another") as axes:
        for name in steps:
            axes.plot(members, [max(size["steps"][name]["wall_s"], 0.01) for size in sizes], marker="o", label=name)
        axes.set_yscale("log")
    for size in sizes:
        if "nights" in size:
            _nights(size, place / f"nights-{size['members']}.svg")


class _figure:
    """Axes over members, saved when they are left."""

    def __init__(self, path: Path, what: str) -> None:
        self._path, self._what = path, what

    def __enter__(self):
        self._drawn, axes = plt.subplots(figsize=(8, 5))
        axes.set_xscale("log")
        axes.set_xlabel("members")
        axes.set_ylabel(self._what)
        self._axes = axes
        return axes

    def __exit__(self, *_: object) -> None:
        self._axes.legend(fontsize=8, loc="center left", bbox_to_anchor=(1, 0.5))
        _save(self._drawn, self._path)


def _nights(size: dict, path: Path) -> None:
    """CPU of client and server, stage upon stage, of what makes the rivals' outputs."""
    drawn, axes = plt.subplots(figsize=(8, 3.5))
    for place, name in enumerate(("naive", "sql", "same", "whole")):
        night, left = size["nights"][name], 0.0
        # Of our night the server's part is that of the rivals' outputs, and so are the laps.
        counted = OWN if name in ("same", "whole") else night.get("laps", {}).keys() - {"start"}
        laps = {lap: told["cpu_s"] for lap, told in night.get("laps", {}).items() if lap in counted}
        for number, (lap, seconds) in enumerate({**laps, "in the database": night["server_s"]}.items()):
            axes.barh(place, seconds, left=left, color=SHADES[number % 3], edgecolor="white")
            if seconds > 0.06 * max(night["cpu_s"] + night["server_s"], 1):
                axes.text(left + seconds / 2, place, lap, ha="center", va="center", fontsize=6, color="white")
            left += seconds
    axes.set_yticks(range(4), ["naive night", "SQL alone", "Sudare, the same outputs", "Sudare, all tables"])
    axes.set_xlabel(f"CPU seconds, {size['members']:,} members")
    _save(drawn, path)


def _save(drawn, path: Path) -> None:
    drawn.savefig(path, metadata={"Date": None}, bbox_inches="tight")
    plt.close(drawn)
    # Trailing blanks are not of the drawing.
    path.write_text("\n".join(line.rstrip() for line in path.read_text().splitlines()) + "\n")
