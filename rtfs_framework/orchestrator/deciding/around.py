"""The surroundings in which a host works, as decisions may read them."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, Protocol

import attrs

from rtfs_framework.api.values import Clock
from rtfs_framework.orchestrator.config.surroundings import Surroundings

_NO_FACTS: Mapping[str, str] = MappingProxyType({})


class Around(Protocol):
    """Knows for whom, where and when calls are decided."""

    @property
    def agent(self) -> str:
        """Who the host works for; "" for nobody in particular."""
        ...

    @property
    def environment(self) -> Mapping[str, str]:
        """Where it works, by name."""
        ...

    @property
    def constraints(self) -> Mapping[str, str]:
        """What whoever asks wants to be kept to, by name."""
        ...

    @property
    def time_class(self) -> str:
        """In which class of hours it is now, by the host's clock; "" where there are no classes."""
        ...


class _Nothing:
    """Where nothing is said."""

    agent = ""
    environment = _NO_FACTS
    constraints = _NO_FACTS
    time_class = ""


NOTHING_AROUND: Final = _Nothing()


_QUARTER = 900.0


@attrs.define(slots=True, eq=False)
class HostAround:
    """The surroundings of a host, as its configuration says, and by its clock."""

    surroundings: Surroundings
    clock: Clock
    _seen: tuple[float, str] = attrs.field(default=(float("-inf"), ""), init=False)
    """The quarter of an hour in which the class was found last, and the class: no zone's hours begin within one."""

    @property
    def agent(self) -> str:
        """Who the host works for."""
        return self.surroundings.agent

    @property
    def environment(self) -> Mapping[str, str]:
        """Where it works."""
        return self.surroundings.environment

    @property
    def constraints(self) -> Mapping[str, str]:
        """What is to be kept to."""
        return self.surroundings.constraints

    @property
    def time_class(self) -> str:
        """In which class of hours it is now."""
        now = self.clock.now()
        quarter = now // _QUARTER
        at, found = self._seen
        if at != quarter:
            found = self.surroundings.time_class(now)
            self._seen = quarter, found
        return found
