"""
The bands a value is generalised to, and their closed code lists. Standard library only.

Recoding is ISO/IEC 20889's "generalisation" with top and bottom coding. The bands follow
the five-year ages of the population census and the school stages of Japanese children;
they are fixed, because a band that moves between nights gives a difference away.
"""

UNKNOWN = "unknown"
"""The code of a missing value. Missing is a band of its own and is never imputed."""

TOTAL, TOTAL_JA = "total", "全体"
"""The code of a margin: everybody, whatever the dimension says."""

AGE_LOWER_BOUNDS = (0, 20, 25, 30, 35, 40, 45, 50)
"""Completed years. The first band is bottom-coded (to 19), the last top-coded (from 50)."""

AGE_BANDS = ("-19", "20-24", "25-29", "30-34", "35-39", "40-44", "45-49", "50-", UNKNOWN)

OLDEST_AGE = 120
"""Completed years beyond which a birth date is taken for a typing error, so: unknown."""

EXPECTING = "expecting"
NO_CHILD = "none"

CHILD_LOWER_BOUNDS = (0, 1, 3, 6, 9, 13)
"""Completed years: infant, toddler, kindergarten, lower and upper primary school, beyond."""

CHILD_BANDS = (EXPECTING, "0", "1-2", "3-5", "6-8", "9-12", "13-", NO_CHILD, UNKNOWN)

OVERDUE_DAYS = 28
"""A due date further back than this no longer means expecting: the child is there, its age unknown."""

FIRST_MONTH = "2010-01"
EARLIER = "earlier"
"""Months of registration are bottom-coded by the calendar: a first month from the data would tell who came first."""

POSTED, SILENT = "posted", "silent"
"""Whether a member has posted in the 28 days."""

HOURS = tuple(f"{hour:02d}" for hour in range(24))
WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")

SENSITIVE_BOARDS = "健康・家庭"
"""One label for every board whose very name says something about its posters (infertility, DV, …)."""
