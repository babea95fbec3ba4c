"""What a host answers itself for capabilities that plug-ins offer as `served`: people, models, its catalog.

A model is asked as a consultation: a call of its own beside this one, billed, guarded, labelled and written down like
any. What is found in the catalog is what this program may call under the rules of its run, and nothing else.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs

from rtfs_framework.api.targets import LocalModel, RemoteModel
from rtfs_framework.api.values import Keyword
from rtfs_framework.lang.errors import ProgramError
from rtfs_framework.lang.maps import Map
from rtfs_framework.lang.types.show import show_type
from rtfs_framework.orchestrator.boundary.answers import Answer, Reply, Throw, Waiting
from rtfs_framework.orchestrator.boundary.failures import unknown_target

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rtfs_framework.api.capability import CapabilityEntry
    from rtfs_framework.orchestrator.performing.capabilities import Capabilities
    from rtfs_framework.orchestrator.performing.consulting import Consultations
    from rtfs_framework.orchestrator.performing.people import People
    from rtfs_framework.orchestrator.recording.run_scope import OpenCall

_MODEL_USAGE = '(llm-execute "model" "prompt"), or {:model "m" :prompt "p" :system "s"}'
_SEARCH_USAGE = '(call :ccos.discovery.discover "words"), or {:query "words" :limit 10}'
_MOST = 100
"""Capabilities of one answer."""


@attrs.frozen(slots=True, eq=False)
class Services:
    """What a host serves."""

    people: People
    consultations: Consultations

    def answer(self, capabilities: Capabilities, entry: CapabilityEntry, opened: OpenCall) -> Answer | Waiting:
        """Return the answer to a call, or what to wait for."""
        if entry.served == "person":
            return self.people.answer(opened)
        try:
            if entry.served == "model":
                target, text = self._asked(opened)
                opened.begin()  # who dies while the model is asked does not ask it again unless somebody says so
                return Waiting(lambda: self._hear(opened, target, text))
            value = found_in(capabilities, opened)
        except ProgramError as error:
            return self._thrown(opened, error)
        opened.close(self._now(), value, answered=True)
        return Reply(value)

    async def _hear(self, opened: OpenCall, target: LocalModel | RemoteModel, text: str) -> Answer:
        await opened.written()
        try:
            said = await self.consultations.answer(opened, target, text)
        except ProgramError as error:
            return self._thrown(opened, error)
        opened.close(self._now(), said, answered=True)
        return Reply(said)

    def _asked(self, opened: OpenCall) -> tuple[LocalModel | RemoteModel, str]:
        """Return the model and the words of a call.

        Raises:
            ProgramError: It has other arguments, or names no model of this host.
        """
        given, args = opened.sends.args, opened.sends.args
        if len(given) == 1 and isinstance(given[0], Map):
            parts = {name: given[0].get(Keyword(name), given[0].get(name)) for name in _PARTS}
            system = "\n\n".join(str(parts[name]) for name in ("system", "context") if parts[name] is not None)
            args = (parts["model"], parts["prompt"], *((system,) if system else ()))
        if not 2 <= len(args) <= 3 or not all(isinstance(each, str) for each in args[1:]):
            raise ProgramError(
                "InvalidArgument", f"{opened.call.capability} takes a model and words; write {_MODEL_USAGE}"
            )
        return self.model(args[0]), "\n\n".join(reversed(args[1:]))

    def model(self, name: Any) -> LocalModel | RemoteModel:
        """Return a configured model by its name; `nil` names the only one.

        Raises:
            ProgramError: There is none of this name.
        """
        known = [each for each in self.consultations.pool.instances if isinstance(each, LocalModel | RemoteModel)]
        found = [each for each in known if name in (each.id, Keyword(each.id)) or (name is None and len(known) == 1)]
        if not found:
            names = ", ".join(sorted(f'"{each.id}"' for each in known))
            way_out = f"configured are {names}" if names else "configure one under [delegation.remote_providers]"
            raise unknown_target(f"no model is called {name!r}; {way_out}" if name else f"name a model; {way_out}")
        return found[0]

    def _thrown(self, opened: OpenCall, error: ProgramError) -> Throw:
        opened.close(self._now(), error=error)
        return Throw(error)

    def _now(self) -> float:
        return self.consultations.clock.monotonic()


_PARTS = ("model", "prompt", "system", "context")


def found_in(capabilities: Capabilities, opened: OpenCall) -> tuple[Map, ...]:
    """Return the capabilities that a program may call, those first that more of the words name.

    Raises:
        ProgramError: The call has other arguments.
    """
    words, most = _searched(opened)
    allowed = [
        each for each in capabilities.entries.values() if capabilities.security.authorize_capability(each.id) is None
    ]
    rated = [(sum(word in _told(each) for word in words), each) for each in allowed]
    found = sorted((each for each in rated if each[0] or not words), key=lambda each: (-each[0], each[1].id))
    return tuple(_shown(each) for _, each in found[:most])


def _searched(opened: OpenCall) -> tuple[list[str], int]:
    args, most = opened.sends.args, _MOST
    given = args[0] if args else ""
    if isinstance(given, Map):
        limit = given.get(Keyword("limit"))
        most = min(most, limit) if limit.__class__ is int and limit > 0 else most
        texts: Iterable[Any] = [item for key, item in given.items() if key != Keyword("limit")]
    else:
        texts = [given]
    words = [each for text in texts for each in (text if isinstance(text, tuple) else (text,))]
    if len(args) > 1 or not all(isinstance(each, str | Keyword) for each in words):
        raise ProgramError("InvalidArgument", f"{opened.call.capability} takes words; write {_SEARCH_USAGE}")
    spoken = [each.name if isinstance(each, Keyword) else each for each in words]
    return [word for text in spoken for word in text.lower().split()], most


def _told(entry: CapabilityEntry) -> str:
    return " ".join((entry.id, entry.summary, *entry.aliases, *entry.names, *entry.effects)).lower()


def _shown(entry: CapabilityEntry) -> Map:
    shown: dict[Any, Any] = {
        Keyword("id"): entry.id,
        Keyword("summary"): entry.summary,
        Keyword("effects"): tuple(entry.effects),
    }
    if entry.parameters is not None:
        shown[Keyword("parameters")] = tuple(map(show_type, entry.parameters))
    if entry.returns is not None:
        shown[Keyword("returns")] = show_type(entry.returns)
    return Map.wrap(shown)
