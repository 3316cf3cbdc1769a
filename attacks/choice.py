"""
An attacker who learns: a choice among candidates by a conditional logit, trained on people she knows.

She knows some who joined (her friends, her own accounts) with all that they are; on them she learns how much what
she saw is worth, and applies it to the others. So no attack depends on somebody's guess at the right weights.

Source:
    McFadden, Conditional logit analysis of qualitative choice behavior (1974).
"""

import numpy as np
from scipy.optimize import minimize

FOLDS = 3
_RIDGE = 1e-2


def advantage(features: np.ndarray, placebo: np.ndarray, prior: np.ndarray, truth: np.ndarray) -> float:
    """
    How much more often the attacker picks the right candidate for having looked at the right place.

    Args:
        features: What she saw, shape (targets, candidates, features).

        placebo: The same of a place or a night that has nothing to do with the target. What it teaches is about
            people like her, which is what statistics are for.

        prior: Logarithms of the candidates' shares, shape (targets, candidates).

        truth: The right candidate's position, shape (targets,).

    Returns:
        (accuracy - accuracy with the placebo) / (1 - accuracy with the placebo), over targets she did not learn from;
        0 is nothing learnt, 1 is certainty. Below 0 is bad luck.
    """
    looked, otherwise = (_accuracy(seen, prior, truth) for seen in (features, placebo))
    return float((looked - otherwise) / (1 - otherwise))


def _accuracy(features: np.ndarray, prior: np.ndarray, truth: np.ndarray) -> float:
    folds = np.random.default_rng(0).permutation(len(truth)) % FOLDS
    scaled = (features - features.mean(axis=(0, 1))) / (features.std(axis=(0, 1)) + 1e-9)
    seen = np.concatenate([prior[..., None], scaled], axis=2)
    right = 0
    for fold in range(FOLDS):
        weights = _fit(seen[folds != fold], truth[folds != fold])
        right += ((seen[folds == fold] @ weights).argmax(axis=1) == truth[folds == fold]).sum()
    return right / len(truth)


def _fit(features: np.ndarray, truth: np.ndarray) -> np.ndarray:
    chosen = features[np.arange(len(truth)), truth]

    def loss(weights: np.ndarray) -> tuple[float, np.ndarray]:
        utility = features @ weights
        utility -= utility.max(axis=1, keepdims=True)
        shares = np.exp(utility)
        total = shares.sum(axis=1, keepdims=True)
        shares = shares / total
        likelihood = (utility[np.arange(len(truth)), truth] - np.log(total[:, 0])).mean()
        gradient = (chosen - (shares[:, None, :] @ features)[:, 0]).mean(axis=0)
        ridge = weights.copy()
        ridge[0] -= 1
        return -likelihood + _RIDGE * (ridge**2).sum() / 2, -gradient + _RIDGE * ridge

    start = np.zeros(features.shape[2])
    start[0] = 1
    return minimize(loss, start, jac=True, method="L-BFGS-B", options={"maxiter": 60}).x
