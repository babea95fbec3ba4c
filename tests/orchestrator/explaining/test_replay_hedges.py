"""Both requests of a hedge are of one decision: it is made again once, whichever of them answered."""

from __future__ import annotations

import anyio
import pytest

from rtfs_framework.api import DelegationPlan, Hedge, LocalPure, PlanSource, RemoteModel
from rtfs_framework.orchestrator.explaining.replaying.replay import Repeated, replay
from rtfs_framework.orchestrator.recording.journal.history import history_of

SLOW, FAST = RemoteModel("slow"), RemoteModel("fast")
IDEMPOTENT = """
[delegation.remote_providers.slow]
idempotent = true
[delegation.remote_providers.fast]
idempotent = true
"""


class Hedges:
    """Asks two; after failures, the own body."""

    def claims(self):
        return ("answer",)

    def decide(self, context):
        first = DelegationPlan(
            target=SLOW, reasoning="both", source=PlanSource.ENGINE, hedge=Hedge(target=FAST, after=0.02)
        )
        return (
            DelegationPlan(target=LocalPure(), reasoning="r", source=PlanSource.ENGINE) if context.attempts else first
        )


async def late(seconds=0.2):
    await anyio.sleep(seconds)
    return "late"


def fails(_):
    raise OSError("broken")


@pytest.mark.parametrize(
    ("slow", "fast", "decisions"),
    [(lambda _: late(3600), lambda _: "x", 1), (lambda _: late(), lambda _: late(3600), 1),
     (lambda _: "at once", lambda _: "x", 1), (lambda _: late(3600), fails, 1), (fails, fails, 2)],
    ids=["second", "first", "no second", "second fails", "first fails"],
)  # fmt: skip
def test_whichever_answers_it_is_one_decision(kit, source, slow, fast, decisions):
    models = [kit.provider(name, say, remote=True) for name, say in (("slow", slow), ("fast", fast))]
    if fast is fails and slow is not fails:
        models[0] = kit.provider("slow", lambda _: late(0.1), remote=True)
    catalog = kit.catalog(*models, engine=Hedges(), l1=True)
    with kit.open(catalog, IDEMPOTENT) as session:
        run = session.run(source('(defn answer [text :string] :string "own") (answer "x")')).run_id
    with kit.open(catalog, IDEMPOTENT) as session, history_of(kit.journal, kit.home) as history:
        found = list(replay(session.host, history, run))
    assert (len(found), found[0].number) == (decisions, 0)
    assert {each.result for each in found} == {Repeated.SAME}
    assert found[0].then == "remote slow, hedged at remote fast after 0.02 s"
