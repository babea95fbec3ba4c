"""Steps: bodies run between notifications to the host. A failed step is told as failed, and its exposure is cleared."""

from __future__ import annotations

from rtfs_framework.kernel.call_kind import CallKind
from rtfs_framework.kernel.effects import event
from rtfs_framework.kernel.faults import to_error
from rtfs_framework.kernel.parallel import MergePolicy, spread
from rtfs_framework.kernel.state import current, request
from rtfs_framework.lang.annotations import Any
from rtfs_framework.lang.errors import generic_error, invalid_arguments
from rtfs_framework.lang.values import type_name


def _expose(expose: bool | None, keys: tuple[str, ...]) -> None:
    if expose is not None:
        event("expose", expose, *keys)


def _run(name: str, body: Any, *, exposed: bool, defines: bool = False) -> Any:
    """Run a body between step-start and step-done (or step-fail); one that defines gives its value and what it made."""
    try:
        value = body()
    except Exception as error:
        failure = to_error(error)
        event("step-fail", name, failure.message.removeprefix("Runtime error: "))
        if exposed:
            event("expose-clear")
        raise
    event("step-done", name, value[0] if defines else value)
    event("expose-clear")
    return value


def step(
    name: Any, expose: bool | None, keys: tuple[str, ...], body: Any, params: Any = None, defines: bool | None = None
) -> Any:
    """`(step name options... body...)`."""
    if name.__class__ is not str:
        raise invalid_arguments("a step name (string)", "another value")
    event("isolation", "inherit")
    _expose(expose, keys)
    event("step-start", name)
    if params is None:
        return _run(name, body, exposed=expose is not None, defines=bool(defines))
    return _run(name, lambda: body(params()), exposed=expose is not None)


def step_loop(expose: bool | None, keys: tuple[str, ...], test: Any, body: Any) -> Any:
    """`(step-loop test body)`."""
    event("isolation", "inherit")
    _expose(expose, keys)
    event("step-start", "step-loop")
    most = current().limits.step_rounds

    def rounds() -> Any:
        result = None
        count = 0
        while (go := test()) is not None and go is not False:
            if count >= most:
                message = f"Loop exceeded maximum iterations ({most})"
                raise generic_error(message)
            result = body()
            count += 1
        return result

    return _run("step-loop", rounds, exposed=expose is not None)


def step_parallel(
    expose: bool | None, keys: tuple[str, ...], bad: str | None, policy: MergePolicy | None, *branches: Any
) -> Any:
    """`(step-parallel branch...)`: the values in order; a host may run the branches at once."""
    event("step-start", "step-parallel")
    event("isolation", "isolated")
    if bad is not None:
        raise invalid_arguments("step-parallel options", bad)
    _expose(expose, keys)
    try:
        values = tuple(spread(len(branches), lambda number: branches[number](), policy=policy or "overwrite"))
    except Exception as error:
        event("step-fail", "step-parallel", to_error(error).message.removeprefix("Runtime error: "))
        if expose is not None:
            event("expose-clear")
        raise
    event("expose-clear")
    event("step-done", "step-parallel", values)
    return values


def llm_execute(model: Any, prompt: Any, *system: Any) -> Any:
    """`(llm-execute model prompt)`: the capability `ccos.ai.llm-execute`, told as a step."""
    for value in (model, prompt, *system):
        if value.__class__ is not str:
            raise invalid_arguments("strings", type_name(value))
    event("authorise", "ccos.ai.llm-execute")
    event("step-start", "llm-execute")
    value = request(CallKind.CAPABILITY, "ccos.ai.llm-execute", (model, prompt, *system))
    event("step-done", "llm-execute", value)
    return value


_ALL: tuple[Any, ...] = (llm_execute, step, step_loop, step_parallel)
for _function in _ALL:
    _function.rtfs_asks = True
