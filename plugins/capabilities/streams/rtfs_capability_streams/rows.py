"""What the file holds of a stream, and what is said of it and given by it."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

import attrs

from rtfs_capability_streams import schema


class QueueFull(Exception):
    """A queue holds as many items as it may."""


@attrs.define(slots=True)
class Stream:
    """A row of `streams`."""

    named: bool
    tenant: str
    id: str
    source: list[Any]
    type: str
    sink: str
    takes: str
    processor: str
    batch: int
    wait: float
    state: str
    position: Any
    seq: int
    status: str
    epoch: int = 0
    given: list[Any] = attrs.field(factory=list)
    key: str = ""
    marks: frozenset[str] = frozenset()
    reader: str = ""
    """The process that reads its pipe, if it reads one."""
    running: bool = False
    """Whether what was given was given to a run: its epoch says what becomes of it."""
    kept: tuple[Any, ...] = attrs.field(default=(), eq=False)
    """The row as the file has it."""

    @classmethod
    def of(cls, row: Iterable[Any]) -> Stream:
        """Return what a row says."""
        as_kept = tuple(row)
        values = dict(zip(schema.FIELDS, as_kept, strict=True))
        read = {name: json.loads(values[name]) for name in ("source", "position", "given")}
        return cls(**{**values, **read, "marks": frozenset(json.loads(values["marks"]))}, kept=as_kept)

    def row(self) -> tuple[Any, ...]:
        """Return the row."""
        texts = {name: as_text(getattr(self, name)) for name in ("source", "position", "given")}
        texts["marks"] = as_text(sorted(self.marks))
        return tuple([texts[name] if name in texts else getattr(self, name) for name in schema.FIELDS])

    @property
    def queue(self) -> str | None:
        """The queue that it reads, if it reads one: what comes out of a pipe or a model goes into one of its own."""
        kind, name, *_ = (*self.source, None)
        if kind == "model":
            return f"\0model\0{self.id}"
        return name if kind == "queue" else f"\0{name}" if kind == "pipe" else None

    @property
    def asks(self) -> bool:
        """Whether it is the reply of a model."""
        return bool(self.source[0] == "model")

    @property
    def replayable(self) -> bool:
        """Whether what was read can be read again."""
        return self.source[0] not in ("pipe", "model")


@attrs.frozen(slots=True)
class Batch:
    """What a stream gives at once."""

    stream: Stream
    seq: int
    items: tuple[Any, ...]
    done: bool
    """Whether nothing comes after these."""
    cut: bool = False
    """Whether a bound cut them off: more may be there already."""
    batch: str = ""
    """Its name, where it was fetched ahead and a slot says how much of it is used."""


@attrs.frozen(slots=True)
class Progress:
    """What whoever runs a stream says of the items that it was given."""

    epoch: int
    seq: int
    state: Any
    outputs: tuple[Any, ...] = ()
    action: str = "continue"


def as_text(value: Any) -> str:
    """Return JSON data as it is kept."""
    return json.dumps(value, separators=(",", ":"))
