"""How well embedders tell paraphrases from other texts, and what they cost.

    python -m benchmarks.embedders --data question_pairs.csv.gz [--pairs N] [--floor 0.4 ...] [--json]

In: pairs of texts with whether people say that they mean the same (`question_a`, `question_b`, `same_meaning`). Out:
for each installed embedder, and for the quick one in front of the better one, the area under the ROC curve, and the
processor time of a text and of a pair, as multiples of the quickest embedder's. A pair that the first of two rules out
costs the second nothing; it counts as less alike than all that are left, and as like as others that are ruled out.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import io
import json
import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from time import process_time
from typing import Any

import attrs

from rtfs_framework.api import Embedder, EmbedderSettings
from rtfs_framework.orchestrator.deciding.comparing import RULED_OUT, cosine
from rtfs_framework.registry.load import load_catalog

QUICK, BETTER = "wordllama", "minilm"
FLOORS = (0.3, 0.5, 0.6, 0.7)

Pair = tuple[str, str, bool]


@attrs.frozen(kw_only=True)
class Row:
    """What one embedder, or two, came to."""

    way: str
    auc: float
    text: float
    """Seconds."""
    pair: float
    asked: float
    """The share of pairs about which the last embedder was asked."""


def main(arguments: Iterable[str] | None = None) -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", required=True)
    parser.add_argument("--pairs", type=int, default=12_000, help="so many at most, evenly spread")
    parser.add_argument("--floor", type=float, nargs="*", default=FLOORS)
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args(None if arguments is None else list(arguments))
    pairs = read(args.data)
    pairs = pairs[:: max(1, len(pairs) // args.pairs)]
    rows = list(measured(pairs, args.floor))
    if args.json:
        print(json.dumps([attrs.asdict(row) for row in rows], indent=1))
        return
    least = rows[0]
    print(f"{len(pairs)} pairs, {sum(same for _, _, same in pairs) / len(pairs):.1%} of like meaning")
    print(f"{'':34}{'AUC':>7}{'text':>9}{'pair':>9}{'asked':>9}")
    for row in rows:
        times = f"{row.text / least.text:>8.1f}x{row.pair / least.pair:>8.1f}x"
        print(f"{row.way:34}{row.auc:>7.3f}{times}{row.asked:>9.1%}")
    print(f"1x: {least.text * 1e6:.0f} µs a text, {least.pair * 1e6:.0f} µs a pair")


def read(path: str) -> list[Pair]:
    """Return the pairs of a file."""
    raw = Path(path).read_bytes()
    text = (gzip.decompress(raw) if path.endswith(".gz") else raw).decode("utf-8")
    rows = csv.DictReader(io.StringIO(text))
    return [(row["question_a"], row["question_b"], row["same_meaning"].lower() in ("1", "true")) for row in rows]


def measured(pairs: Sequence[Pair], floors: Sequence[float]) -> Iterable[Row]:
    """Yield the rows: each embedder alone, then one behind the other."""
    catalog = load_catalog(os.environ)
    same = [each for _, _, each in pairs]
    found: dict[str, tuple[list[float], list[float]]] = {}
    for name in (QUICK, BETTER):
        if name not in catalog.embedders:
            continue
        figures, times = alone(catalog.embedder(name).factory(EmbedderSettings(name)), pairs)
        found[name] = figures, times
        seconds = sum(times) / len(times)
        yield Row(way=name, auc=auc(figures, same), text=seconds / 2, pair=seconds, asked=1.0)
    if len(found) < 2:
        return
    (quick, quick_times), (better, better_times) = found[QUICK], found[BETTER]
    for floor in floors:
        asked = [figure >= floor for figure in quick]
        figures = [other if near else RULED_OUT for near, other in zip(asked, better, strict=True)]
        spent = sum(quick_times) + sum(each for each, near in zip(better_times, asked, strict=True) if near)
        seconds = spent / len(pairs)
        way = f"{QUICK}, then {BETTER} from {floor:g} on"
        yield Row(way=way, auc=auc(figures, same), text=seconds / 2, pair=seconds, asked=sum(asked) / len(asked))


def alone(embedder: Embedder, pairs: Sequence[Pair]) -> tuple[list[float], list[float]]:
    """Return how alike each pair is, and its processor time. Nothing is remembered from pair to pair."""
    embedder.embed(["the model is loaded"])
    figures, times = [], []
    for one, other, _ in pairs:
        start = process_time()
        first, second = embedder.embed([one, other])
        times.append(process_time() - start)
        figures.append(cosine(first, second))
    return figures, times


def auc(figures: Sequence[float], same: Sequence[Any]) -> float:
    """Return the area under the ROC curve: how likely a pair of like meaning is more alike than another one."""
    order = sorted(range(len(figures)), key=figures.__getitem__)
    ranks = [0.0] * len(order)
    start = 0
    while start < len(order):
        end = start
        while end < len(order) and figures[order[end]] == figures[order[start]]:
            end += 1
        for place in order[start:end]:
            ranks[place] = (start + end + 1) / 2
        start = end
    alike = sum(map(bool, same))
    total = sum(rank for rank, each in zip(ranks, same, strict=True) if each)
    return (total - alike * (alike + 1) / 2) / (alike * (len(figures) - alike))


if __name__ == "__main__":
    main()
