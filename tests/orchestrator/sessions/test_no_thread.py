"""A system that gives no thread fails the run that needs it, and nothing else: the next one works, and closing ends."""

from __future__ import annotations

import asyncio
import threading

import pytest

ASK = '(defn ^:delegation :local-model "m" ask "Answer." [x :int] :string "")\n(ask 1)'


def sync_in_a_loop(session, text):
    async def work():
        return session.run(text)

    return asyncio.run(work()).value


WAYS = {
    "thread": lambda session, text: session.run(text).value,
    "sync in a loop": sync_in_a_loop,
    "task": lambda session, text: asyncio.run(session.run_async(text)).value,
}


@pytest.mark.parametrize("text", [ASK, '(str "<" (+ 0 1) ">")'], ids=["asks", "computes"])
@pytest.mark.parametrize("way", WAYS)
def test_a_thread_that_cannot_start_fails_one_run(service, together, monkeypatch, way, text):
    session = service(journal=False)
    with monkeypatch.context() as system:
        system.setattr(threading.Thread, "start", no_thread)
        if (way, text == ASK) == ("thread", False):  # it needs none
            assert WAYS[way](session, text) == "<1>"
        else:
            with pytest.raises(Exception, match="can't start new thread"):
                WAYS[way](session, text)
    done = []
    assert together(1, lambda _: done.append(WAYS[way](session, text)), 30) == []
    assert done == ["<1>"]
    assert together(1, lambda _: session.close(), 30) == []
    assert not session.portal.uses._active


def no_thread(_):
    raise RuntimeError("can't start new thread")
