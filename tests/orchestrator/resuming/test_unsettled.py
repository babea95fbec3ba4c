"""A run that cannot go on until somebody says what was done: what else it has under way is not cut off meanwhile."""

from __future__ import annotations

import os
import threading

import attrs
import pytest

from rtfs_framework.orchestrator.running.past_calls import Assumed, ResumeError

pytestmark = pytest.mark.skipif(os.name != "posix", reason="kills processes")
PROGRAM = '(defn main [] (pmap (fn [x] (call :send x)) ["a" "b"]))'
SLOW, SENT = "1:0.0.0", "1:0.1.0"


@pytest.fixture
def slow(world, source, monkeypatch):
    """Return the world after a process that died with two calls under way, neither of which may be made twice.

    The first takes until the second one's fate is asked for.
    """
    offered, asked, dying = type(world).capability, threading.Event(), threading.Event()

    def capability(self, name, *, idempotent):
        entry = offered(self, name, idempotent=idempotent)

        def handler(request):
            if dying.is_set() and request.args[0] == "b":
                os.kill(os.getpid(), 9)
            if request.args[0] == "a":
                asked.wait(10)
            return entry.handler(request)

        return attrs.evolve(entry, handler=handler, blocking=True)

    def work():
        dying.set()
        with world.open() as session:
            session.run(source(PROGRAM), entry="main")

    monkeypatch.setattr(type(world), "capability", capability)
    assert not world.die_at(10**9, work)
    assert not world.effects
    return world, asked


def test_a_call_that_is_made_again_ends_before_the_run_is_left(slow):
    world, asked = slow
    assert SLOW in _refused(world, Assumed()), "the first in order"
    threading.Timer(0.2, asked.set).start()
    assert SENT in _refused(world, Assumed(not_done={SLOW}))
    assert [arg for _, _, arg in world.effects] == ["a"], "it was not cut off"
    done = Assumed(not_done={SLOW}, done={SENT: "send b"})
    assert world.resume(world.run, done).value == ("send a", "send b")
    assert [arg for _, _, arg in world.effects] == ["a"], "and is not made again, whatever was said of it before"


def _refused(world, assumed):
    with pytest.raises(ResumeError) as caught:
        world.resume(world.run, assumed)
    assert caught.value.code == "E0722"
    return caught.value.problem
