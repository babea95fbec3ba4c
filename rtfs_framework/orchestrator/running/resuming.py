"""Going on with a run that has not ended: on this machine or another, by this version of Python or another.

The program is compiled anew from the text that the journal keeps, and runs from its beginning: it is pure, and every
call that it made before is answered as it was (`past_calls`), so it comes to where it was, and goes on. With another
text (`upgrade`) it is the same: as long as the new program makes the calls that are written down it takes over.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import inf
from typing import TYPE_CHECKING, Any

import attrs

from rtfs_framework.api.caller import DelegationMetadata
from rtfs_framework.kernel.compiling import watched_compilation
from rtfs_framework.lang.source import Source
from rtfs_framework.orchestrator.boundary import exact
from rtfs_framework.orchestrator.concurrency.deadlines import Deadlines
from rtfs_framework.orchestrator.recording.journal.alive import hold, release
from rtfs_framework.orchestrator.recording.journal.kept import Job
from rtfs_framework.orchestrator.recording.journal.redact import name_of
from rtfs_framework.orchestrator.recording.journal.schema import LAST
from rtfs_framework.orchestrator.recording.journal.unended import ENDED, Unended, unended
from rtfs_framework.orchestrator.recording.purse import Stopping, Terms
from rtfs_framework.orchestrator.running.beginning import begin
from rtfs_framework.orchestrator.running.linking import link
from rtfs_framework.orchestrator.running.past_calls import NOT_KEPT, NOTHING_ASSUMED, Assumed, PastCalls, ResumeError
from rtfs_framework.orchestrator.running.progress import BEGINNING, Start
from rtfs_framework.orchestrator.running.restoring import lacking, restored

if TYPE_CHECKING:
    from rtfs_framework.kernel.limits import Limits
    from rtfs_framework.lang.library import FindModule
    from rtfs_framework.orchestrator.host import Host
    from rtfs_framework.orchestrator.recording.records import RunResult
    from rtfs_framework.orchestrator.running.linking import Linked
    from rtfs_framework.orchestrator.running.portal import Portal
    from rtfs_framework.orchestrator.running.program import LoadedProgram, ProgramRun
    from rtfs_framework.orchestrator.running.uses import Use

UNDER_WAY = "E0724"
"""Somebody is at the run."""
NOT_THERE = "E0728"
"""A run has no such call or checkpoint."""
AWAY = "E0729"
"""What a run waits for cannot be asked here."""
OTHER = "E0726"
"""The run is not for this host: another tenant's, of another program, with marks that nothing here knows, or it may not
use here what it might when it began."""


@attrs.frozen(slots=True, kw_only=True)
class Resuming:
    """How a run is gone on with."""

    run: str
    assumed: Assumed = NOTHING_ASSUMED
    upgrade: Source | None = None
    """Another text of the program, None for the one with which it was begun."""
    fork: bool = False
    """Whether another run begins with what this one was answered, and this one stays as it is."""
    at: str = ""
    """Of a fork: the call (its id) or the checkpoint before which it leaves this run; "" for its end."""


@attrs.frozen(slots=True, eq=False)
class Resumed:
    """A run that is gone on with: its top-level forms have not been evaluated yet."""

    program: LoadedProgram
    loading: ProgramRun
    past: PastCalls
    how: Mapping[str, Any]
    """How it was called: see `Job`."""

    def called(self, program: LoadedProgram) -> RunResult:
        """Call the program as it was called, once its top-level forms are evaluated; return the result."""
        args, entry = self.args, self.how.get("call")
        if entry is None and not args:
            return self.loading.result(program, program.value)
        return self.whole(program, program.call(entry or "main", args))

    def whole(self, program: LoadedProgram, result: RunResult) -> RunResult:
        """Return the result of the call, with what was done before it."""
        return attrs.evolve(result, calls=(*self.loading.sorted_calls, *result.calls), summary=program.summary)

    @property
    def start(self) -> Start:
        """Where the stream begins that it reads."""
        found = self.past.known.last("progress")
        if found is None:
            return BEGINNING
        body, text = found
        if self.how.get("folds") and text is None:
            run = self.past.known.facts.id[:12]
            raise ResumeError(NOT_KEPT, f"the state of run {run} is not kept", "it was redacted; begin a new run")
        own = ("entry", "done", "failed", "seen", "texts")
        beside = {name: value for name, value in body.items() if name not in own}
        return Start(
            done=int(body["done"]), failed=int(body["failed"]), seen=str(body["seen"]), state=text, beside=beside
        )

    @property
    def args(self) -> tuple[Any, ...]:
        """The arguments of the function that it calls."""
        text = self.how.get("args")
        if text is None:
            raise ResumeError(
                NOT_KEPT,
                f"what run {self.past.known.facts.id[:12]} was called with is not kept",
                "no text stands for it, or its marks forbid that it is kept; call it from Python: "
                "session.reopen(RUN) gives the loaded program",
            )
        found: tuple[Any, ...] = exact.from_text(text)
        return found


def reopen(host: Host, portal: Portal, limits: Limits, wanted: Resuming) -> Resumed:
    """Return a run that has not ended, ready to be gone on with.

    Raises:
        JournalError: There is no such run, it has ended, or its rows are not what was written.
        ResumeError: Somebody else is at it, it is another tenant's, or its program is not kept.
        LanguageError: The program is refused by this host.
    """
    journal = host.journal
    if journal is None:
        raise ResumeError(NOT_KEPT, "this session keeps no journal", "open it with one: [journal] enabled = true")
    journal.commit()
    if wanted.fork:
        known = unended(journal.path, wanted.run, journal.home, also_ended=True)
        return _reopened(host, portal, limits, wanted, known.until(_where(known, wanted.at)))
    if not hold(journal.home, wanted.run):
        raise ResumeError(
            UNDER_WAY,
            f"run {wanted.run[:12]} is under way in another process or session",
            f"`rtfs runs tail` watches it; `rtfs runs cancel {wanted.run[:12]}` ends it",
        )
    try:
        known = unended(journal.path, wanted.run, journal.home)
        return _reopened(host, portal, limits, wanted, known)
    except BaseException:
        release(journal.home, wanted.run)
        raise


async def go_on(host: Host, portal: Portal, limits: Limits, wanted: Resuming, why: str = "") -> RunResult:
    """Go on with a run from an event loop, which it never holds up, and return its result; see `Session.resume`.

    When this is cancelled it has ended when this does, is interrupted in the journal (`why` says by what), and can be
    gone on with again.
    """

    async def work(use: Use) -> RunResult:
        resumed = await _opened(host, portal, limits, wanted)
        with resumed.program as program:
            program.terms = attrs.evolve(program.terms, stopping=Stopping(why))
            program.value = await resumed.loading.drive(program.instance.start())
            entry = resumed.how.get("call")
            if entry is None and not resumed.args:
                return resumed.loading.result(program, program.value)
            return resumed.whole(program, await program.call_async_within(use, entry or "main", resumed.args))

    return await portal.call_async(work)


async def _opened(host: Host, portal: Portal, limits: Limits, wanted: Resuming) -> Resumed:
    """Open a run in a thread: its journal is proved, its program compiled. What was opened in vain is let go."""
    import asyncio

    deadlines = Deadlines(host.clock, inf)
    with deadlines.compiling() as watch:

        def work() -> Resumed:
            with watched_compilation(watch):
                return reopen(host, portal, limits, wanted)

        opening = asyncio.ensure_future(asyncio.to_thread(work))
        try:
            return await asyncio.shield(opening)
        except asyncio.CancelledError as error:
            deadlines.stop()
            await asyncio.wait([opening])
            if not opening.cancelled() and opening.exception() is None:
                opening.result().program.close("interrupted", error)
            raise


def _where(known: Unended, at: str) -> int:
    """Return the position of the row before which a fork leaves a run."""
    if not at:
        return LAST
    for id_, each in known.calls.items():
        if name_of(*id_) == at:
            return each.position
    for position, what, body, _ in known.notes:
        if what == "checkpoint" and body.get("name") == at.removeprefix(":"):
            return position
    run = known.facts.id[:12]
    raise ResumeError(
        NOT_THERE, f"run {run} has no call or checkpoint '{at}'", f"`rtfs runs show {run}` shows its calls"
    )


def _reopened(host: Host, portal: Portal, limits: Limits, wanted: Resuming, known: Unended) -> Resumed:
    facts, run = known.facts, wanted.run[:12]
    if facts.tenant != host.config.tenant:
        whose = f"tenant '{facts.tenant}'" if facts.tenant else "nobody in particular"
        raise ResumeError(OTHER, f"run {run} is of {whose}, and this session is not", "say so with --tenant")
    job = known.job
    if job is None and known.status in ENDED and host.config.journal.keep == "digests":
        raise ResumeError(
            NOT_KEPT,
            f'run {run} has ended, and its program and answers went with it: [journal] keep is "digests"',
            'set keep = "replies" under [journal] before a run that is to be forked when it has ended; begin a new run',
        )
    if job is None:
        raise ResumeError(
            NOT_KEPT,
            f"the program of run {run} is not kept",
            "it was begun by a version that kept none, in a conversation, or was redacted; begin a new run",
        )
    host, terms = restored(host, job.rules), attrs.evolve(Terms.of_json(job.terms), asker=facts.asker)
    _check_marks(host, terms, run)
    _check_jobs(host, known, wanted)
    linked = attrs.evolve(_linked(host, limits, job, wanted.upgrade), terms=terms)
    if wanted.upgrade is None and job is facts.job and linked.digest != facts.program:
        raise ResumeError(OTHER, f"the text of run {run} is not that of its program", "`rtfs runs verify` says more")
    if not wanted.fork:
        _check_allowed(host, job, linked, run)
    past = PastCalls(known, wanted.assumed, copies=wanted.fork)
    metadata = job.how.get("metadata")
    said = None if metadata is None else DelegationMetadata(**metadata)
    program, loading = begin(host, portal, linked, said, lambda: job.how, past)
    chain = program.chain
    if chain is not None:
        said_of: dict[str, Any] = {"at": round(host.clock.now(), 3), "policy": host.policy_hash}
        if wanted.fork:
            said_of |= {"forked": facts.id, "before": wanted.at}
        elif wanted.assumed.not_done:
            said_of["not_done"] = sorted(wanted.assumed.not_done)
        chain.note("resumed", said_of)
        if wanted.upgrade is not None and not wanted.fork:
            source, *modules = linked.artifact.sources
            texts = {each.name: each.text for each in modules}
            new = Job(
                name=source.name, text=source.text, modules=texts, how=job.how, rules=job.rules, terms=job.terms
            ).to_text()
            past.arrived = lambda: chain.note("resumed", {**said_of, "program": linked.digest}, new)
    return Resumed(program, loading, past, job.how)


def _check_allowed(host: Host, job: Job, linked: Linked, run: str) -> None:
    """See that a run may still use what it might when it began: else its calls would fail, and it would end so.

    Raises:
        ResumeError: It may not use a capability any more.
    """
    for name, refusal in lacking(host, job.rules, linked.artifact.sites).items():
        message = f"run {run} might use '{name}' when it began, and may not here: {refusal.reason}"
        way_out = (
            "name the configuration under which it began with --config FILE; "
            f"or begin another run with what this one was answered, under the rules here: `rtfs runs fork {run}`"
        )
        raise ResumeError(OTHER, message, way_out)


def _check_marks(host: Host, terms: Terms, run: str) -> None:
    """See that the marks of what a run was given are heeded here.

    Raises:
        ResumeError: This host does not know one of them.
    """
    labels = host.config.labels
    unknown = terms.marks - (frozenset() if labels is None else labels.marks)
    if unknown:
        message = f"run {run} was given what carries the mark '{min(unknown)}', and nothing here knows it"
        raise ResumeError(OTHER, message, "go on where it is among `marks` of [labels]")


def _check_jobs(host: Host, known: Unended, wanted: Resuming) -> None:
    """See that what a run waits for can be asked here: else its call would fail, and its answer be lost.

    Raises:
        ResumeError: A capability that has promised an answer is not here, or may not be called now.
    """
    for wait in known.waits.values():
        call = str(wait.get("call")).partition(":")[2]
        if "job" not in wait or call in wanted.assumed.done:
            continue
        refusal = host.dispatcher.capabilities.refusal(str(wait.get("target")).removeprefix("capability "))
        if refusal is not None:
            raise ResumeError(
                AWAY,
                f"run {wanted.run[:12]} waits with call {call} for job {wait['job']}: {refusal}",
                f"go on where {wait.get('target')} is offered and granted; the run waits meanwhile, as it did",
            )


def _linked(host: Host, limits: Limits, job: Job, upgrade: Source | None) -> Linked:
    """Return the program ready to run: as it was, or another text of it, with the modules of today."""
    if upgrade is not None:
        return link(host, upgrade, limits)
    return link(host, Source(job.name, job.text), limits, modules_of(job.modules))


def modules_of(texts: Mapping[str, str]) -> FindModule:
    """Return what finds modules among those that a run was begun, or ordered, with."""

    def find(name: str) -> Source | None:
        tail = "/" + name.replace(".", "/") + ".rtfs"
        for place, text in texts.items():
            if f"/{place}".replace("\\", "/").endswith(tail):
                return Source(place, text)
        return None

    return find
