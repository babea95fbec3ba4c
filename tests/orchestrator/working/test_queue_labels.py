"""A queue that other machines read holds nothing whose marks it does not accept: neither orders nor requests."""

from __future__ import annotations

import attrs
import pytest

from rtfs_framework.api import ItemFilter, QueueEntry, QueueSettings
from rtfs_framework.lang.errors import ProgramError
from rtfs_framework.lang.maps import Map
from rtfs_framework.lang.values import Keyword
from rtfs_framework.orchestrator.working.jobs import JobError, order, result_of, withheld_bytes
from rtfs_framework.orchestrator.working.runs import _told_of, _withheld
from rtfs_framework.registry.problems import Provenance
from rtfs_framework.testing import FakeClock
from rtfs_framework.testing.memory_queue import MemoryQueue, Shelf

CONFIG = """
[queue]
store = "far"
[delegation.local_models.m]
provider = "m"
later = true
[labels.inputs]
email = ["pii"]
"""
MAIN = '(defn ^:delegation :local-model "m" ask "Say." [x] : :string "own") (defn main [x] (ask (:email x)))'
MAIL = Map.wrap({Keyword("email"): "ann@example.com"})
ACCEPTS = '[labels.accepts]\n"queue far" = ["pii"]\n'


@pytest.fixture
def opened(kit):
    """Return a function that opens a session with a queue, and the queue."""

    def start(*, remote, more=""):
        shelf = Shelf()

        def made(settings):
            return MemoryQueue(settings, shelf)

        entry = QueueEntry(name="far", summary="A fake.", factory=made, remote=remote)
        catalog = kit.catalog(kit.provider("m", lambda _: "said"))
        catalog = attrs.evolve(catalog, queues={"far": (entry, Provenance("acme", "1", "acme"))})
        return kit.open(catalog, CONFIG + more), MemoryQueue(QueueSettings(clock=FakeClock()), shelf)

    return start


@pytest.mark.parametrize(("remote", "more"), [(False, ""), (True, ACCEPTS), (False, ACCEPTS)])
def test_what_a_queue_accepts_is_ordered_and_asked(opened, remote, more):
    session, queue = opened(remote=remote, more=more)
    with session:
        assert order(session, MAIN, (MAIL,)).topic == "runs"
        assert session.run(MAIN, (MAIL,)).value == "said"
    assert [each.state for each in queue.items(ItemFilter())] == ["done"]


def test_a_queue_elsewhere_gets_nothing_that_nobody_lets_it_have(opened):
    session, queue = opened(remote=True)
    with session:
        with pytest.raises(JobError, match="carry :pii, which queue far does not accept"):
            order(session, MAIN, (MAIL,))
        assert order(session, MAIN, (Map.wrap({Keyword("name"): "Ann"}),)).topic == "runs"
        with pytest.raises(Exception, match="does not accept :pii"):
            session.run(MAIN, (MAIL,))
    assert queue.items(ItemFilter()) == []


def test_a_local_queue_may_be_narrowed(opened):
    session, queue = opened(remote=False, more='[labels.accepts]\n"queue far" = []\n')
    with session, pytest.raises(JobError, match="carry :pii"):
        order(session, MAIN, (MAIL,))
    assert queue.items(ItemFilter()) == []


def test_a_value_is_kept_from_a_queue_as_arguments_are():
    assert result_of(withheld_bytes("r1", {"calls": 1}, frozenset({"pii"}))) == {
        "run": "r1", "type": None, "text": None, "exact": None, "withheld": ["pii"], "summary": {"calls": 1},
    }  # fmt: skip


@pytest.mark.parametrize(("more", "withheld"), [("", ["pii"]), (ACCEPTS, None)])
def test_a_worker_tells_a_queue_elsewhere_no_more_than_it_accepts(opened, more, withheld):
    session, _ = opened(remote=True, more=more)
    with session:
        program = session.load("(defn main [x] x)", how={})
        program.call("main", (MAIL,))
        assert sorted(_withheld(session, program)) == (withheld or [])
        said = _told_of(session, ProgramError("Generic", "ann@example.com is unknown"))
        assert said.startswith("Generic")
        assert ("ann" in said) is False


def test_a_worker_tells_a_local_queue_all(opened):
    session, _ = opened(remote=False)
    with session:
        assert _told_of(session, ProgramError("Generic", "no such order")) == "Generic: no such order"
