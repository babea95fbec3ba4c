"""Engines made into a tree: what may be written, what is refused and where, and who reads what."""

from __future__ import annotations

import attrs
import pytest

from rtfs_framework.api import Children, ConfigError, DelegationPlan, EngineEntry, LocalModel, LocalPure, PlanSource
from rtfs_framework.registry.problems import Provenance

WHO = Provenance("acme-plugin", "1.2", "acme")


@attrs.frozen
class Own:
    weight: int = 1


class Node:
    """Asks those below it, in order; what the first has an opinion of counts."""

    def __init__(self, settings):
        self.settings = settings
        self.below = [child for named in settings.children.values() for child in named]

    def claims(self):
        return ()

    def decide(self, context):
        return next(filter(None, (child.decide(context) for child in self.below)), None)


class Routes:
    def __init__(self, settings):
        self.routes = settings.routes

    def claims(self):
        return tuple(self.routes)

    def decide(self, context):
        targets = self.routes.get(context.symbol)
        return targets and DelegationPlan(target=targets[0], reasoning="route", source=PlanSource.STATIC_ROUTE)


class Reads(Routes):
    def decide(self, context):
        assert context.args
        return super().decide(context)


class Fails(Routes):
    def decide(self, context):
        raise ZeroDivisionError


def entry(name, factory=Node, **more):
    return EngineEntry(name=name, summary="", factory=factory, **more)


ENTRIES = (
    entry("wrap", children=(Children("base"),), settings=Own),
    entry("steady", children=(Children("primary"), Children("fallback", many=True, required=False))),
    entry("begins", children=(Children("primary"), Children("escalate", True, False, instead_of="primary"))),
    entry("static", Routes),
    entry("fails", Fails),
    entry("reads", Reads),
)


@pytest.fixture
def loaded(kit):
    """Return a function that opens a session with a configuration."""
    catalog = attrs.evolve(
        kit.catalog(kit.provider("m", lambda _: "model")), engines={e.name: (e, WHO) for e in ENTRIES}
    )

    def load(text):
        return kit.open(catalog, text)

    return load


TREE = """
[delegation]
engine = "careful"
static_routes = { f = "local-m" }
[engines.careful]
plugin = "wrap"
base = "steady"
weight = 3
[engines.steady]
primary = "static"
fallback = ["local-pure"]
"""


def test_engines_are_made_from_the_leaves_up_and_claims_are_joined(loaded, source):
    with loaded(TREE) as session:
        delegator = session.host.dispatcher.delegator
        assert [each.name for each in delegator.engine.all()] == ["careful", "steady", "static"]
        assert delegator.may_claim("f")
        assert not delegator.may_claim("g")
        result = session.run(source("(defn f [x] :own) (defn main [x] (f x))"), ("x",))
    assert result.value == "model"
    plan = result.calls[0].decision.plan
    assert (plan.target, plan.source, plan.engine) == (LocalModel("m"), PlanSource.STATIC_ROUTE, "careful")
    assert ("static route", "left to the engine") in result.calls[0].decision.steps


def test_settings_and_children_reach_the_engine(loaded):
    with loaded(TREE) as session:
        top = session.host.dispatcher.delegator.engine.engine
        assert top.settings.own == Own(3)
        assert [(key, len(named)) for key, named in top.settings.children.items()] == [("base", 1)]
        (steady,) = session.host.dispatcher.delegator.engine.children
        assert [(key, len(named)) for key, named in steady.engine.settings.children.items()] == [
            ("primary", 1),
            ("fallback", 1),
        ]
        assert steady.engine.below[1].decide(None).target == LocalPure()


def test_what_a_child_reads_is_noted_for_the_whole(loaded, source):
    text = TREE.replace('primary = "static"', 'primary = "reads"')
    with loaded(text) as session:
        result = session.run(source("(defn f [x] :own) (defn main [x] (f x))"), ("x",))
    assert result.calls[0].decision.read == ("args",)


def test_a_fault_is_told_of_the_engine_whose_it_is(loaded, source):
    with loaded(TREE.replace('primary = "static"', 'primary = "fails"')) as session:
        assert str(session.run(source("(defn f [x] :own) (defn main [x] (f x))"), ("x",)).value) == ":own"
        (problem,) = session.problems
    assert "engine 'fails': `decide` failed: ZeroDivisionError" in problem.message


def test_another_engine_or_setting_is_another_policy(loaded):
    hashes = set()
    for text in (TREE, TREE.replace("weight = 3", "weight = 4"), TREE.replace('"static"', '"reads"')):
        with loaded(text) as session:
            hashes.add(session.host.policy_hash)
    assert len(hashes) == 3


REFUSED = [
    # the configuration, the code, what is said, what stands at the place
    ('engine = "statik"', "E0706", "no engine is called 'statik'", '"statik"', "did you mean 'static'?"),
    ('engine = "wrap"', "E0704", "the engine 'wrap' needs a table: it has no 'base'", '"wrap"', "[engines.wrap]"),
    ('engine = "a"\n[engines.a]\nplugin = "wrapp"\nbase = "static"', "E0706", "no engine is called 'wrapp'", '"wrapp"',
     "did you mean 'wrap'?"),
    ('[engines.a]\nbase = "static"', "E0706", "no engine is called 'a'", "[engines.a]", "`plugin = ...`"),
    ("[engines.a]\nplugin = 7", "E0703", "'plugin' must be a text", "7", ""),
    ('[engines.a]\nplugin = "wrap"', "E0704", "the key 'base' is missing", "[engines.a]", "add base = ..."),
    ('[engines.a]\nplugin = "begins"', "E0704", "the key 'primary' is missing", "[engines.a]",
     "add primary = ..., or escalate = ..."),
    ('[engines.a]\nplugin = "begins"\nprimary = "static"\nescalate = ["static"]', "E0705", "both are here", "escalate",
     "leave one of the two out"),
    ('[engines.a]\nplugin = "wrap"\nbase = "stattic"', "E0706", "'stattic' is no engine and no target", '"stattic"',
     "did you mean 'static'?"),
    ('[engines.a]\nplugin = "wrap"\nbase = "local-n"', "E0706", "'local-n' is no engine and no target", '"local-n"',
     "did you mean 'local-m'?"),
    ('[engines.a]\nplugin = "wrap"\nbase = ["static"]', "E0703", "'base' must be a name", '["static"]', ""),
    ('[engines.a]\nplugin = "steady"\nprimary = "static"\nfallback = [1]', "E0703", "must be a list of names", "[1]",
     ""),
    ('[engines.a]\nplugin = "steady"\nprimary = "static"\nfallback = ["static", "nope"]', "E0706",
     "'nope' is no engine", '"nope"', "known: "),
    ('[engines.a]\nplugin = "wrap"\nbase = "static"\nwait = 1', "E0702", "unknown key 'wait'", "wait", "weight"),
    ('[engines.a]\nplugin = "wrap"\nbase = "static"\nbass = "static"', "E0702", "unknown key 'bass'", "bass", "'base'"),
    ('[engines.a]\nplugin = "wrap"\nbase = "a"', "E0706", "the engine 'a' is above itself: a -> a", '"a"', ""),
    ('[engines.a]\nplugin = "wrap"\nbase = "b"\n[engines.b]\nplugin = "wrap"\nbase = "a"', "E0706",
     "the engine 'a' is above itself: a -> b -> a", '"a"', ""),
    ('[engines.static]\nplugin = "wrap"\nbase = "reads"', "E0706", "'static' is the name of an installed engine",
     "[engines.static]", "choose another name"),
    ('[engines.local-m]\nplugin = "static"', "E0706", "'local-m' is the name of a target", "[engines.local-m]", ""),
]  # fmt: skip


@pytest.mark.parametrize(("text", "code", "said", "marked", "way_out"), REFUSED)
def test_what_leads_nowhere_is_refused_with_its_place(loaded, text, code, said, marked, way_out):
    with pytest.raises(ConfigError) as raised:
        loaded(f"[delegation]\n{text}\n")
    (found,) = raised.value.diagnostics
    assert found.code == code
    assert said in found.message
    assert way_out in (found.help or "")
    at = found.source.text[found.span.start : found.span.end]
    assert at in marked
    assert at


def test_every_mistake_is_told(loaded):
    with pytest.raises(ConfigError) as raised:
        loaded('[engines.a]\nplugin = "wrap"\nbase = "x"\n[engines.b]\nplugin = "wrap"\nbase = "y"\n')
    assert len(raised.value.diagnostics) == 2


def test_engines_that_nest_too_deeply_are_refused(loaded):
    tables = "".join(f'[engines.e{n}]\nplugin = "wrap"\nbase = "e{n + 1}"\n' for n in range(300))
    with pytest.raises(ConfigError, match="engines nest deeper than 32 levels"):
        loaded(f'[delegation]\nengine = "e0"\n{tables}[engines.e300]\nplugin = "static"\n')
