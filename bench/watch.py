"""
Measuring one process from inside: laps, wall time since it was started, CPU, peak memory.

Standard library only, so that measuring adds nothing to what is measured.
"""

import os
import resource
import time
from dataclasses import dataclass, field

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


@dataclass
class Watch:
    """
    Laps of one process.

    Attributes:
        started: When the parent started this process, so that interpreter and imports count too.
        laps: Seconds by name; a name that comes again adds up.
    """

    started: float = field(default_factory=lambda: float(os.environ.get(STARTED) or time.monotonic()))
    laps: dict[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._last = self.started

    def lap(self, name: str) -> None:
        """End a lap; it began where the one before ended."""
        now = time.monotonic()
        self.laps[name] = round(self.laps.get(name, 0) + now - self._last, 3)
        self._last = now

    def read(self) -> dict[str, float]:
        """Wall and CPU seconds and peak memory up to now."""
        return {
            "wall_s": round(time.monotonic() - self.started, 3),
            "cpu_s": round(cpu_s(), 3),
            "peak_rss_mb": peak_mb(),
        }
