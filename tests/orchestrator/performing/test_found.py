"""Where described functions go without a word of the user's: a local model, else a vendor with a key, else nowhere."""

from __future__ import annotations

import attrs
import pytest

from rtfs_framework.api import LocalModel, RemoteModel
from rtfs_framework.orchestrator.config.load import load_config
from rtfs_framework.orchestrator.host import provider_pool
from rtfs_framework.orchestrator.performing.found import found_here

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


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("DESCRIBED", '"local-pure"'),
        ("DEFAULT_TARGET", '"local-pure"'),
        ("ENGINE", '"static"'),
        ("STATIC_ROUTES__NOBODY", '"local-pure"'),
        ("STATIC_ROUTES", "{}"),
    ],
)
def test_every_key_that_says_where_calls_go_ends_it(kit, catalog, fake_engine, variable, value):
    plugins = attrs.evolve(catalog("llama", "acme"), engines=kit.catalog(engine=fake_engine()).engines)
    environ = {"ACME_API_KEY": "sk-1", f"RTFS_DELEGATION__{variable}": value}
    assert run(kit, plugins, **environ) == (None, OWN, [])


def test_so_do_a_pinned_plan_and_the_routes_of_a_tenant(kit, catalog):
    assert seen(kit, catalog("llama"), RTFS_DELEGATION__PLAN='"plan.json"') is None
    routes = {"RTFS_TENANTS__A__STATIC_ROUTES__KEPT": '"local-pure"'}
    assert seen(kit, catalog("llama"), RTFS_TENANT="a", **routes) is None
    assert seen(kit, catalog("llama"), RTFS_SECURITY__REACH='"local"').target == LocalModel("llama")


def seen(kit, plugins, **environ):
    """Return what would be found, without opening a session: the plan need not be there."""
    around = {**kit.environ, **environ}
    config = load_config(None, None, around, plugins, lambda _: None)
    return found_here(config, provider_pool(config, plugins, around), around)


def test_what_variables_configure_goes_before_what_is_merely_there(kit, catalog):
    """And the line names what could have been asked, too."""
    other = {
        "RTFS_DELEGATION__REMOTE_PROVIDERS__MINE__PROVIDER": '"acme"',
        "RTFS_DELEGATION__REMOTE_PROVIDERS__MINE__API_KEY_ENV": '"MY_API_KEY"',
    }
    both = {**other, "MY_API_KEY": "sk-2", "RTFS_KEYS__MY_API_KEY": '"https://api.acme.example"'}
    found, _, told = run(kit, catalog("acme"), ACME_API_KEY="sk-1", **both)
    assert (found.target, found.others) == (RemoteModel("mine"), (RemoteModel("acme"),))
    assert "MY_API_KEY is set: ask and 1 more go to remote mine, not to remote acme;" in told[0]
    assert run(kit, catalog("acme"), ACME_API_KEY="sk-1", **other)[0].target == RemoteModel("acme"), "it has no key"


def test_a_model_of_this_machine_that_variables_configure_is_one(kit, catalog):
    name = {"RTFS_DELEGATION__LOCAL_MODELS__SMALL__PROVIDER": '"llama"'}
    found, value, told = run(kit, catalog("llama"), **name)
    assert (found.target, value) == (LocalModel("small"), SENT)
    assert "variables configure local-small: ask and 1 more go to local-model small;" in told[0]


def test_a_blank_key_is_none_and_a_blank_doc_string_describes_nothing(kit, catalog):
    assert run(kit, catalog("acme"), ACME_API_KEY=" \t") == (None, OWN, [])
    with kit.open(catalog("llama")) as session:
        assert session.run('(defn f "  \n" [x : :string] : :string "own") (f "x")').value == "own"


@pytest.mark.parametrize(
    ("variable", "value"),
    [("REACH", '"local"'), ("REACH", '"pure"'), ("LEVEL", '"pure"'), ("DENY", '["ask", "short"]')],
)
def test_security_holds_and_the_line_says_nothing_that_is_not_so(kit, catalog, variable, value):
    environ = {**kit.environ, "ACME_API_KEY": "sk-1", f"RTFS_SECURITY__{variable}": value}
    with kit.open(catalog("acme"), environ=environ) as session:
        assert session.host.config.found.target == RemoteModel("acme")
        assert not [each for each in session.link(PROGRAM).warnings if each.code == "E0709"]
        if variable != "DENY":  # a denied function fails where it is called
            assert session.run(PROGRAM, ("x",)).value == OWN


def test_the_line_counts_only_what_goes(kit, catalog):
    told = run_told(kit, catalog("acme"), ACME_API_KEY="sk-1", RTFS_SECURITY__DENY='["ask"]')
    assert "ACME_API_KEY is set: short goes to remote acme;" in told[0]


def run_told(kit, plugins, **environ):
    with kit.open(plugins, environ={**kit.environ, **environ}) as session:
        return [each.message for each in session.link(PROGRAM).warnings if each.code == "E0709"]


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
