"""Where a conversation's calls go: to the host that a configuration describes, or nowhere."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import attrs

from rtfs_framework.kernel.call_kind import CallKind
from rtfs_framework.kernel.interactive import Conversation
from rtfs_framework.kernel.purehost import PureHost
from rtfs_framework.lang.diagnostics import refusals
from rtfs_framework.lang.errors import LanguageError
from rtfs_framework.lang.source import Source

if TYPE_CHECKING:
    from rtfs_framework.kernel.limits import Limits
    from rtfs_framework.kernel.outcome import ExecutionOutcome, HostCall
    from rtfs_framework.kernel.run import Run
    from rtfs_framework.lang.incremental import Addition
    from rtfs_framework.orchestrator.session import Session
    from rtfs_framework.orchestrator.talking import HostedConversation

UNKNOWN_NAME = "E0203"

FindModule = Callable[[str], "Source | None"]


class ReplHost(Protocol):
    """A conversation and who answers its calls."""

    @property
    def talk(self) -> Conversation:
        """The conversation."""
        ...

    @property
    def module_path(self) -> Iterable[str | Path]:
        """Further folders in which modules are looked for."""
        ...

    def knows(self, name: str) -> bool:
        """Tell whether the host gives a meaning to a free name."""
        ...

    def check(self, added: Addition, source: Source) -> None:
        """Refuse what the host could not run."""
        ...

    def finish(self, run: Run) -> Any:
        """Drive a run to its value."""
        ...

    def finish_purely(self, run: Run) -> Any:
        """Drive a run to its value.

        Raises:
            Unasked: It asks its host for something.
        """
        ...

    def close(self) -> None:
        """End the conversation."""
        ...


class Unasked(Exception):
    """A run asked its host where that is not to be asked; the message says what for."""


class UnaskedHost(PureHost):
    """Drives runs only as far as they need no host."""

    def answer(self, run: Run, call: HostCall) -> ExecutionOutcome:
        """Answer notifications; end the run at anything else.

        Raises:
            Unasked: It is a question.
        """
        if call.kind is CallKind.EVENT:
            return super().answer(run, call)
        run.close()
        raise Unasked(call.capability)


@attrs.frozen(slots=True, eq=False)
class NoHost:
    """Programs without effects: every call is refused, and the error says so."""

    talk: Conversation
    module_path: tuple[str, ...] = ()

    @classmethod
    def open(cls, find_module: FindModule, limits: Limits | None = None) -> NoHost:
        """Begin a conversation."""
        from rtfs_framework.orchestrator.concurrency.clock import SystemClock
        from rtfs_framework.orchestrator.concurrency.deadlines import Deadlines

        seconds = None if limits is None else limits.seconds
        return cls(Conversation(find_module=find_module, limits=limits, watches=Deadlines(SystemClock(), seconds)))

    def knows(self, name: str) -> bool:
        """Know no name."""
        del name
        return False

    def check(self, added: Addition, source: Source) -> None:
        """Refuse what is malformed. A hint that cannot be followed fails when the function is called.

        Raises:
            LanguageError: There is some.
        """
        del source
        mistakes = [each for each in refusals(added.artifact.diagnostics) if each.code != UNKNOWN_NAME]
        if mistakes:
            raise LanguageError(mistakes)

    def finish(self, run: Run) -> Any:
        """Drive a run to its value."""
        return PureHost().finish(run)

    def finish_purely(self, run: Run) -> Any:
        """Drive a run to its value, or to its first question to a host."""
        return UnaskedHost().finish(run)

    def close(self) -> None:
        """Do nothing."""


@attrs.frozen(slots=True, eq=False)
class SessionHost:
    """A conversation with a configured host."""

    hosted: HostedConversation

    @classmethod
    def open(cls, session: Session, find_module: FindModule) -> SessionHost:
        """Begin a conversation."""
        from rtfs_framework.orchestrator.talking import HostedConversation

        return cls(HostedConversation.open(session, find_module))

    @property
    def talk(self) -> Conversation:
        """The conversation."""
        return self.hosted.talk

    @property
    def module_path(self) -> Iterable[str | Path]:
        """Where the configuration says that modules are."""
        return self.hosted.session.host.config.module_path

    def knows(self, name: str) -> bool:
        """Tell whether the host gives a meaning to a free name."""
        return self.hosted.knows(name)

    def check(self, added: Addition, source: Source) -> None:
        """Refuse hints that name no configured target."""
        self.hosted.check(added, source)

    def finish(self, run: Run) -> Any:
        """Drive a run to its value; its calls are dispatched and recorded."""
        return self.hosted.finish(run)

    def finish_purely(self, run: Run) -> Any:
        """Drive a run to its value, or to its first question to a host."""
        return UnaskedHost().finish(run)

    def close(self) -> None:
        """End the run in the journal."""
        self.hosted.close()
