"""What generators of rows throw: dice that fall the same way for a seed, or as hypothesis asks."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

import numpy as np
from hypothesis import strategies as st

T = TypeVar("T")


class Dice(Protocol):
    """What the generator asks for: one of these, please."""

    def pick(self, options: Sequence[T]) -> T:
        """One of the options."""
        ...


@dataclass(frozen=True)
class SeededDice:
    """Dice that fall the same way for the same seed."""

    rng: np.random.Generator

    def pick(self, options: Sequence[T]) -> T:
        return options[int(self.rng.integers(len(options)))]


@dataclass(frozen=True)
class DrawnDice:
    """Dice of hypothesis; the first option is what it shrinks to."""

    draw: Callable[[st.SearchStrategy[Any]], Any]

    def pick(self, options: Sequence[T]) -> T:
        chosen: T = options[self.draw(st.integers(0, len(options) - 1))]
        return chosen
