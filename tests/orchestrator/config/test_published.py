"""The published shape of `delegation.toml`, as it stands: models named by `path` alone, keys that hold their kind."""

from __future__ import annotations

import attrs
import pytest

from rtfs_framework.api import CacheLevel, ConfigError, LocalModel, LocalPure, ProgramError, RemoteModel

PUBLISHED = """
[delegation]
default_target = "local-pure"
cache_ttl = 3600
enable_l4_cache = false

[delegation.static_routes]
"math/complex" = "remote-openai"
"io/file" = "local-pure"
"mood-*" = "local-words"

[delegation.remote_providers.remote-openai]
api_key_env = "ACME_KEY"
model = "gpt-4o"
timeout = 5000

[delegation.local_models.words]
path = "words.rules"
"""


@attrs.frozen
class OfFile:
    path: str


@attrs.frozen
class OfServer:
    model: str = ""
    api_key_env: str = ""
    endpoint: str = ""


@pytest.fixture
def opened(kit):
    """Return a function that opens a session where `openai` and `rules` are installed, and a cache of level L4."""
    openai = kit.provider("openai", lambda _: "", remote=True, settings=OfServer, defaults={"openai": {}})
    rules = kit.provider("rules", lambda _: "", settings=OfFile, defaults={})
    plain = kit.catalog(openai, rules)
    who = plain.providers["openai"][1]
    catalog = attrs.evolve(plain, caches={"l4": (kit.cache("l4", CacheLevel.L4), who)})
    return lambda text: kit.open(catalog, text)


def test_it_is_accepted_as_it_stands(opened):
    with opened(PUBLISHED) as session:
        config = session.host.config
        assert config.routes == {
            "math/complex": (RemoteModel("remote-openai"),),
            "io/file": (LocalPure(),),
            "mood-*": (LocalModel("words"),),
        }
        specs = {spec.id: spec for spec in config.providers}
        assert (specs["words"].plugin, specs["words"].own.path) == ("rules", "words.rules")
        assert (specs["remote-openai"].plugin, specs["remote-openai"].timeout) == ("openai", 5.0)
        assert "l4" not in session.host.caches.layers


def test_a_table_of_its_own_goes_before_the_published_switch(opened):
    with opened(PUBLISHED + "[caches.l4]\nenabled = true\n") as session:
        assert "l4" in session.host.caches.layers


@pytest.mark.parametrize(
    ("table", "code", "said"),
    [
        ('path = "m.gguf"', "E0706", "no provider is called 'llama'"),
        ('path = "m.BIN"', "E0706", "no provider is called 'llama'"),
        ('path = "m.odd"', "E0704", "the key 'provider' is missing"),
    ],
)
def test_a_model_that_leads_nowhere_is_refused(opened, table, code, said):
    with pytest.raises(ConfigError) as raised:
        opened(f"[delegation.local_models.m]\n{table}\n")
    (found,) = raised.value.diagnostics
    assert found.code == code
    assert said in found.message


@pytest.mark.parametrize(
    ("tables", "said"),
    [
        (("local_models.pure",), "no local model can be called 'pure'"),
        (("local_models.local-pure",), "no local model can be called 'local-pure'"),
        (("local_models.remote-x",), "cannot be called 'remote-x', which says that it is remote"),
        (("remote_providers.local-x",), "cannot be called 'local-x', which says that it is local"),
        (("local_models.x", "local_models.local-x"), "'local-x' and 'x' would both be written local-x"),
        (("remote_providers.remote-x", "remote_providers.x"), "'x' and 'remote-x' would both be written remote-x"),
    ],
)
def test_an_id_that_could_be_taken_for_another_is_refused(opened, tables, said):
    text = "".join(
        f"[delegation.{each}]\n" + ('path = "a.rules"\n' if "local_" in each else 'model = "m"\n') for each in tables
    )
    with pytest.raises(ConfigError) as raised:
        opened(text)
    assert any(found.code == "E0706" and said in found.message for found in raised.value.diagnostics)


HOST = """
[delegation.static_routes]
f = ["remote-cluster", "local-words"]
[delegation.remote_providers.cluster]
endpoint = "https://rtfs.example:8443"
timeout = 30000
[delegation.local_models.words]
path = "words.rules"
"""


def test_a_remote_host_without_its_plug_in_says_what_to_install_and_breaks_nothing_else(opened, source):
    with opened(HOST) as session:
        (spec,) = [spec for spec in session.host.config.providers if spec.id == "cluster"]
        assert (spec.plugin, spec.own.endpoint, spec.timeout) == ("remote-rtfs", "https://rtfs.example:8443", 30.0)
        why = session.host.pool.unusable(RemoteModel("cluster"))
        assert "pip install rtfs-provider-remote-rtfs" in why
        call = session.run(source("(defn f [x] 1) (defn main [x] (f x))"), ("x",)).calls[0]
        assert call.target == "local-model words"
        assert any("pip install" in text for name, text in call.decision.plan.context if name == "excluded")


def test_whoever_insists_on_such_a_host_is_told(opened, source):
    with opened(HOST) as session, pytest.raises(ProgramError, match="pip install rtfs-provider-remote-rtfs"):
        session.run(source('(defn ^:delegation :remote "cluster" f [x] 1) (defn main [x] (f x))'), ("x",))


def test_a_table_with_a_model_is_no_remote_host(opened):
    with opened('[delegation.remote_providers.x]\nendpoint = "https://x.example"\ntimeout = 5\nmodel = "m"\n') as made:
        assert {spec.id: spec.plugin for spec in made.host.config.providers}["x"] == "openai"


@pytest.mark.parametrize(
    ("table", "code"), [('endpoint = ""\ntimeout = 5', "E0705"), ("endpoint = 7\ntimeout = 5", "E0703")]
)
def test_a_bad_remote_host_is_refused(opened, table, code):
    with pytest.raises(ConfigError) as raised:
        opened(f"[delegation.remote_providers.x]\n{table}\n")
    assert [found.code for found in raised.value.diagnostics] == [code]


def test_a_default_that_is_written_alike_gives_way(opened):
    with opened('[delegation.remote_providers.remote-openai]\nmodel = "m"\n') as session:
        assert [spec.target for spec in session.host.config.providers] == [RemoteModel("remote-openai")]
