"""What a decision looks at: the request, and the entries that lie near it."""

from __future__ import annotations

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
