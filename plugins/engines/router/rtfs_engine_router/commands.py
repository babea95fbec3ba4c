"""`rtfs learn routing` and `rtfs bench routing`."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import attrs
import click

from rtfs_engine_router.fitting import FOLDS, STEPS, cross_validate, fit
from rtfs_engine_router.measures import Measured, NoGapError, measure
from rtfs_engine_router.model import RouterModel, load_model
from rtfs_engine_router.outcomes import Outcomes, read_outcomes
from rtfs_framework.api.fitting import TOO_FEW, FileError, Told, write_model
from rtfs_framework.api.fitting import progress as progress_bar

_SEED = click.option(
    "--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Of the folds and the trees."
)
_JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON, for programs to read.")
_PROGRESS = click.option("--progress/--no-progress", default=None, help="Show how far it is (default: on a terminal).")
_EVERY = 256
_LABEL = "routing"


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--out", type=click.Path(path_type=Path), required=True, metavar="MODEL", help="Where the router goes.")
@_SEED
@_PROGRESS
@_JSON
def learn(*, file: Path, out: Path, seed: int, progress: bool | None, as_json: bool) -> None:
    """Fit a router to FILE: when the weak model is enough, and when the strong one is worth its price.

    FILE is CSV or JSON Lines, plain or .gz, with the columns prompt, weak_model_correct and strong_model_correct (0, 1,
    or a grade in between). MODEL is JSON; the engine `router` decides by it: router = "MODEL". What is printed is how
    well it does on questions that it was not fitted to. Equal files and seeds give the same bytes.

    \b
    rtfs learn routing outcomes.csv --out router.json
    rtfs learn routing outcomes.jsonl.gz --out router.json --seed 7 --json
    """  # noqa: D301 - click's \b is a backspace
    outcomes = read_outcomes(file)
    with progress_bar(progress, STEPS, _LABEL) as told:
        fitted = fit(outcomes, seed, told)
    data = fitted.to_bytes()
    write_model(out, data)
    if as_json:
        _put({"model": str(out), "bytes": len(data), "seed": seed, **attrs.asdict(fitted.measured)})
        return
    click.echo(f"{out}: {len(data):,} bytes, fitted to {fitted.measured.questions:,} questions")
    for line in _lines(fitted.measured):
        click.echo(line)


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--model", type=click.Path(path_type=Path), metavar="MODEL", help="A fitted router; without it, 5-fold validation."
)
@click.option(
    "--divisions", type=click.IntRange(1, 100), default=3, show_default=True, help="In five parts, without --model."
)
@_SEED
@_PROGRESS
@_JSON
def bench(*, file: Path, model: Path | None, divisions: int, seed: int, progress: bool | None, as_json: bool) -> None:
    """Measure a router on FILE: APGR, CPT50 and CPT80 (RouteLLM, arXiv:2406.18665).

    APGR is the share of the gap between both models that is recovered, averaged over all shares of strong calls (a
    random choice: 0.5). CPT50 is the share of strong calls with which half of the gap is recovered (a random choice:
    50 %); CPT80 is that for 80 %. Without --model, five parts of FILE are held out in turn. That is done with several
    divisions, whose means are shown, for one by itself is off by some 0.007.

    \b
    rtfs bench routing outcomes.csv
    rtfs bench routing outcomes.csv --model router.json --json
    """  # noqa: D301 - click's \b is a backspace
    outcomes = read_outcomes(file)
    known = None if model is None else load_model(model)
    if known is None:
        with progress_bar(progress, FOLDS * divisions, _LABEL) as told:
            found = cross_validate(outcomes, seed, divisions, told)
    else:
        with progress_bar(progress, len(outcomes.prompts), _LABEL) as told:
            found = _measured(known, outcomes, told, str(file))
    seen = known is not None and known.about.get("outcomes") == outcomes.digest
    if as_json:
        _put({"file": str(file), "model": None if model is None else str(model), "fitted_to_file": seen,
              **attrs.asdict(found)})  # fmt: skip
        return
    for line in _lines(found):
        click.echo(line)
    if seen:
        click.echo("the router was fitted to this very file: on other questions it does less well", err=True)


def _measured(model: RouterModel, outcomes: Outcomes, told: Told, name: str) -> Measured:
    scores: list[float] = []
    for place, prompt in enumerate(outcomes.prompts, start=1):
        scores.append(model.score(prompt))
        if place % _EVERY == 0:
            told(place)
    try:
        return measure(scores, outcomes.weak, outcomes.strong)
    except (NoGapError, ZeroDivisionError) as error:
        way_out = "measure on questions where it is; or swap the columns"
        raise FileError(TOO_FEW, "the strong model is not better than the weak one", way_out, name) from error


def _lines(found: Measured) -> Iterator[str]:
    yield f"questions {found.questions:,}; always weak {found.weak:.3f}, always strong {found.strong:.3f}"
    yield f"APGR  {found.apgr:.3f}   (a random choice: 0.500)"
    yield f"CPT50 {found.cpt50:.1%}   of calls to the strong model recover half of the gap (a random choice: 50.0%)"
    yield f"CPT80 {found.cpt80:.1%}   recover 80 % of it (a random choice: 80.0%)"


def _put(data: dict[str, Any]) -> None:
    click.echo(json.dumps(data))
