"""`rtfs learn stack`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from rtfs_framework.api import ask_local_models, vectors_of
from rtfs_framework.api.fitting import MALFORMED, FileError, progress, read_rows, write_model
from rtfs_provider_stack.fitting import FOLDS, STEPS, Labelled, cross_validate, fit, interval
from rtfs_provider_stack.model import Said
from rtfs_provider_stack.provider import bare, said_of

_LABEL = "stack"


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--out", type=click.Path(path_type=Path), required=True, metavar="MODEL", help="Where the stack goes.")
@click.option("--member", "members", multiple=True, metavar="NAME", help="A local model that is asked; repeatable.")
@click.option("--vectors", is_flag=True, help="Use the vectors of the configured embedder, too.")
@click.option("--text", default="text", show_default=True, help="The column of texts.")
@click.option("--label", default="label", show_default=True, help="The column of labels.")
@click.option("--config", metavar="FILE", help="The configuration that has the members (default: found, as for run).")
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Of the folds.")
@click.option("--measure/--no-measure", default=True, help="Measure on held-out parts first (six times the time).")
@click.option("--progress/--no-progress", "shown", default=None, help="Show how far it is (default: on a terminal).")
@click.option("--json", "as_json", is_flag=True, help="Print JSON, for programs to read.")
def learn(  # noqa: PLR0913 - one parameter for each option
    *,
    file: Path,
    out: Path,
    members: tuple[str, ...],
    vectors: bool,
    text: str,
    label: str,
    config: str | None,
    seed: int,
    measure: bool,
    shown: bool | None,
    as_json: bool,
) -> None:
    """Fit a stack to FILE: what to make of the members' answers and of the words of a text.

    FILE is CSV or JSON Lines, plain or .gz, with a text and a label in each row. Every member is asked about every
    text; with --vectors the embedder that `[delegation] embedder` names makes a vector of each. MODEL is JSON; a local
    model with provider = "stack" answers by it. What is printed is how often its labels are right on texts that it was
    not fitted to. Equal files, answers and seeds give the same bytes.

    \b
    rtfs learn stack labelled.csv --out stack.json
    rtfs learn stack labelled.csv.gz --member local-sentiment --vectors --out stack.json --json
    """  # noqa: D301 - click's \b is a backspace
    rows = read_labelled(file, text, label)
    members = tuple(dict.fromkeys(members))
    if members:
        with progress(shown, len(rows.texts) * len(members), "members") as told:
            asked = ask_local_models(members, rows.texts, sorted(set(rows.labels)), config=config, told=told)
        for name, replies in asked.items():
            rows.said[bare(name)] = [Said("") if each is None else said_of(each) for each in replies]
    if vectors:
        with progress(shown, len(rows.texts), "vectors") as told:
            rows.embedder, rows.vectors = vectors_of(rows.texts, config=config, told=told)
    right: float | None = None
    if measure:
        with progress(shown, FOLDS, _LABEL) as told:
            right = cross_validate(rows, seed, told)
    with progress(shown, STEPS, _LABEL) as told:
        fitted = fit(rows, seed, told)
    fitted.data["about"]["right"] = right
    data = fitted.to_bytes()
    write_model(out, data)
    found: dict[str, Any] = {"model": str(out), "bytes": len(data), "texts": len(rows.texts), "right": right}
    if right is not None:
        found["interval"] = interval(right, len(rows.texts))
    found["members"] = {name: _agreement(rows, each) for name, each in rows.said.items()}
    if as_json:
        click.echo(json.dumps({**found, "seed": seed}))
        return
    click.echo(f"{out}: {len(data):,} bytes, fitted to {len(rows.texts):,} texts")
    for name, share in found["members"].items():
        click.echo(f"{name}: {share:.3f} of the labels right, by itself")
    if right is not None:
        low, high = found["interval"]
        click.echo(f"the stack: {right:.3f} right ({low:.3f} to {high:.3f}), of texts that it was not fitted to")


def read_labelled(path: Path, text: str, label: str) -> Labelled:
    """Return the texts and labels of a file.

    Raises:
        FileError: There is no such file, it cannot be read, or a row of it is malformed.
    """
    found = read_rows(path, (text, label))
    for row in found.rows:
        for column, way_out in ((text, "leave the row out"), (label, "say what the text is, or leave the row out")):
            said = row.said[column]
            if not isinstance(said, str) or not said.strip():
                raise FileError(MALFORMED, f"'{column}' is no text", way_out, row.place)
    texts = tuple(row.said[text] for row in found.rows)
    return Labelled(texts, tuple(row.said[label].strip() for row in found.rows), {}, found.digest)


def _agreement(rows: Labelled, said: list[Said]) -> float:
    return sum(each.label == label for each, label in zip(said, rows.labels, strict=True)) / len(rows.labels)
