"""Replies of models as they come: each is one request of the run that reads it, and nobody makes it a second time.

In: a stream and its request. Out: the pieces that have come, which go into the stream's own queue; what a transaction
takes is there again when that fails. What a process had not taken when it ended is gone, and so is the request.
"""

from __future__ import annotations

import attrs

from rtfs_framework.api import ProgramError, Speech

Of = tuple[str, str]
"""A tenant and a stream of its."""


@attrs.define(slots=True)
class _Reply:
    speech: Speech
    rest: list[str] = attrs.field(factory=list)
    taken: int = 0
    """Pieces that the transaction under way has taken."""
    failed: ProgramError | None = None


@attrs.define(slots=True, eq=False)
class Replies:
    """Those that one process hears; used by one thread at a time."""

    _replies: dict[Of, _Reply] = attrs.field(factory=dict)

    def hears(self, of: Of) -> bool:
        """Tell whether a stream's request was made here."""
        return of in self._replies

    def begin(self, of: Of, speech: Speech) -> None:
        """Hear a reply for a stream."""
        self._replies[of] = _Reply(speech)

    def pieces(self, of: Of, most: int) -> tuple[list[str], bool, frozenset[str]]:
        """Take at most so many pieces; tell whether these are the last, and their marks."""
        reply = self._replies.get(of)
        if reply is None:
            return [], False, frozenset()
        ended = reply.speech.ended  # looked at first: what comes until then is taken
        try:
            reply.rest.extend(reply.speech.pieces())
            if ended:  # it tells only who has all of it whether it has failed
                reply.rest.extend(reply.speech.pieces())
        except ProgramError as error:
            reply.failed = error
        found = reply.rest[:most]
        reply.taken = len(found)
        whole = ended and reply.failed is None and len(found) == len(reply.rest)
        return found, whole, reply.speech.marks

    def over(self, of: Of) -> bool:
        """Tell whether no model says anything more: nobody asked one here, or the request has ended."""
        reply = self._replies.get(of)
        return reply is None or reply.speech.ended

    def failure(self, of: Of) -> ProgramError | None:
        """Return why nothing more comes, once all that came was taken."""
        reply = self._replies.get(of)
        return None if reply is None or len(reply.rest) > reply.taken else reply.failed

    def settle(self, *, kept: bool) -> None:
        """Forget what the last transaction took, if it was kept; else it is there again."""
        for reply in self._replies.values():
            if kept:
                del reply.rest[: reply.taken]
            reply.taken = 0

    def stop(self, of: Of) -> None:
        """Give a stream's request up, if it was made here and is under way."""
        reply = self._replies.pop(of, None)
        if reply is not None:
            reply.speech.stop()

    def close(self) -> None:
        """Give all up."""
        for of in tuple(self._replies):
            self.stop(of)
