"""
Fit the points of `anonymizers.text.recognizers.person` on the project's development posts.

    python -m bench.fit_person [POSTS.jsonl ...]

Logistic regression with a penalty on large points, by SciPy. A candidate that is a labelled name counts for, one
that only lies inside a name is left out, and all others count against. What is written is ``person_points.csv``.
"""

import csv
import json
import sys
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from scipy import sparse
from scipy.optimize import minimize

from anonymizers.text.artifacts import TextArtifacts
from anonymizers.text.name_candidates import Candidate, candidates, features, word_features

TEXT = Path(__file__).parents[1] / "anonymizers" / "text"
POSTS = Path(__file__).parent / "posts"
FITTED_ON = ("development.jsonl", "identifiers.jsonl", "names.jsonl", "everyday.jsonl")
"""Never on ``heldout.jsonl``."""

PENALTY = 1.0
LEAST_TEMPLATES = 4
"""Of how many sentences a feature must be: the same sentence stands there with several names."""

LISTED = 1.5
"""Points for a neighbour in a list; not fitted, since it depends on what was found."""


def main() -> None:
    """Read the posts, fit, write the points."""
    paths = [Path(argument) for argument in sys.argv[1:]] or [POSTS / name for name in FITTED_ON]
    posts = [json.loads(line) for path in paths for line in path.read_text(encoding="utf-8").splitlines()]
    examples = [(*example, post["template"]) for post in posts for example in _examples(post)]
    templates = defaultdict(set)
    for found, _, template in examples:
        for name in found:
            templates[name].add(template)
    names = sorted(name for name, seen in templates.items() if len(seen) >= LEAST_TEMPLATES)
    points = fit([(found, label) for found, label, _ in examples], names)
    _write([("any", points[-1]), ("listed", LISTED), *zip(names, points[:-1], strict=True)])
    positive = sum(label for _, label, _ in examples)
    print(f"{len(posts)} posts, {len(examples)} candidates, {positive} names, {len(names)} features")


def _write(rows: list[tuple[str, float]]) -> None:
    """Words are quoted where they must be; points that round to nothing are left out."""
    with (TEXT / "person_points.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(("feature", "points"))
        writer.writerows((name, f"{value:.2f}") for name, value in rows if abs(value) >= 0.05)


def _examples(post: dict) -> Iterator[tuple[tuple[str, ...], bool]]:
    """Features of each candidate in a post, and whether it is a name."""
    artifacts = TextArtifacts(post["text"])
    persons = [(span["start"], span["end"]) for span in post["spans"] if span["label"] == "PERSON"]
    others = [(span["start"], span["end"]) for span in post["spans"] if span["label"] != "PERSON"]
    for candidate in candidates(artifacts):
        start, end = artifacts.normalised.original(candidate.start, candidate.end)
        if (start, end) in persons or not any(first <= start and end <= last for first, last in persons + others):
            yield _features(candidate), (start, end) in persons


def _features(candidate: Candidate) -> tuple[str, ...]:
    around = features(candidate.shape, candidate.left, candidate.right, candidate.near)
    return (*around, *word_features(candidate.words))


def fit(examples: list[tuple[tuple[str, ...], bool]], names: list[str]) -> np.ndarray:
    """Points of each feature, and last of any candidate."""
    column = {name: number for number, name in enumerate(names)}
    rows, columns = [], []
    for row, (found, _) in enumerate(examples):
        found = [column[feature] for feature in found if feature in column] + [len(names)]
        rows += [row] * len(found)
        columns += found
    matrix = sparse.csr_matrix((np.ones(len(rows)), (rows, columns)), shape=(len(examples), len(names) + 1))
    signs = np.array([1.0 if label else -1.0 for _, label in examples])

    def loss(points: np.ndarray) -> tuple[float, np.ndarray]:
        margins = signs * (matrix @ points)
        slopes = -signs / (1 + np.exp(np.clip(margins, -500, 500)))
        penalised = np.append(points[:-1], 0.0)
        return np.logaddexp(0, -margins).sum() + PENALTY * (
            penalised**2
        ).sum() / 2, matrix.T @ slopes + PENALTY * penalised

    return minimize(loss, np.zeros(len(names) + 1), jac=True, method="L-BFGS-B").x


if __name__ == "__main__":
    main()
