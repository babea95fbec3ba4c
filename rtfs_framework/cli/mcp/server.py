"""The MCP server: tools and resources of a host, for the official SDK. What fails is a tool error with codes."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any, TypeVar

import anyio
import attrs
from mcp import MCPError
from mcp.server.lowlevel import Server
from mcp_types import (
    INVALID_PARAMS,
    CallToolRequestParams,
    CallToolResult,
    ElicitResult,
    InputRequiredResult,
    ListResourcesResult,
    ListToolsResult,
    ReadResourceResult,
    Resource,
    TextContent,
    TextResourceContents,
)
from mcp_types.version import MODERN_PROTOCOL_VERSIONS
from pydantic import ValidationError

from rtfs_framework import __version__
from rtfs_framework.cli.faults import INTERNAL, diagnostics_json, text_of
from rtfs_framework.cli.mcp.approving import SCHEMA, UNSAID, UNWRITTEN, Waiting, answer, form, question, run_of
from rtfs_framework.cli.mcp.asked import TOOLS, Resume, tools
from rtfs_framework.cli.mcp.working import TOO_LARGE, Working
from rtfs_framework.cli.problems import BAD_CHOICE, problem
from rtfs_framework.lang.errors import RtfsError

if TYPE_CHECKING:
    from mcp.server.context import ServerRequestContext

    from rtfs_framework.api.approval import ApprovalRequest
    from rtfs_framework.cli.mcp.clients import Clients
    from rtfs_framework.orchestrator.config.agents import McpClientSpec

LATE = "E0944"
_EVERY = 1.0
"""Seconds between two notifications of progress."""
_AT_ONCE = 16
_MOST_ROUNDS = 20
"""Calls of one run that a client's user is asked about in one request."""
_INSTRUCTIONS = """RTFS is a small, pure Lisp; its programs reach the outside only by what this host grants. Call
`prompt` before you write a program, `check` before you run it; `doc` explains a name, `explain` the code of a
diagnostic."""
_PROMPT, _DOC = "rtfs://prompt", "rtfs://doc"
_KEY = "approve"
_RUNS = frozenset({"run", "resume"})

_T = TypeVar("_T")
Context = Any
Answer = CallToolResult | InputRequiredResult


@attrs.define(slots=True, eq=False)
class Front:
    """All that the server's handlers share. `who` tells whose request it is."""

    clients: Clients
    who: Callable[[ServerRequestContext[Any]], McpClientSpec]
    waiting: Waiting = attrs.field(factory=Waiting)
    _places: anyio.CapacityLimiter | None = attrs.field(default=None, init=False)

    def server(self) -> Server[Any]:
        """Return the server."""
        return Server(
            "rtfs",
            version=__version__,
            instructions=_INSTRUCTIONS,
            on_list_tools=self._list,
            on_call_tool=self._call,
            on_list_resources=self._resources,
            on_read_resource=self._read,
        )

    async def _list(self, _context: Context, _params: Any) -> ListToolsResult:
        return ListToolsResult(tools=tools())

    async def _resources(self, _context: Context, _params: Any) -> ListResourcesResult:
        texts = {_PROMPT: "What a model must know to write RTFS for this host.", _DOC: "All names of the language."}
        made = [
            Resource(name=uri.partition("//")[2], uri=uri, description=text, mime_type="text/plain")
            for uri, text in texts.items()
        ]
        return ListResourcesResult(resources=made)

    async def _read(self, context: Context, params: Any) -> ReadResourceResult:
        uri = str(params.uri)
        if uri not in (_PROMPT, _DOC):
            raise MCPError(INVALID_PARAMS, "there is no such resource")
        working = self._working(self.who(context))
        tool = "prompt" if uri == _PROMPT else "doc"
        found = await getattr(working, tool)(TOOLS[tool].takes())
        text = found["prompt"] if uri == _PROMPT else json.dumps(found["families"], indent=1)
        return ReadResourceResult(contents=[TextResourceContents(uri=uri, text=text, mime_type="text/plain")])

    def _working(self, client: McpClientSpec) -> Working:
        session = self.clients.session(client)
        store = session.host.dispatcher.approvals.store
        return Working(session, client, self.clients.bounds.program, lambda run: self.waiting.of(run, store))

    async def _call(self, context: Context, params: CallToolRequestParams) -> Answer:
        try:
            return await self._answered(context, params)
        except RtfsError as error:
            return _failed(error)
        except MCPError:
            raise
        except Exception as error:  # noqa: BLE001 - whatever breaks is a bug of ours, and no client sees a traceback
            return _broken(error)

    async def _done(self, work: Awaitable[dict[str, Any]]) -> dict[str, Any]:
        """Return what some work gives, in its turn and within its time: a person's is not counted.

        Raises:
            InputError: E0944, it took too long.
        """
        if self._places is None:
            self._places = anyio.CapacityLimiter(_AT_ONCE)
        seconds = self.clients.bounds.seconds
        try:
            with anyio.fail_after(seconds):
                async with self._places:
                    return await work
        except TimeoutError:
            raise problem(LATE, f"it took longer than {seconds:g} s, and was ended", "`seconds` under [mcp]") from None

    async def _answered(self, context: Context, params: CallToolRequestParams) -> Answer:
        known = TOOLS.get(params.name)
        if known is None:
            raise problem(BAD_CHOICE, f"there is no tool '{params.name[:80]}'", f"there are {', '.join(TOOLS)}")
        try:
            asked = known.takes.model_validate(params.arguments or {})
        except ValidationError as error:
            raise problem(BAD_CHOICE, _misfits(error), "tools/list has the schemas") from None
        client = self.who(context)
        working = self._working(client)

        async def whole() -> dict[str, Any] | InputRequiredResult:
            found = await self._said(params, working)
            if found is not None and found.get("waits") in (UNSAID, UNWRITTEN):
                return found  # whoever said nothing is not asked again at once
            if found is None:
                found = await self._done(getattr(working, params.name)(asked))
            return await self._settled(context, working, found)

        done = await _with_progress(context, whole)
        return done if isinstance(done, InputRequiredResult) else self._result(done)

    async def _said(self, params: CallToolRequestParams, working: Working) -> dict[str, Any] | None:
        """Return how a run goes on of which the client's user was asked by the last answer; None for none.

        An answer counts once, and only for the call that its form showed. Whatever else comes with a run of the
        client's own approves nothing: the run is gone on with, and where it waits its user is asked anew.
        """
        state = params.request_state
        if state is None or params.name not in _RUNS:
            return None
        run = run_of(state)
        if run is None or not working.client.approve:
            raise problem(BAD_CHOICE, "nothing of this run waits for an answer", "call `resume` with its id")
        working.own(run)  # before anything is written down
        said = (params.input_responses or {}).get(_KEY)
        request = self.waiting.taken(state) if isinstance(said, ElicitResult) else None
        if request is not None and isinstance(said, ElicitResult):
            left = await self._written(working, request, said)
            if left is not None:
                return {**await working.parked(run, ""), "waits": left}
        return await self._done(working.resume(Resume(run=run)))

    async def _written(self, working: Working, request: ApprovalRequest, said: ElicitResult) -> str | None:
        """Write an answer down; return what its run still waits for, None if it may go on."""
        left = await anyio.to_thread.run_sync(lambda: answer(working.session, request, said, working.client.name))
        if left is None:
            self.waiting.forget(request)
        return left

    async def _settled(
        self, context: Context, working: Working, found: dict[str, Any]
    ) -> dict[str, Any] | InputRequiredResult:
        """Ask the client's user about calls that wait, where it has one who may answer, until the run is at an end."""
        for _ in range(_MOST_ROUNDS):
            if found.get("status") != "waiting" or not working.client.approve or not _elicits(context):
                return found
            request = await working.waits(found["run"])
            if request is None:
                return found
            if context.session.protocol_version in MODERN_PROTOCOL_VERSIONS:
                asked: dict[str, Any] = {_KEY: form(request, whole=working.sees_all)}
                return InputRequiredResult(input_requests=asked, request_state=self.waiting.sent(request))
            text = question(request, whole=working.sees_all)
            try:
                said = await context.session.elicit_form(text, SCHEMA, context.request_id)
            except MCPError:  # it could not ask: the run waits on, and its client is told its id
                return found
            if await self._written(working, request, said) is not None:
                return found
            found = await self._done(working.resume(Resume(run=request.run)))
        return found

    def _result(self, found: dict[str, Any]) -> CallToolResult:
        text = json.dumps(found, ensure_ascii=False)
        size, most = len(text.encode("utf-8", "backslashreplace")), self.clients.bounds.answer
        if size > most:
            raise problem(TOO_LARGE, f"the answer has {size:,} bytes; {most:,} are given", "let the program give less")
        return CallToolResult(content=[TextContent(text=text)], structured_content=json.loads(text))


def _elicits(context: Context) -> bool:
    capabilities = context.session.client_capabilities
    return capabilities is not None and capabilities.elicitation is not None


async def _with_progress(context: Context, work: Callable[[], Awaitable[_T]]) -> _T:
    """Return what some work gives; meanwhile its client is told that it goes on, where it asked for that."""
    found: _T | Exception
    async with anyio.create_task_group() as group:
        group.start_soon(_tell_progress, context)
        try:
            found = await work()
        except Exception as error:  # noqa: BLE001 - raised below, where no group is made of it
            found = error
        group.cancel_scope.cancel()
    if isinstance(found, Exception):
        raise found
    return found


async def _tell_progress(context: Context) -> None:
    """Tell how many seconds a request has been under way."""
    seconds = 0
    while True:
        with suppress(MCPError, OSError, anyio.ClosedResourceError, anyio.BrokenResourceError):
            await context.session.report_progress(float(seconds), None, f"{seconds} s")
        await anyio.sleep(_EVERY)
        seconds += 1


def _misfits(error: ValidationError) -> str:
    """Return what is wrong with arguments, without quoting what may be long or secret."""
    found = [f"{'.'.join(map(str, each['loc'])) or 'arguments'}: {each['msg']}" for each in error.errors()]
    return "; ".join(found[:5])[:500]


def _failed(error: RtfsError) -> CallToolResult:
    errors = diagnostics_json(error)
    return CallToolResult(
        content=[TextContent(text=text_of(error)[:20_000])], structured_content={"errors": errors}, is_error=True
    )


def _broken(error: BaseException) -> CallToolResult:
    from rtfs_framework.cli.crash import write_crash_file

    path = write_crash_file(error)
    where = f"the details are in {path} on the server" if path is not None else "nothing could be written down"
    message = f"internal error: {type(error).__name__}; {where}"
    data = {"errors": [{"code": INTERNAL, "severity": "error", "message": message, "help": "please report it"}]}
    return CallToolResult(content=[TextContent(text=message)], structured_content=data, is_error=True)
