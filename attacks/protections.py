"""
Known-bad protections, which the attacks must break, in the form in which the attackers see the project's own.

Each is a function of the true counts and cell keys of a table, shape (nights, cells), to what it would publish.
"""

from collections.abc import Callable

import numpy as np

from anonymizers import perturbation
from anonymizers.controls import PERTURBATION
from attacks.history import History

THRESHOLD = 10


def raw(history: History) -> np.ndarray:
    """True counts."""
    return history.true.astype(float)


def threshold(history: History) -> np.ndarray:
    """Primary suppression, of inner cells and margins alike."""
    return np.where(history.true >= THRESHOLD, history.true, np.nan)


def margins_of_suppressed(history: History) -> np.ndarray:
    """Primary suppression of inner cells only, with true margins beside them (ACRO, issue 198)."""
    return np.where(history.inner() & (history.true < THRESHOLD), np.nan, history.true)


def fresh_noise(history: History) -> np.ndarray:
    """New noise every night."""
    keys = np.random.default_rng(7).integers(0, 2**32, history.true.shape)
    return perturbed(history.true, keys)


def static_cell_key(history: History) -> np.ndarray:
    """Cell keys as statistical offices use them, published again every night."""
    return perturbed(history.true, history.keys)


KNOWN_BAD: dict[str, Callable[[History], np.ndarray]] = {
    "raw": raw,
    "threshold": threshold,
    "margins of suppressed cells": margins_of_suppressed,
    "fresh noise": fresh_noise,
    "static cell key": static_cell_key,
}


def perturbed(true: np.ndarray, keys: np.ndarray) -> np.ndarray:
    """True counts with the noise of these keys, nan under the threshold; both of any one shape."""
    table = perturbation.load(PERTURBATION)
    above = np.maximum(true - THRESHOLD, 0).ravel()
    values = table.perturb(above, keys.ravel().astype(np.uint32)).reshape(true.shape) + THRESHOLD
    return np.where(true >= THRESHOLD, values.astype(float), np.nan)
