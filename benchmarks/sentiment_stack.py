"""Three-way sentiment: a stack of rules, phrases and learned text features, beside VADER and the rules by themselves.

In: a CSV (or CSV.gz) with the columns `text` and `human_sentiment` (within ±0.5 is neutral). Out: the share of right
labels and its interval (95 %), of the stack in five parts, each fitted to the other four: what `rtfs learn stack`
makes, read and run as the provider `stack` does. Nothing is chosen by the part that is held out.

    python -m benchmarks.sentiment_stack --data review_sentences.csv.gz
    python -m benchmarks.sentiment_stack --data review_sentences.csv.gz --embedder e5
"""

from __future__ import annotations

import argparse
import csv
import gzip
import io
import sys
from collections.abc import Callable, Sequence
from importlib import import_module
from math import exp
from pathlib import Path

from rtfs_framework.api import EmbedderSettings
from rtfs_provider_rules.classify import Classifier
from rtfs_provider_rules.lexicon import Lexicon
from rtfs_provider_rules.load import load_rules, rules_path
from rtfs_provider_stack.fitting import Labelled, cross_validate, interval
from rtfs_provider_stack.model import Said

LABELS = ("negative", "neutral", "positive")
THRESHOLD = 0.05
USUAL = Path(__file__).parent.parent.parent / "shared" / "data" / "review_sentences.csv.gz"


def main(data: Path, dead_zone: float, seeds: int, embedder: str | None) -> None:
    """Print the table."""
    raw = data.read_bytes()
    text = (gzip.decompress(raw) if data.suffix == ".gz" else raw).decode("utf-8")
    rows = list(csv.DictReader(io.StringIO(text)))
    texts = tuple(row["text"] for row in rows)
    labels = tuple(label_of(float(row["human_sentiment"]), dead_zone + 1e-9) for row in rows)
    said = {"vader": list(map(_vader(), texts)), "sentiment": list(map(_rules(), texts))}
    frequent = max(map(labels.count, LABELS)) / len(texts)
    print(f"{len(texts):,} sentences; the most frequent label is right for {frequent:.3f}")
    _print("VADER alone", [_share(said["vader"], labels)], len(texts))
    _print("rules (VADER and phrases)", [_share(said["sentiment"], labels)], len(texts))
    kinds: list[tuple[str, dict[str, list[Said]], tuple[str, list[Sequence[float]]] | None]]
    name = "stack of rules, phrases, words, characters"
    if embedder is None:
        kinds = [("words and characters", {}, None), (name, said, None)]
    else:
        kinds = [(f"{name}, {embedder}", said, _vectors(embedder, texts))]
    for name, members, vectors in kinds:
        labelled = Labelled(texts, labels, dict(members))
        if vectors is not None:
            labelled.embedder, labelled.vectors = vectors
        found = [cross_validate(labelled, seed, _told) for seed in range(seeds)]
        _print(name, found, len(texts))


def _print(name: str, found: Sequence[float], count: int) -> None:
    """Print the mean of shares, one for each division, its interval, and each of several."""
    mean = sum(found) / len(found)
    low, high = interval(mean, count)
    each = "".join(f" {share:.3f}" for share in found if len(found) > 1)
    print(f"{name:52}{mean:.3f} ({low:.3f} to {high:.3f}){each}", flush=True)


def label_of(value: float, bound: float) -> str:
    """Return the label of a number: neutral below a bound."""
    return LABELS[1 + (value >= bound) - (value <= -bound)]


def _vader() -> Callable[[str], Said]:
    lexicon = Lexicon({})

    def say(text: str) -> Said:
        score = lexicon.score(text)
        return Said(label_of(score, THRESHOLD), 1 / (1 + exp(-2 * abs(score))))

    return say


def _rules() -> Callable[[str], Said]:
    classifier, _ = load_rules(rules_path("sentiment", None))
    assert isinstance(classifier, Classifier)

    def say(text: str) -> Said:
        found = classifier.classify(text, LABELS)
        return Said(found.label, found.confidence)

    return say


def _vectors(name: str, texts: tuple[str, ...]) -> tuple[str, list[Sequence[float]]]:
    """Return the fingerprint of an installed embedder, and its vectors."""
    (entry,) = import_module(f"rtfs_embedder_{name}.plugin").rtfs_embedders()
    embedder = entry.factory(EmbedderSettings(name))
    return embedder.fingerprint(), [embedder.embed([text])[0] for text in texts]


def _share(said: list[Said], labels: tuple[str, ...]) -> float:
    return sum(each.label == label for each, label in zip(said, labels, strict=True)) / len(labels)


def _told(part: int) -> None:
    if sys.stderr.isatty():
        print(f"part {part} of 5", file=sys.stderr)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Compare a stack's labels with people's.")
    parser.add_argument("--data", type=Path, default=USUAL, help="a CSV or CSV.gz with text and human_sentiment")
    parser.add_argument("--dead-zone", type=float, default=0.5, help="ratings within it are neutral (default: 0.5)")
    parser.add_argument("--seeds", type=int, default=1, help="divisions in five parts (default: 1)")
    parser.add_argument("--embedder", choices=("e5", "minilm", "wordllama"), help="whose vectors the stack takes, too")
    options = parser.parse_args()
    if not options.data.is_file():
        parser.error(f"there is no file {options.data}")
    main(options.data, options.dead_zone, options.seeds, options.embedder)
