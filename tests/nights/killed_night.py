"""
A night that is killed: it publishes until the transaction has everything but the commit, says so, and waits.

Started as a process of its own: `python -m tests.nights.killed_night DAY NOW`, with its settings in the environment.
"""

import datetime
import sys
import time

from delivery.night import Night, publish
from delivery.settings import read_settings
from delivery.warehouse import Publication

READY = "everything but the commit"


def main(day: str, now: str) -> None:
    record = Publication.record

    def record_and_wait(self, *arguments) -> None:
        record(self, *arguments)
        print(READY, flush=True)
        time.sleep(600)

    Publication.record = record_and_wait
    publish(Night(read_settings(), datetime.date.fromisoformat(day), datetime.datetime.fromisoformat(now)))


if __name__ == "__main__":
    main(*sys.argv[1:])
