"""The keys: what is refused, what makes the provider unusable and says so, what the fingerprint rests on."""

from __future__ import annotations

import pytest

from rtfs_framework.api import ProviderSettings, ProviderUnavailable
from rtfs_framework.registry import load_catalog
from rtfs_provider_llama.provider import LlamaProvider
from rtfs_provider_llama.settings import LlamaSettings, missing


def test_the_catalog_offers_it_and_makes_nothing():
    catalog = load_catalog({"RTFS_PLUGINS": "llama"})
    assert not catalog.problems
    entry = catalog.provider("llama")
    assert (entry.deterministic, entry.parallel, entry.chat) == (True, 1, False)
    provider = entry.factory(ProviderSettings("small"))
    assert provider.status().loaded is False


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ({"model": "a", "path": "b"}, "keep one of them"),
        ({"backend": "nonsense"}, "'backend' must be one of \"auto\""),
        ({"context": 1}, "'context' must be >= 64"),
        ({"temperature": 3.0}, "'temperature' must be <= 2"),
        ({"memory": 5}, "'memory' must be >="),
        ({"seed": -1}, "'seed' must be >= 0"),
        ({"idle": 0}, "'idle' must be >="),
    ],
)
def test_a_value_that_means_nothing_is_refused(keys, said):
    with pytest.raises(ValueError, match=said):
        LlamaSettings(**keys)


@pytest.mark.parametrize(
    ("keys", "environ", "said"),
    [
        ({}, {}, "no model is named; set 'model'"),
        ({"model": "/nowhere/a.gguf"}, {}, "there is no model /nowhere/a.gguf"),
        ({}, {"RTFS_LOCAL_MODEL_PATH": "package:not_here_at_all"}, "no package not_here_at_all is installed"),
        ({}, {"RTFS_LOCAL_MODEL_PATH": "not_here.gguf"}, "check RTFS_LOCAL_MODEL_PATH"),
        ({"model": "~nobody-has-this-name/a"}, {}, "is nobody's folder"),
    ],
)
def test_what_cannot_answer_says_why_before_it_is_asked(keys, environ, said):
    assert said in LlamaSettings(**keys).unusable(environ)


def test_a_backend_that_is_not_installed_is_named(monkeypatch):
    monkeypatch.setattr("rtfs_provider_llama.settings.find_spec", lambda _: None)
    assert "pip install 'rtfs-provider-llama[xllamacpp]'" in missing("auto")
    assert "pip install 'rtfs-provider-llama[llama-cpp]'" in missing("llama-cpp")
    assert missing("somebody.s:Backend") is None


def test_a_model_in_the_folder_of_the_configuration_counts_as_there(model):
    own = LlamaSettings(model=model.name, backend="rtfs_provider_llama.testing:LettersBackend")
    assert own.unusable({}) is None
    provider = LlamaProvider(ProviderSettings("small", own=own, directory=str(model.parent)))
    assert provider._path() == model.resolve()


def test_the_fingerprint_rests_on_model_backend_and_parameters(make, model):
    changes = [{}, {"seed": 1}, {"temperature": 0.5}, {"context": 512}, {"threads": 2}, {"max_tokens": 5}]
    found = {make(**keys).fingerprint() for keys in changes}
    model.write_bytes(b"another model")
    found.add(make().fingerprint())
    found.add(make(model="/nowhere/m.gguf").fingerprint())
    assert len(found) == len(changes) + 2
    assert make(queue=3, idle=5).fingerprint() == make().fingerprint()


def test_another_model_is_not_loaded_under_the_fingerprint_of_the_first(make, model, use, of_type):
    async def work(provider):
        provider.fingerprint()
        model.write_bytes(b"another model")
        with pytest.raises(ProviderUnavailable, match="another one than when this host began; start the host again"):
            await provider.infer(of_type("x"))
        assert not provider.status().loaded

    use(make(), work)


def test_a_model_that_came_after_the_fingerprint_was_taken_is_not_answered_for_by_it(make, tmp_path, use, of_type):
    async def work(provider):
        provider.fingerprint()
        (tmp_path / "late.gguf").write_bytes(b"letters")
        with pytest.raises(ProviderUnavailable, match="start the host again"):
            await provider.infer(of_type("x"))

    use(make(model=str(tmp_path / "late.gguf")), work)


def test_a_fingerprint_that_is_taken_late_speaks_of_the_model_that_was_loaded(make, model, use, of_type):
    async def work(provider):
        await provider.infer(of_type("x"))
        model.write_bytes(b"another model")
        return provider.fingerprint()

    first = make().fingerprint()
    assert use(make(), work) == first
