"""One of several texts, by what the model thinks of each: no sampling, and probabilities besides.

The choices are token sequences, read as a trie. One forward pass scores all tokens that may come next; where only one
choice goes on from there, it is known. Where several share a token, the next pass scores what follows it, for the
likeliest branch first: a branch is never likelier than what it grew from, so the first whole choice that comes up is
the likeliest of all, and its probability is exact: the product over the passes, each among the choices that were left.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from heapq import heappop, heappush
from itertools import count

Tokens = tuple[int, ...]
Score = Callable[[Tokens, list[int]], list[float]]
"""From the tokens after the prompt and those that may follow to the logarithms of their probabilities."""


def ended(options: Sequence[Sequence[int]], end: int) -> list[Tokens]:
    """Return choices none of which begins another: one that would is followed by the token that ends replies."""
    whole = [tuple(option) for option in options]
    inner = {option[:n] for option in whole for n in range(len(option))}
    return [(*option, end) if option in inner else option for option in whole]


def shared(options: Sequence[Tokens]) -> Tokens:
    """Return what all choices begin with."""
    first, last = min(options), max(options)
    same = next((n for n, (one, other) in enumerate(zip(first, last, strict=False)) if one != other), len(first))
    return first[:same]


def choose(options: Sequence[Tokens], score: Score) -> tuple[int, float]:
    """Return the place of the likeliest choice, and its probability among all."""
    order = count()
    branches: list[tuple[float, int, list[int]]] = [(0.0, next(order), list(range(len(options))))]
    while True:
        unlikely, _, members = heappop(branches)
        if len(members) == 1:
            return members[0], math.exp(-unlikely)
        path = shared([options[member] for member in members])
        groups = list(_groups(options, members, len(path)))
        for (_, group), logarithm in zip(groups, score(path, [token for token, _ in groups]), strict=True):
            heappush(branches, (unlikely - logarithm, next(order), group))


def _groups(options: Sequence[Tokens], members: list[int], place: int) -> Iterator[tuple[int, list[int]]]:
    grouped: dict[int, list[int]] = {}
    for member in members:
        grouped.setdefault(options[member][place], []).append(member)
    yield from grouped.items()


def normalised(logits: Sequence[float]) -> list[float]:
    """Return the logarithms of probabilities that sum up to 1."""
    most = max(logits)
    total = most + math.log(math.fsum(math.exp(each - most) for each in logits))
    return [each - total for each in logits]
