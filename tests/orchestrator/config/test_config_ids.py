"""Whose an id is: both owners are named. And the model that a variable names, which needs no table at all."""

from __future__ import annotations

import attrs
import pytest

from rtfs_framework.api import FILE_WITHIN, LocalModel, RemoteModel
from rtfs_framework.api.errors import ConfigError
from rtfs_framework.orchestrator.config.local_model import VARIABLE
from rtfs_framework.registry.catalog import Catalog

LLAMA = LocalModel("llama")


@attrs.frozen(slots=True, kw_only=True)
class OfModel:
    """The settings of a fake `llama`."""

    model: str = attrs.field(metadata=FILE_WITHIN, validator=attrs.validators.min_len(1))
    threads: int = 1


@pytest.fixture
def llama(kit):
    return kit.provider("llama", lambda _: "from the model", settings=OfModel, defaults={})


@pytest.fixture
def words(kit):
    return kit.provider("rules", lambda _: "r", defaults={})


@pytest.fixture
def openai(kit, remote_settings):
    return kit.provider("openai", lambda _: "o", remote=True, settings=remote_settings)


def refused(kit, catalog, text):
    with pytest.raises(ConfigError) as raised:
        kit.open(catalog, text)
    return raised.value.diagnostics


TWICE = """\
[delegation.local_models.phi]
provider = "rules"

[delegation.remote_providers.phi]
provider = "openai"
"""


@pytest.mark.parametrize(
    ("text", "first", "second", "said"),
    [
        (TWICE, "1:26", "4:30", "'phi' is the id of a local model and of a remote provider"),
        (
            "[delegation.local_models.x]\nprovider = 'rules'\n[delegation.local_models.local-x]\nprovider = 'rules'\n",
            "1:26",
            "3:26",
            "'local-x' and 'x' would both be written local-x",
        ),
    ],
)
def test_two_owners_of_one_id_are_both_named(kit, words, openai, text, first, second, said):
    (found,) = refused(kit, kit.catalog(words, openai), text)
    assert found.code == "E0706"
    assert said in found.message
    for place in (first, second):
        assert f"delegation.toml:{place}" in found.message
    assert "choose another id" in found.render()


def test_owners_in_two_files_are_named_with_their_files(kit, words, openai):
    own, asked = TWICE.split("\n\n")
    (kit.home / "delegation.toml").write_text(own, encoding="utf-8")
    other = kit.home / "other.toml"
    other.write_text(asked, encoding="utf-8")
    with pytest.raises(ConfigError) as raised:
        kit.open(kit.catalog(words, openai), other)
    (found,) = raised.value.diagnostics
    assert "delegation.toml:1:26" in found.message
    assert "other.toml:1:30" in found.message


def test_a_plugin_s_own_instance_of_that_id_is_named_and_breaks_nothing(kit, words, openai, source):
    catalog = kit.catalog(words, openai)
    text = "[delegation.local_models.openai]\nprovider = 'rules'\n"
    with kit.open(catalog, text) as session:
        (found,) = session.host.config.notices
        assert session.run(source('(defn ^:delegation :local-model "openai" f [] : :string "own")\n(f)')).value == "r"
        assert {LocalModel("openai"), RemoteModel("openai")} <= set(session.host.pool.instances)
    assert found.severity == "warning"
    assert "delegation.toml:1:26" in found.message
    assert "the remote provider that acme-plugin 1.2 brings along" in found.message


@pytest.mark.parametrize("remote", [False, True])
def test_of_two_plugins_that_bring_one_id_along_both_are_named(kit, remote):
    first = kit.provider("a", lambda _: "a", defaults={"mood": {}})
    second = kit.provider("b", lambda _: "b", defaults={"mood": {}}, remote=remote)
    with kit.open(kit.catalog(first, second)) as session:
        (problem,) = session.problems
        assert len(session.host.pool.instances) == 1 + remote
    assert "its default instance 'mood' has the id of the local-model mood that acme-plugin 1.2" in problem.message


def test_a_found_file_that_nobody_trusts_takes_no_id(kit, words, openai):
    (kit.home / "delegation.toml").write_text("[delegation.remote_providers.phi]\nprovider = 'openai'\n", "utf-8")
    repo = kit.home / "repo"
    repo.mkdir()
    (repo / "delegation.toml").write_text("[delegation.local_models.phi]\nprovider = 'rules'\n", "utf-8")
    with kit.open(kit.catalog(words, openai), program_dir=repo) as session:
        assert LocalModel("phi") not in session.host.pool.instances
        (found,) = session.host.config.notices
    assert "delegation.local_models.phi" in found.message


PROGRAM = '(defn ^:delegation :local-model "llama" f "Say." [] : :string "own body")\n(f)'


def test_a_variable_alone_makes_a_model(kit, llama, source):
    kit.environ[VARIABLE] = "models/phi.gguf"
    with kit.open(kit.catalog(llama)) as session:
        spec = session.host.pool.get(LLAMA).spec
        assert (spec.plugin, spec.own.model, spec.directory) == ("llama", "models/phi.gguf", str(kit.home))
        assert session.run(source(PROGRAM)).value == "from the model"
        assert session.host.config.notices == ()


def test_a_table_goes_before_the_variable_and_other_tables_stay(kit, llama, words):
    kit.environ[VARIABLE] = "phi.gguf"
    text = '[delegation.local_models.llama]\nprovider = "llama"\nmodel = "mine.gguf"\n'
    with kit.open(kit.catalog(llama, words), text) as session:
        assert session.host.pool.get(LLAMA).spec.own.model == "mine.gguf"
    text = '[delegation.local_models.w]\nprovider = "rules"\n[delegation.static_routes]\nf = "local-llama"\n'
    with kit.open(kit.catalog(llama, words), text) as session:
        assert session.host.pool.get(LLAMA).spec.own.model == "phi.gguf"
        assert session.host.config.routes == {"f": (LLAMA,)}


def test_a_found_file_may_choose_the_variable_s_model(kit, llama):
    kit.environ[VARIABLE] = "phi.gguf"
    repo = kit.home / "repo"
    repo.mkdir()
    (repo / "delegation.toml").write_text("[delegation.static_routes]\nf = 'local-llama'\n", "utf-8")
    with kit.open(kit.catalog(llama), program_dir=repo) as session:
        assert session.host.config.routes == {"f": (LLAMA,)}
        assert session.host.config.notices == ()


def test_without_the_plugin_the_variable_says_what_to_install(kit):
    kit.environ[VARIABLE] = "phi.gguf"
    with kit.open(Catalog()) as session:
        (found,) = session.host.config.notices
    assert (found.code, found.severity) == ("E0706", "warning")
    assert found.render().startswith("RTFS_LOCAL_MODEL_PATH:1:1: warning[E0706]: it names a model, and no plug-in")
    assert "pip install 'rtfs-provider-llama[xllamacpp]'" in found.help


def test_an_empty_variable_names_nothing(kit, llama):
    kit.environ[VARIABLE] = ""
    with kit.open(kit.catalog(llama)) as session:
        assert LLAMA not in session.host.pool.instances
