"""The pages: an ASGI application of one table of paths.

Each page is a function from a request to a template's data, and works in a thread: it reads files. Whatever it refuses
becomes a page that says so, with the code and the way out that the command line would print.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, quote

import attrs
import click
from click.globals import pop_context, push_context
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from rtfs_framework import __version__
from rtfs_framework.cli.commands.runs_list import STATUS
from rtfs_framework.cli.crash import write_crash_file
from rtfs_framework.cli.faults import INTERNAL, diagnostics_json
from rtfs_framework.cli.since import Since
from rtfs_framework.cli.ui import now, past
from rtfs_framework.cli.ui.door import Door, RefusedError, Visitor
from rtfs_framework.cli.ui.editor import EXAMPLE, Editor
from rtfs_framework.cli.ui.report import report
from rtfs_framework.cli.ui.shown import rendered
from rtfs_framework.lang.errors import RtfsError
from rtfs_framework.lang.visible import visible_line
from rtfs_framework.orchestrator.recording.journal.query import Wanted

MOST_BODY = 2 << 20
"""Bytes of a form: a program's text and its arguments."""
_STATIC = {
    "app.css": "text/css",
    "charts.css": "text/css",
    "htmx.min.js": "text/javascript",
    "icon.svg": "image/svg+xml",
}
HEADERS = {
    "content-security-policy": (
        "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "cache-control": "no-store",
}
_REPORT_POLICY = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; sandbox allow-same-origin"
_FILTERS = ("source", "symbol", "target", "search", "tenant", "status", "since", "until")


_MISSING = RefusedError(404, "there is no such page", "go back to /runs")


@attrs.frozen(slots=True)
class Asked:
    """A request of somebody who was let in."""

    visitor: Visitor
    path: Mapping[str, str]
    query: Mapping[str, str]
    form: Mapping[str, str]


@attrs.frozen(slots=True)
class Page:
    """What a function answers: a template and its data, or somewhere else to go."""

    template: str
    data: Mapping[str, Any] = attrs.field(factory=dict)
    go: str = ""


@attrs.frozen(slots=True)
class Pages:
    """The pages of one server."""

    door: Door
    journal: Path
    config: str | None
    editor: Editor
    program: str = EXAMPLE
    """What the editor begins with."""

    def runs(self, asked: Asked) -> Page:
        """List runs."""
        given = {name: asked.query[name] for name in _FILTERS if asked.query.get(name)}
        wanted: dict[str, Any] = dict(given)
        for name in ("since", "until"):
            if name in wanted:
                wanted[name] = _time(wanted[name], name)
        found = past.runs_page(self.journal, Wanted(**wanted), asked.query.get("before", ""))
        return Page("runs.html", {**found, "given": given, "states": STATUS, "before": asked.query.get("before", "")})

    def run(self, asked: Asked) -> Page:
        """Show a run."""
        after = asked.query.get("after", "0")
        return Page("run.html", past.run_page(self.journal, asked.path["run"], _number(after)))

    def call(self, asked: Asked) -> Page:
        """Show a call."""
        return Page("call.html", past.call_page(self.journal, asked.path["run"], asked.query.get("id", "")))

    def diff(self, asked: Asked) -> Page:
        """Show two runs side by side."""
        first, second = asked.query.get("a", "").strip(), asked.query.get("b", "").strip()
        found = past.diff_page(self.journal, first, second) if first and second else None
        return Page("diff.html", {"a": first, "b": second, "found": found})

    def caches(self, _: Asked) -> Page:
        """Show caches."""
        return Page("caches.html", now.caches_page(self.config, self.journal))

    def state(self, _: Asked) -> Page:
        """Show breakers and budgets."""
        return Page("state.html", now.state_page(self.config))

    def tickets(self, asked: Asked) -> Page:
        """Show tickets."""
        return Page("tickets.html", now.tickets_page(self.config, asked.query.get("done", "")))

    def change_ticket(self, asked: Asked) -> Page:
        """Cancel a ticket, or let it begin anew."""
        self.door.check_writing(asked.visitor)
        action, id_ = asked.form.get("action", ""), asked.form.get("id", "")
        if action not in now.CHANGES:
            raise RefusedError(400, "a ticket is cancelled or tried again", "use the buttons of the page")
        now.change_ticket(self.config, id_, action)
        return Page("", go=f"/tickets?done={quote(id_, safe='')}")

    def approvals(self, asked: Asked) -> Page:
        """Show what waits for a person."""
        return Page("approvals.html", {**now.approvals_page(), "done": asked.query.get("done", "")})

    def answer(self, asked: Asked) -> Page:
        """Answer a call that waits."""
        self.door.check_writing(asked.visitor)
        yes = asked.form.get("answer") == "yes"
        if not yes and asked.form.get("answer") != "no":
            raise RefusedError(400, "an answer is yes or no", "use the buttons of the page")
        found = now.answer(asked.path["id"], yes=yes, reason=asked.form.get("reason", ""))
        return Page("", go=f"/approvals?done={found['id']}")

    def waiting(self, _: Asked) -> Page:
        """Tell how many calls wait, for the badge of every page."""
        return Page("waiting.html", {"count": now.waiting_count()})

    def edit(self, _: Asked) -> Page:
        """Show the editor."""
        return Page("editor.html", {"text": self.program, "args": "", "done": None, "file": self.editor.file or ""})

    def work(self, asked: Asked) -> Page:
        """Check, explain or run what is in the editor."""
        action, text, args = (asked.form.get(name, "") for name in ("action", "text", "args"))
        if action not in {"check", "explain", "run"}:
            raise RefusedError(400, "the editor checks, explains and runs", "use the buttons of the page")
        if action == "run":
            self.door.check_writing(asked.visitor)
        done = self.editor.work(action, text, [each for each in args.replace("\r", "").split("\n") if each])
        data = {"text": text, "args": args, "done": done, "file": self.editor.file or ""}
        return Page("result.html" if asked.query.get("part") else "editor.html", data)

    def report(self, asked: Asked) -> Page:
        """Give a run as a file."""
        return Page("", {"html": report(self.journal, asked.path["run"]).html})

    def empty(self, _: Asked) -> Page:
        """Show nothing: what every page costs."""
        return Page("empty.html")


def make_app(pages: Pages, context: click.Context | None = None) -> Starlette:
    """Return the application; `context` is the command's, whose options count in its threads too."""
    return Starlette(routes=list(_table(pages, context)), exception_handlers={404: _missing, 405: _missing})


def _table(pages: Pages, context: click.Context | None) -> Iterator[Route]:
    """Yield where each page is."""
    door = pages.door

    def route(path: str, work: Callable[[Asked], Page], method: str = "GET") -> Route:
        async def endpoint(request: Request) -> Response:
            try:
                asked = await _asked(request, door)
            except RefusedError as error:
                return _refused(error)
            return await run_in_threadpool(_answered, request, asked, work, door, context)

        return Route(path, endpoint, methods=[method])

    async def enter(request: Request) -> Response:
        try:
            return _entered(request, door, "/editor" if pages.editor.file else "/runs")
        except RefusedError as error:
            return _refused(error)

    yield Route("/", enter)
    yield Route("/static/{name}", _static)
    yield route("/runs", pages.runs)
    yield route("/runs/{run}", pages.run)
    yield route("/runs/{run}/call", pages.call)
    yield route("/runs/{run}/report", pages.report)
    yield route("/diff", pages.diff)
    yield route("/caches", pages.caches)
    yield route("/state", pages.state)
    yield route("/tickets", pages.tickets)
    yield route("/tickets", pages.change_ticket, "POST")
    yield route("/approvals", pages.approvals)
    yield route("/approvals/waiting", pages.waiting)
    yield route("/approvals/{id}", pages.answer, "POST")
    yield route("/editor", pages.edit)
    yield route("/editor", pages.work, "POST")
    yield route("/empty", pages.empty)


def _entered(request: Request, door: Door, first: str) -> Response:
    """Let somebody in by the link, or by the cookie that it gave.

    Raises:
        RefusedError: Neither is there.
    """
    door.check_host(request.headers.get("host", ""))
    token = request.query_params.get("token")
    if token is not None and request.method != "GET":  # previews look with HEAD, and must not use the link up
        raise RefusedError(405, "the link is opened with GET alone", "open it in a browser")
    if token is None:
        door.known(request.cookies.get(door.cookie_name))
        return _gone("/runs")
    answer = _gone(first)
    answer.set_cookie(door.cookie_name, door.enter(token).cookie, httponly=True, samesite="strict", path="/")
    return answer


async def _static(request: Request) -> Response:
    """Return a file of the pages' own; there is nothing in it that anybody may not see."""
    name = request.path_params["name"]
    if name not in _STATIC:
        return _refused(_MISSING)
    body = (files("rtfs_framework.cli.ui") / "static" / name).read_bytes()
    kept = {**HEADERS, "cache-control": "max-age=3600"}
    return Response(body, headers=kept, media_type=_STATIC[name])


async def _missing(_request: Request, _error: Exception) -> Response:
    return _refused(_MISSING)


async def _asked(request: Request, door: Door) -> Asked:
    """Let a request in.

    Raises:
        RefusedError: It is not let in.
    """
    door.check_host(request.headers.get("host", ""))
    visitor = door.known(request.cookies.get(door.cookie_name))
    form: dict[str, str] = {}
    if request.method == "POST":
        body = b""
        async for part in request.stream():
            body += part
            if len(body) > MOST_BODY:
                raise RefusedError(413, f"more than {MOST_BODY >> 20} MiB were sent", "keep the program in a file")
        form = dict(parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True, max_num_fields=20))
        door.check_form(visitor, request.headers.get("origin"), form.get("csrf", ""))
    return Asked(visitor, request.path_params, dict(request.query_params), form)


def _answered(
    request: Request, asked: Asked, work: Callable[[Asked], Page], door: Door, context: click.Context | None
) -> Response:
    """Return a page, or the page of what went wrong with it."""
    common = {"visitor": asked.visitor, "at": request.url.path, "version": __version__, "origin": door.origin}
    part = bool(asked.query.get("part"))
    with _inside(context):
        try:
            page = work(asked)
            if page.go:
                return _gone(page.go)
            if "html" in page.data:
                return Response(page.data["html"], headers={**HEADERS, "content-security-policy": _REPORT_POLICY},
                                media_type="text/html")  # fmt: skip
            status, html = 200, rendered(page.template, {**common, **page.data})
        except Exception as error:  # noqa: BLE001 - the last resort: a page of what broke
            status, errors = _told(error)
            html = rendered("fault.html", {**common, "errors": errors, "status": status, "part": part})
    return Response(html, status if not part else 200, headers=HEADERS, media_type="text/html")


def _told(error: Exception) -> tuple[int, list[dict[str, Any]]]:
    if isinstance(error, RtfsError):
        status = getattr(error, "status", 404 if getattr(error, "code", "") == "E0720" else 422)
        return status, diagnostics_json(error)
    if isinstance(error, click.ClickException):
        return 400, [{"code": "", "severity": "error", "message": error.format_message(), "help": None}]
    where = write_crash_file(error)
    way_out = "please report it" + ("" if where is None else f"; the details are in {where}")
    message = f"internal error: {visible_line(f'{type(error).__name__}: {error}')}"
    return 500, [{"code": INTERNAL, "severity": "error", "message": message, "help": way_out}]


def _refused(error: RefusedError) -> Response:
    """Return the page of somebody who is not let in; it tells nothing else."""
    html = rendered("refused.html", {"message": str(error), "help": error.way_out, "code": error.code})
    return Response(html, error.status, headers=HEADERS, media_type="text/html")


def _gone(where: str) -> RedirectResponse:
    return RedirectResponse(where, 303, headers=HEADERS)


def _time(text: str, name: str) -> float:
    return float(Since().convert(text, click.Option([f"--{name}"]), None))


def _number(text: str) -> int:
    if text.isascii() and text.isdecimal() and len(text) < 16:
        return int(text)
    raise RefusedError(400, f"'{text:.20}' is no number", "use the links of the page")


@contextmanager
def _inside(context: click.Context | None) -> Iterator[None]:
    """Let this thread see the command's options, as the command itself does."""
    if context is not None:
        push_context(context)
    try:
        yield
    finally:
        if context is not None:
            pop_context()
