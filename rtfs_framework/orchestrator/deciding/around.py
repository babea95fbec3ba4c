"""The surroundings in which a host works, as decisions may read them."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, Protocol

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
