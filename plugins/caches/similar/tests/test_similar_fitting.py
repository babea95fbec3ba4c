"""Priors and measurements: pairs in, a file of plain numbers out, a stream through the real decider."""

from __future__ import annotations

import json
import random
import sys

import numpy as np
import pytest
from click.testing import CliRunner

from rtfs_cache_similar.deciding.prior import GRID, load_prior, read_prior
from rtfs_cache_similar.deciding.rarity import rarity
from rtfs_cache_similar.fitting.commands import bench, learn
from rtfs_cache_similar.fitting.measures import _passing
from rtfs_cache_similar.fitting.pairs import read_pairs, vectors_of
from rtfs_cache_similar.fitting.stream import Field, Told, best_static
from rtfs_cache_similar.plugin import SimilarSettings, rtfs_caches
from rtfs_framework.api import CacheKey, CacheSettings, PluginError, Served, SimilarQuestion
from rtfs_framework.api.fitting import FileError
from rtfs_framework.testing.clock import FakeClock

pytestmark = pytest.mark.needs("rtfs-cache-similar", "scikit-learn")

KEPT = ("gold", "iron", "wood", "salt", "milk", "corn", "silk", "wool", "clay", "lead", "coal", "sand", "tar", "jute",
        "flax", "hemp", "zinc", "cork")  # fmt: skip
MADE = ("bread", "paper", "glass", "steel", "cloth", "rope", "soap", "paint", "glue", "wax", "dye", "foam", "yarn",
        "lace", "cord", "tape", "beer", "toys")  # fmt: skip


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """Pairs of questions, of which those about the same thing mean the same, and vectors that nearly say so."""
    folder = tmp_path_factory.mktemp("pairs")
    chance, generator = random.Random(5), np.random.default_rng(5)
    rows, vectors = ["question_a,question_b,same_meaning"], {}
    for first in KEPT:
        for second in MADE:
            same = chance.random() < 0.6
            asked = f"Why do makers of {second} want {first}?"
            other = f"Why do the makers of {second} want {first} so much?" if same else f"Who sells {first} {second}?"
            rows.append(f"{asked},{other},{int(same)}")
            middle = generator.normal(size=24)
            for text, spread in ((asked, 0.0), (other, 0.1 if same else 0.5)):
                vector = middle + spread * generator.normal(size=24)
                vectors[text] = vector / np.linalg.norm(vector)
    file, kept = folder / "pairs.csv", folder / "vectors.npz"
    file.write_text("\n".join(rows) + "\n", "utf-8")
    made = np.asarray(list(vectors.values()), dtype=np.float32)
    np.savez(kept, texts=np.asarray(list(vectors)), vectors=made, embedder=np.asarray("made up"))
    return file, kept


@pytest.fixture(scope="module")
def prior(files):
    file, kept = files
    out = file.with_name("prior.json")
    told = CliRunner().invoke(learn, [str(file), "--out", str(out), "--vectors", str(kept), "--no-progress", "--json"])
    assert told.exit_code == 0, told.output
    assert json.loads(told.output)["pairs"] == len(KEPT) * len(MADE)
    return out


def test_a_prior_is_plain_numbers_and_goes_round(prior) -> None:
    found = load_prior(prior)
    assert read_prior(found.to_bytes()).to_bytes() == prior.read_bytes()
    assert (np.diff(found.judged) <= 0).all()
    assert len(found.bounds) == len(GRID)
    assert found.embedder == "made up"


def _measured(files, *more):
    file, kept = files
    told = CliRunner().invoke(bench, [str(file), "--vectors", str(kept), "--no-progress", "--json", *more])
    assert told.exit_code == 0, told.output
    return json.loads(told.output)


@pytest.fixture
def configured(prior):
    """Return a function that makes the layer with a prior, and what it reported."""
    made = []

    def make(name=prior.name):
        told = []
        own = SimilarSettings(prior=name, index="exact")
        settings = CacheSettings(FakeClock(), own=own, base=str(prior.parent), report=told.append)
        made.append(rtfs_caches()[0].factory(settings))
        return made[-1], told

    yield make
    for layer in made:
        layer.close()


def _asked(layer, embedder):
    parts = (("function", "f"), ("embedder", embedder))
    key = CacheKey("partition", f"{embedder}/f", parts)
    question = SimilarQuestion(partition=key, exact=CacheKey("reply", "1"), text="Why so?", vector=[1.0] * 24)
    return layer.ask(question)


def test_the_layer_starts_from_the_prior_that_its_settings_name(configured) -> None:
    layer, told = configured()
    assert _asked(layer, "made up").served is Served.MISS
    assert (layer._decider.prior is not None, told) == (True, [])


def test_a_prior_of_other_vectors_is_done_without_and_told_once(configured) -> None:
    layer, told = configured()
    for _ in range(2):
        assert _asked(layer, "another").served is Served.MISS
    assert layer._decider.prior is None
    assert len(told) == 1
    assert "another embedder" in told[0]


def test_a_prior_that_is_not_there_is_told_with_a_way_out(configured) -> None:
    with pytest.raises(PluginError, match=r"its prior cannot be used: no such file(.|\n)*take `prior` out"):
        configured("gone.json")


def test_a_measurement_by_other_vectors_than_the_prior_s_is_refused(files, prior, tmp_path) -> None:
    file, kept = files
    with np.load(kept) as held:
        np.savez(tmp_path / "v.npz", texts=held["texts"], vectors=held["vectors"], embedder=np.asarray("another"))
    how = [str(file), "--vectors", str(tmp_path / "v.npz"), "--prior", str(prior), "--no-progress"]
    told = CliRunner().invoke(bench, how)
    assert isinstance(told.exception, FileError)
    assert "another embedder" in str(told.exception)


def test_with_a_prior_similar_questions_are_served_within_the_bound(files, prior) -> None:
    found = _measured(files, "--prior", str(prior), "--false-hits", "0.05", "--seeds", "2")
    assert found["hit_rate"] > 0.1
    assert found["false_hit_rate"] <= 0.05
    assert found["static_hit_rate"] > 0
    assert found["labelled"]["found"] >= found["labelled"]["static"] > 0


def test_the_rarer_a_word_the_more_it_weighs() -> None:
    found = rarity(["why is tea hot", "why is rice hot", "why is wool warm"])
    assert found.of(["wool", "hot", "why"]) == sorted(found.of(["why", "hot", "wool"]), reverse=True)
    assert found.of(["wool"]) == found.of(["never-seen"]) == [found.other]
    assert found.of(["wool"]) > found.of(["why"])


def test_the_turned_field_asks_what_was_inserted(files) -> None:
    pairs = read_pairs(files[0])
    field = Field(pairs, vectors_of(pairs.texts, "", files[1], lambda _: None)[1])
    turned = field.turned()
    assert {question for question, _ in turned.looks(0)} == set(pairs.first)
    assert {int(each.entry_id) for _, near in turned.looks(0) for each in near} <= set(pairs.second)


def test_of_labelled_pairs_those_that_a_gate_closes_never_pass() -> None:
    scores, same = np.array([0.9, -1.0, 0.5, 0.6, 0.4]), np.array([True, True, True, False, False])
    assert [_passing(scores, same, allowed) for allowed in (0.0, 0.5, 0.99)] == [1 / 3, 2 / 3, 2 / 3]


def test_from_nothing_few_are_explored_and_the_bound_is_kept(files) -> None:
    found = _measured(files, "--false-hits", "0.05", "--seeds", "2")
    assert 0 < found["explored_rate"] <= 0.17
    assert found["false_hit_rate"] <= 0.05


def test_a_bound_of_nothing_serves_nothing(files, prior) -> None:
    assert _measured(files, "--prior", str(prior), "--false-hits", "0", "--seeds", "1")["hit_rate"] == 0


def test_the_best_static_threshold_takes_all_of_the_same_cosine() -> None:
    told = Told(np.array([0.9, 0.9, 0.8, 0.7]), np.array([True, False, True, True]), 0, 0, 0)
    assert best_static([told], 0.25) == 1.0
    assert best_static([told], 0.2) == 0.0


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("question_a,question_b\na,b\n", "same_meaning"),
        ("question_a,question_b,same_meaning\na,b,maybe\n", "maybe"),
        ("question_a,question_b,same_meaning\n ,b,1\n", "question_a"),
        ("question_a,question_b,same_meaning\na,b,1\n", "too few"),
        ("question_a,question_b,same_meaning\n" + "a,b,1\n" * 300, "same label"),
    ],
    ids=["column", "label", "empty", "few", "one-sided"],
)
def test_what_is_no_pairs_is_told(tmp_path, text, said) -> None:
    file = tmp_path / "pairs.csv"
    file.write_text(text, "utf-8")
    with pytest.raises(FileError, match=said):
        read_pairs(file)


def test_vectors_of_other_questions_are_told(files, tmp_path) -> None:
    file, _ = files
    other = tmp_path / "other.npz"
    np.savez(other, texts=np.asarray(["a"]), vectors=np.zeros((1, 4), dtype=np.float32))
    told = CliRunner().invoke(bench, [str(file), "--vectors", str(other), "--no-progress"])
    assert isinstance(told.exception, FileError)


def test_fitting_without_its_library_is_told(files, monkeypatch) -> None:
    file, kept = files
    monkeypatch.setitem(sys.modules, "sklearn", None)
    how = [str(file), "--out", str(file.with_name("none.json")), "--vectors", str(kept), "--no-progress"]
    told = CliRunner().invoke(learn, how)
    assert isinstance(told.exception, FileError)
    assert "scikit-learn" in str(told.exception)


def test_an_unknown_embedder_is_told(files) -> None:
    told = CliRunner().invoke(bench, [str(files[0]), "--embedder", "nobody", "--no-progress"])
    assert isinstance(told.exception, FileError)
    assert "nobody" in str(told.exception)


@pytest.mark.parametrize(
    "change",
    [
        lambda data: data.update(version=9),
        lambda data: data.update(format="x"),
        lambda data: data["judged"].pop(),
        lambda data: data.update(wrong=[1e9] * len(GRID)),
        lambda data: data["model"].update(features=["x"]),
        lambda data: data["model"]["scale"].__setitem__(0, 0.0),
        lambda data: data.pop("looked"),
        lambda data: data["spread"].__setitem__(0, 0.0),
        lambda data: data["model"]["trees"]["left"].__setitem__(0, 10**7),
        lambda data: data["model"]["trees"]["feature"].__setitem__(0, 0.5),
        lambda data: data["model"]["trees"]["value"].pop(),
        lambda data: data["rarity"]["words"].pop(),
        lambda data: data["rarity"].update(other=-1.0),
        lambda data: data["rarity"]["words"].__setitem__(0, 7),
    ],
    ids=[
        "version",
        "format",
        "short",
        "wrong",
        "features",
        "scale",
        "missing",
        "spread",
        "child",
        "feature",
        "leaf",
        "words",
        "weight",
        "word",
    ],
)
def test_a_crafted_prior_is_refused(prior, change) -> None:
    data = json.loads(prior.read_bytes())
    change(data)
    with pytest.raises(FileError, match="prior"):
        read_prior(json.dumps(data).encode())
