"""Where described functions go without a word of the user's: a local model, else a vendor with a key, else nowhere."""

from __future__ import annotations

import attrs
import pytest

from rtfs_framework.api import LocalModel, RemoteModel

PROGRAM = """
(defn ask "Ask it." [x : :string] : :string "own")
(defn undocumented [x : :string] : :string "own")
(defn untyped "Ask it." [x] "own")
(defn half "Ask it." [x : :string y] : :string "own")
(defn ungiven "Ask it." [x : :string] "own")
(defn ^:delegation :local kept "Ask it." [x : :string] : :string "own")
(defn short "Ask it." [x :string] :string "own")
(defn main [x] [(ask x) (undocumented x) (untyped x) (half x x) (ungiven x) (kept x) (short x)])
"""
OWN = ("own",) * 7
SENT = ("sent", "own", "own", "own", "own", "own", "sent")


@pytest.fixture
def catalog(kit, remote_settings):
    def made(*names):
        entries = {
            "llama": lambda: kit.provider("llama", lambda _: "sent"),
            "acme": lambda: kit.provider("acme", lambda _: "sent", remote=True, settings=remote_settings),
        }
        return kit.catalog(*[entries[name]() for name in names])

    return made


def run(kit, catalog, config=None, **environ):
    with kit.open(catalog, config, environ={**kit.environ, **environ}) as session:
        found = session.host.config.found
        linked = session.link(PROGRAM)
        told = [each.message for each in linked.warnings if each.code == "E0709"]
        return found, session.run(linked, ("x",)).value, told


def test_a_model_on_this_machine_goes_before_a_key(kit, catalog):
    found, value, told = run(kit, catalog("llama", "acme"), ACME_API_KEY="sk-1")
    assert (found.target, value) == (LocalModel("llama"), SENT)
    line = f"no delegation.toml, and {found.because}: ask and 1 more go to local-model llama"
    assert told == [f"{line}; `rtfs config init` writes that down"]


def test_a_key_goes_before_nothing_and_is_not_told(kit, catalog):
    found, value, told = run(kit, catalog("acme"), ACME_API_KEY="sk-1")
    assert (found.target, found.because, value) == (RemoteModel("acme"), "ACME_API_KEY is set", SENT)
    assert "sk-1" not in told[0]
    assert run(kit, catalog("acme")) == (None, OWN, [])


@pytest.mark.parametrize("text", ["", "[delegation]\ndescribed = 'local-pure'\n", "[delegation.static_routes]\n"])
def test_any_file_is_the_users_word(kit, catalog, text):
    assert run(kit, catalog("llama"), text) == (None, OWN, [])


def test_a_variable_that_says_where_calls_go_is_too(kit, catalog):
    assert run(kit, catalog("llama"), RTFS_DELEGATION__DEFAULT_TARGET='"local-pure"')[0] is None
    assert run(kit, catalog("llama"), RTFS_DELEGATION__PARALLEL="2")[1] == SENT


def test_reach_holds(kit, catalog):
    found, value, _ = run(kit, catalog("acme"), ACME_API_KEY="sk-1", RTFS_SECURITY__REACH='"local"')
    assert (found.target, value) == (RemoteModel("acme"), OWN)


def test_a_configuration_may_say_the_same_and_says_nothing_then(kit, catalog):
    found, value, told = run(kit, catalog("llama"), "[delegation]\ndescribed = 'local-llama'\n")
    assert (found.because, value, told) == ("", SENT, [])


def test_rules_go_before_it(kit, catalog):
    config = "[delegation]\ndescribed = 'local-llama'\n[delegation.static_routes]\nask = 'local-pure'\n"
    assert run(kit, catalog("llama"), config)[1] == (*OWN[:6], "sent")


def test_an_engine_that_is_named_goes_before_it_and_falls_back_on_it(kit, catalog, fake_engine):
    """It has its say about all that it claims; what it has no opinion on goes where described functions go."""

    class Choosy(fake_engine):
        def decide(self, context):
            return None if context.symbol == "short" else super().decide(context)

    plugins = catalog("llama")
    engines = kit.catalog(engine=Choosy(claimed=("ask", "short"))).engines
    config = "[delegation]\ndescribed = 'local-llama'\nengine = 'static'\n"
    assert run(kit, attrs.evolve(plugins, engines=engines), config)[1] == (*OWN[:6], "sent")


def test_modules_and_conversations_know_described_functions_too(kit, catalog, tmp_path):
    (tmp_path / "m.rtfs").write_text(
        '(module m (:exports [ask]) (defn ask "Ask it." [x : :string] : :string "own"))', encoding="utf-8"
    )
    with kit.open(catalog("llama")) as session:
        assert session.run('(import m) (m/ask "x")').value == "sent"


def test_the_policy_is_another_where_something_was_found(kit, catalog):
    hashes = set()
    for environ in ({}, {"ACME_API_KEY": "sk-1"}):
        with kit.open(catalog("acme"), environ={**kit.environ, **environ}) as session:
            hashes.add(session.host.policy_hash)
    assert len(hashes) == 2
