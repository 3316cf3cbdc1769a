"""
Repeatable draws: every value is a function of the seed, a stream's name and a row's id.

No generator is advanced, so a row holds the same values whichever chunk, machine or
night it is made in. Only integer arithmetic and single float products are used, because
the last digit of a logarithm differs between processors.

Source:
    Steele, Lea and Flood (2014), Fast Splittable Pseudorandom Number Generators
    (the mixing function of SplitMix64).
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_MIX_1 = np.uint64(0xBF58476D1CE4E5B9)
_MIX_2 = np.uint64(0x94D049BB133111EB)


@dataclass(frozen=True)
class Draws:
    """The draws of one seed."""

    seed: int

    def bits(self, stream: str, ids: np.ndarray) -> np.ndarray:
        """64 uniform bits per id."""
        digest = hashlib.blake2b(f"{self.seed}/{stream}".encode(), digest_size=8).digest()
        mixed = ids.astype(np.uint64) * _GOLDEN + np.uint64(int.from_bytes(digest, "big"))
        mixed = (mixed ^ (mixed >> np.uint64(30))) * _MIX_1
        mixed = (mixed ^ (mixed >> np.uint64(27))) * _MIX_2
        return mixed ^ (mixed >> np.uint64(31))

    def below(self, stream: str, ids: np.ndarray, bound: int | np.ndarray) -> np.ndarray:
        """A whole number in 0 … bound - 1 per id; ``bound`` is below 2**32 and at least 1."""
        scaled = (self.bits(stream, ids) >> np.uint64(32)) * np.asarray(bound).astype(np.uint64)
        return (scaled >> np.uint64(32)).astype(np.int64)

    def chance(self, stream: str, ids: np.ndarray, per_mille: int) -> np.ndarray:
        """True for about ``per_mille`` of a thousand ids."""
        return self.below(stream, ids, 1000) < per_mille

    def unit(self, stream: str, ids: np.ndarray) -> np.ndarray:
        """A float in [0, 1) per id."""
        return (self.bits(stream, ids) >> np.uint64(11)).astype(np.float64) * 2.0**-53

    def weighted(self, stream: str, ids: np.ndarray, weights: Sequence[int]) -> np.ndarray:
        """An index into ``weights`` per id, each as often as its weight says."""
        steps = np.cumsum(np.asarray(weights, dtype=np.int64))
        return np.searchsorted(steps, self.below(stream, ids, int(steps[-1])), side="right")
