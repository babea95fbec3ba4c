"""What it looks at, where its model comes from, and that it keeps quiet."""

from __future__ import annotations

import subprocess
import sys
from math import fsum

import pytest

from rtfs_embedder_wordllama.embedder import WordLlamaEmbedder
from rtfs_embedder_wordllama.settings import WordLlamaSettings
from rtfs_framework.registry import load_catalog

ALONE = """
import logging, os, socket, sys, tempfile

def refuse(*args, **more):
    raise AssertionError("it asked the network")

socket.socket.connect = socket.create_connection = socket.getaddrinfo = refuse
os.environ["HOME"] = os.environ["HF_HOME"] = tempfile.mkdtemp()

from rtfs_embedder_wordllama import plugin
assert not {"wordllama", "numpy"} & set(sys.modules), "imported before it is made"
entry, = plugin.rtfs_embedders()
from rtfs_framework.api import EmbedderSettings
embedder = entry.factory(EmbedderSettings("wordllama"))
assert len(embedder.embed(["a text"])[0]) == 256
assert not os.listdir(os.environ["HOME"]), "something was downloaded"
root = logging.getLogger()
assert (root.handlers, root.level) == ([], logging.WARNING), "it set up logging"
"""


@pytest.fixture(scope="module")
def embedder():
    return WordLlamaEmbedder(WordLlamaSettings(characters=100))


def test_the_packaged_model_is_loaded_late_quietly_and_without_a_network():
    done = subprocess.run([sys.executable, "-c", ALONE], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_vectors_have_the_length_1(embedder):
    for vector in embedder.embed(["", "a text", "\ud800 half a pair"]):
        assert fsum(number * number for number in vector) == pytest.approx(1.0, abs=1e-5)


def test_what_lies_beyond_the_bound_is_not_looked_at(embedder):
    start = "the cat sat on the mat " * 10
    first, second = embedder.embed([start + "one", start + "two"])
    assert first == second


def test_how_much_is_looked_at_is_in_the_fingerprint(embedder):
    assert embedder.fingerprint() != WordLlamaEmbedder(WordLlamaSettings()).fingerprint()


@pytest.mark.parametrize("characters", [0, 100_001])
def test_a_bound_that_is_none_is_refused(characters):
    with pytest.raises(ValueError, match="'characters' must be"):
        WordLlamaSettings(characters=characters)


def test_the_catalog_makes_it():
    catalog = load_catalog({"RTFS_PLUGINS": "wordllama"})
    assert not catalog.problems
    assert catalog.embedder("wordllama").settings is WordLlamaSettings
