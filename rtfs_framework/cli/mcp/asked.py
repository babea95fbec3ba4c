"""What the tools take and give, as pydantic models: the SDK brings it, and schemas and checks are made of them."""

from __future__ import annotations

from typing import Any

import attrs
from mcp_types import Tool, ToolAnnotations
from pydantic import BaseModel, ConfigDict, Field

_MOST_ARGS = 100


class Asked(BaseModel):
    """What a tool takes: nothing but its fields, of their own types."""

    model_config = ConfigDict(extra="forbid", strict=True)


class Check(Asked):
    """Of `check`."""

    program: str = Field(description="The text of an RTFS program.")


class Run(Asked):
    """Of `run`."""

    program: str = Field(description="The text of an RTFS program.")
    entry: str | None = Field(None, description="The function to call (default: main, where there are args).")
    args: list[Any] = Field(default_factory=list, max_length=_MOST_ARGS, description="Its arguments, as JSON.")


class Explain(Asked):
    """Of `explain`: one of both."""

    program: str | None = Field(None, description="The text of a program: where each of its calls would go, and why.")
    code: str | None = Field(None, description="Or the code of a diagnostic, such as E0203: what it means.")


class Resume(Asked):
    """Of `resume`."""

    run: str = Field(pattern=r"^[0-9a-f]{32}$", description="The id of a run that waits, as `run` returned it.")


class Doc(Asked):
    """Of `doc`: one of both, or neither."""

    name: str | None = Field(None, max_length=200, description="A special form, macro or function.")
    search: str | None = Field(None, max_length=200, description="Or words to look for.")


class Prompt(Asked):
    """Of `prompt`: in tokens, estimated."""

    max_tokens: int = Field(1800, ge=100, le=100_000, description="How long the description may be.")


@attrs.frozen(slots=True)
class Known:
    """One tool: what it takes, what it is for, and what it gives by name."""

    takes: type[Asked]
    text: str
    gives: dict[str, str]
    reads: bool = True
    """It changes nothing and asks nobody."""


_RUN = {
    "status": "string",
    "value": "any",
    "type": "string",
    "text": "string",
    "run": "string",
    "labels": "array",
    "calls": "array",
    "cost": "any",
    "waits": "string",
    "approval": "object",
}
TOOLS: dict[str, Known] = {
    "check": Known(
        Check,
        "Find mistakes in an RTFS program without running it: each with code, place and a way out. Of a program that "
        "would run, the purity of its functions and the calls that leave it are told.",
        {"accepted": "boolean", "diagnostics": "array", "about": "object"},
    ),
    "run": Known(
        Run,
        "Run an RTFS program under this client's rules and return its value. A run that must wait for a person, a time "
        "or a word from outside has the status `waiting`: see `waits`, and call `resume` with its id later.",
        _RUN,
        reads=False,
    ),
    "explain": Known(
        Explain,
        "Tell where each call of a program would go and why, running nothing; or what the code of a diagnostic means.",
        {"sites": "array", "code": "string", "title": "string", "meaning": "string", "wrong": "any", "right": "any"},
    ),
    "resume": Known(
        Resume,
        "Go on with a run of this client that waits. Calls that were answered are not made again.",
        _RUN,
        reads=False,
    ),
    "doc": Known(
        Doc,
        "Explain a name of the language with types and examples, or search; without both, list all names by family.",
        {"entries": "array", "families": "object"},
    ),
    "prompt": Known(
        Prompt,
        "What a model must know to write RTFS for this host: the language, granted capabilities, models.",
        {"prompt": "string", "tokens": "integer", "left_out": "array"},
    ),
}


def tools() -> list[Tool]:
    """Return the tools as MCP lists them."""
    return [
        Tool(
            name=name,
            description=known.text,
            input_schema=known.takes.model_json_schema(),
            output_schema=_output(known.gives),
            annotations=ToolAnnotations(
                read_only_hint=known.reads, destructive_hint=not known.reads, open_world_hint=not known.reads
            ),
        )
        for name, known in TOOLS.items()
    ]


def _output(gives: dict[str, str]) -> dict[str, Any]:
    """Return the schema of an answer; one that fails has `errors` alone."""
    members = {name: {} if kind == "any" else {"type": kind} for name, kind in gives.items()}
    return {"type": "object", "properties": {**members, "errors": {"type": "array"}}}
