"""Model files: what is read, and that a crafted one is refused with a reason."""

from __future__ import annotations

import json
import pickle

import pytest

from rtfs_framework.api.fitting import FileError
from rtfs_provider_stack.model import load_model, read_model
from rtfs_provider_stack.texts import characters, words

pytestmark = pytest.mark.needs("rtfs-provider-stack")


def test_a_file_is_read_as_it_was_written(model_data) -> None:
    model = read_model(json.dumps(model_data).encode())
    assert (model.labels, model.members) == (("bad", "good"), ("other",))
    shares = model.shares("awful", {}, model.labels)
    assert sum(shares.values()) == pytest.approx(1)
    assert shares["bad"] > 0.9


def _without(key):
    return lambda data: data.pop(key)


def _with(*path_and_value):
    *path, last, value = path_and_value

    def change(data):
        for key in path:
            data = data[key]
        data[last] = value

    return change


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (_with("format", "rtfs-router"), "its format is not 'rtfs-stack'"),
        (_with("version", 2), "its version is 2"),
        (_with("version", True), "its version is True"),
        (_without("views"), "has no 'views'"),
        (_with("labels", ["one"]), "two or more"),
        (_with("labels", ["a", "a"]), "distinct names"),
        (_with("members", [1]), "distinct names"),
        (_with("views", "words", []), "no JSON object"),
        (_with("views", "words", "texts", ["a", "b"]), "of different numbers"),
        (_with("views", "words", "rarity", [0.0]), "above 0"),
        (_with("views", "words", "weights", [[1.0]]), "has not 6 functions"),
        (_with("views", "words", "constants", [1.0]), "has not 6 functions"),
        (_with("weights", [[1.0], [1.0]]), "with 16 weights each"),
        (_with("weights", 0, 0, 1e300), "no number of a fitted model"),
        (_with("weights", 0, 0, "1"), "no number of a fitted model"),
        (_with("weights", {}), "is no list"),
        (_with("constants", [0.0]), "with 16 weights each"),
        (_with("about", 1), "no JSON object"),
    ],
)
def test_a_crafted_file_is_refused(model_data, change, why) -> None:
    change(model_data)
    with pytest.raises(FileError, match=why) as refused:
        read_model(json.dumps(model_data).encode())
    assert refused.value.code == "E0930"
    assert "rtfs learn stack" in refused.value.way_out


@pytest.mark.parametrize(
    "data", [b"", b"{", b"\xff", b'{"a": NaN}', pickle.dumps({"format": "rtfs-stack"}), b"[" * 9999]
)
def test_what_is_no_json_is_refused(data, tmp_path) -> None:
    path = tmp_path / "stack.json"
    path.write_bytes(data)
    with pytest.raises(FileError, match="no fitted stack"):
        load_model(path)


def test_a_file_that_is_not_there_or_is_no_file(tmp_path) -> None:
    with pytest.raises(FileError, match="no such file"):
        load_model(tmp_path / "none.json")
    with pytest.raises(FileError, match="cannot be read"):
        load_model(tmp_path)


def test_what_is_seen_of_a_text() -> None:
    pairs = ["^ not", "not good", "good fine", "fine $"]
    assert words("Not good! Fine") == ["not good not", "!", "^", "not", "good", "fine", "$", *pairs]
    assert words("isn't it") == ["not it not", "^", "isn't", "it", "$", "^ isn't", "isn't it", "it $"]
    assert characters("ab!") == [" a", "ab", "b ", " ab", "ab ", " ab ", " !", "! ", " ! "]
