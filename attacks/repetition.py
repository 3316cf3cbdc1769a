"""
What repeating and adding up gives away, and what the numbers are worth to an analyst: the referee's own measures.
"""

import numpy as np

from attacks.history import History


def averaging(history: History, values: np.ndarray) -> tuple[float, float]:
    """
    Averaging of repeats: cells whose truth did not change.

    Returns:
        Share of them told exactly by one night, and by the mean over all nights.
    """
    stable = (history.true == history.true[0]).all(axis=0) & ~np.isnan(values).any(axis=0) & (history.true[0] >= 10)
    truth, seen = history.true[0][stable], values[:, stable]
    return _exact(seen[0], truth), _exact(seen.mean(axis=0), truth)


def averaging_with_flows(history: History, values: np.ndarray) -> tuple[float, float]:
    """
    The same for every cell with a number on all nights, by somebody who knows how much each cell grew and when.

    Only an insider of the registrations knows that much.
    """
    shown = ~np.isnan(values).any(axis=0)
    seen = (values - (_then(history) - history.true[0]))[:, shown]
    return _exact(seen[0], history.true[0][shown]), _exact(seen.mean(axis=0), history.true[0][shown])


def _exact(guess: np.ndarray, truth: np.ndarray) -> float:
    return float((np.round(guess) == truth).mean()) if len(truth) else 0.0


def small_values(values: np.ndarray) -> int:
    """How many published numbers are from 1 to 9."""
    return int(((values >= 1) & (values <= 9)).sum())


def exactly_one(histories: list[History]) -> float:
    """How much likelier a suppressed cell holds exactly one member than any cell does, over all tables and nights."""
    alone = np.concatenate([(h.true == 1).ravel() for h in histories])
    suppressed = np.concatenate([np.isnan(h.members).ravel() for h in histories])
    return float(alone[suppressed].mean() / alone.mean())


def utility(histories: list[History]) -> dict[str, float]:
    """
    Errors of the published counts of members, over all tables and nights.

    Returns:
        Median and 95th percentile of the relative error in percent, for true counts of 100 to 999 and from 1,000 on,
        against the truth of the night (``now``) and of the number's own night (``as of``); there also the mean error
        and the largest one.
    """
    shown = [~np.isnan(h.members) for h in histories]
    values = np.concatenate([h.members[s] for h, s in zip(histories, shown, strict=True)])
    now = np.concatenate([h.true[s] for h, s in zip(histories, shown, strict=True)])
    then = np.concatenate([_then(h)[s] for h, s in zip(histories, shown, strict=True)])
    told = {}
    for name, truth in (("now", now), ("as of", then)):
        relative = 100 * np.abs(values - truth) / np.maximum(truth, 1)
        for label, low, high in (("100-999", 100, 999), ("1000-", 1000, np.inf)):
            chosen = relative[(truth >= low) & (truth <= high)]
            told[f"median % {label} {name}"] = float(np.median(chosen))
            told[f"p95 % {label} {name}"] = float(np.quantile(chosen, 0.95))
    error = values - then
    return told | {"mean error as of": float(error.mean()), "largest error as of": float(np.abs(error).max())}


def _then(history: History) -> np.ndarray:
    """The truth of the night that each number is of."""
    return np.take_along_axis(history.true, np.maximum(history.as_of, 0), axis=0)


def margin_gap(history: History, values: np.ndarray) -> float:
    """95th percentile, in percent, of the gap between a margin over 500 and the sum of its inner cells' numbers."""
    last = values[-1]
    gaps = []
    for position, codes in enumerate(history.codes.itertuples(index=False, name=None)):
        if "total" not in codes or not last[position] > 500:
            continue
        inside = history.inner() & np.all(
            [(history.codes.iloc[:, n] == code).to_numpy() for n, code in enumerate(codes) if code != "total"]
            or [True],
            axis=0,
        )
        gaps.append(abs(np.nansum(last[inside]) - last[position]) / last[position])
    return float(100 * np.quantile(gaps, 0.95)) if gaps else 0.0
