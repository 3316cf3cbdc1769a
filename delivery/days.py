"""Days and hours of the pipeline, all of them in Asia/Tokyo. Standard library only."""

import datetime

TOKYO = datetime.timezone(datetime.timedelta(hours=9))
"""Japan has had no daylight saving time since 1951."""


def last_day_over(now: datetime.datetime) -> datetime.date:
    """Yesterday in Tokyo: the day that the latest night describes."""
    return now.astimezone(TOKYO).date() - datetime.timedelta(days=1)


def due(day: datetime.date, hour: datetime.time) -> datetime.datetime:
    """The instant by which the night of a day has to be published: this hour of the next day."""
    return datetime.datetime.combine(day + datetime.timedelta(days=1), hour, TOKYO)


def days(first: datetime.date, last: datetime.date) -> list[datetime.date]:
    """Every day from the first to the last, both among them; none where the last is earlier."""
    return [first + datetime.timedelta(days=n) for n in range((last - first).days + 1)]
