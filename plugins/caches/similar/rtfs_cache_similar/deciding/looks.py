"""What a decision looks at: the request, and the entries that lie near it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import attrs

from rtfs_framework.api import CacheRecord


@attrs.frozen(slots=True)
class Look:
    """A request's varying part."""

    text: str


@attrs.frozen(slots=True)
class Near:
    """An entry that the index found near a request."""

    entry_id: str
    text: str
    """The varying part of the request that it answered."""
    similarity: float
    """The cosine of both embeddings, -1 to 1."""
    record: CacheRecord | None = attrs.field(default=None, repr=False)


class Found(Protocol):
    """What the index found: `Near`, or `Unread`."""

    @property
    def entry_id(self) -> str:
        """The entry's id."""
        ...

    @property
    def similarity(self) -> float:
        """The cosine of both embeddings, -1 to 1."""
        ...

    @property
    def text(self) -> str | None:
        """The varying part of the request that it answered; None where it is not there any more."""
        ...

    @property
    def record(self) -> CacheRecord | None:
        """What it holds."""
        ...


@attrs.define(slots=True, eq=False)
class Unread:
    """An entry that is read from the file when somebody looks at more than how near it is: mostly the first alone."""

    entry_id: str
    similarity: float
    _read: Callable[[], Near | None]
    _known: bool = attrs.field(default=False, init=False)
    _near: Near | None = attrs.field(default=None, init=False)

    @property
    def text(self) -> str | None:
        """The varying part of the request that it answered; None where it is not there any more."""
        near = self._looked()
        return None if near is None else near.text

    @property
    def record(self) -> CacheRecord | None:
        """What it holds."""
        near = self._looked()
        return None if near is None else near.record

    def _looked(self) -> Near | None:
        if not self._known:
            self._near, self._known = self._read(), True
        return self._near
