"""The vector of a text as one more view: fitted, read, asked for, and refused where it is another embedder's."""

from __future__ import annotations

import asyncio
import csv
import json
import random

import attrs
import pytest

from rtfs_framework.api import (
    FunctionSignature,
    InferenceReply,
    InferenceRequest,
    Message,
    Parameter,
    ProviderError,
    ProviderSettings,
)
from rtfs_framework.api.fitting import FileError
from rtfs_framework.cli.main import run
from rtfs_provider_stack.fitting import Labelled, cross_validate, fit
from rtfs_provider_stack.model import VECTOR_GROUPS, read_model
from rtfs_provider_stack.plugin import StackSettings, rtfs_providers

pytestmark = pytest.mark.needs("rtfs-provider-stack", "scikit-learn")


def with_vectors(data):
    """Give the small stack a view that says "bad" of vectors whose first number is high."""
    functions = len(data["labels"]) * len(VECTOR_GROUPS)
    weights = [[5.0, 0.0], *[[0.0, 0.0] for _ in range(functions - 1)]]
    data["vectors"] = {"embedder": "e1", "weights": weights, "constants": [0.0] * functions}
    at = len(data["weights"][0]) - 4 * len(data["members"])
    for sign, row in zip((1.0, -1.0), data["weights"], strict=True):
        row[at:at] = [sign, -sign, *[0.0] * (functions - 2)]
    return data


@pytest.fixture
def made(tmp_path, model_data, fixed):
    def make(vector, data=None):
        (tmp_path / "stack.json").write_text(json.dumps(data or with_vectors(model_data)), encoding="utf-8")
        settings = ProviderSettings(
            id="mood",
            own=StackSettings(model="stack.json", members=("local-other",)),
            directory=str(tmp_path),
            members={"local-other": fixed(InferenceReply(text="good", confidence=0.5))},
        )
        return rtfs_providers()[0].factory(attrs.evolve(settings, vector=vector))

    return make


def ask(provider):
    function = FunctionSignature(name="f", parameters=(Parameter("text"),))
    return asyncio.run(
        provider.infer(InferenceRequest(function=function, args=("x",), messages=(Message("user", "?"),)))
    )


def test_the_vector_decides_with_the_others(made) -> None:
    heard = []

    def vector(text):
        heard.append(text)
        return "e1", (float(len(heard) - 1), 1.0)

    provider = made(vector)
    assert [ask(provider).data, ask(provider).data] == ["good", "bad"]
    assert heard == ["x", "x"]


def test_without_an_embedder_it_is_not_made(made) -> None:
    with pytest.raises(FileError, match="none of this machine is configured") as refused:
        made(None)
    assert "`embedder` under [delegation]" in refused.value.way_out


@pytest.mark.parametrize(
    ("vector", "why"),
    [
        (lambda _: None, "made no vector"),
        (lambda _: ("e2", (1.0, 1.0)), "another embedder"),
        (lambda _: ("e1", (1.0, 1.0, 1.0)), "another embedder"),
    ],
    ids=["none", "another", "longer"],
)
def test_another_embedder_is_refused(made, vector, why) -> None:
    with pytest.raises(ProviderError, match=why):
        ask(made(vector))


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"embedder": ""}, "'vectors.embedder' is no text"),
        ({"weights": [[1.0]]}, "has not 4 functions"),
        ({"weights": [[]] * 4}, "has not 4 functions"),
        ({"weights": [[1.0], [1.0], [1.0], [1.0, 2.0]]}, "equally many numbers"),
        ({"constants": [0.0]}, "has not 4 functions"),
        ({"weights": 1}, "is no list"),
    ],
)
def test_a_crafted_view_is_refused(model_data, change, why) -> None:
    data = with_vectors(model_data)
    data["vectors"].update(change)
    with pytest.raises(FileError, match=why):
        read_model(json.dumps(data).encode())


@pytest.mark.parametrize("labels", [("bad", "good"), ("bad", "good", "so-so")])
def test_what_only_vectors_tell_is_learned(labels) -> None:
    draw = random.Random(7)
    chosen = tuple(draw.choice(labels) for _ in range(150))
    texts = tuple(f"text {n} {draw.random()}" for n in range(150))
    vectors = [[draw.gauss(3.0 * (label == each), 1.0) for each in labels] + [1.0] for label in chosen]
    rows = Labelled(texts, chosen)
    assert cross_validate(rows) < 0.7
    rows.embedder, rows.vectors = "e", vectors
    assert cross_validate(rows) > 0.8
    model = read_model(fit(rows).to_bytes())
    assert model.vectors is not None
    assert (model.vectors.embedder, model.vectors.size) == ("e", len(labels) + 1)


@pytest.fixture
def file(tmp_path):
    draw = random.Random(3)
    with (tmp_path / "rows.csv").open("w", encoding="utf-8", newline="") as out:
        writer = csv.writer(out)
        writer.writerow(["text", "label"])
        sayings = {"bad": ("it broke", "awful thing"), "good": ("works great", "love it")}
        for n in range(120):
            label = draw.choice(("bad", "good"))
            writer.writerow([f"{draw.choice(sayings[label])} number {n}", label])
    return tmp_path / "rows.csv"


def test_the_command_needs_an_embedder(file, tmp_path, capsys, monkeypatch) -> None:
    monkeypatch.setenv("RTFS_PLUGINS", "stack")
    out = tmp_path / "stack.json"
    assert run(["learn", "stack", str(file), "--vectors", "--out", str(out)]) == 2
    assert "no embedder of this machine is configured" in capsys.readouterr().err
    assert not out.exists()


@pytest.mark.needs("rtfs-embedder-wordllama")
def test_the_command_fits_and_a_host_answers_by_the_same_embedder(file, tmp_path, capsys) -> None:
    config, program = tmp_path / "delegation.toml", tmp_path / "mood.rtfs"
    config.write_text(
        '[delegation]\nembedder = "wordllama"\n'
        '[delegation.local_models.mood]\nprovider = "stack"\nmodel = "stack.json"\n',
        encoding="utf-8",
    )
    out = tmp_path / "stack.json"
    learn = ["learn", "stack", str(file), "--vectors", "--no-measure", "--config", str(config), "--out", str(out)]
    assert run(learn) == 0, capsys.readouterr().err
    assert read_model(out.read_bytes()).vectors is not None
    program.write_text(
        '(defn mood ^:delegation :local-model "mood" [text : :string] : [:enum :bad :good] :bad)\n'
        "(defn main [t] (mood t))",
        encoding="utf-8",
    )
    capsys.readouterr()
    assert run(["run", str(program), '"terrible, it is broken"', "--config", str(config)]) == 0
    assert ":bad" in capsys.readouterr().out
    config.write_text(config.read_text(encoding="utf-8").replace('embedder = "wordllama"\n', ""), encoding="utf-8")
    assert run(["run", str(program), '"terrible"', "--config", str(config)]) == 1
    assert "none of this machine is configured" in capsys.readouterr().err
