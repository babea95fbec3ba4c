"""The host of programs without effects: capabilities fail, notifications succeed, the context is empty."""

from __future__ import annotations

from rtfs_framework.kernel.call_kind import CallKind
from rtfs_framework.kernel.outcome import ExecutionOutcome, HostCall, RequiresHost, value_of
from rtfs_framework.kernel.run import Run
from rtfs_framework.lang.annotations import Any
from rtfs_framework.lang.errors import InternalError, ProgramError, generic_error, undefined_symbol
from rtfs_framework.lang.never import forgotten


class PureHost:
    """Drives runs to their end without granting anything."""

    def finish(self, run: Run) -> Any:
        """Return the value of a run.

        Raises:
            ProgramError: the program failed, or asked for a capability.
            LimitError: a limit stopped it.
        """
        outcome = run.step()
        while isinstance(outcome, RequiresHost):
            outcome = self.answer(run, outcome.call)
        return value_of(outcome)

    def answer(self, run: Run, call: HostCall) -> ExecutionOutcome:
        """Answer one call."""
        match call.kind:
            case CallKind.EVENT | CallKind.CONTEXT_SET | CallKind.MEMO_KEEP:
                return run.resume(None)
            case CallKind.CONTEXT_GET:
                return run.resume(None) if call.args else run.throw(undefined_symbol(call.capability))
            case CallKind.MEMO:
                return run.resume_locally()
            case CallKind.DELEGATED:
                return run.throw(self._refusal(call))
            case CallKind.CAPABILITY:
                return run.throw(self._refusal(call))
            case CallKind.TICKET | CallKind.AWAIT:
                raise InternalError("handed only to hosts that take branches")
            case _ as never:
                raise forgotten(never)

    @staticmethod
    def _refusal(call: HostCall) -> ProgramError:
        return generic_error(f"capability '{call.capability}' is not available in pure mode")
