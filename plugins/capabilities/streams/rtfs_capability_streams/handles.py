"""Handles: the plain maps by which programs know streams, and the arguments of calls that bring them."""

from __future__ import annotations

from typing import Any

import attrs

from rtfs_capability_streams.rows import Stream
from rtfs_capability_streams.sources import effects_of, wrong
from rtfs_framework.api import CapabilityRequest, Keyword, Map, read_value, write


def shown(stream: Stream) -> Map:
    """Return all that is told of a stream."""
    handle, _ = handle_of(stream)
    entries = [
        (Keyword("status"), Keyword(stream.status)),
        (Keyword("seq"), stream.seq),
        (Keyword("source"), write(_plain(stream.source))),
        (Keyword("state"), read_value(stream.state)),
        *([(Keyword("processor"), stream.processor)] if stream.processor else []),
    ]
    return Map.of([*handle.items(), *entries])


def _plain(source: Any) -> Any:
    return tuple(_plain(each) for each in source) if isinstance(source, list) else source


def handle_of(stream: Stream) -> tuple[Map, frozenset[str]]:
    """Return what programs know a stream by, and its marks."""
    effects = tuple(Keyword(each) for each in effects_of(stream.source))
    entries = [
        (Keyword("stream"), stream.id),
        (Keyword("of"), stream.type),
        (Keyword("effects"), effects),
        (Keyword("replayable"), stream.replayable),
    ]
    two_way = [(Keyword("sink"), stream.sink), (Keyword("takes"), stream.takes)] if stream.sink else []
    return Map.of([*entries, *two_way]), stream.marks


def with_args(request: CapabilityRequest, args: tuple[Any, ...]) -> CapabilityRequest:
    """Return a call with other arguments."""
    return attrs.evolve(request, args=args)


def only_in(request: CapabilityRequest) -> Any:
    """Return the one argument of a call."""
    if len(request.args) != 1:
        raise wrong(f"{request.id} takes 1 argument, {len(request.args)} given")
    return request.args[0]


def map_in(request: CapabilityRequest, place_: int) -> Map:
    """Return an argument that is a map."""
    found = request.args[place_] if len(request.args) > place_ else None
    if not isinstance(found, Map):
        raise wrong(f"argument {place_ + 1} of {request.id} is a map")
    return found
