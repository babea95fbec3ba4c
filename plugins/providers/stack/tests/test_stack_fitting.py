"""Fitting: labelled texts in, a model file out, by the command and by the library."""

from __future__ import annotations

import csv
import json
import random

import pytest

from rtfs_framework.api.fitting import FileError
from rtfs_framework.cli.main import run
from rtfs_provider_stack.fitting import Labelled, cross_validate, fit
from rtfs_provider_stack.model import Said, read_model

pytestmark = pytest.mark.needs("rtfs-provider-stack", "scikit-learn")

SAYINGS = {"bad": ("it broke", "awful thing"), "good": ("works great", "love it"), "so-so": ("a box", "came monday")}


def rows(labels=("bad", "good", "so-so"), many=150):
    draw = random.Random(3)
    chosen = [draw.choice(labels) for _ in range(many)]
    texts = tuple(f"{draw.choice(SAYINGS[label])} number {n}" for n, label in enumerate(chosen))
    return Labelled(texts, tuple(chosen))


@pytest.mark.parametrize("labels", [("bad", "good"), ("bad", "good", "so-so")])
def test_a_fitted_stack_knows_texts_that_it_has_not_seen(labels) -> None:
    told = []
    found = rows(labels)
    fitted = fit(found, 0, told.append)
    assert told == [1, 2, 3, 4, 5, 6]
    assert fitted.to_bytes() == fit(found, 0).to_bytes()
    model = read_model(fitted.to_bytes())
    shares = model.shares("awful, it broke", {}, model.labels)
    assert max(shares, key=shares.get) == "bad"
    assert cross_validate(found) > 0.9


def test_members_that_know_are_heeded_and_those_that_guess_are_not() -> None:
    found = rows()
    draw = random.Random(5)
    texts = tuple(f"text {n} {draw.random()}" for n in range(150))
    knows = [Said(label, 0.8) for label in found.labels]
    guesses = [Said(draw.choice(found.labels), 0.9) for _ in texts]
    assert cross_validate(Labelled(texts, found.labels, {"knows": knows, "guesses": guesses})) > 0.95
    assert cross_validate(Labelled(texts, found.labels, {"guesses": guesses})) < 0.6


@pytest.mark.parametrize(
    ("found", "why"),
    [
        (Labelled(("a",) * 200, ("x", "y") * 100), "1 different texts are too few"),
        (Labelled(tuple(map(str, range(200))), ("x",) * 200), "the same label"),
        (Labelled(tuple(map(str, range(200))), ("x",) * 195 + ("y",) * 5), "only 5 texts have the label 'y'"),
        (Labelled(tuple(f"{n:x}q" for n in range(9999, 10199)), ("x", "y") * 100), None),
    ],
)
def test_rows_that_tell_nothing_are_refused(found, why) -> None:
    if why is None:
        assert read_model(fit(found).to_bytes()).labels == ("x", "y")
        return
    with pytest.raises(FileError, match=why) as refused:
        fit(found)
    assert refused.value.code == "E0907"


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "labelled.csv"
    found = rows()
    with path.open("w", encoding="utf-8", newline="") as out:
        writer = csv.writer(out)
        writer.writerow(("text", "label"))
        writer.writerows(zip(found.texts, found.labels, strict=True))
    return path


def test_the_command_writes_a_model_and_says_how_good_it_is(file, tmp_path, capsys) -> None:
    out = tmp_path / "stack.json"
    assert run(["learn", "stack", str(file), "--out", str(out), "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["texts"] == 150
    assert said["right"] > 0.9
    assert said["interval"][0] < said["right"] <= said["interval"][1] <= 1.0
    assert read_model(out.read_bytes()).about["right"] == said["right"]
    assert run(["learn", "stack", str(file), "--out", str(out), "--no-measure"]) == 0
    assert "fitted to 150 texts" in capsys.readouterr().out


@pytest.mark.needs("rtfs-provider-rules")
def test_the_command_asks_the_members(file, tmp_path, capsys) -> None:
    out = tmp_path / "stack.json"
    asked = ["--member", "local-sentiment", "--member", "local-sentiment", "--no-measure"]
    assert run(["learn", "stack", str(file), "--out", str(out), *asked]) == 0
    shown = capsys.readouterr().out
    assert "sentiment: 0." in shown
    assert read_model(out.read_bytes()).members == ("sentiment",)


@pytest.mark.parametrize(
    ("text", "arguments", "why"),
    [
        ("text,label\nfine\n", [], "'label' is no text"),
        ("text,label\n,good\n", [], "'text' is no text"),
        ("text\nfine\n", [], "no column 'label'"),
        ("words,label\nfine,good\n", [], "no column 'text'"),
        ("text,label\nfine,good\n", [], "1 different texts are too few"),
        ("text,label\nfine,good\n", ["--member", "nobody"], "nobody"),
    ],
)
def test_files_and_members_that_are_wrong_are_refused(tmp_path, capsys, text, arguments, why) -> None:
    path, out = tmp_path / "l.csv", tmp_path / "stack.json"
    path.write_text(text, encoding="utf-8")
    assert run(["learn", "stack", str(path), "--out", str(out), *arguments]) != 0
    assert why in capsys.readouterr().err
    assert not out.exists()
