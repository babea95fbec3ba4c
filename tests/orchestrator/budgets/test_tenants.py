"""Two tenants never share a reply, a plan, an answer to a question or a budget; every record names its tenant."""

from __future__ import annotations

import pytest

from rtfs_framework.api import DelegationPlan, InferenceReply, LocalModel, PlanSource, Usage
from rtfs_framework.lang.errors import ProgramError
from rtfs_framework.orchestrator.recording.journal import query

PROGRAM = '(defn ^:delegation :local-model "m" f [x] x)\n(f "a")'
PLAIN = '(defn f [x] x)\n(f "a")'


@pytest.fixture
def opened(kit, fake_engine):
    """Return a function that opens a tenant's session; caches and plug-ins are the same for all."""

    class Engine(fake_engine):
        def decide(self, context):
            self.asked.append(context.tenant)
            said = context.consult(LocalModel("m"), "which?")
            return DelegationPlan(
                target=LocalModel("m"), reasoning=str(said), source=PlanSource.ENGINE, engine="fake"
            )  # fmt: skip

    answer = lambda _: InferenceReply(text="yes", usage=Usage(1, 1))  # noqa: E731 - one line is enough
    model = kit.provider("m", answer, deterministic=True, order_independent=True)
    catalog = kit.catalog(model, engine=Engine(claimed=("f",)), l1=True, l2=True)

    def made(tenant, config="", **options):
        return kit.open(catalog, config, tenant=tenant, **options)

    made.requests = kit.providers["m"].requests
    made.engine = kit.engine
    made.kit = kit
    return made


def ask(opened, source, tenant, program=PROGRAM):
    with opened(tenant) as session:
        return session.run(source(program))


def test_no_reply_is_shared(opened, source) -> None:
    for tenant in ("", "a", "b", "a", "b", ""):
        assert ask(opened, source, tenant).value == "yes"
    assert len(opened.requests) == 3, "each paid for itself, once"


def test_no_answer_to_an_engines_question_is_shared(opened, source) -> None:
    for tenant in ("", "a", "b", "a", "b", ""):
        ask(opened, source, tenant, PLAIN)
    questions = [each for each in opened.requests if each.args == ("which?",)]
    assert len(questions) == 3


def test_no_plan_is_shared(kit, fake_engine, source) -> None:
    engine = fake_engine(LocalModel("m"), claimed=("f",))
    catalog = kit.catalog(kit.provider("m", lambda _: "yes"), engine=engine, l1=True)
    seen = []
    for tenant in ("", "a", "b", "a", "b", ""):
        with kit.open(catalog, tenant=tenant) as session:
            session.run(source(PLAIN))
        seen.append(len(kit.layers["l1"].records))
    assert seen == [1, 2, 3, 3, 3, 3], "each has a place of its own, and finds it again"


def test_rules_in_force_differ_by_tenant(opened) -> None:
    found = []
    for tenant in ("", "a", "b"):
        with opened(tenant) as session:
            found.append((session.host.policy_hash, session.host.dispatcher.delegator.runtime_context_hash))
    assert len({policy for policy, _ in found}) == len({rules for _, rules in found}) == 3


def test_budgets_apart_are_each_tenants_own_and_one_for_all_is_shared(opened, source) -> None:
    config = (
        "[delegation.local_models.m]\nprovider = 'm'\nreuse = 'never'\n"
        "[budgets.each]\nfor_each = ['tenant']\ncalls = 1\n"
    )
    for tenant in ("a", "b", ""):
        with opened(tenant, config) as session:
            assert session.run(source(PROGRAM)).value == "yes"
            with pytest.raises(ProgramError, match="'each'"):
                session.run(source(PROGRAM))
    config = config.replace("for_each = ['tenant']\n", "").replace("each]", "all]")
    with opened("a", config) as session:
        session.run(source(PROGRAM))
    with opened("b", config) as session, pytest.raises(ProgramError, match="'all'"):
        session.run(source(PROGRAM))


def test_a_tenants_own_rules_hold_for_it_alone(opened, source) -> None:
    config = "[tenants.a]\ndeny = ['f']\n[tenants.b]\n"
    with opened("a", config) as session, pytest.raises(ProgramError, match="denied by 'f'"):
        session.run(source(PROGRAM))
    with opened("b", config) as session:
        assert session.run(source(PROGRAM)).value == "yes"


def test_records_name_the_tenant(opened, source, kit) -> None:
    result = ask(opened, source, "acme")
    assert result.summary.tenant == "acme"
    assert result.summary.to_json()["tenant"] == "acme"
    (run,) = query.list_runs(kit.journal, 10)
    assert run.tenant == "acme"
    assert ask(opened, source, "").summary.tenant == ""


def test_the_engine_reads_the_tenant(opened, source) -> None:
    ask(opened, source, "acme", PLAIN)
    assert set(opened.engine.asked) == {"acme"}
