"""Rules that do nothing: which are told and where, and which are not because somebody may mean them."""

from __future__ import annotations

import attrs
import pytest

from rtfs_framework.api import EngineEntry
from rtfs_framework.lang.source import Source
from rtfs_framework.registry.problems import Provenance

WHO = Provenance("acme-plugin", "1.2", "acme")


@pytest.fixture
def opened(kit, capability):
    """Return a function that opens a session with a configuration; its host offers fs.read, fs.write and a model."""
    handlers = [capability(name, lambda _: 1) for name in ("fs.read", "fs.write")]
    catalog = kit.catalog(kit.provider("m", lambda _: "model"), capabilities=handlers)
    engines = {name: (EngineEntry(name=name, summary="", factory=Silent), WHO) for name in ("static", "spare")}

    def load(text, tenant="", **more):
        return kit.open(attrs.evolve(catalog, engines=engines, **more), text, tenant=tenant)

    return load


class Silent:
    def __init__(self, settings):
        self.claimed = tuple(settings.routes)

    def claims(self):
        return self.claimed

    def decide(self, context):
        return None


def told(session):
    return [each for each in session.host.config.notices if each.code == "E0708"]


IDLE = [
    # the configuration, what is said, what stands at the place, the way out
    ('[security]\ngrant = ["fs.read", "fs.raed"]', "grant 'fs.raed' fits no capability", '"fs.raed"', "'fs.read'"),
    ('[security]\ngrant = ["net.*"]', "grant 'net.*' fits no capability", '"net.*"', "known: fs.read, fs.write"),
    ('[tenants.acme]\ngrant = ["fs.writ"]', "grant 'fs.writ'", '"fs.writ"', "'fs.write'"),
    ('[engines.mine]\nplugin = "spare"', "the engine 'mine' never decides", "mine", 'engine = "mine"'),
    ('[tenants.acme]\n[budgets.b]\nusd = 1\ntenant = "acem"', "'acem' fits no tenant", '"acem"', "'acme'"),
    ('[budgets.b]\nusd = 1\nengine = ["statik"]', "'statik' fits no engine", '"statik"', "'static'"),
    ('[rates.r]\ncalls = 1\ntarget = "remote-*"', "'remote-*' fits no target", '"remote-*"', "local-m"),
    ('[tenants.acme.budgets.b]\nusd = 1\nengine = "statik"', "'statik' fits no engine", '"statik"', "'static'"),
    ('[budgets.b]\nusd = 1\nused_up = "wait"\nper = "ever"', 'a budget per "ever" is never renewed', '"wait"', "day"),
    ("[prices.gpt]\ninput = 1.0", "the price of 'gpt' is that of no model that is configured", "gpt", "known: m, m/m"),
    ('[tenants.acme.budgets.b]\nusd = 1\nper = "run"\nused_up = "wait"', 'per "run" is never', '"wait"', "hour"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "said", "marked", "way_out"), IDLE)
def test_a_rule_that_fits_nothing_is_told_at_its_place(opened, text, said, marked, way_out):
    with opened(text + "\n") as session:
        (found,) = told(session)
    assert found.severity == "warning"
    assert said in found.message
    assert way_out in found.help
    assert found.source.text[found.span.start : found.span.end] == marked


@pytest.mark.parametrize(
    "text",
    [
        '[security]\ngrant = ["fs.read", "fs.*", "*"]\ndeny = ["whatever"]',
        '[delegation]\nstatic_routes = { f = "local-m" }',
        '[delegation]\nengine = "mine"\n[engines.mine]\nplugin = "spare"',
        "[engines.static]",
        '[budgets.b]\nusd = 1\ntenant = "acme"\nengine = "static"\ntarget = ["local-m", "local-*"]\nmodel = "x"',
        '[tenants.acme]\n[budgets.b]\nusd = 1\ntenant = ["a*"]\nsymbol = "nobody"',
        '[budgets.b]\nusd = 1\nused_up = "wait"\nper = "hour"\n[budgets.c]\nusd = 1\nused_up = "wait"',
        '[budgets.b]\nusd = 1\nper = "ever"\nused_up = "refuse"',
    ],
)
def test_what_fits_something_or_may_is_not(opened, text):
    with opened(text + "\n") as session:
        assert not told(session)


def test_where_plug_ins_are_left_out_grants_are_not_judged(opened):
    with opened('[security]\ngrant = ["net.get"]\n', restricted=True) as session:
        assert not told(session)


BOUNDED = '[tenants.acme.budgets.b]\nusd = 1\n[tenants.other]\ngrant = ["fs.read"]\n'


def test_that_no_tenant_is_named_is_told_where_tenants_are_bounded(opened):
    with opened(BOUNDED, tenant=None) as session:
        (found,) = told(session)
    assert (found.code, found.severity) == ("E0708", "warning")
    assert "the budgets, rates and denials of acme do not count" in found.message
    assert "--tenant" in found.help


@pytest.mark.parametrize(
    ("text", "tenant"), [(BOUNDED, "acme"), (BOUNDED, ""), ('[tenants.other]\ngrant = ["fs.read"]\n', None)]
)
def test_it_is_not_told_to_who_says_for_whom_nor_where_nothing_is_bounded(opened, text, tenant):
    with opened(text, tenant=tenant) as session:
        assert not told(session)


PROGRAM = Source("p.rtfs", "(defn draft [x] x) (defn main [x] (draft x))")


@pytest.mark.parametrize(
    ("text", "said", "marked"),
    [
        ('[delegation]\nstatic_routes = { draught = "local-m" }', "'draught' fits no function", "draught"),
        ('[delegation]\nstatic_routes = { "ai-*" = "local-m" }', "'ai-*' fits no function", '"ai-*"'),
        ('[security]\ndeny = ["fs.read", "draft", "fs.raed"]', "'fs.raed' fits no function of this program, and no cap",
         '"fs.raed"'),
        ('[budgets.b]\nusd = 1\nsymbol = "drafts"', "'drafts' fits no function", '"drafts"'),
    ],
)  # fmt: skip
def test_checking_a_program_hints_at_rules_for_none_of_its_functions(opened, text, said, marked):
    with opened(text + "\n") as session:
        assert not told(session)
        (found,) = [each for each in session.check(PROGRAM) if each.code == "E0708"]
    assert (found.severity, found.source.text[found.span.start : found.span.end]) == ("hint", marked)
    assert said in found.message


def test_a_denial_by_an_alias_means_a_capability(opened, capability):
    entry = capability("fs.read", lambda _: 1, aliases=("ccos.file.read",))
    text = '[security]\ndeny = ["ccos.file.read", "ccos.file/read", "ccos.file.raed"]\n'
    with opened(text, capabilities={"fs.read": (entry, WHO)}) as session:
        (found,) = [each for each in session.check(PROGRAM) if each.code == "E0708"]
    assert "'ccos.file.raed' fits no function of this program, and no capability" in found.message


def test_a_run_warns_of_a_near_miss_only_where_nothing_speaks_of_the_function(opened):
    text = '[delegation]\nstatic_routes = { drafts = "local-m", other = "local-m"%s }\n'
    with opened(text % "") as session:
        (found,) = session.link(PROGRAM).warnings
        assert (found.severity, found.help) == ("warning", "did you mean 'draft'?")
    with opened(text % ', "dra*" = "local-m"') as session:
        assert not session.link(PROGRAM).warnings
