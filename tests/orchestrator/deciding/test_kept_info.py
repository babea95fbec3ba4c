"""What a host says beside a plan that it keeps in L1: whose it is, what it is for, and how sure its engine is."""

from __future__ import annotations

import pytest

from rtfs_framework.api import DelegationMetadata, DelegationPlan, LocalPure, PlanSource
from rtfs_framework.testing import FakeClock

pytestmark = pytest.mark.needs("rtfs-cache-l1")


class Sure:
    """Decides for the own body, as sure as it is told."""

    def __init__(self, confidence):
        self.confidence = confidence

    def claims(self):
        return ("f",)

    def decide(self, context):
        assert context.types
        return DelegationPlan(target=LocalPure(), reasoning="r", source=PlanSource.ENGINE, confidence=self.confidence)


@pytest.fixture
def kept(kit, source):
    """Return a function that calls `f`, once for each of some metadata, and gives the layer as it is then."""

    def run(*said, confidence=0.7, floor=0.0):
        from rtfs_cache_l1.layer import PlanCache

        layer = kit.layers["l1"] = PlanCache(capacity=9, ttl=None, clock=FakeClock(), min_confidence=floor)
        with kit.open(kit.catalog(engine=Sure(confidence), l1=True)) as session:
            program = session.load(source("(defn f [x] x)"))
            for x, metadata in enumerate(said):
                program.call("f", ("text" if x else 0,), metadata=metadata)
            return [item.record.info for item in layer.scan()], (layer.by_agent(), layer.by_task())

    return run


def test_plans_are_kept_with_the_agent_and_the_task_that_the_caller_names(kept):
    named = DelegationMetadata(context={"agent": "clerk", "task": "triage", "intent": "x"})
    infos, views = kept(named, None)
    found = {(info.agent, info.task): info for info in infos}
    assert set(found) == {("clerk", "triage"), ("", "")}
    info = found["clerk", "triage"]
    assert (info.symbol, info.target, info.confidence) == ("f", "local-pure", 0.7)
    assert [set(view) for view in views] == [{"clerk", ""}, {"triage", ""}]


def test_plans_of_which_the_engine_is_too_unsure_are_not_kept(kept):
    assert kept(None, confidence=0.4, floor=0.5)[0] == []
    assert len(kept(None, confidence=0.5, floor=0.5)[0]) == 1
