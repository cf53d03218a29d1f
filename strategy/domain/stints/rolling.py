"""What a rolling window leaves open: who drove the last laps of a chain, and what may follow."""

import numpy as np

from strategy.domain.stints.instance import Rolling
from strategy.domain.stints.track import Track

PORTION = 4_096  # chains looked at together


class Memory:
    """The last laps of chains, as many as a window may reach back: [label, laps], -1 for nobody."""

    def __init__(self, track: Track, rolling: Rolling):
        self.track, self.max_ms = track, rolling.max_ms
        self.laps = int((track.window_end - np.arange(track.laps)).max())

    def empty(self) -> np.ndarray:
        """Before the start nobody drove."""
        return np.full((1, self.laps), -1, dtype=np.int8)

    def after(self, recent: np.ndarray, q: np.ndarray, length: np.ndarray) -> np.ndarray:
        """The memory of the same chains once driver q has driven `length` laps more."""
        at = np.arange(self.laps)[None, :] + length[:, None]
        old = np.take_along_axis(recent, np.minimum(at, self.laps - 1), axis=1)
        return np.where(at < self.laps, old, q[:, None]).astype(np.int8)

    def driven(self, recent: np.ndarray, q: np.ndarray, i: int) -> np.ndarray:
        """[label, x]: what driver q drove (ms) of the last laps - x before boundary i."""
        laps = np.arange(i - self.laps, i)
        nominal = np.where(laps >= 0, self.track.nominal[np.maximum(laps, 0)], 0)
        driven = np.where(recent == q[:, None], nominal[None, :], 0)
        return np.cumsum(driven[:, ::-1], axis=1)[:, ::-1]

    def allows(
        self, recent: np.ndarray, who: np.ndarray, q: np.ndarray, end: np.ndarray, i: int
    ) -> np.ndarray:
        """Which turns of driver q from boundary i to `end`, after the chains `who`, keep the limit."""
        track = self.track
        good = np.ones(len(who), dtype=bool)
        laps = np.maximum(np.arange(i - self.laps, i), 0)
        closes = track.window_end[laps]
        for part in np.array_split(np.arange(len(who)), max(len(who) // PORTION, 1)):
            if not len(part):
                continue
            before = self.driven(recent[who[part]], q[part], i)
            shut = np.minimum(closes[None, :], end[part, None])
            ahead = track.nominal_upto[np.maximum(shut, i)] - track.nominal_upto[i]
            total = np.where(closes[None, :] > i, before + ahead, 0)
            good[part] = (total <= self.max_ms).all(axis=1)
        return good
