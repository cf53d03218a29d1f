"""Chains of turns that reach a boundary, side by side in columns: what the search grows."""

from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(slots=True)
class Labels:
    """One row a chain. Costs in ms; a boundary is the lap it stands before."""

    cost: np.ndarray  # int64
    red: np.ndarray  # float64: cost at the bound's prices
    bound: np.ndarray  # float64: lower bound of any plan through the label
    last: np.ndarray  # int8
    rest: np.ndarray  # [label, driver] int32: boundary from which he may drive again, 0: now
    used: np.ndarray  # [label, total] int64
    parent: np.ndarray  # int64 id of the label before
    turn: np.ndarray  # [label, 4] int32: driver, start, length, table
    recent: np.ndarray | None  # [label, laps] int8: who drove the last laps (rolling windows only)

    def take(self, index: np.ndarray) -> "Labels":
        return Labels(
            self.cost[index], self.red[index], self.bound[index], self.last[index],
            self.rest[index], self.used[index], self.parent[index], self.turn[index],
            None if self.recent is None else self.recent[index],
        )  # fmt: skip

    def __len__(self) -> int:
        return len(self.cost)


@dataclass(slots=True)
class Steps:
    """Turns from one boundary that could go on from labels there, one row each."""

    who: np.ndarray  # row of the label
    seat: np.ndarray  # who drives the turn
    length: np.ndarray  # laps
    through: np.ndarray  # float64: lower bound of any plan through it, ms

    def take(self, index: np.ndarray | slice) -> "Steps":
        return Steps(self.who[index], self.seat[index], self.length[index], self.through[index])

    def __len__(self) -> int:
        return len(self.who)


def join(chunks: list[Labels]) -> Labels:
    if len(chunks) == 1:
        return chunks[0]
    columns: list[Any] = [
        None
        if getattr(chunks[0], name) is None
        else np.concatenate([getattr(c, name) for c in chunks])
        for name in Labels.__dataclass_fields__
    ]
    return Labels(*columns)
