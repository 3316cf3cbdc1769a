"""How old what is owed has become."""

import datetime

from delivery.ledger import Ledger

WARN_AFTER, OVERDUE_AFTER = datetime.timedelta(days=7), datetime.timedelta(days=14)
"""Age of an obligation at which it is pointed out, and at which the run fails after having done all it can. The law
says 遅滞なく (without delay); the partners' own terms say 15 to 45 days."""

UNSENT_AFTER = datetime.timedelta(hours=24)
"""They are sent every hour; one that never was for a day waits for something that is broken, or paused."""


def obligation_ages(ledger: Ledger, name: str, now: datetime.datetime) -> dict[str, int]:
    """Removals that are not acknowledged, by state and by age; ``unsent`` are those that are due for a day or more."""
    counts = {"due": 0, "sent": 0, "refused": 0, "acknowledged": 0, "unsent": 0, "late": 0, "overdue": 0}
    for state, due, count in ledger.obligations(name):
        counts[state] += count
        if state != "acknowledged":
            age = now - due
            counts["unsent"] += count if state == "due" and age >= UNSENT_AFTER else 0
            counts["overdue"] += count if age >= OVERDUE_AFTER else 0
            counts["late"] += count if WARN_AFTER <= age < OVERDUE_AFTER else 0
    return counts
