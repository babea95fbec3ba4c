"""A run is gone on with under what was allowed when it began and is allowed today, and never under more."""

from __future__ import annotations

import attrs
import pytest

from rtfs_framework.api import CapabilityGrant, DelegationMetadata, ProgramError
from rtfs_framework.orchestrator.config.grants import ArgumentGrant
from rtfs_framework.orchestrator.config.isolation import ChildSpec, Isolation
from rtfs_framework.orchestrator.config.security import Kept, Quota, Reach, RuntimeContext, SecurityLevel
from rtfs_framework.orchestrator.config.signed import Signed
from rtfs_framework.orchestrator.deciding.security import SecurityAuthorizer
from rtfs_framework.orchestrator.recording.purse import Purse
from rtfs_framework.orchestrator.running.narrowing import Narrowing, narrower
from rtfs_framework.orchestrator.running.restoring import purse_of, restored, told

DATA = ArgumentGrant("fs.read", CapabilityGrant(None, "/here"), {"roots": ["./data"]})
ELSEWHERE = attrs.evolve(DATA, grant=CapabilityGrant(None, "/there"))
ALL = ArgumentGrant("fs.read", CapabilityGrant(None, "/here"), {"roots": ["/"]})
USUAL = RuntimeContext(level=SecurityLevel.CONTROLLED, grant=("a", "fs.read"), arguments=(DATA,), reach=Reach.LOCAL)


def gone_on(kit, then, today):
    """Return the rules under which a run goes on that began under some rules, on a host of other ones."""
    with kit.open() as session:
        host = attrs.evolve(session.host, config=attrs.evolve(session.host.config, security=today))
        found = restored(host, told(then))
        assert found.dispatcher.capabilities.security.rules == found.config.security or found is host
        assert (found is host) == (found.config.security == today)
        return found.config.security


def test_equal_rules_are_the_host_s_own(kit):
    assert gone_on(kit, USUAL, USUAL) is USUAL


@pytest.mark.parametrize(
    ("change", "has"),
    [
        ({"level": SecurityLevel.FULL}, {"level": SecurityLevel.CONTROLLED, "grant": ("a", "fs.read")}),
        ({"level": SecurityLevel.PURE}, {"level": SecurityLevel.PURE}),
        ({"reach": Reach.REMOTE}, {"reach": Reach.LOCAL}),
        ({"reach": Reach.PURE}, {"reach": Reach.PURE}),
        ({"grant": ("a", "b", "fs.read")}, {"grant": ("a", "fs.read")}),
        ({"grant": ("*",)}, {"grant": ("a", "fs.read")}),
        ({"grant": ("a",)}, {"grant": ("a",)}),
        ({"deny": ("x",)}, {"deny": ("x",)}),
        ({"isolation": Isolation.SANDBOXED}, {"isolation": Isolation.SANDBOXED}),
        ({"arguments": (ALL,)}, {"arguments": ()}),
        ({"arguments": (DATA, ALL)}, {"arguments": (DATA,)}),
        ({"arguments": (ELSEWHERE,)}, {"arguments": (), "gone": {"fs.read"}}),
        ({"quota": Quota(usd=1.0)}, {"quota": Quota(usd=1.0)}),
        ({"acl": {"a": ("me",)}}, {"acl": {"a": ("me",)}}),
        ({"child": ChildSpec(read=("/etc",))}, {"child": ChildSpec()}),
    ],
)
def test_wider_rules_of_today_add_nothing_and_narrower_ones_count(kit, change, has):
    found = gone_on(kit, USUAL, attrs.evolve(USUAL, **change))
    assert {name: getattr(found, name) for name in has} == has


@pytest.mark.parametrize(
    ("change", "has"),
    [
        ({"deny": ("x",)}, {"deny": ("x",)}),
        ({"isolation": Isolation.ISOLATED}, {"isolation": Isolation.ISOLATED}),
        ({"quota": Quota(usd=0.5, calls=3)}, {"quota": Quota(usd=0.5, calls=3)}),
        ({"gone": frozenset({"a"})}, {"gone": frozenset({"a"})}),
        ({"before": (Kept({"a": ("x",)}, "y"),)}, {"before": (Kept({"a": ("x",)}, "y"),)}),
        ({"level": SecurityLevel.PURE}, {"level": SecurityLevel.PURE}),
        ({"level": SecurityLevel.FULL, "grant": ()}, {"level": SecurityLevel.CONTROLLED, "grant": ("a", "fs.read")}),
    ],
)
def test_what_is_gone_today_still_counts(kit, change, has):
    found = gone_on(kit, attrs.evolve(USUAL, **change), USUAL)
    assert {name: getattr(found, name) for name in has} == has


@pytest.mark.parametrize(
    ("then", "today", "may"),
    [
        (({"a": ("ann",)}, "ann"), ({"a": ("ann",)}, "ann"), True),
        (({"a": ("ann",)}, "ann"), ({"a": ("ann",)}, "bob"), False),
        (({"a": ("ann",)}, "ann"), ({"a": ("bob",)}, "ann"), False),
        (({"*": ("bob",)}, "ann"), ({"a": ("ann",)}, "ann"), False),
        (({}, "ann"), ({"a": ("ann",)}, "bob"), False),
        (({"a": ("ann", "x*")}, "x1"), ({"*": ("x1",)}, "x1"), True),
        (({"a": ("ann",)}, "bob"), ({}, "bob"), False),
    ],
)
def test_who_may_use_a_capability_must_have_been_let_then_and_be_let_today(kit, then, today, may):
    with kit.open() as session:
        rules = attrs.evolve(USUAL, acl=today[0], agent=today[1])
        host = attrs.evolve(session.host, config=attrs.evolve(session.host.config, security=rules))
        found = restored(host, told(attrs.evolve(USUAL, acl=then[0], agent=then[1])))
        security = SecurityAuthorizer(found.config.security)
        assert (security.authorize_capability("a") is None) == may


def test_a_grant_that_says_something_else_today_grants_nothing(kit):
    """Neither what it says today, nor what it said, nor what its bare name would."""
    found = gone_on(kit, USUAL, attrs.evolve(USUAL, arguments=(ALL,)))
    why = SecurityAuthorizer(found).authorize_capability("fs.read")
    assert why is not None
    assert "not those under which the run began" in why.reason
    bare = gone_on(kit, USUAL, attrs.evolve(USUAL, arguments=()))
    assert SecurityAuthorizer(bare).authorize_capability("fs.read") is not None


def test_another_machine_has_its_own_folders(kit):
    with kit.open() as session:
        rules = attrs.evolve(USUAL, arguments=(ELSEWHERE,))
        host = attrs.evolve(session.host, config=attrs.evolve(session.host.config, security=rules))
        assert restored(host, {**told(USUAL), "machine": "another"}).config.security.arguments == (ELSEWHERE,)


def test_what_kept_no_rules_goes_on_under_those_of_today(kit):
    with kit.open() as session:
        assert restored(session.host, {}) is session.host


@pytest.mark.parametrize(
    ("quota", "given", "left"),
    [
        (Quota(), None, None),
        (Quota(usd=0.5), None, (0.5, None, None)),
        (Quota(usd=0.5, tokens=10), Purse(nano=10**9, tokens=3, calls=2), (0.5, 3, 2)),
        (Quota(calls=1), Purse(calls=5), (None, None, 1)),
    ],
)
def test_a_quota_bounds_what_an_asker_allows(quota, given, left):
    made = purse_of(quota, given)
    assert (None if made is None else made.left) == left


PAID = '(defn ask [x] "what") (defn main [] [(ask 1) (ask 2) (ask 3)])'
QUOTA = """
[security.quota]
calls = 2
[delegation.local_models.paid]
provider = "paid"
[delegation]
static_routes = { ask = "local-paid" }
"""


def test_no_run_asks_for_more_than_its_quota(kit):
    """What is beyond it is answered by the functions' own bodies, as with every other bound; each run has its own."""
    provider = kit.provider("paid", lambda _: "fine")
    with kit.open(kit.catalog(provider), QUOTA) as session:
        for asked in (2, 4):
            result = session.run(PAID, entry="main")
            assert result.value == ("fine", "fine", "what")
            assert "left of what its asker allows" in result.calls[-1].attempts[0].attempt.reason
            assert len(kit.providers["paid"].requests) == asked


class Reads:
    """An engine that notes what is said of calls."""

    def __init__(self):
        self.facts = []

    def claims(self):
        return ("f",)

    def decide(self, context):
        self.facts.append(dict(context.metadata.context))


@pytest.mark.parametrize(
    ("said", "facts"),
    [
        (None, {"intent": "triage"}),
        (DelegationMetadata(context={"who": "me"}), {"intent": "triage", "who": "me"}),
        (DelegationMetadata(context={"intent": "mine"}), {"intent": "mine"}),
    ],
)
def test_the_intent_is_among_what_is_said_of_calls(kit, said, facts):
    engine = Reads()
    with kit.open(kit.catalog(engine=engine), '[security]\nintent = "triage"\n') as session:
        session.run("(defn f [x] x) (f 1)", metadata=said)
    assert engine.facts == [facts]


ACL = """
[security]
agent = "{agent}"
grant = ["fs.read", "log"]
acl = {{ "fs.*" = ["ops-*", "root"], "nothing" = [] }}
"""


@pytest.mark.parametrize(("agent", "may"), [("ops-7", True), ("root", True), ("intern", False), ("", False)])
def test_a_capability_may_be_kept_for_agents(kit, capability, agent, may):
    offered = kit.catalog(capabilities=[capability("fs.read", lambda request: 1), capability("log", lambda request: 2)])
    with kit.open(offered, ACL.format(agent=agent)) as session:
        assert session.run("(call :log 1)").value == 2
        if may:
            assert session.run("(call :fs.read 1)").value == 1
        else:
            with pytest.raises(Exception, match="is kept for other agents"):
                session.run("(call :fs.read 1)")


SPENDS = """
(defn ^:delegation :remote "m" ask [x : :string] : :string "own")
(defn main [] [(ask "1") (ask "2") (call :put "1") (ask "3") (ask "4")])
"""


@pytest.mark.parametrize("moment", [7, 9, 11])
def test_what_was_spent_before_a_crash_counts(world, moment):
    """A quota is of the run, however many processes it takes."""
    world.config = "[security.quota]\ncalls = 3\n"

    def work():
        with world.open() as session:
            session.run(SPENDS, entry="main")

    assert not world.die_at(moment, work)
    assert len(world.effects) >= 2
    with pytest.raises(ProgramError, match="more calls than is left"):
        world.settle(world.run)
    assert len({key for name, key, _ in world.effects if name == "model"}) == 3


@pytest.mark.parametrize(
    ("text", "rules"),
    [
        ('preset = "pure"', (SecurityLevel.PURE, Reach.PURE, Isolation.INHERIT)),
        ('preset = "sandboxed"', (SecurityLevel.CONTROLLED, Reach.LOCAL, Isolation.SANDBOXED)),
        ('preset = "full"', (SecurityLevel.FULL, Reach.REMOTE, Isolation.INHERIT)),
        ('preset = "sandboxed"\nreach = "remote"', (SecurityLevel.CONTROLLED, Reach.REMOTE, Isolation.SANDBOXED)),
        ('level = "pure"\npreset = "full"', (SecurityLevel.PURE, Reach.REMOTE, Isolation.INHERIT)),
        ("", (SecurityLevel.CONTROLLED, Reach.REMOTE, Isolation.INHERIT)),
    ],
)
def test_a_preset_is_what_nothing_else_says(kit, text, rules):
    with kit.open(config=f"[security]\n{text}\n") as session:
        found = session.host.config.security
        assert (found.level, found.reach, found.isolation) == rules


@pytest.mark.parametrize(
    ("own", "theirs", "rules"),
    [
        ("", "full", (SecurityLevel.CONTROLLED, Reach.REMOTE, Isolation.INHERIT)),
        ("", "sandboxed", (SecurityLevel.CONTROLLED, Reach.LOCAL, Isolation.SANDBOXED)),
        ("sandboxed", "controlled", (SecurityLevel.CONTROLLED, Reach.LOCAL, Isolation.SANDBOXED)),
        ("sandboxed", "pure", (SecurityLevel.CONTROLLED, Reach.LOCAL, Isolation.SANDBOXED)),
        ("full", "pure", (SecurityLevel.PURE, Reach.PURE, Isolation.INHERIT)),
    ],
)
def test_a_preset_of_a_file_that_nobody_trusts_only_narrows(kit, own, theirs, rules):
    repo, home = kit.home / "repo", kit.home / "own"
    repo.mkdir()
    home.mkdir()
    (repo / "delegation.toml").write_text(f'[security]\npreset = "{theirs}"\n', encoding="utf-8")
    if own:
        (home / "delegation.toml").write_text(f'[security]\npreset = "{own}"\n', encoding="utf-8")
    with kit.open(program_dir=repo, environ={"RTFS_HOME": str(home)}) as session:
        found = session.host.config.security
        assert (found.level, found.reach, found.isolation) == rules


@pytest.mark.parametrize(
    ("own", "other", "both"),
    [
        (("p", "a b", "x y"), ("p", "b c", "y z"), ("p", "b", "y")),
        (("", "a b", "x y"), ("p", "b c", "y z"), ("p", "b", "y")),
        (("q", "a b", "x y"), ("p", "a b", "x y"), ("q", "", "")),
    ],
)
def test_of_two_manifests_what_both_allow_is_allowed(own, other, both):
    def signed(program, capabilities, targets):
        lists = {"capabilities": tuple(capabilities.split()), "targets": tuple(targets.split())}
        return Signed(name="m", digest="d", program=program, **lists)

    assert signed(*own).both(signed(*other)) == signed(*both)
    rules = attrs.evolve(USUAL, signed=signed(*own))
    assert narrower(rules, Narrowing(signed=signed(*other))).signed == signed(*both)
    assert narrower(rules, Narrowing(signed=signed(*own))).signed == signed(*own)
    assert narrower(rules, Narrowing()).signed == signed(*own)
    assert narrower(USUAL, Narrowing(signed=signed(*own))).signed == signed(*own)
