"""Run the attacks and write the report: `python -m attacks`, `python -m attacks --short`."""

import argparse
import sys
import time
from pathlib import Path

from attacks.suite import SHORT, WHOLE, run
from expectations.attack_report import PLACE, Score


def main() -> int:
    """
    Run, print, and write the report where the gate reads it.

    Returns:
        1 if a score misses its bar; the report is written all the same, and the gate refuses it.
    """
    parser = argparse.ArgumentParser(prog="python -m attacks", description=__doc__)
    parser.add_argument("--short", action="store_true", help="a small world; no report is written")
    parser.add_argument("--out", type=Path, default=PLACE, help="where the report goes")
    options = parser.parse_args()
    started = time.time()
    report = run(SHORT if options.short else WHOLE, tell)
    if not options.short:
        options.out.write_text(report.render(), encoding="utf-8")
    missed = [score for score in report.scores if not score.holds]
    sys.stdout.write(f"\n{len(report.scores)} scores in {time.time() - started:.0f} s, {len(missed)} miss their bar\n")
    for score in missed:
        tell(score)
    return 1 if missed else 0


def tell(score: Score) -> None:
    """One line a score."""
    mark = " " if score.bar is None else ("✓" if score.holds else "✗")
    bar = "" if score.bar is None else f" {'≥' if score.at_least else '≤'} {score.bar:g}"
    sys.stdout.write(f"{mark} {score.value:9.3f}{bar:8}  {score.requirement}: {score.attack} [{score.protection}]\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
