"""A model is data: it scores as it was written, and whatever is wrong with it is refused, never run."""

from __future__ import annotations

import copy
import json
import random
from math import isfinite, log, sqrt

import pytest

from rtfs_engine_router.model import load_model, rank_of, read_model
from rtfs_engine_router.texts import MOST_CHARACTERS, SHAPE, shape, terms
from rtfs_framework.api.fitting import FileError


def made(data):
    return read_model(json.dumps(data).encode())


def test_a_text_scores_as_the_parts_say(model_data):
    model = made(model_data)
    text = "Prove that, prove the sum"
    once, twice = 1.0, 1.0 + log(2)
    parts = {"prove": twice * 2.0, "sum": once, "prove that": 3.0}
    weights = {"prove": 0.5, "sum": -0.25, "prove that": 0.125}
    of_terms = sum(parts[term] * weights[term] for term in parts) / sqrt(sum(part**2 for part in parts.values()))
    assert model.terms.score(text) == pytest.approx(0.1 + of_terms)
    assert model.trees.score(text) == pytest.approx(0.2)  # between both thresholds
    assert model.score(text) == pytest.approx(of_terms / 0.2)


def test_shapes_choose_the_way_through_a_tree(model_data):
    model = made(model_data)
    assert [round(model.trees.score("x" * count), 6) for count in (1, 50, 500)] == [0.1, 0.2, 0.5]


def test_texts_without_a_known_word_have_a_score(model_data):
    model = made(model_data)
    for text in ("", " ", "\x00", "\ud800 half a pair", "日本語のテキスト", "∑" * 100, "a" * 100_000):
        assert isfinite(model.score(text))
        assert 0.0 <= model.rank(text) <= 1.0


def test_only_the_start_of_a_text_is_looked_at(model_data):
    model = made(model_data)
    start = "prove that the sum is right " * 400
    assert len(start) > MOST_CHARACTERS
    assert model.score(start + "and more") == model.score(start)


def test_ranks_are_shares_of_the_distribution():
    ranks = (-3.0, -1.0, 0.0, 1.0, 6.0)
    assert [rank_of(score, ranks) for score in (-9.0, -3.0, -2.0, 0.0, 3.5, 6.0, 9.0)] == [
        0.0, 0.0, 0.125, 0.5, 0.875, 1.0, 1.0
    ]  # fmt: skip


def test_shapes_have_a_number_for_each_name():
    assert len(shape("Which of these is $5? A. none B. all")) == len(SHAPE) == len(set(SHAPE))
    assert terms("The cat, the CAT") == ["the", "cat", "the", "cat", "the cat", "cat the", "the cat"]


def test_the_digest_tells_files_apart(model_file, model_data):
    model_data["about"]["more"] = 1
    assert load_model(model_file).digest != made(model_data).digest


def change(path, value):
    def apply(data):
        *above, last = path
        for key in above:
            data = data[key]
        if value is KeyError:
            del data[last]
        else:
            data[last] = value

    return apply


TREE = ("trees", "trees", 0)
DAMAGE = {
    "another format": change(["format"], "pickle"),
    "another version": change(["version"], 2),
    "a version that is a bool": change(["version"], True),
    "no terms": change(["terms"], KeyError),
    "terms are a list": change(["terms"], []),
    "a term is a number": change(["terms", "texts"], ["prove", "sum", 3]),
    "a term twice": change(["terms", "texts"], ["prove", "sum", "sum"]),
    "fewer weights": change(["terms", "weights"], [0.5]),
    "a weight is a text": change(["terms", "weights"], [0.5, "0.1", 0.1]),
    "a weight is true": change(["terms", "weights"], [0.5, True, 0.1]),
    "a weight is huge": change(["terms", "weights"], [0.5, 1e300, 0.1]),
    "a weight has 400 digits": change(["terms", "weights"], [0.5, 10**400, 0.1]),
    "a rarity of 0": change(["terms", "rarity"], [0.0, 1.0, 1.0]),
    "a deviation of 0": change(["terms", "deviation"], 0.0),
    "a deviation below 0": change(["trees", "deviation"], -1.0),
    "a mean is null": change(["trees", "mean"], None),
    "other features": change(["trees", "features"], ["length"]),
    "a tree without nodes": change([*TREE], {"feature": [], "threshold": [], "lower": [], "upper": []}),
    "a feature that there is not": change([*TREE, "feature", 0], len(SHAPE)),
    "a feature below -1": change([*TREE, "feature", 0], -2),
    "a feature that is no whole number": change([*TREE, "feature", 0], 1.5),
    "a node is its own child": change([*TREE, "lower", 0], 0),
    "a child before its parent": change([*TREE, "upper", 2], 1),
    "a child that there is not": change([*TREE, "lower", 2], 5),
    "parts of different lengths": change([*TREE, "threshold"], [1.0]),
    "ranks that fall": change(["ranks"], [1.0, 0.0]),
    "one rank": change(["ranks"], [1.0]),
    "equal ranks": change(["ranks"], [1.0, 1.0]),
}


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE.keys())
def test_a_damaged_model_is_refused(model_data, damage):
    damage(model_data)
    with pytest.raises(FileError, match="no fitted router") as raised:
        made(model_data)
    assert raised.value.code == "E0930"
    assert "rtfs learn routing" in raised.value.way_out


@pytest.mark.parametrize(
    "data", [b"", b"null", b"\x80\x04pickle", b"PK\x03\x04", b"[" * 10_000, b'{"format": NaN}', b'"\\ud800"', b"1e999"]
)
def test_what_is_no_model_at_all_is_refused(data):
    with pytest.raises(FileError, match="no fitted router"):
        read_model(data)


WORTHLESS = [None, True, -1, 0, 7, 1e308, -1e15, 10**30, "", "x", [], {}, [1, 2], {"feature": [0]}]


def damaged(dice, data):
    """Return data in which one random place has another value, or is gone."""
    holder, key = {"": data}, ""
    while isinstance(holder[key], dict | list) and holder[key] and dice.random() < 0.85:
        holder = holder[key]
        key = dice.choice(list(holder) if isinstance(holder, dict) else range(len(holder)))
    if dice.random() < 0.2 and key != "":
        del holder[key]
    else:
        holder[key] = copy.deepcopy(dice.choice(WORTHLESS))


@pytest.mark.parametrize("seed", range(8))
def test_random_damage_is_refused_or_harmless(model_data, seed):
    """Whatever is read gives every text a finite score; all else is a `FileError`, and never another exception."""
    dice = random.Random(seed)
    refused = 0
    for _ in range(250):
        data = copy.deepcopy(model_data)
        for _ in range(dice.randint(1, 3)):
            damaged(dice, data)
        try:
            model = made(data)
        except FileError:
            refused += 1
            continue
        assert all(isfinite(model.score(text)) and 0.0 <= model.rank(text) <= 1.0 for text in ("prove", "x" * 300))
    assert refused > 150


@pytest.mark.parametrize("seed", range(4))
def test_random_bytes_are_refused_or_harmless(model_data, seed):
    dice = random.Random(seed)
    whole = json.dumps(model_data).encode()
    for _ in range(250):
        data = bytearray(whole)
        for _ in range(dice.randint(1, 4)):
            data[dice.randrange(len(data))] = dice.randrange(256)
        cut = bytes(data[: dice.randrange(len(data))] if dice.random() < 0.3 else data)
        try:
            model = read_model(cut)
        except FileError:
            continue
        assert isfinite(model.score("prove that the sum"))


def test_a_file_that_is_no_file(tmp_path):
    with pytest.raises(FileError, match="cannot be read"):
        load_model(tmp_path)
    with pytest.raises(FileError, match="no such file"):
        load_model(tmp_path / "none.json")
