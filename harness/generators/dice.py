"""Randomness as a value: a seed and a position give the same draws for ever.

Why it exists  `op` is asked more often than ops are used, so draws must depend on the generator's state alone.
Relies on      splitmix64 (Steele, Lea, Flood 2014): one addition and three multiply-xor steps a draw, no state beyond one integer.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")
_MASK = (1 << 64) - 1
_GOLDEN = 0x9E3779B97F4A7C15


def mix64(state: int) -> int:
    """A well mixed 64-bit number of a state."""
    z = (state + _GOLDEN) & _MASK
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & _MASK
    return z ^ (z >> 31)


class Dice:
    """Draws for one op, from (seed, position); used while the op is made and then thrown away."""

    __slots__ = ("_state",)

    def __init__(self, seed: int, position: int = 0) -> None:
        self._state = mix64(mix64(seed & _MASK) ^ (position & _MASK))

    def bits(self) -> int:
        """64 random bits."""
        self._state = (self._state + _GOLDEN) & _MASK
        return mix64(self._state)

    def below(self, n: int) -> int:
        """An int in [0, n)."""
        return self.bits() % n

    def random(self) -> float:
        """A float in [0, 1)."""
        return (self.bits() >> 11) / (1 << 53)

    def choice(self, items: Sequence[T]) -> T:
        """One of the items."""
        return items[self.bits() % len(items)]

    def shuffled(self, items: Sequence[T]) -> list[T]:
        """The items in random order."""
        mixed = list(items)
        for i in range(len(mixed) - 1, 0, -1):
            j = self.below(i + 1)
            mixed[i], mixed[j] = mixed[j], mixed[i]
        return mixed
