"""What somebody allowed when a run was asked for holds to its end, however many processes it takes."""

from __future__ import annotations

from contextlib import suppress

import attrs
import pytest

from rtfs_framework.api import ProgramError, ProviderError
from rtfs_framework.api.attempts import FailureKind
from rtfs_framework.api.remote import Journey
from rtfs_framework.orchestrator.recording.journal import query
from rtfs_framework.orchestrator.recording.journal.kept import value_text
from rtfs_framework.orchestrator.recording.journal.outside import tell
from rtfs_framework.orchestrator.recording.journal.redact import name_of
from rtfs_framework.orchestrator.recording.journal.spent import spent
from rtfs_framework.orchestrator.recording.journal.unended import unended
from rtfs_framework.orchestrator.recording.purse import NOTHING_SPENT, Asker, Purse, RunParked, Spending, Terms
from rtfs_framework.orchestrator.running.past_calls import Assumed, ResumeError
from rtfs_framework.orchestrator.running.resuming import Resuming

PAID = """
(defn ask [x : :string] : :string "own")
(defn step [n] (let [said (ask (str n))] (host/wait-for :go) said))
(defn main [] [(step 1) (step 2) (step 3) (step 4)])
"""
ROUTES = """
[health]
state = "disabled"
[delegation.local_models.first]
provider = "first"
input_cost = 10
output_cost = 10
[delegation.local_models.second]
provider = "second"
output_cost = 5
[delegation.static_routes]
ask = ["local-first", "local-second"]
"""


def in_pieces(open_, run, resume=None):
    """Run until it waits, and go on in another session, until it has a value; return it."""
    with open_() as session:
        session.park()
        with suppress(RunParked):
            return run(session)
    while True:
        with open_() as session:
            session.park()
            id_ = query.list_runs(session.host.journal.path)[0].id
            tell(session.host.journal, id_, "signalled", {"name": "go"}, value_text(None))
            with suppress(RunParked):
                return session.resume(Resuming(run=id_)).value


def at_once(open_, run):
    """Run in one process, which is told the words that it waits for as they come."""
    with open_() as session:
        session.park()
        with suppress(RunParked):
            return run(session)
    raise AssertionError("it waits")


@pytest.fixture
def failing():
    """Return how the first model fails."""
    return [FailureKind.UNCERTAIN]


@pytest.fixture
def asking(kit, failing):
    """Return a function that opens a session; the first model fails, and the second answers."""

    def first(_):
        raise ProviderError("first", "is down", failure=failing[0])

    def opened(config=ROUTES):
        catalog = kit.catalog(kit.provider("first", first), kit.provider("second", lambda _: "fine"))
        return kit.open(catalog, config)

    return opened


def with_terms(source, text, **terms):
    def run(session):
        session.host.mind_purses()
        return session.run(attrs.evolve(session.link(source(text)), terms=Terms(**terms)), entry="main").value

    return run


WHOLE = PAID.replace("(host/wait-for :go)", "nil")


@pytest.mark.parametrize("calls", [0, 3, 5])
def test_who_asked_allows_a_run_in_pieces_what_one_in_one_go_is_allowed(asking, source, calls):
    """Attempts that failed count, too: each answer takes two requests here."""
    whole = at_once(asking, with_terms(source, WHOLE, purse=Purse(calls=calls)))
    pieces = in_pieces(asking, with_terms(source, PAID, purse=Purse(calls=calls)))
    assert pieces == whole
    assert whole.count("fine") == min(4, calls // 2)


@pytest.mark.parametrize(
    ("kind", "bound"),
    [
        (FailureKind.SAFE, "calls = 3"),
        (FailureKind.HERE, "tokens = 9000"),
        (FailureKind.UNCERTAIN, "usd = 0.09"),
        (FailureKind.REPLY, "tokens = 15000"),
    ],
)
def test_a_quota_counts_each_kind_of_failure_as_in_one_go(failing, asking, source, kind, bound):
    failing[0] = kind
    config = f"{ROUTES}[security.quota]\n{bound}\n"
    whole = at_once(lambda: asking(config), with_terms(source, WHOLE))
    assert in_pieces(lambda: asking(config), with_terms(source, PAID)) == whole
    assert 0 < whole.count("fine") < 4 or kind is not FailureKind.UNCERTAIN


def test_a_quota_of_today_counts_what_nothing_bounded_then(kit, asking, source):
    with asking() as session:
        session.park()
        with suppress(RunParked):
            session.run(source(PAID), entry="main")
    found = in_pieces_of(kit, lambda: asking(ROUTES + "[security.quota]\ncalls = 3\n"))
    assert found == ("fine", "own", "own", "own")


def in_pieces_of(kit, open_):
    return in_pieces(open_, lambda session: (_ for _ in ()).throw(RunParked("x", "y", "z")))


def test_what_rows_say_is_one_sum_however_it_is_read(kit, asking, source):
    with asking(ROUTES + "[security.quota]\ncalls = 100\n") as session:
        session.park()
        with suppress(RunParked):
            session.run(source(PAID), entry="main")
        journal = session.host.journal
        found = unended(journal.path, query.list_runs(kit.journal)[0].id, journal.home)
    assert found.spent == spent(each.ended for each in found.calls.values() if each.ended is not None)
    assert found.spent.calls == 2
    assert found.spent.tokens > 4000  # the one that failed may have taken all that it was held for
    assert found.held == {}


SPENDS = """
(defn ^:delegation :remote "m" ask [x : :string] : :string "own")
(defn main [] [(ask "1") (ask "2") (ask "3")])
"""
QUOTA = "[security.quota]\ncalls = 3\n"


def died_in_flight(world, source):
    """Return a run whose process died when its second request was on its way."""

    def work():
        with world.open() as session:
            session.run(source(SPENDS), entry="main")

    for moment in range(20):
        world.config = QUOTA
        (world.kit.home / "effects.txt").unlink(missing_ok=True)
        world.die_at(moment, work)
        journal = world.kit.journal
        known = unended(journal, world.run, world.kit.home) if journal.exists() else None
        if known is not None and known.held and known.spent.calls == 2:
            return known
    raise AssertionError("no moment lies there")


def test_what_was_on_its_way_counts_until_somebody_says_less(world, source):
    known = died_in_flight(world, source)
    ((id_, held),) = known.held.items()
    assert (held.calls, known.spent.calls, id_[2]) == (1, 2, "1")
    with pytest.raises(ProgramError, match="more calls than is left"):
        world.resume(world.run)  # it is asked again, and nothing is left for the third
    assert [arg for _, _, arg in world.effects].count("3") == 0


def test_what_somebody_says_was_not_made_is_given_back_for_good(world, source):
    (id_,) = died_in_flight(world, source).held
    assert world.resume(world.run, Assumed(not_done=frozenset({name_of(*id_)}))).value == ("said 1", "said 2", "said 3")


def test_a_fork_has_what_is_left(asking, source):
    """And still has it when it is gone on with."""
    with asking() as session:
        session.park()
        with suppress(RunParked):
            with_terms(source, PAID, purse=Purse(calls=5))(session)
        run = query.list_runs(session.host.journal.path)[0].id
    with asking() as session:
        session.park()
        tell(session.host.journal, run, "signalled", {"name": "go"}, value_text(None))
        with suppress(RunParked):
            session.resume(Resuming(run=run, fork=True))
        fork = query.list_runs(session.host.journal.path)[0].id
        journal = session.host.journal
        assert fork != run
        assert unended(journal.path, fork, journal.home).job.terms["purse"] == [None, None, 3]


def test_a_fork_knows_who_asked(asking, source):
    """And so does a fork of it."""
    asker = Asker(token="shop", host="h2", run="r", call="1", head="5:ab", queue="item-1")
    with asking() as session:
        session.park()
        with suppress(RunParked):
            with_terms(source, PAID, asker=asker)(session)
    for _ in range(2):
        with asking() as session:
            session.park()
            with suppress(RunParked):
                session.resume(Resuming(run=query.list_runs(session.host.journal.path)[0].id, fork=True))
            path = session.host.journal.path
    runs = query.list_runs(path)
    assert [each.asked_by for each in runs] == [asker.to_json()] * 3
    assert len({each.id for each in runs}) == 3


MARKED = """
[labels]
marks = ["pii"]
[labels.accepts]
"remote-m" = []
"capability host.wait-for" = ["pii"]
[labels.capabilities]
"host.wait-for" = []
"""
TELLS = """
(defn ^:delegation :remote "m" ask [x : :string] : :string "own")
(defn main [] (do (host/wait-for :go) (ask "1")))
"""


@pytest.mark.parametrize("marks", [(), ("pii",)], ids=["public", "marked"])
def test_the_marks_of_what_a_run_was_given_stay(world, source, marks):
    world.config = MARKED
    with world.open() as session:
        session.park()
        with suppress(RunParked):
            with_terms(source, TELLS, marks=frozenset(marks))(session)
    with world.open() as session:
        tell(session.host.journal, world.run, "signalled", {"name": "go"}, value_text(None))
        with session.reopen(Resuming(run=world.run)).program as program:
            assert program.call("main").value == ("own" if marks else "said 1")
    assert len(world.effects) == (0 if marks else 1)


def test_who_does_not_know_them_does_not_go_on(world, source):
    world.config = MARKED
    with world.open() as session:
        session.park()
        with suppress(RunParked):
            with_terms(source, TELLS, marks=frozenset({"pii"}))(session)
    world.config = ""
    with pytest.raises(ResumeError, match="carries the mark 'pii', and nothing here knows it"):
        world.resume(world.run)


@pytest.mark.parametrize(
    "terms",
    [
        Terms(),
        Terms(purse=Purse(nano=5, calls=0)),
        Terms(marks=frozenset({"a", "b"}), journey=Journey(via=("h1", "h2"), hops=1, key="k")),
    ],
    ids=["usual", "purse", "marks and way"],
)
def test_terms_are_data(terms):
    found = Terms.of_json(terms.to_json())
    assert (found.marks, found.journey) == (terms.marks, terms.journey)
    assert (found.purse and found.purse.left) == (terms.purse and terms.purse.left)
    assert bool(terms.to_json()) == (terms != Terms() and bool(terms.marks or terms.purse))


def test_amounts_are_added():
    assert Spending(1, 2, 3) + Spending(1, 1, 1) - Spending(0, 0, 4) == Spending(2, 3, 0)
    assert sum((), NOTHING_SPENT) == NOTHING_SPENT
