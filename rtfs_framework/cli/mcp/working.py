"""What the tools do: each takes what was asked and gives JSON-ready data, or raises an `RtfsError` with its code."""

from __future__ import annotations

from collections.abc import Callable
from math import inf
from typing import TYPE_CHECKING, Any

import anyio
import anyio.to_thread
import attrs

from rtfs_framework.api.labels import PUBLIC, Label
from rtfs_framework.cli.faults import CommandLineError
from rtfs_framework.cli.mcp.approving import call_text
from rtfs_framework.cli.problems import BAD_CHOICE, problem
from rtfs_framework.cli.shown.data import value_json
from rtfs_framework.kernel.compiling import watched_compilation
from rtfs_framework.lang.errors import ProgramError
from rtfs_framework.lang.jsontext import JsonError
from rtfs_framework.lang.printer import write
from rtfs_framework.lang.source import Source
from rtfs_framework.lang.types.jsonable import from_plain
from rtfs_framework.orchestrator.concurrency.deadlines import Deadlines
from rtfs_framework.orchestrator.recording.floating import Gathered
from rtfs_framework.orchestrator.recording.purse import Asker, RunParked, Stopping, Terms

if TYPE_CHECKING:
    from rtfs_framework.api.approval import ApprovalRequest
    from rtfs_framework.cli.mcp.asked import Check, Doc, Explain, Prompt, Resume, Run
    from rtfs_framework.cli.prompt_pack import Pack
    from rtfs_framework.orchestrator.config.agents import McpClientSpec
    from rtfs_framework.orchestrator.recording.records import RunResult
    from rtfs_framework.orchestrator.session import Session

TOO_LARGE, NO_SUCH, UNSEEN = "E0946", "E0950", "E0989"
NAME, CANCELLED = "<program>", "the client has cancelled"
_MOST_TOLD = 100
"""Findings, calls and needs of a program that an answer tells one by one."""


@attrs.define(slots=True, eq=False)
class Working:
    """The tools for one request of a client."""

    session: Session
    client: McpClientSpec
    most: int
    """Bytes of a program."""
    waiting: Callable[[str], ApprovalRequest | None] = lambda _: None
    """Returns a call of a run that waits for a person; reads a file."""

    async def check(self, asked: Check) -> dict[str, Any]:
        """Return what is wrong with a program."""
        from rtfs_framework.cli.commands.check import unusable_sites
        from rtfs_framework.cli.shown.findings import in_order
        from rtfs_framework.cli.shown.purity import program_json

        source = self._source(asked.program)
        checked = await self._watched(lambda: self.session.examine(source))
        shown = attrs.evolve(checked, sites=checked.sites[:_MOST_TOLD], needs=checked.needs[:_MOST_TOLD])
        found = in_order([*checked.diagnostics, *(unusable_sites(shown) if checked.accepted else ())])
        told = [each.to_json() for each in found[:_MOST_TOLD]]
        counts = {"findings": len(found), "calls": len(checked.sites), "needs": len(checked.needs)}
        about = {**program_json(NAME, shown), "counts": counts}
        return {"accepted": checked.accepted, "diagnostics": told, "about": about}

    async def run(self, asked: Run) -> dict[str, Any]:
        """Return what a run gives; it is cancelled with its request."""
        source = self._source(asked.program)
        try:
            args = tuple(from_plain(each) for each in asked.args)
        except JsonError as error:
            raise problem(BAD_CHOICE, f"an argument is no value: {error}") from None
        linked = await self._watched(lambda: self.session.link(source))
        carried = Gathered(label=self.client.marks)
        terms = Terms(
            marks=self.client.marks,
            carried=carried,
            asker=Asker(token=self._asker),
            stopping=Stopping(CANCELLED),
        )
        linked = attrs.evolve(linked, terms=terms)
        entry = asked.entry or ("main" if args else None)
        try:
            return self._seen(await self.session.run_async(linked, args, entry=entry))
        except RunParked as parked:
            return await self.parked(parked.run, parked.what)
        except ProgramError:
            self.check_seen(carried.label)
            raise

    async def resume(self, asked: Resume) -> dict[str, Any]:
        """Return what a run gives that is gone on with, one of this client's own; it is cancelled with its request."""
        from rtfs_framework.orchestrator.running.resuming import Resuming, go_on

        await _beside(lambda: self.own(asked.run))
        session = self.session
        try:
            return self._seen(
                await go_on(session.host, session.portal, session.limits, Resuming(run=asked.run), CANCELLED)
            )
        except RunParked as parked:
            return await self.parked(parked.run, parked.what)
        except ProgramError:
            self.check_seen(self._known_marks)  # nobody knows any more which of them it was given
            raise

    async def explain(self, asked: Explain) -> dict[str, Any]:
        """Return where the calls of a program go, or what a code means."""
        if (asked.program is None) == (asked.code is None):
            raise problem(BAD_CHOICE, "say a program or a code, one of them")
        if asked.code is not None:
            return _code(asked.code)
        source = self._source(asked.program or "")
        return {"sites": [each.to_json() for each in await self._watched(lambda: self.session.explain(source))]}

    async def _watched(self, work: Callable[[], Any]) -> Any:
        """Do in a thread what compiles a program and looks at it: it ends with its request."""
        deadlines = Deadlines(self.session.host.clock, inf)
        with deadlines.compiling() as watch:

            def watched() -> Any:
                with watched_compilation(watch):
                    return work()

            try:
                return await _beside(watched)
            finally:
                deadlines.stop()

    async def doc(self, asked: Doc) -> dict[str, Any]:
        """Return entries of the reference."""
        from rtfs_framework.cli.commands.doc import found_entries
        from rtfs_framework.cli.reference import families

        entries = found_entries(asked.name, asked.search)
        if entries is None:
            names = {family: [each.name for each in found] for family, found in families().items()}
            return {"entries": [], "families": names}
        return {"entries": [each.to_json() for each in entries]}

    async def prompt(self, asked: Prompt) -> dict[str, Any]:
        """Return the prompt pack under this client's rules."""
        from rtfs_framework.cli.prompt_pack import make_pack

        pack: Pack | None = await _beside(lambda: make_pack(self.session.host, asked.max_tokens))
        if pack is None:
            way_out = "allow more max_tokens"
            raise CommandLineError(BAD_CHOICE, f"{asked.max_tokens} tokens do not hold what the host grants", way_out)
        return pack.to_json()

    @property
    def _asker(self) -> str:
        """Who began its runs, as their records have it."""
        return self.client.name or "mcp"

    @property
    def sees_all(self) -> bool:
        """Tell whether the client may see data of every mark."""
        return self._unseen(self._known_marks) == PUBLIC

    @property
    def _known_marks(self) -> Label:
        labels = self.session.host.config.labels
        return PUBLIC if labels is None else labels.marks

    def _unseen(self, marks: Label) -> Label:
        """Return the marks of some that the client may not see: it knows what it sent, and sees what is accepted."""
        labelling = self.session.host.dispatcher.labelling
        if labelling is None:
            return PUBLIC
        accepts = labelling.accepts(f"mcp {self._asker}")
        return PUBLIC if accepts is None else marks - self.client.marks - accepts

    def check_seen(self, marks: Label) -> None:
        """Refuse to tell what carries marks that the client may not see.

        Raises:
            InputError: E0989.
        """
        unseen = self._unseen(marks)
        if unseen:
            message = f"the answer carries the mark '{min(unseen)}', which this client may not see"
            raise problem(UNSEEN, message, f'[labels.accepts] "mcp {self._asker}" = [...] says which it may')

    def _seen(self, result: RunResult) -> dict[str, Any]:
        self.check_seen(result.marks)
        return _ran(result)

    def _source(self, text: str) -> Source:
        size = len(text.encode("utf-8", "surrogatepass"))
        if size > self.most:
            raise problem(TOO_LARGE, f"the program has {size:,} bytes; {self.most:,} are taken", "make it smaller")
        return Source(NAME, text)

    def own(self, run: str) -> None:
        """Refuse a run that another client, or nobody by MCP, has begun; in words that tell nothing of it."""
        from rtfs_framework.orchestrator.recording.journal.fault import JournalError
        from rtfs_framework.orchestrator.recording.journal.query import show_run

        journal = self.session.host.journal
        row = None
        if journal is not None:
            journal.flush()
            try:
                row, _ = show_run(journal.path, run)
            except JournalError:
                row = None
        if row is None or row.asked_by.get("token") != self._asker:
            raise problem(NO_SUCH, "this client has no such run", "`run` returned its id, with the status `waiting`")

    async def waits(self, run: str) -> ApprovalRequest | None:
        """Return a call of a run that waits for a person."""
        return await anyio.to_thread.run_sync(self.waiting, run)

    async def parked(self, run: str, what: str) -> dict[str, Any]:
        """Return how a run stands that waits, and how it is gone on with."""
        said: dict[str, Any] = {"status": "waiting", "run": run, "waits": f"the run waits {what}"}
        request = await self.waits(run)
        if request is not None:
            said["approval"] = {
                "id": request.id,
                "call": call_text(request, whole=self.sees_all),
                "target": request.target,
                "seconds": request.seconds,
                "how": f"a person says `rtfs approve yes {request.id}` or `rtfs approve no {request.id}`; then resume",
            }
        return said


def _ran(result: RunResult) -> dict[str, Any]:
    summary = result.summary
    return {
        "status": "complete",
        **value_json(result.value),
        "text": write(result.value),
        "run": result.run_id if result.calls else "",
        "labels": sorted(result.marks),
        "calls": [{"symbol": each.symbol, "target": each.target, "cost": each.cost} for each in result.calls],
        "cost": None if summary.unpriced else summary.cost,
    }


def _code(text: str) -> dict[str, Any]:
    from rtfs_framework.lang.codes import CODES
    from rtfs_framework.lang.diagnostics import did_you_mean

    found = CODES.get(text.upper())
    if found is None:
        near = did_you_mean(text.upper()[:10], CODES) or "codes look like E0203"
        raise problem(BAD_CHOICE, f"there is no code {text[:20]}", near)
    wrong, right = found.wrong or None, found.right or None
    return {"code": found.code, "title": found.title, "meaning": found.text, "wrong": wrong, "right": right}


async def _beside(work: Callable[[], Any]) -> Any:
    """Do in a thread what takes a while; nobody waits for it any more once the request is cancelled."""
    return await anyio.to_thread.run_sync(work, abandon_on_cancel=True)
