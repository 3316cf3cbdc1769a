"""
One step of the night in a process of its own, as a mapped task is one: what it takes when it has started.

    SUDARE_… python -m bench.step NAME [OF]
"""

import json
import sys

from bench.site import DAY, NOW
from bench.watch import Watch


def main(name: str, of: str | None) -> dict:
    """Run it; wall and CPU seconds of starting and of the step, peak memory of the process, and what it returned."""
    watch = Watch()
    from delivery import night as steps
    from delivery.settings import read_settings

    if name.startswith("gate"):
        from expectations import validation  # noqa: F401  as in `bench.night`
        from transforms import audit  # noqa: F401
    watch.lap("start")
    night = steps.Night(read_settings(), DAY, NOW)
    if name == "stand_in":
        from bench.night import stand_in_for_texts

        result = stand_in_for_texts(night)
    else:
        step = getattr(steps, name)
        result = step(night) if of is None else step(night, json.loads(of))
    watch.lap("step")
    return {**watch.laps, "peak_mb": watch.read()["peak_mb"], "result": result}


if __name__ == "__main__":
    print(json.dumps(main(sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else None)))
