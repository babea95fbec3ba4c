"""What programs say in their calls: streams, queues, options. Whatever is none of these is an `InvalidArgument`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rtfs_capability_streams.rows import Progress
from rtfs_capability_streams.sources import wrong
from rtfs_framework.api import Keyword, LanguageError, Map, parse_type, show_type, write


def _k(name: str) -> Keyword:
    return Keyword(name)


def stream_in(said: Any) -> str:
    """Return which stream is meant."""
    if isinstance(said, Map) and _k("stages") in said:
        raise wrong("the stages of a stream are applied by stream-run and stream-consume alone")
    found = said.get(_k("stream")) if isinstance(said, Map) else said
    if not isinstance(found, str):
        raise wrong("a stream is what (stream-source ...) gives, or its name")
    return found


_NAMING = tuple(map(_k, ("stream", "sink", "name", "queue", "in", "out")))


def names_in(args: tuple[Any, ...]) -> set[str]:
    """Return the names of streams and queues that the arguments of a call may mean."""
    maps = [each for each in args if isinstance(each, Map)]
    found = [*args[:1], *(each.get(name) for each in maps for name in _NAMING)]
    names = {each.name if isinstance(each, Keyword) else each for each in found if isinstance(each, str | Keyword)}
    started = [(each.get(_k("endpoint")), each.get(_k("processor"))) for each in maps]
    return names | {f"{endpoint}/{processor}" for endpoint, processor in started if isinstance(endpoint, str)}


def sink_in(said: Any) -> str:
    """Return which queue is meant."""
    found = said.get(_k("sink")) if isinstance(said, Map) else said.name if isinstance(said, Keyword) else said
    if not isinstance(found, str) or not found or "\0" in found:
        raise wrong("a sink is what (stream-sink name) gives, a two-way stream, or a name")
    return found


def name_in(said: Any) -> str:
    """Return the name of a stream."""
    found = said.name if isinstance(said, Keyword) else said
    if not isinstance(found, str) or not 0 < len(found) <= 200:
        raise wrong("the :name of a stream is a text of 1 to 200 characters")
    return found


def type_in(options: Map, name: str, usual: str) -> str:
    """Return a type as it is kept."""
    said = options.get(_k(name))
    text = usual if said is None else said if isinstance(said, str) else write(said)
    try:
        return show_type(parse_type(text))
    except LanguageError as error:
        raise wrong(f":{name} is no type: {error}") from error


def number_in(options: Map, name: str, usual: float, low: float, high: float) -> float:
    """Return an option that is a number."""
    found = options.get(_k(name), usual)
    if isinstance(found, bool) or not isinstance(found, int | float) or not low <= found <= high:
        raise wrong(f":{name} is a number from {low} to {high:g}")
    return found


def count_in(options: Map, name: str, usual: int, low: int, high: int) -> int:
    """Return an option that counts something."""
    found = options.get(_k(name), usual)
    if type(found) is not int or not low <= found <= high:
        raise wrong(f":{name} is an integer from {low} to {high:,}")
    return found


def progress_of(said: Map) -> Progress:
    """Return what a run says of the items that it was given."""
    epoch, seq, outputs = said.get(_k("epoch")), said.get(_k("seq")), said.get(_k("outputs"), ())
    action = said.get(_k("action"), _k("continue"))
    word = action.name if isinstance(action, Keyword) else ""
    if word not in ("continue", "resume", "pause", "cancel", "complete"):
        raise wrong("an :action is :continue, :resume, :pause, :cancel or :complete")
    if type(epoch) is not int or type(seq) is not int:
        raise wrong("this is what (stream-run stream processor) says of itself")
    if not isinstance(outputs, Sequence) or isinstance(outputs, str):
        raise wrong(":outputs is a vector")
    return Progress(epoch, seq, said.get(_k("state")), tuple(outputs), "continue" if word == "resume" else word)
