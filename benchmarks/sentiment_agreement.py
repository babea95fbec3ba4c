"""How often a label agrees with people: our sentiment rules against the lexicon used alone.

In: a CSV (or CSV.gz) with the columns `text` and `human_sentiment`. Out: for each group of sentences, the share whose
label has the sign of the human rating (dead zone ±0.5), for VADER with its thresholds of ±0.05 and for the rules.

    python benchmarks/sentiment_agreement.py review_sentences.csv.gz [RULES.toml]
"""

from __future__ import annotations

import argparse
import csv
import gzip
import io
import time
from collections.abc import Callable
from pathlib import Path

from rtfs_provider_rules.classify import Classifier
from rtfs_provider_rules.lexicon import Lexicon
from rtfs_provider_rules.load import load_rules, rules_path

DEAD_ZONE = 0.5
THRESHOLD = 0.05


def main(data: str, rules: str = "sentiment") -> None:
    """Print the table."""
    raw = Path(data).read_bytes()
    text = (gzip.decompress(raw) if data.endswith(".gz") else raw).decode("utf-8")
    rows = list(csv.DictReader(io.StringIO(text)))
    people = [_sign(float(row["human_sentiment"]), DEAD_ZONE + 1e-9) for row in rows]
    classifier, _ = load_rules(rules_path(rules, None))
    assert isinstance(classifier, Classifier)
    lexicon = Lexicon({})
    alone, alone_rate = _timed(lambda text: _sign(lexicon.score(text), THRESHOLD), rows)
    ours, our_rate = _timed(lambda text: _SIGNS[classifier.classify(text).label], rows)
    odd = [int(row["id"].partition("_")[0]) % 2 == 1 if "id" in row else False for row in rows]
    groups = {
        "all sentences": [True] * len(rows),
        "odd reviews": odd,
        "outside the dead zone": [sign != 0 for sign in people],
    }
    print(f"{'':24}{'sentences':>10}{'VADER':>10}{rules:>12}")
    for name, chosen in groups.items():
        places = [place for place, inside in enumerate(chosen) if inside]
        if places:
            shares = [sum(labels[p] == people[p] for p in places) / len(places) for labels in (alone, ours)]
            print(f"{name:24}{len(places):>10}{shares[0]:>10.2%}{shares[1]:>12.2%}")
    print(f"{'per second':24}{'':>10}{alone_rate:>10.0f}{our_rate:>12.0f}")


_SIGNS = {"positive": 1, "neutral": 0, "negative": -1}


def _sign(value: float, bound: float) -> int:
    return (value >= bound) - (value <= -bound)


def _timed(label: Callable[[str], int], rows: list[dict[str, str]]) -> tuple[list[int], float]:
    """Return every row's label, and the rows per second once warm."""
    label("warm")
    started = time.perf_counter()
    labels = [label(row["text"]) for row in rows]
    return labels, len(rows) / (time.perf_counter() - started)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Compare the rules' labels with people's.")
    parser.add_argument("data", help="a CSV or CSV.gz with the columns text and human_sentiment")
    parser.add_argument("rules", nargs="?", default="sentiment", help="our rules, or a file of your own")
    options = parser.parse_args()
    if not Path(options.data).is_file():
        parser.error(f"there is no file {options.data}")
    main(options.data, options.rules)
