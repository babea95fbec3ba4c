"""The scripted host of a case: answers calls row by row, and notes everything that it is told."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from typing_extensions import assert_never

from rtfs_framework.kernel.call_kind import CallKind
from rtfs_framework.kernel.loader import run_pure
from rtfs_framework.kernel.outcome import ExecutionOutcome, HostCall
from rtfs_framework.kernel.run import Run
from rtfs_framework.lang.canonical import canonical_print
from rtfs_framework.lang.diagnostics import Diagnostic
from rtfs_framework.lang.errors import InternalError, ProgramError, generic_error, undefined_symbol
from rtfs_framework.testing.cases.model import Case


class Mismatch(AssertionError):
    """What happened is not what the case says."""


class Suspended(Exception):
    """The run stopped at the row marked `suspend`."""


class ScriptedHost:
    """Answers as the case's `host` rows say."""

    def __init__(self, case: Case) -> None:
        self.case = case
        self.rows = [r for r in case.host if case.outcome == "requires-host" or not r.get("suspend")]
        self.events: list[str] = []
        self.context = {k: run_pure(v) for k, v in {**case.cross, **case.context}.items()}

    def answer(self, run: Run, call: HostCall) -> ExecutionOutcome:
        """Answer one request of the program.

        Raises:
            Mismatch: the call is not the expected one.
            Suspended: the expected call is marked `suspend`.
        """
        match call.kind:
            case CallKind.EVENT:
                return self._event(run, call)
            case CallKind.CONTEXT_GET:
                return self._read(run, call)
            case CallKind.CONTEXT_SET:
                self._note("context-set", call.capability, call.args)
                self.context[call.capability] = call.args[0]
                return run.resume(None)
            case CallKind.MEMO | CallKind.MEMO_KEEP:
                return run.resume_locally()
            case CallKind.CAPABILITY | CallKind.DELEGATED:
                return self._call(run, call)
            case CallKind.TICKET | CallKind.AWAIT:
                raise InternalError("handed only to hosts that take branches")
            case _ as never:
                assert_never(never)

    def knows(self, found: Diagnostic) -> bool:
        """Tell whether what was found is a name that the case's context gives a meaning."""
        if found.code != "E0203" or found.source is None or found.span is None:
            return False
        return found.source.text[found.span.start : found.span.end].removeprefix("@").removeprefix(":") in self.context

    def _note(self, what: str, name: str, args: tuple[Any, ...]) -> None:
        self.events.append(" ".join([what, name, *map(canonical_print, args)]))

    def _event(self, run: Run, call: HostCall) -> ExecutionOutcome:
        name, args = call.capability, call.args
        if name == "isolation":
            if args[0] == self.case.deny_isolation:
                message = f"Security violation: isolation level '{args[0]}' not allowed"
                return run.throw(ProgramError("SecurityViolation", message))
        elif name == "authorise":
            if not self._allowed(args[0]):
                message = f"Security violation: execute operation on capability '{args[0]}' not allowed in context"
                return run.throw(ProgramError("SecurityViolation", message))
        elif name in ("step-start", "step-fail", "expose"):
            self.events.append(" ".join([name, *(a if isinstance(a, str) else canonical_print(a) for a in args)]))
        elif name in ("step-done", "hint"):
            self._note(name, args[0], args[1:])
        else:
            self.events.append(name)
        return run.resume(None)

    def _allowed(self, capability: str) -> bool:
        level, _, listed = self.case.security.partition(":")
        return level == "full" or (level == "controlled" and capability in listed.split(","))

    def _read(self, run: Run, call: HostCall) -> ExecutionOutcome:
        if call.capability in self.context:
            return run.resume(self.context[call.capability])
        return run.resume(None) if call.args else run.throw(undefined_symbol(call.capability))

    def _call(self, run: Run, call: HostCall) -> ExecutionOutcome:
        if call.capability == "ccos.ai.llm-execute" and not self.rows and call.args[0] == "echo-model":
            return run.resume(call.args[1])  # the original's built-in echo model
        shown = " ".join([call.capability, *map(canonical_print, call.args)])
        self.events.append(f"call {shown}")
        if not self.rows:
            if self.case.has_host or self.case.expect is not None:
                raise Mismatch(f"unexpected call {shown}")
            return run.throw(generic_error("no host"))
        row = self.rows.pop(0)
        hints = sorted(f"{k}={canonical_print(v)}" for k, v in call.hints.items())
        self._compare("call", row["call"], call.capability)
        self._compare("args", list(row.get("args", [])), [canonical_print(a) for a in call.args])
        if "hints" in row:
            self._compare("hints", list(row["hints"]), hints)
        return self._reply(run, row)

    def _reply(self, run: Run, row: Mapping[str, Any]) -> ExecutionOutcome:
        if row.get("suspend"):
            raise Suspended
        if "fail" in row:
            return run.throw(generic_error(row["fail"]))
        return run.resume(run_pure(row["reply"]))

    @staticmethod
    def _compare(what: str, expected: Any, got: Any) -> None:
        if expected != got:
            raise Mismatch(f"{what}: expected {expected}, got {got}")

    def finish(self) -> None:
        """Check that every row was used and the events are as told.

        Raises:
            Mismatch: they are not.
        """
        if self.rows:
            raise Mismatch(f"calls that were not made: {[row['call'] for row in self.rows]}")
        if self.case.events is not None and list(self.case.events) != self.events:
            raise Mismatch(f"events: expected {list(self.case.events)}, got {self.events}")
