"""
An attacker who learns: a choice among candidates by a conditional logit, trained on people she knows.

She knows some who joined (her friends, her own accounts) with all that they are; on them she learns how much what
she saw is worth, and applies it to the others. So no attack depends on somebody's guess at the right weights.

Source:
    McFadden, Conditional logit analysis of qualitative choice behavior (1974).
"""

import numpy as np
from scipy.optimize import minimize

FOLDS = 4
_RIDGE = 1e-2


def advantage(features: np.ndarray, prior: np.ndarray, truth: np.ndarray, seed: int = 0) -> float:
    """
    How much more often than by the prior alone the attacker picks the right candidate.

    Args:
        features: What she saw, shape (targets, candidates, features).

        prior: Logarithms of the candidates' shares, shape (targets, candidates).

        truth: The right candidate's position, shape (targets,).

    Returns:
        (accuracy - accuracy by the prior) / (1 - accuracy by the prior), over targets she did not learn from; 0 is
        nothing learnt, 1 is certainty. Below 0 is bad luck.
    """
    folds = np.random.default_rng(seed).permutation(len(truth)) % FOLDS
    scale = features.std(axis=(0, 1)) + 1e-9
    scaled = (features - features.mean(axis=(0, 1))) / scale
    right = right_by_prior = 0
    for fold in range(FOLDS):
        train, test = folds != fold, folds == fold
        with_prior = np.concatenate([prior[..., None], scaled], axis=2)
        weights = _fit(with_prior[train], truth[train])
        right += ((with_prior[test] @ weights).argmax(axis=1) == truth[test]).sum()
        right_by_prior += (prior[test].argmax(axis=1) == truth[test]).sum()
    accuracy, by_prior = right / len(truth), right_by_prior / len(truth)
    return float((accuracy - by_prior) / (1 - by_prior))


def _fit(features: np.ndarray, truth: np.ndarray) -> np.ndarray:
    chosen = features[np.arange(len(truth)), truth]

    def loss(weights: np.ndarray) -> tuple[float, np.ndarray]:
        utility = features @ weights
        utility -= utility.max(axis=1, keepdims=True)
        shares = np.exp(utility)
        total = shares.sum(axis=1, keepdims=True)
        shares /= total
        likelihood = (utility[np.arange(len(truth)), truth] - np.log(total[:, 0])).mean()
        gradient = (chosen - np.einsum("tc,tcf->tf", shares, features)).mean(axis=0)
        ridge = weights.copy()
        ridge[0] -= 1
        return -likelihood + _RIDGE * (ridge**2).sum() / 2, -gradient + _RIDGE * ridge

    start = np.zeros(features.shape[2])
    start[0] = 1
    return minimize(loss, start, jac=True, method="L-BFGS-B", options={"maxiter": 200}).x
