"""The release gate: what did not pass is not published."""

from anonymizers.errors import GateRefused
from expectations.checks import Outcome


def require_green(outcomes: list[Outcome]) -> None:
    """
    Let pass, or say what failed.

    Raises:
        GateRefused: an expectation failed, or nothing was checked.
    """
    if not outcomes:
        raise GateRefused("nothing was checked; an output without checks is not published")
    red = [o for o in outcomes if not o.success]
    if red:
        named = "; ".join(_describe(o) for o in red[:8])
        raise GateRefused(f"{len(red)} of {len(outcomes)} expectations failed; nothing was published: {named}")


def _describe(outcome: Outcome) -> str:
    where = f"{outcome.output}.{outcome.column}" if outcome.column else outcome.output
    count = f" ({outcome.unexpected_count} of {outcome.element_count} rows)" if outcome.unexpected_count else ""
    return f"{where}: {outcome.expectation}{count}"
