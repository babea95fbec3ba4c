"""What goes along with a request to another host, and what comes back into the record."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing

import attrs
import pytest

from rtfs_framework.api import (
    Allowance,
    FailureKind,
    InferenceReply,
    Journey,
    Keyword,
    ProgramError,
    ProviderDeclined,
    ProviderUnavailable,
    RemoteFailed,
    RemoteModel,
    RemoteRun,
    Usage,
)
from rtfs_framework.lang.source import Source
from rtfs_framework.orchestrator.config.security import Reach, RuntimeContext, SecurityLevel
from rtfs_framework.orchestrator.config.signed import Signed
from rtfs_framework.orchestrator.performing.travel import bounds_of
from rtfs_framework.orchestrator.recording.purse import Purse, Terms
from rtfs_framework.orchestrator.running.narrowing import Narrowing, narrowed
from rtfs_framework.orchestrator.session import Session

NORTH = RemoteRun(host="north", run="ab" * 16, head="7:" + "0f" * 32)
PROGRAM = """
(deftype Mood [:enum :good :bad])
(deftype Moods [:vector Mood])
(defn ^:delegation :remote "north" shop/moods "How they \\"feel\\"." [text : :string & more : Mood?] : Moods [:good])
(defn main [x] (shop/moods x :bad))
"""


@attrs.frozen(slots=True, kw_only=True)
class Peer:
    endpoint: str = "https://north.example"


HOSTS = """
[delegation]
default_target = "local-pure"
[security]
grant = ["db.read"]
deny = ["db.write"]
agent = "clerk"
[delegation.remote_providers.north]
provider = "peer"
endpoint = "https://north.example"
[delegation.remote_providers.south]
provider = "peer"
endpoint = "https://south.example:8443/rtfs"
"""


REPEATED = """
[delegation]
attempts = 3
[delegation.static_routes]
"shop/*" = "remote-north"
[delegation.remote_providers.north]
provider = "peer"
endpoint = "https://north.example"
"""


ALL = ("remote-rtfs.execute",)


@pytest.fixture
def opened(kit):
    """Return a function that opens a session with a provider of another host that answers by a function."""

    def open_(answer, config=HOSTS, **more):
        peer = kit.provider("peer", answer, remote=True, settings=Peer, defaults={}, travels=True, **more)
        return kit.open(kit.catalog(peer), config)

    return open_


def answer(request):
    return InferenceReply(data=["bad"], structured=True, remote=NORTH, usage=Usage(3, 4, cost=0.25))


def asked(kit):
    return [request.travel for request in kit.providers["peer"].requests]


def test_a_host_that_grants_everything_sends_no_list(kit):
    """The other host would take an empty one for one that grants nothing."""
    with kit.open() as session:
        config = session.host.config
    grants = {
        level: bounds_of(attrs.evolve(config, security=RuntimeContext(level=level))).grant
        for level in (SecurityLevel.FULL, SecurityLevel.CONTROLLED)
    }
    assert grants == {SecurityLevel.FULL: None, SecurityLevel.CONTROLLED: ()}


def test_a_function_travels_as_its_signature_and_types(kit, opened, source):
    with opened(answer) as session:
        result = session.run(source(PROGRAM), ("x",))
    (travel,) = asked(kit)
    assert travel.program.entry == "rtfs-entry"
    assert "[:good]" not in travel.program.source  # the body stays at home
    assert (travel.args, travel.labels) == (("x", Keyword("bad")), frozenset())
    bounds = travel.bounds
    assert (bounds.level, bounds.grant, bounds.deny, bounds.agent) == (
        "controlled",
        ("db.read",),
        ("db.write",),
        "clerk",
    )
    assert travel.asked_by.run == result.run_id
    assert travel.asked_by.call == "1:0"
    position, _, digits = travel.asked_by.head.partition(":")
    assert int(position) > 0
    assert len(bytes.fromhex(digits)) == 32


def test_what_travelled_compiles_and_says_that_there_is_no_target(kit, opened, source, tmp_path):
    with opened(answer) as session:
        session.run(source(PROGRAM), ("x",))
    (travel,) = asked(kit)
    with Session.open(environ={"RTFS_HOME": str(tmp_path / "there")}, journal=False) as there:
        linked = there.link(Source("there", travel.program.source))
        (signature,) = [each for each in linked.artifact.signatures if each.name == "shop/moods"]
        assert signature.doc == 'How they "feel".'
        with pytest.raises(ProgramError, match="no target of this host takes shop/moods") as raised:
            there.run(linked, travel.args, entry=travel.program.entry)
    assert raised.value.kind == "NoTarget"


def test_the_record_names_host_run_and_head_and_the_cost_is_the_servers(kit, opened, source):
    with opened(answer) as session:
        (call,) = session.run(source(PROGRAM), ("x",)).calls
    assert (call.remote, call.cost, call.input_tokens) == (NORTH, 0.25, 3)
    with closing(sqlite3.connect(kit.journal)) as db, db:
        (body,) = [json.loads(row[0]) for row in db.execute("SELECT body FROM log WHERE what = 'ended'")]
    assert body["remote"] == {"host": "north", "run": NORTH.run, "head": NORTH.head, "target": "remote north"}


def test_a_configured_price_counts_instead_of_the_servers_word(opened, source):
    priced = HOSTS.replace(
        'endpoint = "https://north.example"\n',
        'endpoint = "https://north.example"\ninput_cost = 1.0\noutput_cost = 1.0\n',
    )
    with opened(answer, priced) as session:
        (call,) = session.run(source(PROGRAM), ("x",)).calls
    assert call.cost == pytest.approx(7e-6)


@pytest.mark.parametrize("cost", [-1.0, float("inf"), float("nan")])
def test_a_cost_that_is_none_is_not_believed(opened, source, cost):
    with opened(lambda _: InferenceReply(data=["bad"], structured=True, usage=Usage(3, 4, cost=cost))) as session:
        (call,) = session.run(source(PROGRAM), ("x",)).calls
    assert call.cost is None


def test_attempts_of_one_call_have_one_key_and_other_calls_another(kit, opened, source):
    tries = iter([ProviderUnavailable("north", "gone"), answer(None), answer(None)])
    twice = PROGRAM.replace("(shop/moods x :bad)", "[(shop/moods x) (shop/moods x)]")
    with opened(lambda _: next(tries), REPEATED, idempotent=True) as session:
        assert session.host.pool.candidate(RemoteModel("north")).idempotent
        session.run(source(twice.replace('^:delegation :remote "north" ', "")), ("x",))
    first, repeated, other = (travel.key for travel in asked(kit))
    assert first == repeated != other
    assert (len(first), len(other)) == (64, 64)


def test_an_answer_that_does_not_fit_is_asked_for_anew(kit, opened, source):
    tries = iter([InferenceReply(data=["odd"], structured=True), answer(None)])
    with opened(lambda _: next(tries), idempotent=True) as session:
        session.run(source(PROGRAM), ("x",))
    first, anew = (travel.key for travel in asked(kit))
    assert first != anew


def test_a_run_from_elsewhere_takes_its_journey_and_what_is_left_of_its_purse_along(kit, opened, source):
    journey = Journey(via=("origin", "here"), hops=2)
    with opened(answer) as session:
        terms = Terms(purse=Purse(tokens=100_000, calls=5), journey=journey)
        session.run(attrs.evolve(session.link(source(PROGRAM)), terms=terms), ("x",))
    (travel,) = asked(kit)
    assert (travel.journey, travel.allowance) == (journey, Allowance(tokens=travel.allowance.tokens, calls=5))
    assert 0 < travel.allowance.tokens <= 100_000


def test_a_host_that_declines_names_configured_targets_alone(opened, source):
    named = ("https://SOUTH.example:8443/rtfs/", "https://evil.example", "no address")
    with opened(lambda _: ProviderDeclined("north", "full", elsewhere=named)) as session, pytest.raises(ProgramError):
        session.run(source(PROGRAM), ("x",))
    with opened(lambda _: ProviderDeclined("north", "full", elsewhere=named)) as session:
        calls = session.run(
            source(PROGRAM.replace("(shop/moods x :bad)", "(try (shop/moods x :bad) (catch e 1))")), ("x",)
        ).calls
    (tried,) = calls[0].attempts
    assert (tried.attempt.kind, tried.attempt.elsewhere) == (FailureKind.HERE, (RemoteModel("south"),))


def test_a_program_sees_the_kind_of_an_error_there(opened, source):
    failing = RemoteFailed("north", "shop: no such mood", kind="MoodError")
    caught = PROGRAM.replace("(shop/moods x :bad)", "(try (shop/moods x :bad) (catch MoodError e (getMessage e)))")
    with opened(lambda _: failing) as session:
        assert "no such mood" in session.run(source(caught), ("x",)).value


def test_a_run_that_is_made_again_for_a_key_asks_by_the_same_keys(kit, opened, source):
    """This host was killed, say, and its asker comes again: the hosts behind it must not be paid twice."""

    def keys(asked_by):
        with opened(answer) as session:
            linked = attrs.evolve(session.link(source(PROGRAM)), terms=Terms(journey=Journey(key=asked_by)))
            session.run(linked, ("x",))
        return [travel.key for travel in asked(kit)]

    first, again, other, own, fresh = (keys(each)[-1] for each in ("one", "one", "two", "", ""))
    assert first == again
    assert len({first, other, own, fresh}) == 4


STEP = """
(defn judge [x] (str x))
(call :remote-rtfs.execute {:plan-step (plan-step :judge ["x"]) :target "north"})
"""


def test_a_step_goes_by_the_rules_of_a_narrowed_host(kit, opened, source):
    with opened(answer, HOSTS.replace('"db.read"', '"db.read", "remote-rtfs.execute"')) as session:
        session.run(source(STEP))
        for by in (Narrowing(reach=Reach.LOCAL), Narrowing(signed=Signed(name="m.toml", digest="d", capabilities=ALL))):
            narrow = Session(narrowed(session.host, by), session.portal, session.limits)
            with pytest.raises(ProgramError, match=r"reach is 'local'|not in the manifest m\.toml"):
                narrow.run(source(STEP))
        signed = Signed(name="m.toml", digest="d", capabilities=ALL, targets=("remote-north",))
        Session(narrowed(session.host, Narrowing(signed=signed)), session.portal, session.limits).run(source(STEP))
    first, second = asked(kit)
    assert first.bounds.grant == ("db.read", "remote-rtfs.execute")
    assert second.bounds.grant == ALL
