"""Questions that a program puts to a person: capabilities that a plug-in offers as `served="person"`.

In: a call with a question, and perhaps what an empty answer stands for. Out: the text that somebody typed. Whoever
opened the session may have handed over an answerer: `rtfs run` does where it has a terminal. Else the run waits for a
word from outside, as `host/wait-for` does, and those who listen are told how to answer. A word that was sent, before or
meanwhile, is taken where an answerer asks too, and what it asked is withdrawn. No answer in time is an error,
never the default: that is what somebody chose who was asked. The call is idempotent: a question of which nobody knows
whether it was answered is put again, and an answer that is written down is not asked for again.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import attrs

from rtfs_framework.api.values import Keyword
from rtfs_framework.lang.errors import ProgramError
from rtfs_framework.lang.maps import Map
from rtfs_framework.lang.printer import write
from rtfs_framework.orchestrator.boundary.answers import Answer, Reply, Throw, Waiting
from rtfs_framework.orchestrator.concurrency.deadlines import off_the_clock
from rtfs_framework.orchestrator.performing.waits import word_of
from rtfs_framework.orchestrator.recording.lineage import reply_id

if TYPE_CHECKING:
    import asyncio

    from rtfs_framework.orchestrator.performing.waits import Waits
    from rtfs_framework.orchestrator.recording.run_scope import OpenCall

Answerer = Callable[[str, "str | None"], "str | None"]
"""Puts a question, with what an empty answer stands for; the text, None when nobody answers. Called in a thread."""

Begin = Callable[[], "tuple[Answerer, Callable[[], object]]"]
"""Returns what puts one question, and what withdraws it, from any thread; that is called in any case, even twice."""
Told = Callable[[str, str, str], None]
"""Told that a run waits for an answer: the question, the run, the name of the word that answers."""

_USAGE = '(call :ccos.user.ask "question"), or with a second text for an empty answer'
_MOST = 64 * 1024
"""Characters of an answer."""
_FIRST, _LONGEST = 0.05, 1.0
"""Seconds between two looks at what was sent."""


@attrs.frozen(slots=True)
class _Question:
    text: str
    otherwise: str | None = None

    def answer(self, said: Any) -> str:
        """Return an answer as the program sees it."""
        text = said if isinstance(said, str) else write(said)
        return self.otherwise if not text and self.otherwise is not None else text[:_MOST]


@attrs.define(slots=True, eq=False)
class People:
    """Puts questions, for one host."""

    waits: Waits
    seconds: float
    """How long a run waits for a word from outside."""
    begin: Begin | None = None
    listeners: list[Told] = attrs.field(factory=list)

    def answer(self, opened: OpenCall) -> Answer | Waiting:
        """Return what to wait for; an error where nobody can be asked."""
        try:
            question = _question(opened)
            if self.begin is None and opened.scope.chain is None:
                way_out = "run it in a terminal, or with a journal, so that `rtfs runs signal` can answer"
                raise _unanswered(opened, f"nobody can be asked: there is no terminal here; {way_out}")
        except ProgramError as error:
            return self._thrown(opened, error)
        if self.begin is not None:
            begin = self.begin
            opened.begin()
            return Waiting(lambda: self._ask(opened, question, begin))
        return self._wait(opened, question)

    async def _ask(self, opened: OpenCall, question: _Question, begin: Begin) -> Answer:
        """Put a question, unless its answer was sent before, and take what is sent meanwhile."""
        await opened.written()
        with off_the_clock(), self.waits.waiting(opened):
            found = self._sent(opened, question) or await self._said(opened, question, begin)
        if isinstance(found, ProgramError):
            return self._thrown(opened, found)
        opened.close(self.waits.clock.monotonic(), found.value, answered=True)
        return found

    async def _said(self, opened: OpenCall, question: _Question, begin: Begin) -> Reply | ProgramError:
        """Return what somebody says or sends, whichever comes first."""
        import asyncio

        from rtfs_framework.orchestrator.concurrency.threads import left_behind

        try:
            put, withdraw = begin()
        except OSError as error:
            return _unanswered(opened, f"the question could not be put: {error}")
        try:
            said = left_behind("rtfs question", lambda: put(question.text, question.otherwise))
            asked = asyncio.wrap_future(said)
            asked.add_done_callback(lambda done: done.cancelled() or done.exception())
            pause = _FIRST
            while not (await asyncio.wait((asked,), timeout=pause))[0]:
                found = self._sent(opened, question)
                if found is not None:
                    return found
                pause = min(_LONGEST, pause * 1.5)
        finally:
            withdraw()
        return _read(opened, question, asked)

    def _sent(self, opened: OpenCall, question: _Question) -> Reply | None:
        if opened.scope.chain is None:
            return None
        return self.waits.sent(opened, _word(opened)[1], question.answer)

    def _wait(self, opened: OpenCall, question: _Question) -> Waiting:
        run, name = _word(opened)
        late = _unanswered(opened, f"nobody answered within {self.seconds:g} s ([approvals] timeout)")

        def tell() -> None:
            for listener in tuple(self.listeners):
                listener(question.text, run, name)

        return self.waits.for_word(opened, name, self.seconds, late, read=question.answer, tell=tell)

    def _thrown(self, opened: OpenCall, error: ProgramError) -> Throw:
        opened.close(self.waits.clock.monotonic(), error=error)
        return Throw(error)


def asked_by(answerer: Answerer) -> Begin:
    """Return how a host's own answerer is asked; its questions cannot be withdrawn, and its thread is left behind."""
    return lambda: (answerer, lambda: None)


def _read(opened: OpenCall, question: _Question, asked: asyncio.Future[str | None]) -> Reply | ProgramError:
    try:
        said = asked.result()
    except Exception as error:  # noqa: BLE001 - whatever the caller's own code raises: that is no answer
        return _unanswered(opened, f"the question could not be put: {error}")
    if said is None:
        return _unanswered(opened, "nobody answered: the input is at its end")
    return Reply(question.answer(said))


def _word(opened: OpenCall) -> tuple[str, str]:
    """Return the run, and the name of the word that answers."""
    call = reply_id(opened)
    return call.partition(":")[0], word_of(call)


def _unanswered(opened: OpenCall, problem: str) -> ProgramError:
    return ProgramError("NetworkError", f"{opened.call.capability}: {problem}")


def _question(opened: OpenCall) -> _Question:
    """Return what is asked: texts one after the other, or a map of :prompt and :default; :timeout and the like pass."""
    args = opened.sends.args
    given = args[0] if len(args) == 1 and isinstance(args[0], Map) else None
    prompt, otherwise = (args[0] if args else None, args[1] if len(args) > 1 else None)
    if given is not None:
        prompt = next((found for name in ("prompt", "question", "message") if (found := _in(given, name))), None)
        otherwise = _in(given, "default")
    elif isinstance(otherwise, Map):
        otherwise = _in(otherwise, "default")
    if len(args) > 2 or not isinstance(prompt, str) or not (otherwise is None or isinstance(otherwise, str)):
        raise ProgramError("InvalidArgument", f"{opened.call.capability} takes a question; write {_USAGE}")
    return _Question(prompt, otherwise)


def _in(given: Map, name: str) -> Any:
    found = given.get(Keyword(name))
    return given.get(name) if found is None else found
