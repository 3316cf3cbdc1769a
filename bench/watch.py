"""
Measuring one process from inside: laps, wall time since it was started, CPU, peak memory; and the machine it ran on.

Standard library only, so that measuring adds nothing to what is measured.
"""

import datetime
import os
import platform
import resource
import time
from dataclasses import dataclass, field
from pathlib import Path

STARTED = "BENCH_STARTED"
"""Environment variable with the parent's monotonic clock, which all processes of one machine share."""


def peak_mb() -> int:
    """
    Peak resident memory of this process in MiB, from ``VmHWM``.

    Not from ``ru_maxrss``: that survives ``exec``, so a fresh process starts with its parent's peak.
    """
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) // 1024 for line in status if line.startswith("VmHWM:"))


def cpu_s() -> float:
    """CPU seconds of this process, all threads, and of its ended children."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


def server_cpu_s(postgres: Path) -> float:
    """CPU seconds of a database server up to now: of its postmaster, its processes and those that have ended."""
    postmaster = (postgres / "postmaster.pid").read_text().split()[0]
    ticks = 0
    for process in Path("/proc").glob("[0-9]*"):
        try:
            fields = (process / "stat").read_text().rpartition(")")[2].split()
        except OSError:  # it has ended meanwhile, and counts to the postmaster
            continue
        if process.name == postmaster:
            ticks += sum(map(int, fields[11:15]))
        elif fields[1] == postmaster:
            ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


@dataclass
class Watch:
    """
    Laps of one process.

    Attributes:
        started: When the parent started this process, so that interpreter and imports count too.
        laps: Wall and CPU seconds by name; a name that comes again adds up.
    """

    started: float = field(default_factory=lambda: float(os.environ.get(STARTED) or time.monotonic()))
    laps: dict[str, dict[str, float]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._last, self._cpu = self.started, 0.0

    def lap(self, name: str) -> None:
        """End a lap; it began where the one before ended."""
        now, cpu = time.monotonic(), cpu_s()
        lap = self.laps.setdefault(name, {"wall_s": 0.0, "cpu_s": 0.0})
        lap["wall_s"] = round(lap["wall_s"] + now - self._last, 3)
        lap["cpu_s"] = round(lap["cpu_s"] + cpu - self._cpu, 3)
        self._last, self._cpu = now, cpu

    def read(self) -> dict[str, float]:
        """Wall and CPU seconds and peak memory up to now."""
        return {
            "wall_s": round(time.monotonic() - self.started, 3),
            "cpu_s": round(cpu_s(), 3),
            "peak_mb": peak_mb(),
        }


def machine() -> dict:
    """What the figures are of: date, processor, memory and load."""
    cpu = next((line for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")), "")
    memory = next(line for line in Path("/proc/meminfo").read_text().splitlines() if line.startswith("MemTotal"))
    return {
        "date": datetime.date.today().isoformat(),
        "cpu": cpu.partition(":")[2].strip() or platform.processor() or platform.machine(),
        "cores": os.cpu_count(),
        "memory_gib": round(int(memory.split()[1]) / 2**20),
        "load_1_min": round(os.getloadavg()[0], 1),
        "python": platform.python_version(),
    }
