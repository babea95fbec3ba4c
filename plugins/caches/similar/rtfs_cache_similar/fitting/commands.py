"""`rtfs learn similar` and `rtfs bench similar-cache`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import attrs
import click

from rtfs_cache_similar.deciding.prior import load_prior
from rtfs_cache_similar.fitting.boosting import library
from rtfs_cache_similar.fitting.learn import STEPS, fit_prior
from rtfs_cache_similar.fitting.measures import Measured, labelled, measure
from rtfs_cache_similar.fitting.pairs import Pairs, read_pairs, vectors_of
from rtfs_cache_similar.fitting.stream import Field
from rtfs_framework.api.fitting import NO_MODEL, FileError, write_model
from rtfs_framework.api.fitting import progress as progress_bar

_SEED = click.option(
    "--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Of the orders and folds."
)
_JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON, for programs to read.")
_PROGRESS = click.option("--progress/--no-progress", default=None, help="Show how far it is (default: on a terminal).")
_EMBEDDER = click.option("--embedder", default="minilm", show_default=True, help="An installed embedder's name.")
_VECTORS = click.option(
    "--vectors", type=click.Path(path_type=Path), metavar="NPZ", help="Keep the vectors there; read them if it exists."
)
_FILE = click.argument("file", type=click.Path(path_type=Path))


@click.command()
@_FILE
@click.option("--out", type=click.Path(path_type=Path), required=True, metavar="MODEL", help="Where the prior goes.")
@_EMBEDDER
@_VECTORS
@_SEED
@_PROGRESS
@_JSON
def learn(
    *, file: Path, out: Path, embedder: str, vectors: Path | None, seed: int, progress: bool | None, as_json: bool
) -> None:
    """Fit a prior to FILE: when two questions get the same answer.

    FILE is CSV or JSON Lines, plain or .gz, with the columns question_a, question_b and same_meaning (0 or 1). MODEL is
    JSON: plain numbers. With it a similar cache serves from its first look-up, as far as its requests are like those.

    \b
    rtfs learn similar pairs.csv --out prior.json
    """  # noqa: D301 - click's \b is a backspace
    library()  # before what takes minutes
    pairs = read_pairs(file)
    who, field = _field(pairs, embedder, vectors, progress)
    with progress_bar(progress, STEPS, "similar") as told:
        prior = attrs.evolve(fit_prior(field, seed, told), embedder=who)
    data = prior.to_bytes()
    write_model(out, data)
    if as_json:
        click.echo(json.dumps({"model": str(out), "bytes": len(data), "seed": seed, "pairs": len(pairs.same),
                               "lookups": prior.looked}))  # fmt: skip
    else:
        click.echo(f"{out}: {len(data):,} bytes, fitted to {len(pairs.same):,} pairs")


@click.command()
@_FILE
@click.option("--prior", type=click.Path(path_type=Path), metavar="MODEL", help="A fitted prior; else from nothing.")
@click.option(
    "--false-hits",
    type=click.FloatRange(0.0, 1.0, max_open=True),
    default=0.01,
    show_default=True,
    help="Wrong answers of all look-ups, at most.",
)
@click.option(
    "--explore",
    type=click.FloatRange(0.0, 1.0),
    default=0.15,
    show_default=True,
    help="Look-ups at most, as a share, that are explored.",
)
@click.option("--seeds", type=click.IntRange(1, 1_000), default=5, show_default=True, help="Orders of the stream.")
@_EMBEDDER
@_VECTORS
@_SEED
@_PROGRESS
@_JSON
def bench(*, file: Path, prior: Path | None, seeds: int, progress: bool | None, as_json: bool, **how: Any) -> None:
    """Measure the similar cache on FILE: a stream of look-ups and inserts, in so many random orders.

    hit_rate is of all look-ups but exact ones; false_hit_rate is wrong answers of all look-ups, where a hit without a
    label counts as wrong. static_hit_rate is what the best threshold of cosine gives in the same stream, chosen with
    hindsight. The decider hears of the truth only where it explored. With a prior, labelled pairs
    alone are compared, too.

    \b
    rtfs bench similar-cache pairs.csv --false-hits 0.02
    rtfs bench similar-cache pairs.csv --prior prior.json --seeds 20 --json
    """  # noqa: D301 - click's \b is a backspace
    known = None if prior is None else load_prior(prior)
    seed, false_hits = how["seed"], how["false_hits"]
    who, field = _field(read_pairs(file), how["embedder"], how["vectors"], progress)
    if known is not None and known.embedder != who:
        problem, way_out = "it was fitted to the vectors of another embedder", "name that one: --embedder"
        raise FileError(NO_MODEL, problem, way_out, str(prior))
    with progress_bar(progress, seeds, "similar") as told:
        found = measure(field, known, false_hits, how["explore"], range(seed, seed + seeds), told)
    pairs = None if known is None else labelled(field, known, false_hits)
    if as_json:
        alone = None if pairs is None else {**attrs.asdict(pairs), "ratio": pairs.ratio}
        click.echo(json.dumps({"file": str(file), "prior": None if prior is None else str(prior),
                               "false_hits": false_hits, "seeds": seeds, **found.as_data(),
                               "labelled": alone}))  # fmt: skip
        return
    for line in _lines(found, false_hits):
        click.echo(line)
    if pairs is not None:
        told_apart = f"{pairs.found:.1%} of those that mean the same pass, where {false_hits:.2%} of the others do"
        click.echo(f"pairs    {told_apart}; by cosine {pairs.static:.1%}, ratio {pairs.ratio:.2f}")


def _field(pairs: Pairs, embedder: str, vectors: Path | None, progress: bool | None) -> tuple[str, Field]:
    with progress_bar(progress, len(pairs.texts), "vectors") as told:
        who, made = vectors_of(pairs.texts, embedder, vectors, told)
    return who, Field(pairs, made)


def _lines(found: Measured, false_hits: float) -> list[Any]:
    static = f"best static threshold with hindsight {found.static_hit_rate:.2%}, ratio {found.ratio:.2f}"
    wrong = f"of all look-ups (allowed: {false_hits:.2%}); {found.wrong_of_served:.1%} of served"
    return [
        f"look-ups {found.lookups:,} (exact hits left out), explored {found.explored_rate:.1%}",
        f"hits     {found.hit_rate:.2%}   {static}",
        f"wrong    {found.false_hit_rate:.2%}   {wrong}",
    ]
