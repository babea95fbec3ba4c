"""The guards of a host, asked one after the other, each about what those before it have left.

In: a request that is about to be sent, a reply that nobody has seen. Out: the same, redacted perhaps; or a
`RefusedError` that names the guard. What a guard raises, what comes too late and what is no answer of the contract
refuses: fails closed. What was redacted is told by `note`, for the record.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

import attrs

from rtfs_framework.api.attempts import FailureKind
from rtfs_framework.api.errors import PluginError
from rtfs_framework.api.guard import Guard, GuardedRequest, GuardSettings, RedactArgs, RedactReply, Refuse
from rtfs_framework.api.provider import InferenceReply, InferenceRequest
from rtfs_framework.orchestrator.boundary.failures import RefusedError
from rtfs_framework.orchestrator.config.globs import Patterns
from rtfs_framework.orchestrator.config.routes import target_text
from rtfs_framework.orchestrator.config.tables.guards import GuardSpec
from rtfs_framework.orchestrator.performing.guards.shape import misshapen
from rtfs_framework.registry.faults import Part, PluginFault, ask, make
from rtfs_framework.registry.problems import UNMADE

if TYPE_CHECKING:
    from rtfs_framework.registry.catalog import Catalog

T = TypeVar("T")

Report = Callable[[Part, "BaseException | str", str, str], None]
"""Told when a guard broke: who, what was wrong, in which piece of its code, and what happened instead."""

Rebuild = Callable[[InferenceRequest, tuple[Any, ...]], InferenceRequest]
"""The same request with other arguments: its prompt is made again."""

Note = Callable[[str, str], None]
"""Told of every verdict that is in the record: which guard, and what it did."""

_REFUSED = "the request was refused"
_WAY_OUT = "change the request, choose another target, or ask whoever runs this host"
SECONDS = 10.0
_METHODS = ("check_request", "check_reply")


@attrs.frozen(slots=True, eq=False)
class HeldGuard:
    """One guard, who it is, and which requests it is about."""

    part: Part
    guard: Guard
    blocking: bool
    targets: Patterns | None
    symbols: Patterns | None

    def concerns(self, guarded: GuardedRequest) -> bool:
        """Tell whether it is asked about a request."""
        if self.targets is not None and self.targets.match(target_text(guarded.target)) is None:
            return False
        return self.symbols is None or self.symbols.match(guarded.request.function.name) is not None


@attrs.frozen(slots=True, eq=False)
class Guards:
    """All of a host's guards, in their order."""

    held: tuple[HeldGuard, ...] = ()
    report: Report = lambda *_: None
    fingerprint: str = ""
    """Of guards and settings: what one of them let pass, or redacted, another may not."""
    seconds: float = SECONDS
    """How long those that may wait have for one verdict, all together."""

    def __bool__(self) -> bool:
        return bool(self.held)

    @property
    def waits(self) -> bool:
        """Tell whether one of them may wait: then they are asked in a thread."""
        return any(each.blocking for each in self.held)

    def request(self, guarded: GuardedRequest, rebuild: Rebuild, note: Note) -> GuardedRequest:
        """Return a request as it may be sent.

        Raises:
            RefusedError: It may not be.
        """
        for each in self.held:
            if not each.concerns(guarded):
                continue
            verdict = self._asked(each, "check_request", guarded)
            if verdict is None:
                continue
            if isinstance(verdict, Refuse):
                raise self._refused(each, verdict)
            args, before = verdict.args, guarded.request.args
            wrong = "are no tuple" if args.__class__ is not tuple else misshapen(before, args)
            if not isinstance(verdict, RedactArgs) or wrong is not None:
                raise self._broken(each, "check_request", f"handed back arguments that are another call's: {wrong}")
            guarded = attrs.evolve(guarded, request=rebuild(guarded.request, args))
            note(f"guard {each.part.name}", f"redacted arguments{_said(verdict.note)}")
        return guarded

    def reply(self, guarded: GuardedRequest, reply: InferenceReply, note: Note) -> InferenceReply:
        """Return a reply as it may be seen.

        Raises:
            RefusedError: It may not be; of the kind REPLY, for the target is as healthy as before.
        """
        for each in self.held:
            if not each.concerns(guarded):
                continue
            verdict = self._asked(each, "check_reply", guarded, reply)
            if verdict is None:
                continue
            if isinstance(verdict, Refuse):
                raise self._refused(each, verdict, FailureKind.REPLY)
            reply = self._redacted(each, reply, verdict)
            note(f"guard {each.part.name}", f"redacted the reply{_said(verdict.note)}")
        return reply

    async def request_there(self, guarded: GuardedRequest, rebuild: Rebuild, note: Note) -> GuardedRequest:
        """Return a request as it may be sent; judged in a thread where a guard may wait.

        Raises:
            RefusedError: It may not be.
        """
        if not self.waits:
            return self.request(guarded, rebuild, note)
        return await self._in_thread(lambda: self.request(guarded, rebuild, note), FailureKind.REFUSED)

    async def reply_there(self, guarded: GuardedRequest, reply: InferenceReply, note: Note) -> InferenceReply:
        """Return a reply as it may be seen; judged in a thread where a guard may wait.

        Raises:
            RefusedError: It may not be.
        """
        if not self.waits:
            return self.reply(guarded, reply, note)
        return await self._in_thread(lambda: self.reply(guarded, reply, note), FailureKind.REPLY)

    async def _in_thread(self, judge: Callable[[], T], kind: FailureKind) -> T:
        import asyncio

        import anyio
        from anyio.to_thread import current_default_thread_limiter

        from rtfs_framework.orchestrator.concurrency.threads import left_behind

        with anyio.move_on_after(self.seconds):
            async with current_default_thread_limiter():
                return await asyncio.wrap_future(left_behind("rtfs guard", judge))
        names = " or ".join(f"'{each.part.name}'" for each in self.held if each.blocking)
        reason = f"the guard {names} did not answer within {self.seconds:g} s"
        for each in self.held:
            if each.blocking:
                self.report(each.part, f"did not answer within {self.seconds:g} s", "judging", _REFUSED)
        raise RefusedError(names, reason, _WAY_OUT, failure=kind)

    def _redacted(self, held: HeldGuard, reply: InferenceReply, verdict: RedactReply) -> InferenceReply:
        if reply.structured:
            wrong = misshapen(reply.data, verdict.data)
            text = verdict.text if isinstance(verdict.text, str) else None  # what was beside it is kept by memories
            made = attrs.evolve(reply, data=verdict.data, text=text)
        else:
            wrong = None if isinstance(verdict.text, str) else "is no text"
            made = attrs.evolve(reply, text=verdict.text, data=None)
        if wrong is not None:
            raise self._broken(held, "check_reply", f"handed back another reply, which {wrong}", FailureKind.REPLY)
        return attrs.evolve(made, explanation="", model="", problems=())  # they may tell what was taken out

    def _asked(self, held: HeldGuard, method: str, *args: Any) -> Any:
        """Return a guard's verdict, of the classes that its method may answer.

        Raises:
            RefusedError: It broke, or answered something else.
        """
        kind = FailureKind.REPLY if method == "check_reply" else FailureKind.REFUSED
        try:
            verdict = ask(held.part, f"`{method}`", getattr(held.guard, method), *args)
        except PluginFault as fault:
            raise self._broken(held, method, fault, kind) from fault.__cause__
        expected = RedactReply if method == "check_reply" else RedactArgs
        if verdict is None or isinstance(verdict, expected | Refuse):
            return verdict
        wrong = f"answered with a {type(verdict).__name__}, which is no verdict"
        raise self._broken(held, method, wrong, kind)

    def _refused(self, held: HeldGuard, verdict: Refuse, kind: FailureKind = FailureKind.REFUSED) -> RefusedError:
        reason = f"the guard '{held.part.name}' refuses: {_line(verdict.reason) or 'without a reason'}"
        return RefusedError(held.part.name, reason, _line(verdict.way_out) or _WAY_OUT, failure=kind)

    def _broken(
        self, held: HeldGuard, method: str, wrong: BaseException | str, kind: FailureKind = FailureKind.REFUSED
    ) -> RefusedError:
        self.report(held.part, wrong, f"`{method}`", _REFUSED)
        reason = f"the guard '{held.part.name}' broke, and what it cannot judge does not pass"
        way_out = f"tell whoever makes it, or switch it off: enabled = false in [guards.{held.part.name}]"
        return RefusedError(held.part.name, reason, way_out, failure=kind)


NO_GUARDS = Guards()


def make_guards(specs: tuple[GuardSpec, ...], catalog: Catalog, report: Report) -> Guards:
    """Return the guards of a configuration.

    Raises:
        PluginError: One cannot be made: without it, what it should refuse would pass.
    """
    held = []
    for spec in specs:
        entry, provenance = catalog.guards[spec.plugin]
        part = Part("guard", spec.name, provenance)
        try:
            guard = make(part, entry.factory, GuardSettings(spec.name, spec.own), methods=_METHODS)
        except PluginFault as fault:
            way_out = f"{fault.way_out}; or enabled = false in [guards.{spec.name}]: nothing runs without it"
            error = PluginError(str(provenance), fault.words, code=UNMADE, way_out=way_out)
            raise error from fault.__cause__
        targets = Patterns(spec.targets) if spec.targets else None
        symbols = Patterns(spec.symbols) if spec.symbols else None
        held.append(HeldGuard(part, guard, entry.blocking, targets, symbols))
    return Guards(tuple(held), report, _fingerprint(specs))


def _fingerprint(specs: tuple[GuardSpec, ...]) -> str:
    if not specs:
        return ""
    from rtfs_framework.lang.digest import digest

    return digest(*(f"{spec.name}\0{spec.plugin}\0{spec.version}\0{_plain(spec.table)}" for spec in specs))


def _plain(table: Mapping[str, Any]) -> str:
    return "\0".join(f"{key}={value!r}" for key, value in sorted(table.items()))


def _said(note: object) -> str:
    text = _line(note)
    return f": {text}" if text else ""


def _line(text: object) -> str:
    """Return a guard's words for a record: one short line."""
    from rtfs_framework.lang.visible import visible_line

    return visible_line(text)[:200] if isinstance(text, str) else ""
