"""Calls with hints in runs that die: what a hint asks instead is done no more than once, either."""

from __future__ import annotations

import attrs
import pytest

from rtfs_framework.api import CapabilityError, FailureKind
from rtfs_framework.orchestrator.recording.journal import query
from rtfs_framework.orchestrator.running.past_calls import Assumed, ResumeError

PROGRAM = """
(defn main []
  ^{:runtime.learning.retry {:max-retries 1 :backoff-ms 0}
    :runtime.learning.fallback {:capability :send}}
  [(call :put "a") (call :put "b")])
"""


@pytest.fixture
def flaky(world, source, monkeypatch):
    """Return the world, where `put` does something and then cannot say what; a run came to its end there."""
    offered = type(world).capability

    def capability(self, name, *, idempotent):
        entry = offered(self, name, idempotent=idempotent)

        def handler(request):
            made = entry.handler(request)
            if name == "put" and request.args[0] == "a":
                raise CapabilityError("lost", failure=FailureKind.SAFE)
            return made

        return attrs.evolve(entry, handler=handler)

    monkeypatch.setattr(type(world), "capability", capability)
    with world.open() as session:
        assert session.run(source(PROGRAM), entry="main").value == ("send a", "put b")
    return world


def settled(world, run):
    """Go on until it ends; whoever is asked whether `send` was done looks at what was."""
    assumed = Assumed()
    while True:
        try:
            return world.resume(run, assumed).value
        except ResumeError as error:
            if error.code != "E0722":
                raise
            id_ = error.problem.split()[1]
        sent = any(name == "send" for name, _, _ in world.effects)
        assumed = Assumed(done={id_: "send a"}) if sent else Assumed(not_done=frozenset({id_}))


@pytest.mark.slow
def test_killed_at_each_moment_and_gone_on_with(flaky, source):
    world, resumed = flaky, 0
    for moment in range(40):
        (world.kit.home / "effects.txt").unlink(missing_ok=True)

        def work():
            with world.open() as session:
                session.run(source(PROGRAM), entry="main")

        before = len(query.list_runs(world.kit.journal))
        ended = world.die_at(moment, work)
        if len(query.list_runs(world.kit.journal)) == before:
            continue  # it died before its first row: it never was
        if ended:
            break
        row = query.list_runs(world.kit.journal)[0]
        if row.status == "complete":
            continue
        assert settled(world, row.id) == ("send a", "put b")
        assert [arg for name, _, arg in world.effects if name == "send"] == ["a"]
        resumed += 1
    else:
        pytest.fail("it never came to its end")
    assert resumed > 5
