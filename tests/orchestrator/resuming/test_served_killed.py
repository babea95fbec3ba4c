"""A model that a program asks in words is not asked twice, wherever its process dies."""

from __future__ import annotations

import os

import pytest

from rtfs_framework.api import CapabilityEntry, InferenceReply
from rtfs_framework.orchestrator.recording.journal import query
from rtfs_framework.orchestrator.running.past_calls import Assumed, ResumeError

pytestmark = pytest.mark.skipif(os.name != "posix", reason="kills processes")
PROGRAM = '(defn main [] (llm-execute "m" "one"))'
CONFIG = '[security]\ngrant = ["ccos.ai.llm-execute"]\n'


def never(_request):
    raise AssertionError("the host answers it")


@pytest.fixture
def asking(world):
    """Return the world, with a model that may not be asked twice, and a capability that asks it."""

    class Asking(type(world)):
        def catalog(self):
            def said(request):
                self.done("model", request.key, request.args[0])
                return InferenceReply(text=f"said {request.args[0]}", model="fake")

            entry = CapabilityEntry(id="ccos.ai.llm-execute", summary="Asks.", handler=never, served="model")
            return self.kit.catalog(self.kit.provider("m", said, remote=True), capabilities=(entry,))

        def open(self, **options):
            return self.kit.open(self.catalog(), CONFIG, **options)

    return Asking(world.kit)


def begin(asking, source):
    with asking.open() as session:
        return session.run(source(PROGRAM), entry="main").value


def gone_on_with(asking, before):
    """Go on with the latest run until it ends; who is asked whether a model was, looks. Return its value."""
    assumed = Assumed()
    for _ in range(3):
        try:
            return asking.resume(asking.run, assumed).value
        except ResumeError as error:
            unsettled = error
        id_ = unsettled.problem.split()[1]
        done = len(asking.effects) > before
        assumed = Assumed(done={id_: "said one"}) if done else Assumed(not_done=frozenset({id_}))
    raise unsettled


def test_at_no_moment_is_a_model_asked_twice(asking, source):
    whole, moment, resumed, died = begin(asking, source), 0, 0, True
    assert whole == "said one"
    while died:
        run, before = asking.run, len(asking.effects)
        died = not asking.die_at(moment, lambda: begin(asking, source))
        moment += 1
        if asking.run == run or query.list_runs(asking.kit.journal)[0].status == "complete":
            continue
        resumed += 1
        assert gone_on_with(asking, before) == whole
        assert [arg for _, _, arg in asking.effects[before:]] == ["one"], f"at moment {moment - 1}"
    assert resumed > 2
