"""Results of tools as values, and arguments as JSON.

`structuredContent` is the answer where there is one, read as the type of the tool's `outputSchema`; else the text of
its content; else (images, sounds, resources) one map a block.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mcp_types import CallToolResult, GetPromptResult, ReadResourceResult, TextContent, TextResourceContents

from rtfs_capability_mcp.events import MOST_HELD
from rtfs_capability_mcp.schemas import Check
from rtfs_capability_mcp.words import shown
from rtfs_framework.api import (
    CapabilityError,
    FailureKind,
    JsonError,
    Keyword,
    Map,
    ProgramError,
    Type,
    Value,
    from_json,
    to_json,
)


def arguments_of(args: tuple[Value, ...], check: Check | None, tool: str) -> dict[str, Any]:
    """Return a call's one map as JSON data.

    Raises:
        CapabilityError: TypeValidationError: it is no map, or not what the tool's schema says. Nothing was done.
    """
    try:
        data = to_json(args[0]) if len(args) == 1 else None
    except JsonError as error:
        message = f"the arguments of {tool}: {error}"
        raise CapabilityError(message, "TypeValidationError", failure=FailureKind.FINAL) from None
    if not isinstance(data, dict):
        message = f"{tool} takes one map of arguments"
        raise CapabilityError(message, "TypeValidationError", failure=FailureKind.FINAL)
    wrong = None if check is None else check(data)
    if wrong is not None:
        message = f"the arguments of {tool}: {wrong}"
        raise CapabilityError(message, "TypeValidationError", failure=FailureKind.FINAL)
    return data


def value_of(result: CallToolResult, tool: str, returns: Type | None, check: Check | None, anything: Type) -> Value:
    """Return what a tool answered; `returns` is the type of its output schema, if it has one.

    Raises:
        CapabilityError: Its answer is not what its schema says.
    """
    if returns is None and result.structured_content is None:
        return _content(result, anything)
    data = result.structured_content
    wrong = None if check is None else check(data)
    if wrong is None:
        try:
            value: Value = from_json(anything if returns is None else returns, data)
            to_json(value)  # what is no JSON (NaN, a number beyond all floats) is no answer
        except (ProgramError, JsonError) as error:
            wrong = shown(str(error))
        else:
            return value
    message = f"the answer of {tool} is not what its schema says: {wrong}"
    raise CapabilityError(message, "TypeValidationError", failure=FailureKind.REPLY)


def resource_value(result: ReadResourceResult, anything: Type) -> Value:
    """Return what a resource holds: its text where it is one text, else one map a part."""
    parts = result.contents
    if len(parts) == 1 and isinstance(parts[0], TextResourceContents):
        return parts[0].text
    blocks = [part.model_dump(by_alias=True, mode="json", exclude_none=True, exclude={"meta"}) for part in parts]
    value: Value = from_json(anything, blocks)
    return value


def listed_value(found: list[dict[str, Any]], anything: Type) -> Value:
    """Return what was listed: a map each, with the keys of the protocol."""
    value: Value = from_json(anything, found)
    return tuple(_keyed(each) for each in value)


def prompt_value(result: GetPromptResult, anything: Type) -> Value:
    """Return a prompt: its `:messages`, each with its `:role` and `:text`, or `:content` where that is no text."""
    messages = []
    for each in result.messages:
        text = isinstance(each.content, TextContent)
        data = each.content.model_dump(by_alias=True, mode="json", exclude_none=True, exclude={"meta"})
        said = each.content.text if isinstance(each.content, TextContent) else from_json(anything, data)
        messages.append(Map.of([(Keyword("role"), Keyword(each.role)), (Keyword("text" if text else "content"), said)]))
    told = [] if result.description is None else [(Keyword("description"), result.description)]
    return Map.of([*told, (Keyword("messages"), tuple(messages))])


def _keyed(found: Value) -> Value:
    return Map.of([(Keyword(key), value) for key, value in found.items()])


def watching_of(id_: str, args: tuple[Value, ...]) -> tuple[tuple[str, ...], int, float]:
    """Return which resources a call watches, and how many events it takes after how many seconds.

    Raises:
        CapabilityError: It says something else.
    """
    said = to_json(args[0]) if len(args) == 1 and isinstance(args[0], Map) else None
    uris, most, wait = (said or {}).get("uris", []), (said or {}).get("most", 100), (said or {}).get("wait", 0)
    counts = type(most) is int and 0 < most <= MOST_HELD and type(wait) in (int, float) and wait >= 0
    if (
        said is None
        or said.keys() - {"uris", "most", "wait"}
        or not counts
        or not isinstance(uris, list)
        or not all(isinstance(each, str) for each in uris)
    ):
        message = f'{id_} takes one map, such as {{:uris ["a://b"] :wait 10 :most 100}}, all of which may be left out'
        raise CapabilityError(message, "InvalidArgument", failure=FailureKind.FINAL)
    return tuple(uris), most, float(wait)


def events_value(found: list[dict[str, Any]], lost: int, anything: Type) -> Value:
    """Return events, each a map with its `:kind`, and how many were lost."""
    events = [
        Map.of(
            [(Keyword(key), Keyword(each[key]) if key == "kind" else from_json(anything, each[key])) for key in each]
        )
        for each in found
    ]
    return Map.of([(Keyword("events"), tuple(events)), (Keyword("lost"), lost)])


def text_of(result: CallToolResult) -> str:
    """Return the words of a result."""
    return "\n".join(block.text for block in result.content if isinstance(block, TextContent))


def _content(result: CallToolResult, anything: Type) -> Value:
    if all(isinstance(block, TextContent) for block in result.content):
        return text_of(result)
    blocks: list[Mapping[str, Any]] = [
        block.model_dump(by_alias=True, mode="json", exclude_none=True, exclude={"meta"}) for block in result.content
    ]
    value: Value = from_json(anything, blocks)
    return value
