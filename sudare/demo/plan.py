"""What a demo site is asked to be, and the clock by which it lives."""

import datetime
import functools
from dataclasses import dataclass

import numpy as np

from sudare.demo.draws import Draws

FOUNDED = datetime.date(2012, 4, 1)
"""The day the made-up site opened."""

SECOND = 1_000_000
HOUR = 3_600 * SECOND
DAY = 24 * HOUR
"""Microseconds."""

_JST_OFFSET = 9 * HOUR
"""Asia/Tokyo has had no summer time since 1951."""

_HOUR_WEIGHTS = (14, 8, 5, 4, 5, 9, 18, 30, 42, 60, 74, 62, 60, 72, 52, 42, 38, 34, 32, 40, 62, 88, 92, 66)
"""Postings by hour of the day: breaks at 10 and 13, and the evening after bedtime."""

_WEEKDAY_WEIGHTS = (105, 102, 104, 100, 98, 86, 92)
"""Postings by weekday, Monday first: weekends belong to the family."""


def epoch_day(day: datetime.date) -> int:
    """Days since 1970-01-01."""
    return day.toordinal() - datetime.date(1970, 1, 1).toordinal()


def midnight(day: datetime.date) -> int:
    """The first instant of ``day`` in Asia/Tokyo, in microseconds since 1970 UTC."""
    return epoch_day(day) * DAY - _JST_OFFSET


def day_weights(day: datetime.date) -> np.ndarray:
    """How many postings each hour of ``day`` attracts, relative to other hours and days."""
    return np.asarray(_HOUR_WEIGHTS, dtype=np.int64) * _WEEKDAY_WEIGHTS[day.weekday()]


@dataclass(frozen=True, kw_only=True)
class Plan:
    """The parameters that decide every row of a demo site."""

    members: int
    """Members on the base day."""
    postings: int
    """Postings in the days up to the base day."""
    seed: int
    days: int
    """Days over which the postings are spread."""
    base: datetime.date
    """The last whole day at the site's creation; later days are lived night by night."""

    @functools.cached_property
    def draws(self) -> Draws:
        """The draws of this plan's seed."""
        return Draws(self.seed)

    @property
    def now(self) -> int:
        """The end of the base day, in microseconds."""
        return midnight(self.base) + DAY

    @property
    def joins_per_night(self) -> int:
        """New members on each night after the base day."""
        return self.members // 4000 + 1

    @property
    def threads(self) -> int:
        """Threads on the base day."""
        return max(20, self.postings // 12)

    def registered_at(self, ids: np.ndarray) -> np.ndarray:
        """The instant each member joined, in microseconds; increasing with the id."""
        late = np.maximum(ids - self.members - 1, 0)
        night, place = late // self.joins_per_night, late % self.joins_per_night
        slot_s = np.where(ids > self.members, 86_400 // self.joins_per_night, self._join_step_s)
        start = np.where(
            ids > self.members,
            self.now + night * DAY + place * slot_s * SECOND,
            midnight(FOUNDED) + (ids - 1) * slot_s * SECOND,
        )
        second = self.draws.below("registered second", ids, slot_s)
        return start + second * SECOND + self.draws.below("registered micro", ids, SECOND)

    def registered_before(self, instant: int) -> int:
        """How many members had surely joined before ``instant``; at least one."""
        if instant >= self.now:
            return self.members + (instant - self.now) // DAY * self.joins_per_night
        return max(1, min(self.members, (instant - midnight(FOUNDED)) // (self._join_step_s * SECOND)))

    @property
    def _join_step_s(self) -> int:
        return (self.now - midnight(FOUNDED)) // SECOND // self.members

    def postings_on(self, day: datetime.date) -> int:
        """How many postings a day after the base day brings."""
        first = self.base - datetime.timedelta(days=self.days - 1)
        usual = sum(int(day_weights(first + datetime.timedelta(days=n)).sum()) for n in range(self.days))
        return max(10, self.postings * int(day_weights(day).sum()) // usual)
