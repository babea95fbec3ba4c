"""Where a conversation's calls go: to the host that a configuration describes, or nowhere."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import attrs

from rtfs_framework.kernel.interactive import Conversation
from rtfs_framework.kernel.purehost import PureHost
from rtfs_framework.lang.errors import LanguageError
from rtfs_framework.lang.source import Source

if TYPE_CHECKING:
    from rtfs_framework.kernel.run import Run
    from rtfs_framework.lang.growing import Addition
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
        """Drive a run to its value; every call is refused."""
        ...

    def close(self) -> None:
        """End the conversation."""
        ...


@attrs.frozen(slots=True, eq=False)
class NoHost:
    """Programs without effects: every call is refused, and the error says so."""

    talk: Conversation
    module_path: tuple[str, ...] = ()

    @classmethod
    def open(cls, find_module: FindModule) -> NoHost:
        """Begin a conversation."""
        return cls(Conversation(find_module=find_module))

    def knows(self, name: str) -> bool:
        """Know no name."""
        del name
        return False

    def check(self, added: Addition, source: Source) -> None:
        """Refuse what fails whenever it is reached. A hint that cannot be followed fails when the function is called.

        Raises:
            LanguageError: There is some.
        """
        del source
        found = added.artifact.diagnostics
        mistakes = [each for each in found if each.severity == "error" and each.code != UNKNOWN_NAME]
        if mistakes:
            raise LanguageError(mistakes)

    def finish(self, run: Run) -> Any:
        """Drive a run to its value."""
        return PureHost().finish(run)

    finish_purely = finish

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
        """Drive a run to its value; every call is refused."""
        return PureHost().finish(run)

    def close(self) -> None:
        """End the run in the journal."""
        self.hosted.close()
