"""What becomes of a call, target by target; and caches and engines that break on the way."""

from __future__ import annotations

import attrs
import pytest

from rtfs_framework.api import (
    Ask,
    CacheEntry,
    CacheLevel,
    Capability,
    DelegationPlan,
    Deny,
    LocalModel,
    PlanSource,
    PluginError,
    ProgramError,
    RemoteModel,
)
from rtfs_framework.lang.values import Keyword
from rtfs_framework.orchestrator.recording.journal import query

PROGRAM = """
(defn ai-guess [x] (str "own " x))
(defn main [x] (try (ai-guess x) (catch _ e (:kind e))))
"""


def run(kit, source, catalog, config="", text=PROGRAM, args=("x",), **options):
    with kit.open(catalog, config, **options) as session:
        return session.run(source(text), args)


def test_a_denied_function_is_a_violation_with_the_way_out(kit, source):
    config = '[security]\ndeny = ["ai-*"]\n'
    result = run(kit, source, kit.catalog(), config)
    assert result.value == "SecurityViolation"
    assert (result.calls[0].target, result.calls[0].refused) == ("denied", True)
    assert "remove it from deny under [security]" in result.calls[0].error
    assert result.summary.refused == 1


def test_the_own_body_runs_where_the_plan_says_so_and_is_written_down(kit, source):
    result = run(kit, source, kit.catalog(), '[delegation.static_routes]\n"ai-*" = "local-pure"\n')
    assert result.value == "own x"
    assert result.calls[0].target == "local-pure"
    (entry,) = query.entries_of(kit.journal, result.run_id)
    assert entry["decision"]["steps"] == [
        ["deny", "no rule"],
        ["hint", "none"],
        ["static route", "route 'ai-*' -> local-pure"],
    ]


@pytest.mark.parametrize("then", [Deny("no"), Ask("boss"), "remote"])
def test_a_person_is_asked_about_a_place_to_run_and_nothing_else(kit, source, fake_engine, then):
    with kit.open(kit.catalog(engine=fake_engine(Ask("boss", then), ("ai-*",)))) as session:
        assert session.run(source(PROGRAM), ("x",)).value == "own x"
        (problem,) = session.problems
    assert "leads nowhere" in problem.message or "whose target is a str" in problem.message


def test_an_engine_may_send_a_call_to_a_capability_that_is_granted(kit, source, fake_engine, capability):
    guess = capability("ai.guess", lambda request: f"cap {request.args[0]}")
    catalog = kit.catalog(engine=fake_engine(Capability("ai.guess"), ("ai-*",)), capabilities=[guess])
    assert run(kit, source, catalog).value == "SecurityViolation"
    assert run(kit, source, catalog, "[security]\ngrant = ['ai.guess']\n").value == "cap x"


@pytest.mark.parametrize(
    ("hint", "expected"),
    [
        ('{:target "m"}', "model"),
        ('{:target "local-m"}', "model"),
        ('{:target "local-pure"}', "own"),
        ('{:target "r"}', "remote"),
        (":local", "own"),
    ],
)
def test_the_map_form_of_a_hint_names_any_configured_target(kit, source, hint, expected):
    catalog = kit.catalog(kit.provider("m", lambda _: "model"), kit.provider("r", lambda _: "remote", remote=True))
    text = f'(defn ^:delegation {hint} f [x] :string "own")\n(defn main [x] (f x))'
    assert run(kit, source, catalog, text=text).value == expected


class Asks:
    """Consults a model named in its making, then sends the call where the answer says."""

    def __init__(self, target):
        self.target = target
        self.answers = []

    def claims(self):
        return ("ai-*",)

    def decide(self, context):
        answer = context.consult(self.target, f"where does {context.symbol} belong?")
        self.answers.append(answer)
        target = LocalModel(answer) if answer else LocalModel("fallback")
        return DelegationPlan(target=target, reasoning=f"heard '{answer}'", source=PlanSource.ENGINE)


JUDGE = LocalModel("judge")


def consulted(kit, judge, target=JUDGE):
    engine = Asks(target)
    models = (kit.provider("m", lambda _: "model"), kit.provider("fallback", lambda _: "fallback"))
    return engine, kit.catalog(judge, *models, engine=engine)


def test_an_engine_is_told_what_the_model_said_that_it_wanted_to_hear(kit, source):
    engine, catalog = consulted(kit, kit.provider("judge", lambda request: "m"))
    result = run(kit, source, catalog)
    assert (result.value, engine.answers) == ("model", ["m"])
    assert kit.providers["judge"].requests[0].messages[0].content == "where does ai-guess belong?"
    assert ("consult", "local-model judge: answered") in result.calls[1].decision.steps


def test_a_consultation_that_fails_leaves_the_engine_to_decide(kit, source):
    engine, catalog = consulted(kit, kit.provider("judge", lambda _: ConnectionError("down")))
    with kit.open(catalog) as session:
        assert session.run(source(PROGRAM), ("x",)).value == "fallback"
        assert "provider 'judge': answering failed" in session.problems[0].message
    assert engine.answers == [None]


def test_a_consultation_respects_reach(kit, source):
    judge = kit.provider("judge", lambda _: "m", remote=True)
    engine, catalog = consulted(kit, judge, RemoteModel("judge"))
    assert run(kit, source, catalog, '[security]\nreach = "local"\n').value == "fallback"
    assert not kit.providers["judge"].requests
    assert engine.answers == [None]


def test_explain_says_that_a_model_would_be_consulted(kit, source):
    _, catalog = consulted(kit, kit.provider("judge", lambda _: "m"))
    with kit.open(catalog) as session:
        (site,) = [site for site in session.explain(source(PROGRAM)) if site.name == "ai-guess"]
    assert site.target == "decided when called"
    assert "local-model judge" in site.reasoning
    assert not kit.providers["judge"].requests


@pytest.mark.parametrize("broken", ["get", "put", "close", "stats"])
def test_a_reply_cache_that_breaks_costs_only_its_savings(kit, source, monkeypatch, broken):
    text = '(defn ^:delegation :local-model "m" f [x] :string "")\n(defn main [x] [(f x) (f x)])'
    catalog = kit.catalog(kit.provider("m", lambda _: "ok", deterministic=True), l2=True)

    def fails(*_):
        raise OSError("disk")

    monkeypatch.setattr(kit.layers["l2"], broken, fails)
    with kit.open(catalog) as session:
        assert session.run(source(text), ("x",)).value == ("ok", "ok")
        assert ("l2" in session.cache_stats()) is (broken == "close")
        assert len(session.problems) == (broken != "close")


def test_a_cache_that_cannot_be_made_is_reported_and_left_out(kit, source):
    def broken(_settings):
        raise OSError("no folder")

    entry = CacheEntry(name="l2", summary="Broken.", level=CacheLevel.L2, factory=broken, persistent=True)
    catalog = kit.catalog(kit.provider("m", lambda _: "ok"))
    catalog = attrs.evolve(catalog, caches={"l2": (entry, next(iter(catalog.providers.values()))[1])})
    with kit.open(catalog) as session:
        assert session.host.caches.stats() == {}
        assert "no folder" in session.problems[0].message


def test_an_engine_that_cannot_be_made_stops_the_start(kit):
    catalog = kit.catalog(kit.provider("m", lambda _: "model"), engine=object())
    with pytest.raises(PluginError, match=r"acme-plugin 1\.2: engine 'static': its factory returned a") as stopped:
        kit.open(catalog)
    assert stopped.value.code == "E0809"
    assert "choose another [delegation] engine" in stopped.value.way_out


def test_a_function_made_while_running_is_delegated_too(kit, source):
    text = '(defn main [x] (map (fn ^:delegation :local-model "m" [y] :string "") [x x]))'
    assert run(kit, source, kit.catalog(kit.provider("m", lambda _: "ok")), text=text).value == ("ok", "ok")


def test_a_model_call_inside_a_model_calls_own_body_works(kit, source):
    text = """
    (defn ai-outer [x] (str "outer " (inner x)))
    (defn ^:delegation :local-model "m" inner [x] :string "")
    (defn main [x] (ai-outer x))
    """
    result = run(kit, source, kit.catalog(kit.provider("m", lambda _: "ok")), '[security]\ndeny=["zzz"]\n', text)
    assert result.value == "outer ok"


def test_a_plan_can_be_caught_like_any_other_error(kit, source):
    text = '(defn ^:delegation :local-model "m" f [x] :int 0)\n(defn main [x] (f x))'
    with pytest.raises(ProgramError) as caught:
        run(kit, source, kit.catalog(kit.provider("m", lambda _: "many")), text=text)
    assert caught.value.kind == "TypeValidationError"
    assert caught.value.value.span == "test.rtfs:2:16"


@pytest.mark.needs("rtfs-engine-static", "rtfs-provider-echo", "rtfs-cache-l1", "rtfs-cache-l2")
def test_the_installed_plugins_work_together_and_remember_across_sessions(kit, source):
    from rtfs_framework.orchestrator.session import Session

    text = '(defn ^:delegation :local-model "echo" f [x] : [:enum :a :b] :a)\n(defn main [x] (f x))'
    for expected in ({}, {"l2": 1}):
        with Session.open(environ=kit.environ) as session:
            result = session.run(source(text), ("b",))
            assert result.value == Keyword("b")
            assert result.summary.cache_hits == expected
            assert session.problems == ()
