"""A conversation that two targets are asked about at once: the winner's answer is passed on as a whole."""

from __future__ import annotations

import anyio

from rtfs_framework.api import DelegationPlan, Hedge, InferenceReply, PlanSource, RemoteModel
from rtfs_framework.lang.types.jsonable import from_plain, to_json
from rtfs_framework.orchestrator.boundary.conversing import Listener

PROGRAM = '(defn ^{:conversation true} host/chat "Chat." [asked conversation] (throw "no model"))'
IDEMPOTENT = '[delegation]\nengine = "static"\n' + "".join(
    f'[delegation.remote_providers.{name}]\nprovider = "{name}"\nidempotent = true\n' for name in ("slow", "fast")
)
HI = {"messages": [{"role": "user", "content": "hi"}]}


class Hedges:
    def claims(self):
        return ("host/*",)

    def decide(self, _context):
        slow, fast = RemoteModel("slow"), RemoteModel("fast")
        hedge = Hedge(target=fast, after=0.01)
        return DelegationPlan(target=slow, reasoning="because", source=PlanSource.ENGINE, engine="h", hedge=hedge)


def test_neither_of_two_at_once_is_heard_before_one_has_won(kit, source):
    heard = []

    async def slow(request):
        heard.append(request.on_text)
        await anyio.sleep(20)

    def fast(request):
        heard.append(request.on_text)
        return InferenceReply(text="fast says")

    providers = [
        kit.provider(name, answer, remote=True, chat=True) for name, answer in (("slow", slow), ("fast", fast))
    ]
    pieces = []
    with (
        kit.open(kit.catalog(*providers, engine=Hedges()), IDEMPOTENT) as session,
        session.load(source(PROGRAM)) as program,
    ):
        run, kept = program.open_call("host/chat", ("hi", from_plain(HI)), listener=Listener(pieces.append))
        message = session.portal.call(lambda use: kept.settle(run, use))
    assert to_json(message)["content"] == "fast says"
    assert (heard, pieces) == ([None, None], [])
