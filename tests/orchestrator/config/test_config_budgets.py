"""Budgets, rates, tenants and the ledger in `delegation.toml`: their meaning, mistakes, and what a found file may."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from rtfs_framework.api.errors import ConfigError
from rtfs_framework.api.targets import LocalPure, RemoteModel
from rtfs_framework.orchestrator.config.budgets import BudgetSpec, RateSpec, Scope
from rtfs_framework.orchestrator.config.load import load_config
from rtfs_framework.orchestrator.config.model import Config
from rtfs_framework.registry.load import load_catalog

OPENAI = '[delegation.remote_providers.openai]\nmodel = "m"\n'


@pytest.fixture
def load(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Config]:
    """Write the user's own file and a found one, and load them."""
    (tmp_path / "home").mkdir()
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")

    def made(own: str = "", found: str = "", *, tenant: str | None = None, **variables: str) -> Config:
        environ = {"RTFS_HOME": str(tmp_path / "home"), **variables}
        for folder, text in (("home", own), ("here", found)):
            file = tmp_path / folder / "delegation.toml"
            file.unlink(missing_ok=True)
            if text:
                file.write_text(text)
        faults: list[Any] = []
        config = load_config(None, tmp_path / "here", environ, load_catalog(environ), faults.append, tenant)
        assert faults == []
        return config

    return made


@pytest.mark.needs("rtfs-provider-openai")
def test_what_a_budget_and_a_rate_mean(load: Callable[..., Config]) -> None:
    config = load(
        f'{OPENAI}[budgets.daily]\nusd = 5\ntenant = "team-*"\ntarget = ["remote-openai", "local-*"]\n'
        'for_each = ["tenant", "model"]\n[budgets.run]\nper = "run"\ncalls = 10\ntokens = 1000\n'
        '[rates.openai]\ncalls = 60\ntokens = 90_000\nburst = 5\ntarget = "remote-openai"\nper = "second"\n'
        '[ledger]\nunknown_price = "dearest"\nmax_tokens = 256\nlease = "2 min"\n'
    )
    scope = Scope(tenant=("team-*",), target=("remote-openai", "local-*"))
    assert config.budgets == (
        BudgetSpec(name="daily", scope=scope, for_each=("tenant", "model"), usd=5.0),
        BudgetSpec(name="run", per="run", calls=10, tokens=1000),
    )
    rate = RateSpec(
        name="openai", scope=Scope(target=("remote-openai",)), calls=60, tokens=90_000, burst=5, per="second"
    )
    assert config.rates == (rate,)
    assert (config.ledger.unknown_price, config.ledger.max_tokens, config.ledger.lease) == ("dearest", 256, 120.0)


@pytest.mark.parametrize(
    ("text", "code", "part"),
    [
        ("[budgets.a]\nper = 'day'", "E0704", "limits nothing"),
        ("[rates.a]\nper = 'minute'", "E0704", "limits nothing"),
        ("[rates.a]\ntokens = 5\nburst = 2", "E0704", "burst of calls"),
        ("[budgets.a]\nusd = -1", "E0705", "usd"),
        ("[budgets.a]\nusd = 'five'", "E0703", "usd"),
        ("[budgets.a]\nusd = nan", "E0705", "finite"),
        ("[budgets.a]\ncalls = 1.5", "E0703", "calls"),
        ("[budgets.a]\ncalls = 1\nper = 'week'", "E0705", "week"),
        ("[budgets.a]\ncalls = 1\nfor_each = ['user']", "E0705", "user"),
        ("[budgets.a]\ncals = 1", "E0702", "cals"),
        ("[budgets.a]\ncalls = 1\ntarget = 'remote-opnai'", "E0706", "opnai"),
        ("[rates.a]\ncalls = 0", "E0705", "calls"),
        ("[budgets.a]\ncalls = 1\n[tenants.t.budgets.a]\ncalls = 1", "E0705", "every tenant"),
        ("[tenants.t.budgets.a]\ncalls = 1\ntenant = 'u'", "E0705", "that tenant's alone"),
        ("[tenants.'t*'.budgets.a]\ncalls = 1", "E0705", "pattern"),
        ("[tenants.t.static_routes]\nf = 'remote-nobody'", "E0706", "nobody"),
        ("[ledger]\nmax_tokens = 0", "E0705", "max_tokens"),
        ("[ledger]\nunknown_price = 'free'", "E0705", "free"),
        ("budgets = 5", "E0703", "budgets"),
    ],
)
def test_mistakes_have_their_place(load: Callable[..., Config], text: str, code: str, part: str) -> None:
    with pytest.raises(ConfigError) as error:
        load(text)
    assert all(each.span is not None for each in error.value.diagnostics)
    (found,) = (each for each in error.value.diagnostics if each.code == code)
    assert part in found.message


@pytest.mark.needs("rtfs-provider-openai")
def test_a_tenant_has_a_configuration_of_its_own(load: Callable[..., Config]) -> None:
    own = (
        f'{OPENAI}[delegation.static_routes]\nfa = "local-pure"\ng = "local-pure"\n[security]\ngrant = ["a"]\n'
        '[tenants.acme]\ngrant = ["crm.read"]\ndeny = ["g"]\n[tenants.acme.static_routes]\n"f*" = "remote-openai"\n'
        "[tenants.acme.budgets.day]\nusd = 1\n[tenants.acme.rates.slow]\ncalls = 1\n[tenants.other]\n"
    )
    general, acme, other = load(own), load(own, tenant="acme"), load(own, RTFS_TENANT="other")
    assert acme.routes == {"f*": (RemoteModel("openai"),), "g": (LocalPure(),)}, "they go before what they fit"
    assert (acme.security.grant, acme.security.deny) == (("a", "crm.read"), ("g",))
    assert [(each.name, each.scope.tenant) for each in acme.budgets] == [("day", ("acme",))]
    assert [each.name for each in acme.rates] == ["slow"]
    assert (acme.tenant, other.tenant, general.tenant) == ("acme", "other", "")
    for each in (other, general):
        assert (each.routes, each.security.grant, each.budgets) == (general.routes, ("a",), ())
    assert "fa" in general.routes


def test_an_unknown_tenant_is_refused_where_tenants_are_named(load: Callable[..., Config]) -> None:
    with pytest.raises(ConfigError) as error:
        load("[tenants.acme]\n", tenant="acne")
    (found,) = error.value.diagnostics
    assert (found.code, found.help) == ("E0719", "did you mean 'acme'?")
    assert load(tenant="anybody").tenant == "anybody"
    assert load("[tenants.acme]\n", tenant="", RTFS_TENANT="acme").tenant == "", "asked for nobody"
    for wrong in ("team-*", " a", "a\n", "x" * 201):
        with pytest.raises(ConfigError, match="E0719"):
            load(tenant=wrong)


def ignored(config: Config) -> list[str]:
    (notice,) = (each.message for each in config.notices if each.code == "E0715")
    return notice.partition("ignored in it: ")[2].split(", ")


def test_a_found_file_adds_budgets_and_lowers_amounts(load: Callable[..., Config], tmp_path: Path) -> None:
    found = (
        "[budgets.day]\nusd = 2\ncalls = 7\n[budgets.mine]\nusd = 1\nper = 'ever'\n"
        "[rates.r]\ncalls = 5\n[ledger]\nmax_tokens = 100\n"
    )
    config = load("[budgets.day]\nusd = 5\n[rates.r]\ncalls = 9\n", found)
    day, mine = config.budgets
    assert (day.usd, day.calls, day.origin) == (2.0, 7, "")
    assert (mine.usd, mine.per, mine.origin) == (1.0, "ever", str(tmp_path / "here" / "delegation.toml"))
    assert (config.rates[0].calls, config.ledger.max_tokens) == (5, 100)
    assert not [each for each in config.notices if each.code == "E0715"]


def test_a_file_that_was_asked_for_counts_in_one_place_however_it_is_named(
    load: Callable[..., Config], tmp_path: Path
) -> None:
    """Another spelling of its path is no new account, nor is a found file that speaks of its budget, too."""
    load("", "[budgets.day]\ncalls = 1000\n")
    (tmp_path / "asked.toml").write_text("[budgets.day]\nusd = 5\n")
    (tmp_path / "link.toml").symlink_to(tmp_path / "asked.toml")
    environ = {"RTFS_HOME": str(tmp_path / "home")}
    for name in ("../asked.toml", "../here/../asked.toml", "../link.toml"):
        config = load_config(Path(name), tmp_path / "here", environ, load_catalog(environ), lambda _: None)
        assert [(each.usd, each.calls) for each in config.budgets] == [(5.0, 1000)]
        assert [each.origin for each in config.budgets] == [str((tmp_path / "asked.toml").resolve())]


def test_a_budget_of_a_provider_that_is_ignored_is_ignored_with_it(load: Callable[..., Config]) -> None:
    text = "[delegation.remote_providers.evil]\nprovider = 'openai'\n[budgets.b]\ncalls = 1\ntarget = 'remote-evil'\n"
    config = load("", text)
    assert (config.budgets, ignored(config)) == ((), ["delegation.remote_providers.evil", "budgets.b"])
    with pytest.raises(ConfigError, match="E0706"):
        load("", "[budgets.b]\ncalls = 1\ntarget = 'remote-nobody'\n")


def test_a_found_file_neither_raises_nor_removes_nor_moves_what_is_the_users(load: Callable[..., Config]) -> None:
    own = "[budgets.day]\nusd = 5\n[rates.r]\ncalls = 9\n[tenants.t.budgets.t]\nusd = 1\n[ledger]\nmax_tokens = 50\n"
    found = (
        "[budgets.day]\nusd = 6\nper = 'hour'\nsymbol = 'nothing'\nfor_each = ['symbol']\n[budgets.t]\nusd = 9\n"
        "[rates.r]\ncalls = 10\nburst = 10\nper = 'second'\n[tenants.new]\ngrant = ['*']\n"
        "[ledger]\npath = '/tmp/x.sqlite'\nunknown_price = 'dearest'\nmax_tokens = 51\nlease = '1 h'\n"
    )
    config = load(own, found)
    assert (config.budgets, config.rates) == (load(own).budgets, load(own).rates)
    assert (set(config.tenants), config.ledger) == ({"t"}, load(own).ledger)
    text = load(own, found).notices[0].message
    assert "budgets.day.usd" in text
    assert text.endswith("more"), "there are many"
    config = load(own, "[tenants.new]\n[tenants.t.budgets.t]\nusd = 9\n")
    assert ignored(config) == ["tenants.new", "tenants.t"]
    config = load(own, "[budgets.t]\nusd = 9\n[budgets.day]\nper = 'month'\ncalls = 1\n")
    assert ignored(config) == ["budgets.t", "budgets.day.per"]
